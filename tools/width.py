"""Count NumPy: call every public function that has a derivative, and compare value and gradient with NumPy's own.

    python tools/width.py               a line for each function, and the counts
    python tools/width.py --failing     only what does not work, with the reason

A function *works* if all its calls give NumPy's value and the gradient of central differences; it is *refused* if one
of them is an error of autotiny's, in words; else it is *wrong*. Calls that this NumPy lacks are left out. The calls
stand in `tools/width.txt`, a line for each function; one that is known to be refused begins with "!". They use the
arrays of `TRACKED`, which are differentiated, and of `CONSTANTS`.
"""

import argparse
import re
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import autotiny as at
from autotiny.engine.pytree import flatten
from autotiny.errors import AutotinyError

NAMESPACES = {"": np, "linalg.": np.linalg, "fft.": np.fft}
rng = np.random.default_rng(5)


def spread(low: float, high: float, *shape: int) -> np.ndarray:
    """Return numbers of an interval, no two of them near each other, and none of their means near a third."""
    size = int(np.prod(shape))
    cells = np.arange(size) + 0.2 + 0.5 * rng.random(size)
    return np.reshape(rng.permutation(low + (high - low) * cells / size), shape)


def spoilt(x: np.ndarray) -> np.ndarray:
    """Return a copy in which every fourth entry is nan."""
    return np.where(np.arange(x.size).reshape(x.shape) % 4 == 1, np.nan, x)


TRACKED: dict[str, Any] = {
    **{"x": spread(-2, 2, 5), "y": spread(-1.9, 2.1, 5), "X": spread(-2, 2, 4, 3), "Y": spread(-2.1, 1.9, 4, 3)},
    **{"p": spread(0.3, 3, 5), "q": spread(0.4, 3.1, 5), "P": spread(0.3, 3, 4, 3), "Q": spread(0.4, 2.9, 4, 3)},
    **{"u": spread(-0.9, 0.9, 5), "T": spread(-2, 2, 2, 4, 3), "s": np.array(0.7), "t": np.array(1.9)},
    **{"n": spoilt(spread(-2, 2, 6)), "N": spoilt(spread(-2, 2, 4, 3)), "v": spread(-2, 2, 3), "z": spread(-2, 2, 3)},
    "S": np.array([[2.0, 0.3, -0.4], [0.5, -1.8, 0.2], [-0.1, 0.6, 1.5]]),
    "D": np.array([[3.0, 0.4, -0.3], [0.4, 2.0, 0.5], [-0.3, 0.5, 1.2]]),
    "R": np.eye(3) * [[[2.0]], [[-1.5]]] + spread(-0.4, 0.4, 2, 3, 3),
}
"""Vectors (4 to 6 entries, v and z 3), matrices (4, 3), a stack T, numbers s and t, square S, definite D, a stack R."""
CONSTANTS: dict[str, Any] = {
    **{"m": np.array([True, False, True, True, False]), "M": np.arange(12).reshape(4, 3) % 3 > 0},
    **{"w": spread(0.5, 2, 5), "W": spread(0.5, 2, 4, 3), "i": np.array([2, 0, 1, 0, 2])},
}


class Call(NamedTuple):
    """A call of a function, as text, and what came of it."""

    text: str
    verdict: str
    reason: str = ""


def calls() -> dict[str, list[str]]:
    """Return the calls of every function of the table that this NumPy has."""
    table: dict[str, list[str]] = {}
    for line in lines():
        names, _, texts = line.partition(":")
        for name in names.split():
            if callable(named(name)):
                listed = [re.sub(r"\bf(?=[(.])", f"np.{name}", text.strip()) for text in texts.split("|")]
                table[name] = [text for text in listed if not any(option in text for option in newer_options())]
    return table


def newer_options() -> tuple[str, ...]:
    """Return how calls look that this NumPy lacks."""
    return (
        ()
        if np.lib.NumpyVersion(np.__version__) >= "2.2.0"
        else ("clip(X, min=", "copy=None", "pad(x, {", "trim_zeros(np.pad")
    )


def lines() -> Iterator[str]:
    """Yield the lines of the table, those that are continued as one."""
    text = Path(__file__).with_suffix(".txt").read_text(encoding="utf-8")
    return (line for line in re.sub(r"\n +", " ", text).splitlines() if line and not line.startswith(("#", "-")))


def without_derivative() -> set[str]:
    """Return the names of the functions whose result has no derivative, which the table lists after dashes."""
    text = re.sub(r"\n +", " ", Path(__file__).with_suffix(".txt").read_text(encoding="utf-8"))
    return {name for line in text.splitlines() if line.startswith("-") for name in line[1:].split()}


def named(name: str) -> Any:
    """Return NumPy's function of that name; None if this NumPy has none."""
    owner: Any = np
    for part in name.split("."):
        owner = getattr(owner, part, None)
    return owner


def unlisted() -> list[str]:
    """Return NumPy's public functions that the table does not mention."""
    public = [
        prefix + name
        for prefix, namespace in NAMESPACES.items()
        for name, value in vars(namespace).items()
        if callable(value) and not isinstance(value, type) and name[0] != "_"
    ]
    return sorted(set(public) - calls().keys() - without_derivative())


def function(text: str) -> tuple[list[str], Callable[..., Any]]:
    """Return the names of the arrays of a call that are differentiated, and the call as a function of them."""
    text = text.lstrip("! ")
    used = [name for name in compile(text, text, "eval").co_names if name in TRACKED]
    return used, eval(f"lambda {', '.join(used)}: {text}", {"np": np, **CONSTANTS})


def attempt(text: str) -> Call:
    """Call a function on arrays and on Tensors, and compare."""
    used, f = function(text)
    try:
        return Call(text, *compared(f, [TRACKED[name] for name in used]))
    except AutotinyError as error:
        return Call(text, "refused", str(error))
    except Exception as error:
        return Call(text, "wrong", f"{type(error).__name__}: {error}")


def compared(f: Callable[..., Any], args: list[Any]) -> tuple[str, str]:
    """Return whether f's value and gradient are right, and if not, what is not."""
    expected, values = parts(f(*args)), [at.Tensor(arg) for arg in args]
    results = parts(f(*values))
    if len(results) != len(expected):
        return "wrong", f"{len(results)} results, and NumPy has {len(expected)}"
    for result, wanted in zip(results, expected, strict=True):
        value = np.asarray(getattr(result, "data", result))
        if value.shape != np.shape(wanted) or not np.allclose(value, wanted, rtol=1e-12, atol=1e-13, equal_nan=True):
            return "wrong", "another value than NumPy's"
    factors = [np.cos(1.3 * np.arange(np.size(y)) + k).reshape(np.shape(y)) for k, y in enumerate(expected)]

    def total(*moved: Any) -> Any:
        return sum(np.sum(np.where(np.isnan(c * y), 0, c * y)) for c, y in zip(factors, parts(f(*moved)), strict=True))

    for c, y in zip(factors, results, strict=True):
        if isinstance(y, at.Tensor) and y.requires_grad:
            np.sum(c * y).backward()
    for name, x, arg in zip("abcd", values, args, strict=False):
        g = np.zeros(x.shape) if x.grad is None else x.grad
        if not np.allclose(g, slopes(total, args, arg), rtol=1e-6, atol=1e-7):
            return "wrong", f"gradient of argument {name}"
    return "works", ""


def slopes(f: Callable[..., Any], args: list[Any], of: Any, step: float = 1e-5) -> np.ndarray:
    """Return the derivatives of a number by one argument, as central differences."""
    result = np.zeros(of.shape)
    for place in np.ndindex(of.shape):
        ends = []
        for sign in (1, -1):
            moved = of.copy()
            moved[place] += sign * step
            ends.append(f(*[moved if arg is of else arg for arg in args]))
        result[place] = (ends[0] - ends[1]) / (2 * step)
    return result


def parts(result: Any) -> list[Any]:
    """Return the arrays of a result."""
    return [y for y in flatten(result)[0] if y is not None]


def verdicts(only: str = "") -> dict[str, list[Call]]:
    """Return what came of each call of each function whose name contains `only`."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return {name: [attempt(text) for text in texts] for name, texts in calls().items() if only in name}


def overall(tried: list[Call]) -> str:
    """Return the verdict on a function: the worst of its calls."""
    return next(v for v in ("wrong", "refused", "works") if any(call.verdict == v for call in tried))


def show(table: dict[str, list[Call]], failing: bool) -> None:
    """Print a line for each function, or only for those that fail, and the calls that do."""
    for name, tried in table.items():
        failures = [call for call in tried if call.verdict != "works"]
        if failures or not failing:
            print(f"{overall(tried):8} {name}  ({len(tried) - len(failures)} of {len(tried)} calls)")
        for call in failures:
            print(f"         {call.text}: {call.verdict}: {call.reason}")


def main() -> None:
    """Print a line for each function, the calls that fail, and the counts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--failing", action="store_true", help="print only what does not work")
    parser.add_argument("--only", default="", help="part of a function's name")
    options = parser.parse_args()
    table = verdicts(options.only)
    show(table, options.failing)
    for space in ("linalg", "fft", ""):
        of_this = [overall(tried) for name, tried in table.items() if name.rpartition(".")[0] == space]
        print(f"{space or 'numpy'}: {dict(Counter(of_this))} of {len(of_this)}")
    every = [call.verdict for tried in table.values() for call in tried]
    print(f"functions: {dict(Counter(map(overall, table.values())))} of {len(table)}")
    print(f"calls: {dict(Counter(every))} of {len(every)}")
    for name in unlisted():
        print(f"not in tools/width.txt: {name}")


if __name__ == "__main__":
    main()
