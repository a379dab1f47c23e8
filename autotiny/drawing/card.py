"""What a picture says of a value: a card."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from autotiny.drawing.edge import chain_rule
from autotiny.drawing.groups import Group, last_place, places
from autotiny.drawing.heat import Shown, show
from autotiny.drawing.reading import Place, Reading
from autotiny.engine.recording import value_of
from autotiny.engine.tensor import Tensor
from autotiny.notation.text import clean
from autotiny.ops import OPS
from autotiny.ops.activations import relu

# ----- units -----
# Units that a ReLU has switched off.


RECTIFIERS = (OPS[relu], OPS[np.maximum].constant_variant)


def dead_units(tensor: Tensor) -> str:
    """ "2 of 5 units dead", where a ReLU gives 0 for every example: no gradient comes through; else "".

    The examples are columns, as in the textbook's Z = W X + b, or rows where the weights stand on the right.

    >>> Z = Tensor([[1.0, 2.0], [-1.0, -2.0]])
    >>> dead_units(np.maximum(Z, 0))
    '1 of 2 units dead'
    """
    if tensor.op not in RECTIFIERS or not _clips_at_zero(tensor):
        return ""
    active: Any = np.asarray(value_of(tensor)) > 0
    if active.ndim > 1:
        examples = tuple(range(active.ndim - 1)) if _weights_on_the_right(tensor) else tuple(range(1, active.ndim))
        active = active.any(axis=examples)
    dead = active.size - np.count_nonzero(active)
    if not dead:
        return ""
    return f"{dead} of {active.size} units dead" if active.size > 1 else "dead: no gradient passes"


def _clips_at_zero(tensor: Tensor) -> bool:
    return len(tensor.args) == 1 or any(_is_zero(arg) for arg in tensor.args)


def _is_zero(arg: Any) -> bool:
    return not isinstance(arg, Tensor) and np.size(arg) == 1 and not np.any(arg)


def _weights_on_the_right(tensor: Tensor) -> bool:
    """Whether the product that led here was X @ W."""
    node: Any = tensor
    while isinstance(node, Tensor) and node.op is not None and node.op.name != "matmul":
        node = next((arg for arg in node.args if isinstance(arg, Tensor) and arg.op is not None), None)
    return isinstance(node, Tensor) and node.op is not None and _is_parameter(node.args[1])


def _is_parameter(arg: Any) -> bool:
    return isinstance(arg, Tensor) and arg.op is None and arg.requires_grad


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


# ----- group card -----
# The card of a closed group.


LONGEST_TITLE = 36
MOST_PARAMETERS = 4


def group_card(reading: Reading, group: Group, small: bool = False) -> Card:
    """What a closed group holds, with the value and the gradient of its last value, or of each of those alike."""
    results = [last_place(child) for child in group.children] if group.alike else [last_place(group)]
    values = [np.asarray(value_of(reading.values[place])) for place in results]
    shown = np.stack(values) if group.alike else values[0]
    return Card(
        id=group.id,
        name=clean(f"{group.name} × {len(results)}" if group.alike else group.name, LONGEST_TITLE),
        named=True,
        kind="group",
        origin=_contents(reading, group),
        shape=shown.shape,
        value=show(shown, small),
        gradient=_gradient(reading, results, small),
    )


def _contents(reading: Reading, group: Group) -> str:
    if group.alike:
        n = len(places(group.children[0]))
        return f"⊞ {len(group.children)} alike" + (f", {n:,} values each" if n > 1 else "")
    told = f"⊞ {len(group.places):,} values"
    parameters = [value for value in map(reading.values.__getitem__, group.places) if _is_parameter(value)]
    if not parameters:
        return told
    if len(parameters) > MOST_PARAMETERS or any(reading.names.given(value) is None for value in parameters):
        return f"{told}, {len(parameters):,} parameter{'s' * (len(parameters) > 1)}"
    return ", ".join([told, *map(reading.names.short, parameters)])


def _gradient(reading: Reading, results: list[Place], small: bool) -> Shown | None:
    if len(results) == 1:
        return gradient(reading, results[0], small) if isinstance(reading.values[results[0]], Tensor) else None
    if not all(getattr(reading.values[place], "requires_grad", False) for place in results):
        return None
    held: Any = [reading.gradients.get(place) for place in results]
    return NO_GRADIENT_YET if any(g is None for g in held) else show(np.stack(held), small)
