"""The back end for programs on single numbers: loops over the statements that are alike, which numba compiles."""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

import numpy as np

from autotiny.algebra import Term
from autotiny.compiler.backend import Argument, FactError, ProgramText
from autotiny.compiler.loops.emit import LoopBackend
from autotiny.compiler.loops.rolling import Loop, Nest, rolled
from autotiny.compiler.loops.rows import VARIABLES, Moving, Row, accesses, groups, row
from autotiny.compiler.loops.statements import (
    CONSTANTS,
    LEAVES,
    RESULTS,
    VALUES,
    Assign,
    Part,
    Place,
    Statements,
)
from autotiny.compiler.naming import names_to_show
from autotiny.compiler.operands import number, untaken
from autotiny.compiler.scalars import (
    PythonCode,
    are_many_arrays,
    are_numbers,
    hand_out,
    has_functions_of,
    imported,
    original,
)
from autotiny.compiler.schedule import Schedule
from autotiny.notation.expression import Expression, symbol

FEW = 8
"""Numbers up to which the arguments of `step` have names."""
RESERVED = ("kernel", "leaves", "results", "total", "njit", "put", "range", "step")
"""Names of the program's own."""


class ScalarLoops:
    """Programs about numbers in double precision alone."""

    name = "numba"
    passes = LoopBackend.passes
    sees_flags = False

    def accepts(self, schedule: Schedule) -> bool:
        """Return whether all is a number, of operations that have a form."""
        return bool(schedule.order) and not schedule.checks and are_numbers(schedule) and has_functions_of(schedule)

    def emit(self, schedule: Schedule) -> ProgramText:
        """Return the program: a kernel, and `step`, which puts the numbers into an array and takes the results out."""
        return ScalarProgram(schedule).text()


class ScalarProgram:
    """The text of a program on single numbers."""

    def __init__(self, plan: Schedule) -> None:
        self.plan = plan
        self.results: dict[Term, int] = {}
        """The position of each result that an operation gives."""
        for i, out in enumerate(map(original, plan.outputs)):
            if out.op is not None:
                self.results.setdefault(out, i)
        needed = map(original, (*plan.finite, *plan.not_nan))
        self.statements = Statements(plan.inputs, plan.order, self.results, needed)
        self.copy_results()
        self.conditions = self.look_at_results()
        self.nests = rolled(self.statements.lines, self.statements.keys)
        self.taken = {
            "kernel",
            "leaves",
            "results",
            "total",
            "njit",
            "put",
            "range",
            "step",
            *VARIABLES,
            *dir(math),
            *dir(np),
        }
        self.user_names = names_to_show([*plan.inputs, *plan.order], plan.names)
        self.arrays: list[Row] = []
        self.tables: list[tuple[Row, list[float]]] = []
        self.rows = self.find_rows()
        self.lines: list[str] = []
        self.write(self.nests, [Moving(place) for nest in self.nests for place in nest.places], 0)

    def copy_results(self) -> None:
        """Append the lines for results that are arguments, or other results."""
        copies: list[tuple[int, Place]] = []
        for i, out in enumerate(map(original, self.plan.outputs)):
            if not out.is_constant and self.results.get(out) != i:
                copies.append((i, self.statements.places[out]))
        for i, (space, index) in copies:
            self.statements.append(Assign(RESULTS, space), (i, index))

    def look_at_results(self) -> list[str]:
        """Append the sums that show whether the results may be used, and return what must hold of them."""
        conditions: list[str] = []
        if self.plan.finite:
            self.statements.add_up("squares", "square", self.plan.finite)
            conditions.append("isfinite(squares)")
        if self.plan.not_nan:
            self.statements.add_up("nans", "isnan", self.plan.not_nan)
            conditions.append("not nans")
        return conditions

    # ----- arrays -----
    def find_rows(self) -> dict[Place, Row]:
        """Return the array of each place."""
        accessed: dict[str, list[np.ndarray]] = {LEAVES: [], RESULTS: [], VALUES: [], CONSTANTS: []}
        places = [np.array([place]) for nest in self.nests for place in nest.places]
        for space, turns in accesses(self.nests, places):
            accessed[space].append(turns)
        rows: dict[Place, Row] = {}
        for space, length in ((LEAVES, len(self.plan.inputs)), (RESULTS, len(self.plan.outputs))):
            rows.update({Place(space, i): Row(space, 0, 1, length, True) for i in range(length)})
        for members in groups(accessed[VALUES], len(self.statements.values)):
            found = self.memory(members)
            rows.update({Place(VALUES, i): found for i in members})
        for members in groups(accessed[CONSTANTS], len(self.statements.constants)):
            found = self.table(members)
            rows.update({Place(CONSTANTS, i): found for i in members})
        return rows

    def memory(self, places: list[int]) -> Row:
        """Return a variable or an array for values."""
        made = row(untaken(self.name(places), self.taken), places, len(places) > 1)
        if made.is_array:
            self.arrays.append(made)
        return made

    def name(self, places: list[int]) -> str:
        """Return the name that most of the values have."""
        values = (self.statements.values[i] for i in places)
        names = Counter(
            x if isinstance(x, str) else self.user_names[x].text if x in self.user_names else "t" for x in values
        )
        return names.most_common(1)[0][0]

    def table(self, places: list[int]) -> Row:
        """Return a literal, or an array for numbers that differ."""
        values = [self.statements.constants[i] for i in places]
        if len({number(x) for x in values}) == 1:
            return row(number(values[0]), places, False)
        made = row(untaken("data", self.taken), places, True)
        entries = [0.0] * made.length
        for place, value in zip(places, values, strict=True):
            entries[(place - made.first) // made.stride] = value
        self.tables.append((made, entries))
        return made

    # ----- lines -----
    def write(self, nests: Sequence[Nest], places: Sequence[Moving], depth: int, total: str = "") -> None:
        """Append the lines of nests within so many loops; parts are added to a total."""
        rest = iter(places)
        for nest in nests:
            own = list(islice(rest, len(nest.places)))
            if isinstance(nest, Loop):
                self.put(f"for {VARIABLES[depth]} in range({nest.turns}):", depth)
                moving = [Moving(x.base, (*x.steps, step)) for x, step in zip(own, nest.steps, strict=True)]
                self.write(nest.body, moving, depth + 1, total)
            elif isinstance(nest.statement, Part):
                self.put(f"{total} {nest.statement.sign}= {self.expression(nest.statement.shape, iter(own))}", depth)
            else:
                self.assign(nest.statement, iter(own), depth)

    def assign(self, statement: Assign, places: Iterator[Moving], depth: int) -> None:
        """Append the lines of an assignment."""
        target = self.entry(statement.space, next(places))
        value = self.expression(statement.shape, places)
        if not statement.parts:
            self.put(f"{target} = {value}", depth)
            return
        total = target if target.isidentifier() else "total"
        self.put(f"{total} = {value}", depth)
        self.write(statement.parts, list(places), depth, total)
        if total != target:
            self.put(f"{target} = {total}", depth)

    def put(self, line: str, depth: int) -> None:
        """Append a line."""
        self.lines.append(f"{'    ' * depth}{line}")

    def expression(self, shape: Any, places: Iterator[Moving]) -> str:
        """Return the text of an expression."""
        return PythonCode()(self.tree(shape, places))

    def tree(self, shape: Any, places: Iterator[Moving]) -> Expression:
        """Return an expression whose symbols are the texts of entries."""
        if isinstance(shape, float):
            return Expression("number", value=shape)
        if isinstance(shape, str):
            return self.leaf(shape, next(places))
        return Expression(shape[0], [self.tree(operand, places) for operand in shape[1:]])

    def leaf(self, space: str, place: Moving) -> Expression:
        """Return an entry as an expression, or a number."""
        found = self.rows[Place(space, place.base)]
        if space == CONSTANTS and not found.is_array:
            return Expression("number", value=self.statements.constants[place.base])
        return symbol(found.entry(place))

    def entry(self, space: str, place: Moving) -> str:
        """Return the text of a number that a line writes."""
        return self.rows[Place(space, place.base)].entry(place)

    # ----- text -----
    def text(self) -> ProgramText:
        """Return the program."""
        plan = self.plan
        arrays = [*(x for x in self.arrays), Row("results", 0, 1, len(plan.outputs), True)]
        numbers = Argument(np.dtype(float), (len(plan.inputs),))
        signature = [numbers, *(Argument(np.dtype(float), (x.length,), written=True) for x in arrays)]
        parameters = ", ".join(["leaves", *(x.name for x in arrays)])
        objects: dict[str, Any] = {"FactError": FactError} if plan.stop is FactError else {}
        return ProgramText(
            self.step(parameters), objects, kernels=self.kernel(parameters), signatures={"kernel": signature}
        )

    def kernel(self, parameters: str) -> str:
        """Return the text of the module with the kernel."""
        functions = sorted({*(["isfinite"] if self.plan.finite else []), *imported(self.plan)})
        lines = [
            *([f"from math import {', '.join(functions)}", ""] if functions else []),
            "from numba import njit",
            *(["from numpy import array"] if self.tables else []),
            "",
            *(f"{made.name} = array({entries})" for made, entries in self.tables),
            "",
            '@njit(nogil=True, error_model="numpy")',
            f"def kernel({parameters}):",
            *(f"    {line}" for line in self.lines),
            *([f"    return {' and '.join(self.conditions)}"] if self.conditions else []),
            "",
        ]
        return "\n".join(lines)

    def step(self, parameters: str) -> str:
        """Return the text of the function that calls the kernel."""
        outputs, count = self.plan.outputs, len(self.plan.inputs)
        numbers = ", ".join(f"x{i}" for i in range(count)) if count <= FEW else "*numbers"
        lines = [f"put(leaves, 0, {numbers})", f"results = empty({len(outputs)})", f"kernel({parameters})"]
        if self.conditions:
            assert self.plan.stop is not None
            lines[-1:] = [f"if not {lines[-1]}:", f"    raise {self.plan.stop.__name__}"]
        lines += [f"results[{i}] = {number(out.value)}" for i, out in enumerate(outputs) if out.is_constant]
        if are_many_arrays(outputs):
            lines.append("return nditer(results, (), [['readwrite']])")
        else:
            lines.append("results = results.tolist()")
            lines.append(f"return {hand_out(outputs, [self.result(i) for i in range(len(outputs))])}")
        body = "\n".join([f"def step({numbers}):", *(f"    {line}" for line in lines)])
        names = [name for name in ("array", "bool_", "empty", "float64", "nditer") if f"{name}(" in body]
        return "\n".join(
            [
                "from struct import Struct",
                "",
                f"from numpy import {', '.join(names)}",
                "",
                f"leaves = empty({count})",
                *(f"{x.name} = empty({x.length})" for x in self.arrays),
                f'put = Struct("{count}d").pack_into',
                "",
                "",
                body,
                "",
            ]
        )

    def result(self, i: int) -> str:
        """Return the text of a result, as a number of Python."""
        return f"bool(results[{i}])" if self.plan.outputs[i].dtype == bool else f"results[{i}]"
