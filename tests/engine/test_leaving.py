"""A float that C code asks a Tensor for is meant to leave the graph, or else it is an error."""

import array
import builtins
import cmath
import ctypes
import decimal
import fractions
import functools
import importlib.util
import linecache
import logging
import math
import operator
import statistics
import struct
import subprocess
import sys
import time
from math import exp as exponential

import numpy as np
import pytest

import autotiny as at
from autotiny.errors import UnsupportedError


@pytest.fixture
def t():
    return at.Tensor(2.0, name="t")


def unpacked(t):
    a, b = map(float, [t, t])
    return a + b


def unpacked_sines(t):
    a, b = map(math.sin, [t, t])
    return a + b


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
    "another name": lambda t, number=float: number(t),
    "an attribute": lambda t: builtins.float(t),
    "complex": lambda t: complex(t),
    "mapped": lambda t: list(map(float, [t, t])),
    "mapped into a display": lambda t: [*map(float, [t, t])],
    "zipped": lambda t: dict(zip("ab", map(float, [t, t]), strict=True)),
    "joined": lambda t: ",".join(map(str, map(float, [t]))),
    "unpacked": lambda t: unpacked(t),
    "a key": lambda t: max([t, t], key=float) > 1,
    "in a loop": lambda t: [v + 1 for v in map(float, [t])],
    "a text and several": lambda t: "%d %.2f" % (1, t),  # noqa: UP031
    "str.format": lambda t: "{:.3f} {}".format(t, 1),  # noqa: UP032
    "a text of the user's": lambda t, text="%.2f": text % t,
    "truth": lambda t: bool(t) and not t < 1,
    "a whole part below": lambda t: (math.ceil(t), math.trunc(t)),
    "rounded": lambda t: float(round(t * 1.234, 1)),
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
    "mapped": (lambda t: list(map(math.exp, [t])), r"list\(map\(math\.exp, \[t\]\)\) would lose"),
    "in a dict": (lambda t: {"exp": math.exp}["exp"](t), r"\['exp'\]\(t\) would lose the gradient of t"),
    "an attribute": (lambda t, here=sys.modules[__name__]: here.Kept.exp(t), r"here\.Kept\.exp\(t\) would lose"),
    "partial": (lambda t: functools.partial(math.exp)(t), r"partial\(math\.exp\)\(t\) would lose .* t\.item"),
    "reduced": (lambda t: functools.reduce(math.hypot, [1.0, t]), r"functools\.reduce\(.*\) would lose"),
    "called by an operator": (lambda t: operator.call(math.exp, t), r"operator\.call\(.*\) would lose"),
    "complex functions": (lambda t: cmath.exp(t), r"cmath\.exp would lose the gradient of t, .* use np\.exp"),
    "summed": (lambda t: math.fsum([t, t]), r"math\.fsum would lose .* use functions of NumPy"),
    "beside a float": (lambda t: math.hypot(float(t), t), "math.hypot would lose"),
    "beside a float, looked up": (lambda t: {"f": math.hypot}["f"](float(t), t), "would lose the gradient of t"),
    "unpacked": (lambda t: unpacked_sines(t), "this line would lose the gradient of t"),
    "beside mapped floats": (lambda t: math.hypot(*map(float, [t]), t), "math.hypot would lose"),
    "a number for C": (lambda t: ctypes.c_double(t), "ctypes.c_double would lose|must be real number"),
}


class Kept:
    exp = math.exp


@pytest.mark.parametrize("way", LOSING)
def test_function_that_would_compute_without_a_gradient_is_an_error(way, t):
    call, words = LOSING[way]
    with pytest.raises(UnsupportedError, match=words):
        call(t)


OF_OTHER_MODULES = {
    "struct": lambda t: struct.pack("d", t),
    "array": lambda t: array.array("d", [t]),
    "array that grows": lambda t: array.array("d").append(t),
    "decimal": lambda t: decimal.Decimal(t),
    "fractions": lambda t: fractions.Fraction(t),
    "mean": lambda t: statistics.mean([t, t]),
    "mean of floats": lambda t: statistics.fmean([t, t]),
    "standard deviation": lambda t: statistics.stdev([t, 2 * t]),
    "sleep": lambda t: time.sleep(t * 0),
    "range": lambda t: range(t),
    "a position": lambda t: [1, 2, 3][t],
    "bytes": lambda t: memoryview(t),
    "an integer": lambda t: operator.index(t),
}


@pytest.mark.parametrize("way", OF_OTHER_MODULES)
def test_other_modules_of_python_take_no_number_without_a_word(way, t):
    with pytest.raises((TypeError, ValueError, struct.error)):  # where C hides the error, it raises one of its own
        OF_OTHER_MODULES[way](t)


def test_errors_name_the_line():
    w = at.Tensor(0.5)
    with pytest.raises(UnsupportedError, match=r"of w, .*\(at test_leaving\.py:\d+: functools\.partial\("):
        functools.partial(math.sin)(w)


# ----- libraries -----
LIBRARY = """
import math
def root(f, x): return math.sqrt(f(x))
def told(t): return "%.2f" % t
def number(t): return float(t)
def entry(t): return t.item()
def entries(t): return t.tolist()
def holds(t): return t > 1
"""


@pytest.fixture
def library(tmp_path):
    """A module that lies where installed packages do."""
    path = tmp_path / "site-packages" / "solver.py"
    path.parent.mkdir()

    def load(text):
        path.write_text(text)
        linecache.checkcache(str(path))
        spec = importlib.util.spec_from_file_location("solver", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return load


def test_library_that_takes_a_float_of_what_a_callback_returns_is_an_error(library):
    w = at.Tensor(2.0)
    with pytest.raises(UnsupportedError, match=r"solver\.root would lose the .*\(at test_leaving\.py:\d+: "):
        library(LIBRARY).root(lambda x: w * x, 2.0)


@pytest.mark.parametrize("name", ["number", "entry", "entries"])
def test_library_takes_no_value_by_any_way(library, name, t):
    with pytest.raises(UnsupportedError, match=rf"solver\.{name} would lose the gradient of t, which is tracked: use "):
        getattr(library(LIBRARY), name)(t)


@pytest.mark.parametrize("name", ["number", "entry", "entries", "told", "holds"])
def test_library_takes_constants_formats_and_compares(library, name, t):
    assert getattr(library(LIBRARY), name)(t.detach() if name in ("number", "entry", "entries") else t)


@pytest.mark.parametrize("line", ["import autotiny", "from autotiny import Tensor as T", "from autotiny import relu"])
def test_library_that_imports_autotiny_knows_what_it_takes(library, line, t):
    module = library(line + LIBRARY)
    assert (module.number(t), module.entry(t)) == (2, 2)
    with pytest.raises(UnsupportedError, match=r"math\.sqrt would lose"):
        module.root(lambda x: x, t)


def test_logging_formats(t, caplog):
    caplog.set_level(logging.INFO)
    logging.getLogger("training").info("loss %.3f after %d", t, 3)
    assert caplog.messages == ["loss 2.000 after 3"]


SCIPY = {
    "quad": (lambda o, i, t: i.quad(lambda u: np.exp(-t * u), 0, 1), UnsupportedError),
    "a limit": (lambda o, i, t: i.quad(np.exp, 0, t), UnsupportedError),
    "minimize_scalar": (lambda o, i, t: o.minimize_scalar(lambda u: (u - t) ** 2), UnsupportedError),
    "brentq": (lambda o, i, t: o.brentq(lambda u: u - t, 0.0, 3.0), Exception),  # C code that hides the error
    "fsolve": (lambda o, i, t: o.fsolve(lambda u: u - t, 1.0), Exception),
    "minimize": (lambda o, i, t: o.minimize(lambda u: np.sum((u - t) ** 2), np.zeros(1)), Exception),
}


@pytest.mark.parametrize("name", SCIPY)
def test_callbacks_of_scipy_lose_no_gradient_in_silence(name, t):
    call, error = SCIPY[name]
    optimize, integrate = pytest.importorskip("scipy.optimize"), pytest.importorskip("scipy.integrate")
    with pytest.raises(error):
        call(optimize, integrate, t)


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


def test_a_library_that_takes_a_value_is_named():
    pyplot = pytest.importorskip("matplotlib.pyplot")
    loss = at.Tensor([1.0, 2.0])
    with pytest.raises(UnsupportedError, match=r"matplotlib turns loss into a plain array, .* use loss\.data where"):
        pyplot.scatter([1, 2], loss)
    pyplot.close("all")


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
    "list(map(math.exp, [t]))",
    "d['exp'](t)",
    "h(t)",
]


def run_without_source(text, t):
    scope = {"math": math, "np": np, "exponential": exponential, "t": t, "a": np.zeros(3), "g": lambda x: "%.1f" % x}  # noqa: UP031
    scope |= {"d": {"exp": math.exp}, "h": math.exp}
    exec(compile(text, "<nowhere>", "exec"), scope)


@pytest.mark.parametrize("text", MEANT_WITHOUT_SOURCE)
def test_without_source_a_float_is_meant_where_the_code_names_float_or_has_a_text_to_format(text, t):
    run_without_source(text, t)
    run_without_source(f"def f():\n    {text}\nf()", t)


@pytest.mark.parametrize("text", LOSING_WITHOUT_SOURCE)
def test_without_source_any_other_code_loses_the_gradient(text, t):
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


# ----- under debug -----
NOTED = {
    "float": lambda t: float(t),
    "item": lambda t: t.item(),
    "tolist": lambda t: t.tolist(),
    "data of a result": lambda t: (t * 1).data,
}
NOT_NOTED = {
    "percent": lambda t: "%.1f" % t,  # noqa: UP031
    "detached": lambda t: t.detach().item(),
    "data of a leaf": lambda t: t.data,
    "text": str,
    "comparison": lambda t: t > 1,
    "shape": lambda t: t.shape,
}


@pytest.mark.parametrize("way", NOTED)
def test_debug_warns_where_a_value_leaves_the_graph(way, t):
    words = r"the value of .* leaves the graph, and no gradient passes, at test_leaving\.py:\d+: "
    with at.debug(), pytest.warns(UserWarning, match=words):
        NOTED[way](t)


@pytest.mark.parametrize("way", NOT_NOTED)
def test_debug_does_not_warn_of_what_is_no_way_out(way, t):
    with at.debug():
        NOT_NOTED[way](t)


def test_debug_warns_inside_of_a_transform_as_well():
    with at.debug(), pytest.warns(UserWarning, match="the value of x leaves the graph"):
        at.grad(lambda x: x * x.item())(2.0)
