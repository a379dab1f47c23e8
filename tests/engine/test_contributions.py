import math

import numpy as np
import pytest

import autotiny as at
from autotiny.engine.contributions import contributions, operands_of
from autotiny.engine.graph import topological_order
from autotiny.errors import ShapeError, StaleError, UnsupportedError
from engine.test_random_graphs import random_graph


def sums(backprop, seeds):
    """What the contributions to each tensor come to."""
    total = dict(seeds)
    for visit in backprop.visits:
        for c in visit.contributions:
            assert c.operand is operands_of(visit.node)[c.position]
            total[c.operand] = total[c.operand] + c.value if c.operand in total else c.value
    return total


def passed(node, backprop):
    (visit,) = (visit for visit in backprop.visits if visit.node is node)
    return [(c.operand.name, c.position, c.total.tolist()) for c in visit.contributions]


@pytest.fixture
def saturated():
    """A loss of logits so far apart that the softmax of the wrong class underflows."""
    Z = at.Tensor([[800.0], [0.0], [0.0]], name="Z")
    A = at.softmax(Z)
    return Z, A, -np.sum(np.array([[0.0], [1.0], [0.0]]) * np.log(A))


@pytest.mark.parametrize("seed", range(100))
def test_last_totals_are_the_gradients_that_backward_publishes(seed):
    _, J = random_graph(seed)
    backprop = contributions(J)
    last = {c.operand: c.total for visit in backprop.visits for c in visit.contributions}
    J.backward()
    for tensor in topological_order(J):
        if tensor is not J and tensor.grad is not None:
            np.testing.assert_allclose(last[tensor], tensor.grad, rtol=1e-14, atol=1e-15)
            np.testing.assert_array_equal(backprop.gradients[tensor], tensor.grad)


@pytest.mark.parametrize("seed", range(100))
def test_sum_of_contributions_is_the_gradient(seed):
    _, J = random_graph(seed)
    backprop = contributions(J)
    totals = sums(backprop, {J: 1.0})
    assert totals.keys() == backprop.gradients.keys()
    for tensor, total in totals.items():
        np.testing.assert_allclose(total, backprop.gradients[tensor], rtol=1e-13, atol=1e-14)
        assert np.shape(total) == tensor.shape


@pytest.mark.parametrize("seed", range(30))
def test_every_operation_that_backward_reaches_is_visited_once_results_before_operands(seed):
    _, J = random_graph(seed)
    visited = [visit.node for visit in contributions(J).visits]
    J.backward()
    reached = [t for t in topological_order(J) if t.op is not None and t.grad is not None]
    assert [id(node) for node in visited] == [id(t) for t in reversed(reached)]


def test_nothing_is_published():
    x = at.Tensor(3.0)
    y = np.tanh(x * x)
    contributions(y)
    assert x.grad is y.grad is None


def test_operand_used_twice_in_one_operation_contributes_twice():
    x = at.Tensor(3.0, name="x")
    y = x * x
    assert passed(y, contributions(y)) == [("x", 0, 3.0), ("x", 1, 6.0)]


def test_constants_get_no_contribution_and_positions_count_them():
    a, b = at.Tensor(2.0, requires_grad=False), at.Tensor(3.0, name="b")
    y = a * b
    assert passed(y, contributions(y)) == [("b", 1, 2.0)]


def test_broadcasting_is_undone():
    b = at.Tensor([[1.0], [2.0]], name="b")
    y = np.ones((2, 3)) * b
    assert passed(y, contributions(y, np.ones((2, 3)))) == [("b", 1, [[3.0], [3.0]])]


def test_seed_is_what_arrives_at_the_output():
    x = at.Tensor([1.0, 2.0], name="x")
    y = x * 3
    backprop = contributions(y, [1.0, 10.0])
    assert backprop.visits[0].gradient.tolist() == [1, 10]
    assert backprop.gradients[x].tolist() == [3, 30]


def test_logarithm_of_softmax_is_pulled_in_one_go_and_shows_what_it_passes_by(saturated):
    Z, A, J = saturated
    backprop = contributions(J)
    (log,) = (visit for visit in backprop.visits if visit.node.args[0] is A)
    to_a, to_z = log.contributions
    assert (to_a.operand, to_z.operand) == (A, Z)
    assert to_a.value.tolist() == [[0], [-np.inf], [0]]  # -Y / A
    assert to_z.value.tolist() == [[1], [-1], [0]]  # A - Y
    assert to_z.pulled.tolist() == [[0], [-1], [0]]
    (softmax,) = (visit for visit in backprop.visits if visit.node is A)
    assert softmax.contributions == ()


def test_what_a_form_passes_by_is_shown_and_goes_no_further():
    x = at.Tensor([1.0, 2.0], name="x")
    y = np.exp(x)
    y.name = "y"
    total = 1 + y
    total.name = "total"
    log = np.log(total)
    backprop = contributions(np.sum(log * 3) + np.sum(y))
    (name, _, shown), (passed_to, position, _) = passed(log, backprop)
    assert (name, passed_to, position) == ("total", "x", 1)
    np.testing.assert_allclose(shown, 3 / total.data)
    ((name, _, shown),) = passed(total, backprop)
    assert name == "y"
    np.testing.assert_allclose(shown, 3 / total.data + 1)
    (from_y,) = (c for visit in backprop.visits if visit.node is y for c in visit.contributions)
    np.testing.assert_allclose(from_y.value, y.data)  # of the other use alone
    np.testing.assert_allclose(from_y.total, y.data + 3 * at.sigmoid(x.data))


def test_two_logarithms_of_one_exponential_each_show_their_own():
    y = np.exp(at.Tensor(1.0))
    y.name = "y"
    first, second = np.log(y), np.log(y)
    backprop = contributions(2 * first + 3 * second)
    assert passed(second, backprop)[0] == ("y", 0, pytest.approx(3 / math.e))
    assert passed(first, backprop)[0] == ("y", 0, pytest.approx(5 / math.e))


def test_masks_are_guarded_as_in_backward():
    x = at.Tensor([0.0, 4.0])
    J = np.sum(np.where(x.data > 0, np.sqrt(x), 0.0))
    backprop = contributions(J)
    J.backward()
    assert backprop.gradients[x].tolist() == x.grad.tolist() == [0, 0.25]


def test_what_no_gradient_reaches_is_not_visited():
    x = at.Tensor(1.0)
    with at.no_grad():
        c = np.exp(x)
    y = c * x
    assert [visit.node for visit in contributions(y).visits] == [y]


def test_a_leaf_is_its_own_gradient_and_is_not_visited():
    x = at.Tensor(1.0)
    assert contributions(x) == ([], {x: 1.0})


def test_a_hundred_thousand_operations_are_one_walk():
    x = y = at.Tensor(1.0)
    for _ in range(100_000):
        y = y + 1e-5
    visits = contributions(y).visits
    assert len(visits) == 100_000
    assert visits[-1].contributions[0].operand is x


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda x: x * x, ShapeError, r"backward: an output of shape \(2,\) needs grad of that shape"),
        (lambda x: x.detach(), UnsupportedError, "does not depend on any tracked Tensor"),
    ],
)
def test_what_backward_refuses_is_refused(make, error, message):
    with pytest.raises(error, match=message):
        contributions(make(at.Tensor([1.0, 2.0])))


def test_values_changed_since_are_refused():
    x = at.Tensor([1.0, 2.0])
    y = np.sum(x * x)
    x.data = [3.0, 4.0]
    with pytest.raises(StaleError, match="x was assigned after it was recorded"):
        contributions(y)
