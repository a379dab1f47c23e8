"""What losses are made of, entry by entry."""

import numpy as np

from autotiny.ops.table import Array, own


@own(
    lambda g, y, error, delta=1.0: g * np.clip(error, -delta, delta),
    traits="elementwise kinked real",
    words="Huber: times the error, of at most delta",
)
def huber_penalty(error: Array, delta: float = 1.0) -> Array:
    """error² / 2 where |error| <= delta, delta (|error| - delta / 2) beyond."""
    near = np.clip(error, -delta, delta)
    return near * (error - near / 2)
