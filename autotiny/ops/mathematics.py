"""Formulas in mathematical notation: which kind of expression an operation is for readers.

Products of matrices are distinguished from products entry by entry, and masks from truth values; operations that only
move axes of length 1 are left out.
"""

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from autotiny.notation.expression import Expression, operands_first, symbol
from autotiny.notation.irrational import short_form
from autotiny.notation.numbers import as_typed, index
from autotiny.ops.code import Names, Node, along_diagonal, is_diagonal, sparse_matrix
from autotiny.ops.indexing import parts
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
            "inv": self.inverse,
            "solve": self.solution,
            "broadcast_to": self.broadcast,
            "reshape": self.reshape,
            "index": self.index,
            "scatter": self.scatter,
            "stack": self.stack,
            "join": self.join,
            "pad_constant": self.padded,
            "summation": self.summation,
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
        if node.ndim == 2 and any(self.vector(part, axis=1) is not None for part in self.parts(node)):
            whole = self.product_with_columns(self.parts(node))
            return Expression("negative", [whole]) if self.is_negative(node) else whole
        a, b = node.args
        if b.dtype == bool and self.is_constant(a) and np.ndim(a.value) == 0 and a.value == 1:
            return self.factor(b)
        if self.is_scalar(a) and not self.is_constant(b):
            return self.make("scale", a, b)
        return self.make("scaled" if self.is_scalar(b) else "multiply", a, b)

    def parts(self, node: Node) -> list[Node]:
        """Return the factors of a product of products, without signs."""
        if self.kind(node) not in ("multiply", "negative"):
            return [node]
        return [part for arg in node.args for part in self.parts(arg)]

    def is_negative(self, node: Node) -> bool:
        """Whether an odd number of the factors of a product has a minus in front."""
        if self.kind(node) not in ("multiply", "negative"):
            return False
        return (self.kind(node) == "negative") ^ (sum(map(self.is_negative, node.args)) % 2 == 1)

    def product_with_columns(self, parts: list[Node]) -> Expression:
        """Return a product with columns that are vectors: an outer product, or a matrix whose rows they scale."""
        numbers = [self.factor(part) for part in parts if self.is_scalar(part)]
        others = [part for part in parts if not self.is_scalar(part)]
        columns = [self.factor(x) for part in others if (x := self.vector(part, axis=1)) is not None]
        others = [part for part in others if self.vector(part, axis=1) is None]
        rows = [x for part in others if (x := self.as_row(part)) is not None]
        matrices = [self.factor(part) for part in others if self.as_row(part) is None]
        column = together("multiply", columns)
        if matrices:
            first, *rest = matrices
            whole = Expression("matmul", [Expression("diagonal matrix", [column]), first])
            whole = together("multiply", [whole, *rest, *map(self.factor, rows)])
        else:
            whole = self.outer(column, rows) if rows else column
        return together("scale", [*numbers, whole])

    def outer(self, column: Expression, rows: list[Node]) -> Expression:
        """Return an outer product u vᵀ; u vᵀ B for u (Bᵀ v)ᵀ."""
        if len(rows) > 1:
            return Expression("outer", [column, together("multiply", list(map(self.factor, rows)))])
        (row,), matrices = rows, list[Node]()
        while self.kind(row) == "matmul" and row.ndim == 1 and self.is_transposed(row.args[0]):
            matrices.append(row.args[0].args[0])
            row = row.args[1]
        if matrices and (self.kind(row) == "matmul" or row.ndim != 1):
            return Expression("outer", [column, self.factor(rows[0])])
        whole = Expression("outer", [column, self.factor(row)])
        return together("matmul", [whole, *map(self.factor, reversed(matrices))])

    def as_row(self, node: Node) -> Node | None:
        """Return the vector that a factor of a matrix is, along its rows."""
        return node if node.ndim == 1 else self.vector(node, axis=0)

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
        x = node.args[0]
        is_line = x.ndim == 1 or (
            self.kind(x) in REDUCTIONS and x.ndim == 2 and x.shape[1 - axis] == 1 != x.shape[axis]
        )
        return x if node.ndim == 2 and node.shape[axis] == 1 and is_line else None

    def matrix_product(self, node: Node) -> Expression:
        """Return a matrix product; a vector on the left is transposed, unless it is a row already, as xᵀ A is."""
        a, b = node.args
        if (x := self.vector(a, axis=0)) is not None:
            return self.make("row matmul", x, b)
        if a.ndim == b.ndim == 1:
            is_form = self.kind(b) == "matmul" and self.kind(a) != "matmul"
            return self.make("matmul" if self.is_row(a) else "row matmul" if is_form else "dot", a, b)
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
        return self.transposed(node.args[0]) if node.ndim <= 2 and self.swaps(node) else self.plain(node, "call")

    def swaps(self, node: Node) -> bool:
        """Whether np.transpose of a matrix swaps its axes."""
        return node.kwargs.get("axes") in (None, (1, 0), (-1, -2), [1, 0])

    def swapaxes(self, node: Node) -> Expression:
        """Return the transpose of the last two axes, or a call for others."""
        return self.transposed(node.args[0]) if self.transposes_last(node) else self.plain(node, "call")

    def transposes_last(self, node: Node) -> bool:
        """Whether np.swapaxes swaps the last two axes."""
        axes = {node.kwargs.get(name, 0) % max(node.ndim, 1) for name in ("axis1", "axis2")}
        return axes == {node.ndim - 1, node.ndim - 2}

    def inverse(self, node: Node) -> Expression:
        """Return an inverse: A⁻¹, or A⁻ᵀ of a transpose."""
        x = node.args[0]
        return self.make("inverse transpose", *x.args) if self.is_transposed(x) else self.make("inv", x)

    def solution(self, node: Node) -> Expression:
        """Return the solution of a linear system: A⁻¹ b, or A⁻ᵀ b of a transposed matrix."""
        a, b = node.args
        return self.make("transposed solve", *a.args, b) if self.is_transposed(a) else self.make("solve", a, b)

    def is_transposed(self, node: Node) -> bool:
        """Whether a node is the transpose of a matrix."""
        if self.kind(node) == "swapaxes":
            return self.transposes_last(node)
        return self.kind(node) == "transpose" and node.ndim == 2 and self.swaps(node)

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

    def summation(self, node: Node) -> Expression:
        """Return a sum of products with an index for each axis; the labels are those of np.einsum."""
        terms, output = node.kwargs["terms"], node.kwargs["output"]
        operands = [
            Expression("index", [self.factor(x)], value=tuple(labels)) if labels else self.factor(x)
            for x, labels in zip(node.args, terms, strict=True)
        ]
        added = tuple(sorted({*"".join(terms)} - {*output}))
        product = together("multiply", operands)
        return Expression("sum over labels", [product], value=added) if added else product

    def reshape(self, node: Node) -> Expression:
        """Return a reshape; one that restores the axes of a reduction is left out."""
        x = node.args[0]
        if node.ndim == 2 and self.made[x].kind == "vector" and self.kind(x) == "stack":
            return Expression("matrix", self.made[x].operands, value=len(node))
        lengths = [n for n in x.shape if n > 1]
        same = lengths == [n for n in node.shape if n > 1]
        if same and (self.kind(x) in REDUCTIONS or (len(lengths) < 2 and max(x.ndim, node.ndim) < 3)):
            return self.transposed(x) if x.ndim == node.ndim == 2 and x.shape != node.shape else self.made[x]
        if x.ndim == 2 and node.ndim == 1:  # row by row, where vec goes column by column
            return Expression("vec", [self.transposed(x)])
        return Expression("call", [self.factor(x), Expression("words", value=str(node.shape))], "reshape")

    def broadcast(self, node: Node) -> Expression:
        """Return a broadcast: a number as it is, a vector times a vector of ones."""
        x = node.args[0]
        if x.ndim == 0:
            return self.factor(x)
        if node.ndim == 2 and x.shape == (node.shape[0], 1) != (1, 1):
            line = self.vector(x, axis=1)
            return Expression("outer", [self.factor(x if line is None else line), Expression("ones")])
        if node.ndim == 2 and x.shape in ((node.shape[1],), (1, node.shape[1])):
            x = x if x.ndim == 1 or (line := self.vector(x, axis=0)) is None else line
            row = self.factor(x)
            return Expression("outer" if x.ndim == 1 else "matmul", [Expression("ones"), row])
        return self.plain(node, "call")

    def index(self, node: Node) -> Expression:
        """Return an index of an array; that of the identity is a unit vector, or the one-hot matrix of labels."""
        x, key = node.args[0], node.kwargs.get("key")
        if along_diagonal(key, x.shape):
            return Expression("diagonal", [self.factor(x)])
        if self.is_constant(x) and is_identity(x.value):
            picked = [part for part in parts(key) if not isinstance(part, slice)]
            if isinstance(key, int):
                return Expression("unit vector", value=key)
            if len(picked) == 1 and np.asarray(getattr(picked[0], "value", picked[0])).dtype.kind in "iu":
                labels = picked[0]
                shown = Expression("array", value=labels)
                return Expression("one hot", [_Mathematics(self.names).of(labels) if hasattr(labels, "op") else shown])
        return Expression("index", [self.factor(x)], value=key)

    def scatter(self, node: Node) -> Expression:
        """Return a scatter: a diagonal matrix, or a call."""
        x = self.factor(node.args[0])
        if is_diagonal(node):
            return Expression("diagonal matrix", [x])
        return Expression("call", [x, Expression("words", value=index(node.kwargs.get("key")))], "scatter")

    def stack(self, node: Node) -> Expression:
        """Return the vector of some numbers; a call for arrays."""
        return self.plain(node, "stack") if node.ndim > 1 else self.make("vector", *node.args)

    def join(self, node: Node) -> Expression:
        """Return vectors beside each other as one vector; a call for arrays with more axes."""
        if node.ndim > 1:
            return self.plain(node, "join")
        pieces = list[Expression]()
        for x in node.args:
            zeros = self.is_constant(x) and not np.any(x.value)
            number = x.size == 1 and self.kind(x) in ("reshape", "broadcast_to") and x.args[0].ndim == 0
            pieces += [ZERO] * x.size if zeros and x.size <= FEW_ZEROS else [self.factor(x.args[0] if number else x)]
        return Expression("vector", pieces)

    def padded(self, node: Node) -> Expression:
        """Return a vector between zeros; a call where these are many."""
        widths = np.broadcast_to(np.asarray(node.kwargs.get("pad_width", 0)), (node.ndim, 2)).tolist()
        if node.ndim > 1 or max(widths[0]) > FEW_ZEROS or np.any(node.kwargs.get("constant_values", 0)):
            return self.plain(node, "pad_constant")
        before, after = widths[0]
        return Expression("vector", [*[ZERO] * before, self.factor(node.args[0]), *[ZERO] * after])


ZERO, FEW_ZEROS = Expression("number", value=0.0), 3


def together(kind: str, parts: Sequence[Expression]) -> Expression:
    """Return expressions joined by an infix, from the left."""
    return functools.reduce(lambda a, b: Expression(kind, [a, b]), parts)


def constant(value: Any) -> Expression:
    """Return the expression of a constant: a number, also one that fills an array, the identity, or an array."""
    entries = np.asarray(value)
    if entries.size and entries.dtype.kind in "fiubc" and np.all(entries == entries.flat[0]):
        return short_form(entries.flat[0]) or Expression("number", value=entries.flat[0])
    if is_identity(value):
        return symbol("I")
    if entries.ndim == 2 and entries.size and entries.flat[0] and is_identity(entries / entries.flat[0]):
        scale = entries.flat[0]
        number = Expression("number", value=scale)
        return Expression("negative", [symbol("I")]) if scale == -1 else Expression("scale", [number, symbol("I")])
    return Expression("array", value=entries)


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
