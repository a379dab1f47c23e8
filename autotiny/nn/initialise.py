"""Random weights whose signals neither grow nor fade from layer to layer."""

from math import sqrt

import numpy as np

from autotiny.nn.datasets import Array


def he(rng: np.random.Generator, n_out: int, n_in: int) -> Array:
    """W (n_out, n_in) ~ N(0, 2 / n_in), for layers that relu follows: it passes half of the variance on.

    Source: He et al., Delving Deep into Rectifiers, 2015, eq. 10, arxiv.org/abs/1502.01852.
    """
    return rng.normal(0, sqrt(2 / n_in), (n_out, n_in))


def glorot(rng: np.random.Generator, n_out: int, n_in: int) -> Array:
    """W (n_out, n_in) ~ N(0, 2 / (n_in + n_out)), for layers that something linear around 0 follows: tanh, softmax.

    Source: Glorot and Bengio, Understanding the Difficulty of Training Deep Feedforward Neural Networks, 2010, eq. 12.
    """
    return rng.normal(0, sqrt(2 / (n_in + n_out)), (n_out, n_in))
