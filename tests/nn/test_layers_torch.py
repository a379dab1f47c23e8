"""The same values and gradients as PyTorch's layers, where it is installed."""

import numpy as np
import pytest

import autotiny as at
from autotiny import nn

torch = pytest.importorskip("torch")
F = torch.nn.functional

rng = np.random.default_rng(0)


def normal(*shape):
    return rng.normal(size=shape)


def last(function):
    """A function of PyTorch's, whose examples come first, for arrays whose examples come last."""

    def f(X, *others):
        return torch.movedim(function(torch.movedim(X, -1, 0), *others), 0, -1)

    return f


def columns(cell):
    """A cell of PyTorch's, with an example per row, for examples in columns."""
    return lambda x, h, W, U, b, d: cell(x.T, h.T, W, U, b, d).T


def lstm(x, h, c, W, U, b):
    h, c = torch.lstm_cell(x.T, (h.T, c.T), W, U, b, torch.zeros_like(b))
    return torch.cat([h.T, c.T])


IMAGES, KERNELS, BIAS, SIGNALS = normal(4, 7, 6, 3), normal(6, 4, 3, 2), normal(6), normal(4, 9, 2)
WIDE = {"stride": (2, 1), "padding": (1, 2), "dilation": (1, 2)}
CELL = (normal(3, 5), normal(2, 5))
ATTENTION = (normal(2, 3, 4), normal(2, 5, 4), normal(2, 5, 6))
VISIBLE = rng.random((3, 5)) < 0.6
VISIBLE[:, 0] = True
LAYERS = {
    "conv1d": (nn.conv1d, last(F.conv1d), (SIGNALS, normal(3, 4, 2), normal(3))),
    "conv2d": (nn.conv2d, last(F.conv2d), (IMAGES, KERNELS, BIAS)),
    "conv2d with options": (
        lambda X, W, b: nn.conv2d(X, W, b, **WIDE),
        last(lambda X, W, b: F.conv2d(X, W, b, **WIDE)),
        (IMAGES, KERNELS, BIAS),
    ),
    "conv2d, examples first": (
        lambda X, W, b: nn.conv2d(X, W, b, examples=0),
        F.conv2d,
        (normal(3, 4, 7, 6), KERNELS, BIAS),
    ),
    "conv2d of one example": (nn.conv2d, F.conv2d, (IMAGES[..., 0], KERNELS, BIAS)),
    "conv2d of the same size": (
        lambda X, W: nn.conv2d(X, W, padding="same"),
        last(lambda X, W: F.conv2d(X, W, padding="same")),
        (IMAGES, normal(6, 4, 3, 3)),
    ),
    "conv2d in groups": (
        lambda X, W, b: nn.conv2d(X, W, b, groups=2),
        last(lambda X, W, b: F.conv2d(X, W, b, groups=2)),
        (IMAGES, normal(6, 2, 3, 3), BIAS),
    ),
    "conv2d, channel by channel": (
        lambda X, W: nn.conv2d(X, W, groups=4),
        last(lambda X, W: F.conv2d(X, W, groups=4)),
        (IMAGES, normal(8, 1, 2, 2)),
    ),
    "conv_transpose": (nn.conv_transpose, last(F.conv_transpose2d), (normal(6, 3, 4, 2), KERNELS, normal(4))),
    "conv_transpose with options": (
        lambda Z, W: nn.conv_transpose(Z, W, stride=(2, 3), padding=(1, 0), output_padding=(1, 2), dilation=(2, 1)),
        last(
            lambda Z, W: F.conv_transpose2d(Z, W, stride=(2, 3), padding=(1, 0), output_padding=(1, 2), dilation=(2, 1))
        ),
        (normal(6, 3, 4, 2), KERNELS),
    ),
    "conv_transpose in groups": (
        lambda Z, W, b: nn.conv_transpose(Z, W, b, groups=2),
        last(lambda Z, W, b: F.conv_transpose1d(Z, W, b, groups=2)),
        (normal(4, 5, 2), normal(4, 3, 2), normal(6)),
    ),
    "max_pool": (lambda X: nn.max_pool(X, 2), last(lambda X: F.max_pool2d(X, 2)), (IMAGES,)),
    "max_pool with options": (
        lambda X: nn.max_pool(X, (3, 2), stride=2, padding=(1, 1)),
        last(lambda X: F.max_pool2d(X, (3, 2), stride=2, padding=1)),
        (IMAGES,),
    ),
    "max_pool of signals": (lambda X: nn.max_pool(X, 3), last(lambda X: F.max_pool1d(X, 3)), (SIGNALS,)),
    "avg_pool": (lambda X: nn.avg_pool(X, 2), last(lambda X: F.avg_pool2d(X, 2)), (IMAGES,)),
    "avg_pool with options": (
        lambda X: nn.avg_pool(X, (3, 2), stride=2, padding=1),
        last(lambda X: F.avg_pool2d(X, (3, 2), stride=2, padding=1)),
        (IMAGES,),
    ),
    "batch_norm": (
        lambda X, g, b: nn.batch_norm(X, g, b)[0],
        last(lambda X, g, b: F.batch_norm(X, None, None, g, b, training=True)),
        (IMAGES, normal(4), normal(4)),
    ),
    "layer_norm": (
        lambda X, g, b: nn.layer_norm(X, g, b, axis=-1),
        lambda X, g, b: F.layer_norm(X, (4,), g, b),
        (ATTENTION[0], normal(4), normal(4)),
    ),
    "layer_norm of columns": (
        nn.layer_norm,
        lambda X, g, b: F.layer_norm(X.T, (3,), g, b).T,
        (CELL[0], normal(3), normal(3)),
    ),
    "rms_norm": (
        lambda X, g: nn.rms_norm(X, g, axis=-1),
        lambda X, g: F.rms_norm(X, (4,), g, eps=1e-5),
        (ATTENTION[0], normal(4)),
    ),
    "group_norm": (
        lambda X, g, b: nn.group_norm(X, 2, g, b),
        last(lambda X, g, b: F.group_norm(X, 2, g, b)),
        (IMAGES, normal(4), normal(4)),
    ),
    "embedding": (
        lambda E: nn.embedding([[2, 0], [2, 4]], E, axis=0),
        lambda E: F.embedding(torch.tensor([[2, 0], [2, 4]]), E),
        (normal(5, 3),),
    ),
    "rnn_cell": (
        lambda x, h, W, U, b, d: nn.rnn_cell(x, h, W, U, b + d),
        columns(torch.rnn_tanh_cell),
        (*CELL, normal(2, 3), normal(2, 2), normal(2), normal(2)),
    ),
    "lstm_cell": (
        lambda *args: np.concatenate(nn.lstm_cell(*args)),
        lstm,
        (*CELL, normal(2, 5), normal(8, 3), normal(8, 2), normal(8)),
    ),
    "gru_cell": (
        nn.gru_cell,
        columns(torch.gru_cell),
        (*CELL, normal(6, 3), normal(6, 2), normal(6), normal(6)),
    ),
    "attention": (nn.scaled_dot_product_attention, F.scaled_dot_product_attention, ATTENTION),
    "attention with a mask": (
        lambda Q, K, V: nn.scaled_dot_product_attention(Q, K, V, VISIBLE),
        lambda Q, K, V: F.scaled_dot_product_attention(Q, K, V, torch.tensor(VISIBLE)),
        ATTENTION,
    ),
    "attention with a bias": (
        nn.scaled_dot_product_attention,
        F.scaled_dot_product_attention,
        (*ATTENTION, normal(3, 5)),
    ),
    "attention to the past": (
        lambda Q, K, V: nn.scaled_dot_product_attention(Q, K, V, causal=True),
        lambda Q, K, V: F.scaled_dot_product_attention(Q, K, V, is_causal=True),
        ATTENTION,
    ),
}


@pytest.mark.parametrize("name", LAYERS)
def test_layer_agrees_with_pytorch(name):
    ours, theirs, arrays = LAYERS[name]
    value, pull = at.vjp(ours, *arrays)
    tensors = [torch.tensor(x, requires_grad=True) for x in arrays]
    expected = theirs(*tensors)
    u = np.random.default_rng(1).normal(size=value.shape)
    expected.backward(torch.tensor(u))
    np.testing.assert_allclose(value, expected.detach().numpy(), rtol=1e-12, atol=1e-12)
    for g, tensor in zip(pull(u), tensors, strict=True):
        np.testing.assert_allclose(g, tensor.grad.numpy(), rtol=1e-11, atol=1e-11)


def test_running_averages_are_those_of_pytorch():
    mean, variance, running = torch.zeros(4, dtype=torch.double), torch.ones(4, dtype=torch.double), None
    for _ in range(3):
        X = normal(4, 7, 6, 3)
        _, running = nn.batch_norm(X, running=running)
        F.batch_norm(torch.movedim(torch.tensor(X), -1, 0), mean, variance, training=True)
    np.testing.assert_allclose(running.mean, mean.numpy(), rtol=1e-12)
    np.testing.assert_allclose(running.variance, variance.numpy(), rtol=1e-12)
    Y, unchanged = nn.batch_norm(X, running=running, training=False)
    expected = F.batch_norm(torch.movedim(torch.tensor(X), -1, 0), mean, variance)
    np.testing.assert_allclose(Y, torch.movedim(expected, 0, -1).numpy(), rtol=1e-11, atol=1e-13)
    np.testing.assert_array_equal(unchanged.mean, running.mean)
