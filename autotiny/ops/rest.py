"""The tables of operations that are not loaded with the package."""

from autotiny.ops import (
    arranging,
    einsum,
    floating,
    grids,
    linalg,
    orthogonal,
    padding,
    polynomials,
    products,
    quantiles,
    selecting,
    singular_values,
    spectra,
    statistics,
)

__all__ = [
    "arranging",
    "einsum",
    "floating",
    "grids",
    "linalg",
    "orthogonal",
    "padding",
    "polynomials",
    "products",
    "quantiles",
    "selecting",
    "singular_values",
    "spectra",
    "statistics",
]
