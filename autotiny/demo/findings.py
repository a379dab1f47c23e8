"""The experiment that the demonstration runs, its results, and the tables that the terminal shows of them."""

from dataclasses import dataclass

import numpy as np

import autotiny as at
from autotiny import nn
from autotiny.checking import Row
from autotiny.demo.flagship import Check
from autotiny.demo.predictions import Prediction
from autotiny.derivation.derivation import Derivation
from autotiny.derivation.derive import Deriving
from autotiny.drawing import Picture
from autotiny.nn import confusion_matrix
from autotiny.nn.datasets import Array
from autotiny.notation.text import aligned

# ----- the experiment -----


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


# ----- the derived formulas -----


def derivations(check: Check) -> dict[str, Derivation]:
    """Derive a formula for each gradient that was compared, by the tensor's name."""
    tensors = check.tensors
    scope = {"m": tensors["X"].shape[1]}
    with np.errstate(all="ignore"):
        return {row.name: Deriving(tensors["J"], tensors[row.name], scope).derivation() for row in check.report.rows}


def derivation_table(derivations: dict[str, Derivation]) -> str:
    """Return a line for each gradient: its formula, the number of steps, the largest error."""
    return aligned([(f"{d.name} = {d.formula}", _steps(d), f"{d.max_error:.0e}") for d in derivations.values()])


def _steps(derivation: Derivation) -> str:
    return f"in {len(derivation.steps)} steps" if derivation.steps else "by the chain rule"


# ----- the comparison -----

HEADINGS = ("dJ/d", "the textbook's formula", "by hand", "autograd", "error", "")

FORMULAS = {
    "Z2": "(A2 - Y)/m",
    "W2": "(1/m) dZ2 A1^T",
    "b2": "(1/m) sum(dZ2)",
    "Z1": "(W2^T dZ2 * 1[Z1 > 0])/m",
    "W1": "(1/m) dZ1 X^T",
    "b1": "(1/m) sum(dZ1)",
}
"""The textbook's formulas. Its dZ has no 1/m, which the gradient of J, an average, does have."""


def comparison_table(check: Check) -> str:
    """Return a line for each gradient, at the entry where both sides differ most, and a summary."""
    table = aligned([HEADINGS, *(_cells(row) for row in check.report.rows)])
    summary = "All six agree" if check.report.ok else "NOT all agree"
    worst = check.worst
    return f"{table}\n\n{summary}: the largest error is {worst.error:.1e} of the largest entry, in {worst.name}"


def _cells(row: Row) -> tuple[str, ...]:
    by_hand, autograd = (f"{np.asarray(side)[row.index]:.9g}" for side in (row.analytic, row.autograd))
    return row.name, FORMULAS[row.name], by_hand, autograd, f"{row.error:.1e}", "" if row.ok else "DIFFERS"


# ----- all results -----

TARGET = 0.96
"""The accuracy that such a network is known to reach on the held-out digits."""


@dataclass(frozen=True)
class Findings:
    """The comparison before and after training, the graph and its formulas, and a prediction for each test digit."""

    experiment: Experiment
    before: Check
    after: Check
    derivations: dict[str, Derivation]
    picture: Picture
    predictions: list[Prediction]
    seconds: float
    """The duration of the training."""

    @property
    def agree(self) -> bool:
        """Whether autograd gave the textbook's gradients, before and after training."""
        return self.before.report.ok and self.after.report.ok

    @property
    def derived(self) -> bool:
        """Whether every formula that was derived from the graph agrees with autograd."""
        return all(derivation.ok for derivation in self.derivations.values())

    @property
    def learnt(self) -> bool:
        """Whether the accuracy reaches the target."""
        return self.accuracy >= TARGET

    @property
    def faults(self) -> list[str]:
        """A message for each check that failed."""
        messages = {
            "autograd and the closed form differ": self.agree,
            "a derived formula disagrees with autograd": self.derived,
            f"fewer than {TARGET:.0%} of the held-out digits were read correctly": self.learnt,
        }
        return [message for message, passed in messages.items() if not passed]

    @property
    def largest_error(self) -> float:
        """The largest error of both comparisons."""
        return max(self.before.worst.error, self.after.worst.error)

    @property
    def accuracy(self) -> float:
        """The fraction of held-out digits that were read correctly."""
        return float(np.mean([prediction.correct for prediction in self.predictions]))

    @property
    def mistakes(self) -> list[Prediction]:
        """The wrong predictions, the most confident first."""
        wrong = [prediction for prediction in self.predictions if not prediction.correct]
        return sorted(wrong, key=lambda prediction: -prediction.confidence)

    @property
    def confusion(self) -> Array:
        """C (10, 10), where C[i, j] is the number of digits i that were read as j."""
        labels = np.array([prediction.label for prediction in self.predictions])
        predictions = np.array([prediction.digit for prediction in self.predictions])
        return confusion_matrix(labels, predictions, len(self.experiment.test.classes))
