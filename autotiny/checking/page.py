"""A report for a notebook, light or dark: its table as HTML with a heat map of each tensor's errors, and a plot."""

import html
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autotiny.checking.replaying import Replay
from autotiny.checking.row import COLUMNS, DIGITS, LONGEST_NAME, Array, Row, notes, number, summary
from autotiny.checking.subject import Subject
from autotiny.errors import UnsupportedError
from autotiny.notation.notations import SUPERSCRIPTS
from autotiny.notation.palette import VERMILLION, blocks, css_variables, rgb
from autotiny.notation.text import clean
from autotiny.ops.table import is_complex

CELLS = 24
"""The largest number of blocks along an axis of the heat map; a block shows its largest error."""
PIXELS = 5
FAINTEST, DARKEST = -16.0, -2.0
"""Powers of ten of the relative error between which the shade goes from nothing to full."""
COLOUR = "{},{},{}".format(*rgb(VERMILLION))


def shade(error: float) -> float:
    """Return the opacity of an error, from 0 to 1 on a logarithmic scale."""
    if error == 0:
        return 0.0
    power = math.log10(error) if math.isfinite(error) else DARKEST
    return min(max((power - FAINTEST) / (DARKEST - FAINTEST), 0.0), 1.0)


def errors(row: Row) -> Array:
    """Return the difference of the gradients entry by entry, relative to the largest entry."""
    other = row.analytic
    if other is None or (row.outlier == "autograd" and not np.any(np.isnan(row.numeric))):
        other = row.numeric
    with np.errstate(invalid="ignore"):
        away = np.where(other == row.autograd, 0, np.abs(other - row.autograd)).astype(float)
    away = np.where(np.isnan(away), 0 if other is row.numeric else np.inf, away)
    scale = max(float(np.abs(v[np.isfinite(v)]).max(initial=0)) for v in (other, row.autograd))
    return away / scale if scale else away


def heat_map(row: Row) -> str:
    """Draw the errors as an SVG, a cell for each entry or block of entries; empty for a gradient without entries."""
    away = np.atleast_1d(errors(row))
    if not away.size:
        return ""
    table = away.reshape(len(away), -1) if away.ndim > 1 else away[None]
    largest = blocks(table, min(CELLS, table.shape[0]), min(CELLS, table.shape[1]), np.maximum.reduceat)
    height, width = largest.shape
    cells = "".join(
        f'<rect x="{x}" y="{y}" width="1" height="1" fill="rgb({COLOUR})" fill-opacity="{shade(error):.2f}"/>'
        for y, line in enumerate(largest.tolist())
        for x, error in enumerate(line)
        if shade(error)
    )
    title = html.escape(f"errors of {table.shape[0]} x {table.shape[1]} entries, the largest {row.error:.1e}")
    return (
        f'<svg role="img" viewBox="-0.1 -0.1 {width + 0.2} {height + 0.2}" '
        f'width="{width * PIXELS}" height="{height * PIXELS}" style="vertical-align:middle"><title>{title}</title>'
        f'<rect width="{width}" height="{height}" fill="none" stroke="currentColor" stroke-opacity="0.4" '
        'stroke-width="0.2"/>'
        f"{cells}</svg>"
    )


MOST_ENTRIES = 32
"""The number of entries of a gradient that are listed."""
SIDES = ("analytic", "autograd", "numeric")
ALIGNED_LEFT = "text-align:left;white-space:nowrap;padding:0.2em 0.8em"


def page(rows: Sequence[Row]) -> str:
    """Return the table, with the errors shaded on a logarithmic scale, the notes and the summary."""
    head = "".join(f'<th style="{ALIGNED_LEFT}">{html.escape(name)}</th>' for name in (*COLUMNS, "where"))
    lines = "".join(f"<tr>{_table_row(row)}</tr>" for row in rows)
    remarks = "".join(f"<li>{html.escape(note)}</li>" for note in notes(rows))
    listed = f"<ul>{remarks}</ul>" if remarks else ""
    return (
        f'<table style="font-variant-numeric:tabular-nums"><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table>'
        f"{listed}<p>{html.escape(summary(rows))}</p>{''.join(map(look_closer, rows))}"
    )


def _table_row(row: Row) -> str:
    cells = [_cell(name, column(row, DIGITS[0]), row) for name, column in COLUMNS.items()]
    return "".join(cells) + f'<td style="{ALIGNED_LEFT}">{heat_map(row)}</td>'


def look_closer(row: Row) -> str:
    """Return the gradients of a row entry by entry, folded; of a large one those that differ most."""
    size = row.autograd.size
    if not size:
        return ""
    away = errors(row)
    places = np.argsort(-away, axis=None, kind="stable")[:MOST_ENTRIES]
    shown = sorted(places.tolist()) if size <= MOST_ENTRIES else places.tolist()
    words = "entry by entry" if size <= MOST_ENTRIES else f"the {MOST_ENTRIES} of {size:,} entries that differ most"
    name = html.escape(clean(row.name, LONGEST_NAME))
    head = "".join(f"<th>{column}</th>" for column in ("", *SIDES, "error"))
    lines = "".join(_entry(row, name, np.unravel_index(place, away.shape), away) for place in shown)
    return (
        f"<details><summary>{name}, {words}</summary>"
        '<table style="font-variant-numeric:tabular-nums;text-align:left;border-spacing:1.2em 0.1em">'
        f"<thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table></details>"
    )


def _entry(row: Row, name: str, place: Any, away: Array) -> str:
    index = tuple(map(int, place))
    label = f"{name}[{', '.join(map(str, index))}]" if index else name
    sides = [number(side, index) for side in (row.analytic, row.autograd, row.numeric)]
    shaded = f"background:rgba({COLOUR},{0.75 * shade(float(away[index])):.2f})"
    error = f'<span style="{shaded}">{away[index]:.1e}</span>'
    values = [label, *("not looked at" if text == "nan" else text for text in sides), error]
    return f"<tr>{''.join(f'<td>{value}</td>' for value in values)}</tr>"


def _cell(column: str, text: str, row: Row) -> str:
    style, cell = ALIGNED_LEFT, html.escape(text)
    if column == "error":
        style += f";background:rgba({COLOUR},{0.75 * shade(row.error):.2f})"
    if column == "verdict" and not row.ok:
        cell = f"<strong>✗ {cell}</strong>"
    elif column == "verdict":
        cell = f"✓ {cell}"
    return f'<td style="{style}">{cell}</td>'


# ----- the error of plain differences against their step: truncation on one side, rounding on the other -----


STEPS = tuple(10.0**-p for p in np.arange(0, 15.01, 0.25))
FLOOR = 1e-17
WIDTH, HEIGHT = 560, 300
LEFT, RIGHT, TOP, BOTTOM = 64, 150, 34, 46

STYLE = f"""
{css_variables(".step-curve")}
.step-curve {{ font: 12px system-ui, sans-serif; --ink: #1f2328; --quiet: #6e7781; --rule: #d0d7de }}
@media (prefers-color-scheme: dark) {{ .step-curve {{ --ink: #e6edf3; --quiet: #9198a1; --rule: #3d444d }} }}
.step-curve text {{ fill: var(--ink) }} .step-curve .quiet {{ fill: var(--quiet) }}
.step-curve path {{ fill: none; stroke-width: 2 }} .step-curve .rule {{ stroke: var(--rule); stroke-width: 1 }}
.step-curve .one {{ stroke: var(--vermillion); stroke-dasharray: 5 3 }} .step-curve .two {{ stroke: var(--blue) }}
.step-curve .mark {{ fill: var(--blue) }} .step-curve .autograd {{ stroke: var(--quiet); stroke-dasharray: 2 3;
stroke-width: 1.5 }}
"""

Points = list[tuple[float, float]]


@dataclass(frozen=True)
class StepCurve:
    """Relative errors of the forward and the central difference at each step, and those of the other sides."""

    title: str
    forward: Points
    central: Points
    autograd: float
    noise: float

    @property
    def best(self) -> tuple[float, float]:
        """The step at which the central difference errs least, and by how much."""
        return min(self.central, key=lambda point: point[1])

    @property
    def svg(self) -> str:
        """The picture, light or dark as the page is."""
        return _drawn(self)

    def _repr_svg_(self) -> str:
        return self.svg

    def __repr__(self) -> str:
        step, error = self.best
        return f"StepCurve({self.title}: a central difference errs by {error:.0e} at best, with a step of {step:.0e})"


def step_curve(subject: Subject, row: Row) -> StepCurve:
    """Compare differences in the graph's precision with the numeric derivative, at the row's largest error."""
    if row.sides is None or not np.isfinite(row.sides.noise) or row.at_kink:
        where = f"{row.name} has no single numeric derivative at {list(row.index)}"
        raise UnsupportedError(f"step_curve: {where} to measure against")
    x = subject.tensor(row.name)
    if is_complex(x):
        raise UnsupportedError(f"step_curve: {row.name} is complex; its parts are two steps")
    replay = Replay(x, subject.output, 1.0 if subject.weights is None else subject.weights)
    base, exact = np.asarray(x.value), row.sides.right
    size = abs(float(base[row.index])) or 1.0

    def f(h: float) -> float:
        moved = base.copy()
        moved[row.index] += h
        return float(replay(moved))

    def error(slope: float) -> float:
        return float(abs(slope - exact) / abs(exact)) if exact else abs(slope)

    def errors(slope: Callable[[float], float]) -> Points:
        points = [(h, error(slope(h * size))) for h in STEPS]
        return [(h, max(e, FLOOR)) for h, e in points if math.isfinite(e)]

    with np.errstate(all="ignore"):
        forward = errors(lambda h: (f(h) - f(0)) / h)
        central = errors(lambda h: (f(h) - f(-h)) / (2 * h))
    place = f"[{', '.join(map(str, row.index))}]" if row.index else ""
    noise = float(row.sides.noise / abs(exact)) if exact else float(row.sides.noise)
    return StepCurve(f"{clean(row.name, 24)}{place}", forward, central, error(float(row.autograd[row.index])), noise)


def _drawn(curve: StepCurve) -> str:
    step, least = curve.best
    label = f"Error of differences against their step, for the derivative by {curve.title}"
    parts = [
        *_axes(),
        _text(LEFT, 18, f"relative error of dJ/d{curve.title}, by the step of a difference"),
        f'<path class="one" d="{_line(curve.forward)}"/>',
        f'<path class="two" d="{_line(curve.central)}"/>',
        f'<circle class="mark" cx="{_x(step):.1f}" cy="{_y(least):.1f}" r="4"/>',
        f'<path class="autograd" d="M{_x(STEPS[-1])} {_y(curve.autograd):.1f}H{_x(1)}"/>',
        *_legend(curve),
        _text(_x(10**-7.5), HEIGHT - 8, "step, relative to the entry", "middle"),
        _text(_x(10**-14.8), TOP + 12, "← rounding", css="quiet"),
        _text(_x(1) - 2, TOP + 12, "truncation →", "end", css="quiet"),
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="step-curve" role="img" '
        f'viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}">'
        f"<title>{html.escape(label)}</title><style>{STYLE}</style>{''.join(parts)}</svg>"
    )


def _legend(curve: StepCurve) -> Iterable[str]:
    """Write the curves' names at their right ends, at least 15 pixels apart."""
    ends = {"forward": curve.forward[0][1], "central": curve.central[0][1], "autograd": curve.autograd}
    at = LEFT + TOP - 1000.0
    for name, error in sorted(ends.items(), key=lambda end: _y(end[1])):
        at = max(_y(error) + 4, at + 15)
        label = {"autograd": "autograd" if curve.autograd else "autograd (exact)"}.get(name, f"{name} difference")
        yield _text(_x(1) + 8, at, label)


def _axes() -> Iterable[str]:
    for power in range(0, -17, -4):
        yield f'<path class="rule" d="M{LEFT} {_y(10.0**power):.1f}H{_x(1):.1f}"/>'
        yield _text(LEFT - 8, _y(10.0**power) + 4, _power(power), "end", "quiet")
    for power in range(0, -16, -3):
        yield _text(_x(10.0**power), HEIGHT - 28, _power(power), "middle", "quiet")


def _power(power: int) -> str:
    return "10" + str(power).translate(SUPERSCRIPTS) if power else "1"


def _text(x: float, y: float, words: str, anchor: str = "start", css: str = "") -> str:
    kind = f' class="{css}"' if css else ""
    return f'<text{kind} x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{html.escape(words)}</text>'


def _line(points: Points) -> str:
    return "M" + "L".join(f"{_x(h):.1f} {_y(e):.1f}" for h, e in points) if points else ""


def _x(step: float) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT) * (math.log10(step) + 15) / 15


def _y(error: float) -> float:
    power = min(max(math.log10(max(error, FLOOR)), -17.0), 1.0)
    return TOP + (HEIGHT - TOP - BOTTOM) * (1 - power) / 18
