"""Tables that line up in a terminal."""

from collections.abc import Sequence


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """Lines of cells padded to the width of their column, two spaces apart.

    >>> print(aligned([["name", "shape"], ["W1", "(16, 4)"], ["b", "()"]]))
    name  shape
    W1    (16, 4)
    b     ()
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)
