"""What type checkers see of gradients: by an array or a number it is an array, by a tree of them such a tree.

Nothing here runs: at.grad and at.value_and_grad return a `Derivative`.
"""

from typing import Any, Concatenate, ParamSpec, TypeVar, overload

import numpy.typing as npt

from autotiny.engine.derivative import Derivative
from autotiny.engine.tensor import Tensor

P = ParamSpec("P")
Others = ParamSpec("Others")
Array = npt.NDArray[Any]
Value = TypeVar("Value", bound=complex | Array)
Tree = TypeVar("Tree")

class Gradient(Derivative[P, Any]):
    """A gradient by the first argument."""

    @overload
    def __call__(
        self: Gradient[Concatenate[Tensor, Others]], x: npt.ArrayLike, /, *args: Others.args, **kwargs: Others.kwargs
    ) -> Array: ...
    @overload
    def __call__(
        self: Gradient[Concatenate[Value, Others]], x: complex | Array, /, *args: Others.args, **kwargs: Others.kwargs
    ) -> Array: ...
    @overload
    def __call__(
        self: Gradient[Concatenate[Tree, Others]], x: Tree, /, *args: Others.args, **kwargs: Others.kwargs
    ) -> Tree: ...
    @overload
    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Any: ...

class ValueAndGradient(Derivative[P, tuple[Array, Any]]):
    """A value, and its gradient by the first argument."""

    @overload
    def __call__(
        self: ValueAndGradient[Concatenate[Tensor, Others]],
        x: npt.ArrayLike,
        /,
        *args: Others.args,
        **kwargs: Others.kwargs,
    ) -> tuple[Array, Array]: ...
    @overload
    def __call__(
        self: ValueAndGradient[Concatenate[Value, Others]],
        x: complex | Array,
        /,
        *args: Others.args,
        **kwargs: Others.kwargs,
    ) -> tuple[Array, Array]: ...
    @overload
    def __call__(
        self: ValueAndGradient[Concatenate[Tree, Others]], x: Tree, /, *args: Others.args, **kwargs: Others.kwargs
    ) -> tuple[Array, Tree]: ...
    @overload
    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> tuple[Array, Any]: ...
