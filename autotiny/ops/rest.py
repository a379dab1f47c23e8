"""The tables of operations that are not loaded with the package."""

from autotiny.ops import (
    arranging,
    einsum,
    floating,
    grids,
    linalg,
    padding,
    polynomials,
    products,
    quantiles,
    selecting,
    spectra,
    statistics,
)

__all__ = [
    "arranging",
    "einsum",
    "floating",
    "grids",
    "linalg",
    "padding",
    "polynomials",
    "products",
    "quantiles",
    "selecting",
    "spectra",
    "statistics",
]
