"""Modes of recording, set in one thread or task for the length of a `with`: no_grad, debug, scope and tracing.

A mode ends with its `with`, also for the tasks that were begun inside. A new thread begins with recording on, unless it
runs in a copy of the context, as asyncio.to_thread does.
"""

import inspect
import math
from _thread import allocate_lock
from collections.abc import Callable, Generator, Iterable, Mapping
from contextvars import ContextVar
from functools import partial, wraps
from operator import call
from typing import Any, Protocol, TypeVar
from weakref import ref

from autotiny.errors import UnsupportedError
from autotiny.ops import Op

AnyFunction = TypeVar("AnyFunction", bound=Callable[..., Any])


class Mark:
    """One entry into a scope. The operations recorded before its exit form a group in pictures.

    A mark may also be put on a result afterwards, which costs the recording nothing: then every operand of the result
    that was recorded after the number `since` belongs to it too.
    """

    __slots__ = ("name", "since")

    def __init__(self, name: str, since: float = math.inf) -> None:
        self.name, self.since = name, since


class CallMark(Mark):
    """A call that users type as one operation, and that was recorded as several: np.mean, np.var, np.outer.

    It is put on the result of the call, with the arguments.
    """

    __slots__ = ("args", "kwargs")

    def __init__(self, name: str, since: float, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        self.name, self.since, self.args, self.kwargs = name, since, args, kwargs


class GradientMark(Mark):
    """A recorded sweep: what was recorded between two numbers are the gradients of an output."""

    __slots__ = ("output", "until")

    def __init__(self, output: Any, since: float, until: float) -> None:
        self.name, self.since, self.until, self.output = "gradients", since, until, ref(output)


class Tracer(Protocol):
    """The interface of `modes.tracing`: it computes and records the operations, and is notified of each sweep.

    A tracer that inherits from this needs `__call__` alone.
    """

    guards: bool = False
    """Whether every sweep is to look at the selection, whether these values need it or not."""

    def __call__(self, op: Op, values: Iterable[Any], options: Mapping[str, Any]) -> Any:
        """Return the result of the operation, in place of its forward function."""
        ...

    def knows(self, grads: Iterable[Any]) -> bool:
        """Whether the sweep can see if one of these gradients is nan; if not, that is seen when the program runs."""
        return True

    def note_callers(self) -> None:
        """Note the running functions, called before an operation is applied to formulas."""

    def note_check(self, check: Any) -> None:
        """Note the formula of a check: an operation that raises an error for some values."""

    def require_guard(self) -> None:
        """Note that a sweep is about to look at the selection; raise an error to stop it."""

    def observe(self, grads: Mapping[Any, Any], masked: bool, unbounded: bool) -> None:
        """Note the gradients that a sweep has computed.

        `masked` says whether it met an operation that selects, `unbounded` whether what that did not take may have an
        infinite derivative although all operands are finite.
        """


class Entry:
    """One entry into a switch: its mode has the value while the lock is locked, then that of the entry around it."""

    __slots__ = ("around", "left_by", "lock", "switch", "value")

    def __init__(self, switch: "Switch") -> None:
        self.switch, self.lock = switch, allocate_lock()
        self.lock.acquire()
        self.value, self.around = switch.value_inside(), _innermost(switch.mode)
        self.left_by = False
        """Whether a way out of it has been looked up."""

    def enter(self) -> Callable[[], Any]:
        """Return what enters it, in one call that runs no Python code."""
        steps: list[Callable[[], Any]] = [
            partial(in_use.add, self),
            partial(_latest[self.switch.mode].set, self),
        ]
        return partial(any, map(_call, steps))


in_use: set[Entry] = set()
"""The entries that have not ended, in all threads, and some that have. While it is empty, recording need not look at
the modes."""
_call: Callable[[Callable[[], Any]], Any] = call
DEFAULTS: dict[str, Any] = {"recording": True, "debugging": False, "tracing": None, "scope": (), "stable": True}
_latest: dict[str, ContextVar[Entry | None]] = {mode: ContextVar(mode, default=None) for mode in DEFAULTS}
"""The last entry into a switch of each mode in this thread and task, which may have ended."""


def _innermost(mode: str) -> Entry | None:
    """Return the innermost entry that has not ended, after dropping those that have."""
    for entry in list(in_use):
        if not entry.lock.locked():
            in_use.discard(entry)
    latest = _latest[mode].get()
    while latest is not None and not latest.lock.locked():
        latest = latest.around
    return latest


class _Modes:
    """The modes of this thread and task."""

    recording: bool
    debugging: bool
    tracing: Tracer | None
    scope: tuple[Mark, ...]
    stable: bool
    """Whether stable forms are recognised; off, everything is computed and differentiated as it is written."""

    def __getattr__(self, mode: str) -> Any:
        if mode not in DEFAULTS:
            raise AttributeError(mode)
        entry = _innermost(mode) if in_use else None
        return DEFAULTS[mode] if entry is None else entry.value


modes = _Modes()


class Step:
    """`switch.__enter__` or `switch.__exit__`. A `with` looks up both, in either order, and then calls the first.

    Neither runs Python code that an interrupt (Ctrl-C) could stop half way: one adds the entry, one releases its lock.
    """

    def __init__(self, inwards: bool) -> None:
        self.inwards = inwards

    def __get__(self, switch: "Switch | None", kind: type) -> Callable[..., Any]:
        if switch is None:  # contextlib.ExitStack looks it up in the class
            return lambda switch, *error: self.__get__(switch, kind)(*error)
        step, entry = _lookup.get()
        _lookup.set((None, None))
        if entry is None or entry.switch is not switch or step is self:  # not the second of a pair
            entry = None if self.inwards else switch.entered_by_hand()
            if entry is None:
                entry = Entry(switch)
                _lookup.set((self, entry))
        entry.left_by = entry.left_by or not self.inwards
        return entry.enter() if self.inwards else entry.lock.__exit__


_lookup: ContextVar[tuple[Step | None, Entry | None]] = ContextVar("lookup", default=(None, None))
"""The step that was looked up last in this thread, and its entry, until the other step is looked up."""


class Switch:
    """A context manager that sets one mode of this thread and task; it may be nested, reused, shared, and decorate."""

    def __init__(self, mode: str, value: Any) -> None:
        self.mode, self.value = mode, value

    __enter__ = Step(inwards=True)
    __exit__ = Step(inwards=False)

    def entered_by_hand(self) -> Entry | None:
        """Return the innermost open entry that was entered without a way out, by a call of `__enter__`."""
        entry = _innermost(self.mode)
        while entry is not None and (entry.switch is not self or entry.left_by):
            entry = entry.around
        return entry

    def value_inside(self) -> Any:
        """Return the value that the mode has inside."""
        return self.value

    def __call__(self, function: AnyFunction) -> AnyFunction:
        """Return a function that runs inside this switch, as a decorator; a generator does so between its yields."""
        if inspect.isasyncgenfunction(function) or not callable(function) or isinstance(function, type):
            raise UnsupportedError(
                f"{self.label()} decorates functions, generators and coroutines, not "
                f"{getattr(function, '__name__', type(function).__name__)}; use `with at.{self.label()}` inside it"
            )

        async def coroutine(*args: Any, **kwargs: Any) -> Any:
            with self:
                return await function(*args, **kwargs)

        def generator(*args: Any, **kwargs: Any) -> Any:
            return self.run_generator(function(*args, **kwargs))

        def plain(*args: Any, **kwargs: Any) -> Any:
            with self:
                return function(*args, **kwargs)

        of_its_kind = generator if inspect.isgeneratorfunction(function) else plain
        decorated: Any = wraps(function)(coroutine if inspect.iscoroutinefunction(function) else of_its_kind)
        return decorated

    def run_generator(self, inner: Generator[Any, Any, Any]) -> Generator[Any, Any, Any]:
        """Yield what a generator yields, whose code runs inside this switch, while its user's code does not."""
        step: Callable[[], Any] = partial(next, inner)
        while True:
            try:
                with self:
                    item = step()
            except StopIteration as end:
                return end.value
            try:
                sent = yield item
            except GeneratorExit:
                with self:
                    inner.close()
                raise
            except BaseException as error:
                step = partial(inner.throw, error)
            else:
                step = partial(inner.send, sent)

    def label(self) -> str:
        """Return the call that made the switch."""
        return {"recording": "no_grad()", "debugging": "debug()"}.get(self.mode, f"{self.mode}(...)")


def no_grad() -> Switch:
    """Record nothing in this thread or task meanwhile: results are plain values that do not require a gradient.

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
    """Group what is recorded meanwhile, in this thread or task, under this name, in pictures; scopes may be nested.

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

    def value_inside(self) -> tuple[Mark, ...]:
        """Return the scopes that are open, and a new one."""
        return (*modes.scope, Mark(self.name))
