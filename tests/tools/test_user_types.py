"""The types that user code has: those that are stated are those when it runs, and the check of them can fail."""

import importlib.util
import runpy
import typing

import numpy as np
import pytest

import user_types


def holds(value, kind):
    """Whether a value is of a stated type; a number of NumPy's may stand for an array without axes."""
    origin, parts = typing.get_origin(kind), typing.get_args(kind)
    if kind is typing.Any:
        return True
    if origin is np.ndarray:
        return isinstance(value, np.ndarray | np.generic)
    if origin is tuple and parts[-1] is not ...:
        return isinstance(value, tuple) and all(map(holds, value, parts))
    return isinstance(value, kind if origin is None or not parts or origin is type(str | None) else origin)


@pytest.mark.parametrize("folder", [user_types.STRICT, user_types.WITH_PLUGIN], ids=lambda folder: folder.name)
def test_the_stated_types_are_those_when_the_code_runs(folder, monkeypatch):
    wrong = []

    def assert_type(value, kind):
        if not holds(value, kind):
            wrong.append(f"{value!r} is not {kind}")

    monkeypatch.setattr(typing, "assert_type", assert_type)
    runpy.run_path(str(folder / "expressions.py"), run_name="__main__")

    assert wrong == []


def test_a_wrongly_stated_type_would_be_found():
    assert not holds(1.0, np.ndarray[typing.Any, typing.Any])
    assert not holds((np.ones(1), 2.0), tuple[np.ndarray[typing.Any, typing.Any], str])


def test_the_code_of_readme_keeps_its_lines():
    readme = (user_types.ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    code = user_types.of_readme().splitlines()

    assert code[readme.index(">>> y.backward()")] == "y.backward()"
    assert len(code) == len(readme)
    compile("\n".join(code), "README.md", "exec")


WRONG = "import autotiny as at\n\nW: at.Tensor = at.grad(abs)\n"


@pytest.mark.thorough
@pytest.mark.parametrize("check", [user_types.mypy, lambda folder: user_types.pyright(folder, user_types.PYRIGHT)])
def test_a_wrong_type_is_an_error(check, tmp_path):
    if not importlib.util.find_spec("pyright"):
        pytest.skip("pyright is not installed")
    (tmp_path / "right.py").write_text(WRONG.replace("at.grad(abs)", "at.Tensor(1.0)"))
    assert check(tmp_path) == 0
    (tmp_path / "wrong.py").write_text(WRONG)
    assert check(tmp_path) != 0
