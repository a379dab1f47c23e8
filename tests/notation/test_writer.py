import xml.etree.ElementTree as ET

import numpy as np
import pytest
from hypothesis import given, settings

from autotiny.algebra import symbol, topological_order
from autotiny.algebra.writing import as_latex, as_mathml, as_numpy, as_text
from autotiny.derivation.program import identifier
from autotiny.language.paper.cursor import Vocabulary
from autotiny.language.paper.evaluation import Convention, PaperEvaluation
from autotiny.language.paper.formulas import parse
from autotiny.language.paper.names import Names
from derivation.formulas import A2, WRITTEN, Z1, A, B, G, Y, m, random_formulas, w

HOSTILE = ['"><script>', r"\input{x}", "a_b{}$&%#^~", "‮evil", "x; rm -r", "</math>", "{0}", "  "]


@pytest.mark.parametrize(("term", "text"), WRITTEN, ids=[text for _, text in WRITTEN])
def test_formula_is_written_as_people_write_it(term, text):
    assert as_text(term) == text


@pytest.mark.parametrize("term", [term for term, _ in WRITTEN], ids=[text for _, text in WRITTEN])
def test_mathml_is_well_formed_and_one_element(term):
    assert len(ET.fromstring(f"<math>{as_mathml(term)}</math>")) == 1


@pytest.mark.parametrize("term", [term for term, _ in WRITTEN], ids=[text for _, text in WRITTEN])
def test_latex_closes_what_it_opens(term):
    latex = as_latex(term)
    assert latex.count("{") - latex.count(r"\{") == latex.count("}") - latex.count(r"\}")
    assert latex.count(r"\left") == latex.count(r"\right")


def read_back(term, text):
    """The value that the text has when it is read as textbook notation."""
    symbols = [part for part in topological_order(term) if part.name is not None]
    scope = {identifier(part.name): part.value for part in symbols}
    names = {part.name: identifier(part.name) for part in symbols}
    (statement,) = parse(text, Vocabulary(Names(names)))
    kept = Convention(keepdims=True)  # on paper sums keep their axes, and a row is a vector
    value = PaperEvaluation(text, scope, kept, term.shape).evaluate(statement.sides[0])
    return np.reshape(value, term.shape) if np.size(value) == term.size else value


@settings(max_examples=300, deadline=None)
@given(random_formulas)
def test_text_that_is_read_back_has_the_value_of_the_formula(term):
    with np.errstate(all="ignore"):
        value = read_back(term, as_text(term))
    largest = np.max(np.abs(term.value), initial=0)
    np.testing.assert_allclose(np.broadcast_to(value, term.shape), term.value, atol=1e-10 * largest, rtol=0)


@settings(max_examples=300, deadline=None)
@given(random_formulas)
def test_numpy_code_has_exactly_the_value_of_the_formula(term):
    symbols = {part: identifier(part.name) for part in topological_order(term) if part.name is not None}
    value = eval(as_numpy(term, symbols), {"np": np, **{name: part.value for part, name in symbols.items()}})
    np.testing.assert_array_equal(value, term.value)


def test_a_term_with_a_name_is_written_by_its_name():
    E = np.exp(A)
    assert as_text(E / np.sum(E, axis=0), {E: "E"}) == "E / sum(E, axis=0)"


def test_a_deep_formula_needs_no_recursion():
    term = A
    for _ in range(3000):
        term = np.tanh(term)
    assert as_text(term).count("tanh") == 3000


@pytest.mark.parametrize(
    ("term", "latex"),
    [
        ((A2 - Y) / m, r"\frac{A_{2} - Y}{m}"),
        (G * (Z1 > 0), r"\mathrm{d}Z_{2} \odot \mathbb{1}\left[Z_{1} > 0\right]"),
        (A * np.sum(B, axis=0) - Y, r"A \odot \sum_{\text{axis 0}} B - Y"),
        (np.sum(B, axis=0) * A, r"\left(\sum_{\text{axis 0}} B\right) \odot A"),
        (A * np.sum(B, axis=0) * Y, r"\left(A \odot \sum_{\text{axis 0}} B\right) \odot Y"),
        ((2 * A) @ w, r"\left(2 \, A\right) \, w"),
        (symbol("W[1]", np.eye(2)).T, r"{W^{[1]}}^\top"),
        (symbol("theta_max", 1.0) * A, r"\theta_{\mathrm{max}} \, A"),
        (symbol("Z1″", 1.0), r"{Z_{1}^{\prime\prime}}"),
    ],
)
def test_latex(term, latex):
    assert as_latex(term) == latex


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_do_no_harm(name):
    term = symbol(name, np.eye(2)) + A[:2, :2]
    assert len(ET.fromstring(f"<math>{as_mathml(term)}</math>")) == 1
    assert r"\input" not in as_latex(term)
    assert identifier(name).isidentifier()


def test_mathml_shows_a_mask_and_a_transpose():
    markup = as_mathml(A.T @ G * (Z1 > 0))
    assert "<mo>⊤</mo>" in markup
    assert "𝟙" in markup
    assert "&gt;" in markup


def test_a_formula_that_shares_its_parts_stays_short():
    term = A2
    for _ in range(60):  # written out, it would have 2 to the power of 60 parts
        term = np.tanh(term + term * term)
    text = as_text(term)
    assert len(text) < 5000
    assert text.startswith("tanh(u59 + u59 * u59) where u1 = tanh(A2 + A2 * A2), u2 = tanh(u1 + u1 * u1), ")
    assert len(ET.fromstring(f"<math>{as_mathml(term)}</math>")) == 1
    assert r"\text{ where }" in as_latex(term)
