"""Derive: the chain rule on a recorded run, rewritten until it reads as in a textbook."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from autotiny.algebra import Term, constant, symbol, topological_order
from autotiny.algebra.normal import fitted
from autotiny.algebra.normalise import normalise
from autotiny.algebra.rewrites import VECTORS
from autotiny.algebra.search import Rewrite
from autotiny.algebra.simplify import Simplifier, size
from autotiny.algebra.writing import as_text
from autotiny.derivation.chain_rule import pull
from autotiny.derivation.definitions import rules_of
from autotiny.derivation.derivation import Derivation
from autotiny.derivation.facts import (
    AT_ONCE,
    ROWS_ON_DATA,
    Fact,
    Length,
    NormInRange,
    NowhereZero,
    OneEqual,
    SumsToOne,
    SumsToZero,
    TakenEverywhere,
)
from autotiny.derivation.jacobians import is_vector, jacobian
from autotiny.derivation.lemmas import Formula, Gradient, Lemmas
from autotiny.derivation.lift import Lifted, lift
from autotiny.derivation.readable import readable
from autotiny.derivation.steps import Step, difference, proved
from autotiny.engine import graph, messages
from autotiny.engine.call_site import caller_scope
from autotiny.engine.gradients import gradients
from autotiny.engine.mutation import verified_order
from autotiny.engine.tensor import Tensor
from autotiny.errors import UnsupportedError
from autotiny.ops.table import is_complex


def derive(loss: Tensor, target: "str | Tensor") -> Derivation:
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

    def __init__(self, loss: Tensor, target: "str | Tensor", scope: Mapping[str, Any]) -> None:
        order = recorded_order(loss)
        self.loss, self.target = loss, tensor_of(order, target, scope)
        self.run: Lifted = lift(order, scope, {self.target: "", loss: "J"})
        self.output, self.goal = self.run.symbols[loss], self.run.symbols[self.target]
        self.seed = seed_of(self.output, self.goal)
        self.has_own_name = bool(loss.name) or any(value is loss for value in scope.values())
        self.stated = self.run._replace(definitions=without_guards(self.run.definitions))
        self.leaves = self.leaves_of_symbols()
        self.path = self.path_to_goal()
        self.engine = self.gradients_of_engine()

    def derivation(self) -> Derivation:
        """The derivation; the name of a number is part of it where it is yours and makes the formula shorter."""
        if not self.seed.is_constant:
            descent = Descent(self, None)
            return self.without_seed(descent.derivation(), descent.simplifier)
        if not self.has_own_name:
            return Descent(self, self.output).derivation()
        derived = Descent(self, None).derivation()
        if not derived.uses(self.output):
            return derived
        without = Descent(self, self.output).derivation()
        return derived if derived.operations < without.operations else without

    def gradients_of_engine(self) -> dict[Term, Any]:
        """The gradient of every symbol on the path, as backprop computes it."""
        on_path = set(self.path)
        tensors = [x for x, symbol in self.run.symbols.items() if symbol in on_path]
        pulled = gradients(self.loss, tensors, self.seed.value)
        return {self.run.symbols[x]: g.value for x, g in zip(tensors, pulled, strict=True)}

    def symbols(self) -> set[Term]:
        """Every symbol of the run."""
        terms = topological_order(*self.run.definitions.values())
        return {t for t in terms if t.name is not None}

    def path_to_goal(self) -> list[Term]:
        """The named tensors between the target and the loss, in the order of recording."""
        leading = {self.goal}
        for sign, made in self.run.definitions.items():
            if not leading.isdisjoint(topological_order(made)):
                leading.add(sign)
        return [s for s in self.run.symbols.values() if s in leading]

    def feeds_several(self, sign: Term) -> bool:
        """Whether the gradients of several tensors use this one, besides those on the way to the goal."""
        return len(self.operands(sign)) > 1 and not self.leaves[sign] <= self.leaves[self.goal]

    def operands(self, sign: Term) -> set[Term]:
        """The tracked tensors that a named one is made of."""
        made = self.run.definitions.get(sign)
        return set() if made is None else set(topological_order(made)) & self.run.tracked

    def leaves_of_symbols(self) -> dict[Term, set[Term]]:
        """The tracked leaves that each named tensor is made of."""
        leaves: dict[Term, set[Term]] = {}
        for sign in self.run.symbols.values():
            below = self.operands(sign)
            leaves[sign] = set().union(*(leaves[s] for s in below)) if below else {sign}
        return leaves

    def without_seed(self, pulled: Derivation, simplifier: Simplifier) -> Derivation:
        """The Jacobian, from its product with the seed."""
        v = next(part for part in topological_order(self.seed) if part.op is None)
        matrix = jacobian(pulled.term, v, self.output, self.goal, simplifier)
        if matrix is None:
            raise UnsupportedError(
                f"derive: {pulled.name} is not a sum of diag(a), a bᵀ and matrices; derive sum(v * {self.output.name}) "
                f"for a vector v: that gives vᵀ {pulled.name}"
            )
        entries = np.eye(v.size, dtype=v.dtype)
        rows = [gradients(self.loss, [self.target], e.reshape(self.output.shape))[0].value for e in entries]
        error = difference(pulled.term.value, np.reshape(v.value @ matrix.value, self.goal.shape))
        rule = f"this is {v.name}ᵀ {pulled.name} for any {v.name}: without it"
        step = proved(Step(rule, pulled.term, readable(matrix), "", error), self.run.definitions)
        return replace(pulled, steps=(*pulled.steps, step), engine=np.reshape(rows, matrix.shape))


class Descent:
    """One walk from the loss down to the target, in which the name of the loss is left out of formulas, if hidden."""

    def __init__(self, deriving: Deriving, hidden: Term | None) -> None:
        self.deriving, self.run, self.hidden = deriving, deriving.run, hidden
        self.path, self.engine = deriving.path, dict(deriving.engine)
        self.simplifier = self.simplifier_of_run()
        self.lemmas = Lemmas(self.simplifier, self.normal)
        self.finished: dict[Term, Derivation] = {}
        self.taken = {s.name for s in deriving.symbols()}

    def simplifier_of_run(self) -> Simplifier:
        """The table of rows with the definitions of this run, and with the facts about its data."""
        plain = Simplifier()
        definitions = {s: in_plain_form(made, plain) for s, made in self.deriving.stated.definitions.items()}
        rules = (rule for s, made in definitions.items() if s is not self.hidden for rule in rules_of(s, made))
        inputs = frozenset(s for s in self.deriving.symbols() if s not in definitions)
        sums = SumsToOne(inputs), SumsToZero(frozenset(definitions))
        facts = [*sums, *ROWS_ON_DATA, NowhereZero(), TakenEverywhere(), OneEqual(), Length()]
        return Simplifier([*AT_ONCE, *rules], facts)

    def derivation(self) -> Derivation:
        """Pull gradients back, tensor by tensor."""
        raw: dict[Term, Term] = {self.deriving.output: self.deriving.seed}
        for sign in reversed(self.path):
            chain = self.lemmas.in_place(self.normal(raw[sign]))
            if sign is self.deriving.goal:
                return self.described(sign, self.lemmas.shortest(chain))
            g = chain if sign is self.deriving.output else self.named(sign, chain, self.deriving.feeds_several(sign))
            for x, c in self.pulled(sign, g).items():
                raw[x] = constant(raw[x] + c) if x in raw else c
        raise AssertionError("the path ends at its target")

    def normal(self, raw: Term) -> Term:
        """The chain rule's formula in normal form, where columns of vectors are vectors."""
        chain = self.simplifier.normal(raw)
        for row in VECTORS:
            chain = self.simplifier.apply(row, chain)
        return chain

    def named(self, sign: Term, chain: Term, is_shared: bool) -> Term:
        """Return a symbol for a gradient, such as dZ2; a number or a symbol, and what depends on a seed, unchanged."""
        if size(chain)[0] == 0 or not self.deriving.seed.is_constant:
            return chain
        name = self.unique_name(f"d{sign.name}")
        return self.lemmas.add(name, self.engine[sign], Gradient(sign, chain, is_shared))

    def unique_name(self, name: str) -> str:
        """The name, with primes if it is taken."""
        unique = next(n for n in graph.with_primes(name) if n not in self.taken)
        self.taken.add(unique)
        return unique

    def pulled(self, sign: Term, g: Term) -> dict[Term, Term]:
        """The contributions of one tensor to the gradients of those that it is made of."""
        made = self.run.definitions[sign]
        output = made if sign is self.hidden else sign
        return pull(made, output, g, self.path)

    def described(self, sign: Term, formula: Formula) -> Derivation:
        """The derivation of a gradient, with those of the gradients that it names."""
        at = readable(formula.chain)
        steps: list[Step] = []
        for rewrite in formula.rewrites:
            to = readable(rewrite.after)
            step = Step(rewrite.rule.name, at, to, condition(rewrite), difference(at.value, to.value))
            steps.append(proved(step, self.run.definitions))
            at = to
        chain = readable(formula.chain)
        names = sorted({*self.lemmas.names(chain), *self.lemmas.names(at)}, key=lambda g: g.number)
        lemmas = {g: self.lemma(g) for g in names}
        return Derivation(
            sign, self.deriving.output, chain, tuple(steps), lemmas, self.engine[sign], self.deriving.stated
        )

    def lemma(self, name: Term) -> Derivation:
        """The derivation of a gradient that has a name."""
        if name not in self.finished:
            self.finished[name] = self.described(self.lemmas.gradients[name].of, self.lemmas.formula(name))
        return self.finished[name]


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


def without_guards(definitions: Mapping[Term, Term]) -> dict[Term, Term]:
    """Return definitions in which a norm to divide by is the norm, where it is in range."""
    guard, plain = NormInRange(), Simplifier()
    guarded = {s for s, made in definitions.items() if any(guard.holds(part) for part in topological_order(made))}
    return {s: plain.apply(guard, made) if s in guarded else made for s, made in definitions.items()}


def in_plain_form(made: Term, plain: Simplifier) -> Term:
    """Return a definition in the form in which formulas have it."""
    made = plain.normal(made)
    present = {part.op for part in topological_order(made)}
    for rule in AT_ONCE:
        if rule.needs <= present:
            made = plain.apply(rule, made)
    return made


def condition(rewrite: Rewrite) -> str:
    """Return the condition on the data under which a rewrite holds."""
    if not isinstance(rewrite.rule, Fact):
        return ""
    parts = map(normalise, topological_order(rewrite.before))
    used = [rewrite.rule.claim(part) for part in parts if rewrite.rule.holds(part)]
    return ", ".join(dict.fromkeys(f"{as_text(readable(subject))} {sign}" for subject, sign in used))


def recorded_order(loss: Tensor) -> list[Tensor]:
    """The graph of a loss in topological order, after a check that it is a result and none of its data was changed."""
    if not isinstance(loss, Tensor) or loss.op is None:
        raise UnsupportedError(f"derive: expected a recorded result, got {type(loss).__name__}; pass the loss itself")
    verified_order(loss)
    return graph.topological_order(loss)


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
