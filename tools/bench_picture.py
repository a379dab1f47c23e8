"""The growth curves as a picture: time of a call, of the first call, and memory, against operations and entries."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from autotiny.notation import palette
from bench_record import Cells, Record
from bench_timing import Cell

COLOURS = {
    "NumPy by hand": palette.TEXT,
    "autotiny eager": palette.SKY,
    "autotiny numpy": palette.BLUE,
    "autotiny numba": palette.VERMILLION,
    "PyTorch": palette.PURPLE,
    "JAX jit": palette.GREEN,
    "PyTensor": palette.ORANGE,
    "autograd": palette.LINE,
    "MyGrad": palette.MUTED,
}
"""The colour of each engine; ours are drawn thick."""
QUANTITIES: dict[str, Callable[[Cell], float]] = {
    "seconds of a call": lambda cell: cell.seconds,
    "seconds of the first call": lambda cell: cell.first,
    "memory of the first call, MB": lambda cell: cell.memory / 1e6,
}
WIDTH, HEIGHT = 4.6, 3.8
"""The size of a panel in inches, with the names beside it."""
MARGINS = {"left": 0.035, "right": 0.915, "top": 0.97, "bottom": 0.045, "wspace": 0.5, "hspace": 0.3}
"""What is left for axes and names, as shares of the picture and of a panel."""
BESIDE = 0.06
"""The distance of a name from its line's end, as a share of a panel's width."""
APART = 0.065
"""The least distance of two names, as a share of a panel's height."""


def draw(record: Record, file: Path) -> None:
    """Draw a panel for each curve and quantity, and save it as the file's ending says."""
    import matplotlib
    from matplotlib.figure import Figure

    # A Figure made directly needs neither pyplot's global state nor a display.
    rows, columns = len(record.growth), len(QUANTITIES)
    figure = Figure((WIDTH * columns, HEIGHT * rows))
    axes = figure.subplots(rows, columns, squeeze=False, gridspec_kw=MARGINS)
    for row, (curve, points) in zip(axes, record.growth.items(), strict=True):
        for panel, (title, quantity) in zip(row, QUANTITIES.items(), strict=True):
            draw_panel(panel, points, quantity)
            panel.set_title(title, fontsize=10, loc="left", color=palette.TEXT)
            panel.set_xlabel(curve, fontsize=9, color=palette.MUTED)
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "growth"}):
        figure.savefig(file, metadata={"Date": None} if file.suffix == ".svg" else None, facecolor=palette.WHITE)


def draw_panel(panel: Any, points: Mapping[int, Cells], quantity: Callable[[Cell], float]) -> None:
    """Draw a line for each engine, with its name at its end."""
    ends = {}
    for engine, colour in COLOURS.items():
        line = [(size, quantity(cells[engine])) for size, cells in points.items() if engine in cells]
        line = [(size, y) for size, y in line if y > 0]
        if line:
            x, y = zip(*line, strict=True)
            width = 2.2 if engine.startswith("autotiny") else 1.1
            panel.loglog(x, y, color=colour, linewidth=width, marker="o", markersize=width + 1)
            ends[engine] = x[-1], y[-1]
    panel.grid(color=palette.HEAT_BORDER, linewidth=0.4)
    panel.minorticks_off()
    panel.tick_params(length=0, labelsize=8, labelcolor=palette.MUTED)
    panel.spines[:].set_visible(False)
    label_ends(panel, ends)


def label_ends(panel: Any, ends: Mapping[str, tuple[float, float]]) -> None:
    """Write each engine's name to the right of its line's end, apart from the others that end there."""
    panel.autoscale_view()
    places = {engine: panel.transLimits.transform(panel.transScale.transform(end)) for engine, end in ends.items()}
    for x in {x for x, _ in ends.values()}:
        engines = sorted([engine for engine in ends if ends[engine][0] == x], key=lambda engine: places[engine][1])
        for engine, height in zip(engines, apart([places[engine][1] for engine in engines]), strict=True):
            panel.annotate(
                engine,
                ends[engine],
                xytext=(places[engine][0] + BESIDE, height),
                textcoords="axes fraction",
                color=COLOURS[engine],
                fontsize=8,
                fontweight="bold" if engine.startswith("autotiny") else "normal",
                verticalalignment="center",
                bbox={"facecolor": palette.WHITE, "edgecolor": "none", "alpha": 0.7, "pad": 0.5},
                arrowprops={"arrowstyle": "-", "color": COLOURS[engine], "linewidth": 0.5, "shrinkA": 0, "shrinkB": 3},
            )


def apart(heights: Sequence[float]) -> list[float]:
    """Move ascending heights so that neighbours are some distance apart, each group about its mean."""
    groups: list[list[float]] = []
    for height in heights:
        groups.append([height])
        while len(groups) > 1 and bottom(groups[-1]) < top(groups[-2]) + APART:
            last = groups.pop()
            groups[-1] += last
    return [bottom(group) + i * APART for group in groups for i in range(len(group))]


def bottom(group: Sequence[float]) -> float:
    """Return the lowest place of a group."""
    return sum(group) / len(group) - APART * (len(group) - 1) / 2


def top(group: Sequence[float]) -> float:
    """Return the highest place of a group."""
    return bottom(group) + APART * (len(group) - 1)
