"""The trained network's predictions for the held-out digits."""

from dataclasses import dataclass

import numpy as np

from autotiny import nn
from autotiny.demo.images import ink
from autotiny.nn.datasets import Array


@dataclass(frozen=True)
class Prediction:
    """One digit, its label, and the digit that the network read it as."""

    pixels: Array
    label: int
    digit: int
    probabilities: Array
    """The column of A2, one probability for each digit."""

    @property
    def correct(self) -> bool:
        """Whether the predicted digit is the label."""
        return self.digit == self.label

    @property
    def confidence(self) -> float:
        """The probability of the predicted digit."""
        return float(self.probabilities[self.digit])

    @property
    def label_probability(self) -> float:
        """The probability of the label."""
        return float(self.probabilities[self.label])

    @property
    def image(self) -> str:
        """The digit as a data URI."""
        return ink(self.pixels)


def predictions(digits: nn.Dataset, A2: Array) -> list[Prediction]:
    """Return a prediction for each digit, given the probabilities A2 (10, m)."""
    columns = zip(digits.X.T, digits.labels.tolist(), np.argmax(A2, axis=0).tolist(), A2.T, strict=True)
    return [Prediction(pixels.reshape(digits.shape), *rest) for pixels, *rest in columns]
