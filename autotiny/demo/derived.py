"""The six gradients as formulas, derived from the graph that was recorded."""

import numpy as np

from autotiny.demo.flagship import Check
from autotiny.derivation.derivation import Derivation
from autotiny.derivation.derive import Deriving
from autotiny.tables import aligned


def derivations(check: Check) -> dict[str, Derivation]:
    """A derivation for each gradient that was compared, by the tensor's name."""
    tensors = check.tensors
    scope = {"m": tensors["X"].shape[1]}
    with np.errstate(all="ignore"):
        return {row.name: Deriving(tensors["J"], tensors[row.name], scope).derivation() for row in check.report.rows}


def terminal_lines(found: dict[str, Derivation]) -> str:
    """A line for each gradient: its formula, and how many steps led there."""
    return aligned([(f"{each.name} = {each.formula}", _way(each), f"{each.max_error:.0e}") for each in found.values()])


def _way(derivation: Derivation) -> str:
    return f"in {len(derivation.steps)} steps" if derivation.steps else "by the chain rule"
