"""The errors that autotiny raises itself.

AutotinyError
├── ShapeError, a ValueError         operands that do not fit together
├── UnsupportedError, a TypeError    what cannot be recorded or differentiated
├── StaleError, a RuntimeError       a value that was changed after it was recorded
└── NonFiniteError, an ArithmeticError    the first nan or inf, under at.debug()
"""


class AutotinyError(Exception):
    """Base of every error that autotiny raises by its own name."""


class ShapeError(AutotinyError, ValueError):
    """Operands, or a gradient, whose shapes do not fit."""


class UnsupportedError(AutotinyError, TypeError):
    """Something that cannot be recorded or differentiated."""


class StaleError(AutotinyError, RuntimeError):
    """A value that was changed after it was recorded."""


class NonFiniteError(AutotinyError, ArithmeticError):
    """The first nan or inf, found where it arises."""
