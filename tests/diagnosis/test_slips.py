"""Effects that are foretold are those of sweeps with slips; sentences hold only what reproduces the gradient."""

import numpy as np
import pytest

import autotiny as at
from autotiny.diagnosis import GraphContext, diagnose
from autotiny.diagnosis.examples import Axes
from autotiny.diagnosis.search import Search
from autotiny.diagnosis.values import same
from autotiny.engine.gradients import seed
from autotiny.engine.graph import names, topological_order

CURVES = [np.tanh, at.sigmoid, at.relu, np.sin, np.exp, np.square, lambda z: z, lambda z: z * np.tanh(z)]


def random_loss(number):
    """A loss of two or three layers of random curves, with or without a residual path, means and decay."""
    rng = np.random.default_rng(number)
    n, m = (int(k) for k in rng.integers(2, 5, size=2))
    X, Y = rng.normal(size=(n, m)), rng.normal(size=(n, m))
    shapes = {"W1": (n, n), "b1": (n, 1), "W2": (n, n)}
    shapes = {"W1": (n, n), "b1": (n, 1), "W2": (n, n)}
    W1, b1, W2 = (at.Tensor(0.5 * rng.normal(size=shape), name=name) for name, shape in shapes.items())
    A1 = CURVES[rng.integers(len(CURVES))](W1 @ X + b1)
    A2 = CURVES[rng.integers(len(CURVES))](W2 @ A1) + (A1 if rng.uniform() < 0.5 else 0)
    J = np.sum((A2 - Y) ** 2) / m + (0.1 * np.sum(W1 * W1) if rng.uniform() < 0.5 else 0)
    x = (W1, b1, W2)[rng.integers(3)]
    return J, x, np.asarray(at.gradients(J, [x])[0].data), rng


def context_of(J, x):
    return GraphContext(J, seed(J, None), x, names(topological_order(J), {}))


@pytest.mark.parametrize("number", range(6))
def test_the_foretold_effect_of_every_slip_is_that_of_its_sweep(number):
    J, x, right, _ = random_loss(number)
    context = context_of(J, x)
    sweep = context._subject.sweep
    assert same(sweep.gradient({}), right)
    assert len(context._effects) > 10
    for effect in context._effects:
        change = sweep.along(sweep.gradient(effect.hypothesis.slips)) - sweep.along(right)
        np.testing.assert_allclose(effect.along, change, atol=1e-6 * max(effect.size, 1))


@pytest.mark.parametrize("number", range(6))
def test_every_slip_that_changes_the_gradient_is_explained(number):
    J, x, right, _ = random_loss(number)
    context = context_of(J, x)
    unexplained = []
    for effect in context._effects:
        stated = context._subject.sweep.gradient(effect.hypothesis.slips)
        changed = np.all(np.isfinite(stated)) and not np.allclose(stated, right, rtol=1e-6)
        if changed and diagnose(stated, right, context) is None:
            unexplained.append(Search.words(effect.hypothesis))
    assert unexplained == []


@pytest.mark.parametrize("number", range(6))
def test_nothing_explains_a_gradient_that_is_off_at_random(number):
    J, x, right, rng = random_loss(number)
    stated = right + 0.1 * rng.normal(size=right.shape)
    assert list(context_of(J, x).explanations(stated, right)) == []


def test_a_slip_that_only_comes_near_the_gradient_is_not_claimed():
    J, x, right, _ = random_loss(0)
    context = context_of(J, x)
    sweep = context._subject.sweep
    for effect in context._effects[::20]:
        near = sweep.gradient(effect.hypothesis.slips) * (1 + 1e-5 * np.arange(right.size).reshape(right.shape))
        sentences = list(context.explanations(near, right))
        assert Search.words(effect.hypothesis)[0] not in " ".join(sentences)


def test_the_axis_of_examples_is_that_of_data_alone():
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(4, 7)), rng.normal(size=(3, 7))
    W, b = at.Tensor(rng.normal(size=(3, 4))), at.Tensor(np.zeros((3, 1)))
    Z = W @ X + b
    axes = Axes(topological_order(np.sum((Z - Y) ** 2)))
    assert set(axes.of_examples.values()) == {7}
    assert (axes.example_axes(Z), axes.example_axes(X), axes.example_axes(W)) == ([1], [1], [])


def test_the_axis_of_examples_is_found_through_transposes_and_sums():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(9, 4)), rng.normal(size=9)
    w = at.Tensor(rng.normal(size=4))
    axes = Axes(topological_order(np.sum((w @ X.T - y) ** 2) + np.sum(np.sum((X * w).T, axis=0) * y)))
    assert set(axes.of_examples.values()) == {9}


def test_a_single_precision_gradient_that_is_off_in_one_entry_is_no_slip():
    rng = np.random.default_rng(0)
    X, W = rng.normal(size=(8, 5)).astype(np.float32), at.Tensor(rng.normal(size=(5, 3)).astype(np.float32), name="W")
    J = np.mean(np.tanh(X @ W) ** 2)
    right = np.asarray(at.gradients(J, [W])[0].data)
    stated = right.copy()
    stated[0, 0] *= np.float32(1.001)
    assert list(context_of(J, W).explanations(stated, right)) == []


def test_complex_gradients_have_slips_too():
    rng = np.random.default_rng(0)
    A = rng.normal(size=(3, 3)) + 1j * rng.normal(size=(3, 3))
    z = at.Tensor(rng.normal(size=3) + 1j * rng.normal(size=3), name="z")
    r = A @ z
    J = np.sum(np.abs(r) ** 2) + np.sum(np.real(z))
    right = np.asarray(at.gradients(J, [z])[0].data)
    assert at.compare(J, {z: right}).ok
    assert "Re(z)" in at.compare(J, {z: right - 1})["z"].notes[0]


def test_a_graph_with_a_rule_of_several_outputs_is_left_alone():
    A = at.Tensor(np.array([[2.0, 1.0], [1.0, 3.0]]), name="A")
    J = np.sum(np.linalg.eigh(A)[0] ** 3)
    right = np.asarray(at.gradients(J, [A])[0].data)
    assert at.compare(J, {A: 2 * right})["A"].notes == ("2 times the gradient: an extra factor of 2?",)
    assert list(context_of(J, A).explanations(right + 1, right)) == []
