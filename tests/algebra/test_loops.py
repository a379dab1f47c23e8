"""Formulas that differ in an index alone become one formula of whole arrays, with the same rows."""

import numpy as np
import pytest

from autotiny.algebra import symbol
from autotiny.algebra.loops import rolled, sum_of_rows
from autotiny.algebra.writing import as_text

N = 4
RNG = np.random.default_rng(0)
X, A = symbol("X", RNG.normal(size=(N, 3))), symbol("A", RNG.normal(size=(3, N)))
w, x, W = symbol("w", RNG.normal(size=3)), symbol("x", RNG.normal(size=N)), symbol("W", RNG.normal(size=(2, 3)))
z = symbol("z", RNG.normal(size=N + 1))
DATA = {"y": np.array([2, 0, 1, 0]), "t": RNG.normal(size=N)}
SYMBOLS = {name: symbol(name, value) for name, value in DATA.items()}


def data(value):
    return next((SYMBOLS[n] for n, known in DATA.items() if np.array_equal(known, value)), None)


ROLLED = {
    "x * x": lambda i: x[i] * x[i],
    "exp(-x)": lambda i: np.exp(-x[i]),
    "X w": lambda i: X[i] @ w,
    "w @ the columns": lambda i: w @ A[:, i],
    "W @ rows": lambda i: W @ X[i],
    "sum(X * X, axis=1)": lambda i: X[i] @ X[i],
    "sum of a row": lambda i: np.sum(X[i] ** 2),
    "neighbours": lambda i: z[i + 1] - z[i],
    "column": lambda i: X[i, 1] * x[i],
    "by labels": lambda i: np.log(X[i, int(DATA["y"][i])] ** 2),
    "constants": lambda i: x[i] * DATA["t"][i],
    "rows times numbers": lambda i: x[i] * X[i],
    "rows times a vector": lambda i: X[i] * w,
}


@pytest.mark.parametrize("name", ROLLED)
def test_row_i_of_the_whole_is_formula_i(name):
    formulas = [ROLLED[name](i) for i in range(N)]
    whole = rolled(formulas, data)
    assert whole is not None
    np.testing.assert_allclose(whole.value, np.stack([f.value for f in formulas]), rtol=1e-12)


@pytest.mark.parametrize(
    "formulas",
    [
        [x[0], x[1] ** 2],
        [x[0], w[1]],
        [x[0], x[2], x[1]],
        [x[0] * 0.3, x[1] * 0.7],
        [x[0]],
        [x[0], w],
        [x[:2] @ x[:2], x[1:3] @ x[1:3]],
    ],
    ids=str,
)
def test_formulas_that_differ_in_more_than_an_index_stay_apart(formulas):
    assert rolled(formulas, data) is None


def test_the_sum_of_all_rows_is_a_sum_over_the_axis():
    assert as_text(sum_of_rows([X[i] for i in range(N)])) == "sum(X, axis=0)"
    assert as_text(sum_of_rows([w[i] * w[i] for i in range(3)])) == "sum(w * w)"
    assert as_text(sum_of_rows([x[i] for i in range(1, 4)])) == "sum(x[1:])"
