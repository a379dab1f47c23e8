"""Arrays from .npz files that may be foreign, truncated or hostile: without pickle, and with one kind of error."""

import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

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
