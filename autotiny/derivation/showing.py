"""A derivation as text for a terminal: every step with its rule, what it needed, and its error."""

from __future__ import annotations

import html
import re
import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING

from autotiny.algebra.writing import as_latex, as_mathml, as_text
from autotiny.notation.latex import text

if TYPE_CHECKING:
    from autotiny.algebra.term import Term
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
    yield from wrapped(as_text(derivation.chain), "      ")
    for step in derivation.steps:
        yield from _step(step)


def _step(step: Step) -> Iterator[str]:
    *lines, last = textwrap.wrap(told_rule(step), ERROR_AT - 4) or [""]
    yield from (f"  {line}" for line in lines)
    yield f"  {last}".ljust(ERROR_AT) + told_error(step.error)
    yield from wrapped(as_text(step.after), "    = ", "      ")


def _lemmas(derivation: Derivation) -> Iterator[str]:
    for name, lemma in derivation.lemmas.items():
        yield from wrapped(f"where {as_text(name)} = {lemma.name} = {lemma.formula}", "", "    ")


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


# ----- typeset -----
# A derivation in LaTeX, aligned at the equals signs.


def latex_ratio(derivation: Derivation) -> str:
    r"""\frac{\partial J}{\partial Z_2}"""
    above, below = (rf"\partial {as_latex(symbol)}" for symbol in (derivation.output, derivation.target))
    return rf"\frac{{{above}}}{{{below}}}"


def formula(derivation: Derivation) -> str:
    """The result as one equation."""
    return f"{latex_ratio(derivation)} = {as_latex(derivation.term)}"


def latex_steps(derivation: Derivation) -> str:
    """Every step on a line with its rule, then what the formula names."""
    lines = [(latex_ratio(derivation), derivation.chain, "chain rule" if derivation.steps else "")]
    lines += [("", step.after, told_rule(step)) for step in derivation.steps]
    written = [rf"{left} &= {as_latex(term)}" + (rf" && {text(rule)}" if rule else "") for left, term, rule in lines]
    written += [
        rf"{as_latex(symbol)} = {latex_ratio(lemma)} &= {as_latex(lemma.term)}"
        for symbol, lemma in derivation.lemmas.items()
    ]
    return "\n".join([r"\begin{aligned}", " \\\\[0.5ex]\n".join(written), r"\end{aligned}"])


# ----- page -----
# A derivation as HTML, its formulas as MathML: no LaTeX, no scripts, light or dark.


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
        html_steps(derivation),
        f'<p style="{LINE};{MUTED}">{_verdict(derivation)}</p>',
    ]
    return f'<div class="derivation" style="overflow-x:auto">{STYLE}{"".join(parts)}</div>'


def equation(derivation: Derivation) -> str:
    """The result in one line."""
    return _math(html_ratio(derivation) + EQUALS + as_mathml(derivation.term), derivation.term)


def html_steps(derivation: Derivation) -> str:
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
    cells = (_math(EQUALS + as_mathml(term), term), rule, error)
    return f"<tr>{''.join(f'<td style={CELL!r}>{cell}</td>' for cell in cells)}</tr>"


def _rule(step: Step) -> str:
    needed = f'<br /><span style="{MUTED}">{html.escape(step.condition)}</span>' if step.condition else ""
    return html.escape(step.rule) + needed


def _lemma(name: Term, lemma: Derivation) -> str:
    return _math(as_mathml(name) + EQUALS + html_ratio(lemma) + EQUALS + as_mathml(lemma.term), lemma.term)


def _picks(derivation: Derivation) -> str:
    picks = derivation.picks()
    return f'<p style="{LINE};{MUTED}">holds on the data: {html.escape(picks)}</p>' if picks else ""


def _verdict(derivation: Derivation) -> str:
    if derivation.ok:
        return f"✓ agrees with backprop on the recorded values; largest error {told_error(derivation.max_error)}"
    return f"<strong>✗ does not agree with backprop: an error of {derivation.max_error:.1e}</strong>"


def html_ratio(derivation: Derivation) -> str:
    """∂J/∂Z2 as a fraction."""
    above, below = (f"<mrow><mo>∂</mo>{as_mathml(symbol)}</mrow>" for symbol in (derivation.output, derivation.target))
    return f"<mfrac>{above}{below}</mfrac>"


def _math(markup: str, term: Term) -> str:
    said = html.escape(as_text(term))
    return f'<math displaystyle="true" alttext="{said}" style="{FORMULA}"><mrow>{markup}</mrow></math>'
