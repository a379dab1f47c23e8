"""Operations as NumPy code: as a user typed them, and as a program computes them.

A node is anything with `op`, `args`, `kwargs`, `shape`, `ndim`, `value` and `name`: a recorded Tensor or a formula.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from autotiny.notation.code import NumpyCode, TypedCode
from autotiny.notation.expression import Expression, operands_first, symbol
from autotiny.notation.forms import NUMPY, Call, Form
from autotiny.notation.numbers import Name
from autotiny.ops.signature import signature
from autotiny.ops.table import Op

Node = Any
Names = Mapping[Node, str]


def as_code(root: Node, names: Names) -> Expression:
    """Return a formula as the expression of its code, operation by operation."""
    made: dict[Node, Expression] = {}
    for node in operands_first([root], lambda node: () if node in names else node.args):
        made[node] = symbol(names[node]) if node in names else _code(node, [made[arg] for arg in node.args], names)
    return made[root]


def typed(op: Op, operands: Sequence[Expression | str], kwargs: Mapping[str, Any], ndim: int = 2) -> str:
    """Return one operation as a user typed it; `operands` are expressions or names, `ndim` the axes of the result.

    >>> from autotiny.ops import OPS
    >>> typed(OPS[np.matmul], ["W1", "X"], {}), typed(OPS[np.sum], ["A"], {"axis": 0, "keepdims": True})
    ('W1 @ X', 'sum(A, axis=0)')
    """
    symbols = [symbol(operand) if isinstance(operand, str) else operand for operand in operands]
    return TypedCode()(typed_expression(op, symbols, kwargs, ndim))


def typed_expression(op: Op, operands: Sequence[Expression], kwargs: Mapping[str, Any], ndim: int) -> Expression:
    """Return one operation as the expression that a user typed."""
    return operation(op, operands, kwargs if op.kind in CODE else _without_unset(op, kwargs), ndim)


def _without_unset(op: Op, kwargs: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the options without axis=None, unless it differs from the default, as for a softmax."""
    if not any(value is None for value in kwargs.values()):
        return kwargs
    parameters = signature(op.function).parameters
    return {n: value for n, value in kwargs.items() if value is not None or parameters[n].default is not None}


def operation(op: Op, operands: Sequence[Expression], kwargs: Mapping[str, Any], ndim: int) -> Expression:
    """Return one operation as the expression of its code; `ndim` is the number of axes of its result."""
    if op.own_notation:
        return Expression("own", operands, op.name, op.own_notation, kwargs)
    if op.kind in CODE and (kwargs or op.kind in ("index", "transpose")):
        return CODE[op.kind](operands, kwargs, ndim)
    kind = op.kind if op.kind == op.name and op.kind not in CODE else "call"
    return Expression(kind, operands, numpy_name(op) or op.name, options=kwargs)


def numpy_name(op: Op) -> str | None:
    """Return NumPy's name of the operation, with its module; None if NumPy lacks the operation."""
    form = NUMPY.get(op.kind) if op.kind == op.name else None
    if isinstance(form, Call) and form.name.startswith("np."):
        return form.name
    homes = {"np": np, "np.linalg": np.linalg, "np.fft": np.fft}
    return next((f"{name}.{op.name}" for name, m in homes.items() if getattr(m, op.name, None) is op.function), None)


def is_numpy(op: Op) -> bool:
    """Whether NumPy has an operator, a method or a function that computes the same."""
    form = NUMPY.get(op.kind) if op.kind == op.name else None
    return op.kind in CODE or isinstance(form, Form) or numpy_name(op) is not None


def has_operator(op: Op) -> bool:
    """Whether Python has an operator of its own for it: a + b, -a, a > b."""
    form = NUMPY.get(op.kind) if op.kind == op.name else None
    return isinstance(form, Form) and (len(form.needs) == 2 or form.is_sign)


def _code(node: Node, operands: list[Expression], names: Names) -> Expression:
    if node.op is not None and node.op.kind == "stack" and node.ndim == 1:
        return Expression("vector", operands)
    if node.op is None:
        return symbol(node.name) if node.name is not None else typed_constant(node.value)
    if node.op.kind == "scatter" and is_diagonal(node):
        return Expression("diagonal matrix", operands)
    if node.op.kind == "index" and along_diagonal(node.kwargs.get("key"), node.args[0].shape):
        return Expression("diagonal", operands)
    kwargs = {**node.kwargs, "key": key_in_code(node.kwargs["key"], names)} if "key" in node.kwargs else node.kwargs
    return operation(node.op, operands, kwargs, node.ndim)


def key_in_code(key: Any, names: Names) -> Any:
    """Return an index with the code of the formulas in it."""
    if isinstance(key, tuple):
        return tuple(key_in_code(part, names) for part in key)
    return Name(NumpyCode()(as_code(key, names))) if hasattr(key, "op") else key


def typed_constant(value: Any) -> Expression:
    """Return the expression of a number or an array in code."""
    return Expression("number" if np.ndim(value) == 0 else "array", value=value)


def _index_code(operands: Sequence[Expression], kwargs: Mapping[str, Any], ndim: int) -> Expression:
    return Expression("index", operands, value=kwargs.get("key", ...))


def _astype_code(operands: Sequence[Expression], kwargs: Mapping[str, Any], ndim: int) -> Expression:
    dtype = Expression("words", value=f"np.{np.dtype(kwargs['dtype']).name}")
    return Expression("astype", [*operands, dtype])


def _transpose_code(operands: Sequence[Expression], kwargs: Mapping[str, Any], ndim: int) -> Expression:
    axes = kwargs.get("axes")
    if axes is None or ndim < 2 or (ndim == 2 and axes[0] % 2):
        return Expression("transpose", operands)
    return Expression("call", operands, "np.transpose", options=kwargs)


def _swapaxes_code(operands: Sequence[Expression], kwargs: Mapping[str, Any], ndim: int) -> Expression:
    if {kwargs.get(name, 0) % max(ndim, 1) for name in ("axis1", "axis2")} == {ndim - 2, ndim - 1}:
        return Expression("transpose" if ndim == 2 else "transpose last", operands)
    return Expression("call", operands, "np.swapaxes", options=kwargs)


def _einsum_code(operands: Sequence[Expression], kwargs: Mapping[str, Any], ndim: int) -> Expression:
    subscripts = f"{','.join(kwargs['terms'])}->{kwargs['output']}"
    return Expression("call", [Expression("words", value=repr(subscripts)), *operands], "np.einsum")


def _scatter_code(operands: Sequence[Expression], kwargs: Mapping[str, Any], ndim: int) -> Expression:
    """Return scatter as a call, for cards only: code that runs needs two statements."""
    return Expression("call", operands, "scatter", options=kwargs)


def sparse_matrix(kwargs: Mapping[str, Any]) -> Expression:
    """Return the sparse matrix that is an option of a product, as an operand."""
    matrix = kwargs["matrix"]
    name = symbol(matrix.name)
    return Expression("transpose", [name]) if matrix.is_transposed else name


def _sparse_times_code(operands: Sequence[Expression], kwargs: Mapping[str, Any], ndim: int) -> Expression:
    return Expression("matmul", [sparse_matrix(kwargs), *operands])


def _times_sparse_code(operands: Sequence[Expression], kwargs: Mapping[str, Any], ndim: int) -> Expression:
    return Expression("matmul", [*operands, sparse_matrix(kwargs)])


CODE: dict[str, Callable[[Sequence[Expression], Mapping[str, Any], int], Expression]] = {
    "index": _index_code,
    "astype": _astype_code,
    "transpose": _transpose_code,
    "swapaxes": _swapaxes_code,
    "summation": _einsum_code,
    "scatter": _scatter_code,
    "sparse_times": _sparse_times_code,
    "times_sparse": _times_sparse_code,
}


def is_diagonal(node: Node) -> bool:
    """Whether a scatter puts entries along the diagonal of a matrix of zeros."""
    return node.ndim == 2 and along_diagonal(node.kwargs.get("key"), node.shape)


def along_diagonal(key: Any, shape: tuple[int, ...]) -> bool:
    """Whether an index picks the diagonal of a square matrix."""
    places = [part for part in key if part is not ...] if isinstance(key, tuple) else []
    n = shape[0]
    if shape != (n, n) or len(places) != 2:
        return False
    return all(isinstance(part, np.ndarray) and np.array_equal(part, np.arange(n)) for part in places)
