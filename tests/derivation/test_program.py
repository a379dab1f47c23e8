import inspect

import numpy as np
import pytest

import autotiny as at
from autotiny.algebra import symbol, topological_order
from autotiny.derivation.program import numpy_function
from autotiny.errors import UnsupportedError
from autotiny.ops.indexing import scatter
from autotiny.ops.linalg import cofactors
from autotiny.ops.shaping import astype
from derivation.formulas import A, B, Z1_prime, w


def names_of(function):
    return list(inspect.signature(function).parameters)


def test_a_subexpression_that_is_used_twice_is_computed_once():
    E = np.exp(A)
    source = numpy_function("f", E / np.sum(E, axis=0) + E, {}, "").source
    assert source.count("np.exp") == 1


def test_definitions_become_lines_under_their_own_names():
    Z = symbol("Z", A.value @ B.value)
    f = numpy_function("f", np.tanh(Z) * Z, {Z: A @ B}, "")
    assert "    Z = A @ B\n" in f.source
    np.testing.assert_array_equal(f(A.value, B.value), (np.tanh(A @ B) * (A @ B)).value)


def test_definitions_that_the_result_does_not_need_are_left_out():
    assert names_of(numpy_function("f", 2 * A, {w: B @ w}, "")) == ["A"]


def test_numbers_are_parameters_with_a_default():
    f = numpy_function("f", A / symbol("m", 8), {}, "")
    assert inspect.signature(f).parameters["m"].default == 8
    np.testing.assert_array_equal(f(np.ones(3), m=4), np.full(3, 0.25))


def test_docstring_states_the_shapes_and_cannot_be_left():
    f = numpy_function("f", A @ w, {}, 'a formula """ \\')
    assert "A (3, 3), w (3,); returns (3,)." in f.source
    np.testing.assert_array_equal(f(np.eye(3), np.arange(3)), np.arange(3))


@pytest.mark.parametrize(
    "term",
    [
        at.softmax(A) @ w,
        at.log_softmax(A, axis=1),
        at.logsumexp(A, axis=0),
        at.sigmoid(A) * at.relu(B),
        np.linalg.norm(w) * A,
        np.linalg.slogdet(A)[1] + A,
        np.linalg.inv(A).T,
        2 * cofactors(A @ B),
        np.concatenate([A, B], axis=1)[:, 1:-1],
        np.diag(w) - w[:, None] * w,
        scatter(np.exp(w), key=(slice(0, 3), 1), shape=(3, 4)),
        scatter(w, key=np.array([0, 0, 1]), shape=(2,)),
        np.array([[1.0, np.inf, -2.0]]) * (A > 0) + np.full((3, 3), 0.25),
        np.swapaxes(A[None] * B, 1, 2),
        np.transpose(A[None], (2, 0, 1)),
        np.pad(w, 2),
        np.vdot(A, B) * w,
        np.sum(astype(A, dtype=np.float32), axis=0, keepdims=True),
        np.flip(w),
        at.gelu(A),
        Z1_prime**-1,
    ],
)
def test_function_gives_the_value_of_the_formula(term):
    f = numpy_function("f", term, {}, "")
    symbols = [part for part in topological_order(term) if part.name is not None]
    np.testing.assert_allclose(f(*[part.value for part in symbols]), term.value, rtol=1e-13)


def test_float32_stays_float32():
    x = symbol("x", np.ones(3, np.float32))
    assert numpy_function("f", 0.5 * at.softmax(x) / 3, {}, "")(np.ones(3, np.float32)).dtype == np.float32


def test_names_that_python_does_not_allow_become_some_that_it_does():
    terms = [symbol(name, 1.0) for name in ("lambda", "W[1]", "W_1", "np", "2nd", "a b")]
    f = numpy_function("dJ/dw; import os", sum(terms[1:], terms[0]), {}, "")
    assert names_of(f) == ["lambda_", "W_1", "W_1_", "np_", "x2nd", "a_b"]
    assert f(1, 2, 3, 4, 5, 6) == 21


def test_it_prints_as_its_source_and_its_source_runs_by_itself():
    f = numpy_function("f", A @ w, {}, "about")
    namespace = {"np": np}
    exec(repr(f), namespace)
    np.testing.assert_array_equal(namespace["f"](A.value, w.value), f(A.value, w.value))


def test_an_operation_that_is_no_numpy_is_named():
    @at.operation(lambda g, y, x: g)
    def strange(x):
        return np.array([float(v) for v in x])

    with pytest.raises(UnsupportedError, match="numpy: strange cannot be written in NumPy functions"):
        numpy_function("f", strange(w), {}, "")


# ----- entries that the run picked -----
def sorted_loss():
    x = np.array([1.0, 2.0, 3.0, 4.0])
    a = at.Tensor(x[::-1].copy())
    loss = np.sum(a[np.argsort(abs(a.data - 2.4))] ** 2 * x)
    return at.derive(loss, a)


def test_an_order_that_the_run_found_is_said_to_hold_on_the_data():
    derivation = sorted_loss()
    told = "picks the entries that the recorded run picked, [3, 1, 0, 2]"
    assert f"Holds on the data: {told}." in derivation.numpy().source
    assert f"holds on the data: {told}" in repr(derivation)
    assert f"holds on the data: {told}" in derivation._repr_html_()


def test_the_order_of_a_sort_is_found_anew():
    x, a = np.array([1.0, 2.0, 3.0]), at.Tensor([3.0, 2.0, 1.0])
    derivation = at.derive(np.sum(np.sort(a) * x), a)
    assert derivation.picks() == ""
    np.testing.assert_array_equal(derivation.numpy()(a=np.array([2.0, 3.0, 1.0]), x=x), [2, 3, 1])


def test_the_entries_of_a_mask_are_said_to_hold_on_the_data():
    b = at.Tensor([1.0, -2.0, 3.0])
    derivation = at.derive(np.sum(b[b.data > 0] ** 2), b)
    assert "the recorded run picked, [True, False, True]" in derivation.numpy().source
    assert "the recorded run picked, [True, False, True]" in " ".join(repr(derivation).split())


def test_a_formula_that_picks_nothing_says_nothing_of_it():
    W = at.Tensor(np.eye(3))
    for loss in (np.trace(W @ W), np.sum(W[1:, 0] ** 2), np.max(W)):
        derivation = at.derive(loss, W)
        assert "picks" not in repr(derivation) + derivation.numpy().source


def test_the_tensor_is_an_argument_though_its_gradient_does_not_need_it():
    v, c = at.Tensor([1.0, -2.0, 3.0]), np.array([1.0, 2.0, 3.0])
    f = at.derive(np.sum(v * c), v).numpy()
    assert names_of(f) == ["v", "c"]
    np.testing.assert_array_equal(f(np.zeros(3), c=2 * c), 2 * c)


def test_a_function_of_numbers_alone_lists_no_shapes():
    y = at.Tensor(2.0)
    source = at.derive(3 * y, y).numpy().source
    assert "def dy(y=2.0)" in source
    assert "\n    Returns a number.\n" in source


def test_function_reads_as_numpy_is_written_and_runs_on_numpy_2_0():
    x, w = at.Tensor(np.arange(1.0, 5.0), name="x"), at.Tensor([1.0, -1.0], name="w")
    s = np.convolve(x, w)
    written = str(at.derive(np.sum(at.relu(s)), x).numpy())
    assert "np.convolve(x, w)" in written
    assert "0.0" not in written
    A = symbol("A", np.ones((2, 3)))
    assert "np.reshape(A, (3, 2))" in str(numpy_function("f", np.reshape(A, (3, 2)), {}, "f"))
