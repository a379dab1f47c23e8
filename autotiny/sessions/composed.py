"""Losses that are recorded as operations without a name in the language: written as the calls that recorded them.

huber(Y, T)      binary_cross_entropy(Z, T)      cosine_similarity(a, b)
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from autotiny.engine.node import made_by
from autotiny.engine.tensor import Tensor


class Call(NamedTuple):
    """A call in the language, and the operations inside of it, which need no statement."""

    word: str
    operands: list[Any]
    options: Mapping[str, Any]
    inside: list[Tensor]


def call_of(node: Tensor) -> Call | None:
    """Return the call that recorded a node as its last operation; None where the node is written as it is.

    >>> import autotiny as at
    >>> loss = at.huber(at.Tensor([1.0, 5.0]), [0, 0], delta=2.0)
    >>> call_of(loss).word, call_of(loss).options
    ('huber', {'delta': 2.0})
    """
    if _is(node, "divide") and _is(total := node.args[0], "sum") and total.kwargs.get("axis") is None:
        terms = total.args[0]
        if isinstance(terms, Tensor) and terms.size == node.args[1]:
            return _mean(terms, total)
    if _is(node, "sum") and _is(products := node.args[0], "multiply"):
        return _sum_of_products(products)
    return None


def _mean(terms: Tensor, total: Tensor) -> Call | None:
    """Return the call that is a mean of entries."""
    if _is(terms, "huber_penalty") and _is(difference := terms.args[0], "subtract"):
        return Call("huber", list(difference.args), terms.kwargs, [total, terms, difference])
    if _is(terms, "logistic_loss"):
        logits, targets = terms.args
        checked = _is(targets, "probabilities")
        operands = [logits, targets.args[0] if checked else targets]
        return Call("binary_cross_entropy", operands, {}, [total, terms, *([targets] if checked else [])])
    return None


def _sum_of_products(products: Tensor) -> Call | None:
    """Return the call that is a sum of products of directions; one of data is a plain array already."""
    turned = list(_directions(products))
    if not turned:
        return None
    operands = [each.args[0] if _is(each, "direction") else each for each in products.args]
    return Call("cosine_similarity", operands, turned[0].kwargs, [products, *turned])


def _directions(products: Tensor) -> Iterator[Tensor]:
    return (each for each in products.args if _is(each, "direction"))


def _is(node: Any, name: str) -> bool:
    return isinstance(node, Tensor) and node.op is not None and made_by(node).name == name
