"""A training in one .npz file: without pickle, whole at any moment, and enough to go on bit for bit."""

import json
import os
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from autotiny.errors import AutotinyError
from autotiny.nn.datasets import Array, Standardisation
from autotiny.nn.network import Network
from autotiny.nn.optimisers import OPTIMISERS, Optimiser
from autotiny.nn.training import Epoch, State, Training
from autotiny.npz import load_npz

FORMAT = "autotiny training 1"
GROUPS = ("parameters", "best", "optimiser")


class CheckpointError(AutotinyError):
    """A file is no checkpoint, or a checkpoint cannot be written."""


def save(training: Training, path: str | Path) -> None:
    """Writes the training between two epochs: parameters, the best ones, optimiser, history, standardisation, settings.

    A kill at any moment leaves the old file or the new one. Raises CheckpointError where the file cannot be written.
    """
    settings = json.dumps(_settings(training), default=np.generic.item)
    arrays = {"format": np.array(FORMAT), "settings": np.array(settings)} | _arrays(training)
    try:
        _replace(os.path.realpath(path), arrays)
    except OSError as error:
        raise CheckpointError(f"{path}: cannot write the checkpoint: {error.strerror or error}") from error


def load(path: str | Path) -> Training:
    """The training that `save` wrote; its network has the best parameters, and `run` goes on from the last ones.

    Raises NpzError or CheckpointError where the file is truncated, damaged or something else.
    """
    arrays = load_npz(path)
    if "format" not in arrays or arrays["format"].shape or arrays["format"].dtype.kind != "U":
        raise CheckpointError(f"{path}: not a checkpoint of autotiny")
    if str(arrays["format"]) != FORMAT:
        raise CheckpointError(f"{path}: written as {str(arrays['format'])!r}; this version reads {FORMAT!r}")
    try:
        return _training(json.loads(str(arrays["settings"])), arrays)
    except (KeyError, ValueError, TypeError, AutotinyError) as error:
        raise CheckpointError(f"{path}: the checkpoint contradicts itself ({error!r})") from error


def _settings(training: Training) -> dict[str, Any]:
    network, optimiser = training.network, training.optimiser
    rates = {field.name: getattr(optimiser, field.name) for field in fields(optimiser) if field.init}
    return {
        "network": {"sizes": network.sizes, "activation": network.activations, "dtype": network.dtype.name},
        "optimiser": {"kind": _kind(optimiser)} | rates,
        "training": {name: getattr(training, name) for name in ("batch", "patience", "seed", "notes")},
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
    training.state = State(**{group: _group(arrays, group) for group in GROUPS}, history=history)
    for values in (training.state.parameters, training.state.best):
        network.assign(values)
    return training


def _group(arrays: Mapping[str, Array], group: str) -> dict[str, Array]:
    prefix = f"{group}/"
    return {name.removeprefix(prefix): value for name, value in arrays.items() if name.startswith(prefix)}


def _replace(path: str, arrays: Mapping[str, Array]) -> None:
    """Writes beside the old file and renames over it, each made durable before the next."""
    folder, name = os.path.split(path)
    draft = os.path.join(folder, f".{name}.{os.getpid()}.tmp")
    try:
        with open(draft, "wb") as file:
            np.savez(file, allow_pickle=False, **arrays)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, path)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise
    _sync_folder(folder)


def _sync_folder(folder: str) -> None:
    # Only POSIX lets a folder be opened; elsewhere the rename is as durable as it gets.
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
