"""The captured values of a function: numbers, arrays and Tensors in its closure, its globals and its objects.

They are constants of a program, so the function is compiled again when one of them changes.
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
"""The errors of reading a location without a value; an empty cell raises ValueError."""


class Location(NamedTuple):
    """Where code reads a value: an entry of a namespace, or an attribute, such as the contents of a closure's cell."""

    holder: Any
    key: Any
    is_entry: bool = False

    def read(self) -> Any:
        """Return the value there."""
        return self.holder[self.key] if self.is_entry else getattr(self.holder, self.key)


class Captured:
    """The locations that a function reads, and their values when it was traced."""

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
    def follow(self, value: Any, depth: int) -> None:
        """Note what an object's code reads: the variables of a function, the attributes of an object that it names."""
        if depth == 0 or id(value) in self.seen:
            return
        self.seen.add(id(value))
        if isinstance(value, MethodType):
            self.follow(value.__func__, depth)
            if isinstance(value.__func__, FunctionType):
                self.follow_attributes(value.__self__, names_in(value.__func__.__code__), depth)
                self.follow_callable(value.__self__, depth)
        elif isinstance(value, FunctionType):
            if call_site.is_package_file(value.__code__.co_filename):
                self.follow_derivative(value, depth)
            else:
                self.follow_function(value, depth)
        elif isinstance(value, partial):
            for part in (value.func, *value.args, *value.keywords.values()):
                self.follow(part, depth - 1)
        elif isinstance(value, np.random.Generator):
            self.generators.append(value)
        elif isinstance(value, Node):
            self.tensors[id(value)] = (value, (value._value, value._grad))
            self.locations.append((Location(value, "_value"), value._value))
        elif isinstance(value, list | tuple | set | dict):
            self.follow_parts(value, depth)
        elif callable(value):
            self.follow_callable(value, depth)

    def follow_parts(self, container: Any, depth: int) -> None:
        """Note a container, whose parts may be replaced."""
        for part in parts_of(container):
            self.follow(part, depth - 1)
        if not isinstance(container, tuple):
            self.contents.append((container, contents(container)))

    def follow_callable(self, function: Any, depth: int) -> None:
        """Note what a wrapper or a callable object reads."""
        if hasattr(function, "__wrapped__"):
            self.follow(function.__wrapped__, depth - 1)
        call = vars(type(function)).get("__call__")
        if isinstance(call, FunctionType):
            self.follow(MethodType(call, function), depth - 1)

    def follow_derivative(self, derivative: FunctionType, depth: int) -> None:
        """Note what a result of at.grad and the like reads: the user's function is in its closure."""
        for cell in derivative.__closure__ or ():
            if callable(cell.cell_contents):
                self.follow(cell.cell_contents, depth)

    def follow_function(self, f: FunctionType, depth: int) -> None:
        """Note the closure, the defaults and the globals of a function."""
        names = names_in(f.__code__)
        self.may_draw = self.may_draw or not names.isdisjoint(RANDOM)
        for cell in f.__closure__ or ():
            self.note_location(Location(cell, "cell_contents"), names, depth)
        for default in (*(f.__defaults__ or ()), *(f.__kwdefaults__ or {}).values()):
            self.follow(default, depth - 1)
        for name in names & f.__globals__.keys():
            self.note_location(Location(f.__globals__, name, is_entry=True), names, depth)

    def follow_attributes(self, owner: Any, names: set[str], depth: int) -> None:
        """Note the attributes that the code of an object names."""
        own = getattr(owner, "__dict__", {})
        for name in names & own.keys():
            self.note_location(Location(own, name, is_entry=True), names, depth - 1)
        for name in names & vars(type(owner)).keys() - own.keys():
            method = vars(type(owner))[name]
            if isinstance(method, FunctionType):
                self.follow(MethodType(method, owner), depth - 1)
            elif isinstance(method, property) and method.fget is not None:
                self.follow(MethodType(method.fget, owner), depth - 1)
            else:
                self.note_location(Location(owner, name), names, depth - 1)

    def note_location(self, location: Location, names: set[str], depth: int) -> None:
        """Note a location, and what its value reads."""
        try:
            value = location.read()
        except ValueError:  # an empty cell
            return
        if isinstance(value, DATA):
            self.locations.append((location, value))
        if isinstance(value, ModuleType):
            if value.__name__.split(".")[0] not in ("numpy", "autotiny", "math"):
                self.follow_attributes(value, names, depth)
        elif isinstance(value, type):
            if value.__module__.split(".")[0] not in ("builtins", "numpy", "autotiny"):
                for name in names & vars(value).keys():
                    self.note_location(Location(value, name), names, depth - 1)
        else:
            if not isinstance(value, (*DATA, FunctionType, MethodType)):
                self.follow_attributes(value, names, depth)
            self.follow(value, depth - 1)

    # ----- while tracing -----
    def state_of_generators(self) -> Any:
        """Return what decides the next random numbers."""
        _, keys, *position = np.random.get_state()
        with np.printoptions(threshold=10**6):
            own = [repr(generator.bit_generator.state) for generator in self.generators]
        return np.asarray(keys).tobytes(), position, random.getstate(), own

    def require_same_after_trace(self) -> None:
        """Raise UnsupportedError where the call drew random numbers, or left gradients on Tensors from outside."""
        if self.state_of_generators() != self.before:
            raise drawn_inside()
        for tensor, (data, grad) in self.tensors.values():
            if tensor._grad is not grad or tensor._value is not data:
                tensor._grad = grad
                raise UnsupportedError(
                    f"compile: backward() would fill .grad of {tensor.name or 'a Tensor'} from outside only once; pass "
                    "its value as an argument, and use at.value_and_grad"
                )

    # ----- while running -----
    def watch(self) -> None:
        """Fingerprint the captured arrays, which may be modified."""
        arrays = {id(array): array for array in self.known_arrays()}
        self.arrays = [(array, fingerprint(array)) for array in arrays.values()]

    def known_arrays(self) -> Iterator[np.ndarray]:
        """Yield the captured arrays."""
        for _, value in self.locations:
            yield from _arrays_in(value)

    def is_unchanged(self) -> bool:
        """Whether every location has its value, and these have not been modified."""
        try:
            return all(location.read() is value for location, value in self.locations) and self.has_its_values()
        except GONE:
            return False

    def has_its_values(self) -> bool:
        """Whether all arrays and containers are unmodified."""
        if any(fingerprint(array) != seal for array, seal in self.arrays):
            return False
        return all(contents(container) == content for container, content in self.contents)


def drawn_inside() -> UnsupportedError:
    """Return the error for a function that draws random numbers."""
    return UnsupportedError(
        "compile: the function draws random numbers, which would be the same at every call of its program; "
        "draw them outside and pass them as an argument"
    )


def parts_of(container: Any) -> Iterable[Any]:
    """Return the values in a list, tuple, set or dict."""
    return container.values() if isinstance(container, dict) else container


def contents(container: Any) -> list[Any]:
    """Return a key for the parts of a container: numbers by value, anything else by identity."""
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
    """Return the globals and attributes that code names, with those of functions inside it."""
    names = {*code.co_names, *code.co_freevars}
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            names |= names_in(inner)
    return names
