"""Derive: the chain rule on a recorded run, rewritten until it reads like the textbook."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from autotiny.algebra import Term, constant, symbol, topological_order
from autotiny.algebra.normal import without_spread
from autotiny.algebra.rewrites import ROWS, VECTORS
from autotiny.algebra.simplify import Rewrite, Simplifier, size
from autotiny.derivation.derivation import Derivation
from autotiny.derivation.facts import Definition, Fact, NowhereZero, ReciprocalOfSum, SumsToOne, SumsToZero
from autotiny.derivation.jacobian import jacobian
from autotiny.derivation.lift import Lifted, lift
from autotiny.derivation.reading import readable
from autotiny.derivation.steps import DerivationError, Step, difference, is_rounding, tolerance
from autotiny.engine import graph, messages
from autotiny.engine.broadcasting import repeated_axes
from autotiny.engine.call_site import caller_scope
from autotiny.engine.gradients import gradients
from autotiny.engine.mutation import verified_order
from autotiny.engine.tensor import Tensor
from autotiny.errors import UnsupportedError
from autotiny.notation.unicode import Unicode

LONG = 60
"""Operations beyond which a gradient on the way gets a name of its own."""


def derive(loss: Tensor, target: "str | Tensor") -> Derivation:
    """dJ/d(target) of a recorded loss as a formula over the names in your code, and the steps that lead to it.

    The chain rule is written down from the rules of the recorded operations alone, then rewritten row by row; every
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
    """The way from a recorded loss down to one of its tensors."""

    def __init__(self, loss: Tensor, target: "str | Tensor", scope: Mapping[str, Any]) -> None:
        if not isinstance(loss, Tensor) or loss.op is None:
            raise UnsupportedError(
                f"derive: expected a recorded result, got {type(loss).__name__}; pass the loss itself"
            )
        verified_order(loss)
        order = graph.topological_order(loss)
        self.target = found_tensor(order, target, scope)
        self.lifted: Lifted = lift(order, scope, {self.target: "", loss: "J"})
        self.output, self.goal = self.lifted.symbols[loss], self.lifted.symbols[self.target]
        self.leaves = self.all_leaves()
        self.loss, self.seed = loss, seed_of(self.output, self.goal)
        tensors = [x for x, s in self.lifted.symbols.items() if s in set(self.path())]
        found = gradients(loss, tensors, self.seed.value)
        self.engine = {self.lifted.symbols[x]: g.value for x, g in zip(tensors, found, strict=True)}
        plain = Simplifier()
        definitions = {s: plain.normal(made) for s, made in self.lifted.definitions.items()}
        names = (rule for s, made in definitions.items() if s is not self.hidden for rule in definition(s, made))
        given = frozenset(s for s in self.symbols() if s not in definitions)
        self.simplifier = Simplifier(names, [SumsToOne(given), SumsToZero(frozenset(definitions)), NowhereZero()])

    @property
    def hidden(self) -> Term | None:
        """The loss: its gradient is not told by its own name, that of a vector may be."""
        return self.output if self.output.size == 1 else None

    def symbols(self) -> set[Term]:
        """Every symbol of the run."""
        terms = topological_order(*self.lifted.definitions.values())
        return {t for t in terms if t.name is not None}

    def derivation(self) -> Derivation:
        """From the loss down, named tensor by named tensor; gradients that several others are made of get a name."""
        lemmas: dict[Term, Derivation] = {}
        path = self.path()
        grads: dict[Term, Term] = {self.output: self.seed}
        for sign in reversed(path):
            g = self.written(grads[sign])
            if sign is self.goal:
                found = self.simplified(sign, g, lemmas)
                return found if self.hidden is not None else self.without_seed(found)
            if sign is not self.output and (self.feeds_several(sign) or size(g)[0] > LONG):
                g = self.named(self.simplified(sign, g, lemmas), lemmas)
            made = self.lifted.definitions[sign]
            for x, c in pull(made, made if sign is self.hidden else sign, g, set(path)).items():
                grads[x] = constant(grads[x] + c) if x in grads else c
        raise AssertionError("the path ends at its target")

    def written(self, raw: Term) -> Term:
        """The chain rule's words in normal form, where vectors are vectors."""
        chain = self.simplifier.normal(raw)
        for row in VECTORS:
            chain = self.simplifier.apply(row, chain)
        return chain

    def without_seed(self, pulled: Derivation) -> Derivation:
        """The Jacobian, from its product with the seed."""
        found = jacobian(self.simplifier.normal(pulled.term), self.seed, self.simplifier)
        if found is None:
            raise UnsupportedError(
                f"derive: {pulled.name} is no sum of diag(a), a bᵀ and matrices; derive sum(v * {self.output.name}) "
                f"for a vector v: that gives vᵀ {pulled.name}"
            )
        entries = np.eye(self.output.size, dtype=self.output.dtype)
        rows = [gradients(self.loss, [self.target], row)[0].value for row in entries]
        error = difference(pulled.term.value, self.seed.value @ found.value)
        rule = f"this is {self.seed.name}ᵀ {pulled.name} for any {self.seed.name}: without it"
        step = proved(Step(rule, pulled.term, readable(found), "", error), self.lifted.definitions)
        return replace(pulled, steps=(*pulled.steps, step), engine=np.stack(rows))

    def named(self, lemma: Derivation, lemmas: dict[Term, Derivation]) -> Term:
        """The name of a gradient, dZ2, unless it is a number or has a name already."""
        if size(lemma.term)[0] == 0:
            return lemma.term
        taken = {s.name for s in self.symbols()} | {s.name for s in lemmas}
        name = next(name for name in graph.with_primes(f"d{lemma.target.name}") if name not in taken)
        g = symbol(name, self.engine[lemma.target])
        lemmas[g] = lemma
        return g

    def path(self) -> list[Term]:
        """The named tensors between the target and the loss, in the order of making."""
        leading = {self.goal}
        for sign, made in self.lifted.definitions.items():
            if not leading.isdisjoint(topological_order(made)):
                leading.add(sign)
        return [s for s in self.lifted.symbols.values() if s in leading]

    def feeds_several(self, sign: Term) -> bool:
        """Whether a tensor's gradient is what several others are made of, beside those on the way to the goal."""
        return len(self.operands(sign)) > 1 and not self.leaves[sign] <= self.leaves[self.goal]

    def operands(self, sign: Term) -> set[Term]:
        """The tracked tensors that a named one is made of."""
        made = self.lifted.definitions.get(sign)
        return set() if made is None else set(topological_order(made)) & self.lifted.tracked

    def all_leaves(self) -> dict[Term, set[Term]]:
        """Of each named tensor, the tracked leaves that it is made of."""
        found: dict[Term, set[Term]] = {}
        for sign in self.lifted.symbols.values():
            below = self.operands(sign)
            found[sign] = set().union(*(found[s] for s in below)) if below else {sign}
        return found

    def simplified(self, sign: Term, chain: Term, lemmas: Mapping[Term, Derivation]) -> Derivation:
        """The derivation of one gradient from the chain rule's words for it."""
        at = readable(chain)
        steps: list[Step] = []
        for rewrite in self.simplifier.simplify(chain):
            to = readable(rewrite.after)
            step = Step(rewrite.rule.name, at, to, condition(rewrite), difference(at.value, to.value))
            steps.append(proved(step, self.lifted.definitions))
            at = to
        used = {g: lemma for g, lemma in lemmas.items() if g in set(topological_order(readable(chain), at))}
        return Derivation(sign, self.output, readable(chain), tuple(steps), used, self.engine[sign], self.lifted)


def seed_of(output: Term, goal: Term) -> Term:
    """dJ/dJ = 1; of a vector any v, from whose product with the Jacobian that can be read off."""
    if output.size == 1:
        return constant(output.dtype.type(1) if output.ndim == 0 else np.ones(output.shape, output.dtype))
    if output.ndim != 1 or goal.ndim != 1:
        raise UnsupportedError(
            f"derive: {output.name} has shape {output.shape} and {goal.name} {goal.shape}; derived are the gradient of "
            "a single number and the Jacobian of a vector by a vector: take a sum, or one entry, first"
        )
    return symbol("v", np.random.default_rng(0).normal(size=output.shape).astype(output.dtype))


def proved(step: Step, definitions: Mapping[Term, Term]) -> Step:
    """The step, if it left the value as it was."""
    if not step.error <= tolerance(step.after.value) and not is_rounding(step.before, step.after, definitions):
        write = Unicode()
        raise DerivationError(
            f"derive: {step.rule!r} made {write(step.after)} of {write(step.before)}, whose values differ by "
            f"{step.error:.1e} of the largest entry: the rule is wrong, or does not hold here"
        )
    return step


def condition(rewrite: Rewrite) -> str:
    """What a step found on the data."""
    if not isinstance(rewrite.rule, Fact):
        return ""
    write = Unicode()
    used = [rewrite.rule.claim(part) for part in topological_order(rewrite.before) if rewrite.rule.holds(part)]
    return ", ".join(f"{write(readable(subject))} {sign}" for subject, sign in used)


def definition(sign: Term, made: Term) -> list[Definition | ReciprocalOfSum]:
    """The rules that a name's definition gives."""
    if made.op is None:
        return []
    row = next((row for row in ROWS if row.name.startswith("quotient") and row.at(made) is not None), None)
    made = without_spread(made)
    written = Unicode()(readable(made))
    title = f"{row.name}, {sign.name}" if row else f"{sign.name} is {written}"
    found: list[Definition | ReciprocalOfSum] = [Definition(sign, made, title)]
    if (beside := ReciprocalOfSum.other_than_one(made)) is not None:
        found.append(ReciprocalOfSum(sign, beside, f"{sign.name} is {written}"))
    return found


def found_tensor(order: list[Tensor], target: "str | Tensor", scope: Mapping[str, Any]) -> Tensor:
    """The tensor that a name or a tensor means."""
    names = graph.names(order, scope)
    found = next((x for x, name in names.items() if x is target or (isinstance(target, str) and name == target)), None)
    if found is None:
        what = repr(target) if isinstance(target, str) else messages.label(target, scope)
        raise UnsupportedError(f"derive: {what} is not in the graph, whose tensors are {', '.join(names.values())}")
    if not found.requires_grad:
        raise UnsupportedError(f"derive: {names[found]} is a constant; only tracked Tensors have a gradient")
    return found


# ----- chain -----
# The chain rule in formulas: the generic rules of the operations, run on terms.


def pull(made: Term, output: Term, g: Any, wanted: Iterable[Term]) -> dict[Term, Term]:
    """dJ/dx for each wanted symbol x that an output is made of, from g = dJ/d(output)."""
    order = topological_order(made)
    wanted = set(wanted)
    leading: set[Term] = set()
    for part in order:
        if part in wanted or not leading.isdisjoint(part.args):
            leading.add(part)
    grads: dict[Term, Any] = {made: constant(output.dtype.type(g.value)) if g.is_constant and g.ndim == 0 else g}
    for part in reversed(order):
        if part.op is None or part not in leading or part not in grads:
            continue
        for arg, rule in zip(part.args, part.op.rules, strict=False):
            if arg in leading and rule is not None:
                c = unbroadcast(
                    rule(grads[part], output if part is made else part, *part.args, **part.kwargs), arg.shape
                )
                grads[arg] = grads[arg] + c if arg in grads else c
    return {x: constant(g) for x, g in grads.items() if x in wanted}


def unbroadcast(c: Any, shape: tuple[int, ...]) -> Any:
    """A contribution in the shape of the operand: what broadcasting repeated is summed."""
    if np.shape(c) == shape:
        return c
    axes = repeated_axes(np.shape(c), shape)
    assert axes is not None
    c = np.sum(c, axis=axes, keepdims=True)
    return c if np.shape(c) == shape else np.reshape(c, shape)
