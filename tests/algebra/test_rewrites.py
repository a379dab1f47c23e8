"""Every equation of the table on random arrays: both sides, what it makes of a formula, and that this is smaller."""

import dataclasses

import numpy as np
import pytest

from autotiny.algebra import Simplifier, constant, symbol, topological_order
from autotiny.algebra.conditions import is_identity, uniform
from autotiny.algebra.equation import AlgebraError, Equation, measure
from autotiny.algebra.identities import CHOICES
from autotiny.algebra.pattern import variables
from autotiny.algebra.programs import PROGRAMS, STABLE, VECTORS
from autotiny.algebra.rewrites import EXPANSIONS, ROWS
from autotiny.algebra.simplify import rebuilt

SHAPES = [(), (3,), (4,), (3, 4), (4, 3), (3, 3), (1, 4), (3, 1), (4, 1)]
OPTIONS = {
    "axis": [0, 1, (0, 1)],
    "shape": [(3, 4), (4, 3), (3, 3)],
    "s": [(3, 1), (4, 1), (1, 3), (1, 4), (3, 4, 1), (4, 3, 1), (3, 1, 4), (1, 3, 4)],
    "t": [(3, 1, 4), (1, 3, 4), (4, 1, 3), (3, 1, 1), (3, 1)],
    "share": [1 / 3, 1 / 4, 1 / 12],
    "first": [0, 1],
    "second": [0, 1, -1],
}
KINDS = {
    "any": lambda rng, shape: rng.normal(size=shape),
    "positive": lambda rng, shape: rng.uniform(0.5, 2, size=shape),
    "same": lambda rng, shape: np.full(shape, rng.normal()),
    "identity": lambda rng, shape: np.eye(3),
}
WANTED = 20


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


def formulas(row, values):
    """The variables of a row as symbols with these values; as constants, where its condition asks for these."""
    given = [v if n in OPTIONS else symbol(n, v) for n, v in zip(variables(row.pattern), values, strict=True)]
    if row.condition(*given):
        return given
    return [
        constant(v) if is_identity(v) or uniform(v) or np.ndim(v) == 0 else x
        for x, v in zip(given, values, strict=True)
    ]


def rewritten_as_written(row, formula):
    """The formula, each operation of which is looked at by the row once."""
    done = {}
    for part in topological_order(formula):
        again = rebuilt(part, tuple(done[arg] for arg in part.args))
        after = row.at(again)
        done[part] = again if after is None else after
    return done[formula]


def require_smaller(row, rng):
    """The right side of a row is smaller than the left, by `measure`, as both stand in a formula."""
    for values, _ in instances(row, rng):
        given, normal = formulas(row, values), (lambda x: constant(x)) if row.as_written else Simplifier().normal
        with np.errstate(all="ignore"):
            left, right = (normal(constant(side(*given))) for side in (row.pattern, row.replacement))
        assert left.is_constant or left is right or measure(right) < measure(left), (left, right)


def require_matches_equal(row, rng):
    """The row found in a formula, among other factors, leaves its value as it is."""
    applied = 0
    for values, _ in instances(row, rng):
        given, simplifier = formulas(row, values), Simplifier()
        with np.errstate(all="ignore"):
            formula = row.pattern(*given) * symbol("k", 3.0) + 1
            formula = formula if row.as_written else simplifier.normal(formula)
            after = rewritten_as_written(row, formula) if row.as_written else simplifier.apply(row, formula)
        applied += after is not formula
        require_equal(after.value, formula.value)
    return applied


def identity(row):
    return row.name.replace(" ", "_")


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.mark.parametrize("row", [*ROWS, *EXPANSIONS, *CHOICES, *STABLE, *VECTORS, *PROGRAMS], ids=identity)
def test_both_sides_of_an_equation_are_equal_on_random_arrays(row, rng):
    require_sides_equal(row, rng)


@pytest.mark.thorough
@pytest.mark.parametrize("row", [*ROWS, *EXPANSIONS, *CHOICES, *STABLE, *VECTORS, *PROGRAMS], ids=identity)
def test_an_equation_that_is_found_in_a_formula_leaves_its_value(row, rng):
    assert require_matches_equal(row, rng)


@pytest.mark.thorough
@pytest.mark.parametrize("row", [*ROWS, *STABLE, *VECTORS, *PROGRAMS], ids=identity)
def test_an_equation_makes_a_formula_smaller(row, rng):
    require_smaller(row, rng)


SPECIAL = np.array([0.0, 1.0, 2.0, np.nan, np.inf, -np.inf, 1e-300, 1e-310, 1e160, -1e160, 1e308, 800.0, -800.0])


def with_special_values(value, rng):
    if not isinstance(value, np.ndarray) or value.dtype != float or is_identity(value) or uniform(value):
        return value
    return np.where(rng.random(value.shape) < 0.5, rng.choice(SPECIAL, value.shape), value)


def require_equal_on_special_values(row, rng):
    for values, _ in instances(row, rng):
        values = [with_special_values(v, rng) for v in values]
        with np.errstate(all="ignore"):
            left, holds = row.pattern(*values), row.condition(*values)
            right = row.replacement(*values)
        if holds:
            np.testing.assert_allclose(reshaped(right, left), left, rtol=1e-9, atol=0)


@pytest.mark.parametrize("row", [row for row in (*ROWS, *VECTORS, *PROGRAMS) if row.exact], ids=identity)
def test_an_exact_equation_holds_on_nan_and_infinities_and_where_numbers_overflow(row, rng):
    require_equal_on_special_values(row, rng)


@pytest.mark.parametrize("name", ["common factor", "constant factor moves out of the sum", "product with the identity"])
def test_a_moderate_equation_fails_where_numbers_overflow(name, rng, monkeypatch):
    monkeypatch.setitem(globals(), "WANTED", 60)  # at few of them numbers overflow
    for row in ROWS:
        if row.name == name:
            assert row.moderate
            with pytest.raises(AssertionError):
                require_equal_on_special_values(row, rng)


def require_finite_where_the_pattern_overflows(row, rng):
    """At arguments that NumPy's widest numbers can take to exp, and float64 cannot."""
    for values, _ in list(instances(row, rng))[:5]:
        large = [800 * v if isinstance(v, np.ndarray) else v for v in values]
        wide = [v.astype(np.longdouble) if isinstance(v, np.ndarray) else v for v in large]
        np.testing.assert_allclose(row.replacement(*large), row.pattern(*wide).astype(float), rtol=1e-9, atol=1e-18)


@pytest.mark.skipif(np.finfo(np.longdouble).maxexp < 2**14, reason="no numbers that are wide enough")
@pytest.mark.parametrize("row", [row for row in (*ROWS, *STABLE) if row.stable], ids=identity)
def test_a_stable_equation_is_right_where_its_pattern_overflows(row, rng):
    require_finite_where_the_pattern_overflows(row, rng)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_an_equation_that_overflows_is_not_stable(rng):
    back = Equation(
        "softplus as it is written", lambda x: np.logaddexp(x, 0), lambda x: np.log(1 + np.exp(x)), expands=True
    )
    with pytest.raises(AssertionError):
        require_finite_where_the_pattern_overflows(back, rng)


WRONG = [
    Equation("transpose without exchange", lambda a, b: np.transpose(a @ b), lambda a, b: a.T @ b.T),
    Equation("off by 0.05 %", lambda x: np.exp(np.log(x)), lambda x: 1.0005 * x),
    Equation("any factor moves out", lambda c, x, axis: np.sum(c * x, axis=axis, keepdims=True),
        lambda c, x, axis: c * np.sum(x, axis=axis, keepdims=True), rest=("x",)),
    Equation("a difference cancels", lambda f, a, b: f * a - f * b, lambda f, a, b: f * (a + b), rest=("a", "b")),
]  # fmt: skip


@pytest.mark.parametrize("row", WRONG, ids=identity)
def test_a_wrong_equation_fails(row, rng):
    with pytest.raises((AssertionError, ValueError)):
        require_sides_equal(row, rng)


LARGER = [
    Equation(
        "exchange of factors",
        lambda a, b: a @ b,
        lambda a, b: (b.T @ a.T).T,
        lambda a, b: np.ndim(a) == np.ndim(b) == 2,
    ),
    Equation("two signs", lambda x: np.tanh(x), lambda x: -np.tanh(-x), lambda x: np.size(x) > 1),
    Equation("the logarithm's inverse", lambda x: np.tanh(x), lambda x: np.exp(np.log(np.tanh(x))), expands=True),
]


@pytest.mark.parametrize("row", LARGER, ids=identity)
def test_an_equation_that_makes_a_formula_larger_fails(row, rng):
    with pytest.raises(AssertionError, match="measure"):
        require_smaller(row, rng)


def tanh_is_odd(**options):
    return Equation("tanh is odd", lambda x: np.tanh(-x), lambda x: -np.tanh(x), **options)


NEVER_SMALLER = [
    (
        lambda: tanh_is_odd(rest=("x",)),
        r"equation 'tanh is odd' does not make tanh\(negative\(x\)\) smaller where x",
    ),
    (
        lambda: Equation("a + b", lambda a, b: a + b, lambda a, b: b + a),
        r"equation 'a \+ b' does not make add\(a, b\)",
    ),
    (
        lambda: Equation("doubled", lambda x: np.exp(x), lambda x: 2 * np.exp(x) / 2),
        r"equation 'doubled' does not make exp\(x\) ",
    ),
]


@pytest.mark.parametrize(("define", "message"), NEVER_SMALLER)
def test_an_equation_that_never_makes_a_formula_smaller_is_refused_at_its_definition(define, message):
    with pytest.raises(AlgebraError, match=message):
        define()


def test_an_equation_that_goes_on_for_ever_is_refused_where_it_is_applied():
    row = tanh_is_odd(rest=("x",), condition=lambda x: True)  # so that it cannot be told of the row
    simplifier, x = Simplifier([row]), symbol("x", np.ones(3))
    with pytest.raises(AlgebraError, match=r"equation 'tanh is odd' does not make tanh\(multiply\(-2, x\)\) smaller"):
        simplifier.apply(row, simplifier.normal(np.tanh(-2 * x)))
    with pytest.raises(AlgebraError, match="equation 'tanh is odd' does not make"):
        simplifier.simplify(np.tanh(-2 * x) + 1)


def test_a_sign_moves_out_of_a_function_by_an_equation_without_rest():
    simplifier, x = Simplifier([tanh_is_odd()]), symbol("x", np.ones(3))
    assert simplifier.simplify(np.tanh(-x) * 2)[-1].after is simplifier.normal(-2 * np.tanh(x))


def test_an_equation_applies_to_what_it_has_made_as_often_as_it_gets_smaller():
    x, simplifier = symbol("x", np.eye(3)), Simplifier()
    product = x
    for _ in range(60):
        product = product @ x
    (row,) = [row for row in ROWS if row.name == "transpose of a product"]
    after = simplifier.apply(row, simplifier.normal(product.T))
    assert measure(after) < measure(product.T)
    assert not any(part.op is not None and part.op.name == "transpose" and part.args[0] is not x
                   for part in topological_order(after))  # fmt: skip


@pytest.mark.parametrize("axis", [0, 1, 2, (0, 2)])
def test_factors_of_a_broadcast_product_move_out_of_no_sum_over_other_axes(axis):
    k, M = symbol("k", 2.0), symbol("M", np.arange(12.0).reshape(3, 4))
    total, simplifier = np.sum(np.broadcast_to(k * M, (2, 3, 4)), axis=axis, keepdims=True), Simplifier()
    steps = simplifier.simplify(total)
    np.testing.assert_allclose((steps[-1].after if steps else simplifier.normal(total)).value, total.value)


def test_an_equation_without_its_side_condition_fails(rng):
    broken = 0
    for row in ROWS:
        bare = dataclasses.replace(row, condition=lambda *_: True)
        try:
            require_sides_equal(bare, rng)
        except (AssertionError, ValueError, TypeError, IndexError, AttributeError):
            broken += 1
    assert broken >= 15
