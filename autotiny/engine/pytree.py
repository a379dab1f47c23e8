"""Pytrees: nested lists, tuples and dicts of values."""

from collections.abc import Callable
from typing import Any

from autotiny.errors import ShapeError, UnsupportedError

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


def leaves_as(tree: Any, like: Any, where: str, path: str = "") -> list[Any]:
    """Return the values of a tree in the order of another one, of equal structure; dicts are matched by their keys.

    Raises ShapeError, with the place in the tree, where the structures differ.

    >>> leaves_as({"b": 2, "a": 1}, {"a": 10, "b": 20}, "jvp: the tangents")
    [1, 2]
    """
    at = f" at {path}" if path else ""
    if isinstance(like, dict):
        if not isinstance(tree, dict) or tree.keys() != like.keys():
            got = f"the keys {list(tree)}" if isinstance(tree, dict) else type(tree).__name__
            raise ShapeError(f"{where} must have the keys {list(like)}{at}; got {got}")
        return [leaf for key in like for leaf in leaves_as(tree[key], like[key], where, f"{path}[{key!r}]")]
    if isinstance(like, list | tuple):
        if not isinstance(tree, list | tuple) or len(tree) != len(like):
            got = f"{len(tree)}" if isinstance(tree, list | tuple) else type(tree).__name__
            raise ShapeError(f"{where} must have {len(like)} parts{at}; got {got}")
        parts = enumerate(zip(tree, like, strict=True))
        return [leaf for i, (part, pattern) in parts for leaf in leaves_as(part, pattern, where, f"{path}[{i}]")]
    if isinstance(tree, dict):
        raise ShapeError(f"{where} must be an array{at}; got dict")
    return [tree]


def tree_map(function: Callable[[Any], Any], tree: Any) -> Any:
    """Return the tree with the function applied to each value."""
    leaves, rebuild = flatten(tree)
    return rebuild([function(leaf) for leaf in leaves])
