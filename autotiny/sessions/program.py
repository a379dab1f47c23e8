"""The statements of a session in order, and the edits that give other ones."""

import keyword
from dataclasses import dataclass, replace

from autotiny.errors import AutotinyError
from autotiny.expressions.refusals import suggestion
from autotiny.sessions.reading import RESERVED
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
