"""The errors that autotiny raises.

AutotinyError
├── ShapeError, a ValueError         operands that do not fit together
├── UnsupportedError, a TypeError    an operation, option or value that cannot be recorded or differentiated
├── StaleError, a RuntimeError       a value that was changed after it was recorded
├── NonFiniteError, an ArithmeticError    the first nan or inf, under at.debug()
└── ShardError, a RuntimeError       a shard that could not be loaded or computed
"""

import pickle
from typing import Any


class AutotinyError(Exception):
    """Base class of the errors of autotiny."""


class ShapeError(AutotinyError, ValueError):
    """Operands or gradients whose shapes do not fit."""


class UnsupportedError(AutotinyError, TypeError):
    """An operation, option or value that cannot be recorded or differentiated."""


class StaleError(AutotinyError, RuntimeError):
    """A value that was changed after it was recorded."""


class NonFiniteError(AutotinyError, ArithmeticError):
    """The first nan or inf, reported by the operation that made it."""


class ShardError(AutotinyError, RuntimeError):
    """A shard that could not be loaded or computed, its number, and the original error, also from another process."""

    def __init__(self, message: str, number: int, original: BaseException) -> None:
        super().__init__(message)
        self.number, self.original = number, original

    def __reduce__(self) -> Any:
        return ShardError, (str(self), self.number, _as_picklable(self.original))


def _as_picklable(error: BaseException) -> BaseException:
    """Return an error, or one with its words where pickle would lose it, or fail in the process that waits for it."""
    try:
        if type(pickle.loads(pickle.dumps(error))) is type(error):
            return error
    except Exception:
        pass
    return RuntimeError(f"{type(error).__name__}: {error}")
