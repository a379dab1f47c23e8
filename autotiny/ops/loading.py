"""Loading: the tables of operations that are imported when a function is first met that has no entry yet."""

import sys
from importlib import import_module
from typing import Any

from autotiny.ops.plain import PLAIN
from autotiny.ops.stable_forms import enter_forms
from autotiny.ops.table import COMPOSED, OPS

PROVIDERS = {"numpy": "autotiny.ops.rest"}
"""The modules that hold, or import, the further operations, by the library whose functions they are for."""

unfinished: list[str] = []
"""The modules that are being imported, in any thread; what they enter may refer to what they have not defined yet."""


def load_tables() -> None:
    """Import the further tables of every library that is imported. Who reads the whole table calls this first."""
    for library, module in PROVIDERS.items():
        if library in sys.modules:
            unfinished.append(module)
            try:
                import_module(module)  # waits for a thread that imports it
            finally:
                unfinished.remove(module)
    enter_forms()


def find(function: Any) -> None:
    """Load the tables if a function has no entry, or one of a table that is being loaded."""
    if unfinished or not (function in OPS or function in COMPOSED or function in PLAIN):
        load_tables()
