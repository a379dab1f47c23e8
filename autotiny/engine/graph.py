"""Functions of a recorded graph: its order, the names of its tensors, and its values for other inputs."""

import itertools
from collections.abc import Container, Iterable, Iterator, Mapping
from operator import attrgetter
from typing import Any, TypeVar

from autotiny.engine.call_site import named_values
from autotiny.engine.node import Node
from autotiny.engine.recording import evaluate_form

AnyNode = TypeVar("AnyNode", bound=Node)
by_number = attrgetter("_number")


def topological_order(*outputs: AnyNode) -> list[AnyNode]:
    """Return every tensor that leads to the outputs once, operands before results.

    Nodes are numbered when they are recorded, an operation always after its operands, so the order of their numbers
    is a topological order. The walk that gathers them does not recur: a graph may be a million operations deep.

    >>> import autotiny as at
    >>> x = at.Tensor(2.0); y = x * x; z = y + x
    >>> [t is u for t, u in zip(topological_order(z), [x, y, z])]
    [True, True, True]
    """
    seen: set[Any] = set(outputs)
    order: list[Any] = list(seen)
    for node in order:  # grows while it is walked
        for arg in node.args:
            if type(arg) is type(node) and arg not in seen:
                seen.add(arg)
                order.append(arg)
    order.sort(key=by_number)
    return order


def leading_to(order: Iterable[AnyNode], sources: Iterable[AnyNode]) -> set[AnyNode]:
    """Return the tensors of a topological order that depend on one of the sources; the sources belong to them."""
    dependent = set(sources)
    for node in order:
        if not dependent.isdisjoint(node.parents):
            dependent.add(node)
    return dependent


def replay(order: Iterable[AnyNode], values: Mapping[AnyNode, Any]) -> dict[AnyNode, Any]:
    """Return the values that a graph has for other values of some of its tensors, leaves or results.

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
            result[node] = node._value
        else:
            form = form_with(node, values)
            result[node] = evaluate_form(form, node.args, value)
    return result


def form_with(node: Node, values: Container[Node]) -> Any:
    """Return what has the operation that computes a node where some values are replaced: its stable form, if any.

    The logarithm of a replaced A2 is log(A2), and not log_softmax(Z2).
    """
    stable = node._stable
    if stable is None or any(
        (node if user is None else user).args[position] in values for user, position in stable.uses
    ):
        return node
    return stable


def users_names(order: Iterable[AnyNode], scope: Mapping[str, Any], items: bool = False) -> dict[AnyNode, str]:
    """Return the tensors that have a name: their own, else their variable's, key's or attribute's in scope.

    A leaf has a name by its place in a list as well, t[2]; with `items`, so has a result: h[3].
    """
    variables: dict[int, str] = {}
    for places in (False, True):
        for name, value in named_values(scope, places):
            if isinstance(value, Node) and (items or not places or value.op is None):
                variables.setdefault(id(value), name)
    named = {node: node.name or variables.get(id(node)) for node in order}
    return {node: name for node, name in named.items() if name is not None}


def names(order: Iterable[AnyNode], scope: Mapping[str, Any], items: bool = False) -> dict[AnyNode, str]:
    """Return a name for each tensor: the user's as in `users_names`, else t1, t2 ...

    No two tensors get the same name: later ones get a prime.
    """
    order = list(order)
    known = users_names(order, scope, items)
    unique: dict[AnyNode, str] = {}
    taken: set[str] = set()
    for node, base in known.items():
        unique[node] = next(name for name in with_primes(base) if name not in taken)
        taken.add(unique[node])
    short = (name for name in (f"t{i}" for i in itertools.count(1)) if name not in taken)
    return {node: unique[node] if node in unique else next(short) for node in order}


def with_primes(name: str) -> Iterator[str]:
    """Yield name, name′, name″ ..."""
    return (name + "′" * primes for primes in itertools.count())
