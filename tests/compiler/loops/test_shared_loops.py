"""Long loops of kernels, which threads share."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autotiny as at
from autotiny.compiler.loops import threads
from autotiny.engine.pytree import flatten

pytest.importorskip("numba")

x = np.random.default_rng(0).normal(size=(40, 30))


def masked(x: Any) -> Any:
    return np.sum(np.where(x > 0, np.log(np.abs(x) + 1), np.tanh(x)) * x)


def rows(x: Any) -> Any:
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return np.sum((e / e.sum(axis=1, keepdims=True)) ** 2) + np.sum(x.sum(axis=0) ** 2)


def update(w: Any, x: Any) -> Any:
    J, dw = at.value_and_grad(lambda w: np.mean((w - np.sin(x)) ** 2))(w)
    return J, w - 0.1 * dw


PROGRAMS: list[tuple[Callable[..., Any], tuple[Any, ...], int]] = [
    (at.value_and_grad(masked), (x,), 1),
    (at.value_and_grad(rows), (x,), 1),
    (update, (x, x * x), 1),
    (lambda x: (np.max(x), np.sum(x), x.T + x.sum(), np.argmax(x)), (x,), 0),
]


@pytest.mark.parametrize(("f", "args", "least"), PROGRAMS)
def test_results_are_those_of_one_thread(
    f: Callable[..., Any], args: tuple[Any, ...], least: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threads, "PART", 512)
    step = at.compile(f, backend="numba", threads=3)
    for got, expected in zip(flatten(step(*args))[0], flatten(f(*args))[0], strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-12)
    assert step.source.count("in_parts(") >= least


def test_donated_arrays_are_shared_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "PART", 512)
    step, w = at.compile(update, donate=0, backend="numba", threads=3), x.copy()
    expected = update(x, x * x)[1]
    assert step(w, x * x)[1] is w
    np.testing.assert_allclose(w, expected, rtol=1e-12)


def test_short_loops_and_one_thread_run_as_one() -> None:
    for y, count in ((x, 2), (np.ones(2**17), 1)):
        step = at.compile(at.value_and_grad(masked), backend="numba", threads=count)
        step(y)
        assert "in_parts" not in step.source


def test_values_are_looked_at_whatever_the_number_of_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "PART", 512)

    def f(Z: Any) -> Any:
        return -np.sum(Y * np.log(np.exp(Z) / np.sum(np.exp(Z), axis=0)))

    Y = np.eye(30)
    for count in (1, 3):
        step = at.compile(at.value_and_grad(f), backend="numba", threads=count)
        for Z in (x[:30].copy(), 1e200 * x[:30], np.full((30, 30), np.nan)):
            with np.errstate(all="ignore"):
                got, expected = step(Z), at.value_and_grad(f)(Z)
            for a, b in zip(flatten(got)[0], flatten(expected)[0], strict=True):
                np.testing.assert_allclose(a, b, rtol=1e-10)
            assert ("raise FactError" in step.source) == bool(np.abs(Z).max() < 10)
