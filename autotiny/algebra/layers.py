"""Rows for the layers of networks: masks, slopes of activations, normalisation, attention."""

from autotiny.algebra.equation import Equation

# fmt: off
LAYERS: tuple[Equation, ...] = (
)
# fmt: on
