"""Derivation: a gradient's formula with the steps that lead to it, as text, LaTeX, HTML, code, and entry by entry."""

import html
import re
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

from autotiny.algebra import Term
from autotiny.algebra.writing import as_latex, as_mathml, as_text
from autotiny.derivation.elements import ElementView, elements
from autotiny.derivation.matching import Match, match
from autotiny.derivation.points import Gradients
from autotiny.derivation.program import NumpyFunction, numpy_function
from autotiny.derivation.steps import DerivedGradient, Step
from autotiny.diagnosis import GraphContext
from autotiny.engine import graph
from autotiny.engine.call_site import caller_scope
from autotiny.engine.gradients import seed
from autotiny.errors import UnsupportedError
from autotiny.notation.notations import text

# ----- text for a terminal -----


WIDTH, ERROR_AT = 79, 73
BOUND = "\N{NO-BREAK SPACE}"


def terminal(derivation: DerivedGradient) -> str:
    """Return the formula, its steps line by line, the gradients that it names, and the comparison with backprop."""
    result = wrapped(f"{derivation.name} = {derivation.formula}", "", "    ")
    where = list(_lemmas(derivation))
    way = ["", *_way(derivation), ""] if derivation.steps else []
    picks = derivation.picks()
    condition = wrapped(f"holds on the data: {picks}", "", "    ") if picks else []
    return "\n".join([*result, *where, *condition, *way, verdict(derivation)])


def _way(derivation: DerivedGradient) -> Iterator[str]:
    yield "  the chain rule".ljust(ERROR_AT) + "error"
    yield from wrapped(as_text(derivation.chain), "      ")
    for step in derivation.steps:
        yield from _step(step)


def _step(step: Step) -> Iterator[str]:
    *lines, last = textwrap.wrap(step.label, ERROR_AT - 4) or [""]
    yield from (f"  {line}" for line in lines)
    yield f"  {last}".ljust(ERROR_AT) + one_digit(step.error)
    yield from wrapped(as_text(step.after), "    = ", "      ")


def _lemmas(derivation: DerivedGradient) -> Iterator[str]:
    for name, lemma in derivation.lemmas.items():
        of = "".join(f", {as_text(z)} = {as_text(made)}" for z, made in lemma.unnamed.items())
        yield from wrapped(f"where {as_text(name)} = {lemma.name} = {lemma.formula}{of}", "", "    ")


def verdict(derivation: DerivedGradient) -> str:
    """Return a sentence on whether the formula agrees with backprop."""
    if derivation.ok:
        at_once = "" if derivation.steps else "The chain rule says it at once.\n"
        error = one_digit(derivation.max_error)
        return f"{at_once}It agrees with backprop on the recorded values; largest error {error}"
    return f"IT DOES NOT AGREE with backprop on the recorded values: an error of {derivation.max_error:.1e}."


def one_digit(error: float) -> str:
    """Return an error to one digit."""
    return f"{error:.0e}" if error else "0"


def wrapped(formula: str, first: str, rest: str | None = None) -> list[str]:
    """The formula in lines that begin with a sign where it is too long for one.

    >>> print("\\n".join(wrapped(" + ".join(["a_long_name * another"] * 4), "    = ", "      ")))
        = a_long_name * another + a_long_name * another + a_long_name * another
          + a_long_name * another
    """
    bound = re.sub(r"(^|(?<= ))([-+*/=><≤≥≠·]|and|or) ", rf"\2{BOUND}", formula)
    bound = re.sub(r", (?=\w+=)|(?<=\[)[^\[\]]*(?=\])", lambda match: match[0].replace(" ", BOUND), bound)
    lines = textwrap.wrap(
        bound, WIDTH, initial_indent=first, subsequent_indent=first if rest is None else rest,
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip
    return [line.replace(BOUND, " ") for line in lines]


# ----- LaTeX, aligned at the equals signs -----
def latex_ratio(derivation: DerivedGradient) -> str:
    r"""\frac{\partial J}{\partial Z_2}"""
    above, below = (rf"\partial {as_latex(symbol)}" for symbol in (derivation.output, derivation.target))
    return rf"\frac{{{above}}}{{{below}}}"


def latex_equation(derivation: DerivedGradient) -> str:
    """Return the result as one equation."""
    return f"{latex_ratio(derivation)} = {as_latex(derivation.term)}"


def latex_steps(derivation: DerivedGradient) -> str:
    """Return every step on a line with its rule, then the gradients that the formula names."""
    lines = [(latex_ratio(derivation), derivation.chain, "chain rule" if derivation.steps else "")]
    lines += [("", step.after, step.label) for step in derivation.steps]
    rows = [rf"{left} &= {as_latex(term)}" + (rf" && {text(rule)}" if rule else "") for left, term, rule in lines]
    rows += [
        rf"{as_latex(symbol)} = {latex_ratio(lemma)} &= {as_latex(lemma.term)}"
        for symbol, lemma in derivation.lemmas.items()
    ]
    unnamed = [item for lemma in derivation.lemmas.values() for item in lemma.unnamed.items()]
    rows += [rf"{as_latex(z)} &= {as_latex(made)}" for z, made in unnamed]
    return "\n".join([r"\begin{aligned}", " \\\\[0.5ex]\n".join(rows), r"\end{aligned}"])


# ----- HTML with MathML: no scripts, light or dark -----
FONTS = "'Latin Modern Math','STIX Two Math','Cambria Math','Libertinus Math','DejaVu Math TeX Gyre',math,serif"
FORMULA = f"font-family:{FONTS};font-size:1.15em"
# Fonts without a table for mathematics let denominators touch the bar.
STYLE = "<style>.derivation mfrac>*{padding:0.1em 0.15em}.derivation td:last-child{white-space:nowrap}</style>"
CELL = "text-align:left;vertical-align:middle;padding:0.45em 1em 0.45em 0"
LINE = "margin:0.6em 0"
MUTED = "opacity:0.75;font-size:0.9em"
EQUALS = "<mo>=</mo>"


def page(derivation: DerivedGradient) -> str:
    """Return the formula with the gradients that it names, a table of the steps, and the comparison with backprop."""
    where = [_lemma(name, lemma) for name, lemma in derivation.lemmas.items()]
    parts = [
        f'<p style="{LINE}">{"&ensp; where ".join([equation(derivation), *where])}</p>',
        _picks(derivation),
        html_steps(derivation),
        f'<p style="{LINE};{MUTED}">{_verdict(derivation)}</p>',
    ]
    return f'<div class="derivation" style="overflow-x:auto">{STYLE}{"".join(parts)}</div>'


def equation(derivation: DerivedGradient) -> str:
    """The result in one line."""
    return _math(html_ratio(derivation) + EQUALS + as_mathml(derivation.term), derivation.term)


def html_steps(derivation: DerivedGradient) -> str:
    """A row for each step: the formula, the rule with its condition, the error; empty where there are none."""
    if not derivation.steps:
        return ""
    rows = [_row(derivation.chain, "the chain rule", "")]
    rows += [_row(step.after, _rule(step), one_digit(step.error)) for step in derivation.steps]
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


def _lemma(name: Term, lemma: DerivedGradient) -> str:
    gradient = _math(as_mathml(name) + EQUALS + html_ratio(lemma) + EQUALS + as_mathml(lemma.term), lemma.term)
    of = [_math(as_mathml(z) + EQUALS + as_mathml(made), made) for z, made in lemma.unnamed.items()]
    return ",&ensp; ".join([gradient, *of])


def _picks(derivation: DerivedGradient) -> str:
    picks = derivation.picks()
    return f'<p style="{LINE};{MUTED}">holds on the data: {html.escape(picks)}</p>' if picks else ""


def _verdict(derivation: DerivedGradient) -> str:
    if derivation.ok:
        return f"✓ agrees with backprop on the recorded values; largest error {one_digit(derivation.max_error)}"
    return f"<strong>✗ does not agree with backprop: an error of {derivation.max_error:.1e}</strong>"


def html_ratio(derivation: DerivedGradient) -> str:
    """∂J/∂Z2 as a fraction."""
    above, below = (f"<mrow><mo>∂</mo>{as_mathml(symbol)}</mrow>" for symbol in (derivation.output, derivation.target))
    return f"<mfrac>{above}{below}</mfrac>"


def _math(markup: str, term: Term) -> str:
    alternative = html.escape(as_text(term))
    return f'<math displaystyle="true" alttext="{alternative}" style="{FORMULA}"><mrow>{markup}</mrow></math>'


class Derivation(DerivedGradient):
    """dJ/d(target) as a formula, with the steps that lead to it; prints as the whole derivation.

    `formula` is the formula as text, `ok` whether it agrees with backprop, `max_error` the largest error, `steps` the
    rules that were applied, and `lemmas` the derivations of the gradients that the formula names.
    """

    def latex(self, steps: bool = True) -> str:
        """The derivation in LaTeX (amsmath, amssymb), aligned at the equals signs; without steps, its result alone."""
        return latex_steps(self) if steps else latex_equation(self)

    def numpy(self) -> NumpyFunction:
        """The gradient as a NumPy function of the inputs of the run, without branches and loops.

        It prints as its source and is called like it: `f = derivation.numpy(); f(X, Y, W1, b1, W2, b2)`. The target is
        a parameter even if its gradient does not use it, unless the target is a computed result. Entries that the run
        picked by a sort or a mask keep their indices on other data; the function's docstring lists them.
        Raises UnsupportedError where an operation has no counterpart in NumPy.
        """
        equation = f"{self.name} = {self.formula}"
        definitions = self.definitions | self.run.constants
        return numpy_function(f"d{self.target.name}", self.term, definitions, equation, [self.target])

    def elements(self, *place: int) -> ElementView:
        """The same derivation in index notation for one entry: the one at an index, or the largest."""
        return elements(self, place or None)

    def matches(self, formula: str, scope: Mapping[str, Any] | None = None) -> Match:
        r"""Compare a typed formula with the gradient, and describe the difference.

        It may be NumPy code, MATLAB's, LaTeX or what stands on paper, over the names in your code and those of the
        gradients by all tensors of the run: "1/m (A2 - Y)", "∂J/∂W2 = dZ2 A1ᵀ", "dA1 ⊙ g'(Z1)", r"\frac{1}{m} Z".
        Of an equation all sides are compared; earlier lines may define names. What the notation leaves open is chosen
        so that the formula is right, if it can be, and `.read_as` says how. It is compared with the derived formula on
        the recorded values, and on other values of the tracked tensors, except those whose values a step relies on;
        symmetric matrices stay symmetric there, and so on, and `.condition` says where that was needed. `scope` gives
        other names; by default, your variables. Raises ExpressionError if the formula cannot be parsed, with the
        place, and UnsupportedError if it is not text.
        """
        if not isinstance(formula, str):
            raise UnsupportedError(
                f"matches: expected the formula as text, as in d.matches('2 * x'); got {type(formula).__name__}"
            )
        needed = " ".join(self.conditions())
        relied_on = {x for x in self.run.tracked if re.search(rf"\b{re.escape(x.name or '')}\b", needed)}
        free = [x for x in self.run.tracked if x not in relied_on]
        others = caller_scope() if scope is None else scope
        gradients = Gradients(self.output, self.run.definitions, self.run.tracked)
        return match(
            formula,
            self.term,
            self.definitions,
            free,
            others,
            gradients,
            self.target,
            relied_on,
            self._graph(others),
        )

    def _graph(self, scope: Mapping[str, Any]) -> GraphContext | None:
        """Return the context of the recorded graph, in which slips are looked for; None if the output is no number."""
        tensors = {term: x for x, term in self.run.symbols.items()}
        output, x = tensors.get(self.output), tensors.get(self.target)
        if output is None or x is None or output.size != 1:
            return None
        names = {tensor: term.name for tensor, term in self.run.symbols.items() if term.name}
        return GraphContext(
            output, seed(output, None), x, graph.names(graph.topological_order(output), {}) | names, scope
        )

    def __repr__(self) -> str:
        return terminal(self)

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.latex()}$"

    def _repr_html_(self) -> str:
        return page(self)
