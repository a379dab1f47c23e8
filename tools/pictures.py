"""Draw the README's pictures again.

python tools/pictures.py
"""

from pathlib import Path

import numpy as np

import autotiny as at

FOLDER = Path(__file__).parent / "pictures"


def expression(folder: Path) -> None:
    """Draw y = x * x + x at x = 3, with its gradients."""
    x = at.Tensor(3.0)
    y = x * x + x
    y.backward()
    at.draw(y).save(folder / "expression.svg")


def steps(folder: Path) -> None:
    """Draw L = tanh(a * b + c) * a, where a has two uses, as an animation of the forward and the backward pass."""
    a, b, c = at.Tensor(2.0), at.Tensor(-3.0), at.Tensor(6.5)
    e = a * b
    d = e + c
    L = np.tanh(d) * a
    at.draw(L).steps.save(folder / "steps.svg")


def two_layers(folder: Path) -> None:
    """Draw the README's two-layer network, with its gradients."""
    rng = np.random.default_rng(0)
    m = 8
    X, Y = rng.normal(size=(4, m)), at.one_hot(rng.integers(0, 3, m), 3)
    W1, b1 = at.Tensor(rng.normal(size=(5, 4))), at.Tensor(np.zeros((5, 1)))
    W2, b2 = at.Tensor(rng.normal(size=(3, 5))), at.Tensor(np.zeros((3, 1)))
    Z1 = W1 @ X + b1
    A1 = np.maximum(Z1, 0)
    Z2 = W2 @ A1 + b2
    A2 = np.exp(Z2) / np.sum(np.exp(Z2), axis=0)
    J = -np.sum(Y * np.log(A2)) / m
    J.backward()
    at.draw(J).save(folder / "two_layers.svg")


if __name__ == "__main__":
    for picture in (expression, steps, two_layers):
        picture(FOLDER)
