"""Derive: the chain rule on a recorded run, rewritten until it reads as in a textbook."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from autotiny.algebra import Term, constant, symbol, topological_order
from autotiny.algebra.normal import fitted
from autotiny.algebra.simplify import Simplifier
from autotiny.derivation.derivation import Derivation
from autotiny.derivation.descent import Descent
from autotiny.derivation.jacobians import is_vector, jacobian
from autotiny.derivation.lift import lift
from autotiny.derivation.passage import Passage, without_guards
from autotiny.derivation.readable import readable
from autotiny.derivation.steps import NotOnTheDataError, Step, difference, proved
from autotiny.engine import graph, messages
from autotiny.engine.call_site import caller_scope
from autotiny.engine.gradients import gradients
from autotiny.engine.mutation import verified_order
from autotiny.engine.tensor import AnyTensor, Tensor
from autotiny.errors import StaleError, UnsupportedError
from autotiny.ops.table import is_complex


def derive(loss: AnyTensor, target: "str | Tensor") -> Derivation:
    """dJ/d(target) of a recorded loss as a formula over the names in your code, and the steps that lead to it.

    The chain rule is composed of the rules of the recorded operations alone, then rewritten row by row; every
    step is evaluated on the recorded values, and one that changes them beyond rounding raises DerivationError.

    >>> import autotiny as at
    >>> X, w = at.Tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=False), at.Tensor([0.5, -0.5])
    >>> y = np.array([1.0, 2.0])
    >>> loss = np.sum((X @ w - y) ** 2) / 2
    >>> derive(loss, w).formula
    'Xᵀ (X w - y)'

    Of a vector, it is the Jacobian with respect to a vector:

    >>> x = at.Tensor([1.0, 2.0])
    >>> s = at.softmax(x)
    >>> derive(s, x).formula
    'diag(s) - s sᵀ'
    """
    with np.errstate(all="ignore"):
        return Deriving(loss, target, caller_scope()).derivation()


class Deriving:
    """The derivation of one gradient, from a recorded loss down to a tensor, in the formulas of the run."""

    def __init__(self, loss: Any, target: "str | Tensor", scope: Mapping[str, Any]) -> None:
        order = recorded_order(loss)
        self.loss, self.target = loss, tensor_of(order, target, scope)
        self.has_own_name = bool(loss.name) or any(value is loss for value in scope.values())
        run = lift([*order, *beside(order, scope)], scope, {self.target: "", loss: "J"})
        output, goal = run.symbols[loss], run.symbols[self.target]
        self.passage = Passage(run, without_guards(run), output, goal, seed_of(output, goal), set(scope))
        self.engine = self.gradients_of_engine()
        self.left_out: set[str] = set()

    def derivation(self) -> Derivation:
        """The derivation, without the rules that do not hold on the data."""
        while True:
            try:
                return self.attempt()
            except NotOnTheDataError as error:
                if error.name in self.left_out:
                    raise
                self.left_out.add(error.name)

    def attempt(self) -> Derivation:
        """The derivation; the name of a number is part of it where it is yours and makes the formula shorter."""
        output = self.passage.output
        if not self.passage.is_gradient:
            descent = self.descent(None)
            return self.without_seed(descent.derivation(), descent.simplifier)
        if not self.has_own_name:
            return self.descent(output).derivation()
        derived = self.descent(None).derivation()
        if not derived.uses(output):
            return derived
        without = self.descent(output).derivation()
        return derived if derived.operations < without.operations else without

    def descent(self, hidden: Term | None) -> Descent:
        """The walk down to the target."""
        return Descent(self.passage, self.engine, hidden, self.left_out)

    def gradients_of_engine(self) -> dict[Term, Any]:
        """The gradient of every symbol on the way, as backprop computes it."""
        symbols, seed = self.passage.run.symbols, self.passage.seed.value
        on_the_way = [x for x, symbol in symbols.items() if symbol in self.passage.on_the_way]
        pulled = gradients(self.loss, on_the_way, seed)
        return {symbols[x]: g.value for x, g in zip(on_the_way, pulled, strict=True)}

    def without_seed(self, pulled: Derivation, simplifier: Simplifier) -> Derivation:
        """The Jacobian, from its product with the seed."""
        y, x = self.passage.output, self.passage.goal
        v = next(part for part in topological_order(self.passage.seed) if part.op is None)
        matrix = jacobian(pulled.term, v, y, x, simplifier)
        if matrix is None:
            raise UnsupportedError(
                f"derive: {pulled.name} is not a sum of diag(a), a bᵀ and matrices; derive sum(v * {y.name}) "
                f"for a vector v: that gives vᵀ {pulled.name}"
            )
        units = np.eye(v.size, dtype=v.dtype)
        rows = [gradients(self.loss, [self.target], unit.reshape(y.shape))[0].value for unit in units]
        error = difference(pulled.term.value, np.reshape(v.value @ matrix.value, x.shape))
        rule = f"this is {v.name}ᵀ {pulled.name} for any {v.name}: without it"
        step = proved(Step(rule, pulled.term, readable(matrix), "", error))
        return replace(pulled, steps=(*pulled.steps, step), engine=np.reshape(rows, matrix.shape))


def seed_of(output: Term, goal: Term) -> Term:
    """Return dJ/dJ = 1 for a number; for a vector a symbol v, from whose product the Jacobian is read off."""
    if is_complex(output):
        raise UnsupportedError(
            f"derive: {output.name} is complex, and a gradient is that of a real number: take np.real, np.imag or "
            "np.abs of it first"
        )
    if output.size == 1:
        return constant(output.dtype.type(1) if output.ndim == 0 else np.ones(output.shape, output.dtype))
    if not (is_vector(output) and is_vector(goal)):
        raise UnsupportedError(
            f"derive: {output.name} has shape {output.shape} and {goal.name} {goal.shape}; derived are the gradient of "
            "a single number and the Jacobian of a vector by a vector or a number: take a sum, or one entry, first"
        )
    return fitted(symbol("v", np.random.default_rng(0).normal(size=output.size).astype(output.dtype)), output.shape)


def recorded_order(loss: Tensor) -> list[Tensor]:
    """The graph of a loss in topological order, after a check that it is a result and none of its data was changed."""
    if not isinstance(loss, Tensor) or loss.op is None:
        raise UnsupportedError(f"derive: expected a recorded result, got {type(loss).__name__}; pass the loss itself")
    verified_order(loss)
    return graph.topological_order(loss)


def beside(order: list[Tensor], scope: Mapping[str, Any]) -> list[Tensor]:
    """What led to the losses among your variables that are made of the same tensors, and is not in the graph.

    A recorded gradient computes with X w where its loss has s = sigmoid(X w): its formula may name s all the same.
    """
    reached, loss = set(order), order[-1]
    losses = [x for x in scope.values() if isinstance(x, Tensor) and x.op is not None and x.size == 1]
    found: dict[Tensor, None] = {}
    for other in losses:
        leading = [] if other in reached else graph.topological_order(other)
        inputs = {x for x in leading if x.op is None and x.requires_grad}
        if leading and loss not in set(leading) and inputs <= reached and not is_stale(other):
            found |= dict.fromkeys(x for x in leading if x not in reached)
    return sorted(found, key=lambda x: x._number)


def is_stale(output: Tensor) -> bool:
    """Whether data was changed since it was recorded."""
    try:
        verified_order(output)
    except StaleError:
        return True
    return False


def tensor_of(order: list[Tensor], target: "str | Tensor", scope: Mapping[str, Any]) -> Tensor:
    """The tensor of a graph that a name refers to, or that a tensor is."""
    names = graph.names(order, scope)
    tensor = next((x for x, name in names.items() if x is target or (isinstance(target, str) and name == target)), None)
    if tensor is None:
        what = repr(target) if isinstance(target, str) else messages.label(target, scope)
        raise UnsupportedError(f"derive: {what} is not in the graph, whose tensors are {', '.join(names.values())}")
    if not tensor.requires_grad:
        raise UnsupportedError(f"derive: {names[tensor]} is a constant; only tracked Tensors have a gradient")
    return tensor
