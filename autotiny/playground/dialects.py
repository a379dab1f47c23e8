"""What other languages write differently, put into words that the language or the one on paper can read.

sum(A, dim=1)      Sin[x]      W %*% X      [1 2; 3 4]      ifelse(x > 0, x, 0)      x > 0 ? x : 0      \\sqrt[3]{x}

A row is tried on a line that has an error, and what comes of it is offered if it runs.
"""

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from autotiny.language.vocabulary import functions

Scope = Mapping[str, Any]
Row = tuple[str, str | Callable[[re.Match[str], Scope], str]]

ARGUMENT = r"\(([^()]*(?:\([^()]*\)[^()]*)*)\)"
"""Brackets around an argument, which may have brackets in it."""
NUMBERS = r"[-+\d.,\s]+"
SPELLED = {
    "arcsin": "arcsin", "arccos": "arccos", "arctan": "arctan", "total": "sum", "tr": "trace", "inverse": "inv",
    "ceiling": "ceil", "conjugate": "conj",
}  # fmt: skip
"""Functions of Mathematica, in small letters."""
RECIPROCAL = {
    "sec": "cos", "csc": "sin", "cosec": "sin", "cot": "tan", "ctg": "tan", "cotan": "tan",
    "sech": "cosh", "csch": "sinh", "coth": "tanh",
}  # fmt: skip


def translated(line: str, scope: Scope) -> str:
    """Return a line with what other languages write differently replaced.

    >>> translated("J = ifelse(x > 0, Sin[x], 0)", {"x": 1.0})
    'J = where(x > 0, sin(x), 0)'
    """
    for pattern, replacement in ROWS:
        if isinstance(replacement, str):
            line = re.sub(pattern, replacement, line)
        else:
            line = re.sub(pattern, lambda match, make=replacement: make(match, scope), line)  # type: ignore[misc]
    return line


# ----- the replacements that depend on what is named -----
def _dotted(match: re.Match[str], scope: Scope) -> str:
    """v . w of Mathematica."""
    return f"{match[1]} @ {match[2]}" if {match[1], match[2]} <= scope.keys() else match[0]


def _differentiated(match: re.Match[str], scope: Scope) -> str:
    """The formula of d/dx x^2 or diff(x^2, x): the page differentiates what it is given."""
    return match["formula"].strip() if match["x"] in scope else match[0]


def _numbered(match: re.Match[str], scope: Scope) -> str:
    """The entry y_1 of a vector."""
    known = match[0] in scope or np.ndim(scope.get(match[1], 0.0)) != 1 or match[2] == "0"
    return match[0] if known else f"{match[1]}[{int(match[2]) - 1}]"


def _factorial(match: re.Match[str], scope: Scope) -> str:
    return str(math.factorial(int(match[1])))


def _called(match: re.Match[str], scope: Scope) -> str:
    """Sin[x] of Mathematica."""
    name = SPELLED.get(match[1].lower(), match[1].lower())
    return f"{name}({match[2]})" if name in functions() and match[1] not in scope else match[0]


def _entry(match: re.Match[str], scope: Scope) -> str:
    """A(1, 2) and A(:, 1) of MATLAB, which counts from 1."""
    places = [place.strip() for place in match[2].split(",")]
    if np.ndim(scope.get(match[1], 0.0)) != len(places) or "0" in places:
        return match[0]
    return f"{match[1]}[{', '.join(p if p == ':' else str(int(p) - 1) for p in places)}]"


def _array(match: re.Match[str], scope: Scope) -> str:
    """[1 2; 3 4] of MATLAB, {1, 2} of Mathematica, c(1, 2) of R."""
    rows = [re.findall(r"[-+]?[\d.]+", row) for row in match[1].split(";")]
    lists = [f"[{', '.join(row)}]" for row in rows if row]
    return lists[0] if len(lists) == 1 else f"[{', '.join(lists)}]"


def _solved(match: re.Match[str], scope: Scope) -> str:
    """W \\ v of MATLAB."""
    return f"solve({match[1]}, {match[2]})" if {match[1], match[2]} <= scope.keys() else match[0]


def _transposed_product(match: re.Match[str], scope: Scope) -> str:
    """W' * v of MATLAB, whose * is the product of matrices."""
    arrays = all(np.ndim(scope.get(name, 0.0)) for name in match.groups())
    return f"{match[1]}.T @ {match[2]}" if arrays else match[0]


def _applied(match: re.Match[str], scope: Scope) -> str:
    """The function and its argument of sinx."""
    argument = f"{match[2]} * {match[3]}" if match[2] else match[3]
    return f"{match[1]}({argument})" if match[3] in scope and match[0] not in scope else match[0]


def _unindexed(match: re.Match[str], scope: Scope) -> str:
    """A sum over an index: \\sum_{i=1}^n y_i is sum(y)."""
    inside = re.sub(rf"\b(\w+)_\{{?{match[1]}\}}?(?!\w)", lambda m: m[1] if m[1] in scope else m[0], match[2])
    return f"sum({inside.strip()})"


def _product(match: re.Match[str], scope: Scope) -> str:
    return f"1 / {RECIPROCAL[match[1]]}({match[2]})"


ROWS: tuple[Row, ...] = (
    # programs
    (r"^\s*(?:let|const|var|val|double|float)\s+(?=\w+\s*=)", ""),
    (r"^\s*(?:print|disp|display|show|echo|console\.log)\s*\((.*)\)\s*;?\s*$", r"\1"),
    (r"\bMath\.(?=[a-z])", ""),
    (r"\bnn\.(\w+)\(\)(?=\()", lambda match, scope: match[1].lower()),
    (r"\bdim\s*=(?!=)\s*", "axis="),
    (r"\bkeepdim\s*=(?!=)\s*", "keepdims="),
    (r"\brange\s*(?=\()", "arange"),
    (r"\b(?:length|numel)\s*(?=\()", "size"),
    (
        r"^(\s*(?:\w+\s*=(?!=))?\s*)([^?=]*[^?=\s](?:[<>=!]=[^?]*[^?\s])?)\s*\?\s*([^?:]*[^?:\s])\s*:\s*([^?:]+)$",
        r"\1where(\2, \3, \4)",
    ),
    (r"^\s*def\s+(\w+)\([^)]*\)\s*:\s*return\s+(.+)$", r"\1 = \2"),
    (r"^(\s*(?:\w+\s*=(?!=))?\s*)lambda\s+[\w,\s]*:\s*(.+)$", r"\1\2"),
    (r"\b(?:ifelse|iif|if|If|cond)\s*\((?=[^()]*(?:\([^()]*\)[^()]*)*,)", "where("),
    (r"([\w.]+)\s*//\s*([\w.]+)", r"floor(\1 / \2)"),
    (r"(?<![\w.])(\w+)\s+mod\s+(\w+)", r"mod(\1, \2)"),
    # MATLAB, R, Julia, Mathematica
    (r"%\*%|@@", "@"),
    (r"\b(\w+)\s*%o%\s*(\w+)", r"outer(\1, \2)"),
    (r"%%", "%"),
    (r"\b([A-Za-z]\w*)\s+\.\s+([A-Za-z]\w*)", _dotted),
    (r"\bp(max|min)\s*(?=\()", r"\1imum"),
    (r"\b(max|min)\(\s*([^(),]+|[^(),]*\([^()]*\)[^(),]*)\s*,\s*(-?[\d.]+)\s*\)", r"\1imum(\2, \3)"),
    (rf"\bc\(({NUMBERS})\)", _array),
    (rf"\[({NUMBERS[:-2]};]+)\]", _array),
    (rf"(?<![\w}}^_])\{{({NUMBERS})\}}", _array),
    (r"\b(\w+)\(((?:\d+|:)(?:\s*,\s*(?:\d+|:))*)\)", _entry),
    (r"\b([A-Za-z]\w*)\s*\\\s*([A-Za-z]\w*)\b(?![\w({])", _solved),
    (r"\b([A-Za-z]\w*)'\s*\*\s*([A-Za-z]\w*)", _transposed_product),
    (r"\b([A-Z][A-Za-z]*)\[([^\[\]]*)\]", _called),
    # on paper
    (r"\\partial\s*", "∂"),
    (r"\\frac\{([d∂])\}\{([d∂]\w+)\}", r"\1/\2"),
    (r"^\s*([d∂])\s*/\s*\1\s*(?P<x>\w+)\s+(?P<formula>.+)$", _differentiated),
    (r"^\s*(?:diff|D|gradient|grad)\s*[(\[](?P<formula>.+),\s*(?P<x>\w+)\s*[)\]]$", _differentiated),
    (r"\b([A-Za-z]+)_\{?(\d)\}?(?!\w)", _numbered),
    (r"\b(1?\d)!(?!=)", _factorial),
    (r"\bexp\s*(?:\^|\*\*)", "e^"),
    (r"\b(sin|cos|tan|sinh|cosh|tanh)\s*(?:\^\s*-\s*1|\^\{\s*-\s*1\s*\}|⁻¹)", r"arc\1"),
    (rf"\b({'|'.join(RECIPROCAL)})\s*{ARGUMENT}", _product),
    (r"\b(s|c|t)h(?=\s*\()", lambda match, scope: {"s": "sinh", "c": "cosh", "t": "tanh"}[match[1]]),
    (r"\\sqrt\[\s*3\s*\]\s*\{([^{}]*)\}", r"cbrt(\1)"),
    (r"\\sqrt\[\s*(\w+)\s*\]\s*\{([^{}]*)\}", r"(\2)^(1/\1)"),
    (r"∛\s*(\w+|\([^()]*\))", r"cbrt(\1)"),
    (r"(?:⌊|\\lfloor)([^⌊⌋\\]*)(?:⌋|\\rfloor)", r"floor(\1)"),
    (r"(?:⌈|\\lceil)([^⌈⌉\\]*)(?:⌉|\\rceil)", r"ceil(\1)"),
    (r"(?:\\sum|∑|Σ|\bsum)\s*_\{?\s*(\w)\s*(?:=[^{}^]*)?\}?(?:\s*\^\s*(?:\{[^{}]*\}|\w))?\s+(.+)$", _unindexed),
    (r"^\s*<\s*([^<>,]+),\s*([^<>,]+)>\s*$", r"⟨\1, \2⟩"),
    (r"\s+squared\b", "^2"),
    (r"\s+cubed\b", "^3"),
    (r"\b(sin|cos|tan|exp|log|ln|sqrt|tanh|sinh|cosh)(\d*)([A-Za-z]\w*)\b", _applied),
    (r"^([^()\[\]{}]*?)(?<![\w.])(\d+),(\d+)(?![\w.,])", r"\1\2.\3"),
)
"""Each pattern with its replacement, in the order in which they are applied."""
