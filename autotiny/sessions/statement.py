"""The statements of a session: a name, and in the safe language what it stands for."""

import ast
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np

from autotiny.engine.values import private_copy
from autotiny.sessions import source_edits
from autotiny.sessions.declaration import ARRAYS, DTYPES, Declaration, declaration, is_array_of_numbers

LARGEST_WRITTEN = 48
"""Entries up to which an array is written out in its statement."""
UNMARKED = ("float64", "int64", "bool")
"""Types that an array has by itself when its entries are written out."""


@dataclass(frozen=True, eq=False)
class Statement:
    """One line of a session, `name = text`.

    `array` is the value of a leaf that is too large to be written out; its text refers to it.
    """

    name: str
    text: str
    array: Any = None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Statement) and self.line == other.line and self.array is other.array

    def __hash__(self) -> int:
        return hash(self.line)

    @property
    def line(self) -> str:
        """The statement as it is written."""
        return f"{self.name} = {self.text}"

    @cached_property
    def tree(self) -> ast.expr:
        """The right side, parsed."""
        return source_edits.parsed(self.text)

    @cached_property
    def declaration(self) -> Declaration | None:
        """How a leaf is written; None for a formula."""
        return declaration(self.tree)

    @property
    def kind(self) -> Literal["variable", "data", "formula"]:
        """What the statement gives: a leaf with a gradient, one without, or what is computed from others."""
        if self.declaration:
            return "variable" if self.declaration.tracked else "data"
        return "data" if is_array_of_numbers(self.tree) else "formula"

    @property
    def is_whole(self) -> bool:
        """Whether it is a variable that is written in whole numbers alone."""
        constants = (node.value for node in ast.walk(self.tree) if isinstance(node, ast.Constant))
        return bool(self.declaration and self.declaration.is_bare) and all(type(each) is int for each in constants)

    @cached_property
    def names(self) -> dict[str, None]:
        """The values that it speaks of, in order."""
        return dict.fromkeys(node.id for node in source_edits.values_in(self.tree))

    def renamed(self, old: str, new: str) -> "Statement":
        """The statement where a value has another name, on either side."""
        if self.name == old and self.array is not None:
            return replace(self, name=new, text=self.text.replace(f'["{old}"]', f'["{new}"]'))
        text = source_edits.renamed(self.text, self.tree, old, new) if old in self.names else self.text
        return replace(self, name=new if self.name == old else self.name, text=text)


def leaf(name: str, value: Any, tracked: bool, dtype: Any = None) -> Statement:
    """The statement of a given value: a small one is written out, digit for digit.

    >>> leaf("W", [[1, 2.5]], tracked=True).line, leaf("X", np.float32([0.1]), tracked=False).line
    ('W = [[1.0, 2.5]]', 'X = array([0.1], dtype=float32)')
    """
    array = np.asarray(private_copy(value, tracked, dtype, name))
    kind, maker = array.dtype.name, "Tensor" if tracked else "array"
    if not 0 < array.size <= LARGEST_WRITTEN or kind not in (*DTYPES, *UNMARKED):
        array.flags.writeable = False
        return Statement(name, f'{maker}({ARRAYS}["{name}"])', array)
    numbers, mark = written(array), "" if kind in UNMARKED else f", dtype={kind}"
    return Statement(name, numbers if tracked and not mark else f"{maker}({numbers}{mark})")


def written(array: Any) -> str:
    """The entries as nested lists, from which they can be read exactly."""
    return f"[{', '.join(map(written, array))}]" if np.ndim(array) else str(array[()])
