"""A report as HTML for a notebook, light or dark."""

import html

from autotiny.checking.heat import COLOUR, heat_map, shade
from autotiny.checking.report import COLUMNS, Report, Row

LEFT = "text-align:left;white-space:nowrap;padding:0.2em 0.8em"


def page(report: Report) -> str:
    """The table, with the errors shaded on a logarithmic scale beside their numbers, and the notes."""
    head = "".join(f'<th style="{LEFT}">{html.escape(name)}</th>' for name in (*COLUMNS, "where"))
    lines = "".join(f"<tr>{_line(row)}</tr>" for row in report.rows)
    notes = "".join(f"<li>{html.escape(note)}</li>" for note in report.notes())
    told = f"<ul>{notes}</ul>" if notes else ""
    return (
        f'<table style="font-variant-numeric:tabular-nums"><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table>'
        f"{told}<p>{html.escape(report.summary())}</p>"
    )


def _line(row: Row) -> str:
    cells = [_cell(name, column(row), row) for name, column in COLUMNS.items()]
    return "".join(cells) + f'<td style="{LEFT}">{heat_map(row)}</td>'


def _cell(column: str, text: str, row: Row) -> str:
    style, written = LEFT, html.escape(text)
    if column == "error":
        style += f";background:rgba({COLOUR},{0.75 * shade(row.error):.2f})"
    if column == "verdict" and not row.ok:
        written = f"<strong>✗ {written}</strong>"
    elif column == "verdict":
        written = f"✓ {written}"
    return f'<td style="{style}">{written}</td>'
