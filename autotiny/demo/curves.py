"""Loss and accuracy over the epochs, as SVG that takes its colours and its font from the page."""

import io
import re
from collections.abc import Sequence

from autotiny.nn import Training

# Colours that stand for variables of the page's style; ink is the colour of its text.
VARIABLES = {"#000001": "var(--training)", "#000002": "var(--validation)", "#000003": "var(--rule)"}
TRAINING, VALIDATION, RULE = VARIABLES
INK = "#000000"

NO_METADATA = dict.fromkeys(("Creator", "Date", "Format", "Type"))
SIZE = 5.0, 2.9
"""Inches: as wide as a phone, where labels so keep their size."""


def loss(training: Training) -> str:
    """The losses of training and validation by epoch, on a logarithmic scale."""
    history = training.history
    values = [epoch.loss for epoch in history], [epoch.validation_loss for epoch in history]
    return _chart("loss", *values, training.best_epoch)


def accuracy(training: Training) -> str:
    """The shares of training and validation digits that are read right, by epoch."""
    history = training.history
    values = [epoch.accuracy for epoch in history], [epoch.validation_accuracy for epoch in history]
    return _chart("accuracy", *values, training.best_epoch)


def _chart(name: str, training: Sequence[float], validation: Sequence[float], best_epoch: int) -> str:
    import matplotlib
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator, PercentFormatter, StrMethodFormatter

    # A figure of its own touches neither pyplot nor a display.
    figure = Figure(SIZE, layout="constrained")
    axes = figure.subplots()
    epochs = range(1, len(training) + 1)
    axes.plot(epochs, training, color=TRAINING, linewidth=1.8)
    axes.plot(epochs, validation, color=VALIDATION, linewidth=1.8, linestyle=(0, (4, 1.5)))
    axes.plot(best_epoch, validation[best_epoch - 1], "o", color=VALIDATION, markersize=6)
    axes.set_yscale("log" if name == "loss" else "linear")
    axes.yaxis.set_major_formatter(PercentFormatter(1, 0) if name == "accuracy" else StrMethodFormatter("{x:g}"))
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.set_xlabel("epoch")
    axes.grid(axis="y", color=RULE, linewidth=0.8)
    axes.tick_params(length=0, which="both")
    axes.spines[:].set_visible(False)
    written = io.StringIO()
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": name}):
        figure.savefig(written, format="svg", transparent=True, metadata=NO_METADATA)
    return _fit(written.getvalue(), name)


def _fit(svg: str, prefix: str) -> str:
    """An SVG that stands in a page: no size, fonts, style sheet or colours of its own, and ids that no other has."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r' (width|height)="[\d.]+pt"', "", svg, count=2)
    svg = re.sub(r"<style.*?</style>", "", svg, flags=re.DOTALL)
    svg = re.sub(r"font-family: [^;\"]*;?", "", svg)
    svg = re.sub(r'(\bid="|href="#|url\(#)', rf"\1{prefix}-", svg)
    for colour, variable in VARIABLES.items():
        svg = svg.replace(colour, variable)
    return svg.replace(INK, "currentColor")
