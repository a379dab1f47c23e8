"""Each verdict has a case that produces it; wrong gradients are found however small, right ones pass in hard places."""

import numpy as np
import pytest

import autotiny as at
from autotiny.checking import complex_forward
from autotiny.checking.replaying import EXTENDED_HELPS
from autotiny.ops import OPS
from ops.declare import package


@at.operation(lambda g, y, x: g * 1.0005 * np.cos(x))
def sin_off(x):
    return np.sin(x)


@at.operation(lambda g, y, x: g[::-1])
def copy_permuted(x):
    return x.copy()


@at.operation(lambda g, y, x: g * np.cos(x))
def sin_in_single_precision(x):
    return np.sin(x).astype(np.float32).astype(x.dtype)


@pytest.fixture
def x():
    return at.Tensor([0.3, -1.2, 2.5], name="x")


def network(n_x, n_1, n_y, m, dtype=float, seed=0):
    rng = np.random.default_rng(seed)
    X, Y = rng.normal(size=(n_x, m)).astype(dtype), at.one_hot(rng.integers(n_y, size=m), n_y).astype(dtype)
    W1 = at.Tensor(rng.normal(size=(n_1, n_x)) * np.sqrt(2 / n_x), dtype=dtype, name="W1")
    W2 = at.Tensor(rng.normal(size=(n_y, n_1)) * np.sqrt(2 / n_1), dtype=dtype, name="W2")
    b1 = at.Tensor(np.zeros((n_1, 1)), dtype=dtype, name="b1")
    Z1 = W1 @ X + b1
    Z2 = W2 @ np.maximum(Z1, 0)
    return at.cross_entropy(Z2, Y), {"W1": W1, "W2": W2, "b1": b1, "Z1": Z1, "Z2": Z2}


def gradient(loss, x):
    return np.array(at.gradients(loss, [x])[0].data)


# ----- a case for each verdict -----
def test_three_sides_that_agree(x):
    row = at.compare(np.sum(np.sin(x)), {x: np.cos(x.data)})["x"]
    assert (row.outlier, row.ok) == (None, True)
    np.testing.assert_allclose(row.numeric, np.cos(x.data), rtol=1e-15)
    assert row.noise < (1e-16 if EXTENDED_HELPS else 1e-13)


def test_wrong_closed_form_is_the_outlier(x):
    wrong = np.cos(x.data) * [1, 1, 1.0005]
    row = at.compare(np.sum(np.sin(x)), {x: wrong})["x"]
    assert (row.outlier, row.ok, row.index) == ("analytic", False, (2,))
    assert row.error == pytest.approx(0.0005 * abs(np.cos(2.5)) / abs(wrong).max())
    assert row.ulps == pytest.approx(0.0005 * abs(np.cos(2.5)) / np.spacing(abs(wrong[2])), rel=1e-3)


def test_wrong_rule_is_the_outlier(x):
    report = at.compare(np.sum(sin_off(x)), {x: np.cos(x.data)})
    assert (report["x"].outlier, report.ok) == ("autograd", False)


def test_closed_form_that_shares_the_error_of_a_rule_does_not_pass(x):
    row = at.compare(np.sum(sin_off(x)), {x: 1.0005 * np.cos(x.data)})["x"]
    assert (row.outlier, row.ok) == ("autograd", False)
    assert "the closed form shares autograd's error" in row.notes


def test_difference_below_the_noise_is_undecided_and_not_held_against_anybody(x):
    row = at.compare(np.sum(sin_in_single_precision(x)), {x: np.cos(x.data) * (1 + 1e-9)})["x"]
    assert (row.outlier, row.ok) == ("undecided", True)
    assert row.noise > 1e-9


def test_difference_above_the_same_noise_is_an_error(x):
    row = at.compare(np.sum(sin_in_single_precision(x)), {x: np.cos(x.data) * 1.01})["x"]
    assert (row.outlier, row.ok) == ("analytic", False)


def test_disagreement_where_there_is_no_number_is_undecided_and_does_not_pass():
    x = at.Tensor([0.0, 1.0], name="x")
    row = at.compare(np.sum(np.sqrt(x)), {x: [7.0, 0.5]})["x"]
    assert (row.outlier, row.ok, row.index) == ("undecided", False, (0,))


def test_tensors_without_a_closed_form_are_held_against_numbers(x):
    report = at.compare(np.sum(sin_off(x)), {}, wrt=["x"])
    assert report["x"].analytic is None
    assert report["x"].outlier == "autograd"
    assert at.compare(np.sum(np.sin(x)), {}, wrt=[x]).ok


# ----- wrong, and found -----
@pytest.mark.thorough
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_half_a_per_mille_in_one_entry_of_a_large_matrix_is_found(dtype):
    loss, tensors = network(784, 128, 10, 16, dtype)
    W1 = tensors["W1"]
    wrong = gradient(loss, W1)
    wrong[37, 401] *= dtype(1.0005)
    row = at.compare(loss, {"W1": wrong})["W1"]
    assert (row.outlier, row.index) == ("analytic", (37, 401))
    assert row.notes[0].startswith("1 of 100352 entries differ, by up to ")
    assert row.coverage.endswith("of 100352 entries, 4 random directions")


def test_rule_that_is_wrong_in_one_entry_of_a_large_matrix_is_found_by_its_index():
    @at.operation(lambda g, y, x: g * np.where(np.arange(x.size).reshape(x.shape) == 31415, 1.0005, 1.0))
    def copy_off(x):
        return x.copy()

    W = at.Tensor(np.random.default_rng(0).normal(size=(128, 784)), name="W")
    row = at.compare(np.sum(np.tanh(copy_off(W))), {}, wrt=[W])["W"]
    assert (row.outlier, row.index) == ("autograd", (31415 // 784, 31415 % 784))


def test_wrong_sign_of_a_tiny_entry_beside_large_ones_is_found():
    x = at.Tensor([1.0, 1.0], name="x")
    loss = np.sum(x * np.array([1.0, 1e-9]))
    assert at.compare(loss, {x: [1.0, 1e-9]}).ok
    row = at.compare(loss, {x: [1.0, -1e-9]})["x"]
    assert (row.outlier, row.index) == ("analytic", (1,))


def test_rule_with_a_permutation_that_a_sum_cannot_see_is_found(x):
    with pytest.raises(at.checking.GradientError, match="autograd DIFFERS"):
        at.check_gradients(copy_permuted, x.data)


# ----- right, and passed -----
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("scale", [1e-12, 1e-3, 1.0, 1e6])
def test_right_gradients_pass_at_any_scale(scale, dtype):
    x = at.Tensor(np.linspace(0.2, 1.7, 6) * scale, dtype=dtype, name="x")
    loss = np.sum(np.log(x) * np.tanh(x / dtype(scale)))
    exact = x.data.astype(float)
    t = np.tanh(exact / float(dtype(scale)))
    assert at.compare(loss, {x: t / exact + np.log(exact) * (1 - t * t) / float(dtype(scale))}).ok


def test_right_gradient_near_a_singularity_passes():
    x = at.Tensor([1 - 1e-9, 1 + 1e-7], name="x")
    assert at.compare(np.sum(1 / (1 - x)), {x: 1 / (1 - x.data) ** 2}).ok


def test_right_gradient_through_a_nearly_singular_matrix_passes():
    A = np.vander(np.linspace(1, 2, 7))
    W, b = at.Tensor(A, name="W"), np.arange(7.0)
    y = np.linalg.solve(W, b)
    bar = np.linalg.inv(A).T @ np.ones(7)
    assert at.compare(np.sum(y), {W: -np.outer(bar, y.data)}).ok


def test_right_gradient_of_a_saturated_softmax_passes():
    Z = at.Tensor([[800.0], [0.0], [0.0]], name="Z")
    Y = np.array([[0.0], [1.0], [0.0]])
    report = at.compare(-np.sum(Y * np.log(at.softmax(Z))), {Z: at.softmax(Z.data) - Y})
    assert report.ok
    np.testing.assert_array_equal(report["Z"].numeric, [[1.0], [-1.0], [0.0]])


KINKS = {
    "relu": (at.relu, [0.0, 1.0, -1.0], 0.0, 1.0),
    "abs": (np.abs, [0.0, 2.0], -1.0, 1.0),
    "maximum": (lambda x: np.maximum(x, 1.0), [1.0, 3.0], 0.0, 1.0),
    "clip": (lambda x: np.clip(x, -1.0, 1.0), [1.0, 0.0], 1.0, 0.0),
    "leaky_relu": (at.leaky_relu, [0.0, 1.0], 0.01, 1.0),
    "norm": (np.linalg.norm, [0.0, 0.0], -1.0, 1.0),
    "user's": (at.operation(lambda g, y, x: g * (x > 0))(lambda x: x * (x > 0)), [0.0, 1.0], 0.0, 1.0),
}


@pytest.mark.parametrize(("f", "values", "left", "right"), KINKS.values(), ids=KINKS)
def test_any_value_between_the_sides_of_a_kink_is_right_and_none_beyond(f, values, left, right):
    x = at.Tensor(values, name="x")
    loss = np.sum(f(x))
    g = gradient(loss, x)
    for value in (left, right, (left + right) / 2):
        stated = g.copy()
        stated[0] = value
        assert at.compare(loss, {x: stated}).ok
    g[0] = max(left, right) + 0.1
    row = at.compare(loss, {x: g})["x"]
    assert (row.outlier, row.index) == ("analytic", (0,))
    assert (row.sides.left, row.sides.right) == pytest.approx((left, right), abs=1e-12)
    assert "any value between them is right" in row.notes[0]


TIES = {
    "max": (np.max, [2.0, 1.0, 2.0], [[1, 0, 0], [0, 0, 1], [0.3, 0, 0.7]], [[1, 0, 1], [0, 0, 0], [1.2, 0, -0.2]]),
    "max of a slope": (lambda x: np.max(np.exp(x)), [0.0, 0.0], [[1, 0], [0.5, 0.5]], [[1, 1], [0.5, 0.4]]),
    "min": (lambda x: np.min(x, axis=0), [[1.0, 3.0], [1.0, 2.0]], [[[1, 0], [0, 1]]], [[[1, 0], [1, 1]]]),
    "two columns": (
        lambda x: np.max(x, axis=0),
        [[1.0, 1.0], [1.0, 1.0]],
        [[[1, 0], [0, 1]], [[0.2, 0.9], [0.8, 0.1]]],
        [[[1, 1], [1, 0]], [[0.2, 0.9], [0.9, 0.0]]],
    ),
    "maximum of two": (lambda x: np.maximum(x, x[::-1]), [2.0, 2.0], [[1, 1], [2, 0]], [[2, 2], [1, 0.9]]),
    "median": (lambda x: np.sort(x)[1], [1.0, 1.0, 3.0], [[0, 1, 0], [1, 0, 0]], [[1, 1, 0], [0, 0, 0]]),
    "sort": (
        lambda x: np.sort(x) * np.array([1.0, 2.0, 3.0]),
        [1.0, 1.0, 0.0],
        [[2, 3, 1], [3, 2, 1], [2.5, 2.5, 1]],
        [[3, 3, 1], [2, 2, 1], [3, 1, 2]],
    ),
    "argsort": (lambda x: x[np.argsort(x)] * np.array([1.0, 2.0]), [4.0, 4.0], [[1, 2], [2, 1]], [[1, 1], [3, 0]]),
    "max pooling": (
        lambda x: np.max(np.reshape(x, (2, 2)), axis=1),
        [1.0, 1.0, 5.0, 5.0],
        [[1, 0, 0, 1], [0.5, 0.5, 1, 0]],
        [[1, 1, 0, 0], [0.5, 0.6, 1, 0]],
    ),
    "hinges": (
        lambda w: np.maximum(0, 1 - np.array([[1.0, 2.0], [1.0, -1.0], [3.0, 1.0]]) @ w),
        [1.0, 0.0],
        [[0, 0], [-1, -2], [-2, -1], [-1, -0.5]],
        [[1, 0], [-2, 0], [-1, -2.1], [0, -1]],
    ),
    "max of a product": (
        lambda x: np.max(np.array([[1.0, 2.0], [3.0, -1.0]]) @ x),
        [0.0, 0.0],
        [[1, 2], [2, 0.5]],
        [[1, -1], [3, 2]],
    ),
    "not convex": (
        lambda x: np.abs(x[0] + x[1]) - np.abs(x[0] - x[1]),
        [0.0, 0.0],
        [[0, 2], [-2, 0], [1, 1]],
        [[1.5, 1], [2, 2]],
    ),
    "norm": (np.linalg.norm, [0.0, 0.0], [[0.6, 0.8], [0, 0], [0.3, -0.4]], [[0.9, 0.9], [0, 1.1]]),
    "sum of sizes": (np.abs, [0.0, 0.0, 1.0], [[1, -1, 1], [0.3, 0, 1]], [[1, 1.1, 1], [0, 0, 0.9]]),
    "clip": (lambda x: np.clip(x, -1, 1), [-1.0, 1.0], [[1, 0], [0.2, 0.4]], [[1.1, 0], [0, -0.1]]),
}


@pytest.mark.parametrize(("f", "values", "right", "wrong"), TIES.values(), ids=TIES)
def test_at_a_kink_a_gradient_is_right_within_the_hull_of_those_beside_it_and_wrong_outside(f, values, right, wrong):
    x = at.Tensor(values, name="x")
    loss = np.sum(f(x))
    for stated in right:
        row = at.compare(loss, {x: stated})["x"]
        assert (row.outlier, row.ok, row.error) == (None, True, pytest.approx(0, abs=1e-14)), stated
    for stated in wrong:
        row = at.compare(loss, {x: stated})["x"]
        assert (row.outlier, row.ok) == ("analytic", False), stated


MANY = {
    "relu": (at.relu, lambda rng, n: rng.random(n)),
    "max": (lambda x: np.max(x), lambda rng, n: rng.dirichlet(np.ones(n))),
    "max of a slope": (lambda x: np.max(np.tanh(x)), lambda rng, n: rng.dirichlet(np.ones(n))),
    "columns": (lambda x: np.max(x.reshape(-1, 4), axis=0), lambda rng, n: rng.dirichlet(np.ones(n // 4), 4).T.ravel()),
    "sort": (lambda x: np.sort(x) * np.arange(x.size), lambda rng, n: rng.permutation(n).astype(float)),
}


@pytest.mark.parametrize(("f", "draw"), MANY.values(), ids=MANY)
def test_any_number_of_ties_is_judged_and_a_sum_off_by_half_a_per_mille_is_found(f, draw):
    x, rng = at.Tensor(np.zeros(2000), name="x"), np.random.default_rng(0)
    loss, right = np.sum(f(x)), draw(rng, 2000)
    assert at.compare(loss, {x: right}).ok
    right[7] = 1.0005 * (right[7] + np.max(right))
    row = at.compare(loss, {x: right})["x"]
    assert (row.outlier, row.ok) == ("analytic", False)


def test_a_permutation_that_is_no_sort_has_one_gradient():
    x = at.Tensor([1.0, 1.0], name="x")
    loss = np.sum(x[np.array([1, 0])] * np.array([1.0, 2.0]))
    assert at.compare(loss, {x: [2.0, 1.0]}).ok
    assert at.compare(loss, {x: [1.0, 2.0]})["x"].outlier == "analytic"


def test_a_difference_that_a_kink_explains_is_no_error():
    x = at.Tensor([-1.0, 0.0, 2.0], name="x")
    report = at.compare(np.sum(np.maximum(0, x)), {x: [0.0, 1.0, 1.0]})
    assert (report.ok, report["x"].error, report["x"].index) == (True, 0.0, (1,))
    assert "a kink at [1]: 0 to its left, 1 to its right, and any value between them is right" in repr(report)


@pytest.mark.parametrize(("stated", "outlier", "ok"), [(1.0, "convention", True), (0.5, "analytic", False)])
def test_a_convention_that_is_not_the_slope_says_so_and_gives_the_slope(stated, outlier, ok):
    x = at.Tensor([0.0], name="x")
    report = at.compare(np.sum(at.relu(x) - at.relu(-x)), {x: [stated]})
    assert (report["x"].outlier, report.ok) == (outlier, ok)
    assert ("convention, not slope" in repr(report)) == (outlier == "convention")
    assert ("make autograd's 0; the slope is 1" in repr(report)) == (outlier == "convention")


def test_a_convention_is_seen_though_the_entries_move_together():
    x = at.Tensor([1.0, 1.0], name="x")
    y = (x - np.max(x))[0] - (x - np.max(x))[1]
    assert at.compare(at.relu(y) - 0.25 * at.relu(-y), {x: [1.0, -1.0]})["x"].outlier == "convention"


def test_a_wrong_rule_at_a_kink_is_no_convention():
    relu_off = at.operation(lambda g, y, x: 1.5 * g * (x >= 0), traits="elementwise kinked")(lambda x: x * (x > 0))
    x = at.Tensor([0.0, 1.0], name="x")
    assert at.compare(np.sum(relu_off(x)), {}, wrt=[x])["x"].outlier == "autograd"


def test_kinks_that_meet_leave_the_engines_convention_right():
    x = at.Tensor([0.0], name="x")
    report = at.compare(np.sum(at.relu(x) - at.relu(-x)), {x: [0.0]})
    assert report.ok
    assert not at.compare(np.sum(at.relu(x) - at.relu(-x)), {x: [2.0]}).ok


def test_a_point_beside_a_kink_by_a_rounding_counts_as_at_it():
    x = at.Tensor([0.1 + 0.2, -1.0], name="x")
    loss = np.sum(at.relu(x - 0.3))  # 5.6e-17 rather than 0
    assert at.compare(loss, {x: [0.0, 0.0]}).ok


def test_masks_are_constants_of_the_graph():
    x = at.Tensor([-1.0, 0.0, 2.0], name="x")
    assert at.compare(np.sum(np.where(x > 0, np.log(np.where(x > 0, x, 1.0)), 0.0)), {x: [0.0, 0.0, 0.5]}).ok


BY_DIFFERENCES = {
    "eigh": "LAPACK's eigenvalues of a Hermitian matrix are real",
    "eig": "LAPACK's eigenvectors are normalised with conjugates",
    "svd": "LAPACK's singular values are real",
    "qr": "LAPACK's columns are normalised with conjugates",
    "pseudoinverse": "it conjugates",
    "nextafter": "it is flat in one operand and a copy of the other",
    "p_norm": "the power of a sum of powers has no complex form of its own yet",
    "cofactors": "only second derivatives of determinants meet it",
    "cholesky": "NumPy's factor of a complex matrix conjugates",
    "norm_in_range": "only second derivatives of norms meet it",
    "without_slope_at_0": "only second derivatives of hypot meet it",
    **dict.fromkeys(
        ("fft", "ifft", "rfft", "irfft"), "the imaginary part of the step would be taken for one of its own"
    ),
    "roots": "eigenvalues of a companion matrix are in no particular order",
    "direction": "the length of a complex vector takes conjugates",
    **dict.fromkeys(
        ("celu", "hard_tanh", "hard_sigmoid", "softsign", "huber_penalty"), "they compare, as real numbers"
    ),
}
"""Operations that a complex step does not pass through, and why."""


def test_a_complex_step_passes_through_every_operation_but_those_that_are_named():
    """A row that is neither analytic nor has a complex form is checked by differences, which are less precise."""
    rows = [op for op in OPS.values() if OPS[op.function] is op and package(op.function) in ("numpy", "autotiny")]
    rows = [op for op in rows if not getattr(op.function, "__module__", "").startswith("autotiny.scipy")]
    assert {op.name for op in rows if not complex_forward.has_complex_form(op)} == set(BY_DIFFERENCES)


def test_complex_forms_are_of_rows_that_need_one():
    functions = [*complex_forward.KINKS, *complex_forward.SMOOTH]
    assert all(not OPS[function].has("analytic") for function in functions)
    assert all(OPS[function].has("kinked") for function in complex_forward.KINKS)


def test_two_closed_forms_of_one_tensor_are_refused(x):
    with pytest.raises(at.errors.UnsupportedError, match="x has two closed forms"):
        at.compare(np.sum(x), {x: np.ones(3), "x": np.zeros(3)})


# ----- where the loss is nan -----
@pytest.mark.filterwarnings("ignore:invalid value")
def test_nothing_agrees_where_the_loss_is_nan():
    x = at.Tensor([-1.0, 2.0], name="x")
    report = at.compare(np.sum(np.log(x)), {x: 1 / x.data})
    assert (report["x"].outlier, report["x"].index, report.ok) == ("undecided", (0,), False)
    assert "All agree" not in repr(report)
    assert "closed form and autograd differ" not in repr(report)


@pytest.mark.filterwarnings("ignore:invalid value")
def test_gradients_of_a_nan_do_not_pass():
    with pytest.raises(AssertionError, match="no number confirms the gradient"):
        at.check_gradients(lambda x: np.sum(np.log(x)), np.array([-1.0, 2.0]))


@pytest.mark.filterwarnings("ignore:invalid value")
def test_gradients_of_a_nan_do_not_pass_where_a_sample_of_entries_is_looked_at():
    x = np.linspace(-1.0, 2.0, 2000)
    with pytest.raises(AssertionError, match="undecided"):
        at.check_gradients(lambda x: np.sum(np.log(x)), x)
