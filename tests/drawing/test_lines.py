"""Pictures line by line: what a line is, the rule on each edge, and that what the edges carry adds up."""

import contextlib
import re
from types import SimpleNamespace

import numpy as np
import pytest

import autotiny as at
import width
from autotiny.drawing import edge, line_edges, lines
from autotiny.drawing.groups import Group
from autotiny.drawing.line_edges import result_of
from autotiny.errors import ShapeError, UnsupportedError
from autotiny.ops.outputs import OutputGradients


@pytest.fixture
def network():
    rng = np.random.default_rng(0)
    X, Y = at.Tensor(rng.normal(size=(4, 8)), requires_grad=False, name="X"), at.one_hot(rng.integers(3, size=8), 3)
    W1, b1 = at.Tensor(rng.normal(size=(5, 4)), name="W1"), at.Tensor(np.zeros((5, 1)), name="b1")
    W2, b2 = at.Tensor(rng.normal(size=(3, 5)), name="W2"), at.Tensor(np.zeros((3, 1)), name="b2")
    Z1 = W1 @ X + b1
    A1 = np.maximum(Z1, 0)
    Z2 = W2 @ A1 + b2
    A2 = at.softmax(Z2)
    J = -np.sum(Y * np.log(A2)) / 8
    Z1.name, A1.name, Z2.name, A2.name, J.name = "Z1", "A1", "Z2", "A2", "J"
    J.backward()
    return at.draw(J)


def by_name(picture):
    return {card.name: card for card in picture.cards}


def labels(picture):
    names = {card.id: card.name for card in picture.cards}
    return {(names[e.source], names[e.target], e.kind): e.label for e in picture.edges}


def test_a_line_is_a_card_with_its_expression(network):
    assert {name: card.origin for name, card in by_name(network).items() if card.kind in ("operation", "output")} == {
        "Z1": "W1 @ X + b1",
        "A1": "maximum(Z1, 0)",
        "Z2": "W2 @ A1 + b2",
        "A2": "softmax(Z2)",
        "J": "-sum(Y * log(A2)) / 8",
    }


def test_an_edge_has_the_rule_of_its_line(network):
    of = labels(network)
    assert of["W1", "Z1", "use"] == "· Xᵀ"
    assert of["Z1", "A1", "use"] == "× 1[Z1 > 0]"
    assert of["A1", "Z2", "use"] == "W2ᵀ ·"
    assert of["b2", "Z2", "use"] == "sum(g, axis=1)"


def test_the_gradient_past_a_softmax_is_an_edge_of_its_own(network):
    assert labels(network)["Z2", "J", "bypass"] == "∂J/∂Z2"


def test_the_chain_rule_goes_from_line_to_line(network):
    cards = by_name(network)
    assert cards["A1"].chain_rule.startswith("dJ/dA1 = W2ᵀ dJ/dZ2 = ")
    assert cards["Z1"].chain_rule.startswith("dJ/dZ1 = dJ/dA1 * 1[Z1 > 0] = ")


def test_a_line_opens_into_its_operations(network):
    J = network.graph.output
    assert {"t1", "Z1", "A1"} <= set(by_name(at.draw(J, expand="Z1")))
    assert len(at.draw(J, depth=2).cards) == len(network.graph.values)


def test_a_step_of_a_line_says_what_its_operations_do(network):
    steps = {step.title: step for step in network.steps.steps}
    assert [line.label for line in steps["Z1 = W1 @ X + b1"].lines] == ["t1 = W1 @ X", "value"]
    back = steps["∂J/∂W1 through Z1 = W1 @ X + b1"]
    assert [line.text for line in back.lines if line.label == "rule"] == [
        "t1 + b1: sum rule: the gradient passes as it is",
        "W1 @ X: matrix product: times the other factor, transposed",
    ]
    assert "(the only path, complete)" in back.lines[-1].text
    (rule,) = [line.text for line in steps["∂J/∂b1 through Z1 = W1 @ X + b1"].lines if line.label == "rule"]
    assert rule == "t1 + b1: sum rule: the gradient passes as it is; summed over what broadcasting repeated"


def test_numbers_are_shown_operation_by_operation():
    x = at.Tensor(0.5, name="x")
    a = np.tanh(x * 2 + 1)
    b = np.exp(a * x) / (1 + a)
    y = (a + b) ** 2 + np.sin(a * b - x) * np.cos(b)
    assert all(re.fullmatch(r"n\d+", card.id) for card in at.draw(y).cards)


def test_an_expression_that_doubles_at_each_step_is_cut():
    A = at.Tensor(np.full((2, 2), 0.25), name="A")
    B = A * 2
    C = t = np.tanh(B)
    for _ in range(60):
        t = t * t
    D = np.linalg.matrix_power(C, 100_000) + t
    J = np.sum(D)
    J.backward()
    picture = at.draw(J)
    assert max(len(card.origin) for card in picture.cards) < 80
    assert {"A", "B", "C", "D", "J"} < set(by_name(picture))


# ----- calls of functions that record several operations -----
WEIGHTS = np.array([1.0, 2.0])


def origins(picture):
    return [card.origin for card in picture.cards if card.kind in ("operation", "output")]


@pytest.mark.parametrize(
    ("call", "origin"),
    [
        (lambda x: np.mean(x), "mean(x)"),
        (lambda x: x.mean(axis=0, keepdims=True), "mean(x, axis=0)"),
        (lambda x: np.average(x, axis=None), "average(x)"),
        (lambda x: np.average(x, 0, weights=WEIGHTS), "average(x, 0, weights=WEIGHTS)"),
        (lambda x: np.var(x, ddof=1), "var(x, ddof=1)"),
        (lambda x: np.convolve(x[0], x[1], mode="same"), 'convolve(t1, t2, mode="same")'),
        (lambda x: np.std(x, axis=(0,)), "std(x, axis=(0,))"),
        (lambda x: np.kron(x[0], WEIGHTS), "kron(t1, WEIGHTS)"),
        (lambda x: np.column_stack([x[0], x[1]]), "column_stack([t1, t2])"),
        (lambda x: np.linalg.matrix_norm(x[:, :2], ord=np.inf), "matrix_norm(t1, ord=inf)"),
        (lambda x: np.apply_along_axis(np.tanh, 0, x), "apply_along_axis(tanh, 0, x)"),
        (lambda x: np.sum(x) / 4, "t1 / 4"),
        (lambda x: np.amax(x), "max(x)"),
    ],
)
def test_what_was_typed_as_one_call_is_one_card(call, origin):
    y = call(at.Tensor([[1.0, 5.0], [2.0, 3.0]], name="x"))
    assert origins(at.draw(y))[-1] == origin


def test_a_mean_passes_on_one_nth():
    x = at.Tensor([1.0, 2.0, 3.0, 6.0], name="x")
    y = np.mean(x)
    y.backward()
    picture = at.draw(y)
    ((only,),) = [picture.edges]
    assert (only.label, only.rule) == ("× 1/4", "g / 4")
    assert by_name(picture)["x"].chain_rule == "dy/dx = dy/dy / 4 = all 0.25"
    assert [line.text for line in picture.steps.steps[-1].lines if line.label == "passes on"] == [
        "g / 4 = all 0.25, shape (4,)"
    ]


def test_a_call_opens_into_its_operations():
    x = at.Tensor([1.0, 2.0, 3.0, 6.0], name="x")
    y = np.var(x)
    assert origins(at.draw(y)) == ["var(x)"]
    assert origins(at.draw(y, expand="y")) == ["mean(x)", "x - t2", "t3 ** 2", "sum(t4)", "t5 / 4"]
    assert origins(at.draw(y, depth=2)) == ["sum(x)", "t1 / 4", "x - t2", "t3 ** 2", "sum(t4)", "t5 / 4"]


def test_a_call_within_a_scope_stays_in_it():
    x = at.Tensor([1.0, 2.0], name="x")
    with at.scope("inner"):
        centred = x - np.mean(x)
    (box,) = [box for box in at.draw(np.sum(centred)).scene.boxes if getattr(box, "label", "") == "inner"]
    assert [card.origin for card in box.boxes] == ["variable", "mean(x)", "x - t2"]


def test_a_call_whose_inside_has_a_name_is_shown_operation_by_operation():
    x = at.Tensor([[1.0, 2.0], [3.0, 5.0]], name="x")
    kept = []
    y = np.apply_along_axis(lambda row: kept.append(row * 2) or kept[-1] + 1, 0, x)
    picture = at.draw(y)
    assert {"kept[0]", "kept[1]"} < set(by_name(picture))


def test_a_call_that_a_stable_form_reaches_into_is_shown_operation_by_operation():
    x = at.Tensor([1.0, 2.0, 4.0], name="x")
    y = np.std(x) ** 2
    assert origins(at.draw(y)) == ["mean(x)", "x - t2", "norm(t3)", "t4 / 1.732", "t5 ** 2"]


# ----- what the edges carry adds up to the gradient on the card -----
def random_loss(rng):
    """A loss over named matrices, with logarithms of softmaxes and sigmoids that other terms use as well."""
    named = [at.Tensor(rng.normal(size=(3, 4)), name=f"x{i}") for i in range(2)]
    makers = [
        lambda x, y: np.tanh(x * y + 0.5 * x),
        lambda x, y: at.softmax(x - y),
        lambda x, y: at.sigmoid(x + 2 * y),
        lambda x, y: np.exp(0.1 * x) / (1 + np.exp(0.1 * x)),
        lambda x, y: (x @ y.T) @ y / 5,
        lambda x, y: np.maximum(x, 0.2 * y),
        lambda x, y: x[::-1] - np.mean(y, axis=0),
        lambda x, y: np.std(x, axis=0) ** 2 * y + np.var(x),
        lambda x, y: np.clip(np.average(x, 0, np.exp(0.1 * y)), -0.5, 0.5) + np.outer(y[:, 0], x[0]),
        lambda x, y: np.cumulative_sum(x, axis=0) / np.linalg.norm(np.vstack([x, y])),
    ]
    for i in range(rng.integers(3, 7)):
        x, y = (named[k] for k in rng.integers(len(named), size=2))
        named.append(makers[rng.integers(len(makers))](x, y))
        named[-1].name = f"y{i}"
    p = at.softmax(named[-1]) if rng.random() < 0.5 else at.sigmoid(named[-1])
    p.name = "p"
    loss = np.sum(np.log(p) * named[0]) + np.sum(p * p) + np.mean(np.log(1 - p) * named[1]) + np.sum(named[-2] ** 2)
    loss.name = "loss"
    return loss


@pytest.fixture
def with_arrays(monkeypatch):
    """Edges keep the arrays that they carry, beside their summaries."""
    for module in (edge, line_edges):
        monkeypatch.setattr(module, "summarise", lambda value, small: SimpleNamespace(value=value, exact=str(value)))


def require_sums(picture):
    items = {card.id: item for card, item in zip(picture.cards, picture.items, strict=True)}
    carried = dict.fromkeys(items, 0.0)
    for each in picture.edges:
        if each.contribution is not None and not isinstance(each.contribution.value, OutputGradients):
            carried[each.source] = carried[each.source] + each.contribution.value
    for name, item in items.items():
        value = picture.graph.values[result_of(item)]
        gradient = picture.graph.gradients.get(result_of(item))
        if gradient is not None and value is not picture.graph.output and not isinstance(gradient, OutputGradients):
            np.testing.assert_allclose(carried[name], value.grad, rtol=1e-9, atol=1e-12, err_msg=str(value.name))


@pytest.mark.parametrize("seed", range(12))
def test_what_the_edges_carry_adds_up_to_the_gradient(seed, with_arrays):
    loss = random_loss(np.random.default_rng(seed))
    loss.backward()
    for picture in (at.draw(loss), at.draw(loss, depth=2), at.draw(loss, expand="loss")):
        require_sums(picture)


@pytest.mark.parametrize("seed", range(6))
def test_what_the_edges_of_calls_carry_adds_up_to_the_gradient(seed, with_arrays, monkeypatch):
    monkeypatch.setattr(lines, "FEWEST_OPERATIONS", 1000)
    loss = random_loss(np.random.default_rng(100 + seed))
    loss.backward()
    picture = at.draw(loss)
    assert any(isinstance(item, Group) and item.call for item in picture.items)
    require_sums(picture)


@pytest.mark.thorough
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", width.calls())
def test_what_the_edges_of_each_of_numpys_functions_carry_adds_up_to_the_gradient(name, with_arrays):
    for text in width.calls()[name]:
        used, call = width.function(text)
        with np.errstate(all="ignore"), contextlib.suppress(UnsupportedError, ShapeError):
            results = width.parts(call(*(at.Tensor(width.TRACKED[each], name=each) for each in used)))
            tracked = [y for y in results if isinstance(y, at.Tensor) and y.requires_grad]
            if not tracked:
                continue
            weighted = [np.sum(np.real(np.cos(np.arange(y.size) + 1.0).reshape(y.shape) * y)) for y in tracked]
            loss = sum(weighted[1:], weighted[0])
            loss.backward()
            require_sums(at.draw(loss))
            require_sums(at.draw(loss, depth=2))


def test_an_edge_that_carries_something_else_is_found(with_arrays):
    loss = random_loss(np.random.default_rng(0))
    loss.backward()
    picture = at.draw(loss)
    next(each for each in picture.edges if each.contribution is not None).contribution.value += 1e-6
    with pytest.raises(AssertionError, match="Not equal to tolerance"):
        require_sums(picture)


def test_a_negative_base_has_brackets():
    x = at.Tensor([1.0, 2.0], name="x")
    y = (-2.0) ** x
    assert at.draw(y).cards[-1].origin == "(-2) ** x"
    u = np.tanh(y * x) + (-3.0) ** x
    v = np.exp(u) * (u - x) + np.sin(u)
    J = np.sum(v**2 - u)
    origins = {card.name: card.origin for card in at.draw(J).cards}
    assert origins["u"] == "tanh(y * x) + (-3) ** x"


# ----- for a slide -----
def test_constants_can_be_left_out(network):
    assert "Y" not in by_name(at.draw(network.graph.output, constants=False))


def test_the_ways_from_a_parameter_stand_out(network):
    J = network.graph.output
    W2 = next(x for x in network.graph.ids if x.name == "W2")
    picture = at.draw(J, highlight=W2)
    names = {card.id: card.name for card in picture.cards}
    ways = {(names[e.source], names[e.target]) for e in picture.edges if picture.scene.stands_out(e)}
    assert ways == {("W2", "Z2"), ("Z2", "A2"), ("A2", "J"), ("Z2", "J")}
    assert picture.dot.count('color="#D55E00"') == len([e for e in picture.edges if picture.scene.stands_out(e)])


@pytest.mark.parametrize(("direction", "rankdir"), [("across", "LR"), ("down", "TB")])
def test_a_picture_runs_where_it_is_asked_to(network, direction, rankdir):
    assert f"rankdir={rankdir}" in at.draw(network.graph.output, direction=direction).dot


def test_another_direction_is_refused(network):
    with pytest.raises(UnsupportedError, match="direction: expected 'across' or 'down'; got 'left'"):
        at.draw(network.graph.output, direction="left")


def test_a_legend_explains_the_signs(network):
    assert "the order in which backprop visits the values" in at.draw(network.graph.output, legend=True).svg
    assert "the order in which" not in network.svg
