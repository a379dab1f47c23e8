"""The expressions of a kernel: what a statement computes, in entries of arrays, variables and numbers."""

from collections.abc import Iterable, Sequence
from itertools import count

import numpy as np

from autotiny.algebra import Term
from autotiny.compiler.loops.accesses import Access, Index
from autotiny.compiler.loops.entries import entry, moved
from autotiny.compiler.loops.forms import (
    BOOL,
    FUNCTIONS,
    LoopCode,
    converted,
    entry_form,
    literal,
    operand_types,
)
from autotiny.compiler.loops.nests import Nests, Statement
from autotiny.compiler.rewriting import VDOT, is_uniform
from autotiny.notation.expression import Expression, symbol
from autotiny.notation.forms import Call

CHEAP = ("add", "subtract", "multiply", "negative", "greater", "greater_equal", "less", "less_equal", "equal")
"""Kinds that take less time than to store their results and to load them again."""


class ExpressionWriter:
    """Writes what the statements of a kernel compute, and notes what they need.

    names : the names of terms.
    imports : names to import, by module.
    arrays : the arrays and numbers that are arguments.
    """

    def __init__(self, nests: Nests, names: dict[Term, str], named: Iterable[Term]) -> None:
        self.nests, self.names, self.named = nests, names, set(named)
        self.code = LoopCode()
        self.imports: dict[str, set[str]] = {}
        self.scalars = {term for term, statement in nests.made.items() if nests.is_scalar(statement)}
        self.again = self.computed_again()
        self.inner: dict[Term, Expression] = {}
        """The expressions of results that are written within the line of their user."""
        self.arrays: dict[Term, None] = {}

    def computed_again(self) -> set[Term]:
        """Return the results that are computed where they are used, from an array that is kept anyway."""
        found, made = set[Term](), self.nests.made
        changed = set(self.nests.last.values())
        for term, statement in made.items():
            if term in self.scalars or term in self.nests.results or term in self.named or statement.folds:
                continue
            roots = [read.root for read in statement.reads if not is_number(read.root)]
            if not (is_cheap(term) and len(roots) == 1 and roots[0] not in changed and roots[0] not in found):
                continue
            if roots[0].ndim and (roots[0] not in made or roots[0] not in self.scalars):
                found.add(term)
        return found

    def expression(
        self, statement: Statement, indices: Sequence[Index] | None = None, user: Statement | None = None
    ) -> Expression:
        """Return the expression of one entry of an elementwise operation: for a user, of the entry that this reads."""
        term = statement.term
        operands = self.operands(statement)
        if indices is not None and user is not None:
            operands = [self.operand(moved(read, statement, indices), user) for read in statement.reads]
        if is_copy(term):
            return self.as_type(operands[0], statement.reads[0].root, term.dtype)
        if term.op is VDOT:
            return Expression("multiply", operands)
        form, types = entry_form(term), operand_types(term)
        assert types is not None
        pairs = zip(operands, statement.reads, types, strict=True)
        return self.applied(form, [self.as_type(x, read.root, dtype) for x, read, dtype in pairs])

    def applied(self, form: str, operands: list[Expression]) -> Expression:
        """Return an operation, and import its function."""
        row = LoopCode.forms[form]
        if isinstance(row, Call):
            self.call(row.name) if row.name in FUNCTIONS else None
        return Expression(form, operands)

    def as_type(self, x: Expression, root: Term, dtype: np.dtype) -> Expression:
        """Return an operand in the type in which it is used."""
        if is_number(root):
            return self.number(root, dtype)
        if root.dtype != dtype and dtype != BOOL:
            self.take("numba", str(dtype))
        return converted(x, root.dtype, dtype)

    def number(self, x: Term, dtype: np.dtype) -> Expression:
        """Return a constant in a type."""
        if dtype == np.float32:
            self.take("numba", "float32")
        return literal(np.asarray(x.value).flat[0], dtype)

    def operands(self, statement: Statement) -> list[Expression]:
        """Return the operands of a statement."""
        return [self.operand(read, statement) for read in statement.reads]

    def operand(self, read: Access, statement: Statement) -> Expression:
        """Return what a statement reads: an expression, a variable, or an entry of an array."""
        root, indices = read
        if root in self.again:
            return self.expression(self.nests.made[root], indices, statement)
        if root in self.inner:
            return self.inner[root]
        if is_number(root):
            return self.number(root, root.dtype)
        if root in self.scalars:
            return symbol(self.names[root])
        if root.is_constant and root not in self.names:
            self.names[root] = self.untaken("constant")
        self.arrays[root] = None
        return symbol(entry(self.names[root], indices, statement) if root.ndim else self.names[root])

    def write(self, x: Expression) -> str:
        """Return the text of an expression."""
        return self.code(x)

    # ----- names -----
    @staticmethod
    def scalar_type(dtype: np.dtype) -> str:
        """Return numba's name of a type."""
        return "boolean" if dtype == BOOL else str(dtype)

    def call(self, name: str) -> str:
        """Import a function, and return its name."""
        self.take(FUNCTIONS[name], name)
        return name

    def untaken(self, base: str) -> str:
        """Return a name that no term has."""
        return next(name for i in count(1) if (name := base if i == 1 else f"{base}_{i}") not in self.called)

    @property
    def called(self) -> set[str]:
        """The names that terms have."""
        return set(self.names.values())

    def take(self, module: str, name: str) -> None:
        """Import a name from a module."""
        self.imports.setdefault(module, set()).add(name)


def is_number(x: Term) -> bool:
    """Whether it is a constant that is written as a number."""
    return x.is_constant and (not x.ndim or is_uniform(x.value))


def is_cheap(term: Term) -> bool:
    """Whether it takes less to compute it again than to store it."""
    return term.op is not None and (is_copy(term) or entry_form(term) in CHEAP)


def is_copy(term: Term) -> bool:
    """Whether a statement copies what it reads, perhaps into another type."""
    assert term.op is not None
    return term.op.has("moves") or term.op.reduction_of is not None or entry_form(term) == "copy"
