"""A gradient with slips: the reverse sweep in which some contributions are other than their rules give them.

A sweep pulls the gradient back along the edges of the graph, from an operation to each of its operands. A slip replaces
the contribution along one edge. Its effect on the gradient of x is linear in the change δ of that contribution: it is
(∂u/∂x)ᵀ δ for the operand u, so that

    v · (∂u/∂x)ᵀ δ = (∂u/∂x v) · δ

One forward pass, the tangents ∂u/∂x v for a few directions v, thus foretells what any slip does to the gradient, at the
price of a scalar product; only those that foretell the stated gradient need a sweep of their own.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from itertools import islice
from typing import Any, NamedTuple

import numpy as np

from autotiny.diagnosis.values import Array
from autotiny.engine.broadcasting import fit
from autotiny.engine.gradients import with_forms
from autotiny.engine.graph import leading_to, replay, topological_order
from autotiny.engine.mutation import verified_order
from autotiny.engine.node import form_of, made_by
from autotiny.engine.recording import copied, evaluate_form, value_of
from autotiny.engine.tensor import Tensor
from autotiny.ops.table import conj, is_complex

Edge = tuple[Tensor, int]
"""An operation, and the position of the operand that it passes a gradient to."""

DIRECTIONS = 2
CLOSE = 1e-5
"""The relative error of a foretold gradient that differences of values explain, generously."""


class Pull(NamedTuple):
    """The step of a sweep along an edge: what arrives at the operation, and its rule for this operand."""

    node: Tensor
    position: int
    g: Any
    """The gradient that arrives, as rules take it."""
    gradients: Mapping[Tensor, Any]
    """All gradients of the sweep so far: those of the operations nearer to the output are complete."""

    @property
    def operand(self) -> Tensor:
        """The operand that receives the contribution."""
        operand: Tensor = self.node.args[self.position]
        return operand

    @property
    def args(self) -> list[Any]:
        """The values of the operands."""
        return [value_of(arg) for arg in self.node.args]

    def rule(self, g: Any = None, y: Any = None, args: Sequence[Any] | None = None) -> Any:
        """Return what the rule gives, for another gradient, result or operands where they are given."""
        rule = next(islice(made_by(self.node).rules, self.position, None))
        g, y = self.g if g is None else g, self.node.value if y is None else y
        return rule(g, y, *(self.args if args is None else args), **self.node.kwargs)

    def fitted(self, contribution: Any) -> Array:
        """Return a contribution in the shape and precision of the operand, summed where it was broadcast."""
        return np.asarray(fit(np.asarray(contribution), np.asarray(self.operand.value), made_by(self.node)))


Slip = Callable[[Pull], Any]
"""A function that returns a wrong contribution."""


class SlipSweep:
    """The sweeps with slips over the graph of `output`, from the gradient `seed` there back to x.

    Expressions are differentiated as they are written, unless only their stable forms give the right gradient.
    """

    def __init__(self, output: Tensor, seed: Any, x: Tensor) -> None:
        self.output, self.seed, self.x = output, seed, x
        order = topological_order(output)
        dependent = leading_to(order, [x])
        self.order = [node for node in order if node in dependent]
        """The operations between x and the output, and x."""
        self.edges: list[Edge] = [
            (node, i)
            for node in reversed(self.order)
            if node is not x and node.op is not None
            for i, arg in enumerate(node.args)
            if isinstance(arg, Tensor) and arg in dependent
        ]
        shifts = self._shifts()
        self.order = [node for node in self.order if node not in shifts]
        self.edges = [(node, i) for node, i in self.edges if node not in shifts and node.args[i] not in shifts]
        self.users: dict[Tensor, list[Edge]] = {}
        for edge in self.edges:
            self.users.setdefault(edge[0].args[edge[1]], []).append(edge)

    def _shifts(self) -> set[Tensor]:
        """Return the maxima that the output does not depend on, as the shift of a softmax: they count as constants."""
        tops = {node for node, _ in self.edges if made_by(node).name == "max"}
        if not tops:
            return tops
        gradients, whole = self.gradients({}), dict.fromkeys(tops, 0.0)
        for node, i in self.edges:
            if node.args[i] in tops and node in gradients:
                pull = Pull(node, i, gradients[node], gradients)
                whole[pull.operand] += float(np.max(np.abs(np.asarray(pull.rule())), initial=0))
        return {node for node in tops if np.max(np.abs(gradients.get(node, 0.0)), initial=0) <= 1e-9 * whole[node]}

    def gradients(self, slips: Mapping[Edge, Slip]) -> dict[Tensor, Any]:
        """Return the gradients of all nodes between x and the output, as rules take them, with these slips."""
        gradients = {self.output: self.seed}
        for node, i in self.edges:
            if node in gradients:
                pull = Pull(node, i, gradients[node], gradients)
                c = pull.fitted(slips[node, i](pull) if (node, i) in slips else pull.rule())
                x = pull.operand
                gradients[x] = gradients[x] + c if x in gradients else c
        return gradients

    def gradient(self, slips: Mapping[Edge, Slip]) -> Array:
        """Return the gradient of x with these slips, as users see it."""
        gradients = self.gradients(slips)
        return np.asarray(conj(gradients[self.x])) if self.x in gradients else np.zeros(self.x.shape)

    def gradient_of(self, tensor: Tensor) -> Array:
        """Return the right gradient of another tensor of the graph, as users see it."""
        swept = with_forms(verified_order(self.output), {self.output: self.seed}, [tensor])
        return np.asarray(conj(swept[tensor])) if tensor in swept else np.zeros(tensor.shape)

    def gradient_with(self, node: Tensor, other: Tensor) -> Array:
        """Return the gradient of x in the graph in which one operand stands in the place of an operation on it."""
        copies: dict[Tensor, Tensor] = {}
        for each in topological_order(self.output):
            if each is node:
                copies[each] = copies[other]
            elif each.op is None:
                copies[each] = Tensor(each.value, requires_grad=each.requires_grad)
            else:
                copy = copied(each, lambda arg: copies[arg] if type(arg) is Tensor else arg, each.value)
                copy._value = np.asarray(evaluate_form(form_of(copy), copy.args, value_of))
                copies[each] = copy
        output, x = copies[self.output], copies[self.x]
        swept = with_forms(verified_order(output), {output: self.seed}, [x])
        return np.asarray(conj(swept[x])) if x in swept else np.zeros(x.shape)

    @cached_property
    def right(self) -> dict[Tensor, Any]:
        """The gradients without slips."""
        return self.gradients({})

    def pulls(self, gradients: Mapping[Tensor, Any]) -> list[Pull]:
        """Return the step along each edge that these gradients arrive at."""
        return [Pull(node, i, gradients[node], gradients) for node, i in self.edges if node in gradients]

    # ----- foretold effects -----
    @cached_property
    def directions(self) -> list[Array]:
        """Random directions v, in which x is moved."""
        rng = np.random.default_rng(0)
        directions = [rng.normal(size=self.x.shape) for _ in range(DIRECTIONS)]
        return [v + 1j * rng.normal(size=v.shape) if is_complex(self.x) else v for v in directions]

    @cached_property
    def tangents(self) -> dict[Tensor, list[Array]]:
        """For each node u between x and the output, ∂u/∂x v for each direction v."""
        at, fixed = np.asarray(self.x.value), set(self.order)
        at = at.astype(np.result_type(at, float))
        order = topological_order(self.output)
        known = {node: node.value for node in order if node not in fixed}
        tangents: dict[Tensor, list[Array]] = {node: [] for node in self.order}
        step = 1e-6 * max(1e-3, float(np.max(np.abs(at), initial=0)))
        for v in self.directions:
            ahead, behind = (replay(order, known | {self.x: at + sign * step * v}) for sign in (1, -1))
            for node in self.order:
                tangents[node].append((np.asarray(ahead[node]) - np.asarray(behind[node])) / (2 * step))
        return tangents

    def foretold(self, u: Tensor, change: Array) -> tuple[Array, float]:
        """Return the effect of a change of the gradient of u on that of x, along each direction; and a bound of it."""
        flat = np.conj(change).ravel()
        along = np.array([np.vdot(flat, tangent).real for tangent in self.tangents[u]])
        return along, float(np.linalg.norm(flat)) * self.lengths[u]

    @cached_property
    def lengths(self) -> dict[Tensor, float]:
        """The length of the longest tangent of each tensor."""
        return {u: max(float(np.linalg.norm(t)) for t in tangents) for u, tangents in self.tangents.items()}

    def along(self, gradient: Array) -> Array:
        """Return a gradient of x along each direction."""
        return np.array([float(np.sum((np.conj(gradient) * v).real)) for v in self.directions])
