"""Mini-batch training that keeps the best parameters, and gives the same bits if it is stopped and resumed."""

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
from autotiny.nn.arguments import require_instance, require_whole
from autotiny.nn.datasets import Array, Dataset, Standardisation
from autotiny.nn.network import Network
from autotiny.nn.optimisers import GradientDescent, Optimiser

# ----- one batch -----

BatchFunction = Callable[[Mapping[str, Array], Array, Array], tuple[Any, Any, dict[str, Any]]]


class BatchStep:
    """Computes J, Z and dJ/dW for each parameter W of a network, from examples X and their one-hot labels Y."""

    def __init__(self, eager: BatchFunction, backend: str = "numpy") -> None:
        self.eager, self.compiled = eager, at.compile(eager, backend=backend)
        self.may_compile = True

    def __call__(self, parameters: Mapping[str, Array], X: Array, Y: Array) -> tuple[float, Array, dict[str, Array]]:
        """Run the compiled program, or record where compiling fails."""
        J, Z, gradients = self.compute(parameters, X, Y)
        return J.item(), Z, gradients

    def compute(self, parameters: Mapping[str, Array], X: Array, Y: Array) -> tuple[Any, Any, dict[str, Array]]:
        """Run the compiled program; the first failure to compile warns, and all later batches are recorded."""
        if self.may_compile:
            try:
                return self.compiled(parameters, X, Y)
            except AutotinyError as error:
                self.may_compile = False
                warnings.warn(f"training without compiling: {error}", RuntimeWarning, stacklevel=2)
        return self.eager(parameters, X, Y)


_steps: WeakKeyDictionary[Network, dict[str, BatchStep]] = WeakKeyDictionary()


def batch_step(network: Network, backend: str = "numpy") -> BatchStep:
    """Return the network's batch step, which lives as long as the network."""
    steps = _steps.setdefault(network, {})
    if backend not in steps:
        forward, names = type(network).forward, network.activations  # a reference to the network would keep it alive

        def gradients(parameters: Mapping[str, Array], X: Array, Y: Array) -> tuple[Any, Any, dict[str, Any]]:
            W = {name: Tensor(value, name=name) for name, value in parameters.items()}
            Z = forward(W, names, Tensor(X, requires_grad=False))
            J = at.cross_entropy(Z, Tensor(Y, requires_grad=False))
            J.backward()
            return J, Z, {name: W[name].grad for name in W}

        steps[backend] = BatchStep(gradients, backend)
    return steps[backend]


# ----- training -----


class TrainingError(AutotinyError):
    """Invalid settings, a loss that diverged, or a resumed run with other examples."""


class Epoch(NamedTuple):
    """The losses and accuracies of one epoch: means over its batches, and over the validation examples at its end."""

    loss: float
    accuracy: float
    validation_loss: float
    validation_accuracy: float


@dataclass(frozen=True, eq=False)
class TrainingState:
    """Everything that an epoch changes, as of the end of an epoch."""

    parameters: Mapping[str, Array]
    best: Mapping[str, Array]
    optimiser: Mapping[str, Array] = field(default_factory=dict)
    history: tuple[Epoch, ...] = ()


@dataclass(eq=False)
class Training:
    """Trains a network in shuffled mini-batches until the validation loss no longer improves.

    The order of examples in epoch e is drawn from (seed, e), so `state` is all that a resumed run needs. Training ends
    after `patience` epochs without a lower validation loss (None: never). X is standardised by the training examples
    of the first run, unless there is a `standardisation`. `backend` is that of at.compile: each rounds in its own way,
    and "auto" goes over from one to the other after a time that is not the same in every run.

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
    """Additional data for a checkpoint to hold: anything that JSON can represent."""
    backend: str = "numpy"

    state: TrainingState = field(init=False, repr=False)
    examples: str = field(default="", init=False, repr=False)
    """The fingerprint of the examples; a resumed run needs the same."""
    interrupted: bool = field(default=False, init=False)
    """Whether Ctrl-C ended the last run."""

    def __post_init__(self) -> None:
        """Check the settings, and start from the network's parameters."""
        require_instance("network", self.network, Network, TrainingError)
        require_instance("optimiser", self.optimiser, Optimiser, TrainingError, ", such as nn.Adam()")
        require_whole("batch", self.batch, TrainingError)
        if self.patience is not None:
            require_whole("patience", self.patience, TrainingError)
        require_whole("seed", self.seed, TrainingError, least=0)
        batch_step(self.network, self.backend)  # raises where there is no such back end
        self.state = TrainingState(self.network.values(), self.network.values())

    @property
    def history(self) -> tuple[Epoch, ...]:
        """The losses and accuracies, one entry per epoch."""
        return self.state.history

    @property
    def best_epoch(self) -> int:
        """The epoch, from 1, that ended with the best parameters; 0 before the first."""
        losses = [epoch.validation_loss for epoch in self.history]
        return 1 + losses.index(min(losses)) if losses else 0

    def run(
        self,
        train: Dataset,
        validation: Dataset,
        epochs: int = 100,
        after_epoch: Callable[["Training"], object] = lambda training: None,
    ) -> None:
        """Train up to this many epochs in total, and leave the network with the best parameters, also after Ctrl-C.

        Raises TrainingError if the loss becomes infinite or nan, or if a resumed run has other examples.
        """
        for name, data in (("train", train), ("validation", validation)):
            self._require_examples(name, data)
        require_whole("epochs", epochs, TrainingError, least=0)
        train, validation = self._prepare(train, validation)
        self.network.assign(self.state.parameters)
        self.optimiser.state = dict(self.state.optimiser)
        self.interrupted = False
        try:
            while len(self.history) < epochs and not self._out_of_patience():
                # One assignment, so that Ctrl-C leaves the state of before the epoch or of after it, never a mixture.
                self.state = self._next_state(train, validation)
                after_epoch(self)
        except KeyboardInterrupt:
            self.interrupted = True
        finally:
            self.network.assign(self.state.best)

    def _require_examples(self, name: str, data: Any) -> None:
        """Raise TrainingError for what the network cannot learn from."""
        require_instance(name, data, Dataset, TrainingError, "; make one with nn.Dataset.from_rows(rows, labels)")
        n_x, n_y = self.network.sizes[0], self.network.sizes[-1]
        if len(data.X) != n_x:
            raise TrainingError(f"{name} has {len(data.X)} features; the network takes {n_x}")
        if len(data.classes) > n_y:
            raise TrainingError(f"{name} has {len(data.classes)} classes; the network tells {n_y} apart")

    def predict(self, data: Dataset) -> Array:
        """Return the network's label for each example."""
        self._require_examples("data", data)
        return self.network.predict(self._inputs(data))

    def accuracy(self, data: Dataset) -> float:
        """Return the fraction of examples that the network labels correctly."""
        return float(np.mean(self.predict(data) == data.labels))

    def _inputs(self, data: Dataset) -> Array:
        standardise = self.standardisation or Standardisation.none(data)
        return standardise(data.X).astype(self.network.dtype, copy=False)

    def _prepare(self, train: Dataset, validation: Dataset) -> tuple[Dataset, Dataset]:
        """Standardise both, and refuse examples other than those of an earlier run."""
        examples = _fingerprint(train, validation)
        if self.examples not in ("", examples):
            raise TrainingError("this training began with other examples; continue with the same, or start a new one")
        self.examples = examples
        self.standardisation = self.standardisation or Standardisation.fit(train)
        return replace(train, X=self._inputs(train)), replace(validation, X=self._inputs(validation))

    def _out_of_patience(self) -> bool:
        return self.patience is not None and len(self.history) - self.best_epoch >= self.patience

    def _next_state(self, train: Dataset, validation: Dataset) -> TrainingState:
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
        return TrainingState(values, best, dict(self.optimiser.state), (*self.history, epoch))

    def _learn(self, train: Dataset) -> tuple[float, float]:
        """Make one pass over the shuffled examples; return the mean loss and accuracy of its batches."""
        Y = at.one_hot(train.labels, self.network.sizes[-1]).astype(self.network.dtype)
        loss, correct = 0.0, 0
        for columns in self._batches(len(train)):
            J, Z, gradients = self._gradients(_columns(train.X, columns), _columns(Y, columns))
            self._descend(gradients)
            loss += J * len(columns)
            correct += int(np.count_nonzero(np.argmax(Z, axis=0) == train.labels[columns]))
        return loss / len(train), correct / len(train)

    def _batches(self, m: int) -> Iterator[Array]:
        order = np.random.default_rng([self.seed, len(self.history)]).permutation(m)
        return (order[start : start + self.batch] for start in range(0, m, self.batch))

    def _gradients(self, X: Array, Y: Array) -> tuple[float, Array, Mapping[str, Array]]:
        values = {name: W.value for name, W in self.network.parameters.items()}
        return batch_step(self.network, self.backend)(values, X, Y)

    def _descend(self, gradients: Mapping[str, Array]) -> None:
        parameters = self.network.parameters
        for name, W in parameters.items():
            W.grad = gradients[name]
        self.optimiser.update(parameters)

    def _measure(self, data: Dataset) -> tuple[float, float]:
        """Return the loss and the accuracy on these examples."""
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


@contextmanager
def progress_bar(epochs: int, done: int = 0) -> Iterator[Callable[[Training], None]]:
    """Yield a callback for each epoch: it updates rich's bar on a terminal, else prints ten lines to standard error."""
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
