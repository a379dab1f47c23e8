"""Derivatives by complex arguments: of a holomorphic function, or of the real and imaginary parts of any."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autotiny.engine.pytree import flatten, tree_map
from autotiny.engine.recorded_call import RecordedCall
from autotiny.engine.recording import value_of
from autotiny.engine.tensor import Tensor
from autotiny.errors import UnsupportedError
from autotiny.ops.table import is_complex

Function = Callable[..., Any]


def require_one_way(holomorphic: bool, real: bool, where: str) -> None:
    """Raise UnsupportedError for options that exclude each other."""
    if holomorphic and real:
        raise UnsupportedError(f"{where}: holomorphic=True gives f', real=True that of its parts; give one of them")


def require_real(values: Sequence[Any], where: str) -> None:
    """Raise UnsupportedError where a derivative by complex numbers was asked for, and it was not said which."""
    if any(map(is_complex, values)):
        raise UnsupportedError(
            f"{where}: by a complex argument a function has a derivative that is one number only if it is holomorphic: "
            "give holomorphic=True for that, or real=True for the derivatives of its real and imaginary parts"
        )


def require_holomorphic(call: RecordedCall, out: Tensor, blocks: list[Any]) -> None:
    """Raise UnsupportedError unless the sweep is linear over the complex numbers, as that of a holomorphic f is."""
    weights = np.random.default_rng(0).uniform(1, 2, out.shape)
    turned = call.pull({out: (1j * weights).astype(out.dtype) if is_complex(out) else out._value * 0})
    for x, block, t in zip(call.variables, map(number_of, blocks), map(number_of, turned), strict=True):
        if is_complex(x):
            terms = np.reshape(weights, (-1, *(1,) * x.ndim)) * block
            away = np.abs(t - 1j * np.sum(terms, axis=0))
            if np.any(away > np.sqrt(np.finfo(x.dtype).eps) * np.sum(np.abs(terms), axis=0)):
                raise UnsupportedError(
                    "jacobian: the function is not holomorphic here: its derivative by z is not one complex number; "
                    "give real=True for the derivatives of its real and imaginary parts"
                )


def number_of(x: Any) -> Any:
    """Return the value of a Tensor, of this call if it is a formula."""
    value = value_of(x)
    return getattr(value, "value", value)


def split(x: Any) -> Any:
    """Return the real and imaginary parts of a complex value, stacked; a real one as it is."""
    return np.stack([np.real(x), np.imag(x)]) if is_complex(x) else x


def on_parts(f: Function, x: Any) -> Function:
    """Return f as a real function of the real and imaginary parts of a tree like x, as `split` gives them."""
    are_complex = list(map(is_complex, flatten(x)[0]))

    def of_parts(parts: Any) -> Any:
        leaves, rebuild = flatten(parts)
        pairs = zip(leaves, are_complex, strict=True)
        return tree_map(split, f(rebuild([x[0] + 1j * x[1] if was_complex else x for x, was_complex in pairs])))

    return of_parts
