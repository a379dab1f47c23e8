"""The way into a program and out of it: a function, written for one structure of arguments, that checks what comes,
takes it apart, runs the program, and arranges the results."""

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from autotiny.algebra import Term
from autotiny.compiler.captured import GONE, Captured, Place
from autotiny.errors import UnsupportedError


class NoMatch:
    """What an entry gives for arguments that are not its own."""


class Entry:
    """Writes `enter(arguments)` for arguments like these, and for what the function saw from outside."""

    def __init__(self, args: tuple[Any, ...], dynamic: list[bool], output: Any, captured: Captured) -> None:
        self.held: dict[str, Any] = {"NoMatch": NoMatch, "ndarray": np.ndarray, "GONE": GONE}
        self.lines = self.look_outside(captured)
        self.checks: list[str] = []
        self.arrays: list[tuple[str, np.ndarray]] = []
        self.numbers: list[tuple[str, type]] = []
        self.values: list[str] = []
        self.dynamic = iter(dynamic)
        self.count = itertools.count()
        self.parameters = [self.take(arg) for arg in args]
        self.results: list[str] = []
        self.arranged = self.give(output)

    def text(self) -> str:
        """The function's source."""
        self.check_arrays()
        self.check_numbers()
        condition = " and ".join(self.checks) or "True"
        results = ", ".join(self.results) + ("," if len(self.results) == 1 else "")
        lines = [
            *self.lines,
            f"if not ({condition}):",
            "    return NoMatch",
            f"{results} = run(step, {', '.join(self.values)})" if results else "",
            f"return {self.arranged}",
        ]
        return "\n".join([f"def enter({', '.join(self.parameters)}):", *(f"    {line}" for line in lines if line), ""])

    # ----- from outside -----
    def look_outside(self, captured: Captured) -> list[str]:
        """Lines that stop where something else stands outside than did when the program was written."""
        changed = [f"{self.read(place)} is not {self.hold(held)}" for place, held in captured.places]
        if captured.arrays or captured.contents:
            changed.append(f"not {self.hold(captured.has_its_values)}()")
        if not changed:
            return []
        lines = [f"    if {condition}:\n            return NoMatch" for condition in changed]
        return ["try:", *lines, "except GONE:", "    return NoMatch"]

    def read(self, place: Place) -> str:
        """An expression for what stands there now."""
        return self.hold(place.holder) + (f"[{place.key!r}]" if place.is_entry else f".{place.key}")

    # ----- arguments -----
    def take(self, tree: Any) -> str:
        """Lines that take a tree of arguments apart; its name."""
        name = f"a{next(self.count)}"
        if isinstance(tree, list | tuple | dict):
            self.take_branches(name, tree)
        else:
            self.take_value(name, tree)
        return name

    def take_branches(self, name: str, tree: Any) -> None:
        """A container, by its type and length."""
        before = len(self.lines)
        branches = [self.take(branch) for branch in (tree.values() if isinstance(tree, dict) else tree)]
        lines = [f"if type({name}) is not {self.hold(type(tree))} or len({name}) != {len(tree)}:", "    return NoMatch"]
        if isinstance(tree, dict):
            lines += [
                f"{part} = {name}.get({self.hold(key)}, NoMatch)" for part, key in zip(branches, tree, strict=True)
            ]
        elif branches:
            lines.append(f"{', '.join(branches)}, = {name}")
        self.lines[before:before] = lines

    def take_value(self, name: str, value: Any) -> None:
        """A value: an array by shape and type, a number by type, anything else by itself."""
        if not next(self.dynamic):
            self.checks.append(f"type({name}) is {self.hold(type(value))} and {name} == {self.hold(value)}")
            return
        self.values.append(name)
        if isinstance(value, np.ndarray):
            self.arrays.append((name, value))
        else:
            self.numbers.append((name, type(value)))

    def check_arrays(self) -> None:
        """All shapes at once, and all types: a comparison of tuples costs least."""
        if not self.arrays:
            return
        names, arrays = zip(*self.arrays, strict=True)
        self.checks.append(self.all_of("type({})", names) + " == " + self.hold(tuple(map(type, arrays))))
        self.checks.append(self.all_of("{}.shape", names) + " == " + self.hold(tuple(x.shape for x in arrays)))
        self.checks.append(self.all_of("{}.dtype", names) + " == " + self.hold(tuple(x.dtype for x in arrays)))

    def check_numbers(self) -> None:
        """The types of all numbers."""
        if self.numbers:
            names, types = zip(*self.numbers, strict=True)
            self.checks.insert(0, self.all_of("type({})", names) + " == " + self.hold(types))

    @staticmethod
    def all_of(form: str, names: tuple[str, ...]) -> str:
        """A tuple with an entry for each name."""
        return f"({''.join(form.format(name) + ', ' for name in names)})"

    def hold(self, value: Any) -> str:
        """The name of an object."""
        name = f"h{len(self.held)}"
        self.held[name] = value
        return name

    # ----- results -----
    def give(self, tree: Any) -> str:
        """An expression that arranges the results as the function does."""
        if isinstance(tree, Term):
            self.results.append(f"r{len(self.results)}")
            return self.results[-1]
        if isinstance(tree, dict):
            return f"{{{', '.join(f'{self.hold(key)}: {self.give(branch)}' for key, branch in tree.items())}}}"
        if isinstance(tree, list):
            return f"[{', '.join(map(self.give, tree))}]"
        if isinstance(tree, tuple):
            parts = "".join(f"{self.give(branch)}, " for branch in tree)
            return f"{self.hold(type(tree))}({parts})" if hasattr(tree, "_fields") else f"({parts})"
        return f"{self.hold(tree)}.copy()" if isinstance(tree, np.ndarray) else self.hold(tree)


def structure(tree: Any, dynamic: Iterator[bool]) -> Any:
    """What a program depends on: the tree, the shapes and types of arrays, and the values of what is no number."""
    if isinstance(tree, Mapping):
        return type(tree), *((key, structure(branch, dynamic)) for key, branch in tree.items())
    if isinstance(tree, list | tuple):
        return type(tree), *(structure(branch, dynamic) for branch in tree)
    if not next(dynamic):
        return type(tree), (tree.start, tree.stop, tree.step) if isinstance(tree, slice) else hashable(tree)
    return (type(tree), tree.shape, tree.dtype) if isinstance(tree, np.ndarray) else type(tree)


def hashable(value: Any) -> Any:
    """A value that belongs to the program, to be looked up."""
    try:
        hash(value)
    except TypeError:
        raise UnsupportedError(
            f"compile: an argument is a {type(value).__name__}; a program takes arrays, numbers, and lists, tuples and "
            "dicts of them, and depends on other values that can be looked up, such as strings"
        ) from None
    return value
