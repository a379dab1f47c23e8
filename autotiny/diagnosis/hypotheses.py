"""A hypothesis: slips in a gradient derived by hand, with the words that say what the gradient then is.

A row of the table of slips (`autotiny.diagnosis.rows`) is a function of a graph and one of its edges that yields
hypotheses. The clause continues "the gradient", as in "without the mask 1[Z1 > 0]"; the mend comes after a colon.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from autotiny.algebra.term import Term
from autotiny.algebra.writing import as_text
from autotiny.diagnosis.labels import Labels
from autotiny.diagnosis.slips import Edge, Slip, SlipSweep
from autotiny.engine.node import made_by
from autotiny.engine.recording import value_of
from autotiny.engine.tensor import Tensor

Words = Callable[[], tuple[str, str]]
"""The clause and the mend, made when they are needed."""


class Hypothesis(NamedTuple):
    """Slips that may explain a gradient.

    scales : whether any multiple of the change may explain it, as of a path that is counted twice; the clause is then
        only the name of the path
    named : whether the clause is in names of the user's
    kind : "factor" for a derivative that is wrong by a factor, "operand" for another tensor in the place of an operand,
        "steps" for some of the steps of a loop
    """

    slips: Mapping[Edge, Slip]
    words: Words
    scales: bool = False
    named: bool = True
    kind: str = ""


class Subject(NamedTuple):
    """The graph that slips are made in.

    labels : what its values are called
    alike : its tensors and arrays, by shape
    example_axes : the axes of a tensor that count examples
    number_text : a number by the names of those that it is made of
    """

    sweep: SlipSweep
    labels: Labels
    alike: Mapping[tuple[int, ...], list[Any]]
    example_axes: Callable[[Any], list[int]]
    number_text: Callable[[float], str]


Row = Callable[[Subject, Tensor, int], Iterator[Hypothesis]]
SUMS = ("add", "subtract", "negative", "positive")
"""Operations whose derivative is 1 or -1, which nobody forgets."""


def words(clause: str, mend: str = "") -> Words:
    """Return words that are known."""
    return lambda: (clause, mend)


def is_elementwise(node: Tensor) -> bool:
    """Whether an operation works entry by entry."""
    return made_by(node).has("elementwise")


def is_product(node: Tensor) -> bool:
    """Whether an operation multiplies or divides its operands, entry by entry."""
    return made_by(node).name in ("multiply", "divide")


def is_multiple(node: Tensor) -> bool:
    """Whether an operation multiplies or divides by a constant number."""
    return is_product(node) and any(np.ndim(arg) == 0 and not isinstance(arg, Tensor) for arg in node.args)


def is_curve(node: Tensor) -> bool:
    """Whether an operation is a function of each entry, such as tanh, rather than arithmetic."""
    return is_elementwise(node) and not is_product(node) and made_by(node).name not in SUMS


def activation_name(node: Tensor) -> str:
    """Return the name of an activation as people call it."""
    zero = any(np.ndim(arg) == 0 and value_of(arg) == 0 for arg in node.args)
    name = made_by(node).name
    return "relu" if name == "maximum" and zero else name


def factor_text(factor: Term) -> str:
    """Return a derivative as a factor of a product: 1[Z > 0], 1 - A²."""
    return f"1[{as_text(factor)}]" if factor.dtype == bool else as_text(factor)


def sentence(clause: str, *mends: str) -> str:
    """Return "the gradient" with a clause and the mends that are not empty."""
    known = "; ".join(dict.fromkeys(filter(None, mends)))
    return f"the gradient {clause}" + (f": {known}" if known else "")
