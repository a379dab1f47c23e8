"""Plots of a recorded number along some of the numbers that it was computed from."""

from autotiny.plotting.plot import MatplotlibMissingError, Plot, plot

__all__ = ["MatplotlibMissingError", "Plot", "plot"]
