from dataclasses import replace
from functools import partial
from itertools import groupby
from timeit import Timer

import numpy as np
import pytest

import bench_timing
from bench_timing import DifferentNumbersError, Side, median_ratio, require_same_numbers, take_turns
from bench_works import Chain, TwoLayer, numpy_chain, numpy_two_layer


class Clock:
    def __init__(self):
        self.now = 0.0

    def read(self):
        return self.now

    def advance(self, seconds):
        self.now += seconds


def constant(value):
    return Side(lambda: None, lambda: [value])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_step_that_is_too_long_by_one_part_in_a_thousand_is_refused(dtype):
    net = TwoLayer((4, 16, 3), 32, dtype)
    sides = {"NumPy": numpy_two_layer(net), "wrong": numpy_two_layer(replace(net, lr=net.lr * 1.001))}
    with pytest.raises(DifferentNumbersError, match=r"wrong: array \d differs from NumPy's by .* do the same work"):
        require_same_numbers(sides, net.tolerance)


def test_a_value_without_its_gradient_is_refused():
    right = numpy_chain(Chain(10))
    value_only = Side(right.step, lambda: [right.numbers()[0], np.zeros(10)])
    with pytest.raises(DifferentNumbersError, match="value_only: array 1"):
        require_same_numbers({"NumPy": right, "value_only": value_only}, 1e-12)


@pytest.mark.parametrize("other", [np.nan, [1.0], 1.0 + 1e-9])
def test_nan_another_shape_and_a_small_error_are_refused(other):
    with pytest.raises(DifferentNumbersError):
        require_same_numbers({"one": constant(1.0), "other": constant(other)}, 1e-12)


def test_a_side_with_fewer_numbers_is_refused():
    with pytest.raises(ValueError, match="longer"):
        require_same_numbers({"one": constant(1.0), "none": Side(lambda: None, list)}, 1e-12)


def test_the_same_numbers_pass():
    require_same_numbers({"one": constant(1.0), "other": constant(1.0 + 1e-15)}, 1e-12)


def test_ratios_are_taken_within_a_round():
    assert median_ratio([2.0, 20.0, 200.0], [1.0, 10.0, 100.0]) == 2.0


def test_a_step_of_twice_the_length_has_ratio_two(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(bench_timing, "Timer", partial(Timer, timer=clock.read))
    steps = {"once": lambda: clock.advance(1e-3), "twice": lambda: clock.advance(2e-3)}
    timings = take_turns(steps, "once", repetition=1e-3, rounds=9, budget=1.0)
    assert timings["once"] == pytest.approx((1e-3, 1.0))
    assert timings["twice"] == pytest.approx((2e-3, 2.0))


def test_steps_take_turns():
    log = []
    steps = {name: lambda name=name: log.append(name) for name in "abc"}
    take_turns(steps, "a", repetition=1e-4, rounds=50, budget=1.0)
    assert len(list(groupby(log))) > 50 * 2
