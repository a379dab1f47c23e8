"""Which floating-point errors NumPy reports here: WebAssembly keeps no flags of them."""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np


@cache
def reports(kind: str, product: Callable[[Any, Any], Any], x: float, y: float) -> bool:
    """Whether NumPy reports this kind of error for a product; WebAssembly keeps no flags of them."""
    with np.errstate(**{kind: "raise"}):  # type: ignore[arg-type]
        try:
            product(np.full(4, x), np.full(4, y))
        except FloatingPointError:
            return True
    return False


def reports_overflow() -> bool:
    """Whether NumPy reports what overflows."""
    return reports("over", np.multiply, 1e300, 1e300)


def reports_overflow_of_dot() -> bool:
    """Whether NumPy reports what overflows in dot products, which NumPy 2.0 does not."""
    return reports("over", np.dot, 1e300, 1e300)


def reports_invalid() -> bool:
    """Whether NumPy reports invalid operations."""
    return reports("invalid", np.multiply, 0.0, np.inf)
