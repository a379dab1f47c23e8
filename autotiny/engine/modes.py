"""Modes of recording, set in one thread for the length of a `with`: no_grad, debug, scope and tracing."""

import math
import threading
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Any, ClassVar, Protocol

from autotiny.errors import UnsupportedError
from autotiny.ops import Op


class Mark:
    """One entry into a scope. The operations recorded before its exit form a group in pictures.

    A mark may also be put on a result afterwards, which costs the recording nothing: then every operand of the result
    that was recorded after the number `since` belongs to it too.
    """

    __slots__ = ("name", "since")

    def __init__(self, name: str, since: float = math.inf) -> None:
        self.name, self.since = name, since


class Tracer(Protocol):
    """The interface of `modes.tracing`: it computes and records the operations, and is notified of each sweep.

    A tracer that inherits from this needs `__call__` alone.
    """

    guards: bool = False
    """Whether every sweep is to look at the selection, whether these values need it or not."""

    def __call__(self, op: Op, values: Iterable[Any], options: Mapping[str, Any]) -> Any:
        """Return the result of the operation, in place of its forward function."""
        ...

    def note_callers(self) -> None:
        """Note the running functions, called before an operation is applied to formulas."""

    def require_guard(self) -> None:
        """Note that a sweep is about to look at the selection; raise an error to stop it."""

    def observe(self, grads: Mapping[Any, Any], masked: bool, unbounded: bool) -> None:
        """Note the gradients that a sweep has computed.

        `masked` says whether it met an operation that selects, `unbounded` whether what that did not take may have an
        infinite derivative although all operands are finite.
        """


class _Modes(threading.local):
    recording = True
    debugging = False
    tracing: Tracer | None = None
    scope: tuple[Mark, ...] = ()
    stable = True
    """Whether stable forms are recognised; off, everything is computed and differentiated as it is written."""


modes = _Modes()


class Switch(threading.local):
    """A context manager that sets one mode of this thread; it may be nested, reused and shared by threads."""

    in_use: ClassVar[int] = 0
    """The number of open switches in all threads. While it is 0, recording need not look at the modes."""

    _lock: ClassVar[threading.Lock] = threading.Lock()

    def __init__(self, mode: str, value: Any) -> None:
        self.mode, self.value = mode, value
        self.before: list[Any] = []

    def __enter__(self) -> None:
        self.before.append(getattr(modes, self.mode))
        setattr(modes, self.mode, self.value)
        with Switch._lock:
            Switch.in_use += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        setattr(modes, self.mode, self.before.pop())
        with Switch._lock:
            Switch.in_use -= 1


def no_grad() -> Switch:
    """Record nothing in this thread meanwhile: results are plain values that do not require a gradient.

    >>> import autotiny as at
    >>> x = at.Tensor(3.0)
    >>> with at.no_grad():
    ...     y = x * x
    >>> y.requires_grad
    False
    """
    return Switch("recording", False)


def debug() -> Switch:
    """Remember the line that made each tensor, and stop at the first nan or inf, forward or backward.

    It also warns where a value leaves the graph: by float(t), .item(), .tolist(), or .data of a result.

    Raises NonFiniteError with the operation, its operands and the line.

    >>> import autotiny as at, numpy as np
    >>> x = at.Tensor(0.0)
    >>> with at.debug():
    ...     y = np.log(x)
    Traceback (most recent call last):
    autotiny.errors.NonFiniteError: log(x) gives -inf (<doctest autotiny.engine.modes.debug[2]>:2: y = np.log(x))
    """
    return Switch("debugging", True)


def scope(name: str) -> Switch:
    """Group what is recorded meanwhile in this thread, under this name, in pictures; scopes may be nested.

    >>> import autotiny as at
    >>> x = at.Tensor(2.0)
    >>> with at.scope("layer 1"):
    ...     y = x * x + x
    >>> [card.name for card in at.draw(y, depth=1).cards]
    ['layer 1']
    """
    if not isinstance(name, str) or not name:
        raise UnsupportedError(f"scope: expected a name, such as at.scope('layer 1'); got {name!r}")
    return _Scope(name)


class _Scope(Switch):
    """A switch that adds a new mark to the open scopes each time it is entered."""

    def __init__(self, name: str) -> None:
        super().__init__("scope", ())
        self.name = name

    def __enter__(self) -> None:
        self.value = (*modes.scope, Mark(self.name))
        super().__enter__()
