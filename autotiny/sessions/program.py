"""The statements of a session in order, the edits that give other ones, and the history of edits."""

import ast
import keyword
from dataclasses import dataclass, replace

from autotiny.errors import AutotinyError
from autotiny.language.errors import suggestion
from autotiny.language.operators import BINARY
from autotiny.sessions.reading import RESERVED
from autotiny.sessions.statement import Statement, parsed


class SessionError(AutotinyError):
    """An edit that a session refuses."""


@dataclass(frozen=True)
class Program:
    """Statements, each after those that it uses. A program is immutable: an edit gives another one.

    `output` is the name whose gradients are wanted, if one was chosen.
    """

    statements: tuple[Statement, ...] = ()
    output: str | None = None

    @property
    def text(self) -> str:
        """The statements, a line each."""
        return "\n".join(statement.line for statement in self.statements)

    @property
    def names(self) -> list[str]:
        """The names that are defined, in order."""
        return [statement.name for statement in self.statements]

    def of(self, name: str) -> Statement:
        """The statement of a name; raises SessionError for an unknown name."""
        statement = next((each for each in self.statements if each.name == name), None)
        if statement is None:
            known = ", ".join(self.names) or "nothing yet"
            raise SessionError(f"there is no {name!r} in the session, only {known}{suggestion(name, self.names)}")
        return statement

    def users(self, name: str) -> list[str]:
        """The names whose statements use a name."""
        return [each.name for each in self.statements if name in each.names]

    def with_statement(self, statement: Statement) -> "Program":
        """The program with a statement added at the end, or replacing the one of its name."""
        others = {each.name: each for each in self.statements}
        return replace(self, statements=in_order({**others, statement.name: statement}))

    def without(self, name: str) -> "Program":
        """The program without a statement; raises SessionError while others use it."""
        removed = self.of(name)
        if users := self.users(name):
            raise SessionError(f"{name} is used by {', '.join(users)}; change or delete that first")
        kept = tuple(each for each in self.statements if each is not removed)
        return Program(kept, None if self.output == name else self.output)

    def renamed(self, old: str, new: str) -> "Program":
        """The program with a name changed everywhere; raises SessionError for a name that is invalid or in use."""
        self.of(old)
        expect_name(new)
        if new in self.names or self.users(new):
            raise SessionError(f"{new} is already the name of a value")
        statements = tuple(each.renamed(old, new) for each in self.statements)
        return Program(statements, new if self.output == old else self.output)

    def with_output(self, name: str | None) -> "Program":
        """The program with another output; None leaves the choice to the session."""
        return replace(self, output=None if name is None else self.of(name).name)


def expect_name(name: str) -> None:
    """Raise SessionError for text that cannot be the name of a value."""
    if not name.isidentifier() or keyword.iskeyword(name) or name in RESERVED:
        raise SessionError(f"{name[:40]!r} cannot be the name of a value; choose a name such as Z1")


def in_order(statements: dict[str, Statement]) -> tuple[Statement, ...]:
    """The statements in their order, but each after those that it uses; raises SessionError for a cycle."""
    placed: dict[str, Statement] = {}

    def place(name: str, path: tuple[str, ...]) -> None:
        if name in path:
            cycle = " → ".join([*path[path.index(name) :], name])
            raise SessionError(f"{name} would depend on itself: {cycle}")
        if name not in placed:
            for needed in filter(statements.__contains__, statements[name].names):
                place(needed, (*path, name))
            placed[name] = statements[name]

    for name in statements:
        place(name, ())
    return tuple(placed.values())


# ----- replacing an operation -----
OPERATORS = {sign: kind for kind, (sign, _) in BINARY.items()}


def swapped(statement: Statement, old: str, new: str) -> Statement:
    """The statement with every call of a function, or every use of an operator, replaced by another.

    Raises SessionError where it has none, and for an operator in place of a function or the reverse.

    >>> swapped(Statement("A1", "relu(W @ x) + relu(b)"), "relu", "tanh").text
    'tanh(W @ x) + tanh(b)'
    >>> swapped(Statement("y", "a - b * c"), "-", "**").text
    'a ** (b * c)'
    """
    if (old in OPERATORS) != (new in OPERATORS):
        raise SessionError(f"{old} is {_kind(old)} and {new} {_kind(new)}; change the formula itself")
    if old not in OPERATORS and not new.replace(".", "_").isidentifier():
        raise SessionError(f"{new[:40]!r} is not the name of a function")
    swap = _Swap(old, new)
    text = ast.unparse(swap.visit(parsed(statement.text)))
    if not swap.changed:
        raise SessionError(f"there is no {old} in {statement.line}")
    return replace(statement, text=text)


class _Swap(ast.NodeTransformer):
    def __init__(self, old: str, new: str) -> None:
        self.old, self.new, self.changed = old, new, False

    def visit_Call(self, node: ast.Call) -> ast.AST:
        if ast.unparse(node.func) == self.old:
            self.changed, node.func = True, parsed(self.new)
        return self.generic_visit(node)

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        if type(node.op) is OPERATORS.get(self.old):
            self.changed, node.op = True, OPERATORS[self.new]()
        return self.generic_visit(node)


def _kind(operation: str) -> str:
    return "an operator" if operation in OPERATORS else "a function"


# ----- undo and redo -----
LONGEST_HISTORY = 200


class History:
    """The programs of a session, and a position among them.

    >>> history = History(Program()); history.add(Program(output="J")); history.move(-1); history.now.output
    """

    def __init__(self, first: Program) -> None:
        self.programs, self.position = [first], 0

    @property
    def now(self) -> Program:
        """The program at the position."""
        return self.programs[self.position]

    def add(self, program: Program, amend: bool = False) -> None:
        """Add a program after the position, or replace the one there; later ones are dropped."""
        kept = self.position + (not amend or self.position == 0)
        self.programs = [*self.programs[:kept], program][-LONGEST_HISTORY:]
        self.position = len(self.programs) - 1

    def near(self, steps: int) -> Program | None:
        """The program some steps forward, or back; None beyond either end."""
        position = self.position + steps
        return self.programs[position] if 0 <= position < len(self.programs) else None

    def move(self, steps: int) -> None:
        """Move the position forward, or back."""
        self.position += steps
