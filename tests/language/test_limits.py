import math
import time
import tracemalloc

import numpy as np
import pytest

from autotiny.language import ExpressionError, Limits, evaluate
from autotiny.language.limits import Budget, Cost, LimitError, product

BOMBS = [
    "ones((100000, 100000))",
    "zeros([10**9, 10**9, 10**9])",
    "full(10**12, 1)",
    "sum(zeros((10**12, 0)), axis=1)",
    "sum(ones((5000, 1, 0)) * ones((5000, 0)), axis=2)",
    "eye(10**6)",
    "arange(10**10)",
    "arange(0, 1, 1e-300)",
    "linspace(0, 1, 10**10)",
    "linspace(zeros(10**4), 1, 10**5)",
    "x[:, None] * x",
    "outer(x, x)",
    "x[:, None] @ x[None]",
    "matmul(ones((1000, 1, 10)), ones((1000, 10, 1000)))[:, None] + ones((1000, 1, 1000))",
    "tensordot(x, x, 0)",
    "tensordot(zeros((10**6, 0)), zeros((0, 10**6)), 1)",
    "einsum('i,j->ij', x, x)",
    "einsum('i,j,k->', x, x, x)",
    "dot(zeros((10**5, 0)), zeros((0, 10**5)))",
    "inner(ones((10**4, 2)), ones((10**4, 2)))",
    "tile(x, 10**6)",
    "tile(x, full(10**6, 9))",
    "broadcast_to(1., ones(10**6))",
    "repeat(x, 10**6)",
    "repeat([1, 2], [2**61, 2**61])",
    "broadcast_to(1., (10**6, 10**6))",
    "pad(x, 10**10)",
    "pad([1, 2], 8 * 10**6, mode='reflect'); " * 3,
    "diag(x)",
    "diag([1.], 10**9)",
    "take(x, zeros((10**3, 10**5)))",
    "take(ones((10, 10**4)), argsort(x), axis=0)",
    "ones((10, 10**4))[argsort(x)]",
    "one_hot([10**12])",
    "one_hot(argsort(x), 10**6)",
    "cross_entropy(ones((10**4, 3)), argsort(x))",
    "diff(x, 10**12)",
    "split(x, 10**12)",
    "array_split(x, 10**9)",
    "inv(ones((4000, 4000)))",
    "logspace(0, 1, 10**12)",
    "geomspace(x + 1, 2, 10**6)",
    "np.linspace(0, 1, 10**12, retstep=True)",
    "meshgrid(x, x)",
    "meshgrid(arange(300), arange(300), arange(300))",
    "gradient(ones((" + "2, " * 21 + ")))",
    "trapezoid(ones((10**5, 2)), x)",
    "trapezoid(x, ones((10**4, 10**5)))",
    "vander(x)",
    "np.vander([1, 2], 10**10)",
    "kron(x, x)",
    "np.linalg.outer(x, x)",
    "diagflat(x)",
    "diagflat([1, 2], 10**9)",
    "resize([1, 2], (10**6, 10**6))",
    "np.resize(x, 10**12)",
    "full_like(x, 1, shape=(10**6, 10**6))",
    "insert(ones((10, 10**5)), zeros(10**4) > 1, 0, axis=0)",
    "choose(argsort(x), ones((10**5, 1)))",
    "choose(argsort(x), [" + "x," * 900 + "])",
    "select([x > 0], [x[:, None]])",
    "broadcast_arrays(x, x[:, None])",
    "broadcast_arrays(" + "x[:100], x[:100, None], " * 900 + "1)",
    "bincount([10**12], [1.])",
    "bincount([1], [1.], 10**12)",
    "histogram(x, 10**12)",
    "histogram_bin_edges(x, 10**12)",
    "histogram2d(x, x, 10**9)",
    "histogram2d(x, x, x)",
    "histogramdd(ones((2, 10)))",
    "histogramdd([x, x, x], [10**3, 10**3, 10**3])",
    "cov(ones((10**5, 2)))",
    "corrcoef(ones((2, 10**5)), rowvar=False)",
    "quantile(ones((10**4, 2)), x, axis=1)",
    "percentile(ones((2, 10**4)), x, axis=0)",
    "nanquantile(ones((2, 10**4)), x, axis=0)",
    "convolve(tile(x, 9), tile(x, 9))",
    "polymul(tile(x, 9), tile(x, 9))",
    "polyval(x, x)",
    "poly(x)",
    "polydiv(x, [1, 2])",
    "polyder([1, 2], 10**12)",
    "polyint([1, 2], 10**12)",
    "polyint([1, 2], 20000)",
    "polyfit(x, x, 10**9)",
    "polyfit(x, x, 10**3)",
    "cross(ones((5000, 1, 3)), ones((5000, 3)))",
    "vecdot(x[:, None, None], x[:, None])",
    "matvec(ones((5000, 1, 1, 1)), ones((5000, 1)))",
    "vecmat(ones((5000, 1, 1)), ones((5000, 1, 1)))",
    "matrix_power(ones((1000, 1000)), 2**62)",
    "multi_dot([x[:, None], x[None]])",
    "multi_dot([" + "[[1]]," * 1900 + "])",
    "tensorinv(ones((50, 80, 80, 50)))",
    "tensorsolve(ones((4000, 4000)), ones(4000))",
    "svd(ones((1, 10**5)))",
    "svdvals(ones((2000, 2000)))",
    "eigh(ones((2000, 2000)))",
    "pinv(ones((10**5, 1)))",
    "lstsq(ones((3000, 1000)), ones((3000, 1000)))",
    "cond(ones((2000, 2000)))",
    "norm(ones((4000, 4000)), 2)",
    "i0(tile(x, 10))",
    "unstack(tile(x, 100)); unstack(tile(x, 60))",
    "np.block([" + "[x, x]," * 100 + "])",
    "diff(x, append=ones((10**5, 10**5)))",
    "pad(x, ((10**9, 0),), mode='linear_ramp')",
    "pad(x, 10**9, mode='mean')",
    "pad(x, 10**9, mode='edge')",
    "roll(x, zeros(10**8))",
    "concatenate([" + "tile(x, 20)," * 40 + "])",
    "; ".join(["tile(x, 100)"] * 50),
    "9 ** 9 ** 9",
    "(-9) ** 9 ** 9",
    "x * 10 ** 10 ** 10",
    "2 ** 62 * 2",
    "sum([" + "9" * 400 + "])",
    "1" * 5000,
    "-" * 9000 + "1",
    "(" * 4000 + "1" + ")" * 4000,
    "[" * 100 + "1" + "]" * 100,
    "1 + " * 2400 + "1",
    "x" + ".T" * 4900,
    "x" + "[0]" * 3300,
    "1" + "** 1" * 2400,
    "exp(" * 80 + "x" + ")" * 80,
    "x;" * 300,
    "x" * 20000,
    "'" + "a" * 100,
]
BOMBS = [text for text in BOMBS if hasattr(np, text.split("(")[0]) or text[:6] not in ("matvec", "vecmat", "unstac")]


@pytest.fixture
def x():
    return np.arange(10.0**5)


@pytest.mark.parametrize("text", BOMBS, ids=[text[:40] for text in BOMBS])
def test_bomb_gets_a_message_at_once_and_takes_no_memory(text, x):
    tracemalloc.start()
    start = time.process_time()
    try:
        with pytest.raises(ExpressionError, match=r"limit is|63 bits|nested|syntax error|axes|no value named"):
            evaluate(text, {"x": x})
        assert time.process_time() - start < 10  # and not for ever
        assert tracemalloc.get_traced_memory()[1] < 700e6  # all results together may hold 2**26 entries
    finally:
        tracemalloc.stop()


def test_an_error_has_the_size_and_the_limit():
    with pytest.raises(ExpressionError, match=r"^ones: it would have 10,000,000,000 entries; the limit is 16,777,216"):
        evaluate("ones((100000,100000))")


def test_power_says_how_to_write_it():
    assert evaluate("2 ** 62").value == 2**62
    assert evaluate("9.0 ** 9 ** 2").value == 9.0**81
    with pytest.raises(ExpressionError, match=r"63 bits; as a number with a decimal point, write 9\.0"):
        evaluate("9 ** 81")


def test_limits_are_the_callers_to_set():
    assert evaluate("ones(10) * 2", limits=Limits(entries=10, total=20)).value.sum() == 20
    for limits in (Limits(entries=9), Limits(total=19), Limits(work=19), Limits(characters=11), Limits(depth=2)):
        with pytest.raises(ExpressionError, match=r"limit is|more than 2 deep"):
            evaluate("ones(10) * 2", limits=limits)
    with pytest.raises(ExpressionError, match=r"there are 3 statements; the limit is 2"):
        evaluate("1; 2; 3", limits=Limits(statements=2))


def test_deadline_is_looked_at_between_operations():
    with pytest.raises(ExpressionError, match=r"\*: stopped: the limit is 0 seconds"):
        evaluate("2 * 3", limits=Limits(seconds=0))


def test_work_of_a_real_network_is_within_the_limits():
    values = {"W": np.ones((128, 784), np.float32), "X": np.ones((784, 2000), np.float32)}
    assert evaluate("sum(relu(W @ X))", values).value == 128 * 784 * 2000


@pytest.mark.parametrize("entries", [math.nan, math.inf, 2**25])
def test_a_cost_of_nan_exceeds_every_limit(entries):
    with pytest.raises(LimitError, match="limit is"):
        Budget(Limits()).spend(Cost(entries, 0))


def test_product_stops_before_it_grows():
    start = time.perf_counter()
    assert product([2**40] * 10**6) >= 2**63
    assert time.perf_counter() - start < 0.1
