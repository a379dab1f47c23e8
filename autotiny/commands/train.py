"""The command `autotiny train`."""

import argparse
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from autotiny.commands.arguments import positive_number, whole_number
from autotiny.commands.workers import engine
from autotiny.compiler.compiled import BACKENDS
from autotiny.nn.checkpoint import CheckpointError, load, save
from autotiny.nn.datasets import DataError, Standardisation, digits
from autotiny.nn.network import ACTIVATIONS, Network, worst_pairs
from autotiny.nn.optimisers import OPTIMISERS
from autotiny.nn.progress import progress_bar
from autotiny.nn.shards import Shards
from autotiny.nn.tabular import SUFFIXES, load_table
from autotiny.nn.training import Examples, Training

DEFAULTS: dict[str, Any] = {
    "file": None,
    "label": None,
    "hidden": [128],
    "activation": "relu",
    "optimiser": "gradient-descent",
    "learning_rate": None,
    "batch": 32,
    "epochs": 100,
    "patience": 10,
    "seed": 0,
    "validation": 0.1,
    "test": 0.2,
    "standardise": True,
    "backend": "numpy",
}
"""The settings of a run. A checkpoint contains them, so that --resume needs no other option."""
MAY_CHANGE = {"file", "epochs", "patience"}
"""Settings that --resume may change; a file that was moved is recognised by the fingerprint of its examples."""

EXAMPLES = """\
examples:
  autotiny train                                 the handwritten digits
  autotiny train flowers.csv --label species     a row per example
  autotiny train flowers.csv --label 4           a column by position, from 0
  autotiny train images.npz --hidden 256,64      X, a row per example, and y
  autotiny train --optimiser adam --seed 1       other weights, another split
  autotiny train --backend numba                 compiled, with numba installed
  autotiny train january.csv february.csv        files, one in memory at a time
  autotiny train DIR --workers 4 --batch 1000000 batches of many files, in parallel
  autotiny train DIR --dask tcp://host:8786      on a cluster that sees the files
  autotiny train --checkpoint run.npz            save after each epoch ...
  autotiny train --resume run.npz --epochs 200   ... and continue

A training that is resumed gives the same numbers, bit for bit, as one that was
never stopped, except with --backend auto. Ctrl-C ends the training and reports
on the best parameters so far; the exit code is then 130.

Several files, or a folder of them, are split each, and read one after the other
in every epoch. Workers compute batches that are larger than a file, and what is
validated and tested; the numbers do not depend on how many there are.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Give the parser the arguments of `autotiny train`."""
    # The namespace has only options that were typed: the others come from a checkpoint, or from DEFAULTS.
    parser.argument_default = argparse.SUPPRESS
    add = parser.add_argument
    add("file", nargs="*", metavar="FILE", help=".csv, .csv.gz or .npz, or folders of them; the digits without one")
    add("--label", metavar="COLUMN", help="the column, or the array, of the labels (the last; y)")
    add("--hidden", type=_sizes, metavar="N[,N...]", help="units of the hidden layers (128)")
    add("--activation", choices=ACTIVATIONS, help="of the hidden layers (relu)")
    add("--optimiser", choices=OPTIMISERS, help="the optimiser (gradient-descent)")
    add("--learning-rate", type=float, metavar="ALPHA", help="learning rate (0.2; 0.02 with momentum, 0.003 with adam)")
    add("--batch", type=positive_number, metavar="N", help="examples per step (32)")
    add("--epochs", type=positive_number, metavar="N", help="at most so many passes over the examples (100)")
    add("--patience", type=positive_number, metavar="N", help="stop N epochs after the best validation loss (10)")
    add("--seed", type=whole_number, metavar="N", help="of the split, the weights and the order of examples (0)")
    add("--test", type=float, metavar="FRACTION", help="held out for the report (0.2)")
    add("--validation", type=float, metavar="FRACTION", help="of the rest, held out to decide when to stop (0.1)")
    add("--no-standardise", dest="standardise", action="store_false", help="do not standardise the features")
    add("--backend", choices=BACKENDS, help="what computes: NumPy, loops by numba, or either, as is faster (numpy)")
    add("--workers", type=positive_number, metavar="N", default=None, help="processes for the files")
    add("--dask", metavar="ADDRESS", default=None, help="the scheduler of a Dask cluster for the files")
    add("--checkpoint", metavar="PATH", default=None, help="save the training here after each epoch")
    add("--resume", metavar="PATH", default=None, help="continue a saved training, and save it there")


def run(args: argparse.Namespace) -> int:
    """Train and report on standard output; 0, or 130 after Ctrl-C."""
    with engine(args.workers, args.dask) as mapped:
        return _run(args, mapped)


def _run(args: argparse.Namespace, mapped: Any) -> int:
    saved = load(args.resume) if args.resume else None
    settings = _settings(args, saved)
    data = _data(settings, mapped)
    rest, test = data.split(settings["test"], settings["seed"])
    train, validation = rest.split(settings["validation"], settings["seed"])
    training = saved or _training(settings, train)
    training.notes, training.patience, training.map = settings, settings["patience"], mapped
    for line in _summary(training, data, train, validation, test):
        print(line, flush=True)
    seconds = _train(training, train, validation, args.checkpoint or args.resume)
    for line in _report(training, test, seconds):
        print(line)
    return 130 if training.interrupted else 0


def _data(settings: dict[str, Any], mapped: Any) -> Examples:
    """Return the digits, the examples of one file, or the files of several, or of folders, as shards."""
    if not settings["file"]:
        return digits()
    paths = [Path(path) for path in _paths(settings)]
    if len(paths) == 1 and not paths[0].is_dir():
        return load_table(paths[0], settings["label"])
    return Shards.from_files([file for path in paths for file in _files(path)], settings["label"], mapped)


def _paths(settings: dict[str, Any]) -> list[str]:
    return [settings["file"]] if isinstance(settings["file"], str) else settings["file"]


def _files(path: Path) -> list[Path]:
    """Return the files of a folder in the order of their names; a file is its own."""
    if not path.is_dir():
        return [path]
    files = sorted(file for file in path.iterdir() if file.name.endswith(SUFFIXES))
    if not files:
        raise DataError(f"{path}: the folder has no {', '.join(SUFFIXES)} file")
    return files


def _settings(args: argparse.Namespace, saved: Training | None) -> dict[str, Any]:
    typed = {name: value for name, value in vars(args).items() if name in DEFAULTS}
    if "file" in typed:
        paths = [str(Path(path).absolute()) for path in typed["file"]]
        typed["file"] = paths if len(paths) > 1 else paths[0]
    base = DEFAULTS if saved is None else {"backend": DEFAULTS["backend"], **saved.notes}  # older ones lack it
    if base.keys() != DEFAULTS.keys():
        raise CheckpointError(f"{args.resume}: not saved by `autotiny train`; resume it from Python")
    for name in typed.keys() - MAY_CHANGE if saved else ():
        if typed[name] != base[name]:
            option = f"--{name.replace('_', '-')}"
            raise CheckpointError(f"{args.resume}: {option} was {base[name]}; leave it out, or start a new training")
    return base | typed


def _training(settings: dict[str, Any], train: Examples) -> Training:
    sizes = (train.features, *settings["hidden"], len(train.classes))
    network = Network(sizes, settings["activation"], settings["seed"], train.dtype)
    rate = {} if settings["learning_rate"] is None else {"learning_rate": settings["learning_rate"]}
    optimiser = OPTIMISERS[settings["optimiser"]](**rate)
    identity = Standardisation.identity(train.features, train.dtype)
    return Training(
        network,
        optimiser,
        settings["batch"],
        seed=settings["seed"],
        standardisation=None if settings["standardise"] else identity,
        backend=settings["backend"],
    )


def _train(training: Training, train: Examples, validation: Examples, checkpoint: str | None) -> float:
    """Train, and return the seconds that it took."""
    epochs = training.notes["epochs"]

    def keep(training: Training) -> None:
        if checkpoint:
            save(training, checkpoint)

    def after_epoch(training: Training) -> None:
        keep(training)
        report(training)

    keep(training)  # so that an unwritable path is an error now, not an epoch later
    start = time.perf_counter()
    with progress_bar(epochs, len(training.history)) as report:
        training.run(train, validation, epochs, after_epoch)
    return time.perf_counter() - start


def _summary(training: Training, data: Examples, *parts: Examples) -> Iterator[str]:
    settings, network = training.notes, training.network
    examples = f"{len(data)} examples of {data.features} features in {len(data.classes)} classes"
    yield f"{_title(settings, data)}: {examples}: {_names(data)}"
    yield "{} to train, {} to validate, {} to test".format(*map(len, parts))
    n_parameters = sum(W.size for W in network.parameters.values())
    yield f"network {'-'.join(map(str, network.sizes))}, {settings['activation']}, {n_parameters} parameters"
    yield f"{settings['optimiser']}, learning rate {training.optimiser.learning_rate:g}, batches of {training.batch}"
    if training.map is not map:
        yield from _use_of_workers(data, training.batch)
    if training.history:
        yield f"resumed after epoch {len(training.history)}"


def _title(settings: dict[str, Any], data: Examples) -> str:
    if not settings["file"]:
        return "handwritten digits"
    paths = _paths(settings)
    name = Path(paths[0]).name if len(paths) == 1 else f"{len(paths)} paths"
    return f"{name}, {len(data.parts)} files" if isinstance(data, Shards) else name


def _use_of_workers(data: Examples, batch: int) -> Iterator[str]:
    """Say where the workers that were asked for have nothing to do."""
    if not isinstance(data, Shards):
        yield "one file is trained on in this process: workers are for several files, or a folder of them"
    elif batch < 2 * max(data.lengths):
        yield f"batches are within a file: with --batch {2 * max(data.lengths)} or more, workers compute them as well"


def _names(data: Examples) -> str:
    names = [str(name) for name in data.classes]
    return ", ".join(names if len(names) <= 10 else [*names[:8], "...", names[-1]])


def _report(training: Training, test: Examples, seconds: float) -> Iterator[str]:
    ended = "stopped by Ctrl-C after" if training.interrupted else "trained to"
    yield f"{ended} epoch {len(training.history)}, {seconds:.1f} s"
    if training.history:
        best = training.history[training.best_epoch - 1]
        yield (
            f"best epoch {training.best_epoch}: validation loss {best.validation_loss:.4f}, "
            f"accuracy {best.validation_accuracy:.2%}; its parameters are kept"
        )
    matrix = training.confusion(test)
    right = int(np.trace(matrix))
    yield f"test accuracy {right / len(test):.2%} ({right} of {len(test)})"
    pairs = worst_pairs(matrix)
    if pairs:
        yield "most frequent mistakes:"
    for actual, taken_for, count in pairs:
        yield f"  {test.classes[actual]} taken for {test.classes[taken_for]}: {count}"


def _sizes(text: str) -> list[int]:
    return [positive_number(size) for size in text.split(",")]
