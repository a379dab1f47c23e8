"""Products of matrices and vectors are one term however they are bracketed, and however an outer product is written."""

import itertools

import numpy as np
import pytest

from autotiny.algebra import Simplifier, symbol
from autotiny.algebra.term import constant

rng = np.random.default_rng(0)
SYMBOLS = {
    name: symbol(name, rng.normal(size=shape))
    for name, shape in {"A": (3, 3), "B": (3, 4), "C": (4, 3), "u": (3,), "v": (3,), "w": (4,), "c": (3, 1)}.items()
}
A, B, C, u, v, w, c = SYMBOLS.values()
SAME = [
    (lambda: A @ (B @ C), lambda: (A @ B) @ C),
    (lambda: A @ B @ C @ u, lambda: A @ (B @ (C @ u))),
    (lambda: u @ A @ B, lambda: B.T @ (A.T @ u)),
    (lambda: u @ B @ w, lambda: w @ (B.T @ u)),
    (lambda: u @ A @ u, lambda: u @ A.T @ u),
    (lambda: np.outer(u, w), lambda: u[:, None] * w[None, :]),
    (lambda: np.outer(u, w), lambda: np.reshape(u, (3, 1)) @ np.reshape(w, (1, 4))),
    (lambda: np.outer(u, w).T, lambda: np.outer(w, u)),
    (lambda: A @ np.outer(u, w) @ C, lambda: np.outer(A @ u, C.T @ w)),
    (lambda: np.outer(u, w) @ C @ v, lambda: (w @ C @ v) * u),
    (lambda: 2 * np.outer(u, w) @ C, lambda: np.outer(2 * u, C.T @ w)),
    (lambda: np.outer(u, v) @ np.outer(u, w), lambda: (u @ v) * np.outer(u, w)),
    (lambda: A @ (B @ w)[:, None], lambda: (A @ B @ w)[:, None]),
    (lambda: A @ np.eye(3) * 2, lambda: A @ (2 * np.eye(3))),
    (lambda: np.linalg.inv(A).T, lambda: np.linalg.inv(A.T)),
    (lambda: np.linalg.solve(A, u[:, None])[:, 0], lambda: np.linalg.solve(A, u)),
    (lambda: c.T @ A @ c, lambda: c.T @ (A.T @ c)),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_what_is_multiplied_in_another_order_is_one_term_with_the_same_value(one, other):
    simplifier = Simplifier()
    normal, again = simplifier.normal(constant(one())), simplifier.simplify(constant(other()))
    again = again[-1].after if again else simplifier.normal(constant(other()))
    steps = simplifier.simplify(normal)
    assert (steps[-1].after if steps else normal) is again
    np.testing.assert_allclose(normal.value, one().value, rtol=1e-12)


def bracketed(parts, rng):
    """A product with brackets anywhere."""
    if len(parts) == 1:
        return parts[0]
    i = rng.integers(1, len(parts))
    return bracketed(parts[:i], rng) @ bracketed(parts[i:], rng)


def draw_chain(rng):
    """Factors whose shapes fit: some transposed, some outer products or multiples, with a vector at either end."""
    lengths = rng.choice([2, 3], size=rng.integers(3, 7))
    parts = []
    for i, (n, m) in enumerate(itertools.pairwise(lengths)):
        kind = rng.integers(4)
        x, y = (symbol(f"{name}{i}", rng.normal(size=size)) for name, size in (("x", n), ("y", m)))
        M, N = symbol(f"M{i}", rng.normal(size=(n, m))), symbol(f"N{i}", rng.normal(size=(m, n)))
        parts.append([M, N.T, np.outer(x, y), 2 * M][kind])
    if rng.random() < 0.4:
        parts.append(symbol("last", rng.normal(size=lengths[-1])))
    if rng.random() < 0.4:
        parts.insert(0, symbol("first", rng.normal(size=lengths[0])))
    return parts


@pytest.mark.parametrize("seed", range(40))
def test_random_products_do_not_depend_on_brackets(seed):
    rng = np.random.default_rng(seed)
    parts, simplifier = draw_chain(rng), Simplifier()
    products = [constant(bracketed(parts, rng)) for _ in range(3)]
    normal = [simplifier.normal(product) for product in products]
    for term in normal:
        np.testing.assert_allclose(term.value, products[0].value, rtol=1e-9, atol=1e-12)
        assert term.shape == products[0].shape
        assert simplifier.normal(term) is term
    assert len(set(normal)) == 1
