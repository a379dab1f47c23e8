"""Calls of every layer, as functions of the arrays that are differentiated."""

import functools

import numpy as np

from autotiny import nn

draw = np.random.default_rng(3)


def normal(*shape):
    return draw.normal(size=shape)


def call(layer, *arrays, **options):
    """A layer with its options, and the arrays that it is called with."""
    return functools.partial(layer, **options), arrays


def first(layer):
    """The first result of a layer that returns several."""
    return lambda *args, **options: layer(*args, **options)[0]


IMAGES, SIGNALS, KERNELS = normal(2, 5, 4, 3), normal(4, 6, 2), normal(3, 2, 2, 3)
TABLE, COLUMNS, STATE = normal(3, 7), normal(4, 5), normal(2, 5)
QUERIES, KEYS, VALUES = normal(2, 3, 4), normal(2, 5, 4), normal(2, 5, 2)
RUNNING = (normal(4), np.exp(normal(4)))
VISIBLE = np.arange(15).reshape(3, 5) % 4 != 1
LAYERS = {
    "conv1d": call(nn.conv1d, SIGNALS, normal(3, 4, 2), normal(3)),
    "conv1d, dilated": call(nn.conv1d, SIGNALS, normal(3, 4, 3), dilation=2, padding=[(2, 1)]),
    "conv1d of one example": call(nn.conv1d, SIGNALS[..., 0], normal(3, 4, 2), normal(3)),
    "conv2d": call(nn.conv2d, IMAGES, KERNELS, normal(3)),
    "conv2d, strided": call(nn.conv2d, IMAGES, KERNELS, stride=(2, 1), padding=(1, 2), dilation=(1, 2)),
    "conv2d, the same size": call(nn.conv2d, IMAGES, KERNELS, normal(3), padding="same"),
    "conv2d in groups": call(nn.conv2d, normal(4, 3, 3, 2), normal(6, 2, 2, 2), normal(6), groups=2),
    "conv2d, examples first": call(nn.conv2d, normal(3, 2, 5, 4), KERNELS, normal(3), examples=0),
    "conv_transpose": call(nn.conv_transpose, normal(3, 3, 2, 2), KERNELS, normal(2)),
    "conv_transpose, strided": call(
        nn.conv_transpose, normal(3, 3, 2, 2), KERNELS, stride=2, padding=1, output_padding=(1, 0), dilation=(1, 2)
    ),
    "conv_transpose in groups": call(nn.conv_transpose, normal(4, 3, 2), normal(4, 2, 3), normal(4), groups=2),
    "max_pool": call(nn.max_pool, IMAGES, size=2),
    "max_pool, overlapping": call(nn.max_pool, IMAGES, size=(3, 2), stride=1, padding=1),
    "max_pool of one example": call(nn.max_pool, SIGNALS[..., 0], size=(3,)),
    "avg_pool": call(nn.avg_pool, IMAGES, size=2),
    "avg_pool, overlapping": call(nn.avg_pool, SIGNALS, size=3, stride=2, padding=1, examples=-1),
    "batch_norm": call(first(nn.batch_norm), COLUMNS, normal(4), normal(4)),
    "batch_norm of images": call(first(nn.batch_norm), normal(3, 2, 2, 3), normal(2), normal(2), axis=1),
    "batch_norm, not training": call(
        first(nn.batch_norm), COLUMNS, normal(4), normal(4), running=RUNNING, training=False
    ),
    "layer_norm": call(nn.layer_norm, COLUMNS, normal(4), normal(4)),
    "layer_norm of rows": call(
        nn.layer_norm,
        QUERIES,
        normal(4),
        normal(
            4,
        ),
        axis=-1,
    ),
    "layer_norm over two axes": call(nn.layer_norm, QUERIES, normal(3, 4), axis=(1, 2)),
    "rms_norm": call(nn.rms_norm, COLUMNS, normal(4)),
    "group_norm": call(nn.group_norm, normal(4, 2, 3), groups=2),
    "group_norm, examples first": call(
        lambda X, gamma: nn.group_norm(X, 2, gamma, examples=0), normal(3, 4, 2), normal(4)
    ),
    "dropout": call(lambda X: nn.dropout(X, 0.4, np.random.default_rng(0)), COLUMNS),
    "embedding": call(lambda E: nn.embedding([[2, 0], [6, 2]], E), TABLE),
    "embedding by rows": call(lambda E: nn.embedding([2, 0, 2], E, axis=0), TABLE),
    "rnn_cell": call(nn.rnn_cell, COLUMNS, STATE, normal(2, 4), normal(2, 2), normal(2)),
    "lstm_cell": call(nn.lstm_cell, COLUMNS, STATE, normal(2, 5), normal(8, 4), normal(8, 2), normal(8)),
    "lstm_cell of one example": call(nn.lstm_cell, normal(4), normal(2), normal(2), normal(8, 4), normal(8, 2)),
    "gru_cell": call(nn.gru_cell, COLUMNS, STATE, normal(6, 4), normal(6, 2), normal(6), normal(6)),
    "attention": call(nn.scaled_dot_product_attention, QUERIES, KEYS, VALUES),
    "attention with a mask": call(nn.scaled_dot_product_attention, QUERIES, KEYS, VALUES, mask=VISIBLE),
    "attention with a bias": call(nn.scaled_dot_product_attention, QUERIES, KEYS, VALUES, normal(3, 5)),
    "attention to the past": call(nn.scaled_dot_product_attention, QUERIES, KEYS, VALUES, causal=True),
}
