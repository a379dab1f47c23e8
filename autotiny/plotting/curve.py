"""The curve of a recorded number along one other, with its tangent, its kinks and its jumps."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from autotiny.plotting.section import Section
from autotiny.plotting.spans import Span, span_around

Array = NDArray[Any]
STEPS, MOST_STEPS, WORK = 8, 160, 2**28
"""The curve is computed at the ends of so many steps, or of a multiple of them, as long as the work is affordable."""
VISIBLE = 0.05
"""The smallest change of slope that counts as a kink, and of height as a jump, as shares of the picture."""
CLOSE = 2.0**-32
"""How far a kink is narrowed down, as a share of the range."""
MOST_SUSPECTS = 24


class Kink(NamedTuple):
    """A place where the slope jumps, with the slopes on both sides; at a jump the value itself does."""

    x: float
    left: float
    right: float
    jump: bool


@dataclass(frozen=True)
class Curve:
    """The output of a section along its one number, over a range."""

    section: Section
    span: Span

    @classmethod
    def of(cls, section: Section, span: Span | None = None) -> "Curve":
        """Return the curve over a range, by default one in which it is seen to bend."""
        return cls(section, span or span_around(section, section.point[0]))

    @property
    def x(self) -> float:
        """The recorded value of the number."""
        return self.section.point[0]

    @cached_property
    def y(self) -> float:
        """The recorded output."""
        return float(np.asarray(self.section.output.value).reshape(()))

    @cached_property
    def slope(self) -> float:
        """The gradient at the recorded value, which is the slope of the tangent."""
        return self.section.slopes()[0]

    @cached_property
    def xs(self) -> Array:
        """Where the curve was computed; fewer places the longer that takes."""
        steps = WORK // max(3 * self.section.work, 1) // STEPS * STEPS
        return np.linspace(*self.span, 1 + int(np.clip(steps, STEPS, MOST_STEPS)))

    @cached_property
    def ys(self) -> Array:
        """The output there, nan where it is not defined and infinite where it overflows."""
        _ = self.slopes  # which finds the values on the way
        return np.array([self.section(x) for x in self.xs.tolist()])

    @cached_property
    def slopes(self) -> Array:
        """The gradient there."""
        return np.array([self.section.slopes(x)[0] for x in self.xs.tolist()])

    @cached_property
    def line(self) -> tuple[Array, Array]:
        """The curve as it is drawn: its kinks are corners, its jumps and where it is undefined are gaps.

        Between places that are far apart it is the cubic that has the values and slopes there.
        """
        ys = np.where(np.isfinite(self.ys), self.ys, np.nan)
        xs, ys = refined(self.xs, ys, self.slopes, max(1, MOST_STEPS // (len(self.xs) - 1)))
        for kink in self.kinks:
            i = int(np.searchsorted(xs, kink.x))
            corner = np.nan if kink.jump else self.section(kink.x)
            xs, ys = np.insert(xs, i, kink.x), np.insert(ys, i, corner)
        return xs, ys

    @cached_property
    def limits(self) -> tuple[float, float]:
        """The range of outputs that is shown: of all of them, unless a few are so large that the rest would be flat."""
        known = np.append(self.ys, self.y)
        known = known[np.isfinite(known)]
        if not known.size:
            return (0.0, 1.0)
        low, high = limits(known)
        if np.isfinite(self.y):
            low, high = min(low, self.y), max(high, self.y)
        if high - low < self.noise:
            low = high = (low + high) / 2
        room = 0.08 * (high - low) or 0.5 * abs(high) or 1.0
        return (low - room, high + room)

    @property
    def noise(self) -> float:
        """The rounding errors of the outputs, generously: what varies by less is a constant."""
        known = np.abs(self.ys[np.isfinite(self.ys)])
        return 1000 * float(np.finfo(self.section.output.dtype).eps * known.max(initial=0.0))

    @cached_property
    def kinks(self) -> list[Kink]:
        """The places within the range where the slope or the value jumps, as far as it can be seen."""
        found: list[Kink] = []
        width = self.span[1] - self.span[0]
        for kink in sorted(self._kinks()):
            if found and kink.x - found[-1].x < 4 * CLOSE * width:  # seen from both sides
                found[-1] = Kink(kink.x, found[-1].left, kink.right, kink.jump or found[-1].jump)
            else:
                found.append(kink)
        return found

    @property
    def at_kink(self) -> Kink | None:
        """The kink that the recorded value lies at; None if there is none."""
        width = self.span[1] - self.span[0]
        return next((kink for kink in self.kinks if abs(kink.x - self.x) < 16 * CLOSE * width), None)

    def _kinks(self) -> Iterator[Kink]:
        width, (low, high) = self.span[1] - self.span[0], self.limits
        steep, tall = VISIBLE * (high - low) / width, VISIBLE * (high - low)
        with np.errstate(all="ignore"):
            bends = np.abs(np.diff(self.slopes)) / steep
            rises = np.abs(np.diff(self.ys) - np.diff(self.xs) * (self.slopes[1:] + self.slopes[:-1]) / 2) / tall
        doubt = np.fmax(bends, rises)
        suspects = np.flatnonzero(np.isfinite(doubt) & (doubt > 1))
        most = min(WORK // (200 * max(self.section.work, 1)), MOST_SUSPECTS)  # none where it would take seconds
        for i in suspects[np.argsort(-doubt[suspects])][:most]:
            kink = self._narrowed(int(i), steep, tall)
            if kink is not None:
                yield kink

    def _narrowed(self, i: int, steep: float, tall: float) -> Kink | None:
        """Halve an interval, keeping the half with the larger change; None where the change fades: it is smooth."""
        changes = [np.inf]
        left, right = ((self.xs[k], self.ys[k], self.slopes[k]) for k in (i, i + 1))
        while right[0] - left[0] > CLOSE * (self.span[1] - self.span[0]):
            x = (left[0] + right[0]) / 2
            middle = (x, self.section(x), self.section.slopes(x)[0])
            if not np.isfinite(middle[1:]).all():
                return None
            before, after = (_change(a, b, steep, tall) for a, b in ((left, middle), (middle, right)))
            left, right = (left, middle) if before > after else (middle, right)
            changes.append(max(before, after))
            if changes[-1] < 1:
                return None
        if changes[-1] < changes[max(0, len(changes) - 4)] / 2:
            return None
        jump = bool(abs(right[1] - left[1]) > tall)
        return Kink(float(left[0] + right[0]) / 2, float(left[2]), float(right[2]), jump)


def _change(a: Any, b: Any, steep: float, tall: float) -> float:
    rise = b[1] - a[1] - (b[0] - a[0]) * (a[2] + b[2]) / 2
    return float(max(abs(b[2] - a[2]) / steep, abs(rise) / tall))


def refined(xs: Array, ys: Array, slopes: Array, parts: int) -> tuple[Array, Array]:
    """Return places in so many parts of each step, with the values of the cubics that have these values and slopes.

    >>> xs = np.array([0.0, 1.0, 2.0])
    >>> [each.tolist() for each in refined(xs, xs**3, 3 * xs**2, 2)]
    [[0.0, 0.5, 1.0, 1.5, 2.0], [0.0, 0.125, 1.0, 3.375, 8.0]]
    """
    if parts == 1:
        return xs, ys
    t, last = (each.ravel() for each in np.broadcast_arrays(np.arange(parts) / parts, np.arange(len(xs) - 1)[:, None]))
    step = xs[last + 1] - xs[last]
    across = (-1,) + (1,) * (ys.ndim - 1)
    from_left, from_right, up, down = (
        weight.reshape(across)
        for weight in ((1 + 2 * t) * (1 - t) ** 2, (3 - 2 * t) * t**2, step * t * (1 - t) ** 2, step * (t - 1) * t**2)
    )
    with np.errstate(all="ignore"):
        inner = from_left * ys[last] + from_right * ys[last + 1] + up * slopes[last] + down * slopes[last + 1]
    inner = np.where(t.reshape(across) == 0, ys[last], inner)  # what is known beside an undefined slope
    return np.append(xs[last] + t * step, xs[-1]), np.concatenate([inner, ys[-1:]])


MOST_STRETCH = 20


def limits(known: Array) -> tuple[float, float]:
    """Return the lowest and the highest number, or those between which four fifths lie, where the rest is far away.

    >>> limits(np.append(np.arange(99.0), 1e9))[1] < 200
    True
    """
    low, high = float(known.min()), float(known.max())
    inner = [float(bound) for bound in np.quantile(known, [0.1, 0.9])]
    if high - low <= MOST_STRETCH * (inner[1] - inner[0]) or inner[0] == inner[1]:
        return low, high
    reach = inner[1] - inner[0]
    return max(low, inner[0] - reach / 2), min(high, inner[1] + reach / 2)
