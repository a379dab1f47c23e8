"""Which classes are taken for which."""

import numpy as np

from autotiny.nn.datasets import Array


def confusion_matrix(labels: Array, predictions: Array, n_classes: int) -> Array:
    """C (n_classes, n_classes): C[i, j] examples of class i were taken for class j.

    >>> confusion_matrix(np.array([0, 0, 1, 1]), np.array([0, 1, 1, 1]), 2)
    array([[1, 1],
           [0, 2]])
    """
    counts = np.bincount(n_classes * labels + predictions, minlength=n_classes**2)
    return counts.reshape(n_classes, n_classes)


def worst_pairs(confusion: Array, at_most: int = 5) -> list[tuple[int, int, int]]:
    """The most frequent mistakes, worst first: (class, what it was taken for, how often).

    >>> worst_pairs(np.array([[5, 1, 0], [0, 5, 3], [0, 0, 5]]))
    [(1, 2, 3), (0, 1, 1)]
    """
    mistakes = confusion - np.diag(np.diag(confusion))
    # A stable sort keeps equal counts in the order of the classes.
    order = np.argsort(-mistakes, axis=None, kind="stable")[:at_most]
    pairs = [(int(k) // len(mistakes), int(k) % len(mistakes), int(mistakes.flat[k])) for k in order]
    return [pair for pair in pairs if pair[2]]
