"""Features of mean 0 and deviation 1, as the training examples have them."""

from dataclasses import dataclass

import numpy as np

from autotiny.nn.datasets import Array, Dataset


@dataclass(frozen=True, eq=False)
class Standardisation:
    """X := (X - mean) / scale, with mean and scale (n_x, 1).

    Every feature of a table has a scale of its own; the pixels of an image share a unit and so share one, lest a pixel
    that is nearly always white be blown up. A feature that never changes keeps the scale 1.

    >>> data = Dataset.from_rows([[1., 10.], [3., 10.], [1., 10.], [3., 10.]], [0, 1, 0, 1])
    >>> Standardisation.fit(data)(data.X)
    array([[-1.,  1., -1.,  1.],
           [ 0.,  0.,  0.,  0.]])
    """

    mean: Array
    scale: Array

    @classmethod
    def fit(cls, data: Dataset) -> "Standardisation":
        """From these examples alone: fit it on the training part, so that nothing of the others leaks in."""
        deviation = data.X.std(axis=None if len(data.shape) > 1 else 1, keepdims=True)
        # The mean of equal numbers is off by their rounding, and so is their deviation from 0.
        rounding = 10 * np.finfo(data.X.dtype).eps * np.abs(data.X).max(axis=1, keepdims=True)
        return cls(
            data.X.mean(axis=1, keepdims=True), np.where(deviation > rounding, deviation, 1).astype(data.X.dtype)
        )

    @classmethod
    def none(cls, data: Dataset) -> "Standardisation":
        """Leaves X as it is."""
        n = len(data.X)
        return cls(np.zeros((n, 1), data.X.dtype), np.ones((n, 1), data.X.dtype))

    def __call__(self, X: Array) -> Array:
        """(X - mean) / scale."""
        return (X - self.mean) / self.scale
