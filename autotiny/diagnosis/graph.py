"""The context of a recorded graph, by which the mistakes in a closed form are recognised."""

from collections.abc import Container, Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any

import numpy as np

from autotiny.algebra.normalise import normalise
from autotiny.algebra.term import Term, symbol
from autotiny.diagnosis.formula import described, stop_condition
from autotiny.diagnosis.mistakes import Array, Context
from autotiny.engine.contributions import contributions
from autotiny.engine.gradients import sweep, with_forms
from autotiny.engine.graph import form_with, leading_to, topological_order
from autotiny.engine.mutation import verified_order
from autotiny.engine.node import NO_OPTIONS, Node, form_of, made_by
from autotiny.engine.recording import copied, evaluate, new_node, value_of
from autotiny.engine.tensor import Tensor
from autotiny.ops import OPS
from autotiny.ops.table import conj, is_complex

# ----- modified copies of graphs -----


def with_value(node: Tensor, value: Any) -> Tensor:
    """Return a node with another value, through which gradients pass to the original node unchanged."""
    if not node.requires_grad:
        return Tensor(value, requires_grad=False)
    return new_node(Tensor, OPS[np.positive], (node,), NO_OPTIONS, value)


def alone(node: Tensor) -> tuple[Tensor, dict[int, Tensor]]:
    """Return the operation on leaves with its operands' values, and the tracked leaves by position."""
    op, args, kwargs = form_of(node).op, form_of(node).args, form_of(node).kwargs
    leaves = tuple(Tensor(arg.value, requires_grad=arg.requires_grad) if isinstance(arg, Node) else arg for arg in args)
    copy = new_node(Tensor, op, leaves, kwargs, evaluate(op, leaves, kwargs, value_of))
    return copy, {i: leaf for i, leaf in enumerate(leaves) if isinstance(leaf, Tensor) and leaf.requires_grad}


def without_derivatives(order: Iterable[Tensor], omitted: Container[Tensor]) -> dict[Tensor, Tensor]:
    """Return a copy of a graph, node by node, in which the omitted operations pass gradients on unchanged."""
    copies: dict[Tensor, Tensor] = {}
    for node in order:
        if node.op is None or not node.requires_grad:
            copies[node] = Tensor(node.value, requires_grad=node.requires_grad)
            continue
        copy = copied(node, lambda arg: copies.get(arg, arg) if type(arg) is Tensor else arg, node.value)
        if form_with(node, omitted) is node:
            copy._stable = None
        if node in omitted:
            tracked = [
                arg for arg in copy.args if type(arg) is Tensor and arg.requires_grad and arg.shape == node.shape
            ]
            copy = with_value(tracked[0], node.value) if tracked else Tensor(node.value, requires_grad=False)
        copies[node] = copy
    return copies


MOST = 8
"""The largest number of activations that are left out one by one; more are left out together, by operation."""


class GraphContext(Context):
    """The context of the gradient of `output` by x, with the gradient `seed` arriving at the output."""

    def __init__(self, output: Tensor, seed: Any, x: Tensor, names: Mapping[Tensor, str]) -> None:
        self.output, self.seed, self.x, self.names = output, seed, x, names
        self.order = topological_order(output)

    def counts(self) -> dict[int, str]:
        """Return the lengths of axes in the graph, and their products."""
        shapes = {np.shape(arg) for node in self.order for arg in (node, *node.args) if np.ndim(arg)}
        return {n: "m" for shape in shapes for n in (*shape, int(np.prod(shape)))}

    def numbers(self) -> dict[str, float]:
        """Return the leaves that are numbers, by name."""
        leaves = (x for x in self.order if x.op is None and x.size == 1 and x in self.names and not is_complex(x))
        return {self.names[x]: float(x.item()) for x in leaves}

    def terms(self) -> Iterator[tuple[str, Array]]:
        """Yield the contribution to the gradient of x through each operation that uses x."""
        terms: dict[Tensor, Array] = {}
        for visit in reversed(contributions(self.output, self.seed).visits):
            for c in visit.contributions:
                if c.operand is self.x:
                    terms[visit.node] = terms.get(visit.node, 0) + np.asarray(c.value)
        for user, term in terms.items():
            yield f"the term through {self.names[user]}", term

    def without_factor(self) -> Iterator[tuple[str, Array]]:
        """Yield the gradient without the derivative of one activation; then of all those of one operation."""
        if len(self._activations) <= MOST:
            for node in self._activations:
                derivative = self._derivative(node)
                name = f"the derivative of {made_by(node).name}" if derivative is None else described(derivative)
                yield name, self._without([node])
        for name in dict.fromkeys(made_by(node).name for node in self._activations):
            nodes = [node for node in self._activations if made_by(node).name == name]
            if len(nodes) > 1:
                yield f"the derivative of {name}", self._without(nodes)

    def of_one_example(self) -> Iterator[tuple[int, int, Array]]:
        """Yield the gradient of the first and of the last entry along axes that x is broadcast over."""
        for user, g in self._gradients([user for user in self._users() if user.shape != self.x.shape]).items():
            for axis in range(g.ndim if self.x.ndim == g.ndim else 0):
                if self.x.shape[axis] == 1 < user.shape[axis]:
                    for i in (0, g.shape[axis] - 1):
                        yield axis, i, g.take([i], axis=axis)

    def conditions(self) -> Iterator[tuple[str, Array]]:
        """Yield the conditions under which the activations between x and the output stop the gradient."""
        for node in self._activations:
            derivative = self._derivative(node)
            stop = None if derivative is None else stop_condition(derivative)
            if stop is not None:
                yield stop

    @cached_property
    def _activations(self) -> list[Tensor]:
        """Return the activations between x and the output."""
        dependent = leading_to(self.order, [self.x])
        return [n for n in self.order if n in dependent and n is not self.x and n.op and n.op.has("activation")]

    def _users(self) -> list[Tensor]:
        return [node for node in self.order if node.requires_grad and any(arg is self.x for arg in node.args)]

    def _derivative(self, node: Tensor) -> Term | None:
        """Return the derivative of an activation as a formula in the names of the graph; None if it has none."""
        position = next(i for i, arg in enumerate(node.args) if isinstance(arg, Tensor) and arg.requires_grad)
        args = [symbol(self.names[arg], arg.value) if isinstance(arg, Tensor) else arg for arg in node.args]
        y = symbol(self.names[node], node.value)
        try:
            derivative = made_by(node).rules[position](1.0, y, *args, **node.kwargs)
        except Exception:  # a user's rule may not run on formulas
            return None
        return normalise(derivative) if isinstance(derivative, Term) else None

    def _gradients(self, nodes: list[Tensor]) -> dict[Tensor, Array]:
        swept = with_forms(verified_order(self.output), {self.output: self.seed}, nodes)
        return {node: _gradient(swept, node) for node in nodes}

    def _without(self, nodes: list[Tensor]) -> Array:
        """Return the gradient without the derivatives of these operations."""
        copies = without_derivatives(self.order, set(nodes))
        output, x = copies[self.output], copies[self.x]
        swept = sweep(verified_order(output), {output: self.seed}, [x]) if output.requires_grad else {}
        return _gradient(swept, x)


def _gradient(gradients: Mapping[Tensor, Any], node: Tensor) -> Array:
    return np.asarray(conj(gradients[node])) if node in gradients else np.zeros(node.shape)
