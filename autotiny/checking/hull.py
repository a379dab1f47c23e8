"""The convex hull of the gradients beside a kink, and whether a gradient at the kink is in it.

    max(a, b) at a = b:      (1, 0) and (0, 1), so that (t, 1 - t) is right, and (1, 1) is wrong

A gradient is tested entry by entry; along directions in which the entries of each tie move together, so that nothing
changes sides and the sum over the tie is determined; and, where few entries are at a kink, against the hull itself
(F. Clarke, "Optimization and Nonsmooth Analysis", 1983).
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from autotiny.checking.differences import Sides, random_direction
from autotiny.checking.kinks import Array, Beside, tie_directions
from autotiny.checking.replaying import Replay

Along = Callable[[Array], Sides]
Allowance = Callable[[Array, Array, float], float]
"""The largest error, along a direction, of a gradient of some precision, that rounding explains."""

PAIRS = 3
"""The number of random directions, each taken forwards and backwards."""

FEW, ROUNDS, DOUBTS = 64, 24, 32
"""The largest number of entries at a kink that the hull itself is tested for, how often it is extended towards a
gradient, and the number of further directions that must show nothing new before that is wrong."""


class Misfit(NamedTuple):
    """How a gradient leaves the hull: at which entry, how far, along which direction, and in words."""

    place: tuple[int, ...]
    gap: float
    direction: Array
    words: str


class Hull:
    """The convex hull of the gradients beside a point, as far as they are known.

    corners : some of the gradients
    low, high : the smallest and the largest value of each entry
    """

    def __init__(self, replay: Replay, along: Along, allowed: Allowance, scale: Array) -> None:
        self.replay, self.beside, self.along, self.allowed = replay, Beside(replay), along, allowed
        self.scale, self.rng = scale, np.random.default_rng(0)
        self.ties = list(tie_directions(replay, self.rng))
        self.corners: list[Array] = []
        self.directions: list[Array] = []
        for _ in range(PAIRS):
            self.look(random_direction(scale.shape, self.rng) * scale)
        self.low, self.high = self._box()

    def _box(self) -> tuple[Array, Array]:
        """Return the bounds of each entry; what one entry of a tie has, over its slope, another may have."""
        if not self.corners:
            return np.full(self.scale.shape, np.nan), np.full(self.scale.shape, np.nan)
        corners = np.array(self.corners)
        low, high = corners.min(axis=0), corners.max(axis=0)
        for direction, ties in self.ties:
            moving = direction != 0
            slopes = ties[moving] / direction[moving]
            _, group = np.unique(ties[moving], return_inverse=True)
            least, most = np.full(len(group), np.inf), np.full(len(group), -np.inf)
            for shares in corners[:, moving] / slopes:
                np.minimum.at(least, group, shares)
                np.maximum.at(most, group, shares)
            ends = np.array([low[moving], high[moving], least[group] * slopes, most[group] * slopes])
            low[moving], high[moving] = ends.min(axis=0), ends.max(axis=0)
        return low, high

    def look(self, direction: Array) -> int:
        """Add the gradients ahead and behind, those that the numeric derivative confirms; return their number."""
        along, before = self.along(direction), len(self.corners)
        for sign, derivative in ((1, along.right), (-1, along.left)):
            g = self.beside.gradient(sign * direction)
            away = abs(float(np.sum(g * direction) - derivative))
            if away <= along.noise + self.allowed(g, direction, 0.0):
                self.corners.append(g)
                self.directions.append(sign * direction)
        return len(self.corners) - before

    def outside(self, target: Array) -> Array:
        """Return how far each entry of a gradient lies outside those beside the point; nan where there is no kink."""
        with np.errstate(invalid="ignore"):
            away = np.maximum(np.maximum(self.low - target, target - self.high), 0)
        return np.where(self.high > self.low, away, np.nan)

    @property
    def slanted(self) -> Array:
        """A direction in which no two entries move alike, so that it meets every kink."""
        return np.asarray(random_direction(self.scale.shape, np.random.default_rng(0)) * self.scale)

    def is_convention(self, autograd: Array, direction: Array) -> bool:
        """Whether a gradient is, along a direction, what the conventions at kinks make of it."""
        along = self.along(direction)
        if along.convention is None:
            return False
        away = abs(float(np.sum(autograd * direction)) - along.convention)
        return away <= along.noise + self.allowed(autograd, direction, 0.0)

    def include(self, index: tuple[int, ...], sides: Sides) -> Sides:
        """Return the derivatives by an entry, with the interval of those beside the point."""
        low, high = self.low[index], self.high[index]
        return sides._replace(beside=(low, high)) if np.isfinite(low + high) else sides

    def misfit(self, target: Array, eps: float) -> Misfit | None:
        """Return how a gradient leaves the hull, looking for more of it; None if it is not known to."""
        if not np.all(np.isfinite(target)):
            return None
        misfit = self._off_the_corners(target, eps) or self._off_a_tie(target, eps)
        self.low, self.high = self._box()
        return misfit

    def _off_a_tie(self, target: Array, eps: float) -> Misfit | None:
        """Test the sum over each tie: along its direction the derivative is one number."""
        for direction, ties in self.ties:
            if self._gap(target, direction, eps) is None:
                continue
            numbers = np.unique(ties[direction != 0])
            while len(numbers) > 1:
                halves = np.array_split(numbers, 2)
                gaps = [self._gap(target, np.where(np.isin(ties, half), direction, 0), eps) or 0.0 for half in halves]
                numbers = halves[int(np.argmax(gaps))]
            direction = np.where(np.isin(ties, numbers), direction / numbers[0], 0)
            if self._gap(target, direction, eps) is not None:
                return self._wrong_sum(target, direction)
        return None

    def _wrong_sum(self, target: Array, direction: Array) -> Misfit:
        members = np.flatnonzero(direction)
        far = abs(target - np.mean(self.corners, axis=0)) if self.corners else abs(target)
        index = _index(np.unravel_index(members[np.argmax(far.ravel()[members])], target.shape))
        total, right = float(np.sum(target * direction)), float(self.along(direction).right)
        way = "" if np.ptp(direction.ravel()[members]) == 0 else ", over their slopes,"
        words = (
            f"the {len(members)} entries that tie at {list(index)} sum{way} to {total:.9g}, and should to {right:.9g}"
        )
        if len(members) == 1:
            words = f"at {list(index)} every gradient beside the kink has the same value"
        return Misfit(index, abs(total - right), direction, words)

    def _gap(self, target: Array, direction: Array, eps: float) -> float | None:
        """How far a gradient is from the derivative along a direction that changes no side; None where it is not."""
        along = self.along(direction)
        if along.left != along.right or along.convention is not None or not np.isfinite(along.noise):
            return None
        gap = abs(float(np.sum(target * direction) - along.right))
        return gap if gap > along.noise + self.allowed(target, direction, eps) else None

    def _off_the_corners(self, target: Array, eps: float) -> Misfit | None:
        """Look for a direction that separates a gradient from the hull, adding corners until there is none."""
        if not self.corners or np.count_nonzero(self.high - self.low > 0) > FEW:
            return None
        for _ in range(ROUNDS):
            away = target - nearest(np.array(self.corners), target)
            largest = float(np.max(abs(away)))
            if largest <= self.allowed(target, np.ones_like(target), eps):
                return None
            direction = away / largest * float(self.scale.max())
            reach = self._reach(direction)
            for towards in self._towards(direction):
                self.look(towards)
            along = self.along(direction)
            sides, noise = max(along.left, along.right), along.noise + self.allowed(target, direction, eps)
            height = float(np.sum(target * direction)) - noise
            if self._reach(direction) <= reach and height > max(sides, reach):
                for _ in range(DOUBTS):
                    self.look(self._near_the_furthest(direction))
            further = max(sides, self._reach(direction))
            if self._reach(direction) <= reach and height > further:
                index = _index(np.unravel_index(int(np.argmax(abs(away))), target.shape))
                words = f"at {list(index)} by {largest:.2g} off every mixture of the gradients beside the kink"
                return Misfit(index, largest, direction, words)
            if further <= reach:
                return None
        return None

    def _reach(self, direction: Array) -> float:
        """Return how far the known gradients reach along a direction."""
        return float(np.max(self._products(direction)))

    def _products(self, direction: Array) -> Array:
        """Return the products of the known gradients with a direction."""
        return np.asarray(np.reshape(self.corners, (len(self.corners), -1)) @ np.ravel(direction))

    def _near_the_furthest(self, direction: Array) -> Array:
        """Draw a direction to move in, half of it as for the gradient that reaches furthest."""
        furthest = int(np.argmax(self._products(direction)))
        return np.where(self.rng.random(direction.shape) < 0.5, self.directions[furthest], self._any_direction())

    def _any_direction(self) -> Array:
        """Draw a direction whose entries are of any sign and of sizes far apart, for narrow regions beside a kink."""
        sizes = 10.0 ** self.rng.uniform(-2, 0, self.scale.shape)
        return np.asarray(random_direction(self.scale.shape, self.rng) * sizes * self.scale)

    def _towards(self, direction: Array) -> Iterator[Array]:
        """Yield directions to move in so that the gradient becomes large along a direction.

        For a convex function it is the direction itself, for a concave one its opposite; each entry by itself moves as
        it did where its product was largest.
        """
        yield direction
        products = np.array(self.corners) * direction
        best = np.argmax(products, axis=0)
        mixed = np.take_along_axis(np.array(self.directions), best[None], axis=0)[0]
        for part in (0.01, 0.5):
            yield mixed + part * random_direction(direction.shape, self.rng) * self.scale
        yield self._any_direction()


def _index(index: Any) -> tuple[int, ...]:
    return tuple(int(i) for i in index)


def nearest(points: Array, target: Array) -> Array:
    """Return the point of the convex hull of some points that is nearest to another.

    P. Wolfe, "Finding the nearest point in a polytope", 1976.

    >>> nearest(np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([1.0, 1.0]))
    array([0.5, 0.5])
    """
    P = (points - target).reshape(len(points), -1)
    active, weights = [int(np.argmin(np.sum(P * P, axis=1)))], np.ones(1)
    for _ in range(4 * len(P)):
        x = weights @ P[active]
        products = P @ x
        new = int(np.argmin(products))
        if new in active or products[new] >= x @ x - 1e-15 * np.max(np.sum(P * P, axis=1)):
            break
        active, weights = [*active, new], np.append(weights, 0.0)
        while True:
            affine = _affine(P[active])
            if np.all(affine > 0):
                weights = affine
                break
            falling = affine <= 0
            with np.errstate(all="ignore"):
                step = np.min((weights / (weights - affine))[falling])
            weights = weights + step * (affine - weights)
            kept = weights > 1e-14
            if np.all(kept):
                kept[int(np.argmin(weights))] = False
            active, weights = [a for a, keep in zip(active, kept, strict=True) if keep], weights[kept]
            weights = weights / weights.sum()
    return np.asarray(target + (weights @ P[active]).reshape(target.shape))


def _affine(P: Array) -> Array:
    """Return the weights, of either sign, of the point nearest to 0 in the flat through some points."""
    n = len(P)
    system = np.ones((n + 1, n + 1))
    system[:n, :n], system[n, n] = P @ P.T, 0
    return np.linalg.lstsq(system, np.append(np.zeros(n), 1.0), rcond=None)[0][:n]
