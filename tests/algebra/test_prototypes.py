import functools
import itertools
import tracemalloc

import numpy as np
import pytest

import autotiny as at
from autotiny.algebra import Term, Values, apply, prototypes, symbol, topological_order
from autotiny.algebra.prototypes import prototype, prototype_of, result_of
from autotiny.algebra.term import inferred
from autotiny.engine.modes import Switch, Tracer
from autotiny.engine.pytree import flatten
from autotiny.engine.recording import value_of
from autotiny.errors import UnsupportedError
from autotiny.ops import OPS
from autotiny.ops.indexing import index
from autotiny.ops.outputs import Outputs
from ops.cases import CASES
from ops.declare import some_of_each

pytestmark = [
    pytest.mark.filterwarnings("ignore::RuntimeWarning"),
    pytest.mark.filterwarnings("ignore::numpy.exceptions.ComplexWarning"),
]

COMPUTED = {"convolution", "updated", "eig", "roots", "fft", "ifft", "rfft", "irfft", "unstack", "vdot"}
"""Rows of which no prototype is inferred: they resize, and have no rule; vdot where shapes differ and sizes agree."""


class Formulas(Tracer):
    """Records formulas, and never looks whether a gradient is nan."""

    __call__ = staticmethod(apply)

    def knows(self, grads):
        return False


def form(value):
    """The type of a value, with its shape and dtype."""
    if isinstance(value, Outputs):
        return value.build, *map(form, value.parts)
    return type(value), np.shape(value), np.asarray(value).dtype


def formulas(f, args):
    """The operations of f and of its gradients, on the arguments of a program."""
    values = Values()
    with Switch("tracing", Formulas()), np.errstate(all="ignore"):
        tensors = [at.Tensor(symbol(f"x{i}", x, values)) for i, x in enumerate(args)]
        results = flatten(f(*tensors))[0]
        for out in results:
            if isinstance(out, at.Tensor) and out.requires_grad:
                out.backward(np.ones(out.shape))
    found = [*map(value_of, results), *(value_of(x._grad) for x in tensors)]
    return [x for x in topological_order(*(x for x in found if isinstance(x, Term))) if x.op is not None]


def operations_of(case, dtype):
    """The operations of a case and of its gradients; none where it refuses such arguments, or branches on values."""
    drawn = case.arguments(dtype if np.dtype(dtype).kind in "fc" else float)
    if np.dtype(dtype).kind in "iu":
        drawn = [np.rint(abs(2 * x)).astype(dtype) if x.dtype.kind == "f" else x for x in drawn]
    try:
        return formulas(lambda *args: case.call(*args, **case.options), drawn)
    except UnsupportedError:
        return []


@functools.cache
def operations_of_all(dtype):
    cases = some_of_each(CASES, 2 if dtype == "float64" else 1)
    return [term for case in cases for term in operations_of(case, dtype)]


@pytest.mark.parametrize("dtype", ["float64", "float32", "complex64", "int8"])
def test_prototype_in_every_row_has_the_type_and_shape_of_the_value(dtype):
    assert len(operations_of_all(dtype)) > 1000
    for term in operations_of_all(dtype):
        try:
            value = term.value
        except np.linalg.LinAlgError:  # a matrix of integers
            continue
        assert form(term.prototype) == form(value), term


def test_exactly_rows_that_resize_are_computed():
    rows = [term for term in operations_of_all("float64") if term.op.function in OPS]
    names = {term.op.name for term in rows if inferred(term.op, term.args, term.kwargs) is None}
    missing = {"unstack"} - {"unstack" if hasattr(np, "unstack") else ""}  # NumPy 2.0 lacks it
    assert names - {"twice"} == COMPUTED - missing  # a test's own


OPERANDS = [
    *(0.5, 2, True, np.float64(0.5), np.float32(0.5), np.int64(2), np.uint8(3), np.bool(True), np.array(0.5)),
    *(np.array(2), np.ones(3, np.float32), np.ones((2, 3)), np.ones((1, 3), np.float16), np.arange(3), np.ones((0, 3))),
]
ROWS = {op for op in OPS.values() if op.has("elementwise") and op.arity in (1, 2)}


@pytest.mark.parametrize("arity", [1, 2])
def test_prototype_of_any_kinds_of_operands_is_that_of_the_value(arity):
    rows = sorted((op for op in ROWS if op.arity == arity and op.function in OPS), key=lambda op: op.name)
    count = 0
    for op, operands in itertools.product(rows, itertools.product(OPERANDS, repeat=arity)):
        values = Values()
        symbols = tuple(symbol("x", x, values) for x in operands)
        expected = inferred(op, symbols, {})
        if expected is None:
            continue
        with np.errstate(all="ignore"):
            value = apply(op, symbols, {}).value
        assert form(expected) == form(value), (op, operands)
        count += 1
    assert count > 500


@pytest.mark.parametrize("dtype", [bool, np.int8, np.uint64, np.float16, np.float32, float, np.complex64])
def test_prototype_takes_the_memory_of_one_entry(dtype):
    x = prototype((10**5, 10**6), np.dtype(dtype))
    assert (x.shape, x.dtype, x.strides, x.flags.writeable) == ((10**5, 10**6), dtype, (0, 0), False)


def test_lengths_of_any_size_are_followed():
    x, row = prototype((10**4, 1, 10**5), np.dtype("f4")), prototype((10**5,), np.dtype("f4"))
    for function, operands, options, shape in (
        (np.ravel, (x,), {}, (10**9,)),
        (np.add, (x, row), {}, (10**4, 1, 10**5)),
        (np.matmul, (x, prototype((10**5, 7), np.dtype("f4"))), {}, (10**4, 1, 7)),
        (np.max, (x,), {"axis": (0, 2)}, (1,)),
        (np.transpose, (x,), {"axes": (2, 0, 1)}, (10**5, 10**4, 1)),
        (np.cumsum, (x,), {}, (10**9,)),
        (index, (x,), {"key": (slice(1, None, 2), 0)}, (5000, 10**5)),
    ):
        result = result_of(OPS[function], operands, options)
        assert (result.shape, result.dtype) == (shape, np.float32), function


def test_a_length_that_the_operation_has_made_is_not_mistaken_for_one_of_an_operand():
    assert prototypes._length(3 * 5, {3: 1000, 5: 7}) == 7000
    assert prototypes._length(2, {3: 1000}) is prototypes._length(3 + 5, {3: 1000, 5: 7}) is None


def test_a_rule_that_is_wrong_fails_the_comparison(monkeypatch):
    monkeypatch.setitem(prototypes.RESIZED, OPS[index].function, lambda operands, options: prototype_of(operands[0]))
    prototypes._results.clear()
    terms = formulas(lambda x: np.exp(x[1:]), [np.ones(3)])
    prototypes._results.clear()
    assert not all(form(term.prototype) == form(term.value) for term in terms)


def test_formulas_of_a_program_compute_nothing():
    x, tracing = np.broadcast_to(1.0, (10**5, 10**5)), tracemalloc.is_tracing()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    tracemalloc.reset_peak()
    formulas(lambda x: np.sum(np.tanh(x @ x.T + 1.0) * np.exp(x)), [x])
    peak = tracemalloc.get_traced_memory()[1] - before
    if not tracing:
        tracemalloc.stop()
    assert peak < 10**6  # one value has 8 * 10**10 bytes


def test_value_is_computed_where_it_is_asked_for_and_forgotten_on_request():
    values = Values()
    x = symbol("x", np.array([1.0, 2.0]), values)
    y = np.exp(x) * 3.0
    assert y not in values.known
    np.testing.assert_array_equal(y.value, np.exp([1.0, 2.0]) * 3.0)
    assert y in values.known
    values.forget()
    assert not values.known
    assert y.shape == (2,)
