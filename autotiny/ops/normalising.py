"""Entries less their mean, over their standard deviation."""

from typing import Any

import numpy as np

from autotiny.ops.table import Array, own


def spread(x: Array, axis: Any, epsilon: float) -> Array:
    """√(var(x) + ε), with the axes kept."""
    return np.sqrt(np.var(x, axis=axis, keepdims=True) + epsilon)


def lines(chosen: Array, x: Array, axis: Any = None, epsilon: float = 0.0) -> list[Array]:
    """Mark what is standardised together with a chosen entry."""
    return [np.broadcast_to(np.any(chosen, axis=axis, keepdims=True), x.shape)]


@own(
    lambda g, y, x, axis=None, epsilon=0.0: (
        (g - np.mean(g, axis=axis, keepdims=True) - y * np.mean(g * y, axis=axis, keepdims=True))
        / spread(x, axis, epsilon)
    ),
    traits="mixes analytic real",
    used=lines,
    words="standardised: less its mean and its part along y, over the standard deviation",
)
def standardised(x: Array, axis: Any = None, epsilon: float = 0.0) -> Array:
    """(x - mean(x)) / √(var(x) + ε)."""
    deviation = x - np.mean(x, axis=axis, keepdims=True)
    return deviation / np.sqrt(np.mean(np.square(deviation), axis=axis, keepdims=True) + epsilon)
