"""Every row of the table on random arrays: both of its sides, and what it makes of a formula that it is found in."""

import dataclasses

import numpy as np
import pytest

from autotiny.algebra import Simplifier, symbol
from autotiny.algebra.pattern import variables
from autotiny.algebra.rewrites import EXPANSIONS, ROWS, Row
from autotiny.algebra.stable import STABLE

SHAPES = [(), (3,), (4,), (3, 4), (4, 3), (3, 3), (1, 4), (3, 1), (4, 1)]
OPTIONS = {
    "axis": [0, 1, (0, 1)],
    "shape": [(3, 4), (4, 3), (3, 3)],
    "s": [(3, 1), (4, 1), (1, 3), (1, 4)],
}
KINDS = {
    "any": lambda rng, shape: rng.normal(size=shape),
    "positive": lambda rng, shape: rng.uniform(0.5, 2, size=shape),
    "same": lambda rng, shape: np.full(shape, rng.normal()),
    "identity": lambda rng, shape: np.eye(3),
}
WANTED = 30


def draw(row, rng):
    """Random values for the variables of a row."""
    return [drawn(name, rng) for name in variables(row.pattern)]


def drawn(name, rng):
    if name in OPTIONS:
        return OPTIONS[name][rng.integers(len(OPTIONS[name]))]
    shape = SHAPES[rng.integers(len(SHAPES))]
    return rng.normal(size=shape) > 0 if name == "mask" else KINDS[rng.choice(list(KINDS))](rng, shape)


def instances(row, rng):
    """Values on which the pattern can be computed and the side condition holds."""
    found = 0
    for _ in range(100_000):
        values = draw(row, rng)
        try:
            with np.errstate(all="ignore"):
                left = row.pattern(*values)
                fits = np.all(np.isfinite(left)) and row.condition(*values)
        except (ValueError, TypeError, IndexError, AttributeError, np.exceptions.AxisError, np.linalg.LinAlgError):
            continue
        if fits:
            yield values, left
            found += 1
            if found == WANTED:
                return
    raise AssertionError(f"only {found} random instances of {row.name}")


def require_equal(right, left):
    right, left = reshaped(np.asarray(right, float), left), np.asarray(left, float)
    np.testing.assert_allclose(right, left, rtol=1e-9, atol=1e-9)


def reshaped(right, left):
    same = np.size(right) == np.size(left)
    return np.reshape(right, np.shape(left)) if same else np.broadcast_to(right, np.shape(left))


def require_sides_equal(row, rng):
    for values, left in instances(row, rng):
        require_equal(row.replacement(*values), left)


def require_matches_equal(row, rng):
    """The row found in a formula, among other factors, leaves its value as it is."""
    applied = 0
    for values, _ in instances(row, rng):
        names = variables(row.pattern)
        given = [v if n in OPTIONS else symbol(n, v) for n, v in zip(names, values, strict=True)]
        simplifier = Simplifier()
        with np.errstate(all="ignore"):
            formula = simplifier.normal(row.pattern(*given) * symbol("k", 3.0) + 1)
            after = simplifier.apply(row, formula)
        applied += after is not formula
        require_equal(after.value, formula.value)
    return applied


def identity(row):
    return row.name.replace(" ", "_")


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.mark.parametrize("row", [*ROWS, *EXPANSIONS, *STABLE], ids=identity)
def test_both_sides_of_a_row_are_equal_on_random_arrays(row, rng):
    require_sides_equal(row, rng)


@pytest.mark.parametrize("row", [*ROWS, *EXPANSIONS, *STABLE], ids=identity)
def test_a_row_that_is_found_in_a_formula_leaves_its_value(row, rng):
    require_matches_equal(row, rng)


def with_an_infinity(value):
    if not isinstance(value, np.ndarray) or value.dtype != float:
        return value
    return np.where(np.arange(value.size).reshape(value.shape) == 1, np.inf, value)


@pytest.mark.parametrize("row", [row for row in ROWS if row.exact], ids=identity)
def test_an_exact_row_keeps_nan_and_inf(row, rng):
    for values, _ in list(instances(row, rng))[:5]:
        values = [with_an_infinity(v) for v in values]
        try:
            with np.errstate(all="ignore"):
                left, right = row.pattern(*values), row.replacement(*values)
                holds = row.condition(*values)
        except (ValueError, TypeError, np.linalg.LinAlgError):
            continue
        if holds:
            assert not np.any(np.isfinite(left) & ~np.isfinite(reshaped(right, left)))


def require_finite_where_the_pattern_overflows(row, rng):
    """At arguments that NumPy's widest numbers can take to exp, and float64 cannot."""
    for values, _ in list(instances(row, rng))[:5]:
        large = [800 * v if isinstance(v, np.ndarray) else v for v in values]
        wide = [v.astype(np.longdouble) if isinstance(v, np.ndarray) else v for v in large]
        np.testing.assert_allclose(row.replacement(*large), row.pattern(*wide).astype(float), rtol=1e-9, atol=1e-18)


@pytest.mark.skipif(np.finfo(np.longdouble).maxexp < 2**14, reason="no numbers that are wide enough")
@pytest.mark.parametrize("row", [row for row in (*ROWS, *STABLE) if row.stable], ids=identity)
def test_a_stable_row_is_right_where_its_pattern_overflows(row, rng):
    require_finite_where_the_pattern_overflows(row, rng)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_row_that_overflows_is_not_stable(rng):
    back = Row("softplus as it is written", lambda x: np.logaddexp(x, 0), lambda x: np.log(1 + np.exp(x)))
    with pytest.raises(AssertionError):
        require_finite_where_the_pattern_overflows(back, rng)


WRONG = [
    Row("transpose without exchange", lambda a, b: np.transpose(a @ b), lambda a, b: a.T @ b.T),
    Row("off by 0.05 %", lambda x: np.exp(np.log(x)), lambda x: 1.0005 * x),
    Row("any factor moves out", lambda c, x, axis: np.sum(c * x, axis=axis, keepdims=True),
        lambda c, x, axis: c * np.sum(x, axis=axis, keepdims=True), rest=("x",)),
    Row("a difference cancels", lambda f, a, b: f * a - f * b, lambda f, a, b: f * (a + b), rest=("a", "b")),
]  # fmt: skip


@pytest.mark.parametrize("row", WRONG, ids=identity)
def test_a_wrong_row_fails(row, rng):
    with pytest.raises((AssertionError, ValueError)):
        require_sides_equal(row, rng)


def test_a_row_without_its_side_condition_fails(rng):
    broken = 0
    for row in ROWS:
        bare = dataclasses.replace(row, condition=lambda *_: True)
        try:
            require_sides_equal(bare, rng)
        except (AssertionError, ValueError, TypeError, IndexError, AttributeError):
            broken += 1
    assert broken >= 15
