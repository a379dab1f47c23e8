"""Labelled examples from .csv and .npz files, with errors that name the line and the column."""

from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from math import isfinite
from pathlib import Path

import numpy as np

from autotiny.files import CsvError, is_number, load_npz, read_rows
from autotiny.nn.arguments import require_path
from autotiny.nn.datasets import Array, DataError, Dataset

BLANK = {"", "?", "nan"}
SUFFIXES = (".csv", ".csv.gz", ".npz")
"""The ends of the names of files that can be read."""
MISSING = BLANK | {"na", "n/a", "null", "none"}


def load_table(path: str | Path, label: str | int | None = None) -> Dataset:
    """Load labelled examples from a file, one row per example.

    .csv, .csv.gz : numbers and one label column, the last or `label` (a name in the header, or a position from 0);
    a first row without a number is the header.  .npz : X, and y or the array named `label`.
    Raises DataError, with line and column, if the contents are invalid, and NpzError if an .npz file cannot be read.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder) / "petals.csv"
    ...     _ = path.write_text("kind,length\\nrose,1.5\\nlily,4\\nrose,1.25\\nlily,5\\n")
    ...     data = load_table(path, label="kind")
    >>> data.X, data.classes
    (array([[1.5 , 4.  , 1.25, 5.  ]]), ('lily', 'rose'))
    """
    rows, labels = load_rows(path, label)
    try:
        return Dataset.from_rows(rows, labels)
    except DataError as error:
        raise DataError(f"{path}: {error}") from error


def load_rows(path: str | Path, label: str | int | None = None) -> tuple[Array, Array]:
    """Return the rows and the labels in a file that load_table takes, which may lack some of the classes."""
    require_path(path, DataError)
    if not (label is None or isinstance(label, str | int)):
        raise DataError(f"label is {label!r}; the name of a column, or its position from 0, is needed")
    path = Path(path)
    try:
        if path.suffix == ".npz":
            arrays = load_npz(path, names := ("X", "y" if label is None else str(label)))
            return arrays[names[0]], arrays[names[1]]
        if path.name.endswith((".csv", ".csv.gz")):
            return _parse(read_rows(path), -1 if label is None else label)
    except OSError as error:
        raise DataError(f"{path}: {error.strerror or error}") from error
    except (DataError, CsvError) as error:
        raise DataError(f"{path}: {error}") from error
    raise DataError(f"{path}: a .csv, .csv.gz or .npz file is needed")


def _parse(rows: Iterator[tuple[int, list[str]]], label: str | int) -> tuple[Array, Array]:
    first = next(rows, None)
    if first is None:
        raise DataError("no rows")
    header = _is_header(first[1])
    columns = _Columns.of(first[1], header, label)
    values, labels = array("d"), []
    for line, fields in rows if header else chain([first], rows):
        numbers, name = columns.read(line, fields)
        values.extend(numbers)
        labels.append(name)
    if not labels:
        raise DataError("no rows below the header")
    return np.array(values).reshape(len(labels), -1), _numbers_or_text(labels)


def _is_header(fields: list[str]) -> bool:
    # Only the first name may be blank: tables are often saved with an unnamed index column.
    return not any(map(is_number, fields)) and not any(field.strip() in BLANK for field in fields[1:])


def _numbers_or_text(labels: list[str]) -> Array:
    return np.array(labels, dtype=np.float64 if all(map(is_number, labels)) else np.str_)


@dataclass(frozen=True)
class _Columns:
    names: list[str]
    target: int

    @classmethod
    def of(cls, first: list[str], header: bool, label: str | int) -> "_Columns":
        if len(first) == 1:
            raise DataError(f"line 1 has one column, {first[0][:40]!r}; numbers and a label, with commas, are needed")
        names = [field.strip() for field in first] if header else [str(i) for i in range(len(first))]
        if label in names:
            return cls(names, names.index(str(label)))
        try:
            return cls(names, range(len(names))[int(label)])
        except (ValueError, IndexError):
            known = f"{', '.join(names[:8])}{', ...' if len(names) > 8 else ''}"
            raise DataError(f"no label column {label!r}; the columns are {known}") from None

    def read(self, line: int, fields: list[str]) -> tuple[list[float], str]:
        """Return the numbers of a row and its label."""
        if len(fields) != len(self.names):
            raise DataError(f"line {line}: {len(fields)} columns where the first row has {len(self.names)}")
        label = fields[self.target].strip()
        if label.lower() in BLANK:
            raise DataError(f"line {line}: the label (column {self.names[self.target]}) is missing")
        texts = fields[: self.target] + fields[self.target + 1 :]
        try:
            numbers = list(map(float, texts))
        except ValueError:
            raise self._fault(line, fields) from None
        if not all(map(isfinite, numbers)):
            raise self._fault(line, fields)
        return numbers, label

    def _fault(self, line: int, fields: list[str]) -> DataError:
        """Return an error about the first field of the row that is not a finite number."""
        for i, text in enumerate(fields):
            if i != self.target and not (is_number(text) and isfinite(float(text))):
                break
        if text.strip().lower() in MISSING:
            return DataError(f"line {line}: column {self.names[i]} is missing ({text!r})")
        return DataError(f"line {line}: column {self.names[i]} is {text!r}; a finite number is needed")
