"""Checkpoints: a training in one .npz file, without pickle, written atomically, from which it resumes bit for bit."""

import json
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from autotiny.errors import AutotinyError
from autotiny.files import load_npz, replace_file
from autotiny.nn.arguments import require_instance, require_path
from autotiny.nn.datasets import Array, Standardisation
from autotiny.nn.network import Network
from autotiny.nn.optimisers import OPTIMISERS, Optimiser
from autotiny.nn.training import Epoch, Training, TrainingState

FORMAT = "autotiny training 1"
GROUPS = ("parameters", "best", "optimiser")


class CheckpointError(AutotinyError):
    """A file that is not a valid checkpoint, or a checkpoint that cannot be written."""


def save(training: Training, path: str | Path) -> None:
    """Write a training to a file: parameters, the best ones, optimiser, history, standardisation, settings.

    If the process is killed at any moment, the old file or the new one remains, complete. Raises CheckpointError if the
    file cannot be written, or the path is that of a folder, a pipe or a device.
    """
    require_instance("training", training, Training, CheckpointError)
    require_path(path, CheckpointError)
    settings = json.dumps(_settings(training), default=np.generic.item)
    arrays = {"format": np.array(FORMAT), "settings": np.array(settings)} | _arrays(training)
    try:
        replace_file(path, lambda file: np.savez(file, allow_pickle=False, **arrays))
    except OSError as error:
        raise CheckpointError(f"{path}: cannot write the checkpoint: {error.strerror or error}") from error


def load(path: str | Path) -> Training:
    """Return the training that `save` wrote. Its network has the best parameters; `run` continues from the last ones.

    Raises NpzError or CheckpointError if the file is truncated, damaged or not a checkpoint.
    """
    require_path(path, CheckpointError)
    arrays = load_npz(path)
    if "format" not in arrays or arrays["format"].shape or arrays["format"].dtype.kind != "U":
        raise CheckpointError(f"{path}: not a checkpoint of autotiny")
    if str(arrays["format"]) != FORMAT:
        raise CheckpointError(f"{path}: the format is {str(arrays['format'])!r}; this version reads {FORMAT!r}")
    try:
        return _training(json.loads(str(arrays["settings"])), arrays)
    except (KeyError, ValueError, TypeError, AutotinyError) as error:
        raise CheckpointError(f"{path}: the checkpoint contradicts itself ({error!r})") from error


def _settings(training: Training) -> dict[str, Any]:
    network, optimiser = training.network, training.optimiser
    hyperparameters = {field.name: getattr(optimiser, field.name) for field in fields(optimiser) if field.init}
    return {
        "network": {"sizes": network.sizes, "activation": network.activations, "dtype": network.dtype.name},
        "optimiser": {"kind": _kind(optimiser)} | hyperparameters,
        "training": {name: getattr(training, name) for name in ("batch", "patience", "seed", "notes", "backend")},
        "examples": training.examples,
    }


def _kind(optimiser: Optimiser) -> str:
    for name, kind in OPTIMISERS.items():
        if type(optimiser) is kind:
            return name
    raise CheckpointError(f"a checkpoint can hold {', '.join(OPTIMISERS)}, not {type(optimiser).__name__}")


def _arrays(training: Training) -> dict[str, Array]:
    state = training.state
    arrays = {"history": np.array(state.history, dtype=np.float64).reshape(-1, len(Epoch._fields))}
    for group in GROUPS:
        arrays |= {f"{group}/{name}": value for name, value in getattr(state, group).items()}
    if training.standardisation is not None:
        arrays |= {"mean": training.standardisation.mean, "scale": training.standardisation.scale}
    return arrays


def _training(settings: dict[str, Any], arrays: Mapping[str, Array]) -> Training:
    network = Network(**settings["network"])
    optimiser = OPTIMISERS[settings["optimiser"].pop("kind")](**settings["optimiser"])
    standardisation = Standardisation(arrays["mean"], arrays["scale"]) if "mean" in arrays else None
    training = Training(network, optimiser, standardisation=standardisation, **settings["training"])
    training.examples = settings["examples"]
    history = tuple(Epoch(*row) for row in arrays["history"].tolist())
    training.state = TrainingState(**{group: _group(arrays, group) for group in GROUPS}, history=history)
    for values in (training.state.parameters, training.state.best):
        network.assign(values)
    return training


def _group(arrays: Mapping[str, Array], group: str) -> dict[str, Array]:
    prefix = f"{group}/"
    return {name.removeprefix(prefix): value for name, value in arrays.items() if name.startswith(prefix)}
