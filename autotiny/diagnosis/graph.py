"""The context of a recorded graph, by which the mistakes in a closed form are recognised."""

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

import numpy as np

from autotiny.diagnosis.context import Context
from autotiny.diagnosis.examples import Axes
from autotiny.diagnosis.factors import likely_cause
from autotiny.diagnosis.formula import stop_condition
from autotiny.diagnosis.hypotheses import Subject
from autotiny.diagnosis.labels import NO_SCOPE, Labels
from autotiny.diagnosis.mistakes import or_else
from autotiny.diagnosis.search import Effect, Search, all_effects
from autotiny.diagnosis.slips import SlipSweep
from autotiny.diagnosis.values import Array, same
from autotiny.engine.graph import leading_to, topological_order
from autotiny.engine.node import NO_OPTIONS, Node, form_of, made_by
from autotiny.engine.recording import evaluate, new_node, value_of
from autotiny.engine.tensor import Tensor
from autotiny.notation.numbers import short_number
from autotiny.ops import OPS
from autotiny.ops.table import is_complex

# ----- modified copies of graphs -----


def with_value(node: Tensor, value: Any) -> Tensor:
    """Return a node with another value, through which gradients pass to the original node unchanged."""
    if not node.requires_grad:
        return Tensor(value, requires_grad=False)
    return new_node(Tensor, OPS[np.positive], (node,), NO_OPTIONS, value)


def alone(node: Tensor) -> tuple[Tensor, dict[int, Tensor]]:
    """Return the operation on leaves with its operands' values, and the tracked leaves by position."""
    op, args, kwargs = form_of(node).op, form_of(node).args, form_of(node).kwargs
    leaves = tuple(Tensor(arg.value, requires_grad=arg.requires_grad) if isinstance(arg, Node) else arg for arg in args)
    copy = new_node(Tensor, op, leaves, kwargs, evaluate(op, leaves, kwargs, value_of))
    return copy, {i: leaf for i, leaf in enumerate(leaves) if isinstance(leaf, Tensor) and leaf.requires_grad}


NUMBERS = (int, float, np.float64, np.int64)
MOST_ALIKE = 24
"""The largest number of tensors of one shape that are tried in place of one another."""


class GraphContext(Context):
    """The context of the gradient of `output` by x, with the gradient `seed` arriving at the output."""

    def __init__(
        self, output: Tensor, seed: Any, x: Tensor, names: Mapping[Tensor, str], scope: Mapping[str, Any] = NO_SCOPE
    ) -> None:
        self.output, self.seed, self.x = output, seed, x
        self.order = topological_order(output)
        self.labels = Labels(names, scope)

    # ----- factors -----
    @cached_property
    def _axes(self) -> Axes:
        return Axes(self.order)

    @cached_property
    def examples(self) -> dict[int, str]:
        """The numbers of examples, with their names."""
        lengths = set(self._axes.of_examples.values())
        if not lengths:  # the data are parameters, too: what the loss divides by
            loss = self._numbers_of([node for node in self._products if node.ndim == 0])
            scales = [*loss, *(1 / scale for scale in loss)]
            known = {n for x in self.order for n in x.shape if n > 1}
            lengths = {n for n in known if any(abs(n - k) < 1e-9 * n for k in scales)}
        return {n: self._name_of_count(n) for n in sorted(lengths) if n > 2}

    def _name_of_count(self, n: int) -> str:
        """Return m, with the user's name for it if that is another one."""
        leaves = [self.labels.names[x] for x in self.order if x.op is None and x.size == 1 and x.value == n and x.name]
        scope = self.labels.scope.items()
        names = leaves or [name for name, value in scope if type(value) is int and value == n and name[:1] != "_"]
        return f"m (m = {names[0]})" if len(names) == 1 and names[0] not in ("m", "M") else "m"

    @cached_property
    def _scales(self) -> set[float]:
        """The numbers that the graph multiplies or divides by."""
        return self._numbers_of(self._products)

    @cached_property
    def _products(self) -> list[Tensor]:
        return [node for node in self.order if node.op is not None and made_by(node).name in ("multiply", "divide")]

    @staticmethod
    def _numbers_of(products: list[Tensor]) -> set[float]:
        numbers = [arg for node in products for arg in node.args if np.ndim(arg) == 0 and not is_complex(arg)]
        fixed = [abs(float(value_of(k))) for k in numbers if not (isinstance(k, Tensor) and k.requires_grad)]
        return {k for k in fixed if k and np.isfinite(k)}

    def counts(self) -> dict[int, str]:
        """Return the numbers of examples that the loss divides by, with their names."""
        return {n: name for n, name in self.examples.items() if self._divides_by(n)}

    def sums(self) -> dict[int, str]:
        """Return the numbers of examples that the loss sums over and does not divide by, with their names."""
        return {n: name for n, name in self.examples.items() if not self._divides_by(n)}

    def _divides_by(self, n: int) -> bool:
        """Whether a number of the graph is n, perhaps times 2, another length, or a variable."""
        lengths = {float(k) for x in self.order for k in np.shape(x.value)}
        numbers = [abs(float(v)) for v in self.labels.scope.values() if type(v) in NUMBERS and v not in (0, n)]
        parts = [1.0, *lengths, *(p for k in numbers if np.isfinite(k) for p in (k, 1 / k))]
        simple = np.array([n * part * two for part in parts for two in (1.0, 2.0, 0.5)])
        large = simple[np.abs(np.log(simple)) > 1]  # 2 and 1/2 are no number of examples
        return any(bool(np.any(np.abs(k / large - 1) < 1e-9)) for s in self._scales for k in (s, 1 / s))

    def entries(self) -> set[int]:
        """Return the numbers of entries that the graph sums over."""
        sums = [node for node in self.order if node.op is not None and made_by(node).name == "sum"]
        return {np.size(value_of(node.args[0])) // max(node.size, 1) for node in sums}

    def lengths(self) -> set[int]:
        """Return the lengths of axes that count no examples."""
        return {n for x in self.order for n in np.shape(x.value) if n > 1} - set(self.examples)

    def has_two(self) -> bool:
        """Whether the graph has a square, a product of a tensor with itself, or a number that is 2 or 2 m."""
        for node in self.order:
            name = "" if node.op is None else made_by(node).name
            squared = name == "power" and np.ndim(node.args[1]) == 0 and value_of(node.args[1]) == 2
            if squared or name == "square" or (name in ("multiply", "matmul") and node.args[0] is node.args[1]):
                return True
        twos = [2 * n for n in (1, *self.examples)]
        return any(abs(k - two) < 1e-9 * two for scale in self._scales for k in (scale, 1 / scale) for two in twos)

    def scales(self) -> set[float]:
        """Return the numbers that the graph multiplies or divides by."""
        return self._scales

    def numbers(self) -> dict[str, float]:
        """Return the leaves that are numbers, and the variables that the numbers of the graph are made of, by name."""
        leaves = [x for x in self.order if x.op is None and x.size == 1 and x is not self.x and not is_complex(x)]
        known = {self.labels.name(x): float(x.item()) for x in leaves}
        for name, value in self.labels.scope.items():
            if type(value) in NUMBERS and name[:1] != "_" and self._is_used(float(value)):
                known.setdefault(name, float(value))
        return known

    def _is_used(self, value: float) -> bool:
        if not np.isfinite(value) or abs(value) in (0.0, 1.0, 2.0, 0.5):
            return False
        parts = [1.0, 2.0, 0.5, *self.examples, *(1 / n for n in self.examples)]
        made = [abs(value) ** p * a * b for p in (1, -1) for a in parts for b in (1.0, 2.0, 0.5)]
        return any(abs(k / other - 1) < 1e-9 for k in self._scales for other in made)

    def averaged(self, ratio: float) -> str:
        """Return, after a comma, the sum of which a factor makes a mean, that over the axes x is repeated along."""
        for node in self.order:
            uses_x = node.op is not None and any(arg is self.x for arg in node.args)
            n = node.size // max(self.x.size, 1) if uses_x and made_by(node).has("elementwise") else 1
            if n > 1 and abs(ratio * n - 1) < 1e-6:
                return f", a mean over {n} entries in place of the sum"
        return ""

    # ----- slips -----
    def explanations(self, stated: Array, right: Array) -> Iterator[str]:
        """Yield the slips that explain a gradient, the simplest ones, in a sentence."""
        with np.errstate(all="ignore"):
            if self._subject is None or not same(self._subject.sweep.gradient({}), right):
                return
            search = Search(self._subject, self._effects, stated, right, lambda k: likely_cause(k, self))
            simplest = next(filter(None, search.sentences()), [])
            if simplest:
                yield or_else(simplest)

    @cached_property
    def _subject(self) -> Subject | None:
        """What slips are made in; None if x is the output itself, or a rule does not run by itself."""
        try:
            sweep = SlipSweep(self.output, self.seed, self.x)
            written = sweep.gradient({})
        except Exception:  # a rule of several outputs, or of a user's, that does not run by itself
            return None
        if not (sweep.edges and np.all(np.isfinite(written))):
            return None
        return Subject(sweep, self.labels, self._alike(), self._axes.example_axes, self.number_text)

    def number_text(self, value: float) -> str:
        """Return a positive number by a name times 1, 2 or 1/2, perhaps divided by the number of examples: lam / m."""
        counts = [("", 1.0), *((" / m", float(n)) for n in self.examples)]
        names = [(name, v) for name, v in self.named_numbers() if v not in self.examples]
        for name, number in names:
            for times, two in (("", 1.0), ("2 ", 2.0), ("1/2 ", 0.5)):
                for divided, n in counts:
                    if abs(two * number / n / value - 1) < 1e-9:
                        return f"{times}{name}{divided}"
        return short_number(value, 6)

    def named_numbers(self) -> list[tuple[str, float]]:
        """Return the variables that are positive numbers, other than 1, 2 and such, by name."""
        scope = [(n, float(v)) for n, v in self.labels.scope.items() if type(v) in NUMBERS and n[:1] != "_"]
        return [(name, v) for name, v in scope if np.isfinite(v) and v > 0 and v not in (1.0, 2.0, 0.5)]

    @cached_property
    def _effects(self) -> list[Effect]:
        assert self._subject is not None
        return all_effects(self._subject)

    def _alike(self) -> dict[tuple[int, ...], list[Any]]:
        alike: dict[tuple[int, ...], list[Any]] = {}
        seen: set[int] = set()
        values = [each for node in self.order for each in (*node.args, node)]
        for each in sorted(values, key=lambda each: not self.labels.is_named(each)):
            value = value_of(each)
            if np.ndim(value) and id(each) not in seen and np.asarray(value).dtype.kind in "fc":
                seen.add(id(each))
                group = alike.setdefault(np.shape(value), [])
                if len(group) < MOST_ALIKE:
                    group.append(each)
        return alike

    # ----- masks -----
    def conditions(self) -> Iterator[tuple[str, Array]]:
        """Yield the conditions under which the activations between x and the output stop the gradient."""
        dependent = leading_to(self.order, [self.x])
        for node in self.order:
            if node in dependent and node is not self.x and node.op is not None and node.op.has("activation"):
                position = next(i for i, arg in enumerate(node.args) if isinstance(arg, Tensor) and arg.requires_grad)
                derivative = self.labels.derivative(node, position)
                stop = None if derivative is None else stop_condition(derivative)
                if stop is not None:
                    yield stop
