"""Read arrays from .npz files and rows from .csv files, which may be truncated or hostile; write files whole.

Each kind of file has its own error, and nothing is unpickled.
"""

import csv
import errno
import glob
import gzip
import math
import os
import tokenize
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import IO, Any, TextIO, cast

import numpy as np
import numpy.typing as npt

from autotiny.errors import AutotinyError, UnsupportedError

DAMAGE = (
    *(zipfile.BadZipFile, zlib.error, EOFError, ValueError, KeyError, NotImplementedError, RuntimeError),
    *(MemoryError, OverflowError, TypeError, AttributeError, IndexError, SyntaxError, tokenize.TokenError),
)
"""What Python and NumPy raise for damaged archives and headers."""
LARGE, RATIO = 2**30, 500
"""Bytes from which an array is not unpacked that takes 1/500 of them: no data does, but a trap for the reader."""
LONGEST_LINE = 2**24


class FileNameError(AutotinyError, ValueError):
    """A file name whose ending is not that of a format."""


class NpzError(AutotinyError):
    """A file that is not an .npz file, is damaged, or lacks an array."""


def load_npz(path: str | Path, names: Sequence[str] | None = None) -> dict[str, npt.NDArray[Any]]:
    """Return the arrays of these names in an .npz file, or all of them.

    Raises NpzError if the file is missing, truncated, of another kind, needs pickle, or lacks a name.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = {name.removesuffix(".npy"): name for name in archive.namelist()}
            if len(members) < len(archive.namelist()):
                raise NpzError("two arrays have the same name")
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
        info = archive.getinfo(members[name])
        if info.file_size > max(LARGE, RATIO * info.compress_size):
            raise NpzError(f"array {name!r} would unpack from {info.compress_size} bytes to {info.file_size}")
        with archive.open(info) as file:
            shape, dtype = _header(file)
            if min(shape, default=0) < 0 or math.prod(shape) * dtype.itemsize > info.file_size:
                raise NpzError(f"array {name!r} claims the shape {shape}, for which the file is too short")
        with archive.open(info) as file:
            return np.lib.format.read_array(file, allow_pickle=False)
    except DAMAGE as error:
        raise NpzError(f"array {name!r} is damaged, or not plain numbers or text ({error})") from error


def _header(file: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Return the shape and type that the header of an array claims."""
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read(file)
    return shape, dtype


# ----- writing -----
def replace_file(path: str | Path, write: Callable[[IO[bytes]], None]) -> None:
    """Write a file whole: a draft beside it, flushed to disk, is renamed over it. The old or the new one remains.

    Drafts that killed processes have left are removed. Raises OSError; NotAFileError for a folder, a pipe or a device.
    """
    path = os.path.realpath(path)
    if os.path.exists(path) and not os.path.isfile(path):
        raise NotAFileError(errno.EINVAL, "it is a folder, a pipe or a device, and only files are replaced")
    folder, name = os.path.split(path)
    _remove_drafts(Path(folder), name)
    draft = os.path.join(folder, f".{name}.{os.getpid()}.tmp")
    try:
        with open(draft, "wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, path)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise
    _sync_folder(folder)


class NotAFileError(OSError):
    """A path that is not that of a regular file."""


def _remove_drafts(folder: Path, name: str) -> None:
    """Remove the drafts of a file whose processes have ended."""
    for draft in folder.glob(f".{glob.escape(name)}.*.tmp"):
        process = draft.name[len(name) + 2 : -len(".tmp")]
        if process.isdigit() and not _is_running(int(process)):
            draft.unlink(missing_ok=True)


def _is_running(process: int) -> bool:
    if os.name != "posix":
        return True  # where a signal of 0 would end it
    try:
        os.kill(process, 0)
    except PermissionError:
        return True
    except (OSError, OverflowError):
        return False
    return True


def _sync_folder(folder: str) -> None:
    # Only POSIX can open a folder; elsewhere the rename cannot be made more durable.
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


# ----- CSV, plain or compressed -----


class CsvError(AutotinyError):
    """Text that is not a table of comma-separated values."""


def read_rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield the line number and the fields of each row of a .csv or .csv.gz file, skipping blank lines.

    Raises OSError if the file cannot be opened, and CsvError if it cannot be decoded.
    """
    opened = (gzip.open if path.suffix == ".gz" else open)(path, "rt", encoding="utf-8-sig", newline="")
    with cast(TextIO, opened) as file:
        reader = csv.reader(_lines(file), strict=True)
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


def _lines(file: TextIO) -> Iterator[str]:
    """Yield the lines of a file; raise CsvError for what is not a line of a table."""
    number = 0
    while line := file.readline(LONGEST_LINE):
        number += 1
        if len(line) == LONGEST_LINE:
            raise CsvError(f"line {number}: it has more than {LONGEST_LINE} characters")
        yield line


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


# ----- names -----
def file_named(path: Any, endings: Collection[str], expected: str) -> tuple[Path, str]:
    """Return the path to save to, and its ending in small letters; `expected` opens with who saves.

    Raises UnsupportedError for what is not a file name, FileNameError for an ending that is not among those.

    >>> file_named("net.SVG", [".svg"], "draw: expected an .svg")[1]
    '.svg'
    """
    if not isinstance(path, str | os.PathLike):
        where = expected.partition(":")[0]
        raise UnsupportedError(f"{where}: expected a file name, such as 'net.svg'; got {type(path).__name__} {path!r}")
    path = Path(path)
    ending = path.suffix.lower()
    if ending not in endings:
        raise FileNameError(f"{expected}; got {str(path)!r}")
    return path, ending
