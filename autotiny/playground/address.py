"""What stands after # in the page's address, for a session to be opened in the page."""

from typing import Any
from urllib.parse import quote

import numpy as np

from autotiny.recording import value_of
from autotiny.sessions.session import Session

READABLE = ",;@/:=+()*!~'"
"""Signs that need no code there."""


def fragment(session: Session) -> str:
    """The address's part for a session: its formulas are the program, its leaves are the values.

    >>> s = Session()
    >>> s["W"], s["y"] = [[1.0, 2.0]], "sum(W * W)"
    >>> fragment(s)
    '#let.W=1.0,2.0;&program=y%20=%20sum(W%20*%20W)'
    """
    leaves = [each for each in session.statements if each.kind != "formula"]
    values = {("data." if each.kind == "data" else "let.") + each.name: session[each.name] for each in leaves}
    program = "\n".join(each.line for each in session.statements if each.kind == "formula")
    parts = {**{key: _value(value_of(value)) for key, value in values.items()}, "program": program}
    return "#" + "&".join(f"{quote(key)}={quote(text, safe=READABLE)}" for key, text in parts.items())


def _value(value: Any) -> str:
    """ "1,2" is a vector, "1,2;3,4" a matrix, "1," a vector of one and "1,2;" a matrix of one row."""
    array = np.asarray(value, float)
    if array.ndim > 2:
        return str(array.tolist())
    if array.ndim < 2:
        return _row(array) + ("," if array.shape == (1,) else "")
    return ";".join(map(_row, array)) + (";" if len(array) == 1 else "")


def _row(numbers: Any) -> str:
    return ",".join(map(str, np.ravel(numbers).tolist()))
