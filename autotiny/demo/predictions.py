"""The trained network's predictions for the held-out digits, and digits as images."""

import base64
import io
from dataclasses import dataclass

import numpy as np

from autotiny import nn
from autotiny.nn.datasets import Array
from autotiny.notation.palette import BLUE, VERMILLION, rgb

# ----- images in data URIs: one pixel for each entry, transparent, so that any background works -----


DARKEST = 16
"""The value of a black pixel."""


def ink(*digits: Array) -> str:
    """Return digits (8, 8) of pixels from 0 to 16 side by side, in black on transparent: a dark page may invert it."""
    strip = np.concatenate([np.pad(digit, 1) for digit in digits], axis=1) / DARKEST
    return _data_uri(np.zeros((*strip.shape, 3)), strip)


def heat(matrix: Array) -> str:
    """Return a heat map of entries from -1 to 1: vermilion above 0, blue below, more opaque further from 0."""
    colours = np.where(matrix[:, :, None] > 0, rgb(VERMILLION), rgb(BLUE)) / 255
    return _data_uri(colours, np.abs(matrix))


def _data_uri(colours: Array, opacity: Array) -> str:
    from matplotlib.image import imsave

    buffer = io.BytesIO()
    imsave(buffer, np.dstack([colours, np.clip(opacity, 0, 1)]), format="png", metadata={"Software": ""})
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"


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
    """Return a prediction for each digit from the probabilities A2 (10, m)."""
    columns = zip(digits.X.T, digits.labels.tolist(), np.argmax(A2, axis=0).tolist(), A2.T, strict=True)
    return [Prediction(pixels.reshape(digits.shape), *rest) for pixels, *rest in columns]
