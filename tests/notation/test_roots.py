"""Numbers that are square roots of fractions, to the last digits."""

import math
from fractions import Fraction

import numpy as np
import pytest

from autotiny.notation.roots import root, root_of


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (math.sqrt(7), (1, 7, 1)),
        (1 / math.sqrt(8), (Fraction(1, 2), 1, 2)),
        (math.sqrt(12) / 5, (Fraction(2, 5), 3, 1)),
        (math.sqrt(2 / 3), (1, 2, 3)),
    ],
)
def test_roots_of_fractions_are_found(value, expected):
    assert root_of(Fraction(value)) == expected


@pytest.mark.parametrize("value", [math.pi, math.sqrt(2 / math.pi), math.sqrt(7) * (1 + 1e-13), 0.5, 3.0])
def test_other_numbers_are_no_roots(value):
    assert root_of(Fraction(value)) is None


def test_random_numbers_are_no_roots():
    values = np.random.default_rng(0).uniform(0.01, 10, size=2000)
    assert not any(root_of(Fraction(value)) for value in values)


def test_a_root_squared_is_the_number():
    for n in range(1, 200):
        of = root(Fraction(n, 7))
        assert of.r**2 * Fraction(of.above, of.below) == Fraction(n, 7)


def test_a_large_number_takes_no_longer_than_a_small_one():
    n = 2**61 - 1  # a prime
    assert root(Fraction(4 * n, 9)) == (Fraction(2, 3), n, 1)
