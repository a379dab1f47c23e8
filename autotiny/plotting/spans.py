"""The range of a plot: one in which there is something to be seen."""

from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from autotiny.errors import UnsupportedError

Span = tuple[float, float]
SAMPLES = 17
WIDENINGS, NARROWINGS = 7, 40
FLAT, BENT, SUDDEN = 0.03, 0.08, 0.45
"""Shares of a curve's height: below the first, most of it looks flat; from the second on, a bend is seen; a rise of
more than the third within one sample looks like a step."""
MOST_TURNS, LEAST_DEFINED = 6, 0.75


def span_around(f: Callable[[float], float], at: float) -> Span:
    """Return a range around a point in which the curve of f is seen to bend, neither straight nor all flat.

    It is widened while the curve is straight or nowhere defined, and narrowed while f overflows, explodes, or turns
    too often.

    >>> span_around(lambda x: x * x, 3.0), span_around(lambda x: np.tanh(1000 * x), 0.0)[1] < 0.05
    ((0.0, 6.0), True)
    """
    if not np.isfinite(at):
        return (-3.0, 3.0)
    start = max(1.0, abs(at))
    half, seen = start, _seen(f, at, start)
    if seen == "nowhere":
        for _ in range(WIDENINGS):
            half *= 2
            if _seen(f, at, half) != "nowhere":
                return (at - half, at + half)
        half = start
    elif seen == "straight":
        for _ in range(WIDENINGS):
            half *= 2
            seen = _seen(f, at, half)
            if seen != "straight":
                break
        half = {"bent": half, "straight": start}.get(seen, half / 2)
    elif seen == "wide":
        for _ in range(NARROWINGS):
            half /= 2
            if _seen(f, at, half) != "wide":
                break
        else:
            half = start
    return (at - half, at + half)


def _seen(f: Callable[[float], float], at: float, half: float) -> Literal["bent", "straight", "wide", "nowhere"]:
    xs = at + half * np.linspace(-1, 1, SAMPLES)
    ys = np.array([f(x) for x in xs.tolist()])
    known = np.isfinite(ys)
    if not known.any():
        return "nowhere"
    if np.mean(known) < LEAST_DEFINED:
        return "wide"
    xs, ys = xs[known], ys[known]
    with np.errstate(all="ignore"):
        height = np.ptp(ys)
        if not np.isfinite(height):
            return "wide"
        if height <= 1e-12 * np.abs(ys).max():
            return "straight"
        turns = np.count_nonzero(np.diff(np.sign(np.diff(ys))))
        flat = np.median(np.abs(ys - np.median(ys))) < FLAT * height / 2
        if flat or turns > MOST_TURNS or np.abs(np.diff(ys)).max() > SUDDEN * height:
            return "wide"
        line = np.polynomial.Polynomial.fit(xs, ys, 1)
        return "bent" if np.abs(ys - line(xs)).max() > BENT * height else "straight"


def given_spans(span: Any, points: tuple[float, ...]) -> list[Span | None]:
    """Return the range of each axis that the option `span` gives, None where it gives none.

    span : a number, how far on either side; (low, high); for two axes also one of these for each, as a list or tuple

    >>> given_spans(2, (1.0,)), given_spans([(0, 1), None], (0.5, 0.5))
    ([(-1.0, 3.0)], [(0.0, 1.0), None])
    """
    several = isinstance(span, tuple | list) and len(points) == 2 and len(span) == 2
    each = span if several and any(part is None or np.ndim(part) for part in span) else [span] * len(points)
    return [None if part is None else _given(part, point) for part, point in zip(each, points, strict=True)]


def _given(span: Any, at: float) -> Span:
    try:
        bounds = np.asarray(span, float)
    except (TypeError, ValueError):
        bounds = np.empty(0)
    if bounds.shape == () and np.isfinite(bounds) and bounds > 0 and np.isfinite(at):
        return (at - float(bounds), at + float(bounds))
    if bounds.shape == (2,) and np.isfinite(bounds).all() and bounds[0] < bounds[1]:
        return (float(bounds[0]), float(bounds[1]))
    raise UnsupportedError(
        f"plot: span: expected how far to go on either side, such as span=2, or (low, high) with low < high; "
        f"got {span!r:.60}"
    )
