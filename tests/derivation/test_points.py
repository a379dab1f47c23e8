import numpy as np
import pytest

import autotiny as at
from autotiny.algebra import symbol
from autotiny.derivation.derive import Deriving
from autotiny.derivation.points import Gradients, another, kind_of, moved

RNG = np.random.default_rng(3)
A = RNG.normal(size=(4, 4))
ONE_HOT = np.eye(4)[[0, 2, 2, 1, 3]]
SAMPLES = {
    "symmetric": (A + A.T, lambda x: np.array_equal(x, x.T)),
    "positive definite": (A @ A.T + np.eye(4), lambda x: np.all(np.linalg.eigvalsh(x) > 0) and np.allclose(x, x.T)),
    "skew-symmetric": (A - A.T, lambda x: np.array_equal(x, -x.T)),
    "orthogonal": (np.linalg.qr(A)[0], lambda x: np.allclose(x.T @ x, np.eye(4))),
    "lower triangular": (np.tril(A), lambda x: np.array_equal(x, np.tril(x))),
    "upper triangular": (np.triu(A), lambda x: np.array_equal(x, np.triu(x))),
    "of signs": (np.sign(RNG.normal(size=9)), lambda x: set(x) <= {-1.0, 1.0}),
    "of zeros and ones": (ONE_HOT, lambda x: np.array_equal(x.sum(axis=1), np.ones(5)) and set(x.flat) == {0.0, 1.0}),
    "of columns that sum to 1": (abs(A) / abs(A).sum(axis=0), lambda x: np.allclose(x.sum(axis=0), 1)),
    "of rows that sum to 1": (abs(A) / abs(A).sum(axis=1, keepdims=True), lambda x: np.allclose(x.sum(axis=1), 1)),
    "of entries that sum to 1": (np.array([0.2, 0.3, 0.5]), lambda x: np.isclose(x.sum(), 1)),
    "sorted": (np.array([-1.0, 0.5, 2.0]), lambda x: np.all(np.diff(x) > 0)),
    "of whole numbers": (np.array([3.0, 1.0, -2.0]), lambda x: np.array_equal(x, np.rint(x))),
}


@pytest.mark.parametrize("name", SAMPLES)
def test_other_values_are_of_the_same_kind(name):
    value, holds = SAMPLES[name]
    kind = kind_of(value)
    assert kind.name == name
    for seed in range(5):
        other = another(value, np.random.default_rng(seed), kind)
        assert holds(other)
        assert other.dtype == value.dtype
    assert any(not np.array_equal(another(value, np.random.default_rng(seed), kind), value) for seed in range(5))


@pytest.mark.parametrize(
    "value", [np.zeros((3, 3)), np.ones(4), A, np.array(2.0), np.arange(4), np.array([np.nan, 1.0])]
)
def test_what_parameters_begin_with_is_of_no_kind(value):
    assert kind_of(value) is None


def test_complex_values_are_turned_and_hermitian_ones_stay_so():
    H = A + A.T + 1j * (A - A.T)
    other = another(H, np.random.default_rng(0), kind_of(H))
    np.testing.assert_array_equal(other, other.conj().T)
    assert np.any(np.angle(moved(H, np.random.default_rng(0))) != np.angle(H))


def test_gradients_at_another_point_are_those_of_a_run_there():
    def run(W):
        Z = W @ X
        return np.sum(np.tanh(Z) ** 2), Z

    X, W = RNG.normal(size=(4, 3)), at.Tensor(RNG.normal(size=(2, 4)), name="W")
    J, Z = run(W)
    derived = Deriving(J, W, {"W": W, "Z": Z, "X": X}).derivation()
    gradients = Gradients(derived.output, derived.run.definitions, derived.run.tracked)
    symbols = {x.name: x for x in derived.run.tracked}
    other = at.Tensor(RNG.normal(size=(2, 4)))
    J, Z = run(other)
    J.backward()
    found = gradients.at({symbols["W"]: other.data}, [symbols["W"], symbols["Z"]])
    np.testing.assert_allclose(found[symbols["W"]], other.grad, rtol=1e-12)
    np.testing.assert_allclose(found[symbols["Z"]], Z.grad, rtol=1e-12)


def test_the_slope_is_that_of_a_function_of_one_tensor_entry_by_entry():
    z, v = symbol("z", np.array([0.3, -1.0])), symbol("v", np.ones(2))
    a, s = symbol("a", np.tanh(z.value)), symbol("s", z.value / np.sum(z.value))
    J = symbol("J", 1.0)
    ((result, slope),) = Gradients(J, {a: np.tanh(z), J: np.sum(a)}, [z, a]).slopes(z, {})
    assert result is a
    np.testing.assert_allclose(slope, 1 - np.tanh(z.value) ** 2)
    assert not list(Gradients(J, {s: z / np.sum(z), J: np.sum(s * v)}, [z, s]).slopes(z, {}))
