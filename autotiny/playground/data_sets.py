"""Data sets that a page names, so that its address need not hold them: real ones, from the digits that ship with nn."""

import functools
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
EXAMPLES = 300


@functools.cache
def ones_and_fives() -> dict[str, Array]:
    """Digits 1 and 5 by two numbers of each image; Y has a row for each of the two digits.

    The first number is the symmetry, minus the mean difference from the image upside down, the second the share of the
    ink in the upper half; both standardised. No straight line parts the digits, a curve parts 97 % of them.

    >>> {name: each.shape for name, each in ones_and_fives().items()}
    {'X': (2, 300), 'Y': (2, 300), 'm': ()}
    """
    from autotiny.nn.datasets import digits  # most pages name no data set

    data = digits()
    chosen = np.flatnonzero(np.isin(data.labels, (1, 5)))[:EXAMPLES]
    images = data.X.T[chosen].reshape(-1, 8, 8)
    symmetry = -np.abs(images - images[:, ::-1]).mean(axis=(1, 2))
    upper = images[:, :4].sum(axis=(1, 2)) / images.sum(axis=(1, 2))
    X = np.stack([symmetry, upper])
    X = (X - X.mean(axis=1, keepdims=True)) / X.std(axis=1, keepdims=True)
    return _set(X, np.stack([data.labels[chosen] == digit for digit in (1, 5)]))


@functools.cache
def first_digits() -> dict[str, Array]:
    """The first 300 of the digits, 64 pixels from 0 to 1 in each column, and ten rows of labels.

    >>> {name: each.shape for name, each in first_digits().items()}
    {'X': (64, 300), 'Y': (10, 300), 'm': ()}
    """
    from autotiny.nn.datasets import digits  # most pages name no data set

    data = digits()
    X = data.X[:, :EXAMPLES] / 16
    return _set(X, np.arange(10)[:, None] == data.labels[:EXAMPLES])


def _set(X: Array, Y: NDArray[np.bool_]) -> dict[str, Array]:
    return {"X": np.round(X, 4), "Y": Y.astype(float), "m": np.array(float(X.shape[1]))}


DATA_SETS: dict[str, Callable[[], dict[str, Array]]] = {"digits 1 and 5": ones_and_fives, "digits": first_digits}
"""The data sets by the names that a page uses; each gives X, Y and m, the number of examples."""
