"""Every function of the table: its value, its gradient, its second derivatives, forward mode, precision and purity."""

import functools
import inspect

import numpy as np
import pytest

import autotiny as at
import oracles
from autotiny.engine.graph import topological_order
from autotiny.engine.pytree import flatten
from autotiny.engine.recording import value_of
from autotiny.ops.outputs import OutputGradients, Outputs
from ops.cases import CASES
from ops.declare import ENTERED, parts, some_of_each

ORACLES = {
    "complex": oracles.complex_step,
    "extended": oracles.differences,
    "double": functools.partial(oracles.differences, dtype=np.float64, step=2.0**-5),
}
smooth = [case for case in CASES if case.smooth]
each_case = pytest.mark.parametrize("case", CASES, ids=str)
some_cases = pytest.mark.parametrize("case", some_of_each(CASES, 3), ids=str)
each_smooth_case = pytest.mark.parametrize("case", smooth, ids=str)
some_smooth_cases = pytest.mark.parametrize("case", some_of_each(smooth, 3), ids=str)
each_case_and_precision = pytest.mark.parametrize(
    ("case", "dtype"),
    [
        *(pytest.param(case, np.float64, id=f"{case}-float64") for case in CASES),
        *(pytest.param(case, np.float32, id=f"{case}-float32") for case in some_of_each(CASES, 3)),
    ],
)


def frozen(f):
    """f on Tensors, after which no value in its graph can be written to."""

    def call(*tensors):
        outputs = f(*tensors)
        for node in topological_order(*parts(outputs), *tensors):
            np.asarray(node._value).setflags(write=False)
        return outputs

    return call


def random_like(rng, values):
    """Read-only random arrays, as upstream gradients or directions."""
    drawn = [np.asarray(rng.uniform(-1, 1, np.shape(value)).astype(np.result_type(value))) for value in values]
    for array in drawn:
        array.setflags(write=False)
    return drawn


def pulled(f, args, rng):
    """The value, an upstream gradient, and the gradients, with everything read-only meanwhile."""
    for arg in args:
        arg.setflags(write=False)
    value, pull = at.vjp(frozen(f), *args)
    upstream = random_like(rng, parts(value))
    rebuild = flatten(value)[1]
    return value, upstream, pull(rebuild(upstream))


def widest(case):
    """The widest precision that a function computes in: linear algebra has no extended one."""
    return (
        np.float64
        if case.oracle == "double" or getattr(case.function, "__module__", "") == "numpy.linalg"
        else np.longdouble
    )


def recorded(f, args, upstream, **options):
    """u · f(x) as a recorded number, and the tensors that stand for x."""
    tensors = [at.Tensor(arg) for arg in args]
    return sum(np.sum(u * y) for u, y in zip(upstream, parts(f(*tensors)), strict=True)), tensors


def test_every_function_of_the_table_has_a_declared_case_and_every_case_a_function():
    assert {inspect.unwrap(case.function) for case in CASES} == ENTERED


def test_cases_have_different_names():
    names = [str(case) for case in CASES]
    assert sorted(set(names)) == sorted(names)


@each_case_and_precision
def test_gradient_is_that_of_the_oracle(case, dtype):
    f, args = case.draw(dtype)
    _, upstream, gradients = pulled(f, args, case.rng())
    expected = ORACLES[case.oracle](f, [arg.astype(float) for arg in args])
    for x, g, jacobian in zip(args, gradients, expected, strict=True):
        assert (g.shape, g.dtype) == (x.shape, x.dtype)
        assert oracles.excess(g, upstream, jacobian, np.finfo(dtype).eps) <= 1


@some_cases
def test_gradient_wrong_by_one_part_in_two_thousand_is_caught(case):
    f, args = case.draw()
    _, upstream, gradients = pulled(f, args, case.rng())
    for g, jacobian in zip(gradients, ORACLES[case.oracle](f, args), strict=True):
        assert oracles.excess(1.0005 * g, upstream, jacobian, np.finfo(float).eps) > 100 or not np.any(g)


@each_case_and_precision
def test_value_is_that_of_numpy(case, dtype):
    f, args = case.draw(dtype)
    value, expected = parts(at.vjp(f, *args)[0]), parts(f(*args))
    for actual, wanted in zip(value, expected, strict=True):
        assert isinstance(actual, np.ndarray)
        assert (actual.shape, actual.dtype) == (np.shape(wanted), wanted.dtype)
        eps = 64 * np.finfo(wanted.dtype).eps
        np.testing.assert_allclose(actual, wanted, rtol=eps, atol=eps * np.max(np.abs(wanted), initial=0))


@some_cases
def test_remainder_of_the_linear_model_is_second_order(case):
    f, args = case.draw()
    _, upstream, gradients = pulled(f, args, case.rng())
    directions = random_like(case.rng(), args)
    assert oracles.taylor_slope(f, gradients, args, upstream, directions, widest(case)) > 1.9


@each_case
def test_recorded_gradient_is_the_unrecorded_one(case):
    f, args = case.draw()
    upstream = random_like(case.rng(), parts(f(*args)))
    loss, tensors = recorded(f, args, upstream)
    recorded_gradients = at.gradients(loss, tensors)
    loss.backward()
    for x, g in zip(tensors, recorded_gradients, strict=True):
        unrecorded = np.zeros(x.shape) if x.grad is None else x.grad
        assert (g.shape, g.dtype) == (unrecorded.shape, unrecorded.dtype)
        np.testing.assert_allclose(g.data, unrecorded, rtol=1e-15, atol=1e-15 * np.max(abs(unrecorded), initial=0))


@some_smooth_cases
def test_second_derivative_is_the_difference_of_first_ones(case):
    f, args = case.draw()
    upstream = random_like(case.rng(), parts(f(*args)))
    directions = random_like(case.rng(), args)

    def first(t):
        loss, tensors = recorded(f, [x + t * v for x, v in zip(args, directions, strict=True)], upstream)
        return tensors, at.gradients(loss, tensors)

    tensors, gradients = first(0.0)
    along = sum(np.sum(g * v) for g, v in zip(gradients, directions, strict=True))
    second = at.gradients(along, tensors) if along.requires_grad else [np.zeros(x.shape) for x in tensors]
    (expected,) = oracles.differences(lambda t: [g.data for g in first(t)[1]], [np.zeros(())], np.float64, 2.0**-6)
    away = abs(oracles.flat([np.asarray(getattr(H, "data", H)) for H in second]) - expected.values[:, 0])
    assert np.all(away <= 1e-10 * np.max(abs(expected.values), initial=1) + 4 * expected.errors[:, 0])


@some_cases
def test_forward_mode_is_the_transpose_of_reverse_mode(case):
    f, args = case.draw()
    value, upstream, gradients = pulled(f, args, case.rng())
    tangents = random_like(case.rng(), args)
    derivative = parts(at.jvp(f, args, tangents)[1])
    forward = [np.sum(u * d) for u, d in zip(upstream, derivative, strict=True)]
    reverse = [np.sum(g * v) for g, v in zip(gradients, tangents, strict=True)]
    size = sum(np.sum(abs(g * v)) for g, v in zip(gradients, tangents, strict=True))
    assert [np.shape(d) for d in derivative] == [np.shape(y) for y in parts(value)]
    np.testing.assert_allclose(sum(forward), sum(reverse), rtol=0, atol=1e-13 * size + 1e-300)


def ones_like(value):
    """Ones as the gradient of a value, or of each output."""
    return (
        OutputGradients(value, tuple(map(np.ones_like, value))) if isinstance(value, Outputs) else np.ones_like(value)
    )


@some_cases
def test_rules_stay_in_single_precision(case):
    f, args = case.draw(np.float32)
    for node in topological_order(*parts(f(*map(at.Tensor, args)))):
        if node.op is not None and node.dtype == np.float32:
            values = [value_of(arg) for arg in node.args]
            for arg, rule in zip(node.args, node.op.rules, strict=False):
                if isinstance(arg, at.Tensor) and arg.dtype == np.float32:
                    assert rule(ones_like(value_of(node)), value_of(node), *values, **node.kwargs).dtype == np.float32
