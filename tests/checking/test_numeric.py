"""The numeric side is right, and knows how right it is; the rates at which a comparison errs."""

import numpy as np
import pytest

import autotiny as at
import checking_accuracy
import checking_kinks
import checking_rates
from autotiny.checking import replaying
from autotiny.checking.differences import sides
from autotiny.checking.numeric import Numeric
from autotiny.checking.replaying import EXTENDED_HELPS, Replay

SAMPLE = checking_accuracy.CASES[::4]


IN_DOUBLE = {
    "cholesky", "cofactors", "slogdet", "lstsq", "polyfit", "pinv", "pseudoinverse", "cond", "norm", "matrix_norm",
    "eigh", "eigvalsh", "eig", "eigvals", "svd", "svdvals", "qr", "percentile", "quantile",
}  # fmt: skip
"""What is computed in double precision alone, by LAPACK or in the weights of quantiles."""


@pytest.fixture(scope="module")
def accuracies():
    return list(checking_accuracy.accuracies(SAMPLE))


def test_numeric_gradients_are_right_to_1e_14_but_through_linear_algebra_in_double_precision(accuracies):
    rough = {each.function for each in accuracies if each.error > (1e-14 if EXTENDED_HELPS else 1e-12)}
    assert rough <= IN_DOUBLE
    assert np.median([each.error for each in accuracies]) < (1e-18 if EXTENDED_HELPS else 1e-15)


def test_differences_stay_within_their_own_estimate(accuracies):
    units = [each.units for each in accuracies if each.method == "differences"]
    assert units
    assert max(units) < 1


@pytest.mark.parametrize(("factor", "ok"), [(1.0, True), (1.0005, False)])
def test_where_longdouble_is_double_verdicts_are_the_same(factor, ok, monkeypatch):
    monkeypatch.setattr(replaying, "EXTENDED_HELPS", False)
    x = at.Tensor([0.5, -1.0, 2.0], name="x")
    y = np.sum(np.linalg.norm(x) * np.abs(np.arctan(x)))  # neither function takes a complex step
    y.backward()
    row = at.compare(y, {"x": factor * x.grad})["x"]
    assert row.ok is ok
    assert row.noise > 1e-18


@pytest.mark.parametrize("eps", [np.finfo(np.longdouble).eps, np.finfo(float).eps])
def test_both_sides_of_a_kink_are_told(eps):
    found = sides(lambda t: abs(t) + np.sin(t), 1.0, eps)
    assert (found.left, found.right) == pytest.approx((0, 2), abs=max(float(found.noise), 1e-18))
    assert found.noise < 1e-12


def test_values_rounded_inside_are_noticed_by_their_scatter():
    found = sides(lambda t: float(np.float32(np.sin(float(t) + 0.3))), 1.0, np.finfo(float).eps)
    assert abs(found.right - np.cos(0.3)) < found.noise
    assert found.noise > 1e-7


def test_a_complex_forward_that_is_no_derivative_is_not_believed():
    @at.operation(lambda g, y, x: g * (1 - y * y), traits="elementwise analytic")
    def conjugated_tanh(x):
        return np.conj(np.tanh(x))

    x = at.Tensor([0.3, 0.7])
    assert Numeric(Replay(x, np.sum(np.tanh(x))), 1.0).method == "complex step"
    numeric = Numeric(Replay(x, np.sum(conjugated_tanh(x))), 1.0)
    assert numeric.method == "differences"
    assert numeric.entry((0,)).right == pytest.approx(1 - np.tanh(0.3) ** 2, rel=1e-15)


def test_only_what_depends_on_the_tensor_is_replayed():
    x = at.Tensor(2.0)
    y = np.exp(x)
    z = y * y + x
    assert [node.op.name for node in Replay(y, z).nodes] == ["multiply", "add"]


def test_a_given_softmax_is_not_passed_by_its_stable_logarithm():
    Z = at.Tensor([[1.0], [2.0]])
    A = at.softmax(Z)
    loss = np.sum(np.log(A) * np.array([[0.0], [1.0]]))
    assert Numeric(Replay(A, loss), 1.0).entry((1, 0)).right == pytest.approx(1 / A.data[1, 0], rel=1e-15)
    assert Numeric(Replay(Z, loss), 1.0).entry((1, 0)).right == pytest.approx(1 - A.data[1, 0], rel=1e-15)


def test_random_graphs_raise_no_alarm_and_spoilt_ones_are_found():
    rates = checking_rates.rates(24)
    assert set(rates) > {"no error", *checking_rates.ENTRY, *checking_rates.SPOILT}
    assert all(said == tried for said, tried in rates.values())


def test_hulls_that_are_known_by_brute_force_raise_no_alarm_and_what_is_off_them_is_found():
    rates = checking_kinks.rates(8)
    assert set(rates) >= {"a gradient beside", "a mixture", "off by 0.05 %", "autograd within"}
    assert all(right == tried for right, tried in rates.values())


@pytest.mark.parametrize(("factor", "ok"), [(1.0, True), (1.0005, False)])
def test_steps_out_of_the_domain_of_a_factorisation_are_left_out(factor, ok):
    t = np.arange(6) / 6
    K = at.Tensor(2000 * np.exp(-((t[:, None] - t) ** 2) / 2) + 0.04 * np.eye(6))
    log_det = 2 * np.sum(np.log(np.diagonal(np.linalg.cholesky(K))))
    lower_triangle = np.tril(np.linalg.inv(K.data)) * (2 - np.eye(6))
    assert at.compare(log_det, {K: factor * lower_triangle}).ok == ok
