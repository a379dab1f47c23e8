"""Formulas in mathematical notation: which kind of expression an operation is for readers.

Products of matrices are distinguished from products entry by entry, and masks from truth values; operations that only
move axes of length 1 are left out.
"""

import math
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

import numpy as np

from autotiny.notation.expression import Expression, operands_first, symbol
from autotiny.notation.numbers import as_typed, index
from autotiny.notation.roots import root_of
from autotiny.ops.code import Names, Node, is_diagonal, sparse_matrix
from autotiny.ops.signature import signature
from autotiny.ops.table import Op

REDUCTIONS = {"sum", "prod", "max", "min", "euclidean", "std", "var"}
TRUTHS = {
    "logical_and", "logical_or", "logical_not", "greater", "greater_equal", "less", "less_equal", "equal", "not_equal",
    "where", "less twice", "less_equal twice",
}  # fmt: skip
"""Kinds whose operands may be truth values; elsewhere a truth value counts as 1 or 0: it is a mask."""
DIGITS = [str(n) for n in range(2, 10)]


def mathematics(root: Node, names: Names, shapes: bool = True) -> Expression:
    """Return a formula as an expression for readers; a node in `names` becomes its name.

    Without `shapes`, operations that only arrange or repeat entries are left out: g for broadcast_to(g, (3, 4)).
    """
    return _Mathematics(names, shapes).of(root)


class _Mathematics:
    """A converter from nodes to expressions; a node that has a name becomes a symbol."""

    def __init__(self, names: Names, shapes: bool = True) -> None:
        self.names, self.shapes = names, shapes
        self.made: dict[Node, Expression] = {}
        self.classify: dict[str, Callable[[Node], Expression]] = {
            **dict.fromkeys(REDUCTIONS, self.reduction),
            **dict.fromkeys(("positive", "copy", "astype"), lambda node: self.factor(node.args[0])),
            "ones_like": lambda node: Expression("ones", []),
            "add": self.sum,
            "logical_and": self.both,
            "multiply": self.product,
            "matmul": self.matrix_product,
            "power": self.power,
            "transpose": self.transpose,
            "swapaxes": self.swapaxes,
            "reshape": self.reshape,
            "index": self.index,
            "scatter": self.scatter,
            "sparse_times": lambda node: Expression("matmul", [sparse_matrix(node.kwargs), self.factor(node.args[0])]),
            "times_sparse": self.times_sparse,
        }

    def of(self, root: Node) -> Expression:
        """Return the expression of a node."""
        for node in operands_first([root], lambda node: () if node in self.names else node.args):
            self.made[node] = self.expression(node)
        return self.made[root]

    def expression(self, node: Node) -> Expression:
        """Return the expression of a node whose operands have been converted."""
        if node in self.names:
            return symbol(self.names[node])
        if node.op is None:
            return symbol(node.name) if node.name is not None else constant(node.value)
        if own := node.op.own_notation:
            return Expression("own", map(self.factor, node.args), node.op.name, own, node.kwargs)
        if not self.shapes and _only_arranges(node):
            return self.made[node.args[0]]
        kind = node.op.kind
        return self.classify[kind](node) if kind in self.classify else self.plain(node, kind)

    def kind(self, node: Node) -> str:
        """Return the kind of a node's operation; an empty string for a named node or a constant."""
        return "" if node in self.names or node.op is None else str(node.op.kind)

    def factor(self, node: Node) -> Expression:
        """Return a node as an operand in arithmetic: a truth value becomes a mask of 1 and 0."""
        return Expression("mask", [self.made[node]]) if self.is_truth(node) else self.made[node]

    def is_truth(self, node: Node) -> bool:
        """Whether a node is a comparison or a test, and not an arrangement of one, whose operand is a mask already."""
        if not self.kind(node) or node.dtype != bool:
            return False
        return self.kind(node) in TRUTHS or not any(arg.dtype == bool for arg in node.args)

    def make(self, kind: str, *operands: Node, options: Mapping[str, Any] | None = None, name: str = "") -> Expression:
        """Return an expression of a kind."""
        read = self.made.__getitem__ if kind in TRUTHS else self.factor
        return Expression(kind, map(read, operands), name, options=options)

    def plain(self, node: Node, kind: str) -> Expression:
        """Return an operation with the options that differ from their defaults."""
        return self.make(kind, *node.args, options=_without_defaults(node.op, node.kwargs), name=node.op.name)

    # ----- sums, products, powers -----
    def sum(self, node: Node) -> Expression:
        """Return a sum; a - b for a + (-b)."""
        a, b = node.args
        return self.make("subtract", a, b.args[0]) if self.kind(b) == "negative" else self.make("add", a, b)

    def product(self, node: Node) -> Expression:
        """Return a product: an outer product, a number times an array, or a product entry by entry."""
        a, b = node.args
        if b.dtype == bool and self.is_constant(a) and np.ndim(a.value) == 0 and a.value == 1:
            return self.factor(b)
        if (outer := self.outer(a, b)) is not None:
            return outer
        if self.is_scalar(a) and not self.is_constant(b):
            return self.make("scale", a, b)
        return self.make("scaled" if self.is_scalar(b) else "multiply", a, b)

    def outer(self, a: Node, b: Node) -> Expression | None:
        """Return the outer product of a column and a row; None for other factors."""
        for column, row in ((a, b), (b, a)):
            x, y = self.vector(column, axis=1), row if row.ndim == 1 else self.vector(row, axis=0)
            if x is not None and y is not None and self.kind(y) == "multiply" and self.is_scalar(y.args[0]):
                return Expression("scale", [self.factor(y.args[0]), self.make("outer", x, y.args[1])])
            if x is not None and y is not None:
                return self.make("outer", x, y)
        return None

    def both(self, node: Node) -> Expression:
        """Return a conjunction; a < x < b for a < x and x < b."""
        a, b = node.args
        kind = self.kind(a)
        if kind == self.kind(b) and kind in ("less", "less_equal") and a.args[1] is b.args[0]:
            return self.make(f"{kind} twice", *a.args, b.args[1])
        return self.make("logical_and", a, b)

    def is_constant(self, node: Node) -> bool:
        """Whether a node is a number or an array without a name."""
        return node.op is None and node.name is None and node not in self.names

    def is_scalar(self, node: Node) -> bool:
        """Whether a node is a number, or an array of equal entries."""
        return node.ndim == 0 or (self.is_constant(node) and self.made[node].kind == "number")

    def vector(self, node: Node, axis: int) -> Node | None:
        """Return x for x[:, None] or x in the shape (n, 1), where `axis` is 1; for x[None, :] where it is 0."""
        if self.kind(node) not in ("index", "reshape", "expand_dims"):
            return None
        return node.args[0] if node.ndim == 2 and node.shape[axis] == 1 and node.args[0].ndim == 1 else None

    def matrix_product(self, node: Node) -> Expression:
        """Return a matrix product; a vector on the left is transposed, unless it is a row already, as xᵀ A is."""
        a, b = node.args
        if (x := self.vector(a, axis=0)) is not None:
            return self.make("row matmul", x, b)
        if a.ndim == b.ndim == 1:
            return self.make("matmul" if self.is_row(a) else "dot", a, b)
        kinds = {(False, False): "matmul", (True, False): "row matmul", (False, True): "matmul row"}
        return self.make(kinds[a.ndim == 1 and not self.is_row(a), b.ndim == 1 and self.is_row(b)], a, b)

    def is_row(self, node: Node) -> bool:
        """Whether a vector is xᵀ A."""
        return self.kind(node) == "matmul" and node.args[0].ndim == 1

    def power(self, node: Node) -> Expression:
        """Return a power: x³ or x ** p."""
        base, exponent = node.args
        if self.is_constant(exponent) and self.made[exponent].kind == "number":
            digits = as_typed(self.made[exponent].value)
            if digits in DIGITS:
                return Expression("whole power", [self.factor(base)], value=digits)
        return self.make("power", base, exponent)

    # ----- transposes and shapes -----
    def transpose(self, node: Node) -> Expression:
        """Return a transpose: Aᵀ or A⁻ᵀ, or a call for a permutation of more axes."""
        if node.ndim <= 2 and node.kwargs.get("axes") in (None, (1, 0), (-1, -2), [1, 0]):
            return self.transposed(node.args[0])
        return self.plain(node, "call")

    def swapaxes(self, node: Node) -> Expression:
        """Return the transpose of the last two axes, or a call for others."""
        x = node.args[0]
        axes = {node.kwargs.get(name, 0) % max(x.ndim, 1) for name in ("axis1", "axis2")}
        return self.transposed(x) if axes == {x.ndim - 1, x.ndim - 2} else self.plain(node, "call")

    def transposed(self, x: Node) -> Expression:
        """Return the transpose of a matrix, or of its inverse or conjugate."""
        kinds = {"inv": "inverse transpose", "conjugate": "conjugate transpose"}
        return self.make(kinds[self.kind(x)], *x.args) if self.kind(x) in kinds else self.make("transpose", x)

    def times_sparse(self, node: Node) -> Expression:
        """Return a product with a sparse matrix on the right; a vector on its left is transposed."""
        kind = "row matmul" if node.args[0].ndim == 1 else "matmul"
        return Expression(kind, [self.factor(node.args[0]), sparse_matrix(node.kwargs)])

    def reduction(self, node: Node) -> Expression:
        """Return a reduction over axes, without keepdims: formulas leave out shapes."""
        (x,), axis, kind = node.args, node.kwargs.get("axis"), node.op.kind
        if isinstance(axis, tuple) and len(axis) == 1:
            axis = axis[0]
        if axis is None or _all_axes(axis, x.ndim):
            return self.make(kind, x, name=node.op.name)
        return self.make(f"{kind} over", x, options={"axis": axis}, name=node.op.name)

    def reshape(self, node: Node) -> Expression:
        """Return a reshape; one that restores the axes of a reduction is left out."""
        x = node.args[0]
        lengths = [n for n in x.shape if n > 1]
        if self.kind(x) in REDUCTIONS and lengths == [n for n in node.shape if n > 1]:
            return self.made[x]
        return Expression("call", [self.factor(x), Expression("words", value=str(node.shape))], "reshape")

    def index(self, node: Node) -> Expression:
        """Return an index of an array."""
        return Expression("index", [self.factor(node.args[0])], value=node.kwargs.get("key"))

    def scatter(self, node: Node) -> Expression:
        """Return a scatter: a diagonal matrix, or a call."""
        x = self.factor(node.args[0])
        if is_diagonal(node):
            return Expression("diagonal matrix", [x])
        return Expression("call", [x, Expression("words", value=index(node.kwargs.get("key")))], "scatter")


def constant(value: Any) -> Expression:
    """Return the expression of a constant: a number, also one that fills an array, the identity, or an array."""
    entries = np.asarray(value)
    if entries.size and entries.dtype.kind in "fiubc" and np.all(entries == entries.flat[0]):
        number = Expression("number", value=entries.flat[0])
        return number if entries.ndim or entries.dtype != float else with_roots(number)
    if is_identity(value):
        return symbol("I")
    if entries.ndim == 2 and entries.size and entries.flat[0] and is_identity(entries / entries.flat[0]):
        scale = entries.flat[0]
        number = Expression("number", value=scale)
        return Expression("negative", [symbol("I")]) if scale == -1 else Expression("scale", [number, symbol("I")])
    return Expression("array", value=entries)


def with_roots(number: Expression) -> Expression:
    """Return a number as √7 or 3 / √2, if it is one."""
    of_root = root_of(Fraction(abs(float(number.value)))) if math.isfinite(number.value) else None
    if of_root is None or of_root.above == of_root.below:
        return number
    above = [*_unless_one(of_root.r.numerator), *_roots_unless_one(of_root.above)] or [_whole(1)]
    below = [*_roots_unless_one(of_root.below), *_unless_one(of_root.r.denominator)]
    result = above[0] if len(above) == 1 else Expression("scale", above)
    for divisor in below:
        result = Expression("divide", [result, divisor])
    return Expression("negative", [result]) if number.value < 0 else result


def _whole(n: int) -> Expression:
    return Expression("number", value=n)


def _unless_one(n: int) -> list[Expression]:
    return [] if n == 1 else [_whole(n)]


def _roots_unless_one(n: int) -> list[Expression]:
    return [] if n == 1 else [Expression("sqrt", [_whole(n)], "sqrt")]


def is_identity(value: Any) -> bool:
    """Whether an array is an identity matrix of two rows or more."""
    entries = np.asarray(value)
    return entries.ndim == 2 and entries.size > 1 and np.array_equal(entries, np.eye(*entries.shape))


def _only_arranges(node: Node) -> bool:
    """Whether a node has the entries of its operand in their order: reshaped, repeated, or indexed by newaxis."""
    if node.op.kind != "index":
        return bool(node.op.has("reshapes")) or node.op.kind == "broadcast_to"
    key = node.kwargs.get("key")
    parts = key if isinstance(key, tuple) else (key,)
    simple = all(part is None or part is ... or isinstance(part, int | slice) for part in parts)
    return simple and node.size == node.args[0].size


def _all_axes(axis: Any, ndim: int) -> bool:
    axes = axis if isinstance(axis, tuple) else (axis,)
    return len({i % max(ndim, 1) for i in axes}) == ndim


def _without_defaults(op: Op, kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that differ from their defaults."""
    if not kwargs:
        return {}
    parameters = signature(op.function).parameters
    return {name: value for name, value in kwargs.items() if not _equal(value, parameters[name].default)}


def _equal(value: Any, default: Any) -> bool:
    return type(default) is type(value) and bool(default == value)
