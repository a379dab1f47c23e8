"""A derivation as HTML, its formulas as MathML: no LaTeX, no scripts, light or dark."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

from autotiny.derivation.mathml import MathML
from autotiny.derivation.terminal import told_error
from autotiny.derivation.unicode import Unicode

if TYPE_CHECKING:
    from autotiny.algebra.term import Term
    from autotiny.derivation.derivation import Derivation
    from autotiny.derivation.steps import Step

FONTS = "'Latin Modern Math','STIX Two Math','Cambria Math','Libertinus Math',math,serif"
FORMULA = f"font-family:{FONTS};font-size:1.15em"
# Fonts without a table for mathematics let denominators touch the bar.
STYLE = "<style>.derivation mfrac>*{padding:0.1em 0.15em}.derivation td:last-child{white-space:nowrap}</style>"
CELL = "text-align:left;vertical-align:middle;padding:0.45em 1em 0.45em 0"
LINE = "margin:0.6em 0"
MUTED = "opacity:0.75;font-size:0.9em"
EQUALS = "<mo>=</mo>"


def page(derivation: Derivation) -> str:
    """The result, the steps to it as a table, what it names, and how well it holds."""
    where = [_lemma(name, lemma) for name, lemma in derivation.lemmas.items()]
    parts = [
        f'<p style="{LINE}">{"&ensp; where ".join([equation(derivation), *where])}</p>',
        _picks(derivation),
        steps(derivation),
        f'<p style="{LINE};{MUTED}">{_verdict(derivation)}</p>',
    ]
    return f'<div class="derivation" style="overflow-x:auto">{STYLE}{"".join(parts)}</div>'


def equation(derivation: Derivation) -> str:
    """The result in one line."""
    return _math(ratio(derivation) + EQUALS + MathML()(derivation.term), derivation.term)


def steps(derivation: Derivation) -> str:
    """A row for each step: the formula, the rule with its condition, the error; empty where there are none."""
    if not derivation.steps:
        return ""
    rows = [_row(derivation.chain, "the chain rule", "")]
    rows += [_row(step.after, _rule(step), told_error(step.error)) for step in derivation.steps]
    head = "".join(f'<th scope="col" style="{CELL};{MUTED}">{name}</th>' for name in ("", "rule", "error"))
    return (
        '<table style="border-collapse:collapse;font-variant-numeric:tabular-nums">'
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
    )


def _row(term: Term, rule: str, error: str) -> str:
    cells = (_math(EQUALS + MathML()(term), term), rule, error)
    return f"<tr>{''.join(f'<td style={CELL!r}>{cell}</td>' for cell in cells)}</tr>"


def _rule(step: Step) -> str:
    needed = f'<br /><span style="{MUTED}">{html.escape(step.condition)}</span>' if step.condition else ""
    return html.escape(step.rule) + needed


def _lemma(name: Term, lemma: Derivation) -> str:
    return _math(MathML()(name) + EQUALS + ratio(lemma) + EQUALS + MathML()(lemma.term), lemma.term)


def _picks(derivation: Derivation) -> str:
    picks = derivation.picks()
    return f'<p style="{LINE};{MUTED}">holds on the data: {html.escape(picks)}</p>' if picks else ""


def _verdict(derivation: Derivation) -> str:
    if derivation.ok:
        return f"✓ agrees with backprop on the recorded values; largest error {told_error(derivation.max_error)}"
    return f"<strong>✗ does not agree with backprop: an error of {derivation.max_error:.1e}</strong>"


def ratio(derivation: Derivation) -> str:
    """∂J/∂Z2 as a fraction."""
    above, below = (f"<mrow><mo>∂</mo>{MathML()(symbol)}</mrow>" for symbol in (derivation.output, derivation.target))
    return f"<mfrac>{above}{below}</mfrac>"


def _math(markup: str, term: Term) -> str:
    said = html.escape(Unicode()(term))
    return f'<math displaystyle="true" alttext="{said}" style="{FORMULA}"><mrow>{markup}</mrow></math>'
