"""Arithmetic in kernels: single instructions, choices without branches, and memory on the stack.

They are written into the kernel where they are called, so that a loop around them becomes vector code.
"""

import math
from collections.abc import Callable
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


def _extreme(instruction: str, comparison: str) -> Any:
    """Return an intrinsic: an instruction of LLVM for floats, which propagates nan, and a choice for integers."""

    def extreme(context: Any, x: Any, y: Any) -> Any:
        def code(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            x, y = values
            if isinstance(signature.return_type, types.Integer):
                compare = builder.icmp_signed if signature.return_type.signed else builder.icmp_unsigned
                return builder.select(compare(comparison, x, y), x, y)
            function = ir.FunctionType(x.type, [x.type] * 2)  # a loop of this, unlike one of choices, is vector code
            return builder.call(builder.module.declare_intrinsic(f"llvm.{instruction}", [x.type], function), values)

        number = _same_number(x, y)
        return None if isinstance(number, types.Boolean) or number is None else (number(x, y), code)

    return extreme


def _skipping_nan(comparison: str) -> Any:
    """Return an intrinsic: the first operand where it compares like this with the second, or that is nan."""

    def extreme(context: Any, x: Any, y: Any) -> Any:
        def code(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            x, y = values
            if isinstance(signature.return_type, types.Integer):
                return builder.select(builder.icmp_signed(comparison, x, y), x, y)
            is_nan = builder.fcmp_unordered("uno", y, y)
            return builder.select(builder.or_(builder.fcmp_ordered(comparison, x, y), is_nan), x, y)

        number = _same_number(x, y)
        return None if isinstance(number, types.Boolean) or number is None else (number(x, y), code)

    return extreme


maximum, minimum = intrinsic(_extreme("maximum", ">=")), intrinsic(_extreme("minimum", "<="))
fmax, fmin = intrinsic(_skipping_nan(">=")), intrinsic(_skipping_nan("<="))


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


@intrinsic  # type: ignore[untyped-decorator]
def sign(context: Any, x: Any) -> Any:
    """-1, 0 or 1; nan of nan."""

    def code(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        (x,) = values
        zero, one, less = (x.type(n) for n in (0, 1, -1))
        if isinstance(signature.return_type, types.Integer):
            greater, lower = (builder.icmp_signed(comparison, x, zero) for comparison in "><")
            return builder.select(greater, one, builder.select(lower, less, zero))
        greater, lower = (builder.fcmp_ordered(comparison, x, zero) for comparison in "><")
        rest = builder.select(builder.fcmp_unordered("uno", x, x), x, zero)
        return builder.select(greater, one, builder.select(lower, less, rest))

    number = _same_number(x)
    return None if number is None or isinstance(number, types.Boolean) else (number(x), code)


@intrinsic  # type: ignore[untyped-decorator]
def signbit(context: Any, x: Any) -> Any:
    """Whether a number has a minus sign, as -0.0 has."""

    def code(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        (x,) = values
        integer = ir.IntType(signature.args[0].bitwidth)
        return builder.icmp_signed("<", builder.bitcast(x, integer), integer(0))

    return (types.boolean(x), code) if isinstance(x, types.Float) else None


@intrinsic  # type: ignore[untyped-decorator]
def reciprocal(context: Any, x: Any) -> Any:
    """1 / x in the type of x: numba's own quotient of an integer and a float32 is a float64."""

    def code(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        (x,) = values
        return builder.fdiv(x.type(1), x)

    return (x(x), code) if isinstance(x, types.Float) else None


def _of_two(write: Callable[[Any, Any, Any], Any]) -> Any:
    """Return an intrinsic: what is written for two floating-point numbers."""

    def function(context: Any, x: Any, y: Any) -> Any:
        number = _same_number(x, y)
        code = lambda context, builder, signature, values: write(builder, *values)
        return (number(x, y), code) if isinstance(number, types.Float) else None

    return function


def _with_sign(builder: Any, x: Any, y: Any) -> Any:
    function = ir.FunctionType(x.type, [x.type] * 2)
    return builder.call(builder.module.declare_intrinsic("llvm.copysign", [x.type], function), [x, y])


def _remainder(builder: Any, x: Any, y: Any) -> Any:
    """The rest of x / y, with the sign of y: that of C has the sign of x."""
    zero, rest = x.type(0), builder.frem(x, y)
    differ = builder.xor(builder.fcmp_ordered("<", y, zero), builder.fcmp_ordered("<", rest, zero))
    moved = builder.select(differ, builder.fadd(rest, y), rest)
    return builder.select(builder.fcmp_ordered("==", rest, zero), _with_sign(builder, zero, y), moved)


remainder = intrinsic(_of_two(_remainder))
fmod = intrinsic(_of_two(lambda builder, x, y: builder.frem(x, y)))


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
