"""A snapshot of a recorded graph: its values in order, their names and gradients, and the backward pass."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from autotiny.engine import graph
from autotiny.engine.call_site import named_values
from autotiny.engine.contributions import Contribution, Visit, contributions
from autotiny.engine.modes import GradientMark
from autotiny.engine.tensor import Tensor
from autotiny.errors import StaleError
from autotiny.notation.numbers import short_number
from autotiny.notation.text import clean
from autotiny.ops.code import typed

LONGEST_NAME, LONGEST_FORMULA = 24, 40
MOST_UNNAMED = 8
"""The number of recorded gradients up to which those of values without a name have one."""


class Names:
    """The names of a graph's tensors: their own, else those of the caller's variables, else short ones."""

    def __init__(
        self, order: Sequence[Tensor], scope: Mapping[str, Any], called: Mapping[Tensor, str] | None = None
    ) -> None:
        self.called = called or {}
        self.tensors = {**graph.names(order, scope, items=True), **self.called}
        self.named = {*graph.users_names(order, scope, items=True), *self.called}
        self.others: dict[int, str] = {}
        """The names of arrays and numbers, and of tensors outside the graph."""
        self.formulas: dict[Tensor, str] = {}
        """The formulas that have been asked for."""
        for name, value in named_values(scope):
            self.others.setdefault(id(value), name)

    def users_name(self, value: Any) -> str | None:
        """Return the user's own name for a value; None if there is none."""
        if isinstance(value, Tensor) and value in self.tensors:
            return self.tensors[value] if value in self.named else None
        return getattr(value, "name", None) or self.others.get(id(value))

    def any_name(self, value: Any) -> str | None:
        """Return the user's name for a tensor, or its short one in the graph; None if it has none, or is gone."""
        return None if value is None else self.tensors.get(value) or self.users_name(value)

    def label(self, value: Any) -> str:
        """Return the user's name of a value or a short one; of a number, its digits."""
        if isinstance(value, Tensor):
            return self.tensors[value]
        if np.size(value) == 1:
            return short_number(np.asarray(value).item())
        return self.users_name(value) or self._part(value) or _kind(value)

    def _part(self, value: Any) -> str | None:
        """Return the name of a transpose, or of a row of a named array: X.T, xs[3]."""
        whole = getattr(value, "base", None)
        name = self.users_name(whole)
        if name is None or not isinstance(whole, np.ndarray):
            return None
        if value.ndim > 1 and value.shape == whole.shape[::-1]:
            return f"{name}.T"
        if value.shape != whole.shape[1:] or value.strides != whole.strides[1:] or not whole.strides[0]:
            return None
        row, rest = divmod(value.ctypes.data - whole.ctypes.data, whole.strides[0])
        return None if rest else f"{name}[{row}]"

    def short(self, value: Any) -> str:
        """Return the label, shortened, without characters that could harm a picture."""
        return clean(self.label(value), LONGEST_NAME)

    def formula(self, tensor: Tensor) -> str:
        """The operation that made a tensor, its operands by name: "W1 @ X", "sum(A, axis=0)", "T[0, :]"."""
        if tensor not in self.formulas:
            self.formulas[tensor] = clean(self._formula(tensor), LONGEST_FORMULA)
        return self.formulas[tensor]

    def _formula(self, tensor: Tensor) -> str:
        assert tensor.op is not None
        return typed(tensor.op, self.operands(tensor), tensor.kwargs, tensor.ndim)

    def operands(self, tensor: Tensor) -> list[str]:
        """Return the labels of a result's operands, as its formula has them: the base of (-2) ** x in brackets."""
        assert tensor.op is not None
        labels = [self.label(arg) for arg in tensor.args]
        if tensor.op.kind == "power" and labels[0].startswith("-"):
            labels[0] = f"({labels[0]})"
        return labels


def _kind(value: Any) -> str:
    return "mask" if np.asarray(value).dtype.kind == "b" else "array"


NodeId = int
"""The index of a value among all values of a graph, operands before results: node 3 is `n3` in every picture."""


class GraphView:
    """The values of a graph, tensors and constants, and their gradients.

    Attributes
    ----------
    output : the tensor that the graph leads to.
    names : what the values are called.
    values, operands : each value, and the ids of its operands in order; twice the same id for x * x.
    ids : the id of each tensor.
    consumers : for each value, the ids of the results that use it.
    bypasses : for each value, the results, with positions, that its gradient comes from past the results between.
    gradients : by id, `.grad`; empty before backward.
    turns : by id, when backprop visits an operation; the output's turn is 1.
    contributions : by result and position of the operand, the contribution to the operand's gradient.
    sweeps : the recorded sweeps that made values of the graph: those of at.gradients.
    passes_by : by result, where its gradient goes past the results between, as (position, operand).
    rules : by result and position of the operand, the rule in symbols, once it has been asked for.
    cards : by value and look, the card, once it has been asked for.
    """

    _holds_a_graph = True

    def __init__(
        self,
        order: Sequence[Tensor],
        scope: Mapping[str, Any],
        output: Tensor | None = None,
        called: Mapping[Tensor, str] | None = None,
    ) -> None:
        self.output = output or order[-1]
        self.sweeps = list(dict.fromkeys(mark for _, _, mark in _gradients(order)))
        self.names = Names(order, scope, called)
        if self.sweeps:
            self.names = Names(order, scope, {**_gradient_names(order, self.names), **(called or {})})
        self.values, self.operands = _numbered(order)
        self.ids = {value: node for node, value in enumerate(self.values) if isinstance(value, Tensor)}
        self.consumers: list[list[NodeId]] = [[] for _ in self.values]
        for node, operands in enumerate(self.operands):
            for operand in dict.fromkeys(operands):
                self.consumers[operand].append(node)
        self.stable_users: defaultdict[NodeId, list[NodeId]] = defaultdict(list)
        for value, node in self.ids.items():
            for arg in value._stable.args if value._stable else ():
                if arg in self.ids:
                    self.stable_users[self.ids[arg]].append(node)
        self.gradients = {node: value._grad for value, node in self.ids.items() if value._grad is not None}
        self.rules: dict[tuple[NodeId, int], Any] = {}
        self.follow(self._visits())

    def _visits(self) -> Sequence[Visit]:
        if self.output.op is None or not self.output.requires_grad or self.output._grad is None:
            return []
        try:
            return contributions(self.output, self.output._grad).visits
        except StaleError:  # a value was changed since: the contributions are lost, while .grad still holds their sums
            return []

    def follow(self, visits: Iterable[Visit]) -> None:
        """Note the turns and the contributions of a sweep."""
        self.cards: dict[tuple[NodeId, bool, int | None], Any] = {}
        self.turns: dict[NodeId, int] = {}
        self.contributions: dict[tuple[NodeId, int], Contribution] = {}
        self.bypasses: defaultdict[NodeId, list[tuple[NodeId, int]]] = defaultdict(list)
        self.passes_by: defaultdict[NodeId, list[tuple[int, NodeId]]] = defaultdict(list)
        for turn, visit in enumerate(visits, 1):
            node = self.ids[visit.node]
            self.turns[node] = turn
            for c in visit.contributions:
                self.contributions[node, c.position] = c
                if c.position >= len(visit.node.args):
                    self.bypasses[self.ids[c.operand]].append((node, c.position))
                    self.passes_by[node].append((c.position, self.ids[c.operand]))

    def users(self, node: NodeId) -> Sequence[NodeId]:
        """Return the results that use a value, and those that a stable form computes from it past what is between."""
        return [*self.consumers[node], *self.stable_users[node]]

    def paths(self, node: NodeId) -> Sequence[tuple[NodeId, int]]:
        """Return the uses of a value, as (result, position), that contributed to its gradient, in order of time."""
        uses = [
            (consumer, position)
            for consumer in self.consumers[node]
            for position, operand in enumerate(self.operands[consumer])
            if operand == node and (consumer, position) in self.contributions
        ]
        return sorted(uses + self.bypasses[node], key=lambda use: (self.turns[use[0]], use[1]))

    def between(self, sources: Iterable[NodeId]) -> set[NodeId]:
        """Return the ids on the ways from some values to the output."""
        among = set(sources)
        for node, operands in enumerate(self.operands):
            if not among.isdisjoint(operands):
                among.add(node)
        return among


def is_parameter(value: Any) -> bool:
    """Whether a value is a leaf with a gradient."""
    return isinstance(value, Tensor) and value.op is None and value.requires_grad


def _gradients(order: Sequence[Tensor]) -> Iterator[tuple[Tensor, Tensor | None, GradientMark]]:
    """Yield the recorded gradients, the value that each is that of, if it is still there, and the sweep."""
    for tensor in order:
        if tensor._notes and "gradient" in tensor._notes:
            of, mark = tensor._notes["gradient"]
            yield tensor, of(), mark


def _gradient_names(order: Sequence[Tensor], names: Names) -> dict[Tensor, str]:
    """Return the names of recorded gradients that have none of the user's: dJ/dZ1; of few gradients, dJ/dt1 as well."""
    called: dict[Tensor, str] = {}
    gradients = list(_gradients(order))
    name_of = names.any_name if len(gradients) <= MOST_UNNAMED else names.users_name
    for gradient, value, mark in gradients:
        of, name = names.any_name(mark.output()), name_of(value)
        if of and name and gradient not in names.named:
            called[gradient] = gradient_name(of, name)
    return called


def gradient_name(output: str, value: str) -> str:
    """Return the name of a gradient.

    >>> gradient_name("J", "Z1"), gradient_name("dy/dx", "x")
    ('dJ/dZ1', 'd(dy/dx)/dx')
    """
    return "/".join(f"d({name})" if "/" in name else f"d{name}" for name in (output, value))


def _numbered(order: Sequence[Tensor]) -> tuple[list[Any], list[tuple[NodeId, ...]]]:
    """Return every value to draw, constants before their first use, and the ids of the operands of each."""
    values: list[Any] = []
    operands: list[tuple[NodeId, ...]] = []
    ids: dict[int, NodeId] = {}

    def add(value: Any, of: tuple[NodeId, ...] = ()) -> NodeId:
        ids[id(value)] = len(values)
        values.append(value)
        operands.append(of)
        return ids[id(value)]

    def find(arg: Any) -> NodeId:
        # Each use of a number has a node: equal numbers may be one object in Python and still mean different things.
        return ids[id(arg)] if id(arg) in ids and not np.isscalar(arg) else add(arg)

    for tensor in order:
        add(tensor, tuple([find(arg) for arg in tensor.args]))
    return values, operands
