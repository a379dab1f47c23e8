"""Formulas in the notations of the package: text, LaTeX, MathML, and NumPy code."""

from collections.abc import Container, Mapping
from functools import reduce
from operator import mul
from types import MappingProxyType

import numpy as np

from autotiny.algebra.term import Term, apply, constant, topological_order
from autotiny.errors import AutotinyError, UnsupportedError
from autotiny.notation.code import NumpyCode
from autotiny.notation.notations import Latex, MathML, Unicode
from autotiny.ops.code import as_code, is_numpy
from autotiny.ops.mathematics import mathematics

NO_NAMES: Mapping[Term, str] = MappingProxyType({})


def as_text(term: Term, names: Mapping[Term, str] = NO_NAMES) -> str:
    """Return the formula as text; a term in `names` is replaced by its name.

    >>> from autotiny.algebra import symbol
    >>> A2, Y, dZ2, Z1, W2, X, w = (symbol(name, np.eye(2)) for name in ("A2", "Y", "dZ2", "Z1", "W2", "X", "w"))
    >>> m = symbol("m", 8)
    >>> for formula in ((A2 - Y) / m, W2.T @ dZ2 * (Z1 > 0), A2 * np.sum(Y, axis=0) - Y, dZ2 @ X.T / m, 1 - A2**2):
    ...     print(as_text(formula))
    (A2 - Y) / m
    W2ᵀ dZ2 * 1[Z1 > 0]
    A2 * sum(Y, axis=0) - Y
    dZ2 Xᵀ / m
    1 - A2²
    >>> for formula in (X.T @ (X @ w - Y), (X + X.T) @ w, np.linalg.inv(X).T, w / np.linalg.norm(w), -np.exp(-X) * w):
    ...     print(as_text(formula))
    Xᵀ (X w - Y)
    (X + Xᵀ) w
    X⁻ᵀ
    w / ‖w‖
    -exp(-X) * w
    """
    return Unicode()(mathematics(term, names))


def as_latex(term: Term, names: Mapping[Term, str] = NO_NAMES) -> str:
    r"""Return the formula as LaTeX, with one bar to a fraction.

    >>> from autotiny.algebra import symbol
    >>> W2, dZ2, Z1 = (symbol(name, np.eye(2)) for name in ("W2", "dZ2", "Z1"))
    >>> print(as_latex(W2.T @ dZ2 * (Z1 > 0)))
    W_{2}^\top \, \mathrm{d}Z_{2} \odot \mathbb{1}\left[Z_{1} > 0\right]
    """
    return Latex()(mathematics(one_bar(term, names), names))


def as_mathml(term: Term, names: Mapping[Term, str] = NO_NAMES) -> str:
    """Return the formula as MathML, with one bar to a fraction."""
    return MathML()(mathematics(one_bar(term, names), names))


def as_numpy(term: Term, names: Mapping[Term, str] = NO_NAMES) -> str:
    """Return the formula as NumPy code.

    >>> from autotiny.algebra import symbol
    >>> W2, dZ2, Z1 = (symbol(name, np.eye(2)) for name in ("W2", "dZ2", "Z1"))
    >>> print(as_numpy(W2.T @ dZ2 * (Z1 > 0)))
    W2.T @ dZ2 * (Z1 > 0)
    >>> print(as_numpy(-dZ2 / np.sum(Z1 * dZ2, axis=0, keepdims=True)))
    -dZ2 / np.sum(Z1 * dZ2, axis=0, keepdims=True)
    """
    return NumpyCode()(as_code(term, names))


# ----- fractions -----
def one_bar(term: Term, whole: Container[Term] = ()) -> Term:
    """Return the formula with a / (b c) in place of a / b / c, numbers first in denominators; `whole` terms stay.

    >>> from autotiny.algebra import symbol
    >>> a, b, m = symbol("a", np.ones(2)), symbol("b", np.ones(2)), symbol("m", 2)
    >>> one_bar(a / b / m)
    divide(a, multiply(m, b))
    """
    done: dict[Term, Term] = {}
    with np.errstate(all="ignore"):
        for part in topological_order(term):
            done[part] = part if part.op is None or part in whole else _with_one_bar(part, done)
    return done[term]


def _with_one_bar(part: Term, done: dict[Term, Term]) -> Term:
    assert part.op is not None
    args = [done[arg] for arg in part.args]
    if not _is_quotient(part):
        return part if all(a is b for a, b in zip(args, part.args, strict=True)) else apply(part.op, args, part.kwargs)
    above, below = args[0], [args[1]]
    while _is_quotient(above):
        above, divisor = above.args
        below.insert(0, divisor)
    return apply(part.op, [above, reduce(mul, sorted(below, key=lambda term: term.ndim > 0))], {})


def _is_quotient(term: Term) -> bool:
    return term.op is not None and term.op.function is np.divide


# ----- NumPy's operations -----
def in_numpy(term: Term, known: dict[Term, Term]) -> Term:
    """Return the formula in NumPy's operations; `known` maps terms to their replacements and is extended.

    Raises UnsupportedError where an operation's forward function does not run on formulas.

    >>> from autotiny.algebra import symbol
    >>> import autotiny as at
    >>> print(as_numpy(in_numpy(at.relu(symbol("Z", 1.0)), {})))
    np.maximum(Z, 0)
    """
    for each in topological_order(term):
        if each not in known:
            known[each] = _short(each) if each.op is None else _in_numpy(each, [known[a] for a in each.args], known)
    return known[term]


def _short(term: Term) -> Term:
    """Return 2 for an unnamed 2.0, which computes the same with real numbers."""
    value = term.value
    is_whole = term.name is None and isinstance(value, float) and value.is_integer() and 0 <= value < 1e15
    return constant(int(value)) if is_whole else term


def _in_numpy(term: Term, args: list[Term], known: dict[Term, Term]) -> Term:
    assert term.op is not None
    if term.op.kind == "cofactors" and term.ndim != 2:
        raise UnsupportedError("numpy: the cofactors of a stack of matrices cannot be written as a formula")
    if not all(part.op is None or is_numpy(part.op) for part in term.parents[len(term.args) :]):
        raise UnsupportedError("numpy: an index that depends on values cannot be written as a formula")
    if is_numpy(term.op):
        return apply(term.op, args, term.kwargs)
    try:
        lowered = term.op.forward(*args, **term.kwargs)
    except AutotinyError as error:
        raise UnsupportedError(f"numpy: {term.op.name} cannot be written in NumPy functions: {error}") from error
    if not isinstance(lowered, Term) or lowered is term:
        raise UnsupportedError(f"numpy: {term.op.name} cannot be written in NumPy functions that autotiny knows")
    return in_numpy(lowered, known)
