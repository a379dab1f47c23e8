"""Selection: which entries of each tensor were taken, carried from results to operands.

    taken(x) = the union over every use y of x of  the entries of x that the taken entries of y depend on

np.where, maximum, relu, an index and the like do not take every entry of their operands. An entry that was not taken
contributes exactly nothing, whatever stands behind it: its derivative may be infinite, and 0 times infinity is nan.
Nothing else is replaced: a gradient that happens to be 0 follows the chain rule. Of arrays that are computed later, as
Dask's, a product counts as using all entries of its factors.

The masks depend on values alone, not on gradients, and are constants in derivatives of every order: these are the
derivatives of the branch taken.
"""

import functools
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from autotiny.engine.broadcasting import any_repetition
from autotiny.engine.node import Node, form_of, made_by
from autotiny.engine.recording import evaluate, value_of
from autotiny.engine.values import SCALARS
from autotiny.errors import UnsupportedError
from autotiny.ops import OPS, Op
from autotiny.ops.outputs import OutputGradients, Outputs, in_a_row, output, outputs_of, split
from autotiny.ops.reductions import kept_shape
from autotiny.ops.table import is_computed_later, library

Mask = Any
"""Truth values, or a formula of them; None where every entry was taken."""
DIVIDE, OUTPUT = OPS[np.divide], OPS[output]


class Selection:
    """The entries that were taken, of every tensor on the way from some outputs.

    Attributes
    ----------
    taken : by tensor, the entries that some result uses.
    used : by operation, for each operand, the entries of it that the taken entries of the result depend on, in the
        shape in which the rule contributes. Operations whose operands were taken whole are left out, but for products.
    along : the derivatives of gradients, as `gradients_along` of `backward` finds them; None if it cannot.
    at_risk : the results whose derivatives may be infinite or undefined, of some order if the sweep is recorded: only
        there, and where a contribution is not finite, entries are replaced. None for all, as in formulas.
    """

    along: Callable[..., Any] | None = None

    def __init__(self, order: Sequence[Node], chosen: Mapping[Any, Mask], *, record: bool = False) -> None:
        self.taken: dict[Any, Mask] = dict(chosen)
        self.used: dict[Node, list[Mask]] = {}
        for node in order:
            self._carry_back(node)
        known = all(isinstance(node._value, np.ndarray | np.generic | Outputs) for node in order)
        self.at_risk = (results_at_risk(order) if record else set()) if known else None

    def _carry_back(self, node: Node) -> None:
        """Mark the entries that the taken entries of a result depend on; not for one that is passed by."""
        if node not in self.taken:
            return
        masks = [None if is_true_everywhere(mask) else mask for mask in used_entries(node, self.taken.get(node))]
        if any(mask is not None for mask in masks) or is_product(form_of(node).op):
            self.used[node] = masks  # in a product an entry that was taken may meet one of y that was not
        for x, mask in zip(form_of(node).args, masks, strict=True):
            if isinstance(x, Node) and x._tracked:
                whole = None if mask is None else any_repetition(mask, x.shape)
                self.taken[x] = union(self.taken[x], whole) if x in self.taken else whole

    def pull(self, rule: Any, position: int, node: Node, g: Any, y: Any, args: tuple[Any, ...]) -> Any:
        """Return what a rule contributes to the operand in this position: exactly 0 to entries that were not taken."""
        op, kwargs = form_of(node).op, form_of(node).kwargs
        if isinstance(g, OutputGradients):
            g = g.of_taken(self.taken[node], self.along and functools.partial(self.along, node))
        if node not in self.used or op is OUTPUT or (op.has("moves") and not op.has("selects")):
            return rule(g, y, *args, **kwargs)
        if self.at_risk is not None and node not in self.at_risk:
            try:
                c = rule(g, y, *args, **kwargs)
            except (np.linalg.LinAlgError, UnsupportedError):  # a matrix that was not taken, perhaps
                c = np.nan
            if c is g or is_finite(value_of(c)):
                return c
        mask = self.used[node][position]
        if is_product(op) and not isinstance(g, OutputGradients) and not is_computed_later(g):
            return self._pull_product(rule, position, node, g, y, args)
        if not op.has("elementwise") and not op.has("selects"):
            if mask is not None and is_false_everywhere(mask):
                return np.zeros_like(value_of(args[position]))
            y, args = self._harmless(node, y, args)
        c = rule(g, y, *args, **kwargs)
        return c if mask is None or c is g else np.where(mask, c, 0.0)

    def _harmless(self, node: Node, y: Any, args: tuple[Any, ...]) -> tuple[Any, tuple[Any, ...]]:
        """Return y and the operands of an operation that mixes entries, with others where they were not taken.

        A line or a matrix that was not taken becomes one whose derivative is finite: a matrix may have to be inverted.
        """
        args = tuple(
            [
                x if mask is None else np.where(any_repetition(mask, np.shape(x)), x, neutral(x))
                for x, mask in zip(args, self.used[node], strict=True)
            ]
        )
        y_value, taken = node._value, self.taken[node]
        several = isinstance(getattr(y_value, "prototype", y_value), Outputs)
        finite = np.isfinite(in_a_row(y_value) if several else y_value)
        if taken is None or is_true_everywhere(finite):
            return y, args
        form = form_of(node)
        other = evaluate(form.op, tuple(map(value_of, args)), form.kwargs, value_of)
        kept = np.logical_or(taken, finite)
        if several:
            parts = zip(split(kept, other), outputs_of(y), outputs_of(other), strict=True)
            return Outputs([np.where(mask, mine, part) for mask, mine, part in parts]), args
        return np.where(kept, y, other), args

    def _pull_product(self, rule: Any, position: int, node: Node, g: Any, y: Any, args: tuple[Any, ...]) -> Any:
        """Return what the rule of a product contributes, as in Ā = g Bᵀ.

        What is not finite in the other factors counts only where it meets an entry of g that was taken.
        """
        values = list(map(value_of, args))
        finite = [np.isfinite(x) for x in values]
        kept = [
            f if mask is None else np.logical_and(mask, f) for f, mask in zip(finite, self._whole(node), strict=True)
        ]
        safe = [x if is_true_everywhere(k) else np.where(k, x, 0.0) for x, k in zip(args, kept, strict=True)]
        c = rule(g, y, *safe, **node.kwargs)
        taken, met = as_gradient(self.taken[node], node), False
        for i, f in enumerate(finite):
            if i != position and not is_true_everywhere(f):
                factors = [ones_like(x) for x in values]
                factors[i] = np.logical_not(f) * 1.0
                met = np.logical_or(met, rule(taken, None, *factors, **node.kwargs) > 0)
        return c if is_false_everywhere(met) else np.where(met, rule(g, y, *args, **node.kwargs), c)

    def _whole(self, node: Node) -> list[Mask]:
        """Return the used entries of each operand, in its own shape."""
        shapes = [np.shape(value_of(x)) for x in node.args]
        return [None if m is None else any_repetition(m, s) for m, s in zip(self.used[node], shapes, strict=True)]


# ----- which entries an operation uses -----
def operation_of(node: Node) -> tuple[Op, list[Any], Mapping[str, Any]]:
    """Return the operation that a gradient is pulled back through, the values of its operands, and its options."""
    form = form_of(node)
    return form.op, list(map(value_of, form.args)), form.kwargs


def used_entries(node: Node, taken: Mask) -> list[Mask]:
    """Return for each operand which of its entries the taken entries of a result depend on."""
    op, args, kwargs = operation_of(node)
    if op.has("selects"):
        shares = _by_rules(op, as_gradient(None, node), node._value, args, kwargs)
        if taken is None:
            return shares
        if op.has("moves"):
            return _by_rules(op, as_gradient(taken, node), node._value, args, kwargs)
        return [None if s is None else np.logical_and(s, m) for s, m in zip(shares, _by_flow(node, taken), strict=True)]
    return [None] * len(args) if taken is None else _by_flow(node, taken)


def _by_flow(node: Node, taken: Mask) -> list[Mask]:
    """Return the entries that lie where the taken entries of the result come from."""
    op, args, kwargs = operation_of(node)
    outputs = getattr(node._value, "prototype", node._value)
    if isinstance(outputs, Outputs) and not (op.has("moves") or op.has("linear")):
        each = split(taken, outputs)
        if op.used is None and op.has("elementwise"):
            return [functools.reduce(np.logical_or, each)] * len(args)
        taken = each if op.used is not None else taken
    if op.used is not None:
        return list(op.used(taken, *args, **kwargs))
    if op.has("elementwise"):
        return [taken] * len(args)
    if is_product(op) and is_computed_later(taken):  # as many products again, for what is rarely infinite
        return [None] * len(args)
    if op.has("moves") or op.has("linear"):
        return _by_rules(op, as_gradient(taken, node), node._value, [ones_like(x) for x in args], kwargs)
    if op.has("reduces") and not isinstance(outputs, Outputs):
        kept = [np.reshape(taken, kept_shape(x, kwargs.get("axis"))) for x in args]
        return [np.broadcast_to(mask, np.shape(x)) for mask, x in zip(kept, args, strict=True)]
    return [np.broadcast_to(np.any(taken), np.shape(x)) for x in args]


def _by_rules(op: Op, g: Any, y: Any, args: list[Any], kwargs: Mapping[str, Any]) -> list[Mask]:
    """Return where the rules pass on something of g, which is not negative: nor are the shares of a selection."""
    return [None if rule is None else rule(g, y, *args, **kwargs) != 0 for _, rule in zip(args, op.rules, strict=False)]


def as_gradient(taken: Mask, node: Node) -> Any:
    """Return a mask of a result as a gradient of zeros and ones."""
    g = ones_like(node._value) if taken is None else taken * 1.0
    outputs = getattr(node._value, "prototype", node._value)
    return OutputGradients(node._value, split(g, outputs)) if isinstance(outputs, Outputs) else g


def is_product(op: Op) -> bool:
    """Whether an operation sums products of entries of its operands."""
    return op.has("linear") and not (op.has("elementwise") or op.has("moves"))


# ----- where derivatives may be infinite -----
def results_at_risk(order: Sequence[Node]) -> set[Node]:
    """Return the results whose derivatives of some order may be infinite or undefined.

    They are those whose own value or operands are not finite, those of operations at a singular point, and all that
    depends on them.
    """
    risk: set[Node] = set()
    for node in reversed(order):
        operands = form_of(node).args
        if any(x in risk if isinstance(x, Node) and x.op else not is_finite(value_of(x)) for x in operands) or (
            _is_singular(node)
        ):
            risk.add(node)
    return risk


def _is_singular(node: Node) -> bool:
    op, args, kwargs = operation_of(node)
    if not op.traits or not is_finite(node._value):  # a row that states nothing may be anything
        return True
    return op.singular is not None and bool(np.any(op.singular(node._value, *args, **kwargs)))


def may_be_unbounded(order: Sequence[Node], *, every: bool) -> bool:
    """Whether an operation behind a selection may have an infinite derivative of some order at finite operands.

    The order holds results before operands. `every` says that a selection was made among the outputs.
    """
    behind: set[Node] = set()
    for node in order:
        op = form_of(node).op
        is_behind = every or node in behind
        if is_behind and (op.singular is not None or not op.traits or op.has("unbounded")) and not _is_scaled(node):
            return True
        if is_behind or op.has("selects"):
            behind.update(x for x in form_of(node).args if isinstance(x, Node))
    return False


def _is_scaled(node: Node) -> bool:
    """Whether an operation is a division by a number that is not 0."""
    divisor = node.args[-1]
    return made_by(node) is DIVIDE and isinstance(divisor, int | float | np.number) and divisor != 0


# ----- masks and values -----
def union(first: Mask, second: Mask) -> Mask:
    """Return the entries of either mask."""
    if first is None or second is None:
        return None
    both = np.logical_or(first, second)
    return None if is_true_everywhere(both) else both


def neutral(x: Any) -> Any:
    """Return entries of the identity, or 1, in the precision of x."""
    shape = np.shape(x)
    return np.asarray(np.eye(*shape[-2:], dtype=x.dtype), like=library(x)) if len(shape) > 1 else 1


def ones_like(x: Any) -> Any:
    """Return ones in the shape of x, as an array of its library."""
    return np.ones(np.shape(x)) if library(x) is None else np.ones_like(x, dtype=float)


def is_true_everywhere(mask: Any) -> bool:
    """Whether a mask is known to be true everywhere; a mask that is a formula is not known."""
    return mask is None or (isinstance(mask, np.ndarray | np.bool) and bool(np.all(mask)))


def is_false_everywhere(mask: Any) -> bool:
    """Whether a mask is known to be false everywhere."""
    return mask is False or (isinstance(mask, np.ndarray | np.bool) and not np.any(mask))


def is_finite(value: Any) -> bool:
    """Whether all entries of a value are finite. A finite sum of squares has no other, and is the fastest pass."""
    if type(value) is np.ndarray and value.dtype.kind == "f" and math.isfinite(np.vdot(value, value)):
        return True
    return bool(np.all(np.isfinite(value)))


def has_nan(g: Any) -> bool:
    """Whether an entry is nan, or may be where that is computed later.

    A sum of squares is nan exactly where one of them is, and the fastest pass.
    """
    kind = type(g)
    if kind is np.ndarray:
        flat = g.ravel("K")
        g = flat.dot(flat)
    if type(g) in SCALARS:
        return bool(g != g)
    if kind is OutputGradients:
        return any(part is not None and has_nan(part) for part in g.parts)
    g = value_of(g)
    if is_computed_later(g):
        return True
    return bool(np.isnan(getattr(g, "value", g)).any())  # a formula's value is that of this call


def selects(order: Iterable[Node]) -> bool:
    """Whether an operation chooses between its operands, or among their entries."""
    return any(form_of(node).op.has("selects") for node in order)
