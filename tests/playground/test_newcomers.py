"""What newcomers type, and the line that the page offers instead."""

import numpy as np
import pytest

from autotiny.language import Limits, evaluate
from autotiny.playground.answers import answer
from autotiny.playground.limits import PLAYGROUND
from autotiny.playground.newcomers import rewritten

VALUES = {
    "x": 0.5,
    "W": [[1.0, 2.0], [3.0, 4.0]],
    "X": [[1.0, 2.0], [3.0, 4.0]],
    "Z": [1.0, -2.0],
    "y": [1.0, 2.0, 3.0],
    "A": [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]],
    "B": [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]],
    "alpha": 2.0,
    "theta": 3.0,
}
MEANT = {
    "sin x": "sin(x)",
    "J = |x|": "J = abs(x)",
    "ln(x)": "log(x)",
    "x^2": "x ** 2",
    "math.sin(x)": "sin(x)",
    "torch.relu(Z)": "relu(Z)",
    "tf.nn.relu(Z)": "relu(Z)",
    "α*x": "alpha * x",
    "π*x": "pi * x",
    "Σ(Z)": "sum(Z)",
    "x²": "x ** 2",
    r"\frac{x}{2}": "x / 2",
    r"\sigma(x)": "sigmoid(x)",
    r"x \cdot 2": "x * 2",
    "W .* X": "W * X",
    "y @ A": "A @ y",
    "2x": "2 * x",
    "2(x+1)": "2 * (x + 1)",
    "sigmoid x": "sigmoid(x)",
    "e^x": "e ** x",
    "√x": "sqrt(x)",
    "||Z||": "norm(Z)",
    "relu(Z": "relu(Z)",
    "x+1)": "x+1",
    "W^T @ X": "W.T @ X",
    "f(x) = x*2": "f = x * 2",
    "sin^2(x)": "sin(x) ** 2",
    "J == x*2": "J = x*2",
    "J := x": "J = x",
    "max{0, x}": "maximum(0, x)",
    r"J = \max\{0, x\}": "J = maximum(0, x)",
    r"\theta x": "theta * x",
    "θ*x": "theta * x",
    "A * B": "A @ B",
    "1/(1+e^-x)": "1 / (1 + e ** (-x))",
}
FROM_ELSEWHERE = {
    # PyTorch, JavaScript, Python
    "sum(A, dim=1)": "sum(A, axis=1)",
    "J = A.sum(dim=1, keepdim=True)": "J = A.sum(axis=1, keepdims=True)",
    "F.softmax(Z, dim=0)": "softmax(Z, axis=0)",
    "nn.ReLU()(Z)": "relu(Z)",
    "print(x*2)": "x*2",
    "let z = x^2": "z = x ** 2",
    "const z = x*2": "z = x*2",
    "Math.pow(x, 2)": "pow(x, 2)",
    "J = x > 0 ? x : 0": "J = where(x > 0, x, 0)",
    "def f(x): return x**2": "f = x**2",
    "f = lambda x: x*2": "f = x*2",
    "range(3)": "arange(3)",
    "x // 2": "floor(x / 2)",
    # MATLAB, R, Julia
    "W' * Z": "W.T @ Z",
    "W \\ Z": "solve(W, Z)",
    "A(2,1)": "A[1, 0]",
    "A(:, 1)": "A[:, 0]",
    "y(3)": "y[2]",
    "[1 2; 3 4]": "[[1, 2], [3, 4]]",
    "c(1,2,3)": "[1, 2, 3]",
    "length(y)": "size(y)",
    "W %*% X": "W @ X",
    "W %o% X": "outer(W, X)",
    "ifelse(x>0,x,0)": "where(x>0,x,0)",
    "pmax(Z, 0)": "maximum(Z, 0)",
    # Mathematica
    "Sin[x]": "sin(x)",
    "ArcTan[x]": "arctan(x)",
    "Total[y]": "sum(y)",
    "{1,2,3}": "[1, 2, 3]",
    "D[x^2, x]": "x ** 2",
    "y . y": "y @ y",
    # paper and LaTeX
    "exp^x": "e ** x",
    "exp^(x+1)": "e ** (x + 1)",
    "sin^-1 x": "arcsin(x)",
    "sec(x)": "1 / cos(x)",
    "ctg(x)": "1 / tan(x)",
    "sh(x)": "sinh(x)",
    "sinx": "sin(x)",
    "sin2x": "sin(2 * x)",
    "x squared": "x ** 2",
    "3! * x": "6 * x",
    "y_1": "y[0]",
    "d/dx x^2": "x ** 2",
    r"\frac{d}{dx} x^2": "x ** 2",
    r"\frac{\partial}{\partial x} x^2": "x ** 2",
    r"\sum_{i=1}^3 y_i^2": "sum(y ** 2)",
    "sum_i y_i": "sum(y)",
    r"\sqrt[3]{x}": "cbrt(x)",
    "∛x": "cbrt(x)",
    "⌊x⌋": "floor(x)",
    "x mod 2": "mod(x, 2)",
    "<y, y>": "sum(y * y)",
    "y' A'": "y.T @ A.T",
}


@pytest.mark.parametrize(("typed", "meant"), [*MEANT.items(), *FROM_ELSEWHERE.items()])
def test_a_line_that_was_meant_is_offered_and_runs(typed, meant):
    values = {name: {"value": value} for name, value in VALUES.items()}
    error = answer({"kind": "picture", "program": typed, "values": values}, PLAYGROUND)["error"]
    assert error["mend"] == {"line": 1, "text": meant}
    assert error["message"].endswith(f"write {meant}")
    assert "error" not in answer({"kind": "picture", "program": meant, "values": values}, PLAYGROUND)


UNCLEAR = [
    *("x +", "unheard of", "A @ A @ A", "x ** y **", "y(7) + u"),
    *("W \\ unheard", "diff(x^2, q)", "let", "[1 2; 3] * 2", "x ? 2"),
]


@pytest.mark.parametrize("typed", UNCLEAR)
def test_nothing_is_offered_where_the_meaning_is_unclear(typed):
    values = {name: {"value": value} for name, value in VALUES.items()}
    assert "mend" not in answer({"kind": "picture", "program": typed, "values": values}, PLAYGROUND)["error"]


def test_the_line_is_that_of_the_error_and_knows_those_above():
    question = {"kind": "picture", "program": "u = x * 2\nv = |u|", "values": {"x": {"value": 3}}}
    assert answer(question, PLAYGROUND)["error"]["mend"] == {"line": 2, "text": "v = abs(u)"}


def test_a_decimal_comma_is_told():
    question = {"kind": "picture", "program": "3,5 * x", "values": {"x": {"value": 3}}}
    assert "write 3.5 for a decimal number" in answer(question, PLAYGROUND)["error"]["message"]


def test_random_formulas_keep_their_value():
    """Code with its signs exchanged for those of paper is offered as code of the same value."""
    rng = np.random.default_rng(0)
    scope = {name: np.asarray(value) for name, value in VALUES.items()}
    signs = [("**2", "²"), (" * ", " · "), ("sqrt(", "√("), ("pi", "π"), ("alpha", "α")]
    for _ in range(60):
        parts = rng.choice(["x", "alpha", "sin(x)", "x**2", "sqrt(alpha + 1)", "pi", "mean(Z**2)"], size=3)
        code = f"{parts[0]} * {parts[1]} + {parts[2]}"
        typed = code
        for sign, other in signs:
            typed = typed.replace(sign, other)
        meant = rewritten(typed, scope, Limits())
        assert typed == code or meant is not None, typed
        value, wanted = (evaluate(text, scope, Limits()).value for text in (meant or code, code))
        np.testing.assert_allclose(value, wanted)


def test_a_name_that_is_defined_twice_gets_a_free_one():
    question = {"kind": "picture", "program": "J = x\nJ = 2*x\nJ2 = 3", "values": {"x": {"value": 3}}}
    error = answer(question, PLAYGROUND)["error"]
    assert error["mend"] == {"line": 2, "text": "J3 = 2*x"}
    assert error["message"] == "J is already defined, in line 1; write J3 = 2*x"


def test_a_maximum_along_an_axis_is_asked_about_where_each_entry_may_be_meant():
    question = {"kind": "picture", "program": "A = max(Z, 0)  # relu", "values": {"Z": {"value": [1, -2]}}}
    thought = answer(question, PLAYGROUND)["thought"]
    assert "max(Z, 0) is the maximum along axis 0" in thought["message"]
    assert thought["mend"] == {"line": 1, "text": "A = maximum(Z, 0)  # relu"}
    question["program"] = thought["mend"]["text"]
    assert answer(question, PLAYGROUND)["thought"] is None


def test_helper_lines_of_claims_are_read_as_on_paper_too():
    question = {"program": "J = sum(x ** 3)", "values": {"x": {"value": [1, 2]}}, "claims": "b = x^2\ndx = 3 b"}
    rows = answer({**question, "kind": "comparison"}, PLAYGROUND)
    assert [row["ok"] for row in rows["rows"]] == [True]


def test_a_product_of_square_matrices_by_entries_is_asked_about():
    values = {name: {"value": VALUES[name]} for name in ("W", "X", "Z")}
    thought = answer({"kind": "picture", "program": "u = 2\nJ = sum(W * X)", "values": values}, PLAYGROUND)["thought"]
    assert thought["message"] == "W * X multiplies entry by entry; the product of matrices is W @ X."
    assert thought["mend"] == {"line": 2, "text": "J = sum(W @ X)"}


@pytest.mark.parametrize("program", ["sum(W * W)", "sum(W * Z)", "sum(W * X.T)", "sum(W ** 2)", "u = 2 * W"])
def test_other_products_are_not_asked_about(program):
    values = {name: {"value": VALUES[name]} for name in ("W", "X", "Z")}
    assert answer({"kind": "picture", "program": program, "values": values}, PLAYGROUND)["thought"] is None


def test_print_is_no_misspelled_rint():
    error = answer({"kind": "picture", "program": "print(x)", "values": {"x": {"value": 3}}}, PLAYGROUND)["error"]
    assert error["message"] == "there is no function print; write x"
