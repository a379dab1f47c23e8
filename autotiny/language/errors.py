"""The error of the language, with its place in the source, and the reasons for which syntax is refused."""

import ast
import difflib
from collections.abc import Iterable

from autotiny.errors import AutotinyError
from autotiny.notation.text import clean

WIDTH = 76


class ExpressionError(AutotinyError):
    """Something that is not part of the language, exceeds a limit or could not be computed.

    message : one line
    line, column : both from 1; 0 where the error concerns the whole source
    excerpt : that line of the source with carets below the place; empty where the error concerns the whole source
    """

    def __init__(self, message: str, line: int = 0, column: int = 0, excerpt: str = "") -> None:
        self.message = " ".join(message.split())
        self.line, self.column, self.excerpt = line, column, excerpt

    def within(self, what: str) -> "ExpressionError":
        """The same error, prefixed with the expression that it occurred in."""
        return ExpressionError(f"{what}: {self.message}", self.line, self.column, self.excerpt)

    def __str__(self) -> str:
        return f"{self.message}\n{self.excerpt}" if self.excerpt else self.message


def pointed(line: str, start: int, end: int) -> str:
    """A line of source with carets below characters start to end; of a long line, the part around them.

    >>> print(pointed("sum(tanhh(x))", 4, 9))
      sum(tanhh(x))
          ^^^^^
    """
    first = max(0, min(start - WIDTH // 2, len(line) - WIDTH))
    carets = "^" * max(1, min(end, first + WIDTH) - start)
    return f"  {clean(line[first : first + WIDTH], WIDTH)}\n  {' ' * (start - first)}{carets}"


# ----- refused syntax -----
CHOOSE = "write where(condition, a, b)"
COMBINE = "write logical_and(a, b), logical_or(a, b) or logical_not(a)"

REFUSED: dict[type[ast.AST], str] = {
    ast.Lambda: "lambda is not part of the language",
    ast.ListComp: "a comprehension is not part of the language; write arrays at once, as in arange(5)**2",
    ast.SetComp: "a comprehension is not part of the language",
    ast.DictComp: "a comprehension is not part of the language",
    ast.GeneratorExp: "a comprehension is not part of the language; write arrays at once, as in arange(5)**2",
    ast.JoinedStr: "text is not part of the language",
    ast.Dict: "a dictionary is not part of the language",
    ast.Set: "a set is not part of the language; write [...] for an array",
    ast.Starred: "* before an argument is not part of the language",
    ast.NamedExpr: ":= is not part of the language; assign in a separate statement: name = ...; ...",
    ast.IfExp: f"if and else are not part of the language; {CHOOSE}",
    ast.BoolOp: f"and, or are not part of the language; {COMBINE}",
    ast.Not: f"not is not part of the language; {COMBINE}",
    ast.Slice: "a slice is allowed only within [ ]",
    ast.AugAssign: "write name = name + ... instead",
    ast.AnnAssign: "annotations are not part of the language; write name = ...",
    ast.Import: "import is not part of the language; NumPy's and autotiny's functions are available by name",
    ast.ImportFrom: "import is not part of the language; NumPy's and autotiny's functions are available by name",
    ast.FunctionDef: "def is not part of the language",
    ast.BitXor: "^ is not part of the language; write ** for a power",
    ast.BitAnd: f"& is not part of the language; {COMBINE}",
    ast.BitOr: f"| is not part of the language; {COMBINE}",
    ast.Invert: f"~ is not part of the language; {COMBINE}",
    ast.FloorDiv: "// is not part of the language; write floor(a / b)",
    ast.Is: "is is not part of the language; write ==",
    ast.In: "in is not part of the language",
}
"""The reason for each node, and what to write instead."""


def refusal(node: ast.AST) -> str:
    """The reason for which a node is refused."""
    return REFUSED.get(type(node), f"{type(node).__name__.lower()} is not part of the language")


def suggestion(name: str, known: Iterable[str]) -> str:
    """'; did you mean ...?' where a known name is similar, ignoring case; otherwise nothing."""
    by_lower = {candidate.lower(): candidate for candidate in known}
    close = difflib.get_close_matches(name.lower(), by_lower, n=1, cutoff=0.7)
    return f"; did you mean {by_lower[close[0]]}?" if close else ""
