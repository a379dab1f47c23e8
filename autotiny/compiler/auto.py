"""`backend="auto"`: the NumPy program runs until its calls have taken as long as numba takes to compile another.

That costs at most twice the time of whichever back end would have been the better choice from the start.
"""

import atexit
import math
from collections.abc import Callable
from threading import Thread
from time import perf_counter
from typing import Any
from weakref import WeakSet

from autotiny.compiler.build import Built, failure
from autotiny.compiler.program import NoMatch

START, PER_LINE = 0.5, 0.01
"""Seconds in which numba compiles a program: for any, and for each line."""
CALLS = 10
"""Calls of the program of numba after which it is known whether it is the faster one."""

_threads: "WeakSet[Thread]" = WeakSet()


@atexit.register
def _wait() -> None:
    """Wait for numba: LLVM must not be at work when the process ends."""
    for thread in list(_threads):
        thread.join()


class Timed:
    """A program whose calls are counted and timed; `after` is called after each.

    status : which back end runs, and why, in words.
    """

    def __init__(self, program: Any, after: Callable[[], None], status: Callable[[], str]) -> None:
        self.program, self.source, self.after, self.status = program, program.source, after, status
        self.calls, self.seconds, self.best = 0, 0.0, math.inf

    def __call__(self, *args: Any) -> Any:
        """Return the results of the program."""
        start = perf_counter()
        result = self.program(*args)
        if result is not NoMatch:
            seconds = perf_counter() - start
            self.calls, self.seconds, self.best = self.calls + 1, self.seconds + seconds, min(self.best, seconds)
            self.after()
        return result


class Choice:
    """The choice between a NumPy program, which runs, and one of numba, which is not compiled yet.

    replace : puts a program in place of another one, at the calls that come.
    """

    def __init__(self, plain: Built, replace: Callable[[Built, Built], None]) -> None:
        assert plain.faster is not None
        self.plain, self.draft, self.replace = plain._replace(faster=None), plain.faster, replace
        self.cost = START + PER_LINE * self.draft.source.kernels.count("\n")
        self.thread: Thread | None = None
        self.calls = Timed(plain.program, self.count, self.waiting)
        self.current = self.plain._replace(program=self.calls)

    def waiting(self) -> str:
        """Return the words while NumPy runs."""
        if self.thread is not None:
            return f"NumPy: {self.calls.calls} calls so far; numba is compiling"
        each = self.calls.seconds / max(self.calls.calls, 1)
        known = f"from about the {float(f'{self.cost / each:.2g}'):.0f}th" if each else "later"
        return f"NumPy: {self.calls.calls} calls so far; numba {known}, when they have taken {self.cost:.1f} s"

    def count(self) -> None:
        """Let numba compile once the calls have taken as long as that will take."""
        if self.calls.seconds >= self.cost and not (self.thread is not None and self.thread.is_alive()):
            self.thread = Thread(target=self.compile, name="autotiny: numba compiles", daemon=True)
            _threads.add(self.thread)
            self.thread.start()

    def compile(self) -> None:
        """Compile the program, and let it run. Where numba fails, NumPy stays."""
        try:
            built = self.draft.load()
        except Exception as error:
            self.settle(self.plain._replace(backend=f"{self.plain.backend}; {failure(error)}"))
            return
        trial = Timed(built.program, lambda: self.compare(built, trial), lambda: built.backend)
        self.settle(built._replace(program=trial))

    def compare(self, built: Built, trial: Timed) -> None:
        """Keep the program whose fastest call was the faster one."""
        if trial.calls < CALLS:
            return
        times = f"{1e6 * trial.best:.3g} µs, NumPy {1e6 * self.calls.best:.3g} µs"
        if trial.best < self.calls.best:
            self.settle(built._replace(backend=f"{built.backend}: {times}"))
        else:
            self.settle(self.plain._replace(backend=f"NumPy, which is faster: numba {times}"))

    def settle(self, built: Built) -> None:
        """Put another program in place of the one that runs."""
        self.replace(self.current, built)
        self.current = built
