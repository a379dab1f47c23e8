"""The demonstration's data and network: the digits in three parts, and a training that has not begun."""

from dataclasses import dataclass

import numpy as np

import autotiny as at
from autotiny import nn
from autotiny.nn.datasets import Array

N_HIDDEN = 32
BATCH = 100
"""The number of digits in the gradient check. No layer has this size, so shapes cannot be confused."""


@dataclass(frozen=True)
class Experiment:
    """The digits for training, validation and test, and a training that has not begun."""

    train: nn.Dataset
    validation: nn.Dataset
    test: nn.Dataset
    standardisation: nn.Standardisation
    training: nn.Training

    @classmethod
    def on_digits(cls, seed: int = 0) -> "Experiment":
        """Hold out a fifth of the digits for the test, a tenth of the rest for validation; plain gradient descent.

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
        """Return X (64, m), standardised, and Y (10, m), one-hot, of the first training digits."""
        digits = self.train.take(np.arange(BATCH))
        return self.standardisation(digits.X), at.one_hot(digits.labels, len(digits.classes))

    def probabilities(self) -> Array:
        """Return A2 (10, m), the network's probabilities for the test digits."""
        with at.no_grad():
            A2: Array = at.softmax(self.training.network(self.standardisation(self.test.X))).data
        return A2
