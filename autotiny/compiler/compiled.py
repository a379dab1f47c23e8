"""at.compile: a function that runs as a NumPy program after its first call."""

import copy
import os
import pickle
from collections import OrderedDict
from collections.abc import Callable
from functools import update_wrapper
from itertools import islice
from threading import Lock
from typing import Any, Generic, ParamSpec, TypeVar, overload
from weakref import WeakSet

import numpy as np

from autotiny.algebra import ValueNeededError
from autotiny.compiler.auto import Choice, Timed
from autotiny.compiler.backend import FactError
from autotiny.compiler.blocks import threads_by_default
from autotiny.compiler.build import Built, Request, build
from autotiny.compiler.program import NoMatch, structure
from autotiny.compiler.trace import GuardNeededError, is_dynamic
from autotiny.engine.derivative import Derivative
from autotiny.engine.pickling import name_of_wrapper, pickled
from autotiny.engine.pytree import flatten
from autotiny.engine.tensor import Tensor
from autotiny.errors import UnsupportedError

BACKENDS = ("numpy", "numba", "auto")
"""What `backend=` may be."""
PROGRAMS = 16
"""The largest number of programs of one function that are cached."""


P = ParamSpec("P")
Result = TypeVar("Result", covariant=True)


@overload
def compile(  # noqa: A001
    f: Derivative[P, Result],
    *,
    donate: int | tuple[int, ...] = (),
    threads: int | None = None,
    backend: str = "numpy",
) -> "Compiled[P, Result]": ...
@overload
def compile(  # noqa: A001
    f: Callable[P, Result], *, donate: int | tuple[int, ...] = (), threads: int | None = None, backend: str = "numpy"
) -> "Compiled[P, Result]": ...
def compile(  # noqa: A001
    f: Callable[..., Any], *, donate: int | tuple[int, ...] = (), threads: int | None = None, backend: str = "numpy"
) -> "Compiled[..., Any]":
    """Compile f to a program, at the first call with arguments of each combination of shapes and types.

    f may call at.value_and_grad, at.grad, at.hessian and the like; it takes and returns arrays, numbers, and nested
    lists, tuples and dicts of them. Results are new arrays, except that those which fit are written into the arrays
    of the arguments in the positions `donate`. Long chains of elementwise operations run on so many `threads`; by
    default on as many as OMP_NUM_THREADS says, or there are processors. `step.source` is the program that ran last.

    backend : "numpy" writes NumPy. "numba" writes loops, which numba compiles in a second or so; later processes take
    them from a folder, `autotiny` where the system keeps caches, or AUTOTINY_CACHE_DIR. Where there is nothing to gain
    from loops, or numba fails, NumPy runs. "auto" runs NumPy until the calls have taken as long as numba takes to
    compile, which it then does on a thread, and keeps the faster of the two. `step.explain()` says which runs, and why.

    Results equal those of the function up to rounding, and to the order in which sums are added, except where the
    compiled form is more accurate: a softmax, a sigmoid, the logarithm of a softmax, of a sum of exponentials or of
    1 + exp(x), and their gradients, are right also where the function's own form overflows, unless at the first call.

    What f reads besides its arguments (globals, closures, defaults, attributes and methods of objects, containers, the
    entries of arrays, context variables) is looked at in every call, and f is compiled anew where it has changed.
    Raises UnsupportedError, naming the object, where a change could not be noticed (an iterator, a file, a clock,
    random numbers), and where f changes such a thing itself at every call, as a counter or a log, which the program
    would not; at its first call only, as a cache, it may. What f prints appears while it is compiled.

    The result can be pickled if f can be, and copied; what it has compiled stays behind. A process that unpickles the
    same function many times, as a worker does, compiles it once.

    Raises UnsupportedError for backend="numba" where numba is missing or too old, and
    ValueNeededError, naming the line, where f branches on a value, or hands it to code that needs numbers.

    >>> import numpy as np
    >>> step = compile(lambda W, x: np.tanh(W @ x))
    >>> step(np.eye(2), np.zeros(2))
    array([0., 0.])
    """
    if not callable(f):
        raise UnsupportedError(f"compile: expected a function, got {type(f).__name__}")
    positions = (donate,) if isinstance(donate, int) else donate
    if not isinstance(positions, tuple | list) or not all(type(i) is int and i >= 0 for i in positions):
        raise UnsupportedError(f"compile: donate must be the position of an argument, or several; got {donate!r}")
    if threads is not None and (type(threads) is not int or threads < 1):
        raise UnsupportedError(f"compile: threads must be a whole number of at least 1, got {threads!r}")
    if backend not in BACKENDS:
        raise UnsupportedError(f"compile: backend must be one of {', '.join(map(repr, BACKENDS))}; got {backend!r}")
    if backend == "numba":
        from autotiny.compiler.loops.requirement import missing, needed  # numba takes long to import

        if why := missing():
            raise UnsupportedError(f"compile: backend='numba': {needed()}; here {why}")
    return Compiled(f, tuple(positions), threads or threads_by_default(), backend)


_all: "WeakSet[Compiled[..., Any]]" = WeakSet()


def _renew_locks() -> None:
    for compiled in _all:
        compiled.lock = Lock()


if hasattr(os, "register_at_fork"):  # a thread that has a lock is missing in the child
    os.register_at_fork(after_in_child=_renew_locks)


class Compiled(Generic[P, Result]):
    """A compiled function, which is called like the function.

    Attributes
    ----------
    source : the program that ran last, as text.
    """

    def __init__(self, f: Callable[..., Any], donate: tuple[int, ...], threads: int, backend: str = "numpy") -> None:
        update_wrapper(self, f)
        self.f, self.donate, self.threads, self.backend = f, donate, threads, backend
        self.latest: Built | None = None
        self.kept: OrderedDict[Any, Built] = OrderedDict()
        self.unguarded: set[Any] = set()
        """Keys of arguments for which there is no program with guards."""
        self.lock = Lock()
        _all.add(self)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Result:
        """Return f's results, by the program that ran last if it is for arguments like these."""
        latest = self.latest
        if latest is None or latest.positional != len(args) or latest.names != tuple(kwargs):
            return self.by_search(args, kwargs)
        try:
            result = latest.program(*args, *kwargs.values())
        except (ArithmeticError, ValueError, FactError):
            self.require_writable(args)  # else it stopped before it wrote into any of them
            result = NoMatch
        return self.by_search(args, kwargs) if result is NoMatch else result

    def by_search(self, args: Any, kwargs: Any) -> Any:
        """Return the results by whichever program is for such arguments and values."""
        result = self.by_building(args, kwargs)
        return self.f(*args, **kwargs) if result is NoMatch else result  # another thread has changed what f reads

    def by_building(self, args: Any, kwargs: Any) -> Any:
        """Return the results by a program that is built if there is none."""
        try:
            return self.run(self.built_for(args, kwargs), args, kwargs)
        except FactError:
            return self.general(args, kwargs)
        except GuardNeededError:
            return self.guarded(args, kwargs)

    def general(self, args: Any, kwargs: Any) -> Any:
        """Return the results by a program that relies on less: one with stable forms, or one that relies on no fact."""
        try:
            return self.run(self.built_for(args, kwargs, facts=False), args, kwargs)
        except FactError:
            return self.general(args, kwargs)
        except GuardNeededError:
            return self.guarded(args, kwargs)

    def guarded(self, args: Any, kwargs: Any) -> Any:
        """Return the results by a program whose gradients keep clear of what was not taken.

        Where such a program would depend on the values, the function itself is called.
        """
        key = self.key(args, kwargs, ints=False)
        if key not in self.unguarded:
            try:
                return self.run(self.built_for(args, kwargs, facts=False, guards=True), args, kwargs)
            except (GuardNeededError, ValueNeededError):
                self.unguarded = {key, *islice(self.unguarded, PROGRAMS)}
        return self.f(*args, **kwargs)

    def run(self, built: Built, args: Any, kwargs: Any) -> Any:
        """Return the results of a program; where nan may come from what was not taken, of one with guards."""
        try:
            return built.program(*args, *kwargs.values())
        except (FloatingPointError, np.linalg.LinAlgError) as error:
            if isinstance(error, np.linalg.LinAlgError) and not built.masked:
                raise
            return self.guarded(args, kwargs)
        except (ArithmeticError, ValueError) as error:  # Python raises where NumPy gives inf or nan
            self.require_writable(args)
            if built.relies_on_facts:
                raise FactError from error
            raise

    def require_writable(self, args: Any) -> None:
        """Raise UnsupportedError where a donated array is read-only."""
        for position in self.donate:
            for array in flatten(args[position])[0]:
                if isinstance(array, np.ndarray) and not array.flags.writeable:
                    raise UnsupportedError(
                        f"compile: donate={position}: the array is read-only, so no result can be written into it; "
                        "hand over a copy, or leave donate out"
                    )

    def __reduce__(self) -> Any:
        name = name_of_wrapper(self, self.f, "compile")
        if name is not None:
            return name
        return _unpickled, (pickled(self.f), self.donate, self.threads, self.backend)

    def __copy__(self) -> "Compiled[P, Result]":
        return Compiled(self.f, self.donate, self.threads, self.backend)

    def __deepcopy__(self, memo: dict[int, Any]) -> "Compiled[P, Result]":
        return Compiled(copy.deepcopy(self.f, memo), self.donate, self.threads, self.backend)

    def built_for(self, args: Any, kwargs: Any, facts: bool = True, guards: bool = False) -> Built:
        """Return the program for arguments like these, which becomes the latest; one without facts on request."""
        with self.lock:
            key, key_of_ints = ((guards, self.key(args, kwargs, ints)) for ints in (True, False))
            key = key_of_ints if key_of_ints in self.kept else key
            built = self.kept.get(key)
            if built is not None and built.relies_on_facts and not facts:
                built = built.careful and built.careful.load_if_possible()
            if built is None or not built.is_current():
                request = Request(
                    self.f, args, kwargs, self.donate, self.threads, facts=facts, guards=guards, backend=self.backend
                )
                try:
                    built = build(request)
                except ValueNeededError:  # of a whole number, perhaps: a length, a place
                    built, key = build(request._replace(ints=False)), key_of_ints
            if built.faster is not None:
                built = Choice(built, self.replace).current
            self.kept[key] = built
            if len(self.kept) > PROGRAMS:
                self.kept.popitem(last=False)
            self.latest = built
            return built

    def replace(self, old: Built, new: Built) -> None:
        """Put a program in place of another one."""
        with self.lock:
            self.kept.update({key: new for key, built in self.kept.items() if built is old})
            if self.latest is old:
                self.latest = new

    def key(self, args: Any, kwargs: Any, ints: bool) -> Any:
        """Return the key of a program in the cache."""
        leaves, _ = flatten((args, kwargs))
        return structure((args, kwargs), iter([is_dynamic(x, ints) for x in leaves]))

    @property
    def source(self) -> str:
        """The program that ran last."""
        return self._built("source").program.source.source

    def explain(self) -> str:
        """Describe the program: its back end, the operations after each pass, the memory, what runs in blocks."""
        built = self._built("explain")
        backend = built.program.status() if isinstance(built.program, Timed) else built.backend
        return f"back end: {backend}\n\n{built.explanation}"

    def graph(self) -> Tensor:
        """Return the formula of the program, gradients included, with the values of the first call, for at.draw.

        Raises UnsupportedError where it is too large to be kept for that.
        """
        make = self._built("graph").graph
        graph = None if make is None else make()
        if graph is None:
            raise UnsupportedError("graph: the values are too large to be kept; call the function on smaller arrays")
        return graph

    def _built(self, what: str) -> Built:
        if self.latest is None:
            raise UnsupportedError(f"{what}: call the function first: it is compiled at its first call")
        return self.latest


_from_pickles: dict[Any, Compiled[..., Any]] = {}
"""The latest compiled functions that came from pickles, so that a process compiles once what it gets many times."""


def _unpickled(f: bytes, donate: tuple[int, ...], threads: int, backend: str) -> Compiled[..., Any]:
    key = f, donate, threads, backend
    compiled = _from_pickles.get(key)
    if compiled is None:
        if len(_from_pickles) >= PROGRAMS:
            _from_pickles.pop(next(iter(_from_pickles)), None)
        compiled = _from_pickles.setdefault(key, Compiled(pickle.loads(f), donate, threads, backend))
    return compiled
