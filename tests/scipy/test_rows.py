"""SciPy's rows: value, gradients of both orders, forward mode, precision and traits, by the tests of NumPy's rows."""

import numpy as np
import pytest

pytest.importorskip("scipy")

from autotiny.ops import OPS
from autotiny.ops.table import FLOW, SMOOTHNESS
from ops import test_gradients as claims
from ops import test_traits as traits
from ops.declare import is_scipys
from rows_of_scipy import CASES

OF_SPECIAL = {"autotiny.scipy.ufuncs", "autotiny.scipy.special"}
"""The files whose rows are tried here; those of linalg and others are tried in their own tests."""


def is_of_special(function):
    """Whether a row is for a function of scipy.special."""
    if isinstance(function, np.ufunc):
        return is_scipys(function)
    return function.__module__ in OF_SPECIAL or function.__module__.startswith("scipy.special")


ROWS = {op.name: op for function, op in OPS.items() if is_of_special(function) and OPS.get(op.function) is op}
each_case = pytest.mark.parametrize("case", CASES, ids=str)
each_precision = pytest.mark.parametrize("dtype", [np.float64, np.float32], ids=["float64", "float32"])


def draws(op):
    """The operation as a function of its tracked arguments, those arguments, and the case that they are from."""
    for case in CASES:
        if OPS[case.function] is op and all(0 not in shape for shape in case.shapes):
            yield *case.draw(), case


@pytest.fixture
def _of_scipy(monkeypatch):
    monkeypatch.setattr(traits, "draws", draws)


def rows(condition=lambda op: True):
    return pytest.mark.parametrize("op", [op for op in ROWS.values() if condition(op)], ids=lambda op: op.name)


def has(trait):
    return rows(lambda op: op.has(trait))


def test_every_row_has_a_case_and_every_case_a_row():
    assert {OPS[case.function].name for case in CASES} == ROWS.keys()


# ----- gradients -----
@each_precision
@each_case
def test_gradient_is_that_of_differences(case, dtype):
    claims.test_gradient_is_that_of_the_oracle(case, dtype)


@each_case
def test_gradient_wrong_by_one_part_in_two_thousand_is_caught(case):
    claims.test_gradient_wrong_by_one_part_in_two_thousand_is_caught(case)


@each_precision
@each_case
def test_value_is_that_of_scipy(case, dtype):
    claims.test_value_is_that_of_numpy(case, dtype)


@each_case
def test_recorded_gradient_is_the_unrecorded_one(case):
    claims.test_recorded_gradient_is_the_unrecorded_one(case)


@pytest.mark.parametrize("case", [case for case in CASES if case.smooth], ids=str)
def test_second_derivative_is_the_difference_of_first_ones(case):
    claims.test_second_derivative_is_the_difference_of_first_ones(case)


@each_case
def test_forward_mode_is_the_transpose_of_reverse_mode(case):
    claims.test_forward_mode_is_the_transpose_of_reverse_mode(case)


# ----- traits -----
def test_every_row_states_how_entries_flow_and_what_kind_of_function_it_is():
    for op in ROWS.values():
        assert len(op.traits & FLOW.keys()) == len(op.traits & SMOOTHNESS.keys()) == 1, op


@has("elementwise")
@pytest.mark.usefixtures("_of_scipy")
def test_an_elementwise_operation_carries_an_entry_to_its_own_place(op):
    traits.test_an_elementwise_operation_carries_an_entry_to_its_own_place(op)


@rows()
@pytest.mark.usefixtures("_of_scipy")
@pytest.mark.filterwarnings("ignore:invalid value", "ignore:divide by zero")
def test_exactly_what_is_linear_in_each_argument_says_so(op):
    traits.test_exactly_what_is_linear_in_each_argument_says_so(op)


@has("positive")
@pytest.mark.usefixtures("_of_scipy")
def test_what_is_positive_is_above_zero_whatever_its_arguments(op):
    traits.test_what_is_positive_is_above_zero_whatever_its_arguments(op)


@has("keeps_sign")
@pytest.mark.usefixtures("_of_scipy")
def test_what_keeps_the_sign_makes_positive_values_of_positive_ones(op):
    traits.test_what_keeps_the_sign_makes_positive_values_of_positive_ones(op)


@has("analytic")
@pytest.mark.usefixtures("_of_scipy")
def test_a_complex_step_through_an_analytic_operation_is_its_derivative(op):
    traits.test_a_complex_step_through_an_analytic_operation_is_its_derivative(op)


@rows(lambda op: op.has("elementwise") and None not in op.rules)
@np.errstate(all="ignore")
def test_exactly_the_elementwise_rows_that_are_unbounded_or_singular_say_so(op):
    traits.test_exactly_the_elementwise_rows_that_are_unbounded_or_singular_say_so(op)


def test_every_rule_is_put_into_words_unless_a_derivative_entry_by_entry_stands_beside_it():
    assert {op.name for op in ROWS.values() if not op.words and not op.has("elementwise")} == {"sign_of_sum"}
