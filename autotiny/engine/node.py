"""Node: a value in a graph, how it was made, and its gradient. `Tensor` adds the arithmetic."""

import itertools
from collections.abc import Mapping
from operator import attrgetter
from typing import Any

import numpy as np

from autotiny.engine import call_site, messages
from autotiny.engine.modes import Mark
from autotiny.engine.values import fingerprint, is_foreign, private_copy, read_only
from autotiny.errors import ShapeError, UnsupportedError
from autotiny.notation.numbers import few_entries
from autotiny.notation.text import clean
from autotiny.ops import Op
from autotiny.ops.stable_forms import Match

LONGEST_NAME = 60
NO_OPTIONS: dict[str, Any] = {}
EXACT_BYTES = 2**20  # a leaf's value is compared with a copy: leaves are few, and read once a step
next_number = itertools.count().__next__


class Node:
    """A value in a graph, with the operation that made it (`op`, `args` and `kwargs`) and its gradient (`grad`)."""

    __slots__ = (
        "__weakref__",
        "_assigned",
        "_data",
        "_grad",
        "_notes",
        "_number",
        "_scope",
        "_shared",
        "_stable",
        "args",
        "kwargs",
        "name",
        "op",
        "requires_grad",
    )

    _data: Any
    """The value. The engine never writes to its array while the graph lives."""
    _grad: Any
    _notes: dict[Any, Any] | None
    """Rarely needed data: the fingerprints of operands by their position; under "value", the fingerprint of this value
    when a user first received it; under "line", the line that made it."""
    _number: int
    """The position in the order in which nodes are made."""
    _scope: tuple[Mark, ...]
    """The scopes that the node was recorded in, outermost first; unset outside of any."""
    _assigned: int
    """When a leaf's data was last assigned, as a number in that order."""
    _shared: bool
    """Whether code outside the engine has the array of this leaf and may write to it."""
    _stable: Match | None
    """The stable form of the expression that this is the result of: it gives the value and the gradient."""
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    name: str | None
    op: Op | None
    requires_grad: bool

    def __init__(self, data: Any, requires_grad: bool = True, name: str | None = None, dtype: Any = None) -> None:
        self._data = private_copy(data, requires_grad, dtype)
        self._grad = self._notes = self._stable = self.op = None
        self._number = self._assigned = next_number()
        self._shared = False
        self.args, self.kwargs = (), NO_OPTIONS
        self.name, self.requires_grad = name, requires_grad

    # ----- value and gradient -----
    @property
    def data(self) -> np.ndarray:
        """The value as an array. That of a leaf may be changed before it is recorded; that of a result is read-only."""
        if self.op is not None:
            if self._notes is None or "value" not in self._notes:
                self._notes = {**(self._notes or {}), "value": fingerprint(self._data)}
            return read_only(self._data)
        if not self._shared:
            self._shared, self._notes = True, {"value": fingerprint(self._data, EXACT_BYTES)}
            if type(self._data) is not np.ndarray:
                self._data = np.asarray(self._data)
        return self._data

    @data.setter
    def data(self, value: Any) -> None:
        if self.op is not None:
            raise UnsupportedError(
                f"{self._label()} is the result of {self.op.name}: only a leaf's data can be assigned"
            )
        current = self._data
        if value is not current:
            fresh = (
                value.copy()
                if type(value) is type(current) and value.dtype is current.dtype
                else private_copy(value, self.requires_grad, current.dtype, "Tensor.data")
            )
            if fresh.shape != current.shape:
                raise ShapeError(
                    f"{self._label()}.data has shape {current.shape}, and a value of shape {fresh.shape} was assigned; "
                    "make a new Tensor"
                )
            self._data, self._shared, self._notes = fresh, False, None
        self._assigned = next_number()

    @property
    def grad(self) -> np.ndarray | None:
        """The gradient as an array, None before backward. That of a leaf is its own, that of a result read-only."""
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
            value = private_copy(value, self.requires_grad, self.dtype, "Tensor.grad")
            if value.shape != self.shape:
                raise ShapeError(
                    f"{self._label()}.grad must have shape {self.shape}; a value of shape {value.shape} was assigned"
                )
        self._grad = value

    @property
    def parents(self) -> tuple["Node", ...]:
        """The Tensors among the operands, in order, with repetitions."""
        return tuple(arg for arg in self.args if isinstance(arg, Node))

    value = property(attrgetter("_data"), doc="The recorded value, which must not be modified.")
    number = property(attrgetter("_number"), doc="The number of the node in the order of recording.")
    shape = property(attrgetter("_data.shape"), doc="Lengths of the axes.")
    dtype = property(attrgetter("_data.dtype"), doc="NumPy's type of the entries.")
    ndim = property(attrgetter("_data.ndim"), doc="Number of axes.")
    size = property(attrgetter("_data.size"), doc="Number of entries.")

    # ----- values without a gradient -----
    def item(self) -> Any:
        """Return the only entry as a Python number."""
        return self._data.item()

    def tolist(self) -> Any:
        """Return the entries as nested lists of Python numbers."""
        return self._data.tolist()

    def __float__(self) -> float:
        """Return the only entry as a Python float, which has no gradient.

        float(t) leaves the graph on purpose; math.exp(t), np.float64(t) and a[i] = t raise UnsupportedError. A call
        that is not visible in the user's own line, such as map(math.exp, [t]), counts as float(t). Where Python has no
        source of that line, the names in its code decide; see call_site.taker_of_a_float.
        """
        if self.requires_grad:
            self._require_float_is_meant()
        return float(self._data.item())

    def __int__(self) -> int:
        return int(self._data.item())

    def __bool__(self) -> bool:
        if self.size != 1:
            raise ShapeError(
                f"{self._label()} has {self.size} entries, so it is neither true nor false: use .any() or .all()"
            )
        return bool(self._data.item())

    def __len__(self) -> int:
        if self.ndim == 0:
            raise UnsupportedError(f"{self._label()} is a single number: it has no length")
        return len(self._data)

    # ----- copying and printing -----
    def __reduce__(self) -> Any:
        if self.op is not None:
            raise UnsupportedError(
                f"{self.name or 'this'} is the result of {self.op.name}: "
                "only leaves can be copied or pickled; detach() it"
            )
        return _rebuild, (type(self), np.array(self._data), self.requires_grad, self.name, self._grad)

    def __repr__(self) -> str:
        name = f"{clean(self.name, LONGEST_NAME)}: " if self.name else ""
        made = f", {self.op.name}" if self.op else "" if self.requires_grad else ", constant"
        return f"Tensor({name}{few_entries(self._data)}, shape={self.shape}, {self.dtype}{made})"

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if spec else str(self)

    __str__ = __repr__

    def _require_float_is_meant(self) -> None:
        taker = call_site.taker_of_a_float()
        if taker is None:
            return
        if taker.__module__ != "math":
            raise self._would_lose_its_gradient()
        name = self._label()
        instead = f"np.{taker.__name__}" if hasattr(np, taker.__name__) else "functions of NumPy"
        raise UnsupportedError(
            f"math.{taker.__name__} would lose the gradient of {name}, which is tracked: use {instead}, "
            f"or {name}.item() for the value alone"
        )

    def _would_lose_its_gradient(self) -> UnsupportedError:
        name = self._label()
        return UnsupportedError(
            f"{name} is tracked, and turning it into a plain array would lose its gradient: use {name}.data for the "
            "value, np.stack for a list of Tensors, np.where in place of an assignment into an array"
        )

    def _label(self) -> str:
        return messages.label(self, call_site.caller_scope())


def _rebuild(kind: type[Node], data: Any, requires_grad: bool, name: str | None, grad: Any) -> Node:
    node = kind(data, requires_grad, name)
    node.grad = grad
    return node


def made_by(node: Node) -> Op:
    """Return the operation that made a node, which is not a leaf."""
    assert node.op is not None
    return node.op
