"""A derivation in LaTeX, aligned at the equals signs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autotiny.derivation.latex import Latex, text
from autotiny.derivation.terminal import told_rule

if TYPE_CHECKING:
    from autotiny.derivation.derivation import Derivation


def ratio(derivation: Derivation) -> str:
    r"""\frac{\partial J}{\partial Z_2}"""
    above, below = (rf"\partial {Latex()(symbol)}" for symbol in (derivation.output, derivation.target))
    return rf"\frac{{{above}}}{{{below}}}"


def formula(derivation: Derivation) -> str:
    """The result as one equation."""
    return f"{ratio(derivation)} = {Latex()(derivation.term)}"


def steps(derivation: Derivation) -> str:
    """Every step on a line with its rule, then what the formula names."""
    write = Latex()
    lines = [(ratio(derivation), derivation.chain, "chain rule" if derivation.steps else "")]
    lines += [("", step.after, told_rule(step)) for step in derivation.steps]
    written = [rf"{left} &= {write(term)}" + (rf" && {text(rule)}" if rule else "") for left, term, rule in lines]
    written += [rf"{write(name)} = {ratio(lemma)} &= {write(lemma.term)}" for name, lemma in derivation.lemmas.items()]
    return "\n".join([r"\begin{aligned}", " \\\\[0.5ex]\n".join(written), r"\end{aligned}"])
