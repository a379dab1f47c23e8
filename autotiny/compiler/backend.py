"""The interface of back ends, which emit the program of a schedule if they accept it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np

from autotiny.algebra import Term
from autotiny.compiler.naming import FormulaNames
from autotiny.compiler.schedule import Schedule

Pass = Callable[[Sequence[Term], FormulaNames], list[Term]]
"""A rewriting of the formulas of a program, from outputs to outputs."""


class FactError(Exception):
    """A fact of the first call does not hold on these values, or a value that must be finite is not."""


class Argument(NamedTuple):
    """What a kernel takes: an array in C order, or a number, whose shape is None."""

    dtype: np.dtype
    shape: tuple[int, ...] | None = None
    written: bool = False
    """Whether the kernel writes into it."""


class ProgramText(NamedTuple):
    """The source of a program, which defines `step(*inputs)` and returns the outputs."""

    text: str
    objects: dict[str, Any]
    """The objects that the source refers to by name and does not define or import."""
    in_python: bool = False
    """Whether it computes in Python's own arithmetic, which raises where NumPy gives inf or nan."""
    kernels: str = ""
    """The source of a module of functions for numba; "" for a program without them.

    They are compiled once and called by several threads at a time, so that their memory comes from `text`, which is
    run anew for each of the calls at the same time.
    """
    signatures: Mapping[str, Sequence[Argument]] = {}
    """The kernels that `text` calls, with what they take: arrays of any other order are copied into C order first."""
    may_warn: bool = True
    """Whether NumPy computes any of it, which may warn."""
    takes_arrays: bool = False
    """Whether `step` begins with a kernel that takes every array among its arguments, and so compares their shapes."""
    about: str = ""
    """What computes, for `explain`: 3 loops, 2 products by BLAS."""

    @property
    def source(self) -> str:
        """The whole program."""
        return f"{self.kernels}\n\n{self.text}" if self.kernels else self.text


class Backend(Protocol):
    """An emitter of programs. To add one, put it into BACKENDS in build.py, before the more general ones."""

    name: str
    """What `explain` calls it."""
    passes: tuple[Pass, ...]
    """The passes that rewrite formulas for this back end, after those for all."""
    sees_flags: bool
    """Whether NumPy reports floating-point errors to its programs."""

    def accepts(self, schedule: Schedule) -> bool:
        """Return whether it can write the program of this schedule."""
        ...

    def emit(self, schedule: Schedule) -> ProgramText:
        """Return the program.

        Before it writes into donated arrays it raises FactError where one of `schedule.checks` is not 1 everywhere, and
        `schedule.stop` where one of `schedule.finite` is not finite or one of `schedule.not_nan` has nan.
        """
        ...
