"""A program's formula as a recorded graph, which can be drawn."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autotiny.algebra import Term, on_others, symbol, topological_order
from autotiny.compiler.naming import FormulaNames, names_to_show
from autotiny.engine.node import NO_OPTIONS
from autotiny.engine.recording import new_node
from autotiny.engine.tensor import Tensor
from autotiny.ops import Op

SMALL, MANY = 2**24, 1000
"""Bytes of values, and operations, up to which a formula can be drawn."""


def graph_of(outputs: Sequence[Term], names: FormulaNames, name: str) -> Callable[[], Tensor | None] | None:
    """Return what makes the graph of formulas, on a copy of the arguments; None where these are too large for that."""
    order = topological_order(*outputs)
    if not order or len(order) > MANY or sum(term.size * term.dtype.itemsize for term in order) > SMALL:
        return None
    symbols = [term for term in order if term.name is not None]
    arguments = {x: symbol(str(x.name), np.array(x.value) if x.ndim else x.value) for x in symbols}

    def graph() -> Tensor | None:
        new = dict(arguments)
        with np.errstate(all="ignore"):
            for term in order:
                if term.op is not None:
                    new[term] = on_others(term, new)
                else:
                    new.setdefault(term, term)
        return as_graph([new[out] for out in outputs], {new[x]: names[x] for x in order if x in names}, name)

    return graph


def as_graph(outputs: Sequence[Term], names: FormulaNames, name: str) -> Tensor | None:
    """Return formulas as a recorded graph."""
    order = topological_order(*outputs)
    tensors: dict[Term, Any] = {}
    called = names_to_show(order, names)
    for term in order:
        if term.op is None:
            alone = term.is_constant and not term.ndim
            tensors[term] = term.value if alone else Tensor(term.value, requires_grad=False)
        else:
            args = tuple([tensors[arg] for arg in term.args])
            tensors[term] = new_node(Tensor, drawable(term.op, len(args)), args, term.kwargs, term.value)
        if term in called and isinstance(tensors[term], Tensor):
            tensors[term].name = called[term].remark or called[term].text
    return together([tensors[out] for out in outputs], name)


def drawable(op: Op, arity: int) -> Op:
    """Return the operation with room for the rule of each operand, also if it has no rules, as a comparison."""
    return op if op.arity != 0 else Op(op.function, (None,) * arity, op.forward, op.kind, op.own_notation)


def together(tensors: list[Any], name: str) -> Tensor | None:
    """Return one node whose operands are several tensors; None if there are only numbers."""
    tensors = [x for x in tensors if isinstance(x, Tensor)]
    if len(tensors) < 2:
        return tensors[0] if tensors else None
    node: Tensor = new_node(
        Tensor, drawable(Op(_results, ()), len(tensors)), tuple(tensors), NO_OPTIONS, tensors[0].value
    )
    node.name = name
    return node


def _results(*values: Any) -> Any:
    return values
