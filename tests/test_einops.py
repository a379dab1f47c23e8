"""einops' functions on Tensors give what they give on arrays, and their gradients are those of differences."""

import numpy as np
import pytest

import autotiny as at

einops = pytest.importorskip("einops")

import autotiny.einops  # noqa: E402

CALLS = {
    "rearrange": lambda x: einops.rearrange(x, "a b c -> c (b a)"),
    "rearrange a list": lambda x: einops.rearrange([x, 2 * x], "n a b c -> a (n b) c"),
    "split": lambda x: einops.rearrange(x, "a b (c d) -> a c (d b)", d=2),
    "mean": lambda x: einops.reduce(x, "a b c -> b", "mean"),
    "max": lambda x: einops.reduce(x, "a b (c 2) -> a b c", "max"),
    "prod": lambda x: einops.reduce(x, "a b c -> b 1 1", "prod"),
    "repeat": lambda x: einops.repeat(x, "a b c -> a k (b 2) c", k=3),
    "einsum": lambda x: einops.einsum(x, np.ones((4, 2)), "a b c, c d -> a d"),
    "pack": lambda x: einops.pack([x, x[:, :, 0]], "a b *")[0],
    "unpack": lambda x: einops.unpack(x, [[1], [3]], "a b *")[1],
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_value_is_that_on_arrays_and_gradient_that_of_differences(call):
    x = np.random.default_rng(0).normal(size=(2, 3, 4))
    np.testing.assert_array_equal(call(at.Tensor(x)).data, call(x))
    at.check_gradients(lambda x: np.sum(call(x) ** 2), x)


def test_the_value_alone_is_an_array():
    assert type(einops.asnumpy(at.Tensor([1.0]))) is np.ndarray


def test_a_pattern_that_does_not_fit_is_einops_error():
    with pytest.raises(einops.EinopsError, match="a b"):
        einops.rearrange(at.Tensor([1.0, 2.0]), "a b -> b a")
