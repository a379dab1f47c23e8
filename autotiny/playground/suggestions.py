"""Values for names that a program uses without one: shapes that fit around `@`, and numbers that are easy to read."""

import ast
import itertools
from collections.abc import Iterator, Mapping

import numpy as np

from autotiny.language import ExpressionError, Limits
from autotiny.playground.limits import cheap
from autotiny.playground.program import recorded, statements_of, unknown_names
from autotiny.playground.state import Array, PageState, PageValue

MOST_TRIES = 60
"""The number of ways to choose the shapes that are tried."""
SIZE = 2
"""The length of axes that nothing else decides."""


def suggested(state: PageState, limits: Limits) -> dict[str, Array]:
    """Return a value for each name without one, such that the program runs if shapes of a few kinds can make it.

    >>> {name: value.shape for name, value in suggested(PageState("sum(W @ x + b)", {}, ""), Limits()).items()}
    {'W': (2, 2), 'x': (2,), 'b': ()}
    """
    names = unknown_names(state, limits)
    choices = [_shapes(name, state, limits) for name in names]
    best = {name: _numbers(shapes[0]) for name, shapes in zip(names, choices, strict=True)}
    for shapes in itertools.islice(itertools.product(*choices), MOST_TRIES):
        values = {name: _numbers(shape) for name, shape in zip(names, shapes, strict=True)}
        if _runs(state, values, cheap(limits)):
            return values
    return best


def _runs(state: PageState, values: Mapping[str, Array], limits: Limits) -> bool:
    added = {name: PageValue(value, False) for name, value in values.items()}
    try:
        recorded(state._replace(values={**state.values, **added}), limits)
    except Exception:  # any error is shown once the values are there
        return False
    return True


def _shapes(name: str, state: PageState, limits: Limits) -> list[tuple[int, ...]]:
    """Return the shapes that a name may have, the likeliest first."""
    sides = set(_sides(name, state, limits))
    if not sides:
        return [()]
    sizes = list(dict.fromkeys([SIZE, *(n for value in state.values.values() for n in value.array.shape)]))[:4]
    matrices = sorted(itertools.product(sizes, repeat=2), key=lambda shape: (shape[0] != SIZE, shape))
    vectors: list[tuple[int, ...]] = [(n,) for n in sizes]
    return [*vectors, *matrices] if sides == {"right"} and name.islower() else [*matrices, *vectors]


def _sides(name: str, state: PageState, limits: Limits) -> Iterator[str]:
    """Yield the sides of `@` on which a name is used."""
    try:
        trees = [statement.tree for statement in statements_of(state, limits)]
    except ExpressionError:
        return
    for tree in trees:
        for node in ast.walk(tree):
            if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
                for side, operand in (("left", node.left), ("right", node.right)):
                    operand = operand.value if isinstance(operand, ast.Attribute) else operand  # W.T
                    if isinstance(operand, ast.Name) and operand.id == name:
                        yield side


def _numbers(shape: tuple[int, ...]) -> Array:
    """Return numbers between -1 and 1.5 that differ from their neighbours; 1 for a single number."""
    size = int(np.prod(shape))
    return np.array(1.0) if not shape else np.reshape([(3 * i + 2) % 6 / 2 - 1 for i in range(size)], shape)
