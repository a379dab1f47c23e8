"""How libraries and books spell functions, methods and options; functions of formulas beside the language's."""

from collections.abc import Callable, Collection
from functools import cache
from typing import Any

import numpy as np

from autotiny.language.vocabulary import functions

MODULE_NAMES = {
    "np", "numpy", "at", "autotiny", "torch", "jnp", "jax", "tf", "F", "nn", "linalg", "special", "scipy", "math",
    "lax", "K", "keras", "functional", "cp", "sp", "la", "LA",
}  # fmt: skip
"""Names before a dot that are modules, where no variable has the name."""
SPELLED = {
    "arccos": "acos",
    "arcsin": "asin",
    "arctan": "arctg atan",
    "clip": "clamp",
    "concatenate": "cat concat",
    "diag": "Diag",
    "divide": "div",
    "exp": "Exp",
    "expand_dims": "unsqueeze",
    "gamma": "Γ",
    "gelu": "GELU",
    "imag": "Im",
    "inv": "inverse",
    "log": "ln Log log_e",
    "log10": "lg",
    "logdet": "logabsdet",
    "logsumexp": "lse LSE log_sum_exp",
    "matmul": "mm bmm mv",
    "max": "reduce_max Max",
    "mean": "reduce_mean avg",
    "min": "reduce_min Min",
    "multiply": "mul times hadamard",
    "negative": "neg",
    "norm": "Norm",
    "onehot": "one_hot OneHot",
    "ones_like": "oneslike",
    "outer": "ger",
    "prod": "Π",
    "real": "Re",
    "relu": "ReLU Relu RELU",
    "reshape": "view",
    "sigmoid": "σ sigma sigm expit logistic sgm Sigmoid",
    "sign": "sgn",
    "silu": "swish SiLU",
    "softmax": "Softmax SM",
    "square": "sqr",
    "step": "indicator ind Heaviside H",
    "subtract": "sub",
    "sum": "reduce_sum asum Sum ∑ Σ",
    "tan": "tg",
    "trace": "tr Tr",
    "transpose": "t adjoint permute",
    "zeros_like": "zeroslike",
}
"""Other spellings of each function of the language, separated by spaces."""
SPELLINGS = {spelling: name for name, spellings in SPELLED.items() for spelling in spellings.split()}
OPTIONS = {"dim": "axis", "keepdim": "keepdims", "keep_dims": "keepdims"}
UNCHANGED = {
    "float", "double", "astype", "to", "numpy", "detach", "item", "data", "asarray", "type", "contiguous", "int",
    "bool", "bool_", "int32", "int64", "float32", "float64",
}  # fmt: skip
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
    return frozenset((*functions(), *SPELLINGS, *KNOWN_HERE, *UNCHANGED)) - {"e"}


def function_named(word: str) -> str:
    """Return the language's name of a function; empty if it is none.

    >>> function_named("ln"), function_named("tanh"), function_named("A2")
    ('log', 'tanh', '')
    """
    word = SPELLINGS.get(word, word)
    return word if word in functions() or word in KNOWN_HERE or word in UNCHANGED else ""
