"""The subject of a comparison: a recorded number, tensors, their gradients, and the effect of rounding on these."""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from autotiny.diagnosis.graph import with_value
from autotiny.engine import call_site, graph, messages
from autotiny.engine.gradients import seed, with_forms
from autotiny.engine.mutation import verified_order
from autotiny.engine.node import form_of, made_by
from autotiny.engine.recording import copied, evaluate_form, value_of
from autotiny.engine.tensor import Tensor
from autotiny.errors import AutotinyError, UnsupportedError
from autotiny.ops.outputs import Outputs
from autotiny.ops.table import conj

SAMPLES = 4
"""The number of copies of a graph in which every value is moved by a rounding."""


class UnknownTensorError(AutotinyError, LookupError):
    """A name or a tensor that the graph of the loss does not have."""


class Finder:
    """A lookup of the tensors that lead to a loss, by the caller's names."""

    def __init__(self, loss: Tensor) -> None:
        self.scope = call_site.caller_scope()
        self.names = graph.names(graph.topological_order(loss), self.scope)

    def find(self, key: Tensor | str) -> Tensor:
        """The tensor of a key; raises UnknownTensorError, or UnsupportedError for what has no gradient."""
        tensor = self._named(key) if isinstance(key, str) else key
        if not isinstance(tensor, Tensor):
            raise UnsupportedError(f"compare: expected a Tensor or its name as key; got {type(key).__name__}")
        if tensor not in self.names:
            label = messages.label(tensor, self.scope)
            raise UnknownTensorError(f"compare: {label} does not lead to the loss; was it computed anew since?")
        if not tensor.requires_grad:
            name = self.names[tensor]
            raise UnsupportedError(f"compare: {name} is data and has no gradient; make it with requires_grad=True")
        return tensor

    def _named(self, name: str) -> Any:
        for tensor, known in self.names.items():
            if known == name:
                return tensor
        variable = self.scope.get(name)
        if isinstance(variable, Tensor):
            return variable
        if isinstance(variable, np.ndarray):
            raise UnsupportedError(
                f"compare: {name} is a plain array, a constant; make it an at.Tensor for its gradient"
            )
        raise UnknownTensorError(f"compare: no tensor named {name!r} leads to the loss; {self._known(name)}")

    def _known(self, name: str) -> str:
        named = [known for tensor, known in self.names.items() if tensor.requires_grad and self._is_given(tensor)]
        close = difflib.get_close_matches(name, named, n=1)
        return f"it has {', '.join(named)}" + (f"; did you mean {close[0]}?" if close else "")

    def _is_given(self, tensor: Tensor) -> bool:
        return bool(tensor.name or call_site.variable_name(tensor, self.scope))


@dataclass(frozen=True, eq=False)
class Subject:
    """The sum of weights * output, and tensors of its graph by their names.

    `weights`, 1 for a number, stand in for the gradient that arrives at the output. `called` names the whole graph.
    """

    output: Tensor
    names: Mapping[Tensor, str]
    weights: Any = None
    called: Mapping[Tensor, str] | None = None

    @cached_property
    def seed(self) -> Any:
        """The gradient that arrives at the output, as a sweep takes it."""
        return seed(self.output, self.weights)

    def gradients(self) -> dict[Tensor, Any]:
        """Autograd's gradients; nobody's `.grad` is touched."""
        with np.errstate(all="ignore"):
            swept = with_forms(verified_order(self.output), {self.output: self.seed}, list(self.names))
        return {x: np.asarray(conj(swept[x])) if x in swept else np.zeros(x.shape, x.dtype) for x in self.names}

    @cached_property
    def names_of_all(self) -> Mapping[Tensor, str]:
        """Every tensor of the graph by its name."""
        return self.called or graph.names(
            graph.topological_order(self.output), {name: x for x, name in self.names.items()}
        )

    def moved_gradients(self) -> dict[Tensor, list[Any]]:
        """The same gradients after rounding errors."""
        return moved_gradients(self.output, list(self.names), self.seed)

    def tensor(self, name: str) -> Tensor:
        """The tensor of that name."""
        return next(x for x, known in self.names.items() if known == name)


# ----- conditioning -----
# How far rounding may move a gradient: every value of the graph is moved by part of its last place, several times. What
# the gradient of such a graph differs by from the recorded one is what a right formula, evaluated in another order, may
# differ by (D. Parker, "Monte Carlo arithmetic", 1997). Operations with kinks see the recorded values, so that nothing
# changes sides.


def moved_gradients(
    output: Tensor, tensors: Sequence[Tensor], seed: Any, samples: int = SAMPLES
) -> dict[Tensor, list[Any]]:
    """For each tensor, the gradients that it has in graphs whose every value is moved by up to one rounding."""
    order = graph.topological_order(output)
    moved: dict[Tensor, list[Any]] = {x: [] for x in tensors}
    for number in range(samples):
        copies = rounded_copy(order, np.random.default_rng(number))
        copy, reached = copies[output], [x for x in tensors if x in copies]
        with np.errstate(all="ignore"):
            gradients = with_forms(verified_order(copy), {copy: seed}, [copies[x] for x in reached])
        for x in tensors:
            moved[x].append(np.asarray(conj(gradients.get(copies.get(x, x), np.zeros_like(x.value)))))
    return moved


def rounded_copy(order: Sequence[Tensor], rng: np.random.Generator) -> dict[Tensor, Tensor]:
    """A copy of a graph whose values are moved by up to one rounding each."""
    copies: dict[Tensor, Tensor] = {}
    with np.errstate(all="ignore"):
        for node in order:
            copies[node] = _leaf(node, rng) if node.op is None else _result(node, copies, rng)
    return copies


def jitter(value: Any, rng: np.random.Generator) -> Any:
    """Floating-point values, each moved by up to one rounding; anything else as it is."""
    if isinstance(value, Outputs):
        return value.each(lambda part: jitter(part, rng))
    dtype = getattr(value, "dtype", None)
    if dtype is None or dtype.kind not in "fc":
        return value
    moved = value * (1 + np.finfo(dtype).eps * rng.uniform(-1, 1, np.shape(value)))
    return np.asarray(moved).astype(dtype)[()]


def _leaf(node: Tensor, rng: np.random.Generator) -> Tensor:
    return Tensor(jitter(node.value, rng), requires_grad=node.requires_grad)


def _result(node: Tensor, copies: Mapping[Tensor, Tensor], rng: np.random.Generator) -> Tensor:
    copy: Tensor = copied(node, lambda arg: copies[arg] if type(arg) is Tensor else jitter(arg, rng), node.value)
    value = evaluate_form(form_of(copy), copy.args, value_of)
    if not made_by(node).has("kinked"):
        copy._value = jitter(value, rng)
        return copy
    seen = copied(node, lambda arg: with_value(copies[arg], arg.value) if type(arg) is Tensor else arg, node.value)
    return with_value(seen, value)
