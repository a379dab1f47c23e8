"""What the user calls each formula: the locals of their functions when these return, and d<name> for gradients.

A name stands on the value that it was given to. Where a pass leaves a gradient but for a factor, the name keeps account
of the factor: A2 - Y is m dJ/dZ2. What any other name stood on has no name then.
"""

import keyword
import math
import sys
import sysconfig
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any, NamedTuple

from autotiny.algebra import Term
from autotiny.engine import call_site
from autotiny.engine.pytree import flatten
from autotiny.engine.recording import value_of


class Name(NamedTuple):
    """What a formula is called."""

    text: str
    gradient: str = ""
    """dJ/dZ2, where it is that."""
    scale: float = 1
    """The formula's value over the one that was given the name."""

    @property
    def exact(self) -> bool:
        """Whether the formula is what was given the name."""
        return math.isclose(self.scale, 1, rel_tol=1e-9)

    @property
    def remark(self) -> str:
        """What the formula is, if not what its name says: 4 dJ/dZ2."""
        return "" if self.exact else f"{self.scale:.6g} {self.gradient}"

    def times(self, c: float) -> "Name":
        """The name, of c times as much."""
        return self._replace(scale=self.scale * c)


Names = dict[Term, Name]
_OTHERS = (sysconfig.get_path("stdlib"), "<frozen ")


@contextmanager
def names_of_locals(names: Names) -> Iterator[None]:
    """Enter each formula that a local variable of the user's code holds when its function returns."""

    def on_event(frame: FrameType, event: str, _: Any) -> None:
        if event == "return" and not call_site.in_package(frame) and not frame.f_code.co_filename.startswith(_OTHERS):
            enter(names, frame.f_locals)

    if sys.getprofile() is not None:  # somebody profiles: names are not worth disturbing them
        yield
        return
    sys.setprofile(on_event)
    try:
        yield
    finally:
        sys.setprofile(None)


def enter(names: Names, variables: Mapping[str, Any]) -> None:
    """The first name that a formula was given stays."""
    for name, held in variables.items():
        term = value_of(held)
        if isinstance(term, Term) and is_name(name):
            names.setdefault(term, Name(name))


def hand_on(names: Names, name: Name, term: Term) -> None:
    """The name for a formula, unless it has one that is as good."""
    before = names.get(term)
    if before is None or (name.exact and not before.exact):
        names[term] = name


def told(terms: Sequence[Term], names: Names) -> Names:
    """The names that may be told among these formulas: a gradient's stands on a multiple if not on the gradient."""
    exact = {x: names[x] for x in terms if x in names and names[x].exact}
    taken = {name.text for name in exact.values()}
    found: Names = {}
    for x in terms:
        name = exact.get(x) or names.get(x)
        if name is not None and (name.exact or (name.gradient and name.text not in taken)):
            taken.add(name.text)
            found[x] = name
    return found


def is_name(name: str) -> bool:
    """Whether it can stand in a program."""
    return name.isidentifier() and name.isascii() and not keyword.iskeyword(name) and not name.startswith("_")


def parameter_names(parameters: list[str], args: tuple[Any, ...]) -> list[str]:
    """A name for each value in the arguments: W1 for params["W1"], layers_0_1 for layers[0][1]."""
    names = [name for parameter, arg in zip(parameters, args, strict=True) for name in _paths(parameter, arg)]
    return [name if is_name(name) and names.count(name) == 1 else f"x{i}" for i, name in enumerate(names)]


def _paths(prefix: str, tree: Any) -> Iterator[str]:
    if isinstance(tree, dict):
        for key, branch in tree.items():
            yield from _paths(key if isinstance(key, str) and is_name(key) else f"{prefix}_{key}", branch)
    elif isinstance(tree, list | tuple):
        for i, branch in enumerate(tree):
            yield from _paths(f"{prefix}_{i}", branch)
    else:
        yield from (prefix for _ in flatten(tree)[0])
