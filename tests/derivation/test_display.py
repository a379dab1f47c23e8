"""What a derivation looks like in a terminal, in a notebook and in LaTeX, and what one can do with it."""

import xml.etree.ElementTree as ET

import numpy as np
import pytest

import autotiny as at

rng = np.random.default_rng(3)
N_X, N_H, N_Y = 4, 5, 3


def parameters(dtype=float):
    shapes = {"W1": (N_H, N_X), "b1": (N_H, 1), "W2": (N_Y, N_H), "b2": (N_Y, 1)}
    return {name: rng.normal(size=shape).astype(dtype) for name, shape in shapes.items()}


def data(dtype=float):
    labels = rng.integers(0, N_Y, 7)
    return {"X": rng.normal(size=(N_X, 7)).astype(dtype), "Y": at.one_hot(labels, N_Y).astype(dtype)}


def forward(softmax, X, Y, W1, b1, W2, b2):
    Z1 = W1 @ X + b1
    A1 = np.maximum(Z1, 0)
    Z2 = W2 @ A1 + b2
    A2 = softmax(Z2)
    J = -np.sum(Y * np.log(A2)) / X.shape[1]
    return locals()


def written_out(Z):
    return np.exp(Z) / np.sum(np.exp(Z), axis=0)


def recorded(values, softmax=written_out):
    tracked = {name: value if name in "XY" else at.Tensor(value) for name, value in values.items()}
    found = forward(softmax, **tracked)
    for name, value in found.items():
        if isinstance(value, at.Tensor):
            value.name = name
    return found


def derived(target, softmax=written_out):
    run = recorded(data() | parameters(), softmax)
    J, X, Y, m = run["J"], run["X"], run["Y"], 7  # noqa: F841 - names that derive finds
    return at.derive(J, target)


@pytest.mark.parametrize("dtype", [float, np.float32])
@pytest.mark.parametrize("softmax", [written_out, at.softmax])
@pytest.mark.parametrize("target", ["Z2", "W2", "b2", "Z1", "W1", "b1", "A1"])
def test_numpy_function_gives_autograds_gradient_on_other_inputs(target, softmax, dtype):
    function = derived(target, softmax).numpy()
    others = data(dtype) | parameters(dtype)
    run = recorded(others, softmax)
    run["J"].backward()
    found = function(**{name: others[name] for name in function.__signature__.parameters if name != "m"})
    assert found.dtype == dtype
    np.testing.assert_allclose(found, run[target].grad, rtol=0, atol=100 * np.finfo(dtype).eps)


def test_numpy_function_reads_like_the_textbook():
    assert derived("W1").numpy().source.splitlines()[5:] == [
        "    Z1 = W1 @ X + b1",
        "    A1 = np.maximum(Z1, 0)",
        "    Z2 = W2 @ A1 + b2",
        "    t1 = np.exp(Z2)",
        "    A2 = t1 / np.sum(t1, axis=0)",
        "    dZ2 = (A2 - Y) / m",
        "    dZ1 = W2.T @ dZ2 * (Z1 > 0)",
        "    return dZ1 @ X.T",
    ]


@pytest.mark.parametrize(
    ("target", "formula"),
    [
        ("Z2", "(A2 - Y) / m"),
        ("Z2", "(softmax(W2 @ A1 + b2) - Y) / m"),
        ("Z1", "W2^T dZ2 * 1[Z1 > 0]"),
        ("W1", "W2.T @ ((A2 - Y) / m) * (A1 > 0) @ X.T"),
        ("b1", "np.sum(dZ1, axis=1, keepdims=True)"),
        ("b1", "sum(dZ1, axis=1)"),
    ],
)
def test_a_right_formula_matches(target, formula):
    assert derived(target).matches(formula)


@pytest.mark.parametrize(
    ("target", "formula", "difference"),
    [
        ("Z2", "A2 - Y", "7 times the gradient: a missing 1/m?"),
        ("Z2", "(Y - A2) / m", "minus the gradient: the sign is wrong"),
        ("Z1", "W2.T @ dZ2", "the gradient without the mask 1[Z1 > 0]: forgotten?"),
        ("b2", "dZ2", "its shape is (3, 7), the gradient's (3, 1): sum it over axis 1, the batch, with keepdims=True"),
        ("W2", "A1 @ dZ2.T", "its shape is (5, 3), the gradient's (3, 5): transpose it"),
        ("W2", "dZ2 @ A1.T + b2", "every entry differs"),
    ],
)
def test_a_wrong_formula_is_told_what_is_wrong(target, formula, difference):
    found = derived(target).matches(formula)
    assert not found
    assert found.difference.startswith(difference)


@pytest.mark.parametrize("target", ["Z2", "W2", "Z1", "b1"])
def test_formula_matches_itself(target):
    derivation = derived(target)
    assert derivation.matches(derivation.formula)


def test_variables_of_the_caller_may_stand_in_a_formula():
    derivation = derived("Z2")
    for examples, is_right in ((7, True), (8, False)):
        assert bool(derivation.matches("(A2 - Y) / examples")) is is_right, examples


def test_terminal_shows_result_rules_conditions_and_errors_in_eighty_columns():
    lines = repr(derived("Z2")).splitlines()
    assert lines[0] == "dJ/dZ2 = (A2 - Y) / m"
    assert max(map(len, lines)) < 80
    assert any("sum(Y, axis=0) = 1" in line and line.endswith(" 0") for line in lines)
    assert lines[-1].startswith("It agrees with backprop on the recorded values; largest error ")


def test_terminal_names_the_gradients_that_the_formula_is_made_of():
    assert repr(derived("Z1")).splitlines()[:2] == ["dJ/dZ1 = W2ᵀ dZ2 * 1[Z1 > 0]", "where dZ2 = dJ/dZ2 = (A2 - Y) / m"]


def test_page_is_well_formed_and_shows_every_step():
    derivation = derived("Z2")
    markup = derivation._repr_html_().replace("&ensp;", " ")
    rows = ET.fromstring(markup).findall(".//tbody/tr")
    assert len(rows) == len(derivation.steps) + 1
    assert "✓ agrees with backprop" in markup


def test_latex_is_the_whole_derivation_or_its_result():
    derivation = derived("Z2")
    assert derivation.latex(steps=False) == r"\frac{\partial J}{\partial Z_{2}} = \frac{A_{2} - Y}{m}"
    assert derivation.latex().count("&=") == len(derivation.steps) + 1
    assert derivation._repr_latex_().startswith(r"$\displaystyle \begin{aligned}")


def test_a_disagreement_is_shouted():
    derivation = derived("Z2")
    wrong = type(derivation)(**{**vars(derivation), "engine": 2 * derivation.engine})
    assert not wrong.ok
    assert "IT DOES NOT AGREE" in repr(wrong)
    assert "✗ does not agree" in wrong._repr_html_()


def test_hostile_names_do_no_harm_on_any_surface():
    x = at.Tensor([1.0, 2.0], name='<script>alert("x")</script>\x1b[31m')
    derivation = at.derive(np.sum(x * x), x)
    assert "<script" not in derivation._repr_html_()
    assert "\x1b" not in repr(derivation) + derivation._repr_html_() + derivation.latex() + derivation.numpy().source
    np.testing.assert_array_equal(derivation.numpy()(np.array([3.0])), [6.0])
