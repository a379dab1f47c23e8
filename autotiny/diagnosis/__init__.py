"""The diagnosis of wrong gradients: factors, signs, transposes, sums, masks and missing terms.

`diagnose` compares a stated gradient with the right one, by value, and names the mistake. A `Context` supplies what the
values alone do not show: a recorded graph for the verdicts of `compare`, a formula for `Derivation.matches`. In a graph
a mistake is a slip, a wrong contribution along an edge (`slips`), of which `rows` is the table; the `search` finds the
slips that reproduce the stated gradient up to rounding, and nothing less is named.
"""

from autotiny.diagnosis.context import Context
from autotiny.diagnosis.formula import FormulaContext
from autotiny.diagnosis.graph import GraphContext
from autotiny.diagnosis.labels import NO_SCOPE
from autotiny.diagnosis.mistakes import diagnose, extent, way_to_shape
from autotiny.diagnosis.values import equal, same

__all__ = [
    "NO_SCOPE",
    "Context",
    "FormulaContext",
    "GraphContext",
    "diagnose",
    "equal",
    "extent",
    "same",
    "way_to_shape",
]
