"""The card of each value."""

import numpy as np
import pytest

import autotiny as at
from autotiny.drawing import card
from autotiny.drawing.card import dead_units
from autotiny.drawing.edge import edges_into
from autotiny.drawing.graph_view import GraphView
from autotiny.engine import graph
from autotiny.notation.text import clean


def read(output, **scope):
    return GraphView(graph.topological_order(output), scope)


def cards(output, **scope):
    view = read(output, **scope)
    return [card.make_card(view, node) for node in range(len(view.values))]


def test_squaring_by_a_product_has_two_edges_from_x():
    x = at.Tensor(3.0, name="x")
    assert [edge.id for edge in edges_into(read(x * x), 1)] == ["e0-1-0", "e0-1-1"]


def test_each_kind_of_value_has_a_kind_of_card():
    w, x = at.Tensor([1.0, 2.0], name="w"), at.Tensor([3.0, 4.0], requires_grad=False, name="x")
    assert [(card.name, card.kind) for card in cards(np.sum(2.0 * w * x))] == [
        ("w", "variable"),
        ("x", "data"),
        ("2", "constant"),
        ("t1", "operation"),
        ("t2", "operation"),
        ("t3", "output"),
    ]


def test_gradient_is_a_dash_before_backward_and_absent_for_data():
    w, x = at.Tensor(2.0, name="w"), at.Tensor(0.0, requires_grad=False, name="x")
    y = w * x
    assert [card.gradient and card.gradient.text for card in cards(y)] == ["—", None, "—"]
    y.backward()
    assert [card.gradient and card.gradient.text for card in cards(y)] == ["0", None, "1"]


def test_names_are_the_tensors_own_then_the_variables_then_short_ones():
    own, variable = at.Tensor(1.0, name="own"), at.Tensor(1.0)
    drawn = cards(own * variable + 1.0, other=own, variable=variable)
    assert [(card.name, card.named) for card in drawn if card.kind != "constant"] == [
        ("own", True),
        ("variable", True),
        ("t1", False),
        ("t2", False),
    ]


def test_an_array_constant_has_one_card_and_its_variables_name():
    w, Y = at.Tensor(np.ones((2, 3)), name="w"), np.eye(3)[:2]
    drawn = cards(np.sum(Y * w + w * Y), Y=Y)
    assert [card.name for card in drawn if card.kind == "constant"] == ["Y"]
    assert [card.origin for card in drawn if card.kind in ("operation", "output")] == [
        "Y * w",
        "w * Y",
        "t1 + t2",
        "sum(t3)",
    ]


def test_equal_numbers_are_constants_of_their_own():
    x = at.Tensor(3.0, name="x")
    drawn = cards(2.0 * x + 2.0)
    assert [card.name for card in drawn if card.kind == "constant"] == ["2", "2"]


@pytest.mark.parametrize(
    ("function", "written"),
    [
        (lambda a, b: a @ b, "a @ b"),
        (lambda a, b: np.sum(a, axis=0, keepdims=True), "sum(a, axis=0)"),
        (lambda a, b: np.maximum(a, 0.0), "maximum(a, 0)"),
        (lambda a, b: np.arctan2(a, b), "arctan2(a, b)"),
        (lambda a, b: at.softmax(a, axis=1), "softmax(a, axis=1)"),
        (lambda a, b: a**2, "a ** 2"),
        (lambda a, b: -a, "-a"),
    ],
)
def test_operations_are_written_as_in_the_code(function, written):
    a, b = at.Tensor(np.ones((2, 2)), name="a"), at.Tensor(np.ones((2, 2)), name="b")
    assert cards(function(a, b))[-1].origin == written


def test_a_card_is_a_snapshot():
    x = at.Tensor(3.0, name="x")
    y = x * x
    before = cards(y)
    y.backward()
    assert before[0].gradient.text == "—"


def test_making_cards_changes_neither_graph_nor_gradients():
    x = at.Tensor(np.ones(3), name="x")
    y = np.sum(x * x)
    cards(y)
    assert x.grad is None
    y.backward()
    np.testing.assert_array_equal(x.grad, [2.0, 2.0, 2.0])


@pytest.mark.parametrize("character", ["\x00", "\x1b", "\n", "\u202e", "\u2066", "\ud800", "\ufffe"])
def test_no_control_direction_or_surrogate_character_survives(character):
    assert clean(f"a{character}b", 24) == "a�b"


def test_long_names_are_shortened():
    x = at.Tensor(1.0, name="w" * 10_000)
    drawn = cards(x + x)
    assert max(len(card.name) for card in drawn) == 24
    assert max(len(card.origin) for card in drawn) == 40


def test_an_array_of_one_entry_is_written_as_a_number():
    assert "x + 2" in repr(at.draw(at.Tensor(1.0, name="x") + np.array([2.0])))


# ----- units that a ReLU has switched off -----
Z = np.array([[1.0, -2.0, 3.0], [-1.0, -2.0, -3.0]])


@pytest.mark.parametrize(
    "rectify",
    [at.relu, lambda z: np.maximum(z, 0), lambda z: np.maximum(0.0, z), lambda z: z.clip(0)],
)
def test_a_unit_that_is_off_for_every_example_is_dead(rectify):
    assert dead_units(rectify(at.Tensor(Z))) == "1 of 2 units dead"


def test_examples_are_rows_where_the_weights_stand_on_the_right():
    W, b = at.Tensor(np.eye(2), name="W"), at.Tensor(np.zeros(2))
    assert dead_units(at.relu(Z.T @ W + b)) == "1 of 2 units dead"
    assert dead_units(at.relu(W @ Z)) == "1 of 2 units dead"


def test_each_entry_of_a_vector_is_a_unit():
    assert dead_units(at.relu(at.Tensor([1.0, -1.0, 0.0]))) == "2 of 3 units dead"


def test_a_number_is_dead_or_not():
    assert dead_units(at.relu(at.Tensor(-1.0))) == "dead: no gradient passes"
    assert dead_units(at.relu(at.Tensor(1.0))) == ""


@pytest.mark.parametrize("other", [np.abs, np.tanh, lambda z: np.maximum(z, -5), lambda z: np.maximum(z, z)])
def test_other_operations_have_no_dead_units(other):
    assert dead_units(other(at.Tensor(Z))) == ""


def test_the_card_warns_of_dead_units():
    z = at.Tensor(Z, name="Z")
    drawn = at.draw(np.sum(at.relu(z)))
    assert [card.warning for card in drawn.cards] == ["", "1 of 2 units dead", ""]
    assert "1 of 2 units dead" in drawn.svg
    assert "1 of 2 units dead" in drawn.table
