"""A recorded graph as a function of one of its tensors: only what depends on that tensor is computed again."""

from collections.abc import Callable
from typing import Any

import numpy as np

from autotiny.checking.complex_forward import TieRule, complex_forward, has_complex_form
from autotiny.engine.graph import form_with, leading_to, topological_order
from autotiny.engine.node import made_by
from autotiny.engine.recording import value_of
from autotiny.engine.tensor import Tensor
from autotiny.ops import OPS, shaping

WIDE_WORK = 50_000
"""The largest number of multiplications of a replay in extended precision, without BLAS: some milliseconds."""

EXTENDED_HELPS = np.finfo(np.longdouble).eps < np.finfo(float).eps
ASTYPE = OPS[shaping.astype]


class Replay:
    """The sum of weights * output as a function of the tensor x, the rest of the graph at its recorded values.

    Masks and indices are constants of the graph, as they are for its gradient.  Values are real or complex; a
    conversion to another precision that was recorded is passed over, so that the precision is that of the value of x.

    >>> x = Tensor([1.0, 2.0]); y = np.sum(x * x)
    >>> Replay(x, y)(np.array([3.0, 4.0]))
    np.float64(25.0)
    """

    def __init__(self, x: Tensor, output: Tensor, weights: Any = 1.0) -> None:
        order = topological_order(output)
        dependent = leading_to(order, [x])
        self.x, self.output, self.weights = x, output, weights
        self.nodes = [node for node in order if node in dependent and node is not x]
        self.eps = max(float(np.finfo(node.dtype).eps) for node in (x, output))
        self.wide = EXTENDED_HELPS and self.work() <= WIDE_WORK
        if self.wide and not self._runs_wide():
            self.wide = False

    def work(self) -> int:
        """Estimate the number of multiplications of one replay."""
        return sum(node.size * (node.args[0].shape[-1] if made_by(node).name == "matmul" else 1) for node in self.nodes)

    @property
    def real(self) -> Any:
        """The type that real values are replayed in."""
        return np.longdouble if self.wide else np.float64

    @property
    def complex(self) -> Any:
        """The type that complex values are replayed in."""
        return np.clongdouble if self.wide else np.complex128

    @property
    def analytic(self) -> bool:
        """Whether a complex step can pass through every operation on the way, kinks aside."""
        return all(has_complex_form(form_with(node, {self.x}).op) for node in self.nodes)

    def __call__(self, value: Any) -> Any:
        """Return the output for a real value of x."""
        return self._output(value, lambda form, args: form.op.forward(*args, **form.kwargs))

    def step(self, value: Any, by_convention: bool = False) -> tuple[Any, bool]:
        """Return the output for a complex value of x, and whether the step met a kink on the way.

        At a kink it follows the side of the step, or the engine's convention.
        """
        rule, kinks = TieRule(self.eps, by_convention), list[bool]()

        def compute(form: Any, args: list[Any]) -> Any:
            result = complex_forward(form.op, rule, args, form.kwargs)
            kinks.append(result.at_kink)
            return result.value

        return self._output(value, compute), any(kinks)

    def _output(self, value: Any, compute: Callable[[Any, list[Any]], Any]) -> Any:
        """The output, each operation, or its stable form, computed by `compute(form, args)`."""
        values = {self.x: value}

        def value_at(arg: Any) -> Any:
            return values[arg] if type(arg) is Tensor and arg in values else value_of(arg)

        with np.errstate(all="ignore"):
            for node in self.nodes:
                op = made_by(node)
                if op is ASTYPE:
                    values[node] = value_at(node.args[0])
                else:
                    form = form_with(node, {self.x})
                    values[node] = compute(form, [value_at(arg) for arg in form.args])
            return np.sum(self.weights * values[self.output]) if self.output in values else np.sum(value * 0)

    def _runs_wide(self) -> bool:
        try:
            self(self.x.value.astype(np.longdouble))
        except TypeError:  # NumPy's linear algebra has no extended precision
            return False
        return True
