"""The table of scalar forms: how a kernel writes one entry of each kind of operation, and in which types."""

from collections.abc import Mapping
from functools import cache
from typing import Any, ClassVar

import numpy as np

from autotiny.algebra import Term
from autotiny.compiler.operands import number
from autotiny.compiler.rewriting import CAST, VDOT, TermKind, kind
from autotiny.notation.code import NumpyCode
from autotiny.notation.expression import Expression
from autotiny.notation.forms import NUMPY, Call, Form, form

FLOATS = frozenset(map(np.dtype, ("float32", "float64")))
BOOL = np.dtype(bool)
NUMBERS = FLOATS | {np.dtype("int64")}
LOADED = NUMBERS | frozenset(map(np.dtype, ("bool", "int8", "int16", "int32", "uint8", "uint16", "uint32")))
"""The types of arrays that a kernel reads. It computes in NUMBERS, and compares."""

ARITHMETIC, VECTOR_MATH, MATH = (
    "autotiny.compiler.loops.arithmetic",
    "autotiny.compiler.loops.vector_math",
    "math",
)
FUNCTIONS: dict[str, str] = {
    **dict.fromkeys(("floor", "ceil", "trunc", "rint", "sqrt", "fabs"), ARITHMETIC),
    **dict.fromkeys(("maximum", "minimum", "fmax", "fmin", "at_least", "at_most", "where"), ARITHMETIC),
    **dict.fromkeys(("sign", "signbit", "reciprocal", "remainder", "fmod"), ARITHMETIC),
    **dict.fromkeys(("add_to", "add_products", "scratch"), ARITHMETIC),
    **dict.fromkeys(("exp", "exp2", "expm1", "log", "log1p", "log2", "log10", "logaddexp"), VECTOR_MATH),
    **dict.fromkeys(("tanh", "sinh", "cosh", "sin", "cos", "tan", "cbrt", "wide_vectors"), VECTOR_MATH),
    **dict.fromkeys(("asin", "acos", "atan", "asinh", "acosh", "atanh", "atan2"), MATH),
    **dict.fromkeys(("hypot", "pow", "isfinite", "isinf"), MATH),
}
"""The module of each function that kernels call."""

OPERATORS = (
    "add", "subtract", "multiply", "divide", "negative",
    "greater", "greater_equal", "less", "less_equal", "equal", "not_equal",
)  # fmt: skip
"""Kinds that are operators of Python."""
SAME = (
    *("exp", "exp2", "expm1", "log", "log1p", "log2", "log10", "logaddexp", "sqrt", "cbrt", "hypot"),
    *("sign", "signbit", "reciprocal", "remainder", "fmod"),
    *("sin", "cos", "tan", "sinh", "cosh", "tanh"),
)
"""Kinds that are functions of the same name."""
FORMS = {
    **{name: f"{name}()" for name in SAME},
    **{f"arc{name}": f"a{name}()" for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh")},
    "arctan2": "atan2()",
    **{name: f"{name}()" for name in ("floor", "ceil", "trunc", "rint", "maximum", "minimum", "fmax", "fmin")},
    "maximum with a number": "at_least()",
    "minimum with a number": "at_most()",
    "where": "where()",
    "absolute": "fabs()",
    "absolute of integers": "abs()",
    "square": "p: $0r * $0r",
    "positive": "a: $a",
    "copy": "a: $a",
    "isnan": "t: $0s != $0s",
    "isfinite": "isfinite()",
    "isinf": "isinf()",
    "logical_and": "t: $a & $a",
    "logical_or": "t: $a | $a",
    "logical_not": "t: not $a",
    "power": "pow()",
}
"""Kinds with forms of their own."""
NEUTRAL: dict[Any, Any] = {np.add: 0.0, np.multiply: 1.0, np.maximum: -np.inf, np.minimum: np.inf}
"""What a reduction by a ufunc starts from."""
TWICE = {"square", "isnan"}
"""Kinds whose form repeats the operand, which therefore has a name."""
OF_TRUTH = {"logical_and", "logical_or", "logical_not"}
OF_INTEGERS = {*OPERATORS, *OF_TRUTH, "where", "copy", "absolute", "sign", "maximum", "minimum", "square"}


class LoopCode(NumpyCode):
    """Formulas of single entries, as numba compiles them."""

    forms: ClassVar[Mapping[str, Form | Call]] = {
        **{kind: NUMPY[kind] for kind in OPERATORS},
        **{kind: form(text) for kind, text in FORMS.items()},
    }

    def number(self, value: Any) -> str:
        """Return a number with all of its digits."""
        return number(value)


def entry_form(term: Term) -> str:
    """Return the kind under which the table has the form of one entry of an operation; "" for one that has none."""
    op = term.op
    assert op is not None
    if op is CAST or op.function is np.copy:
        return "copy"
    types = operand_types(term)
    if types is None:
        return ""
    name, real = op.kind, types[-1] in FLOATS
    if name in ("maximum", "minimum") and real and is_comparable(term.args[1]):
        return f"{name} with a number"
    if name == "absolute" and not real:
        return "absolute of integers"
    if name in OF_TRUTH and any(dtype != BOOL for dtype in types):
        return ""
    if name == "divide" and not real:
        return ""
    if any(dtype == BOOL for dtype in types) and name not in (*OF_TRUTH, "where", "copy"):
        return ""
    if not real and name not in OF_INTEGERS:
        return ""
    if not isinstance(op.function, np.ufunc) and op.function is not np.where:
        return ""
    return name if name in LoopCode.forms else ""


def is_comparable(x: Term) -> bool:
    """Whether it is a number other than nan."""
    return x.is_constant and x.ndim == 0 and x.value == x.value


def operand_types(term: Term) -> tuple[np.dtype, ...] | None:
    """Return the type in which each operand of an elementwise operation is used; None if a kernel has no such type."""
    op = term.op
    assert op is not None
    function = op.function
    if function is np.where:
        types: tuple[np.dtype, ...] = (BOOL, term.dtype, term.dtype)
    elif isinstance(function, np.ufunc) and function.signature is None and function.nout == 1:
        if op.forward is not function and all(type(arg.prototype) in (int, float, bool) for arg in term.args):
            raises = op.kind in ("divide", "power") and not (term.args[1].is_constant and term.args[1].value)
            return None if raises or term.dtype != np.float64 else (term.dtype,) * len(term.args)
        types = _loop_of(function, tuple(map(_kind_of_number, term.args)))
    else:
        return None
    known = NUMBERS | {BOOL}
    return types if set(types) <= known else None


def _kind_of_number(x: Term) -> Any:
    """Return the type of an operand; Python's own for a number of Python's, which takes that of the others."""
    return type(x.prototype) if type(x.prototype) in (int, float) else x.dtype


@cache
def _loop_of(function: np.ufunc, types: tuple[Any, ...]) -> tuple[np.dtype, ...]:
    try:
        return function.resolve_dtypes((*types, None))[: function.nin]
    except TypeError:
        return ()


def is_loaded(dtype: np.dtype) -> bool:
    """Whether a kernel reads arrays of a type."""
    return dtype in LOADED


def has_loop(term: Term) -> bool:
    """Whether a kernel can compute a result entry by entry, or fold it."""
    if term.dtype not in NUMBERS | {BOOL} or not all(is_loaded(arg.dtype) for arg in term.args):
        return False
    if len(term.parents) > len(term.args) or not all(x.size for x in (term, *term.args)):
        return False
    if any(isinstance(part.prototype, str | bytes) for part in term.args):
        return False
    op, way = term.op, kind(term)
    assert op is not None
    if op is VDOT:
        same = all((arg.dtype, arg.shape) == (term.dtype, term.args[0].shape) for arg in term.args)
        return term.dtype in FLOATS and same
    if op.reduction_of is not None:
        whole = term.args[0].dtype == term.dtype or (op.reduction_of is np.add and term.dtype in NUMBERS)
        return (
            op.reduction_of in NEUTRAL and term.dtype in NUMBERS and whole and set(term.kwargs) <= {"axis", "keepdims"}
        )
    if op.function is np.matmul:
        return term.dtype in FLOATS and all(arg.dtype == term.dtype for arg in term.args)
    if op is CAST or op.function is np.copy:
        return True
    elementwise = way in (TermKind.ELEMENTWISE, TermKind.NUMBER) or op.function is np.where
    return elementwise and bool(entry_form(term))


def literal(value: Any, dtype: np.dtype) -> Expression:
    """Return a number in a type: numba would compute float32 times 0.5 in double precision."""
    value = dtype.type(value).item() if dtype != BOOL else bool(value)
    plain = Expression("number", value=value)
    if dtype == np.float32:
        return Expression("call", [plain], "float32")
    return plain


def converted(x: Expression, dtype: np.dtype, to: np.dtype) -> Expression:
    """Return an operand in another type."""
    if dtype == to:
        return x
    return Expression("not_equal", [x, literal(0, dtype)]) if to == BOOL else Expression("call", [x], str(to))
