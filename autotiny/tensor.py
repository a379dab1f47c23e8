"""Tensor: a node that one computes with as with an array.

NumPy hands its functions over to a Tensor (NEP 13 for ufuncs, NEP 18 for the rest), so plain NumPy code records a
graph.
"""

import operator
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from autotiny.errors import UnsupportedError
from autotiny.node import Node
from autotiny.ops import OPS, shaping
from autotiny.ops.indexing import index
from autotiny.recording import call, operators, plain_operators, record
from autotiny.values import read_only

REDUCTIONS = {np.add: np.sum, np.multiply: np.prod, np.maximum: np.max, np.minimum: np.min}


def _method(function: Any) -> Callable[..., Any]:
    op = OPS.get(function)

    def method(self: "Tensor", *args: Any, **kwargs: Any) -> Any:
        return record(op, (self, *args), kwargs) if op else call(function, (self, *args), kwargs)

    method.__name__, method.__doc__ = function.__name__, f"np.{function.__name__} of this Tensor."
    return method


def _plain_key(part: Any) -> Any:
    """An index that nobody else can change: Tensors by value, arrays and lists copied."""
    if isinstance(part, Node):
        part = part._data
    if isinstance(part, list) and not part:
        return np.array(part, dtype=int)
    return np.array(part) if isinstance(part, np.ndarray | list) else part


class Tensor(Node):
    """A value that remembers how it was made, so that it can be differentiated.

    Parameters
    ----------
    data : a number, an array or nested lists; copied. Integers become float64 when tracked; floating point is kept.
    requires_grad : whether gradients are wanted; False for data.
    name : shown in pictures, tables and errors.
    dtype : the floating-point type to hold the values in.

    Attributes
    ----------
    grad : dJ/d(this), of the same shape, after `J.backward()`; None before.
    op, args, kwargs : the operation that made it with its operands and options; op is None for a leaf.

    Raises UnsupportedError for complex numbers, text, ragged lists and Tensors.

    >>> import numpy as np
    >>> W = Tensor([[1.0, 2.0], [3.0, 4.0]], name="W")
    >>> y = np.sum(W * W)
    >>> y.backward()
    >>> W.grad  # 2 W
    array([[2., 4.],
           [6., 8.]])
    """

    __slots__ = ()

    def __init_subclass__(cls) -> None:
        raise UnsupportedError(f"{cls.__name__}: Tensor cannot be subclassed; hold a Tensor in an attribute instead")

    def detach(self) -> "Tensor":
        """The same value as a constant: gradients stop here."""
        return Tensor(self._data, requires_grad=False, name=self.name)

    def backward(self, grad: Any = None) -> None:
        """Fill `.grad` of every tensor on the way: add to leaves, set on the rest.

        grad is dJ/d(this), of its shape; it may be left out for a single value, where it is 1.

        Raises ShapeError for a missing or misshapen grad, StaleError when a value was changed after it was recorded.
        """
        backprop.backward(self, grad)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        if self.requires_grad:
            raise self._would_lose_its_gradient()
        return np.array(read_only(self._data), dtype=dtype, copy=copy)

    def __iter__(self) -> Iterator["Tensor"]:
        return (self[i] for i in range(len(self)))

    def __getitem__(self, key: Any) -> "Tensor":
        parts = tuple(map(_plain_key, key)) if isinstance(key, tuple) else _plain_key(key)
        return record(OPS[index], (self,), {"key": parts})

    def __setitem__(self, key: Any, value: Any) -> None:
        raise UnsupportedError(
            f"{self._label()}[...] = ... would change a recorded value: build a new one with np.where, np.concatenate "
            f"or np.stack; to set a leaf before it is used, {self._label()}.data[...] = ..."
        )

    # ----- NumPy's protocols -----
    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        if method == "__call__":
            return call(ufunc, inputs, options)
        if method == "reduce" and ufunc in REDUCTIONS:
            return call(REDUCTIONS[ufunc], inputs, {"axis": 0, **options})
        raise UnsupportedError(
            f"{ufunc.__name__}.{method} of a Tensor is not supported: write it with sums, products and indexing"
        )

    def __array_function__(self, function: Callable[..., Any], types: Any, args: Any, kwargs: Any) -> Any:
        return call(function, args, kwargs)

    __autotiny_record__ = staticmethod(record)

    # ----- operators -----
    __add__, __radd__ = operators(np.add)
    __sub__, __rsub__ = operators(np.subtract)
    __mul__, __rmul__ = operators(np.multiply)
    __truediv__, __rtruediv__ = operators(np.divide)
    __pow__, __rpow__ = operators(np.power)
    __mod__, __rmod__ = operators(np.remainder)
    __matmul__, __rmatmul__ = operators(np.matmul)
    __neg__, __pos__, __abs__ = _method(np.negative), _method(np.positive), _method(np.absolute)
    __floordiv__, __rfloordiv__ = plain_operators(operator.floordiv)
    __lt__, __gt__ = plain_operators(operator.lt)[0], plain_operators(operator.gt)[0]
    __le__, __ge__ = plain_operators(operator.le)[0], plain_operators(operator.ge)[0]
    __eq__ = plain_operators(operator.eq)[0]
    __ne__ = plain_operators(operator.ne)[0]
    __hash__ = object.__hash__

    # ----- methods by their NumPy names -----
    sum, prod, mean, var, std = map(_method, (np.sum, np.prod, np.mean, np.var, np.std))
    max, min, cumsum, cumprod = map(_method, (np.max, np.min, np.cumsum, np.cumprod))
    argmax, argmin, argsort, any, all = map(_method, (np.argmax, np.argmin, np.argsort, np.any, np.all))
    dot, trace, diagonal, clip, round = map(_method, (np.dot, np.trace, np.diagonal, np.clip, np.round))
    ravel, squeeze, swapaxes, repeat, take = map(_method, (np.ravel, np.squeeze, np.swapaxes, np.repeat, np.take))
    copy, flatten = _method(np.copy), _method(np.ravel)

    def reshape(self, *shape: Any, **options: Any) -> "Tensor":
        """The same entries in another shape: t.reshape(2, 3) or t.reshape((2, 3))."""
        return call(np.reshape, (self, shape[0] if len(shape) == 1 else shape), options)

    def transpose(self, *axes: Any) -> "Tensor":
        """The axes in another order, reversed by default."""
        return call(np.transpose, (self, (axes[0] if len(axes) == 1 else axes) or None), {})

    def astype(self, dtype: Any) -> Any:
        """In another floating-point type; as a plain array in any other type."""
        if np.dtype(dtype).kind != "f":
            return self._data.astype(dtype)
        return record(OPS[shaping.astype], (self,), {"dtype": np.dtype(dtype)})

    T = property(transpose, doc="The axes reversed.")
    mT = property(lambda self: self.swapaxes(-1, -2), doc="The last two axes exchanged.")  # noqa: N815 - NumPy's name


from autotiny import backprop  # noqa: E402 - it knows Tensor, and Tensor.backward() is only a short way to it
