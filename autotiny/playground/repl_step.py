"""The backward pass in words: one visit of the engine after another, with what each passes on."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from autotiny.contributions import Visit, contributions
from autotiny.drawing.names import Names
from autotiny.drawing.values import show
from autotiny.graph import topological_order
from autotiny.tables import aligned
from autotiny.tensor import Tensor
from autotiny.values import brief

LONGEST = 24
"""Characters of an array that is told entry by entry."""


def steps(output: Tensor) -> Iterator[str]:
    """A paragraph for each visit of backprop, and one for the leaves' gradients.

    >>> x = Tensor(3.0, name="x"); y = x * x + x; y.name = "y"
    >>> for step in steps(y): print(step)
    step 1 of 2: y = t1 + x
      arrives          dy/dy = 1
      passes on to t1  1          dy/dt1 = 1
      passes on to x   1          dy/dx = 1
    step 2 of 2: t1 = x * x
      arrives         dy/dt1 = 1
      passes on to x  3           dy/dx = 1 + 3 = 4
      passes on to x  3           dy/dx = 4 + 3 = 7
    done
      dy/dx = 7
    """
    order, sweep = topological_order(output), contributions(output)
    walk = _Walk(Names(order, {}), output)
    for place, visit in enumerate(sweep.visits, start=1):
        yield f"step {place} of {len(sweep.visits)}: {walk.heading(visit)}\n{walk.paragraph(visit)}"
    leaves = [node for node in order if node.op is None and node in sweep.gradients]
    yield "\n".join(["done", *(f"  {walk.slope(leaf)} = {told(sweep.gradients[leaf])}" for leaf in leaves)])


class _Walk:
    """The sums that gradients are, as they grow."""

    def __init__(self, names: Names, output: Tensor) -> None:
        self.names, self.output = names, output
        self.totals = dict[Tensor, Any]()

    def heading(self, visit: Visit) -> str:
        return f"{self.names.short(visit.node)} = {self.names.formula(visit.node)}"

    def slope(self, node: Tensor) -> str:
        return f"d{self.names.short(self.output)}/d{self.names.short(node)}"

    def paragraph(self, visit: Visit) -> str:
        rows = [["  arrives", f"{self.slope(visit.node)} = {told(visit.gradient)}", ""]]
        for each in visit.contributions:
            passed = f"  passes on to {self.names.short(each.operand)}"
            rows.append([passed, told(each.value), self.sum(each.operand, each.value, each.total)])
        return aligned(rows)

    def sum(self, operand: Tensor, value: Any, total: Any) -> str:
        """The operand's gradient so far; a number with the terms that it is the sum of."""
        before = self.totals.get(operand)
        self.totals[operand] = total
        terms = f"{told(before)} + {told(value)} = " if before is not None and np.size(total) == 1 else ""
        also = ", a sum by now" if before is not None and not terms else ""
        return f"{self.slope(operand)} = {terms}{told(total)}{also}"


def told(value: Any) -> str:
    """An array in a few words: small ones entry by entry, of others the range."""
    array = np.asarray(value)
    if array.size == 1:
        return show(array).summary
    entries = brief(array)
    return entries if len(entries) <= LONGEST else f"{show(array).summary}, {array.shape}"
