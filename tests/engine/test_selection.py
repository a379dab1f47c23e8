"""Selection: what was not taken contributes nothing, and what was taken follows the chain rule."""

import tracemalloc

import numpy as np
import pytest

import autotiny as at
from autotiny.engine.graph import topological_order

INF, NAN = np.inf, np.nan


# ----- an oracle that shares no code with the engine: single numbers, whose edges are those that were taken -----
class Number:
    """A number, and its taken operands with the derivatives by them."""

    def __init__(self, value, *edges):
        self.value, self.edges, self.grad = np.float64(value), edges, None


def grads(output, leaves):
    """Pull 1 back along the edges, results before operands."""
    order, seen = [], set()

    def visit(number):
        if number not in seen:
            seen.add(number)
            for operand, _ in number.edges:
                visit(operand)
            order.append(number)

    visit(output)
    output.grad = np.float64(1)
    for number in reversed(order):
        for operand, slope in number.edges:
            c = number.grad * slope
            operand.grad = c if operand.grad is None else operand.grad + c
    return [0.0 if x.grad is None else x.grad for x in leaves]


def each(value, slope):
    """An elementwise function of one operand."""
    return lambda x: [Number(value(n.value), (n, slope(n.value))) for n in x]


def pick(taken):
    """A selection: `taken(a, b)` gives the shares of two numbers, a number that gets none is not taken."""

    def pairs(x, y):
        for a, b in zip(x, y, strict=True):
            shares = [(n, s) for n, s in zip((a, b), taken(a.value, b.value), strict=True) if s]
            same_or_nan = a.value if a.value == b.value else a.value + b.value
            yield Number(shares[0][0].value if shares else same_or_nan, *shares)

    return lambda x, y: list(pairs(x, y))


def constants(value):
    return [Number(value) for _ in range(3)]


def larger(a, b, const=False):
    """The shares of a maximum: nan is taken."""
    return (a > b or np.isnan(a), b > a or np.isnan(b)) if a != b or const else (0.5, 0.5)


def above_zero(a, b):
    """The shares of relu, by the textbook's mask."""
    return a > 0, a <= 0


def times(x, y):
    return [Number(a.value * b.value, (a, b.value), (b, a.value)) for a, b in zip(x, y, strict=True)]


def over(x, y):
    return [
        Number(a.value / b.value, (a, 1 / b.value), (b, -a.value / b.value / b.value))
        for a, b in zip(x, y, strict=True)
    ]


def plus(x, y):
    return [Number(a.value + b.value, (a, 1.0), (b, 1.0)) for a, b in zip(x, y, strict=True)]


def total(x):
    return [Number(np.sum([n.value for n in x]), *((n, 1.0) for n in x))] * 3


def product(x):
    v = [n.value for n in x]
    return [Number(np.prod(v), *((n, np.prod(v[:i] + v[i + 1 :])) for i, n in enumerate(x)))] * 3


def length(x):
    v = np.array([n.value for n in x])
    y = np.sqrt(np.sum(v**2))
    return [Number(y, *((n, n.value / y if y else 0.0) for n in x))] * 3


def largest(x):
    v = np.array([n.value for n in x])
    ties = v == np.max(v)
    if not np.any(ties):  # of nan
        return [Number(NAN, *((n, NAN) for n in x))] * 3
    return [Number(np.max(v), *((n, 1 / np.sum(ties)) for n, t in zip(x, ties, strict=True) if t))] * 3


W = np.array([[1.0, -2.0, 0.5], [0.0, 1.0, 3.0], [2.0, 0.0, 1.0]])


def mixed(x, y):
    """W (x y): products that sum, of two tracked vectors."""
    z = [Number(a.value * b.value, (a, b.value), (b, a.value)) for a, b in zip(x, y, strict=True)]
    return [Number(np.sum([n.value for n in z]), *((n, 1.0) for n in z))] * 3


ONE = [
    (np.sqrt, each(np.sqrt, lambda v: 0.5 / np.sqrt(v))),
    (np.log, each(np.log, lambda v: 1 / v)),
    (np.cbrt, each(np.cbrt, lambda v: 1 / (3 * np.cbrt(v) ** 2))),
    (np.arccos, each(np.arccos, lambda v: -1 / np.sqrt((1 - v) * (1 + v)))),
    (lambda x: np.exp(x) * 1.0, each(np.exp, np.exp)),  # the logarithm of np.exp itself has a form of its own
    (np.tanh, each(np.tanh, lambda v: 1 - np.tanh(v) ** 2)),
    (lambda x: x**1.5, each(lambda v: v**1.5, lambda v: 1.5 * v**0.5)),
    (lambda x: 1 / x, each(lambda v: 1 / v, lambda v: -1 / v / v)),
    (lambda x: x * 2 - 1, each(lambda v: v * 2 - 1, lambda v: 2.0)),
    (at.relu, lambda x: pick(above_zero)(x, constants(0))),
    (lambda x: np.maximum(x, 0), lambda x: pick(above_zero)(x, constants(0))),
    (lambda x: np.minimum(1.0, x), lambda x: pick(lambda a, b: larger(-a, -b, True))(x, constants(1))),
    (lambda x: np.where(x.data > 0, x, 1.0), lambda x: pick(lambda a, b: (a > 0, not a > 0))(x, constants(1))),
    (
        lambda x: np.where(np.isfinite(x), x, 2.0),
        lambda x: pick(lambda a, b: (np.isfinite(a), not np.isfinite(a)))(x, constants(2)),
    ),
    (lambda x: x[[2, 0, 0]], lambda x: [x[2], x[0], x[0]]),
    (lambda x: x[::-1] * [1.0, 1.0, 1.0], lambda x: x[::-1]),
    (lambda x: np.sum(x, keepdims=True) * np.ones(3), total),
    (lambda x: np.prod(x) + np.zeros(3), product),
    (lambda x: np.linalg.norm(x) + np.zeros(3), length),
    (lambda x: np.max(x) + np.zeros(3), largest),
]
TWO = [
    (lambda x, y: x + y, plus),
    (lambda x, y: x * y, times),
    (lambda x, y: x / y, over),
    (np.maximum, pick(larger)),
    (lambda x, y: np.where(x.data > y.data, x, y), pick(lambda a, b: (a > b, not a > b))),
    (lambda x, y: np.where(np.isfinite(x), x, y), pick(lambda a, b: (np.isfinite(a), not np.isfinite(a)))),
    (lambda x, y: x @ y + np.zeros(3), mixed),
    (lambda x, y: np.einsum("i,i->", x, y) + np.zeros(3), mixed),
    (lambda x, y: np.concatenate([x[:1], y[1:]]), lambda x, y: [x[0], *y[1:]]),
]
EDGES = [0.0, 1.0, -1.0, 2.0, -2.0, 0.5, INF, -INF, NAN, -0.5, 0.25]


def random_program(seed):
    """A function of a vector, that function in numbers, and a vector of edge values."""
    rng = np.random.default_rng(seed)
    x = rng.choice(EDGES, size=3, p=[0.2, 0.15, 0.15] + [0.5 / 8] * 8)
    steps = []
    for i in range(rng.integers(2, 9)):
        one = rng.random() < 0.6
        row = (ONE[rng.integers(len(ONE))], rng.integers(i + 1))
        steps.append(row if one else (TWO[rng.integers(len(TWO))], *rng.integers(i + 1, size=2)))
    steps.append((ONE[rng.integers(9, 16)], len(steps)))  # a selection
    keep = rng.integers(3)

    def f(x):
        pool = [x]
        for (function, _), *places in steps:
            pool.append(function(*[pool[i] for i in places]))
        return pool[-1][keep]

    def in_numbers(x):
        pool = [x]
        for (_, function), *places in steps:
            pool.append(function(*[pool[i] for i in places]))
        return pool[-1][keep]

    return f, in_numbers, x


@pytest.mark.parametrize("seeds", [range(i, i + 50) for i in range(0, 1000, 50)], ids=lambda s: f"from {s[0]}")
@np.errstate(all="ignore")
def test_random_programs_at_edge_values_pass_on_what_was_taken_alone(seeds):
    for seed in seeds:
        f, in_numbers, x = random_program(seed)
        leaves = [Number(v) for v in x]
        expected = np.array(grads(in_numbers(leaves), leaves))
        found = at.grad(f)(x)
        known = np.isfinite(expected)
        np.testing.assert_allclose(found[known], expected[known], rtol=1e-9, atol=1e-300, err_msg=f"seed {seed}")
        assert not np.isfinite(found[~known]).any(), seed


# ----- single cases -----
FLAT = {
    "a root of a maximum": (lambda x: np.sqrt(np.maximum(x, 0)), -1.0),
    "an angle of a clipped cosine": (lambda x: np.arccos(np.clip(x, -1, 1)), 1.5),
    "a power of relu": (lambda x: at.relu(x) ** 0.5, -2.0),
    "relu by another name": (lambda x: np.sqrt(at.leaky_relu(x, 0.0)), -1.0),
    "all but the largest": (lambda x: np.max(np.concatenate([np.sqrt(x - 1)[None], [0.5]])), 1.0),
}


@pytest.mark.parametrize("name", FLAT)
@np.errstate(all="ignore")
def test_slope_behind_what_was_not_taken_is_zero_to_any_order(name):
    f, x = FLAT[name]
    slope, second = at.grad(f), at.grad(at.grad(f))
    assert slope(x) == second(x) == at.grad(second)(x) == at.jvp(f, (x,), (1.0,))[1] == 0
    assert at.compile(slope)(x) == 0


@np.errstate(all="ignore")
def test_what_lies_outside_a_triangle_is_not_taken():
    f = lambda x: np.sum(np.tril(np.sqrt(x), -1))
    np.testing.assert_array_equal(at.grad(f)(np.array([[0.0, -1.0], [4.0, 0.0]])), [[0, 0], [0.25, 0]])


OVERFLOWED = {
    "a square of a root": (lambda x: np.sqrt(x) ** 2, 0.0),
    "resistors side by side": (lambda x: 1 / (1 / x + 0.25), 0.0),
    "an angle of a reciprocal": (lambda x: np.arctan(1 / x), 1e-200),
    "a root of an exponential": (lambda x: np.sqrt(np.exp(x)), 800.0),
    "a logarithm of a product": (lambda x: np.log(np.prod(x * np.full(4, 1e100))), 1.0),
    "a logarithm of running products": (lambda x: np.log(np.cumprod(x * np.full(4, 1e100))[-1]), 1.0),
}


@pytest.mark.parametrize("name", OVERFLOWED)
@np.errstate(all="ignore")
def test_a_zero_that_meets_an_infinity_is_not_a_selection(name):
    f, x = OVERFLOWED[name]
    assert np.isnan(at.grad(f)(x))
    assert np.isnan(at.grad(lambda x: f(x) + np.sum(np.where(x > 0, np.log(x), 0.0)))(x))


SECOND = {
    "relu cubed": (lambda x: np.sum(at.relu(x) ** 3), [0.0, -1.0, 2.0], [0, 0, 12]),
    "x times its root": (lambda x: np.sum(np.where(x > 0, x * np.sqrt(x), 0.0)), [0.0, 4.0], [0, 0.375]),
    "a power between 1 and 2": (lambda x: np.sum(np.where(x > 0, x**1.5, 0.0)), [0.0, 4.0], [0, 0.375]),
    "an all-zero example": (
        lambda x: np.sum(np.where(np.any(x != 0), np.sqrt(np.sum(x * x)), 0.0)) + np.sum(x**2), [0.0, 0.0], [2, 2],
    ),
    "a product beside roots": (
        lambda x: np.sum(np.where(x > 0, np.ones((2, 2)) @ np.diag(np.sqrt(x)), 0.0) ** 2), [0.0, 4.0], [0, 0],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SECOND)
@np.errstate(all="ignore")
def test_second_derivatives_are_those_of_the_branch_taken(name):
    f, x, expected = SECOND[name]
    x = np.array(x)
    for H in (
        at.hessian(f)(x),
        at.compile(at.hessian(f))(x),
        np.stack([at.jvp(at.grad(f), (x,), (e,))[1] for e in np.eye(x.size)]),
    ):
        np.testing.assert_allclose(H, np.diag(expected), atol=1e-14)


@np.errstate(all="ignore")
def test_rows_of_a_jacobian_do_not_spoil_one_another():
    f, x = (lambda x: x * np.log(np.cos(x))), np.array([6.0, 7.0, 8.0])
    for J in (at.jacobian(f)(x), at.compile(at.jacobian(f))(x)):
        assert np.isnan(J[2, 2])
        np.testing.assert_array_equal(np.delete(J, 2, axis=0)[:, 2], [0, 0])
        np.testing.assert_array_equal(J[2, :2], [0, 0])


def test_a_network_of_finite_values_records_no_masks():
    rng = np.random.default_rng(0)
    W, X = at.Tensor(rng.normal(size=(5, 4))), rng.normal(size=(4, 6))
    (dW,) = at.gradients(np.sum(np.sin(at.relu(W @ X + 1))), [W])
    assert "where" not in {t.op.name for t in topological_order(dW) if t.op}


def test_gradient_of_a_chain_frees_gradients_that_are_used_up():
    def f(v):
        for _ in range(40):
            v = np.tanh(v)
        return np.sum(v)

    x = np.ones(50_000)
    at.grad(f)(x[:5])
    tracemalloc.start()
    at.grad(f)(x)
    peak = tracemalloc.get_traced_memory()[1] / x.nbytes
    tracemalloc.stop()
    assert peak < 48


def test_infinity_in_a_product_that_meets_only_what_was_not_taken_contributes_nothing():
    """Every entry of both factors goes into some entry that was taken, and inf meets none of these in one place."""
    A = np.array([[1.0, np.inf], [np.inf, 2.0]])
    X = np.array([[1.0, 8.0], [1.0, -8.0]])
    with np.errstate(all="ignore"):  # A X = [[inf, -inf], [inf, inf]]
        dX = at.grad(lambda X: np.max(A @ X))(X)
    np.testing.assert_array_equal(dX, [[np.inf, np.inf], [np.inf, 2 / 3]])
