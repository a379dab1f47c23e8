"""A network as an estimator of scikit-learn's: in pipelines, in searches, beside its other classifiers."""

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, check_random_state, validate_data

import autotiny as at
from autotiny.nn.datasets import Array, Dataset, Standardisation
from autotiny.nn.network import Network
from autotiny.nn.optimisers import Adam, Optimiser
from autotiny.nn.training import Training


class Classifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc] # scikit-learn has no types
    """A network of hidden layers with a softmax, as an estimator of scikit-learn's.

    hidden : the number of units of each hidden layer; none for logistic regression.
    activation : a name for all hidden layers, or a sequence with one for each, as for nn.Network.
    optimiser : an optimiser such as nn.Momentum(0.1), of which each fit takes a copy; nn.Adam() by default.
    epochs, batch : how often the examples are passed over, and how many make up a step.
    random_state : a seed, or a generator, of the weights and the order of the examples.

    Features are standardised. Training ends early after 10 epochs without a lower loss. After fit, `classes_` are the
    labels, sorted, `network_` and `training_` the nn.Network and the nn.Training, and `loss_curve_` the mean loss of
    each epoch.

    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> bool(Classifier(random_state=0).fit(X, y).score(X, y) > 0.95)
    True
    """

    def __init__(
        self,
        hidden: int | Sequence[int] = (32,),
        activation: str | Sequence[str] = "relu",
        optimiser: Optimiser | None = None,
        epochs: int = 100,
        batch: int = 32,
        random_state: Any = None,
    ) -> None:
        self.hidden, self.activation, self.optimiser = hidden, activation, optimiser
        self.epochs, self.batch, self.random_state = epochs, batch, random_state

    def fit(self, X: Any, y: Any) -> "Classifier":
        """Train a new network on an example per row and its label."""
        X, y = validate_data(self, X, y, dtype=(np.float64, np.float32))
        check_classification_targets(y)
        self.classes_, labels = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError("Classifier can't train when only one class is present.")
        seed = int(check_random_state(self.random_state).randint(2**31))
        hidden = (self.hidden,) if isinstance(self.hidden, int) else self.hidden
        self.network_ = Network((X.shape[1], *hidden, len(self.classes_)), self.activation, seed, X.dtype)
        optimiser = Adam() if self.optimiser is None else copy.deepcopy(self.optimiser)
        data = Dataset(X.T, labels, tuple(range(len(self.classes_))), X.shape[1:])
        self.standardisation_ = Standardisation.fit(data)
        self.training_ = Training(
            self.network_, optimiser, batch=self.batch, seed=seed, standardisation=self.standardisation_
        )
        self.training_.run(data, data, self.epochs)
        self.loss_curve_ = [epoch.loss for epoch in self.training_.history]
        self.n_iter_ = len(self.loss_curve_)
        return self

    def decision_function(self, X: Any) -> Array:
        """Return the logits, a row per example; of two classes, the difference of theirs."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=(np.float64, np.float32), reset=False)
        with at.no_grad():
            Z = self.network_(self.standardisation_(X.T).astype(self.network_.dtype, copy=False)).data.T
        return Z[:, 1] - Z[:, 0] if len(self.classes_) == 2 else Z

    def predict_proba(self, X: Any) -> Array:
        """Return the probabilities of the classes, a row per example."""
        Z = self.decision_function(X)
        return at.softmax(np.stack([np.zeros_like(Z), Z], axis=1) if Z.ndim == 1 else Z, axis=1)

    def predict(self, X: Any) -> Array:
        """Return the most probable label of each example."""
        Z = self.decision_function(X)
        return self.classes_[(Z > 0).astype(int) if Z.ndim == 1 else np.argmax(Z, axis=1)]
