"""The backward pass in a terminal: the steps of a picture, one after another."""

from collections.abc import Iterator

from autotiny.drawing import draw
from autotiny.drawing.steps import Line, PassStep
from autotiny.engine.tensor import Tensor
from autotiny.notation.text import aligned


def steps(output: Tensor) -> Iterator[str]:
    """A paragraph for everything that backprop passes on, in the order of the engine.

    >>> x = Tensor(3.0, name="x"); y = x * x; y.name = "y"
    >>> *_, last = steps(y)
    >>> print(last)
    step 3 of 3: ∂y/∂x through y = x * x
      arrives           g = ∂y/∂y = 1
      rule              product rule: times the other factor
      local derivative  ∂(x * x)/∂x = x
      passes on         g * x = 1 × 3 = 3
      sum so far        ∂y/∂x = 3 + 3 = 6 (path 2 of 2, complete)
    """
    backward = [step for step in draw(output).steps.steps if step.backward]
    for place, step in enumerate(backward, start=1):
        yield f"step {place} of {len(backward)}: {step.title}\n{_told(step)}"


def _told(step: PassStep) -> str:
    return aligned([row for line in step.lines for row in _rows(line)])


def _rows(line: Line) -> Iterator[tuple[str, str]]:
    """A line, and below it every entry of a small array."""
    yield f"  {line.label}", line.text
    if line.rows:
        yield from (("", f"  {entries}") for entries in aligned(line.rows).splitlines())
