"""Sums and products that LLVM may reorder, and the greater of two numbers as NumPy sees it, as code of LLVM.

The functions take LLVM's builder, the kind of the numbers as NumPy's `dtype.kind` has it, and the numbers.
"""

from typing import Any

ADD = {"f": "fadd", "b": "or_", "i": "add", "u": "add"}
MULTIPLY = {"f": "fmul", "b": "and_", "i": "mul", "u": "mul"}
MAXIMUM = {"f": "maximum", "b": "umax", "i": "smax", "u": "umax"}
MINIMUM = {"f": "minimum", "b": "umin", "i": "smin", "u": "umin"}


def add_to(builder: Any, kind: str, total: Any, x: Any) -> Any:
    """total + x, of which LLVM may reorder many, so that a sum becomes vector code."""
    return getattr(builder, ADD[kind])(total, x, flags=("reassoc",) if kind == "f" else ())


def multiply_to(builder: Any, kind: str, total: Any, x: Any) -> Any:
    """total * x, of which LLVM may reorder many."""
    return getattr(builder, MULTIPLY[kind])(total, x, flags=("reassoc",) if kind == "f" else ())


def multiply_add(builder: Any, kind: str, total: Any, x: Any, y: Any) -> Any:
    """total + x * y, of which LLVM may reorder many, and round each once, as BLAS does."""
    flags = ("contract",) if kind == "f" else ()
    product = getattr(builder, MULTIPLY[kind])(x, y, flags=flags)
    return getattr(builder, ADD[kind])(total, product, flags=("reassoc", *flags) if flags else ())


def maximum(builder: Any, kind: str, x: Any, y: Any) -> Any:
    """The greater of x and y, or nan, where 0.0 is greater than -0.0."""
    return instruction(builder, MAXIMUM[kind], x, y)


def minimum(builder: Any, kind: str, x: Any, y: Any) -> Any:
    """The less of x and y, or nan, where -0.0 is less than 0.0."""
    return instruction(builder, MINIMUM[kind], x, y)


def instruction(builder: Any, name: str, *numbers: Any) -> Any:
    """Return what an instruction of LLVM makes of numbers of one type."""
    from llvmlite.ir import FunctionType

    number = numbers[0].type
    function = FunctionType(number, [number] * len(numbers))
    return builder.call(builder.module.declare_intrinsic(f"llvm.{name}", [number], function), numbers)
