"""Measure the error of numeric gradients, and of their own error estimates, for every function of the table.

    python tools/checking_accuracy.py

For every declared case of every function (tests/ops/cases.py) the numeric gradient of a random sum of the outputs is
compared with the gradient that the rules give in extended precision, which shares no code with it.  The error is given
relative to the largest entry, and in units of the numeric side's own estimate: above 1 the estimate was too small.
The rules' constants, such as log(2), are float64 numbers, so half a rounding of the exact entry is subtracted.
"""

import sys
from collections import defaultdict
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import autotiny as at
from autotiny.checking.numeric import Numeric
from autotiny.checking.replaying import Replay
from autotiny.checking.subject import moved_gradients
from autotiny.checking.verdict import rounding_spread
from autotiny.engine.pytree import flatten

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))


CASES: list[Any] = import_module("ops.cases").CASES


class Accuracy(NamedTuple):
    """The error of one gradient, relative to the largest entry and in units of its own estimate, and its method."""

    function: str
    error: float
    units: float
    method: str


def weighed(case: Any, arguments: list[Any], dtype: Any) -> tuple[Any, list[Any]]:
    """Record a random sum of the outputs of a case in a precision; return it and the tensors that it depends on."""
    f, rng = case.draw()[0], case.rng()
    tensors = [at.Tensor(x, dtype=dtype) for x in arguments]
    outputs = flatten(f(*tensors))[0]
    return sum(np.sum(np.asarray(rng.uniform(0.5, 1, np.shape(y))) * y) for y in outputs), tensors


def exact_gradients(case: Any, arguments: list[Any]) -> list[Any]:
    """Return the gradients by the rules, in extended precision where NumPy has it."""
    for dtype in (np.longdouble, np.float64):
        try:
            loss, tensors = weighed(case, arguments, dtype)
            return [np.asarray(g.data) for g in at.gradients(loss, tensors)]
        except TypeError:
            continue
    raise AssertionError(f"{case} runs in neither precision")


def accuracies(cases: list[Any]) -> Iterator[Accuracy]:
    """Yield the accuracy of every gradient that is not empty."""
    for case in cases:
        arguments = case.draw()[1]
        loss, tensors = weighed(case, arguments, np.float64)
        if not (isinstance(loss, at.Tensor) and loss.requires_grad):
            continue
        moved = moved_gradients(loss, tensors, np.ones_like(loss.data))
        for x, exact in zip(tensors, exact_gradients(case, arguments), strict=True):
            if x.size == 0:
                continue
            recorded = exact.astype(float)
            numeric = Numeric(Replay(x, loss), rounding_spread(recorded, moved[x]) / np.finfo(float).eps)
            yield accuracy(case, numeric, exact)


def accuracy(case: Any, numeric: Numeric, exact: Any) -> Accuracy:
    """Return the accuracy of one gradient, at its worst entry."""
    largest = float(np.max(np.abs(exact))) or 1.0
    errors, units = [0.0], [0.0]
    for index in np.ndindex(exact.shape):
        estimate = numeric.entry(index)
        error = max(float(estimate.distance(exact[index]) - np.finfo(float).eps / 2 * abs(exact[index])), 0.0)
        errors.append(error / largest)
        units.append(error / float(estimate.noise) if error else 0.0)
    return Accuracy(case.label.split("[")[0], max(errors), max(units), numeric.method)


def main() -> None:
    """Print a line for each function."""
    by_function: dict[str, list[Accuracy]] = defaultdict(list)
    for each in accuracies(CASES):
        by_function[each.function].append(each)
    print(f"{'function':20} {'error: median':>14} {'worst':>9} {'units: median':>14} {'worst':>9}  method")
    every: list[Accuracy] = []
    for name, results in sorted(by_function.items()):
        every += results
        print(f"{name:20} {_line(results)}  {', '.join(sorted({each.method for each in results}))}")
    print(f"{f'all {len(by_function)} functions':20} {_line(every)}  of {len(every)} gradients")


def _line(results: list[Accuracy]) -> str:
    errors, units = [each.error for each in results], [each.units for each in results]
    return f"{np.median(errors):14.1e} {max(errors):9.1e} {np.median(units):14.2f} {max(units):9.2f}"


if __name__ == "__main__":
    main()
