"""A stand-in for arrays on a device, as CuPy has them: NumPy's protocols, and no implicit conversion."""

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from autotiny.engine.pytree import tree_map

NUMBERS = (bool, int, float, complex, np.generic)
METHODS = (
    *["reshape", "astype", "copy", "sum", "ravel", "max", "min", "all", "any", "conj", "transpose", "swapaxes", "take"],
    *["argmax", "argmin", "nonzero", "squeeze", "item", "tolist", "mean", "prod", "dot", "fill"],
)


class StrictArray(NDArrayOperatorsMixin):
    """An array that computes with its own kind and with numbers alone.

    Raises TypeError beside an array of NumPy's, and where NumPy would convert it.
    """

    def __init__(self, array):
        self.array = np.asarray(array)

    shape = property(lambda self: self.array.shape)
    dtype = property(lambda self: self.array.dtype)
    ndim = property(lambda self: self.array.ndim)
    size = property(lambda self: self.array.size)
    nbytes = property(lambda self: self.array.nbytes)
    T = property(lambda self: StrictArray(self.array.T))
    mT = property(lambda self: StrictArray(self.array.mT))  # noqa: N815 - NumPy's name
    real = property(lambda self: StrictArray(self.array.real))
    imag = property(lambda self: StrictArray(self.array.imag))

    def __array__(self, dtype=None, copy=None):
        raise TypeError("Implicit conversion to a NumPy array is not allowed")

    def __array_ufunc__(self, ufunc, method, *inputs, out=None, **options):
        if not all(isinstance(x, (StrictArray, np.ndarray, *NUMBERS)) for x in inputs if not isinstance(x, tuple)):
            return NotImplemented
        if out is not None:
            options["out"] = tuple(host(x) for x in out)
        if method == "at":
            array, key, values = inputs
            return ufunc.at(host(array), indices(key), host(values))
        return strict(getattr(ufunc, method)(*map(host, inputs), **options))

    def __array_function__(self, function, types, args, kwargs):
        if not all(issubclass(t, StrictArray | np.ndarray) for t in types):
            return NotImplemented
        if function in (np.array, np.asarray):
            return StrictArray(function(*[getattr(x, "array", x) for x in args], **kwargs))
        return strict(function(*tree_map(host, args), **tree_map(host, kwargs)))

    def __getitem__(self, key):
        return strict(self.array[indices(key)])

    def __setitem__(self, key, value):
        self.array[indices(key)] = host(value)

    def __len__(self):
        return len(self.array)

    def __bool__(self):
        return bool(self.array)

    def __int__(self):
        return int(self.array)

    def __float__(self):
        return float(self.array)

    def __repr__(self):
        return f"Strict({self.array!r})"


def host(x):
    """The contents of an operand; TypeError for an array of NumPy's, as CuPy raises it."""
    if isinstance(x, np.ndarray):
        raise TypeError(f"Unsupported type {type(x)}")
    return x.array if isinstance(x, StrictArray) else x


def indices(key):
    """A key with the stand-in's index arrays as NumPy's; those of NumPy's may stand in it, as CuPy takes them."""
    return tree_map(lambda part: part.array if isinstance(part, StrictArray) else part, key)


def strict(result):
    """The arrays and scalars of a result as arrays of the stand-in, which has no scalars."""
    if isinstance(result, tuple | list):
        parts = [strict(x) for x in result]
        return type(result)(*parts) if hasattr(result, "_fields") else type(result)(parts)
    return StrictArray(result) if isinstance(result, np.ndarray | np.generic) else result


def _method(name):
    def method(self, *args, **kwargs):
        return strict(getattr(self.array, name)(*map(host, args), **kwargs))

    return method


for name in METHODS:
    setattr(StrictArray, name, _method(name))
