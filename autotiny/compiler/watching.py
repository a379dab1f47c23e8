"""The state that a program was built on: values in their locations, parts of containers, entries of arrays."""

import collections
from collections.abc import Callable, Iterable, Mapping
from operator import is_
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from autotiny.engine.values import fingerprint

SCALARS = (bool, int, float, complex, str, bytes, np.generic)
GONE = (AttributeError, KeyError, ValueError)
"""The errors of reading a location without a value; an empty cell raises ValueError."""

ATTRIBUTE, ENTRY, OWN = "{holder}.{key}", "{holder}[{key!r}]", "{holder}.__dict__[{key!r}]"
OPTIONAL, CONTEXT = "getattr({holder}, {key!r}, None)", "{holder}.get(None)"


class Location(NamedTuple):
    """Where code reads a value: an attribute (or a closure's cell), an entry of a namespace, or a context variable.

    path : the expression for it in the user's code, for messages.
    """

    holder: Any
    key: str
    form: str
    path: str

    def read(self) -> Any:
        """Return the value there."""
        return READ[self.form](self.holder, self.key)

    def write(self, value: Any) -> None:
        """Put a value there, where that is possible."""
        if self.form == ENTRY:
            self.holder[self.key] = value
        elif self.form in (ATTRIBUTE, OWN):
            setattr(self.holder, self.key, value)

    def clear(self) -> None:
        """Delete what is there."""
        if self.form == ENTRY:
            del self.holder[self.key]
        elif self.form != CONTEXT:
            delattr(self.holder, self.key)


READ: dict[str, Callable[[Any, str], Any]] = {
    ATTRIBUTE: getattr,
    ENTRY: lambda holder, key: holder[key],
    OWN: lambda holder, key: vars(holder)[key],
    OPTIONAL: lambda holder, key: getattr(holder, key, None),
    CONTEXT: lambda holder, key: holder.get(None),
}


class Contents(NamedTuple):
    """A container and its parts, with the keys of a dict."""

    container: Any
    keys: list[Any]
    parts: list[Any]
    path: str

    def is_unchanged(self) -> bool:
        """Whether the container has the same objects as parts, in the same order."""
        container = self.container
        if len(container) != len(self.parts):
            return False
        if self.keys and not all(map(is_, container, self.keys)):
            return False
        return all(map(is_, parts_of(container), self.parts))

    def restore(self) -> None:
        """Give the container its parts again."""
        container = self.container
        if isinstance(container, dict | set):
            container.clear()
            container.update(zip(self.keys, self.parts, strict=True) if isinstance(container, dict) else self.parts)
        elif isinstance(container, list):
            container[:] = self.parts
        elif isinstance(container, collections.deque):
            container.clear()
            container.extend(self.parts)


def contents(container: Any, path: str) -> Contents:
    """Return the contents of a container as they are."""
    keys = list(container) if isinstance(container, dict | MappingProxyType) else []
    return Contents(container, keys, list(parts_of(container)), path)


def parts_of(container: Any) -> Iterable[Any]:
    """Return the values in a list, tuple, set, deque or dict."""
    return container.values() if isinstance(container, dict | MappingProxyType) else container


class State:
    """What code reads from outside: where it reads it, and what was there."""

    def __init__(self) -> None:
        self.locations: dict[tuple[int, str], tuple[Location, Any]] = {}
        self.containers: dict[int, Contents] = {}
        self.arrays: dict[int, tuple[Any, Any, str]] = {}
        self.absent: dict[int, tuple[Any, frozenset[str] | None, list[str]]] = {}
        """Names that an object, or a dict of globals, does not have; None where all its names count, which follow."""
        self.owners: dict[int, Any] = {}
        """The objects whose locations were noted, which are kept alive."""

    # ----- comparing -----
    def is_unchanged(self) -> bool:
        """Whether every location has its value, and these have not been modified."""
        try:
            if not all(is_same(x.read(), value) for x, value in self.locations.values()):
                return False
        except GONE:
            return False
        missing = all(names.isdisjoint(namespace(owner)) for owner, names in self.names_missed())
        return missing and self.has_its_values()

    def names_missed(self) -> list[tuple[Any, frozenset[str]]]:
        """Return objects, and dicts of globals, with names that they do not have."""
        return [(owner, names) for owner, names, _ in self.absent.values() if names]

    def has_parts(self) -> bool:
        """Whether there is anything that `has_its_values` looks at."""
        every_name = any(names is None for _, names, _ in self.absent.values())
        return bool(self.arrays or self.containers or every_name)

    def has_its_values(self) -> bool:
        """Whether all arrays and containers are unmodified, and objects whose names all count have no others."""
        for array, before, _ in self.arrays.values():
            if entries(array) != before:
                return False
        for owner, names, all_names in self.absent.values():
            if names is None and list(namespace(owner)) != all_names:
                return False
        return all(x.is_unchanged() for x in self.containers.values())

    def difference(self, later: "State") -> str | None:
        """Return the expression for something that is not as it was, if there is any."""
        for key, (location, value) in self.locations.items():
            if key not in later.locations or not is_equal(value, later.locations[key][1]):
                return location.path
        for key, (location, _) in later.locations.items():
            if key not in self.locations and key[0] in self.owners:
                return location.path
        for of, before in self.containers.items():
            now = later.containers.get(of)
            if now and not (equal_parts(before.keys, now.keys) and equal_parts(before.parts, now.parts)):
                return before.path
        for of, (_, entries, path) in self.arrays.items():
            if of in later.arrays and later.arrays[of][1] != entries:
                return path
        return None

    def restore(self, later: "State") -> None:
        """Put back what has been replaced, added or removed; entries of arrays are left."""
        for contained in self.containers.values():
            if not contained.is_unchanged():
                contained.restore()
        for key, (location, _) in later.locations.items():
            if key not in self.locations and key[0] in self.owners:
                location.clear()
        for key, (location, value) in self.locations.items():
            if key not in later.locations or later.locations[key][1] is not value:
                location.write(value)


def namespace(owner: Any) -> Mapping[str, Any]:
    """Return the names of an object with their values; a dict of globals is its own."""
    return owner if type(owner) is dict else vars(owner)


def entries(array: Any) -> Any:
    """Return a fingerprint of an array, or of another object with a buffer."""
    if isinstance(array, np.ndarray):
        return array.shape, array.dtype, fingerprint(array)
    return bytes(memoryview(array))


def equal_parts(before: list[Any], now: list[Any]) -> bool:
    """Whether two lists have equal parts."""
    return len(before) == len(now) and all(map(is_equal, before, now))


def is_same(a: Any, b: Any) -> bool:
    """Whether two values are one object, or equal numbers or texts."""
    return a is b or (type(a) is type(b) and isinstance(a, SCALARS) and repr(a) == repr(b))


def is_equal(a: Any, b: Any) -> bool:
    """Whether two values are one object, or equal numbers, texts or arrays."""
    if a is not b and isinstance(a, np.ndarray) and isinstance(b, np.ndarray | np.generic):
        return not a.dtype.hasobject and a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    return is_same(a, b) or (isinstance(a, np.generic) and isinstance(b, np.ndarray) and is_equal(b, a))
