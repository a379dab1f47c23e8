"""The comparison sees what it should see, and nothing else."""

import numpy as np
import pytest

import autotiny as at
from autotiny.checking import UnknownTensorError, closed_form
from autotiny.errors import ShapeError, UnsupportedError

M = 32


@pytest.fixture
def flagship():
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(4, M)), at.one_hot(rng.integers(3, size=M), 3)
    W1, b1 = at.Tensor(rng.normal(size=(16, 4)), name="W1"), at.Tensor(np.zeros((16, 1)), name="b1")
    W2, b2 = at.Tensor(rng.normal(size=(3, 16)) / 4, name="W2"), at.Tensor(np.zeros((3, 1)), name="b2")
    Z1 = W1 @ X + b1
    A1 = np.maximum(Z1, 0)
    Z2 = W2 @ A1 + b2
    E = np.exp(Z2)
    J = -(1 / M) * np.sum(Y * np.log(E / np.sum(E, axis=0)))
    Z1.name, Z2.name, J.name = "Z1", "Z2", "J"
    passes = closed_form.two_layer(X, Y, W1.data, b1.data, W2.data, b2.data)
    return J, closed_form.gradients(passes), {"W1": W1, "b1": b1, "W2": W2, "b2": b2, "Z1": Z1, "Z2": Z2}


def test_right_closed_forms_agree_to_rounding(flagship):
    J, stated, _ = flagship
    report = at.compare(J, stated)
    assert report.ok
    assert [row.name for row in report.rows] == list(stated)
    assert max(row.error for row in report.rows) < 1e-14


@pytest.mark.parametrize("name", ["W1", "b1", "W2", "b2", "Z1", "Z2"])
def test_half_a_per_mille_in_one_entry_is_found_with_its_index(flagship, name):
    J, stated, _ = flagship
    wrong = stated | {name: stated[name].copy()}
    index = np.unravel_index(np.argmax(np.abs(wrong[name])), wrong[name].shape)
    wrong[name][index] *= 1.0005
    report = at.compare(J, wrong)
    assert not report.ok
    assert [row.name for row in report.rows if not row.ok] == [name]
    assert report[name].index == index
    assert report[name].error == pytest.approx(0.0005, rel=1e-3)


@pytest.mark.parametrize("wrong", [lambda dW: M * dW, lambda dW: -dW, lambda dW: dW * 0, lambda dW: dW + 1e-9])
def test_missing_average_sign_and_offset_are_found(flagship, wrong):
    J, stated, _ = flagship
    assert not at.compare(J, {"W1": wrong(stated["W1"])}).ok


def test_wrong_sign_of_a_tiny_gradient_is_found():
    x = at.Tensor(np.ones(3), name="x")
    y = np.sum(1e-9 * x)
    assert at.compare(y, {x: np.full(3, 1e-9)}).ok
    assert not at.compare(y, {x: np.full(3, -1e-9)}).ok


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_value_that_is_not_finite_never_agrees(bad):
    x = at.Tensor(np.ones(3), name="x")
    row = at.compare(np.sum(x), {x: [1.0, bad, 1.0]})["x"]
    assert (row.error, row.index, row.ok) == (np.inf, (1,), False)


def test_nan_on_both_sides_does_not_agree():
    x = at.Tensor([np.nan], name="x")
    assert not at.compare(np.sum(x * x), {x: [np.nan]}).ok


def test_float32_is_judged_by_its_own_rounding():
    x = at.Tensor(np.linspace(0.1, 1, 7, dtype=np.float32), name="x")
    y = np.sum(np.exp(x))
    exact = np.exp(x.data.astype(float))
    assert at.compare(y, {x: exact}).ok
    assert not at.compare(y, {x: exact * 1.0005}).ok


def test_gradients_of_a_scalar_and_of_nothing_are_compared():
    s, none = at.Tensor(2.0, name="s"), at.Tensor(np.zeros((0, 3)), name="none")
    report = at.compare(s * s + np.sum(none), {s: 4, none: np.zeros((0, 3))})
    assert report.ok
    assert report["s"].index == ()


def test_a_tensor_on_which_the_loss_does_not_depend_has_gradient_zero():
    x = at.Tensor(np.array([1.0, 2.0]), name="x")
    y = np.sum(np.sign(x)) + np.sum(x[:1])
    assert at.compare(y, {x: [1.0, 0.0]}).ok


def test_tensors_their_names_and_variables_are_keys(flagship):
    J, stated, tensors = flagship
    weights = tensors["W1"]
    for key, name in ((weights, "W1"), ("W1", "W1"), ("weights", "weights")):
        assert at.compare(J, {key: stated["W1"]})[name].ok


def test_a_closed_form_computed_with_tensors_is_taken_by_its_value():
    x = at.Tensor([1.0, 2.0], name="x")
    assert at.compare(np.sum(x * x), {"x": 2 * x}).ok


def test_comparing_leaves_every_grad_as_it_was(flagship):
    J, stated, tensors = flagship
    at.compare(J, stated)
    assert all(tensor.grad is None for tensor in (*tensors.values(), J))
    J.backward()
    before = {name: tensor.grad.copy() for name, tensor in tensors.items()}
    at.compare(J, stated)
    for name, tensor in tensors.items():
        np.testing.assert_array_equal(tensor.grad, before[name])


def test_the_report_shows_both_values_where_they_differ_most(flagship):
    J, stated, _ = flagship
    wrong = stated["b2"].copy()
    wrong[1, 0] = 0.25
    shown = repr(at.compare(J, stated | {"b2": wrong}))
    (line,) = [line for line in shown.splitlines() if line.startswith("b2 ")]
    assert line.split()[1] == "0.25"
    assert float(line.split()[2]) == pytest.approx(stated["b2"][1, 0], rel=1e-4)
    assert line.split()[-1] == "DIFFERS"
    assert shown.splitlines()[-1].startswith("b2: closed form and autograd differ")


def test_the_columns_of_the_table_line_up(flagship):
    J, stated, _ = flagship
    head, *lines, summary = repr(at.compare(J, stated)).splitlines()
    assert {line.index("agrees") for line in lines} == {head.index("verdict")}
    assert summary.startswith("All agree; the largest error is ")


def test_hostile_names_are_harmless_in_html_and_in_a_terminal():
    x = at.Tensor(1.0, name="<script>\x1b[31m")
    report = at.compare(x * x, {x: 3.0})
    assert "<script>" not in report._repr_html_()
    assert "&lt;script&gt;" in report._repr_html_()
    assert "\x1b" not in repr(report)


def test_html_has_a_cell_for_every_column_of_every_row(flagship):
    J, stated, _ = flagship
    page = at.compare(J, stated)._repr_html_()
    assert page.count("<th ") == 9
    assert page.count("<td ") == 9 * len(stated)


def test_unknown_row_names_those_that_were_compared():
    x = at.Tensor(1.0, name="x")
    with pytest.raises(KeyError, match="'W' was not compared; there are x"):
        at.compare(x * x, {x: 2.0})["W"]


def test_unknown_name_lists_the_names_there_are(flagship):
    J, stated, _ = flagship
    with pytest.raises(
        UnknownTensorError, match="no tensor named 'Z3' leads to the loss; it has W1, b1, W2, b2, Z1, Z2, J"
    ):
        at.compare(J, {"Z3": stated["Z2"]})


def test_near_miss_of_a_name_is_suggested():
    weights = at.Tensor(1.0, name="weights")
    with pytest.raises(UnknownTensorError, match="did you mean weights"):
        at.compare(weights * 2, {"weight": 2.0})


def test_tensor_outside_the_graph_is_an_error():
    x, other = at.Tensor(1.0, name="x"), at.Tensor(1.0, name="other")
    with pytest.raises(UnknownTensorError, match="other does not lead to the loss; was it computed anew since"):
        at.compare(x * x, {other: 1.0})


def test_data_and_plain_arrays_have_no_gradient():
    x, X, C = at.Tensor(1.0, name="x"), at.Tensor(2.0, requires_grad=False, name="X"), np.array(3.0)
    y = x * X + C * x
    with pytest.raises(UnsupportedError, match="X is data and has no gradient; make it with requires_grad=True"):
        at.compare(y, {X: 1.0})
    with pytest.raises(UnsupportedError, match="C is a plain array, a constant; make it"):
        at.compare(y, {"C": 1.0})


@pytest.mark.parametrize(
    ("shape", "mend"),
    [((4, 16), ": transpose it"), ((4, 3), "$"), ((), "$")],
)
def test_wrong_shape_says_both_shapes_and_the_mend(flagship, shape, mend):
    J, _, _ = flagship
    expected = rf"W1 is \(16, 4\), and its closed form is {str(shape).replace('(', '[(]').replace(')', '[)]')}{mend}"
    with pytest.raises(ShapeError, match=expected):
        at.compare(J, {"W1": np.zeros(shape)})


def test_flat_bias_gradient_is_told_to_keep_its_axis(flagship):
    J, stated, _ = flagship
    with pytest.raises(ShapeError, match="reshape it, or sum with keepdims=True"):
        at.compare(J, {"b1": stated["b1"][:, 0]})


def test_loss_must_be_a_recorded_number(flagship):
    _, _, tensors = flagship
    with pytest.raises(ShapeError, match=r"the loss must be a single number; it has shape \(3, 32\)"):
        at.compare(tensors["Z2"], {"W1": 0})
    with pytest.raises(UnsupportedError, match="expected the loss as a Tensor; got float"):
        at.compare(1.0, {"W1": 0})


@pytest.mark.parametrize(
    ("closed_forms", "message"),
    [
        ({}, "there is no closed form to compare"),
        ({3: 1.0}, "expected a Tensor or its name as key; got int"),
        ({"x": "one"}, "expected the closed form of x as numbers; got the text 'one': at.derive"),
        ({"x": lambda x: 2 * x}, "expected the closed form of x as numbers; got a function: call it first"),
        ({"x": object()}, "expected the closed form of x as numbers; got object"),
        ({"x": [[1.0], [1.0, 2.0]]}, "expected the closed form of x as an array; got lists of different lengths"),
        ([2.0], r"expected closed forms by tensor or name, as in {'W1': dW1}; got list"),
        (lambda x: 2 * x, r"a function is compared with a function, as in at.compare\(f, grad_f, \*args\)"),
        ({"x": 1j}, "expected the closed form of x as numbers; got complex128"),
    ],
)
def test_what_cannot_be_compared_is_named(closed_forms, message):
    x = at.Tensor(1.0, name="x")
    with pytest.raises(UnsupportedError, match=message):
        at.compare(x * x, closed_forms)
