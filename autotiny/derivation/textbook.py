"""The readings of a typed formula: as NumPy code, and on paper under each convention that it leaves open."""

import ast
import itertools
from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from autotiny.language import ExpressionError, Limits, evaluate
from autotiny.language.paper.code import as_numpy
from autotiny.language.paper.cursor import Vocabulary
from autotiny.language.paper.evaluation import REDUCTIONS, Convention, PaperEvaluation
from autotiny.language.paper.formulas import Statement, parse
from autotiny.language.paper.indices import IndexEvaluation, letters_of
from autotiny.language.paper.nodes import Bars, Big, Indexed, Product, Raised, Sized

Array = NDArray[Any]
MOST = 64
"""The largest number of readings that are tried."""
LIMITS = Limits(total=2**25, work=2**32, seconds=5.0)
USUAL = Convention()


class Reading(NamedTuple):
    """A reading of one side of an equation.

    text : the whole text.
    tree : Python's tree of the side; None for code that is NumPy's as it is.
    convention : what the tree leaves open.
    defined : names that the text defines before, with their trees.
    letters, order : of index notation, the letters, and those of the left side.
    unusual : whether the reading says more than the text.
    """

    text: str
    tree: ast.expr | None = None
    convention: Convention = USUAL
    defined: Sequence[tuple[str, ast.expr]] = ()
    letters: str = ""
    order: str = ""
    unusual: bool = False

    def value(self, scope: Mapping[str, Any], shape: tuple[int, ...]) -> Array:
        """The value; on paper a row, a column and a vector are one, and a number is every entry: it takes the shape."""
        if self.tree is None:
            return numbers(self.text, evaluate(self.text, scope, LIMITS).value)
        known = dict(scope)
        for name, tree in self.defined:
            known[name] = PaperEvaluation(self.text, known, self.convention, shape, LIMITS).evaluate(tree)
        if self.letters:
            evaluation = IndexEvaluation(self.text, known, self.convention, shape, self.letters, self.order, LIMITS)
            return on_paper(numbers(self.text, evaluation.arranged(self.tree)), shape)
        value = PaperEvaluation(self.text, known, self.convention, shape, LIMITS).evaluate(self.tree)
        return on_paper(numbers(self.text, value), shape)

    @property
    def code(self) -> str:
        """The NumPy code that was meant, as of the last evaluation."""
        if self.tree is None:
            return self.text
        given = "".join(f"{name} = {as_numpy(tree)}; " for name, tree in self.defined)
        return f"{given}{as_numpy(self.tree)}{' of columns' if self.convention.columns else ''}"


def on_paper(value: Array, shape: tuple[int, ...]) -> Array:
    """The value in the shape expected, if on paper the two are one."""
    if value.ndim == 0:
        return np.broadcast_to(value, shape)
    same = [n for n in value.shape if n > 1] == [n for n in shape if n > 1]
    return value.reshape(shape) if same else value


def numbers(text: str, value: Any) -> Array:
    """The value as an array of numbers; raises ExpressionError for one that is none."""
    if not isinstance(value, tuple | list) and value is not None:
        array = np.asarray(value)
        if array.dtype.kind in "fiubc":
            return array if array.dtype.kind in "fc" else array.astype(float)
    raise ExpressionError(f"{text!r} is neither a number nor an array of numbers")


class Equation(NamedTuple):
    """What a text says: the readings of each side, and the names on the left."""

    sides: list[list[Reading]]
    labels: list[str]


def equation(
    text: str, vocabulary: Vocabulary, scope: Mapping[str, Any], shape: tuple[int, ...], target: str
) -> Equation:
    """Return the sides of the equation about the target; if there is none, of the last one.

    Raises ExpressionError where the text cannot be parsed.
    """
    text = as_code(text, scope) or text
    parsed = [told(parse(text, vocabulary, denominators), target) for denominators in ("near", "all", "first", "flat")]
    sides = []
    for i in range(len(parsed[0].sides)):
        readings = [Reading(text)] if len(parsed[0].sides) == 1 and is_code(text, scope) else []
        different = {each.dump(i): each for each in reversed(parsed) if i < len(each.sides)}
        for each in reversed(different.values()):
            readings += readings_of(text, each, i, scope, shape, each is not parsed[0])
        sides.append(readings[:MOST])
    return Equation(sides, parsed[0].labels)


def readings_of(
    text: str, told: "Told", i: int, scope: Mapping[str, Any], shape: tuple[int, ...], unusual: bool
) -> list[Reading]:
    """The readings of one side: in index notation where it has indices, and under each convention."""
    tree, trees = told.sides[i], [told.sides[i], *(each for _, each in told.defined)]
    unusual = unusual or any(getattr(node, "guessed", False) for node in ast.walk(tree))
    letters, readings = letters_of(trees), list[Reading]()
    if 0 < len(letters) <= 6:
        for last in (False, True):
            readings.append(Reading(text, tree, USUAL._replace(last=last), told.defined, letters, told.order, unusual))
    for convention in conventions(trees, scope, shape):
        readings.append(Reading(text, tree, convention, told.defined, unusual=unusual or departs(convention)))
    return readings


def departs(convention: Convention) -> bool:
    """Whether a convention is another than the usual one."""
    return convention._replace(size=0) != USUAL


class Told(NamedTuple):
    """The statement about the target: its sides, the names on its left with their indices, and definitions."""

    sides: list[ast.expr]
    labels: list[str]
    order: str
    defined: list[tuple[str, ast.expr]]

    def dump(self, i: int) -> str:
        """The trees of a side as text."""
        return ast.dump(self.sides[i]) + "".join(ast.dump(tree) for _, tree in self.defined)


def told(statements: list[Statement], target: str) -> Told:
    """The statement about the target, else the last one; the others define names."""
    about = [s for s in statements if len(s.sides) > 1 and name_of(s.sides[0]) == target]
    chosen = about[-1] if about else statements[-1]
    others = [(name_of(s.sides[0]), s.sides[-1]) for s in statements if s is not chosen and len(s.sides) > 1]
    sides, labels, order = list(chosen.sides), list[str](), ""
    while len(sides) > 1 and name_of(sides[0]):
        order = order or getattr(sides[0], "indices", "")
        labels.append(name_of(sides.pop(0)))
    return Told(sides, labels, order, [(name, tree) for name, tree in others if name])


def name_of(node: ast.expr) -> str:
    """The name that a side consists of; empty if it is a formula."""
    name: str = getattr(node, "id", "") or ("" if hasattr(node, "operand") else getattr(node, "name", ""))
    return name


def is_code(text: str, scope: Container[str]) -> bool:
    """Whether the text is an expression of Python's, in which no name of a gradient is unknown."""
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return False
    return all(node.id[0] != "d" or node.id in scope for node in ast.walk(tree) if isinstance(node, ast.Name))


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
    arguments = functions[0].args
    pairs = zip(arguments.args[::-1], arguments.defaults[::-1], strict=False)
    lines = [f"{each.arg} = {ast.unparse(default)}" for each, default in pairs if each.arg not in known]
    for node in functions[0].body:
        if isinstance(node, ast.Return) and node.value is not None:
            lines.append(ast.unparse(node.value))
        elif isinstance(node, ast.Assign):
            lines.append(ast.unparse(node))
    return "; ".join(lines)


# ----- conventions -----
def conventions(trees: Iterable[ast.expr], scope: Mapping[str, Any], shape: tuple[int, ...]) -> list[Convention]:
    """The conventions that make a difference to some trees, those that depart the least from the usual one first."""
    nodes = [node for tree in trees for node in ast.walk(tree)]
    names = {node.id for node in nodes if isinstance(node, ast.Name | Indexed)}
    values = [np.shape(scope[name]) for name in names if name in scope]
    signs = {node.sign for node in nodes if isinstance(node, Product)}
    big = [node for node in nodes if isinstance(node, Big)]

    def choices(is_open: bool) -> list[Any]:
        return [False, True] if is_open else [False]

    lengths = list(dict.fromkeys([*reversed(shape), *(n for each in values for n in each)]))[:4]
    open_choices: dict[str, list[Any]] = {
        "columns": choices(any(len(each) == 1 for each in values)),
        "keepdims": choices(bool(big) or not names.isdisjoint(REDUCTIONS)),
        "entrywise": choices(bool(signs - {"*", "×", "@"})),
        "matrices": choices(bool(signs & {"*", "×"})),
        "powers": choices(any(isinstance(node, Raised) for node in nodes)),
        "determinants": choices(any(isinstance(node, Bars) for node in nodes)),
        "size": (lengths or [1]) if any(isinstance(node, Sized) for node in nodes) else [0],
        "axis": [None, 0, 1] if any(node.index for node in big) else [None],
    }
    found = [Convention(*choice) for choice in itertools.product(*open_choices.values())]
    return sorted(found, key=lambda each: sum(a != b for a, b in zip(each, found[0], strict=True)))[:MOST]
