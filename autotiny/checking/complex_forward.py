"""The table of functions that a complex step can pass through, and how each is computed on complex numbers.

A complex step evaluates f(x + ihv) with an h so small that h² is nothing: the real part is f(x), the imaginary part
over h is the derivative along v, and nothing is subtracted (W. Squire and G. Trapp, "Using complex variables to
estimate derivatives of real functions", 1998).  Most of NumPy is analytic as it stands; the rest is computed here.
What looks at |x| or at an order stands in `kinks`.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from autotiny.ops import OPS, activations, einsum, indexing, linalg, reductions, shaping

Array = Any
Forward = Callable[..., Array]

AS_THEY_STAND: set[Any] = {
    np.add,
    np.subtract,
    np.negative,
    np.positive,
    np.multiply,
    np.divide,
    np.reciprocal,
    np.square,
    np.power,
    np.float_power,
    np.conjugate,
    np.exp,
    np.exp2,
    np.expm1,
    np.log,
    np.log2,
    np.log10,
    np.sqrt,
    np.sin,
    np.cos,
    np.tan,
    np.arcsin,
    np.arccos,
    np.arctan,
    np.sinh,
    np.cosh,
    np.tanh,
    np.arccosh,
    np.arctanh,
    np.where,
    np.sum,
    np.prod,
    np.cumsum,
    np.cumprod,
    np.matmul,
    einsum.summation,
    np.linalg.inv,
    np.linalg.det,
    np.linalg.solve,
    np.tril,
    np.triu,
    np.reshape,
    np.ravel,
    np.expand_dims,
    np.squeeze,
    np.transpose,
    np.swapaxes,
    np.moveaxis,
    np.broadcast_to,
    np.flip,
    np.roll,
    np.copy,
    shaping.join,
    shaping.pad_constant,
    indexing.index,
    indexing.scatter,
    activations.softmax,
    activations.log_softmax,
    activations.logsumexp,
}
"""Functions whose own program computes them on complex numbers too."""


def by_program(table: dict[Any, Forward]) -> dict[Any, Forward]:
    """The same table by the functions that operations know, of which those that users call may be wrappers."""
    return {OPS[function].function: forward for function, forward in table.items()}


DIRECT = {OPS[function].function for function in AS_THEY_STAND}


def log1p(x: Array) -> Array:
    """log(1 + x), whose real part NumPy loses where x is small."""
    return np.log1p(x.real) + 1j * np.arctan2(x.imag, 1 + x.real)


def arcsinh(x: Array) -> Array:
    """log(x + √(x² + 1)), its real part computed without cancellation."""
    sign = np.where(x.real < 0, -1, 1)
    return np.arcsinh(x.real) + 1j * sign * np.log(sign * x + np.sqrt(x * x + 1)).imag


def arctan2(a: Array, b: Array) -> Array:
    """The angle of (b, a), from the smaller of the two quotients."""
    steep = abs(np.real(a)) > abs(np.real(b))
    quotient = np.where(steep, -b, a) / np.where(steep, a, b)
    return np.arctan2(np.real(a), np.real(b)) + 1j * np.arctan(quotient).imag


def cbrt(x: Array) -> Array:
    """The real third root."""
    sign = np.where(x.real < 0, -1, 1)
    return sign * (sign * x) ** (x.real.dtype.type(1) / 3)


def logaddexp(a: Array, b: Array) -> Array:
    """log(exp(a) + exp(b)), from the larger one on."""
    ahead = np.real(a) >= np.real(b)
    high: Array = np.where(ahead, a, b)
    low: Array = np.where(ahead, b, a)
    return high + log1p(np.exp(low - high))


def sigmoid(x: Array) -> Array:
    """1 / (1 + exp(-x)), without overflow."""
    e = np.exp(np.where(x.real >= 0, -x, x))
    return np.where(x.real >= 0, 1, e) / (1 + e)


def log_abs_det(x: Array) -> Array:
    """log |det(x)| + i (the angle by which the step turns det(x))."""
    sign, size = map(np.asarray, np.linalg.slogdet(x))
    turned = sign * np.where(sign.real < 0, -1, 1)
    return size + 1j * np.arctan2(turned.imag, turned.real)


def vdot(a: Array, b: Array) -> Array:
    """The sum of the products, without conjugation."""
    return np.sum(np.ravel(a) * np.ravel(b))


def _flat(function: Any) -> Forward:
    return lambda x, **options: function(np.real(x), **options) + 0j


SMOOTH: dict[Any, Forward] = {
    np.log1p: log1p,
    np.arcsinh: arcsinh,
    np.arctan2: arctan2,
    np.cbrt: cbrt,
    np.logaddexp: logaddexp,
    np.logaddexp2: lambda a, b: logaddexp(a * np.log(2), b * np.log(2)) / np.log(2),
    np.deg2rad: lambda x: x * (np.pi / 180),
    np.rad2deg: lambda x: x * (180 / np.pi),
    np.remainder: lambda a, b: a - b * np.floor(np.real(a) / np.real(b)),
    np.fmod: lambda a, b: a - b * np.trunc(np.real(a) / np.real(b)),
    np.nan_to_num: lambda x, **options: np.where(np.isfinite(x.real), x, np.nan_to_num(x.real, **options)),
    linalg.vdot: vdot,
    linalg.log_abs_det: log_abs_det,
    linalg.sign_of_det: lambda x: np.linalg.slogdet(x.real.astype(float)).sign + 0j,
    activations.sigmoid: sigmoid,
    shaping.astype: lambda x, dtype=None: x,
}
SMOOTH |= {flat: _flat(flat) for flat in (np.sign, np.floor, np.ceil, np.rint, np.trunc, np.round)}

LOGARITHMS = by_program({activations.sigmoid: lambda y, x: -logaddexp(np.zeros_like(x), -x)})
"""log(y) of an exponential y, computed from its operands, where its own program does not take complex numbers."""


# ----- kinks -----
# Functions with kinks, on complex numbers: which side a complex step goes to.
#
# Where two real parts tie, the imaginary parts tell which side the step goes to, so that the derivative at a kink comes
# out one-sided, exactly: with h on the right, with -h on the left.  A value counts as a tie where it is within rounding
# of one: the graph cannot know better.


class Kinks:
    """Complex forwards of everything in the table; `met` turns true when a step had to choose a side.

    eps : the rounding of the recorded values, within which two of them tie.
    by_convention : choose no side, but follow the engine's convention: a constant wins a tie, tracked values share it.
    shared : whether the operation that is being computed has no constant beside it.
    """

    def __init__(self, eps: float) -> None:
        self.eps, self.met, self.by_convention, self.shared = eps, False, False, True
        kinked: dict[Any, Forward] = {
            np.absolute: lambda x: self.either(x, x, -x, 0.0),
            np.fabs: lambda x: self.either(x, x, -x, 0.0),
            np.maximum: self.maximum,
            np.fmax: lambda a, b: np.where(np.isnan(b), a, np.where(np.isnan(a), b, self.maximum(a, b))),
            np.minimum: lambda a, b: -self.maximum(-a, -b),
            np.fmin: lambda a, b: np.where(np.isnan(b), a, np.where(np.isnan(a), b, -self.maximum(-a, -b))),
            np.max: self.max,
            np.min: lambda x, axis=None, keepdims=False: -self.max(-x, axis, keepdims),
            activations.relu: lambda x: self.either(x, x, np.zeros_like(x), 0.0),
            activations.leaky_relu: lambda x, slope=0.01: self.either(x, x, slope * x, slope * np.imag(x)),
            activations.elu: self.elu,
            np.hypot: self.hypot,
            reductions.euclidean: self.euclidean,
        }
        self.forwards = by_program(kinked | SMOOTH)

    def forward(self, function: Any) -> Forward | None:
        """How a function is computed on complex numbers; None where the table does not have it."""
        return OPS[function].forward if function in DIRECT else self.forwards.get(function)

    def either(self, x: Array, above: Array, below: Array, convention: Array) -> Array:
        """One value where x > 0, another where x < 0; at 0 that to which x moves, or what moves by convention."""
        apart, ahead = np.real(x), np.imag(x)
        ties = abs(apart) <= 4 * self.eps * self.size(x)
        return self.chosen(ties, apart, ahead, above, below, convention)

    def maximum(self, a: Array, b: Array) -> Array:
        """The larger of two."""
        apart, ahead = np.real(a) - np.real(b), np.imag(a) - np.imag(b)
        ties = abs(apart) <= 4 * self.eps * max(self.size(a), self.size(b))
        return self.chosen(ties, apart, ahead, a, b, (np.imag(a) + np.imag(b)) / 2 if self.shared else 0.0)

    def chosen(self, ties: Array, apart: Array, ahead: Array, above: Array, below: Array, convention: Array) -> Array:
        """The value above where apart > 0, that below where apart < 0; where these tie, as the step goes ahead."""
        self.met = self.met or bool(np.any(ties & (ahead != 0)))
        chosen: Array = np.where(np.where(ties, ahead > 0, apart > 0), above, below)
        return np.where(ties, chosen.real + 1j * convention, chosen) if self.by_convention else chosen

    def size(self, x: Array) -> float:
        """The largest finite real part, by which rounding is judged."""
        return float(np.max(abs(np.real(x)), initial=0, where=np.isfinite(np.real(x))))

    def max(self, x: Array, axis: Any = None, keepdims: bool = False) -> Array:
        """The largest: of those that tie, the one that moves ahead most."""
        top = x.real.max(axis=axis, keepdims=True)
        near = top - x.real <= 4 * self.eps * abs(top)
        ahead = np.where(near, x.imag, -np.inf).max(axis=axis, keepdims=True)
        self.met = self.met or bool(np.any(near & (x.imag != ahead)))
        if self.by_convention:
            ahead = np.sum(near * x.imag, axis=axis, keepdims=True) / np.sum(near, axis=axis, keepdims=True)
        return top + 1j * ahead if keepdims else np.squeeze(top + 1j * ahead, axis=axis)

    def elu(self, x: Array, alpha: float = 1.0) -> Array:
        """x or alpha (exp(x) - 1)."""
        below = alpha * np.expm1(np.where(x.real > 0, 0, x))
        return self.either(x, x, below, alpha * np.imag(x))

    def hypot(self, a: Array, b: Array) -> Array:
        """√(a² + b²), scaled."""
        size = np.maximum(abs(np.real(a)), abs(np.real(b)))
        size = np.where(size == 0, 1, size)
        return size * self.root((a / size) ** 2 + (b / size) ** 2)

    def euclidean(self, x: Array, axis: Any = None, keepdims: bool = False) -> Array:
        """√(sum(x²))."""
        return self.root(np.sum(np.square(x), axis=axis, keepdims=keepdims))

    def root(self, squares: Array) -> Array:
        """The root of a sum of squares: at 0, where it is √(-h²) = i |h|, its derivative by convention is 0."""
        at_zero = np.real(squares) == 0
        self.met = self.met or bool(np.any(at_zero))
        root: Array = np.sqrt(squares)
        return np.where(at_zero, 0, root) if self.by_convention else root
