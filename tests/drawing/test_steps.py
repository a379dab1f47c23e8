"""The steps of the forward and the backward pass."""

import re

import numpy as np
import pytest

import autotiny as at
from autotiny.drawing.rule import operation_in_words
from autotiny.engine.contributions import contributions
from autotiny.errors import StaleError
from autotiny.ops import OPS


def told(output, **options):
    """The steps of a graph as lines of text."""
    return [step.sentence for step in at.draw(output, **options).steps.steps]


def step_of(output, start):
    (found,) = (sentence for sentence in told(output) if sentence.startswith(start))
    return found


@pytest.fixture
def two_paths():
    """L = a * b + a ** 2 at a = 2, b = -3."""
    a, b = at.Tensor(2.0, name="a"), at.Tensor(-3.0, name="b")
    e = a * b
    e.name = "e"
    L = e + a * a
    L.name = "L"
    return L


@pytest.fixture
def layers():
    """Two layers of eight neurons, each a scope, and a sum."""
    rng, values = np.random.default_rng(0), [at.Tensor(x, requires_grad=False) for x in (0.5, -1.0)]
    for l in (1, 2):
        with at.scope(f"layer {l}"):
            values = [np.tanh(rng.normal() * at.Tensor(1.0) * values[0] + values[1]) for _ in range(8)]
    J = sum(values)
    J.name = "J"
    return J


# ----- the forward pass -----
def test_forward_pass_computes_every_operation_in_order(two_paths):
    steps = [step for step in at.draw(two_paths).steps.steps if not step.backward]
    assert [step.title for step in steps] == ["e = a * b", "t1 = a * a", "L = e + t1"]
    assert [step.lines[0].text for step in steps] == ["2 * (−3) = −6", "2 * 2 = 4", "−6 + 4 = −2"]


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda x: x**2, "(−2) ** 2 = 4"),
        (lambda x: -x, "−(−2) = 2"),
        (lambda x: np.exp(x), "exp(−2) = 0.1353"),
        (lambda x: np.square(x), "(−2) ** 2 = 4"),
        (lambda x: np.maximum(x, 0), "maximum(−2, 0) = 0"),
    ],
)
def test_numbers_stand_in_the_operation(make, expected):
    assert at.draw(make(at.Tensor(-2.0))).steps.steps[0].lines[0].text == expected


def test_arrays_are_written_by_their_range_and_shape(flagship):
    assert "value: " in step_of(flagship, "Z2 = ")
    assert re.search(r"value: −\S+ … \S+, shape \(3, 32\)", step_of(flagship, "Z2 = "))


# ----- backprop -----
def test_backprop_starts_with_the_seed(two_paths):
    assert step_of(two_paths, "Backprop starts at L") == "Backprop starts at L. seed: ∂L/∂L = 1"


def test_a_backward_step_has_what_arrives_the_rule_the_product_and_the_sum(two_paths):
    assert step_of(two_paths, "∂L/∂b through e = a * b") == (
        "∂L/∂b through e = a * b. arrives: g = ∂L/∂e = 1. rule: product rule: times the other factor. "
        "local derivative: ∂(a * b)/∂b = a. passes on: g * a = 1 × 2 = 2. "
        "sum so far: ∂L/∂b = 2 (the only path, complete)"
    )


@pytest.mark.parametrize(
    ("exponent", "derivative"), [(2, "2 * a"), (3, "3 * a²"), (-1, "(-1) * a ** (-2)"), (0.5, "0.5 * a ** (-0.5)")]
)
def test_exponents_are_computed(exponent, derivative):
    a = at.Tensor(4.0, name="a")
    y = a**exponent
    y.name = "y"
    assert f"passes on: g * {derivative} = " in step_of(y, "∂y/∂a")


def test_running_sums_count_the_paths(two_paths):
    sums = [sentence.split("sum so far: ")[1] for sentence in told(two_paths) if sentence.startswith("∂L/∂a ")]
    assert sums == [
        "∂L/∂a = 2 (path 1 of 3)",
        "∂L/∂a = 2 + 2 = 4 (path 2 of 3)",
        "∂L/∂a = 4 − 3 = 1 (path 3 of 3, complete)",
    ]


@pytest.mark.parametrize("name", ["two_paths", "flagship"])
def test_backward_steps_come_in_the_engines_order(name, request):
    output = request.getfixturevalue(name)
    picture = at.draw(output)
    places = picture.graph.ids
    passed = [(v.node, c.operand) for v in contributions(output).visits for c in v.contributions]
    steps = [step for step in picture.steps.steps if step.backward][1:]
    assert [(s.active, s.receiver) for s in steps] == [(f"n{places[node]}", f"n{places[x]}") for node, x in passed]


def test_edges_of_the_steps_are_in_the_picture(flagship):
    picture = at.draw(flagship)
    drawn = {edge.id for edge in picture.edges}
    assert {step.edge for step in picture.steps.steps if step.edge} <= drawn


def test_a_path_without_a_contribution_says_so():
    x = at.Tensor(-1.0, name="x")
    assert "passes on: g * 1[x > 0] = 1 × 0 = 0: nothing goes this way" in step_of(np.maximum(x, 0), "∂output/∂x")


def test_matrix_products_name_the_other_factor_transposed(flagship):
    assert "rule: matrix product: times the other factor, transposed" in step_of(flagship, "∂J/∂W1")
    assert "passes on: g Xᵀ = " in step_of(flagship, "∂J/∂W1")


def test_what_broadcasting_repeated_is_said_to_be_summed(flagship):
    assert "rule: sum rule: the gradient passes as it is; summed over what broadcasting repeated" in step_of(
        flagship, "∂J/∂b1"
    )


def test_softmax_and_its_logarithm_go_in_one_step():
    Z = at.Tensor([[800.0], [0.0]], name="Z")
    A = at.softmax(Z)
    A.name = "A"
    J = -np.sum(np.array([[0.0], [1.0]]) * np.log(A))
    J.name = "J"
    assert "rule: log-softmax: less the probabilities times its sum; in one go, past A" in step_of(J, "∂J/∂Z")
    assert "arrives: g = ∂J/∂t1 = −1 … 0" in step_of(J, "∂J/∂Z")


def test_what_has_gone_past_a_value_is_not_passed_on_again():
    x = at.Tensor(2.0, name="x")
    s = at.sigmoid(x)
    s.name = "s"
    J = np.log(1 - s) + s
    J.name = "J"
    steps = [step.sentence for step in at.draw(J).steps.steps]
    assert any("∂J/∂s, less what has gone past it already, = 1" in step for step in steps)
    assert any("log of 1 - σ(x): times -σ(x); in one go, past t1 and s" in step for step in steps)


def test_steps_leave_grad_alone(two_paths):
    _ = at.draw(two_paths).steps.steps
    assert two_paths.grad is None


def test_cards_of_the_steps_have_their_gradients_before_backward(two_paths):
    assert "gradient" not in repr(at.draw(two_paths).cards[0].gradient)
    assert at.draw(two_paths).steps.picture.cards[0].gradient.text == "1"


def test_gradients_of_earlier_sweeps_are_left_out(two_paths):
    two_paths.backward()
    two_paths.backward()
    assert at.draw(two_paths).steps.picture.cards[0].gradient.text == "1"


def test_an_output_without_gradient_has_a_forward_pass_alone():
    x = at.Tensor([1.0, 2.0], name="x")
    y = x * 2
    assert told(y) == ["output = x * 2. value: 2 … 4, shape (2,)"]
    y.backward([1.0, 10.0])
    assert "seed: ∂output/∂output = 1 … 10, shape (2,)" in told(y)[1]


def test_steps_of_a_graph_that_was_changed_since_are_refused(two_paths):
    picture = at.draw(two_paths)
    picture.graph.values[0].data = 5.0
    with pytest.raises(StaleError, match="a was assigned after it was recorded"):
        _ = picture.steps.steps


# ----- groups -----
def test_steps_inside_a_closed_group_are_left_out(layers):
    steps = [step for step in at.draw(layers, depth=1).steps.steps if step.backward][1:]
    assert all(step.active != step.receiver for step in steps)
    assert len(steps) < len(told(layers, depth=2)) / 2


def test_a_closed_group_is_computed_in_one_step(layers):
    first = at.draw(layers, depth=1).steps.steps[0]
    assert first.title == "layer 1: 8 operations"  # of the two neurons that are used
    assert first.lines[0].text == at.draw(layers, depth=1).cards[0].value.text.replace("-", "−")


def test_many_contributions_from_one_group_to_another_are_one_step(layers):
    steps = at.draw(layers, depth=1).steps.steps
    (together,) = (step for step in steps if step.title.endswith("from layer 2 to layer 1"))
    assert together.title == "16 contributions from layer 2 to layer 1"
    assert "the chain rule along each of 16 ways" in together.sentence


def test_opened_groups_have_every_step(layers):
    assert len(told(layers, depth=1)) < len(told(layers, depth=1, expand="layer 2")) < len(told(layers, depth=2))


# ----- as text -----
def test_steps_print_as_numbered_text(two_paths):
    printed = repr(at.draw(two_paths).steps)
    assert printed.startswith("  1. forward: e = a * b\n       value: 2 * (−3) = −6\n")
    assert "\n\n  4. backward: Backprop starts at L\n" in printed


# ----- rules in words -----
@pytest.mark.parametrize(
    ("op", "position", "words"),
    [
        (OPS[np.sin], 0, "chain rule: times the derivative of sin"),
        (OPS[np.subtract], 0, "sum rule: the gradient passes as it is"),
        (OPS[np.subtract], 1, "sum rule: to what is subtracted the gradient passes with its sign changed"),
        (OPS[np.power], 1, "exponential rule: times a ** b log(a)"),
        (OPS[np.maximum], 0, "the larger one receives the gradient; at a tie they share it"),
        (OPS[np.maximum].constant_variant, 0, "the larger one receives the gradient; a constant wins a tie"),
    ],
)
def test_rules_in_words(op, position, words):
    assert operation_in_words(op, position) == words


def test_a_step_of_backprop_is_explained_in_a_sentence():
    x = at.Tensor(2.0, name="x")
    y = x * 3
    z = x**2
    z.name, y.name = "z", "y"
    J = y + z
    J.name = "J"
    words = [step.words for step in at.draw(J).steps.steps if step.words]
    assert words == [
        "y acts on J directly, which adds 1 to ∂J/∂y; it is all of it.",
        "z acts on J directly, which adds 1 to ∂J/∂z; it is all of it.",
        "x acts on J through z, which turns ∂J/∂z into g * 2 * x, and adds 4 to ∂J/∂x; 1 more path will add to it.",
        "x acts on J through y, which turns ∂J/∂y into g * 3, and adds 3 to ∂J/∂x; it is the last of 2 paths.",
    ]


def test_a_step_says_where_a_gradient_stops():
    x = at.Tensor(-2.0, name="x")
    y = np.maximum(x, 0)
    y.name = "y"
    J = y * 2
    J.name = "J"
    assert at.draw(J).steps.steps[-1].words == (
        "x acts on J through y, but there the gradient stops: nothing is added to ∂J/∂x."
    )


@pytest.mark.parametrize("shape", [(), (1,), (1, 1)])
def test_the_steps_of_arrays_of_one_entry_have_their_numbers(shape):
    x = at.Tensor(np.full(shape, 2.0), name="x")
    y = np.sum(x * x + 1)
    y.backward()
    texts = [line.text for step in at.draw(y).steps.steps for line in step.lines]
    assert any(text.startswith("2 * 2 = 4") for text in texts)
    assert any("= 2 + 2 = 4 (path 2 of 2, complete)" in text for text in texts)
