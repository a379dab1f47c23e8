"""Parts of a loop run on threads: all of them, in order, whatever else the process does."""

import multiprocessing
import threading
import time
import warnings

import numpy as np
import pytest

from autotiny.compiler.loops.threads import in_parts, parts_of

X = np.random.default_rng(0).normal(size=10_007)


def total(start, stop, x):
    return x[start:stop].sum()


def test_every_number_is_in_one_part_and_parts_are_in_order():
    for length in (0, 1, 2, 7, 64, 1000):
        for threads in (1, 2, 3, 16):
            parts = in_parts(lambda start, stop: range(start, stop), length, threads)
            assert [i for part in parts for i in part] == list(range(length))
            assert len(parts) == max(1, min(threads, length))


def test_sums_depend_on_the_number_of_threads_alone():
    for threads in (1, 2, 5):
        expected = [total(10_007 * i // threads, 10_007 * (i + 1) // threads, X) for i in range(threads)]
        for _ in range(20):
            assert in_parts(total, X.size, threads, X) == expected


def test_threads_are_for_long_loops():
    assert [parts_of(work, 4) for work in (0, 1000, 2**20, 2**21, 10**7)] == [1, 1, 1, 2, 4]
    assert parts_of(10**7, 1) == 1


def test_parts_run_at_the_same_time():
    barrier = threading.Barrier(3, timeout=10)
    assert sorted(in_parts(lambda start, stop: barrier.wait(), 3, 3)) == [0, 1, 2]


@pytest.mark.parametrize("part", [0, 1, 2])
def test_an_error_is_raised_when_all_parts_have_ended(part):
    ended = []

    def kernel(start, stop):
        if start == part:
            raise ValueError(f"part {start}")
        time.sleep(0.02)
        ended.append(start)

    with pytest.raises(ValueError, match=f"part {part}"):
        in_parts(kernel, 3, 3)
    assert len(ended) == 2


def test_threads_of_python_may_run_parts_at_once():
    expected, results = in_parts(total, X.size, 4, X), []
    runs = [
        threading.Thread(target=lambda: results.extend(in_parts(total, X.size, 4, X) for _ in range(50)))
        for _ in range(4)
    ]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    assert results == [expected] * 200


def in_a_child(answers):
    answers.put(in_parts(total, X.size, 3, X))


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_children_have_threads_of_their_own(method):
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"this system cannot {method}")
    expected = in_parts(total, X.size, 3, X)
    context = multiprocessing.get_context(method)
    answers = context.SimpleQueue()
    child = context.Process(target=in_a_child, args=(answers,))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12: a fork while threads exist
        child.start()
    assert answers.get() == expected
    child.join(10)
    assert child.exitcode == 0
