"""Derive: the chain rule on a recorded run, rewritten until it reads as in a textbook."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from autotiny.algebra import Term, constant, symbol, topological_order
from autotiny.algebra.normal import without_spread
from autotiny.algebra.picks import SCATTERS
from autotiny.algebra.rewrites import ROWS, VECTORS
from autotiny.algebra.segments import SHIFTS
from autotiny.algebra.simplify import Rewrite, Simplifier, size
from autotiny.algebra.writing import as_text
from autotiny.derivation.chain_rule import jacobian, pull
from autotiny.derivation.derivation import Derivation
from autotiny.derivation.facts import (
    Definition,
    Fact,
    NormInRange,
    NowhereNan,
    NowhereZero,
    ReciprocalOfSum,
    SumsToOne,
    SumsToZero,
)
from autotiny.derivation.lift import Lifted, lift
from autotiny.derivation.readable import readable
from autotiny.derivation.steps import DerivationError, Step, difference, is_rounding, tolerance
from autotiny.engine import graph, messages
from autotiny.engine.call_site import caller_scope
from autotiny.engine.gradients import gradients
from autotiny.engine.mutation import verified_order
from autotiny.engine.tensor import Tensor
from autotiny.errors import UnsupportedError
from autotiny.ops.table import is_complex

LONG = 60
"""The largest number of operations of an intermediate gradient that gets no name of its own."""


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
        self.leaves = self.leaves_of_symbols()
        self.engine = self.gradients_of_engine()
        self.simplifier = self.simplifier_of_run()

    def gradients_of_engine(self) -> dict[Term, Any]:
        """The gradient of every symbol on the path, as backprop computes it."""
        on_path = set(self.path())
        tensors = [x for x, symbol in self.run.symbols.items() if symbol in on_path]
        pulled = gradients(self.loss, tensors, self.seed.value)
        return {self.run.symbols[x]: g.value for x, g in zip(tensors, pulled, strict=True)}

    def simplifier_of_run(self) -> Simplifier:
        """The table of rows with the definitions of this run, and with the facts about its data."""
        plain = Simplifier()
        definitions = {s: plain.normal(made) for s, made in self.run.definitions.items()}
        rules = (rule for s, made in definitions.items() if s is not self.hidden for rule in definition(s, made))
        inputs = frozenset(s for s in self.symbols() if s not in definitions)
        sums = SumsToOne(inputs), SumsToZero(frozenset(definitions))
        return Simplifier(rules, [*sums, NowhereZero(), NowhereNan(), NormInRange()])

    @property
    def hidden(self) -> Term | None:
        """The loss, if it is a single number: its name must not occur in gradients, a vector's may in its Jacobian."""
        return self.output if self.output.size == 1 else None

    def symbols(self) -> set[Term]:
        """Every symbol of the run."""
        terms = topological_order(*self.run.definitions.values())
        return {t for t in terms if t.name is not None}

    def derivation(self) -> Derivation:
        """Derive from the loss down, named tensor by named tensor; a gradient that several others use gets a name."""
        lemmas: dict[Term, Derivation] = {}
        path = self.path()
        grads: dict[Term, Term] = {self.output: self.seed}
        for sign in reversed(path):
            g = self.normal(grads[sign])
            if sign is self.goal:
                result = self.simplified(sign, g, lemmas)
                return result if self.hidden is not None else self.without_seed(result)
            if sign is not self.output and (self.feeds_several(sign) or size(g)[0] > LONG):
                g = self.named(self.simplified(sign, g, lemmas), lemmas)
            made = self.run.definitions[sign]
            for x, c in pull(made, made if sign is self.hidden else sign, g, set(path)).items():
                grads[x] = constant(grads[x] + c) if x in grads else c
        raise AssertionError("the path ends at its target")

    def normal(self, raw: Term) -> Term:
        """The chain rule's formula in normal form: columns of vectors are vectors, and picked entries products."""
        chain = self.simplifier.normal(raw)
        for row in (*SCATTERS, *SHIFTS, *VECTORS):
            chain = self.simplifier.apply(row, chain)
        return chain

    def without_seed(self, pulled: Derivation) -> Derivation:
        """The Jacobian, from its product with the seed."""
        matrix = jacobian(self.simplifier.normal(pulled.term), self.seed, self.simplifier)
        if matrix is None:
            raise UnsupportedError(
                f"derive: {pulled.name} is not a sum of diag(a), a bᵀ and matrices; derive sum(v * {self.output.name}) "
                f"for a vector v: that gives vᵀ {pulled.name}"
            )
        entries = np.eye(self.output.size, dtype=self.output.dtype)
        rows = [gradients(self.loss, [self.target], row)[0].value for row in entries]
        error = difference(pulled.term.value, self.seed.value @ matrix.value)
        rule = f"this is {self.seed.name}ᵀ {pulled.name} for any {self.seed.name}: without it"
        step = proved(Step(rule, pulled.term, readable(matrix), "", error), self.run.definitions)
        return replace(pulled, steps=(*pulled.steps, step), engine=np.stack(rows))

    def named(self, lemma: Derivation, lemmas: dict[Term, Derivation]) -> Term:
        """Return a symbol for a gradient, such as dZ2; a number or a symbol unchanged."""
        if size(lemma.term)[0] == 0:
            return lemma.term
        taken = {s.name for s in self.symbols()} | {s.name for s in lemmas}
        name = next(name for name in graph.with_primes(f"d{lemma.target.name}") if name not in taken)
        g = symbol(name, self.engine[lemma.target])
        lemmas[g] = lemma
        return g

    def path(self) -> list[Term]:
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

    def simplified(self, sign: Term, chain: Term, lemmas: Mapping[Term, Derivation]) -> Derivation:
        """The derivation of one gradient from the chain rule's formula for it."""
        at = readable(chain)
        steps: list[Step] = []
        for rewrite in self.simplifier.simplify(chain):
            to = readable(rewrite.after)
            step = Step(rewrite.rule.name, at, to, condition(rewrite), difference(at.value, to.value))
            steps.append(proved(step, self.run.definitions))
            at = to
        used = {g: lemma for g, lemma in lemmas.items() if g in set(topological_order(readable(chain), at))}
        return Derivation(sign, self.output, readable(chain), tuple(steps), used, self.engine[sign], self.run)


def seed_of(output: Term, goal: Term) -> Term:
    """Return dJ/dJ = 1 for a number; for a vector a symbol v, from whose product the Jacobian is read off."""
    if is_complex(output):
        raise UnsupportedError(
            f"derive: {output.name} is complex, and a gradient is that of a real number: take np.real, np.imag or "
            "np.abs of it first"
        )
    if output.size == 1:
        return constant(output.dtype.type(1) if output.ndim == 0 else np.ones(output.shape, output.dtype))
    if output.ndim != 1 or goal.ndim != 1:
        raise UnsupportedError(
            f"derive: {output.name} has shape {output.shape} and {goal.name} {goal.shape}; derived are the gradient of "
            "a single number and the Jacobian of a vector by a vector: take a sum, or one entry, first"
        )
    return symbol("v", np.random.default_rng(0).normal(size=output.shape).astype(output.dtype))


def proved(step: Step, definitions: Mapping[Term, Term]) -> Step:
    """Return the step if it left the value as it was; else raise DerivationError."""
    if not step.error <= tolerance(step.after.value) and not is_rounding(step.before, step.after, definitions):
        raise DerivationError(
            f"derive: {step.rule!r} made {as_text(step.after)} of {as_text(step.before)}, whose values differ by "
            f"{step.error:.1e} of the largest entry: the rule is wrong, or does not hold here"
        )
    return step


def condition(rewrite: Rewrite) -> str:
    """Return the condition on the data under which a rewrite holds."""
    if not isinstance(rewrite.rule, Fact):
        return ""
    used = [rewrite.rule.claim(part) for part in topological_order(rewrite.before) if rewrite.rule.holds(part)]
    return ", ".join(f"{as_text(readable(subject))} {sign}" for subject, sign in used)


def definition(sign: Term, made: Term) -> list[Definition | ReciprocalOfSum]:
    """Return the rewrite rules that follow from the definition of a name."""
    if made.op is None:
        return []
    row = next((row for row in ROWS if row.name.startswith("quotient") and row.at(made) is not None), None)
    made = without_spread(made)
    text = as_text(readable(made))
    title = f"{row.name}, {sign.name}" if row else f"{sign.name} is {text}"
    rules: list[Definition | ReciprocalOfSum] = [Definition(sign, made, title)]
    if (beside := ReciprocalOfSum.other_than_one(made)) is not None:
        rules.append(ReciprocalOfSum(sign, beside, f"{sign.name} is {text}"))
    return rules


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
