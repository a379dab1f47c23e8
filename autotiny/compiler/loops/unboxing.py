"""The arrays that kernels take: of one shape and type, in C order, read without a copy of their description.

numba makes a new description of each array that is handed to it, with counted references: 0.1 µs for each. A kernel is
for one shape, so it is enough to compare the array with that, in place, and to take its address: 0.01 µs.
"""

import ctypes
import math
import sys
from functools import reduce
from typing import Any

import llvmlite.binding as llvm
import numpy as np
from llvmlite import ir
from numba import from_dtype, types
from numba.core import cgutils
from numba.core.datamodel.models import ArrayModel
from numba.extending import NativeValue, lower_cast, register_model, unbox

from autotiny.compiler.backend import Argument

NDARRAY = "autotiny_ndarray"
"""The symbol of the type np.ndarray in machine code."""
llvm.add_symbol(NDARRAY, id(np.ndarray))

BYTE, INT, LONG = ir.IntType(8), ir.IntType(32), ir.IntType(64)
POINTER = BYTE.as_pointer()
HEAD = object.__basicsize__
TYPE_OF_OBJECT = HEAD - 8
DATA, NDIM, SHAPE, DTYPE, FLAGS = HEAD, HEAD + 8, HEAD + 16, HEAD + 40, HEAD + 48
"""Places in an array, as NumPy's ndarraytypes.h states them (PyArrayObject_fields)."""
BYTE_ORDER, TYPE_NUMBER = HEAD + 10, HEAD + 12
"""Places in a dtype (PyArray_Descr)."""
OTHER_BYTE_ORDER = ord(">" if sys.byteorder == "little" else "<")
IN_ORDER, WRITEABLE = 0x0001 | 0x0100, 0x0400
"""Flags of an array: in C order and aligned; writeable."""


class ArrayOfShape(types.Array):  # type: ignore[misc]
    """numba's type of an array in C order whose shape is known."""

    def __init__(self, dtype: np.dtype, shape: tuple[int, ...], written: bool) -> None:
        self.of, self.shape, self.written = dtype, shape, written
        name = f"array of {dtype.name}, {shape}{', written' * written}"
        super().__init__(from_dtype(dtype), len(shape), "C", name=name)

    @property
    def key(self) -> Any:
        """What tells it from other types."""
        return self.of, self.shape, self.written

    def copy(self, dtype: Any = None, ndim: int | None = None, layout: str = "C", readonly: bool = False) -> Any:
        """Return the type of another array that is made of this one, whose shape is not known."""
        return types.Array(dtype or self.dtype, self.ndim if ndim is None else ndim, layout, readonly=readonly)


register_model(ArrayOfShape)(ArrayModel)


@lower_cast(ArrayOfShape, types.Array)  # type: ignore[untyped-decorator]
def as_any_array(context: Any, build: Any, typ: Any, other: Any, value: Any) -> Any:
    """Return it as an array of any shape, which numba describes alike."""
    return value


def numba_type(argument: Argument) -> Any:
    """Return numba's type of an argument of a kernel."""
    if argument.shape is None:
        return from_dtype(argument.dtype)
    return ArrayOfShape(argument.dtype, argument.shape, argument.written)


@unbox(ArrayOfShape)  # type: ignore[untyped-decorator]
def unbox_array(typ: ArrayOfShape, array: Any, c: Any) -> Any:
    """Compare an array with its type and take its address; TypeError where it differs, ValueError if read-only."""
    build = c.builder
    data, differs = (cgutils.alloca_once_value(build, x) for x in (cgutils.get_null_value(POINTER), cgutils.true_bit))
    ndarray = c.pyapi.get_c_object(NDARRAY)
    is_array = same(build, array, TYPE_OF_OBJECT, build.bitcast(ndarray, POINTER))
    with build.if_then(is_array, likely=True):
        alike = is_alike(build, array, typ)
        with build.if_then(alike, likely=True), build.if_then(has_shape(build, array, typ.shape), likely=True):
            build.store(cgutils.false_bit, differs)
            build.store(field(build, array, DATA, POINTER), data)
            if typ.written:
                refuse_read_only(build, array, c, differs)
    with build.if_then(build.load(differs), likely=False):
        is_first = cgutils.is_null(build, c.pyapi.err_occurred())
        with build.if_then(is_first, likely=True):
            c.pyapi.err_set_string("PyExc_TypeError", f"expected an {typ.name}, in C order")
    return NativeValue(described(typ, build.load(data), c), is_error=build.load(differs))


def field(build: Any, holder: Any, place: int, typ: Any) -> Any:
    """Return what is at some place in an object."""
    address = build.gep(build.bitcast(holder, POINTER), [LONG(place)])
    return build.load(build.bitcast(address, typ.as_pointer()))


def same(build: Any, holder: Any, place: int, value: Any) -> Any:
    """Whether there is this value at some place in an object."""
    return build.icmp_signed("==", field(build, holder, place, value.type), value)


def is_alike(build: Any, array: Any, typ: ArrayOfShape) -> Any:
    """Whether an array has the order, the number of axes and the dtype of a type."""
    in_order = build.and_(field(build, array, FLAGS, INT), INT(IN_ORDER))
    dtype = field(build, array, DTYPE, POINTER)
    other_order = build.icmp_signed("==", field(build, dtype, BYTE_ORDER, BYTE), BYTE(OTHER_BYTE_ORDER))
    conditions = [
        build.icmp_signed("==", in_order, INT(IN_ORDER)),
        same(build, array, NDIM, INT(typ.ndim)),
        build.not_(other_order),
        reduce(build.or_, [same(build, dtype, TYPE_NUMBER, INT(number)) for number in numbers_of(typ.of)]),
    ]
    return reduce(build.and_, conditions)


def numbers_of(dtype: np.dtype) -> list[int]:
    """Return the numbers of a dtype and of those that equal it: a long may be as long as a long long."""
    return sorted({np.dtype(code).num for code in np.typecodes["All"] if np.dtype(code) == dtype})


def has_shape(build: Any, array: Any, shape: tuple[int, ...]) -> Any:
    """Whether an array of as many axes has this shape."""
    lengths = field(build, array, SHAPE, POINTER)
    return reduce(
        build.and_, [same(build, lengths, 8 * axis, LONG(n)) for axis, n in enumerate(shape)], cgutils.true_bit
    )


def refuse_read_only(build: Any, array: Any, c: Any, differs: Any) -> None:
    """Set ValueError if an array is read-only."""
    writeable = build.and_(field(build, array, FLAGS, INT), INT(WRITEABLE))
    with build.if_then(cgutils.is_null(build, writeable), likely=False):
        c.pyapi.err_set_string("PyExc_ValueError", "the array is read-only")
        build.store(cgutils.true_bit, differs)


def described(typ: ArrayOfShape, data: Any, c: Any) -> Any:
    """Return numba's description of an array of a known shape."""
    array = cgutils.create_struct_proxy(typ)(c.context, c.builder)
    itemsize = typ.of.itemsize
    strides = [itemsize * math.prod(typ.shape[axis + 1 :]) for axis in range(typ.ndim)]
    array.data = c.builder.bitcast(data, c.context.get_data_type(typ.dtype).as_pointer())
    array.itemsize, array.nitems = LONG(itemsize), LONG(math.prod(typ.shape))
    array.shape, array.strides = ir.ArrayType(LONG, typ.ndim)(typ.shape), ir.ArrayType(LONG, typ.ndim)(strides)
    array.meminfo, array.parent = cgutils.get_null_value(POINTER), cgutils.get_null_value(POINTER)
    return array._getvalue()


def layout_is_known() -> bool:
    """Whether arrays are laid out in memory as this module reads them."""
    array = np.zeros((3, 5), "int16")
    address, dtype, shape = id(array), id(array.dtype), ctypes.c_void_p.from_address(id(array) + SHAPE).value
    expected: list[tuple[int, int, Any, Any]] = [
        (address, TYPE_OF_OBJECT, ctypes.c_void_p, id(np.ndarray)),
        (address, DATA, ctypes.c_void_p, array.ctypes.data),
        (address, NDIM, ctypes.c_int, array.ndim),
        (address, DTYPE, ctypes.c_void_p, dtype),
        (address, FLAGS, ctypes.c_int, array.flags.num),
        (dtype, BYTE_ORDER, ctypes.c_char, array.dtype.byteorder.encode()),
        (dtype, TYPE_NUMBER, ctypes.c_int, array.dtype.num),
        *((shape or address, 8 * axis, ctypes.c_int64, n) for axis, n in enumerate(array.shape)),
    ]
    return all(typ.from_address(holder + place).value == value for holder, place, typ, value in expected)
