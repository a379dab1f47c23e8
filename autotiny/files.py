"""Read arrays from .npz files and rows from .csv files, which may be truncated or hostile.

Each kind of file has its own error, and nothing is unpickled.
"""

import csv
import gzip
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TextIO, cast

import numpy as np
import numpy.typing as npt

from autotiny.errors import AutotinyError

DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, ValueError, KeyError, NotImplementedError, RuntimeError)


class NpzError(AutotinyError):
    """A file that is not an .npz file, is damaged, or lacks an array."""


def load_npz(path: str | Path, names: Sequence[str] | None = None) -> dict[str, npt.NDArray[Any]]:
    """Return the arrays of these names in an .npz file, or all of them.

    Raises NpzError if the file is missing, truncated, of another kind, needs pickle, or lacks a name.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = {name.removesuffix(".npy"): name for name in archive.namelist()}
            return {name: _read(archive, members, name) for name in (members if names is None else names)}
    except OSError as error:
        raise NpzError(f"{path}: {error.strerror or error}") from error
    except NpzError as error:
        raise NpzError(f"{path}: {error}") from error
    except DAMAGE as error:
        raise NpzError(f"{path}: not an .npz file, or a damaged one ({error})") from error


def _read(archive: zipfile.ZipFile, members: dict[str, str], name: str) -> npt.NDArray[Any]:
    if name not in members:
        raise NpzError(f"no array {name!r}; the file holds {', '.join(map(repr, members)) or 'none'}")
    try:
        with archive.open(members[name]) as file:
            return np.lib.format.read_array(file, allow_pickle=False)
    except DAMAGE as error:
        raise NpzError(f"array {name!r} is damaged, or not plain numbers or text ({error})") from error


# ----- CSV, plain or compressed -----


class CsvError(AutotinyError):
    """Text that is not a table of comma-separated values."""


def read_rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield the line number and the fields of each row of a .csv or .csv.gz file, skipping blank lines.

    Raises OSError if the file cannot be opened, and CsvError if it cannot be decoded.
    """
    opened = (gzip.open if path.suffix == ".gz" else open)(path, "rt", encoding="utf-8-sig", newline="")
    with cast(TextIO, opened) as file:
        reader = csv.reader(file, strict=True)
        try:
            for fields in reader:
                if len(fields) > 1 or "".join(fields).strip():
                    yield reader.line_num, fields
        except csv.Error as error:
            raise CsvError(f"line {reader.line_num}: {error}") from error
        except UnicodeDecodeError as error:
            raise CsvError(f"after line {reader.line_num}: not UTF-8 text ({error.reason})") from error
        except (EOFError, zlib.error) as error:
            raise CsvError(f"after line {reader.line_num}: the compressed file is damaged ({error})") from error


def is_number(text: str) -> bool:
    """Whether a field is a number as Python writes it.

    >>> is_number(" 1e3"), is_number("nan"), is_number("1;2")
    (True, True, False)
    """
    try:
        float(text)
    except ValueError:
        return False
    return True
