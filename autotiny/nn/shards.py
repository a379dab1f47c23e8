"""Labelled examples in shards, each of which is loaded where and when it is used."""

import hashlib
import mmap
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from autotiny.nn.arguments import as_array, require_whole
from autotiny.nn.datasets import (
    Array,
    DataError,
    Dataset,
    Label,
    Standardisation,
    as_text,
    check_classes,
    check_examples,
    check_labels,
    number_held_out,
    whole_numbers,
)
from autotiny.nn.tabular import load_rows
from autotiny.shards.over_shards import outcomes, over_shards
from autotiny.shards.task import described

# ----- one shard -----


class Split(NamedTuple):
    """A part of a shard: a fraction of its examples that is held out, drawn at random, or the others."""

    fraction: float
    seed: tuple[int, int]
    held_out: bool

    def count(self, m: int) -> int:
        """Return how many of m examples are in this part."""
        n = round(self.fraction * m)
        return n if self.held_out else m - n

    def positions(self, m: int) -> Array:
        """Return which of m examples are in this part, in their order."""
        order, n = np.random.default_rng(self.seed).permutation(m), round(self.fraction * m)
        return np.sort(order[:n] if self.held_out else order[n:])


@dataclass(frozen=True, eq=False, repr=False)
class Shard:
    """What loads the rows and the labels of a shard, and the parts of them that are taken."""

    source: Any
    splits: tuple[Split, ...] = ()

    def __repr__(self) -> str:
        """Return what errors call the shard."""
        return described(self.source)

    def __call__(self) -> tuple[Array, Array]:
        """Return a row per example, and their labels."""
        loaded = self.source() if callable(self.source) else self.source
        if isinstance(loaded, Dataset):
            loaded = loaded.X.T.reshape(-1, *loaded.shape), np.array(loaded.classes)[loaded.labels]
        if not isinstance(loaded, tuple | list) or len(loaded) != 2:
            raise DataError(f"expected the rows and their labels, (rows, labels), or a Dataset; got {loaded!r:.60}")
        rows, labels = as_array("X", loaded[0], DataError), as_array("the labels", loaded[1], DataError)
        labels = as_text(labels.ravel())
        check_labels(labels, len(rows) if rows.ndim else 0)
        for split in self.splits:
            positions = split.positions(len(rows))
            rows, labels = rows[positions], labels[positions]
        return rows, whole_numbers(labels)


@dataclass(frozen=True, eq=False, repr=False)
class Reader:
    """A shard as a data set, whose classes are those of all shards."""

    shard: Shard
    classes: tuple[Label, ...]
    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    def __repr__(self) -> str:
        """Return what errors call the shard."""
        return repr(self.shard)

    def __call__(self) -> Dataset:
        """Load the examples; raise DataError where they are not those that were there before."""
        rows, labels = self.shard()
        classes = np.array(self.classes)
        positions = np.searchsorted(classes, labels).clip(max=len(classes) - 1)
        if rows.shape[1:] != self.shape or not np.array_equal(classes[positions], labels):
            raise DataError("the shard has other examples than when the data set was made")
        return Dataset(rows.reshape(len(rows), -1).astype(self.dtype).T, positions, self.classes, self.shape)


def _read_map(path: str, dtype: Any, offset: int, shape: tuple[int, ...], labels: Array) -> tuple[Array, Array]:
    """Return rows of a file, which are in memory as they are looked at."""
    return np.memmap(path, dtype, "r", offset, shape), labels


def _slices(rows: Array, labels: Array, size: int) -> list[Any]:
    """Return what loads each shard of an array; of a file that is mapped whole, what reads it there."""
    starts = range(0, len(rows), size)
    if not (isinstance(rows, np.memmap) and isinstance(rows.base, mmap.mmap) and rows.flags.c_contiguous):
        return [(rows[start : start + size], labels[start : start + size]) for start in starts]
    parts = [rows[start : start + size].shape for start in starts]
    offsets = [rows.offset + start * rows.strides[0] for start in starts]
    return [
        partial(_read_map, rows.filename, rows.dtype, offset, shape, labels[start : start + size])
        for start, offset, shape in zip(starts, offsets, parts, strict=True)
    ]


# ----- the data set -----


class Facts(NamedTuple):
    """What is known of the examples of a shard after a look at them."""

    length: int
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    classes: Array
    largest: Array
    digest: bytes


def _facts(rows: Array, labels: Array) -> Facts:
    check_examples(rows)
    digest = hashlib.sha256(repr((rows.shape, rows.dtype.str)).encode())
    digest.update(np.ascontiguousarray(rows).data)
    digest.update(labels.tobytes())
    largest = np.maximum(rows.max(axis=0), -rows.min(axis=0)).ravel()
    dtype = rows.dtype if rows.dtype.kind == "f" else np.dtype(np.float64)
    return Facts(len(rows), rows.shape[1:], dtype, np.unique(labels), largest, digest.digest())


@dataclass(frozen=True, eq=False, repr=False)
class Shards:
    """Labelled examples in shards, of which few are in memory at a time.

    `Shards.of` takes what loads each shard, `from_files` files, `from_rows` an array, such as a memory map.

    >>> rows, labels = np.arange(16.0).reshape(8, 2), np.array(["cat", "dog"] * 4)
    >>> Shards.from_rows(rows, labels, size=3)
    Shards(8 examples of 2 features in 2 classes, in 3 shards)
    """

    parts: tuple[Shard, ...]
    lengths: tuple[int, ...]
    classes: tuple[Label, ...]
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    largest: Array
    """The largest magnitude of each feature."""
    fingerprint: str

    @classmethod
    def of(cls, shards: Sequence[Any], map: Any = map) -> "Shards":  # noqa: A002
        """Make a data set of shards: pairs (rows, labels), data sets, or functions that load one where it is used.

        Each is looked at once, by any `map` that at.over_shards takes. Raises ShardError, with the number of the
        shard, for what `Dataset.from_rows` refuses, and DataError where shards do not fit together.
        """
        parts = tuple(Shard(source) for source in shards)
        if not parts:
            raise DataError("there are no shards")
        facts: list[Facts] = [each.value for each in outcomes(_facts, parts, map=map)]
        for i, each in enumerate(facts):
            _require_alike(i, each, facts[0])
        classes = np.unique(np.concatenate([each.classes for each in facts]))
        check_classes(classes, sum(each.length for each in facts))
        return cls(
            parts,
            tuple(each.length for each in facts),
            tuple(classes.tolist()),
            facts[0].shape,
            np.result_type(*(each.dtype for each in facts)),
            np.max([each.largest for each in facts], axis=0),
            hashlib.sha256(b"".join(each.digest for each in facts)).hexdigest(),
        )

    @classmethod
    def from_rows(cls, rows: npt.ArrayLike, labels: Any, size: int = 100_000, map: Any = map) -> "Shards":  # noqa: A002
        """Make a data set of an array with a row, or an image, per example, in shards of `size` rows.

        Of a file that is mapped, np.load("X.npy", mmap_mode="r"), rows are read when and where they are used.
        """
        X = rows if isinstance(rows, np.memmap) else as_array("X", rows, DataError)
        y = as_text(as_array("the labels", labels, DataError))
        require_whole("size", size, DataError)
        check_labels(y, len(X) if X.ndim else 0)
        return cls.of(_slices(X, y.ravel(), size), map)

    @classmethod
    def from_files(cls, paths: Sequence[str | Path], label: str | int | None = None, map: Any = map) -> "Shards":  # noqa: A002
        """Make a data set of files, each a shard; see `load_table`."""
        return cls.of([partial(load_rows, path, label) for path in paths], map)

    def __len__(self) -> int:
        """The number of examples, m."""
        return sum(self.lengths)

    def __repr__(self) -> str:
        """Return the number of examples, features, classes and shards."""
        examples = f"{len(self)} examples of {self.features} features in {len(self.classes)} classes"
        return f"Shards({examples}, in {len(self.parts)} shards)"

    @property
    def features(self) -> int:
        """The number of features, n_x."""
        return len(self.largest)

    def split(self, fraction: float, seed: int = 0) -> "tuple[Shards, Shards]":
        """Split each shard at random into (the rest, the held-out fraction); a seed always gives one split."""
        number_held_out(fraction, seed, len(self))
        rest, held_out = self._part(fraction, seed, False), self._part(fraction, seed, True)
        if not (rest.parts and held_out.parts):
            raise DataError(f"split: a fraction of {fraction} of each shard leaves one side empty")
        return rest, held_out

    def _part(self, fraction: float, seed: int, held_out: bool) -> "Shards":
        parts, lengths = [], []
        for i, (part, m) in enumerate(zip(self.parts, self.lengths, strict=True)):
            split = Split(fraction, (seed, i), held_out)
            if split.count(m):
                parts.append(Shard(part.source, (*part.splits, split)))
                lengths.append(split.count(m))
        fingerprint = hashlib.sha256(repr((self.fingerprint, fraction, seed, held_out)).encode()).hexdigest()
        return replace(self, parts=tuple(parts), lengths=tuple(lengths), fingerprint=fingerprint)

    def readers(self) -> list[Reader]:
        """Return what loads each shard as a data set."""
        return [Reader(part, self.classes, self.shape, self.dtype) for part in self.parts]

    def standardisation(self, map: Any = map) -> Standardisation:  # noqa: A002
        """Compute mean and scale of these examples, as Standardisation.fit does; they are loaded twice."""
        mean = over_shards(_mean, self.parts, (), map, _rows_in)
        image = len(self.shape) > 1
        centre = mean.mean() if image else mean
        variance = over_shards(_variance, self.parts, (centre,), map, _rows_in)
        deviation = np.sqrt(variance.mean(keepdims=True) if image else variance)
        rounding = 10 * np.finfo(self.dtype).eps * self.largest
        scale = np.where(deviation > rounding, deviation, 1)
        return Standardisation(mean[:, None].astype(self.dtype), scale[:, None].astype(self.dtype))


def _require_alike(i: int, facts: Facts, first: Facts) -> None:
    if facts.shape != first.shape:
        raise DataError(f"an example of shard {i} has shape {facts.shape}; in shard 0 it has shape {first.shape}")
    if (facts.classes.dtype.kind == "U") != (first.classes.dtype.kind == "U"):
        raise DataError(f"the labels of shard {i} are {facts.classes.dtype}; in shard 0 they are {first.classes.dtype}")


def _rows_in(shard: tuple[Array, Array]) -> int:
    return len(shard[0])


def _mean(rows: Array, labels: Array) -> Array:
    return rows.reshape(len(rows), -1).mean(axis=0, dtype=np.float64)


def _variance(centre: Array, rows: Array, labels: Array) -> Array:
    deviations = rows.reshape(len(rows), -1) - centre
    return np.mean(deviations * deviations, axis=0)
