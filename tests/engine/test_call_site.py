"""A float that C code asks a Tensor for is meant to leave the graph, or else it is an error."""

import math
import subprocess
import sys
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


def refusal(call):
    """What is said where the gradient would be lost; NumPy wraps it in an error of its own where it stores."""
    with pytest.raises((UnsupportedError, ValueError)) as raised:
        call()
    return f"{raised.value} {raised.value.__cause__}"


def stores(a, t):
    a[0] = t


def stores_in_a_row(a, t):
    a[0], a[1] = 1.0, t


def stores_into_what_is_looked_up(a, t):
    {"a": [a]}["a"][0][1] = t


def stores_in_a_loop(a, t):
    for a[0] in [t]:
        pass


def stores_after_other_letters(a, t):
    "∂"; a[0] = t  # fmt: skip  # noqa: E702 - columns count bytes


@pytest.mark.parametrize(
    "way", [stores, stores_in_a_row, stores_into_what_is_looked_up, stores_in_a_loop, stores_after_other_letters]
)
def test_entry_of_an_array_that_is_assigned_is_an_error(way, t):
    words = "t is tracked, and turning it into a plain array would lose its gradient"
    assert words in refusal(lambda: way(np.zeros(3), t))


def test_name_over_several_lines_is_read_from_its_end(t):
    with pytest.raises(UnsupportedError, match=r"math\.exp would lose"):
        (math
            .exp(t))  # fmt: skip


MEANT_WITHOUT_SOURCE = ["float(t)", "'%.3f' % t", "f'{t:.3f}'", "math.exp(float(t))", "t.item() * math.pi", "g(t)"]
LOSING_WITHOUT_SOURCE = [
    "math.exp(t)",
    "exponential(t)",
    "a.fill(t)",
    "a[0] = t",
    "np.full(3, t)",
    "math.pi * math.sin(t)",
]


def run_without_source(text, t):
    scope = {"math": math, "np": np, "exponential": exponential, "t": t, "a": np.zeros(3), "g": lambda x: "%.1f" % x}  # noqa: UP031
    exec(compile(text, "<nowhere>", "exec"), scope)


@pytest.mark.parametrize("text", MEANT_WITHOUT_SOURCE)
def test_without_source_a_float_is_meant_where_the_code_says_so_or_names_nothing_that_computes(text, t):
    run_without_source(text, t)
    run_without_source(f"def f():\n    {text}\nf()", t)


@pytest.mark.parametrize("text", LOSING_WITHOUT_SOURCE)
def test_without_source_what_the_code_names_counts_as_what_it_calls(text, t):
    assert "would lose" in refusal(lambda: run_without_source(text, t))
    assert "would lose" in refusal(lambda: run_without_source(f"def f(a=a):\n    {text}\nf()", t))


def test_code_without_columns_is_read_as_code_without_source():
    code = """
import math, numpy as np, autotiny as at
t, a = at.Tensor(2.0, name="t"), np.zeros(3)
def loses(): math.exp(t)
def stores(): a[0] = t
def asks(): return float(t)
asks()
for f in loses, stores:
    try:
        f()
    except (at.errors.UnsupportedError, ValueError) as error:
        print("would lose" in f"{error} {error.__cause__}")
"""
    ran = [sys.executable, "-X", "no_debug_ranges", "-c", code]
    assert subprocess.run(ran, check=True, capture_output=True, text=True, timeout=60).stdout.split() == ["True"] * 2


@pytest.mark.parametrize(
    "way", [lambda a, t: a.fill(t), lambda a, t: np.fromiter([t], float)], ids=["fill", "fromiter"]
)
def test_array_that_takes_a_float_in_is_an_error(way, t):
    with pytest.raises((UnsupportedError, ValueError)):
        way(np.zeros(3), t)


def test_calls_that_do_not_show_in_the_line_cannot_be_told_apart(t):
    """As the docstring of float says."""
    assert list(map(math.exp, [t])) == [math.exp(2.0)]
