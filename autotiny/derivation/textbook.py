"""The readings of a typed formula: as NumPy code, and on paper under each convention that it leaves open."""

import ast
import itertools
from collections.abc import Callable, Container, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from autotiny.language import ExpressionError, Limits, evaluate
from autotiny.language.paper.code import as_numpy
from autotiny.language.paper.cursor import Vocabulary
from autotiny.language.paper.evaluation import REDUCTIONS, Convention, PaperEvaluation
from autotiny.language.paper.formulas import Statement, parse
from autotiny.language.paper.nodes import Bars, Big, Product, Raised, Sized

Array = NDArray[Any]
MOST = 64
"""The largest number of readings that are tried."""
LIMITS = Limits(total=2**25, work=2**32, seconds=5.0)
Slopes = Mapping[str, Callable[[Any], Any]]


class Reading(NamedTuple):
    """A reading of one side of an equation.

    tree : Python's tree; None for code that is NumPy's as it is.
    defined : names that the text defines before, with their trees.
    """

    text: str
    tree: ast.expr | None = None
    convention: Convention = Convention()
    defined: Sequence[tuple[str, ast.expr]] = ()
    slopes: Slopes = MappingProxyType({})

    def value(self, scope: Mapping[str, Any], shape: tuple[int, ...]) -> Array:
        """The value; on paper a row, a column and a vector are one, and a number is every entry: it takes the shape."""
        if self.tree is None:
            return _numbers(self.text, evaluate(self.text, scope, LIMITS).value)
        known = dict(scope)
        for name, tree in self.defined:
            known[name] = PaperEvaluation(self.text, known, self.convention, shape, self.slopes, LIMITS).evaluate(tree)
        value = PaperEvaluation(self.text, known, self.convention, shape, self.slopes, LIMITS).evaluate(self.tree)
        value = _numbers(self.text, value)
        if value.ndim == 0:
            return np.broadcast_to(value, shape)
        same = [n for n in value.shape if n > 1] == [n for n in shape if n > 1]
        return value.reshape(shape) if same else value

    @property
    def code(self) -> str:
        """The NumPy code that was meant, once it has been evaluated."""
        if self.tree is None:
            return self.text
        given = "".join(f"{name} = {as_numpy(tree)}; " for name, tree in self.defined)
        return f"{given}{as_numpy(self.tree)}{' of columns' if self.convention.columns else ''}"


def _numbers(text: str, value: Any) -> Array:
    if isinstance(value, tuple | list) or value is None:
        raise ExpressionError(f"{text!r} is neither a number nor an array of numbers")
    value = np.asarray(value)
    if value.dtype.kind not in "fiubc":
        raise ExpressionError(f"{text!r} is neither a number nor an array of numbers")
    return value if value.dtype.kind in "fc" else value.astype(float)


class Equation(NamedTuple):
    """What a text says: the readings of each side, and the names that stand on the left."""

    sides: list[list[Reading]]
    labels: list[str]


def equation(
    text: str, vocabulary: Vocabulary, scope: Mapping[str, Any], shape: tuple[int, ...], slopes: Slopes, target: str
) -> Equation:
    """Return the sides of the equation that a text ends with, or that is about the target.

    Raises ExpressionError where the text cannot be read.
    """
    if source := as_code(text, scope):
        text = source
    tight = _told(parse(text, vocabulary), target)
    loose = _told(parse(text, vocabulary, loose=True), target)
    sides = []
    for i in range(len(tight.sides)):
        trees = [(tight.sides[i], tight.defined)]
        if i < len(loose.sides) and _dump(loose, i) != _dump(tight, i):
            trees.append((loose.sides[i], loose.defined))
        readings = [Reading(text)] if _is_code(text, scope) and len(tight.sides) == 1 else []
        for tree, defined in trees:
            for convention in conventions([tree, *(each for _, each in defined)], scope, shape):
                readings.append(Reading(text, tree, convention, defined, slopes))
        sides.append(readings[:MOST])
    return Equation(sides, tight.labels)


class _Told(NamedTuple):
    sides: list[ast.expr]
    labels: list[str]
    defined: list[tuple[str, ast.expr]]


def _told(statements: list[Statement], target: str) -> _Told:
    """The statement about the target, else the last; those before define names."""
    about = [s for s in statements if len(s.sides) > 1 and name_of(s.sides[0]) == target]
    chosen = about[-1] if about else statements[-1]
    defined = [(name_of(s.sides[0]), s.sides[-1]) for s in statements if s is not chosen and len(s.sides) > 1]
    sides = list(chosen.sides)
    labels = []
    while len(sides) > 1 and name_of(sides[0]):
        labels.append(name_of(sides.pop(0)))
    return _Told(sides, labels, [(name, tree) for name, tree in defined if name])


def name_of(node: ast.expr) -> str:
    """The name that a side consists of; empty if it is a formula."""
    return getattr(node, "id", "") or (getattr(node, "name", "") if not hasattr(node, "operand") else "")


def _dump(told: _Told, i: int) -> str:
    return ast.dump(told.sides[i]) + "".join(ast.dump(tree) for _, tree in told.defined)


def _is_code(text: str, scope: Mapping[str, Any]) -> bool:
    """Whether the text is an expression of Python's whose names are all known."""
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return False
    return all(not node.id.startswith("d") or node.id in scope for node in ast.walk(tree) if isinstance(node, ast.Name))


def as_code(text: str, known: Container[str]) -> str:
    """The body of a function of Python's as statements, with the defaults of parameters that are not known; else ''."""
    if "def " not in text:
        return ""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return ""
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    if len(functions) != 1:
        return ""
    lines = []
    arguments = functions[0].args
    for argument, default in zip(arguments.args[::-1], arguments.defaults[::-1], strict=False):
        if argument.arg not in known:
            lines.append(f"{argument.arg} = {ast.unparse(default)}")
    for node in functions[0].body:
        if isinstance(node, ast.Return) and node.value is not None:
            lines.append(ast.unparse(node.value))
        elif isinstance(node, ast.Assign):
            lines.append(ast.unparse(node))
    return "; ".join(lines)


# ----- conventions -----
def conventions(trees: Sequence[ast.expr], scope: Mapping[str, Any], shape: tuple[int, ...]) -> list[Convention]:
    """The conventions that make a difference to some trees, those that depart the least from the usual ones first."""
    nodes = [node for tree in trees for node in ast.walk(tree)]
    names = [node.id for node in nodes if isinstance(node, ast.Name)]
    values = [scope[name] for name in names if name in scope]
    vectors = any(np.ndim(value) == 1 for value in values) and any(
        np.ndim(value) > 1 for value in (*values, np.zeros(shape))
    )
    reductions = any(name in REDUCTIONS for name in names) or any(isinstance(node, Big) for node in nodes)
    signs = {node.sign for node in nodes if isinstance(node, Product)}
    sized = any(isinstance(node, Sized) for node in nodes)
    lengths = dict.fromkeys([*reversed(shape), *(n for value in values for n in np.shape(value))])
    open_choices: dict[str, list[Any]] = {
        "columns": [False, True] if vectors or (names and any(np.ndim(v) == 1 for v in values)) else [False],
        "keepdims": [False, True] if reductions else [False],
        "entrywise": [False, True] if signs - {"*", "×", "@"} else [False],
        "matrices": [False, True] if signs & {"*", "×"} else [False],
        "powers": [False, True] if any(isinstance(node, Raised) for node in nodes) else [False],
        "determinants": [False, True] if any(isinstance(node, Bars) for node in nodes) else [False],
        "size": list(lengths)[:4] or [1] if sized else [0],
        "axis": [None, 0, 1] if any(isinstance(node, Big) and node.indexed for node in nodes) else [None],
    }
    found = [Convention(*choice) for choice in itertools.product(*open_choices.values())]
    usual = found[0]
    return sorted(found, key=lambda each: sum(a != b for a, b in zip(each, usual, strict=True)))[:MOST]
