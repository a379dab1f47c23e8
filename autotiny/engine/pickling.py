"""Pickling what is made of a function: by the function, or by its name where that stands for the result."""

import io
import pickle
import sys
from types import FrameType, FunctionType
from typing import Any

from autotiny.errors import UnsupportedError


def name_of_wrapper(wrapper: Any, f: Any, where: str) -> str | None:
    """Return the name under which a module has what was made of a function, as by a decorator; None if it has f.

    To be called by __reduce__. Raises UnsupportedError where the module has neither, so that pickle could not find f
    again; cloudpickle and the like have their own way with such functions, and with those of the main program.
    """
    by_value = _pickler_by_value(sys._getframe(2)) is not None
    layers = [f]
    while not isinstance(f, FunctionType) and (inner := inner_function(f)) is not None:
        f = inner
        layers.append(f)
    if not isinstance(f, FunctionType):
        return None
    by_name = by_qualified_name(f)
    if by_name is wrapper and not (by_value and f.__module__ == "__main__"):
        return f.__qualname__
    if not by_value and not any(by_name is layer for layer in layers):
        raise UnsupportedError(
            f"{where}: {f.__qualname__} cannot be pickled, as it is not found under that name in its module; "
            f"define the function at the top level of a module, or call at.{where} where it is needed"
        )
    return None


def inner_function(f: Any) -> Any:
    """Return the function in a method, a partial or a wrapper, None if it is none of them."""
    names = ("__func__", "func", "__wrapped__")
    return next((getattr(f, name) for name in names if hasattr(f, name)), None)


def by_qualified_name(f: FunctionType) -> Any:
    """Return what a module has under the name of a function, None if it has none."""
    value: Any = sys.modules.get(f.__module__)
    for name in f.__qualname__.split("."):
        value = getattr(value, name, None)
    return value


def _pickler_by_value(frame: FrameType | None) -> pickle.Pickler | None:
    """Return the pickler that runs in a frame if it has its own way with functions, as cloudpickle's."""
    pickler = frame.f_locals.get("self") if frame else None
    return pickler if isinstance(pickler, pickle.Pickler) and hasattr(pickler, "reducer_override") else None


def pickled(f: Any) -> bytes:
    """Return a function as the pickler writes it that called __reduce__, from which this is called."""
    pickler = _pickler_by_value(sys._getframe(2))
    if pickler is None:
        return pickle.dumps(f)
    file = io.BytesIO()
    type(pickler)(file).dump(f)
    return file.getvalue()
