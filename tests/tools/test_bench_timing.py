from dataclasses import replace
from itertools import groupby

import numpy as np
import pytest

import bench_numpy
from bench_engines import Engine
from bench_sides import Side
from bench_timing import BLOCKS, Budget, WrongNumbersError, measure, noise, require_same_numbers, take_turns
from bench_works import Chain, Network, Work

ENGINES_OF_THE_TEST = """
import os
import time

import numpy as np

import bench_numpy
from bench_works import Chain


def off_by(error):
    def chain(problem):
        side = bench_numpy.chain(problem)
        return side._replace(numbers=lambda: [side.numbers()[0], side.numbers()[1] * (1 + error)])

    return chain


def fails(problem):
    raise ValueError("no such shape")


RIGHT, WRONG, FAILS, NONE = {Chain: off_by(0)}, {Chain: off_by(1e-9)}, {Chain: fails}, {}
DIES, SLEEPS = {Chain: lambda problem: os._exit(3)}, {Chain: lambda problem: time.sleep(99)}
"""


class Clock:
    """A worker whose calls take given times."""

    def __init__(self, log, name, seconds):
        self.log, self.name, self.durations = log, name, iter(seconds)

    def ask(self, method, *_):
        if method == "calls":
            return 1
        self.log.append(self.name)
        return next(self.durations)


def numbers(side, steps=3):
    for _ in range(steps):
        side.step()
    return side.numbers()


# ----- numbers -----


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_step_that_is_too_long_by_one_part_in_a_thousand_is_refused(dtype):
    net = Network((4, 16, 3), 32, dtype)
    right, wrong = (numbers(bench_numpy.network(n)) for n in (net, replace(net, lr=net.lr * 1.001)))
    with pytest.raises(WrongNumbersError, match=r"array \d differs from NumPy's by .* of its largest entry, at most"):
        require_same_numbers(wrong, right, net.tolerance)


def test_a_value_without_its_gradient_is_refused():
    y, dx = numbers(bench_numpy.chain(Chain(10)))
    with pytest.raises(WrongNumbersError, match="array 1"):
        require_same_numbers([y, np.zeros_like(dx)], [y, dx], 1e-12)


@pytest.mark.parametrize("other", [np.nan, [1.0], 1.0 + 1e-9])
def test_nan_another_shape_and_a_small_error_are_refused(other):
    with pytest.raises(WrongNumbersError):
        require_same_numbers([other], [1.0], 1e-12)


def test_fewer_numbers_are_refused():
    with pytest.raises(WrongNumbersError, match="0 arrays, where 1 were expected"):
        require_same_numbers([], [1.0], 1e-12)


def test_the_same_numbers_pass():
    require_same_numbers([1.0 + 1e-15], [1.0], 1e-12)


# ----- processes -----


def test_an_engine_that_is_wrong_fails_dies_sleeps_or_is_missing_has_no_time(tmp_path, monkeypatch):
    (tmp_path / "engines_of_the_test.py").write_text(ENGINES_OF_THE_TEST)
    monkeypatch.syspath_prepend(tmp_path)
    engines = [Engine("NumPy by hand", "bench_numpy")]
    engines += [
        Engine(t.lower(), "engines_of_the_test", t) for t in ["RIGHT", "WRONG", "FAILS", "NONE", "DIES", "SLEEPS"]
    ]
    engines += [Engine("missing", "engines_of_the_test", "RIGHT", ("a_library_that_nobody_has",))]

    cells = measure(Work("work", Chain(10)), engines, Budget(BLOCKS, 1.0, patience=2.0))

    assert {name: cell.status for name, cell in cells.items()} == {
        "NumPy by hand": "",
        "right": "",
        "wrong": "wrong",
        "fails": "fails",
        "dies": "fails",
        "sleeps": "too slow",
        "missing": "not installed",
    }
    assert cells["wrong"].detail.startswith("array 1 differs from NumPy's by 1.0e-09 of its largest entry")
    assert cells["fails"].detail == "ValueError: no such shape"
    assert cells["dies"].detail == "its process ended with 3"
    assert cells["sleeps"].detail == "over 2 s"
    assert cells["missing"].detail == "a_library_that_nobody_has"
    assert cells["right"].ratio > 0
    assert cells["right"].first > 0
    assert all(cell.ratio == cell.seconds == 0 for cell in cells.values() if cell.status)


# ----- turns -----


def test_ratios_are_taken_within_a_round():
    log, rounds = [], BLOCKS
    load = [10.0**i for i in range(rounds)]
    workers = {"one": Clock(log, "one", load), "two": Clock(log, "two", [2 * t for t in load])}
    timings = take_turns(workers, "one", Budget(rounds, 1e9, 1.0))
    assert timings["two"][1:] == (2.0, 0.0)


def test_workers_take_turns_in_changing_order():
    log = []
    workers = {name: Clock(log, name, [1e-3] * 60) for name in "abc"}
    take_turns(workers, "a", Budget(60, 1e9, 1.0))
    turns = ["".join(log[i : i + 3]) for i in range(0, len(log), 3)]
    assert all(sorted(turn) == ["a", "b", "c"] for turn in turns)
    assert len(set(turns)) > 3
    assert len(list(groupby(log))) > 120


def test_rounds_end_with_the_budget_but_each_block_has_one():
    log = []
    take_turns({"one": Clock(log, "one", [10.0] * 99)}, "one", Budget(99, 1.0, 1.0))
    assert len(log) == BLOCKS


def test_noise_is_half_the_range_of_medians():
    assert noise([1.0] * 4 + [1.2] + [1.0] * 5) == pytest.approx(0.05)
    assert noise([1.0] * 10) == 0.0


def test_a_side_is_a_step_and_its_numbers():
    assert numbers(Side(lambda: None, lambda: [3])) == [3]
