"""Labelled examples in the textbook's layout, their standardisation, and the handwritten digits."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from autotiny.engine.libraries import columns_without_numbers, is_table
from autotiny.errors import AutotinyError
from autotiny.nn.arguments import as_array, require_instance, require_whole
from autotiny.notation.numbers import few_entries

Array = npt.NDArray[Any]
Label = str | int | float
MISSING = frozenset({"None", "nan", "<NA>", "NaT"})
"""How the values print that data frames hold where there is none."""


class DataError(AutotinyError):
    """Examples or labels that a network cannot be trained on."""


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """Examples and their classes: column i of X belongs to classes[labels[i]].

    X : (n_x, m) floats, one example per column;  labels : (m,) integers;  shape : the original shape of one example,
    (8, 8) for an image of 64 pixels.

    >>> data = Dataset.from_rows([[0., 1.], [2., 3.], [4., 5.], [6., 7.]], ["cat", "dog", "cat", "cat"])
    >>> data
    Dataset(4 examples of 2 features in 2 classes)
    >>> data.X.shape, data.labels.tolist(), data.classes
    ((2, 4), [0, 1, 0, 0], ('cat', 'dog'))
    """

    X: Array
    labels: Array
    classes: tuple[Label, ...]
    shape: tuple[int, ...]

    def __post_init__(self) -> None:
        """Refuse what `from_rows` would not make."""
        for name, kind in (("X", np.ndarray), ("labels", np.ndarray), ("classes", tuple), ("shape", tuple)):
            require_instance(name, getattr(self, name), kind, DataError, "; from_rows makes one of rows and labels")
        if self.X.ndim != 2 or self.labels.shape != self.X.shape[1:]:
            raise DataError(f"X has shape {self.X.shape} and labels {self.labels.shape}; (n_x, m) and (m,) are needed")

    @classmethod
    def from_rows(cls, rows: npt.ArrayLike, labels: Sequence[Any] | Array) -> "Dataset":
        """Make a data set from an array with a row, or an image, per example, and a label for each; classes are sorted.

        Data frames and columns of pandas and polars are taken as they are, with labels of text.

        Raises DataError if the numbers of rows and labels differ, if a number is not finite, or if the labels do not
        form classes.
        """
        if is_table(rows) and (text := columns_without_numbers(rows)):
            raise DataError(
                f"X: the columns {', '.join(map(repr, text))} hold no numbers: leave them out, or encode them"
            )
        X, y = as_array("X", rows, DataError), as_array("the labels", labels, DataError)
        y = as_text(y)
        check_examples(X)
        check_labels(y, len(X))
        dtype = X.dtype if X.dtype.kind == "f" else np.float64
        classes, positions = np.unique(whole_numbers(y.ravel()), return_inverse=True)
        check_classes(classes, len(X))
        return cls(X.reshape(len(X), -1).astype(dtype).T, positions, tuple(classes.tolist()), X.shape[1:])

    def __len__(self) -> int:
        """The number of examples, m."""
        return len(self.labels)

    @property
    def features(self) -> int:
        """The number of features, n_x."""
        return len(self.X)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the features."""
        return self.X.dtype

    def __repr__(self) -> str:
        """Return the number of examples, features and classes."""
        return f"Dataset({len(self)} examples of {len(self.X)} features in {len(self.classes)} classes)"

    def take(self, columns: Array) -> "Dataset":
        """Return the examples at these positions, in this order."""
        columns = as_array("columns", columns, DataError)
        if (
            columns.ndim != 1
            or columns.dtype.kind not in "iub"
            or (
                columns.dtype.kind != "b"
                and columns.size
                and not -len(self) <= columns.min() <= columns.max() < len(self)
            )
        ):
            raise DataError(f"take: columns must be positions in 0..{len(self) - 1}; got {few_entries(columns)}")
        # X.T has an example per row, so each example is copied as one block.
        return replace(self, X=self.X.T[columns].T, labels=self.labels[columns])

    def split(self, fraction: float, seed: int = 0) -> "tuple[Dataset, Dataset]":
        """Split at random into (the rest, the held-out fraction). Both keep all classes; a seed always gives one split.

        >>> rest, held_out = digits().split(0.2, seed=0)
        >>> len(rest), len(held_out)
        (1438, 359)
        """
        n = number_held_out(fraction, seed, len(self))
        order = np.random.default_rng(seed).permutation(len(self))
        return self.take(order[n:]), self.take(order[:n])


def digits() -> Dataset:
    """The 1,797 handwritten digits, 8x8 pixels from 0 to 16, that ship with autotiny.

    Source: E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning Repository, 1998,
    doi.org/10.24432/C50P49, CC BY 4.0.

    >>> data = digits()
    >>> data.X.shape, data.classes
    ((64, 1797), (0, 1, 2, 3, 4, 5, 6, 7, 8, 9))
    """
    rows = np.loadtxt(Path(__file__).parent / "data" / "digits.csv.gz", delimiter=",")
    return Dataset.from_rows(rows[:, :-1].reshape(-1, 8, 8), rows[:, -1])


def number_held_out(fraction: Any, seed: Any, m: int) -> int:
    """Return how many of m examples a split holds out; raise DataError where one side would be empty."""
    if isinstance(fraction, bool) or not isinstance(fraction, int | float | np.number):
        raise DataError(f"split: the fraction is {fraction!r}; a number is needed, such as 0.2")
    require_whole("split: the seed", seed, DataError, least=0)
    n = max(1, round(fraction * m)) if 0 < fraction < 1 else 0
    if not 0 < n < m:
        raise DataError(f"split: a fraction of {fraction} of {m} examples leaves one side empty")
    return n


def as_text(labels: Array) -> Array:
    """Return labels that are strings of Python, as columns of data frames hold them, as an array of text."""
    if labels.dtype.kind not in "OT":
        return labels
    for i, label in enumerate(labels.flat):
        if not isinstance(label, str) and str(label) in MISSING:
            raise DataError(f"the label of row {i} is missing")
    return labels.astype(np.str_) if all(isinstance(label, str) for label in labels.flat) else labels


def whole_numbers(labels: Array) -> Array:
    """Return labels as integers if they are whole numbers stored as floats."""
    whole = labels.dtype.kind == "f" and np.array_equal(labels, np.round(labels))
    return labels.astype(np.int64) if whole else labels


def check_examples(X: Array) -> None:
    """Raise DataError unless X has finite numbers, a row per example."""
    if X.dtype.kind not in "fiub":
        raise DataError(f"X holds {X.dtype}; numbers are needed")
    if X.ndim < 2 or 0 in X.shape:
        raise DataError(f"X has shape {X.shape}; a row per example and at least one column are needed")
    if not np.isfinite(X).all():
        where = tuple(np.argwhere(~np.isfinite(X))[0].tolist())
        raise DataError(f"X{list(where)} is {X[where]}; remove or fill in missing values")


def check_labels(y: Array, m: int) -> None:
    """Raise DataError unless there is a label for each of m examples."""
    if y.dtype.kind not in "fiubU":
        raise DataError(f"the labels are {y.dtype}; text (labels.astype(str)) or numbers are needed")
    if y.size != m or y.ndim == 0:
        raise DataError(f"X has {m} rows and the labels have shape {y.shape}; one label for each row is needed")
    if y.dtype.kind == "f" and not np.isfinite(y).all():
        raise DataError(f"the label of row {np.argmin(np.isfinite(y.ravel()))} is missing")


def check_classes(classes: Array, m: int) -> None:
    """Raise DataError where there is nothing to tell apart."""
    if len(classes) < 2:
        raise DataError(f"all {m} examples have the label {classes[0]!s}; at least two classes are needed")
    if len(classes) > m / 2:
        raise DataError(f"{len(classes)} different labels in {m} examples; a class needs several examples to be learnt")


# ----- standardisation -----


@dataclass(frozen=True, eq=False)
class Standardisation:
    """Features of mean 0 and standard deviation 1: X := (X - mean) / scale, with mean and scale (n_x, 1).

    Each feature of a table has its own scale. The pixels of an image share one, because otherwise a pixel that is
    nearly always white would be amplified. A constant feature keeps the scale 1.

    >>> data = Dataset.from_rows([[1., 10.], [3., 10.], [1., 10.], [3., 10.]], [0, 1, 0, 1])
    >>> Standardisation.fit(data)(data.X)
    array([[-1.,  1., -1.,  1.],
           [ 0.,  0.,  0.,  0.]])
    """

    mean: Array
    scale: Array

    def __post_init__(self) -> None:
        """Refuse all but two columns of equal length."""
        for name in ("mean", "scale"):
            require_instance(name, getattr(self, name), np.ndarray, DataError)
        if self.mean.ndim != 2 or self.mean.shape[1] != 1 or self.scale.shape[0] not in (1, len(self.mean)):
            raise DataError(f"mean has shape {self.mean.shape} and scale {self.scale.shape}; (n_x, 1) is needed")

    @classmethod
    def fit(cls, data: Dataset) -> "Standardisation":
        """Compute mean and scale from these examples; use the training part alone, so that no other data leaks in."""
        require_instance("data", data, Dataset, DataError)
        deviation = data.X.std(axis=None if len(data.shape) > 1 else 1, keepdims=True)
        # The computed deviation of equal numbers is a rounding error rather than 0.
        rounding = 10 * np.finfo(data.X.dtype).eps * np.abs(data.X).max(axis=1, keepdims=True)
        return cls(
            data.X.mean(axis=1, keepdims=True), np.where(deviation > rounding, deviation, 1).astype(data.X.dtype)
        )

    @classmethod
    def none(cls, data: Dataset) -> "Standardisation":
        """Return the identity, which leaves X unchanged."""
        require_instance("data", data, Dataset, DataError)
        return cls.identity(len(data.X), data.X.dtype)

    @classmethod
    def identity(cls, n: int, dtype: npt.DTypeLike) -> "Standardisation":
        """Return that of n features which leaves them unchanged."""
        return cls(np.zeros((n, 1), dtype), np.ones((n, 1), dtype))

    def __call__(self, X: Array) -> Array:
        """Return (X - mean) / scale."""
        X = as_array("X", X, DataError)
        if X.shape[:1] != self.mean.shape[:1] or X.dtype.kind not in "fiub":
            raise DataError(f"X holds {X.dtype} of shape {X.shape}; {len(self.mean)} features in rows are needed")
        return (X - self.mean) / self.scale
