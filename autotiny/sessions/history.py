"""Undo and redo of values that are never changed themselves."""

from typing import Generic, TypeVar

State = TypeVar("State")

DEEPEST = 200
"""States that are kept."""


class History(Generic[State]):
    """A line of states with a place in it.

    >>> history = History("a"); history.add("b"); history.move(-1); history.now
    'a'
    """

    def __init__(self, first: State) -> None:
        self.states, self.place = [first], 0

    @property
    def now(self) -> State:
        """The state at the place."""
        return self.states[self.place]

    def add(self, state: State, amend: bool = False) -> None:
        """Go on to a new state, or put it in place of this one; what was undone is forgotten."""
        keep = self.place + (not amend or self.place == 0)
        self.states = [*self.states[:keep], state][-DEEPEST:]
        self.place = len(self.states) - 1

    def near(self, steps: int) -> State | None:
        """The state so many steps on, or back; None beyond either end."""
        place = self.place + steps
        return self.states[place] if 0 <= place < len(self.states) else None

    def move(self, steps: int) -> None:
        """Go on, or back."""
        self.place += steps
