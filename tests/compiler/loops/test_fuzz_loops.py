"""Random programs on numba against the function itself: a short run of tools/fuzz_compiled.py."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import autotiny as at
from autotiny.compiler.loops.forms import LoopCode
from fuzz_compiled import DOCUMENTED, faults
from fuzz_programs import Program, random_program

pytest.importorskip("numba")
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")


@pytest.mark.parametrize("number", range(1, 9))
def test_random_program_gives_the_same_on_numba(number: int) -> None:
    program, calls = random_program(0, number)
    found = [fault for fault in faults(replace(program, backend="numba"), calls) if fault.kind != DOCUMENTED]
    assert not found


def test_a_wrong_form_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    program = Program(("x0", "x1"), (("v0", "np.exp(x0) - x1"),), "v0", "value", backend="numba")
    calls: list[tuple[Any, ...]] = [(np.ones((2, 3)), np.arange(3.0))]
    assert not list(faults(program, calls))
    monkeypatch.setattr(LoopCode, "forms", {**LoopCode.forms, "subtract": LoopCode.forms["add"]})
    assert [fault.kind for fault in faults(program, calls)] == ["wrong value"]


def test_an_exception_of_the_emitter_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    program = Program(("x0",), (("v0", "np.tanh(x0)"),), "v0", "value", backend="numba")
    monkeypatch.setattr(LoopCode, "forms", {})
    assert "numba failed" not in [fault.kind for fault in faults(program, [(np.ones(3),)])]
    monkeypatch.setattr("autotiny.compiler.loops.emit.LoopBackend.accepts", lambda backend, schedule: 1 / 0)
    assert "numba failed" in [fault.kind for fault in faults(program, [(np.ones(3),)])]


def test_numbers_are_summed_along_an_axis_that_they_have_not() -> None:
    step = at.compile(lambda x: at.softmax(2 * x, axis=0), backend="numba")
    assert step(np.array(3.0)) == 1
    assert "njit" in step.source


def test_types_that_numba_lacks_stay_with_numpy() -> None:
    x = np.arange(1, 13).reshape(4, 3).astype(np.longdouble)
    step = at.compile(at.jacobian(np.prod), backend="numba")
    np.testing.assert_allclose(step(x), np.prod(x) / x)
    assert "failed" not in step.explain()
