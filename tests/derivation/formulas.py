"""Formulas over a few symbols, and random ones."""

import numpy as np
from hypothesis import strategies as st

import autotiny as at
from autotiny.algebra import symbol

_rng = np.random.default_rng(7)


def _symbol(name, *shape):
    square = np.eye(*shape) * 3 if len(shape) == 2 and shape[0] == shape[1] else 0
    return symbol(name, _rng.normal(size=shape) + square)


A, B, Y, G, Z1, Z2, W2, X = (_symbol(name, 3, 3) for name in ["A", "B", "Y", "dZ2", "Z1", "Z2", "W2", "X"])
A2 = symbol("A2", _rng.uniform(0.1, 0.9, size=(3, 3)))
w, v = _symbol("w", 3), _symbol("v", 3)
m, lam = symbol("m", 8), symbol("lam", 0.1)
W_next, G_next, Z_here, Z1_prime = (_symbol(name, 3, 3) for name in ("W[l+1]", "dZ[l+1]", "Z[l]", "Z1′"))

WRITTEN = [
    ((A2 - Y) / m, "(A2 - Y) / m"),
    (A2 * np.sum(Y, axis=0) - Y, "A2 * sum(Y, axis=0) - Y"),
    (W2.T @ G * (Z1 > 0), "W2ᵀ dZ2 * 1[Z1 > 0]"),
    (W_next.T @ G_next * (Z_here > 0), "W[l+1]ᵀ dZ[l+1] * 1[Z[l] > 0]"),
    (G @ X.T / m, "dZ2 Xᵀ / m"),
    (np.sum(G, axis=1, keepdims=True), "sum(dZ2, axis=1)"),
    (G * (1 - A2**2), "dZ2 * (1 - A2²)"),
    (A2 * (1 - A2), "A2 * (1 - A2)"),
    (X.T @ (X @ w - v), "Xᵀ (X w - v)"),
    (w @ A @ w, "wᵀ A w"),
    ((A + A.T) @ w, "(A + Aᵀ) w"),
    (w / np.linalg.norm(w), "w / ‖w‖"),
    (np.linalg.inv(X).T, "X⁻ᵀ"),
    (np.linalg.inv(X.T), "X⁻ᵀ"),
    (np.linalg.solve(X, v), "X⁻¹ v"),
    (np.linalg.solve(X.T, v), "X⁻ᵀ v"),
    (w @ (A @ v), "wᵀ A v"),
    (-2 * w[:, None] * A * B, "-2 * diag(w) A * B"),
    (w[:, None] * (B.T @ v), "w vᵀ B"),
    (np.broadcast_to(w, (4, 3)), "1 wᵀ"),
    (np.broadcast_to(w[:, None], (3, 4)), "w 1ᵀ"),
    (np.broadcast_to(lam, (3, 4)), "lam"),
    (np.einsum("ij,jk->ik", A, B), "Σ_j A[i, j] * B[j, k]"),
    (A * (G - np.sum(G * A, axis=0)), "A * (dZ2 - sum(dZ2 * A, axis=0))"),
    (np.exp(Z2) / np.sum(np.exp(Z2), axis=0), "exp(Z2) / sum(exp(Z2), axis=0)"),
    (-np.sum(Y * np.exp(A2)) / m, "-sum(Y * exp(A2)) / m"),
    (np.diag(w) - w[:, None] * w, "diag(w) - w wᵀ"),
    (w * np.reshape(A @ v, (3, 1)), "A v wᵀ"),
    (A - (B + Y), "A - (B + Y)"),
    (A + (B - Y), "A + B - Y"),
    (A + (-B), "A - B"),
    (A + (-B - Y), "A + (-B - Y)"),
    (-A * B, "-A * B"),
    (A * (-B), "A * (-B)"),
    (-(A - B), "-(A - B)"),
    (A / (B * Y), "A / (B * Y)"),
    (A / B / Y, "A / B / Y"),
    (A * (B / Y), "A * B / Y"),
    (A @ (B * Y), "A (B * Y)"),
    (A @ (B @ w), "A B w"),
    (w @ v, "w · v"),
    (v @ (A @ w), "vᵀ A w"),
    ((A @ B).T, "(A B)ᵀ"),
    ((A**2).T, "(A²)ᵀ"),
    (A2**0.5, "A2 ** 0.5"),
    (A2 ** (1 + w), "A2 ** (1 + w)"),
    (np.square(A), "A²"),
    (np.linalg.slogdet(A)[1], "log(|det(A)|)"),
    (at.softmax(Z2, axis=1), "softmax(Z2, axis=1)"),
    (at.softmax(Z2), "softmax(Z2)"),
    (at.sigmoid(A - B), "σ(A - B)"),
    (np.where(Z1 > 0, A, -B), "where(Z1 > 0, A, -B)"),
    (np.sum(Z1 > 0, axis=0), "sum(1[Z1 > 0], axis=0)"),
    ((Z1 > 0) & (A <= 1), "Z1 > 0 and A ≤ 1"),
    (A[1:, 0], "A[1:, 0]"),
    (1e-12 * A + 0.1, "1e-12 * A + 0.1"),
    (np.ones((3, 3)) * A, "1 * A"),
    (np.array([1.0, 2.5, 3.0]) + A, "[1, 2.5, 3] + A"),
    (np.eye(3) - A, "I - A"),
    (np.sum(A, axis=0).reshape(1, 3) * B, "sum(A, axis=0) * B"),
    (np.linalg.norm(A, axis=0), "norm(A, axis=0)"),
    (np.mean(A), "sum(A) / 9"),
    (Z1_prime * lam, "Z1′ * lam"),
    (np.max(A, axis=(0, 1)), "max(A)"),
]

positive = [abs(symbol) + 0.5 for symbol in (A, B)]
leaves = st.sampled_from([A, B, A2, W_next, Z1_prime, *positive])
numbers = st.sampled_from([2.0, 0.5, -3.0, 1e-3])


def _grow(inner):
    one, two = inner, st.tuples(inner, inner)
    return st.one_of(
        two.map(lambda p: p[0] + p[1]),
        two.map(lambda p: p[0] - p[1]),
        two.map(lambda p: p[0] * p[1]),
        two.map(lambda p: p[0] / (2 + p[1] * p[1])),
        two.map(lambda p: p[0] @ p[1]),
        two.map(lambda p: np.where(p[0] > p[1], p[0], p[1])),
        st.tuples(inner, numbers).map(lambda p: p[1] * p[0]),
        st.tuples(inner, numbers).map(lambda p: p[0] * p[1]),
        one.map(lambda x: -x),
        one.map(lambda x: x.T),
        one.map(lambda x: x**2),
        one.map(lambda x: np.tanh(x)),
        one.map(lambda x: abs(x)),
        one.map(lambda x: np.sum(x, axis=0)),
        one.map(lambda x: np.sum(x, axis=1, keepdims=True)),
        one.map(lambda x: x / m),
        one.map(lambda x: x * (x > 0)),
    ).filter(lambda term: term.shape in ((3, 3), (3, 1)) or term.shape == (3,))


def _square(term):
    return term if term.shape == (3, 3) else term * A


random_formulas = st.recursive(leaves, lambda inner: _grow(inner.map(_square)), max_leaves=8)
