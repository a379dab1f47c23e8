"""Links from the pages of notebooks into the playground."""

import json
import re
from urllib.parse import unquote

import links
import pytest

HOME = "../play/index.html"


@pytest.fixture
def linked(tmp_path):
    """The decoded fragments of the links in a notebook of these cells, None for each cell without one."""

    def linked(*cells):
        path = tmp_path / "a.ipynb"
        made = [
            {"cell_type": "code", "source": ["import autotiny as at\n", "import numpy as np\n", text]} for text in cells
        ]
        path.write_text(json.dumps({"cells": made}))
        found = list[str | None]()
        for cell in json.loads(links.with_links(path, HOME))["cells"]:
            if cell["cell_type"] == "code":
                found.append(None)
            else:
                found[-1] = unquote(re.search(rf'href="{HOME}([^"]*)"', cell["source"][0])[1].replace("&amp;", "&"))
        return found

    return linked


def test_what_is_drawn_opens_with_its_values(linked):
    assert linked("w = at.Tensor([1.0, 2.0])", "y = np.sum(w * w)\nat.draw(y)") == [
        None,
        "#let.w=1.0,2.0&program=y = sum(w * w)&view=graph",
    ]


def test_what_is_derived_opens_by_the_same_tensor(linked):
    (opened,) = linked("a = at.Tensor(2.0)\nb = a * 3\ny = b * b\nat.derive(y, b)")
    assert opened == "#let.a=2.0&program=b = a * 3\ny = b * b&view=derivation&about=b"


def test_a_tensor_may_be_named_by_a_text(linked):
    (opened,) = linked("a = at.Tensor(2.0)\ny = a * a\nat.derive(y, 'a')")
    assert opened.endswith("&about=a")


def test_what_a_loop_derives_has_no_link(linked):
    assert linked("a = at.Tensor(2.0)\ny = a * a\n[at.derive(y, each) for each in 'a']") == [None]


def test_the_same_has_one_link(linked):
    assert linked("x = at.Tensor(2.0)\ny = x * x\nat.draw(y)", "at.draw(y)")[1] is None


@pytest.mark.parametrize(
    "cell",
    [
        "at.draw(at.Tensor(1.0) * 2)",
        "y = at.Tensor([1.0, 2.0]) * 2\nat.draw(y)",
        "x = at.Tensor(np.ones(5000))\ny = np.sum(x)\nat.draw(y)",
        "d = at.operation(lambda g, y, x: 2 * g)(lambda x: 2 * x)\ny = d(at.Tensor(8.0))\nat.draw(y)",
    ],
    ids=["no name", "no number", "too large", "an operation of its own"],
)
def test_what_the_playground_cannot_show_has_none(linked, cell):
    assert linked(cell) == [None]


def test_another_value_in_the_playground_has_no_link(linked, monkeypatch):
    monkeypatch.setattr(links, "answer", lambda *_: {"loss": 4.1})
    assert linked("x = at.Tensor(2.0)\ny = x * x\nat.draw(y)") == [None]


def test_another_formula_in_the_playground_has_no_link(linked):
    named = "w = at.Tensor([1.0, 2.0])\nt = np.array([0.0, 1.0])\np = at.sigmoid(w)\n"
    entropy = "y = -np.sum(t * np.log(p) + (1 - t) * np.log(1 - p))\n"
    assert linked(named + entropy + "at.draw(y)") != [None]
    assert linked(named + entropy + "at.derive(y, w)") == [None]  # where 1 - t has been computed, no p - t is left


def test_cells_after_the_last_picture_are_not_run(linked):
    assert linked("x = at.Tensor(2.0)\nat.draw(x)", "1 / 0") == [None, None]


def test_a_missing_package_is_printed(linked, capsys):
    assert linked("import no_such_package\nx = at.Tensor(2.0)\ny = x * x\nat.draw(y)") == [None]
    assert (
        "a.ipynb: no links into the playground, since here is No module named 'no_such_package'"
        in capsys.readouterr().out
    )


def test_every_example_of_the_playground_has_its_link():
    items = list(links.examples())
    assert len(items) == 7
    assert items[0].startswith('- <a class="open-playground" href="play/index.html#let.a=0.5&amp;let.b=-1.5&amp;')
