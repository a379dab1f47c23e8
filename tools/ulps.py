"""Measure the errors of autotiny/compiler/loops/vector_math.py by mpmath: python tools/ulps.py [points] [function ...].

Print the greatest error in units of the last place of the exact result, and where it is; right rounding errs by 0.5.
"""

import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import mpmath
import numpy as np
from mpmath import mp, mpf

Array = np.ndarray[Any, Any]

EXACT: Mapping[str, Callable[..., Any]] = {
    "exp": mp.exp,
    "exp2": lambda x: mpf(2) ** x,
    "expm1": mp.expm1,
    "sinh": mp.sinh,
    "cosh": mp.cosh,
    "tanh": mp.tanh,
    "sigmoid": lambda x: 1 / (1 + mp.exp(-x)),
    "log": mp.log,
    "log2": lambda x: mp.log(x, 2),
    "log10": lambda x: mp.log(x, 10),
    "log1p": mp.log1p,
    "cbrt": lambda x: mp.sign(x) * mp.cbrt(abs(x)),
    "softplus": lambda x: mp.log1p(mp.exp(x)),
    "sin": mp.sin,
    "cos": mp.cos,
    "tan": mp.tan,
}
"""The functions of one number."""

DOMAIN = {"log": (0.0, np.inf), "log2": (0.0, np.inf), "log10": (0.0, np.inf), "log1p": (-1.0, np.inf)}
"""Where a function is real and finite, if not everywhere."""

SPANS = {"float64": (1.0, 30.0, 760.0), "float32": (1.0, 15.0, 110.0)}
"""Half the widths of intervals around 0 in which points are denser: exp overflows in the last."""


def points(name: str, dtype: str, count: int, seed: int = 0) -> Array:
    """Return points where the function is finite: of every exponent, around 0, around 1, and around zeros of sin."""
    rng = np.random.default_rng(seed)
    word = np.dtype(f"uint{8 * np.dtype(dtype).itemsize}")
    parts = [rng.integers(0, np.iinfo(word).max, count, word).view(dtype)]
    parts += [rng.uniform(-span, span, count).astype(dtype) for span in SPANS[dtype]]
    parts += [(1 + scale * rng.normal(size=count)).astype(dtype) for scale in (0.3, 1e-3)]
    parts += [(rng.integers(-(10**k), 10**k, count // 4) * (np.pi / 2)).astype(dtype) for k in (1, 3, 5, 7)]
    low, high = DOMAIN.get(name, (-np.inf, np.inf))
    x = np.concatenate(parts)
    return x[(low < x) & (x < high)]


def errors(exact: Callable[[Any], Any], x: Array, computed: Array) -> Array:
    """Return the errors of the results in units of the last place; 0 where result and exact result overflow."""
    with mpmath.workprec(150), np.errstate(over="ignore", invalid="ignore"):
        results = [exact(mpf(float(one))) for one in x]
        nearest = np.array([float(y) for y in results]).astype(x.dtype)
        rests = [float(y - float(near)) if np.isfinite(near) else 0.0 for y, near in zip(results, nearest, strict=True)]
        differences = np.where(computed == nearest, 0, computed.astype(float) - nearest) - rests
    return np.abs(differences) / np.spacing(np.where(np.isfinite(nearest), np.abs(nearest), 1)).astype(float)


def compiled(name: str) -> Callable[[Array], Array]:
    """Return a loop of numba that computes a function of an array."""
    from numba import njit

    from autotiny.compiler.loops import vector_math

    function = getattr(vector_math, name)

    def loop(x: Array, y: Array) -> None:
        for i in range(x.size):
            y[i] = function(x[i])

    fast = njit(loop, error_model="numpy")

    def run(x: Array) -> Array:
        fast(x, y := np.empty_like(x))
        return y

    return run


def report(count: int, names: Iterable[str]) -> None:
    """Print the greatest error of each function in each dtype."""
    for name in names:
        run = compiled(name)
        for dtype in SPANS:
            x = points(name, dtype, count)
            error = errors(EXACT[name], x, run(x))
            worst = int(error.argmax())
            print(f"{name:10} {dtype}  {error[worst]:.3f} ulp at {x[worst]!r:32} of {x.size} points", flush=True)


if __name__ == "__main__":
    count, *names = sys.argv[1:] or ["10000"]
    report(int(count), names or EXACT)
