"""Cells of recurrent networks: one step in time, an example per column.

The weights of several gates lie one below another in W and U, in PyTorch's order, so its `weight_ih` and `weight_hh`
are W and U as they are.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from autotiny.errors import ShapeError
from autotiny.nn.shapes import Value, along, described, real
from autotiny.ops.activations import sigmoid


def rnn_cell(x: Any, h: Any, W: Any, U: Any, b: Any = None, *, activation: Callable[[Any], Any] = np.tanh) -> Value:
    """h' = tanh(W x + U h + b) (Elman, 1990).

    x (n, m), h (k, m), or vectors of a single example; W (k, n), U (k, k), b (k,).

    >>> rnn_cell([1.0], [0.5], [[2.0]], [[-4.0]], [0.0])
    array([0.])
    """
    x, h, W, U = real("rnn_cell", x=x, h=h, W=W, U=U)
    _require_fit("rnn_cell", x, h, W, U, 1)
    return activation(_affine("rnn_cell", "b", W @ x + U @ h, b))


def lstm_cell(x: Any, h: Any, c: Any, W: Any, U: Any, b: Any = None) -> tuple[Value, Value]:
    """c' = f c + i g and h' = o tanh(c'), where i, f, o = σ(W x + U h + b) and g = tanh(W x + U h + b), by their rows.

    x (n, m), h and c (k, m), or vectors of a single example; W (4 k, n), U (4 k, k), b (4 k,) hold the input gate i,
    the forget gate f, the candidate g and the output gate o, one below another. Returns h' and c'.

    Source: Hochreiter and Schmidhuber, 1997, with the forget gate of Gers, Schmidhuber and Cummins, 2000.

    >>> h, c = lstm_cell([0.0], [0.0], [2.0], np.zeros((4, 1)), np.zeros((4, 1)))  # every gate is half open
    >>> c, h.round(3)
    (array([1.]), array([0.381]))
    """
    layer = "lstm_cell"
    x, h, c, W, U = real(layer, x=x, h=h, c=c, W=W, U=U)
    k = _require_fit(layer, x, h, W, U, 4)
    if c.shape != h.shape:
        raise ShapeError(f"{layer}: {described('c', c)} and {described('h', h)} must have the same shape")
    z = _affine(layer, "b", W @ x + U @ h, b)
    i, f, g, o = sigmoid(z[:k]), sigmoid(z[k : 2 * k]), np.tanh(z[2 * k : 3 * k]), sigmoid(z[3 * k :])
    c = f * c + i * g
    return o * np.tanh(c), c


def gru_cell(x: Any, h: Any, W: Any, U: Any, b: Any = None, d: Any = None) -> Value:
    """h' = (1 - z) n + z h, where r, z = σ(W x + b + U h + d), each by its rows, and n = tanh(W x + b + r (U h + d)).

    x (n, m), h (k, m), or vectors of a single example; W (3 k, n), U (3 k, k), b and d (3 k,) hold the reset gate r,
    the update gate z and the candidate n, one below another.

    Source: Cho et al., 2014, section 2.3, with the reset after the product, as cuDNN and PyTorch have it.

    >>> gru_cell([0.0], [2.0], np.zeros((3, 1)), np.zeros((3, 1)))
    array([1.])
    """
    layer = "gru_cell"
    x, h, W, U = real(layer, x=x, h=h, W=W, U=U)
    k = _require_fit(layer, x, h, W, U, 3)
    of_x, of_h = _affine(layer, "b", W @ x, b), _affine(layer, "d", U @ h, d)
    r, z = sigmoid(of_x[:k] + of_h[:k]), sigmoid(of_x[k : 2 * k] + of_h[k : 2 * k])
    n = np.tanh(of_x[2 * k :] + r * of_h[2 * k :])
    return (1 - z) * n + z * h


def _affine(layer: str, name: str, z: Value, b: Any) -> Value:
    return z if b is None else z + along(layer, name, b, z, (0,))


def _require_fit(layer: str, x: Value, h: Value, W: Value, U: Value, gates: int) -> int:
    """Return k, the number of entries of the state; raise ShapeError where the weights do not fit."""
    if h.ndim not in (1, 2) or x.ndim != h.ndim or x.shape[1:] != h.shape[1:]:
        raise ShapeError(
            f"{layer}: expected an example in each column of x (n, m) and h (k, m), or two vectors; got "
            f"{described('x', x)} and {described('h', h)}"
        )
    k = h.shape[0]
    for weights, name, size, operand in ((W, "W", x.shape[0], "x"), (U, "U", k, "h")):
        if weights.shape != (gates * k, size):
            rows = f"{gates} gates of {k} rows" if gates > 1 else f"{k} rows"
            fits = "; its transpose fits" if weights.shape == (size, gates * k) else ""
            raise ShapeError(
                f"{layer}: expected {name} {(gates * k, size)}, {rows} and a column per entry of {operand}; got "
                f"{described(name, weights)}{fits}"
            )
    return k
