"""Rules that follow from the definitions of names."""

import numpy as np
import pytest

from autotiny.algebra import Simplifier, symbol
from autotiny.algebra.writing import as_text
from autotiny.derivation.definitions import InsideSums, Shares, Solved, rules_of
from autotiny.derivation.readable import readable
from autotiny.ops.activations import softmax

rng = np.random.default_rng(0)
E, Z, G = (symbol(name, rng.uniform(0.5, 2, size=(3, 4))) for name in "EZG")
n = symbol("n", 3.0)
r = symbol("r", rng.uniform(0.5, 2, size=(1, 4)))


def rewritten(rule, formula):
    """The formula as the rule rewrites it, which must have the same value."""
    simplifier = Simplifier()
    before = simplifier.normal(formula)
    after = simplifier.apply(rule, before)
    np.testing.assert_allclose(after.value, before.value)
    return as_text(readable(after))


def rule(kind, sign, made):
    """The rule of a kind that a definition gives; None if it gives none."""
    return next((rule for rule in rules_of(sign, Simplifier().normal(made)) if isinstance(rule, kind)), None)


def name_of(made):
    return symbol("s", made.value)


@pytest.mark.parametrize("made", [E / np.sum(E, axis=0, keepdims=True), softmax(Z)])
def test_shares_of_a_sum_add_up_to_1(made):
    s = name_of(made)
    assert rewritten(rule(Shares, s, made), np.sum(s, axis=0, keepdims=True) * G) == "G"
    assert rewritten(rule(Shares, s, made), np.sum(s * (G + r), axis=0, keepdims=True)) == "r + sum(G * s, axis=0)"


def test_shares_do_not_add_up_along_the_other_axis():
    made = E / np.sum(E, axis=0, keepdims=True)
    s = name_of(made)
    assert rewritten(rule(Shares, s, made), np.sum(s, axis=1, keepdims=True)) == "sum(s, axis=1)"


def test_quotients_by_another_sum_are_no_shares():
    made = E / np.sum(Z, axis=0, keepdims=True)
    assert rule(Shares, name_of(made), made) is None


def test_definition_is_solved_for_what_it_scales():
    made = np.sum(E, axis=0, keepdims=True) / n
    s = name_of(made)
    assert rewritten(rule(Solved, s, made), G * np.sum(E, axis=0, keepdims=True)) == "n * G * s"


def test_definition_by_a_sum_is_not_solved():
    made = (E - Z) / n
    assert rule(Solved, name_of(made), made) is None


def test_divisor_goes_into_a_sum_where_a_name_has_it():
    made = E / r
    s = name_of(made)
    formula = np.sum(G * E, axis=0, keepdims=True) / r**2
    assert rewritten(rule(InsideSums, s, made), formula) == "sum(G * s, axis=0) / r"


def test_divisor_that_differs_along_the_sum_stays_outside():
    made = E / Z
    s = name_of(made)
    formula = np.sum(G * E, axis=0, keepdims=True) / Z
    assert rewritten(rule(InsideSums, s, made), formula) == "sum(E * G, axis=0) / Z"
