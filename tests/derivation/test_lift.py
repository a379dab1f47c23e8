import numpy as np
import pytest

import autotiny as at
from autotiny.derivation.lift import Powers, as_powers, named_numbers

SCOPE = {"m": 8, "lam": 0.3, "d": 5}


@pytest.mark.parametrize(
    ("value", "way"),
    [
        (8, Powers(1.0, (("m", 1),))),
        (0.125, Powers(1.0, (("m", -1),))),
        (16, Powers(2.0, (("m", 1),))),
        (0.15, Powers(0.5, (("lam", 1),))),
        (0.3 / 16, Powers(0.5, (("m", -1), ("lam", 1)))),
        (5**0.5, Powers(1.0, (("d", 0.5),))),
    ],
)
def test_number_is_told_by_the_variables_that_give_it(value, way):
    assert as_powers(value, named_numbers(SCOPE)) == way


@pytest.mark.parametrize("value", [2, 0.5, 1, 4, 7, 0.77])
def test_common_and_unrelated_numbers_stay_numbers(value):
    assert as_powers(value, named_numbers(SCOPE)) is None


def test_number_that_two_variables_hold_is_told_by_neither():
    assert as_powers(8, named_numbers({"m": 8, "n": 8})) is None


def test_formula_shows_the_number_where_no_variable_has_it():
    x = at.Tensor([1.0, 2.0, 4.0], name="x")
    assert at.derive(np.mean(x**2), x).formula == "2 * x / 3"


def test_arrays_are_told_by_what_they_are_to_named_ones():
    x, y, Y = at.Tensor([0.3, 0.6], name="x"), np.array([1.0, 0.0]), np.array([[1.0, 2.0], [3.0, 4.0]])
    assert at.derive(np.sum(x * (1 - y)), x).formula == "1 - y"
    assert at.derive(np.sum(x * -y), x).formula == "-y"
    assert at.derive(np.sum(Y.T @ x), x).formula == at.derive(np.sum(Y.T.copy() @ x), x).formula


def test_mask_of_a_named_tensor_is_told_by_its_comparison():
    x = at.Tensor([0.3, -0.6], name="x")
    assert at.derive(np.sum(np.where(x > 0, x**2, 0.0)), x).formula == "2 * x * 1[x > 0]"


def test_array_that_nobody_named_is_a_capital_c():
    x = at.Tensor([0.3, -0.6], name="x")
    assert at.derive(np.sum(x * np.array([2.12345678, 5.0])), x).formula == "C"


def test_short_array_that_nobody_named_is_its_entries():
    x = at.Tensor([0.3, -0.6], name="x")
    assert at.derive(np.sum(x * np.array([2.0, 5.0])), x).formula == "[2, 5]"
