"""Every row of the table of operations inside the losses that people write, as runs to derive."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

import autotiny as at
from ops.cases import CASES
from ops.declare import parts, some_of_each

FORMS: dict[str, Any] = {
    "sum": lambda y, c, k: np.sum(y),
    "residual": lambda y, c, k: np.sum((y - c) ** 2) / 2,
    "named number": lambda y, c, k: np.sum(c * y) / (2 * k),
    "dot": lambda y, c, k: 1 / k * (y.ravel() @ y.ravel()),
    "exponential": lambda y, c, k: np.log(np.sum(np.exp(y / 4))),
    "vector": lambda y, c, k: y,
}


class Run(NamedTuple):
    """An output to derive by a tensor, with the names of its run."""

    output: Any
    target: Any
    scope: dict[str, Any]


def runs(case: Any, form: str) -> Iterator[Run]:
    """Yield the runs of a case of the table in a form, one for each output and tracked argument."""
    f, drawn = case.draw()
    tracked = [at.Tensor(x, name=f"x{i}") for i, x in enumerate(drawn)]
    k = 2.7
    for y in parts(f(*tracked)):
        if not isinstance(y, at.Tensor) or y.dtype.kind != "f" or (form == "vector" and y.ndim != 1):
            continue
        c = np.cos(np.arange(float(y.size))).reshape(y.shape)
        output = FORMS[form](y, c, k)
        for x in tracked:
            if form != "vector" or x.ndim == 1:
                yield Run(output, x, {"y": y, "c": c, "k": k})


def chosen(count: int) -> list[Any]:
    """A few cases of each function, without empty arrays and large ones."""
    return some_of_each([case for case in CASES if all(0 < np.prod(s, initial=1) < 40 for s in case.shapes)], count)
