"""The tuned sweep and the readable one give the same gradients, bit for bit."""

import numpy as np
import pytest

import autotiny as at
from autotiny.engine import gradients
from autotiny.engine.backward import Sweep, run_sweep
from autotiny.engine.fast_sweep import FastSweep
from autotiny.engine.graph import topological_order
from autotiny.engine.mutation import verified_order
from autotiny.errors import AutotinyError
from autotiny.ops import indexing
from engine.test_random_graphs import MASK, ONE, TWO, random_graph

MORE = [
    lambda a, b: a @ b.T if a.shape == b.shape else a * b,  # a transposed gradient lies in memory the other way
    lambda a, b: (a.T @ b).T if a.shape == b.shape == (3, 3) else a + b,
    lambda a, b: np.maximum(a, b),
    lambda a, b: at.relu(a) + np.clip(b, -0.5, 0.5),
    lambda a, b: np.where(MASK, np.sqrt(np.where(MASK, np.abs(a), 0)), b),  # not taken: 0 / 0
    lambda a, b: np.where(a.data > 0, np.log(np.where(a.data > 0, a, 1)), b),
    lambda a, b: at.logsumexp(a, axis=0, keepdims=True) * b,
    lambda a, b: np.log(np.sum(np.exp(a), axis=-1, keepdims=True)) - b,
    lambda a, b: -np.sum(MASK * np.log(at.softmax(a + b, axis=-1)), keepdims=True),
    lambda a, b: np.log(1 + np.exp(np.tanh(a))) - np.log(1 - at.sigmoid(b)),
    lambda a, b: np.log1p(-(np.tanh(a) ** 2)) * np.log(np.cosh(np.sin(b))),
    lambda a, b: np.linalg.norm(a, axis=0, keepdims=True) ** 2 + np.square(np.hypot(a, b)),
    lambda a, b: a * a + a * b,
    lambda a, b: 2 - a,
    lambda a, b: np.linalg.norm(a) * b,
]


def any_graph(seed):
    """Leaves of one precision, some of them numbers, and an output of any shape with a gradient for it."""
    rng = np.random.default_rng(seed)
    dtype = rng.choice([np.float64, np.float32])
    pool = [at.Tensor(rng.normal(size=shape), dtype=dtype) for shape in [(3, 3), (1, 3), (3, 1), ()]]
    pool.append(at.Tensor(rng.normal(size=(3, 3)), requires_grad=False))
    leaves = list(pool)
    for _ in range(rng.integers(2, 20)):
        a, b = (pool[i] for i in rng.integers(len(pool), size=2))
        try:
            pool.append(rng.choice(ONE)(a) if rng.random() < 0.4 else rng.choice(TWO + MORE)(a, b))
        except (AutotinyError, IndexError):  # the shapes do not fit
            pool.append(a + b)
    output = sum(pool[-4:]) if rng.random() < 0.8 else pool[-1] * pool[0]
    return leaves, output, rng.normal(size=output.shape).astype(output.dtype)


def all_gradients(output, grad, start):
    with np.errstate(all="ignore"):
        return run_sweep(verified_order(output), lambda selection: start({output: grad}, selection)).all_gradients()


def readable(grads, selection):
    return Sweep(grads, selection=selection)


def tuned(grads, selection):
    return FastSweep(grads) if selection is None else Sweep(grads, selection=selection)


def bits(g):
    return np.asarray(g).dtype, np.shape(g), np.asarray(g).tobytes()


def same_bits(first, second):
    """Whether two sweeps reached the same tensors, and gave them the same gradients."""
    return first.keys() == second.keys() and all(bits(first[x]) == bits(second[x]) for x in first)


@pytest.mark.parametrize("seed", range(400))
def test_both_sweeps_give_every_tensor_the_same_bits(seed):
    _, output, grad = any_graph(seed)
    assert same_bits(all_gradients(output, grad, readable), all_gradients(output, grad, tuned))


@pytest.mark.parametrize("seed", range(100))
def test_both_sweeps_agree_on_random_graphs_with_a_loss(seed):
    _, loss = random_graph(seed)
    assert same_bits(all_gradients(loss, np.float64(1), readable), all_gradients(loss, np.float64(1), tuned))


@pytest.mark.parametrize("seed", range(100))
def test_both_sweeps_fill_grad_with_the_same_bits(seed, monkeypatch):
    _, output, grad = any_graph(seed)
    tensors = topological_order(output)

    def published():
        for t in tensors:
            t.grad = None
        output.backward(grad)
        return [None if t.grad is None else bits(t.grad) for t in tensors]

    first = published()
    monkeypatch.setattr(gradients, "FastSweep", Sweep)
    assert published() == first
    with at.debug():  # nan, if there is one, is an error there
        if all(t is None or np.isfinite(np.frombuffer(t[2], t[0])).all() for t in first):
            assert published() == first


class OneBitOff(Sweep):
    """A sweep that is wrong by one unit in the last place."""

    def pull(self, node, g, form):
        for position, c in super().pull(node, g, form):
            yield position, np.nextafter(c, np.inf, dtype=c.dtype) if position else c


class AsWritten(Sweep):
    """A sweep that pulls an expression with a stable form back as it is written."""

    def visit(self, node):
        stable, node._stable = node._stable, None
        super().visit(node)
        node._stable = stable


@pytest.mark.parametrize("wrong", [OneBitOff, AsWritten])
def test_a_sweep_that_rounds_otherwise_is_noticed(wrong):
    noticed = 0
    for seed in range(40):
        _, output, grad = any_graph(seed)
        other = all_gradients(output, grad, lambda grads, selection: wrong(grads, selection=selection))
        noticed += not same_bits(other, all_gradients(output, grad, tuned))
    assert noticed >= 5


def test_layouts_in_memory_are_the_same_too():
    """A sum over an array is rounded in the order in which its entries lie."""
    z = at.Tensor(np.random.default_rng(0).normal(size=(5, 7))).T
    exponential = np.exp(z)  # adds a contribution in the layout of z to that of the product, which is another
    y = np.sum(z @ np.ones((5, 3))) + np.sum(exponential)
    first, second = all_gradients(y, np.float64(1), readable), all_gradients(y, np.float64(1), tuned)
    assert [np.asarray(first[t]).strides for t in first] == [np.asarray(second[t]).strides for t in first]


def test_random_graphs_need_a_look_at_the_selection_and_meet_logarithms():
    sweeps = []
    for seed in range(60):
        _, output, grad = any_graph(seed)
        sweeps.append(run_sweep(verified_order(output), lambda selection, g={output: grad}: tuned(g, selection)))
    plain = [sweep for sweep in sweeps if type(sweep) is FastSweep]
    assert len(plain) >= 20
    assert len(sweeps) - len(plain) >= 5
    assert sum(sweep.masked for sweep in plain) >= 10
    assert sum(bool(sweep.passed_by) for sweep in plain) >= 10


def test_backward_runs_the_tuned_sweep(monkeypatch):
    ran = []

    class Noticed(FastSweep):
        def run(self, order):
            ran.append(list(order))
            super().run(order)

    monkeypatch.setattr(gradients, "FastSweep", Noticed)
    x = at.Tensor(2.0)
    y = x * x
    y.backward()
    assert ran == [[y]]


ROWS = [0, -1, 1, slice(None), slice(1, None), slice(None, None, -1)]
KEYS = [*ROWS, ..., (0, 1), (slice(None), 0), (None, 2), [0, 2, 0]]
GRADIENTS = [0.0, -0.0, 1.0, -1.0, np.nan, np.inf, 0.1]


@np.errstate(all="ignore")
def loop_over_entries(seed):
    """Entries that are picked from an array again and again, with gradients that may be -0.0, beside its other uses."""
    rng = np.random.default_rng(seed)
    x = at.Tensor(rng.normal(size=(3, 3)), dtype=rng.choice([np.float64, np.float32]))
    whole = x * 1.0 if rng.random() < 0.5 else x
    total = at.Tensor(0.0, dtype=x.dtype)
    for _ in range(rng.integers(1, 9)):
        if rng.random() < 0.2:
            total = total + np.sum(whole * x.dtype.type(rng.choice(GRADIENTS)))
        part = whole[KEYS[rng.integers(len(KEYS))]]
        total = total + np.sum(part * rng.choice(GRADIENTS, size=part.shape).astype(x.dtype))
    return x, whole, total


@pytest.mark.parametrize("seed", range(300))
def test_entries_that_are_picked_again_and_again_have_the_same_bits(seed):
    x, whole, total = loop_over_entries(seed)
    order, seeds = verified_order(total), {total: total.dtype.type(1)}
    fast, slow = FastSweep(seeds), Sweep(seeds)
    with np.errstate(all="ignore"):
        fast.run(order)
        slow.run(order)
    for tensor in (x, whole):
        assert bits(fast.grads[tensor]) == bits(slow.grads[tensor])


def test_a_loop_over_rows_makes_two_arrays_for_their_gradients(monkeypatch):
    made = []
    scatter = indexing.scatter
    monkeypatch.setattr(indexing, "scatter", lambda *args, **options: made.append(1) or scatter(*args, **options))
    X = np.ones((50, 3))
    np.testing.assert_array_equal(at.grad(lambda X: sum(np.sum(row**2) for row in X))(X), 2 * X)
    assert len(made) == 2
