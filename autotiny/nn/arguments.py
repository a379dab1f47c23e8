"""Checks of the arguments of networks, data sets and trainings, in the words of the package."""

import os
from typing import Any

import numpy as np

from autotiny.errors import AutotinyError


def require_whole(name: str, value: Any, error: type[AutotinyError], least: int = 1) -> None:
    """Raise `error` unless the value is a whole number of at least `least`; a truth value counts as none."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise error(f"{name} is {value!r}; a whole number of at least {least} is needed")


def require_instance(name: str, value: Any, kind: type, error: type[AutotinyError], mend: str = "") -> None:
    """Raise `error` unless the value is of this class."""
    if not isinstance(value, kind):
        raise error(f"{name} is a {type(value).__name__}; a {kind.__name__} is needed{mend}")


def require_path(value: Any, error: type[AutotinyError]) -> None:
    """Raise `error` unless the value names a file."""
    if not isinstance(value, str | os.PathLike):
        raise error(f"expected the name of a file, such as 'run.npz'; got {type(value).__name__}")


def as_array(name: str, values: Any, error: type[AutotinyError]) -> np.ndarray:
    """Return values as an array; raise `error` where they do not form one, as rows of unequal lengths."""
    try:
        return np.asarray(values)
    except (ValueError, TypeError, AutotinyError) as reason:
        raise error(f"{name} cannot be read as an array ({reason})") from reason
