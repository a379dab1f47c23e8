"""What a picture says of a value: a card."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from autotiny.drawing.chain_rule import chain_rule
from autotiny.drawing.reading import Place, Reading
from autotiny.drawing.units import dead_units
from autotiny.drawing.values import Shown, show
from autotiny.recording import value_of
from autotiny.tensor import Tensor

Kind = Literal["data", "variable", "constant", "operation", "output", "group", "gradient"]

NO_GRADIENT_YET = Shown("—", exact="not computed yet: call backward()")


@dataclass(frozen=True)
class Card:
    """One value of a graph, or a group of them, told in words, as it was when the picture was taken."""

    id: str
    """n{place} of a value, s{number} of a group: the same in every picture of a graph."""
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
    turn: int | None = None
    """When backprop visits the operation; the output's turn is 1."""
    rule_of: str = ""
    """The operation whose rule recorded it, in a graph of gradients."""
    paths: int = 0
    """How many contributions its gradient is the sum of."""
    warning: str = ""
    """What a teacher would point at: "2 of 5 units dead"."""
    chain_rule: str = ""
    """How its gradient comes about."""

    @property
    def sentence(self) -> str:
        """The card as one line of text."""
        return "; ".join(self.lines)

    @property
    def lines(self) -> list[str]:
        """The card in words, with all digits."""
        origin = f"{self.name} = {self.origin}" if self.name != self.origin else self.name
        told = [f"{origin}, shape {self.shape}", f"value {self.value.exact}"]
        if self.value.zeros and not self.value.exact.startswith("all 0"):
            told[-1] += f", {percent(self.value.zeros)} zeros"
        told += [self.warning] if self.warning else []
        if not self.gradient:
            return told
        return [*told, self.chain_rule or f"gradient {self.gradient.exact}"]


def deal(reading: Reading, place: Place, small: bool = False) -> Card:
    """The card of a value; in a picture of many, a `small` one."""
    value = reading.values[place]
    return _tensor_card(reading, place, value, small) if isinstance(value, Tensor) else _constant(reading, place, small)


def _tensor_card(reading: Reading, place: Place, tensor: Tensor, small: bool) -> Card:
    names, kind = reading.names, _kind(tensor)
    dead = dead_units(tensor)
    return Card(
        id=f"n{place}",
        name=names.short(tensor),
        named=names.given(tensor) is not None,
        kind="output" if tensor is reading.output else kind,
        origin=kind if tensor.op is None else names.formula(tensor),
        shape=tensor.shape,
        value=show(value_of(tensor), small),
        gradient=gradient(reading, place, small),
        turn=reading.turns.get(place),
        paths=len(reading.paths(place)),
        warning=dead,
        chain_rule=chain_rule(reading, place),
    )


def _constant(reading: Reading, place: Place, small: bool) -> Card:
    value, names = reading.values[place], reading.names
    return Card(
        id=f"n{place}",
        name=names.short(value),
        named=np.size(value) != 1 and names.given(value) is not None,
        kind="constant",
        origin="constant",
        shape=np.shape(value),
        value=show(value, small),
        gradient=None,
    )


def _kind(tensor: Tensor) -> Kind:
    if tensor.op is not None:
        return "operation"
    return "variable" if tensor.requires_grad else "data"


def gradient(reading: Reading, place: Place, small: bool = False) -> Shown | None:
    """The gradient of a value, a dash before backward."""
    if not reading.values[place].requires_grad:
        return None
    held: Any = reading.gradients.get(place)
    return NO_GRADIENT_YET if held is None else show(held, small)


def percent(share: float) -> str:
    """A share of 1 in whole percents, never 0 or 100 % of what is neither.

    >>> percent(0.405), percent(0.0001), percent(0.9999)
    ('40 %', '1 %', '99 %')
    """
    return f"{min(max(round(100 * share), 1), 99)} %" if 0 < share < 1 else f"{share:.0%}".replace("%", " %")
