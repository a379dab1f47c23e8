"""The first call of a compiled function takes little more memory and time than the function itself."""

import sys
import tracemalloc

import numpy as np
import pytest

import autotiny as at
import first_call
from autotiny.algebra import term
from autotiny.compiler import purity
from autotiny.compiler.trace import trace
from autotiny.engine.pytree import flatten

WORKS = {
    "chain": lambda: first_call.chain(10**5),
    "forward": lambda: first_call.forward(10**5),
    "masked": lambda: first_call.masked(10**5),
    "network": lambda: first_call.network(50, 100, 100, 10, m=500),
    "softmax": lambda: first_call.softmax_written_out(2000, 20),
    "layer norm": lambda: first_call.layer_norm(1000, 100),
    "std": lambda: first_call.deviations(1000, 100),
    "attention": lambda: first_call.attention(4, 64, 32),
    "conv": lambda: first_call.convolutional(8),
}


def peak(f, args):
    """The bytes that a call allocates, at most, and its result."""
    tracemalloc.start()
    try:
        result = f(*args)
        return tracemalloc.get_traced_memory()[1], result
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("name", WORKS)
def test_first_call_takes_at_most_twice_the_memory_of_the_function(name):
    f, args = WORKS[name]()
    at.compile(np.tanh)(np.ones(3))  # loads the compiler
    eager, expected = peak(f, args)
    compiled, actual = peak(at.compile(f), args)
    assert compiled <= 2 * eager + 10**6  # the text of the program
    for a, b in zip(flatten(actual)[0], flatten(expected)[0], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-7, atol=1e-10)


@pytest.mark.parametrize("name", ["masked", "network", "conv"])
def test_first_call_computes_no_values_but_sums_of_arguments(name, monkeypatch):
    f, args = WORKS[name]()
    computed, compute = [], term.computed

    def noted(op, operands, options):
        if any(x.values is not None for x in operands):
            computed.append((op.name, [x.name is not None for x in operands]))
        return compute(op, operands, options)

    monkeypatch.setattr(term, "computed", noted)
    at.compile(f)(*args)
    assert all(each == ("sum", [True]) for each in computed)


class Plan:
    time = 2.0


PLAN = Plan()


def timed(x):
    """A function with a name in it that may be a clock, so that it is traced twice."""
    return np.tanh(x) * np.array([1.0, 2.0, 3.0]) * PLAN.time


def test_function_that_is_traced_twice_is_compared_by_its_formulas(monkeypatch, capsys):
    monkeypatch.setattr(purity, "bits", lambda traced: pytest.fail("the values were computed"))
    f = at.compile(lambda x: print("traced") or timed(x))
    np.testing.assert_array_equal(f(np.ones(3)), timed(np.ones(3)))
    assert capsys.readouterr().out == "traced\n" * 2


def test_functions_of_other_numbers_are_not_the_same_formulas():
    one, other = (trace(lambda x, c=c: np.tanh(x) * np.full(3, c), (np.ones(3),), {}, [True]) for c in (1.0, 2.0))
    assert purity.same_formulas(one, one)
    assert not purity.same_formulas(one, other)


def test_values_of_the_first_call_are_let_go():
    x = np.ones(1000)
    count = sys.getrefcount(x)
    f = at.compile(at.value_and_grad(lambda x: np.sum(np.exp(x) * x)))
    f(x)
    assert sys.getrefcount(x) == count
