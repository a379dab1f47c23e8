from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autotiny as at
from autotiny.algebra import Simplifier, symbol
from autotiny.algebra.normal import addends, as_fraction, factors, number, total
from autotiny.algebra.term import constant

rng = np.random.default_rng(0)
a, b, c = (symbol(name, rng.uniform(1, 2, size=(3, 4))) for name in "abc")
k, v, row, column, A = (
    symbol(name, rng.normal(size=shape))
    for name, shape in (("k", ()), ("v", (4,)), ("row", (1, 4)), ("column", (3, 1)), ("A", (4, 3)))
)
SAME = [
    (lambda: a * b, lambda: b * a),
    (lambda: a * (b * c), lambda: (c * a) * b),
    (lambda: a / b / c, lambda: a / (c * b)),
    (lambda: a + (b - c), lambda: b - (c - a)),
    (lambda: -(a - b), lambda: b - a),
    (lambda: a * (-b), lambda: -(b * a)),
    (lambda: (a - b) * (c - b), lambda: (b - a) * (b - c)),
    (lambda: a * a, lambda: a**2),
    (lambda: np.square(a), lambda: a**2),
    (lambda: np.sqrt(a) * np.sqrt(a), lambda: a),
    (lambda: a + a, lambda: 2 * a),
    (lambda: a / 8, lambda: 0.125 * a),
    (lambda: a * v, lambda: a * v[None, :]),
    (lambda: a * np.broadcast_to(row, (3, 4)), lambda: a * row),
    (lambda: np.sum(-2 * a), lambda: -2 * np.sum(a)),
    (lambda: np.sum(a, axis=-1), lambda: np.sum(a, axis=1)),
    (lambda: np.sum(a, axis=(0, 1)), lambda: np.sum(a)),
    (lambda: a * np.sum(b, axis=0), lambda: a * np.sum(b, axis=0, keepdims=True)),
    (lambda: a.mT, lambda: np.swapaxes(a, 0, 1)),
    (lambda: (-a) @ A, lambda: -(a @ A)),
    (lambda: np.vdot(a, b), lambda: np.sum(b * a)),
    (lambda: at.softmax(a, axis=-2), lambda: at.softmax(a)),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_what_says_the_same_trivially_is_one_term_with_the_same_value(one, other):
    simplifier = Simplifier()
    normal = simplifier.normal(one())
    assert normal is simplifier.normal(other())
    np.testing.assert_allclose(normal.value, one().value, rtol=1e-12)


def test_normal_form_is_reached_at_once():
    simplifier = Simplifier()
    normal = simplifier.normal((A.T @ (-v[..., None] / k))[..., 0])
    assert simplifier.normal(normal) is normal


DIFFERENT = [(lambda: a / a, lambda: constant(1.0)), (lambda: a - b, lambda: b - a), (lambda: a @ A, lambda: A @ a)]


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_what_a_student_would_want_to_see_is_left(one, other):
    simplifier = Simplifier()
    assert simplifier.normal(one()) is not simplifier.normal(other())


def test_factors_and_addends_are_views_that_can_be_put_together_again():
    coefficient, found = factors(-2 * a / b)
    assert (coefficient, found) == (-2, [(a, 1), (b, -1)])
    assert total(addends(a - 3 * b), (3, 4)) is Simplifier().normal(a - 3 * b)


def test_masks_are_added_as_numbers():
    mask = a > 1.5
    np.testing.assert_array_equal(Simplifier().normal(mask + mask).value, 2 * mask.value)
    np.testing.assert_array_equal(Simplifier().normal(1 - mask).value, 1 - mask.value)


def test_a_constant_that_repeats_a_number_is_that_number():
    assert number(constant(np.full((2, 3), 0.25))) == Fraction(1, 4)
    assert number(constant(np.arange(3.0))) is None
    assert number(k) is None


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_fractions_are_the_floats_that_they_stand_for(value):
    assert float(as_fraction(value)) == value


EXPRESSIONS = st.recursive(
    st.sampled_from([a, b, row, column, k, 2, 0.5]),
    lambda parts: st.one_of(
        st.tuples(st.sampled_from([np.add, np.subtract, np.multiply, np.divide]), parts, parts),
        st.tuples(st.sampled_from([np.negative, np.square, np.exp]), parts),
    ),
    max_leaves=8,
)


def built(tree):
    return tree[0](*map(built, tree[1:])) if isinstance(tree, tuple) else tree


@given(EXPRESSIONS)
def test_every_formula_keeps_value_and_shape_through_normal_form_and_simplification(tree):
    with np.errstate(all="ignore"):
        formula = constant(built(tree) + 0 * a)
        simplifier = Simplifier()
        steps = simplifier.simplify(formula)
    result = steps[-1].after if steps else simplifier.normal(formula)
    assert result.shape == formula.shape
    assert repr(simplifier.normal(simplifier.normal(formula))) == repr(simplifier.normal(formula))
    if np.all(np.isfinite(formula.value)) and np.max(abs(formula.value)) < 1e8:
        np.testing.assert_allclose(result.value, formula.value, rtol=1e-6, atol=1e-6)
