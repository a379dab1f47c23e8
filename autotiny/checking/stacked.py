"""Operations on stacks: many complex steps at once, each along its place of a new first axis."""

import functools
import inspect
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from autotiny.checking.complex_forward import StepResult, TieRule, complex_forward
from autotiny.ops import OPS, Op

Array = Any
MATMUL = OPS[np.matmul]


class Stack(NamedTuple):
    """Values of one array, one for each step, along the first axis."""

    values: Array

    @property
    def ndim(self) -> int:
        """The number of axes of one value."""
        return int(self.values.ndim) - 1


def stacked_forward(op: Op, rule: TieRule, args: Sequence[Any], options: Mapping[str, Any]) -> tuple[Stack, bool]:
    """Compute an operation, some of whose operands are stacks, on all steps, and whether any of them met a kink."""
    ndim = max(map(np.ndim, args))
    if op is MATMUL and all(np.ndim(arg) == 2 for arg in args):
        return Stack(_product(*args)), False
    if op.has("elementwise") or (op is MATMUL and min(map(np.ndim, args)) > 1):
        result = complex_forward(op, rule, _aligned(args, ndim), options)
    elif len(args) == 1 and (axes := _axes(op, options)) is not None:
        result = complex_forward(op, rule, [args[0].values], {**options, "axis": _from_the_end(axes, ndim)})
    else:
        result = _one_by_one(op, rule, args, options)
    return Stack(result.value), result.at_kink


def _aligned(args: Sequence[Any], ndim: int) -> list[Any]:
    """Return the operands with the axis of the steps before all axes that broadcast."""
    return [
        arg.values.reshape(len(arg.values), *(1,) * (ndim - arg.ndim), *arg.values.shape[1:])
        if isinstance(arg, Stack)
        else arg
        for arg in args
    ]


def _product(a: Any, b: Any) -> Array:
    """Return the products of matrices; of a stack and one matrix as a single product, which BLAS is best at."""
    if isinstance(a, Stack) and isinstance(b, Stack):
        return a.values @ b.values
    if isinstance(a, Stack):
        rows = a.values.reshape(-1, a.values.shape[-1]) @ b
        return rows.reshape(*a.values.shape[:-1], b.shape[-1])
    return np.swapaxes(_product(Stack(np.swapaxes(b.values, 1, 2)), a.T), 1, 2)


def _axes(op: Op, options: Mapping[str, Any]) -> Any:
    """Return the axis or axes along which an operation works, () for all of them; None for one of another kind."""
    parameter = _parameters(op).get("axis")
    if parameter is None or not (op.has("reduces") or op.has("mixes")):
        return None
    axis = options.get("axis", parameter.default)
    if axis is None:
        return () if op.has("reduces") else None
    return axis if isinstance(axis, tuple) else int(axis)


@functools.cache
def _parameters(op: Op) -> Mapping[str, inspect.Parameter]:
    return inspect.signature(op.forward).parameters


def _from_the_end(axes: Any, ndim: int) -> Any:
    """Return axes counted from the last one."""
    return axes % ndim - ndim if isinstance(axes, int) else tuple(a % ndim - ndim for a in axes or range(ndim))


def _one_by_one(op: Op, rule: TieRule, args: Sequence[Any], options: Mapping[str, Any]) -> StepResult:
    count = next(len(arg.values) for arg in args if isinstance(arg, Stack))
    results = [
        complex_forward(op, rule, [arg.values[i] if isinstance(arg, Stack) else arg for arg in args], options)
        for i in range(count)
    ]
    return StepResult(np.stack([each.value for each in results]), any(each.at_kink for each in results))
