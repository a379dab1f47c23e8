"""The classes of derived formulas: each has a case that belongs to it."""

import numpy as np
import pytest

import textbook_forms
from textbook_forms import Case, judged


def kind(code, known, out="J", target="x"):
    return judged(Case("", "", code, out, target, known)).kind


@pytest.mark.parametrize(
    ("expected", "code", "known"),
    [
        ("textbook", "x = T(_n(4))\nJ = np.sum(x ** 2)", "2 * x"),
        ("longer", "x = T(_n(4))\nJ = np.sum(np.sin(x) * np.exp(x) * x)", "dx"),
        ("raw", "x = T(_n(4))\nJ = 1.2345678 * np.sum(x ** 2)", "2 * 1.2345678 * x"),
        ("refused", "x = T(_n(4))\nJ = np.sum(x ** 2)", "3 * x"),
        ("refused", "x = T(_n(4))\nJ = np.sum(y ** 2)", "2 * x"),
    ],
)
def test_every_class_has_a_case(expected, code, known):
    assert kind(code, known) == expected


def test_the_operations_of_gradients_that_a_formula_names_are_counted():
    code = "W, x = T(_n(3, 4)), T(_n(4))\nz = W @ x\na = np.tanh(z)\nJ = np.sum(a * np.exp(a) ** 2)"
    run = textbook_forms.scope()
    exec(f"{code}\nd = at.derive(J, W)", run)
    lemma = textbook_forms.operations_of(run["d"], "")
    assert lemma > textbook_forms.operations_of(run["d"], "dz")


@pytest.mark.parametrize(("code", "count"), [("-(A - Y) / m", 2), ("np.sum(X.T @ X, axis=0, keepdims=True)", 2)])
def test_signs_transposes_and_options_are_no_operations(code, count):
    assert textbook_forms.operations_of_code(code) == count


def test_cases_are_read_from_text(tmp_path):
    (tmp_path / "some.txt").write_text("# a square\nx = T(_n(4))\nJ = np.sum(x ** 2)\ndJ/dx = 2 * x\n")
    (case,) = textbook_forms.cases(tmp_path)
    assert case == Case("some", "a square", "x = T(_n(4))\nJ = np.sum(x ** 2)", "J", "x", "2 * x")
    assert judged(case).kind == "textbook"
    assert np.isfinite(judged(case).seconds)
