"""Tensor: a node with the arithmetic of an array, so that plain NumPy code records a graph."""

import math
import operator
import sys
from typing import TYPE_CHECKING, Any, TypeAlias, overload

import numpy as np
import numpy.typing as npt

from autotiny.engine import gradients, messages
from autotiny.engine.array_mends import assignment_mend
from autotiny.engine.libraries import sparse_product_asks
from autotiny.engine.modes import modes
from autotiny.engine.ndarray_names import NdarrayNames
from autotiny.engine.node import Node, not_assignable
from autotiny.engine.numpy_protocol import ArrayProtocol
from autotiny.engine.recording import augmented, call, operators, plain_operators, record, value_of
from autotiny.engine.values import DIFFERENTIABLE, read_only
from autotiny.errors import UnsupportedError
from autotiny.ops import OPS
from autotiny.ops.indexing import index
from autotiny.ops.table import require_real_place

if TYPE_CHECKING:
    from autotiny.engine.tensor_types import TensorTypes
else:

    class TensorTypes:
        """The types of a Tensor's operators and methods, for type checkers alone."""

        __slots__ = ()


def _plain_key(part: Any) -> Any:
    """Return a private copy of a part of an index; a Tensor counts by its value."""
    if isinstance(part, Node):
        if part.requires_grad and part.dtype.kind in DIFFERENTIABLE:
            raise messages.float_as_index(part)
        part = part._value
    if isinstance(part, list) and not part:
        return np.array(part, dtype=int)
    try:
        return np.array(part) if isinstance(part, np.ndarray | list) else part
    except ValueError as error:
        raise UnsupportedError(f"index: {part} does not form an array ({error})") from None


def no_array(value: Any) -> np.ndarray:
    """Return a value as an object without axes, which tells SciPy's sparse matrices that it is no array."""
    result = np.empty((), object)
    result[()] = value
    return result


class Tensor(TensorTypes, NdarrayNames, ArrayProtocol, Node):
    """A value that remembers how it was made, so that it can be differentiated.

    Parameters
    ----------
    data : a number, an array or nested lists; copied. Integers become float64 when tracked; others keep their type.
    requires_grad : whether gradients are wanted; False for data.
    name : shown in pictures, tables and errors.
    dtype : the floating-point or complex type to hold the values in.

    Attributes
    ----------
    grad : dJ/d(this), of the same shape, after `J.backward()`; None before. For a complex tensor z it is
        dJ/dRe(z) + i dJ/dIm(z), the direction of steepest ascent, so that z - alpha * z.grad descends; that of Re(f(z))
        for a holomorphic f is the conjugate of f'(z). PyTorch does the same, JAX and HIPS give the conjugate of it.
    op, args, kwargs : the operation that made it with its operands and options; op is None for a leaf.

    A recorded value is never changed in place, so that no view or earlier result of it can go stale. `y += v` makes a
    new value, which y then names; other names and views of y keep the old one. `y[i] = v`, `out=`, `np.add.at(y, i, v)`
    and the like are refused by an error that writes the line as y = at.index_update(y, i, v). A leaf is updated inside
    `with at.no_grad():`.

    Raises UnsupportedError for text, ragged lists and Tensors, and for complex numbers in a real dtype.

    >>> import numpy as np
    >>> W = Tensor([[1.0, 2.0], [3.0, 4.0]], name="W")
    >>> y = np.sum(W * W)
    >>> y.backward()
    >>> W.grad  # 2 W
    array([[2., 4.],
           [6., 8.]])
    >>> z = Tensor(3.0 + 4.0j)
    >>> np.abs(z).backward()
    >>> z.grad  # z / |z|
    array(0.6+0.8j)
    """

    __slots__ = ()
    __pandas_priority__ = 5000  # above a DataFrame's: pandas leaves its operators to the Tensor

    def __init_subclass__(cls) -> None:
        raise UnsupportedError(f"{cls.__name__}: Tensor cannot be subclassed; hold a Tensor in an attribute instead")

    if not TYPE_CHECKING:
        T = property(ArrayProtocol.transpose, not_assignable("T", "transpose()"), doc="The axes reversed.")
        flat = property(
            ArrayProtocol.ravel, not_assignable("flat", "reshape()"), doc="The entries in order, as a vector."
        )

    def detach(self) -> "Tensor":
        """Return a constant Tensor of the same value, through which no gradient passes."""
        return Tensor(self._value, requires_grad=False, name=self.name)

    def backward(self, grad: Any = None) -> None:
        """Fill `.grad` of every tensor on the way: add to leaves, set on the rest.

        grad is dJ/d(this), of its shape, for a complex tensor dJ/dRe + i dJ/dIm; it may be left out for a single real
        value, where it is 1.

        Raises ShapeError for a missing or misshapen grad, UnsupportedError for a complex output without one, StaleError
        when a value was changed after it was recorded.
        """
        gradients.backward(self, grad)

    def __array__(  # type: ignore[override] # of any shape, unlike a scalar's
        self, dtype: Any = None, copy: bool | None = None
    ) -> np.ndarray:
        if self.requires_grad and (dtype is None or np.dtype(dtype).kind not in "iub"):
            if sparse_product_asks(sys._getframe(1)):
                return no_array(self)
            raise messages.lost_in_array(self)
        if dtype is not None:
            require_real_place(self.dtype, np.dtype(dtype), self._label())
        return np.array(read_only(self._value), dtype=dtype, copy=copy)

    def __getitem__(self, key: Any) -> "Tensor":
        parts = tuple(map(_plain_key, key)) if isinstance(key, tuple) else _plain_key(key)
        return record(OPS[index], (self,), {"key": parts})

    def __setitem__(self, key: Any, value: Any) -> None:
        if modes.recording or self.op is not None or not self.requires_grad or self._argument:
            leaf = (
                ""
                if self.op is not None
                else (
                    f"; to set a leaf before it is used, {self._label()}.data[...] = ..., or write it inside "
                    "`with at.no_grad():`"
                )
            )
            raise UnsupportedError(
                f"{self._label()}[...] = ... would change a recorded value: write {assignment_mend()}, or build it "
                f"with np.where, at.array or np.concatenate{leaf}"
            )
        fresh, value = np.array(self._value), value_of(value)
        require_real_place(np.asarray(value).dtype, fresh.dtype, self._label())
        fresh[tuple(map(_plain_key, key)) if isinstance(key, tuple) else _plain_key(key)] = value
        self.update(fresh)

    def __copy__(self) -> "Tensor":
        if self.op is not None or self._argument:
            return self.copy()  # recorded
        kind, arguments = self.__reduce__()
        return kind(*arguments)

    def __deepcopy__(self, memo: dict[int, Any] | None) -> "Tensor":
        return self.__copy__()

    __autotiny_record__ = staticmethod(record)
    __autotiny_call__ = staticmethod(call)

    # ----- operators -----
    if not TYPE_CHECKING:  # there they are those of TensorTypes
        __add__, __radd__ = operators(np.add)
        __sub__, __rsub__ = operators(np.subtract)
        __mul__, __rmul__ = operators(np.multiply)
        __truediv__, __rtruediv__ = operators(np.divide)
        __pow__, __rpow__ = operators(np.power)
        __mod__, __rmod__ = operators(np.remainder)
        __matmul__, __rmatmul__ = operators(np.matmul)
        __floordiv__, __rfloordiv__ = plain_operators(operator.floordiv)
        __iadd__, __isub__ = augmented(np.add, __add__), augmented(np.subtract, __sub__)
        __imul__, __itruediv__ = augmented(np.multiply, __mul__), augmented(np.divide, __truediv__)
        __ipow__, __imod__ = augmented(np.power, __pow__), augmented(np.remainder, __mod__)
        __imatmul__, __ifloordiv__ = augmented(np.matmul, __matmul__), augmented(operator.floordiv, __floordiv__)
        __lt__, __gt__ = plain_operators(operator.lt)[0], plain_operators(operator.gt)[0]
        __le__, __ge__ = plain_operators(operator.le)[0], plain_operators(operator.ge)[0]
        __eq__ = plain_operators(operator.eq)[0]
        __ne__ = plain_operators(operator.ne)[0]
        __hash__ = object.__hash__

    def __round__(self, ndigits: int = 0) -> "Tensor":
        return self.round(ndigits)

    def __floor__(self) -> int:
        return math.floor(self._only_real_entry("floor"))

    def __ceil__(self) -> int:
        return math.ceil(self._only_real_entry("ceil"))

    __trunc__ = Node.__int__

    @overload  # type: ignore[override]
    def astype(self, dtype: "type[int | np.bool | np.integer[Any]]", **layout: Any) -> npt.NDArray[Any]: ...
    @overload
    def astype(self, dtype: "type[float | np.inexact[Any]]", **layout: Any) -> "Tensor": ...
    @overload
    def astype(self, dtype: Any, **layout: Any) -> Any: ...
    def astype(self, dtype: Any, **layout: Any) -> Any:
        """Return the values in another floating-point or complex type; as integers or truth values, a plain array."""
        try:
            kind = np.dtype(dtype).kind
        except (TypeError, ValueError):
            raise UnsupportedError(f"astype: {dtype!r} is not a type of numbers") from None
        if self.dtype.kind == "c":
            require_real_place(self.dtype, np.dtype(dtype), f"astype: {self._label()}")
        if kind in "iub":
            return self._value.astype(dtype)
        if kind not in DIFFERENTIABLE:
            name = self._label()
            raise UnsupportedError(
                f"astype: {name} holds numbers, whose gradient would be lost as {np.dtype(dtype)}: use its numbers as "
                f"they are, or convert {name}.data for the values alone"
            )
        return super().astype(dtype, **layout)


def as_argument(value: Any, requires_grad: bool = True, name: str | None = None, dtype: Any = None) -> Tensor:
    """Return a fresh leaf to call a user's function with: the function makes new values of it, by `x -= 1` as well."""
    leaf = Tensor(value, requires_grad, name, dtype)
    leaf._argument = True
    return leaf


def as_tensor(value: Any) -> Tensor:
    """Return the value as a Tensor, a constant one if it is not one already."""
    return value if isinstance(value, Tensor) else Tensor(value, requires_grad=False)


AnyTensor: TypeAlias = Tensor | np.ndarray | np.generic
"""A Tensor, or what NumPy's annotations take one for: to them `X @ W` of an array X is an array."""
