"""Expression trees, which the notations print. Subtrees may be shared."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import count
from typing import Any, TypeVar

Node = TypeVar("Node")

LONGEST = 2000
"""The number of nodes, repetitions included, beyond which shared subexpressions of a formula get names."""


class Expression:
    """A node of an expression tree. Nodes are compared by identity.

    Attributes
    ----------
    kind : its row in the table of forms, or "symbol", "number", "words", "call", or "own" for a user's own notation.
    operands : the operands, as expressions.
    name : the name of a symbol, or of the function that is called.
    value : the number, words, entries of an array, index, exponent, or the user's own notation.
    options : the options of a function by name.
    """

    __slots__ = ("kind", "name", "operands", "options", "value")

    def __init__(
        self,
        kind: str,
        operands: Iterable["Expression"] = (),
        name: str = "",
        value: Any = None,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        self.kind, self.operands, self.name, self.value = kind, tuple(operands), name, value
        self.options: Mapping[str, Any] = {} if options is None else options

    def __repr__(self) -> str:
        return f"<{self.kind} {self.name}>" if self.name else f"<{self.kind}>"


def symbol(name: str) -> Expression:
    """Return the expression of a variable."""
    return Expression("symbol", name=name)


def operands_first(roots: Iterable[Node], operands: Callable[[Node], Iterable[Node]]) -> Iterator[Node]:
    """Yield every node of some trees once, after its operands. There is no recursion: trees may be deep."""
    seen, stack = set[Node](), [(root, False) for root in reversed(tuple(roots))]
    while stack:
        node, entered = stack.pop()
        if entered:
            yield node
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            stack += [(operand, False) for operand in reversed(tuple(operands(node)))]


def shared_names(root: Expression) -> dict[Expression, str]:
    """Return names for the subexpressions that a long formula uses more than once; none for a short formula.

    >>> y = symbol("x")
    >>> for _ in range(20):
    ...     y = Expression("add", [Expression("multiply", [y, y]), y])
    >>> len(shared_names(y)), shared_names(Expression("add", [symbol("x")] * 2))
    (19, {})
    """
    order = list(operands_first([root], lambda each: each.operands))
    size: dict[Expression, int] = {}
    for each in order:
        size[each] = 1 + sum(size[operand] for operand in each.operands)
    if size[root] <= LONGEST:
        return {}
    uses = Counter(operand for each in order for operand in each.operands)
    taken = {each.name for each in order if each.kind == "symbol"}
    shared = (each for each in order if each.operands and uses[each] > 1)
    unique_names = (name for name in (f"u{i}" for i in count(1)) if name not in taken)
    return dict(zip(shared, unique_names, strict=False))
