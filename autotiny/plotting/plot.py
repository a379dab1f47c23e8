"""The plot of a recorded number: `plot` takes it, and it shows itself in a notebook, in a file and as text."""

import io
import operator
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from autotiny.engine.call_site import caller_scope
from autotiny.engine.tensor import AnyTensor
from autotiny.errors import AutotinyError, UnsupportedError
from autotiny.files import file_named
from autotiny.plotting.choice import Choice
from autotiny.plotting.curve import Curve
from autotiny.plotting.figure import curve_figure, curve_words, landscape_figure, landscape_words
from autotiny.plotting.landscape import Landscape
from autotiny.plotting.section import Section
from autotiny.plotting.spans import given_spans

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FORMATS = (".svg", ".png", ".pdf")
SHARP = 192
"""The dots per inch of a PNG."""
MOST_STEPS = 10_000


class MatplotlibMissingError(AutotinyError, ImportError):
    """matplotlib, which draws plots, is not installed."""


class Plot:
    """A recorded number along one other, or over two; shows itself in a notebook, and as a sentence in a terminal.

    Attributes
    ----------
    value : the recorded number.
    slope : its gradient by what varies: a number, or a pair for a contour.
    path : the steps of gradient descent as (a, b, value), where a rate was given.
    """

    def __init__(self, shown: Curve | Landscape, label: str, path: list[tuple[float, float, float]]) -> None:
        self.shown, self.label, self.path = shown, label, path

    @property
    def value(self) -> float:
        """The recorded number."""
        return self.shown.y

    @property
    def slope(self) -> Any:
        """The gradient: a float along one number, a pair of floats over two."""
        return self.shown.slope

    @cached_property
    def figure(self) -> "Figure":
        """The figure, to be changed by matplotlib's means; raises MatplotlibMissingError where there is none."""
        try:
            import matplotlib as _  # noqa: F401 - the question is whether there is one
        except ImportError as error:
            raise MatplotlibMissingError(
                f"plot: matplotlib draws the plot, and there is none here ({error}): pip install 'autotiny[lab]'"
            ) from None
        if isinstance(self.shown, Curve):
            return curve_figure(self.shown, self.label)
        return landscape_figure(self.shown, self.label, self.path)

    @property
    def svg(self) -> str:
        """The plot as SVG text."""
        return self._encode(".svg").decode()

    def save(self, path: str | Path) -> None:
        """Write the plot to a .svg, .png or .pdf file.

        Raises ValueError for another ending, UnsupportedError for what is not a file name, MatplotlibMissingError where
        there is no matplotlib.
        """
        path, ending = file_named(path, FORMATS, f"plot: expected a file name that ends in one of {', '.join(FORMATS)}")
        path.write_bytes(self._encode(ending))

    def _encode(self, ending: str) -> bytes:
        figure, buffer = self.figure, io.BytesIO()
        import matplotlib

        undated: dict[str, None] = {".svg": {"Date": None, "Creator": None}, ".pdf": {"CreationDate": None}}.get(
            ending, {}
        )
        with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": repr(self)}):
            figure.savefig(buffer, format=ending[1:], dpi=SHARP, metadata=undated)
        return buffer.getvalue()

    def __repr__(self) -> str:
        """What the plot shows in a sentence, which needs no matplotlib."""
        words = curve_words if isinstance(self.shown, Curve) else landscape_words
        return words(self.shown, self.label)  # type: ignore[arg-type]

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> Mapping[str, str]:
        try:
            return {"image/svg+xml": self.svg, "text/plain": repr(self)}
        except MatplotlibMissingError as missing:
            return {"text/plain": f"{self!r}\n\n{missing}"}


def plot(output: AnyTensor, *along: Any, span: Any = None, rate: float | None = None, steps: int = 20) -> Plot:
    """Plot a recorded number J along another number x, with its tangent y = J + dJ/dx (x' - x); or over two numbers.

    output : the number, such as a loss
    along : what varies, the rest as it was recorded: a Tensor of one number, or its name; an entry as a Tensor and
        its index, (W, (0, 1)); of two, the plot is a contour with an arrow along the gradient (dJ/da, dJ/db), uphill
    span : how far the axis goes on either side, or (low, high); for two numbers also one of these for each. By default
        so far that the curve is seen to bend
    rate, steps : over two numbers, also the path of gradient descent, (a, b) := (a, b) - rate (dJ/da, dJ/db), and the
        curve of J beside it

    The curve is that of the recorded graph: a result of it may vary too, and masks and index arrays stay as they were
    recorded, which the title then says. Kinks are marked, and where J is nan or overflows is shaded. In a notebook the
    plot shows itself; `.save` writes a .svg, .png or .pdf file, `.figure` is matplotlib's (the extra `lab`).

    Raises UnsupportedError for an output that is not a single tracked real number, and for what it does not depend on
    or is no single number; StaleError where an array was changed since.

    >>> import autotiny as at
    >>> x = at.Tensor(3.0)
    >>> y = x * x
    >>> at.plot(y, x)
    y = 9 at x = 3, with slope 6
    >>> W = at.Tensor([[1.0, 2.0]])
    >>> at.plot(np.sum(W * W), (W, (0, 1))).slope
    4.0
    """
    choice = Choice(output, caller_scope())
    entries = choice.entries(along)
    section = Section(choice.output, entries)
    spans = given_spans(span, section.point)
    if len(entries) == 1:
        if rate is not None:
            raise UnsupportedError(
                f"plot: rate= shows the path of gradient descent over two numbers, as in "
                f"at.plot({choice.label}, {entries[0].name}, b, rate=0.1)"
            )
        return Plot(Curve.of(section, spans[0]), choice.label, [])
    landscape = Landscape.of(section, spans)
    path = [] if rate is None else landscape.descent(_rate(rate), _count(steps))
    return Plot(landscape, choice.label, path)


def _rate(rate: Any) -> float:
    if isinstance(rate, int | float | np.number) and not isinstance(rate, bool) and 0 < rate < np.inf:
        return float(rate)
    raise UnsupportedError(f"plot: rate: expected a number above 0, such as 0.1; got {rate!r:.60}")


def _count(steps: Any) -> int:
    try:
        count = operator.index(steps)
    except TypeError:
        count = 0
    if not 0 < count <= MOST_STEPS:
        raise UnsupportedError(f"plot: steps: expected a whole number from 1 to {MOST_STEPS:,}; got {steps!r:.60}")
    return count
