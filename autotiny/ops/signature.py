"""Signatures of functions, the same under every NumPy: before 2.4, functions that are written in C state none."""

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

_UFUNCS: list[Callable[..., Any]] = [
    lambda x, /, out=None, *, where=True, dtype=None: None,
    lambda x1, x2, /, out=None, *, where=True, dtype=None: None,
    lambda x1, x2, x3, /, out=None, *, where=True, dtype=None: None,
    lambda x1, x2, x3, x4, /, out=None, *, where=True, dtype=None: None,
]
"""The signatures of ufuncs of one argument, two, and so on."""
_STATED: dict[Any, Callable[..., Any]] = {
    np.array: lambda a, /, dtype=None, *, copy=True, order="K", subok=False, ndmin=0: None,
    np.asanyarray: lambda a, /, dtype=None, order=None, *, device=None, copy=None: None,
    np.asarray: lambda a, /, dtype=None, order=None, *, device=None, copy=None: None,
    np.ascontiguousarray: lambda a, /, dtype=None: None,
    np.asfortranarray: lambda a, /, dtype=None: None,
    np.bincount: lambda x, /, weights=None, minlength=0: None,
    np.concatenate: lambda arrays, /, axis=0, out=None, *, dtype=None, casting="same_kind": None,
    np.dot: lambda a, b, out=None: None,
    np.inner: lambda a, b, /: None,
    np.reshape: lambda a, /, shape=None, order="C": None,  # NumPy 2.0 says newshape
    np.vdot: lambda a, b, /: None,
    np.where: lambda condition, x=None, y=None, /: None,
}


def signature(function: Callable[..., Any]) -> inspect.Signature:
    """Return the signature of a function.

    >>> list(signature(np.add).parameters)[:2], list(signature(np.sum).parameters)[:2]
    (['x1', 'x2'], ['a', 'axis'])
    """
    if isinstance(function, np.ufunc):
        return inspect.signature(_UFUNCS[function.nin - 1])
    return inspect.signature(_STATED.get(function, function))
