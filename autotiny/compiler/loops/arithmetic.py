"""Arithmetic in kernels: single instructions, choices without branches, and memory on the stack.

They are written into the kernel where they are called, so that a loop around them becomes vector code.
"""

import math
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numba.np.arrayobj import populate_array

SUM = ("reassoc",)
"""Of a sum the order may be changed, and nothing else."""
FUSED = ("reassoc", "contract")
"""And a product may be added without being rounded first, as BLAS does."""
ALIGNMENT = 64


def _same_number(*arguments: Any) -> Any:
    """Return the type that all arguments have, if it is one of numbers."""
    first = arguments[0]
    same = all(argument == first for argument in arguments)
    return first if same and isinstance(first, types.Float | types.Integer | types.Boolean) else None


@intrinsic  # type: ignore[untyped-decorator]
def add_to(context: Any, total: Any, x: Any) -> Any:
    """total + x, where the order of additions is free."""

    def code(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        if isinstance(signature.return_type, types.Float):
            return builder.fadd(*values, flags=SUM)
        return builder.add(*values)

    number = _same_number(total, x)
    return None if number is None else (number(total, x), code)


@intrinsic  # type: ignore[untyped-decorator]
def add_products(context: Any, total: Any, *factors: Any) -> Any:
    """total + a b + c d + ..., where the order of additions is free and products are not rounded."""

    def code(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        total, pairs = values[0], cgutils.unpack_tuple(builder, values[1])
        for a, b in zip(pairs[::2], pairs[1::2], strict=True):
            total = builder.fadd(total, builder.fmul(a, b, flags=FUSED), flags=FUSED)
        return total

    number = _same_number(total, *factors)
    return None if not isinstance(number, types.Float) else (number(total, types.StarArgTuple(factors)), code)


@intrinsic  # type: ignore[untyped-decorator]
def where(context: Any, condition: Any, x: Any, y: Any) -> Any:
    """x where the condition holds, else y."""

    def code(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        condition, x, y = values
        return builder.select(condition, x, y)

    number = _same_number(x, y)
    return None if number is None or condition != types.boolean else (number(condition, x, y), code)


def _extreme(comparison: str, skips_nan: bool = False) -> Any:
    """Return an intrinsic: the first operand where it compares like this with the second or is nan, else the second."""

    def extreme(context: Any, x: Any, y: Any) -> Any:
        def code(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            x, y = values
            if isinstance(signature.return_type, types.Integer):
                return builder.select(builder.icmp_signed(comparison, x, y), x, y)
            other = y if skips_nan else x
            is_nan = builder.fcmp_unordered("uno", other, other)
            return builder.select(builder.or_(builder.fcmp_ordered(comparison, x, y), is_nan), x, y)

        number = _same_number(x, y)
        return None if isinstance(number, types.Boolean) or number is None else (number(x, y), code)

    return extreme


maximum = intrinsic(_extreme(">="))
minimum = intrinsic(_extreme("<="))
fmax = intrinsic(_extreme(">=", skips_nan=True))
fmin = intrinsic(_extreme("<=", skips_nan=True))


def _at_bound(comparison: str) -> Any:
    """Return an intrinsic: x where it is nan or compares like this with a number, which is not nan; else the number."""

    def bounded(context: Any, x: Any, bound: Any) -> Any:
        def code(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            x, bound = values
            return builder.select(builder.fcmp_unordered(comparison, x, bound), x, bound)

        number = _same_number(x, bound)
        return None if not isinstance(number, types.Float) else (number(x, bound), code)

    return bounded


at_least = intrinsic(_at_bound(">"))
at_most = intrinsic(_at_bound("<"))


def _of_llvm(name: str) -> Any:
    """Return an intrinsic of LLVM's: one instruction, or a few."""

    def function(context: Any, x: Any) -> Any:
        def code(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            kind = context.get_value_type(signature.return_type)
            return builder.call(builder.module.declare_intrinsic(f"llvm.{name}", [kind]), values)

        return (x(x), code) if isinstance(x, types.Float) else None

    return function


floor, ceil, trunc = (intrinsic(_of_llvm(name)) for name in ("floor", "ceil", "trunc"))
rint, sqrt, fabs = (intrinsic(_of_llvm(name)) for name in ("rint", "sqrt", "fabs"))


@intrinsic(prefer_literal=True)  # type: ignore[untyped-decorator]
def scratch(context: Any, dtype: Any, *shape: Any) -> Any:
    """A new array on the stack, with entries that are not set: memory for the time of a call."""
    lengths = tuple(length.literal_value for length in shape)
    array = types.Array(dtype.dtype, len(lengths), "C")

    def code(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        kind = context.get_data_type(dtype.dtype)
        with builder.goto_entry_block():
            data = builder.alloca(ir.ArrayType(kind, math.prod(lengths)))
            data.align = ALIGNMENT
        width = context.get_abi_sizeof(kind)
        strides = [width * math.prod(lengths[axis + 1 :]) for axis in range(len(lengths))]
        made = context.make_array(array)(context, builder)
        number = context.get_constant
        populate_array(
            made,
            data=builder.bitcast(data, kind.as_pointer()),
            shape=[number(types.intp, length) for length in lengths],
            strides=[number(types.intp, stride) for stride in strides],
            itemsize=number(types.intp, width),
            meminfo=None,
        )
        return made._getvalue()

    return array(dtype, types.StarArgTuple(shape)), code
