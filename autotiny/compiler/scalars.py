"""Programs on numbers alone, in Python's own arithmetic, which is many times faster than NumPy's on single numbers.

Where Python raises and NumPy gives inf or nan, and where a result is nan, FactError hands the call to the general
program.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from autotiny.algebra import Term
from autotiny.compiler.backend import FactError, ProgramText
from autotiny.compiler.naming import names_to_show
from autotiny.compiler.operands import comment, is_copied_number, number, unique_names
from autotiny.compiler.schedule import Schedule

FUNCTIONS: dict[Any, str] = {
    np.exp: "exp", np.expm1: "expm1", np.log: "log", np.log1p: "log1p", np.log2: "log2", np.log10: "log10",
    np.sqrt: "sqrt", np.sin: "sin", np.cos: "cos", np.tan: "tan", np.tanh: "tanh", np.sinh: "sinh", np.cosh: "cosh",
    np.arcsin: "asin", np.arccos: "acos", np.arctan: "atan", np.arcsinh: "asinh", np.arccosh: "acosh",
    np.arctanh: "atanh", np.arctan2: "atan2", np.power: "pow", np.fabs: "fabs",
}  # fmt: skip
"""What the module math calls them."""
FORMS: dict[Any, str] = {
    np.add: "{} + {}", np.subtract: "{} - {}", np.multiply: "{} * {}", np.divide: "{} / {}", np.negative: "-{}",
    np.absolute: "abs({})", np.greater: "{} > {}", np.greater_equal: "{} >= {}", np.less: "{} < {}",
    np.less_equal: "{} <= {}", np.equal: "{} == {}", np.not_equal: "{} != {}", np.copy: "{}",
    np.where: "{1} if {0} else {2}", np.maximum: "{1} if {0} < {1} or {1} != {1} else {0}",
    np.minimum: "{1} if {0} > {1} or {1} != {1} else {0}",
}  # fmt: skip
"""What Python writes for them; nan wins a comparison for the larger or smaller, as in NumPy."""
BINDING: dict[Any, int] = {np.add: 4, np.subtract: 4, np.multiply: 5, np.divide: 5}
"""How tightly operators bind."""
DEEPEST = 40
"""Python reads no expression of any depth."""
WITH_CONSTANT: dict[Any, str] = {np.maximum: "{1} if {0} < {1} else {0}", np.minimum: "{1} if {0} > {1} else {0}"}


class ScalarBackend:
    """Programs about numbers of Python's precision alone, and functions that Python has."""

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
    return all(function in FORMS or function in FUNCTIONS for function in functions_of(plan))


def program(plan: Schedule) -> ProgramText:
    """The program: a line for each operation, those that are used once within the line that uses them."""
    called, names = unique_names(plan, plan.names), names_to_show([*plan.inputs, *plan.order], plan.names)
    uses = Counter(part for term in plan.order for part in term.args)
    uses.update(plan.outputs)
    expressions: dict[Term, Expression] = {x: Expression(called[x]) for x in plan.inputs}
    lines = [f"{called[x]} = float({called[x]})" for x in plan.inputs if type(x.value) is not float]
    for term in plan.order:
        expression = expressions[term.args[0]] if is_copied_number(term) else expression_of(term, expressions)
        if not is_copied_number(term) and (term in names or uses[term] > 1 or expression.depth > DEEPEST):
            lines.append(f"{called[term]} = {expression.text}{comment(term, names)}")
            expression = Expression(called[term])
        expressions[term] = expression
    results = [number(out.value) if out.is_constant else expressions[out].text for out in plan.outputs]
    if plan.swept or plan.finite:
        lines += [f"results = {', '.join(results)},", f"if {'not isfinite' if plan.finite else 'isnan'}(sum(results)):"]
        lines.append("    raise FactError")
        results = [f"results[{i}]" for i in range(len(results))]
    handed = hand_out(plan.outputs, results)
    imported = sorted({FUNCTIONS[function] for function in functions_of(plan) if function in FUNCTIONS})
    text = [
        f"from math import {', '.join(['isfinite' if plan.finite else 'isnan', *imported])}",
        "",
        "from numpy import array, float64",
        "",
        "",
        f"def step({', '.join(called[x] for x in plan.inputs)}):",
        *(f"    {line}" for line in [*lines, f"return {handed}"]),
        "",
    ]
    return ProgramText("\n".join(text), {"FactError": FactError}, in_python=True)


def hand_out(outputs: list[Term], results: list[str]) -> str:
    """The results as the function gives them: arrays without axes, or numbers of NumPy's or Python's."""
    if len(outputs) > 1 and results[0] == "results[0]" and all(isinstance(out.value, np.ndarray) for out in outputs):
        return "map(array, results)"
    handed = [as_given(out, name) for out, name in zip(outputs, results, strict=True)]
    return ", ".join(handed) + ("," if len(handed) == 1 else "")


class Expression(NamedTuple):
    """An expression: its text, how tightly its operator binds, and how deep it is."""

    text: str
    binding: int = 9
    depth: int = 0

    def beside(self, binding: int) -> str:
        """The text as an operand of an operator that binds so tightly."""
        return self.text if self.binding >= binding else f"({self.text})"


def functions_of(plan: Schedule) -> Iterator[object]:
    """The functions that a program calls."""
    return (term.op.function for term in plan.order if term.op is not None)


def expression_of(term: Term, expressions: dict[Term, Expression]) -> Expression:
    """One operation as an expression."""
    assert term.op is not None
    function = term.op.function
    args = [Expression(number(float(x.value))) if x.is_constant else expressions[x] for x in term.args]
    depth = 1 + max(arg.depth for arg in args)
    if function in FUNCTIONS:
        return Expression(f"{FUNCTIONS[function]}({', '.join(arg.text for arg in args)})", 9, depth)
    if function in BINDING:
        binding = BINDING[function]
        sides = [arg.beside(binding + i) for i, arg in enumerate(args)]
        return Expression(FORMS[function].format(*sides), binding, depth)
    form = WITH_CONSTANT.get(function) if term.args[-1].is_constant else None
    return Expression((form or FORMS[function]).format(*(arg.beside(9) for arg in args)), 0, depth)


def as_given(output: Term, name: str) -> str:
    """A result as the function gives it: a number of Python's or NumPy's, or an array without axes."""
    if isinstance(output.value, np.ndarray):
        return f"array({name})"
    return f"float64({name})" if isinstance(output.value, np.floating) else name
