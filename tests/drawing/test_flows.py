"""What the steps show of a gradient is the sum of what they have passed on to it so far."""

import numpy as np
import pytest

import autotiny as at
from autotiny.drawing import lines, steps
from autotiny.drawing.flows import SoFar, Sums
from autotiny.drawing.groups import Group, last_node
from drawing.test_lines import random_loss


class Label(str):
    """The label of a line, with the array that the line shows."""

    __slots__ = ("value",)


@pytest.fixture
def with_arrays(monkeypatch):
    """Steps keep the arrays that they show."""

    def array_line(label, value, before=""):
        kept = Label(label)
        kept.value = value
        return steps.Line(kept, before)

    monkeypatch.setattr(steps, "array_line", array_line)
    monkeypatch.setattr(steps, "array_text", lambda value: value)


def shown(step, label):
    return next(line.label.value for line in step.lines if line.label == label)


def require_running_sums(picture):
    """Raise AssertionError where a step shows another sum than that of the steps so far, or the last another gradient.

    Returns the number of steps that were compared.
    """
    values = {card.id: last_node(item) for card, item in zip(picture.cards, picture.items, strict=True)}
    gradients = {name: picture.graph.gradients.get(node) for name, node in values.items()}
    so_far: dict[str, object] = {}
    compared = 0
    for step in picture.steps.steps:
        if step.edge and not isinstance(step.total, str):
            so_far[step.receiver] = so_far.get(step.receiver, 0) + shown(step, "passes on")
            for sums in (step.total, shown(step, "sum so far")):
                np.testing.assert_allclose(sums, so_far[step.receiver], rtol=1e-9, atol=1e-12, err_msg=step.title)
            compared += 1
    for name, total in so_far.items():
        np.testing.assert_allclose(total, gradients[name], rtol=1e-9, atol=1e-12)
    return compared


def levels(loss):
    return at.draw(loss), at.draw(loss, depth=2), at.draw(loss, expand="loss")


def entangled_loss(rng):
    """A loss whose lines were computed in parts, one part of each after another."""
    x, y = (at.Tensor(rng.normal(size=(3, 2)), name=name) for name in "xy")
    parts = [np.tanh(x * k) * y for k in rng.normal(size=6)]
    lines = [at.sigmoid(part * x) + rng.normal() * y for part in parts]
    for i, line in enumerate(lines):
        line.name = f"line{i}"
    loss = np.sum((lines[0] - lines[1]) ** 2 + lines[2] * lines[3] * lines[4] - lines[5])
    loss.name = "loss"
    return loss


@pytest.mark.parametrize("make", [random_loss, entangled_loss])
@pytest.mark.parametrize("seed", range(8))
def test_each_step_shows_the_sum_of_the_steps_so_far(seed, make, with_arrays):
    loss = make(np.random.default_rng(seed))
    loss.backward()
    for picture in levels(loss):
        assert require_running_sums(picture) >= len(picture.cards) // 2


@pytest.mark.parametrize("seed", range(5))
def test_each_step_through_a_call_shows_the_sum_of_the_steps_so_far(seed, with_arrays, monkeypatch):
    monkeypatch.setattr(lines, "FEWEST_OPERATIONS", 1000)
    loss = random_loss(np.random.default_rng(100 + seed))
    loss.backward()
    picture = at.draw(loss)
    assert any(isinstance(item, Group) for item in picture.items)
    assert require_running_sums(picture)


def test_steps_into_closed_scopes_show_the_gradient_of_their_results(with_arrays):
    x = at.Tensor([0.5, -1.0], name="x")
    with at.scope("inner"):
        y = np.tanh(x) * x
    with at.scope("outer"):
        z = y * y + np.sin(y) * x
    loss = np.sum(z * y)
    loss.backward()
    assert require_running_sums(at.draw(loss, depth=1)) >= 3


def test_a_wrong_sum_is_found(with_arrays, monkeypatch):
    monkeypatch.setattr(Sums, "so_far", lambda self, way: SoFar(way.flows[-1].contribution.total + 1e-6, 1, 1))
    loss = random_loss(np.random.default_rng(0))
    loss.backward()
    with pytest.raises(AssertionError, match="Not equal to tolerance"):
        require_running_sums(at.draw(loss, depth=2))


def test_a_sum_of_what_no_step_has_shown_yet_is_found(with_arrays, monkeypatch):
    """The engine's own sum has the part of a line that arrived before the step that shows the line."""
    monkeypatch.setattr(Sums, "so_far", lambda self, way: SoFar(way.flows[-1].contribution.total, 1, 1))
    loss = entangled_loss(np.random.default_rng(0))
    loss.backward()
    with pytest.raises(AssertionError, match="Not equal to tolerance"):
        require_running_sums(at.draw(loss))
