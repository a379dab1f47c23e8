"""The graph as a table and as a tree."""

import numpy as np

import autotiny as at


def test_a_value_that_is_used_again_is_pointed_at():
    x = at.Tensor(3.0, name="x")
    y = np.exp(x * x) + x
    assert at.draw(y).tree.splitlines() == [
        "y = t2 + x        8106  grad —",
        "├─ t2 = exp(t1)   8103  grad —",
        "│  └─ t1 = x * x  9     grad —",
        "│     ├─ x        3     grad —",
        "│     └─ x ↑",
        "└─ x ↑",
    ]


def test_the_tree_has_every_value_once():
    a, b = at.Tensor(1.0, name="a"), at.Tensor(2.0, name="b")
    c = a * b
    lines = at.draw(c * c + a).tree.splitlines()
    assert len(lines) == 1 + len(at.draw(c * c + a).edges) == 7
    assert [line.strip("│├└─ ") for line in lines if "↑" in line] == ["c ↑", "a ↑"]


def test_a_tree_of_a_leaf_is_left_out():
    assert repr(at.draw(at.Tensor(2.0, name="x"))).splitlines() == [
        "name  is        shape  value  gradient",
        "x     variable  ()     2      —",
    ]


def test_sums_of_paths_and_dead_units_are_in_the_table():
    x = at.Tensor([1.0, -1.0], name="x")
    y = np.sum(at.relu(x) * x)
    y.backward()
    table = at.draw(y).table
    assert "= Σ 2" in table
    assert "1 of 2 units dead" in table
