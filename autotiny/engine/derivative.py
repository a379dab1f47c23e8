"""Derivative: what a transform makes of a function."""

import copy
import functools
from collections.abc import Callable
from types import MethodType
from typing import Any, Generic, ParamSpec, TypeVar

from autotiny.engine.pickling import name_of_wrapper
from autotiny.errors import UnsupportedError

Function = Callable[..., Any]
P = ParamSpec("P")
Result = TypeVar("Result", covariant=True)


class Derivative(Generic[P, Result]):
    """What a transform makes of a function: it has its signature, and can be pickled if the function can be."""

    def __init__(self, compute: Callable[P, Result], transform: Function, f: Function, **options: Any) -> None:
        functools.update_wrapper(self, f, updated=())
        self.compute, self.transform, self.f, self.options = compute, transform, f, options

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Result:
        """Return the derivative at these arguments."""
        return self.compute(*args, **kwargs)

    def __get__(self, owner: Any, kind: Any = None) -> Any:
        return self if owner is None else MethodType(self, owner)

    def __repr__(self) -> str:
        return f"<{self.transform.__name__} of {getattr(self.f, '__qualname__', self.f)}>"

    def __reduce__(self) -> Any:
        name = name_of_wrapper(self, self.f, self.transform.__name__)
        return (_made, (self.transform, self.f, self.options)) if name is None else name

    def __copy__(self) -> Any:
        return self.transform(self.f, **self.options)

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return self.transform(copy.deepcopy(self.f, memo), **self.options)


def _made(transform: Function, f: Function, options: dict[str, Any]) -> Any:
    return transform(f, **options)


def require_function(f: Any, where: str) -> None:
    """Raise UnsupportedError unless f can be called."""
    if not callable(f):
        raise UnsupportedError(f"{where}: expected a function, got {type(f).__name__}")
