"""Trees come apart into values and go together again."""

from collections import OrderedDict, namedtuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autotiny as at
from autotiny.engine.pytree import flatten, tree_map

Pair = namedtuple("Pair", "W b")
trees = st.recursive(
    st.integers(),
    lambda sub: st.lists(sub) | st.tuples(sub, sub) | st.dictionaries(st.text(), sub) | st.builds(Pair, sub, sub),
)


@given(trees)
def test_putting_the_values_back_gives_the_tree(tree):
    leaves, rebuild = flatten(tree)
    again = rebuild(leaves)
    assert again == tree
    assert type(again) is type(tree)


@given(trees)
def test_mapping_the_identity_changes_nothing_and_counts_every_value(tree):
    seen = []
    assert tree_map(lambda leaf: seen.append(leaf) or leaf, tree) == tree
    assert seen == flatten(tree)[0]


@pytest.mark.parametrize("leaf", [1.0, np.ones(3), at.Tensor([1.0, 2.0]), "text", int, object()])
def test_what_is_no_list_tuple_or_dict_is_a_value(leaf):
    leaves, rebuild = flatten(leaf)
    assert leaves[0] is leaf
    assert rebuild(leaves) is leaf


def test_named_tuples_keep_their_names():
    assert tree_map(lambda v: 2 * v, Pair(1, (2,))) == Pair(2, (4,))
    assert tree_map(lambda v: v, Pair(1, 2)).b == 2


def test_dicts_keep_their_order():
    assert list(tree_map(lambda v: v, OrderedDict(b=1, a=2))) == ["b", "a"]
