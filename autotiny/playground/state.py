"""What a page asks about: a program, the values of its names, and gradients that were derived by hand."""

import math
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray

from autotiny.engine.recording import value_of
from autotiny.errors import AutotinyError
from autotiny.sessions.program import expect_name
from autotiny.sessions.session import Session

# ----- address -----
# What stands after # in the page's address, for a session to be opened in the page.


READABLE = ",;@/:=+()*!~'"
"""Signs that need no code there."""


def fragment(session: Session) -> str:
    """The address's part for a session: its formulas are the program, its leaves are the values.

    >>> s = Session()
    >>> s["W"], s["y"] = [[1.0, 2.0]], "sum(W * W)"
    >>> fragment(s)
    '#let.W=1.0,2.0;&program=y%20=%20sum(W%20*%20W)'
    """
    leaves = [each for each in session.statements if each.kind != "formula"]
    values = {("data." if each.kind == "data" else "let.") + each.name: session[each.name] for each in leaves}
    program = "\n".join(each.line for each in session.statements if each.kind == "formula")
    parts = {**{key: _value(value_of(value)) for key, value in values.items()}, "program": program}
    return "#" + "&".join(f"{quote(key)}={quote(text, safe=READABLE)}" for key, text in parts.items())


def _value(value: Any) -> str:
    """ "1,2" is a vector, "1,2;3,4" a matrix, "1," a vector of one and "1,2;" a matrix of one row."""
    array = np.asarray(value, float)
    if array.ndim > 2:
        return str(array.tolist())
    if array.ndim < 2:
        return _row(array) + ("," if array.shape == (1,) else "")
    return ";".join(map(_row, array)) + (";" if len(array) == 1 else "")


def _row(numbers: Any) -> str:
    return ",".join(map(str, np.ravel(numbers).tolist()))


MOST_VALUES, MOST_ENTRIES, MOST_AXES, LONGEST_NAME = 50, 4096, 4, 32
LARGEST = 1e300
"""A number of the page is at most so large: beyond, its square root is all that arithmetic could take."""

Array = NDArray[np.float64]


class StateError(AutotinyError):
    """A state that no page would have: made by hand, or cut off on its way."""


class Given(NamedTuple):
    """The value of a name."""

    array: Array
    data: bool
    """Whether no gradient is asked for."""

    @property
    def exact(self) -> NDArray[Any]:
        """The value; data that is one whole number is a whole number, for it may be a size."""
        whole = self.data and self.array.ndim == 0 and self.array.item().is_integer() and abs(self.array) < 2**53
        return self.array.astype(int) if whole else self.array


class State(NamedTuple):
    """All that a page has, and that its address holds."""

    program: str
    values: dict[str, Given]
    claims: str


def read_state(question: Mapping[str, Any]) -> State:
    """The state that a question holds; raises StateError where it holds none.

    >>> read_state({"program": "x * x", "values": {"x": {"value": 3}}}).values["x"].array
    array(3.)
    """
    values = _expect(question.get("values", {}), dict, "values", "an object")
    if len(values) > MOST_VALUES:
        raise StateError(f"there are {len(values)} values; the limit is {MOST_VALUES}")
    state = State(
        _expect(question.get("program", ""), str, "program", "text"),
        {_name(name): _given(name, told) for name, told in values.items()},
        _expect(question.get("claims", ""), str, "claims", "text"),
    )
    entries = sum(given.array.size for given in state.values.values())
    if entries > MOST_ENTRIES:
        raise StateError(f"the values have {entries:,} entries; the limit is {MOST_ENTRIES:,}")
    return state


def _expect(told: Any, kind: type, what: str, words: str) -> Any:
    if not isinstance(told, kind):
        raise StateError(f"{what}: expected {words}; got {type(told).__name__}")
    return told


def _name(name: str) -> str:
    expect_name(name)
    if len(name) > LONGEST_NAME:
        raise StateError(f"{name[:LONGEST_NAME]}… cannot be the name of a value: it has {len(name)} letters")
    return name


def _given(name: str, told: Any) -> Given:
    told = _expect(told, dict, name, "an object with a value")
    data = _expect(told.get("data", False), bool, f"{name}: data", "true or false")
    return Given(_array(name, told.get("value")), data)


def _array(name: str, told: Any) -> Array:
    """Numbers, or lists of equal lengths."""
    shape, items = list[int](), [told]
    while items and isinstance(items[0], list):
        shape.append(len(items[0]))
        if len(shape) > MOST_AXES or not all(isinstance(item, list) and len(item) == shape[-1] for item in items):
            raise StateError(f"{name}: expected rows of equal lengths, at most {MOST_AXES} axes")
        items = [entry for item in items for entry in item]
    if not all(_is_number(item) for item in items):
        raise StateError(f"{name}: expected numbers")
    return np.array(items, float).reshape(shape)


def _is_number(item: Any) -> bool:
    return isinstance(item, int | float) and not isinstance(item, bool) and abs(item) <= LARGEST


def plain(array: Any) -> Any:
    """An array as lists of numbers for JSON, which has no nan and no inf: they become words.

    >>> plain(np.array([1.0, np.inf]))
    [1.0, 'inf']
    """
    if isinstance(array, np.ndarray | np.generic):
        return plain(array.tolist())
    if isinstance(array, list):
        return list(map(plain, array))
    return array if math.isfinite(array) else str(array)


def names_of(values: Iterable[str]) -> str:
    """Names in a sentence, few of them."""
    names = list(values)
    return ", ".join(names[:8]) + (", …" if len(names) > 8 else "")
