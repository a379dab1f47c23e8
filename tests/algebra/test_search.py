"""The search for the smallest form: right on numbers, never longer than without it, bounded, by a short path."""

import numpy as np
import pytest

import autotiny as at
from autotiny.algebra import Simplifier, constant, symbol
from autotiny.algebra.cost import cost
from autotiny.algebra.equation import Equation
from autotiny.algebra.fractions import FRACTIONS, CommonDenominator, CommonSum, Division, NumberInside
from autotiny.algebra.search import EFFORT, GROWTH, STATES, WIDEST, Search
from autotiny.algebra.writing import as_text

FUNCTIONS = [np.exp, np.log, np.sin, np.cos, np.tanh, np.sqrt, np.cosh, np.sinh, at.sigmoid, np.negative, np.square]
OPERATIONS = [np.add, np.subtract, np.multiply, np.divide]
x, y, n = (symbol(name, value) for name, value in [("x", 0.7), ("y", 1.3), ("n", 5.0)])
v, w = (symbol(name, np.array(values)) for name, values in [("v", [0.4, 0.9, 1.6]), ("w", [1.2, 0.3, 0.8])])


def random_formula(rng, operations=10):
    """A formula of so many operations on shared parts, in which much may fall together."""
    parts = [x, y, v, w, constant(1), constant(2)]
    for _ in range(operations):
        a, b = (parts[i] for i in rng.integers(len(parts), size=2))
        unary = rng.random() < 0.3
        f = FUNCTIONS[rng.integers(len(FUNCTIONS))] if unary else OPERATIONS[rng.integers(len(OPERATIONS))]
        part = constant(f(a) if unary else f(a, b))
        if np.all(np.isfinite(part.value)) and np.all(abs(part.value) < 1e3):
            parts.append(part)
    return parts[-1]


def require_sound(simplifier, formula):
    """Every step leads on from the one before, and leaves the value; no form is met twice; the last is no longer."""
    start = simplifier.normal(formula)
    steps, greedy = simplifier.simplify(formula), simplifier.reduce(start)
    forms = [start, *(step.after for step in steps)]
    assert [step.before for step in steps] == forms[:-1]
    assert len(set(forms)) == len(forms)
    for form in forms:
        np.testing.assert_allclose(form.value, np.broadcast_to(formula.value, form.shape), rtol=1e-7, atol=1e-9)
    assert cost(forms[-1]) <= cost(greedy[-1].after if greedy else start)


@pytest.fixture(autouse=True)
def quiet():
    with np.errstate(all="ignore"):
        yield


@pytest.mark.parametrize("seed", range(25))
def test_the_form_that_is_found_has_the_value_of_the_formula_and_is_no_longer_than_without_search(seed):
    require_sound(Simplifier(), random_formula(np.random.default_rng(seed)))


def test_a_wrong_rule_in_the_search_fails_that_test():
    wrong = Equation("a factor is lost", lambda a, b: a * b, lambda a, b: a, lambda a, b: np.shape(b) == ())
    with pytest.raises(AssertionError):
        require_sound(Simplifier(expansions=[wrong]), constant(v + x * y))


APPLICABLE = {
    CommonDenominator: [x / y + y / x, 1 / (x + y) - x / (x + y) ** 2, v / w + y / (w * x), 2 - v / (v + y) ** 1.5],
    Division: [(x + y + v) / (x + y), (v - w + y) / (v - w), w * (x - y - 1) / (x - y) ** 2],
    NumberInside: [2 * (x / 2 + y), -v * (x - y) / 3, 0.5 * (v + w) / y],
    CommonSum: [x * (1 + y) + 1 + y, v - w + y * (v - w) ** 2, 1 - x + (1 - x) * v / w, 1 - x - y * (1 - x)],
}


@pytest.mark.parametrize("rule", FRACTIONS, ids=lambda rule: type(rule).__name__)
def test_a_rule_for_fractions_leaves_the_value(rule):
    for formula in APPLICABLE[type(rule)]:
        normal = Simplifier().normal(formula)
        after = rule.at(normal)
        assert after is not None
        assert after.shape == normal.shape
        np.testing.assert_allclose(after.value, formula.value, rtol=1e-12)


SMALLEST = [
    (lambda: 1 + np.sin(x) ** 2 / np.cos(x) ** 2, "1 + tan(x)²"),
    (lambda: at.sigmoid(x) * (1 - y) - y * at.sigmoid(-x), "σ(x) - y"),
    (lambda: 1 / (y + x) - x / (y + x) ** 2, "y / (x + y)²"),
    (lambda: 1 / x + 1 / (1 - x), "1 / x / (1 - x)"),
    (lambda: (np.exp(x) + np.exp(-x)) / 2, "cosh(x)"),
    (lambda: 2 * np.sin(x) * np.cos(x), "sin(2 * x)"),
    (lambda: np.sinh(x) ** 2 / np.cosh(x) ** 2 - 1, "tanh(x)² - 1"),
    (lambda: np.exp(2 * np.log(x)) / x, "x"),
    (lambda: (1 + x / np.sqrt(1 + x**2)) / (x + np.sqrt(1 + x**2)), "1 / sqrt(1 + x²)"),
    (lambda: x * x ** (x - 1), "x ** x"),
    (lambda: (x + y) ** 2 - x**2 - 2 * x * y, "y²"),
]


@pytest.mark.parametrize(("formula", "smallest"), SMALLEST, ids=[smallest for _, smallest in SMALLEST])
def test_terms_fall_together_by_way_of_larger_forms(formula, smallest):
    assert as_text(Simplifier().simplify(constant(formula()))[-1].after) == smallest


def test_the_search_ends_soon_where_everything_can_be_multiplied_out():
    product = constant(1)
    for i in range(WIDEST - 1):
        product = product * (x + symbol(f"c{i}", 1.0 + i))
    simplifier = Simplifier()
    search = Search(simplifier, simplifier.expansions)
    start = simplifier.normal(constant(product))
    search.smallest(start)
    assert len(search.steps) < STATES * EFFORT
    assert all(cost(state).operations <= GROWTH * cost(start).operations for state in search.steps)


def test_no_smaller_form_is_searched_for_a_formula_with_many_addends():
    simplifier, total = Simplifier(), constant(1)
    for i in range(WIDEST + 1):
        total = total + np.exp(symbol(f"c{i}", 1.0 + i))
    search = Search(simplifier, simplifier.expansions)
    steps = search.smallest(simplifier.normal(constant(total)))
    assert [step.after for step in steps] == list(search.steps)[1:]


def test_a_long_run_of_formulas_is_simplified_without_a_search_in_the_end():
    simplifier, searched = Simplifier(), 0
    for i in range(60):
        c = symbol(f"c{i}", 1.0 + i)
        before, steps = simplifier.effort, simplifier.simplify(constant(1 / (c + x) - x / (c + x) ** 2))
        searched += simplifier.effort < before
        assert (cost(steps[-1].after).operations == 3) == (before > 0)
    assert 5 < searched < 60
    assert simplifier.effort <= 0
