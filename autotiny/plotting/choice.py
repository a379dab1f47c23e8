"""The numbers to plot along, as a user gives them: a tensor, its name, or a tensor and the index of an entry."""

import operator
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from autotiny.engine import graph
from autotiny.engine.call_site import variable_name
from autotiny.engine.node import made_by
from autotiny.engine.tensor import Tensor
from autotiny.errors import UnsupportedError
from autotiny.notation.text import clean
from autotiny.ops import OPS, indexing
from autotiny.ops.table import is_complex
from autotiny.plotting.section import Entry

MOST_SUGGESTED = 8


class Choice:
    """What a user may choose from: the tensors of a graph by their names."""

    def __init__(self, output: Any, scope: Mapping[str, Any]) -> None:
        if not isinstance(output, Tensor):
            raise UnsupportedError(
                f"plot: expected a Tensor, such as a loss; got {type(output).__name__}, which has no graph: "
                "compute it from an at.Tensor"
            )
        self.order, self.scope = graph.topological_order(output), scope
        self.names = graph.names(self.order, scope)
        self.output = output
        called = self.names[output]
        own = output.name or variable_name(output, scope)
        self.label = called if own else "J"
        self._require_number()

    def _require_number(self) -> None:
        output, name = self.output, self.label
        if output.size != 1:
            raise UnsupportedError(
                f"plot: {name} has shape {output.shape}, and a plot needs a single number: take its sum or mean, such "
                f"as at.plot(np.sum({name}), ...), or one of its entries"
            )
        if is_complex(output):
            raise UnsupportedError(f"plot: {name} is complex: take np.real, np.imag or np.abs of it first")
        if not output.requires_grad:
            raise UnsupportedError(
                f"plot: {name} depends on no tracked Tensor, so that there is nothing to plot along: compute it from "
                "an at.Tensor, outside of at.no_grad()"
            )

    def entries(self, wanted: Sequence[Any]) -> list[Entry]:
        """Return one or two numbers: at.plot(J, x), (J, (W, (0, 1))), (J, a, b) or (J, (a, b))."""
        if len(wanted) == 1 and _is_pair_of_numbers(wanted[0]):
            wanted = wanted[0]
        if not wanted:
            raise UnsupportedError(
                f"plot: which number shall vary? Write at.plot({self.label}, x) with one of {self.known()}"
            )
        if len(wanted) > 2:
            raise UnsupportedError(f"plot: expected one number to vary, or two for a contour; got {len(wanted)}")
        entries = [self.entry(each) for each in wanted]
        if len(entries) == 2 and entries[0].name == entries[1].name:
            raise UnsupportedError(f"plot: a contour needs two different numbers; got {entries[0].name} twice")
        return entries

    def entry(self, wanted: Any) -> Entry:
        """Return the number that one argument stands for."""
        if isinstance(wanted, tuple | list):
            if len(wanted) != 2:
                raise UnsupportedError(
                    f"plot: expected a Tensor, or a Tensor and the index of an entry, (W, (0, 1)); got {wanted!r:.80}"
                )
            tensor = self.tensor(wanted[0])
            return self._entry(tensor, _index(tensor, wanted[1], self.names[tensor]))
        tensor = self.tensor(wanted)
        name = self.names[tensor]
        if tensor.size != 1:
            first = tuple(0 for _ in tensor.shape)
            raise UnsupportedError(
                f"plot: {name} has shape {tensor.shape}, and a plot goes along one number: choose an entry, "
                f"at.plot({self.label}, ({name}, {first if len(first) > 1 else 0}))"
            )
        return Entry(tensor, (0,) * tensor.ndim, name)

    def _entry(self, tensor: Tensor, index: tuple[int, ...]) -> Entry:
        return Entry(tensor, index, f"{self.names[tensor]}[{', '.join(map(str, index))}]")

    def tensor(self, wanted: Any) -> Tensor:
        """Return the tensor of the graph that is given, or has the name that is given."""
        if isinstance(wanted, str):
            named = {name: tensor for tensor, name in self.names.items()}
            if wanted not in named:
                raise UnsupportedError(f"plot: {self.label} is made of nothing named {wanted!r}, but of {self.known()}")
            wanted = named[wanted]
        if not isinstance(wanted, Tensor):
            raise UnsupportedError(
                f"plot: expected a Tensor that {self.label} is made of; got {type(wanted).__name__} "
                f"{clean(repr(wanted), 40)}; pass the variable itself: {self.known()}"
            )
        if wanted not in self.names:
            self._refuse_other(wanted)
        name = self.names[wanted]
        if wanted is self.output:
            raise UnsupportedError(f"plot: {name} along itself is a straight line; choose one of {self.known()}")
        if not wanted.requires_grad:
            raise UnsupportedError(
                f"plot: {name} is data, which has no gradient: make it with at.Tensor(...), without "
                f"requires_grad=False, and compute {self.label} again"
            )
        if is_complex(wanted):
            raise UnsupportedError(f"plot: {name} is complex, and an axis is real: record its real part as a Tensor")
        return wanted

    def _refuse_other(self, other: Tensor) -> None:
        name = other.name or variable_name(other, self.scope) or "this Tensor"
        if other.op is not None and made_by(other) is OPS[indexing.index] and other.args[0] in self.names:
            whole = self.names[other.args[0]]
            key = other.kwargs["key"]
            raise UnsupportedError(
                f"plot: {whole}[{clean(repr(key).strip('()'), 20)}] is a new Tensor, which {self.label} was not "
                f"computed from; write the entry as ({whole}, {clean(repr(key), 20)})"
            )
        raise UnsupportedError(f"plot: {self.label} does not depend on {name}; it is made of {self.known()}")

    def known(self) -> str:
        """The names of what can vary, leaves first."""
        usable = [t for t in self.order if t.requires_grad and t is not self.output and not is_complex(t)]
        usable.sort(key=lambda tensor: tensor.op is not None)
        named = [self.names[t] for t in usable if t.op is None or t.name or variable_name(t, self.scope)]
        return ", ".join(named[:MOST_SUGGESTED]) + (", …" if len(named) > MOST_SUGGESTED else "")


def _is_pair_of_numbers(wanted: Any) -> bool:
    """Whether one argument stands for two numbers, (a, b), rather than for an entry, (W, (0, 1))."""
    if not isinstance(wanted, tuple | list) or len(wanted) != 2:
        return False
    second = wanted[1]
    return isinstance(second, Tensor | str) or (
        isinstance(second, tuple | list) and bool(second) and isinstance(second[0], Tensor | str)
    )


def _index(tensor: Tensor, given: Any, name: str) -> tuple[int, ...]:
    """Return the index of an entry, counted from 0; raises UnsupportedError where there is none."""
    shaped = f"plot: {name} has shape {tensor.shape}"
    parts = given if isinstance(given, tuple | list) else (given,)
    example = ", ".join("0" * tensor.ndim)
    how = f"({name}, ({example}))" if tensor.ndim > 1 else f"({name}, 0)" if tensor.ndim else name
    try:
        index = tuple(operator.index(part) for part in parts)
    except TypeError:
        raise UnsupportedError(
            f"plot: the index of an entry is made of whole numbers, as in {how}; got {given!r:.60}"
        ) from None
    if len(index) != tensor.ndim:
        raise UnsupportedError(f"{shaped}: write an entry as {how}; got the index {given!r:.60}")
    try:
        np.empty(tensor.shape, bool)[index]
    except IndexError as error:
        raise UnsupportedError(f"{shaped}, and there is no entry {given!r:.60}: {error}") from None
    return tuple(i % n for i, n in zip(index, tensor.shape, strict=True))
