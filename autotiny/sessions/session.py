"""A live graph: named statements that can be edited; an edit recomputes only what depends on it."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from autotiny.drawing import draw
from autotiny.drawing.picture import Picture
from autotiny.engine.call_site import caller_scope
from autotiny.engine.mutation import is_written_over
from autotiny.engine.tensor import Tensor
from autotiny.language.limits import Limits
from autotiny.sessions.memory import StatementError
from autotiny.sessions.program import History, Program, SessionError, expect_name, swapped
from autotiny.sessions.reading import ParsedProgram, read_statements
from autotiny.sessions.recorded import adopted, numbers, recorded, with_overwritten
from autotiny.sessions.script import loaded, save, script
from autotiny.sessions.state import SessionState, computed, table
from autotiny.sessions.statement import Statement, leaf


class Session:
    """A recorded graph that can be edited: change a leaf or a formula, and the values and gradients that depend on it
    are recomputed.

    A session is a list of statements in the safe language. Numbers and lists are variables, arrays are data, text is a
    formula; a Tensor is a variable or data by its requires_grad. Gradients are of the last single number that was
    computed, unless `output` names another. An edit that fails changes nothing; every other edit can be undone.

    Parameters
    ----------
    output : a recorded Tensor, whose graph becomes the session; names are the tensors' own, or the caller's variables.
    limits : limits of one evaluation.

    Raises ExpressionError for a formula that cannot be computed, SessionError for other invalid edits.

    >>> s = Session()
    >>> s["x"] = 3.0
    >>> s["y"] = "x * x + x"
    >>> s["y"].item(), s.grad("x")
    (12.0, array(7.))
    >>> s["x"] = 1.0
    >>> s["y"].item(), s.grad("x")
    (2.0, array(3.))
    >>> s.undo()
    >>> s
    name  is         shape  value  gradient
    x     variable   ()     3      7
    y     x * x + x  ()     12     1
    """

    def __init__(self, output: Tensor | None = None, limits: Limits | None = None) -> None:
        self._limits = Limits() if limits is None else limits
        self._state, self._history = SessionState(), History(Program())
        if output is not None:
            statements = recorded(output, caller_scope(), {}, ())
            self._start(Program(tuple(statements), None if output.op is None else statements[-1].name))

    # ----- values -----
    def __getitem__(self, name: str) -> Any:
        """The value of a name: a Tensor with its gradient, or a plain value."""
        self._state.program.of(name)
        return self._state.values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._state.values)

    def __len__(self) -> int:
        return len(self._state.values)

    def __contains__(self, name: object) -> bool:
        return name in self._state.values

    @property
    def statements(self) -> tuple[Statement, ...]:
        """The statements in order, each with its `name` and `text`."""
        return self._state.program.statements

    @property
    def values(self) -> Mapping[str, Any]:
        """Every value by its name, in order."""
        return dict(self._state.values)

    @property
    def text(self) -> str:
        """The statements in the language, a line each; `edit` takes it back."""
        return self._state.program.text

    def grad(self, name: str) -> np.ndarray | None:
        """dJ/d(name) of the output J; None where J does not depend on it."""
        g = self._state.gradients.of.get(self[name]) if isinstance(self[name], Tensor) else None
        return None if g is None else np.array(g)

    @property
    def output(self) -> str | None:
        """The name whose gradients are shown; assign a name to choose it, None to leave the choice to the session."""
        return self._state.output

    @output.setter
    def output(self, name: str | None) -> None:
        self._become(self._program.with_output(name))

    @property
    def tensor(self) -> Tensor:
        """The output, or else the last Tensor, which a picture shows; raises SessionError where there is none."""
        tensors = [value for value in self._state.values.values() if isinstance(value, Tensor)]
        if not tensors:
            raise SessionError("there is nothing to draw yet: give a value a name, as in x = 3")
        return tensors[-1] if self.output is None else self._state.values[self.output]

    # ----- editing -----
    def __setitem__(self, name: str, value: Any) -> None:
        """Give a name a formula (text) or a value; an existing leaf stays a variable, or data, with other numbers."""
        self.assign(name, value)

    def __delitem__(self, name: str) -> None:
        """Delete a statement that no other one uses."""
        self._become(self._program.without(name))

    def assign(self, name: str, value: Any, amend: bool = False) -> None:
        """Assign as `session[name] = value` does; amend=True replaces the latest edit, as while a slider is dragged."""
        self._become(self._program.with_statement(self._statement(name, value)), amend)

    def run(self, text: str, scope: Mapping[str, Any] | None = None) -> list[str]:
        """Add statements, or replace those of their names; returns the names.

        `scope` holds values by name that the statements may use; they are added as `adopt` adds them.
        """
        parsed = self._read(text, self._program.names)
        program, _ = adopted(self._program, self._state.values, scope or {})
        for statement in parsed.statements:
            program = program.with_statement(statement)
        self._become(program)
        return list(parsed.spans)

    def edit(self, text: str, amend: bool = False) -> ParsedProgram:
        """Replace all statements by a whole text; what both have in common is not recomputed.

        Returns the parsed text, with the span of each right side. Errors have lines and columns of the text.
        """
        parsed = self._read(text, ())
        output = self._program.output if self._program.output in parsed.spans else None
        try:
            self._become(Program(parsed.statements, output), amend)
        except StatementError as error:
            raise parsed.relocated(error, error.name) from None
        return parsed

    def rename(self, old: str, new: str) -> None:
        """Rename a value everywhere; nothing is recomputed."""
        self._become(self._program.renamed(old, new))

    def swap(self, name: str, old: str, new: str) -> None:
        """Replace a function or operator in a statement by another: swap("A1", "relu", "tanh").

        Raises SessionError where the statement has no such operation.
        """
        self._become(self._program.with_statement(swapped(self._program.of(name), old, new)))

    def adopt(self, scope: Mapping[str, Any]) -> list[str]:
        """Add values that were made outside of the session, by name, and assignments to the data of leaves.

        A Tensor is added with the statements that record it, arrays and numbers as data. A variable stays a variable:
        x = x - 0.1 * x.grad gives it a new value. Returns the names that changed.

        >>> s = Session()
        >>> s["x"] = 3.0
        >>> s.adopt({"y": np.tanh(s["x"]) ** 2})
        ['y']
        >>> s.text
        'x = 3.0\\ny = tanh(x) ** 2'
        """
        program, changed = adopted(self._program, self._state.values, scope)
        self._become(program)
        return changed

    def undo(self) -> None:
        """Undo the latest edit; raises SessionError where there is none."""
        self._move(-1, "undo")

    def redo(self) -> None:
        """Redo the edit that was undone last; raises SessionError where there is none."""
        self._move(1, "redo")

    # ----- output and files -----
    def draw(self) -> Picture:
        """The picture of the graph, as `at.draw` makes it."""
        return draw(self.tensor)

    @property
    def script(self) -> str:
        """A Python script that computes the same with NumPy and autotiny, and that `load` reads back.

        It loads large arrays from an .npz file of its own name.
        """
        return script(self._program, self.output)

    def save(self, path: str | Path) -> None:
        """Write the script, and the large arrays to an .npz file beside it.

        Raises SessionError for a path that does not end in .py.
        """
        save(Path(path), self._program, self.output)

    @classmethod
    def load(cls, path: str | Path, limits: Limits | None = None) -> "Session":
        """The session of a script, which is read and never run.

        Raises ExpressionError, with its line, for anything that `save` would not write.
        """
        session = cls(limits=limits)
        session._start(loaded(Path(path), session._limits))
        return session

    def table(self, names: Collection[str] | None = None, width: int | None = None) -> str:
        """A table of names with their kinds or formulas, values and gradients; optionally of some names, in a width."""
        return table(self._state, names, width)

    def __repr__(self) -> str:
        return table(self._state) if len(self) else "an empty session: s['x'] = 3.0 gives it a variable"

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> Mapping[str, str]:
        picture = self.draw()._repr_mimebundle_() if any(isinstance(v, Tensor) for v in self.values.values()) else {}
        return {**picture, "text/plain": repr(self)}

    # ----- every edit goes through here -----
    @property
    def _program(self) -> Program:
        return self._state.program

    def _start(self, program: Program) -> None:
        self._take(program)
        self._history = History(program)

    def _become(self, program: Program, amend: bool = False) -> None:
        program = with_overwritten(program, self._program, self._state.values)
        if program == self._program and not any(map(is_written_over, self._state.values.values())):
            return
        self._take(program)
        self._history.add(program, amend)

    def _move(self, steps: int, what: str) -> None:
        program = self._history.near(steps)
        if program is None:
            raise SessionError(f"there is nothing to {what}")
        self._take(program)
        self._history.move(steps)

    def _take(self, program: Program) -> None:
        before = self._state
        try:
            self._state = computed(program, before, self._limits)
        finally:  # a failed evaluation may have named Tensors of the session
            self._state.publish()

    def _read(self, text: str, taken: Iterable[str]) -> ParsedProgram:
        arrays = {each.name: each.array for each in self.statements if each.array is not None}
        return read_statements(text, set(taken), arrays, self._limits)

    def _statement(self, name: str, value: Any) -> Statement:
        if isinstance(value, str):
            return self._formula(name, value)
        expect_name(name)
        if isinstance(value, Tensor):
            if value.op is not None:
                raise SessionError(f"{name}: a computed Tensor cannot be assigned; assign its formula, or its detach()")
            return leaf(name, value.value, value.requires_grad)
        return numbers(self._program, self._state.values, name, value, tracked=not isinstance(value, np.ndarray))

    def _formula(self, name: str, text: str) -> Statement:
        statements = self._read(f"{name} = {text}", ()).statements
        if [each.name for each in statements] != [name]:
            raise SessionError(f"{name}: expected one formula; got {len(statements)} statements")
        return statements[0]


session = Session
