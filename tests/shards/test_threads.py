"""One thread of matrix products while shards are computed, whatever the process has otherwise."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np
import pytest

import autotiny as at
from autotiny.shards.threads import Library, libraries, one_thread


@pytest.fixture
def two_threads():
    """The library of NumPy on two threads."""
    if not libraries(False):
        pytest.skip("NumPy has no OpenBLAS of its own")
    (library,) = libraries(False)
    before = library.get()
    library.set(2)
    yield library
    library.set(before)


def test_products_run_on_one_thread_until_the_last_task_is_done(two_threads):
    inside, done = Barrier(2), Barrier(2)

    def first():
        with one_thread():
            inside.wait()
            done.wait()

    with ThreadPoolExecutor(1) as threads:
        running = threads.submit(first)
        inside.wait()
        with one_thread():
            assert two_threads.get() == 1
        assert two_threads.get() == 1
        done.wait()
        running.result()
    assert two_threads.get() == 2


def test_an_error_restores_the_threads(two_threads):
    with pytest.raises(ZeroDivisionError), one_thread():
        raise ZeroDivisionError
    assert two_threads.get() == 2


def test_the_bits_do_not_depend_on_the_threads_of_the_process(two_threads):
    rng = np.random.default_rng(0)
    G, X = (rng.normal(size=(n, 5000)).astype(np.float32) for n in (32, 64))
    product = lambda G, X: G @ X.T
    on_two = at.over_shards(product, [(G, X)], ())
    two_threads.set(1)
    np.testing.assert_array_equal(at.over_shards(product, [(G, X)], ()), on_two)
    np.testing.assert_array_equal(on_two, product(G, X))


def test_a_shard_in_which_scipy_was_loaded_is_computed_again(monkeypatch):
    """Its own library of products was not told at the start."""
    loaded = iter([False, False, True, True])
    monkeypatch.setattr("autotiny.shards.task.scipy_is_loaded", lambda: next(loaded))
    calls = []
    assert at.over_shards(lambda x: calls.append(x) or x, [(1.0,), (2.0,)], ()) == 3
    assert calls == [1, 2]
    loaded = iter([False, True, True, True])
    assert at.over_shards(lambda x: calls.append(x) or x, [(4.0,), (8.0,)], ()) == 12
    assert calls == [1, 2, 4, 4, 8]


def test_a_process_without_such_a_library_computes_as_well(monkeypatch):
    monkeypatch.setattr("autotiny.shards.threads.libraries", lambda with_scipy: [])
    assert at.over_shards(lambda x: x, [(1.0,), (2.0,)], ()) == 3
    monkeypatch.setattr("autotiny.shards.threads.libraries", lambda with_scipy: [Library(lambda: 4, lambda n: None)])
    assert at.over_shards(lambda x: x, [(1.0,)], ()) == 1
