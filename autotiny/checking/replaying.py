"""A recorded graph as a function of one of its tensors: only what depends on that tensor is computed again."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from autotiny.checking.complex_forward import StepResult, TieRule, complex_forward, has_complex_form, size
from autotiny.checking.parts import as_parts, from_parts
from autotiny.checking.stacked import Stack, stacked_forward
from autotiny.engine.graph import form_with, leading_to, topological_order
from autotiny.engine.node import made_by
from autotiny.engine.recording import value_of
from autotiny.engine.tensor import Tensor
from autotiny.ops import OPS, indexing, shaping
from autotiny.ops.outputs import Outputs
from autotiny.ops.table import is_complex

WIDE_WORK = 50_000
"""The largest number of multiplications of a replay in extended precision, without BLAS: some milliseconds."""

EXTENDED_HELPS = np.finfo(np.longdouble).eps < np.finfo(float).eps
ASTYPE, INDEX = OPS[shaping.astype], OPS[indexing.index]


class Replay:
    """The sum of weights * output as a function of the tensor x, the rest of the graph at its recorded values.

    Masks and indices are constants of the graph, as they are for its gradient; but entries that tie are sorted anew.
    Values may have an imaginary step; a conversion to another precision that was recorded is passed over, so that the
    precision is that of the value of x. Of a complex x the value is given by its parts (`as_parts`), and of a complex
    output the number is Re(Σ conj(weights) output).

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
        self.sorts = {node: ties for node in self.nodes if (ties := TiedOrder.of(node, self.eps)) is not None}
        self.has_complex = any(map(is_complex, (x, *self.nodes)))
        self.wide = EXTENDED_HELPS and self.work() <= WIDE_WORK
        if self.wide and not self._runs_wide():
            self.wide = False

    def work(self) -> int:
        """Estimate the number of multiplications of one replay."""
        return sum(node.size * (node.args[0].shape[-1] if made_by(node).name == "matmul" else 1) for node in self.nodes)

    @property
    def largest(self) -> int:
        """The number of values of the largest array that depends on x, x itself among them."""
        return max(1, self.x.size, *(node.size for node in self.nodes))

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
        """Whether a complex step can pass through every operation on the way, kinks aside; not through complex ones."""
        return not self.has_complex and all(has_complex_form(form_with(node, {self.x}).op) for node in self.nodes)

    def __call__(self, value: Any) -> Any:
        """Return the output for a real value of x."""
        return self._sum(self.values(value))

    def step(self, value: Any, by_convention: bool = False) -> tuple[Any, bool]:
        """Return the output for a complex value of x, and whether the step met a kink on the way.

        At a kink it follows the side of the step, or the engine's convention.
        """
        rule, kinks = TieRule(self.eps, by_convention), list[bool]()

        def compute(node: Tensor, args: list[Any]) -> Any:
            if node in self.sorts:
                result = self.sorts[node].step(rule, *args)
            else:
                form = form_with(node, {self.x})
                result = complex_forward(form.op, rule, args, form.kwargs)
            kinks.append(result.at_kink)
            return result.value

        return self._sum(self._values(value, compute)), any(kinks)

    def steps(self, values: Any) -> Any:
        """Return the output for each of several complex values of x.

        None where one of the steps met a kink, or an operation has several outputs.
        """
        if self.sorts or any(isinstance(node.value, Outputs) for node in self.nodes):
            return None
        rule, kinks = TieRule(self.eps), list[bool]()

        def compute(node: Tensor, args: list[Any]) -> Any:
            form = form_with(node, {self.x})
            value, at_kink = stacked_forward(form.op, rule, args, form.kwargs)
            kinks.append(at_kink)
            return value

        outputs = self._values(Stack(values), compute).get(self.output, Stack(values * 0))
        return None if any(kinks) else np.sum((self.weights * outputs.values).reshape(len(values), -1), axis=1)

    def values(self, value: Any) -> dict[Tensor, Any]:
        """Return the values of x and of all that depends on it, for a real value of x, or real parts."""

        def compute(node: Tensor, args: list[Any]) -> Any:
            if node in self.sorts:
                return np.sort(args[0], axis=self.sorts[node].axis)
            form = form_with(node, {self.x})
            return form.op.forward(*args, **form.kwargs)

        return self._values(from_parts(value, self.x), compute)

    def _values(self, value: Any, compute: Callable[[Tensor, list[Any]], Any]) -> dict[Tensor, Any]:
        """The values, each operation computed by `compute(node, args)` from the operands of its stable form if any."""
        values = {self.x: value}

        def value_at(arg: Any) -> Any:
            return values[arg] if type(arg) is Tensor and arg in values else value_of(arg)

        with np.errstate(all="ignore"):
            for node in self.nodes:
                if made_by(node) is ASTYPE:
                    before = value_at(node.args[0])
                    becomes_complex = is_complex(node) and not is_complex(node.args[0])
                    values[node] = before.astype(self.complex) if becomes_complex else before
                else:
                    try:
                        values[node] = compute(node, [value_at(arg) for arg in form_with(node, {self.x}).args])
                    except np.linalg.LinAlgError:  # a step out of the domain: nan, as the logarithm's
                        values[node] = np.full(node.shape, np.nan, self.real)
        return values

    def _sum(self, values: Mapping[Tensor, Any]) -> Any:
        with np.errstate(all="ignore"):
            value = values[self.output] if self.output in values else values[self.x] * 0
            return np.sum(real_product(self.weights, value))

    def _runs_wide(self) -> bool:
        try:
            self(as_parts(self.x.value).astype(np.longdouble))
        except TypeError:  # NumPy's linear algebra has no extended precision
            return False
        return True


def real_product(a: Any, b: Any) -> Any:
    """Re(conj(a) b), entry by entry; of real b the product."""
    return np.real(np.conjugate(a) * b) if is_complex(a) else a * b


class TiedOrder:
    """The order of a sort in which entries tie: at the point any of them may come first.

    A sort is recorded as an index. An index that is the argsort of its operand counts as one.
    """

    def __init__(self, node: Tensor, axis: int, groups: Any) -> None:
        self.key, self.axis, self.groups = node.kwargs["key"], axis, groups

    @classmethod
    def of(cls, node: Tensor, eps: float) -> "TiedOrder | None":
        """Return the order of a sort with ties; None for any other operation."""
        if made_by(node) is not INDEX:
            return None
        x, key = np.asarray(value_of(node.args[0])), node.kwargs["key"]
        parts = key if isinstance(key, tuple) else (key,)
        if len(parts) != x.ndim or node.shape != x.shape or not all(isinstance(part, np.ndarray) for part in parts):
            return None
        for axis, part in enumerate(parts):
            if part.shape == x.shape and np.array_equal(part, np.argsort(x, axis=axis, stable=True)):
                apart = np.diff(node.value, axis=axis) > 4 * eps * size(x)
                groups = np.insert(np.cumsum(apart, axis=axis), 0, 0, axis=axis)
                return None if np.all(apart) else cls(node, axis, groups)
        return None

    def step(self, rule: TieRule, x: Any) -> StepResult:
        """Sort complex numbers, those that tie by their imaginary parts; by convention they keep their order."""
        y = x[self.key]
        order = np.lexsort((y.imag, self.groups), axis=self.axis)
        value = np.take_along_axis(y, order, axis=self.axis)
        tied = np.diff(self.groups, axis=self.axis) == 0
        at_kink = bool(np.any(tied & (np.diff(y.imag, axis=self.axis) != 0)))
        return StepResult(y if rule.by_convention else value, at_kink)

    def key_at(self, x: Any) -> Any:
        """Return the key that sorts other values."""
        order = np.argsort(x, axis=self.axis, stable=True)
        if not isinstance(self.key, tuple):
            return order
        return (*self.key[: self.axis], order, *self.key[self.axis + 1 :])
