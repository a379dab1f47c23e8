"""Copies of recorded operations and graphs in which something is changed."""

from collections.abc import Container, Iterable
from typing import Any

import numpy as np

from autotiny.engine.node import NO_OPTIONS, Node, made_by
from autotiny.engine.recording import evaluate, is_stable_log, new_node, value_of
from autotiny.engine.tensor import Tensor
from autotiny.ops import OPS


def with_value(node: Tensor, value: Any) -> Tensor:
    """A stand-in for a node that has another value; gradients pass through it to the node unchanged."""
    if not node.requires_grad:
        return Tensor(value, requires_grad=False)
    return new_node(Tensor, OPS[np.positive], (node,), NO_OPTIONS, value)


def alone(node: Tensor) -> tuple[Tensor, dict[int, Tensor]]:
    """The same operation on leaves of its operands' values, and those of them that are tracked, by position.

    The logarithm of an exponential keeps the exponential, since its rule passes it by.
    """
    if is_stable_log(node.op, node.args):
        inner, operands = on_leaves(node.args[0])
        return new_node(Tensor, made_by(node), (inner,), NO_OPTIONS, node.value), operands
    return on_leaves(node)


def on_leaves(node: Tensor) -> tuple[Tensor, dict[int, Tensor]]:
    """The same operation on leaves of its operands' values, and those of them that are tracked, by position."""
    op = made_by(node)
    args = tuple(
        Tensor(arg.value, requires_grad=arg.requires_grad) if isinstance(arg, Node) else arg for arg in node.args
    )
    copy = new_node(Tensor, op, args, node.kwargs, evaluate(op, args, node.kwargs, value_of))
    return copy, {i: arg for i, arg in enumerate(args) if isinstance(arg, Tensor) and arg.requires_grad}


def without_derivatives(order: Iterable[Tensor], omitted: Container[Tensor]) -> dict[Tensor, Tensor]:
    """A copy of a graph, node by node, in which the omitted operations pass gradients on as they are."""
    copies: dict[Tensor, Tensor] = {}
    for node in order:
        args = tuple(copies.get(arg, arg) if type(arg) is Tensor else arg for arg in node.args)
        if node.op is None or not node.requires_grad:
            copies[node] = Tensor(node.value, requires_grad=node.requires_grad)
        elif node in omitted:
            tracked = [arg for arg in args if type(arg) is Tensor and arg.requires_grad and arg.shape == node.shape]
            copies[node] = with_value(tracked[0], node.value) if tracked else Tensor(node.value, requires_grad=False)
        else:
            copies[node] = new_node(Tensor, node.op, args, node.kwargs, node.value)
    return copies
