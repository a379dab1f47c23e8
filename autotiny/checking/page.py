"""A report as HTML for a notebook, light or dark: the table, with a heat map of the errors of each tensor."""

import html
import math
from collections.abc import Sequence

import numpy as np

from autotiny.checking.row import COLUMNS, Array, Row, notes, summary
from autotiny.notation.palette import VERMILLION, blocks, rgb

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


LEFT = "text-align:left;white-space:nowrap;padding:0.2em 0.8em"


def page(rows: Sequence[Row]) -> str:
    """Return the table, with the errors shaded on a logarithmic scale, the notes and the summary."""
    head = "".join(f'<th style="{LEFT}">{html.escape(name)}</th>' for name in (*COLUMNS, "where"))
    lines = "".join(f"<tr>{_line(row)}</tr>" for row in rows)
    remarks = "".join(f"<li>{html.escape(note)}</li>" for note in notes(rows))
    listed = f"<ul>{remarks}</ul>" if remarks else ""
    return (
        f'<table style="font-variant-numeric:tabular-nums"><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table>'
        f"{listed}<p>{html.escape(summary(rows))}</p>"
    )


def _line(row: Row) -> str:
    cells = [_cell(name, column(row), row) for name, column in COLUMNS.items()]
    return "".join(cells) + f'<td style="{LEFT}">{heat_map(row)}</td>'


def _cell(column: str, text: str, row: Row) -> str:
    style, cell = LEFT, html.escape(text)
    if column == "error":
        style += f";background:rgba({COLOUR},{0.75 * shade(row.error):.2f})"
    if column == "verdict" and not row.ok:
        cell = f"<strong>✗ {cell}</strong>"
    elif column == "verdict":
        cell = f"✓ {cell}"
    return f'<td style="{style}">{cell}</td>'
