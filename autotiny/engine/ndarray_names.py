"""The names of an ndarray that a Tensor has beside those of `ArrayProtocol`: facts about its value, and refusals.

A name that changes an array, hands out its memory or writes it as bytes is refused by a sentence that says what to
write.
"""

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from autotiny.engine import messages
from autotiny.engine.array_mends import in_place_mend
from autotiny.engine.node import Node
from autotiny.engine.recording import plain_operators
from autotiny.engine.values import read_only
from autotiny.errors import UnsupportedError

IN_PLACE = {
    "sort": "{x} = np.sort({x})",
    "partition": "{x} = np.partition({x}, kth)",
    "resize": "{x} = np.resize({x}, shape)",
    "byteswap": "{x}.data.byteswap()",
    "setfield": "{x} = at.index_update({x}, index, values)",
    "setflags": "{x}.data.setflags(...), of a leaf",
}
"""Methods that change an array, and what to write."""
BYTES = ("tofile", "dump", "dumps", "getfield")
"""Methods that write or read an array as bytes."""
REMOVED = {
    "ptp": "np.ptp({x})",
    "itemset": "{x} = at.index_update({x}, index, value)",
    "newbyteorder": "{x}.data.view(...)",
    "tostring": "{x}.data.tobytes()",
}
"""Methods that NumPy 2.0 has removed from arrays, and what to write."""


def _changing(name: str) -> Callable[..., Any]:
    def method(self: Any, *_args: Any, **_options: Any) -> Any:
        mend = IN_PLACE[name].format(x=self._label()) if name in IN_PLACE else in_place_mend(name)
        raise UnsupportedError(
            f"{self._label()}.{name}(...) changes an array, and a recorded value stays as it is: write {mend}"
        )

    method.__name__, method.__doc__ = name, f"Raise UnsupportedError: {name} changes an array."
    return method


def _of_bytes(name: str) -> Callable[..., Any]:
    def method(self: Any, *_args: Any, **_options: Any) -> Any:
        x = self._label()
        raise UnsupportedError(f"{x}.{name}(...) takes the memory of an array: write {x}.data.{name}(...)")

    method.__name__, method.__doc__ = name, f"Raise UnsupportedError: {name} takes the memory of an array."
    return method


def _removed(name: str) -> Any:
    def getter(self: Any) -> Any:
        mend = REMOVED[name].format(x=self._label())
        raise AttributeError(f"{name} was removed from arrays in NumPy 2.0: write {mend}")

    return property(getter, doc="Raise AttributeError: NumPy 2.0 removed it.")


class NdarrayNames:
    """The names of an ndarray that are not recorded."""

    __slots__ = ()
    _value: Any
    _tracked: bool
    _label: Callable[[], str]
    copy: Callable[[], Any]

    # ----- facts -----
    itemsize = property(lambda self: self._value.dtype.itemsize, doc="Bytes of an entry.")
    nbytes = property(lambda self: self._value.size * self._value.dtype.itemsize, doc="Bytes of all entries.")
    strides = property(lambda self: self._value.strides, doc="Bytes from one entry to the next, for each axis.")
    flags = property(lambda self: read_only(self._value).flags, doc="How the value lies in memory; it is read-only.")
    base = property(lambda self: None, doc="None: a Tensor has a value of its own.")

    def __contains__(self, item: Any) -> bool:
        """Whether any entry equals the item."""
        return bool(np.any(self._value == (item._value if isinstance(item, Node) else item)))

    def __index__(self) -> int:
        """Return the only entry of a constant of whole numbers, to count with."""
        if self._tracked or self._value.dtype.kind not in "iub":
            raise UnsupportedError(
                f"{self._label()} is of {self._value.dtype}, and whole numbers count: use int({self._label()})"
            )
        return operator.index(self._value)

    # ----- bits of whole numbers and truth values; of other numbers an error -----
    __and__, __rand__ = plain_operators(operator.and_)
    __or__, __ror__ = plain_operators(operator.or_)
    __xor__, __rxor__ = plain_operators(operator.xor)
    __lshift__, __rlshift__ = plain_operators(operator.lshift)
    __rshift__, __rrshift__ = plain_operators(operator.rshift)

    def __invert__(self) -> Any:
        if self._value.dtype.kind not in "iub":
            x = self._label()
            raise UnsupportedError(f"~{x}: {x} is of {self._value.dtype}, which has no bits; compare first: ~({x} > 0)")
        return ~self._value

    # ----- memory and bytes -----
    def tobytes(self, order: Any = "C") -> bytes:
        """Return the entries of a constant as bytes; those of a tracked Tensor would lose their gradient."""
        if self._tracked:
            raise messages.lost_gradient(self, ".tobytes()", f"{self._label()}.data.tobytes()")
        return bytes(self._value.tobytes(order))

    def view(self, dtype: Any = None, type: Any = None) -> Any:  # noqa: A002 - NumPy's names
        """Return the same value; the bytes of another type are refused."""
        if dtype is not None or type is not None:
            x = self._label()
            raise UnsupportedError(f"{x}.view(...) reads bytes as another type: write {x}.data.view(...)")
        return self.copy()

    def __dlpack__(self, **options: Any) -> Any:
        """Hand a copy of the value of a constant to another library."""
        if self._tracked:
            raise messages.lost_in_array(self)
        return np.array(self._value).__dlpack__(**options)

    def __dlpack_device__(self) -> tuple[int, int]:
        return (1, 0)

    @property
    def ctypes(self) -> Any:
        """Raise UnsupportedError: the memory of the value belongs to the graph."""
        x = self._label()
        raise UnsupportedError(f"{x}.ctypes hands out memory that belongs to the graph: write {x}.data.copy().ctypes")

    def __delitem__(self, key: Any) -> None:
        x = self._label()
        raise UnsupportedError(f"del {x}[...]: entries cannot be deleted: write {x} = np.delete({x}, index)")

    sort, partition, resize = map(_changing, ("sort", "partition", "resize"))
    byteswap, setfield, setflags = map(_changing, ("byteswap", "setfield", "setflags"))
    fill, put = map(_changing, ("fill", "put"))
    tofile, dump, dumps, getfield = map(_of_bytes, BYTES)
    ptp, itemset, newbyteorder, tostring = map(_removed, REMOVED)
