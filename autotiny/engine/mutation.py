"""Mutation: detect values that were changed after they were recorded, since their graph must not be differentiated."""

from typing import Any, TypeGuard

from autotiny.engine import call_site, messages
from autotiny.engine.graph import by_number
from autotiny.engine.node import ENDED, Node, made_by
from autotiny.engine.recording import value_of
from autotiny.engine.values import Fingerprints, was_changed
from autotiny.errors import StaleError


def verified_order(*outputs: Node) -> list[Node]:
    """Return the operations that lead to the outputs, results before operands, after checking that no value changed.

    It is the walk of graph.topological_order without the leaves, which no gradient is pulled back through.
    Raises StaleError if a value was changed.
    """
    order = [output for output in set(outputs) if output.op is not None]
    seen = set(order)
    doubtful: set[Node] = set()
    kind: Any = type(outputs[0]) if outputs else Node  # isinstance takes long to say no
    for node in order:  # grows while it is walked
        if node._notes is not None:
            doubtful.add(node)
        for arg in node.args:
            if type(arg) is kind:
                if arg.op is None:
                    if arg._shared or arg._assigned > node._number:
                        doubtful.add(node)
                elif arg not in seen:
                    seen.add(arg)
                    order.append(arg)
    order.sort(key=by_number, reverse=True)
    if doubtful:
        now: Fingerprints = {}
        for node in sorted(doubtful, key=by_number, reverse=True):
            require_unchanged(node, now)
    return order


def require_unchanged(node: Node, now: Fingerprints) -> None:
    """Raise StaleError if the value of the node, or of one of its operands, has changed since it was recorded.

    `now` keeps the fingerprints of this moment: an array of many uses is read once.
    """
    notes = node._notes or {}
    if "value" in notes and was_changed(node._value, notes["value"], now):
        _raise_stale(node, node, "was changed in place")
    for place, arg in enumerate(node.args):
        if isinstance(arg, Node) and arg.op is None and arg._assigned > node._number:
            require_live(arg)
            _raise_stale(node, arg, "was assigned")
        shared = isinstance(arg, Node) and arg.op is None and arg._shared
        before = notes.get(place, arg._notes["value"] if shared else None)
        if before is not None and was_changed(value_of(arg), before, now):
            _raise_stale(node, arg, "was changed in place")


def require_live(leaf: Node) -> None:
    """Raise StaleError if a leaf was the argument of a call of grad that has ended."""
    if leaf._assigned == ENDED:
        from autotiny.notation.numbers import few_entries  # only a mistake needs it

        raise StaleError(
            f"the result depends on the argument {few_entries(leaf._value)} of an earlier call of grad, jvp or "
            "jacobian, which has ended: a cache or a variable kept a Tensor of that call; keep plain values there, or "
            "compute anew"
        )


def _raise_stale(node: Node, value: Any, what: str) -> None:
    name, line = messages.label(value, call_site.caller_scope()), (node._notes or {}).get("line")
    raise StaleError(
        f"{made_by(node).name}: {name} {what} after it was recorded"
        + (f" at {line}" if line else "")
        + "; compute the output anew before backward, or pass a copy"
    )


def is_written_over(value: Any) -> TypeGuard[Node]:
    """Whether a value is a leaf whose data was assigned or modified since it was made."""
    if not isinstance(value, Node) or value.op is not None:
        return False
    before = (value._notes or {}).get("value")
    return value._assigned > value._number or (before is not None and was_changed(value._value, before))
