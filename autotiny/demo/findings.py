"""What the demonstration found: everything that the report tells."""

from dataclasses import dataclass

import numpy as np

from autotiny.checking import Row
from autotiny.demo.experiment import Experiment
from autotiny.demo.flagship import Check
from autotiny.demo.reading import Reading
from autotiny.derivation.derivation import Derivation
from autotiny.derivation.derive import Deriving
from autotiny.drawing import Picture
from autotiny.nn import confusion_matrix
from autotiny.nn.datasets import Array
from autotiny.notation.text import aligned

# ----- derived -----
# The six gradients as formulas, derived from the graph that was recorded.


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


# ----- terminal table -----
# A comparison as a table for the terminal, each gradient beside the formula that gives it.


HEADINGS = ("dJ/d", "the textbook's formula", "by hand", "autograd", "error", "")

FORMULAS = {
    "Z2": "(A2 - Y)/m",
    "W2": "(1/m) dZ2 A1^T",
    "b2": "(1/m) sum(dZ2)",
    "Z1": "(W2^T dZ2 * 1[Z1 > 0])/m",
    "W1": "(1/m) dZ1 X^T",
    "b1": "(1/m) sum(dZ1)",
}
"""The textbook's dZ has no 1/m; the gradient of J, which is an average, has it."""


def terminal_table(check: Check) -> str:
    """A line for each gradient, at the entry where both sides differ most, and the outcome."""
    table = aligned([HEADINGS, *(_cells(row) for row in check.report.rows)])
    outcome = "All six agree" if check.report.ok else "NOT all agree"
    worst = check.worst
    return f"{table}\n\n{outcome}: the largest error is {worst.error:.1e} of the largest entry, in {worst.name}"


def _cells(row: Row) -> tuple[str, ...]:
    by_hand, autograd = (f"{np.asarray(side)[row.index]:.9g}" for side in (row.analytic, row.autograd))
    return row.name, FORMULAS[row.name], by_hand, autograd, f"{row.error:.1e}", "" if row.ok else "DIFFERS"


TARGET = 0.96
"""The share of held-out digits that such a network is known to read."""


@dataclass(frozen=True)
class Findings:
    """The comparison before and after training, the graph and its formulas before it, and a reading of each digit."""

    experiment: Experiment
    before: Check
    after: Check
    derivations: dict[str, Derivation]
    picture: Picture
    readings: list[Reading]
    seconds: float
    """What the training took."""

    @property
    def agree(self) -> bool:
        """Whether autograd gave the textbook's gradients, both times."""
        return self.before.report.ok and self.after.report.ok

    @property
    def derived(self) -> bool:
        """Whether every formula that was derived from the graph gives what autograd gave."""
        return all(derivation.ok for derivation in self.derivations.values())

    @property
    def learnt(self) -> bool:
        """Whether the accuracy is what such a network is known to reach."""
        return self.accuracy >= TARGET

    @property
    def faults(self) -> list[str]:
        """What did not hold, in words."""
        differ = [] if self.agree else ["autograd and the closed form differ"]
        differ += [] if self.derived else ["a formula that was derived does not hold"]
        return differ if self.learnt else [*differ, f"fewer than {TARGET:.0%} of the held-out digits were read right"]

    @property
    def largest_error(self) -> float:
        """Of both comparisons."""
        return max(self.before.worst.error, self.after.worst.error)

    @property
    def accuracy(self) -> float:
        """The share of held-out digits that were read right."""
        return float(np.mean([reading.right for reading in self.readings]))

    @property
    def wrong(self) -> list[Reading]:
        """The digits that were read wrong, those that the network was surest of first."""
        wrong = [reading for reading in self.readings if not reading.right]
        return sorted(wrong, key=lambda reading: -reading.confidence)

    @property
    def confusion(self) -> Array:
        """C (10, 10): C[i, j] digits i were read as j."""
        labels = np.array([reading.label for reading in self.readings])
        predictions = np.array([reading.prediction for reading in self.readings])
        return confusion_matrix(labels, predictions, len(self.experiment.test.classes))
