"""Curves and contours as JSON, which a page draws: numbers, the words for them, and what is undefined as null."""

import functools
import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from autotiny.engine.tensor import Tensor
from autotiny.plotting.curve import Curve
from autotiny.plotting.figure import curve_words, landscape_words
from autotiny.plotting.landscape import Landscape
from autotiny.plotting.section import UNDEFINED, Entry, Section
from autotiny.plotting.spans import Span

Json = dict[str, Any]


Run = Callable[[tuple[float, ...]], tuple[float, tuple[float, ...]]]
"""The output and its slopes where the entries have these values, by running the program again."""


class Rerun(Section):
    """A section whose program is run again at other values, so that its masks follow them."""

    fixed = False

    def __init__(self, section: Section, run: Run) -> None:
        super().__init__(section.output, section.entries)
        self.run = functools.lru_cache(maxsize=None)(run)

    @property
    def work(self) -> int:
        """An estimate as that of a section; a run takes about a millisecond more."""
        return super().work + RUN_WORK

    def __call__(self, *numbers: float) -> float:
        """Return the output; nan where the program fails."""
        return self._ran(numbers)[0]

    def slopes(self, *numbers: float) -> tuple[float, ...]:
        """Return the gradient; without numbers, that of the recorded graph."""
        return self._ran(numbers)[1] if numbers else super().slopes()

    def _ran(self, numbers: tuple[float, ...]) -> tuple[float, tuple[float, ...]]:
        try:
            with np.errstate(all="ignore"):
                return self.run(numbers)
        except UNDEFINED:
            return math.nan, (math.nan,) * len(self.entries)


RUN_WORK = 600_000


def chart(output: Tensor, label: str, entries: list[Entry], spans: "list[Span | None]", run: Run | None = None) -> Json:
    """The output along one entry, with its tangent, or over two, with its gradient.

    run : how to run the program again, which is done where the graph has masks

    >>> x = Tensor(3.0)
    >>> chart(x * x, "y", [Entry(x, (), "x")], [None])["slope"]
    6.0
    """
    section = Section(output, entries)
    if run is not None and section.fixed:
        section = Rerun(section, run)
    return _curve(section, label, spans[0]) if len(entries) == 1 else _landscape(section, label, spans)


def _curve(section: Section, label: str, span: Span | None) -> Json:
    curve = Curve.of(section, span)
    breaks = [kink.x for kink in curve.kinks if kink.jump]
    corners = [(kink.x, section(kink.x)) for kink in curve.kinks if not kink.jump]
    points = [*zip(curve.xs.tolist(), curve.ys.tolist(), strict=True), *corners, *((x, math.nan) for x in breaks)]
    return {
        "names": [section.entries[0].name],
        "label": label,
        "words": curve_words(curve, label),
        "point": [curve.x],
        "value": finite(curve.y),
        "slope": finite(curve.slope),
        "spans": [list(curve.span)],
        "limits": list(curve.limits),
        "line": [[x, finite(y)] for x, y in sorted(points, key=lambda point: point[0])],
        "kinks": [[x, finite(y)] for x, y in corners],
    }


def _landscape(section: Section, label: str, spans: "list[Span | None]") -> Json:
    landscape = Landscape.of(section, spans)
    return {
        "names": [entry.name for entry in section.entries],
        "label": label,
        "words": landscape_words(landscape, label),
        "point": list(landscape.point),
        "value": finite(landscape.y),
        "slope": numbers(landscape.slope),
        "spans": [list(span) for span in landscape.spans],
        "heights": [numbers(row) for row in landscape.heights.tolist()],
        "levels": landscape.levels,
    }


def kept_spans(given: Any, entries: list[Entry]) -> "list[Span | None]":
    """The ranges that a page asks to keep, as long as the number is well within."""
    spans: list[Span | None] = [None] * len(entries)
    if isinstance(given, list) and len(given) == len(entries):
        for axis, (span, entry) in enumerate(zip(given, entries, strict=True)):
            if isinstance(span, list) and len(span) == 2 and all(isinstance(x, int | float) for x in span):
                low, high = span
                if low + (high - low) / 12 < entry.number < high - (high - low) / 12:
                    spans[axis] = (float(low), float(high))
    return spans


def finite(number: float) -> float | None:
    """The number to eight digits, which are more than a page shows; None for nan and infinity."""
    return float(f"{number:.8g}") if math.isfinite(number) else None


def numbers(values: Iterable[float]) -> list[float | None]:
    """The numbers for JSON."""
    return [finite(value) for value in values]
