"""Containers of values: how they are taken apart, and made again of other parts.

Lists, tuples, named tuples, dicts of any kind, dataclasses and classes that register themselves are containers, None is
one without parts, and anything else is a value. A dataclass has its fields as parts. A field is *static*, part of the
structure, if it says so (`field(metadata={"static": True})`), if it holds no number (a text, a function, a truth
value), or if it holds whole numbers alone and its annotation allows no others (`sizes: tuple[int, ...]`).
"""

import contextlib
import copy
import dataclasses
import functools
import types
import typing
from collections.abc import Callable, Iterator, Sequence
from enum import Enum
from functools import cache, cached_property
from typing import Any, NamedTuple, TypeVar

import numpy as np

from autotiny.errors import UnsupportedError

Make = Callable[[list[Any]], Any]
Kind = TypeVar("Kind", bound=type)


class Branch(NamedTuple):
    """A container, taken apart."""

    parts: list[Any]
    make: Make
    """Makes the same container of other parts."""
    keys: Sequence[Any]
    """What each part is reached by."""
    form: str = "[{!r}]"
    """How a key is written behind the container's name."""
    static: Any = None
    """What belongs to the structure beside the keys."""


# ----- kinds of containers -----
def branch(tree: Any) -> Branch | None:
    """Return a container's parts, and how they go together again; None for a leaf."""
    kind = type(tree)
    try:
        take = _takers[kind]
    except KeyError:
        take = _takers[kind] = _taker(kind)
    return None if take is None else take(tree)


def _taker(kind: type) -> Callable[[Any], Branch] | None:
    """Return what takes the instances of a class apart; None where they are leaves."""
    if REGISTERED in vars(kind):  # by another process, from which an instance came with its class
        return functools.partial(_registered_branch, *_registration(kind, *vars(kind)[REGISTERED]))
    if issubclass(kind, dict):
        return _dict_branch
    if issubclass(kind, tuple) and hasattr(kind, "_fields"):
        return _named_branch
    if issubclass(kind, list | tuple):
        return _list_branch
    return _dataclass_branch if dataclasses.is_dataclass(kind) else None


def _plain_dict_branch(tree: dict[Any, Any]) -> Branch:
    keys = tuple(tree)
    return Branch(list(tree.values()), lambda parts: dict(zip(keys, parts, strict=True)), keys)


def _list_branch(tree: Any) -> Branch:
    return Branch(list(tree), type(tree), range(len(tree)))


def _named_branch(tree: Any) -> Branch:
    return Branch(list(tree), type(tree)._make, tree._fields, ".{}")


def _none_branch(tree: None) -> Branch:
    return Branch([], lambda parts: None, ())


def _dict_branch(tree: Any) -> Branch:
    """Return the values of a dict of another class: an OrderedDict, a defaultdict with its factory."""
    return Branch(list(tree.values()), _filled(tree), tuple(tree), static=getattr(tree, "default_factory", None))


_takers: dict[type, Callable[[Any], Branch] | None] = {
    **{dict: _plain_dict_branch, list: _list_branch, tuple: _list_branch, types.NoneType: _none_branch},
    **dict.fromkeys((np.ndarray, float, int, complex, bool, str)),
}
"""What takes the instances of each class apart, None for a class of leaves; entered when one is first met."""


def _filled(tree: Any) -> Make:
    """Return what fills a copy of a dict of another class: an OrderedDict, a defaultdict with its factory."""
    empty = copy.copy(tree)

    def make(parts: list[Any]) -> Any:
        fresh = copy.copy(empty)
        for key, part in zip(empty, parts, strict=True):
            fresh[key] = part
        return fresh

    return make


def register_pytree(
    kind: Kind,
    flatten: Callable[[Any], tuple[Any, Any]] | None = None,
    unflatten: Callable[[Any, Any], Any] | None = None,
) -> Kind:
    """Make the instances of a class containers of values, as lists and dicts are: at.grad, at.compile, ... take them.

    `flatten(instance)` returns the parts, which may be containers again, and the rest of what makes up the instance,
    which is not differentiated and is compared by ==. `unflatten(rest, parts)` makes an instance of a tuple of parts,
    which may be Tensors or None. By default they are the methods `tree_flatten()` and `tree_unflatten(rest, parts)`,
    the latter a class method, so that this is also a decorator. Dataclasses and named tuples need no registration;
    one that is registered is taken apart so. (The interface is that of JAX's register_pytree_node.)

    >>> import autotiny as at
    >>> @at.register_pytree
    ... class Line:
    ...     def __init__(self, slope, name):
    ...         self.slope, self.name = slope, name
    ...
    ...     def tree_flatten(self):
    ...         return (self.slope,), self.name
    ...
    ...     @classmethod
    ...     def tree_unflatten(cls, name, parts):
    ...         return cls(*parts, name)
    >>> at.grad(lambda line: line.slope**2)(Line(3.0, "a")).slope
    array(6.)
    """
    if not isinstance(kind, type) or kind.__module__ == "builtins" or hasattr(kind, "__array__"):
        raise UnsupportedError(f"register_pytree: expected a class of your own, got {kind!r}")
    _takers[kind] = functools.partial(_registered_branch, *_registration(kind, flatten, unflatten))
    with contextlib.suppress(TypeError):  # a class written in C
        setattr(kind, REGISTERED, (flatten, unflatten))
    return kind


def _registration(kind: type, flatten: Any, unflatten: Any) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Return what takes instances of a class apart and makes them: the functions, or else its methods."""
    take = flatten or getattr(kind, "tree_flatten", None)
    make = unflatten or getattr(kind, "tree_unflatten", None)
    if not callable(take) or not callable(make):
        raise UnsupportedError(
            f"register_pytree: {kind.__name__} needs the functions flatten and unflatten, or the methods tree_flatten "
            "and tree_unflatten"
        )
    return take, make


REGISTERED = "__autotiny_pytree__"
"""The attribute of a class in which its registration goes with it, where it is pickled by value."""


def _registered_branch(take: Callable[[Any], Any], make: Callable[[Any, Any], Any], tree: Any) -> Branch:
    try:
        parts, rest = take(tree)
        parts = list(parts)
    except (TypeError, ValueError) as error:
        raise UnsupportedError(
            f"register_pytree: flatten of {type(tree).__name__} must return the parts and the rest, (parts, rest): "
            f"{error}"
        ) from error
    return Branch(parts, lambda parts: make(rest, tuple(parts)), range(len(parts)), static=rest)


# ----- dataclasses -----
def _dataclass_branch(tree: Any) -> Branch:
    """Return the fields of a dataclass. It is made anew without __init__, so that each field is what it is given."""
    kind = type(tree)
    names = [field.name for field in dataclasses.fields(tree) if hasattr(tree, field.name)]
    static = {name: value for name in names if _is_static(kind, name, value := getattr(tree, name))}
    others = _other_attributes(tree, kind, names)
    keys = tuple(name for name in names if name not in static)

    def make(parts: list[Any]) -> Any:
        fresh = object.__new__(kind)
        for name, value in (*others.items(), *static.items(), *zip(keys, parts, strict=True)):
            object.__setattr__(fresh, name, value)
        return fresh

    return Branch([getattr(tree, name) for name in keys], make, keys, ".{}", tuple(static.items()))


def _other_attributes(tree: Any, kind: type, names: list[str]) -> dict[str, Any]:
    """Return the attributes that are no fields; what was cached is computed anew.

    Raises UnsupportedError for numbers among them, which may depend on the fields.
    """
    others = {name: value for name, value in getattr(tree, "__dict__", {}).items() if name not in names}
    others = {name: x for name, x in others.items() if not isinstance(getattr(kind, name, None), cached_property)}
    for name, value in others.items():
        if any(map(is_number, values_in(value))):
            raise UnsupportedError(
                f"{kind.__name__}.{name} holds numbers and is no field of the dataclass, so a gradient by way of it "
                f"would be lost: declare it as a field, make it a property, or use at.register_pytree({kind.__name__}, "
                "...)"
            )
    return others


def _is_static(kind: type, name: str, value: Any) -> bool:
    """Whether a field belongs to the structure; see the top of this file."""
    by_statement, by_annotation = _statements(kind)
    if name in by_statement:
        return True
    if type(value) in (np.ndarray, float):
        return not is_number(value)
    leaves = list(values_in(value))
    if not any(map(is_number, leaves)):
        return bool(leaves)
    return name in by_annotation and all(isinstance(x, int | np.integer) or not is_number(x) for x in leaves)


@cache
def _statements(kind: Any) -> tuple[frozenset[str], frozenset[str]]:
    """Return the fields that say that they are static, and those whose annotation allows no number but whole ones."""
    fields = dataclasses.fields(kind)
    try:
        hints = typing.get_type_hints(kind)
    except Exception:  # a name that is known elsewhere alone
        hints = {}
    return (
        frozenset(field.name for field in fields if field.metadata.get("static")),
        frozenset(field.name for field in fields if _allows_no_float(hints.get(field.name, field.type))),
    )


def _allows_no_float(annotation: Any) -> bool:
    """Whether an annotation allows whole numbers, truth values, texts, functions and containers of them alone."""
    origin = typing.get_origin(annotation)
    if isinstance(annotation, str) or annotation is Any:
        return annotation == "int"
    if origin is typing.Literal or origin is Callable or annotation in (..., None):
        return True
    if origin is not None or isinstance(annotation, types.UnionType):
        return all(map(_allows_no_float, typing.get_args(annotation)))
    return isinstance(annotation, type) and issubclass(annotation, int | str | bytes | Enum | types.NoneType)


def values_in(tree: Any) -> Iterator[Any]:
    """Yield the values of nested containers."""
    taken = branch(tree)
    if taken is None:
        yield tree
    else:
        for part in taken.parts:
            yield from values_in(part)


def is_number(leaf: Any) -> bool:
    """Whether a leaf is a number, or an array of numbers; truth values are not."""
    if isinstance(leaf, bool | np.bool):
        return False
    dtype = getattr(leaf, "dtype", None)
    if isinstance(dtype, np.dtype):
        return dtype.kind in "biufc"
    return isinstance(leaf, int | float | complex) or hasattr(leaf, "__array__")
