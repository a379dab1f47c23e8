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
from autotiny.language.paper.evaluation import REDUCTIONS, Convention, PaperEvaluation, is_one
from autotiny.language.paper.formulas import Statement, parse
from autotiny.language.paper.indices import IndexEvaluation, letters_of
from autotiny.language.paper.nodes import Bars, Big, Indexed, Product, Raised, Sized

Array = NDArray[Any]
MOST = 64
"""The largest number of readings that are tried."""
LIMITS = Limits(total=2**25, work=2**32, seconds=5.0)
USUAL = Convention()
Shapes = Mapping[str, tuple[int, ...]]


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
    def names(self) -> set[str]:
        """The names that the reading uses."""
        trees = [ast.parse(self.text.strip(), mode="eval")] if self.tree is None else [self.tree]
        nodes = [node for tree in (*trees, *(each for _, each in self.defined)) for node in ast.walk(tree)]
        return {node.id for node in nodes if isinstance(node, ast.Name | Indexed)}

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
    """What a text says: the readings of each side, the names on the left, and all names that occur."""

    sides: list[list[Reading]]
    labels: list[str]
    names: frozenset[str]


def equation(text: str, vocabulary: Vocabulary, shapes: Shapes, shape: tuple[int, ...], target: str) -> Equation:
    """Return the sides of the equation about the target; if there is none, of the last one.

    Raises ExpressionError where the text cannot be parsed.
    """
    text = text.encode("utf-8", "replace").decode()  # a lone surrogate is no character
    text = as_code(text, shapes) or text
    parsed = [told(parse(text, vocabulary, denominators), target) for denominators in ("near", "all", "first", "flat")]
    sides = []
    for i in range(len(parsed[0].sides)):
        readings = [Reading(text)] if len(parsed[0].sides) == 1 and is_code(text, shapes) else []
        different = dict[str, Told]()
        for each in parsed:
            if i < len(each.sides):
                different.setdefault(each.dump(i), each)
        for each in different.values():
            readings += readings_of(text, each, i, shapes, shape, each is not parsed[0])
        sides.append(readings[:MOST])
    names = frozenset[str]().union(*(reading.names for readings in sides for reading in readings))
    return Equation(sides, parsed[0].labels, names)


def readings_of(
    text: str, told: "Told", i: int, shapes: Shapes, shape: tuple[int, ...], unusual: bool
) -> list[Reading]:
    """The readings of one side: in index notation where it has indices, and under each convention."""
    tree, trees = told.sides[i], [told.sides[i], *(each for _, each in told.defined)]
    unusual = unusual or any(getattr(node, "guessed", False) for node in ast.walk(tree))
    letters, readings = letters_of(trees), list[Reading]()
    if 0 < len(letters) <= 6:
        for last in (False, True):
            readings.append(Reading(text, tree, USUAL._replace(last=last), told.defined, letters, told.order, unusual))
    for convention in conventions(trees, shapes, shape):
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
    shapes = dict[str, ast.expr]()
    for node in functions[0].body:
        lines += statement(node, shapes)
    return "; ".join(lines)


def statement(node: ast.stmt, shapes: dict[str, ast.expr]) -> list[str]:
    """A statement of a function as an assignment or an expression; `shapes` are those of arrays that begin as zeros."""
    if isinstance(node, ast.Return) and node.value is not None:
        return [ast.unparse(node.value)]
    if isinstance(node, ast.Assign):
        target, value = node.targets[0], node.value
        if isinstance(target, ast.Subscript) and isinstance(target.value, ast.Name) and target.value.id in shapes:
            return [_scattered(target.value.id, target.slice, value, shapes)]
        if isinstance(target, ast.Name) and isinstance(value, ast.Call) and ast.unparse(value.func) == "np.zeros":
            shapes[target.id] = value.args[0]
            return []
        return [ast.unparse(node)]
    call = node.value if isinstance(node, ast.Expr) else None
    if isinstance(call, ast.Call) and ast.unparse(call.func) == "np.add.at" and isinstance(call.args[0], ast.Name):
        return [_scattered(call.args[0].id, call.args[1], call.args[2], shapes)]
    return []


def _scattered(name: str, key: ast.expr, entries: ast.expr, shapes: Mapping[str, ast.expr]) -> str:
    """The assignment of an array of zeros but for the entries at an index."""
    shape = ast.unparse(shapes[name]) if name in shapes else "()"
    return f"{name} = scatter({ast.unparse(entries)}, {_written(key)}, shape={shape})"


def _written(key: ast.expr) -> str:
    """An index with slices as they are written between brackets."""
    parts = key.elts if isinstance(key, ast.Tuple) else [key]
    return ast.unparse(ast.Subscript(ast.Name("x", ast.Load()), _tuple(map(_slice, parts)), ast.Load()))[2:-1]


def _tuple(parts: Iterable[ast.expr]) -> ast.expr:
    listed = list(parts)
    return listed[0] if len(listed) == 1 else ast.Tuple(listed, ast.Load())


def _slice(part: ast.expr) -> ast.expr:
    if isinstance(part, ast.Call) and ast.unparse(part.func) == "slice":
        ends = [None if isinstance(end, ast.Constant) and end.value is None else end for end in part.args]
        return ast.Slice(*ends)
    return part


# ----- conventions -----
def conventions(trees: Iterable[ast.expr], shapes: Shapes, shape: tuple[int, ...]) -> list[Convention]:
    """The conventions that make a difference to some trees, those that depart the least from the usual one first."""
    nodes = [node for tree in trees for node in ast.walk(tree)]
    names = {node.id for node in nodes if isinstance(node, ast.Name | Indexed)}
    values = [shapes[name] for name in names if name in shapes]
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
        "size": (lengths or [1]) if any(isinstance(node, Sized) for node in nodes) or "onehot" in names else [0],
        "axis": [None, 0, 1] if any(node.index for node in big) else [None],
    }
    products = [node for node in nodes if isinstance(node, Product)]
    open_choices["ones"] = choices(any(is_one(factor) for node in products for factor in (node.left, node.right)))
    open_choices["last"] = choices("onehot" in names)
    found = [
        Convention(**dict(zip(open_choices, choice, strict=True)))
        for choice in itertools.product(*open_choices.values())
    ]
    return sorted(found, key=lambda each: sum(a != b for a, b in zip(each, found[0], strict=True)))[:MOST]
