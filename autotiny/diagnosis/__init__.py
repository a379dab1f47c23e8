"""What a wrong gradient looks like: factors, signs, transposes, sums, masks and missing terms.

`diagnose` compares a stated gradient with the right one, by value, and names the mistake. What it knows beside the
values is a `Context`: of a recorded graph for the verdicts of `compare`, of a formula for `Derivation.matches`. Both
read one list of mistakes and show one set of sentences.
"""

from autotiny.diagnosis.formula import FormulaContext
from autotiny.diagnosis.graph import GraphContext
from autotiny.diagnosis.mistakes import Context, diagnose, equal, extent, same, way_to_shape

__all__ = ["Context", "FormulaContext", "GraphContext", "diagnose", "equal", "extent", "same", "way_to_shape"]
