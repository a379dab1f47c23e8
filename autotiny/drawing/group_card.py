"""The card of a closed group."""

from typing import Any

import numpy as np

from autotiny.drawing.card import NO_GRADIENT_YET, Card, gradient
from autotiny.drawing.groups import Group, last_place, places
from autotiny.drawing.reading import Place, Reading
from autotiny.drawing.values import Shown, show
from autotiny.recording import value_of
from autotiny.tables import clean
from autotiny.tensor import Tensor

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


def _is_parameter(value: object) -> bool:
    return isinstance(value, Tensor) and value.op is None and value.requires_grad


def _gradient(reading: Reading, results: list[Place], small: bool) -> Shown | None:
    if len(results) == 1:
        return gradient(reading, results[0], small) if isinstance(reading.values[results[0]], Tensor) else None
    if not all(getattr(reading.values[place], "requires_grad", False) for place in results):
        return None
    held: Any = [reading.gradients.get(place) for place in results]
    return NO_GRADIENT_YET if any(g is None for g in held) else show(np.stack(held), small)
