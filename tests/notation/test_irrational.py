import math

import numpy as np
import pytest

from autotiny.notation.irrational import FORMS, short_form
from autotiny.notation.notations import Unicode


def written(value):
    form = short_form(value)
    return None if form is None else Unicode()(form)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (2 / 3, "2 / 3"),
        (-1 / 3, "-1 / 3"),
        (math.pi, "π"),
        (math.sqrt(2 / math.pi), "sqrt(2 / π)"),
        (1 / np.sqrt(2 * np.pi), "1 / sqrt(2 * π)"),
        (-1 / math.sqrt(2), "-1 / sqrt(2)"),
        (math.log(2), "log(2)"),
        (1 / math.log(10), "1 / log(10)"),
    ],
)
def test_a_number_of_many_digits_is_written_by_its_form(value, text):
    assert written(value) == text


@pytest.mark.parametrize("value", [2, 0.25, 0.044715, 0.333333, 0.70710678, 3.1416, 0.0, math.inf, math.nan, 2 + 1j])
def test_other_numbers_have_no_form(value):
    assert written(value) is None


@pytest.mark.parametrize("number", [number for number, _ in FORMS])
def test_every_form_has_the_value_of_its_number(number):
    scope = {"sqrt": math.sqrt, "log": math.log, "π": math.pi}
    assert eval(written(number), scope) == pytest.approx(number, rel=1e-15)


def test_a_float32_number_keeps_its_digits():
    assert written(np.float32(np.pi)) is None
