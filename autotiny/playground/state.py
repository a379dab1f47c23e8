"""The state of a page: a program, the values of its names, and gradients that were derived by hand."""

import math
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray

from autotiny.engine.recording import value_of
from autotiny.errors import AutotinyError
from autotiny.playground.data_sets import DATA_SETS
from autotiny.sessions.program import expect_name
from autotiny.sessions.session import Session

MOST_VALUES, MOST_ENTRIES, MOST_AXES, LONGEST_NAME = 50, 4096, 4, 32
LARGEST = 1e300
"""The largest number on a page: arithmetic on larger ones would overflow at once."""

Array = NDArray[np.float64]


class StateError(AutotinyError):
    """A state that no page sends: made by hand, or truncated."""


class PageValue(NamedTuple):
    """The value of a name on a page, which is data if no gradient is wanted."""

    array: Array
    data: bool

    @property
    def exact(self) -> NDArray[Any]:
        """The value; a whole number that is data has an integer type, as it may be a size."""
        whole = self.data and self.array.ndim == 0 and self.array.item().is_integer() and abs(self.array) < 2**53
        return self.array.astype(np.int64) if whole else self.array  # int has 32 bits in WebAssembly


class PageState(NamedTuple):
    """Everything that a page shows is computed from this; its address contains it."""

    program: str
    values: dict[str, PageValue]
    claims: str


# ----- from JSON -----
def read_state(question: Mapping[str, Any]) -> PageState:
    """The state in a question; raises StateError where it is malformed.

    >>> read_state({"program": "x * x", "values": {"x": {"value": 3}}}).values["x"].array
    array(3.)
    """
    values = _expect(question.get("values", {}), dict, "values", "an object")
    if len(values) > MOST_VALUES:
        raise StateError(f"there are {len(values)} values; the limit is {MOST_VALUES}")
    given = {_name(name): _page_value(name, value) for name, value in values.items()}
    state = PageState(
        _expect(question.get("program", ""), str, "program", "text"),
        {**_data_set(question), **given},
        _expect(question.get("claims", ""), str, "claims", "text"),
    )
    entries = sum(each.array.size for each in given.values())
    if entries > MOST_ENTRIES:
        raise StateError(f"the values have {entries:,} entries; the limit is {MOST_ENTRIES:,}")
    return state


def _data_set(question: Mapping[str, Any]) -> dict[str, PageValue]:
    """The values of the data set that a question names, if any."""
    name = _expect(question.get("dataset", ""), str, "dataset", "text")
    if not name:
        return {}
    if name not in DATA_SETS:
        raise StateError(f"there is no data set {name[:LONGEST_NAME]!r}, only {', '.join(DATA_SETS)}")
    return {each: PageValue(array, True) for each, array in DATA_SETS[name]().items()}


def _expect(value: Any, kind: type, what: str, expected: str) -> Any:
    if not isinstance(value, kind):
        raise StateError(f"{what}: expected {expected}; got {type(value).__name__}")
    return value


def _name(name: str) -> str:
    expect_name(name)
    if len(name) > LONGEST_NAME:
        raise StateError(f"{name[:LONGEST_NAME]}… cannot be the name of a value: it has {len(name)} letters")
    return name


def _page_value(name: str, value: Any) -> PageValue:
    value = _expect(value, dict, name, "an object with a value")
    data = _expect(value.get("data", False), bool, f"{name}: data", "true or false")
    return PageValue(page_array(name, value.get("value")), data)


def page_array(name: str, value: Any) -> Array:
    """An array of a number, or of nested lists of equal lengths."""
    shape, items = list[int](), [value]
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


# ----- to JSON and text -----
def plain(array: Any) -> Any:
    """An array as nested lists for JSON; nan and inf, which JSON does not have, become text.

    >>> plain(np.array([1.0, np.inf]))
    [1.0, 'inf']
    """
    if isinstance(array, np.ndarray | np.generic):
        return plain(array.tolist())
    if isinstance(array, list):
        return list(map(plain, array))
    return array if math.isfinite(array) else str(array)


def names_of(values: Iterable[str]) -> str:
    """At most eight names as text."""
    names = list(values)
    return ", ".join(names[:8]) + (", …" if len(names) > 8 else "")


# ----- in the page's address -----
READABLE = ",;@/:=+()*!~'"
"""Characters that need no percent-encoding after #."""


def fragment(session: Session) -> str:
    """The fragment of the page's address that opens a session: its formulas as the program, its leaves as values.

    >>> s = Session()
    >>> s["W"], s["y"] = [[1.0, 2.0]], "sum(W * W)"
    >>> fragment(s)
    '#let.W=1.0,2.0;&program=y%20=%20sum(W%20*%20W)'
    """
    leaves = [each for each in session.statements if each.kind != "formula"]
    values = {
        each.name: PageValue(np.asarray(value_of(session[each.name]), float), each.kind == "data") for each in leaves
    }
    program = "\n".join(each.line for each in session.statements if each.kind == "formula")
    return fragment_of(values, {"program": program})


def fragment_of(values: Mapping[str, PageValue], texts: Mapping[str, str]) -> str:
    """The fragment of values and of the page's texts: its program, its claims, its view and the like."""
    given = {("data." if value.data else "let.") + name: _numbers(value.array) for name, value in values.items()}
    return "#" + "&".join(f"{quote(key)}={quote(text, safe=READABLE)}" for key, text in {**given, **texts}.items())


def _numbers(array: Array) -> str:
    """ "1,2" is a vector, "1,2;3,4" a matrix, "1," a vector of one entry and "1,2;" a matrix of one row."""
    if array.ndim > 2:
        return str(array.tolist())
    if array.ndim < 2:
        return _row(array) + ("," if array.shape == (1,) else "")
    return ";".join(map(_row, array)) + (";" if len(array) == 1 else "")


def _row(numbers: Any) -> str:
    return ",".join(map(str, np.ravel(numbers).tolist()))
