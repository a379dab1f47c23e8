"""Vectors that are reshaped to columns or rows: operations on these are operations on the vectors.

So the reshape is the last operation, where it falls together with the next one; sums that keep their axes and columns
that have no other form stay what they are.
"""

from autotiny.algebra.normal import (
    MATMUL,
    ONE,
    PRODUCTS,
    SUMS,
    factors,
    is_reshape,
    is_sum,
    product,
    reshaped,
)
from autotiny.algebra.term import Term, apply, constant


def column(v: Term) -> Term:
    """Return a vector as a matrix of one column."""
    return reshaped(v, (v.size, 1))


def row(v: Term) -> Term:
    """Return a vector as a matrix of one row."""
    return reshaped(v, (1, v.size))


def vector(term: Term, axis: int) -> Term | None:
    """Return the vector that is reshaped to a column, where `axis` is 1, or to a row, where it is 0."""
    if is_reshape(term) and term.ndim == 2 and term.shape[axis] == 1 and term.args[0].ndim == 1:
        return term.args[0]
    return None


def as_lines(term: Term) -> Term | None:
    """Return an operation on columns that are reshaped vectors as an operation on the vectors; None for any other.

    So are operations on rows, and a column that is reshaped to a vector.
    """
    op = term.op
    if op is None or op is MATMUL or not (is_reshape(term) or op.has("elementwise") or op in PRODUCTS | SUMS):
        return None
    if is_reshape(term):
        (x,) = term.args
        line = flat(x) if term.ndim == 1 and x.shape in ((*term.shape, 1), (1, *term.shape)) else None
        return None if line is term else line
    if term.ndim != 2 or 1 not in term.shape or term.size == 1 or not any(_is_line(arg) for arg in term.args):
        return None
    return _flat_operation(term, sums=False)


def in_line(v: Term, shape: tuple[int, ...]) -> Term:
    """Return a vector as a column or row, with numbers in front."""
    coefficient, powers = factors(v)
    numbers, rest = ([f for f in powers if (f[0].ndim == 0) is wanted] for wanted in (True, False))
    if (coefficient == 1 and not numbers) or not rest or v.shape == shape:
        return reshaped(v, shape)
    return product(coefficient, [*numbers, (reshaped(product(ONE, rest, v.shape), shape), ONE)], shape)


def _is_line(x: Term) -> bool:
    return vector(x, 0) is not None or vector(x, 1) is not None


def flat(x: Term, sums: bool = True) -> Term | None:
    """Return a column or row as a vector, if that needs no reshape but those of sums, or none at all."""
    if is_reshape(x) and x.args[0].ndim == 1:
        return x.args[0]
    if is_sum(x):
        return reshaped(x, (x.size,)) if sums else None
    return None if x.op is None else _flat_operation(x, sums)


def _flat_operation(x: Term, sums: bool) -> Term | None:
    op = x.op
    assert op is not None
    if op is MATMUL or x.kwargs or not (op.has("elementwise") or op in PRODUCTS | SUMS):
        return None
    args = [arg if arg.ndim == 0 else flat(arg, sums) if arg.shape == x.shape else None for arg in x.args]
    if any(arg is None for arg in args):
        return None
    made = constant(apply(op, args, {}))
    coefficient, powers = factors(made)
    return product(coefficient, powers, made.shape) if op in PRODUCTS else made
