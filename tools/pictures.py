"""Draw the README's pictures anew.

python tools/pictures.py
"""

from pathlib import Path

import autotiny as at

FOLDER = Path(__file__).parent / "pictures"


def expression() -> None:
    """y = x * x + x at x = 3, with its gradients."""
    x = at.Tensor(3.0)
    y = x * x + x
    y.backward()
    at.draw(y).save(str(FOLDER / "expression.svg"))


if __name__ == "__main__":
    expression()
