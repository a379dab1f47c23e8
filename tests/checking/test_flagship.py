"""dZ, dW and db of the textbook emerge from autograd, whichever way the loss is written."""

from itertools import pairwise

import numpy as np
import pytest

import autotiny as at
from autotiny.checking import closed_form
from autotiny.engine import graph

SIZES = {  # n_x, hidden units of each layer, n_y, m
    "two layers": (4, (16,), 3, 32),
    "one example": (4, (16,), 3, 1),
    "one hidden unit": (5, (1,), 3, 8),
    "one of everything": (1, (1,), 2, 1),
    "no hidden layer": (6, (), 4, 9),
    "64-32-10": (64, (32,), 10, 64),
    "784-128-10": (784, (128,), 10, 64),
    "five layers": (20, (16, 12, 10, 8), 5, 32),
}


def written_out(Z, Y):
    E = np.exp(Z)
    A = E / np.sum(E, axis=0)
    return -(1 / Y.shape[1]) * np.sum(Y * np.log(A))


def by_softmax(Z, Y):
    return -(1 / Y.shape[1]) * np.sum(Y * np.log(at.softmax(Z)))


def by_cross_entropy(Z, Y):
    return at.cross_entropy(Z, Y)


LOSSES = [written_out, by_softmax, by_cross_entropy]
HIDDEN = {"relu": lambda Z: np.maximum(Z, 0), "tanh": np.tanh}


def problem(n_x, hidden, n_y, m, dtype, seed=0):
    rng = np.random.default_rng(seed)
    shapes = [(n, below) for below, n in pairwise([n_x, *hidden, n_y])]
    parameters = [
        (
            (rng.normal(size=(n, below)) * np.sqrt(2 / below)).astype(dtype),
            (0.1 * rng.normal(size=(n, 1))).astype(dtype),
        )
        for n, below in shapes
    ]
    Y = np.eye(n_y, dtype=dtype)[:, rng.integers(n_y, size=m)]
    return rng.normal(size=(n_x, m)).astype(dtype), Y, parameters


def record(X, Y, parameters, loss, activation="relu"):
    """The loss, and the tensors of the network by the textbook's names."""
    tensors, A = {}, X
    for l, (W, b) in enumerate(parameters, start=1):
        W, b = at.Tensor(W), at.Tensor(b)
        Z = W @ A + b
        tensors |= {f"W{l}": W, f"b{l}": b, f"Z{l}": Z}
        A = HIDDEN[activation](Z)
    return loss(Z, Y), tensors


def relative_error(actual, expected):
    return np.max(np.abs(actual - expected)) / np.max(np.abs(expected))


@pytest.mark.parametrize(("dtype", "bound"), [(np.float64, 1e-12), (np.float32, 1e-6)], ids=["float64", "float32"])
@pytest.mark.parametrize("activation", HIDDEN)
@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.__name__)
@pytest.mark.parametrize("sizes", SIZES.values(), ids=SIZES)
def test_autograd_gives_the_textbooks_gradients_of_every_layer(sizes, loss, activation, dtype, bound):
    X, Y, parameters = problem(*sizes, dtype)
    J, tensors = record(X, Y, parameters, loss, activation)
    J.backward()
    passes = closed_form.network(X, Y, parameters, activation)
    assert relative_error(J.data, passes["J"]) < bound
    stated = closed_form.gradients(passes)
    assert stated.keys() == tensors.keys()
    for name, tensor in tensors.items():
        assert tensor.grad.dtype == dtype
        assert relative_error(tensor.grad, stated[name]) < bound, name


def test_autograd_of_the_average_gives_a_minus_y_over_m_at_the_logits():
    """Where the two conventions meet: the textbook's dZ2 = A2 - Y keeps 1/m out, dJ/dZ2 has it."""
    X, Y, parameters = problem(4, (16,), 3, 32, np.float64)
    J, tensors = record(X, Y, parameters, written_out)
    J.backward()
    A2 = closed_form.softmax(tensors["Z2"].data)
    np.testing.assert_allclose(tensors["Z2"].grad, (A2 - Y) / 32, rtol=0, atol=1e-16)


def test_the_written_out_loss_uses_no_operation_that_knows_of_cross_entropy():
    J, _ = record(*problem(4, (16,), 3, 32, np.float64), written_out)
    used = {node.op.name for node in graph.topological_order(J) if node.op is not None}
    assert used == {"matmul", "add", "maximum", "exp", "sum", "divide", "log", "multiply"}


def test_the_three_ways_from_logits_to_the_loss_share_nothing_but_the_average():
    Z, Y = at.Tensor(np.zeros((3, 2))), np.eye(3)[:, :2]
    orders = [graph.topological_order(loss(Z, Y)) for loss in LOSSES]
    used = [{node.op.name for node in order if node.op is not None} for order in orders]
    from_logits = [operations - {"log", "multiply", "sum", "vdot"} for operations in used]
    assert from_logits[:2] == [{"exp", "divide"}, {"softmax"}]
    assert from_logits[2]
    assert from_logits[2].isdisjoint(from_logits[0] | from_logits[1])
