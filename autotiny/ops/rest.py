"""The tables of operations that are not loaded with the package."""

from autotiny.ops import (
    arranging,
    building,
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
    updating,
)

__all__ = [
    "arranging",
    "building",
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
    "updating",
]
