"""Pytrees: nested lists, tuples and dicts of values."""

from collections.abc import Callable
from typing import Any

from autotiny.errors import UnsupportedError

Rebuild = Callable[[list[Any]], Any]


def flatten(tree: Any) -> tuple[list[Any], Rebuild]:
    """Return the values of a tree in order, and a function that builds the same tree of other values.

    >>> leaves, rebuild = flatten({"W": 1, "b": (2, [3])})
    >>> leaves, rebuild([10, 20, 30])
    ([1, 2, 3], {'W': 10, 'b': (20, [30])})
    """
    try:
        return _flattened(tree)
    except RecursionError:
        raise UnsupportedError(
            f"the {type(tree).__name__} of values contains itself, or is nested too deeply"
        ) from None


def _flattened(tree: Any) -> tuple[list[Any], Rebuild]:
    make: Rebuild
    if isinstance(tree, dict):
        branches, make = list(tree.values()), lambda items: dict(zip(tree, items, strict=True))
    elif isinstance(tree, tuple) and hasattr(tree, "_fields"):
        branches, make = list(tree), lambda items: type(tree)(*items)
    elif isinstance(tree, list | tuple):
        branches, make = list(tree), type(tree)
    else:
        return [tree], lambda leaves: leaves[0]
    parts: list[tuple[list[Any], Rebuild]] = [_flattened(branch) for branch in branches]

    def rebuild(leaves: list[Any]) -> Any:
        rest = iter(leaves)
        return make([sub([next(rest) for _ in own]) for own, sub in parts])

    return [leaf for own, _ in parts for leaf in own], rebuild


def tree_map(function: Callable[[Any], Any], tree: Any) -> Any:
    """Return the tree with the function applied to each value."""
    leaves, rebuild = flatten(tree)
    return rebuild([function(leaf) for leaf in leaves])
