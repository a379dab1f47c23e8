"""The errors that autotiny raises itself."""


class AutotinyError(Exception):
    """Base of every error that the engine raises by its own name."""
