"""Mini-batch training that keeps the best parameters, and can be stopped and resumed without a trace."""

import hashlib
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np

import autotiny as at
from autotiny.engine.tensor import Tensor
from autotiny.errors import AutotinyError
from autotiny.nn.datasets import Array, Dataset, Standardisation
from autotiny.nn.network import Network
from autotiny.nn.optimisers import GradientDescent, Optimiser

# ----- batch -----
# What a batch of examples gives: the loss, the logits, the gradient of every parameter; compiled where it can be.


Batch = Callable[[Mapping[str, Array], Array, Array], tuple[Any, Any, dict[str, Any]]]


class BatchStep:
    """J, Z and dJ/dW for each parameter W of a network, on examples X and their one-hot labels Y."""

    def __init__(self, eager: Batch) -> None:
        self.eager, self.compiled = eager, at.compile(eager)
        self.may_compile = True

    def __call__(self, parameters: Mapping[str, Array], X: Array, Y: Array) -> tuple[float, Array, dict[str, Array]]:
        """By the compiled program; where there can be none, says so once and records."""
        J, Z, gradients = self.compute(parameters, X, Y)
        return J.item(), Z, gradients

    def compute(self, parameters: Mapping[str, Array], X: Array, Y: Array) -> tuple[Any, Any, dict[str, Array]]:
        """The one or the other."""
        if self.may_compile:
            try:
                return self.compiled(parameters, X, Y)
            except AutotinyError as error:
                self.may_compile = False
                warnings.warn(f"training without compiling: {error}", RuntimeWarning, stacklevel=2)
        return self.eager(parameters, X, Y)


_steps: WeakKeyDictionary[Network, BatchStep] = WeakKeyDictionary()


def batch_step(network: Network) -> BatchStep:
    """The network's own, kept with its programs as long as the network is."""
    if network not in _steps:
        forward, names = type(network).forward, network.activations  # not the network: it would keep itself alive

        def gradients(parameters: Mapping[str, Array], X: Array, Y: Array) -> tuple[Any, Any, dict[str, Any]]:
            W = {name: Tensor(value, name=name) for name, value in parameters.items()}
            Z = forward(W, names, Tensor(X, requires_grad=False))
            J = at.cross_entropy(Z, Tensor(Y, requires_grad=False))
            J.backward()
            return J, Z, {name: W[name].grad for name in W}

        _steps[network] = BatchStep(gradients)
    return _steps[network]


class TrainingError(AutotinyError):
    """Training cannot go on."""


class Epoch(NamedTuple):
    """How well an epoch went: means over its batches, and over the validation examples at its end."""

    loss: float
    accuracy: float
    validation_loss: float
    validation_accuracy: float


@dataclass(frozen=True, eq=False)
class State:
    """Everything that an epoch changes, as it stands between two epochs."""

    parameters: Mapping[str, Array]
    best: Mapping[str, Array]
    optimiser: Mapping[str, Array] = field(default_factory=dict)
    history: tuple[Epoch, ...] = ()


@dataclass(eq=False)
class Training:
    """Trains a network in shuffled mini-batches until the validation loss no longer improves.

    The order of epoch e is drawn from (seed, e): with it, `state` is all that a run needs to go on where it stood.
    `patience` epochs without a better validation loss end it (None: never). X is standardised as the first training
    examples ask for, unless a `standardisation` is given.

    >>> from autotiny import nn
    >>> train, validation = nn.digits().split(0.2, seed=0)
    >>> training = nn.Training(nn.Network((64, 32, 10), seed=0))
    >>> training.run(train, validation, epochs=3)
    >>> len(training.history), training.accuracy(validation) > 0.8
    (3, True)
    """

    network: Network
    optimiser: Optimiser = field(default_factory=GradientDescent)
    batch: int = 32
    patience: int | None = 10
    seed: int = 0
    standardisation: Standardisation | None = field(default=None, repr=False)
    notes: dict[str, Any] = field(default_factory=dict)
    """What a checkpoint is to hold beside the training: anything that JSON can."""

    state: State = field(init=False, repr=False)
    examples: str = field(default="", init=False, repr=False)
    """The fingerprint of the examples; a resumed run must see the same."""
    interrupted: bool = field(default=False, init=False)
    """Whether Ctrl-C ended the last run."""

    def __post_init__(self) -> None:
        """Starts from the network's parameters."""
        if self.batch < 1:
            raise TrainingError(f"batch is {self.batch}; at least one example is needed")
        if self.patience is not None and self.patience < 1:
            raise TrainingError(f"patience is {self.patience}; at least one epoch, or None, is needed")
        self.state = State(self.network.values(), self.network.values())

    @property
    def history(self) -> tuple[Epoch, ...]:
        """One entry per epoch."""
        return self.state.history

    @property
    def best_epoch(self) -> int:
        """How many epochs the best parameters have seen; 0 before the first."""
        losses = [epoch.validation_loss for epoch in self.history]
        return 1 + losses.index(min(losses)) if losses else 0

    def run(
        self,
        train: Dataset,
        validation: Dataset,
        epochs: int = 100,
        after_epoch: Callable[["Training"], object] = lambda training: None,
    ) -> None:
        """Trains up to this many epochs in all and leaves the best parameters; so does Ctrl-C.

        Raises TrainingError where the loss becomes infinite or nan, and where a resumed run is given other examples.
        """
        train, validation = self._prepare(train, validation)
        self.network.assign(self.state.parameters)
        self.optimiser.state = dict(self.state.optimiser)
        self.interrupted = False
        try:
            while len(self.history) < epochs and not self._out_of_patience():
                # One assignment: Ctrl-C finds the state before the epoch or after it, never a half of each.
                self.state = self._next_state(train, validation)
                after_epoch(self)
        except KeyboardInterrupt:
            self.interrupted = True
        finally:
            self.network.assign(self.state.best)

    def predict(self, data: Dataset) -> Array:
        """The label that the network gives each example."""
        return self.network.predict(self._inputs(data))

    def accuracy(self, data: Dataset) -> float:
        """The share of examples whose label the network finds."""
        return float(np.mean(self.predict(data) == data.labels))

    def _inputs(self, data: Dataset) -> Array:
        standardise = self.standardisation or Standardisation.none(data)
        return standardise(data.X).astype(self.network.dtype, copy=False)

    def _prepare(self, train: Dataset, validation: Dataset) -> tuple[Dataset, Dataset]:
        """Both as the network takes them."""
        examples = _fingerprint(train, validation)
        if self.examples not in ("", examples):
            raise TrainingError("this training has begun with other examples; go on with the same, or start a new one")
        self.examples = examples
        self.standardisation = self.standardisation or Standardisation.fit(train)
        return replace(train, X=self._inputs(train)), replace(validation, X=self._inputs(validation))

    def _out_of_patience(self) -> bool:
        return self.patience is not None and len(self.history) - self.best_epoch >= self.patience

    def _next_state(self, train: Dataset, validation: Dataset) -> State:
        with np.errstate(over="ignore", invalid="ignore"):
            epoch = Epoch(*self._learn(train), *self._measure(validation))
        if not np.isfinite(epoch).all():
            raise TrainingError(
                f"the loss is {epoch.loss:.3g} in epoch {len(self.history) + 1}; "
                f"a learning rate below {self.optimiser.learning_rate:g} may help"
            )
        values = self.network.values()
        better = all(epoch.validation_loss < earlier.validation_loss for earlier in self.history)
        best = values if better else self.state.best
        return State(values, best, dict(self.optimiser.state), (*self.history, epoch))

    def _learn(self, train: Dataset) -> tuple[float, float]:
        """One pass over the shuffled examples; the mean loss and accuracy of its batches."""
        Y = at.one_hot(train.labels, self.network.sizes[-1]).astype(self.network.dtype)
        loss, right = 0.0, 0
        for columns in self._batches(len(train)):
            J, Z, gradients = self._gradients(_columns(train.X, columns), _columns(Y, columns))
            self._descend(gradients)
            loss += J * len(columns)
            right += int(np.count_nonzero(np.argmax(Z, axis=0) == train.labels[columns]))
        return loss / len(train), right / len(train)

    def _batches(self, m: int) -> Iterator[Array]:
        order = np.random.default_rng([self.seed, len(self.history)]).permutation(m)
        return (order[start : start + self.batch] for start in range(0, m, self.batch))

    def _gradients(self, X: Array, Y: Array) -> tuple[float, Array, Mapping[str, Array]]:
        values = {name: W.value for name, W in self.network.parameters.items()}
        return batch_step(self.network)(values, X, Y)

    def _descend(self, gradients: Mapping[str, Array]) -> None:
        parameters = self.network.parameters
        for name, W in parameters.items():
            W.grad = gradients[name]
        self.optimiser.update(parameters)

    def _measure(self, data: Dataset) -> tuple[float, float]:
        """The loss and the accuracy on these examples."""
        with at.no_grad():
            Z = self.network(data.X)
            return at.cross_entropy(Z, data.labels).item(), float(np.mean(np.argmax(Z, axis=0) == data.labels))


def _columns(examples: Array, columns: Array) -> Array:
    return examples.T[columns].T


def _fingerprint(*parts: Dataset) -> str:
    digest = hashlib.sha256()
    for data in parts:
        digest.update(repr((data.X.shape, data.classes)).encode())
        digest.update(np.ascontiguousarray(data.X.T).data)
        digest.update(np.ascontiguousarray(data.labels).data)
    return digest.hexdigest()


# ----- progress -----
# How training is going: a bar in a terminal, a few plain lines elsewhere.


@contextmanager
def progress_bar(epochs: int, done: int = 0) -> Iterator[Callable[[Training], None]]:
    """What to call after each epoch, on standard error: rich's bar where rich is and somebody looks, else ten lines."""
    if sys.stderr.isatty() and find_spec("rich"):
        with _bar(epochs, done) as report:
            yield report
    else:
        yield lambda training: _line(training, epochs)


def _figures(training: Training) -> str:
    epoch = training.history[-1]
    return (
        f"loss {epoch.loss:.4f}  accuracy {epoch.accuracy:.2%}  "
        f"validation {epoch.validation_loss:.4f}  {epoch.validation_accuracy:.2%}"
    )


def _line(training: Training, epochs: int) -> None:
    done = len(training.history)
    if done % max(1, epochs // 10) == 0:
        print(f"epoch {done:{len(str(epochs))}} of {epochs}  {_figures(training)}", file=sys.stderr)


@contextmanager
def _bar(epochs: int, done: int) -> Iterator[Callable[[Training], None]]:
    # rich costs more to import than all of autotiny.
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = TextColumn("epoch"), MofNCompleteColumn(), BarColumn(None), TextColumn("{task.description}")
    with Progress(*columns, console=Console(stderr=True), expand=True) as bar:
        task = bar.add_task("", total=epochs, completed=done)
        yield lambda training: bar.update(task, advance=1, description=_figures(training))
