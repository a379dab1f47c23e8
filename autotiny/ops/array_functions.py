"""The type of a function that takes an array or a Tensor, and returns the same: at.relu, at.cross_entropy ..."""

from collections.abc import Callable, Sequence
from typing import Any, Concatenate, ParamSpec, Protocol, TypeAlias, TypeVar, overload

import numpy as np
import numpy.typing as npt

Options = ParamSpec("Options")


class Recorded(Protocol):
    """A value that is recorded, as a Tensor is."""

    def __autotiny_call__(self, function: Any, args: Any, kwargs: Any, /) -> Any:
        """Record a call of a NumPy function."""


Plain: TypeAlias = npt.NDArray[Any] | np.number[Any] | np.bool | complex | Sequence[Any]
"""Arrays, numbers, and lists of them; not whatever has `__array__`, which includes Tensors."""
AnyRecorded = TypeVar("AnyRecorded", bound=Recorded)


class ArrayFunction(Protocol[Options]):
    """A function whose first argument says what it returns."""

    @overload
    def __call__(self, x: AnyRecorded, /, *args: Options.args, **kwargs: Options.kwargs) -> AnyRecorded: ...
    @overload
    def __call__(self, x: Plain, /, *args: Options.args, **kwargs: Options.kwargs) -> npt.NDArray[Any]: ...


def array_function(function: Callable[Concatenate[Any, Options], Any]) -> ArrayFunction[Options]:
    """Return the function as it is: this tells type checkers that it returns what it is given, a Tensor or an array."""
    typed: Any = function
    return typed
