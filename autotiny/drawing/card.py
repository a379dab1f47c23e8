"""What a picture says of a recorded graph: a card for each value, and the cards that it was computed from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from autotiny import graph
from autotiny.describe import variable_name
from autotiny.drawing.values import Shown, number, show
from autotiny.ops import Op
from autotiny.recording import value_of
from autotiny.tables import clean
from autotiny.tensor import Tensor

Kind = Literal["data", "variable", "constant", "operation", "output"]

LONGEST_NAME = 24
LONGEST_ORIGIN = 40
NO_GRADIENT_YET = Shown("—", (("—",),))


@dataclass(frozen=True)
class Card:
    """One value of a graph, told in words, as it was when the picture was taken."""

    name: str
    named: bool
    """Whether the name is the user's own."""
    kind: Kind
    origin: str
    """The operation on its operands, such as "W1 @ X"; what kind of value it is where nothing was computed."""
    shape: tuple[int, ...]
    value: Shown
    gradient: Shown | None
    """None where no gradient goes; `NO_GRADIENT_YET` where backward has not been."""
    operands: tuple[int, ...]
    """Positions of the cards it was computed from, in order; twice the same one for x * x."""

    @property
    def sentence(self) -> str:
        """The card as one line of text."""
        origin = f"{self.name} = {self.origin}" if self.name != self.origin else self.name
        told = f"{origin}, shape {self.shape}, value {self.value.summary}"
        return f"{told}, gradient {self.gradient.summary}" if self.gradient else told


def cards(order: Sequence[Tensor], scope: Mapping[str, Any]) -> list[Card]:
    """The cards of a graph in topological order, its output last; plain operands become constants.

    `scope` holds the caller's variables, whose names name what they hold.
    """
    names = _Names(order, scope)
    return [
        _tensor_card(value, operands, names, is_output=value is order[-1])
        if isinstance(value, Tensor)
        else _constant_card(value, names)
        for value, operands in _operands(order)
    ]


class _Names:
    """What the values of a graph are called."""

    def __init__(self, order: Sequence[Tensor], scope: Mapping[str, Any]) -> None:
        self.tensors = graph.names(order, scope)
        self.scope = scope

    def given(self, value: Any) -> str | None:
        """The user's own name for a value, if there is one."""
        return getattr(value, "name", None) or variable_name(value, self.scope)

    def label(self, value: Any) -> str:
        """The user's name or a short one; a number stands for itself."""
        if isinstance(value, Tensor):
            return self.tensors[value]
        return number(value) if np.size(value) == 1 else self.given(value) or "array"


def _operands(order: Sequence[Tensor]) -> list[tuple[Any, tuple[int, ...]]]:
    """Every value to draw with the positions of its operands, constants before their first use."""
    placed: list[tuple[Any, tuple[int, ...]]] = []
    position: dict[int, int] = {}

    def place(value: Any, operands: tuple[int, ...] = ()) -> int:
        position[id(value)] = len(placed)
        placed.append((value, operands))
        return position[id(value)]

    def find(arg: Any) -> int:
        # A number is placed at each use: equal numbers may be one object in Python and still mean different things.
        return position[id(arg)] if id(arg) in position and not np.isscalar(arg) else place(arg)

    for tensor in order:
        place(tensor, tuple(map(find, tensor.args)))
    return placed


def _tensor_card(tensor: Tensor, operands: tuple[int, ...], names: _Names, is_output: bool) -> Card:
    kind = _kind(tensor)
    return Card(
        name=clean(names.label(tensor), LONGEST_NAME),
        named=names.given(tensor) is not None,
        kind="output" if is_output else kind,
        origin=kind if tensor.op is None else clean(_written(tensor.op, tensor, names), LONGEST_ORIGIN),
        shape=tensor.shape,
        value=show(value_of(tensor)),
        gradient=_gradient(tensor),
        operands=operands,
    )


def _constant_card(value: Any, names: _Names) -> Card:
    return Card(
        name=clean(names.label(value), LONGEST_NAME),
        named=np.size(value) != 1 and names.given(value) is not None,
        kind="constant",
        origin="constant",
        shape=np.shape(value),
        value=show(value),
        gradient=None,
        operands=(),
    )


def _kind(tensor: Tensor) -> Kind:
    if tensor.op is not None:
        return "operation"
    return "variable" if tensor.requires_grad else "data"


def _gradient(tensor: Tensor) -> Shown | None:
    if not tensor.requires_grad:
        return None
    return NO_GRADIENT_YET if tensor.grad is None else show(tensor.grad)


def _written(op: Op, tensor: Tensor, names: _Names) -> str:
    """The operation that made a tensor, its operands by name: "W1 @ X", "sum(A, axis=0)"."""
    operands = list(map(names.label, tensor.args))
    fits = op.notation.count("{}") == len(operands)
    written = op.notation.format(*operands) if fits else f"{op.name}({', '.join(operands)})"
    options = "".join(f", {option}={value}" for option, value in tensor.kwargs.items() if option != "keepdims")
    return f"{written[:-1]}{options})" if options and written.endswith(")") else written
