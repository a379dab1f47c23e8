"""Arrays in a few characters."""

import numpy as np
import pytest

from autotiny.notation.numbers import as_text, short_number, sparkline, summarise


@pytest.mark.parametrize(
    ("array", "text"),
    [
        (np.float64(2.0), "2"),
        (np.array([[-0.0]]), "0"),
        (np.array([0.5, -2.0]), "-2 … 0.5"),
        (np.zeros((7, 9)), "all 0"),
        (np.zeros((0, 3)), "empty"),
        (np.array([1.0, np.nan, 2.0, np.inf, -np.inf]), "1 … 2, 1 nan, 2 inf"),
        (np.array([np.nan, np.nan]), "2 nan"),
        (np.array([5.0, np.nan, 5.0]), "5, 1 nan"),
        (np.array([True, False]), "0 … 1"),
        (np.arange(5), "0 … 4"),
        (np.array([1e300, 5e-324]), "4.94e-324 … 1e+300"),
        (7, "7"),
    ],
)
def test_the_text_is_a_number_or_a_range(array, text):
    assert as_text(array) == text


def test_small_arrays_show_every_entry_and_large_ones_their_range():
    assert summarise(np.array([1.0, -0.5])).rows == (("1", "-0.5"),)
    assert summarise(np.eye(2)).rows == (("1", "0"), ("0", "1"))
    assert summarise(np.ones((5, 1)) * np.arange(5)[:, None]).rows == ()
    assert summarise(np.zeros((2, 2, 2))).rows == ()
    assert summarise(np.full((2, 3), -1.23e-10)).rows == ()


def test_numbers_keep_four_significant_digits():
    assert [short_number(x) for x in (1 / 3, -12345.0, 1e-9, 0)] == ["0.3333", "-1.234e+04", "1e-09", "0"]


SHAPES = [(n,) for n in range(31)] + [(m, n) for m in range(13) for n in range(13)] + [(2, 3, 4), (1, 1, 9), (3, 9, 1)]
KINDS = {
    "whole": lambda shape: np.arange(np.prod(shape, dtype=int)).reshape(shape) % 10,
    "equal": np.ones,
    "random": lambda shape: np.random.default_rng(0).normal(size=shape),
    "signs": lambda shape: np.random.default_rng(0).normal(size=shape) > 0,
    "not finite": lambda shape: np.full(shape, np.nan),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_entry_that_is_told_has_a_shade_of_its_own(kind):
    told = 0
    for shape in SHAPES:
        shown = summarise(KINDS[kind](shape))
        if shown.rows:
            told += 1
            assert [len(row) for row in shown.rows] == [len(row) for row in shown.heat.cells], shape
            assert np.shape(shown.rows) == (1, *shape)[-2:], shape
    assert told


@pytest.mark.parametrize("shape", [(9,), (1, 9), (2, 9), (3, 9)])
def test_nine_short_entries_in_a_line_are_all_told(shape):
    assert np.shape(summarise(np.arange(np.prod(shape)).reshape(shape) % 10).rows) == (1, *shape)[-2:]


def test_bars_count_entries_between_the_smallest_and_the_largest():
    assert sparkline(np.array([0.0, 0.0, 0.0, 0.5, 1.0])) == "█▁▁▁▃▁▁▃"
    assert sparkline(np.ones(4)) == sparkline(np.array([np.nan, 1.0])) == ""


def test_a_range_too_wide_for_a_float_has_no_bars():
    assert sparkline(np.array([1e308, -1e308])) == ""
