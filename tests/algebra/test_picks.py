"""The rows for picked entries leave values as they are, and leave no scatter."""

import numpy as np
import pytest

from autotiny.algebra import Simplifier, constant, symbol
from autotiny.algebra.picks import PLACEMENTS, SCATTERS, one_hot, unit
from autotiny.algebra.segments import SEGMENTS, SHIFTS
from autotiny.algebra.writing import as_latex, as_mathml, as_numpy, as_text
from autotiny.ops.indexing import scatter

ROWS = [*SCATTERS, *SHIFTS, *PLACEMENTS, *SEGMENTS]


def labels(rng, name, count, n):
    return symbol(name, rng.integers(0, n, count))


def numbers(rng, n):
    return int(rng.integers(-n, n))


def part(rng, n):
    """A slice that picks one entry at least, mostly neighbours."""
    start = int(rng.integers(0, n))
    return slice(start, int(rng.integers(start + 1, n + 1)))


KEYS = {
    "entry": lambda rng, n, k: ((n,), numbers(rng, n)),
    "part": lambda rng, n, k: ((n,), part(rng, n)),
    "backwards": lambda rng, n, k: ((n,), slice(None, None, -1)),
    "every second": lambda rng, n, k: ((2 * n,), slice(int(rng.integers(2)), None, 2)),
    "vector by labels": lambda rng, n, k: ((n,), labels(rng, "y", k, n)),
    "permutation": lambda rng, n, k: ((n,), rng.permutation(n)),
    "mask": lambda rng, n, k: ((n,), symbol("mask", rng.normal(size=n) > 0)),
    "row": lambda rng, n, k: ((n, k), numbers(rng, n)),
    "column": lambda rng, n, k: ((n, k), (slice(None), numbers(rng, k))),
    "part of a row": lambda rng, n, k: ((n, k), (numbers(rng, n), part(rng, k))),
    "entry of a matrix": lambda rng, n, k: ((n, k), (numbers(rng, n), numbers(rng, k))),
    "entry of a column": lambda rng, n, k: ((n, 1), (numbers(rng, n), 0)),
    "block": lambda rng, n, k: ((n, k), (part(rng, n), part(rng, k))),
    "rows by labels": lambda rng, n, k: ((n, k), labels(rng, "y", 4, n)),
    "columns by labels": lambda rng, n, k: ((n, k), (slice(None), labels(rng, "y", 4, k))),
    "a label of each row": lambda rng, n, k: ((n, k), (np.arange(n), labels(rng, "y", n, k))),
    "a label of each column": lambda rng, n, k: ((n, k), (labels(rng, "y", k, n), np.arange(k))),
    "pairs": lambda rng, n, k: ((n, k), (labels(rng, "a", 4, n), labels(rng, "b", 4, k))),
    "diagonal": lambda rng, n, k: ((n, n), (..., np.arange(n), np.arange(n))),
}


def picked(kind, rng):
    """The gradient of a function of picked entries, and the array that they were picked of."""
    shape, key = KEYS[kind](rng, int(rng.integers(2, 6)), int(rng.integers(2, 6)))
    x = symbol("x", rng.uniform(0.5, 2, shape))
    entries = x[key]
    c, other = symbol("c", rng.normal()), symbol("v", rng.normal(size=entries.shape))
    g = (c / entries, other * c, np.exp(entries) - other, other)[rng.integers(4)]
    return scatter(g, key=key, shape=shape), x


def without_scatter(term):
    simplifier = Simplifier()
    for row in ROWS:
        term = simplifier.apply(row, term)
    return term


def require_same(a, b):
    np.testing.assert_allclose(b.value, a.value, rtol=1e-10, atol=1e-12)
    assert a.shape == b.shape


@pytest.mark.parametrize("kind", KEYS)
def test_the_gradient_of_picked_entries_is_written_without_scatter(kind):
    rng = np.random.default_rng(0)
    for _ in range(8):
        term, x = picked(kind, rng)
        for gradient in (term, x * term - np.sum(x * term), term + 2 * picked_too(term, x, rng)):
            after = without_scatter(gradient)
            require_same(gradient, after)
            assert "scatter" not in as_text(after)


def picked_too(term, x, rng):
    """Another gradient at the same places, so that parts meet."""
    return scatter(symbol("w", rng.normal(size=term.args[0].shape)), key=term.kwargs["key"], shape=x.shape)


def test_a_row_that_is_wrong_is_found():
    term, _ = picked("column", np.random.default_rng(0))
    with pytest.raises(AssertionError):
        require_same(term, constant(2 * without_scatter(term)))


def test_a_quotient_that_is_infinite_elsewhere_stays_at_its_places():
    y = symbol("y", np.array([0, 1]))
    P = symbol("P", np.array([[0.5, 0.0], [0.0, 0.25]]))
    with np.errstate(all="ignore"):
        gradient = without_scatter(scatter(1 / P[np.arange(2), y], key=(np.arange(2), y), shape=(2, 2)))
    np.testing.assert_array_equal(gradient.value, [[2, 0], [0, 4]])


def test_unit_vectors_stay_factors_and_count_places_from_0():
    e, p = unit(1, 3, np.dtype(float)), symbol("p", np.array([0.2, 0.3, 0.5]))
    assert unit(1, 3, np.dtype(float)) is e
    np.testing.assert_array_equal((-e).value, [0, -1, 0])
    assert as_text(p - e) == "p - e_1"
    assert as_numpy(p - e) == "p - np.eye(3)[1]"
    assert as_latex(p - e) == r"p - \mathbf{e}_{1}"
    assert "<msub><mi>e</mi><mn>1</mn></msub>" in as_mathml(p - e)


def test_a_unit_vector_keeps_the_precision_of_the_gradient():
    x = symbol("x", np.ones(3, np.float32))
    assert without_scatter(scatter(x[0] * 2, key=1, shape=(3,))).dtype == np.float32


@pytest.mark.parametrize(("axis", "code"), [(1, "np.eye(3)[y]"), (0, "np.eye(3)[:, y]")])
def test_a_one_hot_matrix_has_its_examples_in_rows_or_in_columns(axis, code):
    hot = one_hot(symbol("y", np.array([2, 0])), 3, np.dtype(float), axis)
    assert as_numpy(hot) == code
    assert as_text(hot) == "onehot(y)"
    assert as_latex(hot) == r"\operatorname{onehot}\left(y\right)"
    np.testing.assert_array_equal(np.sum(hot.value, axis=axis), [1, 1])


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        (lambda x, A, B, w: (A @ B)[np.arange(3), np.arange(3)], "sum(A * Bᵀ, axis=1)"),
        (lambda x, A, B, w: x * unit(2, 3, x.dtype), "x[2] * e_2"),
        (lambda x, A, B, w: A @ unit(2, 3, x.dtype), "A[:, 2]"),
        (lambda x, A, B, w: np.transpose(A) @ unit(0, 3, x.dtype), "A[0]"),
        (lambda x, A, B, w: np.flip(np.flip(x)), "x"),
        (lambda x, A, B, w: scatter(x[1:], key=slice(1, None), shape=(3,)), "[0, x[1:]]"),
        (lambda x, A, B, w: scatter(w, key=slice(0, 2), shape=(3,)) * 2, "2 * [w, 0]"),
        (lambda x, A, B, w: pads(w, 0) - pads(w, 1), "diff([0, w, 0])"),
        (lambda x, A, B, w: 3 * pads(w, 0) + pads(w, 1) / 2, "convolve(w, [3, 0.5])"),
        (lambda x, A, B, w: w[0] * pads(w, 0) + w[1] * pads(w, 1), "convolve(w, w)"),
        (lambda x, A, B, w: scatter(w, key=slice(0, 2), shape=(3,)) + scatter(x[0], key=2, shape=(3,)), "[w, x[0]]"),
        (lambda x, A, B, w: sum(np.exp(x[i]) * unit(i, 3, x.dtype) for i in range(3)), "exp(x)"),
        (lambda x, A, B, w: w[1] * unit(0, 2, x.dtype) + w[0] * unit(1, 2, x.dtype), "[w[1], w[0]]"),
        (lambda x, A, B, w: w[1] ** 2 * unit(0, 2, x.dtype) + w[0] * unit(1, 2, x.dtype), "[w[1]², w[0]]"),
        (lambda x, A, B, w: x[1:] - x[:-1], "diff(x)"),
    ],
)
def test_parts_are_written_as_on_paper(formula, expected):
    rng = np.random.default_rng(1)
    x, w = symbol("x", rng.normal(size=3)), symbol("w", rng.normal(size=2))
    A, B = symbol("A", rng.normal(size=(3, 3))), symbol("B", rng.normal(size=(3, 3)))
    made = constant(formula(x, A, B, w))
    after = without_scatter(made)
    require_same(made, after)
    assert as_text(after) == expected


def pads(w, before):
    return scatter(w, key=slice(before, before + 2), shape=(3,))


def test_correlation_and_convolution_agree_with_numpy():
    rng = np.random.default_rng(2)
    x, d, w = symbol("x", rng.normal(size=6)), symbol("d", rng.normal(size=4)), symbol("w", rng.normal(size=3))
    entries = sum(np.sum(d * x[i : i + 4]) * unit(i, 3, x.dtype) for i in range(3))
    assert as_text(without_scatter(entries)) == "correlate(x, d)"
    zeros = scatter(d, key=slice(2, 6), shape=(8,))
    assert as_text(without_scatter(np.correlate(zeros, w))) == "convolve(d, w[::-1])"
    assert as_text(without_scatter(np.correlate(zeros, x))) == "correlate(x, d)[::-1]"
    for formula in (np.correlate(zeros, w), np.correlate(zeros, x), entries):
        require_same(formula, without_scatter(formula))


def test_a_vector_is_an_array_in_code_and_a_column_in_latex():
    x = symbol("x", np.array([1.0, 2.0]))
    gradient = without_scatter(2 * x[0] * unit(0, 2, x.dtype) + np.sin(x[1]) * unit(1, 2, x.dtype))
    assert as_numpy(gradient) == "np.array([2 * x[0], np.sin(x[1])])"
    assert r"\begin{bmatrix}" in as_latex(gradient)
    assert "<mtable>" in as_mathml(gradient)
