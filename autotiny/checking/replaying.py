"""A recorded graph as a function of one of its tensors: only what depends on that tensor is computed again."""

from typing import Any

import numpy as np

from autotiny.checking.complex_forward import LOGARITHMS, Kinks
from autotiny.engine.graph import leading_to, topological_order
from autotiny.engine.node import made_by
from autotiny.engine.recording import is_stable_log, value_of
from autotiny.engine.tensor import Tensor
from autotiny.ops import OPS, shaping

WIDE_WORK = 50_000
"""Multiplications up to which a replay runs in extended precision, which no BLAS serves: some milliseconds."""

EXTENDED_HELPS = np.finfo(np.longdouble).eps < np.finfo(np.float64).eps
ASTYPE = OPS[shaping.astype]


class Replay:
    """The sum of weights * output as a function of the tensor x, the rest of the graph at its recorded values.

    Masks and indices are constants of the graph, as they are for its gradient.  Values are real or complex; a
    conversion to another precision that was recorded is passed over, so that the precision is that of the value given.

    >>> x = Tensor([1.0, 2.0]); y = np.sum(x * x)
    >>> Replay(x, y)(np.array([3.0, 4.0]))
    np.float64(25.0)
    """

    def __init__(self, x: Tensor, output: Tensor, weights: Any = 1.0) -> None:
        order = topological_order(output)
        dependent = leading_to(order, [x])
        self.x, self.output, self.weights = x, output, weights
        self.nodes = [node for node in order if node in dependent and node is not x]
        self.kinks = Kinks(max(float(np.finfo(node.dtype).eps) for node in (x, output)))
        self.wide = EXTENDED_HELPS and self.work() <= WIDE_WORK
        if self.wide and not self._runs_wide():
            self.wide = False

    def work(self) -> int:
        """How many multiplications one replay takes, about."""
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
        return all(self.kinks.forward(made_by(node).function) for node in self.nodes)

    def __call__(self, value: Any) -> Any:
        """The output where x is the given value."""
        with np.errstate(all="ignore"):
            found = {self.x: value}
            for node in self.nodes:
                found[node] = self._compute(node, found, np.iscomplexobj(value))
            return np.sum(self.weights * found[self.output]) if self.output in found else np.sum(value * 0)

    def _compute(self, node: Tensor, found: dict[Tensor, Any], is_complex: bool) -> Any:
        def value(arg: Any) -> Any:
            return found[arg] if type(arg) is Tensor and arg in found else value_of(arg)

        op = made_by(node)
        if is_stable_log(op, node.args) and node.args[0] is not self.x:
            inner: Tensor = node.args[0]
            log: Any = made_by(inner).log
            forward = LOGARITHMS.get(made_by(inner).function, log.forward) if is_complex else log.forward
            return forward(value(inner), *map(value, inner.args), **inner.kwargs)
        if op is ASTYPE:
            return value(node.args[0])
        self.kinks.shared = OPS[op.function] is op
        forward = self.kinks.forward(op.function) if is_complex else op.forward
        assert forward is not None
        return forward(*map(value, node.args), **node.kwargs)

    def _runs_wide(self) -> bool:
        try:
            self(self.x.value.astype(np.longdouble))
        except TypeError:  # NumPy's linear algebra has no extended precision
            return False
        return True
