"""A recorded graph, read: its order, its names, and its values on other inputs."""

import itertools
from collections.abc import Iterable, Iterator, Mapping
from operator import attrgetter
from typing import Any, TypeVar

from autotiny.engine.call_site import caller_scope
from autotiny.engine.node import Node
from autotiny.engine.recording import evaluate

__all__ = ["caller_scope", "leading_to", "names", "replay", "topological_order"]

AnyNode = TypeVar("AnyNode", bound=Node)
by_number = attrgetter("_number")


def topological_order(*outputs: AnyNode) -> list[AnyNode]:
    """Every tensor that leads to the outputs, each once, operands before results.

    Nodes are numbered when they are recorded, an operation always after its operands, so the order of their numbers
    is a topological order. The walk that gathers them does not recur: a graph may be a million operations deep.

    >>> import autotiny as at
    >>> x = at.Tensor(2.0); y = x * x; z = y + x
    >>> [t is u for t, u in zip(topological_order(z), [x, y, z])]
    [True, True, True]
    """
    found: set[Any] = set(outputs)
    order: list[Any] = list(found)
    for node in order:  # grows while it is walked
        for arg in node.args:
            if isinstance(arg, Node) and arg not in found:
                found.add(arg)
                order.append(arg)
    order.sort(key=by_number)
    return order


def leading_to(order: Iterable[AnyNode], sources: Iterable[AnyNode]) -> set[AnyNode]:
    """The tensors of a topological order that depend on one of the sources, themselves included."""
    dependent = set(sources)
    for node in order:
        if not dependent.isdisjoint(node.parents):
            dependent.add(node)
    return dependent


def replay(order: Iterable[AnyNode], values: Mapping[AnyNode, Any]) -> dict[AnyNode, Any]:
    """The values that a graph would have with other values of some of its tensors, which may be results too.

    >>> import autotiny as at
    >>> x = at.Tensor(2.0); y = x * x
    >>> float(replay(topological_order(y), {x: 3.0})[y])
    9.0
    """
    result: dict[Any, Any] = {}

    def value(arg: Any) -> Any:
        return result.get(arg, arg) if isinstance(arg, Node) else arg

    for node in order:
        if node in values:
            result[node] = values[node]
        elif node.op is None:
            result[node] = node._data
        elif not values.keys().isdisjoint(node.parents):  # log(A2) of a given A2 is not log_softmax(Z2)
            result[node] = node.op.forward(*map(value, node.args), **node.kwargs)
        else:
            result[node] = evaluate(node.op, node.args, node.kwargs, value)
    return result


def names(order: Iterable[AnyNode], scope: Mapping[str, Any]) -> dict[AnyNode, str]:
    """What to call each tensor: its own name, else its variable's in scope, else a short one by its place in the order.

    No two tensors get the same name: later ones are told apart by a prime.
    """
    variables: dict[int, str] = {}
    for name, held in scope.items():
        if isinstance(held, Node) and not name.startswith("_"):
            variables.setdefault(id(held), name)
    order = list(order)
    given = {node: node.name or variables.get(id(node)) for node in order}
    taken: set[str] = set()
    for node, base in given.items():
        if base is not None:
            given[node] = unique = next(name for name in with_primes(base) if name not in taken)
            taken.add(unique)
    short = (name for name in (f"t{i}" for i in itertools.count(1)) if name not in taken)
    return {node: name if name is not None else next(short) for node, name in given.items()}


def with_primes(name: str) -> Iterator[str]:
    """name, name′, name″ ..."""
    return (name + "′" * primes for primes in itertools.count())
