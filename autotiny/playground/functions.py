"""The list of functions of the language: how each is called, and what it computes."""

import functools
import re
from typing import Any

from autotiny.language.vocabulary import Function
from autotiny.language.vocabulary import functions as vocabulary

SIGNATURE = re.compile(r"\w+\(.*\)$", re.DOTALL)
"""The first paragraph of the documentation of NumPy's own functions, which is no sentence."""
LONGEST = 110


@functools.cache
def function_list() -> list[dict[str, str]]:
    """Return every function by its short name, in alphabetical order.

    >>> [each for each in function_list() if each["name"] == "tanh"]
    [{'name': 'tanh', 'usage': 'tanh(x)', 'about': 'Compute hyperbolic tangent element-wise.'}]
    """
    rows = [_row(name, function) for name, function in vocabulary().items() if "." not in name]
    return sorted(rows, key=lambda row: (row["name"].lower(), row["name"]))


def _row(name: str, function: Function) -> dict[str, str]:
    usage = function._replace(name=name).usage.replace(", /", "").replace("/, ", "")
    return {"name": name, "usage": usage, "about": _about(function.function)}


def _about(function: Any) -> str:
    """Return the first sentence of a function's documentation."""
    paragraphs = [" ".join(part.split()) for part in (function.__doc__ or "").split("\n\n")]
    sentences = [part for part in paragraphs if part and not SIGNATURE.match(part)]
    sentence = re.split(r"(?<=[.;:])\s", sentences[0])[0].replace("``", "").rstrip(";:") if sentences else ""
    return sentence if len(sentence) <= LONGEST else f"{sentence[: LONGEST - 1].rstrip()}…"
