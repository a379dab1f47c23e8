"""Descent: gradients pulled back from an output to a target, tensor by named tensor, each in its shortest form."""

import re
from collections.abc import Container, Mapping
from typing import Any

import numpy as np

from autotiny.algebra import Simplifier, Term, constant, symbol, topological_order
from autotiny.algebra.chain_rule import bottlenecks, pull
from autotiny.algebra.normalise import normalise
from autotiny.algebra.picks import SCATTERS
from autotiny.algebra.search import Rewrite
from autotiny.algebra.segments import SHIFTS
from autotiny.algebra.simplify import size
from autotiny.algebra.writing import as_text
from autotiny.derivation.definitions import expansions_of, rules_of
from autotiny.derivation.derivation import Derivation
from autotiny.derivation.facts import (
    AT_ONCE,
    ROWS_ON_DATA,
    Fact,
    Length,
    NotSingular,
    NowhereZero,
    OneEqual,
    SumsToOne,
    SumsToZero,
    Symmetric,
    TakenEverywhere,
)
from autotiny.derivation.lemmas import Formula, Gradient, Lemmas, occurrences, operations
from autotiny.derivation.passage import Passage
from autotiny.derivation.readable import readable
from autotiny.derivation.steps import Step, difference, proved
from autotiny.engine import graph
from autotiny.ops import OPS

TOLL = 3
"""How many operations a gradient of a part of the code without a name has to save, for the part gets a name, too."""


class Descent:
    """One walk down, in which formulas are without the name of the output if it is hidden, and without some rules."""

    def __init__(
        self, passage: Passage, engine: Mapping[Term, Any], hidden: Term | None, left_out: Container[str]
    ) -> None:
        self.passage, self.engine, self.hidden = passage, dict(engine), hidden
        self.taken = {s.name for s in passage.symbols}
        self.simplifier = self.simplifier_of_run(left_out)
        self.lemmas = Lemmas(self.simplifier, self.normal)
        self.finished: dict[Term, Derivation] = {}
        self.unnamed: dict[Term, Term] = {}

    def simplifier_of_run(self, left_out: Container[str]) -> Simplifier:
        """The table of rows with the definitions of this run, and with the facts about its data."""
        plain = Simplifier()
        definitions = {s: in_plain_form(made, plain) for s, made in self.passage.stated.definitions.items()}
        named = [(s, made) for s, made in definitions.items() if s is not self.hidden]
        rules = (rule for s, made in named for rule in rules_of(s, made))
        expansions = (rule for s, made in named for rule in expansions_of(s, made))
        inputs = frozenset(s for s in self.passage.symbols if s not in definitions)
        sums = SumsToOne(inputs), SumsToZero(frozenset(definitions))
        of_matrices = Symmetric(frozenset(self.passage.run.tracked)), NotSingular()
        facts = [*sums, *ROWS_ON_DATA, NowhereZero(), TakenEverywhere(), OneEqual(), Length(), *of_matrices]
        simplifier = Simplifier([*AT_ONCE, *rules], facts, expansions)
        simplifier.rules = [rule for rule in simplifier.rules if rule.name not in left_out]
        return simplifier

    def derivation(self) -> Derivation:
        """Pull gradients back, tensor by tensor."""
        output, goal = self.passage.output, self.passage.goal
        raw: dict[Term, Term] = {output: self.passage.seed}
        for sign in reversed(self.passage.path):
            chain = self.lemmas.in_place(self.normal(raw[sign]))
            if sign is goal:
                formula = self.lemmas.of_target(chain)
                for name in self.lemmas.needed(formula):
                    self.finished[name] = self.described(self.lemmas.gradients[name].of, self.lemmas.formula(name))
                return self.described(sign, formula)
            g = chain if sign is output else self.named(sign, chain, self.passage.feeds_several(sign))
            for x, c in self.pulled(sign, g).items():
                raw[x] = constant(raw[x] + c) if x in raw else c
        raise AssertionError("the path ends at its target")

    def normal(self, raw: Term) -> Term:
        """The chain rule's formula in normal form, with picked entries as products."""
        chain = self.simplifier.normal(raw)
        for row in (*SCATTERS, *SHIFTS):
            chain = self.simplifier.apply(row, chain)
        return chain

    def named(self, sign: Term, chain: Term, is_shared: bool) -> Term:
        """Return a symbol for a gradient, such as dZ2; a number or a symbol, and what depends on a seed, unchanged."""
        if size(chain)[0] == 0 or not self.passage.is_gradient:
            return chain
        made = self.unnamed.get(sign, self.passage.run.definitions.get(sign))
        assert made is not None
        uses = sum(n for x, n in occurrences(made).items() if x in self.passage.on_the_way)
        is_unnamed, last = sign in self.unnamed, occurrences(made)[self.passage.goal] > 0
        gradient = Gradient(sign, chain, is_shared, uses, TOLL * is_unnamed, is_unnamed and last)
        g = symbol(self.unique_name(f"d{sign.name}"), self.engine.get(sign, chain.value))
        self.lemmas.add(g, gradient)
        return g

    def unique_name(self, name: str) -> str:
        """The name, with primes if it is taken."""
        unique = next(n for n in graph.with_primes(name) if n not in self.taken)
        self.taken.add(unique)
        return unique

    def pulled(self, sign: Term, g: Term) -> dict[Term, Term]:
        """The contributions of one tensor to the gradients of those that it is made of.

        Where Z = W A + b has no name in softmax(Z), and several of W, A and b lead to the target, its gradient may get
        a name all the same.
        """
        made = self.passage.run.definitions[sign]
        output = made if sign is self.hidden else sign
        inner = pre_activation(bottlenecks(made, self.passage.on_the_way) or [made])
        if inner is made or not self.passage.is_gradient or not self.branches(inner):
            return pull(made, output, g, self.passage.on_the_way)
        chain = self.lemmas.in_place(self.normal(pull(made, output, g, [inner])[inner]))
        if operations(chain) < 2:
            return pull(made, output, g, self.passage.on_the_way)
        z = symbol(self.name_beside(sign, inner), inner.value)
        self.unnamed[z], self.engine[z] = inner, chain.value  # the target's own gradient is held against backprop's
        chain = self.named(z, chain, False)
        return pull(inner, inner, chain, self.passage.on_the_way)

    def name_beside(self, sign: Term, inner: Term) -> str:
        """Return a name for what a tensor is made of, by the tensor's: Z2 beside A2, z for a vector or a number."""
        digits = re.search(r"\d*$", sign.name or "")
        letters = (letter.upper() if inner.ndim > 1 else letter for letter in "zuqs")
        names = [letter + (digits[0] if digits else "") for letter in letters]
        taken = {*self.taken, *self.passage.names}
        return self.unique_name(next((name for name in names if {name, f"d{name}"}.isdisjoint(taken)), f"{names[0]}′"))

    def branches(self, made: Term) -> bool:
        """Whether a term uses the tensors on the way more than once."""
        return sum(n for x, n in occurrences(made).items() if x in self.passage.on_the_way) > 1

    def described(self, sign: Term, formula: Formula) -> Derivation:
        """The derivation of a gradient, with those of the gradients that it names, which are finished."""
        at = chain = readable(formula.chain)
        steps: list[Step] = []
        for rewrite in formula.rewrites:
            to = readable(rewrite.after)
            step = Step(rewrite.rule.name, at, to, condition(rewrite), difference(at.value, to.value))
            steps.append(proved(step))
            at = to
        names = {*self.lemmas.names(chain), *self.lemmas.names(at)}
        lemmas = {g: self.finished[g] for g in sorted(names, key=lambda g: g.number)}
        run = self.passage.stated
        targets = {sign, *(lemma.target for lemma in lemmas.values())}
        if unnamed := {z: made for z, made in self.unnamed.items() if z in targets}:
            run = run._replace(definitions={**run.definitions, **unnamed})
        return Derivation(sign, self.passage.output, chain, tuple(steps), lemmas, self.engine[sign], run)


def pre_activation(parts: list[Term]) -> Term:
    """Return the last of these results, with what is added to it."""
    *outer, inner = parts
    for part in reversed(outer):
        if part.op is not OPS[np.add] or part.shape != inner.shape or all(arg is not inner for arg in part.args):
            break
        inner = part
    return inner


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
