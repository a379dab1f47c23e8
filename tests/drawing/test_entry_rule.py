"""The chain rule of single entries: its terms add up to the gradient, in every graph, and a wrong one is noticed."""

import numpy as np
import pytest

import autotiny as at
from autotiny.drawing.entry_rule import entry_terms, through_operation
from autotiny.drawing.graph_view import GraphView
from autotiny.engine.graph import topological_order
from engine.test_random_graphs import random_graph


def recorded(y):
    y.backward()
    return GraphView(topological_order(y), {})


def sums_of_terms(graph, node):
    """What the terms of every use come to, entry by entry; nan where an entry is no sum of terms."""
    size = graph.values[node].size
    total = np.zeros(size)
    for use in graph.paths(node):
        terms = entry_terms(through_operation(graph, use), range(size))
        total += [np.nan if t is None else np.sum(t.products) for t in terms]
    return total


def results_with_uses(graph):
    return [node for node in graph.gradients if graph.values[node] is not graph.output]


@pytest.mark.parametrize("seed", range(20))
def test_terms_of_every_entry_add_up_to_its_gradient(seed):
    graph = recorded(random_graph(seed)[1])
    for node in results_with_uses(graph):
        np.testing.assert_allclose(
            sums_of_terms(graph, node), np.ravel(graph.gradients[node]), rtol=1e-9, atol=1e-12, err_msg=f"node {node}"
        )


@pytest.mark.parametrize("seed", range(5))
def test_slopes_are_those_of_the_operation_alone(seed):
    """dy[j]/dx[k] by central differences of the operation itself."""
    graph = recorded(random_graph(seed)[1])
    for use, c in graph.contributions.items():
        result = graph.values[use[0]]
        if use[1] >= len(result.args) or c.operand.dtype != float or sum(a is c.operand for a in result.args) > 1:
            continue
        for k, terms in enumerate(entry_terms(through_operation(graph, use), range(c.operand.size))):
            assert terms is not None
            moved = [np.array(c.operand.data) for _ in (1, -1)]
            for x, sign in zip(moved, (1, -1), strict=True):
                x.flat[k] += sign * 1e-6
            above, below = ([x if a is c.operand else getattr(a, "data", a) for a in result.args] for x in moved)
            slope = (result.op.forward(*above, **result.kwargs) - result.op.forward(*below, **result.kwargs)) / 2e-6
            np.testing.assert_allclose(terms.slopes, np.ravel(slope)[terms.places], rtol=1e-4, atol=1e-5)


def test_a_wrong_rule_gives_no_terms_rather_than_wrong_ones():
    W, X = at.Tensor(np.arange(6.0).reshape(2, 3) - 2, name="W"), np.arange(12.0).reshape(3, 4) - 5
    graph = recorded(np.sum(np.tanh(W @ X)))
    use = next(use for use, c in graph.contributions.items() if c.operand is W)
    assert None not in entry_terms(through_operation(graph, use), range(6))
    graph.contributions[use] = graph.contributions[use]._replace(value=graph.contributions[use].value * 1.001)
    terms = entry_terms(through_operation(graph, use), range(6))
    assert [t is None for t in terms] == [bool(g) for g in np.ravel(graph.gradients[graph.ids[W]] != 0)]


def test_matrix_product_has_a_term_for_each_inner_place():
    W = at.Tensor([[1.0, 2.0], [3.0, 4.0]], name="W")
    X = np.array([[5.0, 6.0, 7.0], [8.0, 9.0, 10.0]])
    y = np.sum(W @ X * np.array([[1.0, 2.0, 3.0], [0.0, -1.0, 1.0]]))
    graph = recorded(y)
    (use,) = graph.paths(graph.ids[W])
    first, last = entry_terms(through_operation(graph, use), [0, 3])
    assert (first.places.tolist(), first.arriving.tolist(), first.slopes.tolist()) == ([0, 1, 2], [1, 2, 3], [5, 6, 7])
    assert (last.places.tolist(), last.arriving.tolist(), last.slopes.tolist()) == ([4, 5], [-1, 1], [9, 10])


def test_what_broadcasting_repeated_has_a_term_for_each_repetition():
    b = at.Tensor([[1.0], [2.0]])
    graph = recorded(np.sum((b + np.zeros((2, 3))) ** 2))
    (use,) = graph.paths(graph.ids[b])
    (terms,) = entry_terms(through_operation(graph, use), [1])
    assert (terms.places.tolist(), terms.arriving.tolist(), terms.slopes.tolist()) == ([3, 4, 5], [4] * 3, [1] * 3)


def test_entries_that_were_not_taken_have_no_terms():
    x = at.Tensor([-1.0, 4.0])
    graph = recorded(np.sum(np.sqrt(np.maximum(x, 0))))
    (use,) = graph.paths(graph.ids[x])
    dead, alive = entry_terms(through_operation(graph, use), [0, 1])
    assert dead.places.size == 0
    assert alive.products.tolist() == [0.25]


def test_a_rule_of_ones_own_that_cannot_be_recorded_is_asked_entry_by_entry():
    @at.operation(lambda g, y, x: np.array([float(g[0]) * 2, float(g[0]) + float(g[1])]))
    def odd(x):
        return np.array([2 * x[0] + x[1], x[1]])

    x = at.Tensor([3.0, 4.0])
    graph = recorded(np.sum(odd(x) * np.array([5.0, 7.0])))
    (use,) = graph.paths(graph.ids[x])
    assert [t.products.tolist() for t in entry_terms(through_operation(graph, use), [0, 1])] == [[10.0], [5.0, 7.0]]


def test_complex_numbers_have_no_terms():
    z = at.Tensor([1.0 + 2j])
    graph = recorded(np.sum(np.abs(z * 2)))
    (use,) = graph.paths(graph.ids[z])
    assert entry_terms(through_operation(graph, use), [0]) == [None]
