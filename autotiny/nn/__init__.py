"""Neural networks in the textbook's layout: data sets, training, checkpoints; layers as plain functions."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from autotiny.errors import UnsupportedError
from autotiny.files import NpzError
from autotiny.nn.attention import dropout, embedding, scaled_dot_product_attention
from autotiny.nn.checkpoint import CheckpointError, load, save
from autotiny.nn.convolution import avg_pool, conv1d, conv2d, conv_transpose, max_pool
from autotiny.nn.datasets import DataError, Dataset, Standardisation, digits
from autotiny.nn.network import Network, NetworkError, confusion_matrix, worst_pairs
from autotiny.nn.normalisation import Running, batch_norm, group_norm, layer_norm, rms_norm
from autotiny.nn.optimisers import Adam, GradientDescent, Momentum, Optimiser
from autotiny.nn.progress import progress_bar
from autotiny.nn.recurrent import gru_cell, lstm_cell, rnn_cell
from autotiny.nn.shards import Shards
from autotiny.nn.tabular import load_table
from autotiny.nn.training import Epoch, Training, TrainingError

__all__ = [
    "Adam",
    "CheckpointError",
    "DataError",
    "Dataset",
    "Epoch",
    "GradientDescent",
    "Momentum",
    "Network",
    "NetworkError",
    "NpzError",
    "Optimiser",
    "Running",
    "Shards",
    "Standardisation",
    "Training",
    "TrainingError",
    "avg_pool",
    "batch_norm",
    "confusion_matrix",
    "conv1d",
    "conv2d",
    "conv_transpose",
    "digits",
    "dropout",
    "embedding",
    "group_norm",
    "gru_cell",
    "layer_norm",
    "load",
    "load_table",
    "lstm_cell",
    "max_pool",
    "progress_bar",
    "rms_norm",
    "rnn_cell",
    "save",
    "scaled_dot_product_attention",
    "worst_pairs",
]


if TYPE_CHECKING:
    from autotiny.nn.classifier import Classifier as Classifier
else:

    def __getattr__(name: str) -> Any:
        """Load what is built on scikit-learn when it is first used."""
        if name != "Classifier":
            raise AttributeError(f"module 'autotiny.nn' has no attribute {name!r}")
        try:
            return import_module("autotiny.nn.classifier").Classifier
        except ImportError as error:
            raise UnsupportedError(
                f"nn.Classifier needs scikit-learn 1.6 or newer: pip install 'autotiny[sklearn]' ({error})"
            ) from None


def __dir__() -> list[str]:
    return sorted([*__all__, "Classifier", *(name for name in globals() if name.startswith("__"))])
