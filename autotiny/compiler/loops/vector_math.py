"""The functions that loops call, a number in and a number out: each call writes the code of a formula in its place.

LLVM makes vector code of it. numba calls the C library for `math.exp` instead, one number at a time; its switch for
Intel's vector library (SVML) needs a library that numba's wheels lack, and works on Intel's processors alone; SLEEF has
no wheels.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from inspect import Parameter, Signature, signature
from typing import Any

import numpy as np

from autotiny.compiler.loops import exponentials, instructions, logarithms, trigonometry
from autotiny.compiler.loops.formulas import Number, format_of

FORMULAS: Mapping[str, Callable[..., Number]] = {
    formula.__name__: formula
    for formula in (
        *(exponentials.exp, exponentials.exp2, exponentials.expm1, exponentials.sigmoid),
        *(exponentials.sinh, exponentials.cosh, exponentials.tanh),
        *(logarithms.log, logarithms.log2, logarithms.log10, logarithms.log1p),
        *(logarithms.softplus, logarithms.logaddexp),
        *(trigonometry.sin, trigonometry.cos, trigonometry.tan),
    )
}
"""Functions of floating-point numbers of one type, under NumPy's names."""

ARITHMETIC: Mapping[str, Callable[..., Any]] = {
    code.__name__: code
    for code in (
        *(instructions.add_to, instructions.multiply_to, instructions.multiply_add),
        *(instructions.maximum, instructions.minimum),
    )
}
"""Functions of numbers of one type, of any of these."""

NUMBERS = ("float64", "float32", "int64", "int32", "int16", "int8", "uint64", "uint32", "uint16", "uint8", "bool")


def __getattr__(name: str) -> Any:
    """Return the function of this name: numba is imported when the first one is asked for."""
    if name in FORMULAS:
        function = of_floats(FORMULAS[name])
    elif name in ARITHMETIC:
        function = of_numbers(ARITHMETIC[name])
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return globals().setdefault(name, function)


def of_floats(formula: Callable[..., Number]) -> Any:
    """Return numba's function of a formula."""

    def code(builder: Any, dtype: Any, values: Sequence[Any]) -> Any:
        prefer_wide_vectors(builder.function)
        return formula(*[Number(builder, format_of(dtype.name), value) for value in values]).value

    return function_of_numba(formula.__name__, list(signature(formula).parameters), NUMBERS[:2], code)


def of_numbers(operation: Callable[..., Any]) -> Any:
    """Return numba's function of an operation on numbers of any type."""

    def code(builder: Any, dtype: Any, values: Sequence[Any]) -> Any:
        return operation(builder, dtype.kind, *values)

    _, _, *names = signature(operation).parameters
    return function_of_numba(operation.__name__, names, NUMBERS, code)


def function_of_numba(name: str, parameters: Sequence[str], dtypes: Collection[str], code: Callable[..., Any]) -> Any:
    """Return a function that writes its code where it is called: its arguments are of one type, which it returns."""
    from numba import from_dtype
    from numba.extending import intrinsic

    dtype_of = {from_dtype(np.dtype(dtype)): np.dtype(dtype) for dtype in dtypes}

    def typed(typingctx: Any, *types: Any) -> Any:
        if len(set(types)) > 1 or types[0] not in dtype_of:
            return None
        dtype = dtype_of[types[0]]
        return types[0](*types), lambda context, builder, signature, values: code(builder, dtype, values)

    typed.__name__ = name
    kind = Parameter.POSITIONAL_OR_KEYWORD
    typed.__signature__ = Signature([Parameter(x, kind) for x in ("typingctx", *parameters)])  # type: ignore[attr-defined]
    return intrinsic(typed)


def prefer_wide_vectors(function: Any) -> None:
    """Let LLVM use vectors of 512 bits where the processor has them, as NumPy does, and align those in memory."""
    set.add(function.attributes, '"prefer-vector-width"="512"')  # llvmlite's own `add` knows no attributes of this form
    function.attributes.alignstack = 64
