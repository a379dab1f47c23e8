"""The functions that loops call, a number in and a number out: each call writes the code of a formula in its place.

LLVM makes vector code of it. numba calls the C library for `math.exp` instead, one number at a time; its switch for
Intel's vector library (SVML) needs a library that numba's wheels lack, and works on Intel's processors alone; SLEEF has
no wheels.
"""

from collections.abc import Callable, Mapping
from inspect import Parameter, Signature, signature
from typing import Any

import numpy as np

from autotiny.compiler.loops import exponentials, logarithms, trigonometry
from autotiny.compiler.loops.formulas import Number, format_of

FORMULAS: Mapping[str, Callable[..., Number]] = {
    formula.__name__: formula
    for formula in (
        *(exponentials.exp, exponentials.exp2, exponentials.expm1, exponentials.sigmoid),
        *(exponentials.sinh, exponentials.cosh, exponentials.tanh),
        *(logarithms.log, logarithms.log2, logarithms.log10, logarithms.log1p),
        *(logarithms.softplus, logarithms.logaddexp, logarithms.cbrt),
        *(trigonometry.sin, trigonometry.cos, trigonometry.tan),
    )
}
"""Functions of floating-point numbers of one type, under NumPy's names."""

FLOATS = ("float64", "float32")


def __getattr__(name: str) -> Any:
    """Return the function of this name: numba is imported when the first one is asked for."""
    if name not in (*FORMULAS, "wide_vectors"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return globals().setdefault(name, of_formula(FORMULAS[name]) if name in FORMULAS else of_wide_vectors())


def of_formula(formula: Callable[..., Number]) -> Any:
    """Return numba's function of a formula: its arguments are of one type, which it returns."""
    from numba import from_dtype
    from numba.extending import intrinsic

    formats = {from_dtype(np.dtype(name)): format_of(name) for name in FLOATS}

    def typed(typingctx: Any, *types: Any) -> Any:
        if len(set(types)) > 1 or types[0] not in formats:
            return None
        form = formats[types[0]]

        def code(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            return formula(*[Number(builder, form, value) for value in values]).value

        return types[0](*types), code

    typed.__name__ = formula.__name__
    names = ("typingctx", *signature(formula).parameters)
    parameters = [Parameter(name, Parameter.POSITIONAL_OR_KEYWORD) for name in names]
    typed.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
    return intrinsic(typed)


def of_wide_vectors() -> Any:
    """Return numba's function `wide_vectors()`: vectors of 512 bits in the kernel that calls it, if the processor can.

    They take 0.7 of the time of exp in long loops, and more time in short ones; LLVM prefers 256 bits by itself.
    """
    from numba import types
    from numba.extending import intrinsic

    def wide_vectors(typingctx: Any) -> Any:
        def code(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            attributes = builder.function.attributes
            set.add(attributes, '"prefer-vector-width"="512"')  # llvmlite's own `add` knows no attributes of this form
            attributes.alignstack = 64
            return context.get_dummy_value()

        return types.void(), code

    return intrinsic(wide_vectors)
