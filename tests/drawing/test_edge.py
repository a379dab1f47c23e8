"""Edges, and the chain rule along them."""

import numpy as np
import pytest

import autotiny as at


def edges(output):
    return at.draw(output).edges


def test_numbers_have_their_local_derivative_before_backward():
    a, b = at.Tensor(2.0), at.Tensor(-3.0)
    assert [edge.label for edge in edges(np.exp(a * b))] == ["∂ −3", "∂ 2", "∂ 0.002479"]


def test_arrays_have_it_in_symbols(flagship):
    labels = {edge.label for edge in edges(flagship)}
    assert {"· Xᵀ", "W2ᵀ ·", "· t3ᵀ", "× 1[t2 > 0]", "1"} <= labels


def test_constants_and_data_have_none():
    x = at.Tensor(1.0, requires_grad=False, name="x")
    labels = [(edge.label, edge.carries_gradient) for edge in edges(x * (at.Tensor(2.0) * 3.0))]
    assert labels == [("∂ 3", True), ("", False), ("", False), ("∂ 1", True)]


def test_a_path_whose_contribution_is_exactly_0_is_dashed():
    x = at.Tensor(-2.0, name="x")
    y = np.maximum(x, 0) + x
    y.backward()
    drawn = at.draw(y)
    assert [edge.is_dead for edge in drawn.edges if edge.carries_gradient] == [True, False, False]
    assert drawn.dot.count("style=dashed") == 1
    assert "contributes 0, which is nothing" in drawn.svg


def test_nothing_is_dashed_before_backward():
    x = at.Tensor(-2.0, name="x")
    assert "style=dashed" not in at.draw(np.maximum(x, 0) + x).dot


def test_the_width_of_an_edge_goes_with_its_contribution():
    x, y = at.Tensor(1.0), at.Tensor(1.0)
    z = x * 100.0 + y
    z.backward()
    widths = dict(zip(("x", "constant", "y"), [at.draw(z).scene.width(edge) for edge in edges(z)], strict=False))
    assert widths["x"] == 4 > widths["y"] > widths["constant"]


def test_a_gradient_of_many_paths_says_of_how_many():
    x = at.Tensor(3.0, name="x")
    y = x * x + x
    y.backward()
    drawn = at.draw(y)
    assert [card.paths for card in drawn.cards] == [3, 1, 0]
    assert "grad, Σ 3 paths" in drawn.svg


def test_turns_are_those_of_the_sweep():
    x = at.Tensor(3.0, name="x")
    y = np.exp(x) * np.sin(x)
    y.backward()
    assert [(card.origin, card.turn) for card in at.draw(y).cards] == [
        ("variable", None),
        ("exp(x)", 3),
        ("sin(x)", 2),
        ("t1 * t2", 1),
    ]


def test_an_overflowing_contribution_is_drawn():
    x = at.Tensor([1e300, 1.0], name="x")
    with np.errstate(over="ignore"):
        y = np.sum(x * x)
        y.backward(np.float64(1e300))
    assert at.draw(y).svg


# ----- the chain rule -----
def sentences(output):
    return {card.name: card.chain_rule for card in at.draw(output).cards}


@pytest.fixture
def fork():
    a, b = at.Tensor(2.0, name="a"), at.Tensor(-3.0, name="b")
    d = a * b
    L = np.tanh(d) * a
    d.name, L.name = "d", "L"
    L.backward()
    return L


def test_a_number_has_a_term_for_each_path(fork):
    assert sentences(fork)["a"].startswith("dL/da = dL/dL · dL/da + dL/dd · dd/da = 1 · (-1) + ")


def test_the_output_starts_backprop(fork):
    assert sentences(fork)["L"] == "dL/dL = 1, where backprop starts"


def test_before_backward_there_is_no_chain_rule_but_a_dash(fork):
    x = at.Tensor(1.0, name="x")
    drawn = at.draw(x * x)
    assert [card.chain_rule for card in drawn.cards] == ["", ""]
    assert "gradient not computed yet: call backward()" in drawn.cards[0].sentence


def test_arrays_have_their_rules_and_the_range_of_the_gradient(flagship):
    flagship.backward()
    told = sentences(flagship)
    assert told["W2"].startswith("dJ/dW2 = dJ/dt4 t3ᵀ = ")
    assert told["t3"].startswith("dJ/dt3 = W2ᵀ dJ/dt4 = ")
    assert told["t2"].startswith("dJ/dt2 = dJ/dt3 * 1[t2 > 0] = ")
    assert told["Z2"].startswith("dJ/dZ2 = ")


def test_the_sum_of_the_terms_is_the_gradient():
    x = at.Tensor([1.0, 2.0], name="x")
    y = np.sum(x * x + x)
    y.name = "y"
    y.backward()
    assert sentences(y)["x"] == "dy/dx = dy/dt2 + dy/dt1 * x + dy/dt1 * x = 3 … 5"


def test_a_second_backward_adds_the_accumulated_gradient():
    x = at.Tensor(3.0, name="x")
    y = x * 2.0
    y.name = "y"
    y.backward()
    y.backward()
    assert sentences(y)["x"] == "dy/dx = dy/dy · dy/dx = 1 · 2 = 2; with every backward so far, 4"


def test_the_card_of_a_variable_says_that_its_gradient_is_of_several_backwards():
    x = at.Tensor([1.0, 2.0], name="x")
    y = np.sum(x * x)
    y.backward()
    once = at.draw(y)
    assert "sum of backwards" not in once.svg
    assert "+ earlier" not in str(once)
    y.backward()
    assert [card.name for card in at.draw(y).cards if card.accumulated] == ["x"]
    assert "grad, Σ 2 paths, sum of backwards" in at.draw(y).svg
    assert "4 … 8 = Σ 2 + earlier" in str(at.draw(y))


def test_many_paths_are_counted():
    x = at.Tensor(1.0, name="x")
    y = sum([x * 1.0 for _ in range(9)], at.Tensor(0.0))
    y.backward()
    assert " + 3 more = " in sentences(y)["x"]


def test_a_gradient_that_came_from_elsewhere_says_so():
    x = at.Tensor(2.0, name="x")
    loss, other = x * 3.0, x * 5.0
    other.name = "other"
    loss.backward()
    assert sentences(other)["x"] == "gradient 3, which did not come from other"


def test_a_bypass_is_an_edge_of_its_own_and_the_edges_add_up_to_the_gradient_on_the_card():
    z = at.Tensor(-800.0, name="z")
    A = at.sigmoid(z)
    A.name = "A"
    loss = -np.log(A)
    loss.name = "loss"
    loss.backward()
    picture = at.draw(loss)
    (bypass,) = (edge for edge in picture.edges if edge.kind == "bypass")
    ((through,),) = ([edge] for edge in picture.edges if edge.source == bypass.source and edge is not bypass)
    assert (bypass.label, bypass.contribution.exact) == ("∂ 1", "-1")
    assert bypass.sentence.startswith("in one go, past what is between")
    assert not through.carries_gradient
    assert through.contribution is None
    assert sentences(loss)["z"] == "dloss/dz = dloss/dt1 · dt1/dz = (-1) · 1 = -1"
    assert sentences(loss)["A"].endswith("= -inf")  # -1 / A, which has underflowed


def test_there_is_no_bypass_before_backward():
    loss = np.log(at.sigmoid(at.Tensor(1.0)))
    assert {edge.kind for edge in at.draw(loss).edges} == {"use"}


def test_values_that_were_changed_since_are_drawn_without_contributions():
    x = at.Tensor([1.0, 2.0], name="x")
    y = np.sum(x * x)
    y.backward()
    x.data = np.array([5.0, 6.0])
    drawn = at.draw(y)
    assert all(edge.contribution is None for edge in drawn.edges)
    assert drawn.cards[0].gradient.text == "2 … 4"
