"""A derivation as text for a terminal: every step with its rule, what it needed, and its error."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING

from autotiny.derivation.unicode import Unicode

if TYPE_CHECKING:
    from autotiny.derivation.derivation import Derivation
    from autotiny.derivation.steps import Step

WIDTH, ERROR_AT = 79, 73
BOUND = "\N{NO-BREAK SPACE}"


def terminal(derivation: Derivation) -> str:
    """What was derived, the way to it line by line, what it names, and how well it holds."""
    result = wrapped(f"{derivation.name} = {derivation.formula}", "", "    ")
    where = list(_lemmas(derivation))
    way = ["", *_way(derivation), ""] if derivation.steps else []
    picks = derivation.picks()
    held = wrapped(f"holds on the data: {picks}", "", "    ") if picks else []
    return "\n".join([*result, *where, *held, *way, summary(derivation)])


def _way(derivation: Derivation) -> Iterator[str]:
    yield "  the chain rule".ljust(ERROR_AT) + "error"
    yield from wrapped(Unicode()(derivation.chain), "      ")
    for step in derivation.steps:
        yield from _step(step)


def _step(step: Step) -> Iterator[str]:
    *lines, last = textwrap.wrap(told_rule(step), ERROR_AT - 4) or [""]
    yield from (f"  {line}" for line in lines)
    yield f"  {last}".ljust(ERROR_AT) + told_error(step.error)
    yield from wrapped(Unicode()(step.after), "    = ", "      ")


def _lemmas(derivation: Derivation) -> Iterator[str]:
    for name, lemma in derivation.lemmas.items():
        yield from wrapped(f"where {Unicode()(name)} = {lemma.name} = {lemma.formula}", "", "    ")


def summary(derivation: Derivation) -> str:
    """Whether it holds, in a sentence."""
    if derivation.ok:
        rule = "" if derivation.steps else "The chain rule says it at once.\n"
        return f"{rule}It agrees with backprop on the recorded values; largest error {told_error(derivation.max_error)}"
    return f"IT DOES NOT AGREE with backprop on the recorded values: an error of {derivation.max_error:.1e}."


def told_error(error: float) -> str:
    """An error, to one digit."""
    return f"{error:.0e}" if error else "0"


def told_rule(step: Step) -> str:
    """The rule, and what had to hold."""
    return f"{step.rule}: {step.condition}" if step.condition else step.rule


def wrapped(formula: str, first: str, rest: str | None = None) -> list[str]:
    """The formula in lines that begin with a sign where it is too long for one.

    >>> print("\\n".join(wrapped(" + ".join(["a_long_name * another"] * 4), "    = ", "      ")))
        = a_long_name * another + a_long_name * another + a_long_name * another
          + a_long_name * another
    """
    bound = re.sub(r"(^|(?<= ))([-+*/=><≤≥≠·]|and|or) ", rf"\2{BOUND}", formula)
    bound = re.sub(r", (?=\w+=)|(?<=\[)[^\[\]]*(?=\])", lambda found: found[0].replace(" ", BOUND), bound)
    lines = textwrap.wrap(
        bound, WIDTH, initial_indent=first, subsequent_indent=first if rest is None else rest,
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip
    return [line.replace(BOUND, " ") for line in lines]
