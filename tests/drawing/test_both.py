"""The graph of gradients that are Tensors: by itself, and beside the graph."""

import gc
import weakref
from xml.dom import minidom

import numpy as np
import pytest

import autotiny as at
from autotiny.drawing import GraphTooLargeError
from autotiny.engine.graph import topological_order
from autotiny.errors import UnsupportedError


@pytest.fixture
def network():
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(4, 8)), at.one_hot(rng.integers(3, size=8), 3)
    W, b = at.Tensor(rng.normal(size=(3, 4)), name="W"), at.Tensor(np.zeros((3, 1)), name="b")
    Z = W @ X + b
    Z.name = "Z"
    J = -np.sum(Y * np.log(np.exp(Z) / np.sum(np.exp(Z), axis=0)))
    J.name = "J"
    return J, W, b, X


def by_name(picture):
    return {card.name: card for card in picture.cards}


def test_gradients_stand_beside_the_values(network):
    J, W, b, X = network
    cards = by_name(at.draw(J, gradients=[W, b]))
    assert {"W", "Z", "J", "dJ/dJ", "dJ/dZ", "dJ/dW", "dJ/db"} <= cards.keys()
    assert cards["dJ/dW"].origin == "dJ/dZ @ X.T"
    assert (cards["dJ/dW"].kind, cards["dJ/dW"].shape) == ("gradient", (3, len(X)))


def test_their_values_are_the_gradients(network):
    J, W, *_ = network
    drawn = at.draw(J, gradients=W)
    J.backward()
    shown = by_name(drawn)
    assert shown["dJ/dW"].value == by_name(at.draw(J))["W"].gradient


def test_each_operation_is_linked_to_what_its_rules_recorded(network):
    J, W, *_ = network
    drawn = at.draw(J, gradients=[W])
    names = {card.id: card for card in drawn.cards}
    links = [(names[edge.source].origin, names[edge.target].rule_of) for edge in drawn.edges if edge.kind == "link"]
    assert ("W @ network[3]", "t1") in links
    assert len(links) >= 7
    made = [card for card in drawn.cards if card.kind == "gradient"]
    assert [card.name for card in made if not card.rule_of] == ["dJ/dJ"]


def test_the_gradient_graph_has_only_the_wanted_gradients(network):
    J, _, b, _ = network
    assert "dJ/dW" not in by_name(at.draw(J, gradients=[b]))


def test_drawing_both_leaves_grad_alone(network):
    J, W, _, _ = network
    at.draw(J, gradients=W)
    assert W.grad is None


def test_both_are_saved_in_one_well_formed_picture(network, tmp_path):
    J, W, *_ = network
    drawn = at.draw(J, gradients=[W])
    drawn.save(tmp_path / "both.svg")
    root = minidom.parse(str(tmp_path / "both.svg")).documentElement
    groups = [group.getAttribute("class").split()[0] for group in root.getElementsByTagName("g")]
    assert groups.count("node") == len(drawn.cards)
    assert groups.count("cluster") == 2
    assert "dJ/dW = dJ/dZ @ " in repr(drawn)


def test_the_gradient_of_an_intermediate_may_be_asked_for(network):
    J, *_ = network
    Z = next(value for value in topological_order(J) if value.name == "Z")
    assert "dJ/dZ" in by_name(at.draw(J, gradients=Z))


def test_a_tensor_without_gradient_is_refused(network):
    J, *_ = network
    stranger = at.Tensor(1.0, name="stranger")
    with pytest.raises(UnsupportedError, match="draw: gradients=stranger: J does not depend on it; J is made of "):
        at.draw(J, gradients=[stranger])


def test_the_error_for_data_says_how_to_get_a_gradient(square):
    data = at.Tensor(1.0, requires_grad=False, name="X")
    loss = square * data
    with pytest.raises(UnsupportedError, match="loss has none for X, which is data: make it with requires_grad=True"):
        at.draw(loss, gradients=data)


def test_gradients_of_more_than_a_picture_holds_are_refused():
    x = y = at.Tensor(1.0)
    for _ in range(300):
        y = np.tanh(y)
    with pytest.raises(GraphTooLargeError, match=r"its gradient graph have [\d,]+ values"):
        at.draw(y, gradients=x, depth=3)


def test_the_gradients_of_a_graph_in_groups_are_those_of_its_groups():
    x = y = at.Tensor(1.0, name="x")
    for _ in range(300):
        y = np.tanh(y)
    picture = at.draw(y, gradients=x)
    assert len(picture.cards) < 60
    assert "dy/dx" in by_name(picture)


def test_beside_a_graph_in_lines_each_line_has_one_gradient():
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(4, 8)), at.one_hot(rng.integers(3, size=8), 3)
    W1, b1 = at.Tensor(rng.normal(size=(5, 4))), at.Tensor(np.zeros((5, 1)))
    W2, b2 = at.Tensor(rng.normal(size=(3, 5))), at.Tensor(np.zeros((3, 1)))
    Z1 = W1 @ X + b1
    A1 = np.maximum(Z1, 0)
    Z2 = W2 @ A1 + b2
    A2 = at.softmax(Z2)
    J = -np.sum(Y * np.log(A2)) / 8
    cards = {card.name: (card.origin, card.rule_of) for card in at.draw(J, gradients=[W1, W2]).cards if card.rule_of}
    assert cards == {
        "dJ/dZ2": ("broadcast_to(-dJ/dJ / 8) * Y - exp(log(A2)) * sum(broadcast…", "J"),
        "dJ/dA1": ("W2.T @ dJ/dZ2", "Z2"),
        "dJ/dZ1": ("dJ/dA1 * mask", "A1"),
        "dJ/dW1": ("dJ/dZ1 @ X.T", "Z1"),
        "dJ/dW2": ("dJ/dZ2 @ A1.T", "Z2"),
    }


# ----- the graph of gradients by itself -----
def boxes(picture):
    return {box.label: [card.name for card in box.boxes] for box in picture.scene.boxes if hasattr(box, "label")}


def test_each_gradient_is_a_line_in_a_box():
    x = at.Tensor(2.0, name="x")
    y = x * x * x
    (dy,) = at.gradients(y, [x])
    picture = at.draw(dy)
    assert boxes(picture) == {"gradients of y": ["dy/dt1", "dy"]}
    assert by_name(picture)["dy"].origin == "1 * t1 + dy/dt1 * x + dy/dt1 * x"
    assert len(at.draw(dy, depth=3).cards) == len(picture.graph.values)
    assert len(at.draw(dy, depth=1).cards) < len(picture.cards)


def test_gradients_of_gradients_are_boxes_one_after_the_other():
    x = at.Tensor([1.0, 2.0], name="x")
    y = np.sum(np.tanh(x) ** 2)
    (dy,) = at.gradients(y, [x])
    slope = np.sum(dy * x)
    (ddy,) = at.gradients(slope, [x])
    assert list(boxes(at.draw(ddy))) == ["gradients of y", "gradients of slope"]
    assert "d(dy/dt1)/dx" not in by_name(at.draw(ddy))


def test_gradients_of_a_network_are_named_after_its_lines(network):
    J, W, _, _ = network
    (dW,) = at.gradients(J, [W])
    cards = by_name(at.draw(dW))
    assert cards["dW"].origin.startswith("dJ/dZ @ ")
    assert cards["dJ/dZ"].origin == "dJ/dt3 * t3 + dJ/dt2 * t2"


def test_of_many_gradients_only_those_of_named_values_are_lines():
    x = at.Tensor([0.1, 0.2], name="x")
    h = x
    for k in range(6):
        h = np.tanh(h) * x
        h.name = "middle" if k == 2 else None
    J = np.sum(h)
    (dx,) = at.gradients(J, [x])
    assert {name for name in by_name(at.draw(dx)) if "/" in name} == {"dJ/dmiddle"}


def test_gradients_of_what_is_gone_have_short_names():
    x = at.Tensor(2.0, name="x")
    (dy,) = at.gradients(np.tanh(x) * x, [x])
    nothing = None
    assert nothing is None
    assert list(boxes(at.draw(dy))) == ["gradients"]


def test_a_recorded_gradient_does_not_keep_its_value_alive():
    x = at.Tensor(np.ones(3), name="x")
    y = np.sum(x * 2)
    alive = weakref.ref(y)
    (dy,) = at.gradients(y, [x])
    del y
    gc.collect()
    assert alive() is None
    assert at.draw(dy).cards
