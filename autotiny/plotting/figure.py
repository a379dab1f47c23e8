"""Figures of curves and landscapes, drawn by matplotlib."""

from typing import TYPE_CHECKING, Any

import numpy as np

from autotiny.notation.numbers import short_number
from autotiny.notation.palette import BLUE, GRADIENT, LINE, MUTED, NEUTRAL, SKY, TEXT, VERMILLION, WHITE, mix
from autotiny.plotting.curve import Curve
from autotiny.plotting.landscape import Landscape

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDTH, HEIGHT = 6.4, 4.0
FIXED = "masks and index arrays stay as they were recorded"
ARROW = 0.3
"""The length of the gradient's arrow, as a share of the width."""
Path = list[tuple[float, float, float]]


def curve_figure(curve: Curve, label: str) -> "Figure":
    """Draw a curve, its tangent, its kinks, and where it is undefined."""
    figure, axes = _figure(WIDTH, HEIGHT, 1)
    ax, name = axes[0], curve.section.entries[0].name
    ax.plot(*curve.line, color=BLUE, linewidth=2.2, label=label, zorder=3)
    _shade_undefined(ax, curve)
    plain = [kink for kink in curve.kinks if not kink.jump]
    if plain:
        heights = [curve.section(kink.x) for kink in plain]
        style = {"color": WHITE, "markeredgecolor": VERMILLION, "markersize": 7, "markeredgewidth": 1.8}
        ax.plot([kink.x for kink in plain], heights, "D", **style, linestyle="", label="kink", zorder=4)
    if np.isfinite(curve.y) and np.isfinite(curve.slope):
        reach = (curve.span[1] - curve.span[0]) / 4
        ends = np.array([curve.x - reach, curve.x + reach])
        words = f"tangent, slope {_signed(curve.slope)}"
        ax.plot(ends, curve.y + curve.slope * (ends - curve.x), color=GRADIENT, linewidth=1.8, label=words, zorder=5)
    if np.isfinite(curve.y):
        ax.plot(curve.x, curve.y, "o", color=GRADIENT, markersize=7, zorder=6)
    ax.set(xlim=curve.span, ylim=curve.limits, xlabel=name, ylabel=label)
    ax.set_title(curve_words(curve, label), fontsize=10, color=TEXT, loc="left", wrap=True)
    ax.grid(color="#E6E6E6", linewidth=0.8)
    ax.legend(frameon=False, fontsize=9, loc="best")
    return figure


def landscape_figure(landscape: Landscape, label: str, path: Path) -> "Figure":
    """Draw contours with the gradient's arrow; with a path of descent, it and the curve of the loss beside."""
    from matplotlib.colors import LinearSegmentedColormap

    figure, axes = _figure(WIDTH + (3.2 if path else 0), 4.8, 2 if path else 1)
    ax, levels = axes[0], landscape.levels
    if levels:
        shades = LinearSegmentedColormap.from_list("heights", [mix(WHITE, SKY, 0.85), NEUTRAL])
        across, up, heights = landscape.surface
        low, known = float(np.nanmin(landscape.heights)), np.ma.masked_invalid(heights)
        ax.contourf(across, up, known, [low, *levels], cmap=shades, extend="both")
        lines = ax.contour(across, up, known, levels, colors=LINE, linewidths=0.8)
        ax.clabel(lines, levels[1::3], fontsize=8, fmt=lambda level: short_number(level, 3), colors=MUTED)
    if np.isnan(landscape.heights).any():
        ax.set_facecolor("#DDDDDD")
    _draw_path(ax, path)
    _draw_arrow(ax, landscape)
    ax.plot(*landscape.point, "o", color=GRADIENT, markersize=7, zorder=6)
    first, second = (entry.name for entry in landscape.section.entries)
    ax.set(xlim=landscape.spans[0], ylim=landscape.spans[1], xlabel=first, ylabel=second)
    if landscape.same_scale:
        ax.set_aspect("equal")
    ax.set_title(landscape_words(landscape, label).replace(", with", ",\nwith"), fontsize=10, color=TEXT, loc="left")
    if path:
        axes[1].plot(range(len(path)), [y for _, _, y in path], ".-", color=BLUE, linewidth=1.8)
        axes[1].set(xlabel="step", ylabel=label)
        axes[1].grid(color="#E6E6E6", linewidth=0.8)
    return figure


def _figure(width: float, height: float, panels: int) -> "tuple[Figure, list[Any]]":
    from matplotlib.figure import Figure  # made directly: it needs neither pyplot's state nor a display

    figure = Figure((width, height), layout="constrained")
    ratios = [1.0] if panels == 1 else [1.6, 1.0]
    axes = list(figure.subplots(1, panels, squeeze=False, width_ratios=ratios)[0])
    for ax in axes:
        ax.spines[["top", "right"]].set_visible(False)
        ax.spines[:].set_color(LINE)
        ax.tick_params(colors=MUTED, labelsize=9)
    return figure, axes


def _shade_undefined(ax: Any, curve: Curve) -> None:
    """Shade where the output is nan or overflows, and say so in the legend."""
    half = (curve.xs[1] - curve.xs[0]) / 2
    for words, where in (("nan", np.isnan(curve.ys)), ("overflows", np.isinf(curve.ys))):
        for count, (first, last) in enumerate(_runs(where)):
            ends = curve.xs[first] - half, curve.xs[last] + half
            hatch = "///" if words == "nan" else "..."
            ax.axvspan(*ends, facecolor="#EEEEEE", edgecolor="#BBBBBB", hatch=hatch, linewidth=0,
                       label="_" * bool(count) + words, zorder=1)  # fmt: skip


def _runs(where: Any) -> list[tuple[int, int]]:
    """Return the first and the last place of each run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], where.astype(int), [0]])))
    return [(int(first), int(last) - 1) for first, last in edges.reshape(-1, 2)]


def _draw_path(ax: Any, path: Path) -> None:
    if path:
        ax.plot(
            [a for a, _, _ in path], [b for _, b, _ in path], ".-", color=TEXT, linewidth=1.2, markersize=6, zorder=4
        )


def _draw_arrow(ax: Any, landscape: Landscape) -> None:
    """Draw the direction of the gradient: uphill, of a fixed length."""
    (a, b), (da, db) = landscape.point, landscape.slope
    across, up = (high - low for low, high in landscape.spans)
    length = np.hypot(da / across, db / up) if np.isfinite([da, db, a, b]).all() else 0.0
    if length > 0:
        tip = a + ARROW * da / length, b + ARROW * db / length
        style = {"arrowstyle": "-|>", "color": GRADIENT, "linewidth": 2.2, "shrinkA": 0, "shrinkB": 0}
        ax.annotate("", xy=tip, xytext=(a, b), arrowprops={**style, "mutation_scale": 14}, zorder=5)


# ----- in words -----
def curve_words(curve: Curve, label: str) -> str:
    """Say what a curve shows: "J = 9 at x = 3, with slope 6"."""
    name = curve.section.entries[0].name
    words = f"{label} = {short_number(curve.y)} at {name} = {short_number(curve.x)}"
    if not np.isfinite(curve.y):
        return _with_note(f"{words}, so that there is no tangent", curve.section.fixed)
    kink = curve.at_kink
    words += f", with slope {short_number(curve.slope)}"
    if kink and not kink.jump:
        words += f": a kink, slope {short_number(kink.left)} on its left and {short_number(kink.right)} on its right"
    elif kink:
        words += ": at a jump"
    return _with_note(words, curve.section.fixed)


def landscape_words(landscape: Landscape, label: str) -> str:
    """Say what a landscape shows: "J = 2 at (a, b) = (1, 1), with gradient (2, 2)"."""
    names = ", ".join(entry.name for entry in landscape.section.entries)
    numbers, slopes = (", ".join(map(short_number, pair)) for pair in (landscape.point, landscape.slope))
    words = f"{label} = {short_number(landscape.y)} at ({names}) = ({numbers}), with gradient ({slopes})"
    return _with_note(words, landscape.section.fixed)


def _with_note(words: str, fixed: bool) -> str:
    return f"{words};\n{FIXED}" if fixed else words


def _signed(number: float) -> str:
    return short_number(number).replace("-", "−")
