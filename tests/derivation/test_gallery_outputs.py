"""Every item of the gallery as a program, as a match, as a page and as LaTeX."""

import functools
import inspect
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from autotiny.derivation.points import moved as _moved
from autotiny.derivation.program import identifier, values
from derivation.gallery import GALLERY

derived = functools.cache(lambda run: run())
CASES = pytest.mark.parametrize("run", [run for _, run, _ in GALLERY], ids=[name for name, *_ in GALLERY])


def elsewhere(derivation):
    """Other values of what the run started from."""
    rng = np.random.default_rng(5)
    run = derivation.run
    inputs = sorted(run.tracked - run.definitions.keys(), key=lambda x: x.number)  # in one order: no kink is near
    return {x: _moved(x.value, rng) for x in inputs}


def loss(derivation, given):
    return float(values([derivation.output], derivation.run.definitions, given)[derivation.output])


def slope(derivation, given, direction):
    """dJ/dε of J(x + ε direction), by a central difference, which knows nothing of rules."""
    target, step = derivation.target, 1e-5
    here = values([derivation.output, target], derivation.run.definitions, given)[target]
    above, below = (loss(derivation, {**given, target: here + s * direction}) for s in (step, -step))
    return (above - below) / (2 * step)


@CASES
def test_numpy_function_has_the_slope_of_the_loss_on_other_values(run):
    for derivation in derived(run):
        given = elsewhere(derivation)
        function = derivation.numpy()
        known = {identifier(x.name): v for x, v in given.items()}
        made_of = values([derivation.term], derivation.definitions, {})
        known |= {identifier(x.name): x.value for x in made_of if x.name and x not in given}
        gradient = function(**{name: known[name] for name in inspect.signature(function).parameters})
        direction = np.random.default_rng(6).normal(size=derivation.target.shape)
        np.testing.assert_allclose(
            np.sum(gradient * direction), slope(derivation, given, direction), rtol=1e-6, atol=1e-8
        )


@CASES
def test_formula_that_is_printed_is_the_gradient_when_it_is_typed(run):
    for derivation in derived(run):
        assert derivation.matches(derivation.formula)


@CASES
def test_latex_and_code_that_are_printed_are_the_gradient_when_they_are_typed(run):
    for derivation in derived(run):
        assert derivation.matches(derivation.latex(steps=False))
        assert derivation.matches(repr(derivation.numpy()))


@CASES
def test_every_step_in_latex_is_the_gradient_when_it_is_typed(run):
    found = derived(run)[0].matches(derived(run)[0].latex())
    assert found, found.difference


@CASES
def test_formula_with_a_factor_too_many_is_not_the_gradient(run):
    for derivation in derived(run):
        found = derivation.matches(f"2.7 * ({derivation.formula})")
        assert not found
        assert found.difference == "2.7 times the gradient"


@CASES
def test_every_derivation_is_shown_on_every_surface(run):
    for derivation in derived(run):
        assert max(map(len, repr(derivation).splitlines())) < 80
        ET.fromstring(derivation._repr_html_().replace("&ensp;", " "))
        latex = derivation.latex()
        assert latex.count(r"\left") == latex.count(r"\right")
        assert latex.isascii()  # pdfLaTeX and KaTeX know few other signs among words
