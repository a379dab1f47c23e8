"""The statements of a session in order, and the edits that give other ones."""

import ast
import keyword
from dataclasses import dataclass, replace

from autotiny.errors import AutotinyError
from autotiny.language.errors import suggestion
from autotiny.language.operators import BINARY
from autotiny.sessions.reading import RESERVED
from autotiny.sessions.source_edits import parsed
from autotiny.sessions.statement import Statement


class SessionError(AutotinyError):
    """An edit that a session cannot take."""


@dataclass(frozen=True)
class Program:
    """Statements, each after those that it speaks of.

    `output` is the name whose gradients are wanted, if one was chosen.

    A program is never changed: an edit gives another one.
    """

    statements: tuple[Statement, ...] = ()
    output: str | None = None

    @property
    def text(self) -> str:
        """The statements, a line each."""
        return "\n".join(statement.line for statement in self.statements)

    @property
    def names(self) -> list[str]:
        """What the statements name, in order."""
        return [statement.name for statement in self.statements]

    def of(self, name: str) -> Statement:
        """The statement of a name; raises SessionError where there is none."""
        found = next((each for each in self.statements if each.name == name), None)
        if found is None:
            known = ", ".join(self.names) or "nothing yet"
            raise SessionError(f"there is no {name!r} in the session, only {known}{suggestion(name, self.names)}")
        return found

    def users(self, name: str) -> list[str]:
        """Those whose statements speak of a name."""
        return [each.name for each in self.statements if name in each.names]

    def with_statement(self, statement: Statement) -> "Program":
        """With a statement added at the end, or in place of the one of its name."""
        others = {each.name: each for each in self.statements}
        return replace(self, statements=in_order({**others, statement.name: statement}))

    def without(self, name: str) -> "Program":
        """Without a statement; raises SessionError while others speak of it."""
        removed = self.of(name)
        if users := self.users(name):
            raise SessionError(f"{name} is used by {', '.join(users)}; change or delete that first")
        kept = tuple(each for each in self.statements if each is not removed)
        return Program(kept, None if self.output == name else self.output)

    def renamed(self, old: str, new: str) -> "Program":
        """With a name changed wherever it stands; raises SessionError for one that is taken or is none."""
        self.of(old)
        expect_name(new)
        if new in self.names or self.users(new):
            raise SessionError(f"{new} is taken: it stands for a value already")
        statements = tuple(each.renamed(old, new) for each in self.statements)
        return Program(statements, new if self.output == old else self.output)

    def with_output(self, name: str | None) -> "Program":
        """With another choice of the output; None leaves it to the session."""
        return replace(self, output=None if name is None else self.of(name).name)


def expect_name(name: str) -> None:
    """Raise SessionError for what cannot be the name of a value."""
    if not name.isidentifier() or keyword.iskeyword(name) or name in RESERVED:
        raise SessionError(f"{name[:40]!r} cannot be the name of a value; take a word such as Z1")


def in_order(statements: dict[str, Statement]) -> tuple[Statement, ...]:
    """The statements as they stand, but each after those that it speaks of; raises SessionError for a circle."""
    placed: dict[str, Statement] = {}

    def place(name: str, path: tuple[str, ...]) -> None:
        if name in path:
            circle = " → ".join([*path[path.index(name) :], name])
            raise SessionError(f"{name} would depend on itself: {circle}")
        if name not in placed:
            for needed in filter(statements.__contains__, statements[name].names):
                place(needed, (*path, name))
            placed[name] = statements[name]

    for name in statements:
        place(name, ())
    return tuple(placed.values())


# ----- swap -----
# Putting one operation in place of another in a statement.


OPERATORS = {sign: kind for kind, (sign, _) in BINARY.items()}


def swapped(statement: Statement, old: str, new: str) -> Statement:
    """The statement with every call of a function, or every use of an operator, put as another.

    Raises SessionError where it has none, or one of the two is an operator and the other a function.

    >>> swapped(Statement("A1", "relu(W @ x) + relu(b)"), "relu", "tanh").text
    'tanh(W @ x) + tanh(b)'
    >>> swapped(Statement("y", "a - b * c"), "-", "**").text
    'a ** (b * c)'
    """
    if (old in OPERATORS) != (new in OPERATORS):
        raise SessionError(f"{old} is {_kind(old)} and {new} {_kind(new)}; change the formula itself")
    if old not in OPERATORS and not new.replace(".", "_").isidentifier():
        raise SessionError(f"{new[:40]!r} is no function's name")
    swap = _Swap(old, new)
    text = ast.unparse(swap.visit(parsed(statement.text)))
    if not swap.found:
        raise SessionError(f"there is no {old} in {statement.line}")
    return replace(statement, text=text)


class _Swap(ast.NodeTransformer):
    def __init__(self, old: str, new: str) -> None:
        self.old, self.new, self.found = old, new, False

    def visit_Call(self, node: ast.Call) -> ast.AST:
        if ast.unparse(node.func) == self.old:
            self.found, node.func = True, parsed(self.new)
        return self.generic_visit(node)

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        if type(node.op) is OPERATORS.get(self.old):
            self.found, node.op = True, OPERATORS[self.new]()
        return self.generic_visit(node)


def _kind(operation: str) -> str:
    return "an operator" if operation in OPERATORS else "a function"
