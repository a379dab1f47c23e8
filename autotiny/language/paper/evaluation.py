"""The evaluation of a formula as it stands on paper: what a product, a power or a bar means follows from shapes.

What shapes leave open is a `Convention`, of which the caller tries several. Every step is charged to the budget of the
language, as in NumPy code. The nodes that the evaluation resolves note the NumPy code that they mean (`plain`).
"""

import ast
import inspect
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, NoReturn

import numpy as np

from autotiny.engine.gradients import gradients
from autotiny.engine.tensor import Tensor
from autotiny.errors import ShapeError
from autotiny.language.costs import entrywise, factored, filled, matmul, outer
from autotiny.language.errors import ExpressionError, refusal, suggestion
from autotiny.language.evaluation import VISITS, Evaluation
from autotiny.language.limits import Budget, Limits
from autotiny.language.operators import COMPARISON, apply, checked, cost, operand
from autotiny.language.paper.code import as_numpy, resolve
from autotiny.language.paper.functions import JOINING
from autotiny.language.paper.nodes import Bars, Big, Column, Indexed, Partial, Product, Raised, Sized, Unknown
from autotiny.language.paper.spellings import OWN, function_named
from autotiny.language.reading import SourceText
from autotiny.language.vocabulary import Function, functions

Value = Any
COMPARISONS = {sign for sign, _ in COMPARISON.values()}
REDUCTIONS = {"sum", "mean", "max", "min", "prod", "norm", "logsumexp", "var", "std"}


class Convention(NamedTuple):
    """What a formula leaves open.

    columns : vectors are columns, (n, 1).
    keepdims : sums keep their axes.
    entrywise : factors side by side are multiplied entry by entry.
    matrices : * between matrices is the product of matrices, as in MATLAB.
    powers : Xⁿ is a power of the matrix.
    determinants : |X| is a determinant.
    size : the size of the identity and of ones without one, and the number of classes.
    axis : the axis of a sum with an index.
    ones : the number 1 is a vector of ones in products.
    last : in index notation, the indices are those of the last axes; of one-hot labels, the classes are.
    """

    columns: bool = False
    keepdims: bool = False
    entrywise: bool = False
    matrices: bool = False
    powers: bool = False
    determinants: bool = False
    size: int = 0
    axis: int | None = None
    last: bool = False
    ones: bool = False


class PaperEvaluation(Evaluation):
    """The evaluation of one tree under a convention, for a result of the shape of a gradient."""

    def __init__(
        self,
        text: str,
        values: Mapping[str, Value],
        convention: Convention,
        shape: tuple[int, ...] = (),
        limits: Limits | None = None,
    ) -> None:
        self.source, self.statements = SourceText(text.split("\n")), []
        self.budget = Budget(Limits() if limits is None else limits)
        self.convention, self.shape = convention, shape
        self.scope = {n: np.asarray(v)[:, None] if np.ndim(v) == 1 else v for n, v in values.items()} if convention.columns else dict(values)  # fmt: skip  # noqa: E501
        self.rows = set[ast.expr]()
        """Vectors that are rows: xᵀ."""

    def evaluate(self, node: ast.expr) -> Value:
        """The value of a tree."""
        with np.errstate(all="ignore"):
            try:
                return self.number(node, self.value(node))
            except RecursionError:
                self.fail(node, "the formula is nested too deeply")

    def value(self, node: ast.expr) -> Value:
        """The value of an expression."""
        visit = VISITS_ON_PAPER.get(type(node))
        return visit(self, node) if visit else self.fail(node, refusal(node))

    # ----- values may be complex here -----
    def name(self, node: ast.Name) -> Value:
        """The value of a name."""
        value: Value = self.scope.get(node.id)
        if value is None and node.id[0] == "∂":
            above = node.id[1:].partition("/")[0]
            self.fail(node, f"{node.id} is read where {above} is a function entry by entry; write other Jacobians out")
        return value if np.iscomplexobj(value) and not isinstance(value, Tensor) else super().name(node)

    def constant(self, node: ast.Constant) -> Value:
        """A literal."""
        return node.value if isinstance(node.value, complex) else super().constant(node)

    def spend(self, node: ast.expr, what: str, estimate: Callable[[], Any], compute: Callable[[], Value]) -> Value:
        """The computed value, after its estimated cost is charged to the budget."""

        def step() -> Value:
            self.budget.spend(estimate())
            value = compute()
            return checked(value) if isinstance(value, list | tuple) or not np.iscomplexobj(value) else value

        return self.compute(node, what, step)

    def number(self, node: ast.expr, value: Value) -> Value:
        """A mask as the numbers 1 and 0, a list of numbers and vectors as one vector; other values as they are."""
        if isinstance(value, list) and value:
            size = sum(map(np.size, value))
            return self.spend(node, "list", lambda: entrywise(np.broadcast_to(0.0, size)), lambda: joined(value))
        return 1 * value if isinstance(value, np.ndarray) and value.dtype == bool else value

    def column(self, node: Column) -> Value:
        """A vector of LaTeX, as a column where the gradient is one."""
        vector = self.number(node, [self.value(each) for each in node.elts])
        is_column = self.convention.columns or (len(self.shape) == 2 and self.shape[1] == 1)
        return np.reshape(vector, (-1, 1)) if is_column and np.ndim(vector) == 1 else vector

    # ----- what shapes decide -----
    def product(self, node: Product) -> Value:
        """A product of numbers, vectors or matrices."""
        a, b = (self.number(each, self.value(each)) for each in (node.left, node.right))
        if self.convention.ones:
            a, b = self.with_ones(node, a, b)
        sign = self.sign(node, a, b)
        resolve(node, sign)
        if sign == "outer":
            return self.spend(node, "outer product", lambda: outer(a, b), lambda: np.outer(a, b))
        if sign == "kron":
            return self.spend(node, "⊗", lambda: outer(a, b), lambda: np.kron(a, b))
        if sign == "*":
            value = self.spend(node, "product", lambda: entrywise(a, b), lambda: self.entrywise(node, a, b))
        else:
            value = self.spend(node, "matmul", lambda: matmul(a, b), lambda: np.matmul(a, b))
        if np.ndim(value) == 1 and (node.left in self.rows or (sign == "*" and node.right in self.rows)):
            self.rows.add(node)
        return value

    def with_ones(self, node: Product, a: Value, b: Value) -> tuple[Value, Value]:
        """The factors, with a vector of ones in place of the number 1: 1 xᵀ and X 1."""
        if is_one(node.left) and np.ndim(b):
            a = np.ones(self.shape[0] if node.right in self.rows and self.shape else np.shape(b)[0])
        elif is_one(node.right) and np.ndim(a):
            b = np.ones(np.shape(a)[-1])
        return a, b

    def sign(self, node: Product, a: Value, b: Value) -> str:
        """The kind of product: *, @, outer or kron."""
        if isinstance(a, tuple | list) or isinstance(b, tuple | list) or a is None or b is None:
            self.fail(node, "expected numbers on both sides of a product")
        shapes, sign = (np.shape(a), np.shape(b)), node.sign
        ndims = len(shapes[0]), len(shapes[1])
        if np.size(a) == 1 or np.size(b) == 1:
            return "*"
        if sign == "⊗":
            return "outer" if max(ndims) == 1 else "*" if self.convention.entrywise else "kron"
        if sign in ("*", "×") and not self.convention.matrices:
            return "*"
        if sign != "@" and sign not in ("*", "×") and self.convention.entrywise:
            return "*"
        if ndims == (1, 1):
            if node.right in self.rows and node.left not in self.rows:
                return "outer"
            return "@" if sign in ("@", "·", "×") or node.left in self.rows else "*"
        if shapes[0][-1] == shapes[1][max(ndims[1] - 2, 0)]:
            return "@"
        if sign == "@" or not _broadcast(*shapes):
            raise misfit(self.source.error_at(node, _misfit(node, *shapes)))
        return "*"

    def entrywise(self, node: ast.expr, a: Value, b: Value) -> Value:
        """The product entry by entry."""
        try:
            return a * b
        except ValueError:
            raise ShapeError(f"entry by entry, shapes {np.shape(a)} and {np.shape(b)} do not fit") from None

    def raised(self, node: Raised) -> Value:
        """A power with ^."""
        base, exponent = self.value(node.base), self.value(node.exponent)
        square = np.ndim(base) >= 2 and np.shape(base)[-1] == np.shape(base)[-2] > 1
        if exponent == -1 if np.ndim(exponent) == 0 else False:
            resolve(node, "inv" if square else "**")
            if square:
                return self.spend(node, "inverse", lambda: factored(base), lambda: np.linalg.inv(base))
            return self.spend(node, "^", lambda: entrywise(base), lambda: 1.0 / base)
        if square and self.convention.powers and isinstance(exponent, int) and 2 <= exponent <= 16:
            resolve(node, "matrix_power")
            return self.spend(node, "^", lambda: matmul(base, base), lambda: np.linalg.matrix_power(base, exponent))
        resolve(node, "**")
        return self.operate(ast.copy_location(ast.BinOp(node.base, ast.Pow(), node.exponent), node), "**", _power, node.base, node.exponent)  # fmt: skip  # noqa: E501

    def bars(self, node: Bars) -> Value:
        """|x|."""
        value = self.value(node.operand)
        square = np.ndim(value) >= 2 and np.shape(value)[-1] == np.shape(value)[-2] > 1
        if square and self.convention.determinants:
            resolve(node, "det")
            return self.spend(node, "det", lambda: factored(value), lambda: np.linalg.det(value))
        resolve(node, "abs")
        return self.spend(node, "abs", lambda: entrywise(value), lambda: np.abs(value))

    def big(self, node: Big) -> Value:
        """∑ with an index, or over all."""
        value = self.value(node.operand)
        axis = self.convention.axis if node.index else None
        if axis is not None and axis >= np.ndim(value):
            axis = None
        options = {} if axis is None else {"axis": axis, "keepdims": self.convention.keepdims}
        resolve(node, "" if axis is None else str(axis))
        return self.apply(node, self.function(node, node.name), [value], options)

    def sized(self, node: Sized) -> Value:
        """The identity or ones in the size of the convention."""
        n = self.convention.size or (self.shape[-1] if self.shape else 1)
        resolve(node, str(n))
        if node.name == "eye":
            return np.eye(n)
        return np.ones((n, 1)) if self.convention.columns else np.ones(n)

    def attribute(self, node: ast.Attribute) -> Value:
        """x.T, which makes a row of a vector, and transposes every matrix of a stack."""
        if node.attr == "T" and np.ndim(stack := self.value(node.value)) > 2:
            resolve(node, "mT")
            return self.spend(node, ".mT", lambda: entrywise(stack), lambda: np.swapaxes(stack, -1, -2))
        value = super().attribute(node)
        if node.attr in ("T", "mT") and np.ndim(value) == 1 and node.value not in self.rows:
            self.rows.add(node)
        return value

    def operate(self, node: ast.expr, sign: str, function: Callable[..., Any], *operands: ast.expr) -> Value:
        """The value of an operator; masks are the numbers 1 and 0."""
        values = [self.value(each) if sign in COMPARISONS else self.number(each, self.value(each)) for each in operands]
        numbers = self.compute(node, sign, lambda: [operand(value, sign) for value in values])
        return self.spend(node, sign, lambda: cost(sign, *numbers), lambda: apply(sign, function, *numbers))

    def unary(self, node: ast.UnaryOp) -> Value:
        """-x."""
        value = super().unary(node)
        if node.operand in self.rows:
            self.rows.add(node)
        return value

    def binary(self, node: ast.BinOp) -> Value:
        """Arithmetic."""
        value = super().binary(node)
        if np.ndim(value) == 1 and (node.left in self.rows or node.right in self.rows):
            self.rows.add(node)
        return value

    # ----- functions -----
    def call(self, node: ast.Call) -> Value:
        """A call; a sum over an axis keeps it where that is the convention."""
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name == "onehot" and node.args:
            return self.onehot(node)
        if name == "scatter" and len(node.args) > 1:
            return self.scatter(node)
        if name in ("onehot", "scatter"):
            self.fail(node, f"{name}: an argument is missing; write onehot(labels) or scatter(x, index)")
        if name.endswith("'") and not function_named(name.rstrip("'")):
            return self.slope_of_layer(node, name)
        if name == "scatter" and len(node.args) > 1:
            return self.scatter(node)
        if name in REDUCTIONS and len(node.args) == 2 and (counted := self.counted_from_one(node)) is not None:
            return counted
        options = {each.arg for each in node.keywords}
        reduces = name in REDUCTIONS and ("axis" in options or len(node.args) == 2) and "keepdims" not in options
        if reduces and self.convention.keepdims:
            kept = ast.Call(node.func, node.args, [*node.keywords, ast.keyword("keepdims", ast.Constant(True))])
            resolve(node, "keepdims")
            return super().call(ast.copy_location(kept, node))
        if name == "diag" and len(node.args) == 1 and np.size(number := self.value(node.args[0])) == 1:
            return number  # a number times the identity
        if name == "diag" and self.convention.columns and len(node.args) == 1:
            value = self.value(node.args[0])
            return np.diag(np.ravel(value)) if np.ndim(value) == 2 and np.shape(value)[1] == 1 else super().call(node)
        return super().call(node)

    def argument(self, function: Function, node: ast.expr) -> Value:
        """The value of an argument; only functions that join arrays take lists of them."""
        value = super().argument(function, node)
        return value if function.name in JOINING or not isinstance(value, list) else self.number(node, value)

    def counted_from_one(self, node: ast.Call) -> Value | None:
        """MATLAB's sum(x, 2), over the last of two axes; None for an axis that is counted from 0."""
        axis = node.args[1].value if isinstance(node.args[1], ast.Constant) else None
        if type(axis) is not int or axis < 1 or axis != np.ndim(value := self.value(node.args[0])):
            return None
        resolve(node, "counted from one")
        options = {"axis": axis - 1, "keepdims": True}
        name = ast.unparse(node.func)
        return self.apply(node, self.function(node, name), [value], options)

    def function(self, node: ast.expr, name: str) -> Function:
        """The function of a name; f' is a derivative."""
        if name.endswith("'"):
            return _function(name, self.slope(node, name[:-1]))
        if name in OWN:
            return _function(name, OWN[name])
        if name not in functions() and name not in self.scope:
            self.fail(node, f"there is no function {name}{suggestion(name, [*functions(), *OWN])}")
        return super().function(node, name)

    def slope(self, node: ast.expr, name: str) -> Callable[[Value], Value]:
        """The derivative of a function of one argument, entry by entry."""
        function = self.slope(node, name[:-1]) if name.endswith("'") else self.function(node, name).function
        return lambda x: derivative(function, x)

    def slope_of_layer(self, node: ast.Call, name: str) -> Value:
        """g'(Z), for the function g that the run applies to Z."""
        argument = node.args[0] if node.args else None
        slope = self.scope.get(f"{argument.id}'") if isinstance(argument, ast.Name) else None
        if slope is None:
            self.fail(node, f"{name} is read where its argument is the name of a tensor that a function is applied to")
        return slope

    def onehot(self, node: ast.Call) -> Value:
        """The one-hot columns or rows of integer labels: as in the derived formula, or in the gradient's shape."""
        derived = self.scope.get(f"onehot({ast.unparse(node.args[0])})")
        if derived is not None and len(node.args) == 1:
            return derived
        labels = np.asarray(self.value(node.args[0]))
        if labels.dtype.kind not in "iu" and not (labels.dtype.kind == "f" and np.all(labels == np.rint(labels))):
            self.fail(node, "onehot: expected integer labels")
        labels = labels.astype(int)
        if len(node.args) > 1:
            classes = int(self.value(node.args[1]))
            rows = self.one_hot_rows(node, np.ravel(labels) if labels.ndim else labels, classes)
            return rows.T if labels.ndim else rows
        classes = self.convention.size or max(self.shape, default=1)
        if not (labels.size and labels.min() >= 0 and labels.max() < classes <= 100_000):
            self.fail(node, f"onehot: labels between {labels.min(initial=0)} and {labels.max(initial=0)} do not fit {classes} classes")  # fmt: skip  # noqa: E501
        rows = self.one_hot_rows(node, labels, classes)
        return rows if rows.ndim == 1 or self.convention.last else rows.T

    def one_hot_rows(self, node: ast.Call, labels: Any, classes: int) -> Any:
        """Return a row for each label, with 1 at its place."""
        if classes < 1:
            self.fail(node, f"onehot: expected at least one class; got {classes}")
        return self.spend(
            node,
            "onehot",
            lambda: entrywise(np.broadcast_to(0.0, (labels.size, classes))),
            lambda: (labels[..., None] == np.arange(classes)).astype(float),
        )

    def scatter(self, node: ast.Call) -> Value:
        """Entries at an index, and zeros elsewhere, in the shape of the gradient."""
        entries, keys = self.value(node.args[0]), tuple(self.key(each) for each in node.args[1:])
        given = [self.value(option.value) for option in node.keywords if option.arg == "shape"]
        shape = tuple(given[0]) if given else self.shape

        def placed() -> Value:
            result = np.zeros(shape, np.result_type(entries, 1.0))
            np.add.at(result, keys, entries)
            return result

        return self.spend(node, "scatter", lambda: filled(shape), placed)

    def indexed(self, node: Indexed) -> Value:
        """x_i where nothing is said of the index: all entries."""
        if not node.id:
            self.fail(node, "δ has no value without its indices")
        return self.name(ast.copy_location(ast.Name(node.id, ast.Load()), node))

    # ----- what has no value -----
    def unknown(self, node: Unknown) -> Value:
        """A name that was not known when it was read: one that is defined later has a value."""
        if node.name in self.scope:
            return self.scope[node.name]
        return self.unit_vector(node)

    def unit_vector(self, node: Unknown) -> Value:
        """e_2, which is 1 at place 2 of the first axis, counted from 0."""
        place = re.fullmatch(r"e_?(\d{1,6})", node.name)
        if place is None or not self.shape or int(place[1]) >= self.shape[0]:
            self.no_value(node)
        vector = np.eye(self.shape[0])[int(place[1])]
        return vector[:, None] if self.convention.columns else vector

    def no_value(self, node: Unknown) -> NoReturn:
        """Raise an ExpressionError with the names that resemble this one."""
        letters = node.name.rstrip("0123456789_")
        alike = [name for name in self.scope if name.rstrip("0123456789_") == letters]
        near = f"; did you mean {' or '.join(sorted(alike)[:3])}?" if alike else ""
        near = near or suggestion(node.name, [*self.scope, *functions(), *OWN])
        names = ", ".join([name for name in self.scope if not name.endswith("'")][:8])
        self.fail(node, f"there is no value named {node.name}{near or f'; the names are {names}'}")

    def partial(self, node: Partial) -> Value:
        """A differential that is not above another."""
        self.fail(node, f"d{node.name} is read in a ratio, as in ∂{node.name}/∂W")


VISITS_ON_PAPER: dict[type[ast.expr], Callable[[Any, Any], Value]] = {
    **VISITS,
    ast.Name: PaperEvaluation.name,
    ast.Constant: PaperEvaluation.constant,
    ast.Attribute: PaperEvaluation.attribute,
    ast.UnaryOp: PaperEvaluation.unary,
    ast.BinOp: PaperEvaluation.binary,
    ast.Call: PaperEvaluation.call,
    Column: PaperEvaluation.column,
    Product: PaperEvaluation.product,
    Raised: PaperEvaluation.raised,
    Bars: PaperEvaluation.bars,
    Big: PaperEvaluation.big,
    Sized: PaperEvaluation.sized,
    Indexed: PaperEvaluation.indexed,
    Unknown: PaperEvaluation.unknown,
    Partial: PaperEvaluation.partial,
}


def derivative(function: Callable[..., Any], x: Value) -> Value:
    """The derivative of an elementwise function at every entry."""
    at = Tensor(np.asarray(x, dtype=np.result_type(x, np.float64)))
    (slope,) = gradients(np.sum(function(at)), [at])
    return slope.value


def _function(name: str, function: Callable[..., Any]) -> Function:
    estimate = factored if name in ("logdet", "cofactors") else entrywise
    return Function(name, function, inspect.signature(function), lambda *args, **options: estimate(*args))


def is_one(node: ast.expr) -> bool:
    """Whether a factor is the number 1."""
    return isinstance(node, ast.Constant) and node.value == 1


def joined(parts: list[Value]) -> Value:
    """Numbers and vectors as one vector."""
    columns = any(np.ndim(part) == 2 for part in parts)
    return np.concatenate([part if np.ndim(part) else np.reshape(part, (1, 1) if columns else 1) for part in parts])


def _power(base: Value, exponent: Value) -> Value:
    whole = np.asarray(exponent).dtype.kind in "iub" and np.any(np.asarray(exponent) < 0)
    return (
        np.power(np.asarray(base, float), exponent)
        if whole and np.asarray(base).dtype.kind in "iub"
        else base**exponent
    )


def _broadcast(a: tuple[int, ...], b: tuple[int, ...]) -> bool:
    return all(m == n or 1 in (m, n) for m, n in zip(reversed(a), reversed(b), strict=False))


def _misfit(node: Product, a: tuple[int, ...], b: tuple[int, ...]) -> str:
    """The sentence about a product of matrices whose shapes do not fit, with the transposes that would."""
    left, right = (_factor(as_numpy(each)) for each in (node.left, node.right))
    inner = b[max(len(b) - 2, 0)]
    sentence = f"the product of {left} {a} and {right} {b}: inner sizes {a[-1]} and {inner} differ"
    fits = []
    if len(a) == 2 and a[0] == inner:
        fits.append(f"{_transposed(left)} {right}")
    if len(b) == 2 and a[-1] == b[-1]:
        fits.append(f"{left} {_transposed(right)}")
    if len(a) == len(b) == 2 and a[0] == b[1]:
        fits.append(f"{_transposed(left)} {_transposed(right)}")
    return f"{sentence}; {' or '.join(fits)} would fit" if fits else f"{sentence}; neither transpose fits"


def misfit(error: ExpressionError) -> ExpressionError:
    """The error, marked as one about shapes."""
    error.__cause__ = ShapeError(error.message)
    return error


def _factor(code: str) -> str:
    """The code of a factor, in parentheses where it needs them."""
    return code if re.fullmatch(r"[\w.]+|\w+\([^()]*\)", code) else f"({code})"


def _transposed(factor: str) -> str:
    return factor[:-2] if factor.endswith(".T") else f"{factor}.T"
