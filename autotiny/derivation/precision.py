"""Values of formulas in long double, by which rounding is told from an error, also beside an ill-conditioned matrix."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from autotiny.algebra import Term, topological_order
from autotiny.ops.linalg import cofactors, log_abs_det, sign_of_det

Array = Any
LARGE = 200
"""The largest number of rows of a matrix that is inverted in long double."""
ROUNDING = 100
"""How many times as large as the rounding of a formula that of another way to compute it may be."""


def in_extended_precision(term: Term, definitions: Mapping[Term, Term], values: dict[Term, Any]) -> Any:
    """Return the value of a formula, computed in long double from the values of its inputs.

    Raises TypeError or ValueError where an operation has no extended precision, as eigenvalues have none.
    """
    for part in topological_order(term):
        if part in values:
            continue
        if part in definitions:
            values[part] = in_extended_precision(definitions[part], definitions, values)
        elif part.op is None:
            wide = {"f": np.longdouble, "c": np.clongdouble}.get(np.asarray(part.value).dtype.kind)
            values[part] = np.asarray(part.value, wide)
        else:
            forward = LINEAR_ALGEBRA.get(part.op.function, part.op.forward)
            values[part] = forward(*(values[arg] for arg in part.args), **part.kwargs)
    return values[term]


def difference(before: Any, after: Any) -> float:
    """max |after - before| / max |before|, over the entries where the value before is finite."""
    a, b = np.broadcast_arrays(*(1.0 * np.asarray(value) for value in (before, after)))
    finite = np.isfinite(a)
    if not finite.any():
        return 0.0
    largest = np.max(abs(a[finite]))
    apart = np.max(abs(b[finite] - a[finite]))
    return float(apart / largest) if largest > 0 else float(apart)


def is_rounding(before: Term, after: Term, definitions: Mapping[Term, Term]) -> bool:
    """Whether two formulas differ by rounding alone: then they differ far less where more digits are kept."""
    values: dict[Term, Any] = {}
    try:
        with np.errstate(all="ignore"):
            finer = difference(*(in_extended_precision(term, definitions, values) for term in (before, after)))
    except (TypeError, ValueError):
        return False
    return finer < difference(before.value, after.value) / 100


def agrees_to_rounding(value: Any, term: Term, definitions: Mapping[Term, Term]) -> bool:
    """Whether a value that was computed otherwise is as near to that of a formula as its own rounding allows."""
    try:
        with np.errstate(all="ignore"):
            exact = in_extended_precision(term, definitions, {})
    except (TypeError, ValueError):
        return False
    return difference(exact, value) <= ROUNDING * difference(exact, term.value)


# ----- linear algebra -----
def eliminated(a: Array, b: Array) -> tuple[Array, list[Any]]:
    """Return A⁻¹ B and the pivots, whose product is det(A), by Gauss and Jordan's elimination with pivots."""
    a, b, pivots = np.array(a), np.array(b), list[Any]()
    if a.ndim != 2 or b.ndim != 2 or len(a) > LARGE:
        raise TypeError("no extended precision for stacked or large matrices")
    for i in range(len(a)):
        largest = i + int(np.argmax(abs(a[i:, i])))
        a[[i, largest]], b[[i, largest]] = a[[largest, i]], b[[largest, i]]
        pivots.append(-a[i, i] if largest != i else a[i, i])
        a[i], b[i] = a[i] / a[i, i], b[i] / a[i, i]
        rows = a[:, i] * (np.arange(len(a)) != i)
        a, b = a - rows[:, None] * a[i], b - rows[:, None] * b[i]
    return b, pivots


def solve(a: Array, b: Array) -> Array:
    """Return A⁻¹ b."""
    return eliminated(a, b[:, None])[0][:, 0] if b.ndim == 1 else eliminated(a, b)[0]


def inv(a: Array) -> Array:
    """Return A⁻¹."""
    return eliminated(a, np.eye(len(a), dtype=a.dtype))[0]


def det(a: Array) -> Any:
    """Return det(A)."""
    return np.prod(eliminated(a, a)[1])


LINEAR_ALGEBRA: dict[Any, Callable[..., Any]] = {
    np.linalg.solve: solve,
    np.linalg.inv: inv,
    np.linalg.det: det,
    cofactors.__wrapped__: lambda a: det(a) * inv(a).T,  # type: ignore[attr-defined]
    log_abs_det.__wrapped__: lambda a: np.log(abs(det(a))),  # type: ignore[attr-defined]
    sign_of_det.__wrapped__: lambda a: det(a) / abs(det(a)),  # type: ignore[attr-defined]
}
"""Functions of np.linalg, which takes no long double."""
