"""Random programs: functions of arrays built at random from a vocabulary of operations, always the same for a seed."""

import numpy as np

import autotiny as at

ONE = [
    np.tanh, np.sin, np.arctan, np.negative, np.abs, np.cbrt, np.square, np.expm1, np.sign,
    at.relu, at.sigmoid, at.softplus, at.gelu, at.silu, at.elu, at.leaky_relu, at.softmax, at.log_softmax,
    lambda x: np.exp(0.25 * x), lambda x: np.sqrt(x * x + 1), lambda x: np.log(np.abs(x) + 2),
    lambda x: x * 0.5 + 1, lambda x: 3 - x / 4, lambda x: 2 / (3 + np.cos(x)), lambda x: x**2, lambda x: x**3,
    lambda x: np.log(at.softmax(x)), lambda x: np.log(np.exp(x)), lambda x: np.clip(x, -0.5, 0.5),
    lambda x: np.where(x > 0, x, 0.3 * x), lambda x: np.maximum(x, 0), lambda x: np.minimum(x, 0.2),
    lambda x: x[::-1], lambda x: x[1:] if len(x) > 1 else x, lambda x: x.T.T, lambda x: np.flip(x, 1),
    lambda x: np.sum(x, axis=0, keepdims=True), lambda x: np.mean(x, axis=1, keepdims=True), lambda x: x - np.mean(x),
    lambda x: np.max(x, axis=0, keepdims=True), lambda x: np.min(x, axis=1, keepdims=True),
    lambda x: np.cumsum(x, axis=0), lambda x: np.sort(x, axis=1), lambda x: np.concatenate([x, 2 * x])[: len(x)],
    lambda x: np.reshape(np.ravel(x), x.shape), lambda x: x @ x.T @ x / 4, lambda x: x / (1 + np.linalg.norm(x)),
    lambda x: x + at.logsumexp(x, axis=0, keepdims=True), lambda x: x * np.std(x), lambda x: np.tril(x),
]  # fmt: skip
TWO = [
    np.add, np.subtract, np.multiply, np.maximum, np.minimum, np.logaddexp, np.hypot,
    lambda a, b: a / (2 + np.cos(b)), lambda a, b: np.where(a > b, a, b), lambda a, b: np.where(a > 0, b, 0.0),
    lambda a, b: a * (b > 0), lambda a, b: a * np.log(np.exp(b)) + 0.1 * np.exp(0.25 * b),
    lambda a, b: np.broadcast_to(a, (4, 4)) @ np.broadcast_to(b, (4, 4)) / 4,
    lambda a, b: np.einsum("ij,kj->ik", np.broadcast_to(a, (4, 4)), np.broadcast_to(b, (4, 4))) / 4,
]  # fmt: skip


def random_program(seed):
    """f(x, row, column) -> a number and some of the results on the way, made of random operations."""
    rng = np.random.default_rng(seed)
    steps = [
        (
            bool(rng.random() < 0.5),
            int(rng.integers(len(ONE))),
            int(rng.integers(len(TWO))),
            rng.integers(1 << 30, size=2),
        )
        for _ in range(rng.integers(2, 14))
    ]

    def values(*leaves):
        pool = list(leaves)
        for single, one, two, picks in steps:
            a, b = (pool[int(pick) % len(pool)] for pick in picks)
            pool.append(ONE[one](a) if single else combined(TWO[two], a, b))
        return pool

    def loss(*leaves):
        return np.sum(sum(np.sum(np.tanh(t)) * i for i, t in enumerate(values(*leaves)[:-4:-1], 1)))

    def program(*leaves):
        J, gradients = at.value_and_grad(loss, (0, 1, 2))(*leaves)
        results = values(*leaves)
        return {"J": J, "gradients": gradients, "last": [results[-1], results[-2].T]}

    return program


def combined(f, a, b):
    """f(a, b), or of a alone where their shapes do not fit."""
    try:
        np.broadcast_shapes(a.shape, b.shape, (4, 4))
    except ValueError:
        return f(a, a) if a.shape == (4, 4) else np.add(a, a)
    return f(a, b)


def random_leaves(seed, dtype):
    """Arrays whose shapes broadcast; half of the entries of every seventh are 0, where the kinks are."""
    rng = np.random.default_rng([seed, 1])
    leaves = [rng.normal(size=shape).astype(dtype) for shape in [(4, 4), (1, 4), (4, 1)]]
    return [x * rng.integers(0, 2, x.shape).astype(dtype) for x in leaves] if seed % 7 == 0 else leaves
