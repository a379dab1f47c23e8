"""A recorded number over two others, as heights over a plane, and the path of gradient descent on it."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autotiny.plotting.curve import limits, refined
from autotiny.plotting.section import Entry, Section
from autotiny.plotting.spans import Span, span_around

Array = NDArray[Any]
MOST_SAMPLES, FEWEST_SAMPLES, WORK = 45, 9, 2**28
ALIKE = 4
"""Up to this ratio both axes get the same scale, in which a gradient stands at right angles to the contours."""
LEVELS = 12


@dataclass(frozen=True)
class Landscape:
    """The output of a section over its two numbers."""

    section: Section
    spans: tuple[Span, Span]

    @classmethod
    def of(cls, section: Section, spans: "list[Span | None] | tuple[None, None]" = (None, None)) -> "Landscape":
        """Return the landscape over given ranges, by default such that the slopes are seen to change in both."""
        chosen = [_span_along(section, axis) if span is None else span for axis, span in enumerate(spans)]
        halves = [(high - low) / 2 for low, high in chosen]
        if max(halves) <= ALIKE * min(halves):
            for axis, (span, (low, high)) in enumerate(zip(spans, chosen, strict=True)):
                if span is None:
                    middle = (low + high) / 2
                    chosen[axis] = (middle - max(halves), middle + max(halves))
        return cls(section, (chosen[0], chosen[1]))

    @property
    def same_scale(self) -> bool:
        """Whether both axes have the same scale."""
        (low, high), (bottom, top) = self.spans
        return abs((high - low) / (top - bottom) - 1) < 0.01

    @property
    def point(self) -> tuple[float, float]:
        """The recorded values of the two numbers."""
        a, b = self.section.point
        return a, b

    @cached_property
    def y(self) -> float:
        """The recorded output."""
        return float(np.asarray(self.section.output.value).reshape(()))

    @cached_property
    def slope(self) -> tuple[float, float]:
        """The gradient by both numbers at their recorded values."""
        a, b = self.section.slopes()
        return a, b

    @cached_property
    def axes(self) -> tuple[Array, Array]:
        """The places along both axes; fewer the longer the output takes."""
        n = int(np.clip((WORK // self.section.work) ** 0.5, FEWEST_SAMPLES, MOST_SAMPLES))
        return np.linspace(*self.spans[0], n), np.linspace(*self.spans[1], n)

    @cached_property
    def heights(self) -> Array:
        """The output, a row for each value of the second number; nan where it is undefined or overflows."""
        across, up = (axis.tolist() for axis in self.axes)
        heights = np.array([[self.section(a, b) for a in across] for b in up])
        return np.where(np.isfinite(heights), heights, np.nan)

    @property
    def surface(self) -> tuple[Array, Array, Array]:
        """Both axes and the heights as they are drawn: between places that are far apart with smooth heights."""
        (across, up), heights = self.axes, self.heights
        parts = max(1, MOST_SAMPLES // len(across))
        fine_up, heights = refined(up, heights, np.gradient(heights, up, axis=0), parts)
        fine_across, turned = refined(across, heights.T, np.gradient(heights, across, axis=1).T, parts)
        return fine_across, fine_up, turned.T

    @cached_property
    def levels(self) -> list[float]:
        """The heights of the contours, closer to one another towards the lowest."""
        known = self.heights[np.isfinite(self.heights)]
        if not known.size or known.min() == known.max():
            return []
        low, high = limits(known)
        return [float(level) for level in low + (high - low) * np.linspace(0, 1, LEVELS + 1)[1:] ** 2]

    def descent(self, rate: float, steps: int) -> list[tuple[float, float, float]]:
        """Return both numbers and the output, before and after each step of gradient descent by these two alone."""
        path = [(*self.point, self.y)]
        for _ in range(steps):
            a, b, y = path[-1]
            if not np.isfinite([a, b, y]).all():
                break
            da, db = self.section.slopes(a, b)
            a, b = a - rate * da, b - rate * db
            path.append((a, b, self.section(a, b)))
        return path


def _span_along(section: Section, axis: int) -> Span:
    entry: Entry = section.entries[axis]
    return span_around(Section(section.output, [entry]), entry.number)
