"""Derivatives by other means than the rules of the table, with which they share no code.

An oracle takes a plain NumPy function and gives its whole Jacobian, one matrix (outputs, entries) for each argument,
and how far each entry may be off. A gradient is then held against u J entry by entry.
"""

from itertools import pairwise
from typing import NamedTuple

import numpy as np

EXTENDED = np.longdouble
ROUNDINGS = 16
"""How many roundings of the largest entry a right rule may gather."""


class Jacobian(NamedTuple):
    """∂f/∂x of one argument, and a bound on the error of each entry."""

    values: np.ndarray
    errors: np.ndarray


def flat(outputs):
    """The entries of an array, or of a list or tuple of arrays, as one vector."""
    parts = outputs if isinstance(outputs, list | tuple) else [outputs]
    return np.concatenate([np.ravel(part) for part in parts])


def split(values):
    """The real and imaginary parts of complex arrays, one after the other; real arrays as they are."""
    return [part for x in values for part in ((np.real(x), np.imag(x)) if np.iscomplexobj(x) else (x,))]


def on_parts(f, args, results):
    """f as a real function of the parts of its arguments, and those parts.

    `results` says which results are complex, also where they happen to be computed as real.
    """
    are_complex = [np.iscomplexobj(x) for x in args]

    def of_parts(*parts):
        left = iter(parts)
        values = f(*(next(left) + 1j * next(left) if c else next(left) for c in are_complex))
        listed = values if isinstance(values, list | tuple) else [values]
        return [part for y, c in zip(listed, results, strict=True) for part in ([np.real(y), np.imag(y)] if c else [y])]

    return of_parts, split(args)


def complex_step(f, args, h=1e-20):
    """∂f/∂x = Im f(x + ih) / h: nothing is subtracted, so h may be so small that the next term h² f'''/6 is nothing."""

    def column(position, entry):
        moved = [np.array(arg, dtype=float) for arg in args]
        moved[position] = moved[position].astype(complex)
        moved[position].flat[entry] += 1j * h
        derivative = flat(f(*moved)).imag / h
        return derivative, 4 * np.finfo(float).eps * np.abs(derivative)

    return _assembled(column, f, args)


def differences(f, args, dtype=EXTENDED, step=2.0**-8, levels=6):
    """Central differences of halving steps, extrapolated: D(h) = f' + c₁ h² + c₂ h⁴ + ... (Richardson; Ridders, 1982).

    The extrapolation that agrees best with the two that it is made of is taken, and what they differ by is its error.
    """
    base = [np.array(arg, dtype=dtype) for arg in args]

    def column(position, entry):
        def f_at(offset):
            moved = [arg.copy() for arg in base]
            moved[position].flat[entry] += offset
            return flat(f(*moved))

        steps = dtype(step) / 2 ** np.arange(levels)
        pairs = [(f_at(h), f_at(-h)) for h in steps]
        slopes = [(a - b) / (2 * h) for (a, b), h in zip(pairs, steps, strict=True)]
        rounding = 4 * np.finfo(dtype).eps * np.max(np.abs(pairs), axis=(0, 1)) / steps[-1]
        return _extrapolated(slopes, rounding)

    return _assembled(column, f, base)


def _extrapolated(row, rounding):
    """The best entry of Neville's table over D(h), D(h/2), ... that knows the smallest step, and its error."""
    best, error = row[-1], np.full(row[-1].shape, np.inf)
    for order in range(1, len(row)):
        finer = [b + (b - a) / (4**order - 1) for a, b in pairwise(row)]
        apart = np.maximum(abs(finer[-1] - row[-1]), abs(finer[-1] - row[-2]))
        best, error = np.where(apart < error, finer[-1], best), np.minimum(apart, error)
        row = finer
    return best, error + rounding


def _assembled(column, f, args):
    outputs = flat(f(*args)).size
    result = []
    for position, arg in enumerate(args):
        columns = [column(position, entry) for entry in range(arg.size)]
        tables = [np.array(table, dtype=EXTENDED).reshape(arg.size, outputs).T for table in zip(*columns, strict=True)]
        result.append(Jacobian(*(tables or [np.zeros((outputs, 0))] * 2)))
    return result


def excess(gradient, upstream, jacobian, eps):
    """How far g is from u J, in units of what rounding and the oracle's error explain: 1 or less if right."""
    u = flat(upstream).astype(EXTENDED)
    away = abs(np.ravel(gradient) - u @ jacobian.values)
    largest = np.max(abs(u) @ abs(jacobian.values), initial=0)
    explained = ROUNDINGS * eps * largest + abs(u) @ jacobian.errors
    return float(np.max(np.divide(away, explained, out=np.where(away == 0, 0, np.inf), where=explained > 0), initial=0))


def taylor_slope(f, gradients, args, upstream, directions, dtype=EXTENDED):
    """The order p of the remainder |u f(x + h v) - u f(x) - h g v| ~ h^p: 2 or more for the gradient g, 1 for another.

    It is infinite where the remainder is nothing but rounding, as for a linear function.
    """
    u, base = flat(upstream).astype(dtype), [np.array(arg, dtype=dtype) for arg in args]
    steps = dtype(10) ** -np.arange(2, 6)

    def products(h):
        return u * flat(f(*(x + h * v for x, v in zip(base, directions, strict=True))))

    terms = np.concatenate([np.ravel(g.astype(dtype) * v) for g, v in zip(gradients, directions, strict=True)])
    remainders = np.array([abs(np.sum(products(h) - products(0)) - h * np.sum(terms)) for h in steps])
    rounding = np.finfo(dtype).eps * np.sum(abs(products(0))) + np.finfo(gradients[0].dtype).eps * steps * np.sum(
        abs(terms)
    )
    steps, remainders = (each[remainders > 4 * ROUNDINGS * rounding] for each in (steps, remainders))
    if len(steps) < 2:
        return np.inf
    return float(np.log(remainders[-2] / remainders[-1]) / np.log(steps[-2] / steps[-1]))
