"""Random graphs: every way to a gradient agrees with the complex step, which shares no code with the rules."""

import numpy as np
import pytest

import autotiny as at
from autotiny.engine.graph import replay, topological_order

MASK = np.array([True, False, True])
ONE = [
    np.tanh,
    np.sin,
    np.copy,
    lambda x: np.exp(0.3 * x),
    lambda x: x * 0.5 + 1,
    lambda x: x[::-1].T.T,
    lambda x: np.sum(x, axis=0, keepdims=True),
    lambda x: x - np.mean(x),
    lambda x: at.softmax(x),
    lambda x: np.log(at.softmax(x)),
    lambda x: at.log_softmax(x, axis=-1),
    lambda x: np.log(np.exp(x)),
    lambda x: np.log(np.sum(np.exp(x), axis=1, keepdims=True)),
    lambda x: np.linalg.norm(x, axis=0, keepdims=True) ** 2,
    lambda x: np.sqrt(x**2 + 1),
    lambda x: np.where(MASK, x, 2 * x),
    lambda x: x[[0, 0, -1]][: x.shape[0]],
    lambda x: np.concatenate([x, x])[-x.shape[0] :],
    lambda x: np.cumsum(x, axis=0),
    lambda x: 2 / (3 + np.cos(x)),
]
TWO = [
    np.add,
    np.subtract,
    np.multiply,
    lambda a, b: a / (2 + np.cos(b)),
    lambda a, b: np.where(MASK, a, b),
    lambda a, b: a * np.log(np.exp(b)) + 0.1 * np.exp(b),
    lambda a, b: np.einsum("ij,kj->ik", np.broadcast_to(a, (3, 3)), np.broadcast_to(b, (3, 3))),
]


def random_graph(seed):
    """Leaves of shapes that broadcast, and a loss in which operations and results are used at random."""
    rng = np.random.default_rng(seed)
    pool = [at.Tensor(rng.normal(size=shape)) for shape in [(3, 3), (1, 3), (3, 1)]]
    leaves = list(pool)
    for _ in range(rng.integers(2, 12)):
        a, b = (pool[i] for i in rng.integers(len(pool), size=2))
        one, two = ONE[rng.integers(len(ONE))], TWO[rng.integers(len(TWO))]
        pool.append(one(a) if rng.random() < 0.5 else two(a, b))
    return leaves, np.sum(sum(np.tanh(t) * i for i, t in enumerate(pool[: -1 - rng.integers(1, 4) : -1], 1)))


def complex_step(y, x, weights=1.0):
    """d(sum(weights * y))/dx, entry by entry."""
    order, result = topological_order(y), np.zeros(x.shape)
    for place in np.ndindex(x.shape):
        step = np.zeros(x.shape, complex)
        step[place] = 1e-100j
        result[place] = np.sum(replay(order, {x: x.data + step})[y] * weights).imag / 1e-100
    return result


def assert_close(actual, expected):
    np.testing.assert_allclose(actual, expected, rtol=1e-9, atol=1e-10 * np.abs(expected).max() + 1e-12)


@pytest.mark.parametrize("seed", range(100))
def test_all_ways_to_a_gradient_agree_with_the_complex_step(seed):
    leaves, y = random_graph(seed)
    y.backward()
    with at.debug():
        others, again = random_graph(seed)
        again.backward()
    recorded = at.gradients(y, leaves)
    for leaf, other, dx in zip(leaves, others, recorded, strict=True):
        expected = complex_step(y, leaf)
        for g in (leaf.grad, other.grad):
            assert_close(np.zeros(leaf.shape) if g is None else g, expected)
        assert_close(dx.data, expected)


@pytest.mark.parametrize("seed", range(100))
def test_gradients_of_results_are_the_same_together_alone_and_published(seed):
    _, y = random_graph(seed)
    y.backward()
    results = [t for t in topological_order(y) if t.op is not None]
    for t, dt in zip(results, at.gradients(y, results), strict=True):
        assert_close(dt.data, t.grad)
        assert_close(at.gradients(y, [t])[0].data, t.grad)


@pytest.mark.parametrize("seed", range(40))
def test_second_derivatives_agree_with_the_complex_step_of_the_first(seed):
    leaves, y = random_graph(seed)
    x, v = leaves[0], np.random.default_rng(seed).normal(size=(3, 3))
    (dx,) = at.gradients(y, [x])
    expected = complex_step(dx, x, v)
    if not dx.requires_grad:
        assert not expected.any()
    else:
        assert_close(at.gradients(dx, [x], v)[0].data, expected)
