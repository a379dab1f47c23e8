"""Gradients that were typed as textbooks write them: dZ2 = (1/m) (A2 - Y), dZ1 = W2ᵀ dZ2 ∘ 1[Z1 > 0], LaTeX."""

import re
from collections.abc import Iterator
from typing import NamedTuple

import autotiny as at
from autotiny.derivation.derivation import Derivation
from autotiny.derivation.matching import Match
from autotiny.engine.recording import value_of
from autotiny.engine.tensor import Tensor
from autotiny.language import ExpressionError, Limits
from autotiny.language.reading import is_code
from autotiny.playground.program import ProgramRun

LONGEST = 2000
"""The number of characters of the claims beyond which they are read as code only."""


class TypedClaim(NamedTuple):
    """A claim about a tensor, with its line, the derivation that it is about, and whether it is the gradient."""

    name: str
    x: Tensor
    line: int
    derivation: Derivation
    match: Match


def is_typed(text: str, limits: Limits) -> bool:
    """Whether claims are in another notation than code, and short."""
    return len(text) <= LONGEST and not is_code(text, limits)


def typed_claims(text: str, run: ProgramRun) -> Iterator[TypedClaim]:
    """Yield the verdict on each line dNAME = formula; other lines define names. Raises ExpressionError in a line."""
    scope = {name: value_of(value) for name, value in run.scope.items()}
    helpers = list[str]()
    for number, line in enumerate(text.splitlines(), 1):
        name = _claimed_name(line)
        if name not in run.tracked or run.loss is None:
            helpers += [line] if line.strip() else []
            continue
        x = run.scope[name]
        derivation = at.derive(run.loss, x)
        try:
            yield TypedClaim(name, x, number, derivation, derivation.matches("\n".join([*helpers, line]), scope))
        except ExpressionError as error:
            raise ExpressionError(error.message, number, error.column, error.excerpt) from None


def _claimed_name(line: str) -> str:
    """The name in dNAME = ... or ∂J/∂NAME = ...; empty without one."""
    left = line.partition("=")[0].replace(" ", "")
    match = re.fullmatch(r"(?:[d∂]\w+/)?[d∂](\w+)", left)
    return match[1] if match else ""
