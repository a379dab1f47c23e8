"""Derivatives from differences, extrapolated to step 0, on each side of a point, with an estimate of their error.

    D(h) = (f(h) - f(0)) / h = f'(0) + c₁ h + c₂ h² + ...                 one-sided
    D(h) = (f(h) - f(-h)) / (2h) = f'(0) + c₂ h² + c₄ h⁴ + ...            central

Each line of Neville's table removes one more term (Richardson's extrapolation; C. Ridders, "Accurate computation of
F'(x) and F'(x) F''(x)", 1982).  A long ladder of steps is tried: large ones cross kinks, small ones drown in rounding,
and the place in the table where neighbours agree best is taken, so that neither the scale of f nor its kinks need to be
known.
"""

from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

RATIO = 4
STEPS = tuple(0.125 / RATIO**k for k in range(18))
DEEPEST = 6
"""Terms of the expansion that are removed at most: beyond them extrapolation amplifies rounding."""
SAFETY = 4
SPACINGS = (18, 26, 34)


class Estimate(NamedTuple):
    """A derivative, and a bound on its error."""

    value: float
    noise: float


NOTHING = Estimate(np.nan, np.inf)


class Sides(NamedTuple):
    """The derivative to the left and to the right of a point: equal unless it sits at a kink.

    convention : what the engine's convention makes of a kink; where several meet it may lie outside the two
    beside : the derivatives at points beside the kink, of which there may be others than these two
    """

    left: float
    right: float
    noise: float
    convention: float | None = None
    beside: tuple[float, ...] = ()

    @property
    def low(self) -> float:
        """The smallest value that is right."""
        return min(self.left, self.right, *self.beside)

    @property
    def high(self) -> float:
        """The largest value that is right."""
        return max(self.left, self.right, *self.beside)

    def distance(self, value: float) -> float:
        """Return the distance of a value from the interval of right ones."""
        return max(self.low - value, value - self.high, 0.0) if np.isfinite(value) else np.inf


NOWHERE = Sides(np.nan, np.nan, np.inf)


def sides(f: Callable[[Any], Any], scale: float, eps: float) -> Sides:
    """The derivatives of f at 0.

    scale : the distance over which f may be expected to change; steps are taken from an eighth of it downwards
    eps : the rounding of f's values
    """
    steps = np.array(STEPS, dtype=np.longdouble) * np.longdouble(scale)
    here = f(np.longdouble(0))
    ahead, behind = (np.array([f(sign * h) for h in steps], dtype=np.longdouble) for sign in (1, -1))
    with np.errstate(all="ignore"):
        largest = np.maximum(np.abs(ahead), np.abs(behind)) + abs(here)
        rounding = np.maximum(eps * largest, scatter(f, scale)) / steps
        if any(does_not_shrink(values - here, steps * rounding) for values in (ahead, behind)):
            return NOWHERE
        central = extrapolated((ahead - behind) / (2 * steps), rounding, 2)
        right = extrapolated((ahead - here) / steps, 2 * rounding, 1)
        left = extrapolated((here - behind) / steps, 2 * rounding, 1)
    if abs(right.value - left.value) > right.noise + left.noise:
        return Sides(left.value, right.value, right.noise + left.noise)
    # Beside a kink the differences may seem smooth, but then the central one disagrees with the one-sided ones.
    noise = max(central.noise, abs((left.value + right.value) / 2 - central.value))
    return Sides(central.value, central.value, noise)


def does_not_shrink(changes: Any, rounding: Any) -> bool:
    """Whether the change of a function over smaller and smaller steps stays: it jumps."""
    far, near = abs(changes[7]), abs(changes[12])
    return bool(near > far / 2 and near > 1000 * rounding[12])


def approach(f: Callable[[Any], Any], derivative: Sides, scale: float, eps: float) -> bool:
    """Whether central differences come within a thousandth of a derivative for at least one step."""
    steps = np.array(STEPS, dtype=np.longdouble) * np.longdouble(scale)
    with np.errstate(all="ignore"):
        values = np.array([(f(h), f(-h)) for h in steps], dtype=np.longdouble)
        slopes = (values[:, 0] - values[:, 1]) / (2 * steps)
        allowed = 8 * eps * np.abs(values).max(axis=1) / steps
    away = [derivative.distance(slope) for slope in slopes]
    return bool(np.any(away <= allowed + max(abs(derivative.left), abs(derivative.right)) / 1000))


def scatter(f: Callable[[Any], Any], scale: float) -> float:
    """Estimate the rounding of f, whatever precision it has inside, from the scatter of its values beside 0.

    The fourth difference of noise σ has the variance 70 σ², that of a smooth function vanishes with the spacing
    (R. Hamming, "Introduction to Applied Numerical Analysis", 1971; J. Moré and S. Wild, "Estimating computational
    noise", 2011). The smoother side is believed, as there may be a kink; where f ends nearby, a smaller spacing.
    """
    for power in SPACINGS:
        spacing = np.longdouble(scale) * 2.0**-power * np.arange(1, 9)
        sides = [np.diff(np.array([f(sign * h) for h in spacing], dtype=np.longdouble), 4) for sign in (1, -1)]
        noise = float(np.fmin(*(np.sqrt(np.mean(side**2) / 70) for side in sides)))
        if np.isfinite(noise):
            break
    return noise


def extrapolated(slopes: Iterable[Any], rounding: Iterable[Any], order: int) -> Estimate:
    """The best entry of Neville's table over slopes D(h), D(h/4), ..., whose expansion goes in powers of h^order."""
    best, column, noise = NOTHING, list(slopes), list(rounding)
    for depth in range(1, DEEPEST):
        factor = RATIO ** (order * depth)
        finer = [b + (b - a) / (factor - 1) for a, b in pairwise(column)]
        noise = noise[1:]
        for (a, b), value, rounded in zip(pairwise(column), finer, noise, strict=True):
            off = SAFETY * (max(abs(value - a) / factor, abs(value - b)) + rounded)
            if off < best.noise:
                best = Estimate(value, off)
        column = finer
    return best


def random_direction(shape: tuple[int, ...], rng: np.random.Generator) -> Any:
    """Draw entries of either sign with sizes from 1/2 to 1: no two equal, none small."""
    return rng.choice([-1.0, 1.0], shape) * rng.uniform(0.5, 1, shape)
