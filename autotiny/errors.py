"""The errors that autotiny raises.

AutotinyError
├── ShapeError, a ValueError         operands that do not fit together
├── UnsupportedError, a TypeError    an operation, option or value that cannot be recorded or differentiated
├── StaleError, a RuntimeError       a value that was changed after it was recorded
└── NonFiniteError, an ArithmeticError    the first nan or inf, under at.debug()
"""


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
