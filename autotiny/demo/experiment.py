"""What the demonstration works on: the digits in three parts, and the network that learns them."""

from dataclasses import dataclass

import numpy as np

import autotiny as at
from autotiny import nn
from autotiny.nn.datasets import Array

N_HIDDEN = 32
BATCH = 100
"""Digits that are compared at once: a size that no layer has, so that shapes tell what is what."""


@dataclass(frozen=True)
class Experiment:
    """The digits to train, to validate and to test with, and a training that has not begun."""

    train: nn.Dataset
    validation: nn.Dataset
    test: nn.Dataset
    standardisation: nn.Standardisation
    training: nn.Training

    @classmethod
    def on_digits(cls, seed: int = 0) -> "Experiment":
        """A fifth of the digits to test with, a tenth of the rest to validate; plain gradient descent.

        >>> Experiment.on_digits().training.network
        Network((64, 32, 10), ('relu',))
        """
        rest, test = nn.digits().split(0.2, seed)
        train, validation = rest.split(0.1, seed)
        network = nn.Network((len(train.X), N_HIDDEN, len(train.classes)), "relu", seed)
        standardisation = nn.Standardisation.fit(train)
        training = nn.Training(network, patience=None, seed=seed, standardisation=standardisation)
        return cls(train, validation, test, standardisation, training)

    def batch(self) -> tuple[Array, Array]:
        """X (64, m) and Y (10, m): the first training digits, as the network takes them."""
        digits = self.train.take(np.arange(BATCH))
        return self.standardisation(digits.X), at.one_hot(digits.labels, len(digits.classes))

    def probabilities(self) -> Array:
        """A2 (10, m) of the test digits: what the network thinks of each."""
        with at.no_grad():
            A2: Array = at.softmax(self.training.network(self.standardisation(self.test.X))).data
        return A2
