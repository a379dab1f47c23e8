"""Functions with kinks, on complex numbers: which side a complex step goes to.

Where two real parts tie, the imaginary parts tell which side the step goes to, so that the derivative at a kink comes
out one-sided, exactly: with h on the right, with -h on the left.  A value counts as a tie where it is within rounding
of one: the graph cannot know better.
"""

from typing import Any

import numpy as np

from autotiny.checking.complex_forward import DIRECT, SMOOTH, Array, Forward, by_program
from autotiny.ops import OPS, activations, reductions


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
