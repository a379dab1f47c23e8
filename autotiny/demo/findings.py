"""What the demonstration found: everything that the report tells."""

from dataclasses import dataclass

import numpy as np

from autotiny.demo.experiment import Experiment
from autotiny.demo.flagship import Check
from autotiny.demo.reading import Reading
from autotiny.derivation.derivation import Derivation
from autotiny.drawing import Picture
from autotiny.nn import confusion_matrix
from autotiny.nn.datasets import Array

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
