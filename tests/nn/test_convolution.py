"""Convolution and pooling by their definitions, their layout, and what fits."""

import itertools

import numpy as np
import pytest

import autotiny as at
from autotiny import nn
from autotiny.errors import AutotinyError

rng = np.random.default_rng(0)
X, W = rng.normal(size=(4, 6, 5, 2)), rng.normal(size=(6, 2, 3, 2))


def convolved(X, W, stride, padding, dilation, groups):
    """The sum of the definition, entry by entry."""
    X = np.pad(X, [(0, 0), *[(p, p) for p in padding], (0, 0)])
    places = [
        (n - d * (k - 1) - 1) // s + 1 for n, k, s, d in zip(X.shape[1:3], W.shape[2:], stride, dilation, strict=True)
    ]
    Z = np.zeros((len(W), *places, X.shape[-1]))
    of_group, filters = W.shape[1], len(W) // groups
    for f, i, j, c, a, e in itertools.product(range(len(W)), *map(range, (*places, *W.shape[1:]))):
        channel = c + of_group * (f // filters)
        Z[f, i, j] += W[f, c, a, e] * X[channel, stride[0] * i + dilation[0] * a, stride[1] * j + dilation[1] * e]
    return Z


OPTIONS = [*itertools.product([(1, 1), (2, 3)], [(0, 0), (1, 2)], [(1, 1), (2, 1)])]


@pytest.mark.parametrize(("stride", "padding", "dilation"), OPTIONS)
def test_convolution_is_the_sum_of_its_definition(stride, padding, dilation):
    Z = nn.conv2d(X, W, stride=stride, padding=padding, dilation=dilation, groups=2)
    np.testing.assert_allclose(Z, convolved(X, W, stride, padding, dilation, 2), rtol=1e-12, atol=1e-13)


def test_transposed_convolution_is_the_transpose_of_convolution():
    options = {"stride": 2, "padding": (1, 0), "dilation": (1, 2), "groups": 2}
    Z = rng.normal(size=nn.conv2d(X, W, **options).shape)
    back = nn.conv_transpose(Z, W, output_padding=(1, 0), **options)
    assert back.shape == X.shape
    np.testing.assert_allclose(np.vdot(nn.conv2d(X, W, **options), Z), np.vdot(X, back), rtol=1e-12)


def test_transposed_convolution_is_the_gradient_of_convolution():
    Z = rng.normal(size=nn.conv2d(X, W, groups=2).shape)
    _, pull = at.vjp(lambda X: nn.conv2d(X, W, groups=2), X)
    np.testing.assert_allclose(pull(Z)[0], nn.conv_transpose(Z, W, groups=2), rtol=1e-12)


def test_a_kernel_of_one_pixel_is_the_product_of_the_flagship():
    columns, weights, b = rng.normal(size=(3, 1, 1, 7)), rng.normal(size=(4, 3)), rng.normal(size=4)
    Z = nn.conv2d(columns, weights[:, :, None, None], b)
    np.testing.assert_allclose(Z[:, 0, 0], weights @ columns[:, 0, 0] + b[:, None], rtol=1e-13)


def test_layouts_differ_in_the_place_of_the_examples_alone():
    last = nn.conv2d(X, W, groups=2)
    first = nn.conv2d(np.moveaxis(X, -1, 0), W, groups=2, examples=0)
    np.testing.assert_allclose(np.moveaxis(first, 0, -1), last, rtol=1e-13)
    np.testing.assert_allclose(nn.conv2d(X[..., 1], W, groups=2), last[..., 1], rtol=1e-13)


@pytest.mark.parametrize(("n", "stride", "places"), [(7, 1, 7), (7, 2, 4), (6, 2, 3), (6, 4, 2)])
def test_the_same_size_is_the_length_over_the_stride_rounded_up(n, stride, places):
    assert nn.conv1d(np.ones((1, n, 1)), np.ones((1, 1, 3)), stride=stride, padding="same").shape == (1, places, 1)


def test_pools_are_the_extreme_and_the_mean_of_each_window():
    blocks = X[:, :, :4].reshape(4, 3, 2, 2, 2, 2)
    np.testing.assert_array_equal(nn.max_pool(X[:, :, :4], 2), blocks.max(axis=(2, 4)))
    np.testing.assert_allclose(nn.avg_pool(X[:, :, :4], 2), blocks.mean(axis=(2, 4)), rtol=1e-13)


def test_entries_that_tie_in_a_window_share_its_gradient():
    g = at.grad(lambda x: np.sum(nn.max_pool(x, (2,))))(np.array([[1.0, 1.0, 3.0, 2.0]]))
    np.testing.assert_array_equal(g, [[0.5, 0.5, 1, 0]])


def test_entries_under_no_window_receive_nothing_whatever_stands_there():
    g = at.grad(lambda x: np.sum(nn.conv1d(np.sqrt(x), np.ones((1, 1, 1)), stride=2)))(np.array([[1.0, 0.0, 4.0]]))
    np.testing.assert_array_equal(g, [[0.5, 0, 0.25]])


def test_no_examples_give_no_results():
    assert nn.conv2d(np.ones((4, 6, 5, 0)), W, groups=2).shape == (6, 4, 4, 0)
    assert nn.max_pool(np.ones((4, 6, 5, 0)), 2).shape == (4, 3, 2, 0)


REFUSED = {
    r"conv2d: expected X with 4 axes, \(channels, height, width, m\), or 3 for one example; got X \(4, 6\)": (
        lambda: nn.conv2d(np.ones((4, 6)), W)
    ),
    r"conv1d: expected X with 3 axes, \(channels, width, m\), .*; got signal \(4,\)": (
        lambda: nn.conv1d(at.Tensor(np.ones(4), name="signal"), np.ones((1, 1, 1)))
    ),
    r"conv2d: K \(6, 2, 3, 2\) takes 2 channels, and X \(4, 6, 5, 2\) has 4": (
        lambda: nn.conv2d(X, at.Tensor(W, name="K"))
    ),
    r"conv2d: W \(6, 2, 3, 2\) takes 2 channels in each of 3 groups, and X .* has 4": lambda: nn.conv2d(X, W, groups=3),
    r"conv2d: 6 filters of W \(6, 2, 3, 2\) do not divide into 4 groups": lambda: nn.conv2d(X, W, groups=4),
    "conv2d: groups must be a whole number of at least 1; got 0": lambda: nn.conv2d(X, W, groups=0),
    r"conv2d: expected W with 4 axes, \(filters, channels, ...kernel\); got \(6, 2, 3\)": lambda: nn.conv2d(
        X, W[..., 0]
    ),
    r"conv2d: a window of \(3, 6\) does not fit into \(6, 5\), padding included": (
        lambda: nn.conv2d(X, W, groups=2, dilation=(1, 5))
    ),
    "conv2d: stride must be a whole number of at least 1, or one for each of 2 axes; got 0": (
        lambda: nn.conv2d(X, W, groups=2, stride=0)
    ),
    r"conv1d: dilation must be a whole number of at least 1; got \(1, 2\)": (
        lambda: nn.conv1d(np.ones((1, 3, 1)), np.ones((1, 1, 2)), dilation=(1, 2))
    ),
    "conv2d: padding must be a whole number .*, 'same' or 'valid'; got 'full'": (
        lambda: nn.conv2d(X, W, groups=2, padding="full")
    ),
    r"conv2d: padding must be .*; got \(1, 2, 3\)": lambda: nn.conv2d(X, W, groups=2, padding=(1, 2, 3)),
    r"conv2d: examples 5 is not an axis of X \(4, 6, 5, 2\)": lambda: nn.conv2d(X, W, examples=5),
    r"conv2d: b \(5,\) does not fit; expected shape \(6,\) or \(6, 1, 1, 1\)": (
        lambda: nn.conv2d(X, W, np.ones(5), groups=2)
    ),
    "conv2d: W: expected numbers, got <U1": lambda: nn.conv2d(X, "x"),
    r"conv_transpose: W \(6, 2, 3, 2\) has 6 filters, and Z \(4, 6, 5, 2\) 4": lambda: nn.conv_transpose(X, W),
    r"conv_transpose: padding 9 leaves nothing of the \(5, 4\) places": (
        lambda: nn.conv_transpose(np.ones((6, 3, 3, 1)), W, padding=9)
    ),
    r"max_pool: a window of \(9, 9\) does not fit into \(6, 5\)": lambda: nn.max_pool(X, 9),
    r"max_pool: padding 2 makes windows of size \(2, 2\) that hold nothing else": lambda: nn.max_pool(X, 2, padding=2),
    "avg_pool: size must be a whole number of at least 1, or one .*; got 0.5": lambda: nn.avg_pool(X, 0.5),
}


@pytest.mark.parametrize("words", REFUSED)
def test_what_does_not_fit_is_an_error_in_the_users_words(words):
    with pytest.raises(AutotinyError, match=words):
        REFUSED[words]()
