"""Node: a value, how it was made, and its gradient, without any way of computing with it."""

import itertools
from collections.abc import Mapping
from operator import attrgetter
from typing import Any

import numpy as np

from autotiny.engine import call_site, messages
from autotiny.engine.fingerprint import fingerprint
from autotiny.engine.modes import Mark
from autotiny.engine.values import brief, is_foreign, own, read_only
from autotiny.errors import ShapeError, UnsupportedError
from autotiny.notation.text import clean
from autotiny.ops import Op

LONGEST_NAME = 60
NO_OPTIONS: dict[str, Any] = {}
EXACT_BYTES = 2**20  # of a leaf's value a copy is kept: there are few, and each is handed out once a step
next_number = itertools.count().__next__


class Node:
    """A value in a graph: `op`, `args` and `kwargs` say how it was made, `grad` holds its gradient."""

    __slots__ = (
        "__weakref__",
        "_assigned",
        "_data",
        "_grad",
        "_notes",
        "_number",
        "_scope",
        "_shared",
        "args",
        "kwargs",
        "name",
        "op",
        "requires_grad",
    )

    _data: Any
    """The value; its array is never written to while the graph lives."""
    _grad: Any
    _notes: dict[Any, Any] | None
    """Rare facts: fingerprints of operands under their position, of this value, when it was first handed out, under
    "value", and the line that made it under "line"."""
    _number: int
    """Grows in the order of making."""
    _scope: tuple[Mark, ...]
    """The scopes that it was recorded in, from the outermost in; not set outside of any."""
    _assigned: int
    """When a leaf was last assigned, on the same clock."""
    _shared: bool
    """Whether somebody else holds the array of this leaf, and may write to it."""
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    name: str | None
    op: Op | None
    requires_grad: bool

    def __init__(self, data: Any, requires_grad: bool = True, name: str | None = None, dtype: Any = None) -> None:
        self._data = own(data, requires_grad, dtype)
        self._grad = self._notes = self.op = None
        self._number = self._assigned = next_number()
        self._shared = False
        self.args, self.kwargs = (), NO_OPTIONS
        self.name, self.requires_grad = name, requires_grad

    # ----- value and gradient -----
    @property
    def data(self) -> np.ndarray:
        """The value as an array. A leaf's may be written to or assigned before it is recorded; a result's may not."""
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
        held = self._data
        if value is not held:
            fresh = (
                value.copy()
                if type(value) is type(held) and value.dtype is held.dtype
                else own(value, self.requires_grad, held.dtype, "Tensor.data")
            )
            if fresh.shape != held.shape:
                raise ShapeError(
                    f"{self._label()}.data has shape {held.shape}, and {fresh.shape} was assigned; make a new Tensor"
                )
            self._data, self._shared, self._notes = fresh, False, None
        self._assigned = next_number()

    @property
    def grad(self) -> np.ndarray | None:
        """The gradient as an array, None before backward. A leaf's is its own; a result's is read-only."""
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
            value = own(value, self.requires_grad, self.dtype, "Tensor.grad")
            if value.shape != self.shape:
                raise ShapeError(f"{self._label()}.grad must have shape {self.shape}, and {value.shape} was assigned")
        self._grad = value

    @property
    def parents(self) -> tuple["Node", ...]:
        """The Tensors among the operands, in order, repeats kept."""
        return tuple(arg for arg in self.args if isinstance(arg, Node))

    value = property(attrgetter("_data"), doc="The recorded value, not to be written to.")
    number = property(attrgetter("_number"), doc="Its number in the order of recording.")
    shape = property(attrgetter("_data.shape"), doc="Lengths of the axes.")
    dtype = property(attrgetter("_data.dtype"), doc="NumPy's type of the entries.")
    ndim = property(attrgetter("_data.ndim"), doc="Number of axes.")
    size = property(attrgetter("_data.size"), doc="Number of entries.")

    # ----- out of the graph -----
    def item(self) -> Any:
        """The only entry, as a Python number."""
        return self._data.item()

    def tolist(self) -> Any:
        """The entries as nested lists of Python numbers."""
        return self._data.tolist()

    def __float__(self) -> float:
        """The only entry as a Python float, which has no gradient.

        float(t) is meant so; math.exp(t), np.float64(t) and a[i] = t are not, and raise UnsupportedError. Calls that do
        not show in the user's own line, such as map(math.exp, [t]), cannot be told from float(t).
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

    # ----- copies and words -----
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
        return f"Tensor({name}{brief(self._data)}, shape={self.shape}, {self.dtype}{made})"

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if spec else str(self)

    __str__ = __repr__

    def _require_float_is_meant(self) -> None:
        if call_site.stores_into_an_array():
            raise self._would_lose_its_gradient()
        function = call_site.computing_function()
        if getattr(function, "__module__", "") == "math":
            name = self._label()
            instead = f"np.{function.__name__}" if hasattr(np, function.__name__) else "functions of NumPy"
            raise UnsupportedError(
                f"math.{function.__name__} would lose the gradient of {name}, which is tracked: use {instead}, "
                f"or {name}.item() for the value alone"
            )
        if function is not None:
            raise self._would_lose_its_gradient()

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
    """The operation of a node that is no leaf."""
    assert node.op is not None
    return node.op
