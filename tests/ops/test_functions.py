"""The first tier of NumPy's functions: by name, as methods, by keyword, and what is refused."""

import inspect
import warnings

import numpy as np
import pytest

import autotiny as at
from autotiny.errors import ShapeError, UnsupportedError
from autotiny.ops import COMPOSED, OPS, PLAIN
from autotiny.ops.signature import signature
from ops.cases import CASES
from ops.declare import parts

FIRST_TIER = """
add subtract multiply divide power negative reciprocal square sqrt cbrt exp exp2 expm1 log log2 log10 log1p
sin cos tan arcsin arccos arctan sinh cosh tanh arcsinh arccosh arctanh arctan2 hypot logaddexp
abs sign maximum minimum fmax fmin clip where sum mean prod max min var std cumsum cumprod
matmul dot vdot inner outer tensordot einsum trace diag diagonal tril triu
linalg.norm linalg.inv linalg.det linalg.slogdet linalg.solve linalg.cholesky
reshape ravel transpose swapaxes moveaxis expand_dims squeeze broadcast_to concatenate stack hstack vstack split
flip roll repeat tile pad take take_along_axis sort
""".split()  # noqa: SIM905 - read as the list of names that it is
ACTIVATIONS = (
    "relu leaky_relu elu softplus sigmoid silu gelu softmax log_softmax logsumexp cross_entropy one_hot".split()  # noqa: SIM905
)


def numpy_function(name):
    function = np
    for part in name.split("."):
        function = getattr(function, part)
    return function


@pytest.mark.parametrize("name", FIRST_TIER)
def test_first_tier_is_in_the_table(name):
    assert numpy_function(name) in OPS.keys() | COMPOSED.keys()


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_are_public(name):
    assert callable(getattr(at, name))


METHODS = [
    name
    for name in sorted({case.function.__name__ for case in CASES})
    if hasattr(np.ndarray, name) and name not in ("sort", "reshape", "transpose", "ptp", "clip", "real", "imag")
]


def test_clip_as_a_method_takes_one_bound_or_both():
    x = at.Tensor([-1.0, 0.5, 3.0])
    for bounds in [(0,), (0, 1), (None, 1)]:
        np.testing.assert_array_equal(x.clip(*bounds).data, x.data.clip(*bounds))
    np.testing.assert_array_equal(x.clip(max=1).data, [-1, 0.5, 1])


@pytest.mark.parametrize("name", METHODS)
def test_method_does_what_the_function_does(name):
    for case in CASES:
        if case.function is getattr(np, name):
            f, args = case.draw()
            x, *rest = map(at.Tensor, args)
            if case.call is case.function:
                by_function, by_method = f(x, *rest), getattr(x, name)(*rest, **case.options)
                np.testing.assert_array_equal(by_method.data, by_function.data, strict=True)
                assert by_method.requires_grad


@pytest.mark.parametrize(
    ("name", "expected"), [("flatten", np.ravel), ("transpose", np.transpose), ("T", np.transpose)]
)
def test_methods_and_attributes_of_other_names(name, expected):
    x = np.arange(6.0).reshape(2, 3)
    found = getattr(at.Tensor(x), name)
    np.testing.assert_array_equal((found() if callable(found) else found).data, expected(x))


# ----- arguments by keyword and by position -----
PASSED_ON = {"constant_values", "end_values", "stat_length", "reflect_type", "min", "max"}
"""Options that NumPy takes as **kwargs."""
SINCE = {"trim_zeros": {"axis"}, "unique": {"sorted"}}
"""Options that this NumPy may not have yet."""


@pytest.mark.parametrize("function", COMPOSED, ids=lambda f: f.__name__)
def test_composed_function_takes_arguments_as_numpy_does(function):
    if isinstance(function, np.ufunc) or function is np.einsum:
        return
    theirs, ours = (list(signature(f).parameters.values()) for f in (function, COMPOSED[function]))
    newer = SINCE.get(function.__name__, set()) - {p.name for p in theirs}
    ours = [p for p in ours if p.name not in newer]
    if (
        theirs[0].kind is not inspect.Parameter.VAR_POSITIONAL
        and theirs[0].kind is not inspect.Parameter.POSITIONAL_ONLY
    ):
        assert {p.name for p in ours} <= {p.name for p in theirs} | PASSED_ON
    by_position = [p.name for p in ours if p.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD]
    if theirs[0].kind is inspect.Parameter.POSITIONAL_OR_KEYWORD:
        assert by_position == [p.name for p in theirs][: len(by_position)]


KEYWORDS = {
    "sum": lambda np, x: np.sum(a=x, axis=0, keepdims=True),
    "mean": lambda np, x: np.mean(a=x, axis=1),
    "var": lambda np, x: np.var(x, ddof=1, axis=0),
    "std": lambda np, x: np.std(a=x, axis=0, ddof=1, keepdims=True),
    "max": lambda np, x: np.max(a=x, axis=0),
    "clip to a minimum": lambda np, x: np.clip(x, min=2),
    "clip by name": lambda np, x: np.clip(a=x, a_min=2, a_max=3),
    "clip open below": lambda np, x: np.clip(x, None, 3),
    "concatenate": lambda np, x: np.concatenate([x, x], axis=1),
    "concatenate tuple": lambda np, x: np.concatenate((x, 2 * x), axis=-1),
    "stack": lambda np, x: np.stack(arrays=[x, x], axis=2),
    "stack a Tensor": lambda np, x: np.stack(x, axis=1),
    "vstack": lambda np, x: np.vstack(tup=(x, x)),
    "reshape": lambda np, x: np.reshape(x, shape=(4,)),
    "reshape with -1": lambda np, x: np.reshape(x, -1, order="F"),
    "transpose": lambda np, x: np.transpose(a=x, axes=(1, 0)),
    "moveaxis": lambda np, x: np.moveaxis(a=x, source=0, destination=1),
    "expand_dims": lambda np, x: np.expand_dims(a=x, axis=1),
    "squeeze": lambda np, x: np.squeeze(x[:1], axis=0),
    "broadcast_to": lambda np, x: np.broadcast_to(array=x, shape=(3, 2, 2)),
    "repeat": lambda np, x: np.repeat(a=x, repeats=2, axis=1),
    "tile": lambda np, x: np.tile(A=x, reps=(2, 1)),
    "pad": lambda np, x: np.pad(array=x, pad_width=1, mode="edge"),
    "roll": lambda np, x: np.roll(a=x, shift=1, axis=0),
    "flip": lambda np, x: np.flip(m=x, axis=1),
    "take": lambda np, x: np.take(a=x, indices=[0], axis=1),
    "take_along_axis": lambda np, x: np.take_along_axis(arr=x, indices=np.array([[0], [1]]), axis=1),
    "sort": lambda np, x: np.sort(a=-x, axis=0),
    "split": lambda np, x: np.split(ary=x, indices_or_sections=2, axis=1)[1],
    "diag": lambda np, x: np.diag(v=x, k=1),
    "trace": lambda np, x: np.trace(a=x, offset=1),
    "tril": lambda np, x: np.tril(m=x, k=-1),
    "norm": lambda np, x: np.linalg.norm(x=x, ord=1, axis=0),
    "inv": lambda np, x: np.linalg.inv(a=x),
    "slogdet": lambda np, x: np.linalg.slogdet(a=x).logabsdet,
    "solve": lambda np, x: np.linalg.solve(a=x, b=x),
    "tensordot": lambda np, x: np.tensordot(a=x, b=x, axes=1),
    "outer": lambda np, x: np.outer(a=x, b=x),
    "cumsum": lambda np, x: np.cumsum(a=x, axis=1),
    "einsum": lambda np, x: np.einsum("ij,jk", x, x, optimize=True),
    "where": lambda np, x: np.where(x > 2, x, 0.0),
    "round": lambda np, x: np.round(a=x / 3, decimals=1),
    "nothing said": lambda np, x: np.sum(x, axis=0, dtype=None, out=None),
}


if np.lib.NumpyVersion(np.__version__) < "2.1.0":  # which lacks these keywords
    del KEYWORDS["clip to a minimum"], KEYWORDS["reshape"]


@pytest.mark.parametrize("name", KEYWORDS)
def test_arguments_by_keyword_work(name):
    x = np.array([[1.0, 2.0], [3.0, 5.0]])
    y = KEYWORDS[name](np, at.Tensor(x))
    assert y.requires_grad
    np.testing.assert_allclose(y.data, KEYWORDS[name](np, x), rtol=1e-14)


@pytest.mark.parametrize(
    "call",
    [
        lambda x: np.concatenate([x, x], axis=None),
        lambda x: np.sort(x, axis=None),
        lambda x: np.take_along_axis(x, np.array([3, 0]), axis=None),
    ],
    ids=["concatenate", "sort", "take_along_axis"],
)
def test_no_axis_means_flattened(call):
    x = np.array([[3.0, 1.0], [2.0, 5.0]])
    np.testing.assert_array_equal(call(at.Tensor(x)).data, call(x), strict=True)


def test_empty_list_picks_nothing():
    assert at.Tensor([[1.0, 2.0]])[[]].shape == (0, 2)


# ----- what is refused -----


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda t: np.packbits(t), "numpy.packbits"),
    ],
)
def test_function_without_a_row_is_an_error_that_names_it(call, name):
    with pytest.raises(
        UnsupportedError, match=f"{name} has no gradient rule yet: write it with functions that have one"
    ):
        call(at.Tensor([[1.0, 2.0], [3.0, 4.0]]))


@pytest.mark.parametrize(
    "call", [lambda t: np.add.at(t, 0, 1), lambda t: np.add.at(np.ones(2), 0, t), lambda t: np.negative.at(t, 0)]
)
def test_the_method_of_universal_functions_that_writes_is_an_error(call):
    with pytest.raises(UnsupportedError, match=r"\w+\.at changes its argument, .*: write .*at\.index_update\("):
        call(at.Tensor([1.0, 2.0]))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda t: np.exp(t, out=np.zeros(2)), "exp: out= is not supported"),
        (lambda t: np.add(t, t, np.zeros(2)), "add: out= is not supported"),
        (lambda t: np.add(1.0, 2.0, out=t), "add: out= is not supported"),
        (lambda t: np.max(t, where=[True, False]), "max: where= needs initial=, the result where nothing is left"),
        (lambda t: np.min(t, where=[True, False]), "min: where= needs initial=, the result where nothing is left"),
        (lambda t: np.sqrt(t, where=t > 1), "sqrt: where= is not supported"),
        (lambda t: np.sum(t, dtype=int), "dtype=int64 has no gradient; use a floating-point type"),
        (lambda t: np.concatenate([t, t], out=np.zeros(4)), "concatenate: out= is not supported"),
        (lambda t: np.cumsum(t, 0, None, np.zeros(2)), "cumsum: (out|dtype)= is not supported"),
        (lambda t: t.mean(0, int), "dtype=int64 has no gradient"),
        (
            lambda t: np.percentile(t, 3, weights=[1, 2]),
            "percentile: method 'linear' has no weights; 'inverted_cdf' has",
        ),
        (
            lambda t: np.quantile(t, 0.3, weights=[1, -2], method="inverted_cdf"),
            "quantile: weights must be finite, and not negative",
        ),
        (
            lambda t: np.pad(t, 1, "edge", end_values=1),
            "pad: end_values is for the mode linear_ramp, and the mode is 'edge'",
        ),
        (
            lambda t: np.linalg.qr(t[:, None], mode="raw"),
            "qr: mode 'raw', LAPACK's own factors, has no gradient rule; use",
        ),
        (
            lambda t: np.histogram(t, bins="auto", weights=t),
            "histogram: bins='auto' counts values without weights; give the number of bins",
        ),
        (lambda t: np.trim_zeros(t, "x"), "trim_zeros: trim must be 'f', 'b' or 'fb'; got 'x'"),
        (
            lambda t: np.stack([t, t], dtype="f4", casting="safe"),
            "float64 cannot be cast to float32 with casting='safe'",
        ),
        (lambda t: np.quantile(t, 0.5, method="best"), "quantile: method 'best' is not supported; use one of linear"),
        (lambda t: np.convolve(t, t, "most"), "convolve: mode 'most' is not supported; use full, same or valid"),
        (lambda t: np.subtract.reduce(t[:0]), "subtract.reduce: nothing to reduce, and subtract has no identity"),
        (lambda t: t.mean(axes=0), r"mean: axes= .* did you mean axis=\?"),
        (lambda t: t.std(keepdim=True), r"std: keepdim= .* did you mean keepdims=\?"),
        (lambda t: t.reshape(newshape=(2, 1)), r"reshape: newshape= .* did you mean shape=\?"),
        (lambda t: at.softmax(t, axes=0), r"softmax: axes= .* did you mean axis=\?"),
        (lambda t: t.mean(0, None, None, None, None, None, 1), "mean: takes at most 6 arguments, and 8 were given"),
        (lambda t: t.sum(0, None, None, None, None, None, 1), "sum: takes at most 7 arguments, and 8 were given"),
        (lambda t: t.repeat(), "repeat: missing argument repeats"),
        (
            lambda t: np.reshape(t, (2, 1), order="A"),
            "order='A' depends on how the entries lie in memory; use 'C' or 'F'",
        ),
        (lambda t: t.ravel("K"), "order='K' depends on how the entries lie in memory"),
        (lambda t: np.pad(t, 1, "nearest"), "pad: mode 'nearest' is not supported; use constant, edge"),
        (lambda t: np.linalg.norm(t[:, None] * t, 3), "norm: ord=3 over 2 axes is not supported; use None"),
        (lambda t: np.linalg.norm(t, "fro"), "norm: ord='fro' over 1 axes is not supported"),
        (lambda t: np.linalg.norm(np.ones((2, 2, 2)) * t, 1), "norm: ord=1 over 3 axes is not supported"),
        (lambda t: np.diff(t, n=-1), "diff: n must be 0 or more, got -1"),
        (lambda t: np.einsum("i,i", t), "einsum: 'i,i' names 2 operands and 1 were given"),
        (lambda t: np.add(t, "text"), "add: expected numbers, got"),
        (lambda t: np.where(t > 0, t), r"where: missing argument y"),
        (lambda t: np.sum([t, t]), r"use np\.sum\(at\.array\(\[t, t\]\)\)"),
    ],
)
def test_unsupported_option_is_an_error_that_names_it(call, words):
    with pytest.raises(TypeError, match=words):
        call(at.Tensor([1.0, 2.0]))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda t: t @ np.ones((3, 2)), "sizes 2 and 3 differ"),
        (lambda t: t + np.ones(3), "sizes 2 and 3 differ in axis -1"),
        (
            lambda t: np.tensordot(t, np.ones(3), 1),
            r"tensordot: axes \[0\] of a \(2,\) and axes \[0\] of b \(3,\) differ",
        ),
        (lambda t: np.diag(t[0]), r"diag: expected a vector or a matrix, got shape \(\)"),
        (lambda t: np.diag(t[:, None, None]), r"diag: expected a vector or a matrix, got shape \(2, 1, 1\)"),
        (lambda t: np.reshape(t, 5), "reshape.*cannot reshape array of size 2 into shape"),
        (
            lambda t: np.quantile(t, 1.5),
            r"quantile: q must lie in \[0, 1\], and percentiles in \[0, 100\]; got q = 1.5",
        ),
        (lambda t: np.poly(t[:, None]), r"poly: expected a square matrix, or a vector of roots; got shape \(2, 1\)"),
        (lambda t: np.polyfit(t, t, -1), r"polyfit: expected deg >= 0, a vector x, and y as long; got -1, \(2,\)"),
        (lambda t: np.polyfit(t, t, 1, w=t[:1]), r"polyfit: w \(1,\) must have the shape of x \(2,\)"),
        (lambda t: np.polyfit(t, t, 1, cov=True), "polyfit: the covariance needs more points than coefficients"),
        (lambda t: np.cross(t, np.ones(4)), "cross: expected vectors of 2 or 3 entries, got 2 and 4"),
        (lambda t: np.linalg.cross(t, t), "cross: expected vectors of 3 entries, got 2 and 2"),
        (
            lambda t: np.histogramdd(t[:, None], [2, 2]),
            "histogramdd: expected bins and ranges for each of 1 dimensions; got 2 and 1",
        ),
        (lambda t: np.concatenate([t, np.ones((1, 2))]), "same number of dimensions"),
        (lambda t: np.stack([t, np.ones(3)]), r"sizes 2 and 3 differ"),
        (lambda t: at.cross_entropy(t, [0, 1, 1]), r"targets \(3,\) do not fit logits \(2,\)"),
    ],
)
def test_shapes_that_do_not_fit_are_an_error_when_the_expression_is_built(call, words):
    with pytest.raises(ShapeError, match=words):
        call(at.Tensor([1.0, 2.0]))


# ----- plain results -----
@pytest.mark.parametrize(
    "function", [np.argmax, np.isnan, np.shape, np.ndim, np.size, np.any, np.all, np.argsort, np.nonzero, np.zeros_like]
)
def test_plain_function_gives_a_plain_result(function):
    x = np.array([[1.0, 0.0], [np.nan, -2.0]])
    found, expected = function(at.Tensor(x)), function(x)
    for actual, wanted in zip(parts(found), parts(expected), strict=True):
        assert not isinstance(actual, at.Tensor)
        np.testing.assert_array_equal(actual, wanted)


@pytest.mark.parametrize(
    "function", [np.greater, np.less_equal, np.equal, np.not_equal, np.logical_and, np.isclose, np.floor_divide]
)
def test_plain_function_of_two_gives_a_plain_result(function):
    x, y = np.array([1.0, -2.0]), np.array([1.0, 3.0])
    for a, b in ((at.Tensor(x), at.Tensor(y)), (at.Tensor(x), y), (x, at.Tensor(y))):
        assert type(function(a, b)) is np.ndarray
        np.testing.assert_array_equal(function(a, b), function(x, y))


def test_plain_functions_have_no_row():
    assert not PLAIN & (OPS.keys() | COMPOSED.keys())


@pytest.mark.parametrize("name", [name for name in ACTIVATIONS if name not in ("one_hot", "cross_entropy")])
def test_activation_of_a_plain_array_is_a_plain_array(name):
    x = np.array([0.5, -1.0], dtype=np.float32)
    y = getattr(at, name)(x)
    assert isinstance(y, np.ndarray | np.generic)
    assert y.dtype == np.float32


def logistic(x):
    return 1 / (1 + np.exp(-x))


FORMULAS = {
    "relu": lambda x: x * (x > 0),
    "leaky_relu": lambda x: np.where(x > 0, x, 0.01 * x),
    "elu": lambda x: np.where(x > 0, x, np.exp(x) - 1),
    "softplus": lambda x: np.log(1 + np.exp(x)),
    "sigmoid": logistic,
    "silu": lambda x: x * logistic(x),
    "gelu": lambda x: 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))),
    "softmax": lambda x: np.exp(x) / np.sum(np.exp(x), axis=0),
    "log_softmax": lambda x: x - np.log(np.sum(np.exp(x), axis=0)),
    "logsumexp": lambda x: np.log(np.sum(np.exp(x))),
}


@pytest.mark.parametrize("name", FORMULAS)
def test_activation_is_its_formula(name):
    x = np.random.default_rng(0).normal(size=(3, 4))
    np.testing.assert_allclose(getattr(at, name)(x), FORMULAS[name](x), rtol=1e-14)


WHOLE = [3, -1, [1, -2], [[1, 2], [-3, 0]], np.array([1, -2]), np.array([[1], [2]], np.int8), True]


@pytest.mark.parametrize("name", FORMULAS)
@pytest.mark.parametrize("x", WHOLE, ids=repr)
def test_activation_of_plain_numbers_lists_and_integers_is_that_of_float64(name, x):
    function, expected = getattr(at, name), getattr(at, name)(np.asarray(x, dtype=np.float64))
    for given in (x, np.asarray(x, dtype=np.float64).tolist()):
        result = function(given)
        assert result.dtype == np.float64
        np.testing.assert_array_equal(result, expected)
    np.testing.assert_array_equal(function(at.Tensor(x)).data, expected)
    np.testing.assert_array_equal(function(x=x), expected)


def test_softmax_of_a_number_is_1():
    assert at.softmax(3.0) == at.softmax(3) == 1


def test_cross_entropy_takes_lists_and_integers():
    expected = at.cross_entropy(np.array([[1.0, 0.0], [2.0, -1.0]]), [0, 1])
    assert at.cross_entropy([[1, 0], [2, -1]], [0, 1]) == expected
    assert at.cross_entropy(np.array([[1, 0], [2, -1]]), np.array([0, 1])) == expected
    with pytest.raises(ShapeError, match="expected logits with an axis; got a single number"):
        at.cross_entropy(3.0, 0)


@pytest.mark.parametrize("name", ["relu", "sigmoid", "gelu", "softmax"])
@pytest.mark.parametrize("x", ["a", None])
def test_activation_of_what_is_not_a_number_is_an_error(name, x):
    with pytest.raises((TypeError, ValueError)):
        getattr(at, name)(x)


def test_cross_entropy_is_the_mean_of_the_logarithms_of_the_probabilities_of_the_labels():
    Z, labels = np.random.default_rng(0).normal(size=(3, 4)), [0, 2, 2, 1]
    expected = -np.mean(np.log(FORMULAS["softmax"](Z)[labels, range(4)]))
    assert at.cross_entropy(Z, labels) == pytest.approx(expected, rel=1e-14)
    assert at.cross_entropy(Z, at.one_hot(labels, 3)) == pytest.approx(expected, rel=1e-14)
    assert at.cross_entropy(Z.T, labels, axis=1) == pytest.approx(expected, rel=1e-14)


def test_one_hot_refuses_labels_that_are_no_classes():
    with pytest.raises(ShapeError, match=r"labels must lie in 0..2, got 0..3"):
        at.one_hot([0, 3], 3)
    with pytest.raises(ShapeError, match="labels must be integers, got float64"):
        at.one_hot([0.0, 1.0], 2)


def test_result_in_another_precision_sends_its_gradient_back_in_the_first():
    x = at.Tensor([1.0, 2.0])
    y = x.astype(np.float32)
    assert y.dtype == np.float32
    np.sum(y * np.array([3, 5], dtype=np.float32)).backward()
    assert x.grad.dtype == np.float64
    np.testing.assert_array_equal(x.grad, [3, 5])


def test_number_in_whole_numbers_is_a_plain_array():
    assert type(at.Tensor([1.5, 2.5]).astype(int)) is np.ndarray


# ----- types and shapes as NumPy has them -----
def test_median_of_whole_numbers_is_that_of_their_floats():
    x = np.array([[3, -1], [0, 2]], np.int32)
    for f in (np.median, np.nanmedian):
        assert at.compile(lambda x, f=f: f(x))(x) == f(at.Tensor(x, requires_grad=False)).data == f(x) == 1.0


@pytest.mark.parametrize("a", [np.ones(2, np.float32), np.ones(2), 2.0])
@pytest.mark.parametrize("b", [np.ones(2, np.float32), -np.ones(2), -1.0])
def test_copysign_has_the_type_of_both(a, b):
    expected = np.copysign(a, b)
    for pair in ((at.Tensor(a, dtype=np.result_type(a)), b), (a, at.Tensor(b, dtype=np.result_type(b)))):
        if not isinstance(a, float) and not isinstance(b, float):
            assert np.copysign(*pair).dtype == expected.dtype
        np.testing.assert_array_equal(np.copysign(*pair).data, expected)


def test_reducing_a_number_and_averaging_nothing_are_as_numpy_has_them():
    assert np.logaddexp.reduce(at.Tensor(2.0), axis=0).data == np.logaddexp.reduce(np.array(2.0), axis=0)
    with pytest.warns(RuntimeWarning, match="invalid value"):
        assert np.isnan(np.average(at.Tensor(np.zeros(0))).data)


def test_differences_of_order_0_take_nothing_that_is_appended():
    np.testing.assert_array_equal(np.diff(at.Tensor([1.0, 2.0]), n=0, append=3.0).data, [1, 2])


def test_one_number_deviates_by_0_in_every_order():
    assert at.hessian(lambda x: np.std(x))(np.array([3.0])) == 0


def test_whole_numbers_are_taken_out_of_a_tensor_by_their_type():
    x = at.Tensor([1.7, -2.2])
    for taken in (np.int64(x), np.asarray(x, dtype=int)):
        np.testing.assert_array_equal(taken, [1, -2])


def test_the_cross_product_of_vectors_of_two_entries_is_a_number():
    a, b = np.array([1.0, 2.0]), np.array([3.0, 5.0, 1.0])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        assert np.cross(at.Tensor(a), b[:2]).data == -1
        np.testing.assert_array_equal(np.cross(at.Tensor(a), b).data, np.cross(np.append(a, 0), b))


@pytest.mark.parametrize("shape", [(4,), (3, 2), (1,), (2, 1)])
def test_odd_reflections_go_on_as_those_of_numpy(shape):
    x = np.random.default_rng(0).normal(size=shape)
    for mode in ("reflect", "symmetric"):
        for width in (1, 3, 9):
            y = np.pad(at.Tensor(x), width, mode=mode, reflect_type="odd")
            np.testing.assert_allclose(y.data, np.pad(x, width, mode=mode, reflect_type="odd"), rtol=1e-12)


@pytest.mark.parametrize("edge_order", [1, 2])
def test_infinity_stays_where_numpys_differences_leave_it(edge_order):
    f, x = np.array([0.0, np.inf, 1.0, 2.0, np.nan, 3.0, 4.0]), np.cumsum([0.0, 1, 2, 1, 1, 3, 1])
    with np.errstate(invalid="ignore"):
        for points in ((), (0.5,), (x,)):
            expected = np.gradient(f, *points, edge_order=edge_order)
            np.testing.assert_allclose(np.gradient(at.Tensor(f), *points, edge_order=edge_order).data, expected)
