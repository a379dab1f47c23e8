import numpy as np
import pytest

import autotiny as at
from autotiny.errors import AutotinyError
from autotiny.nn import Adam, GradientDescent, Momentum

RNG = np.random.default_rng(0)
W0, GRADIENTS = RNG.standard_normal((2, 3)), RNG.standard_normal((5, 2, 3))


def descend(optimiser, dtype=np.float64):
    """W after a step with each of the gradients."""
    W = at.Tensor(W0.astype(dtype))
    for dW in GRADIENTS:
        W.grad = dW.astype(dtype)
        optimiser.update({"W1": W})
    return W.data


def test_gradient_descent_takes_alpha_dw_away():
    np.testing.assert_allclose(descend(GradientDescent(0.5)), W0 - 0.5 * GRADIENTS.sum(axis=0), rtol=1e-14)


def test_momentum_adds_up_gradients_that_fade_by_beta():
    velocities = [sum(0.8 ** (t - s) * GRADIENTS[s] for s in range(t + 1)) for t in range(5)]
    np.testing.assert_allclose(descend(Momentum(0.5, beta=0.8)), W0 - 0.5 * np.sum(velocities, axis=0), rtol=1e-13)


def test_adam_divides_the_mean_gradient_by_its_root_mean_square():
    def mean(values, beta, t):
        weights = beta ** np.arange(t, -1, -1)
        return np.tensordot(weights, values[: t + 1], 1) / weights.sum()

    steps = [mean(GRADIENTS, 0.7, t) / (np.sqrt(mean(GRADIENTS**2, 0.95, t)) + 1e-3) for t in range(5)]
    adam = Adam(0.5, beta1=0.7, beta2=0.95, epsilon=1e-3)
    np.testing.assert_allclose(descend(adam), W0 - 0.5 * np.sum(steps, axis=0), rtol=1e-13)


@pytest.mark.parametrize("kind", [GradientDescent, Momentum, Adam])
def test_float32_parameters_stay_float32(kind):
    optimiser = kind(np.float64(0.1))
    assert descend(optimiser, np.float32).dtype == np.float32
    assert all(array.dtype == np.float32 for array in optimiser.state.values() if array.shape)


@pytest.mark.parametrize("kind", [GradientDescent, Momentum, Adam])
def test_state_is_all_that_an_optimiser_remembers(kind):
    whole, first, second = (at.Tensor(W0) for _ in range(3))
    one, two, three = kind(), kind(), kind()
    for t, dW in enumerate(GRADIENTS):
        whole.grad = first.grad = second.grad = dW
        one.update({"W1": whole})
        if t < 2:
            two.update({"W1": first})
            three.state, second.data = dict(two.state), first.data
        else:
            three.update({"W1": second})
    np.testing.assert_array_equal(second.data, whole.data)


def test_parameters_do_not_share_what_is_remembered():
    together, apart = Momentum(), Momentum()
    W, V = at.Tensor(W0), at.Tensor(W0)
    for dW in GRADIENTS:
        W.grad, V.grad = dW, -dW
        together.update({"W": W, "V": V})
    np.testing.assert_array_equal(W.data, descend(apart))
    np.testing.assert_allclose(W.data - W0, W0 - V.data, rtol=1e-12)


def test_parameter_without_a_gradient_stays():
    W = at.Tensor(W0)
    GradientDescent().update({"W": W})
    np.testing.assert_array_equal(W.data, W0)


@pytest.mark.parametrize("rate", [0, -0.1, np.nan, np.inf])
def test_learning_rate_that_leads_nowhere_is_refused(rate):
    with pytest.raises(AutotinyError, match=f"learning_rate is {float(rate)}; a number above 0 is needed"):
        GradientDescent(rate)


@pytest.mark.parametrize("kind", [GradientDescent, Momentum, Adam])
def test_a_tree_of_arrays_takes_the_steps_of_its_tensors(kind):
    by_update, by_tree = kind(0.1), kind(0.1)
    W, tree = at.Tensor(W0.astype(np.float32)), {"layers": [W0.astype(np.float32)], "b": np.float32(3)}
    for dW in GRADIENTS.astype(np.float32):
        W.grad = dW
        by_update.update({"W": W})
        tree = by_tree.descended(tree, {"layers": [dW], "b": np.float32(0)})
    np.testing.assert_array_equal(tree["layers"][0], W.data, strict=True)
    assert tree["b"] == 3


def test_gradients_of_another_structure_are_refused():
    with pytest.raises(ValueError, match=r"descended: the gradients must have the keys \['W'\]; got the keys \['V'\]"):
        GradientDescent().descended({"W": W0}, {"V": W0})
