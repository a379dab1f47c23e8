"""What a function sees from outside: numbers, arrays and Tensors in its closure, its globals and its objects.

To a program they are constants, so it must be written anew when one of them changes.
"""

import random
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any, NamedTuple

import numpy as np

from autotiny.engine import call_site
from autotiny.engine.node import Node
from autotiny.engine.values import fingerprint
from autotiny.errors import UnsupportedError

DATA = (bool, int, float, complex, str, bytes, type(None), np.generic, np.ndarray, Node, list, tuple, dict, set)
DEPTH = 6
RANDOM = {"random", "default_rng", "Generator", "RandomState", "rng", "uuid", "secrets"}
GONE = (AttributeError, KeyError, ValueError)
"""What reading a location raises where there is nothing any more; an empty cell raises ValueError."""


class Location(NamedTuple):
    """Where code reads a value: an entry of a namespace, or an attribute, as a closure's cell is one."""

    holder: Any
    key: Any
    is_entry: bool = False

    def read(self) -> Any:
        """What stands there."""
        return self.holder[self.key] if self.is_entry else getattr(self.holder, self.key)


class Captured:
    """The places that a function reads, and what stood there."""

    def __init__(self, f: Callable[..., Any]) -> None:
        self.locations: list[tuple[Location, Any]] = []
        self.generators: list[np.random.Generator] = []
        self.tensors: dict[int, tuple[Node, Any]] = {}
        self.arrays: list[tuple[np.ndarray, Any]] = []
        self.contents: list[tuple[Any, Any]] = []
        self.seen: set[int] = set()
        self.may_draw = False
        """Whether the code names something that draws random numbers."""
        self.follow(f, DEPTH)
        self.before = self.state_of_generators()

    # ----- finding -----
    def follow(self, held: Any, depth: int) -> None:
        """Whatever code in an object reads: of a function its variables, of an object the attributes that it names."""
        if depth == 0 or id(held) in self.seen:
            return
        self.seen.add(id(held))
        if isinstance(held, MethodType):
            self.follow(held.__func__, depth)
            if isinstance(held.__func__, FunctionType):
                self.follow_attributes(held.__self__, names_in(held.__func__.__code__), depth)
                self.follow_callable(held.__self__, depth)
        elif isinstance(held, FunctionType):
            if call_site.is_package_file(held.__code__.co_filename):
                self.follow_derivative(held, depth)
            else:
                self.follow_function(held, depth)
        elif isinstance(held, partial):
            for part in (held.func, *held.args, *held.keywords.values()):
                self.follow(part, depth - 1)
        elif isinstance(held, np.random.Generator):
            self.generators.append(held)
        elif isinstance(held, Node):
            self.tensors[id(held)] = (held, (held._data, held._grad))
            self.locations.append((Location(held, "_data"), held._data))
        elif isinstance(held, list | tuple | set | dict):
            self.follow_parts(held, depth)
        elif callable(held):
            self.follow_callable(held, depth)

    def follow_parts(self, held: Any, depth: int) -> None:
        """A container, which somebody may write to."""
        for part in parts_of(held):
            self.follow(part, depth - 1)
        if not isinstance(held, tuple):
            self.contents.append((held, contents(held)))

    def follow_callable(self, held: Any, depth: int) -> None:
        """A wrapper, or an object that can be called."""
        if hasattr(held, "__wrapped__"):
            self.follow(held.__wrapped__, depth - 1)
        call = vars(type(held)).get("__call__")
        if isinstance(call, FunctionType):
            self.follow(MethodType(call, held), depth - 1)

    def follow_derivative(self, derivative: FunctionType, depth: int) -> None:
        """What at.grad and the like made: the user's function is in its closure."""
        for cell in derivative.__closure__ or ():
            if callable(cell.cell_contents):
                self.follow(cell.cell_contents, depth)

    def follow_function(self, f: FunctionType, depth: int) -> None:
        """Its closure, its defaults and the globals that it names."""
        names = names_in(f.__code__)
        self.may_draw = self.may_draw or not names.isdisjoint(RANDOM)
        for cell in f.__closure__ or ():
            self.note_location(Location(cell, "cell_contents"), names, depth)
        for default in (*(f.__defaults__ or ()), *(f.__kwdefaults__ or {}).values()):
            self.follow(default, depth - 1)
        for name in names & f.__globals__.keys():
            self.note_location(Location(f.__globals__, name, is_entry=True), names, depth)

    def follow_attributes(self, held: Any, names: set[str], depth: int) -> None:
        """The attributes that some code names."""
        own = getattr(held, "__dict__", {})
        for name in names & own.keys():
            self.note_location(Location(own, name, is_entry=True), names, depth - 1)
        for name in names & vars(type(held)).keys() - own.keys():
            method = vars(type(held))[name]
            if isinstance(method, FunctionType):
                self.follow(MethodType(method, held), depth - 1)
            elif isinstance(method, property) and method.fget is not None:
                self.follow(MethodType(method.fget, held), depth - 1)
            else:
                self.note_location(Location(held, name), names, depth - 1)

    def note_location(self, location: Location, names: set[str], depth: int) -> None:
        """One location, and what follows from what stands there."""
        try:
            held = location.read()
        except ValueError:  # an empty cell
            return
        if isinstance(held, DATA):
            self.locations.append((location, held))
        if isinstance(held, ModuleType):
            if held.__name__.split(".")[0] not in ("numpy", "autotiny", "math"):
                self.follow_attributes(held, names, depth)
        elif isinstance(held, type):
            if held.__module__.split(".")[0] not in ("builtins", "numpy", "autotiny"):
                for name in names & vars(held).keys():
                    self.note_location(Location(held, name), names, depth - 1)
        else:
            if not isinstance(held, (*DATA, FunctionType, MethodType)):
                self.follow_attributes(held, names, depth)
            self.follow(held, depth - 1)

    # ----- while tracing -----
    def state_of_generators(self) -> Any:
        """What random numbers come next."""
        _, keys, *position = np.random.get_state()
        with np.printoptions(threshold=10**6):
            own = [repr(generator.bit_generator.state) for generator in self.generators]
        return np.asarray(keys).tobytes(), position, random.getstate(), own

    def require_same_after_trace(self) -> None:
        """Raise UnsupportedError where the call drew random numbers, or left gradients on Tensors from outside."""
        if self.state_of_generators() != self.before:
            raise drawn_inside()
        for tensor, (data, grad) in self.tensors.values():
            if tensor._grad is not grad or tensor._data is not data:
                tensor._grad = grad
                raise UnsupportedError(
                    f"compile: backward() would fill .grad of {tensor.name or 'a Tensor'} from outside only once; pass "
                    "its value as an argument, and use at.value_and_grad"
                )

    # ----- while running -----
    def watch(self) -> None:
        """Watch the arrays that were found: somebody else may write to them."""
        arrays = {id(array): array for array in self.known_arrays()}
        self.arrays = [(array, fingerprint(array)) for array in arrays.values()]

    def known_arrays(self) -> Iterator[np.ndarray]:
        """The arrays in all places."""
        for _, value in self.locations:
            yield from _arrays_in(value)

    def is_unchanged(self) -> bool:
        """Whether every place holds what it held, and what stands there has the values that it had."""
        try:
            return all(location.read() is held for location, held in self.locations) and self.has_its_values()
        except GONE:
            return False

    def has_its_values(self) -> bool:
        """Whether every array has its entries, and every container its parts."""
        if any(fingerprint(array) != seal for array, seal in self.arrays):
            return False
        return all(contents(container) == content for container, content in self.contents)


def drawn_inside() -> UnsupportedError:
    """What to say of random numbers."""
    return UnsupportedError(
        "compile: the function draws random numbers, which would be the same at every call of its program; "
        "draw them outside and pass them as an argument"
    )


def parts_of(container: Any) -> Iterable[Any]:
    """The values in a list, tuple, set or dict."""
    return container.values() if isinstance(container, dict) else container


def contents(container: Any) -> list[Any]:
    """What a container held: numbers by value, anything else by identity, for it is watched itself."""
    keys = list(container) if isinstance(container, dict) else []
    return [*keys, *(part if isinstance(part, int | float) else id(part) for part in parts_of(container))]


def _arrays_in(value: Any) -> Iterator[np.ndarray]:
    if isinstance(value, np.ndarray):
        yield value
    elif isinstance(value, Node):
        if isinstance(value.value, np.ndarray):
            yield value.value
    elif isinstance(value, list | tuple | set | dict):
        for part in parts_of(value):
            yield from _arrays_in(part)


def names_in(code: CodeType) -> set[str]:
    """The global names and attributes that code names, functions inside it included."""
    found = {*code.co_names, *code.co_freevars}
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            found |= names_in(inner)
    return found
