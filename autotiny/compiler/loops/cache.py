"""A folder of compiled kernels, which later processes use: what it holds can be lost, but never be wrong."""

import contextlib
import hashlib
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

VARIABLE = "AUTOTINY_CACHE_DIR"
LIMIT = 2**28
"""Bytes that the folder may hold: then the oldest files are removed, until it is half full."""


def place() -> Path:
    """Return the path of the folder: AUTOTINY_CACHE_DIR, or `autotiny` where the system keeps caches."""
    if chosen := os.environ.get(VARIABLE):
        return Path(chosen)
    home = Path.home()
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = home / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache")
    if not home.is_dir() and base.is_relative_to(home):
        raise FileNotFoundError(home)  # as of a service: it is not made
    return base / "autotiny"


def folder() -> Path:
    """Return the folder, which is made if need be. Raises OSError where it cannot be used, or others may write there.

    What is loaded is run, so a folder in which another user can write is not read.
    """
    path = place().absolute()
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    if hasattr(os, "getuid"):
        about = path.stat()
        if about.st_uid != os.getuid() or about.st_mode & 0o022:
            raise PermissionError(f"{path}: other users may write there")
    return path


def read(key: str) -> bytes | None:
    """Return what was written under a key; None if nothing was, or if it is damaged."""
    try:
        path = folder() / f"{key}.kernels"
        digest, data = (content := path.read_bytes())[:32], content[32:]
        if hashlib.sha256(data).digest() != digest:
            return None
        os.utime(path)  # it is used, so others are removed before it
    except (OSError, RuntimeError):  # RuntimeError: no home is known
        return None
    return data


def write(key: str, data: bytes, text: str) -> None:
    """Write data under a key, and beside it the text that it was compiled from, for people.

    Where that fails, as on a full disk, nothing is written.
    """
    with contextlib.suppress(OSError, RuntimeError):
        path = folder()
        make_room(path)
        replace(path / f"{key}.py", text.encode())
        replace(path / f"{key}.kernels", hashlib.sha256(data).digest() + data)


def replace(path: Path, content: bytes) -> None:
    """Write a file at once: other processes read all of it, or what was there before."""
    with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as part:
        try:
            part.write(content)
            part.close()
            os.replace(part.name, path)
        except BaseException:
            part.close()
            with contextlib.suppress(OSError):
                os.unlink(part.name)
            raise


def make_room(path: Path) -> None:
    """Remove the files that were used longest ago, if the folder has more than LIMIT bytes."""
    files = sorted(entries(path))
    total = sum(size for _, size, _ in files)
    if total <= LIMIT:
        return
    for _, size, file in files:
        file.unlink(missing_ok=True)
        total -= size
        if total <= LIMIT / 2:
            return


def entries(path: Path) -> Iterator[tuple[float, int, Path]]:
    """Yield the time of the last use, the size and the path of each file; another process may remove some."""
    for file in path.iterdir():
        with contextlib.suppress(OSError):
            about = file.stat()
            yield about.st_mtime, about.st_size, file
