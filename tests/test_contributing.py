"""CONTRIBUTING's map is the package's, and its recipes name files that exist."""

import re
import tomllib
from pathlib import Path

import grimp

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "autotiny"
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
MAP = re.findall(r"^\| `(\w+)/` \|[^|]+\| `(\w+\.py)` \|$", CONTRIBUTING, re.MULTILINE)
FOLDERS = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}


def layers():
    """The folders in the order of the contract, lowest first; readers, which share a layer, in the contract's order."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (contract,) = [contract for contract in contracts if contract["type"] == "layers"]
    names = [name for layer in reversed(contract["layers"]) for name in layer.split(" | ")]
    return [name for name in names if name in FOLDERS]


def test_map_names_every_folder_in_the_order_of_the_layers():
    folders = [folder for folder, _ in MAP]
    assert folders == layers()
    assert set(folders) == FOLDERS


def test_every_file_of_the_map_exists():
    assert [f"{folder}/{file}" for folder, file in MAP if not (PACKAGE / folder / file).exists()] == []


def test_every_file_that_a_recipe_names_exists():
    named = re.findall(r"(?<![\w/])((?:autotiny|tests|tools|notebooks)/[\w/.]*)", CONTRIBUTING)
    assert len(named) > 30
    assert [name for name in named if not (ROOT / name.rstrip(".")).exists()] == []


def test_recipes_are_numbered_from_one():
    recipes = re.split(r"^### ", CONTRIBUTING.split("## Tests, linters")[0], flags=re.MULTILINE)[1:]
    assert len(recipes) == 8
    for recipe in recipes:
        steps = [int(number) for number in re.findall(r"^(\d+)\. ", recipe, re.MULTILINE)]
        assert steps == list(range(1, len(steps) + 1))


def test_tests_have_the_folders_of_the_package():
    folders = {path.parent.name for path in (ROOT / "tests").glob("*/test_*.py")}
    assert folders - {"tools"} == FOLDERS


def test_no_file_imports_its_own_package():
    """A circle through `__init__`, which the contract on siblings does not see."""
    graph = grimp.build_graph("autotiny", cache_dir=None)
    packages = {f"autotiny.{folder}" for folder in FOLDERS}
    files = {(file, package) for package in packages for file in graph.find_descendants(package)}
    assert [pair for pair in sorted(files) if graph.direct_import_exists(importer=pair[0], imported=pair[1])] == []
