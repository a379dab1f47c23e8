"""The growth curves as a picture: time of a call, of the first call, and memory, against operations and entries."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench_record import Cells, Record
from bench_timing import Cell

COLOURS = {
    "NumPy by hand": "#111111",
    "autotiny eager": "#56B4E9",
    "autotiny numpy": "#0072B2",
    "autotiny numba": "#D55E00",
    "PyTorch": "#CC79A7",
    "JAX jit": "#009E73",
    "PyTensor": "#B58900",
    "autograd": "#808080",
    "MyGrad": "#A0A0A0",
}
"""The colour of each engine, of the set that pictures of graphs use; ours are drawn thick."""
QUANTITIES: dict[str, Callable[[Cell], float]] = {
    "time of a call (s)": lambda cell: cell.seconds,
    "time of the first call (s)": lambda cell: cell.first,
    "memory of the first call (MB)": lambda cell: cell.memory / 1e6,
}
APART = 0.052
"""The least distance of two labels, as a share of a panel's height."""


def draw(record: Record, file: Path) -> None:
    """Draw a panel for each curve and quantity, and save it as the file's ending says."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    style = {"svg.hashsalt": "bench", "svg.fonttype": "none", "font.family": "Helvetica, Arial, sans-serif"}
    with matplotlib.rc_context(style if file.suffix == ".svg" else {}):
        rows = len(record.growth)
        figure, axes = plt.subplots(
            rows, len(QUANTITIES), figsize=(15, 4.6 * rows), squeeze=False, layout="constrained"
        )
        for row, (curve, points) in zip(axes, record.growth.items(), strict=True):
            for panel, (title, quantity) in zip(row, QUANTITIES.items(), strict=True):
                draw_panel(panel, points, quantity)
                panel.set_title(title, fontsize=11, loc="left")
                panel.set_xlabel(curve)
        figure.savefig(file, metadata={"Date": None} if file.suffix == ".svg" else None, dpi=100)
        plt.close(figure)


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
    panel.spines[["top", "right"]].set_visible(False)
    panel.grid(color="#EEEEEE")
    panel.margins(x=0.02)
    label_ends(panel, ends)


def label_ends(panel: Any, ends: Mapping[str, tuple[float, float]]) -> None:
    """Write each engine's name to the right of the panel, near its line's end, apart from the others, with a leader."""
    heights = {engine: panel.transLimits.transform(panel.transScale.transform(end))[1] for engine, end in ends.items()}
    order = sorted(heights, key=lambda engine: heights[engine])
    for engine, height in zip(order, apart([heights[engine] for engine in order]), strict=True):
        panel.annotate(
            engine,
            ends[engine],
            xytext=(1.04, height),
            textcoords="axes fraction",
            color=COLOURS[engine],
            fontsize=9,
            fontweight="bold" if engine.startswith("autotiny") else "normal",
            verticalalignment="center",
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
