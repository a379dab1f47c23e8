"""Arrays as cells."""

import numpy as np
import pytest

from autotiny.notation.palette import BLUE, SHADES, VERMILLION, YELLOW, Heat, blocks, colour, heat


def test_shades_are_in_proportion_to_the_largest_entry_on_either_side():
    assert heat(np.array([[1.0, -2.0, 0.5, 0.0]])).cells == ((4, -8, 2, 0),)


def test_equal_entries_of_zero_are_no_colour():
    assert heat(np.zeros((2, 2))).cells == ((0, 0), (0, 0))


@pytest.mark.parametrize(
    ("shape", "cells"),
    [
        ((5, 8), (5, 8)),
        ((6, 9), (6, 6)),
        ((784, 128), (6, 6)),
        ((10,), (1, 6)),
        ((7, 1), (6, 1)),
        ((2, 3, 4), (6, 4)),
        ((1, 2), (1, 2)),
    ],
)
def test_long_axes_are_cut_into_six(shape, cells):
    shown = heat(np.ones(shape)).cells
    assert (len(shown), len(shown[0])) == cells


def test_a_block_is_the_mean_of_its_entries():
    assert heat(np.repeat([1.0, -1.0, 0.5, 0.0, 0.25, 1.0], 2)).cells == ((8, -8, 4, 0, 2, 8),)


@pytest.mark.parametrize("array", [np.ones(()), np.ones(1), np.ones((0, 3))])
def test_a_number_has_no_heat_map(array):
    assert heat(array) is None


@pytest.mark.parametrize("strange", [np.nan, np.inf, -np.inf])
def test_what_is_no_number_is_yellow_and_leaves_the_rest_alone(strange):
    assert heat(np.array([1.0, strange, -1.0])).cells == ((8, None, -8),)
    assert Heat(((None, 0),)).colours[0][0] == YELLOW


def test_the_ends_are_blue_and_vermillion():
    assert [colour(-SHADES), colour(SHADES)] == [BLUE, VERMILLION]


@pytest.mark.parametrize("dtype", [bool, np.int8, np.float16, np.float32])
def test_any_kind_of_number_has_a_heat_map(dtype):
    assert heat(np.array([0, 1], dtype)).cells == ((0, 8),)


def test_the_largest_floats_do_not_overflow():
    assert heat(np.array([1e308, 1e308, -1e308])).cells == ((8, 8, -8),)


@pytest.mark.parametrize("shape", [(1, 1), (24, 24), (25, 7), (50, 50), (784, 10)])
def test_blocks_cover_every_entry_once(shape):
    rows, columns = (min(24, length) for length in shape)
    counted = blocks(np.ones(shape), rows, columns, np.add.reduceat)
    assert counted.shape == (rows, columns)
    assert counted.sum() == np.prod(shape)
