import numpy as np
import pytest

import autotiny as at
from autotiny.algebra import symbol
from autotiny.derivation.facts import (
    NormInRange,
    NotSingular,
    NowhereNan,
    NowhereZero,
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
