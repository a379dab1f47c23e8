import sys

import pytest

from autotiny.commands.arguments import InputError, call, load


@pytest.fixture
def write(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))

    def write(text, name="net.py"):
        path = tmp_path / name
        path.write_text(text)
        return path

    return write


def test_file_may_import_its_neighbours_and_be_called_numpy(write):
    write("SCALE = 3\n", "neighbour_of_net.py")
    path = write("from neighbour_of_net import SCALE\ndef loss(x):\n    return SCALE * x\n", "numpy.py")
    assert call(load(path, "loss"), path, {"x": 2, "unused": 0}) == 6
    assert sys.modules["numpy"].__file__ != str(path)


def test_parameters_are_given_by_name_whatever_their_kind(write):
    path = write("def f(a, /, b, c=1, *rest, d, **more):\n    return a, b, c, d\n")
    assert call(load(path, "f"), path, {"d": 4, "b": 2, "a": 1}) == (1, 2, 1, 4)


@pytest.mark.parametrize(
    ("text", "name", "message"),
    [
        ("def loss(): pass", "los", r"net\.py: there is no function los; did you mean loss\?"),
        ("loss = 3", "loss", r"there is no function loss"),
        ("def loss(:\n", "loss", r"net\.py:1: invalid syntax"),
        ("\n\n1 / 0", "loss", r"net\.py:3: ZeroDivisionError: division by zero"),
        ("import nowhere_at_all", "loss", r"net\.py:1: ModuleNotFoundError: No module named"),
        ("import sys\nsys.exit()", "loss", r"net\.py:2: SystemExit"),
    ],
)
def test_an_error_in_a_file_has_its_line(text, name, message, write):
    with pytest.raises(InputError, match=message):
        load(write(text), name)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("def f(x):\n    return x.nothing\n", r"net\.py:2: AttributeError"),
        ("def f(x):\n    return f(x)\n", r"net\.py:2: RecursionError"),
        ("import sys\ndef f(x):\n    sys.exit(0)\n", r"net\.py:3: SystemExit: 0"),
        ("def f(x, y, z):\n    return x\n", r"f needs y, z; got x: use --args or --set"),
    ],
)
def test_an_error_in_a_function_has_its_line(text, message, write):
    path = write(text)
    with pytest.raises(InputError, match=message):
        call(load(path, "f"), path, {"x": 1.0})


def test_a_missing_file_is_reported(tmp_path):
    with pytest.raises(InputError, match=r"net\.py: there is no such file"):
        load(tmp_path / "net.py", "loss")
