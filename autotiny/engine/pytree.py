"""Pytrees: nested containers of values, taken apart into the values in order, and made again of others."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from autotiny.engine.containers import Branch, branch
from autotiny.errors import ShapeError, UnsupportedError

Rebuild = Callable[[list[Any]], Any]


def flatten(tree: Any) -> tuple[list[Any], Rebuild]:
    """Return the values of a tree in order, and a function that builds the same tree of other values.

    >>> leaves, rebuild = flatten({"W": 1, "b": (2, [3])})
    >>> leaves, rebuild([10, 20, 30])
    ([1, 2, 3], {'W': 10, 'b': (20, [30])})
    """
    leaves: list[Any] = []
    try:
        structure = _take(tree, leaves)
    except RecursionError:
        raise UnsupportedError(
            f"the {type(tree).__name__} of values contains itself, or is nested too deeply"
        ) from None
    return leaves, lambda values: _made(structure, iter(values))


def _take(tree: Any, leaves: list[Any]) -> Any:
    """Append the values of a tree, and return its structure: None for a leaf, else what makes it and its parts."""
    taken = branch(tree)
    if taken is None:
        leaves.append(tree)
        return None
    structures: list[Any] = []
    for part in taken.parts:
        if type(part) is np.ndarray:  # the most frequent value, without a call
            leaves.append(part)
            structures.append(None)
        else:
            structures.append(_take(part, leaves))
    return taken.make, structures


def _made(structure: Any, values: Iterator[Any]) -> Any:
    if structure is None:
        return next(values)
    make, parts = structure
    return make([next(values) if part is None else _made(part, values) for part in parts])


def places(tree: Any, path: str = "") -> list[str]:
    """Return where each value is, as it is written behind the tree's name.

    >>> places({"W": 1, "b": (2, [3])})
    ["['W']", "['b'][0]", "['b'][1][0]"]
    """
    taken = branch(tree)
    if taken is None:
        return [path]
    keys = [path + taken.form.format(key) for key in taken.keys]
    return [place for part, key in zip(taken.parts, keys, strict=True) for place in places(part, key)]


def leaves_as(tree: Any, like: Any, where: str, path: str = "", *, prefix: bool = False) -> list[Any]:
    """Return the values of a tree in the order of another one, of equal structure; dicts are matched by their keys.

    With `prefix`, whatever stands at the place of a value of the other tree is taken whole.
    Raises ShapeError, with the place in the tree, where the structures differ.

    >>> leaves_as({"b": 2, "a": 1}, {"a": 10, "b": 20}, "jvp: the tangents")
    [1, 2]
    """
    pattern, taken, at = branch(like), branch(tree), f" at {path}" if path else ""
    if pattern is None:
        if taken is not None and not prefix and not isinstance(tree, list | tuple):
            raise ShapeError(f"{where} must be an array{at}; got {type(tree).__name__}")
        return [tree]
    parts = _matched(tree, taken, like, pattern, f"{where} must", at)
    places = [path + pattern.form.format(key) for key in pattern.keys]
    each = zip(parts, pattern.parts, places, strict=True)
    return [leaf for part, other, place in each for leaf in leaves_as(part, other, where, place, prefix=prefix)]


def _matched(tree: Any, taken: Branch | None, like: Any, pattern: Branch, must: str, at: str) -> list[Any]:
    """Return the parts of a container in the order of another one."""
    if isinstance(like, dict):
        if not isinstance(tree, dict) or taken is None or tree.keys() != like.keys():
            got = f"the keys {list(tree)}" if isinstance(tree, dict) else type(tree).__name__
            raise ShapeError(f"{must} have the keys {list(like)}{at}; got {got}")
        return [tree[key] for key in like]
    if isinstance(like, list | tuple):
        if not isinstance(tree, list | tuple) or taken is None or len(taken.parts) != len(pattern.parts):
            got = f"{len(tree)}" if isinstance(tree, list | tuple) else type(tree).__name__
            raise ShapeError(f"{must} have {len(like)} parts{at}; got {got}")
        return taken.parts
    if taken is None or type(tree) is not type(like):
        raise ShapeError(f"{must} be {'None' if like is None else type(like).__name__}{at}; got {type(tree).__name__}")
    if tuple(taken.keys) != tuple(pattern.keys):
        raise ShapeError(f"{must} have the parts {list(pattern.keys)}{at}; got {list(taken.keys)}")
    return taken.parts


def tree_map(function: Callable[..., Any], tree: Any, *rest: Any) -> Any:
    """Return the tree with the function applied to each value, and to those at its place in the other trees.

    Trees are nested lists, tuples, named tuples, dicts, dataclasses and classes of `at.register_pytree`; None is an
    empty tree. The others must have the structure of the first, down to its values, in place of which they may have
    trees.

    Raises ShapeError, with the place, where the structures differ.

    >>> W, dW = {"a": 1.0, "b": [2.0, 3.0]}, {"a": 10.0, "b": [20.0, 30.0]}
    >>> tree_map(lambda w, g: w - 0.1 * g, W, dW)
    {'a': 0.0, 'b': [0.0, 0.0]}
    """
    leaves, rebuild = flatten(tree)
    if not rest:
        return rebuild([function(leaf) for leaf in leaves])
    columns = [leaves_as(other, tree, f"tree_map: tree {i}", prefix=True) for i, other in enumerate(rest, 2)]
    return rebuild([function(*values) for values in zip(leaves, *columns, strict=True)])
