import itertools

import numpy as np
import pytest

import autotiny as at
from autotiny.algebra import Simplifier, constant, symbol, variables
from autotiny.derivation.facts import (
    AT_ONCE,
    ROWS_ON_DATA,
    Length,
    NormInRange,
    NotSingular,
    NowhereNan,
    NowhereZero,
    OnData,
    OneEqual,
    SumsToOne,
    SumsToZero,
    Symmetric,
)
from autotiny.ops.linalg import cofactors
from autotiny.ops.reductions import euclidean, norm_in_range

Y = symbol("Y", np.array([[1.0, 0.0, 0.3], [0.0, 1.0, 0.7]]))
x = symbol("x", np.array([1.0, 2.0, 6.0]))


def test_columns_that_sum_to_one_are_found_and_rows_that_do_not_are_not():
    fact = SumsToOne(frozenset({Y}))
    assert fact.holds(np.sum(Y, axis=0))
    assert not fact.holds(np.sum(Y, axis=1))


def test_sum_is_one_only_of_what_was_given():
    assert not SumsToOne(frozenset()).holds(np.sum(Y, axis=0))


@pytest.mark.parametrize("error", [1e-6, -1e-10])
def test_sums_that_are_nearly_one_are_not_one(error):
    nearly = symbol("Y", Y.value + error)
    assert not SumsToOne(frozenset({nearly})).holds(np.sum(nearly, axis=0))


def test_deviations_from_the_mean_sum_to_zero():
    mu = symbol("mu", 3.0)
    assert SumsToZero(frozenset({mu})).holds(np.sum(x - mu))
    assert not SumsToZero(frozenset({mu})).holds(np.sum(x + mu))
    assert not SumsToZero(frozenset()).holds(np.sum(x - mu))


def test_sum_of_zeros_is_no_fact():
    dead = symbol("dead", np.zeros(3))
    assert not SumsToZero(frozenset({dead})).holds(np.sum(dead))


def test_guard_against_zero_is_dropped_where_nothing_is_zero():
    assert NowhereZero().holds(x == 0)
    assert not NowhereZero().holds(x - 1 == 0)


def test_condition_that_something_is_nan_is_dropped_where_nothing_is():
    fact, nan = NowhereNan(), symbol("nan", np.array([1.0, np.nan, 2.0]))
    assert fact.at((x > 1) | np.isnan(x)) is (x > 1)
    assert fact.at((nan > 1) | np.isnan(nan)) is None


@pytest.mark.parametrize(("size", "holds"), [(1.0, True), (0.0, True), (1e-200, False)])
def test_norm_to_divide_by_is_the_norm_where_its_squares_are_in_range(size, holds):
    v = symbol("v", np.array([3 * size, 4 * size]))
    assert NormInRange().holds(norm_in_range(euclidean(v), v)) == holds


@pytest.mark.parametrize(
    ("matrix", "tracked", "holds"),
    [
        ([[2.0, 1.0], [1.0, 3.0]], False, True),
        ([[2.0, 1.0], [1.0, 3.0]], True, True),
        ([[2.0, 1.0], [1.0 + 1e-16, 3.0]], False, True),
        ([[2.0, 1.0], [1.0 + 1e-10, 3.0]], False, False),
        ([[2.0, 0.0], [0.0, 3.0]], False, True),
        ([[2.0, 0.0], [0.0, 3.0]], True, False),  # where a parameter starts
        ([[1.0, 1.0], [1.0, 1.0]], False, False),
        ([[np.nan, 1.0], [1.0, 1.0]], False, False),
        ([[2.0, 1.0, 0.0], [1.0, 3.0, 0.0]], False, False),
    ],
)
def test_transpose_of_a_symmetric_matrix_is_the_matrix(matrix, tracked, holds):
    M = symbol("M", np.array(matrix))
    assert Symmetric({M} if tracked else set()).at(np.transpose(M)) is (M if holds else None)


@pytest.mark.parametrize(("last", "holds"), [(3.0, True), (4.0, False), (4.0 + 1e-14, False), (np.inf, False)])
def test_cofactors_of_a_matrix_that_is_not_singular_are_its_determinant_times_its_inverse(last, holds):
    M = symbol("M", np.array([[1.0, 2.0], [2.0, last]]))
    with np.errstate(all="ignore"):
        after = NotSingular().at(cofactors(M))
    assert (after is not None) == holds
    if holds:
        np.testing.assert_allclose(after.value, cofactors(M).value)


def test_facts_about_matrices_are_stated_in_the_steps_that_used_them():
    S, X = np.array([[2.0, 1.0], [1.0, 3.0]]), at.Tensor([[1.0, 2.0], [4.0, 3.0]])
    x = at.Tensor([1.0, 2.0])
    assert at.derive(x @ S @ x, x).steps[-1].condition == "S = Sᵀ"
    assert at.derive(np.linalg.det(X), X).steps[-1].condition == "det(X) ≠ 0"


def test_honest_form_comes_out_where_the_columns_do_not_sum_to_one():
    Z, P = at.Tensor(np.ones((2, 3)), name="Z"), np.array([[1.0, 0.0, 0.3], [0.0, 1.0, 0.8]])
    A = at.softmax(Z)
    derivation = at.derive(-np.sum(P * np.log(A)), "Z")
    assert derivation.formula == "A * sum(P, axis=0) - P"
    assert not any(step.condition for step in derivation.steps)


def test_fact_is_stated_in_the_step_that_used_it():
    v = at.Tensor([3.0, 4.0], name="v")
    derivation = at.derive(np.linalg.norm(v), "v")
    assert [step.condition for step in derivation.steps] == ["‖v‖ ≠ 0"]


# ----- rows with conditions on the data -----
def drawn(name, first, share, rng):
    """A value for a variable of a row: an array for the first, numbers for the others."""
    if name == "axis":
        return 0
    value = rng.choice([-1.0, 1.0], (3, 4)) * rng.uniform(0.5, 2, (3, 4)) if first else rng.normal()
    return symbol(name, share if name == "share" else value)


def instances(row, rng, wanted=20):
    """Values of the variables of a row for which its condition holds."""
    names = variables(row.row.pattern)
    share = 1 / 3 if "axis" in names else 1 / 12
    drawings = ([drawn(name, name == names[0], share, rng) for name in names] for _ in range(2000))
    given = list(itertools.islice((values for values in drawings if row.row.condition(*values)), wanted))
    assert len(given) == wanted
    return given


ON_DATA = [rule for rule in (*ROWS_ON_DATA, *AT_ONCE) if isinstance(rule, OnData)]


@pytest.mark.parametrize("row", ON_DATA, ids=[f"{i} {row.name}" for i, row in enumerate(ON_DATA)])
def test_both_sides_of_a_row_on_data_are_equal_where_its_condition_holds(row):
    for given in instances(row, np.random.default_rng(1)):
        left, right = row.row.pattern(*given), constant(row.row.replacement(*given))
        np.testing.assert_allclose(np.broadcast_to(right.value, left.shape), left.value * 1.0)


def test_row_on_data_does_not_hold_at_a_tie():
    z, a, b = symbol("z", np.array([1.0, 0.0])), symbol("a", 2.0), symbol("b", 3.0)
    choice = np.where(np.equal(z, 0.0), a, b)
    no_tie = next(row for row in ROWS_ON_DATA if row.name == "no tie")
    assert no_tie.at(choice) is None


def test_equal_entries_that_tie_do_not_add_up_to_1():
    largest, tied = symbol("x", np.array([1.0, 3.0, 2.0])), symbol("x", np.array([3.0, 3.0, 2.0]))
    assert OneEqual().holds(np.sum(1 * np.equal(largest, np.max(largest))))
    assert not OneEqual().holds(np.sum(1 * np.equal(tied, np.max(tied))))


def test_number_over_a_name_of_that_number_cancels():
    n, m = symbol("n", 9), symbol("m", 8)
    assert Length().claim(Simplifier().normal(9 / n * x)) == (n, "= 9")
    assert not Length().holds(Simplifier().normal(9 / m * x))
    assert not Length().holds(Simplifier().normal(2 / symbol("lam", 2.0) * x))


def test_condition_on_the_data_is_named_in_the_step():
    z, a = at.Tensor(np.array([1.0, -2.0])), 0.1
    derivation = at.derive(np.sum(np.maximum(z, a * z)), z)
    assert derivation.formula == "where(z > 0, 1, a)"
    assert {"no tie: z ≠ 0", "of two multiples the steeper one is larger where x > 0: a < 1"} <= {
        step.label for step in derivation.steps
    }
