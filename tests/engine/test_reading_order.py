"""The order in which the engine is to be read is true: each file imports only those before it."""

import ast
import re
from pathlib import Path

import pytest

import autotiny.engine

FOLDER = Path(autotiny.engine.__file__).parent
ORDER = re.findall(r"^(\w+)  +\S", autotiny.engine.__doc__, re.MULTILINE)


def imported(name):
    """The files of the engine that a file imports, wherever it does so."""
    tree = ast.parse((FOLDER / f"{name}.py").read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "autotiny.engine":
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module.startswith("autotiny.engine."):
            yield node.module.rpartition(".")[2]
        elif isinstance(node, ast.Import):
            assert not any(alias.name.startswith("autotiny") for alias in node.names)


def test_every_file_is_in_the_order():
    assert sorted(ORDER) == sorted(path.stem for path in FOLDER.glob("*.py") if path.stem != "__init__")


@pytest.mark.parametrize("name", ORDER)
def test_a_file_imports_only_those_before_it(name):
    assert set(imported(name)) <= set(ORDER[: ORDER.index(name)])


def test_only_tensor_and_its_readers_know_tensor():
    knowing = {name for name in ORDER if "tensor" in imported(name)}
    assert knowing == {"contributions", "transforms"}
