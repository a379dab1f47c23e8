"""Refusing to differentiate what is no longer there: values that were changed after they were recorded."""

from typing import Any, TypeGuard

from autotiny.engine import call_site, messages
from autotiny.engine.fingerprint import was_changed
from autotiny.engine.graph import by_number
from autotiny.engine.node import Node, made_by
from autotiny.engine.recording import value_of
from autotiny.errors import StaleError


def verified_order(*outputs: Node) -> list[Node]:
    """The operations that lead to the outputs, results before operands, once it is certain that no value was changed
    since.

    The same walk as graph.topological_order, without the leaves, which have nothing to pull back through.
    """
    found = {output for output in outputs if output.op is not None}
    order, doubtful = list(found), False
    for node in order:  # grows while it is walked
        doubtful = doubtful or node._notes is not None
        for arg in node.args:
            if isinstance(arg, Node):
                if arg.op is None:
                    doubtful = doubtful or arg._shared or arg._assigned > node._number
                elif arg not in found:
                    found.add(arg)
                    order.append(arg)
    order.sort(key=by_number, reverse=True)
    if doubtful:
        for node in order:
            require_unchanged(node)
    return order


def require_unchanged(node: Node) -> None:
    """Raise StaleError if a value that the node was computed from, or its own, is not what it was."""
    notes = node._notes or {}
    if "value" in notes and was_changed(node._data, notes["value"]):
        _raise_stale(node, node, "was changed in place")
    for place, arg in enumerate(node.args):
        if isinstance(arg, Node) and arg.op is None and arg._assigned > node._number:
            _raise_stale(node, arg, "was assigned")
        shared = isinstance(arg, Node) and arg.op is None and arg._shared
        seal = notes.get(place, arg._notes["value"] if shared else None)
        if seal is not None and was_changed(value_of(arg), seal):
            _raise_stale(node, arg, "was changed in place")


def _raise_stale(node: Node, held: Any, what: str) -> None:
    name, line = messages.label(held, call_site.caller_scope()), (node._notes or {}).get("line")
    raise StaleError(
        f"{made_by(node).name}: {name} {what} after it was recorded"
        + (f" at {line}" if line else "")
        + "; compute the output anew before backward, or pass a copy"
    )


# ----- leaves -----
# Leaves that somebody may have written to behind their session's back.


def is_written_over(value: Any) -> TypeGuard[Node]:
    """Whether it is a leaf whose data was assigned, or written to, since its session made it."""
    if not isinstance(value, Node) or value.op is not None:
        return False
    seal = (value._notes or {}).get("value")
    return value._assigned > value._number or (seal is not None and was_changed(value._data, seal))
