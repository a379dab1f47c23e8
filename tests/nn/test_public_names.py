import subprocess
import sys

import pytest

from autotiny import nn


def test_public_names_are_sorted():
    assert nn.__all__ == sorted(nn.__all__)


@pytest.mark.parametrize("name", nn.__all__)
def test_every_public_name_has_a_docstring(name):
    assert getattr(nn, name).__doc__


PROGRAM = """
import sys
import autotiny
print([name for name in sys.modules if name.startswith("autotiny.nn")])
import autotiny.nn
print([name for name in ("rich", "pandas", "matplotlib", "graphviz") if name in sys.modules])
"""


def test_importing_autotiny_loads_nothing_of_nn_and_nn_loads_no_extra():
    result = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert result.stdout == "[]\n[]\n"
