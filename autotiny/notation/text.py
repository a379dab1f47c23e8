"""Tables that line up in a terminal, and names that do no harm there."""

import unicodedata
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


def clean(text: str, longest: int) -> str:
    """Text that is harmless on any page and terminal: no control or direction characters, and not too long.

    >>> clean("red\\x1b[31m\\u202e", 24), clean("w" * 100, 8)
    ('red�[31m�', 'wwwwwww…')
    """
    # Category C holds control, format and unassigned characters and surrogates, some of which no XML may hold.
    visible = "".join("�" if unicodedata.category(character)[0] == "C" else character for character in text)
    return visible if len(visible) <= longest else visible[: longest - 1] + "…"
