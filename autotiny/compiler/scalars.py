"""The back end for numbers alone: Python's own arithmetic is many times faster than NumPy's on single numbers.

Where Python raises and NumPy gives inf or nan, and where a result is nan, FactError hands the call to the general
program.
"""

import math
import re
from collections import Counter
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from autotiny.algebra import Term
from autotiny.compiler.backend import FactError, ProgramText
from autotiny.compiler.naming import names_to_show
from autotiny.compiler.operands import comment, is_copied_number, number, unique_names
from autotiny.compiler.products import FORMS_FOR_NUMPY
from autotiny.compiler.schedule import Schedule
from autotiny.notation.code import NumpyCode
from autotiny.notation.expression import Expression, symbol
from autotiny.notation.forms import NUMPY, Call, Form, form

MATH = {
    "exp": "exp", "expm1": "expm1", "log": "log", "log1p": "log1p", "log2": "log2", "log10": "log10", "sqrt": "sqrt",
    "sin": "sin", "cos": "cos", "tan": "tan", "tanh": "tanh", "sinh": "sinh", "cosh": "cosh", "arcsin": "asin",
    "arccos": "acos", "arctan": "atan", "arcsinh": "asinh", "arccosh": "acosh", "arctanh": "atanh",
    "arctan2": "atan2", "power": "pow", "hypot": "hypot", "isfinite": "isfinite", "isinf": "isinf",
}  # fmt: skip
"""Names of functions in the module math."""
OPERATORS = (
    "add", "subtract", "multiply", "divide", "negative", "greater", "greater_equal", "less", "less_equal", "equal",
    "not_equal",
)  # fmt: skip
"""Kinds that are operators of Python, too."""
OTHERS = {
    "absolute": "abs()",
    "copy": "a: $a",
    "positive": "a: $a",
    "square": "p: $0a * $0a",
    "reciprocal": "p: 1 / $r",
    "isnan": "t: $0s != $0s",
    "logical_and": "e: $a and $a",
    "logical_or": "e: $a or $a",
    "logical_not": "e: not $a",
    "where": "e: $1a if $0a else $2a",
    "sign": "e: 1.0 if $0a > 0 else -1.0 if $0a < 0 else abs($0a)",
    "maximum": "e: $1a if $0a < $1a or $1a != $1a else $0a",
    "minimum": "e: $1a if $0a > $1a or $1a != $1a else $0a",
    "maximum with a number": "e: $1a if $0a < $1a else $0a",
    "minimum with a number": "e: $1a if $0a > $1a else $0a",
    "sigmoid": "p: 1 / (1 + exp(-$0a))",
    "log_sigmoid": "s: min($0a, 0.0) - log1p(exp(-abs($0a)))",
    "softplus": "s: max($0a, 0.0) + log1p(exp(-abs($0a)))",
}
"""Kinds with forms of their own in Python. The maximum or minimum of nan and a number is nan, as in NumPy."""
OF_TRUTH = frozenset({"logical_and", "logical_or", "logical_not"})
"""Kinds whose form is right for masks alone."""
CALLED = re.compile(r"(\w+)\(")
MANY = 8
"""Results from which they are made at once."""
AS_VIEWS = "nditer(fromiter(results, float, {}), (), [['readwrite']])"
"""The text of results as 0-d arrays, each a view of an entry: three times as fast as an array for each."""
DEEPEST = 40
"""Depth from which an expression gets a line of its own: Python's parser is limited."""


class PythonCode(NumpyCode):
    """Formulas of numbers in Python's own arithmetic."""

    forms: ClassVar[Mapping[str, Form | Call]] = {
        **{kind: NUMPY[kind] for kind in OPERATORS},
        **{kind: Call(name) for kind, name in MATH.items()},
        **{kind: form(text) for kind, text in OTHERS.items()},
    }

    def number(self, value: Any) -> str:
        """Return a number with all of its digits."""
        return number(value)


class ScalarBackend:
    """Programs about numbers of Python's precision alone, and functions that Python has."""

    name = "Python"
    passes = FORMS_FOR_NUMPY
    sees_flags = True

    def accepts(self, schedule: Schedule) -> bool:
        """Return whether all is a number, and another program may take over where Python raises."""
        return schedule.may_fail and bool(schedule.order) and are_numbers(schedule) and has_functions_of(schedule)

    def emit(self, schedule: Schedule) -> ProgramText:
        """Return the program in Python's arithmetic."""
        return program(schedule)


def are_numbers(plan: Schedule) -> bool:
    """Whether arguments and results are single numbers in double precision, or masks."""
    return all(
        term.ndim == 0 and (term.dtype == np.float64 or (term.op is not None and term.dtype == bool))
        for term in (*plan.inputs, *plan.order)
    )


def has_functions_of(plan: Schedule) -> bool:
    """Whether Python has every function of a schedule."""
    masks = (term for term in plan.order if kind_of(term) in OF_TRUTH)
    return PythonCode.forms.keys() >= kinds_of(plan) and all(x.dtype == bool for term in masks for x in term.args)


def imported(plan: Schedule) -> list[str]:
    """Return the functions of the module math that the forms of a schedule's operations call."""
    texts = (each.name + "(" if isinstance(each, Call) else each.template for each in map(form_of, plan.order))
    return sorted({name for text in texts for name in CALLED.findall(text) if hasattr(math, name)})


def program(plan: Schedule) -> ProgramText:
    """Return the program: a line for each operation, or within the line of its only user."""
    called, names = unique_names(plan, plan.names), names_to_show([*plan.inputs, *plan.order], plan.names)
    uses = Counter(map(original, plan.outputs))
    for term in plan.order:
        for part in set(term.args):
            uses[original(part)] += times_written(term, part)
    write = PythonCode()
    expressions = {x: symbol(called[x]) for x in plan.inputs}
    depths = Counter[Term]()
    lines = [f"{called[x]} = float({called[x]})" for x in plan.inputs if type(x.prototype) is not float]
    for term in plan.order:
        if is_copied_number(term):
            expressions[term], depths[term] = expressions[term.args[0]], depths[term.args[0]]
            continue
        expressions[term], depths[term] = expression_of(term, expressions), 1 + max(depths[x] for x in term.args)
        if term in names or uses[term] > 1 or depths[term] > DEEPEST:
            lines.append(f"{called[term]} = {write(expressions[term])}{comment(term, names)}")
            expressions[term], depths[term] = symbol(called[term]), 0
    results = [number(out.value) if out.is_constant else write(expressions[out]) for out in plan.outputs]
    looked_at, as_views = plan.swept or plan.finite, are_many_arrays(plan.outputs)
    if looked_at or as_views:
        lines.append(f"results = [{', '.join(results)}]")
        results = [f"results[{i}]" for i in range(len(results))]
    if looked_at:
        lines += [f"if {'not isfinite' if plan.finite else 'isnan'}(sum(results)):", "    raise FactError"]
    handed = AS_VIEWS.format(len(results)) if as_views else hand_out(plan.outputs, results)
    functions = sorted({"isfinite" if plan.finite else "isnan", *imported(plan)})
    text = [
        f"from math import {', '.join(functions)}",
        "",
        f"from numpy import {'fromiter, nditer' if as_views else 'array, bool_, float64'}",
        "",
        "",
        f"def step({', '.join(called[x] for x in plan.inputs)}):",
        *(f"    {line}" for line in [*lines, f"return {handed}"]),
        "",
    ]
    return ProgramText("\n".join(text), {"FactError": FactError}, in_python=True, may_warn=False)


def original(term: Term) -> Term:
    """Return the number of which a term is the copy, or the term."""
    while is_copied_number(term):
        term = term.args[0]
    return term


def times_written(term: Term, operand: Term) -> int:
    """Return how often an operand stands in the text of an operation; a copy is written as what it copies."""
    if is_copied_number(term):
        return 0
    written = form_of(term)
    places = [i for i, arg in enumerate(term.args) if arg is operand]
    return sum(written.template.count(f"{{{i}}}") if isinstance(written, Form) else 1 for i in places)


def are_many_arrays(outputs: list[Term]) -> bool:
    """Whether the results are 0-d arrays, so many that it pays to make them at once."""
    return len(outputs) >= MANY and all(isinstance(out.prototype, np.ndarray) for out in outputs)


def hand_out(outputs: list[Term], results: list[str]) -> str:
    """Return the text of the results as the function returns them: 0-d arrays, or numbers of NumPy or Python."""
    handed = [as_given(out, name) for out, name in zip(outputs, results, strict=True)]
    return ", ".join(handed) + ("," if len(handed) == 1 else "")


def kinds_of(plan: Schedule) -> set[str]:
    """The kinds of operations in a schedule."""
    return {term.op.kind for term in plan.order if term.op is not None}


def kind_of(term: Term) -> str:
    """Return the kind of an operation, which may be another one where an operand is known."""
    assert term.op is not None
    against_number = f"{term.op.kind} with a number"
    return against_number if term.args[-1].is_constant and against_number in PythonCode.forms else term.op.kind


def form_of(term: Term) -> Form | Call:
    """Return the form of an operation."""
    return PythonCode.forms[kind_of(term)]


def expression_of(term: Term, expressions: Mapping[Term, Expression]) -> Expression:
    """One operation as an expression."""
    operands = [Expression("number", value=float(x.value)) if x.is_constant else expressions[x] for x in term.args]
    return Expression(kind_of(term), operands)


def as_given(output: Term, name: str) -> str:
    """Return the text of a result as the function returns it: a number of Python or NumPy, or a 0-d array."""
    if isinstance(output.prototype, np.ndarray):
        return f"array({name})"
    if isinstance(output.prototype, np.generic):
        return f"{'bool_' if output.dtype == bool else 'float64'}({name})"
    return name
