"""The ways in which a typed formula can be read: as NumPy code, or as what it says on paper."""

import ast
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from autotiny.derivation.textbook import as_numpy, with_axes_kept
from autotiny.expressions import ExpressionError, evaluate

Array = NDArray[Any]


class Reading(NamedTuple):
    """NumPy code; what to tell of it where it says more than the text; whether vectors are columns in it."""

    code: str
    told: str = ""
    columns: bool = False

    def value(self, scope: Mapping[str, Any], shape: tuple[int, ...]) -> Array:
        """Its value with these names; on paper a row, a column and a vector are one, so it takes the shape expected."""
        if self.columns:
            scope = {name: np.asarray(v)[:, None] if np.ndim(v) == 1 else v for name, v in scope.items()}
        value = np.asarray(evaluate(self.code, scope).value)
        if value.dtype.kind not in "fiub":
            raise ExpressionError(f"{self.code!r} is no number or array")
        value = value if value.dtype.kind == "f" else value.astype(float)
        on_paper = self.told and [n for n in value.shape if n > 1] == [n for n in shape if n > 1]
        return value.reshape(shape) if on_paper else value


def readings(text: str, names: Mapping[str, str], scope: Mapping[str, Any]) -> Iterator[Reading]:
    """The code as it stands; then what it says on paper, where sums keep their axes and vectors are columns.

    `names` gives an identifier for each name, and `scope` the values of identifiers.
    """
    if _is_python(text) and all(name == identifier for name, identifier in names.items() if name in text):
        yield Reading(text)
    numbers = {name for name, value in scope.items() if np.ndim(value) == 0}
    code = as_numpy(text, {**{name: name for name in scope}, **names}, numbers)
    for written, columns in product(dict.fromkeys((code, with_axes_kept(code))), (False, True)):
        told = written if written != code else ""
        yield Reading(written, f"{told or code} of columns" if columns else told, columns)


def _is_python(text: str) -> bool:
    try:
        ast.parse(text)
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return False
    return True
