"""Names for formulas: the local variables of the user's functions when these return, and d<name> for gradients.

A name belongs to a value. Where a pass replaces a gradient by a multiple of it, the name keeps
account of the factor: A2 - Y is m dJ/dZ2. Any other name is dropped when a pass replaces its formula.
"""

import keyword
import math
import sys
import sysconfig
from collections.abc import Iterator, Mapping, Sequence
from types import CodeType, FrameType
from typing import Any, NamedTuple

from autotiny.algebra import Term
from autotiny.engine import call_site
from autotiny.engine.containers import branch
from autotiny.engine.recording import value_of


class FormulaName(NamedTuple):
    """The name of a formula in the program."""

    text: str
    gradient: str = ""
    """dJ/dZ2, if the formula is a gradient."""
    scale: float = 1
    """The ratio of the formula's value to the named value."""

    @property
    def exact(self) -> bool:
        """Whether the formula's value is the named value."""
        return math.isclose(self.scale, 1, rel_tol=1e-9)

    @property
    def remark(self) -> str:
        """The multiple of the gradient that the formula is, if it is not the gradient itself: 4 dJ/dZ2."""
        return "" if self.exact else f"{self.scale:.6g} {self.gradient}"

    def times(self, c: float) -> "FormulaName":
        """Return the name for c times the formula."""
        return self._replace(scale=self.scale * c)


FormulaNames = dict[Term, FormulaName]
_OTHERS = (sysconfig.get_path("stdlib"), "<frozen ")


class LocalNames:
    """Learns the names of the local variables of the user's functions that are running between `top` and here.

    It looks at the callers of each operation. A function that is no longer among them has returned, and its frame,
    which was kept until then, still has its last variables. (A profile function would be called at each return, but
    a thread has only one, which may be in use.)
    """

    def __init__(self, names: FormulaNames, top: CodeType) -> None:
        self.names, self.top = names, top
        self.running: list[FrameType] = []
        """The user's functions that were running at the last look, the outermost first."""
        self.is_users: dict[CodeType, bool] = {}

    def look(self) -> None:
        """Enter the variables of the functions that have returned since the last look."""
        running, top, known_codes = self.running, self.top, self.is_users
        innermost = running[-1] if running else None
        entered: list[FrameType] = []
        frame = sys._getframe(1)
        while frame is not innermost and (code := frame.f_code) is not top:
            users = known_codes.get(code)
            if users or (users is None and self._is_users(code)):
                if frame in running:
                    break
                entered.append(frame)
            if frame.f_back is None:
                break
            frame = frame.f_back
        if frame is not innermost:
            self._return_to(frame)
        if entered:
            running += reversed(entered)

    def _return_to(self, frame: FrameType) -> None:
        while self.running and self.running[-1] is not frame:
            enter(self.names, self.running.pop().f_locals)

    def finish(self) -> None:
        """Enter the variables of the functions that are left, and let go of their frames."""
        while self.running:
            enter(self.names, self.running.pop().f_locals)

    def _is_users(self, code: CodeType) -> bool:
        path = code.co_filename
        self.is_users[code] = not (call_site.is_package_file(path) or path.startswith(_OTHERS))
        return self.is_users[code]


def enter(names: FormulaNames, variables: Mapping[str, Any]) -> None:
    """Name the formulas among variables. The first name of a formula stays."""
    for name, value in variables.items():
        term = value_of(value)
        if isinstance(term, Term) and is_name(name):
            names.setdefault(term, FormulaName(name))


def hand_on(names: FormulaNames, name: FormulaName, term: Term) -> None:
    """Give a formula a name, unless it has one that is as good."""
    before = names.get(term)
    if before is None or (name.exact and not before.exact):
        names[term] = name


def names_to_show(terms: Sequence[Term], names: FormulaNames) -> FormulaNames:
    """Return the names to write: a multiple of a gradient has its name, if the gradient is not among the formulas."""
    exact = {x: names[x] for x in terms if x in names and names[x].exact}
    taken = {name.text for name in exact.values()}
    shown: FormulaNames = {}
    for x in terms:
        name = exact.get(x) or names.get(x)
        if name is not None and (name.exact or (name.gradient and name.text not in taken)):
            taken.add(name.text)
            shown[x] = name
    return shown


def is_name(name: str) -> bool:
    """Whether a text can be a name in a program."""
    return name.isidentifier() and name.isascii() and not keyword.iskeyword(name) and not name.startswith("_")


def parameter_names(parameters: list[str], args: tuple[Any, ...]) -> list[str]:
    """Return a name for each value in the arguments: W1 for params["W1"], layers_0_1 for layers[0][1]."""
    names = [name for parameter, arg in zip(parameters, args, strict=True) for name in _paths(parameter, arg)]
    return [name if is_name(name) and names.count(name) == 1 else f"x{i}" for i, name in enumerate(names)]


def _paths(prefix: str, tree: Any) -> Iterator[str]:
    taken = branch(tree)
    if taken is None:
        yield prefix
        return
    for key, part in zip(taken.keys, taken.parts, strict=True):
        yield from _paths(key if isinstance(key, str) and is_name(key) else f"{prefix}_{key}", part)
