"""The evaluation of index notation: ∑_i r_i X_ij, s_i (δ_ij - s_j), x^{(i)} for an example.

Every letter has an axis of its own, in the order of the alphabet; axes without a letter come last. So everything is
entry by entry, and a sum over a letter is one over its axis.
"""

import ast
from collections.abc import Mapping, Sequence
from itertools import permutations
from typing import Any

import numpy as np

from autotiny.language.costs import entrywise, matmul
from autotiny.language.limits import Limits
from autotiny.language.paper.code import resolve
from autotiny.language.paper.evaluation import VISITS_ON_PAPER, Convention, PaperEvaluation
from autotiny.language.paper.nodes import Big, Indexed, Product

Value = Any


def letters_of(trees: Sequence[ast.expr]) -> str:
    """Return the letters of the indices in some trees, in the order of the alphabet."""
    nodes = [node for tree in trees for node in ast.walk(tree)]
    found = [node.indices for node in nodes if isinstance(node, Indexed)]
    return "".join(sorted(set("".join(found))))


class IndexEvaluation(PaperEvaluation):
    """The evaluation of a formula with indices."""

    def __init__(
        self,
        text: str,
        values: Mapping[str, Value],
        convention: Convention,
        shape: tuple[int, ...],
        letters: str,
        order: str,
        limits: Limits,
    ) -> None:
        super().__init__(text, values, convention, shape, limits)
        self.letters, self.order = letters, order

    def value(self, node: ast.expr) -> Value:
        """The value of an expression, with an axis for every letter."""
        if isinstance(node, Indexed):
            return self.spread(node)
        if isinstance(node, Big) and node.index[:1] in self.letters and node.index:
            return self.sum_over(node)
        if isinstance(node, Product):
            return self.factors(node)
        if isinstance(node, ast.Attribute) and node.attr == "T":
            self.rows.add(node)
            return self.value(node.value)
        visit = VISITS_ON_PAPER.get(type(node))
        return visit(self, node) if visit else super().value(node)

    def spread(self, node: Indexed) -> Value:
        """An array with its axes at those of its letters; the first ones have them, or by convention the last ones."""
        array = np.asarray(self.indexed(node) if node.id else self.delta(node))
        count = len(node.indices)
        if array.ndim < count or len(set(node.indices)) < count:
            self.fail(node, f"{node.id} has {array.ndim} axes, and {count} indices")
        if self.convention.last:
            array = np.moveaxis(array, range(array.ndim - count, array.ndim), range(count))
        order = np.argsort([self.letters.index(letter) for letter in node.indices])
        array = np.transpose(array, (*order, *range(count, array.ndim)))
        lengths = iter(array.shape[:count])
        shape = [next(lengths) if letter in node.indices else 1 for letter in self.letters]
        return array.reshape(*shape, *(array.shape[count:] or (1,)))

    def delta(self, node: Indexed) -> Value:
        """Kronecker's δ_ij in the size of the gradient."""
        if not self.shape:
            self.fail(node, "δ has indices, and the gradient is a single number")
        return np.eye(self.shape[-1])

    def sum_over(self, node: Big) -> Value:
        """∑_i, over the axes of its letters."""
        value = self.value(node.operand)
        letters = node.index.partition("=")[0].replace(",", "")
        axes = tuple(self.letters.index(letter) for letter in letters if letter in self.letters)
        resolve(node, "")
        options = {"axis": axes, "keepdims": True}
        return self.apply(node, self.function(node, node.name), [self.spread_number(value)], options)

    def spread_number(self, value: Value) -> Value:
        """A value with every axis."""
        missing = len(self.letters) + 1 - np.ndim(value)
        return np.reshape(value, (1,) * max(missing, 0) + np.shape(value))

    def factors(self, node: Product) -> Value:
        """A product entry by entry; x_iᵀ w is summed, and A x_i is the product with the matrix A."""
        a, b = self.value(node.left), self.value(node.right)
        if np.ndim(a) == 2 and not letters_of([node.left]) and np.shape(b)[-1:] == np.shape(a)[-1:] != (1,):
            resolve(node, "@")
            return self.spend(node, "product", lambda: matmul(b, a.T), lambda: np.matmul(b, a.T))
        resolve(node, "*")
        product = self.spend(node, "product", lambda: entrywise(a, b), lambda: self.entrywise(node, a, b))
        if node.right in self.rows:
            self.rows.add(node)
        elif node.left in self.rows:
            return np.sum(product, axis=-1, keepdims=True)
        return product

    def arranged(self, node: ast.expr) -> Value:
        """The value with its axes in the order of the gradient's."""
        value = self.spread_number(self.evaluate(node))
        free = [i for i, n in enumerate(value.shape) if n > 1]
        by_letter = sorted(free, key=lambda i: self.order.find(self.letters[i]) if i < len(self.letters) else 99)
        expected = [n for n in self.shape if n > 1]
        for order in dict.fromkeys([tuple(by_letter), *permutations(free)] if len(free) < 5 else [tuple(free)]):
            if [value.shape[i] for i in order] == expected:
                rest = [i for i in range(value.ndim) if i not in order]
                return np.transpose(value, (*order, *rest)).reshape(self.shape)
        return np.squeeze(value)
