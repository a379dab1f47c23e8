"""Stable forms, each expression that a row stands for against mpmath: value, gradient and Hessian at extreme points.

A form is tested by stating it (`stands_for`): what is written is computed in so many digits that nothing rounds.
"""

import functools
import inspect
import itertools

import mpmath
import numpy as np
import pytest

import autotiny as at
from autotiny.engine.graph import topological_order
from autotiny.engine.modes import Switch
from autotiny.ops import OPS, logarithms, table
from autotiny.ops.stable_forms import Pattern

DIGITS = 1700
"""Enough for 1 - tanh(800)², and for second differences of it with a step of 1e-340."""
ROWS = dict.fromkeys(OPS.values())
FORMS = [(op, expression) for op in ROWS for expression in op.stands_for]
NUMBERS = [0.0, *(sign * x for x in (1e-300, 1e-9, 0.7, 18.0, 40.0, 800.0) for sign in (1, -1))]
VECTORS = [(0.0, 0.0, 0.0), (1.0, 2.0, 3.0), (40.0, 0.0, 0.0), (800.0, -800.0, 799.0), (1e-30, 0.0, -1e-30)]
PAIRS = [0.0, 1e-300, -18.0, 800.0]


# ----- what is written, in many digits -----
def entrywise(function):
    return np.vectorize(function, otypes=[object])


def softmax(x, axis=0):
    e = MATHEMATICS["exp"](x)
    return e / np.sum(e, axis=axis, keepdims=True)


def euclidean(x, axis=None, keepdims=False):
    return MATHEMATICS["sqrt"](np.sum(x * x, axis=axis, keepdims=keepdims))


MATHEMATICS = {
    **{name: entrywise(getattr(mpmath, name)) for name in ("exp", "log", "cosh", "tanh", "sqrt", "hypot")},
    **{f.__name__: f for f in (np.add, np.subtract, np.divide, np.negative, np.sum)},
    "log1p": entrywise(lambda x: mpmath.log(1 + x)),
    "square": lambda x: x * x,
    "sigmoid": entrywise(lambda x: 1 / (1 + mpmath.exp(-x))),
    "softmax": softmax,
    "euclidean": euclidean,
}


def in_many_digits(pattern, values):
    """The value of a pattern; its options are left out."""
    if not isinstance(pattern, Pattern):
        return pattern
    if pattern.op is None:
        return values[pattern.name]
    return MATHEMATICS[pattern.op.name](*(in_many_digits(part, values) for part in pattern.args))


def oracle(expression, weights, args):
    """The weighted sum of the entries, its gradient and its Hessian by all entries of the arguments, as floats."""
    names = list(inspect.signature(expression).parameters)
    pattern = expression(*(Pattern(None, name=name) for name in names))
    shapes = [np.shape(arg) for arg in args]
    flat = [mpmath.mpf(float(x)) for arg in args for x in np.ravel(arg)]
    h = mpmath.mpf(10) ** -(340 if len(flat) < 3 else 60)

    @functools.cache
    def total(*moved):
        rest = iter([x + moved.count(i) * h for i, x in enumerate(flat)])
        arrays = [np.array([next(rest) for _ in range(int(np.prod(shape)))], object).reshape(shape) for shape in shapes]
        values = dict(zip(names, arrays, strict=False)) | {"divisor": 2}
        return np.sum(weights * in_many_digits(pattern, values))

    places = range(len(flat))
    gradient = [(total(i) - total()) / h for i in places]
    hessian = [[(total(*sorted((i, j))) - total(i) - total(j) + total()) / h**2 for j in places] for i in places]
    return float(total()), np.array(gradient, float), np.array(hessian, float)


# ----- the same by the engine -----
def points(op, expression):
    """Arguments in which the form is tested: numbers for an elementwise one, else vectors."""
    count = len(op.rules)
    if not op.has("elementwise"):
        return [(np.array(vector),) for vector in VECTORS]
    chosen = NUMBERS if count == 1 else PAIRS
    return [tuple(map(np.array, each)) for each in itertools.product(chosen, repeat=count)]


def weighted(expression, op, weights):
    """The function of one vector of all arguments' entries that the oracle differentiates."""
    names = list(inspect.signature(expression).parameters)
    given = {"axis": 0 if op.has("mixes") else None, "keepdims": False, "divisor": 2}
    options = {name: given[name] for name in names[len(op.rules) :]}
    if "keepdims" in options:
        options["axis"] = 0

    def f(x):
        args = [x[i] for i in range(len(op.rules))] if op.has("elementwise") else [x]
        return np.sum(weights * expression(*args, **options))

    return f


def require_exact(op, expression, dtype, points):
    """Compare the engine with what is written, within a few roundings of each entry."""
    eps, tiny = np.finfo(dtype).eps, 4 * np.finfo(dtype).tiny
    rounding = 0 if op.has("elementwise") else 16 * eps  # of the largest entry, where entries are added up
    mpmath.mp.dps = DIGITS if op.has("elementwise") else 900
    for args in points:
        args = [arg.astype(dtype) for arg in args]
        weights = np.arange(1, 4).astype(dtype) if op.has("mixes") else dtype(1)
        value, gradient, hessian = oracle(expression, weights, args)
        f, x = weighted(expression, op, weights), np.ravel(args)
        with np.errstate(all="ignore"):
            assert any(node._stable and node._stable.op is op for node in topological_order(f(at.Tensor(x))))
            y, g = at.value_and_grad(f)(x)
            second = at.hessian(f)(x)
        assert y.dtype == g.dtype == second.dtype == dtype
        np.testing.assert_allclose(y, value, rtol=32 * eps, atol=tiny)
        np.testing.assert_allclose(g, gradient, rtol=32 * eps, atol=rounding + tiny)
        np.testing.assert_allclose(second, hessian, rtol=200 * eps, atol=rounding + tiny)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(("op", "expression"), FORMS, ids=lambda part: getattr(part, "name", ""))
def test_what_a_row_stands_for_is_exact_to_second_order(op, expression, dtype):
    require_exact(op, expression, dtype, points(op, expression))


def off_by_half_a_permille(function):
    return lambda *args, **options: 1.0005 * function(*args, **options)


@pytest.mark.parametrize("spoilt", ["value", "gradient", "second derivative"])
def test_a_wrong_form_fails(monkeypatch, spoilt):
    row = OPS[logarithms.log_cosh]
    (expression,), (rule,) = row.stands_for, row.rules
    forward = off_by_half_a_permille(row.forward) if spoilt == "value" else row.forward
    rules = {
        "value": rule,
        "gradient": lambda g, y, x: 1.0005 * rule(g, y, x),
        "second derivative": lambda g, y, x: g * np.tanh(x),  # its own is 1 - tanh², which rounds to 0
    }
    wrong = table.Op(row.function, (rules[spoilt],), forward, traits="elementwise smooth")
    (form,) = OPS[np.log].forms[OPS[np.cosh]]
    monkeypatch.setitem(OPS[np.log].forms, OPS[np.cosh], [form._replace(op=wrong)])
    with pytest.raises(AssertionError, match="Not equal to tolerance"):
        require_exact(wrong, expression, np.float64, [(np.array(x),) for x in NUMBERS])


# ----- what is recognised -----
SQUARES = {
    "n ** 2": lambda n: n**2,
    "n ** 2.0": lambda n: n**2.0,
    "n * n": lambda n: n * n,
    "square(n)": np.square,
    "power(n, 2)": lambda n: np.power(n, 2),
    "float_power(n, 2)": lambda n: np.float_power(n, 2),
}
LENGTHS = {
    "norm": (np.linalg.norm, 2 * np.eye(3)),
    "norm of order 2": (lambda x: np.linalg.norm(x, 2), 2 * np.eye(3)),
    "norm along an axis": (lambda x: np.linalg.norm(x[None], axis=1), 2 * np.eye(3)),
    "norm by Frobenius": (lambda x: np.linalg.norm(x[None], "fro"), 2 * np.eye(3)),
    "norm of a difference": (lambda x: np.linalg.norm(x - np.zeros(3)), 2 * np.eye(3)),
    "std": (np.std, 2 / 3 * (np.eye(3) - 1 / 3)),
    "std of a sample": (lambda x: np.std(x, ddof=1), np.eye(3) - 1 / 3),
    "hypot": (lambda x: np.hypot(x[0], x[1]), np.diag([2.0, 2.0, 0.0])),
}


@pytest.mark.parametrize("square", SQUARES.values(), ids=SQUARES)
@pytest.mark.parametrize(("length", "hessian"), LENGTHS.values(), ids=LENGTHS)
def test_the_square_of_a_length_has_its_hessian_at_0_in_every_spelling(length, hessian, square):
    H = at.hessian(lambda x: np.sum(square(length(x))))(np.zeros(3))
    np.testing.assert_allclose(H, hessian, atol=1e-15)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.log(np.exp(x) + 1),
        lambda x: np.log(1.0 + np.exp(x)),
        lambda x: np.log(np.float64(1) + np.exp(x)),
        lambda x: np.log(np.exp(x).sum()),
        lambda x: np.log(1 - (t := np.tanh(x)) * t),
        lambda x: np.log1p(-np.square(np.tanh(x))),
        lambda x: np.log1p(-(np.tanh(x) ** 2)),
        lambda x: np.log(1 - 1 / (np.exp(-x) + 1)),
        lambda x: np.log(at.softmax(x, axis=-1)),
    ],
)
def test_expressions_are_recognised_in_their_usual_spellings(f):
    assert f(at.Tensor([1.0, 2.0]))._stable


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.log(2 + np.exp(x)),
        lambda x: np.log(1 - np.exp(x)),
        lambda x: np.log(1 + x),
        lambda x: np.log(at.softmax(x) + 1e-12),
        lambda x: np.log2(np.exp(x)),
        lambda x: np.log(2 - at.sigmoid(x)),
        lambda x: np.log(1 - np.tanh(x) ** 3),
        lambda x: np.log(np.exp(x) / np.sum(np.exp(x))),
        lambda x: x**2,
        lambda x: x * x,
        lambda x: np.linalg.norm(x) ** 3,
        lambda x: np.linalg.norm(x) * np.linalg.norm(2 * x),
        lambda x: (np.linalg.norm(x) / x) ** 2,
        lambda x: np.log(np.linalg.norm(x)),
    ],
)
def test_nothing_else_is_recognised(f):
    with np.errstate(all="ignore"):
        assert f(at.Tensor([1.0, 2.0]))._stable is None


def test_constants_have_no_stable_form():
    y = np.exp(at.Tensor([0.3])).detach()
    np.testing.assert_array_equal((np.log(y) + at.Tensor([0.0])).data, np.log(np.exp([0.3])))


def test_what_is_within_has_the_value_that_numpy_gives():
    x = at.Tensor(800.0)
    with np.errstate(over="ignore"):
        E = np.exp(x)
    assert np.isinf(E.data)
    assert np.log(1 + E).item() == 800


# ----- stable forms off -----
def flagship(W1, b1, W2, b2, X, Y):
    Z1 = W1 @ X + b1
    Z2 = W2 @ np.maximum(Z1, 0) + b2
    E = np.exp(Z2)
    A2 = E / np.sum(E, axis=0, keepdims=True)
    return -np.sum(Y * np.log(A2)) / X.shape[1]


@pytest.fixture
def network():
    rng = np.random.default_rng(0)
    Y = np.eye(3)[:, rng.integers(3, size=8)]
    return [rng.normal(size=shape) for shape in [(5, 4), (5, 1), (3, 5), (3, 1), (4, 8)]] + [Y]


def test_the_flagships_gradients_emerge_from_the_rules_with_stable_forms_off(network):
    W1, b1, W2, b2, X, Y = network
    A1 = np.maximum(W1 @ X + b1, 0)
    dZ2 = (at.softmax(W2 @ A1 + b2) - Y) / 8
    dZ1 = W2.T @ dZ2 * (A1 > 0)
    textbook = dZ1 @ X.T, dZ1.sum(axis=1, keepdims=True), dZ2 @ A1.T, dZ2.sum(axis=1, keepdims=True)
    with Switch("stable", False):
        gradients = at.grad(flagship, (0, 1, 2, 3))(*network)
        J = flagship(*map(at.Tensor, network))
    used = {"matmul", "add", "maximum", "exp", "sum", "divide", "log", "multiply", "negative"}
    assert {node.op.name for node in topological_order(J) if node.op} == used
    for g, expected in zip(gradients, textbook, strict=True):
        np.testing.assert_allclose(g, expected, rtol=1e-12, atol=1e-15)


def test_the_flagship_written_out_is_recorded_and_pulled_back_operation_by_operation(network):
    assert all(node._stable is None for node in topological_order(flagship(*map(at.Tensor, network))))


def test_with_stable_forms_off_an_underflow_shows():
    def log_of_softmax(z):
        return np.log(at.softmax(z))[1]

    Z = np.array([800.0, 0.0])
    with Switch("stable", False), np.errstate(all="ignore"):
        assert not np.isfinite(at.grad(log_of_softmax)(Z)).all()
    assert at.grad(log_of_softmax)(Z).tolist() == [-1, 1]


# ----- binary cross-entropy -----
@pytest.mark.parametrize(("dtype", "size"), [(np.float64, 40), (np.float64, 800), (np.float32, 18), (np.float32, 100)])
def test_binary_cross_entropy_written_out_is_the_loss_and_gives_a_minus_y(dtype, size):
    z, y = np.array([size, -size, 0.5], dtype), np.array([0, 1, 1], dtype)
    Z = at.Tensor(z)
    A = at.sigmoid(Z)
    J = -np.mean(y * np.log(A) + (1 - y) * np.log(1 - A))
    J.backward()
    loss = at.binary_cross_entropy(Z, y)
    assert J.dtype == loss.dtype == Z.grad.dtype == dtype
    np.testing.assert_allclose([J.item(), loss.item()], (2 * size + np.log1p(np.exp(-0.5))) / 3, rtol=1e-6)
    np.testing.assert_allclose(Z.grad, (at.sigmoid(z) - y) / 3, rtol=1e-6)
    np.testing.assert_allclose(at.grad(at.binary_cross_entropy)(z, y), (at.sigmoid(z) - y) / 3, rtol=1e-6)
