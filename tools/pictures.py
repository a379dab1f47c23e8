"""Draw the README's pictures anew.

python tools/pictures.py
"""

from pathlib import Path

import numpy as np

import autotiny as at

FOLDER = Path(__file__).parent / "pictures"


def expression(folder: Path) -> None:
    """y = x * x + x at x = 3, with its gradients."""
    x = at.Tensor(3.0)
    y = x * x + x
    y.backward()
    at.draw(y).save(folder / "expression.svg")


def steps(folder: Path) -> None:
    """L = tanh(a * b + c) * a, where a has two uses, which plays its forward and its backward pass."""
    a, b, c = at.Tensor(2.0), at.Tensor(-3.0), at.Tensor(6.5)
    e = a * b
    d = e + c
    L = np.tanh(d) * a
    at.draw(L).steps.save(folder / "steps.svg")


if __name__ == "__main__":
    expression(FOLDER)
    steps(FOLDER)
