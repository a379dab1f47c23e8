"""What the trained network makes of each digit that it has never seen."""

from dataclasses import dataclass

import numpy as np

from autotiny import nn
from autotiny.demo.images import ink
from autotiny.nn.datasets import Array


@dataclass(frozen=True)
class Reading:
    """One digit, and what it was read as."""

    pixels: Array
    label: int
    prediction: int
    probabilities: Array
    """A2's column, one probability for each digit."""

    @property
    def right(self) -> bool:
        """Whether it was read as what it is."""
        return self.prediction == self.label

    @property
    def confidence(self) -> float:
        """The probability of what it was read as."""
        return float(self.probabilities[self.prediction])

    @property
    def truth(self) -> float:
        """The probability of what it is."""
        return float(self.probabilities[self.label])

    @property
    def image(self) -> str:
        """A data URI."""
        return ink(self.pixels)


def readings(digits: nn.Dataset, A2: Array) -> list[Reading]:
    """A reading of each digit, from the probabilities A2 (10, m)."""
    columns = zip(digits.X.T, digits.labels.tolist(), np.argmax(A2, axis=0).tolist(), A2.T, strict=True)
    return [Reading(pixels.reshape(digits.shape), *rest) for pixels, *rest in columns]
