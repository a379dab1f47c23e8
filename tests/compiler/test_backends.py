"""`compile(f, backend=...)`: numba gives what NumPy gives, also where facts fail; "auto" goes over to it."""

import copy
import pickle
import threading

import numpy as np
import pytest

import autotiny as at
from autotiny.compiler import auto, build
from autotiny.errors import UnsupportedError


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path):
    monkeypatch.setenv("AUTOTINY_CACHE_DIR", str(tmp_path / "kernels"))


def masked(x, w):
    J, dx = at.value_and_grad(lambda x: np.sum(np.where(x > 0, np.log(x), 0.0) * w))(x)
    return J, x - 0.1 * dx


def same(got, expected):
    for a, b in zip(got, expected, strict=True):
        assert (type(a), a.dtype, a.shape) == (type(b), b.dtype, b.shape)
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-14)


def test_an_unknown_back_end_is_refused():
    with pytest.raises(UnsupportedError, match=r"backend must be one of 'numpy', 'numba', 'auto'; got 'jax'"):
        at.compile(np.tanh, backend="jax")


def test_without_numba_the_error_says_how_to_install_it(monkeypatch):
    from autotiny.compiler.loops import requirement

    monkeypatch.setattr(requirement, "find_spec", lambda name: None)
    with pytest.raises(UnsupportedError, match=r"pip install 'autotiny\[fast\]'; here numba is not installed"):
        at.compile(np.tanh, backend="numba")
    monkeypatch.setattr(build, "find_spec", lambda name: None)
    step = at.compile(np.tanh, backend="auto")
    np.testing.assert_array_equal(step(np.ones(2)), np.tanh(np.ones(2)))
    assert step.explain().startswith("back end: NumPy; numba is not installed\n")


@pytest.mark.parametrize("backend", ["numpy", "auto"])
def test_copies_and_pickles_keep_the_back_end(backend):
    step = at.compile(np.tanh, backend=backend)
    for again in (copy.copy(step), copy.deepcopy(step), pickle.loads(pickle.dumps(step))):
        assert again.backend == backend


@pytest.mark.filterwarnings("ignore:divide by zero", "ignore:invalid value")
def test_numba_gives_what_the_function_gives_for_arrays_of_any_order():
    pytest.importorskip("numba")
    step, x, w = at.compile(masked, donate=0, backend="numba"), 0.5 + np.ones((4, 3)), np.ones((4, 3))
    expected = masked(x, w)
    strided, flat, wide = np.asfortranarray(x), x.copy(), np.zeros((8, 3))
    wide[::2] = x
    for donated in (x.copy(), strided, flat[::1], wide[::2]):
        got = step(donated, w)
        same(got, expected)
        assert got[1] is donated
    assert step.explain().startswith("back end: numba")
    assert not wide[1::2].any()
    frozen = x.copy()
    frozen.flags.writeable = False
    with pytest.raises(UnsupportedError, match="donate=0: the array is read-only"):
        step(frozen, w)
    same(at.compile(masked, backend="numba")(frozen, w[:, ::-1]), expected)
    exec(step.source, {})  # runs by itself
    # a mask hides nan: the program stops before it writes, and the one with guards takes over
    for hidden in (np.zeros_like(x), -x):
        same(step(hidden.copy(), w), masked(hidden, w))


def test_a_program_that_numba_cannot_compile_runs_on_numpy(monkeypatch):
    kernels = pytest.importorskip("numba") and __import__("autotiny.compiler.loops.kernels", fromlist=["load"])

    def fails(text, signatures):
        raise RuntimeError("no")

    monkeypatch.setattr(kernels, "load", fails)
    step = at.compile(np.tanh, backend="numba")
    np.testing.assert_array_equal(step(np.ones(2)), np.tanh(np.ones(2)))
    assert "NumPy; numba failed: RuntimeError: no" in step.explain()


@pytest.mark.parametrize(("best", "winner"), [(0.0, "numba"), (np.inf, "NumPy, which is faster")])
def test_auto_goes_over_to_numba_and_stays_if_that_is_faster(best, winner, monkeypatch):
    pytest.importorskip("numba")
    monkeypatch.setattr(auto, "START", 1e9)
    step, x = at.compile(np.exp, backend="auto"), np.ones(5)
    step(x)
    assert step.explain().startswith("back end: NumPy: 1 calls so far; numba from about the ")
    choice = step.latest.program.after.__self__
    choice.cost = 0
    step(x)
    choice.thread.join()
    trial = step.latest.program
    trial.best = -1 if best == 0 else trial.best
    choice.calls.best = np.inf if best == 0 else -1
    for _ in range(auto.CALLS):
        np.testing.assert_allclose(step(x), np.exp(x))
    assert step.explain().startswith(f"back end: {winner}")
    assert not isinstance(step.latest.program, auto.Timed)


def test_threads_share_the_kernels_of_a_program():
    pytest.importorskip("numba")
    step, results = at.compile(lambda x: np.exp(x) * 2, backend="numba"), {}
    threads = [
        threading.Thread(target=lambda i=i: results.update({i: [step(np.full(50, i * 0.1)) for _ in range(50)]}))
        for i in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for i, values in results.items():
        np.testing.assert_allclose(values, np.broadcast_to(np.exp(i * 0.1) * 2, (50, 50)), rtol=1e-14)
