"""Random programs over all rows of the table, by the fuzzer of `tools/`: none differs, and planted faults do."""

import dataclasses
import inspect
import re

import numpy as np
import pytest

import autotiny as at
import width
from autotiny.algebra import Equation
from autotiny.compiler import emit, flags, passes, table
from autotiny.compiler.rewriting import TermKind, kind
from autotiny.compiler.schedule import Storage
from autotiny.errors import UnsupportedError
from fuzz_compiled import DOCUMENTED, Fault, as_code, faults, main, shortest
from fuzz_programs import VOCABULARY, Program, random_program
from ops.declare import ENTERED

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")
BATCH = 25
WITHIN_OTHERS = {"output", "pseudoinverse", "convolution", "norm_in_range"}
"""Rows that users meet in functions of several outputs, pinv, convolve and gradients of norms alone."""


def found(numbers, seed=0):
    """What is wrong with some programs, other than what is documented."""
    programs = (random_program(seed, number) for number in numbers)
    return [fault for program, calls in programs for fault in faults(program, calls) if fault.kind != DOCUMENTED]


@pytest.mark.parametrize("start", range(0, 8 * BATCH, BATCH))
def test_random_programs_over_all_rows_give_the_same_compiled(start):
    assert found(range(start, start + BATCH), seed=13) == []


def test_every_function_is_in_the_vocabulary_or_compiled_by_itself():
    written = set(re.findall(r"\w+(?:\.\w+)*(?=\()", " ".join(VOCABULARY)))
    names = {name.rpartition(".")[2] for name in (*written, *width.calls())} | {"conj", "conjugate"}
    assert {inspect.unwrap(f).__name__ for f in ENTERED} - names == WITHIN_OTHERS


# ----- the fuzzer finds what is planted -----
def plant_row(monkeypatch):
    wrong = Equation("tanh is all but 1", lambda x: np.tanh(x), lambda x: x, exact=True)
    monkeypatch.setattr(table, "ROWS", (*table.ROWS, wrong))


def plant_moderate_rows_as_exact(monkeypatch):
    rows = [dataclasses.replace(row, exact=True) for row in table.ROWS if row.moderate]
    monkeypatch.setattr(table, "ROWS", (*table.ROWS, *rows))


def plant_views_made_beforehand(monkeypatch):
    def in_memory(writer, view):
        while kind(view) is TermKind.VIEW:
            view = view.args[0]
        return isinstance(writer.plan.place.get(view), Storage)

    monkeypatch.setattr(emit.Writer, "in_memory", in_memory)


def plant_views_handed_out(monkeypatch):
    monkeypatch.setattr(emit, "allocates", lambda term: True)


def plant_another_type(monkeypatch):
    as_given = passes.as_given
    monkeypatch.setattr(passes, "as_given", lambda out, traced: as_given(out, traced).astype(np.float32))


def plant_an_exception(monkeypatch):
    monkeypatch.setattr(passes, "FIRST", (lambda outputs, names: 1 / 0,))


def plant_a_refusal(monkeypatch):
    monkeypatch.setattr(passes, "FIRST", (refuse,))


def refuse(outputs, names):
    raise UnsupportedError("no")


LARGE = np.full(3, 1e200)
PLANTS = [
    (plant_row, "np.tanh(x0)", [np.ones(3)], "wrong value"),
    (plant_moderate_rows_as_exact, "x0 * x1 + x0 * x2", [LARGE, LARGE, -LARGE], "finite, where the function is not"),
    (plant_views_made_beforehand, "np.ravel(np.exp(x0).T) + 1", [np.eye(3)], "wrong value"),
    (plant_views_handed_out, "np.einsum('ij->ji', x0)", [np.eye(3)], "a result is an argument's memory"),
    (plant_views_handed_out, "np.einsum('ij->ji', np.exp(x0))", [np.eye(3)], "an earlier result was overwritten"),
    (plant_another_type, "np.exp(x0)", [np.ones(3)], "another type or shape"),
    (plant_an_exception, "np.exp(x0)", [np.ones(3)], "crash"),
    (plant_a_refusal, "np.exp(x0)", [np.ones(3)], "refused"),
]


@pytest.mark.parametrize(("plant", "expression", "args", "kind_of_fault"), PLANTS)
def test_a_planted_fault_is_seen(plant, expression, args, kind_of_fault, monkeypatch):
    program = Program(tuple(f"x{i}" for i in range(len(args))), (("v", expression),), "v", "value")
    calls = [tuple(args), tuple(x * 0.5 for x in args)]
    assert list(faults(program, calls)) == []
    plant(monkeypatch)
    assert kind_of_fault in [fault.kind for fault in faults(program, calls)]


def test_a_wrong_row_is_found_made_short_and_printed_as_code(monkeypatch):
    plant_row(monkeypatch)
    number = next(n for n in range(400) if [f for f in found([n], seed=3) if f.kind == "wrong value"])
    program, calls = random_program(3, number)
    small, some = shortest(program, calls, "wrong value")
    assert len(small.code) <= len(program.code)
    assert any(name in small.code for name in ("tanh", "gelu", "mish", "np.log(np.cosh"))  # tanh, or made of it
    shown = []
    code = as_code(small, some[:1], Fault("wrong value", "")).replace("print(", "show(")
    exec(code, {"show": lambda *results: shown.extend(results)})
    assert len(shown) == 2


def test_the_command_counts_and_exits(capsys):
    assert main(["--programs", "5", "--seed", "2"]) == 0
    assert "5 programs, 0 with faults" in capsys.readouterr().out


# ----- where NumPy reports no overflow -----
def test_without_floating_point_flags_nothing_is_used_that_needs_them(monkeypatch):
    def f(x):
        return np.sum(np.log(np.sum(np.exp(x * 0.5), axis=0, keepdims=True))) / 7

    step = at.compile(at.value_and_grad(f))
    step(np.ones((2, 3)))
    assert "FactError" in step.source
    monkeypatch.setattr(passes, "reports_overflow", lambda: False)
    step = at.compile(at.value_and_grad(f))
    for x in (np.ones((2, 3)), np.full((2, 3), 1600.0), np.eye(2, 3)):
        y, dx = step(x)
        assert np.isfinite(y)
        np.testing.assert_allclose(dx, at.softmax(x / 2) / 14, rtol=1e-12)
    assert "maximum" in step.source


def test_flags_are_looked_for_by_trying():
    assert flags.reports_overflow()
    assert not flags.reports("over", lambda x, y: None, 1e300, 1e300)
