"""What the values of a graph are called, and how the operations that made them are written."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from autotiny.engine import graph
from autotiny.engine.call_site import variable_name
from autotiny.engine.tensor import Tensor
from autotiny.notation.arrays import number
from autotiny.notation.text import clean
from autotiny.ops import OPS
from autotiny.ops.indexing import index

LONGEST_NAME, LONGEST_FORMULA = 24, 40
UNSAID = {"keepdims", "shape"}
"""Options that the result's shape tells."""


class Names:
    """The names of a graph's tensors: their own, else those of the caller's variables, else short ones."""

    def __init__(
        self, order: Sequence[Tensor], scope: Mapping[str, Any], called: Mapping[Tensor, str] | None = None
    ) -> None:
        self.called = called or {}
        self.tensors = {**graph.names(order, scope), **self.called}
        self.held = {id(held) for name, held in scope.items() if not name.startswith("_")}
        self.scope = scope

    def given(self, value: Any) -> str | None:
        """The user's own name for a value, if there is one."""
        if isinstance(value, Tensor) and value in self.called:
            return self.called[value]
        return getattr(value, "name", None) or (variable_name(value, self.scope) if id(value) in self.held else None)

    def label(self, value: Any) -> str:
        """The user's name or a short one; a number stands for itself."""
        if isinstance(value, Tensor):
            return self.tensors[value]
        if np.size(value) == 1:
            return number(np.asarray(value).item())
        return self.given(value) or self._transposed(value) or _kind(value)

    def _transposed(self, value: Any) -> str | None:
        whole = getattr(value, "base", None)
        name = None if whole is None or value.ndim < 2 or value.shape != whole.shape[::-1] else self.given(whole)
        return name and f"{name}ᵀ"

    def short(self, value: Any) -> str:
        """The label as it may stand in any picture."""
        return clean(self.label(value), LONGEST_NAME)

    def formula(self, tensor: Tensor) -> str:
        """The operation that made a tensor, its operands by name: "W1 @ X", "sum(A, axis=0)", "T[0, :]"."""
        return clean(self._formula(tensor), LONGEST_FORMULA)

    def _formula(self, tensor: Tensor) -> str:
        op: Any = tensor.op
        operands = [self.label(arg) for arg in tensor.args]
        if op is OPS[index]:
            return f"{operands[0]}[{written_key(tensor.kwargs['key'])}]"
        if op is OPS[np.swapaxes] and tensor.ndim == 2:
            return f"{operands[0]}ᵀ"
        fits = op.notation.count("{}") == len(operands)
        written = op.notation.format(*operands) if fits else f"{op.name}({', '.join(operands)})"
        options = "".join(
            f", {option}={written_part(value)}" for option, value in tensor.kwargs.items() if option not in UNSAID
        )
        return f"{written[:-1]}{options})" if options and written.endswith(")") else written


def _kind(value: Any) -> str:
    return "mask" if np.asarray(value).dtype.kind == "b" else "array"


def written_key(key: Any) -> str:
    """An index as it was written.

    >>> written_key((0, slice(None), slice(1, None, 2), ..., None))
    '0, :, 1::2, ..., None'
    """
    return ", ".join(map(written_part, key)) if isinstance(key, tuple) and key else written_part(key)


def written_part(part: Any) -> str:
    """One part of an index, or one option."""
    if isinstance(part, slice):
        ends = ["" if end is None else str(end) for end in (part.start, part.stop, part.step)]
        return ":".join(ends[:2] if part.step is None else ends)
    if isinstance(part, np.ndarray):
        return str(part.tolist()) if part.size <= 4 else f"{part.dtype.name} {part.shape}"
    return "..." if part is ... else str(part)
