"""compare and check_gradients on functions: arguments, trees, other libraries, and what is refused."""

from dataclasses import dataclass

import numpy as np
import pytest

import autotiny as at
from autotiny.checking import GradientError
from autotiny.errors import ShapeError, UnsupportedError

A = np.array([[2.0, 0.3, 0.1], [0.3, 3.0, 0.2], [0.1, 0.2, 4.0]])
v = np.array([0.5, -1.0, 2.0])


@at.operation(lambda g, y, x: g * slope_off(x))
def sin_of_a_spoilt_slope(x):
    return np.sin(x)


@at.operation(lambda g, y, x: -1.0005 * g * np.sin(x))
def slope_off(x):
    return np.cos(x)


@at.operation(lambda g, y, x: g * np.cos(getattr(x, "data", x)))
def sin_of_a_frozen_slope(x):
    return np.sin(x)


RIGHT = {
    "an argument that is not used": (lambda x, y: np.sum(x**2), v, v),
    "all but one linear": (lambda x, y: np.sum(3 * x + y**3), v, v),
    "bilinear": (lambda x, y: np.sum(x * y), v, v),
    "linear": (lambda x: np.sum(3 * x), v),
    "quadratic": (lambda x: np.sum(x**2), v),
    "cholesky": (np.linalg.cholesky, A),
    "det": (np.linalg.det, A),
    "a stack of det": (np.linalg.det, np.stack([A, A + np.eye(3)])),
    "log det": (lambda x: np.linalg.slogdet(x)[1], A),
    "inv": (np.linalg.inv, A),
    "solve": (np.linalg.solve, A, v),
    "a dict": (lambda p: {"a": p["W"] ** 2, "b": p["c"], "d": 1.0}, {"W": v, "c": 3.0, "unused": v}),
    "a mask and a text": (lambda x, mask, kind: np.sum(x**2 * mask) if kind == "square" else 0, v, v > 0, "square"),
    "none": (lambda x, y=None: np.sum(x**3), v, None),
    "whole numbers": (lambda x: x**3, 3),
    "single precision": (lambda x: np.sum(np.tanh(x) ** 2), v.astype(np.float32)),
    "half precision": (lambda x: np.sum(x * x), v.astype(np.float16)),
    "nothing": (lambda x: np.sum(x**2), np.ones((0, 3))),
    "large": (lambda x: np.sum(x * x), v * 1e150),
    "small": (lambda x: np.sum(x * x), v * 1e-150),
    "steep": (lambda x: np.sum(np.tanh(1e6 * x)), v * 1e-6),
    "at 0": (lambda x: np.sum(x**2 + np.sin(x)), np.zeros(3)),
}


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize(("f", "args"), [(f, args) for f, *args in RIGHT.values()], ids=RIGHT)
def test_right_gradients_raise_no_alarm_to_second_order(f, args, order):
    at.check_gradients(f, *args, order=order)


@pytest.mark.parametrize("f", [sin_of_a_spoilt_slope, sin_of_a_frozen_slope, lambda x: sin_of_a_spoilt_slope(x) * x])
def test_a_wrong_rule_of_a_rule_is_found_at_second_order_alone(f):
    at.check_gradients(f, v)
    with pytest.raises(GradientError, match="the second derivative is not the derivative"):
        at.check_gradients(f, v, order=2)


def test_arguments_are_left_as_they_were_and_no_gradient_is_stored():
    x, t = v.copy(), at.Tensor(v)
    at.check_gradients(lambda x, y: np.sum(np.exp(x) * y), x, t, order=2)
    np.testing.assert_array_equal(x, v)
    assert t.grad is None


def test_a_function_that_draws_random_numbers_or_remembers_is_refused():
    rng, calls = np.random.default_rng(0), []
    for f in (lambda x: np.sum(x * rng.normal(size=3)), lambda x: np.sum(x) * len(calls.append(1) or calls)):
        with pytest.raises(
            UnsupportedError, match=r"f gave .* and then .* for the same arguments; draw random numbers"
        ):
            at.check_gradients(f, v)
    seed = lambda x: np.sum(x * np.random.default_rng(0).normal(size=3))
    at.check_gradients(seed, v)


@pytest.mark.parametrize("f", [lambda x: np.floor(x) + x, lambda x: np.where(x > 0, 1.0, 0.0) + x, np.sign])
def test_a_point_where_the_function_jumps_is_not_confirmed_and_one_beside_it_is(f):
    with pytest.raises(GradientError, match=r"no number confirms the gradient(.|\n)*the values jump at this point"):
        at.check_gradients(f, np.zeros(2))
    at.check_gradients(f, np.full(2, 1e-3))


def test_a_kink_is_no_jump():
    for f in (at.relu, np.abs, np.max, lambda x: np.where(x > 0, x, 0.0), np.linalg.norm, lambda x: np.sqrt(np.abs(x))):
        at.check_gradients(f, np.zeros(2) + (1e-9 if f is not at.relu else 0))


def test_a_convention_that_is_not_the_slope_is_not_confirmed():
    with pytest.raises(GradientError, match=r"the gradient follows a convention at a kink, and is not the slope"):
        at.check_gradients(lambda x: at.relu(x) - at.relu(-x), np.zeros(2))


@pytest.mark.parametrize("way", [lambda t: t.item(), float, lambda t: t.data[()], lambda t: np.array(t.tolist())])
def test_the_line_of_a_way_out_is_named_where_a_gradient_is_lost(way):
    def f(x):
        scale = way(np.max(x))  # a way out
        return np.sum(x**2) * scale

    with pytest.raises(GradientError, match=r"a value left the graph at test_functions.py:\d+: ") as caught:
        at.check_gradients(f, v)
    assert "blame" not in str(caught.value)
    with pytest.raises(UnsupportedError, match=r"through Tensors; a value left the graph at test_functions.py:\d+: "):
        at.check_gradients(lambda x: way(np.sum(x)), v)


def test_a_way_out_by_which_no_gradient_is_lost_is_not_named():
    at.check_gradients(lambda x: np.sum(x**2) + 0 * float(np.max(x)), v)


@pytest.mark.filterwarnings("ignore:overflow")
def test_a_loss_that_overflowed_is_not_confirmed():
    with pytest.raises(GradientError, match=r"no number confirms the gradient(.|\n)*the loss overflowed"):
        at.check_gradients(lambda x: np.sum(x**2), np.full(3, 1e300))


# ----- a gradient in NumPy, PyTorch or JAX -----
def loss(x, y):
    return np.sum(np.sin(x) * y)


GRADIENTS = {
    "by all arguments": lambda x, y: (np.cos(x) * y, np.sin(x)),
    "as a list": lambda x, y: [np.cos(x) * y, np.sin(x)],
    "by the first argument": lambda x, y: np.cos(x) * y,
    "as nested lists": lambda x, y: (np.cos(x) * y).tolist(),
}


@pytest.mark.parametrize("gradient", GRADIENTS.values(), ids=GRADIENTS)
def test_a_gradient_is_compared_by_all_arguments_or_the_first(gradient):
    report = at.compare(loss, gradient, v, v + 1)
    assert report.ok
    assert [row.name for row in report.rows] == ["x", "y"]
    assert (report["y"].analytic is None) == (gradient not in list(GRADIENTS.values())[:2])


def test_a_wrong_gradient_function_is_found():
    report = at.compare(loss, lambda x, y: (np.cos(x) * y, 1.0005 * np.sin(x)), v, v + 1)
    assert [row.outlier for row in report.rows] == [None, "analytic"]


def test_gradients_of_trees_are_matched():
    def f(p):
        return np.sum(p["W"] ** 2) + p["b"]

    assert at.compare(f, lambda p: {"W": 2 * p["W"], "b": 1.0}, {"W": v, "b": 3.0}).ok


def test_what_cannot_be_compared_of_functions_is_said():
    with pytest.raises(ShapeError, match=r"expected the gradients by f's arguments, x \(3,\), y \(3,\), .* got \(2,\)"):
        at.compare(loss, lambda x, y: np.ones(2), v, v)
    with pytest.raises(UnsupportedError, match="expected the gradient of f as a function; got dict"):
        at.compare(loss, {}, v, v)
    with pytest.raises(ShapeError, match=r"f must return a single number; it returned shape \(3,\)"):
        at.compare(lambda x: x * x, lambda x: 2 * x, v)
    with pytest.raises(UnsupportedError, match="f's result does not depend on any argument"):
        at.compare(lambda x: 1.0, lambda x: 0 * x, v)
    x = at.Tensor(v, name="x")
    with pytest.raises(UnsupportedError, match=r"arguments are for functions, as in at.compare\(f, grad_f, \*args\)"):
        at.compare(np.sum(x), {x: 1}, v)
    for bad, words in ((3, "expected a function; got int"), (np.sin, "expected the arguments of f after it")):
        with pytest.raises(UnsupportedError, match=words):
            at.check_gradients(bad)
    for result, words in (([], "f returned nothing"), (None, "to return numbers; got NoneType"), ("a", "got str")):
        with pytest.raises(UnsupportedError, match=words):
            at.check_gradients(lambda x, result=result: result, v)


# ----- closed forms in other libraries -----
class Protocol:
    """An array of another library: numbers by a protocol alone."""

    def __init__(self, values, **methods):
        self.values = np.asarray(values)
        self.dtype = self.values.dtype
        self.__dict__.update(methods)


class ByArray(Protocol):
    def __array__(self, dtype=None, copy=None):
        return np.array(self.values, dtype=dtype)


class ByDlpack(Protocol):
    def __dlpack__(self, **options):
        return self.values.__dlpack__(**options)

    def __dlpack_device__(self):
        return self.values.__dlpack_device__()


class InAGraph(Protocol):
    """Like a tensor of PyTorch that requires a gradient."""

    def __array__(self, dtype=None, copy=None):
        raise RuntimeError("Can't call numpy() on Tensor that requires grad")

    def detach(self):
        return self

    def cpu(self):
        return ByArray(self.values)


@pytest.mark.parametrize("kind", [ByArray, ByDlpack, InAGraph, np.ndarray.tolist, tuple, at.Tensor, np.float64])
def test_a_closed_form_may_come_from_another_library(kind):
    x = at.Tensor(v, name="x")
    loss = np.sum(x * x)
    assert at.compare(loss, {x: kind(2 * v)}).ok
    assert at.compare(loss, {x: kind(2.001 * v)})["x"].outlier == "analytic"


def test_columns_of_pytorch_are_taken_out_of_its_graph():
    torch = pytest.importorskip("torch")
    x, t = at.Tensor(v, name="x"), torch.tensor(v, requires_grad=True)
    assert at.compare(np.sum(x * x), {x: 2 * t}).ok
    narrow = (2 * t).to(torch.bfloat16)
    assert at.compare(np.sum(x * x), {x: narrow}).ok
    assert not at.compare(np.sum(x * x), {x: 1.1 * narrow}).ok
    assert at.compare(loss, torch.func.grad(lambda x, y: torch.sum(torch.sin(x) * y)), v, v + 1).ok


def test_columns_of_jax_are_judged_in_their_precision():
    jax = pytest.importorskip("jax")
    x, column = at.Tensor(v, name="x"), jax.numpy.asarray(2 * v)
    assert at.compare(np.sum(x * x), {x: column}).ok
    assert not at.compare(np.sum(x * x), {x: 1.0005 * column}).ok
    assert at.compare(np.sum(x * x), {x: column.astype(jax.numpy.bfloat16)}).ok
    assert at.compare(loss, jax.grad(lambda x, y: jax.numpy.sum(jax.numpy.sin(x) * y)), v, v + 1).ok


# ----- which arguments are variables -----
def weighed(x, y=2.0, mode="a", *, scale=3.0):
    return np.sum(x**2) * y * scale


@pytest.mark.parametrize(
    ("args", "options", "names"),
    [
        ((np.ones(2),), {}, ["x"]),
        ((np.ones(2), 5.0), {"scale": 4.0}, ["x", "y"]),
        ((np.ones(2), 5.0, "b"), {"argnums": 1}, ["y"]),
        ((np.ones(2),), {"argnames": ("scale", "y")}, ["scale", "y"]),
        ((), {"argnames": "x", "x": np.ones(2)}, ["x"]),
    ],
)
def test_variables_are_stated_by_position_or_name(args, options, names):
    at.check_gradients(weighed, *args, **options, order=2)
    stated = {name: options[name] for name in ("argnums", "argnames") if name in options}
    stated = stated or {"argnums": tuple(range(len(args)))}
    report = at.compare(weighed, at.grad(weighed, **stated), *args, **options)
    assert report.ok
    assert [row.name for row in report.rows] == names


def test_gradient_by_another_argument_is_checked_by_its_name():
    def f(x, y):
        return np.sum(x**2) * float(y)

    at.check_gradients(f, np.ones(2), 3.0, argnums=0)
    with pytest.raises(GradientError, match=r"\ny .*DIFFERS"):
        at.check_gradients(f, np.ones(2), 3.0, argnums=(0, 1))
    assert not at.compare(weighed, lambda x, y: np.sum(x**2) * 2, np.ones(2), 3.0, argnames="y").ok
    with pytest.raises(UnsupportedError, match="compare: argnames='z' is no parameter of the function"):
        at.compare(f, f, np.ones(2), 3.0, argnames="z")
    x = at.Tensor(2.0)
    with pytest.raises(UnsupportedError, match="arguments are for functions"):
        at.compare(x * x, {x: 4.0}, argnums=0)


def test_trees_of_dataclasses_are_checked():
    @dataclass
    class Parameters:
        W: np.ndarray
        name: str = "tanh"

    p = Parameters(np.array([0.5, -1.0]))
    at.check_gradients(lambda p: np.sum(np.tanh(p.W)) if p.name == "tanh" else 0.0, p, order=2)
    assert at.compare(lambda p: np.sum(p.W**2), lambda p: Parameters(2 * p.W), p).ok


@pytest.mark.parametrize(
    "gradient",
    [
        lambda w, b, x: (x * (w * x + b), w * x + b),
        lambda w, b, x: {"b": w * x + b},
        lambda w, b, x: x * (w * x + b),
    ],
    ids=["by the first two", "by name", "by the first"],
)
def test_a_gradient_by_some_arguments_is_compared_and_the_others_by_numbers(gradient):
    report = at.compare(lambda w, b, x: (w * x + b) ** 2 / 2, gradient, 0.5, -0.3, 1.7)
    assert report.ok
    assert [row.name for row in report.rows] == ["w", "b", "x"]


# ----- explanations of functions -----
DATA = np.random.default_rng(0).normal(size=(8, 3))
RATE = 0.1


def squares(w, b):
    r = DATA @ w + b
    return np.mean(r**2) / 2 + RATE * np.sum(w**2)


def test_what_explains_a_gradient_function_is_in_the_names_of_its_module():
    def half_of_the_decay(w, b):
        r = DATA @ w + b
        return DATA.T @ r / 8 + RATE * w, np.mean(r)

    report = at.compare(squares, half_of_the_decay, np.ones(3), 0.5)
    assert report["w"].notes == ("the gradient with the term through RATE * sum(w²) times 0.5: a missing factor of 2",)
    assert report["b"].ok


def test_a_single_number_is_explained_by_what_explains_it_at_other_points_too():
    def f(x):
        return x * x * x + 2 * x

    missing = at.compare(f, lambda x: 3 * x**2, 2.0)["x"].notes
    assert missing == ("the gradient without the term through 2 * x: forgotten?",)
    assert at.compare(f, lambda x: 3.3 * x**2 + 2, 2.0)["x"].notes == ()
    assert at.compare(f, lambda x: 1.5 * (3 * x**2 + 2), 2.0)["x"].notes == ("1.5 times the gradient",)


def test_a_gradient_function_that_runs_at_one_point_only_keeps_its_explanation():
    calls = []

    def once(x):
        calls.append(x)
        if len(calls) > 1:
            raise ValueError("once")
        return 2 * x

    assert at.compare(lambda x: x * x + x, once, 3.0)["x"].notes == (
        "the gradient without the path through + x: forgotten?",
    )


def test_trees_are_compared_by_their_keys():
    def f(p):
        return np.sum(np.tanh(DATA @ p["U"]) * (DATA @ p["V"]))

    def gradient(p):
        t, s = np.tanh(DATA @ p["U"]), DATA @ p["V"]
        return {"V": DATA.T @ t, "U": DATA.T @ (s * (1 - t * t))}

    def swapped(p):
        right = gradient(p)
        return {"U": right["V"], "V": right["U"]}

    rng = np.random.default_rng(1)
    p = {"U": rng.normal(size=(3, 2)), "V": rng.normal(size=(3, 2))}
    assert at.compare(f, gradient, p).ok
    assert at.compare(lambda p, k: f(p) * k, lambda p, k: [at.tree_map(lambda g: g * k, gradient(p)), f(p)], p, 3.0).ok
    assert at.compare(f, swapped, p)["p['U']"].notes == ("the gradient of p['V'], not that of p['U']",)
    with pytest.raises(at.errors.ShapeError, match=r"the gradient must have the keys \['U', 'V'\].*\['U', 'W'\]"):
        at.compare(f, lambda p: {"U": p["U"], "W": p["V"]}, p)
