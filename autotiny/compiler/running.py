"""The code that runs during a call."""

import sys
import threading
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any, TypeVar

T = TypeVar("T")


def with_code_that_ran(call: Callable[[], T]) -> tuple[T, set[CodeType] | None]:
    """Return what a call returns, and all code that ran meanwhile.

    None for the code where that cannot be known: another thread may run some, or a profiler has the place of this one.
    """
    if sys.getprofile() is not None or threading.active_count() > 1:
        return call(), None
    ran: set[CodeType] = set()

    def note(frame: FrameType, event: str, arg: Any) -> None:
        if event == "call":
            ran.add(frame.f_code)

    in_threads = threading.getprofile()
    threading.setprofile(note)
    sys.setprofile(note)
    try:
        return call(), ran
    finally:
        sys.setprofile(None)
        threading.setprofile(in_threads)
