"""Mini-batch training that keeps the best parameters, and gives the same bits if it is stopped and resumed."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np

import autotiny as at
from autotiny.errors import AutotinyError
from autotiny.nn.arguments import require_instance, require_whole
from autotiny.nn.batches import (
    Piece,
    accuracy,
    batch_step,
    confusion_of_piece,
    labels_of_piece,
    measures_of_piece,
    number_of_examples,
    step_on_piece,
)
from autotiny.nn.datasets import Array, Dataset, Standardisation
from autotiny.nn.network import Network, confusion_matrix
from autotiny.nn.optimisers import GradientDescent, Optimiser
from autotiny.nn.shards import Shards
from autotiny.shards.engines import mapping
from autotiny.shards.over_shards import outcomes, over_shards

Examples = Dataset | Shards
"""What a training learns from: a data set in memory, or in shards."""


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

    Examples are a data set in memory, or Shards, or a sequence of what `Shards.of` takes; these are loaded one after
    the other, in an order of each epoch. A batch is within a shard, or where it is larger than one it is of several
    whole shards, whose gradients are computed by `map`, any map that at.over_shards takes, as are the measures of all
    shards. The numbers have the same bits with any map on the same kind of machine.

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
    map: Any = field(default=map, repr=False)
    """Where shards are computed. A checkpoint does not hold it."""

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
        mapping(self.map)
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
        train: Examples | Sequence[Any],
        validation: Examples | Sequence[Any],
        epochs: int = 100,
        after_epoch: Callable[["Training"], object] = lambda training: None,
    ) -> None:
        """Train up to this many epochs in total, and leave the network with the best parameters, also after Ctrl-C.

        Raises TrainingError if the loss becomes infinite or nan, or if a resumed run has other examples.
        """
        train, validation = self._examples("train", train), self._examples("validation", validation)
        validation = _with_classes_of(train, validation)
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

    def _examples(self, name: str, data: Any) -> Examples:
        """Return a data set; raise TrainingError for what the network cannot learn from."""
        if isinstance(data, list | tuple):
            data = Shards.of(data, self.map)
        if not isinstance(data, Shards):
            require_instance(name, data, Dataset, TrainingError, "; make one with nn.Dataset.from_rows(rows, labels)")
        n_x, n_y = self.network.sizes[0], self.network.sizes[-1]
        if data.features != n_x:
            raise TrainingError(f"{name} has {data.features} features; the network takes {n_x}")
        if len(data.classes) > n_y:
            raise TrainingError(f"{name} has {len(data.classes)} classes; the network tells {n_y} apart")
        return data

    def predict(self, data: Examples) -> Array:
        """Return the network's label for each example."""
        data = self._examples("data", data)
        if isinstance(data, Dataset):
            return self.network.predict(self._inputs(data))
        predict = partial(labels_of_piece, *self._forward())
        found = outcomes(predict, self._pieces(data), (self.network.values(),), self.map)
        return np.concatenate([each.value for each in found])

    def confusion(self, data: Examples) -> Array:
        """Return how many examples of each class the network takes for each class; see confusion_matrix."""
        data = self._examples("data", data)
        if isinstance(data, Dataset):
            return confusion_matrix(data.labels, self.predict(data), len(data.classes))
        count = partial(confusion_of_piece, *self._forward(), len(data.classes))
        matrix: Array = over_shards(count, self._pieces(data), (self.network.values(),), self.map)
        return matrix

    def accuracy(self, data: Examples) -> float:
        """Return the fraction of examples that the network labels correctly."""
        data = self._examples("data", data)
        if isinstance(data, Dataset):
            return float(np.mean(self.predict(data) == data.labels))
        return self._measure(data)[1]

    def _inputs(self, data: Dataset) -> Array:
        standardise = self.standardisation or Standardisation.none(data)
        return standardise(data.X).astype(self.network.dtype, copy=False)

    def _pieces(self, data: Shards) -> list[Piece]:
        standardise = self.standardisation or Standardisation.identity(data.features, data.dtype)
        return [Piece(reader, standardise, self.network.dtype) for reader in data.readers()]

    def _prepare(self, train: Examples, validation: Examples) -> tuple[Examples, Examples]:
        """Standardise those in memory, and refuse examples other than those of an earlier run."""
        examples = _fingerprint(train, validation)
        if self.examples not in ("", examples):
            raise TrainingError("this training began with other examples; continue with the same, or start a new one")
        self.examples = examples
        if self.standardisation is None:
            self.standardisation = (
                train.standardisation(self.map) if isinstance(train, Shards) else Standardisation.fit(train)
            )
        return self._standardised(train), self._standardised(validation)

    def _standardised(self, data: Examples) -> Examples:
        return replace(data, X=self._inputs(data)) if isinstance(data, Dataset) else data

    def _out_of_patience(self) -> bool:
        return self.patience is not None and len(self.history) - self.best_epoch >= self.patience

    def _next_state(self, train: Examples, validation: Examples) -> TrainingState:
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

    def _learn(self, train: Examples) -> tuple[float, float]:
        """Make one pass over the shuffled examples; return the mean loss and accuracy of its batches."""
        loss, correct = 0.0, 0.0
        for J, right, m in self._steps_over(train) if isinstance(train, Shards) else self._steps_within(train):
            loss += J * m
            correct += right
        return loss / len(train), correct / len(train)

    def _steps_within(self, train: Dataset, *shard: int) -> Iterator[tuple[float, float, int]]:
        """Take a step for each batch of a data set in memory; yield its loss, and of how many how many were right."""
        Y = at.one_hot(train.labels, self.network.sizes[-1]).astype(self.network.dtype)
        for columns in self._batches(len(train), *shard):
            J, Z, gradients = self._gradients(_columns(train.X, columns), _columns(Y, columns))
            self._descend(gradients)
            yield J, int(np.count_nonzero(np.argmax(Z, axis=0) == train.labels[columns])), len(columns)

    def _batches(self, m: int, *shard: int) -> Iterator[Array]:
        order = np.random.default_rng([self.seed, len(self.history), *shard]).permutation(m)
        return (order[start : start + self.batch] for start in range(0, m, self.batch))

    def _steps_over(self, train: Shards) -> Iterator[tuple[float, float, int]]:
        """Take the steps of each shard, or one for each group of shards, as `_steps_within` does."""
        pieces = self._pieces(train)
        for group in self._groups(train.lengths):
            m = sum(train.lengths[i] for i in group)
            if m > self.batch:
                yield from self._steps_within(pieces[group[0]].data_set(), group[0])
            else:
                yield (*self._step_over([pieces[i] for i in group], m), m)

    def _groups(self, lengths: Sequence[int]) -> Iterator[list[int]]:
        """Yield the numbers of shuffled shards: single ones, or as many as make up a batch."""
        group: list[int] = []
        for i in np.random.default_rng([self.seed, len(self.history)]).permutation(len(lengths)).tolist():
            if group and sum(lengths[j] for j in group) + lengths[i] > self.batch:
                yield group
                group = []
            group.append(i)
        yield group

    def _step_over(self, pieces: list[Piece], m: int) -> tuple[float, float]:
        """Take one step for shards that make up a batch; return its loss, and how many of its m examples were right."""
        step = partial(step_on_piece, batch_step(self.network, self.backend), self.network.sizes[-1])
        J, fraction, gradients = over_shards(step, pieces, (self._values(),), self.map, number_of_examples)
        self._descend(gradients)
        return J, fraction * m

    def _gradients(self, X: Array, Y: Array) -> tuple[float, Array, Mapping[str, Array]]:
        return batch_step(self.network, self.backend)(self._values(), X, Y)

    def _values(self) -> dict[str, Array]:
        return {name: W.value for name, W in self.network.parameters.items()}

    def _forward(self) -> tuple[Any, Sequence[str]]:
        return type(self.network).forward, self.network.activations

    def _descend(self, gradients: Mapping[str, Array]) -> None:
        parameters = self.network.parameters
        for name, W in parameters.items():
            W.grad = gradients[name]
        self.optimiser.update(parameters)

    def _measure(self, data: Examples) -> tuple[float, float]:
        """Return the loss and the accuracy on these examples."""
        if isinstance(data, Shards):
            measure = partial(measures_of_piece, *self._forward())
            J, fraction = over_shards(measure, self._pieces(data), (self._values(),), self.map, number_of_examples)
            return J, fraction
        with at.no_grad():
            Z = self.network(data.X)
            return at.cross_entropy(Z, data.labels).item(), accuracy(Z, data.labels)


def _columns(examples: Array, columns: Array) -> Array:
    return examples.T[columns].T


def _with_classes_of(train: Examples, validation: Examples) -> Examples:
    """Return the validation examples with the classes of the training, which decide what a label is."""
    if validation.classes == train.classes or (isinstance(train, Dataset) and isinstance(validation, Dataset)):
        return validation
    unknown = [str(each) for each in validation.classes if each not in train.classes]
    if unknown or isinstance(validation, Dataset):
        what = f"the class {unknown[0]}" if unknown else f"{len(validation.classes)} classes"
        raise TrainingError(f"validation has {what}; train has {', '.join(map(str, train.classes[:10]))}")
    return replace(validation, classes=train.classes)


def _fingerprint(*parts: Examples) -> str:
    digest = hashlib.sha256()
    for data in parts:
        if isinstance(data, Shards):
            digest.update(data.fingerprint.encode())
            continue
        digest.update(repr((data.X.shape, data.classes)).encode())
        digest.update(np.ascontiguousarray(data.X.T).data)
        digest.update(np.ascontiguousarray(data.labels).data)
    return digest.hexdigest()
