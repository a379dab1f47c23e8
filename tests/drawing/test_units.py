"""Units that a ReLU has switched off."""

import numpy as np
import pytest

import autotiny as at
from autotiny.drawing.card import dead_units

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


def test_the_card_says_so():
    z = at.Tensor(Z, name="Z")
    drawn = at.draw(np.sum(at.relu(z)))
    assert [card.warning for card in drawn.cards] == ["", "1 of 2 units dead", ""]
    assert "1 of 2 units dead" in drawn.svg
    assert "1 of 2 units dead" in drawn.table
