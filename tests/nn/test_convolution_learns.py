"""A small network of convolutions learns the digits in a second."""

import numpy as np

import autotiny as at
from autotiny import nn


def logits(W, X):
    A1 = nn.max_pool(at.relu(nn.conv2d(X, W["W1"], W["b1"], padding="same")), 2)
    A2 = nn.avg_pool(at.relu(nn.conv2d(A1, W["W2"], W["b2"], padding="same")), 2)
    return W["W3"] @ A2.reshape(32, -1) + W["b3"]


def test_convolutions_learn_to_read_digits():
    train, test = nn.digits().split(0.2, seed=0)
    X, held_out = (data.X.reshape(1, 8, 8, -1).astype(np.float32) / 16 for data in (train, test))
    rng = np.random.default_rng(0)
    shapes = {"W1": (8, 1, 3, 3), "b1": (8,), "W2": (8, 8, 3, 3), "b2": (8,), "W3": (10, 32), "b3": (10, 1)}
    W = {
        name: (np.sqrt(2 / np.prod(shape[1:])) * rng.normal(size=shape) * (name[0] == "W")).astype(np.float32)
        for name, shape in shapes.items()
    }
    step = at.compile(at.value_and_grad(lambda W, X, Y: at.cross_entropy(logits(W, X), Y)))
    adam, Y = nn.Adam(learning_rate=0.01), at.one_hot(train.labels, 10).astype(np.float32)
    for _ in range(10):
        for batch in np.array_split(rng.permutation(1438)[:1408], 22):
            _, dW = step(W, X[..., batch], Y[:, batch])
            W = {name: w - adam.step(name, dW[name]) for name, w in W.items()}
    assert all(w.dtype == np.float32 for w in W.values())
    assert np.mean(np.argmax(logits(W, held_out), axis=0) == test.labels) > 0.95
