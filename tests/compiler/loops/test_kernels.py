"""Kernels take arrays of one shape, type and order, in place; they are compiled once for all processes."""

import multiprocessing
import sys

import numpy as np
import pytest

pytest.importorskip("numba")

from autotiny.compiler.backend import Argument
from autotiny.compiler.loops import cache, kernels

TEXT = """
from numba import njit


@njit(nogil=True, error_model="numpy")
def scaled(x, factor, y):
    for i in range(2):
        for j in range(3):
            y[i, j] = factor * x[i, j]
    return y[1, 2]
"""
SIGNATURES = {
    "scaled": (
        Argument(np.dtype("float64"), (2, 3)),
        Argument(np.dtype("float64")),
        Argument(np.dtype("float32"), (2, 3), written=True),
    )
}
X = np.arange(6.0).reshape(2, 3)


@pytest.fixture(scope="module")
def scaled(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(cache.VARIABLE, str(tmp_path_factory.mktemp("kernels")))
        yield kernels.load(TEXT, SIGNATURES)["scaled"]


def read_only(x):
    x = x.copy()
    x.flags.writeable = False
    return x


def misaligned(x):
    return np.frombuffer(b" " + x.tobytes(), "u1")[1:].view(x.dtype).reshape(x.shape)


def test_a_kernel_reads_and_writes_arrays_in_place(scaled):
    y = np.zeros((2, 3), "float32")
    references = sys.getrefcount(X), sys.getrefcount(y)
    for x in (X, read_only(X), X.astype("longdouble").astype(float)):
        assert scaled(x, 2.0, y) == 10
        np.testing.assert_array_equal(y, 2 * X)
        y[:] = 0
    del x
    assert (sys.getrefcount(X), sys.getrefcount(y)) == references


@pytest.mark.parametrize(
    "x",
    [
        X.T, X.T.copy().T, X[:, ::-1], X[0], X[None], X[:, :2], X.astype("f4"), X.astype(">f8"), X.astype("i8"),
        misaligned(X), X.view(np.recarray), X.tolist(), 1.0, None, "x", np.float64,
    ],
)  # fmt: skip
def test_another_array_is_refused(scaled, x):
    y = np.zeros((2, 3), "float32")
    with pytest.raises(TypeError, match=r"expected an array of float64, \(2, 3\), in C order"):
        scaled(x, 2.0, y)
    assert not y.any()


def test_a_read_only_array_is_not_written(scaled):
    y = read_only(np.zeros((2, 3), "float32"))
    with pytest.raises(ValueError, match="the array is read-only"):
        scaled(X, 2.0, y)
    assert not y.any()


def test_kernels_are_loaded_from_the_cache(scaled, tmp_path, monkeypatch):
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path))
    monkeypatch.setattr(kernels, "_loaded", {})
    key = kernels.fingerprint(TEXT, SIGNATURES)
    assert kernels.from_disk(key) is None
    kernels.load(TEXT, SIGNATURES)
    y = np.zeros((2, 3), "float32")
    assert kernels.from_disk(key)["scaled"](X, 3.0, y) == 15
    monkeypatch.setattr(kernels, "compile_result", None)  # compiles no more
    monkeypatch.setattr(kernels, "_loaded", {})
    assert kernels.load(TEXT, SIGNATURES)["scaled"](X, 3.0, y) == 15


def test_what_cannot_be_unpickled_is_compiled_anew(scaled, tmp_path, monkeypatch):
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path))
    cache.write("key", b"of another version", "")
    assert kernels.from_disk("key") is None


def test_another_text_signature_or_version_has_another_key(monkeypatch):
    key = kernels.fingerprint(TEXT, SIGNATURES)
    assert kernels.fingerprint(TEXT + " ", SIGNATURES) != key
    assert kernels.fingerprint(TEXT, {"scaled": SIGNATURES["scaled"][:2]}) != key
    monkeypatch.setattr(kernels, "surroundings", lambda: ("another version",))
    assert kernels.fingerprint(TEXT, SIGNATURES) != key


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="there is no fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_child_calls_and_compiles_kernels(scaled):
    context = multiprocessing.get_context("fork")
    queue = context.SimpleQueue()

    def work():
        y = np.zeros((2, 3), "float32")
        queue.put([scaled(X, 2.0, y), kernels.load(TEXT, SIGNATURES)["scaled"](X, 1.0, y)])

    child = context.Process(target=work)
    child.start()
    child.join(60)
    assert child.exitcode == 0
    assert queue.get() == [10, 5]
