"""NumPy's protocols, by which NumPy functions accept the package's own classes as arrays.

NumPy passes a call of one of its functions on to its arguments (NEP 13 for ufuncs, NEP 18 for the rest). A class that
defines `__autotiny_call__` gets the protocols and the methods of an array from `ArrayProtocol`.
"""

from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import numpy as np

from autotiny.engine.array_mends import in_place_mend
from autotiny.engine.messages import composition_failure
from autotiny.engine.signatures import stated_options
from autotiny.errors import UnsupportedError
from autotiny.ops import OPS, PLAIN, folding, shaping, ufuncs

REDUCTIONS = {op.reduction_of: function for function, op in OPS.items() if op.reduction_of}


def _method(function: Any) -> Callable[..., Any]:
    def method(self: "ArrayProtocol", *args: Any, **kwargs: Any) -> Any:
        return self.__autotiny_call__(function, (self, *args), kwargs)

    method.__name__, method.__doc__ = function.__name__, f"np.{function.__name__} of this."
    return method


class ArrayProtocol:
    """The protocols and methods of an array; all of them call `__autotiny_call__(function, args, kwargs)`."""

    __slots__ = ()
    __autotiny_call__: ClassVar[Callable[..., Any]]
    __len__: Callable[..., int]
    __getitem__: Callable[..., Any]

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        if method == "__call__":
            if options and ufunc not in PLAIN and options.keys() & ufuncs.OPTIONS:
                return self._with_options(ufunc, inputs, options)
            return self.__autotiny_call__(ufunc, inputs, options)
        if method == "reduce" and ufunc in REDUCTIONS:
            return self.__autotiny_call__(REDUCTIONS[ufunc], inputs, {"axis": 0, **options})
        if method in folding.METHODS:
            known = ("axis", "keepdims", "where", "initial") if method == "reduce" else ("axis",)
            stated = stated_options(f"{ufunc.__name__}.{method}", options, ufunc, known)
            return folding.METHODS[method](ufunc, *inputs, **stated)
        raise UnsupportedError(
            f"{ufunc.__name__}.{method} changes its argument, and a recorded value stays as it is: write "
            f"{in_place_mend('at', f'np.{ufunc.__name__}')}"
        )

    @staticmethod
    def _with_options(ufunc: np.ufunc, inputs: tuple[Any, ...], options: dict[str, Any]) -> Any:
        try:
            return ufuncs.call(ufunc, inputs, options)
        except Exception as error:
            raise composition_failure(ufunc, inputs, options, error) from None

    def __array_function__(self, function: Callable[..., Any], types: Any, args: Any, kwargs: Any) -> Any:
        return self.__autotiny_call__(function, args, kwargs)

    def __contains__(self, value: Any) -> bool:
        return bool(np.any(self.__autotiny_call__(np.equal, (self, value), {})))

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))

    __neg__, __pos__, __abs__ = _method(np.negative), _method(np.positive), _method(np.absolute)
    sum, prod, mean, var, std = map(_method, (np.sum, np.prod, np.mean, np.var, np.std))
    max, min, cumsum, cumprod = map(_method, (np.max, np.min, np.cumsum, np.cumprod))
    argmax, argmin, argsort, any, all = map(_method, (np.argmax, np.argmin, np.argsort, np.any, np.all))
    dot, trace, diagonal, round = map(_method, (np.dot, np.trace, np.diagonal, np.round))
    ravel, squeeze, swapaxes, repeat, take = map(_method, (np.ravel, np.squeeze, np.swapaxes, np.repeat, np.take))
    argpartition, choose = _method(np.argpartition), _method(np.choose)
    searchsorted, nonzero, conj, conjugate = map(_method, (np.searchsorted, np.nonzero, np.conjugate, np.conjugate))
    __divmod__ = _method(np.divmod)
    copy, flatten = _method(np.copy), _method(np.ravel)

    def reshape(self, *shape: Any, **options: Any) -> Any:
        """Return the same entries in another shape: t.reshape(2, 3), t.reshape((2, 3)) or t.reshape(shape=(2, 3))."""
        lengths = (shape[0] if len(shape) == 1 else shape,) if shape or not options else ()
        return self.__autotiny_call__(np.reshape, (self, *lengths), options)

    def clip(self, min: Any = None, max: Any = None) -> Any:  # noqa: A002 - NumPy's names
        """Return the entries, those beyond a bound replaced by it."""
        return self.__autotiny_call__(np.clip, (self, min, max), {})

    def transpose(self, *axes: Any) -> Any:
        """Return the same entries with the axes in another order, reversed by default."""
        return self.__autotiny_call__(np.transpose, (self, axes[0] if len(axes) == 1 else axes or None), {})

    def compress(self, condition: Any, axis: int | None = None) -> Any:
        """np.compress of this."""
        return self.__autotiny_call__(np.compress, (condition, self, axis), {})

    def __rdivmod__(self, other: Any) -> Any:
        return self.__autotiny_call__(np.divmod, (other, self), {})

    def astype(self, dtype: Any, **_layout: Any) -> Any:
        """Return the values in another floating-point or complex type; how they lie in memory is left to NumPy."""
        return self.__autotiny_call__(shaping.astype, (self,), {"dtype": np.dtype(dtype)})

    def __array_namespace__(self, *, api_version: Any = None) -> Any:
        """Return NumPy, whose functions take this: the namespace of the array API standard."""
        return np.empty(0).__array_namespace__(api_version=api_version)

    device = "cpu"

    def to_device(self, device: Any, /, *, stream: Any = None) -> Any:
        """Return this, which is on the device "cpu"."""
        np.empty(0).to_device(device, stream=stream)
        return self

    real = property(_method(np.real), doc="The real part.")
    imag = property(_method(np.imag), doc="The imaginary part, 0 of real numbers.")
    T = property(transpose, doc="The axes reversed.")
    flat = property(ravel, doc="The entries in order, as a vector.")
    mT = property(lambda self: self.swapaxes(-1, -2), doc="The last two axes exchanged.")  # noqa: N815 - NumPy's name
