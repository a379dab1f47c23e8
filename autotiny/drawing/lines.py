"""The lines of a step: a value or a gradient in words, and a product in numbers or symbols."""

import re
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from autotiny.contributions import Contribution
from autotiny.drawing.heat import Heat
from autotiny.drawing.rule import LocalDerivative
from autotiny.drawing.values import number, show
from autotiny.node import made_by
from autotiny.recording import value_of
from autotiny.tensor import Tensor

SIGN_BEFORE, SIGN_AFTER = re.compile(r"[-+*/@%√] ?$"), re.compile(r" \*\*|[²ᵀ⁻]")


class Line(NamedTuple):
    """One thing that a step tells: in words, and entry by entry where it is an array."""

    what: str
    text: str
    rows: tuple[tuple[str, ...], ...] = ()
    heat: Heat | None = None


def computed(tensor: Tensor) -> Line:
    """The value of a result, of numbers with the computation."""
    told = line("value", value_of(tensor))
    if tensor.size == 1 and not tensor.kwargs and all(np.size(value_of(arg)) == 1 for arg in tensor.args):
        return told._replace(text=f"{_with_numbers(tensor)} = {told.text}")
    return told


def _with_numbers(tensor: Tensor) -> str:
    """The operation on the numbers themselves, negative ones in brackets beside a sign."""
    op, numbers = made_by(tensor), [one_number(value_of(arg)) for arg in tensor.args]
    pieces = op.notation.split("{}")
    if len(pieces) != len(numbers) + 1:
        return f"{op.name}({', '.join(numbers)})"
    beside = [SIGN_BEFORE.search(before) or SIGN_AFTER.match(after) for before, after in pairwise(pieces)]
    told = [f"({x})" if x.startswith("−") and sign else x for x, sign in zip(numbers, beside, strict=True)]
    return "".join(before + x for before, x in zip(pieces, told, strict=False)) + pieces[-1]


def slope(local: LocalDerivative | None) -> str:
    """dy/dx alone, where the rule is a product with the gradient, entry by entry."""
    factor = local and local.factor
    if not factor or "·" in factor:
        return ""
    bare = re.fullmatch(r"\(([^()]*)\)", factor := factor.removeprefix("× "))
    return bare[1] if bare else factor


def product(local: LocalDerivative | None, c: Contribution) -> str:
    """What the contribution is the product of: in numbers where it is one number, else in symbols."""
    if local is None:
        return ""
    if local.rule != "g" and np.size(c.pulled) == np.size(local.value) == np.size(c.value) == 1:
        return f"{local.rule} = {one_number(c.pulled)} × {one_number(local.value)} = "
    return f"{local.rule} = "


def line(what: str, value: Any, before: str = "") -> Line:
    """An array by its range and shape with its entries or cells, a number by itself."""
    shown = show(value)
    shape = f", shape {np.shape(value)}" if np.size(value) > 1 else ""
    rows = tuple(tuple(map(_typeset, row)) for row in shown.rows)
    return Line(what, before + _typeset(shown.summary) + shape, rows, None if rows else shown.heat)


def summary(value: Any) -> str:
    """A number, or a range."""
    return _typeset(show(value).summary)


def one_number(value: Any) -> str:
    """The only entry."""
    return _typeset(number(np.asarray(value).item()))


def _typeset(text: str) -> str:
    return text.replace("-", "−")
