"""The picture as a whole: DOT, SVG, files, notebooks, text."""

import re
import subprocess
import sys
from xml.dom import minidom

import numpy as np
import pytest

import autotiny as at
from autotiny.errors import UnsupportedError


def texts(svg):
    return [node.firstChild.data for node in minidom.parseString(svg).getElementsByTagName("text")]


def ids(svg):
    return [
        node.getAttribute("id")
        for node in minidom.parseString(svg).getElementsByTagName("*")
        if node.hasAttribute("id")
    ]


def test_square_draws_both_edges(square):
    drawn = at.draw(square)
    assert drawn.dot.count("n0 -> n1") == 2
    assert drawn.svg.count('class="edge ') == 2


def test_svg_has_names_operations_shapes_values_and_gradients(flagship):
    before, _ = texts(at.draw(flagship).svg), flagship.backward()
    after = texts(at.draw(flagship).svg)
    for said in ("W1", "(16, 4)", "X", "data", "variable", "Z2", "J", "exp(t6)", "−0.03125", "all 0", "W2 @ t3"):
        assert said in after, said
    assert f"{flagship.item():.4g}" in after
    assert before.count("—") == before.count("grad") == sum(said.startswith("grad") for said in after)
    assert "—" not in after


def test_svg_has_a_node_for_every_value(flagship):
    drawn = at.draw(flagship)
    assert drawn.svg.count('class="node ') == len(drawn.cards)
    assert drawn.svg.count('class="edge ') == len(drawn.edges) > len(drawn.cards)


def test_svg_is_described_in_words_and_fits_its_page(flagship):
    drawn = at.draw(flagship)
    root = minidom.parseString(drawn.svg).documentElement
    title, description = root.getElementsByTagName("title")[0], root.getElementsByTagName("desc")[0]
    assert title.firstChild.data == "Computation graph of J"
    assert "W1 = variable, shape (16, 4); value -" in description.firstChild.data
    assert root.getAttribute("aria-labelledby").split() == [title.getAttribute("id"), description.getAttribute("id")]
    assert "max-width:100%" in root.getAttribute("style")
    assert float(root.getAttribute("width")) > 0


def test_every_node_and_every_edge_has_its_sentence_as_tooltip(square):
    square.backward()
    svg = minidom.parseString(at.draw(square).svg)
    tooltips = [node.firstChild.data for node in svg.getElementsByTagName("title")[1:]]
    assert tooltips == [
        "x = variable, shape ()\nvalue 3\ndy/dx = dy/dy · dy/dx + dy/dy · dy/dx = 1 · 3 + 1 · 3 = 6",
        "y = x * x, shape ()\nvalue 9\ndy/dy = 1, where backprop starts",
        "local derivative 3, passes on g * x, contributes 3",
        "local derivative 3, passes on g * x, contributes 3",
    ]


def test_two_pictures_on_one_page_share_no_id(square, flagship):
    one, other = ids(at.draw(square).svg), ids(at.draw(flagship).svg)
    assert len(set(one)) == len(one) > 4
    assert not set(one) & set(other)


def test_hostile_names_leave_the_svg_well_formed(hostile):
    svg = at.draw(hostile).svg
    said = texts(svg)
    assert "<script>alert(" in " ".join(said)
    assert "\\N \\G \\L \\" in said
    assert not re.search(r"<script|on\w+=|javascript:", svg)
    assert "\x1b" not in svg
    assert "\u202e" not in svg


def test_hostile_names_leave_the_table_harmless(hostile):
    table = repr(at.draw(hostile))
    assert "\x1b" not in table
    assert len(at.draw(hostile).table.splitlines()) == 1 + len(at.draw(hostile).cards)


def test_dot_text_is_the_same_under_every_hash_seed():
    program = """
import numpy as np, autotiny as at
W, x, unused = at.Tensor([[1., 2.], [3., 4.]]), np.array([1., .5]), {'a', 'b', 'c'}
y = np.sum(np.tanh(W @ x) * W)
y.backward()
print(at.draw(y).dot)
"""
    runs = [
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "12345")
    ]
    assert runs[0] == runs[1] == runs[2]
    assert "W @ x" in runs[0]


def test_names_come_from_the_variables_where_draw_is_called():
    weights, inputs = at.Tensor(np.ones((2, 2))), np.ones(2)
    activity = weights @ inputs
    assert [card.name for card in at.draw(activity).cards] == ["weights", "inputs", "activity"]


def test_drawing_needs_graphviz_only_for_the_picture():
    program = """
import sys, autotiny as at
x = at.Tensor(3.0); y = x * x
assert 'y' in repr(at.draw(y))
assert not {'graphviz', 'pygraphviz', 'matplotlib'} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", program], env={"PYTHONPATH": ":".join(sys.path)}, check=True)


def test_short_graphs_run_from_left_to_right_and_long_ones_down(square, flagship):
    assert "rankdir=LR" in at.draw(square).dot
    assert "rankdir=TB" in at.draw(flagship).dot


@pytest.mark.parametrize(
    ("suffix", "start"), [(".svg", b"<svg "), (".png", b"\x89PNG"), (".pdf", b"%PDF"), (".dot", b"digraph autotiny {")]
)
def test_saving_writes_the_format_of_the_file_name(square, tmp_path, suffix, start):
    at.draw(square).save(tmp_path / f"net{suffix}")
    assert (tmp_path / f"net{suffix}").read_bytes().startswith(start)


def test_saved_svg_stands_alone(square, tmp_path):
    at.draw(square).save(str(tmp_path / "net.svg"))
    root = minidom.parse(str(tmp_path / "net.svg")).documentElement
    assert root.getAttribute("xmlns") == "http://www.w3.org/2000/svg"


@pytest.mark.parametrize("name", ["net.jpg", "net"])
def test_saving_under_another_ending_names_the_endings_there_are(square, name):
    with pytest.raises(ValueError, match=rf"ends in one of \.svg, \.png, \.pdf, \.dot, \.html; got '{name}'"):
        at.draw(square).save(name)


@pytest.mark.parametrize("name", ["net.SVG", "net.PNG", "net.Pdf", "net.DOT", "net.HTML"])
def test_an_ending_may_be_in_capitals(square, tmp_path, name):
    at.draw(square).save(tmp_path / name)
    at.draw(square).save(tmp_path / name.lower().replace("net", "same"))
    assert (tmp_path / name).stat().st_size > 100
    if name != "net.Pdf":  # which tells when it was made
        assert (tmp_path / name).read_bytes() == (tmp_path / name.lower().replace("net", "same")).read_bytes()


@pytest.mark.parametrize("shown", [lambda y: at.draw(y), lambda y: at.draw(y).steps])
@pytest.mark.parametrize(("path", "got"), [(None, "NoneType None"), (3, "int 3")])
def test_saving_without_a_file_name_is_an_error(shown, path, got, square):
    with pytest.raises(UnsupportedError, match=f"draw: expected a file name, such as 'net.svg'; got {got}"):
        shown(square).save(path)


def test_a_notebook_shows_inline_svg_and_a_terminal_the_table(square):
    drawn = at.draw(square)
    shown = drawn._repr_mimebundle_()
    assert set(shown) == {"text/html", "text/plain"}
    assert shown["text/html"].startswith(drawn.svg)
    assert shown["text/plain"] == repr(drawn)
    assert not hasattr(drawn, "_repr_svg_")
    assert repr(drawn).splitlines() == [
        "name  is        shape  value  gradient",
        "x     variable  ()     3      —",
        "y     x * x     ()     9      —",
        "",
        "y = x * x  9  grad —",
        "├─ x       3  grad —",
        "└─ x ↑",
    ]


def test_a_leaf_alone_can_be_drawn():
    (card,) = at.draw(at.Tensor(2.0, name="x")).cards
    assert (card.kind, card.origin) == ("output", "variable")


@pytest.mark.parametrize("value", [np.ones(3), 2.0, None])
def test_only_a_tensor_has_a_graph(value):
    with pytest.raises(UnsupportedError, match=f"draw: expected a Tensor; got {type(value).__name__}"):
        at.draw(value)


def test_a_tangled_graph_of_a_hundred_values_is_drawn():
    """A value used far from where it was made costs Graphviz most; without limits to its search this takes minutes."""
    values = [at.Tensor(1.0)]
    for i in range(100):
        values.append(values[-1] * values[i // 2])
    minidom.parseString(at.draw(values[-1]).svg)


def test_every_card_and_every_use_has_an_id_and_a_class_of_its_own(square):
    svg = at.draw(square).svg
    groups = minidom.parseString(svg).getElementsByTagName("g")
    named = {
        group.getAttribute("class").split()[-1]: group.getAttribute("id").split("-", 1)[-1] for group in groups[1:]
    }
    del named["gradient"]
    assert named == {name: name for name in ("n0", "n1", "e0-1-0", "e0-1-1")}


def test_a_static_picture_is_an_image(square):
    static = at.draw(square).static
    shown = static._repr_mimebundle_()
    assert set(shown) == {"image/svg+xml", "text/plain"}
    assert shown["image/svg+xml"] == at.draw(square).svg
    assert repr(static) == repr(at.draw(square))


def test_an_index_is_written_as_it_was():
    T = at.Tensor(np.ones((3, 4, 5)), name="T")
    picked = [T[0, :], T[1:, ::2], T[..., -1], T[None], T[[0, 2]], T[np.ones(3, bool)]]
    assert [at.draw(t).cards[-1].origin for t in picked] == [
        "T[0, :]",
        "T[1:, ::2]",
        "T[..., -1]",
        "T[None]",
        "T[[0, 2]]",
        "T[[True, True, True]]",
    ]


def test_a_transposed_constant_and_a_mask_are_called_so():
    X = np.ones((2, 3))
    W = at.Tensor(np.ones((2, 2)), name="W")
    drawn = at.draw(np.sum(np.where(W @ X @ X.T > 1, W, 0.0)))
    assert "Xᵀ" not in [card.name for card in drawn.cards]
    assert "mask" in [card.name for card in drawn.cards]
    assert "X.T" in [card.name for card in at.draw(X.T @ W).cards]


def test_the_dot_text_of_a_large_graph_is_the_same_under_every_hash_seed():
    program = """
import numpy as np, autotiny as at
x = [at.Tensor(float(i)) for i in range(20)]
for layer in range(4):
    with at.scope(f"layer {layer}"):
        x = [np.tanh(sum((a * b for b in x), at.Tensor(0.0))) for a in x[:10]]
y = sum(x)
y.backward()
print(at.draw(y).dot)
print(at.draw(y, expand="layer 1").dot)
w = at.Tensor(2.0)
print(at.draw(np.tanh(x[0].detach() * w) * w, gradients=w).dot)
"""
    runs = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "12345")
    }
    assert len(runs) == 1


def test_heat_maps_are_small_in_the_svg(flagship):
    """A cell is some twenty characters: Graphviz alone writes a hundred."""
    flagship.backward()
    svg = at.draw(flagship).svg
    assert len(svg) < 150_000
    assert not re.search(r'<polygon fill="#\w{6}" stroke="none"', svg)


def test_many_cards_have_histograms_in_place_of_heat_maps():
    x = at.Tensor(np.linspace(-1, 1, 50), name="x")
    y = x
    for _ in range(45):
        y = np.sin(y)
    drawn = at.draw(y)
    assert len(drawn.cards) == 46
    assert all(card.value.bars and not card.value.heat for card in drawn.cards)


def test_png_is_drawn_of_large_pictures_too(flagship, tmp_path):
    flagship.backward()
    at.draw(flagship, gradients=[flagship.parents[0]]).save(tmp_path / "both.png")
    assert (tmp_path / "both.png").stat().st_size > 10_000


@pytest.mark.parametrize("shape", [(8,), (9,), (1, 9), (2, 9), (3, 9), (4, 9), (12, 12), (30,), (2, 3, 9), (9, 1)])
def test_arrays_of_any_shape_are_drawn_and_stepped_through(shape):
    a = at.Tensor(np.arange(np.prod(shape)).reshape(shape) % 10.0, name="a")
    drawn = at.draw(np.sum(a * 2.0))
    assert drawn.svg.count('class="node ') == len(drawn.cards)
    assert "<html" in drawn.steps.html


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (
            {"focus": "nope"},
            "focus: expected a Tensor of the graph, or a list of them; got str 'nope'; pass .* itself: x, y$",
        ),
        ({"focus": ["x"]}, "focus: expected a Tensor .*; got str 'x'"),
        ({"focus": None}, "focus: expected a Tensor .*; got NoneType None"),
        ({"focus": 3}, "focus: expected a Tensor .*; got int 3"),
        ({"focus": "\x1b[2J" * 50}, r"focus: expected a Tensor .*; got str '\\x1b\[2J.{0,40}; pass"),
        ({"gradients": [3]}, "gradients: expected a Tensor of the graph, or a list of them; got int 3; pass .*: x, y$"),
        ({"gradients": "x"}, "gradients: expected a Tensor .*; got str 'x'"),
        ({"depth": "x"}, "depth: expected a whole number from 1, the levels of groups to show; got str 'x'; without"),
        ({"depth": -1}, "depth: expected a whole number from 1, .*; got int -1"),
        ({"depth": 0}, "depth: expected a whole number from 1, .*; got int 0"),
        ({"depth": 1.5}, "depth: expected a whole number from 1, .*; got float 1.5"),
        ({"expand": 3}, "expand: expected the name of a group as text; got int 3"),
    ],
)
def test_invalid_options_are_errors_with_the_mend(options, told, square):
    p = 3  # a variable that happens to be what was given
    with pytest.raises(UnsupportedError, match=f"^draw: {told}"):
        at.draw(square * p, **options)


def test_depth_may_be_a_number_of_numpy_s(square):
    assert at.draw(square, depth=np.int64(2)).cards
