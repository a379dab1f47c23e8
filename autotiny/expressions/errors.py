"""The one error of the language: what is wrong, and where."""

from autotiny.errors import AutotinyError
from autotiny.tables import clean

WIDTH = 76


class ExpressionError(AutotinyError):
    """Something that the language does not have, does not allow or could not compute.

    message : what is wrong, in a line
    line, column : where, both from 1; 0 where the whole source is meant
    excerpt : that line of the source with carets below the place; empty where the whole source is meant
    """

    def __init__(self, message: str, line: int = 0, column: int = 0, excerpt: str = "") -> None:
        self.message = " ".join(message.split())
        self.line, self.column, self.excerpt = line, column, excerpt

    def within(self, what: str) -> "ExpressionError":
        """The same error, said of one of several expressions."""
        return ExpressionError(f"{what}: {self.message}", self.line, self.column, self.excerpt)

    def __str__(self) -> str:
        return f"{self.message}\n{self.excerpt}" if self.excerpt else self.message


def pointed(line: str, start: int, end: int) -> str:
    """A line of source with carets below characters start to end; the part around them where it is long.

    >>> print(pointed("sum(tanhh(x))", 4, 9))
      sum(tanhh(x))
          ^^^^^
    """
    first = max(0, min(start - WIDTH // 2, len(line) - WIDTH))
    carets = "^" * max(1, min(end, first + WIDTH) - start)
    return f"  {clean(line[first : first + WIDTH], WIDTH)}\n  {' ' * (start - first)}{carets}"
