"""Node: a value in a graph, how it was made, and its gradient. `Tensor` adds the arithmetic."""

import itertools
import math
import sys
from collections.abc import Mapping
from operator import attrgetter
from typing import Any

import numpy as np

from autotiny.engine import call_site, leaving, messages
from autotiny.engine.leaving import running
from autotiny.engine.libraries import introduce_to_einops, introduced
from autotiny.engine.modes import Mark, in_use, modes
from autotiny.engine.values import (
    DIFFERENTIABLE,
    fingerprint,
    is_foreign,
    private_copy,
    read_only,
    require_numeric,
)
from autotiny.errors import ShapeError, UnsupportedError
from autotiny.ops import Op
from autotiny.ops.stable_forms import Match
from autotiny.ops.table import library, require_real_place

LONGEST_NAME = 60
NO_OPTIONS: dict[str, Any] = {}
EXACT_BYTES = 2**20  # a leaf's value is compared with a copy: leaves are few, and read once a step
ENDED = math.inf
next_number = itertools.count().__next__
modules = sys.modules


def not_assignable(attribute: str, mend: str) -> Any:
    """Return the setter of an attribute that cannot be set."""

    def setter(self: "Node", value: Any) -> None:
        name = self._label()
        raise UnsupportedError(f"{name}.{attribute} cannot be assigned: use {name}.{mend}, which is recorded")

    return setter


class Node:
    """A value in a graph, with the operation that made it (`op`, `args` and `kwargs`) and its gradient (`grad`)."""

    __slots__ = (
        "__weakref__",
        "_argument",
        "_assigned",
        "_grad",
        "_notes",
        "_number",
        "_scope",
        "_shared",
        "_stable",
        "_tracked",
        "_value",
        "args",
        "kwargs",
        "name",
        "op",
    )

    _value: Any
    """The value. The engine never writes to its array while the graph lives."""
    _grad: Any
    _notes: dict[Any, Any] | None
    """Rarely needed data: the fingerprints of operands by their position; under "value", the fingerprint of this value
    when a user first received it; under "line", the line that made it; under "gradient", the value that it is the
    gradient of, and the sweep."""
    _number: int
    """The position in the order in which nodes are made."""
    _scope: tuple[Mark, ...]
    """The scopes that the node was recorded in, outermost first; unset outside of any."""
    _assigned: float
    """When a leaf's data was last assigned, as a number in that order; ENDED once the call that it is for has ended."""
    _argument: bool
    """Whether a leaf stands for an argument while a user's function runs, rather than being the user's own."""
    _tracked: bool
    """What `requires_grad` returns; read without the cost of a property."""
    _shared: bool
    """Whether code outside the engine has the array of this leaf and may write to it."""
    _stable: Match | None
    """The stable form of the expression that this is the result of: it gives the value and the gradient."""
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    name: str | None
    op: Op | None

    def __init__(self, data: Any, requires_grad: bool = True, name: str | None = None, dtype: Any = None) -> None:
        if type(requires_grad) is not bool or not (name is None or isinstance(name, str)):
            _require_leaf_options(requires_grad, name)
        self._value = private_copy(data, requires_grad, dtype)
        self._grad = self._notes = self._stable = self.op = None
        self._number = self._assigned = next_number()
        self._shared = self._argument = False
        self.args, self.kwargs = (), NO_OPTIONS
        self.name, self._tracked = name, requires_grad
        if "einops" in modules and not introduced:
            introduce_to_einops()

    # ----- value and gradient -----
    @property
    def data(self) -> np.ndarray:
        """The value as an array. That of a leaf may be changed before it is recorded; that of a result is read-only."""
        if (running or in_use) and self._tracked and (running or (self.op is not None and modes.debugging)):
            leaving.note(self, sys._getframe(1))
        value = self._value
        if self.op is None and not self._argument:
            if not self._shared:
                if type(value) is not np.ndarray:
                    if library(value) is not None:
                        return value
                    self._value = value = np.asarray(value)
                self._notes, self._shared = {"value": fingerprint(value, EXACT_BYTES)}, True
            return value
        if library(value) is not None:
            return value
        if self._notes is None or "value" not in self._notes:
            self._notes = {**(self._notes or {}), "value": fingerprint(value)}
        return read_only(value)

    @data.setter
    def data(self, value: Any) -> None:
        if self.op is not None or self._argument:
            raise UnsupportedError(f"{self._label()} is {self._made()}: only the data of a leaf can be assigned")
        current = self._value
        if value is not current:
            fresh = (
                value.copy()
                if type(value) is type(current) and value.dtype is current.dtype
                else private_copy(value, self._tracked, current.dtype, "Tensor.data")
            )
            if fresh.shape != current.shape:
                raise self._misshapen(fresh)
            self._value, self._shared, self._notes = fresh, False, None
        self._assigned = next_number()

    def _misshapen(self, fresh: Any) -> ShapeError:
        return ShapeError(
            f"{self._label()}.data has shape {self.shape}, and a value of shape {fresh.shape} was assigned; "
            "make a new Tensor"
        )

    def update(self, fresh: Any) -> None:
        """Take a computed value as that of this leaf; an array that was handed out as `.data` remains its own."""
        current = self._value
        if fresh.dtype is not current.dtype:
            require_numeric(fresh.dtype, "Tensor.data")
            require_real_place(fresh.dtype, current.dtype, self._label())
            fresh = fresh.astype(current.dtype)
        if fresh.shape != current.shape:
            raise self._misshapen(fresh)
        if self._shared:
            current[...] = fresh
        else:
            self._value = fresh
        self._assigned = next_number()

    @property
    def requires_grad(self) -> bool:
        """Whether gradients are wanted. It may be changed on a leaf; a result has one if an operand has."""
        return self._tracked

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        if value is not True and value is not False:
            raise UnsupportedError(f"{self._label()}.requires_grad: expected True or False, got {value!r}")
        if self.op is not None or self._argument:
            if not value:
                name = self._label()
                raise UnsupportedError(f"{name} is {self._made()}: to let no gradient pass, use {name}.detach()")
        elif value and self.dtype.kind not in DIFFERENTIABLE:
            self._value, self._shared, self._notes = self._value.astype(float), False, None
            self._assigned = next_number()
        self._tracked = value

    @property
    def grad(self) -> np.ndarray | None:
        """The gradient as an array, None before backward. That of a leaf is its own, that of a result read-only."""
        if running and self._tracked:
            leaving.note(self, sys._getframe(1))
        g = self._grad
        if self.op is None and type(g) is np.ndarray:
            return g
        if g is None or is_foreign(g):
            return g
        if self.op is not None:
            return read_only(g)
        self._grad = g = np.asarray(g)
        return g

    @grad.setter
    def grad(self, value: Any) -> None:
        if value is not None and value is not self._grad:
            value = private_copy(value, self._tracked, self.dtype, "Tensor.grad")
            if value.shape != self.shape:
                raise ShapeError(
                    f"{self._label()}.grad must have shape {self.shape}; a value of shape {value.shape} was assigned"
                )
        self._grad = value

    @property
    def parents(self) -> tuple["Node", ...]:
        """The Tensors among the operands, in order, with repetitions."""
        return tuple(arg for arg in self.args if isinstance(arg, Node))

    @property
    def value(self) -> Any:
        """The recorded value, which must not be modified."""
        if running and self._tracked:
            leaving.note(self, sys._getframe(1))
        return self._value

    number = property(attrgetter("_number"), doc="The number of the node in the order of recording.")
    shape = property(attrgetter("_value.shape"), not_assignable("shape", "reshape()"), doc="Lengths of the axes.")
    dtype = property(attrgetter("_value.dtype"), not_assignable("dtype", "astype()"), doc="Type of the entries.")
    ndim = property(attrgetter("_value.ndim"), not_assignable("ndim", "reshape()"), doc="Number of axes.")
    size = property(attrgetter("_value.size"), not_assignable("size", "reshape()"), doc="Number of entries.")
    nbytes = property(attrgetter("_value.nbytes"), not_assignable("nbytes", "astype()"), doc="Bytes of all entries.")
    itemsize = property(attrgetter("_value.itemsize"), not_assignable("itemsize", "astype()"), doc="Bytes of an entry.")
    strides = property(
        attrgetter("_value.strides"),
        not_assignable("strides", "reshape()"),
        doc="Bytes from an entry to the next along each axis.",
    )
    flags = property(
        lambda self: read_only(self._value).flags,
        not_assignable("flags", "reshape()"),
        doc="How the entries lie in memory.",
    )
    device = property(lambda self: "cpu", not_assignable("device", "at.Tensor()"), doc="Where the entries lie: 'cpu'.")

    # ----- values without a gradient -----
    def item(self, *place: Any) -> Any:
        """Return the only entry, or the one at a place, as a Python number, which has no gradient."""
        if self._tracked:
            leaving.take(self, ".item()")
        return self._value.item(*place) if place else self._only_entry()

    def tolist(self) -> Any:
        """Return the entries as nested lists of Python numbers, which have no gradient."""
        if self._tracked:
            leaving.take(self, ".tolist()")
        return self._value.tolist()

    def __float__(self) -> float:
        """Return the only entry as a Python float, which has no gradient; a complex one has no float.

        float(t), "%.3f" % t and list(map(float, losses)) leave the graph on purpose. Whatever else asks for a float
        raises UnsupportedError: math.exp(t), however it is called, np.float64(t), a[i] = t, a library.
        """
        if self._tracked:
            leaving.take_float(self)
        return float(self._only_real_entry("float"))

    def __complex__(self) -> complex:
        """Return the only entry as a complex number of Python, which has no gradient."""
        if self._tracked:
            leaving.take_float(self)
        return complex(self._only_entry())

    def __int__(self) -> int:
        return int(self._only_real_entry("int"))

    def _only_real_entry(self, conversion: str) -> Any:
        if self.dtype.kind == "c":
            raise UnsupportedError(
                f"{conversion} of {self._label()} would lose its imaginary part: take np.real, np.imag or np.abs of it"
            )
        return self._only_entry()

    def _only_entry(self) -> Any:
        if self.size != 1:
            raise ShapeError(f"{self._label()} has {self.size} entries, not one: index it, or use .tolist() or .data")
        return self._value.item()

    def __bool__(self) -> bool:
        if self.size != 1:
            raise ShapeError(
                f"{self._label()} has {self.size} entries, so it is neither true nor false: use .any() or .all()"
            )
        return bool(self._value.item())

    def __len__(self) -> int:
        if self.ndim == 0:
            raise UnsupportedError(f"{self._label()} is a single number: it has no length")
        return len(self._value)

    # ----- copying and printing -----
    def __reduce__(self) -> Any:
        if self.op is not None or self._argument:
            made = f"the result of {self.op.name}" if self.op else "an argument of a function that is differentiated"
            raise UnsupportedError(f"{self.name or 'this'} is {made}: only leaves can be pickled; detach() it")
        return _rebuild, (type(self), np.array(self._value), self.requires_grad, self.name, self._grad)

    def __repr__(self) -> str:
        from autotiny.notation.text import clean  # training prints no tensor

        name = f"{clean(self.name, LONGEST_NAME)}: " if self.name else ""
        made = f", {self.op.name}" if self.op else "" if self.requires_grad else ", constant"
        return f"Tensor({name}{_few_entries(self._value)}, shape={self.shape}, {self.dtype}{made})"

    def _repr_html_(self) -> str | None:
        """Tables of the value and the gradient, for a notebook; None for what is no array of NumPy's."""
        if not isinstance(self._value, np.ndarray | np.generic):
            return None
        from autotiny.notation.array_html import array_table, heading

        name, made = self.name or "Tensor", "" if self.op is None else f"result of {self.op.name}"
        kind = made or ("variable" if self.requires_grad else "constant")
        parts = [heading(name, kind, self.shape, self.dtype), array_table(self._value, "value")]
        if self._grad is not None:
            parts.append(array_table(self._grad, "gradient"))
        return "".join(parts)

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if spec else str(self)

    __str__ = __repr__

    def _made(self) -> str:
        return f"the result of {self.op.name}" if self.op else "an argument of a function that is differentiated"

    def _label(self) -> str:
        return messages.label(self, call_site.caller_scope())


def _require_leaf_options(requires_grad: Any, name: Any) -> None:
    if not isinstance(requires_grad, bool | np.bool):
        raise UnsupportedError(f"Tensor: requires_grad must be True or False, got {requires_grad!r}")
    if not (name is None or isinstance(name, str)):
        raise UnsupportedError(f"Tensor: name must be text, got {name!r}")


def _few_entries(value: Any) -> str:
    """Return the first entries of a value; of an array of another library, which may be far away, its type."""
    if library(value) is not None:
        return f"{type(value).__module__}.{type(value).__name__}"
    from autotiny.notation.numbers import few_entries

    return few_entries(value)


def _rebuild(kind: type[Node], data: Any, requires_grad: bool, name: str | None, grad: Any) -> Node:
    node = kind(data, requires_grad, name)
    node.grad = grad
    return node


def form_of(node: Node) -> Any:
    """Return what has the operation and operands by which a result is computed: its stable form, or the node itself."""
    return node if node._stable is None else node._stable


def made_by(node: Node) -> Op:
    """Return the operation that made a node, which is not a leaf."""
    assert node.op is not None
    return node.op
