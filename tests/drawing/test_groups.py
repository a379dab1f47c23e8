"""Large graphs in groups, and the parts of them that a user asks to see."""

import contextlib
import re
from xml.dom import minidom

import numpy as np
import pytest

import autotiny as at
from autotiny import nn
from autotiny.drawing import GraphTooLargeError
from autotiny.drawing.groups import READABLE
from autotiny.engine.graph import topological_order
from autotiny.errors import UnsupportedError


def scalar_network(sizes, scope=at.scope):
    """micrograd's network, a number for each weight."""
    rng = np.random.default_rng(0)
    values = [at.Tensor(x, requires_grad=False) for x in rng.normal(size=sizes[0])]
    for layer, width in enumerate(sizes[1:], 1):
        with scope(f"layer {layer}"):
            values = [neuron(values, rng, scope(f"neuron {i}")) for i in range(width)]
    return sum(values[1:], values[0])


def neuron(inputs, rng, scope):
    with scope:
        z = at.Tensor(0.0)
        for x in inputs:
            z = z + at.Tensor(rng.normal()) * x
        return np.tanh(z)


@pytest.fixture(scope="module")
def network():
    loss = scalar_network((2, 16, 16, 1))
    loss.backward()
    return loss


@pytest.fixture(scope="module")
def deep():
    """Five layers of nn, with their loss."""
    rng = np.random.default_rng(0)
    J = nn.Network((20, 16, 16, 16, 16, 3)).loss(rng.normal(size=(20, 8)), rng.integers(3, size=8))
    J.name = "J"
    J.backward()
    return J


def names(picture):
    return [card.name for card in picture.cards]


# ----- scopes -----
def test_a_small_graph_shows_its_scopes_as_boxes():
    x = at.Tensor(2.0, name="x")
    with at.scope("inner & <b>"):
        y = x * x
    drawn = at.draw(y + 1.0)
    assert names(drawn) == ["x", "y", "1", "t1"]
    assert "inner &amp; &lt;b&gt;" in drawn.svg
    minidom.parseString(drawn.svg)


def test_leaves_belong_to_the_scope_that_alone_uses_them_and_data_to_none():
    W, both = at.Tensor(np.ones((2, 2)), name="W"), at.Tensor(1.0, name="both")
    X = at.Tensor(np.ones((2, 2)), requires_grad=False, name="X")
    with at.scope("first"):
        A = W @ X * 2.0 + both
    J = np.sum(A) * both
    drawn = at.draw(J, depth=1)
    assert names(drawn) == ["both", "X", "first", "t3", "J"]
    assert drawn.cards[2].origin == "⊞ 5 values, W"


def test_each_time_that_a_scope_is_entered_is_a_group_of_its_own():
    x, again = at.Tensor(2.0, name="x"), at.scope("step")
    for _ in range(3):
        with again:
            x = x * x
    assert names(at.draw(x, depth=1)) == ["step", "step (2)", "step (3)"]


def test_nn_scopes_its_layers_by_itself(deep):
    drawn = at.draw(deep, depth=1)
    assert [name for name in names(drawn) if name.startswith("layer")] == [f"layer {l}" for l in range(1, 6)]
    assert {card.origin for card in drawn.cards if card.name == "layer 2"} == {"⊞ 5 values, W2, b2"}


def test_nn_inside_a_scope_is_nested():
    with at.scope("model"):
        Z = nn.Network((4, 3, 2))(np.ones((4, 5)))
    assert names(at.draw(Z, depth=1))[-1] == "model"
    assert [name for name in names(at.draw(Z, depth=2)) if "layer" in name] == ["layer 1", "layer 2"]


def test_a_composed_activation_belongs_to_its_layer():
    Z = nn.Network((4, 3, 2), activation="gelu")(np.ones((4, 5)))
    assert [name for name in names(at.draw(Z, depth=1)) if name != "array"] == ["layer 1", "layer 2"]


# ----- groups without a name -----
def test_identical_neurons_are_drawn_once(network):
    drawn = at.draw(network, expand=["layer 1", "layer 2"])
    assert [card.name for card in drawn.cards if "×" in card.name] == ["neuron 0 … neuron 15 × 16"] * 2
    stack = drawn.cards[2]
    assert (stack.origin, stack.shape) == ("⊞ 16 neurons, 8 values each", (16,))
    assert stack.gradient.heat


def test_a_network_without_scopes_is_grouped_by_what_is_alike():
    loss = scalar_network((2, 16, 16, 1), scope=lambda name: contextlib.nullcontext())
    drawn = at.draw(loss)
    assert len(drawn.cards) < 20
    assert [re.sub(r".* × ", "× ", name) for name in names(drawn) if "×" in name] == ["× 16", "× 16"]


def test_layers_one_after_the_other_are_not_taken_for_siblings(network):
    assert names(at.draw(network, depth=1)) == ["layer 1", "layer 2", "layer 3"]


@pytest.mark.parametrize("n", [61, 1000, 100_000])
def test_a_chain_of_any_length_is_shown_in_slices(n):
    y = at.Tensor(1.0)
    for _ in range(n):
        y = -y
    drawn = at.draw(y)
    assert 10 < len(drawn.cards) <= READABLE
    assert len(drawn.edges) == len(drawn.cards) - 1
    minidom.parseString(drawn.svg)


def test_every_value_is_in_the_picture_once(network):
    drawn = at.draw(network)
    shown = [node for group in drawn.root.children for node in getattr(group, "nodes", [group])]
    assert sorted(shown) == list(range(len(drawn.graph.values)))


def test_nothing_is_grouped_that_can_be_read(flagship):
    assert not [card for card in at.draw(flagship).cards if card.kind == "group"]


def test_edges_between_groups_stand_for_all_uses(network):
    drawn = at.draw(network, depth=1)
    (edge,) = [edge for edge in drawn.edges if edge.target == drawn.cards[-1].id]
    assert edge.count == 16
    assert edge.strength > 0


# ----- what a user asks for -----
def test_depth_says_how_many_levels_to_show(deep):
    assert len(at.draw(deep, depth=1).cards) < len(at.draw(deep, depth=2).cards) == len(at.draw(deep).cards)


def test_expand_opens_one_group(deep):
    shown = names(at.draw(deep, depth=1, expand="layer 2"))
    assert {"layer 1", "W2", "Z2", "A2", "layer 3"} <= set(shown)
    assert "W1" not in shown


def test_an_expanded_group_out_of_several_alike_is_shown_beside_them(network):
    shown = names(at.draw(network, depth=1, expand="layer 1/neuron 3"))
    assert "neuron 0 … neuron 15 × 15" in shown
    assert "neuron 3" not in shown
    assert len(shown) == 13


def test_expand_names_the_groups_there_are(deep):
    with pytest.raises(
        UnsupportedError, match=r"expand='layer 9': there is no such group; groups here: layer 1, layer 2"
    ):
        at.draw(deep, expand="layer 9")


def test_expand_in_a_graph_without_groups_says_none(square):
    with pytest.raises(UnsupportedError, match="groups here: none"):
        at.draw(square, expand="layer 1")


def test_focus_shows_only_what_lies_between(deep):
    W5 = next(value for value in topological_order(deep) if value.name == "W5")
    drawn = at.draw(deep, focus=W5)
    assert [card.origin for card in drawn.cards] == [
        "variable",
        "W5 @ A4 + b5",
        "-0.125 * expectation(array, log_softmax(Z5, axis=0))",
    ]
    assert [edge.source for edge in drawn.edges] == [card.id for card in drawn.cards[:-1]]


def test_focus_on_a_tensor_outside_the_graph_is_refused(deep):
    stranger = at.Tensor(1.0, name="stranger")
    with pytest.raises(UnsupportedError, match="focus=stranger: J does not depend on it"):
        at.draw(deep, focus=stranger)


def test_more_than_a_picture_can_hold_is_refused_with_what_to_do(network):
    with pytest.raises(GraphTooLargeError, match=r"draw: 9\d\d values .* smaller depth=, .* expand=, .* focus="):
        at.draw(network, depth=9)


def test_a_card_keeps_its_id_whatever_is_open(deep):
    closed, opened = (
        {card.name: card.id for card in at.draw(deep, **asked).cards if card.named}
        for asked in ({"depth": 1}, {"depth": 1, "expand": "layer 2"})
    )
    shared = closed.keys() & opened.keys()
    assert len(shared) > 4
    assert {name: closed[name] for name in shared} == {name: opened[name] for name in shared}


def test_a_picture_can_be_opened_further(deep):
    drawn = at.draw(deep, depth=1)
    group = next(card for card in drawn.cards if card.name == "layer 3")
    assert "Z3" in names(drawn.with_opened(group.id))


def test_a_small_network_of_scalars_is_shown_by_its_layers():
    """121 values would fill 60 cards on several levels: what is formed by structure stays closed where it can be."""
    picture = at.draw(scalar_network((3, 4, 4, 1), lambda name: contextlib.nullcontext()))
    assert len(picture.cards) <= 30
    assert {f"neuron {k}" for k in (1, 2, 3, 4)} < set(names(picture))


def loop(steps):
    w, h = at.Tensor(0.9, name="w"), at.Tensor(0.5, name="h")
    for _ in range(steps):
        h = np.tanh(w * h)
    h.backward()
    return at.draw(h)


def test_a_parameter_of_a_loop_is_named_again_beside_its_later_users():
    picture = loop(6)
    (w,) = [card.id for card in picture.cards if card.name == "w"]
    uses = [edge for edge in picture.edges if edge.source == w]
    assert list(picture.scene.later_uses) == [edge.id for edge in uses[1:]]
    starts = re.findall(r"^\s*\"?([\w-]+)\"? -> ", picture.dot, re.MULTILINE)
    assert starts.count(w) == 1
    assert sum(start.endswith("-again") for start in starts) == 5
    assert picture.svg.count(f'class="node again {w}"') == 5


def test_uses_close_to_each_other_are_arrows_from_one_card():
    x = at.Tensor(3.0, name="x")
    assert at.draw(x * x + x).scene.later_uses == {}
    assert loop(2).scene.later_uses == {}


def test_no_edge_may_run_sideways_into_a_box():
    """Graphviz 10 stops at an assertion there, and ends the whole process."""
    assert "constraint" not in loop(6).dot


def test_the_longest_way_to_the_output_is_the_spine():
    x = at.Tensor(0.3, name="x")
    y = np.tanh(np.exp(x) * x) + np.sin(x)
    names = {card.id: card.origin for card in at.draw(y).cards}
    spine = [(names[e.source], names[e.target]) for e in at.draw(y).edges if at.draw(y).scene.is_spine(e)]
    assert spine == [("exp(x)", "t1 * x"), ("t1 * x", "tanh(t2)"), ("tanh(t2)", "t3 + t4")]
