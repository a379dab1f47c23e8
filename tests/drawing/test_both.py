"""The gradient graph beside the graph."""

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
        at.draw(y, gradients=x)
