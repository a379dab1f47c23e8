"""The search for the slips that explain a stated gradient: one, one and a factor, or two."""

from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from autotiny.diagnosis.hypotheses import Hypothesis, Subject, activation_name, sentence
from autotiny.diagnosis.parameters import decay, of_another, updated, without_eps
from autotiny.diagnosis.rows import EVERYWHERE, ROWS
from autotiny.diagnosis.rows.paths import path
from autotiny.diagnosis.slips import CLOSE, Edge, Pull, Slip, SlipSweep
from autotiny.diagnosis.values import Array, factor, finite_max, same
from autotiny.engine.graph import topological_order
from autotiny.engine.node import made_by
from autotiny.engine.tensor import Tensor
from autotiny.notation.numbers import short_number

Cause = Callable[[float], str]
"""The likely cause of a factor; empty for a factor that has none."""

MOST_PAIRS = 8_000
MOST_WORK = 1e7
"""The largest number of entries that are touched in the search for pairs: some tenths of a second."""


class Effect(NamedTuple):
    """A hypothesis with what it does to the gradient of x along the directions, and the size of the terms of that."""

    rank: int
    hypothesis: Hypothesis
    along: Array
    size: float

    @property
    def number(self) -> int:
        """The position of the slip in the order of the graph."""
        return max(node.number for node, _ in self.hypothesis.slips)


def all_effects(subject: Subject) -> list[Effect]:
    """Return the effects of the hypotheses of all rows at all edges."""
    hypotheses = [
        (rank, hypothesis)
        for rank, row in ROWS
        for node, i in subject.sweep.edges
        for hypothesis in row(subject, node, i)
    ]
    return list(effects(subject.sweep, hypotheses, subject.sweep.right))


def effects(
    sweep: SlipSweep, hypotheses: Iterable[tuple[int, Hypothesis]], gradients: Mapping[Tensor, Any]
) -> Iterator[Effect]:
    """Yield the hypotheses that change something, with their foretold effects, where these gradients arrive."""
    rules: dict[Edge, Array] = {}
    for rank, hypothesis in hypotheses:
        along, size = np.zeros(len(sweep.directions)), 0.0
        try:
            for (node, i), slip in hypothesis.slips.items():
                if node not in gradients:
                    continue
                pull = Pull(node, i, gradients[node], gradients)
                if (node, i) not in rules:
                    rules[node, i] = pull.fitted(pull.rule())
                wrong = pull.fitted(slip(pull))
                if not (hypothesis.scales or hypothesis.kind == "steps" or np.any(wrong)):
                    raise ValueError("a slip that passes nothing on is a missing path")
                part, part_size = sweep.foretold(pull.operand, wrong - rules[node, i])
                along, size = along + part, size + part_size
        except Exception:  # a rule that does not run on other operands
            continue
        if np.all(np.isfinite(along)) and size > 0:
            yield Effect(rank, hypothesis, along, size)


class Search:
    """The search over one graph, for one stated gradient."""

    def __init__(self, subject: Subject, known: list[Effect], stated: Array, right: Array, cause: Cause) -> None:
        self.subject, self.sweep, self.known, self.cause = subject, subject.sweep, known, cause
        self.stated, self.right = stated, right
        self.stated_along, self.right_along = self.sweep.along(stated), self.sweep.along(right)
        self.near = CLOSE * float(np.max(np.abs(self.right_along)) + np.max(np.abs(self.stated_along)))

    def sentences(self) -> Iterator[list[str]]:
        """Yield the explanations of each level, simple ones first."""
        for rank in (0, 1):
            of_rank = [effect for effect in self.known if effect.rank == rank]
            yield self.singles(of_rank)
            if rank == 0:
                scaled = self.scaled(of_rank, likely=True)
                yield [*self.factors_within(), *scaled] if scaled else []
                yield self.everywhere()
                another = of_another(self)
                yield another and [*another, *self.singles([e for e in self.known if e.rank == 1])]
                yield decay(self)
                yield updated(self)
                yield without_eps(self)
        yield self.with_factor()
        yield self.pairs(0)
        yield self.pairs(1)
        is_multiple = factor(self.stated, self.right) is not None  # also of any term that the gradient is a multiple of
        yield [] if is_multiple or self.stated.size == 1 else self.scaled(self.known, likely=False)

    def close(self, a: Array, b: Array, size: float) -> bool:
        """Whether two effects along the directions agree, as far as they are known."""
        return bool(np.all(np.abs(a - b) <= CLOSE * size + self.near))

    def explains(self, candidate: Array) -> bool:
        """Whether a gradient is the stated one up to rounding, and far closer to it than the right one is."""
        off, wrong = (finite_max(self.stated - gradient) for gradient in (candidate, self.right))
        return same(self.stated, candidate) and off <= wrong / 100

    def confirmed(self, slips: Mapping[Edge, Any]) -> bool:
        """Whether slips reproduce the stated gradient."""
        return self.explains(self.sweep.gradient(slips))

    # ----- one slip -----
    def singles(self, among: list[Effect]) -> list[str]:
        """Return the sentences of single slips."""
        difference = self.stated_along - self.right_along
        matching = [
            effect
            for effect in among
            if self.close(effect.along, difference, effect.size) and self.confirmed(effect.hypothesis.slips)
        ]
        paths = sorted((e.hypothesis for e in matching if e.hypothesis.scales), key=self.plainness)
        others: dict[Any, Hypothesis] = {}
        for effect in matching:
            if not effect.hypothesis.scales:
                others.setdefault(frozenset(effect.hypothesis.slips), effect.hypothesis)
        best = [*others.values(), *paths[:1]]
        if paths and others:  # a path that has no name says less, and one that has says more than a slip on it
            steps = [each for each in others.values() if each.kind == "steps"]
            best = [*steps, paths[0]] if paths[0].named else steps or best
        return [sentence(*self.words(hypothesis)) for hypothesis in best]

    def plainness(self, path: Hypothesis) -> tuple[bool, bool]:
        """Return a key by which paths that are one are sorted: those with a name, then those through x alone, first."""
        ((node, i),) = path.slips
        place = node if node.args[i] is self.sweep.x else node.args[i]
        reached, others = topological_order(place), self.parameters - {self.sweep.x}
        return not path.named, not others.isdisjoint(reached)

    @cached_property
    def parameters(self) -> set[Tensor]:
        """The tracked leaves of the graph."""
        return {x for x in topological_order(self.sweep.output) if x.op is None and x.requires_grad}

    @staticmethod
    def words(hypothesis: Hypothesis, path: str = "without {}", mend: str = "forgotten?") -> tuple[str, str]:
        """Return the clause and the mend of a hypothesis; `path` is the clause for a path."""
        text, own = hypothesis.words()
        return (path.format(text), mend) if hypothesis.scales else (text, own)

    def scaled(self, among: list[Effect], likely: bool) -> list[str]:
        """Return the sentence of a path whose contribution is multiplied by a number; by one with a likely cause."""
        difference = self.stated_along - self.right_along
        best: list[tuple[tuple[bool, bool], str]] = []
        for effect in among:
            largest = int(np.argmax(np.abs(effect.along)))
            if not effect.hypothesis.scales or not effect.along[largest]:
                continue
            times = difference[largest] / effect.along[largest]
            if not self.close(times * effect.along, difference, abs(times) * effect.size):
                continue
            path = self.sweep.gradient(effect.hypothesis.slips) - self.right
            exact = factor(self.stated - self.right, path)
            if exact is None or same(-path, self.right) or not self.explains(self.right + exact * path):
                continue
            k = 1 - exact
            cause = {2.0: "counted twice?", -1.0: "the sign is wrong"}.get(round(k, 9)) or self.cause(abs(k))
            if bool(cause) == likely:
                text = f"with {effect.hypothesis.words()[0]} times {short_number(k, 6)}"
                best.append((self.plainness(effect.hypothesis), sentence(text, cause)))
        return [text for _, text in sorted(best, key=lambda each: each[0])[:1]]

    def factors_within(self) -> list[str]:
        """Return the sentence of the one derivative that is misremembered by a factor other than -1."""
        within = self.singles([effect for effect in self.known if effect.hypothesis.kind == "factor"])
        return within if len(within) == 1 else []

    def everywhere(self) -> list[str]:
        """Return the sentence of one slip made wherever it can be: of all masks of relu, or in all steps of a loop."""
        for row in EVERYWHERE:
            places: dict[Any, list[tuple[Tensor, int]]] = {}
            for node, i in self.sweep.edges:
                leaves = [id(arg) for arg in node.args if not (isinstance(arg, Tensor) and arg in self.sweep.users)]
                loops = row is path and made_by(node).name == "matmul"
                if loops or row is not path:
                    places.setdefault((made_by(node), i, *(leaves if loops else ())), []).append((node, i))
            for edges in places.values():
                slips = {
                    edge: slip for each in edges for h in row(self.subject, *each) for edge, slip in h.slips.items()
                }
                if len(slips) > 1 and self.confirmed(slips):
                    node, i = edges[0]
                    if row is path:
                        name = self.subject.labels.name(node.args[i])
                        return [sentence(f"without the path from step to step, through {name}", "forgotten?")]
                    inverted = "" if row is EVERYWHERE[0] else " but with its mask inverted"
                    return [sentence(f"without the derivative of {activation_name(node)}{inverted}", "forgotten?")]
        return []

    def proportional(self, slips: Mapping[Edge, Slip]) -> float | None:
        """Return the number t for which t times the change by these slips explains the gradient; None if none does."""
        change = self.sweep.gradient(slips) - self.right
        t = factor(self.stated - self.right, change)
        return t if t is not None and self.explains(self.right + t * change) else None

    # ----- two slips -----
    def with_factor(self) -> list[str]:
        """Return the sentences of a slip and a factor that has a likely cause, or the wrong sign."""
        result: list[str] = []
        for effect in self.known:
            changed = self.right_along + effect.along
            largest = int(np.argmax(np.abs(changed)))
            if not changed[largest]:
                continue
            times = self.stated_along[largest] / changed[largest]
            if not self.close(times * changed, self.stated_along, abs(times) * effect.size):
                continue
            candidate = self.sweep.gradient(effect.hypothesis.slips)
            exact = factor(self.stated, candidate)
            is_factor = factor(candidate, self.right) is not None or self.right.size == 1
            if exact is None or is_factor or not self.explains(exact * candidate):
                continue
            cause = factor_in_words(exact, self.cause)
            is_plain = cause == "the sign is wrong" or "1/m" in cause
            if cause and (is_plain or effect.hypothesis.kind != "operand"):  # else too much is possible
                clause, mend = self.words(effect.hypothesis)
                result.append(sentence(f"{clause}, and {short_number(exact, 6)} times that", mend, cause))
            if len(result) == 2:
                break
        return result[:1]

    def pairs(self, rank: int) -> list[str]:
        """Return the sentence of two slips at different edges, whose ranks add up to this one."""
        rest_of_all = self.stated_along - self.right_along
        budget, best = self.budget, list[tuple[tuple[bool, int], str]]()
        from_output = sorted(self.known, key=lambda each: -each.number)
        for k, first in enumerate(from_output):
            gradients = self.sweep.gradients(first.hypothesis.slips)
            moved = {node for node, g in gradients.items() if not np.array_equal(g, self.sweep.right[node])}
            others = [
                each
                for each in from_output[k + 1 :]
                if each.rank + first.rank == rank and each.hypothesis.slips.keys().isdisjoint(first.hypothesis.slips)
            ]
            budget -= len(others)
            for second in self.after(others, gradients, moved):
                slips = {**first.hypothesis.slips, **second.hypothesis.slips}
                sizes = first.size + second.size
                if self.close(second.along, rest_of_all - first.along, sizes) and self.confirmed(slips):
                    pair = first.hypothesis, second.hypothesis
                    (one, mend), (two, other) = (self.words(each) for each in pair)
                    key = not all(each.named for each in pair), -sum(each.scales for each in pair)
                    best.append((key, sentence(f"{one}, and {two}", mend, other)))
            if budget < 0:
                break
        return [text for _, text in sorted(best, key=lambda each: each[0])[:1]]

    def after(
        self, others: Iterable[Effect], gradients: Mapping[Tensor, Any], moved: Container[Tensor]
    ) -> Iterator[Effect]:
        """Yield the effects of hypotheses beside another slip, which has moved the gradients of some tensors."""
        again = []
        for effect in others:
            if any(node in moved for node, _ in effect.hypothesis.slips):
                again.append((effect.rank, effect.hypothesis))
            else:
                yield effect
        yield from effects(self.sweep, again, gradients)

    @property
    def budget(self) -> int:
        """The number of pairs that are tried: fewer of large tensors."""
        return int(min(MOST_PAIRS, MOST_WORK / sum(node.size for node in self.sweep.order)))


def factor_in_words(ratio: float, cause: Cause) -> str:
    """Return the likely cause of a factor with its sign; empty if there is none."""
    words = cause(abs(ratio))
    if abs(abs(ratio) - 1) < 1e-9:
        return "the sign is wrong" if ratio < 0 else ""
    if ratio < 0:
        return f"{words}, and the sign is wrong" if words else ""
    return words
