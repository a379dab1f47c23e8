"""A float that C code asks a Tensor for is meant to leave the graph, or else it is an error."""

import math
from math import exp as exponential

import numpy as np
import pytest

import autotiny as at
from autotiny.errors import UnsupportedError


@pytest.fixture
def t():
    return at.Tensor(2.0, name="t")


MEANT = {
    "float": lambda t: float(t),
    "float of a result": lambda t: float(t * t),
    "inside": lambda t: math.exp(float(t)),
    "item": lambda t: math.exp(t.item()),
    "over lines": lambda t: math.exp(
        float(
            t,
        )
    ),
    "format": lambda t: float(f"{t:.3f}"),
    "percent": lambda t: float("%.3f" % t),  # noqa: UP031 - old code
    "int": lambda t: int(t),
    "a fact": lambda t: math.isfinite(t),
    "a whole part": lambda t: math.floor(t),
    "detached": lambda t: math.exp(t.detach()),
    "array of a float": lambda t: np.float64(float(t)),
    "a function of the user's": lambda t: (lambda number: float(number))(t),
}


@pytest.mark.parametrize("way", MEANT)
def test_numbers_that_are_asked_for_are_given(way, t):
    assert MEANT[way](t) == MEANT[way](at.Tensor(2.0, requires_grad=False))


LOSING = {
    "exp": (lambda t: math.exp(t), r"math\.exp would lose the gradient of t, .*: use np\.exp, or t\.item\(\)"),
    "by another name": (lambda t: exponential(t), "math.exp would lose the gradient of t"),
    "second argument": (lambda t: math.hypot(1.0, t), "math.hypot would lose"),
    "inside an expression": (lambda t: 1 + 2 * math.sqrt(t) / 3, "math.sqrt would lose"),
    "in a comprehension": (lambda t: [math.sin(v) for v in [t]], "math.sin would lose"),
    "of a result": (lambda t: math.log(t * t), "math.log would lose the gradient of"),
    "what NumPy lacks": (lambda t: math.erf(t), "math.erf would lose .*: use functions of NumPy, or"),
    "NumPy's float": (lambda t: np.float64(t), "turning it into a plain array would lose its gradient"),
    "NumPy's short float": (lambda t: np.float32(t), "turning it into a plain array would lose its gradient"),
    "an array of it": (lambda t: np.full(3, t), "turning it into a plain array would lose its gradient"),
}


@pytest.mark.parametrize("way", LOSING)
def test_function_that_would_compute_without_a_gradient_is_an_error(way, t):
    call, words = LOSING[way]
    with pytest.raises(UnsupportedError, match=words):
        call(t)


@pytest.mark.parametrize(
    "way", [lambda a, t: a.fill(t), lambda a, t: np.fromiter([t], float)], ids=["fill", "fromiter"]
)
def test_array_that_takes_a_float_in_is_an_error(way, t):
    with pytest.raises((UnsupportedError, ValueError)):
        way(np.zeros(3), t)


def test_calls_that_do_not_show_in_the_line_cannot_be_told_apart(t):
    """As the docstring of float says."""
    assert list(map(math.exp, [t])) == [math.exp(2.0)]
