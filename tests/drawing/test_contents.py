"""The contents of groups as lists: of thousands of groups, small and made at once."""

import json

import numpy as np
import pytest

import autotiny as at
from autotiny.drawing.contents import MOST_ROWS, contents


@pytest.fixture
def loop():
    """A loop of three thousand steps, each a scope."""
    h = at.Tensor(1.0, name="h")
    for step in range(3000):
        with at.scope(f"step {step}"):
            h = h * 0.999
    return at.draw(h)


def test_every_closed_group_has_its_contents_and_those_in_it_too(loop):
    held = contents(loop.graph, loop.items, 10**7)
    names = {name for group in held.values() for _, name, *_ in group["members"]}
    assert {f"step {step}" for step in range(0, 3000, 40)} <= names
    assert all(len(group["members"]) <= MOST_ROWS for group in held.values())


def test_contents_are_as_many_as_there_is_room_for(loop):
    assert 1 < len(contents(loop.graph, loop.items, 20_000)) < 60
    assert len(json.dumps(contents(loop.graph, loop.items, 20_000))) <= 25_000


def test_a_row_has_the_card_the_name_the_formula_the_value_and_the_gradient():
    x = at.Tensor([1.0, 2.0], name="x")
    with at.scope("both"):
        y = x * 3
        y.name = "y"
        J = np.sum(y)
    J.backward()
    drawn = at.draw(J, depth=1)
    (group,) = contents(drawn.graph, drawn.items, 10**5).values()
    assert group["name"] == "both"
    assert [f"n{drawn.graph.ids[y]}", "y", "x * 3", "3 … 6", "all 1"] in group["members"]


@pytest.mark.thorough
def test_a_page_of_thousands_of_scopes_is_bounded(loop):
    page = loop.steps.html
    assert len(page) < 10_000_000
