"""Neural networks in the textbook's layout: data sets, training, checkpoints."""

from autotiny.files import NpzError
from autotiny.nn.checkpoint import CheckpointError, load, save
from autotiny.nn.datasets import DataError, Dataset, Standardisation, digits
from autotiny.nn.network import Network, NetworkError, confusion_matrix, worst_pairs
from autotiny.nn.optimisers import Adam, GradientDescent, Momentum, Optimiser
from autotiny.nn.tabular import load_table
from autotiny.nn.training import Epoch, Training, TrainingError, progress_bar

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
    "Standardisation",
    "Training",
    "TrainingError",
    "confusion_matrix",
    "digits",
    "load",
    "load_table",
    "progress_bar",
    "save",
    "worst_pairs",
]
