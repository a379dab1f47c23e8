"""Executable programs: their entry points, and memory for each of the concurrent calls."""

import contextvars
import itertools
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from autotiny.algebra import Term
from autotiny.compiler.backend import ProgramText
from autotiny.compiler.watching import ENTRY, GONE, OWN, SCALARS, Location, State, is_same, namespace
from autotiny.engine.containers import Branch, branch
from autotiny.errors import UnsupportedError


class NoMatch:
    """The result of an entry point for arguments that are not those of its program."""


class EntryPoint:
    """Writes `enter(arguments)`: check arguments and captured values, run the program, arrange the results."""

    def __init__(self, args: tuple[Any, ...], dynamic: list[bool], output: Any, state: State) -> None:
        self.objects: dict[str, Any] = {"NoMatch": NoMatch, "ndarray": np.ndarray, "GONE": GONE, "is_same": is_same}
        self.lines = self.look_outside(state)
        self.checks: list[str] = []
        self.arrays: list[tuple[str, type, tuple[int, ...], np.dtype]] = []
        self.numbers: list[tuple[str, type]] = []
        self.values: list[str] = []
        self.dynamic = iter(dynamic)
        self.count = itertools.count()
        self.parameters = [self.take(arg) for arg in args]
        self.results: list[str] = []
        self.arranged = self.give(output)

    def text(self, source: ProgramText, in_context: bool) -> str:
        """Return the source of the function. In a context, `run` calls the program."""
        self.check_numbers()
        arrays = self.same_arrays()
        lines = [*self.lines, *refuse([*self.checks, *([] if source.takes_arrays else arrays)])]
        arguments, results = ", ".join(self.values), ", ".join(self.results) + ("," if len(self.results) == 1 else "")

        def call(program: str) -> str:
            return f"{results} = " + (f"run({program}, {arguments})" if in_context else f"{program}({arguments})")

        if results and source.kernels:
            again = [*refuse(arrays), call(f"{self.refer(partial)}({self.refer(on_copies)}, step)")]
            lines += ["try:", f"    {call('step')}", "except TypeError:", *(f"    {line}" for line in again)]
        elif results:
            lines.append(call("step"))
        lines.append(f"return {self.arranged}")
        return "\n".join([f"def enter({', '.join(self.parameters)}):", *(f"    {line}" for line in lines), ""])

    # ----- captured values -----
    def look_outside(self, state: State) -> list[str]:
        """Return guards: bail out if a captured global, closure cell or attribute has changed."""
        changed = [self.differs(location, value) for location, value in state.locations.values()]
        changed += [self.has_any(owner, names) for owner, names in state.names_missed()]
        if state.has_parts():
            changed.append(f"not {self.refer(state.has_its_values)}()")
        if not changed:
            return []
        lines = [f"    if {condition}:\n            return NoMatch" for condition in changed]
        return ["try:", *lines, "except GONE:", "    return NoMatch"]

    def differs(self, location: Location, value: Any) -> str:
        """Return the condition that a location does not have its value; numbers and texts may be equal."""
        holder, form = location.holder, location.form
        if form == OWN and isinstance(holder, type):  # the namespace of a class is always the same object
            holder, form = vars(holder), ENTRY
        read, expected = form.format(holder=self.refer(holder), key=location.key), self.refer(value)
        return f"{read} is not {expected}" + (
            f" and not is_same({read}, {expected})" if isinstance(value, SCALARS) else ""
        )

    def has_any(self, owner: Any, names: frozenset[str]) -> str:
        """Return the condition that an object, or a dict of globals, has any of the names."""
        present = namespace(owner)
        stays = present is owner or isinstance(owner, type)
        read = self.refer(present) if stays else f"{self.refer(owner)}.__dict__"
        if not present:
            return f"{read} and not {self.refer(names)}.isdisjoint({read})"
        if len(names) > len(present):
            return f"not {self.refer(names)}.isdisjoint({read})"
        first, *others = sorted(names)
        return " or ".join([f"{first!r} in (names := {read})", *(f"{name!r} in names" for name in others)])

    # ----- arguments -----
    def take(self, tree: Any) -> str:
        """Write the lines that take a tree of arguments apart, and return its name."""
        name, taken = f"a{next(self.count)}", branch(tree)
        if taken is None:
            self.take_value(name, tree)
        elif isinstance(tree, list | tuple | dict):
            self.take_branches(name, tree)
        elif tree is None:
            self.lines.append(f"if {name} is not None: return NoMatch")
        else:
            self.take_parts(name, tree, taken)
        return name

    def take_parts(self, name: str, tree: Any, taken: Branch) -> None:
        """Check the structure of a dataclass, or of an instance of a class that is registered, and take it apart."""
        parts_of, before = self.refer(partial(parts_like, like=tree)), len(self.lines)
        branches = [self.take(part) for part in taken.parts]
        lines = [f"{name} = {parts_of}({name})", f"if {name} is None: return NoMatch"]
        self.lines[before:before] = [*lines, *([f"{', '.join(branches)}, = {name}"] if branches else [])]

    def take_branches(self, name: str, tree: Any) -> None:
        """Check the type and length of a container, and take it apart."""
        before = len(self.lines)
        branches = [self.take(branch) for branch in (tree.values() if isinstance(tree, dict) else tree)]
        lines = [
            f"if type({name}) is not {self.refer(type(tree))} or len({name}) != {len(tree)}:",
            "    return NoMatch",
        ]
        if isinstance(tree, dict):
            lines += [
                f"{part} = {name}.get({self.refer(key)}, NoMatch)" for part, key in zip(branches, tree, strict=True)
            ]
        elif branches:
            lines.append(f"{', '.join(branches)}, = {name}")
        self.lines[before:before] = lines

    def take_value(self, name: str, value: Any) -> None:
        """Check a value: an array by shape and type, a number by type, anything else by value."""
        if not next(self.dynamic):
            self.checks.append(f"type({name}) is {self.refer(type(value))} and {name} == {self.refer(value)}")
            return
        self.values.append(name)
        if isinstance(value, np.ndarray):
            self.arrays.append((name, type(value), value.shape, value.dtype))
        else:
            self.numbers.append((name, type(value)))

    def same_arrays(self) -> list[str]:
        """Return conditions on all shapes at once, and all types: comparing tuples is fastest."""
        if not self.arrays:
            return []
        names, types, shapes, dtypes = zip(*self.arrays, strict=True)
        return [
            self.all_of("type({})", names) + " == " + self.refer(types),
            self.all_of("{}.shape", names) + " == " + self.refer(shapes),
            self.all_of("{}.dtype", names) + " == " + self.refer(dtypes),
        ]

    def check_numbers(self) -> None:
        """Check the types of all numbers."""
        if self.numbers:
            names, types = zip(*self.numbers, strict=True)
            self.checks.insert(0, self.all_of("type({})", names) + " == " + self.refer(types))

    @staticmethod
    def all_of(form: str, names: tuple[str, ...]) -> str:
        """Return the text of a tuple with an entry for each name."""
        return f"({''.join(form.format(name) + ', ' for name in names)})"

    def refer(self, value: Any) -> str:
        """Return a name for an object."""
        name = f"h{len(self.objects)}"
        self.objects[name] = value
        return name

    # ----- results -----
    def give(self, tree: Any) -> str:
        """Return an expression that arranges the results as the function does."""
        if isinstance(tree, Term):
            self.results.append(f"r{len(self.results)}")
            return self.results[-1]
        taken = branch(tree)
        if taken is None:
            return f"{self.refer(tree)}.copy()" if isinstance(tree, np.ndarray) else self.refer(tree)
        if type(tree) is dict:
            return f"{{{', '.join(f'{self.refer(key)}: {self.give(branch)}' for key, branch in tree.items())}}}"
        parts = "".join(f"{self.give(part)}, " for part in taken.parts)
        if type(tree) is list or type(tree) is tuple:
            return f"[{parts}]" if type(tree) is list else f"({parts})"
        return f"{self.refer(taken.make)}([{parts}])"


def compiled(source: ProgramText) -> dict[str, Callable[..., Any]]:
    """Return the kernels of a program, compiled. Raises UnsupportedError where numba is missing."""
    from autotiny.compiler.loops.requirement import missing, needed  # numba takes long to import

    if why := missing():
        raise UnsupportedError(f"{needed()}; here {why}")
    from autotiny.compiler.loops.kernels import load

    return load(source.kernels, source.signatures)


def refuse(conditions: list[str]) -> list[str]:
    """Return the lines that leave an entry point unless all conditions hold."""
    return [f"if not ({' and '.join(conditions)}):", "    return NoMatch"] if conditions else []


def on_copies(step: Callable[..., Any], *values: Any) -> list[Any]:
    """Return the results of a program that takes arrays in C order, for arrays of any order.

    What it writes into a copy is written into the array itself when all is done.
    """
    copies = [in_c_order(x) if isinstance(x, np.ndarray) else x for x in values]
    results = list(step(*copies))
    for i, result in enumerate(results):
        for value, copy in zip(values, copies, strict=True):
            if result is copy and copy is not value:
                value[...] = copy
                results[i] = value
    return results


def in_c_order(array: np.ndarray) -> np.ndarray:
    """Return an array itself or a copy: of NumPy's own class, aligned, in C order, and read-only if the array is."""
    ordered = np.asarray(array, order="C")
    if not ordered.flags.aligned:
        ordered = ordered.copy()
    if ordered is not array:
        ordered.flags.writeable = array.flags.writeable
    return ordered


class Executable:
    """A program, loaded. Calls that run at the same time have memory of their own, which later calls use again.

    watched : the kinds of floating-point errors that are reported to the program.
    quiet : whether NumPy's warnings are off.
    """

    def __init__(self, source: ProgramText, entry: EntryPoint, watched: tuple[str, ...], quiet: bool) -> None:
        self.source, self.watched, self.quiet = source, watched, quiet
        texts = {"program": source.text, "entry": entry.text(source, in_context=bool(watched) or quiet)}
        self.code = [compile(text, f"<{name} written by autotiny>", "exec") for name, text in texts.items()]
        self.objects = {**entry.objects, **source.objects}
        if source.kernels:
            self.objects |= compiled(source)
        self.idle: list[Callable[..., Any]] = []

    def __call__(self, *args: Any) -> Any:
        """Return the results, arranged; NoMatch for arguments unlike those that the program was compiled for.

        Raises FloatingPointError where a gradient is invalid, as where a mask hides an infinite one, and FactError
        where a fact that it relies on does not hold.
        """
        try:
            enter = self.idle.pop()
        except IndexError:
            enter = self.prepared()
        result = enter(*args)
        self.idle.append(enter)  # not after an error: its memory may contain half a result
        return result

    def prepared(self) -> Callable[..., Any]:
        """Return the program with memory of its own."""
        invalid: list[Any] = []
        namespace = {**self.objects, "invalid": invalid}
        # NumPy keeps its floating-point settings in the context: set once, not at every call.
        context = contextvars.Context()
        context.run(np.seterr, all="ignore")
        context.run(partial(np.seterr, **dict.fromkeys(self.watched, "call")))  # type: ignore[arg-type]
        context.run(np.seterrcall, lambda *_: invalid.append(True))
        namespace["run"] = context.run
        for code in self.code:
            exec(code, namespace)
        return namespace["enter"]


def parts_like(tree: Any, like: Any) -> list[Any] | None:
    """Return the parts of a container that has the structure of another one; None if it has not."""
    if type(tree) is not type(like):
        return None
    taken, pattern = branch(tree), branch(like)
    if taken is None or pattern is None or (*taken.keys, taken.static) != (*pattern.keys, pattern.static):
        return None
    return taken.parts


def structure(tree: Any, dynamic: Iterator[bool]) -> Any:
    """Return what a program depends on: the tree, the shapes and types of arrays, and the values of anything else."""
    taken = branch(tree)
    if taken is not None:
        parts = [structure(part, dynamic) for part in taken.parts]
        return type(tree), *taken.keys, frozen(taken.static), *parts
    if not next(dynamic):
        return type(tree), (tree.start, tree.stop, tree.step) if isinstance(tree, slice) else hashable(tree)
    return (type(tree), tree.shape, tree.dtype) if isinstance(tree, np.ndarray) else type(tree)


def frozen(static: Any) -> Any:
    """Return what belongs to the structure of a tree, such as the static fields of a dataclass, as a key."""
    taken = branch(static)
    return hashable(static) if taken is None else (type(static), *taken.keys, *map(frozen, taken.parts))


def hashable(value: Any) -> Any:
    """Return a value that a program depends on, if it can be a key."""
    try:
        hash(value)
    except TypeError:
        raise UnsupportedError(
            f"compile: an argument is a {type(value).__name__}; a program takes arrays, numbers, and lists, tuples and "
            "dicts of them, and depends on other values that can be looked up, such as strings"
        ) from None
    return value
