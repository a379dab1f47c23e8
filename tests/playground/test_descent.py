"""Answers about the slope and descent: charts, steps with momentum, data sets, and the decision boundary."""

import json

import numpy as np
import pytest

import autotiny as at
from autotiny.playground.answers import answer
from autotiny.playground.limits import PLAYGROUND

BOWL = {"program": "J = a * a + 3 * b * b", "values": {"a": {"value": 1}, "b": {"value": -2}}}
NETWORK = {
    "dataset": "digits 1 and 5",
    "program": "A1 = tanh(W1 @ X)\nA2 = softmax(W2 @ A1, axis=0)\nJ = -sum(Y * log(A2)) / m",
    "values": {"W1": {"value": [[0.5, -1], [1, 0.3], [-0.4, 1]]}, "W2": {"value": [[0.2, -1, 0.4], [0.1, 0, 0.3]]}},
}


def asked(state, **more):
    reply = answer({**state, **more, "kind": "descent"}, PLAYGROUND)
    json.dumps(reply, allow_nan=False)
    return reply


def along(*names):
    names = [name if isinstance(name, tuple) else (name,) for name in names]
    return [{"name": name, "place": list(place)} for name, *place in names]


def test_curve_has_the_slope_of_the_gradient():
    chart = asked(BOWL, along=along("b"))["chart"]
    assert (chart["names"], chart["point"], chart["value"], chart["slope"]) == (["b"], [-2], 13, -12)
    assert all(y == pytest.approx(1 + 3 * x * x) for x, y in chart["line"])


def test_two_values_are_a_contour_with_the_gradient():
    chart = asked(BOWL, along=along("a", "b"))["chart"]
    assert chart["slope"] == [2, -12]
    (left, right), (bottom, top) = chart["spans"]
    n = len(chart["heights"])
    a, b = np.meshgrid(np.linspace(left, right, n), np.linspace(bottom, top, n))
    np.testing.assert_allclose(chart["heights"], a * a + 3 * b * b, rtol=1e-6)


def test_nothing_chosen_is_the_entry_of_the_largest_gradient():
    state = {"program": "J = sum(x * x)", "values": {"x": {"value": [[0, 1], [-3, 2]]}}}
    assert asked(state)["chart"]["names"] == ["x[1, 0]"]


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_steps_are_those_of_gradient_descent_with_momentum(momentum):
    reply = asked(BOWL, along=along("a", "b"), steps=5, rate=0.05, momentum=momentum)
    (a, b), (va, vb), walked = (1.0, -2.0), (0.0, 0.0), []
    for _ in range(5):
        walked.append([a, b])
        va, vb = momentum * va + 2 * a, momentum * vb + 6 * b
        a, b = a - 0.05 * va, b - 0.05 * vb
    np.testing.assert_allclose(reply["trail"], walked, rtol=1e-6)
    np.testing.assert_allclose(reply["losses"], [a * a + 3 * b * b for a, b in walked], rtol=1e-6)
    np.testing.assert_allclose([reply["values"][name] for name in "ab"], [a, b], rtol=1e-6)


def test_steps_go_on_from_a_velocity_as_if_they_had_been_asked_for_at_once():
    whole = asked(BOWL, steps=6, rate=0.02, momentum=0.9)
    half = asked(BOWL, steps=3, rate=0.02, momentum=0.9)
    state = {**BOWL, "values": {name: {"value": value} for name, value in half["values"].items()}}
    rest = asked(state, steps=3, rate=0.02, momentum=0.9, velocity=half["velocity"])
    np.testing.assert_allclose([rest["values"][n] for n in "ab"], [whole["values"][n] for n in "ab"], rtol=1e-6)


def test_masks_are_those_of_each_step():
    state = {"program": "J = sum(where(x > 0, x, -2 * x))", "values": {"x": {"value": [0.15]}}}
    assert asked(state, steps=2, rate=0.1, along=along(("x", 0)))["values"]["x"] == pytest.approx([-0.05])


def test_masks_follow_the_values_along_the_curve():
    state = {"program": "J = sum(where(x > 0, x, -2 * x))", "values": {"x": {"value": [0.5]}}}
    chart = asked(state, along=along(("x", 0)))["chart"]
    assert all(y == pytest.approx(x if x > 0 else -2 * x) for x, y in chart["line"])
    assert chart["kinks"] == [[pytest.approx(0, abs=1e-8), pytest.approx(0, abs=1e-8)]]
    assert "as they were recorded" not in chart["words"]


def test_rate_that_is_too_large_stops_with_the_last_numbers_there_were():
    state = {"program": "J = exp(exp(x * x))", "values": {"x": {"value": 2}}}
    reply = asked(state, steps=50, rate=10)
    assert "try a smaller rate" in reply["stopped"]
    assert np.isfinite(reply["values"]["x"])


def test_training_on_real_digits_draws_a_boundary():
    before = after = asked(NETWORK)
    state, losses = NETWORK, []
    while len(losses) < 60:  # an answer comes with the steps that fit into its time
        after = asked(state, steps=60 - len(losses), rate=0.5, momentum=0.9, velocity=after["velocity"])
        losses += after["losses"]
        state = {**state, "values": {name: {"value": value} for name, value in after["values"].items()}}
    assert after["loss"] < 0.7 * before["loss"]
    boundary = after["boundary"]
    assert boundary["right"] > max(0.8, before["boundary"]["right"])
    assert len(boundary["classes"]) == len(boundary["shades"]) == boundary["size"] ** 2
    assert len(boundary["points"]) == len(boundary["labels"]) == 300


def test_boundary_is_where_the_program_changes_its_mind():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(2, 20))
    state = {
        "program": "p = sigmoid(w @ X)\nJ = -mean(y * log(p) + (1 - y) * log(1 - p))",
        "values": {
            "w": {"value": [[1, -2]]},
            "X": {"value": X.tolist(), "data": True},
            "y": {"value": [(X[0] > X[1]).astype(float).tolist()], "data": True},
        },
    }
    shown = asked(state)["boundary"]
    a, b = (np.linspace(*span, shown["size"]) for span in shown["spans"])
    expected = (a[None, :] - 2 * b[:, None] > 0).astype(int).ravel()
    assert shown["classes"] == expected.tolist()


def test_digits_have_no_boundary_as_their_inputs_are_many():
    state = {
        "dataset": "digits",
        "program": "J = at_cross(W @ X)".replace("at_cross(W @ X)", "-sum(Y * log(softmax(W @ X, axis=0))) / m"),
        "values": {"W": {"value": np.zeros((10, 64)).tolist()}},
    }
    reply = asked(state)
    assert reply["boundary"] is None
    assert reply["loss"] == pytest.approx(np.log(10))


def test_gradients_of_a_page_with_a_data_set_are_those_of_the_engine():
    reply = answer({**NETWORK, "kind": "picture"}, PLAYGROUND)
    X, Y = (np.array(at.Tensor(each).data) for each in _data())
    W1, W2 = (at.Tensor(NETWORK["values"][name]["value"]) for name in ("W1", "W2"))
    J = -np.sum(Y * np.log(at.softmax(W2 @ np.tanh(W1 @ X), axis=0))) / X.shape[1]
    J.backward()
    np.testing.assert_allclose(reply["gradients"]["W1"], W1.grad, rtol=1e-9)
    assert reply["loss"] == pytest.approx(J.item())


def _data():
    from autotiny.playground.data_sets import ones_and_fives

    return ones_and_fives()["X"], ones_and_fives()["Y"]


WRONG = {
    "no loss": ({"program": "y = x * x", "values": {"x": {"value": [1, 2]}}}, {}, "end with a single number"),
    "unknown name": (BOWL, {"along": along("c")}, "J has no gradient by 'c'"),
    "unknown place": (BOWL, {"along": along(("a", 0))}, r"a has shape \(\), and no entry \[0\]"),
    "three": (BOWL, {"along": along("a", "b", "a")}, "expected one or two numbers"),
    "not a list": (BOWL, {"along": "a"}, "expected one or two numbers"),
    "not a place": (BOWL, {"along": [{"name": "a", "place": "x"}]}, "the place of an entry"),
    "steps": (BOWL, {"steps": 10**9}, "steps: expected a whole number"),
    "rate": (BOWL, {"rate": 0}, "rate: expected a number above 0"),
    "rate of text": (BOWL, {"rate": "1"}, "rate: expected a number"),
    "momentum": (BOWL, {"momentum": 1}, "momentum: expected a number from 0 to below 1"),
    "velocity": (BOWL, {"velocity": [1]}, "velocity: expected an object"),
    "entries of a velocity": (BOWL, {"velocity": {"a": ["x"]}}, "velocity of a: expected numbers"),
    "data set": ({**BOWL, "dataset": "iris"}, {}, "there is no data set 'iris', only digits 1 and 5, digits"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_questions_are_answered_in_words(case):
    state, more, words = WRONG[case]
    with pytest.raises(AssertionError, match=words):
        raise AssertionError(asked(state, **more)["error"]["message"])


def test_velocity_of_another_shape_is_forgotten():
    assert asked(BOWL, steps=1, momentum=0.5, velocity={"a": [1, 2, 3]})["velocity"]["a"] == 2
