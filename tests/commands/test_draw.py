import argparse
import shlex
import sys
import webbrowser
from xml.dom import minidom

import numpy as np
import pytest

from autotiny.commands.arguments import InputError
from autotiny.commands.draw import EXAMPLES, add_arguments, run
from autotiny.commands.main import main
from autotiny.errors import UnsupportedError
from autotiny.language import ExpressionError

PRODUCT = ("a*b + a", "--set", "a=2", "--set", "b=3")


def draw(*arguments):
    parser = argparse.ArgumentParser(prog="autotiny draw")
    add_arguments(parser)
    return run(parser.parse_args([str(argument) for argument in arguments]))


@pytest.fixture(autouse=True)
def opened(monkeypatch, tmp_path):
    """Whatever a browser was asked to open."""
    monkeypatch.chdir(tmp_path)
    urls = []
    monkeypatch.setattr(webbrowser, "open", urls.append)
    return urls


def test_the_graph_is_printed_and_nothing_is_opened(capsys, opened):
    assert draw(*PRODUCT) == 0
    printed = capsys.readouterr().out
    assert [line.split()[0] for line in printed.splitlines()[:4]] == ["name", "a", "b", "t1"]
    assert "4 = Σ 2" in printed
    assert opened == []


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("net.svg", b"<svg"),
        ("net.png", b"\x89PNG"),
        ("net.pdf", b"%PDF"),
        ("net.dot", b"digraph"),
        ("net.html", b"<!doctype html>"),
    ],
)
def test_the_ending_chooses_the_form(name, start, tmp_path, capsys, opened):
    assert draw(*PRODUCT, "-o", name) == 0
    assert capsys.readouterr().out == f"wrote {name}\n"
    assert (tmp_path / name).read_bytes().startswith(start)
    assert opened == []


def test_a_slide_has_the_direction_digits_and_text_that_are_asked_for(tmp_path):
    slide = ("--direction", "down", "--digits", 2, "--text-size", 18, "--legend", "--highlight", "b")
    assert draw("a*b + a / 3", "--set", "a=2", "--set", "b=3", "--no-constants", *slide, "-o", "slide.dot") == 0
    source = (tmp_path / "slide.dot").read_text()
    assert "rankdir=TB" in source
    assert ">6.7<" in source
    assert ">6.667<" not in source
    assert 'POINT-SIZE="18"' in source
    assert 'POINT-SIZE="9"' not in source
    assert "constant" not in source
    assert "the order in which backprop visits" in source
    assert 'color="#D55E00"' in source


def test_a_size_of_text_that_cannot_be_read_is_refused():
    with pytest.raises(UnsupportedError, match="text_size: expected points from 6 to 48; got 500"):
        draw(*PRODUCT, "--text-size", 500)


def test_open_shows_the_file(tmp_path, opened):
    assert draw(*PRODUCT, "-o", "net.html", "--open") == 0
    assert opened == [(tmp_path / "net.html").as_uri()]


def test_steps_are_printed_as_text(capsys):
    assert draw(*PRODUCT, "--steps") == 0
    assert "backward: ∂output/∂b through t1 = a * b" in capsys.readouterr().out


def test_steps_play_in_an_svg(tmp_path):
    assert draw(*PRODUCT, "--steps", "-o", "play.svg") == 0
    assert "@keyframes" in (tmp_path / "play.svg").read_text()
    minidom.parse(str(tmp_path / "play.svg"))


def test_assigned_values_keep_their_names(capsys):
    draw("Z = W @ x; sum(tanh(Z))", "--set", "W=[[1,2],[3,4]]", "--set", "x=[1,0.5]")
    assert "Z " in capsys.readouterr().out


def test_a_result_of_several_numbers_is_drawn_without_gradients(capsys):
    assert draw("W @ x", "--set", "W=[[1,2],[3,4]]", "--set", "x=[1,0.5]") == 0
    printed = capsys.readouterr().out
    assert printed.startswith("without gradients, as the result has shape (2,): take its sum or mean for them\n\n")
    assert "Σ" not in printed


def test_a_function_of_the_users_own_is_drawn(tmp_path, capsys):
    np.savez("data.npz", W=np.eye(2), x=np.ones((2, 3)))
    (tmp_path / "net.py").write_text("import numpy as np\ndef loss(W, x):\n    return np.sum(np.tanh(W @ x))\n")
    assert draw("net.py:loss", "--args", "data.npz") == 0
    assert "tanh(t1)" in capsys.readouterr().out


def test_focus_leaves_out_what_does_not_lie_on_the_way(capsys):
    draw("Z = a * b; exp(Z) + c * b", "--set", "a=1", "--set", "b=2.5", "--set", "c=3", "--focus", "Z")
    names = [line.split()[0] for line in capsys.readouterr().out.split("\n\n")[0].splitlines()]
    assert "a" not in names
    assert "c" not in names
    assert "Z" in names


def test_depth_and_expand_choose_the_groups(tmp_path, capsys):
    (tmp_path / "net.py").write_text(
        "import autotiny as at\ndef loss(x):\n    with at.scope('inner'):\n        y = x * x + x\n    return y * 2\n"
    )
    draw("net.py:loss", "--set", "x=1.5", "--depth", 1)
    closed = capsys.readouterr().out
    draw("net.py:loss", "--set", "x=1.5", "--depth", 1, "--expand", "inner")
    assert "⊞" in closed
    assert "⊞" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ([*PRODUCT, "--open"], InputError, "--open shows the file that -o names: add -o FILE, such as -o net.html"),
        ([*PRODUCT, "-o", "net.jpg"], InputError, r"ends in one of \.svg, .*\.html; got 'net.jpg'"),
        ([*PRODUCT, "--steps", "-o", "net.png"], InputError, r"steps are saved in a file that ends in .html or .svg"),
        ([*PRODUCT, "--focus", "c"], InputError, "there is no value named c, only a, b"),
        ([*PRODUCT, "--expand", "layer"], UnsupportedError, "expand='layer': there is no such group"),
        (["a*b + c", "--set", "a=2", "--set", "b=3"], ExpressionError, "c"),
        (["2 + 3"], InputError, "the result depends on no value that was set; set one with --set"),
        (["net.py:loss"], InputError, "net.py: there is no such file"),
        (["a", "--set", "a"], InputError, "--set 'a': expected NAME=VALUE"),
    ],
)
def test_bad_input_is_reported(arguments, error, message):
    with pytest.raises(error, match=message):
        draw(*arguments)


@pytest.mark.parametrize("depth", ["0", "-1", "two"])
def test_depth_is_a_whole_number_from_1(depth, capsys):
    with pytest.raises(SystemExit):
        draw(*PRODUCT, f"--depth={depth}")
    assert f"expected a whole number of at least 1; got '{depth}'" in capsys.readouterr().err


def test_command_line_ends_with_exit_codes(capsys, tmp_path):
    assert main(["draw", *PRODUCT]) == 0
    assert main(["draw", *PRODUCT, "-o", str(tmp_path / "no" / "net.svg")]) == 2
    assert main(["draw", "a +", "--set", "a=2"]) == 2
    assert "syntax error" in capsys.readouterr().err


def test_without_graphviz_the_command_says_what_to_install(monkeypatch, capsys, tmp_path):
    monkeypatch.setitem(sys.modules, "pygraphviz", None)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(["draw", *PRODUCT, "-o", "net.html"]) == 2
    assert "pip install pygraphviz" in capsys.readouterr().err


def test_examples_of_the_help_run(tmp_path):
    np.savez("data.npz", W=np.eye(2), x=np.ones((2, 3)), y=np.zeros((2, 3)))
    (tmp_path / "net.py").write_text("import numpy as np\ndef loss(W, x):\n    return np.sum(np.tanh(W @ x))\n")
    examples = EXAMPLES.split("\n\n")[0].splitlines()[1:]
    assert len(examples) == 6
    for example in examples:
        assert main(shlex.split(example)[1:]) == 0
