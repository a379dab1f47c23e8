"""A recorded call: a function that ran once on fresh Tensors, with the graph that it left.

Transforms differentiate it. Where it is part of a larger graph, because it runs inside another transform or uses a
tracked Tensor from outside, its results are Tensors, so that transforms nest to any order.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from autotiny.engine import messages
from autotiny.engine.arguments import Key, chosen_values, replaced
from autotiny.engine.backward import ALL, Gradients
from autotiny.engine.containers import is_number
from autotiny.engine.gradients import sweep
from autotiny.engine.graph import topological_order
from autotiny.engine.leaving import Exit, Exits
from autotiny.engine.modes import Switch, in_use, modes
from autotiny.engine.mutation import require_live, verified_order
from autotiny.engine.node import ENDED, Node, next_number
from autotiny.engine.pytree import Rebuild, flatten, places, tree_map
from autotiny.engine.tensor import Tensor, as_argument, as_tensor
from autotiny.engine.values import NUMERIC, is_foreign, plain_copy
from autotiny.errors import UnsupportedError

Function = Callable[..., Any]


class RecordedCall(NamedTuple):
    """A recorded call: its outputs and the variables that it was called with, as flat lists with their trees."""

    outputs: list[Any]
    rebuild_output: Rebuild
    variables: list[Tensor]
    rebuild_arguments: Rebuild
    order: list[Node]
    leaves: set[Node]
    nested: bool
    aux: Any = None
    """What the function returned beside the output."""

    @property
    def value(self) -> Any:
        """The output; it consists of Tensors if the call is part of a larger graph."""
        return self.rebuild_output([self.plain(out) for out in self.outputs])

    @property
    def plain_aux(self) -> Any:
        """What the function returned beside the output, likewise."""
        return tree_map(self.plain, self.aux)

    def plain(self, x: Any) -> Any:
        """x as an array, unless it is part of a larger graph."""
        return x if self.nested or not isinstance(x, Tensor) else plain_copy(x._value)

    def end(self) -> None:
        """Mark the variables, so that a Tensor which a cache kept of this call is noticed where it is used again."""
        if not self.nested:
            for x in self.variables:
                x._assigned = ENDED

    def pull(self, seeds: Gradients, record: bool = False, *, chosen: Mapping[Node, Any] = ALL) -> list[Any]:
        """Return the gradients of the variables, as rules take and give them (`ops/table.py`).

        `chosen` marks the entries of the outputs that count.
        """
        record = record or self.nested
        whole = self.leaves.issubset(self.variables)
        grads = sweep(self.order, seeds, self.variables, record, whole=whole, chosen=chosen)
        results = [grads[x] if x in grads else np.zeros_like(x._value) for x in self.variables]
        if record:
            return [as_tensor(g) for g in results]
        return [
            g if type(g) is np.ndarray and g.base is None and x not in seeds else plain_copy(g)  # a leaf's is its own
            for x, g in zip(self.variables, results, strict=True)
        ]


def record_call(
    f: Function, args: Sequence[Any], kwargs: dict[str, Any], chosen: Sequence[Key], where: str, aux: bool = False
) -> RecordedCall:
    """Record a call of f with the chosen arguments as fresh variables; with `aux`, f returns a pair (output, aux)."""
    start = next_number()
    values = list(chosen_values(args, kwargs, chosen))
    numbers, rebuild_arguments = flatten(values)
    try:
        variables = list(map(variable, numbers))
    except UnsupportedError as error:
        raise misplaced(error, values, chosen, where) from None
    arguments, keywords = replaced(args, kwargs, chosen, rebuild_arguments(variables))
    with Exits() as exits:
        if not in_use or modes.recording:
            output = f(*arguments, **keywords)
        else:
            with Switch("recording", True):
                output = f(*arguments, **keywords)
    beside = None
    if aux:
        output, beside = _pair(f, output)
    outputs, rebuild_output = flatten(output)
    for out in outputs:
        _require_numbers(f, out, output)
    if output is None:
        _require_numbers(f, None, None)
    recorded = [out for out in outputs if isinstance(out, Tensor)]
    order = verified_order(*recorded)
    leaves = tracked_leaves(recorded, order)
    for x in leaves:
        require_live(x)
    if exits:
        require_path(set(variables) - leaves - set(order), exits)
    nested = any(x._number < start for x in leaves) and modes.recording  # later ones end with this call
    return RecordedCall(outputs, rebuild_output, variables, rebuild_arguments, order, leaves, nested, beside)


def misplaced(error: UnsupportedError, values: list[Any], chosen: Sequence[Key], where: str) -> UnsupportedError:
    """Return the error of a value that cannot be differentiated by, with its place in the arguments."""
    for key, value in zip(chosen, values, strict=True):
        for leaf, place in zip(flatten(value)[0], places(value), strict=True):
            try:
                variable(leaf)
            except UnsupportedError:
                name = f"{where}: {key if isinstance(key, str) else f'argument {key}'}{place}"
                if is_number(leaf):
                    return UnsupportedError(f"{name}: {str(error).removeprefix('Tensor: ')}")
                what = f"the text {leaf!r:.40}" if isinstance(leaf, str) else f"of type {type(leaf).__name__}"
                return UnsupportedError(
                    f"{name} is {what}, where a number or an array is expected: pass it as another argument, or in a "
                    "static field of a dataclass; at.register_pytree takes a class of your own apart"
                )
    return error


def require_path(unreached: set[Any], exits: Sequence[Exit]) -> None:
    """Raise UnsupportedError if the value of a variable left the graph, while the outputs do not depend on it."""
    if not unreached or unreached.isdisjoint(topological_order(*(way.tensor for way in exits))):
        return
    (line, *_) = (way.line for way in exits if not unreached.isdisjoint(topological_order(way.tensor)))
    raise messages.lost_on_the_way(line)


def tracked_leaves(outputs: Sequence[Tensor], order: Sequence[Node]) -> set[Node]:
    """Return the tracked leaves among the outputs and among the operands of the operations that lead to them."""
    operands = {x for node in order for x in node.args if isinstance(x, Node) and x.op is None and x._tracked}
    return operands.union(x for x in outputs if x.op is None and x._tracked)


def variable(value: Any) -> Tensor:
    """Return a fresh Tensor to differentiate by, a recorded copy if the value is a tracked Tensor."""
    if isinstance(value, Tensor) and value.requires_grad and modes.recording:
        return value.copy()
    return as_argument(value._value if isinstance(value, Tensor) else value)


def _pair(f: Function, output: Any) -> tuple[Any, Any]:
    """Return what a function with has_aux returned, which is a pair."""
    if not isinstance(output, tuple | list) or len(output) != 2:
        raise UnsupportedError(
            f"{getattr(f, '__name__', f)}: with has_aux=True the function returns a pair, (value, aux); it returned "
            f"{type(output).__name__}"
        )
    return output[0], output[1]


def _require_numbers(f: Function, out: Any, tree: Any) -> None:
    if not (isinstance(out, Tensor) or is_foreign(out)) and np.asarray(out).dtype.kind not in NUMERIC:
        name, hint = getattr(f, "__name__", f), "; is a return missing?" if out is None else ""
        place = next((place for leaf, place in zip(flatten(tree)[0], places(tree), strict=True) if leaf is out), "")
        at = f" at {place}" if place else ""
        raise UnsupportedError(
            f"{name}: the function returned {type(out).__name__}{at}, expected a Tensor or numbers{hint}"
        )
