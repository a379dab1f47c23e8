"""Three ways to a picture: pygraphviz, a dot on the PATH, and neither."""

import os
import shutil
import subprocess
import sys
from xml.dom import minidom

import pytest

import autotiny as at
from autotiny.drawing import GraphvizMissingError
from autotiny.drawing.render import render

DOT = 'digraph autotiny { n0 [label="x"]; n0 -> n1; n0 -> n1 }'

# Stands in for Graphviz's dot where the machine has none: the same command line, laid out by pygraphviz.
STAND_IN = f"""#!{sys.executable}
import re, sys, pygraphviz
kind = re.search(r"-T ?(\\w+)", " ".join(sys.argv))[1]
sys.stdout.buffer.write(pygraphviz.AGraph(string=sys.stdin.read()).draw(format=kind, prog="dot"))
"""


@pytest.fixture
def without_pygraphviz(monkeypatch):
    monkeypatch.setitem(sys.modules, "pygraphviz", None)


@pytest.fixture
def with_dot(monkeypatch, tmp_path):
    if shutil.which("dot") is None:
        pytest.importorskip("pygraphviz")
        (tmp_path / "dot").write_text(STAND_IN)
        (tmp_path / "dot").chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")


@pytest.fixture
def without_dot(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))


def test_pygraphviz_lays_out_where_there_is_no_dot(without_dot):
    pytest.importorskip("pygraphviz")
    assert minidom.parseString(render(DOT, "svg")).documentElement.tagName == "svg"


def test_dot_on_the_path_lays_out_where_there_is_no_pygraphviz(with_dot, without_pygraphviz, square):
    svg = at.draw(square).svg
    assert svg.startswith("<svg")
    assert svg.count('class="edge ') == 2
    assert render(at.draw(square).dot, "png").startswith(b"\x89PNG")


def test_without_any_graphviz_the_error_names_both_remedies(without_dot, without_pygraphviz, square):
    with pytest.raises(GraphvizMissingError, match=r"pip install pygraphviz .*or put Graphviz's dot on the PATH"):
        _ = at.draw(square).svg


def test_without_any_graphviz_text_and_dot_still_work(without_dot, without_pygraphviz, square, tmp_path):
    drawn = at.draw(square)
    drawn.save(tmp_path / "net.dot")
    assert (tmp_path / "net.dot").read_text() == drawn.dot
    shown = drawn._repr_mimebundle_()
    assert set(shown) == {"text/plain"}
    assert shown["text/plain"].startswith(repr(drawn))
    assert "pip install pygraphviz" in shown["text/plain"]


def test_a_failure_leaves_no_file_behind(without_dot, without_pygraphviz, square, tmp_path):
    with pytest.raises(GraphvizMissingError):
        at.draw(square).save(tmp_path / "net.png")
    assert not (tmp_path / "net.png").exists()


RENDER_HOSTILE_NAMES = """
import numpy as np, autotiny as at
from autotiny.drawing.render import render
from drawing.conftest import HOSTILE
source = at.draw(np.sum(np.stack([at.Tensor(1.0, name=name) for name in HOSTILE]))).dot
for kind in ("svg", "png", "pdf"):
    render(source, kind)
"""


def printed_by_rendering(**environment):
    """What a fresh process prints: fonts are loaded once in each."""
    pytest.importorskip("pygraphviz")
    environment["PYTHONPATH"] = os.pathsep.join(sys.path)
    command = [sys.executable, "-c", RENDER_HOSTILE_NAMES]
    done = subprocess.run(command, env=environment, capture_output=True, check=True)
    return done.stdout + done.stderr


def test_rendering_hostile_names_prints_nothing():
    assert printed_by_rendering() == b""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere Graphviz may measure text without fontconfig")
def test_a_message_about_missing_fonts_is_not_held_back(tmp_path):
    assert b"Cannot load default config file" in printed_by_rendering(FONTCONFIG_FILE=str(tmp_path / "nowhere"))


@pytest.mark.parametrize("without", ["pygraphviz", "dot"])
def test_gradients_are_groups_of_their_own_and_no_links(without, request, with_dot, square, tmp_path):
    request.getfixturevalue(f"without_{without}")
    square.backward()
    drawn = at.draw(square)
    assert drawn.svg.count('<g class="gradient">') == 2
    assert "<a " not in drawn.svg
    drawn.save(tmp_path / "square.pdf")
    assert b"/Annot" not in (tmp_path / "square.pdf").read_bytes()
