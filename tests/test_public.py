"""The public names of autotiny, and what importing them costs."""

import ast
import inspect
import subprocess
import sys
import types

import pytest

import autotiny

PUBLIC = [getattr(autotiny, name) for name in autotiny.__all__]


def in_a_new_process(code):
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code], check=True, capture_output=True, text=True, timeout=60
    ).stdout.split()


def test_all_is_sorted_and_lists_every_public_name():
    """Sub-packages and modules aside, which importing anything may add."""
    names = {n for n, v in vars(autotiny).items() if not n.startswith("_") and not isinstance(v, types.ModuleType)}
    assert autotiny.__all__ == sorted(autotiny.__all__)
    imported = {"import_module", "TYPE_CHECKING", "Any"}
    assert set(autotiny.__all__) == (names - imported) | set(autotiny._LOADED_WHEN_USED)


def test_dir_shows_the_public_names_and_no_others():
    shown = {name for name in dir(autotiny) if not name.startswith("_")}
    assert shown == {*autotiny.__all__, "nn", "scipy"}
    assert "__version__" in dir(autotiny)


def test_the_surface_fits_on_a_screen():
    assert len(autotiny.__all__) <= 60


def test_importing_costs_numpy_and_nothing_heavy():
    loaded = set(in_a_new_process("import autotiny, sys; print(*sys.modules)"))
    heavy = {"graphviz", "pygraphviz", "matplotlib", "rich", "jinja2", "PIL", "pandas", "scipy", "argparse", "sqlite3"}
    assert "numpy" in loaded
    assert not heavy & loaded


def test_importing_loads_no_reader_of_graphs():
    loaded = in_a_new_process("import autotiny, sys; print(*sys.modules)")
    readers = ("autotiny.nn", "autotiny.drawing", "autotiny.checking", "autotiny.commands.main", "autotiny.demo")
    assert [name for name in loaded if name.startswith(readers)] == []


def test_readers_load_when_they_are_first_used():
    asked = "import autotiny; print(callable(autotiny.compare), callable(autotiny.draw), autotiny.nn.__name__)"
    assert in_a_new_process(asked) == ["True", "True", "autotiny.nn"]


def test_readers_stay_callable_after_their_folders_were_imported():
    code = "import autotiny.checking, autotiny.drawing, autotiny as at; print(callable(at.compare), callable(at.draw))"
    assert in_a_new_process(code) == ["True", "True"]


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'autotiny' has no attribute 'gard'"):
        autotiny.gard  # noqa: B018 - asking for it is the test


@pytest.mark.parametrize("public", PUBLIC, ids=autotiny.__all__)
def test_every_public_name_has_a_docstring_that_starts_with_a_sentence(public):
    first = inspect.getdoc(public).split("\n\n")[0]
    assert first.endswith(".")


@pytest.mark.parametrize("public", PUBLIC, ids=autotiny.__all__)
def test_every_public_name_has_an_example(public):
    assert ">>>" in inspect.getdoc(public)


@pytest.mark.parametrize("public", PUBLIC, ids=autotiny.__all__)
def test_every_public_function_is_fully_annotated(public):
    function = public.__init__ if inspect.isclass(public) else public
    signature = inspect.signature(inspect.unwrap(function))
    assert signature.return_annotation is not inspect.Signature.empty
    unannotated = [
        p.name for p in signature.parameters.values() if p.annotation is p.empty and p.name not in ("self", "cls")
    ]
    assert unannotated == []


def test_the_version_is_one():
    assert autotiny.__version__.count(".") == 2


def test_type_checkers_know_every_name_that_is_loaded_when_first_used():
    """They do not see `__getattr__`, so that a misspelt name is an error."""
    tree = ast.parse(inspect.getsource(autotiny))
    blocks = [node for node in tree.body if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"]
    known = {alias.asname or alias.name for block in blocks for line in block.body for alias in line.names}
    assert known == {*autotiny._LOADED_WHEN_USED, "nn", "scipy"}
