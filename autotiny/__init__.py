"""autotiny: an autograd engine on NumPy that shows its work."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from autotiny.engine.containers import register_pytree
from autotiny.engine.gradients import gradients
from autotiny.engine.modes import debug, no_grad, scope
from autotiny.engine.pytree import tree_map
from autotiny.engine.tensor import Tensor
from autotiny.engine.transforms import grad, hessian, hvp, jacobian, jvp, value_and_grad, vjp
from autotiny.ops import operation
from autotiny.ops.activations import elu, gelu, leaky_relu, relu, sigmoid, silu, softmax
from autotiny.ops.building import array
from autotiny.ops.logarithms import log_softmax, logsumexp, softplus
from autotiny.ops.losses import binary_cross_entropy, cross_entropy, one_hot
from autotiny.ops.updating import index_update

if TYPE_CHECKING:
    from autotiny.checking import check_gradients, compare
    from autotiny.compiler import compile  # noqa: A004 - compiled as in a regular expression: at.compile
    from autotiny.derivation.derive import derive
    from autotiny.drawing import draw
    from autotiny.playground.explore import explore
    from autotiny.sessions.session import session

__version__ = "0.1.0"

__all__ = [
    "Tensor",
    "array",
    "binary_cross_entropy",
    "check_gradients",
    "compare",
    "compile",
    "cross_entropy",
    "debug",
    "derive",
    "draw",
    "elu",
    "explore",
    "gelu",
    "grad",
    "gradients",
    "hessian",
    "hvp",
    "index_update",
    "jacobian",
    "jvp",
    "leaky_relu",
    "log_softmax",
    "logsumexp",
    "no_grad",
    "one_hot",
    "operation",
    "register_pytree",
    "relu",
    "scope",
    "session",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
    "tree_map",
    "value_and_grad",
    "vjp",
]


_LOADED_WHEN_USED = {
    "check_gradients": "autotiny.checking",
    "compare": "autotiny.checking",
    "compile": "autotiny.compiler",
    "derive": "autotiny.derivation.derive",
    "draw": "autotiny.drawing",
    "explore": "autotiny.playground.explore",
    "session": "autotiny.sessions.session",
}


def __getattr__(name: str) -> Any:
    """Load the readers of graphs, sessions and networks when they are first used."""
    if name == "nn":
        return import_module("autotiny.nn")
    if name in _LOADED_WHEN_USED:
        return getattr(import_module(_LOADED_WHEN_USED[name]), name)
    raise AttributeError(f"module 'autotiny' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_LOADED_WHEN_USED, "nn"])
