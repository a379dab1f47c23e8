"""Colours of a table in a terminal that has them: values and gradients as in pictures."""

import os
import sys

DIM, BLUE, VERMILLION, PLAIN = "\x1b[2m", "\x1b[38;5;32m", "\x1b[38;5;166m", "\x1b[0m"
"""Middle tones, which read on light and on dark."""


def has_colours() -> bool:
    """Whether somebody looks at what is printed, and has not asked for plain text (no-color.org)."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def coloured(table: str) -> str:
    """A table with headings, its values blue and its gradients vermillion.

    >>> coloured("name  value  gradient\\nx     3      7").splitlines()[1]
    'x     \\x1b[38;5;32m3      \\x1b[0m\\x1b[38;5;166m7\\x1b[0m'
    """
    head, *lines = table.splitlines()
    value, gradient = head.index("value"), head.index("gradient")
    told = [f"{e[:value]}{BLUE}{e[value:gradient]}{PLAIN}{VERMILLION}{e[gradient:]}{PLAIN}" for e in lines]
    return "\n".join([f"{DIM}{head}{PLAIN}", *told])
