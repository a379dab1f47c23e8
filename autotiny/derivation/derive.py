"""Derive: the chain rule on a recorded run, rewritten until it reads like the textbook."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from autotiny import describe, graph
from autotiny.algebra import Term, constant, symbol, topological_order
from autotiny.algebra.rewrites import ROWS, Row
from autotiny.algebra.simplify import Rewrite, Simplifier, size
from autotiny.backprop import gradients
from autotiny.derivation.chain import pull
from autotiny.derivation.derivation import Derivation
from autotiny.derivation.facts import Definition, SumsToOne
from autotiny.derivation.lift import Lifted, lift
from autotiny.derivation.reading import leading, readable
from autotiny.derivation.steps import DerivationError, Step, difference, tolerance
from autotiny.derivation.unicode import Unicode
from autotiny.errors import UnsupportedError
from autotiny.graph import caller_scope
from autotiny.stale import checked_order
from autotiny.tensor import Tensor


def derive(loss: Tensor, target: "str | Tensor", rules: Iterable[Row] = ()) -> Derivation:
    """dJ/d(target) of a recorded loss as a formula over the names in your code, and the steps that lead to it.

    The chain rule is written down from the rules of the recorded operations alone, then rewritten row by row; every
    step is evaluated on the recorded values, and one that changes them beyond rounding raises DerivationError.

    >>> import autotiny as at
    >>> X, w = at.Tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=False), at.Tensor([0.5, -0.5])
    >>> y = np.array([1.0, 2.0])
    >>> loss = np.sum((X @ w - y) ** 2) / 2
    >>> derive(loss, w).formula
    'Xᵀ (X w - y)'
    """
    with np.errstate(all="ignore"):
        return Deriving(loss, target, caller_scope(), rules).derivation()


class Deriving:
    """The way from a recorded loss down to one of its tensors."""

    def __init__(self, loss: Tensor, target: "str | Tensor", scope: Mapping[str, Any], rules: Iterable[Row]) -> None:
        checked_order(loss)
        order = graph.topological_order(loss)
        self.target = found_tensor(order, target, scope)
        self.lifted: Lifted = lift(order, scope, (loss, self.target))
        self.output, self.goal = self.lifted.symbols[loss], self.lifted.symbols[self.target]
        self.engine = gradients(loss, [self.target])[0]._data if self.target is not loss else np.ones_like(loss._data)
        plain = Simplifier()
        definitions = {s: plain.normal(made) for s, made in self.lifted.definitions.items()}
        given = frozenset(s for s in self.given() if s not in definitions)
        self.simplifier = Simplifier(
            [
                *rules,
                *(Definition(s, made, _title(s, made)) for s, made in definitions.items() if made.op is not None),
                SumsToOne(given),
            ]
        )

    def given(self) -> set[Term]:
        """Every symbol of the run."""
        terms = topological_order(*self.lifted.definitions.values())
        return {t for t in terms if t.name is not None}

    def derivation(self) -> Derivation:
        """From the loss down, named tensor by named tensor; gradients that several others are made of get a name."""
        lemmas: dict[Term, Derivation] = {}
        path = self.path()
        grads: dict[Term, Term] = {self.output: constant(1.0)}
        for sign in reversed(path):
            g = grads[sign]
            if sign is self.goal:
                return self.simplified(sign, g, lemmas, self.engine)
            if self.keeps(sign):
                lemma = self.simplified(sign, g, lemmas, g.value)
                g = lemma.term
                if size(g)[0] > 0:
                    g = symbol(f"d{sign.name}", lemma.chain.value)
                    lemmas[g] = lemma
            made = self.lifted.definitions[sign]
            for x, c in pull(made, sign, g, set(path)).items():
                grads[x] = constant(grads[x] + c) if x in grads else c
        raise AssertionError("the path ends at its target")

    def path(self) -> list[Term]:
        """The named tensors between the target and the loss, in the order of making."""
        leading = {self.goal}
        for sign, made in self.lifted.definitions.items():
            if not leading.isdisjoint(topological_order(made)):
                leading.add(sign)
        return [s for s in self.lifted.symbols.values() if s in leading]

    def keeps(self, sign: Term) -> bool:
        """Whether the gradient of a tensor is what several others are made of."""
        parts = topological_order(self.lifted.definitions[sign])
        return sign is not self.output and sum(part in self.lifted.tracked for part in parts) > 1

    def simplified(self, sign: Term, raw: Term, lemmas: Mapping[Term, Derivation], engine: Any) -> Derivation:
        """The derivation of one gradient from the chain rule's words for it."""
        chain = self.simplifier.normal(raw)
        at = readable(chain)
        steps: list[Step] = []
        for rewrite in self.simplifier.simplify(chain):
            to = readable(rewrite.after)
            steps.append(proved(Step(rewrite.rule.name, at, to, condition(rewrite), difference(at.value, to.value))))
            at = to
        used = {g: lemma for g, lemma in lemmas.items() if g in set(topological_order(readable(chain), at))}
        return Derivation(sign, self.output, readable(chain), tuple(steps), used, engine)


def proved(step: Step) -> Step:
    """The step, if it left the value as it was."""
    if not step.error <= tolerance(step.after.value):
        write = Unicode()
        raise DerivationError(
            f"derive: {step.rule!r} made {write(step.after)} of {write(step.before)}, whose values differ by "
            f"{step.error:.1e} of the largest entry: the rule is wrong, or does not hold here"
        )
    return step


def condition(rewrite: Rewrite) -> str:
    """What a step found on the data."""
    if not isinstance(rewrite.rule, SumsToOne):
        return ""
    used = [part for part in topological_order(rewrite.before) if rewrite.rule.holds(part)]
    return ", ".join(f"{Unicode()(leading(part))} = 1" for part in used)


def _title(sign: Term, made: Term) -> str:
    """The rule by which code becomes a name: that of the table, if the table knows the code."""
    row = next((row for row in ROWS if row.name.startswith("quotient") and row.at(made) is not None), None)
    return f"{row.name}, {sign.name}" if row else f"{sign.name} is {Unicode()(readable(made))}"


def found_tensor(order: list[Tensor], target: "str | Tensor", scope: Mapping[str, Any]) -> Tensor:
    """The tensor that a name or a tensor means."""
    names = graph.names(order, scope)
    found = next((x for x, name in names.items() if x is target or (isinstance(target, str) and name == target)), None)
    if found is None:
        what = repr(target) if isinstance(target, str) else describe.label(target, scope)
        raise UnsupportedError(f"derive: {what} is not in the graph, whose tensors are {', '.join(names.values())}")
    if not found.requires_grad:
        raise UnsupportedError(f"derive: {names[found]} is a constant; only tracked Tensors have a gradient")
    return found
