"""What the edges say."""

import numpy as np

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


def test_wide_edges_carry_much():
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
