"""How libraries and books spell functions, methods and options; functions of formulas beside the language's."""

from collections.abc import Callable, Collection
from functools import cache
from typing import Any

import numpy as np

from autotiny.language.vocabulary import functions

MODULE_NAMES = {
    "np", "numpy", "at", "autotiny", "torch", "jnp", "jax", "tf", "F", "nn", "linalg", "special", "scipy", "math",
    "lax", "K", "keras", "activations", "numpy.linalg", "functional", "cp", "sp", "la", "sla", "LA", "sps", "expit",
}  # fmt: skip
"""Names before a dot that are modules, where no variable has the name."""
SPELLINGS = {
    "ln": "log", "lg": "log10", "Log": "log", "Exp": "exp", "tr": "trace", "Tr": "trace", "tg": "tan", "arctg":
    "arctan", "σ": "sigmoid", "sigma": "sigmoid", "sigm": "sigmoid", "expit": "sigmoid", "logistic": "sigmoid",
    "sgm": "sigmoid", "Sigmoid": "sigmoid", "ReLU": "relu", "Relu": "relu", "RELU": "relu", "Softmax": "softmax",
    "SM": "softmax", "lse": "logsumexp", "LSE": "logsumexp", "log_sum_exp": "logsumexp", "sgn": "sign", "Diag":
    "diag", "Re": "real", "Im": "imag", "mm": "matmul", "bmm": "matmul", "mv": "matmul", "mul": "multiply", "times":
    "multiply", "div": "divide", "neg": "negative", "sub": "subtract", "t": "transpose", "inverse": "inv",
    "reduce_sum": "sum", "reduce_mean": "mean", "reduce_max": "max", "reduce_min": "min", "unsqueeze":
    "expand_dims", "view": "reshape", "cat": "concatenate", "concat": "concatenate", "ger": "outer", "hadamard":
    "multiply", "sqr": "square", "clamp": "clip", "log_e": "log", "zeroslike": "zeros_like", "oneslike":
    "ones_like", "Norm": "norm", "avg": "mean", "asum": "sum", "adjoint": "transpose", "permute": "transpose",
    "logabsdet": "logdet", "one_hot": "onehot", "OneHot": "onehot", "indicator": "step", "ind": "step", "Heaviside":
    "step", "Sum": "sum", "Max": "max", "Min": "min", "∑": "sum", "Σ": "sum", "Π": "prod", "acos": "arccos", "asin":
    "arcsin", "atan": "arctan", "Γ": "gamma", "Φ": "Phi", "swish": "silu", "SiLU": "silu", "GELU": "gelu",
}  # fmt: skip
"""The language's name of a function for other spellings of it."""
OPTIONS = {"dim": "axis", "keepdim": "keepdims", "keep_dims": "keepdims"}
UNCHANGED = {
    "float",
    "double",
    "astype",
    "to",
    "numpy",
    "detach",
    "item",
    "data",
    "asarray",
    "type",
    "contiguous",
    "int",
}
"""Methods and functions that leave a value as it is here."""
ATTRIBUTES = ("T", "mT", "H", "shape", "size", "ndim", "real", "imag", "data")
IDENTITIES = {"I", "Id", "Eye", "identity", "𝕀"}
BIG = {"sum", "prod", "Σ", "Π", "max", "min", "mean"}
"""Functions that may have their term side by side, and an index or an axis below."""


OWN: dict[str, Callable[..., Any]] = {
    "logdet": lambda X: np.linalg.slogdet(X)[1],
    "vec": lambda X: np.ravel(np.transpose(X)),
    "step": lambda x: 1.0 * (x > 0),
    "logit": lambda p: np.log(p / (1 - p)),
    "sec": lambda x: 1 / np.cos(x),
    "csc": lambda x: 1 / np.sin(x),
    "cot": lambda x: 1 / np.tan(x),
    "sech": lambda x: 1 / np.cosh(x),
    "coth": lambda x: 1 / np.tanh(x),
    "cofactors": lambda X: np.linalg.det(X) * np.linalg.inv(X).T,
    "norm_in_range": lambda norm, x, axis=None: np.where(norm == 0, 1.0, norm),
}
"""Functions of one argument, of as many entries, that books have and the language has not."""
KNOWN_HERE = (*OWN, "onehot", "scatter")


@cache
def function_names() -> Collection[str]:
    """The names and spellings of functions."""
    return frozenset((*functions(), *SPELLINGS, *KNOWN_HERE, *UNCHANGED)) - {"H", "e"}


def function_named(word: str) -> str:
    """Return the language's name of a function; empty if it is none.

    >>> function_named("ln"), function_named("tanh"), function_named("A2")
    ('log', 'tanh', '')
    """
    word = SPELLINGS.get(word, word)
    return word if word in functions() or word in KNOWN_HERE or word in UNCHANGED else ""
