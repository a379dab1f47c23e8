"""The memory of a process: what it has, and the most that it has had since the mark was lowered. Linux only."""

import ctypes
import gc
import sys
from pathlib import Path

STATUS, CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")
TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3  # of malloc.h


def is_measured() -> bool:
    """Whether this system counts a process's memory, and glibc decides what is kept."""
    return sys.platform == "linux" and STATUS.exists() and CLEAR.exists()


def keep_memory() -> None:
    """Make glibc keep freed memory of large arrays; on other systems, do nothing.

    By default glibc returns it to the system depending on what lies at the end of the heap. A step on arrays with fresh
    pages can take three times as long, so the comparison would depend on chance.
    """
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        libc.mallopt(MMAP_THRESHOLD, 2**25)
        libc.mallopt(TRIM_THRESHOLD, 2**30)


def resident() -> int:
    """Give back what is free, lower the mark to what is left, and return that, in bytes; 0 where it is not counted."""
    gc.collect()
    if not is_measured():
        return 0
    ctypes.CDLL(None).malloc_trim(0)
    CLEAR.write_text("5")  # sets VmHWM to VmRSS
    return status("VmRSS")


def peak() -> int:
    """Return the most memory, in bytes, since the last call of `resident`; 0 where it is not counted."""
    return status("VmHWM") if is_measured() else 0


def status(name: str) -> int:
    """Return a line of the process's status, in bytes."""
    (line,) = [line for line in STATUS.read_text().splitlines() if line.startswith(name + ":")]
    return int(line.split()[1]) * 1024
