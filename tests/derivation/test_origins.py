"""Numbers and arrays are written by the expression that they came from, and by no other."""

import inspect
import math
import random
import re

import numpy as np
import pytest

import autotiny as at


def derived(code, output="J", target="x", **names):
    """The derivation at the end of code that is run by exec, with names that it may use."""
    rng = np.random.default_rng(5)
    names = {"np": np, "at": at, "T": at.Tensor, "_n": lambda *shape: rng.normal(size=shape), **names}
    exec(f"{code}\n_derivation = at.derive({output}, {target!r})", names)
    return names["_derivation"]


X = "x = T(_n(3))\n"
FORMULAS = [
    # ----- numbers -----
    ("i = 9\nJ = 3 * np.sum(np.sin(x))", "3 * cos(x)"),
    ("k, n = 5, 25\nJ = 5 * np.sum(x ** 3) + np.sqrt(n) * np.sum(x)", "sqrt(n) + 15 * x²"),
    ("s = 0.7\nJ = np.sum(x ** 2) / (2 * s ** 2)", "x / s²"),
    ("d = 4\nJ = np.sum(x ** 2) / np.sqrt(d)", "2 * x / sqrt(d)"),
    ("m = 8\nJ = 1 / (2 * m) * np.sum(x ** 2)", "x / m"),
    ("alpha = 0.3\nJ = alpha / 2 * np.sum(x ** 2)", "alpha * x"),
    ("alpha = 0.5\nJ = 0.5 * np.sum(x ** 2) + alpha * np.sum(x)", "x + alpha"),
    ("lam = 0.3\nJ = 0.3 * np.sum(x ** 2) + lam * np.sum(x)", "0.6 * x + lam"),
    ("m = 8\nc = 1 / m\nJ = c * np.sum(x ** 2)", "2 * c * x"),
    ("p = 1.7\nx = T([1.0, 2.0])\nJ = np.sum(x ** p)", "p * x ** (p - 1)"),
    ("p = 3\nJ = np.sum(np.abs(x) ** p)", "3 * x * abs(x)"),
    ("y = _n(3)\nJ = np.sum((x - y) ** 2) / len(y)", "2 * (x - y) / len(y)"),
    ("y = _n(3)\nJ = np.sum((x - y) ** 2) / y.shape[0]", "2 * (x - y) / len(y)"),
    ("y, n = _n(3), 3\nJ = np.sum((x - y) ** 2) / y.shape[0]", "2 * (x - y) / n"),
    ("n = 3\nJ = np.mean(x ** 2)", "2 * x / n"),
    ("n = k = 3\nJ = np.mean(x ** 2)", "2 * x / 3"),
    ("n = 7\nJ = np.mean(x ** 2)", "2 * x / 3"),
    ("J = np.sum(x ** 2) / (2 * np.pi)", "x / π"),
    ("J = np.sum(x ** 2) / 2 / math.pi", "x / π"),
    ("c = _n(4)\nJ = np.sum(x ** 2) / np.sum(c)", "2 * x / sum(c)"),
    ("y = _n(4)\nJ = np.sum(x ** 2) / np.linalg.norm(y)", "2 * x / ‖y‖"),
    ("w = _n(4)\nJ = w[1] * np.sum(x ** 2)", "2 * w[1] * x"),
    ("b = 2\nJ = np.sum(x ** 2) * b ** 5", "2 * b⁵ * x"),
    ("a, b = 0.3, 0.6\nJ = (a if b > 0 else b) * np.sum(np.sin(x))", "a * cos(x)"),
    # ----- arrays -----
    ("S = np.eye(3)\nJ = x @ np.linalg.inv(S) @ x", "2 * S⁻¹ x"),
    ("S = np.array([[2., 1., 0.], [1., 3., 0.], [0., 0., 1.]])\nL = np.linalg.inv(S)\nJ = x @ L @ x", "2 * L x"),
    ("y, c = _n(3), 0.3\nJ = c * np.sin(y) @ x", "c * sin(y)"),
    ("y = _n(5)\nJ = np.sum(y[1:-1] * np.sin(x))", "y[1:-1] * cos(x)"),
    ("Y, w = _n(4, 3), _n(4)\nJ = np.sum(Y.T @ w * np.sin(x))", "Yᵀ w * cos(x)"),
    ("p = np.array([.2, .3, .5])\nJ = np.sum(np.log(p) * np.sin(x))", "log(p) * cos(x)"),
    ("a, b = np.ones(3), np.ones(3)\nJ = np.sum(a * x) + np.sum(b * np.sin(x))", "a + b * cos(x)"),
    ("a, b = _n(3), None\nb = a.copy()\nJ = np.sum(a * x) + np.sum(b * np.sin(x))", "a + b * cos(x)"),
    ("y, k = np.array([0, 1, 1]), 1\nJ = np.sum((y == k) * np.sin(x))", "cos(x) * 1[y = k]"),
    ("J = np.sum(np.array([2., 5., 1.]) * np.sin(x))", "[2, 5, 1] * cos(x)"),
    ("J = np.sum([2, 5, 1] * np.sin(x))", "[2, 5, 1] * cos(x)"),
    ("w = [2, 5, 1]\nJ = np.sum(w * np.sin(x))", "w * cos(x)"),
    ("J = np.sum(x * (x > 0.1))", "1[x > 0.1]"),
    ("a, b = 0.1, 2.0\nJ = np.sum(x * ((x > a) & (x < b)))", "1[x > a and x < b]"),
    ("p = {'gamma': _n(3)}\nJ = np.sum(p['gamma'] * np.sin(x))", "gamma * cos(x)"),
    ("ys = [_n(3), _n(3)]\nJ = sum(np.sum(y * np.sin(x)) for y in ys)", "cos(x) * (ys[0] + ys[1])"),
    ("Y = _n(2, 3)\nJ = np.sum(Y[0] * np.sin(x)) + np.sum(Y[1] * np.cos(x))", "Y[0] * cos(x) - sin(x) * Y[1]"),
    ("def f(t):\n    return 2 * t\nJ = np.sum(f(_n(3)) * np.sin(x))", "C * cos(x)"),
    ("J = np.sum(np.random.default_rng(0).normal(size=3) * np.sin(x))", "C * cos(x)"),
    ("y = _n(3)\nx0 = x.data.copy()\nJ = np.sum((x.data - y) * np.sin(x))", "cos(x) * (x0 - y)"),
    # ----- functions, methods, loops -----
    ("def f(x, y, lam):\n    m = len(y)\n    return np.sum((x - y) ** 2) / m + lam * x @ x\n"
     "J = f(x, _n(3), 0.3)", "2 * (lam * x + (x - y) / m)"),
    ("c = 0.7\nf = lambda t: c * np.sum(t ** 2)\nJ = f(x)", "2 * c * x"),
    ("class Ridge:\n    def __init__(self, lam): self.lam = lam\n"
     "    def loss(self, w): return self.lam / 2 * np.sum(w ** 2)\nJ = Ridge(0.3).loss(x)", "0.3 * x"),
    ("class Ridge:\n    def __init__(self, lam): self.lam = lam\n"
     "    def loss(self, w): return self.lam / 2 * np.sum(w ** 2)\nmodel = Ridge(0.3)\nJ = model.loss(x)", "lam * x"),
    ("class Ridge:\n    def __init__(self, lam): self.lam = lam\n"
     "    def __call__(self, w): return self.lam / 2 * np.sum(w ** 2)\nmodel = Ridge(0.3)\nJ = model(x)", "lam * x"),
    ("a, s = 0.9, 0\nfor t in range(2):\n    s = s + a * np.sum(np.sin(x))\nJ = s", "2 * a * cos(x)"),
    ("c, J = 0.7, 0\nfor v in [1.5, 2.5]:\n    J = J + c * np.sum((x - v) ** 2)", "c * (4 * x - 8)"),
    ("c = 0.7\nJ = sum(c * np.sum((x - v) ** 2) for v in [1.5, 2.5])", "c * (4 * x - 8)"),
    ("def outer():\n    c = 0.7\n    def inner(x): return c * np.sum(x ** 2)\n    return inner\n"
     "J = outer()(x)", "2 * c * x"),
    ("def outer(c):\n    def inner(x): return c * np.sum(x ** 2)\n    return inner\n"
     "f = outer(0.7)\nJ = f(x)", "2 * c * x"),
]  # fmt: skip


@pytest.mark.parametrize(("code", "formula"), FORMULAS, ids=[code.replace("\n", "; ") for code, _ in FORMULAS])
def test_what_came_from_an_expression_is_written_by_it(code, formula):
    assert derived(X + code, math=math).formula == formula


@pytest.mark.parametrize("code", [code for code, _ in FORMULAS[:12]])
def test_a_formula_with_expressions_matches_itself_and_runs_alone(code):
    derivation = derived(X + code)
    assert derivation.matches(derivation.formula, {})
    assert str(derivation.numpy()).startswith("def dx(")


def test_code_in_a_function_of_a_file_is_read_as_well():
    x, y, s, i = at.Tensor([0.3, -0.8, 1.1]), np.array([1.0, 2.0, 3.5]), 0.7, 9
    loss = 3 * np.sum(np.sin(x)) + np.sum((x - y[::-1]) ** 2) / (2 * s**2)
    assert at.derive(loss, x).formula == "3 * cos(x) + (x - y[::-1]) / s²"
    assert i == 9


# ----- random expressions -----
VECTORS = [
    "y", "{s} * y", "y * {s}", "y / {s}", "np.sin({v})", "{v} + {v}", "{v} - {s}", "{v} * {v}", "A @ {v}", "{v} @ A",
    "A.T @ {v}", "np.linalg.inv(A) @ {v}", "A[0]", "A[:, 1]", "z[1:-1]", "np.exp(-{v})", "{v} ** 2",
    "np.log(np.abs({v}))",
    "np.sum(A, axis=0)", "A.sum(axis=1)", "-{v}", "1 - {v}", "np.dot(A, {v})", "np.maximum({v}, {s})",
]  # fmt: skip
NUMBERS = [
    "lam", "m", "2 * m", "1 / m", "lam / 2", "s ** 2", "np.sqrt(m)", "1 / np.sqrt(lam)", "np.sum(y)", "y @ y", "len(y)",
    "np.linalg.norm(z)", "z[0]", "A[1, 2]", "np.max(np.abs(y))", "(1 - lam)", "lam * s", "np.exp(-s)", "0.5",
    "3", "np.pi",
    "y.shape[0]", "A.shape[1]", "np.mean(z)", "float(lam)", "abs(s)",
]  # fmt: skip


def random_expression(rng, kinds, depth):
    text = rng.choice(kinds if depth else kinds[:1])
    text = re.sub("{v}", lambda _: f"({random_expression(rng, VECTORS, depth - 1)})", text)
    return re.sub("{s}", lambda _: f"({rng.choice(NUMBERS)})", text)


def data(seed):
    rng = np.random.default_rng(seed)
    return {
        "y": rng.normal(size=3), "z": rng.normal(size=5), "A": rng.normal(size=(3, 3)) + 3 * np.eye(3),
        "lam": float(rng.uniform(0.2, 0.8)), "s": float(rng.uniform(0.5, 2)), "m": int(rng.integers(10, 90)),
    }  # fmt: skip


def random_code(rng):
    vector = lambda: random_expression(rng, VECTORS, 1)
    number = lambda: rng.choice(NUMBERS)
    return rng.choice(
        [
            lambda: f"J = ({number()}) * np.sum(np.sin(x) * ({vector()}))",
            lambda: f"J = np.sum((x - ({vector()})) ** 2) / ({number()})",
            lambda: f"J = ({vector()}) @ np.tanh(x) + ({number()}) * np.sum(x ** 2)",
            lambda: f"J = np.sum(np.exp(x * ({number()})) + ({vector()}) * x) - ({number()})",
            lambda: f"def f(x, v):\n    return np.sum(v * np.sin(x)) / ({number()})\nJ = f(x, {vector()})",
            lambda: f"b = {vector()}\nJ = np.sum(b * x ** 2) * ({number()})",
            lambda: f"def f(x):\n    return ({number()}) * np.sum(({vector()}) * np.sin(x))\nJ = f(x)",
        ]
    )()


@pytest.mark.parametrize("seed", range(80))
def test_random_expressions_give_functions_that_hold_on_other_data(seed):
    code = random_code(random.Random(seed))
    derivation = derived("x = T(np.array([0.3, -0.8, 1.1]))\n" + code, **data(seed))
    assert derivation.ok
    names = {"np": np, "at": at, "x": at.Tensor([0.5, 0.9, -0.4]), **data(seed + 1000)}
    exec(code, names)
    (gradient,) = at.gradients(names["J"], [names["x"]])
    function = derivation.numpy()
    arguments = {
        name: names[name].data if name == "x" else names[name] for name in inspect.signature(function).parameters
    }
    np.testing.assert_allclose(function(**arguments), gradient.data, rtol=1e-9, atol=1e-12, err_msg=derivation.formula)


def test_code_is_read_without_running_any_of_it():
    called = []

    class Data:
        @property
        def y(self):
            called.append("property")
            return np.ones(3)

        def __add__(self, other):
            called.append("sum")
            return np.ones(3)

        def __getitem__(self, key):
            called.append("item")
            return np.ones(3)

    def f(y):
        called.append("function")
        return y

    code = "J = np.sum(f(np.arange(3.)) * x) + np.sum(box.y * x) + np.sum(box[0] * x) + np.sum((box + 1) * x)"
    before = derived(X + code, f=f, box=Data())
    assert before.ok
    assert called == ["function", "property", "item", "sum"]


def test_an_array_that_changed_since_is_not_written_by_the_expression():
    assert derived(X + "y = _n(3)\nJ = np.sum(2 * y * np.sin(x))\ny = _n(3)").formula == "C * cos(x)"


def test_cells_of_a_notebook_are_read_though_each_statement_is_compiled_alone():
    cells = ["lam, i = 0.1, 9", "x = at.Tensor([1.0, 2.0])", "J = lam / 2 * np.sum(x**2) + 3 * np.sum(np.sin(x))"]
    names = {"np": np, "at": at, "In": ["", *cells, "%magic"], "get_ipython": None}
    for cell in cells:
        exec(cell, names)
    exec("formula = at.derive(J, 'x').formula", names)
    assert names["formula"] == "3 * cos(x) + lam * x"


def test_where_no_code_is_read_floats_and_lengths_of_axes_give_numbers_their_names():
    names = {"np": np, "at": at, "x": at.Tensor([1.0, 2.0, 3.0]), "lam": 0.1, "n": 3, "i": 9}
    exec("J = lam / 2 * np.sum(x**2) + 9 * np.sum(np.sin(x)) + np.sum(x) / n", names)
    exec("formula = at.derive(J, 'x').formula", names)
    assert names["formula"] == "9 * cos(x) + 1 / n + lam * x"


def test_of_two_equal_arrays_neither_gives_its_name_to_a_copy():
    code = "a, b = list_of(_n(3))\ndef f(t): return np.array(list(t))\nJ = np.sum(f(a) * np.sin(x))"
    assert derived(X + code, list_of=lambda a: (a, np.array(list(a)))).formula == "C * cos(x)"


def test_a_derivation_in_a_helper_reads_the_code_around_it():
    def formula(loss, tensor):
        return at.derive(loss, tensor).formula

    x, lam, i = at.Tensor([1.0, 2.0]), 0.1, 9
    loss = lam / 2 * np.sum(x**2) + 3 * np.sum(np.sin(x))
    assert (formula(loss, x), i) == ("3 * cos(tensor) + lam * tensor", 9)
