"""Edge cases, as data: zeros, ties, kinks, norms at 0, saturation, the ends of the floating-point range.

The kink policy: a constant wins a tie, tracked values share it; the gradient of a norm at 0 is 0.
"""

import numpy as np
import pytest

import autotiny as at

INF, NAN = np.inf, np.nan
TINY = 5e-324  # the smallest subnormal number

# Each row: a function, its arguments, and for each argument the derivative of the output or of the entry in its place.
# ----- zeros in products -----
ZEROS = {
    "prod without zeros": (np.prod, [[2, 3, 4]], [[12, 8, 6]]),
    "prod with one zero": (np.prod, [[0, 2, 3]], [[6, 0, 0]]),
    "prod with two zeros": (np.prod, [[0, 2, 0]], [[0, 0, 0]]),
    "prod with negative zero": (np.prod, [[-0.0, 2, 3]], [[6, 0, 0]]),
    "prod of a zero": (np.prod, [0], [1]),
    "prod of a zero in one entry": (np.prod, [[0]], [[1]]),
    "prod of nothing": (np.prod, [[]], [[]]),
    "prod of an infinity": (np.prod, [[INF, 2]], [[2, INF]]),
    "cumprod of a zero first": (lambda x: np.cumprod(x)[-1], [[0, 2, 3]], [[6, 0, 0]]),
    "cumprod of two zeros": (lambda x: np.sum(np.cumprod(x)), [[2, 0, 3, 0]], [[1, 8, 0, 0]]),
    "power 0 ** 0": (lambda x: x**0, [0], [0]),
    "power 0 ** 1": (lambda x: x**1, [0], [1]),
    "power 0 ** 2": (lambda x: x**2, [0], [0]),
    "power 0.0 ** 2.0": (np.power, [[0], [2]], [[0], [0]]),
    "power (-3) ** 3": (lambda x: x**3, [-3], [27]),
    "power (-2) ** -1": (lambda x: x**-1, [-2], [-0.25]),
    "power 0 ** 0.5": (lambda x: x**0.5, [0], [INF]),
    "power x ** 0 of all signs": (lambda x: x**0, [[-1, 0, 2]], [[0, 0, 0]]),
    "power 0 ** x": (lambda x: 0**x, [2], [0]),
    "power of two tracked at 0 ** 2": (lambda a: a**a, [1], [1]),
    "sqrt at 0": (np.sqrt, [0], [INF]),
    "cbrt at 0": (np.cbrt, [0], [INF]),
    "sinc at 0": (np.sinc, [[0, 1e-200]], [[0, -(np.pi**2) / 3 * 1e-200]]),
    "sinc near 0": (np.sinc, [[1e-9, -1e-8]], [[-(np.pi**2) / 3 * 1e-9, np.pi**2 / 3 * 1e-8]]),
}

# ----- ties and kinks -----
TIES = {
    "max shared by two": (np.max, [[1, 3, 3]], [[0, 0.5, 0.5]]),
    "max shared by all": (np.max, [[2, 2, 2, 2]], [[0.25] * 4]),
    "min shared by two": (np.min, [[1, 1, 3]], [[0.5, 0.5, 0]]),
    "max of negative and positive zero": (np.max, [[0.0, -0.0]], [[0.5, 0.5]]),
    "max of infinities": (np.max, [[INF, INF, 1]], [[0.5, 0.5, 0]]),
    "max of a number": (np.max, [2], [1]),
    "max of a number along axis 0": (lambda x: np.max(x, axis=0), [2], [1]),
    "sum of a number along axis -1": (lambda x: np.sum(x, axis=-1), [2], [1]),
    "prod of a number along axis 0": (lambda x: np.prod(x, axis=0), [2], [1]),
    "ptp of equal values": (np.ptp, [[2, 2]], [[0, 0]]),
    "maximum of tracked ties": (np.maximum, [[1, 2], [1, 1]], [[0.5, 1], [0.5, 0]]),
    "minimum of tracked ties": (np.minimum, [[1, 2], [1, 1]], [[0.5, 0], [0.5, 1]]),
    "fmax of tracked ties": (np.fmax, [[1, 2], [1, 1]], [[0.5, 1], [0.5, 0]]),
    "fmin of tracked ties": (np.fmin, [[1, 2], [1, 1]], [[0.5, 0], [0.5, 1]]),
    "fmax passes over nan": (np.fmax, [[NAN, 1], [2, NAN]], [[0, 1], [1, 0]]),
    "fmin passes over nan": (np.fmin, [[NAN, 1], [2, NAN]], [[0, 1], [1, 0]]),
    "maximum with itself": (lambda x: np.maximum(x, x), [3], [1]),
    "maximum(x, 0) at 0": (lambda x: np.maximum(x, 0), [[-1, 0, -0.0, 1]], [[0, 0, 0, 1]]),
    "maximum(0, x) at 0": (lambda x: np.maximum(0, x), [[-1, 0, -0.0, 1]], [[0, 0, 0, 1]]),
    "minimum(x, 0) at 0": (lambda x: np.minimum(x, 0), [[-1, 0, -0.0, 1]], [[1, 0, 0, 0]]),
    "minimum(0, x) at 0": (lambda x: np.minimum(0, x), [[-1, 0, -0.0, 1]], [[1, 0, 0, 0]]),
    "fmax(x, 0) at 0": (lambda x: np.fmax(x, 0), [[-1, 0, 1, NAN]], [[0, 0, 1, 0]]),
    "fmax(0, x) at 0": (lambda x: np.fmax(0, x), [[-1, 0, 1, NAN]], [[0, 0, 1, 0]]),
    "fmin(x, 0) at 0": (lambda x: np.fmin(x, 0), [[-1, 0, 1, NAN]], [[1, 0, 0, 0]]),
    "fmin(0, x) at 0": (lambda x: np.fmin(0, x), [[-1, 0, 1, NAN]], [[1, 0, 0, 0]]),
    "maximum beside an untracked Tensor": (
        lambda x: np.maximum(x, at.Tensor(0, requires_grad=False)),
        [[0, 1]],
        [[0, 1]],
    ),
    "clip at its bounds": (lambda x: np.clip(x, 0, 1), [[-1, 0, 0.5, 1, 2]], [[0, 0, 1, 0, 0]]),
    "relu at 0": (at.relu, [[-1, 0, -0.0, 1]], [[0, 0, 0, 1]]),
    "abs at 0": (np.abs, [[-1, 0, -0.0, 1]], [[-1, 0, 0, 1]]),
    "fabs at 0": (np.fabs, [[-1, 0, -0.0, 1]], [[-1, 0, 0, 1]]),
    "leaky_relu at 0": (at.leaky_relu, [[-1, 0, 1]], [[0.01, 0.01, 1]]),
    "elu at 0": (at.elu, [0], [1]),
    "elu of another slope at 0": (lambda x: at.elu(x, alpha=0.5), [0], [0.5]),
    "selu at 0": (at.selu, [0], [1.0507009873554805 * 1.6732632423543772]),
    "celu at 0": (lambda x: at.celu(x, alpha=0.5), [0], [1]),
    "hard_tanh at its ends": (at.hard_tanh, [[-2, -1, 0, 1, 2]], [[0, 0, 1, 0, 0]]),
    "hard_sigmoid at its ends": (at.hard_sigmoid, [[-4, -3, 0, 3, 4]], [[0, 0, 1 / 6, 0, 0]]),
    "softsign at 0": (at.softsign, [[0, -0.0]], [[1, 1]]),
    "hinge at a margin of 1": (lambda x: at.hinge(x, [1, -1, 1]), [[1, -1, 0]], [[0, 0, -1 / 3]]),
    "huber where the parts meet": (lambda x: at.huber(x, [0, 0, 0]), [[-1, 1, 3]], [[-1 / 3, 1 / 3, 1 / 3]]),
    "absolute error of 0": (lambda x: at.mean_absolute_error(x, [1, 0]), [[1, 1]], [[0, 0.5]]),
    "divergence of an outcome with P = 0": (lambda q: at.kl_divergence([0, 1], q), [[0, 1]], [[0, -1]]),
    "divergence by P = 0": (lambda p: at.kl_divergence(p, [0.5, 0.5]), [[0, 0.5]], [[0, 1]]),
    "similarity to the zero vector": (lambda x: at.cosine_similarity(x, [1, 0]), [[0, 0]], [[NAN, NAN]]),
    "sign at 0": (np.sign, [[-1, 0, 1]], [[0, 0, 0]]),
    "floor at a whole number": (np.floor, [[1, 1.5]], [[0, 0]]),
    "sort of ties keeps their order": (lambda x: np.sort(x)[:2] * [2, 5], [[1, 1]], [[2, 5]]),
}

# ----- norms at 0 -----
NORMS = {
    "norm at 0": (np.linalg.norm, [[0, 0]], [[0, 0]]),
    "norm written out at 0, as in NumPy": (lambda x: np.sqrt(np.sum(x**2)), [[0, 0]], [[NAN, NAN]]),
    "norm of a zero": (np.linalg.norm, [0], [0]),
    "norm along rows, one of them 0": (
        lambda x: np.sum(np.linalg.norm(x, axis=1)),
        [[[0, 0], [3, 4]]],
        [[[0, 0], [0.6, 0.8]]],
    ),
    "1-norm at 0": (lambda x: np.linalg.norm(x, 1), [[0, 0]], [[0, 0]]),
    "1-norm with a zero": (lambda x: np.linalg.norm(x, 1), [[0, -2]], [[0, -1]]),
    "3-norm at 0": (lambda x: np.linalg.norm(x, 3), [[0, 0]], [[0, 0]]),
    "3-norm with a zero": (lambda x: np.linalg.norm(x, 3), [[0, -2]], [[0, -1]]),
    "half-norm with a zero": (lambda x: np.linalg.norm(x, 0.5), [[0, -2]], [[0, -1]]),
    "max-norm at 0": (lambda x: np.linalg.norm(x, INF), [[0, 0]], [[0, 0]]),
    "max-norm with a tie": (lambda x: np.linalg.norm(x, INF), [[2, -2]], [[0.5, -0.5]]),
    "std of equal values": (np.std, [[3, 3, 3]], [[0, 0, 0]]),
    "std of one value": (np.std, [[3]], [[0]]),
    "std of a number": (np.std, [3], [0]),
    "var of equal values": (np.var, [[3, 3, 3]], [[0, 0, 0]]),
    "hypot at 0": (np.hypot, [0, 0], [0, 0]),
    "hypot with a zero": (np.hypot, [0, -2], [0, -1]),
    "sqrt of a sum of squares is a norm": (lambda x: np.hypot(x, 0), [0], [0]),
}

# ----- nan is taken -----
NANS = {
    "maximum of tracked nan": (np.maximum, [[NAN, 1, NAN], [1, NAN, NAN]], [[1, 0, 1], [0, 1, 1]]),
    "minimum of tracked nan": (np.minimum, [[NAN, 1, NAN], [1, NAN, NAN]], [[1, 0, 1], [0, 1, 1]]),
    "maximum beside a number": (lambda x: np.maximum(x, 1), [[NAN, 0, 2]], [[1, 0, 1]]),
    "minimum beside an array": (lambda x: np.minimum([1, NAN, 1], x), [[NAN, 0, 2]], [[1, 0, 0]]),
    "clip of nan": (lambda x: np.clip(x, -1, 1), [[NAN, 0.5, 2]], [[1, 1, 0]]),
    "relu of nan, by the textbook's mask": (lambda x: np.maximum(x, 0), [[NAN, 2]], [[0, 1]]),
    "nan behind a maximum": (lambda x: np.maximum(np.log1p(x), np.arccos(2 * x)), [2], [NAN]),
    "nan behind a minimum": (lambda x: np.minimum(np.log(x), np.sqrt(x + 2)), [-1], [NAN]),
    "nan behind a clip": (lambda x: np.clip(np.arccos(x), -1, 1), [2], [NAN]),
    "max of nan": (np.max, [[NAN, 1]], [[NAN, NAN]]),
    "min of nan": (np.min, [[NAN, 1]], [[NAN, NAN]]),
}

# ----- the ends of the range -----
SATURATED = {
    "sigmoid far out": (at.sigmoid, [[-1000, 1000]], [[0, 0]]),
    "softplus far out": (at.softplus, [[-800, 800]], [[0, 1]]),
    "tanh far out": (np.tanh, [[-400, 400]], [[0, 0]]),
    "log of sigmoid": (lambda x: np.log(at.sigmoid(x)), [[-800, 800]], [[1, 0]]),
    "log of exp": (lambda x: np.log(np.exp(x)), [[-800, 2]], [[1, 1]]),
    "log_softmax": (lambda x: at.log_softmax(x)[1], [[800, 0, 0]], [[-1, 1, 0]]),
    "logsumexp": (at.logsumexp, [[1000, 1000]], [[0.5, 0.5]]),
    "logsumexp with -inf": (at.logsumexp, [[-INF, 0]], [[0, 1]]),
    "logaddexp": (np.logaddexp, [[1000, -1000], [1000, 0]], [[0.5, 0], [0.5, 1]]),
    "logaddexp of -inf": (np.logaddexp, [-INF, 0], [0, 1]),
    "gelu far out": (at.gelu, [[-30, 30]], [[0, 1]]),
    "silu far out": (at.silu, [[-800, 800]], [[0, 1]]),
    "elu far out": (at.elu, [[-800, 800]], [[0, 1]]),
    "selu far out": (at.selu, [[-800, 800]], [[0, 1.0507009873554805]]),
    "celu far out": (at.celu, [[-800, 800]], [[0, 1]]),
    "mish far out": (at.mish, [[-800, 800]], [[0, 1]]),
    "log_sigmoid far out": (at.log_sigmoid, [[-800, 800]], [[1, 0]]),
    "divergence from a saturated softmax": (
        lambda z: at.kl_divergence([0, 1], at.softmax(z)),
        [[800, 0]],
        [[1, -1]],
    ),
    "divergence of a saturated softmax": (lambda z: at.kl_divergence(at.softmax(z), [0.5, 0.5]), [[800, 0]], [[0, 0]]),
    "arctan2 along the axes": (np.arctan2, [[0, 2], [2, 0]], [[0.5, 0], [0, -0.5]]),
    "remainder of 0": (np.remainder, [0, 2], [1, 0]),
}
EXTREMES = {
    "square of a huge number": (np.square, [1e150], [2e150]),
    "product of huge and tiny": (np.multiply, [1e200, 1e-200], [1e-200, 1e200]),
    "quotient of huge numbers": (np.divide, [1e200, 1e200], [1e-200, -1e-200]),
    "hypot of huge numbers": (np.hypot, [3e200, 4e200], [0.6, 0.8]),
    "hypot of tiny numbers": (np.hypot, [3e-200, 4e-200], [0.6, 0.8]),
    "hypot of tiny numbers, scaled": (lambda x: 1e-200 * np.hypot(x, 1e-200), [1e-200], [1e-200 / 2**0.5]),
    "arctan2 of huge numbers, scaled": (lambda x: 1e-200 * np.arctan2(x, 1e-200), [1e-200], [0.5]),
    "norm of huge numbers": (np.linalg.norm, [[3e200, 4e200]], [[0.6, 0.8]]),
    "norm of tiny numbers": (np.linalg.norm, [[3e-200, 4e-200]], [[0.6, 0.8]]),
    "norm of numbers whose squares are subnormal": (np.linalg.norm, [[3e-162, 4e-162]], [[0.6, 0.8]]),
    "norm of rows, one of them tiny and one 0": (
        lambda x: np.sum(np.linalg.norm(x, axis=1)),
        [[[0, 0], [3e-300, 4e-300], [3, 4]]],
        [[[0, 0], [0.6, 0.8], [0.6, 0.8]]],
    ),
    "norm beyond the range": (np.linalg.norm, [[1.5e308, 1.5e308]], [[NAN, NAN]]),
    "norm of an infinity": (np.linalg.norm, [[INF, 1]], [[NAN, 0]]),
    "std of tiny numbers": (np.std, [[0, 2e-200]], [[-0.5, 0.5]]),
    "3-norm of tiny numbers": (
        lambda x: np.linalg.norm(x, 3),
        [[1e-200, -1e-200]],
        [[0.25 ** (1 / 3), -(0.25 ** (1 / 3))]],
    ),
    "3-norm of huge numbers": (lambda x: np.linalg.norm(x, 3), [[1e200, 1e200]], [[2 ** (-2 / 3)] * 2]),
    "norm of order -1": (lambda x: np.linalg.norm(x, -1), [[1, 1]], [[0.25, 0.25]]),
    "norm of order -1 with a zero": (lambda x: np.linalg.norm(x, -1), [[0, 1]], [[0, 0]]),
    "norm of order -2 of tiny numbers": (lambda x: np.linalg.norm(x, -2), [[1e-200, 1]], [[1, 0]]),
    "softsign of huge numbers": (at.softsign, [[1e200, -1e150, INF]], [[0, 1e-300, 0]]),
    "huber of huge numbers": (lambda x: at.huber(x, [0, 0]), [[1e300, -1e300]], [[0.5, -0.5]]),
    "hinge of huge numbers": (lambda x: at.hinge(x, [1, 1]), [[1e300, -1e300]], [[0, -0.5]]),
    "similarity of huge numbers": (
        lambda x: at.cosine_similarity(x, [1e200, 0.0]),
        [[1e200, 1e200]],
        [[2**-1.5 * 1e-200, -(2**-1.5) * 1e-200]],
    ),
    "arctan2 of huge numbers": (np.arctan2, [3e200, 4e200], [4e-200 / 25, -3e-200 / 25]),
    "arcsinh of a huge number": (np.arcsinh, [1e200], [1e-200]),
    "arccosh of a huge number": (np.arccosh, [1e200], [1e-200]),
    "log of a subnormal": (np.log, [1e-310], [INF]),
    "sum of subnormals": (np.sum, [[TINY, TINY]], [[1, 1]]),
    "product of subnormals": (np.multiply, [TINY, TINY], [TINY, TINY]),
    "norm of subnormals in range": (np.linalg.norm, [[3e-150, 4e-150]], [[0.6, 0.8]]),
    "logaddexp of huge numbers": (np.logaddexp, [1e200, -1e200], [1, 0]),
    "log1p of a tiny number": (np.log1p, [1e-300], [1]),
    "expm1 of a tiny number": (np.expm1, [1e-300], [1]),
    "var of huge numbers": (np.var, [[1e150, -1e150]], [[1e150, -1e150]]),
    "sigmoid of huge numbers": (at.sigmoid, [[1e200, -1e200]], [[0, 0]]),
    "negative zero": (np.negative, [-0.0], [-1]),
    "reciprocal of negative zero": (np.reciprocal, [-0.0], [-INF]),
    "sqrt of negative zero": (np.sqrt, [-0.0], [-INF]),
}

# ----- selections: an entry that was not taken contributes nothing -----
SELECTED = {
    "median": (lambda x: np.median(np.sqrt(x)), [[0, 4, 9]], [[0, 0.25, 0]]),
    "median of a tie takes the first": (np.median, [[2, 2, 2]], [[0, 1, 0]]),
    "median with nan": (np.median, [[1, NAN, 2]], [[0, 1, 0]]),
    "quantile between two": (lambda x: np.quantile(np.log(x), 0.75), [[0, 1, 2, 4, 8]], [[0, 0, 0, 0.25, 0]]),
    "quantile of infinities": (lambda x: np.quantile(x, 1.0), [[1, 2, INF]], [[0, 0, 1]]),
    "nansum": (lambda x: np.nansum(np.sqrt(x)), [[-1, 4]], [[0, 0.25]]),
    "nanmean": (lambda x: np.nanmean(np.sqrt(x)), [[-1, 4]], [[0, 0.25]]),
    "nanvar": (np.nanvar, [[NAN, 1, 3]], [[0, -1, 1]]),
    "nanstd of equal values": (np.nanstd, [[NAN, 3, 3]], [[0, 0, 0]]),
    "nanmax with a tie": (np.nanmax, [[NAN, 3, 3]], [[0, 0.5, 0.5]]),
    "nanmedian": (np.nanmedian, [[NAN, 3, 1, 2]], [[0, 0, 0, 1]]),
    "nanprod": (np.nanprod, [[NAN, 3, 0]], [[0, 0, 3]]),
    "sum of the chosen": (lambda x: np.sum(np.log(x), where=x > 0), [[-1, 0, 2]], [[0, 0, 0.5]]),
    "max of the chosen": (lambda x: np.max(np.log(x), where=x > 0, initial=-9), [[-1, 0, 2]], [[0, 0, 0.5]]),
    "select": (lambda x: np.sum(np.select([x > 0], [np.log(x)], x)), [[-1, 2]], [[1, 0.5]]),
    "choose": (lambda x: np.sum(np.choose([0, 1], [x, np.sqrt(x)])), [[-1, 4]], [[1, 0.25]]),
    "piecewise": (lambda x: np.sum(np.piecewise(x, [x > 0], [np.log, 0.0])), [[-1, 0, 2]], [[0, 0, 0.5]]),
    "compress": (lambda x: np.sum(np.compress([False, True], np.sqrt(x))), [[0, 4]], [[0, 0.25]]),
    "delete": (lambda x: np.sum(np.delete(np.sqrt(x), 0)), [[0, 4]], [[0, 0.25]]),
    "interp outside": (lambda x: np.interp(x, [0, 1], [2, 4]), [[-1, 0, 0.5, 1, 2]], [[0, 2, 2, 2, 0]]),
    "copysign of zeros": (lambda x: np.copysign(x, -1.0), [[0, 2, -2]], [[0, -1, 1]]),
    "heaviside": (lambda x: np.heaviside(x, 0.5), [[-1, 0, 1]], [[0, 0, 0]]),
    "unwrap": (np.unwrap, [[0, 4]], [[1, 1]]),
    "svdvals with a value of 0": (lambda x: np.linalg.svdvals(x), [[[2, 0], [0, 0]]], [[[1, 0], [0, 0]]]),
    "norm of order 2": (lambda x: np.linalg.norm(x, 2), [[[2, 0], [0, 1]]], [[[1, 0], [0, 0]]]),
}
ROWS = {**ZEROS, **TIES, **NORMS, **SATURATED, **EXTREMES, **SELECTED}


def gradients(f, args):
    """The upstream gradient 2, 3, 4, ... and the gradients that come of it."""
    with np.errstate(all="ignore"):
        value, pull = at.vjp(f, *args)
        u = np.arange(2.0, 2.0 + value.size, dtype=value.dtype).reshape(value.shape)
        return u, pull(u)


def assert_derivatives(f, args, derivatives, dtype=float):
    args = [np.array(arg, dtype=dtype) for arg in args]
    u, found = gradients(f, args)
    for x, g, derivative in zip(args, found, derivatives, strict=True):
        assert (g.shape, g.dtype) == (x.shape, x.dtype)
        np.testing.assert_allclose(g, u * np.array(derivative, dtype=dtype), rtol=16 * np.finfo(dtype).eps)


@pytest.mark.parametrize("name", ROWS)
def test_edge_case_in_float64(name):
    assert_derivatives(*ROWS[name])


@pytest.mark.parametrize("name", [name for name in ROWS if name not in EXTREMES])
def test_edge_case_in_float32(name):
    assert_derivatives(*ROWS[name], dtype=np.float32)


@pytest.mark.parametrize("compiled", [False, True], ids=["eager", "compiled"])
@pytest.mark.parametrize("statistic", [np.mean, np.average, np.var, np.std, np.nanmean], ids=lambda f: f.__name__)
def test_statistics_of_half_precision_add_up_in_single_precision(statistic, compiled):
    x = np.where(np.arange(70_000) % 2, 1, 3).astype(np.float16)
    f = at.value_and_grad(statistic)
    value, g = (at.compile(f) if compiled else f)(x)
    expected, slope = at.value_and_grad(statistic)(x.astype(float))
    assert value.dtype == g.dtype == np.float16
    np.testing.assert_allclose([value, *g], [expected, *slope], rtol=2e-3)


NOWHERE = [[NAN, NAN], [NAN, NAN]]
"""The second derivatives where no branch is smooth."""
# Each row: a function that gives a number, where, and its second derivatives there.
SECOND = {
    "prod with one zero": (np.prod, [0, 2, 3], [[0, 3, 2], [3, 0, 0], [2, 0, 0]]),
    "prod with two zeros": (np.prod, [0, 2, 0], [[0, 0, 2], [0, 0, 0], [2, 0, 0]]),
    "prod of three zeros": (np.prod, [0, 0, 0], [[0, 0, 0], [0, 0, 0], [0, 0, 0]]),
    "cumprod with a zero": (lambda x: np.cumprod(x)[2], [0, 2, 3], [[0, 3, 2], [3, 0, 0], [2, 0, 0]]),
    "power 0 ** 0": (lambda x: x**0, 0, 0),
    "power 0 ** 1": (lambda x: x**1, 0, 0),
    "power 0 ** 2": (lambda x: x**2, 0, 2),
    "power 0 ** 3": (lambda x: x**3, 0, 0),
    "power (-2) ** 3": (lambda x: x**3, -2, -12),
    "square at 0": (np.square, 0, 2),
    "product with itself": (lambda x: x * x, 0, 2),
    "sinc at 0": (np.sinc, 0, -(np.pi**2) / 3),
    "relu at 0": (at.relu, 0, 0),
    "abs at 0": (np.abs, 0, 0),
    "half a squared norm at 0": (lambda x: np.sum(x * x) / 2, [0, 0], [[1, 0], [0, 1]]),
    "norm": (np.linalg.norm, [3, 4], [[16 / 125, -12 / 125], [-12 / 125, 9 / 125]]),
    "norm at 0": (np.linalg.norm, [0, 0], NOWHERE),
    "std of equal values": (np.std, [3, 3], NOWHERE),
    "norm of tiny numbers": (np.linalg.norm, [3e-200, 4e-200], NOWHERE),
    "hypot at 0": (lambda x: np.hypot(x[0], x[1]), [0, 0], NOWHERE),
    "3-norm at 0": (lambda x: np.linalg.norm(x, 3), [0, 0], NOWHERE),
    "3-norm with a zero": (lambda x: np.linalg.norm(x, 3), [0, 2], [[0, 0], [0, 0]]),
    "1-norm at 0": (lambda x: np.linalg.norm(x, 1), [0, 0], [[0, 0], [0, 0]]),
    "max-norm at 0": (lambda x: np.linalg.norm(x, INF), [0, 0], [[0, 0], [0, 0]]),
    "norm squared at 0": (lambda x: np.linalg.norm(x) ** 2, [0, 0], [[2, 0], [0, 2]]),
    "norm of a difference, squared, at 0": (lambda x: np.linalg.norm(x - 1) ** 2, [1, 1], [[2, 0], [0, 2]]),
    "std squared at equal values": (lambda x: np.std(x) ** 2, [3, 3], [[0.5, -0.5], [-0.5, 0.5]]),
    "hypot squared at 0": (lambda x: np.hypot(x[0], x[1]) ** 2, [0, 0], [[2, 0], [0, 2]]),
    "relu cubed at 0": (lambda x: at.relu(x) ** 3, 0, 0),
    "elu at 0": (at.elu, 0, 1),
    "maximum of tracked ties": (lambda x: np.maximum(x[0], x[1]), [1, 1], [[0, 0], [0, 0]]),
    "clip at its bound": (lambda x: np.clip(x, 0, 1) ** 2, 1, 0),
    "power at exponent 0": (lambda x: x[0] ** x[1], [2, 0], [[0, 0.5], [0.5, np.log(2) ** 2]]),
    "power at exponent 1": (lambda x: x[0] ** x[1], [2, 1], [[0, 1 + np.log(2)], [1 + np.log(2), 2 * np.log(2) ** 2]]),
    "binary cross-entropy far out": (lambda z: at.binary_cross_entropy(z, 1.0), 40, np.exp(-40)),
    "var of equal values": (np.var, [3, 3], [[0.5, -0.5], [-0.5, 0.5]]),
    "logaddexp far out": (lambda x: np.logaddexp(x[0], x[1]), [1000, 1000], [[0.25, -0.25], [-0.25, 0.25]]),
    "logsumexp far out": (at.logsumexp, [1000, 1000], [[0.25, -0.25], [-0.25, 0.25]]),
    "softplus far out": (lambda x: np.sum(at.softplus(x)), [-800, 800], [[0, 0], [0, 0]]),
    "tanh far out": (np.tanh, 400, 0),
    "sigmoid far out": (at.sigmoid, -800, 0),
    "max with a tie": (np.max, [1, 1], [[0, 0], [0, 0]]),
}


@pytest.mark.parametrize("name", SECOND)
def test_second_derivatives_of_an_edge_case(name):
    f, x, expected = SECOND[name]
    with np.errstate(all="ignore"):
        H = at.hessian(f)(np.array(x, dtype=float))
    np.testing.assert_allclose(H, np.array(expected, dtype=float), rtol=1e-14, atol=1e-15)


@pytest.mark.parametrize("function", [np.max, np.min, np.amax], ids=lambda f: f.__name__)
def test_extremes_of_nothing_are_an_error_that_names_the_operation(function):
    with pytest.raises(
        ValueError, match=f"{function.__name__.replace('a', '', 1) if function is np.amax else function.__name__}"
    ):
        function(at.Tensor([]))


def test_mean_of_nothing_warns_as_numpy_does():
    with pytest.warns(RuntimeWarning, match="invalid value"):
        assert np.isnan(np.mean(at.Tensor([])).item())
