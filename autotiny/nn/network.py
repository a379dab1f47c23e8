"""A fully connected network in the textbook's layout, one example per column, and the measures of its mistakes."""

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from math import sqrt
from typing import Any

import numpy as np
import numpy.typing as npt

import autotiny as at
from autotiny.engine.node import next_number
from autotiny.engine.recording import in_scope
from autotiny.engine.tensor import Tensor
from autotiny.errors import AutotinyError
from autotiny.nn.arguments import as_array, require_whole
from autotiny.nn.datasets import Array

# ----- initialisation: random weights that keep the variance of signals the same from layer to layer -----


def he(rng: np.random.Generator, n_out: int, n_in: int) -> Array:
    """Draw W (n_out, n_in) ~ N(0, 2 / n_in), for layers followed by relu, which passes on half of the variance.

    Source: He et al., Delving Deep into Rectifiers, 2015, eq. 10, arxiv.org/abs/1502.01852.
    """
    return rng.normal(0, sqrt(2 / n_in), (n_out, n_in))


def glorot(rng: np.random.Generator, n_out: int, n_in: int) -> Array:
    """Draw W (n_out, n_in) ~ N(0, 2 / (n_in + n_out)), for layers followed by a function that is linear near 0 (tanh).

    Source: Glorot and Bengio, Understanding the Difficulty of Training Deep Feedforward Neural Networks, 2010, eq. 12.
    """
    return rng.normal(0, sqrt(2 / (n_in + n_out)), (n_out, n_in))


def lecun(rng: np.random.Generator, n_out: int, n_in: int) -> Array:
    """Draw W (n_out, n_in) ~ N(0, 1 / n_in), for layers followed by selu, which keeps mean 0 and variance 1.

    Source: Klambauer et al., Self-Normalizing Neural Networks, 2017, section 3.
    """
    return rng.normal(0, sqrt(1 / n_in), (n_out, n_in))


ACTIVATIONS: dict[str, tuple[Callable[[Any], Any], Callable[[np.random.Generator, int, int], Array]]] = {
    "relu": (at.relu, he),
    "leaky_relu": (at.leaky_relu, he),
    "elu": (at.elu, he),
    "softplus": (at.softplus, he),
    "silu": (at.silu, he),
    "gelu": (at.gelu, he),
    "mish": (at.mish, he),
    "selu": (at.selu, lecun),
    "sigmoid": (at.sigmoid, glorot),
    "hard_tanh": (at.hard_tanh, glorot),
    "softsign": (at.softsign, glorot),
    "tanh": (np.tanh, glorot),
}
"""Each activation, and the initialisation of the layer before it."""


# ----- the network -----


class NetworkError(AutotinyError):
    """Invalid sizes, activations or parameter values of a network."""


class Network:
    """Z1 = W1 X + b1,  A1 = g(Z1),  Z2 = W2 A1 + b2, ... up to the logits of the classes.

    X : (sizes[0], m), an example per column;  W1 : (sizes[1], sizes[0]);  b1 : (sizes[1], 1);  logits : (sizes[-1], m).
    Weights are drawn from `seed`, by He's, Glorot's or LeCun's initialisation, as the activation needs; biases are 0.
    `activation` is a name for all hidden layers, or a sequence with one name for each. Raises NetworkError if sizes and
    activations do not fit.

    >>> net = Network((64, 32, 10), activation="relu", seed=0)
    >>> Z2 = net(np.zeros((64, 5)))
    >>> Z2.name, Z2.shape, list(net.parameters)
    ('Z2', (10, 5), ['W1', 'b1', 'W2', 'b2'])
    """

    def __init__(
        self,
        sizes: Sequence[int],
        activation: str | Sequence[str] = "relu",
        seed: int = 0,
        dtype: npt.DTypeLike = np.float64,
    ) -> None:
        """Draw the weights."""
        self.sizes, self.activations = _architecture(sizes, activation)
        require_whole("seed", seed, NetworkError, least=0)
        dtype = _floating(dtype)
        rng = np.random.default_rng(seed)
        initialisers = [ACTIVATIONS[name][1] for name in self.activations] + [glorot]
        self.parameters: dict[str, Tensor] = {}
        for l, (n_in, n_out) in enumerate(zip(self.sizes, self.sizes[1:], strict=False), 1):
            W = initialisers[l - 1](rng, n_out, n_in).astype(dtype)
            self.parameters[f"W{l}"] = Tensor(W, name=f"W{l}")
            self.parameters[f"b{l}"] = Tensor(np.zeros((n_out, 1), dtype), name=f"b{l}")

    def __repr__(self) -> str:
        """Return the sizes and activations."""
        return f"Network({self.sizes}, {self.activations})"

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of the parameters."""
        dtype: np.dtype[Any] = self.parameters["W1"].dtype
        return dtype

    def __call__(self, X: Any) -> Tensor:
        """Record and return the logits of the examples X; raises NetworkError unless each column is an example."""
        _require_columns(X, self.sizes[0])
        return self.forward(self.parameters, self.activations, X)

    @staticmethod
    def forward(parameters: Mapping[str, Tensor], activations: Sequence[str], X: Any) -> Tensor:
        """Record and return the logits of the examples X under these parameters."""
        A = X
        for l, name in enumerate(activations, 1):
            start = next_number()
            A = ACTIVATIONS[name][0](_linear(parameters, l, A))
            A.name = f"A{l}"
            in_scope(A, f"layer {l}", start)
        start, l = next_number(), len(activations) + 1
        return in_scope(_linear(parameters, l, A), f"layer {l}", start)

    def loss(self, X: Any, Y: Any) -> Tensor:
        """Record J = -(1/m) sum(Y * log softmax(Z)); Y holds one-hot columns, or the labels as integers."""
        J: Tensor = at.cross_entropy(self(X), Y)
        return J

    def predict(self, X: Array) -> Array:
        """Return the label of each example: the position of its largest logit."""
        with at.no_grad():
            labels: Array = np.argmax(self(X), axis=0)
        return labels

    def assign(self, values: Mapping[str, Array]) -> None:
        """Set each parameter to a copy of the value of its name; raises NetworkError if a shape differs."""
        if not isinstance(values, Mapping) or values.keys() != self.parameters.keys():
            got = ", ".join(map(str, values)) if isinstance(values, Mapping) else type(values).__name__
            raise NetworkError(f"assign: expected a value for each of {', '.join(self.parameters)}; got {got}")
        for name, W in self.parameters.items():
            if np.shape(values[name]) != W.shape:
                raise NetworkError(f"assign: {name} has shape {W.shape}, its new value {np.shape(values[name])}")
            W.data = np.array(values[name])

    def values(self) -> dict[str, Array]:
        """Return a copy of each parameter's value, by name."""
        return {name: np.array(W.data) for name, W in self.parameters.items()}


def _linear(parameters: Mapping[str, Tensor], l: int, A: Any) -> Tensor:
    Z: Tensor = parameters[f"W{l}"] @ A + parameters[f"b{l}"]
    Z.name = f"Z{l}"
    return Z


MOST_PARAMETERS = 2**32
"""Of float64, 34 GB; more are a slip of the finger, which would fill the memory before it fails."""


def _architecture(sizes: Any, activation: Any) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """Return the sizes of the layers and the activation of each hidden one; raise NetworkError for others."""
    wanted = "at least two positive integers are needed, such as (64, 32, 10)"
    if not isinstance(sizes, Sequence | np.ndarray) or isinstance(sizes, str) or getattr(sizes, "ndim", 1) == 0:
        raise NetworkError(f"sizes is {sizes!r}; {wanted}")
    sizes = tuple(sizes)
    if len(sizes) < 2 or any(isinstance(n, bool) or not isinstance(n, int | np.integer) or n < 1 for n in sizes):
        raise NetworkError(f"sizes is {sizes}; {wanted}")
    if not isinstance(activation, str | Sequence):
        raise NetworkError(f"activation is {activation!r}; a name is needed, or one for each hidden layer")
    activations = (activation,) * (len(sizes) - 2) if isinstance(activation, str) else tuple(activation)
    _check(sizes, activations)
    return sizes, activations


def _check(sizes: tuple[int, ...], activations: tuple[str, ...]) -> None:
    count = sum(int(n_out) * (int(n_in) + 1) for n_in, n_out in pairwise(sizes))
    if count > MOST_PARAMETERS:
        raise NetworkError(f"sizes {sizes} make {count:,} parameters; at most {MOST_PARAMETERS:,} are possible")
    if len(activations) != len(sizes) - 2:
        raise NetworkError(f"{len(activations)} activations for {len(sizes) - 2} hidden layers; one for each is needed")
    unknown = [name for name in activations if name not in ACTIVATIONS]
    if unknown:
        raise NetworkError(f"activation {unknown[0]!r} is not one of {', '.join(ACTIVATIONS)}")


def _floating(dtype: Any) -> np.dtype[Any]:
    try:
        kind = np.dtype(dtype)
    except (TypeError, ValueError):
        kind = np.dtype(object)
    if kind.kind != "f":
        raise NetworkError(f"dtype is {dtype!r}; a floating-point type is needed, such as np.float32")
    return kind


def _require_columns(X: Any, n: int) -> None:
    """Raise NetworkError unless X has an example of n features in each column."""
    shape = X.shape if hasattr(X, "shape") else as_array("X", X, NetworkError).shape
    if len(shape) == 2 and shape[0] == n:
        return
    mend = "; one example is a column, X[:, None]" if shape == (n,) else "; X.T fits" if shape[1:] == (n,) else ""
    raise NetworkError(f"X has shape {shape}; an example of {n} features in each column is needed, ({n}, m){mend}")


# ----- evaluation -----


def confusion_matrix(labels: Array, predictions: Array, n_classes: int) -> Array:
    """Return C (n_classes, n_classes), where C[i, j] is the number of examples of class i predicted as class j.

    >>> confusion_matrix(np.array([0, 0, 1, 1]), np.array([0, 1, 1, 1]), 2)
    array([[1, 1],
           [0, 2]])
    """
    require_whole("n_classes", n_classes, NetworkError)
    labels = _classes("labels", labels, n_classes)
    predictions = _classes("predictions", predictions, n_classes)
    if labels.shape != predictions.shape:
        raise NetworkError(f"there are {len(labels)} labels and {len(predictions)} predictions; one for each is needed")
    counts = np.bincount(n_classes * labels + predictions, minlength=n_classes**2)
    return counts.reshape(n_classes, n_classes)


def _classes(name: str, values: Any, n_classes: int) -> Array:
    """Return positions of classes as an array; raise NetworkError for others."""
    classes = as_array(name, values, NetworkError)
    if classes.dtype.kind not in "iu" or classes.ndim != 1:
        raise NetworkError(f"{name} hold {classes.dtype} of shape {classes.shape}; a vector of integers is needed")
    if classes.size and not 0 <= classes.min() <= classes.max() < n_classes:
        raise NetworkError(f"{name} lie in {classes.min()}..{classes.max()}; 0..{n_classes - 1} is needed")
    return classes.astype(np.intp)


def worst_pairs(confusion: Array, at_most: int = 5) -> list[tuple[int, int, int]]:
    """Return the most frequent mistakes, worst first, as (class, predicted class, count).

    >>> worst_pairs(np.array([[5, 1, 0], [0, 5, 3], [0, 0, 5]]))
    [(1, 2, 3), (0, 1, 1)]
    """
    confusion = as_array("confusion", confusion, NetworkError)
    if confusion.ndim != 2 or confusion.shape[0] != confusion.shape[1] or confusion.dtype.kind not in "iuf":
        raise NetworkError(f"confusion has shape {confusion.shape}; a square matrix of counts is needed")
    require_whole("at_most", at_most, NetworkError, least=0)
    mistakes = confusion - np.diag(np.diag(confusion))
    # A stable sort keeps equal counts in the order of the classes.
    order = np.argsort(-mistakes, axis=None, kind="stable")[:at_most]
    pairs = [(int(k) // len(mistakes), int(k) % len(mistakes), int(mistakes.flat[k])) for k in order]
    return [pair for pair in pairs if pair[2]]
