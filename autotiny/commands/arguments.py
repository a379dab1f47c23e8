"""Values given on the command line: arrays written out or in a file, and whole numbers."""

import argparse
import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autotiny.errors import AutotinyError
from autotiny.files import DAMAGE, CsvError, is_number, load_npz, read_rows
from autotiny.language import ExpressionError, evaluate

Array = NDArray[Any]
NAMED = re.compile(r"\s*[^\W\d]\w*\s*=")
FILES = (".npy", ".npz", ".csv", ".csv.gz")


class InputError(AutotinyError):
    """An argument of the command line that cannot be used."""


# ----- arrays -----
def read_values(settings: list[str]) -> dict[str, Any]:
    """The values of `NAME=VALUE`, `NAME=FILE` and `FILE.npz`, in that order; a value may use those before it.

    Raises InputError, NpzError and ExpressionError.

    >>> read_values(["n=2", "W=eye(n) / 4"])["W"]
    array([[0.25, 0.  ],
           [0.  , 0.25]])
    """
    values: dict[str, Any] = {}
    for setting in settings:
        if setting.endswith(".npz") and not NAMED.match(setting):
            values |= _numbers(load_npz(setting))
        else:
            name, text = split_setting(setting, "--set", "VALUE")
            values[name] = _from_file(text, name) if text.endswith(FILES) else _evaluated(name, text, values)
    return values


def split_setting(setting: str, option: str, what: str) -> tuple[str, str]:
    """The two sides of `NAME=...`; raises InputError for anything else."""
    name, sign, text = setting.partition("=")
    if not sign or not name.strip().isidentifier():
        raise InputError(f"{option} {setting[:60]!r}: expected NAME={what}, with a name such as W1")
    return name.strip(), text.strip()


def _evaluated(name: str, text: str, values: dict[str, Any]) -> Any:
    try:
        return evaluate(text, values).value
    except ExpressionError as error:
        raise error.within(f"--set {name}") from error


def _numbers(arrays: dict[str, Array]) -> dict[str, Array]:
    """The arrays of real numbers; no formula can use text and the like."""
    return {name: array for name, array in arrays.items() if array.dtype.kind in "fiub"}


# ----- files -----
def _from_file(path: str, name: str) -> Array:
    if path.endswith(".npz"):
        arrays = load_npz(path)
        if name not in arrays and len(arrays) != 1:
            raise InputError(f"{path}: there is no array {name}; it holds {', '.join(arrays) or 'none'}")
        array = arrays.get(name, next(iter(arrays.values())))
    else:
        array = (_npy if path.endswith(".npy") else _csv)(Path(path))
    if array.dtype.kind not in "fiub":
        raise InputError(f"{path}: expected real numbers; got {array.dtype}")
    return array


def _npy(path: Path) -> Array:
    with path.open("rb") as file:
        try:
            return np.lib.format.read_array(file, allow_pickle=False)
        except (*DAMAGE, MemoryError) as error:
            raise InputError(f"{path}: not an .npy file of plain numbers, or a damaged one ({error})") from error


def _csv(path: Path) -> Array:
    """Read rows of numbers below an optional header; a single row or column is a vector."""
    try:
        rows = [fields for _, fields in read_rows(path) if not fields[0].startswith("#")]  # as np.savetxt comments
        header = bool(rows) and not any(map(is_number, rows[0]))
        if len(rows) == header:
            raise InputError(f"{path}: there are no rows of numbers")
        return np.array(rows[header:], dtype=float).squeeze()
    except (CsvError, ValueError) as error:
        raise InputError(f"{path}: not a table of numbers with commas: {error}") from error


# ----- whole numbers -----
def whole_number(text: str, least: int = 0) -> int:
    """A whole number, for argparse; raises ArgumentTypeError for other text, and for a smaller number than `least`."""
    if not text.isdecimal() or int(text) < least:
        raise argparse.ArgumentTypeError(f"expected a whole number of at least {least}; got {text!r}")
    return int(text)


def positive_number(text: str) -> int:
    """A whole number of at least 1, for argparse."""
    return whole_number(text, least=1)
