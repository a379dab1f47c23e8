"""Load kernels: compile the functions of a program's text with numba, or take them from the cache on disk."""

import hashlib
import os
import pickle
import platform
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from threading import RLock
from types import ModuleType
from typing import Any

import llvmlite
import numba
import numpy as np
from numba.core import config, serialize
from numba.core.compiler import CompileResult
from numba.core.compiler_lock import global_compiler_lock
from numba.core.registry import cpu_target
from numba.core.runtime import rtsys

from autotiny.compiler.backend import Argument
from autotiny.compiler.loops import cache as disk
from autotiny.compiler.loops.unboxing import numba_type

Kernels = dict[str, Callable[..., Any]]
Signatures = Mapping[str, Sequence[Argument]]

_loaded: dict[str, Kernels] = {}
"""What this process has loaded, by key: machine code stays in memory anyway."""
_lock = RLock()


def load(text: str, signatures: Signatures) -> Kernels:
    """Return the functions of a module text that have a signature, compiled for it.

    They raise TypeError for arrays of another shape, type or order, and ValueError where they would write into one that
    is read-only.
    """
    key = fingerprint(text, signatures)
    with _lock:
        if key not in _loaded:
            _loaded[key] = from_disk(key) or compiled(key, text, signatures)
        return _loaded[key]


if hasattr(
    os, "register_at_fork"
):  # a child must not be made while a thread compiles: LLVM would be half at work there
    os.register_at_fork(before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_lock.release)


def compiled(key: str, text: str, signatures: Signatures) -> Kernels:
    """Return the functions, compiled anew, and write them to the cache."""
    namespace = vars(module(key))
    exec(compile(text, f"<kernels {key[:8]} written by autotiny>", "exec"), namespace)
    results = {name: compile_result(namespace[name], arguments) for name, arguments in signatures.items()}
    disk.write(key, serialize.dumps({name: reduced(result) for name, result in results.items()}), text)
    return {name: result.entry_point for name, result in results.items()}


def compile_result(function: Any, arguments: Sequence[Argument]) -> CompileResult:
    """Return numba's result of compiling a function for these arguments."""
    types = tuple(map(numba_type, arguments))
    function.compile(types)
    return function.overloads[types]


def from_disk(key: str) -> Kernels | None:
    """Return functions from the cache; None if they are not there.

    numba's own cache would first load all that numba can compile, for 0.2 s.
    """
    data = disk.read(key)
    if data is None:
        return None
    with global_compiler_lock:
        module(key)  # which the functions name as theirs
        rtsys.initialize(cpu_target.target_context)
        return {name: rebuilt(parts).entry_point for name, parts in pickle.loads(data).items()}


def reduced(result: CompileResult) -> tuple[Any, ...]:
    """Return what can be pickled of numba's result, without the annotated text, which is ten times as long."""
    names = "libdata", "fndesc", "environment", "signature", "objectmode", "lifted", "type_annotation"
    parts = list(result._reduce())
    parts[names.index("type_annotation")] = ""
    return tuple(parts)


def rebuilt(parts: tuple[Any, ...]) -> CompileResult:
    """Return numba's result from its pickled parts."""
    return CompileResult._rebuild(cpu_target.target_context, *parts)


def module(key: str) -> ModuleType:
    """Return the module in which kernels are defined: its name makes theirs unique in machine code."""
    name = f"autotiny_kernels_{key}"
    return sys.modules.setdefault(name, ModuleType(name))


def fingerprint(text: str, signatures: Signatures) -> str:
    """Return a key of a program, the versions of all that compiles it, and the processor."""
    return hashlib.sha256(repr((text, sorted(signatures.items()), *surroundings())).encode()).hexdigest()[:32]


@cache
def surroundings() -> tuple[Any, ...]:
    """Return what kernels depend on besides their text."""
    files = sorted(Path(__file__).parent.glob("*.py"))
    return (
        (numba.__version__, llvmlite.__version__, np.__version__, sys.version, platform.platform()),
        cpu_target.target_context.codegen().magic_tuple(),
        [
            getattr(config, name)
            for name in ("OPT", "LOOP_VECTORIZE", "SLP_VECTORIZE", "BOUNDSCHECK", "DEBUGINFO_DEFAULT")
        ],
        [hashlib.sha256(file.read_bytes()).hexdigest() for file in files],
    )
