"""The functions that loops call: NumPy's names, a number in, a number out, and vector code where the loop allows it.

Why not ...: numba calls the scalar functions of the C library for `math.exp`; its switch for Intel's vector library
(SVML) needs a library that PyPI's numba lacks, and works on Intel's processors alone; SLEEF has no wheels on PyPI.
"""

from collections.abc import Callable
from typing import Any

from numba import types
from numba.extending import intrinsic

from autotiny.compiler.loops import exponentials, logarithms
from autotiny.compiler.loops.formulas import FORMATS, Number


def of_one_number(formula: Callable[[Number], Number]) -> Any:
    """Return the function that loops call: each call writes the formula's code in its place."""

    def typed(typingctx: Any, x: Any) -> Any:
        return (x(x), write(formula)) if isinstance(x, types.Float) else None

    return named(typed, formula)


def of_two_numbers(formula: Callable[[Number, Number], Number]) -> Any:
    """Return the function that loops call, of two numbers of one type."""

    def typed(typingctx: Any, x: Any, y: Any) -> Any:
        return (x(x, x), write(formula)) if isinstance(x, types.Float) and x == y else None

    return named(typed, formula)


def named(typed: Callable[..., Any], formula: Callable[..., Any]) -> Any:
    typed.__name__, typed.__doc__ = formula.__name__, formula.__doc__
    return intrinsic(typed)


def write(formula: Callable[..., Number]) -> Callable[..., Any]:
    """Return what writes the code of a formula."""

    def code(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        form = FORMATS[str(signature.return_type)]
        set.add(builder.function.attributes, '"prefer-vector-width"="512"')
        return formula(*[Number(builder, form, value) for value in values]).value

    return code


exp = of_one_number(exponentials.exp)
exp2 = of_one_number(exponentials.exp2)
expm1 = of_one_number(exponentials.expm1)
sinh = of_one_number(exponentials.sinh)
cosh = of_one_number(exponentials.cosh)
tanh = of_one_number(exponentials.tanh)
sigmoid = of_one_number(exponentials.sigmoid)
log = of_one_number(logarithms.log)
log2 = of_one_number(logarithms.log2)
log10 = of_one_number(logarithms.log10)
log1p = of_one_number(logarithms.log1p)
softplus = of_one_number(logarithms.softplus)
logaddexp = of_two_numbers(logarithms.logaddexp)
