"""autotiny: an autograd engine on NumPy that shows its work."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from autotiny.engine.containers import register_pytree
from autotiny.engine.gradients import gradients
from autotiny.engine.jacobians import hessian, jacobian
from autotiny.engine.modes import debug, no_grad, scope
from autotiny.engine.pytree import tree_map
from autotiny.engine.tensor import Tensor
from autotiny.engine.transforms import grad, hvp, jvp, value_and_grad, vjp
from autotiny.ops import operation
from autotiny.ops.activations import (
    celu,
    elu,
    gelu,
    hard_sigmoid,
    hard_tanh,
    leaky_relu,
    relu,
    selu,
    sigmoid,
    silu,
    softmax,
    softsign,
)
from autotiny.ops.logarithms import log_sigmoid, log_softmax, logsumexp, mish, softplus
from autotiny.ops.losses import (
    binary_cross_entropy,
    cosine_similarity,
    cross_entropy,
    hinge,
    huber,
    kl_divergence,
    mean_absolute_error,
    mean_squared_error,
    one_hot,
)

if TYPE_CHECKING:
    from autotiny import nn as nn
    from autotiny import scipy as scipy
    from autotiny.checking import check_gradients, compare
    from autotiny.compiler import compile  # noqa: A004 - compiled as in a regular expression: at.compile
    from autotiny.derivation.derive import derive
    from autotiny.drawing import draw
    from autotiny.ops.building import array
    from autotiny.ops.updating import index_update
    from autotiny.playground.explore import explore
    from autotiny.plotting import plot
    from autotiny.sessions.session import session
    from autotiny.shards.over_shards import over_shards

__version__ = "0.1.0"

__all__ = [
    "Tensor",
    "array",
    "binary_cross_entropy",
    "celu",
    "check_gradients",
    "compare",
    "compile",
    "cosine_similarity",
    "cross_entropy",
    "debug",
    "derive",
    "draw",
    "elu",
    "explore",
    "gelu",
    "grad",
    "gradients",
    "hard_sigmoid",
    "hard_tanh",
    "hessian",
    "hinge",
    "huber",
    "hvp",
    "index_update",
    "jacobian",
    "jvp",
    "kl_divergence",
    "leaky_relu",
    "log_sigmoid",
    "log_softmax",
    "logsumexp",
    "mean_absolute_error",
    "mean_squared_error",
    "mish",
    "no_grad",
    "one_hot",
    "operation",
    "over_shards",
    "plot",
    "register_pytree",
    "relu",
    "scope",
    "selu",
    "session",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
    "softsign",
    "tree_map",
    "value_and_grad",
    "vjp",
]


_LOADED_WHEN_USED = {
    "array": "autotiny.ops.building",
    "check_gradients": "autotiny.checking",
    "compare": "autotiny.checking",
    "compile": "autotiny.compiler",
    "derive": "autotiny.derivation.derive",
    "draw": "autotiny.drawing",
    "explore": "autotiny.playground.explore",
    "index_update": "autotiny.ops.updating",
    "over_shards": "autotiny.shards.over_shards",
    "plot": "autotiny.plotting",
    "session": "autotiny.sessions.session",
}


if not TYPE_CHECKING:  # which knows all names from the imports above, and reports others

    def __getattr__(name: str) -> Any:
        """Load the readers of graphs, sessions and networks when they are first used."""
        if name in ("nn", "scipy"):
            return import_module(f"autotiny.{name}")
        if name in _LOADED_WHEN_USED:
            return getattr(import_module(_LOADED_WHEN_USED[name]), name)
        raise AttributeError(f"module 'autotiny' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, "nn", "scipy", *(name for name in globals() if name.startswith("__"))])
