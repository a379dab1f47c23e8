"""A derivation, as the page shows it: formulas as MathML, each with the rule that led to it."""

from typing import Any

import autotiny as at
from autotiny.derivation.derivation import Derivation
from autotiny.derivation.mathml import MathML
from autotiny.derivation.steps import Step
from autotiny.derivation.unicode import Unicode
from autotiny.playground.program import Run
from autotiny.playground.state import State

Json = dict[str, Any]


def derived(state: State, ran: Run, about: str) -> Json:
    """The derivation of one gradient: what was asked for, else what is claimed first, else the first variable's."""
    assert ran.loss is not None
    claims = (line.partition("=")[0].strip().removeprefix("d") for line in state.claims.splitlines())
    of = next((name for name in (about, *claims, *ran.tracked) if name in ran.tracked), ran.tracked[0])
    found = at.derive(ran.loss, ran.scope[of])
    return {
        "of": of,
        "names": ran.tracked,
        "gradient": _ratio(found),
        "chain": _formula(found.chain),
        "steps": [_step(step) for step in found.steps],
        "lemmas": [_lemma(lemma) for lemma in found.lemmas.values()],
        "ok": found.ok,
        "largest": f"{found.max_error:.0e}",
    }


def _step(step: Step) -> Json:
    return {**_formula(step.after), "rule": step.rule, "condition": step.condition, "error": f"{step.error:.0e}"}


def _lemma(lemma: Derivation) -> Json:
    return {"of": lemma.target.name, "gradient": _ratio(lemma), **_formula(lemma.term)}


def _formula(term: Any) -> Json:
    return {"math": MathML()(term), "text": Unicode()(term)}


def _ratio(derivation: Derivation) -> Json:
    above, below = (f"<mrow><mo>∂</mo>{MathML()(x)}</mrow>" for x in (derivation.output, derivation.target))
    return {"math": f"<mfrac>{above}{below}</mfrac>", "text": derivation.name}
