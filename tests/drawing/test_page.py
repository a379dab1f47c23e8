"""The page that steps: it loads nothing, and no name in it does harm."""

import base64
import hashlib
import html
import re
import sys
import zlib
from html.parser import HTMLParser

import numpy as np
import pytest

import autotiny as at
from autotiny.drawing import GraphvizMissingError, stepping
from autotiny.drawing.groups import Group
from autotiny.drawing.steps import StepBuilder
from drawing.conftest import HOSTILE

CONTROLS = "[\x00-\x08\x0b\x0c\x0e-\x1f\u202a-\u202e\u2066-\u2069]"


class Tags(HTMLParser):
    """Every tag of a page with its attributes, and the text of scripts."""

    def __init__(self, page):
        super().__init__()
        self.found, self.scripts, self.in_script = [], [], False
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))
        self.in_script = tag == "script"

    def handle_endtag(self, tag):
        self.in_script = False

    def handle_data(self, data):
        if self.in_script:
            self.scripts.append(data)


@pytest.fixture
def without_graphviz(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "pygraphviz", None)
    monkeypatch.setenv("PATH", str(tmp_path))


@pytest.fixture
def page(flagship):
    return at.draw(flagship).steps.html


def test_page_holds_the_picture_and_every_step(page, flagship):
    tags = [tag for tag, _ in Tags(page).found]
    assert tags.count("li") == len(at.draw(flagship).steps.steps)
    assert 'aria-labelledby="at' in page
    assert "∂J/∂W1 through" in page


def test_page_names_the_hash_of_its_only_script(page):
    (script,) = Tags(page).scripts
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in page
    assert "default-src 'none'" in page


def test_page_loads_nothing_and_has_no_inline_handlers(page):
    for tag, attributes in Tags(page).found:
        assert not {name for name in attributes if name.startswith("on")}, tag
        assert not {"src", "href", "xlink:href", "action"} & attributes.keys(), tag
    assert "@import" not in page
    assert "url(" not in page


@pytest.mark.parametrize("form", ["html", "svg"])
def test_hostile_names_do_no_harm(hostile, form):
    page = getattr(at.draw(hostile).steps, form)
    tags = Tags(page)
    assert [tag for tag, _ in tags.found].count("script") == (form == "html")
    assert not any("alert" in script for script in tags.scripts)
    assert not re.search(CONTROLS, page)
    assert page.encode("utf-8")


def test_hostile_names_of_groups_do_no_harm():
    x = at.Tensor(2.0)
    for name in HOSTILE:
        with at.scope(name):
            x = x * 0.5 + 1
    page = at.draw(x, depth=1).steps.html
    assert [tag for tag, _ in Tags(page).found].count("script") == 1
    assert len(views(page)) == 1 + len(HOSTILE)
    assert not re.search(CONTROLS, page)
    assert page.encode("utf-8")


def test_page_is_the_same_in_every_run(flagship):
    assert at.draw(flagship).steps.html == at.draw(flagship).steps.html


def test_every_control_has_a_name(page):
    tags = Tags(page).found
    assert all("aria-label" in attributes for tag, attributes in tags if tag in ("button", "input"))
    assert any(attributes.get("aria-live") == "polite" for _, attributes in tags)
    assert ("html", {"lang": "en"}) in tags


def test_notebook_form_is_the_page_in_a_frame_of_its_own(square):
    bundle = at.draw(square).steps._repr_mimebundle_()
    ((tag, attributes),) = Tags(bundle["text/html"]).found
    assert (tag, attributes["sandbox"]) == ("iframe", "allow-scripts")
    assert attributes["srcdoc"] == at.draw(square).steps.html
    assert "backward: Backprop starts at y" in bundle["text/plain"]


def test_save_writes_the_page_and_the_picture_that_plays(square, tmp_path):
    at.draw(square).save(tmp_path / "net.html")
    at.draw(square).steps.save(tmp_path / "play.svg")
    assert (tmp_path / "net.html").read_text(encoding="utf-8") == at.draw(square).steps.html
    assert (tmp_path / "play.svg").read_text(encoding="utf-8") == at.draw(square).steps.svg


def test_save_of_steps_names_the_endings_it_knows(square):
    with pytest.raises(ValueError, match=r"draw: steps are saved in a file that ends in .html or .svg; got 'net.png'"):
        at.draw(square).steps.save("net.png")


def test_without_graphviz_the_notebook_form_is_text(square, without_graphviz):
    bundle = at.draw(square).steps._repr_mimebundle_()
    assert list(bundle) == ["text/plain"]
    assert "pip install pygraphviz" in bundle["text/plain"]
    with pytest.raises(GraphvizMissingError, match="Graphviz lays the picture out, and there is none here"):
        _ = at.draw(square).steps.html


# ----- groups that open -----
@pytest.fixture
def nested():
    x = at.Tensor(2.0, name="x")
    with at.scope("outer & <b>"):
        y = x * x
        with at.scope("inner"):
            y = y * y + y
    return y * 3


def views(page):
    return [
        (attributes["data-view"], attributes["data-parent"], html.unescape(attributes["data-title"]))
        for _, attributes in Tags(page).found
        if "data-view" in attributes
    ]


def test_page_has_a_view_for_every_group_that_opens(nested):
    (first, _, _), (outer, of_outer, title), (_, of_inner, inner) = views(at.draw(nested, depth=1).steps.html)
    assert (first, of_outer, title) == ("", "", "outer & <b>")
    assert (of_inner, inner) == (outer, "inner")


def test_groups_that_are_open_already_have_no_view(nested):
    assert len(views(at.draw(nested, depth=3).steps.html)) == 1


@pytest.fixture
def blocks():
    x = at.Tensor(1.0, name="x")
    w = at.Tensor(0.5, name="w")
    for i in range(26):
        with at.scope(f"block {i}"):
            x = x * w
    return x


def test_every_group_opens_and_what_opens_is_packed(blocks):
    page = at.draw(blocks, depth=1).steps.html
    assert len(views(page)) == 27
    packed = unpacked(page)
    assert len(packed) == 26
    assert all('<ol class="steps"' in content and "<svg" in content for content in packed.values())


def test_views_are_as_many_as_their_edges_allow(blocks, monkeypatch):
    monkeypatch.setattr(stepping, "MOST_EDGES", 200)
    assert 2 < len(views(at.draw(blocks, depth=1).steps.html)) < 10


def test_a_group_of_a_large_graph_opens_among_its_neighbours(blocks, monkeypatch):
    monkeypatch.setattr(stepping, "MOST_WHOLE", 0)
    page = at.draw(blocks, depth=1).steps.html
    (block,) = (name for name, _, title in views(page) if title == "block 20")
    shown = cards(page)[block]
    w, before, result, after = (line.split(" = ")[0] for line in shown)
    assert (w, before, result[0], after) == ("w", "block 19", "t", "block 21")


def unpacked(page):
    return {
        name: zlib.decompress(base64.b64decode(packed)).decode()
        for name, packed in re.findall(r'data-view="(\w+)"[^>]* data-packed hidden>([^<]+)<', page)
    }


def cards(page):
    return {
        attributes["data-view"]: attributes["data-cards"].split("\n")
        for _, attributes in Tags(page).found
        if "data-cards" in attributes
    }


@pytest.mark.parametrize("lines", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_among_its_neighbours_a_group_has_the_steps_of_the_whole_picture(seed, lines):
    loss = random_scopes(np.random.default_rng(seed), lines)
    loss.backward()
    steps = at.draw(loss, depth=1).steps
    groups = [item for item in steps.picture.items if isinstance(item, Group)]
    for group in groups:
        near, whole = (
            {f"{step.moment} {step.sentence} {step.total}" for step in StepBuilder(picture, steps._flows).steps()}
            for picture in (steps.picture.around(group.id), steps.picture.with_opened(group.id))
        )
        assert set(map(without_paths, near)) <= set(map(without_paths, whole))
        complete = [{without_paths(step) for step in those if "complete" in step} for those in (near, whole)]
        assert complete[0] <= complete[1]
    assert len(groups) > 3


def without_paths(step):
    """A step without the number of its path."""
    return re.sub(r"\((the only path|path \d+ of \d+).*?\)", "", step)


def random_scopes(rng, named):
    """A loss of dozens of operations in seven scopes, which use the last values and those of before all scopes."""
    pool = [at.Tensor(rng.normal(size=3), name=name) for name in "abc"]
    for block in range(7):
        with at.scope(f"block {block}"):
            for _ in range(5):
                x, y = rng.integers(3), rng.integers(max(len(pool) - 4, 0), len(pool))
                pool.append([np.sin, np.tanh, np.exp][rng.integers(3)](pool[x] * 0.3) + pool[y])
                if named:
                    pool[-1].name = f"y{len(pool)}"
    return np.sum(pool[-1])


def test_labels_of_edges_are_left_out_where_there_are_many(square):
    square.backward()
    drawn = at.draw(square)
    assert "∂ 3" in drawn.svg
    assert "∂ 3" not in re.sub("<title>.*?</title>|<desc.*?</desc>", "", drawn.without_labels().svg, flags=re.DOTALL)
    assert "∂ 3" in drawn.svg
