import numpy as np
import pytest

import autotiny as at
from autotiny.engine.graph import topological_order
from autotiny.nn import Network, NetworkError
from autotiny.nn.network import ACTIVATIONS

RNG = np.random.default_rng(0)
X, LABELS = RNG.standard_normal((5, 7)), RNG.integers(0, 3, 7)


def test_two_layers_compute_the_textbooks_forward_pass():
    net = Network((5, 4, 3), seed=2)
    W1, b1, W2, b2 = (W.data for W in net.parameters.values())
    np.testing.assert_allclose(net(X).data, W2 @ np.maximum(W1 @ X + b1, 0) + b2, rtol=1e-14)


def test_every_layer_carries_its_textbook_name():
    Z3 = Network((5, 4, 4, 3), activation=("tanh", "relu"))(X)
    names = {t.name for t in topological_order(Z3)}
    assert {"W1", "b1", "Z1", "A1", "W2", "b2", "Z2", "A2", "W3", "b3", "Z3"} <= names


def test_no_hidden_layer_is_softmax_regression():
    net = Network((5, 3))
    np.testing.assert_allclose(net(X).data, net.parameters["W1"].data @ X, rtol=1e-14)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_activation_gives_gradients_that_point_uphill(activation):
    net = Network((5, 8, 3), activation, seed=3)
    J = net.loss(X, LABELS)
    J.backward()
    slope = sum(np.sum(W.grad**2) for W in net.parameters.values())
    net.assign({name: W.data + 1e-6 * W.grad for name, W in net.parameters.items()})
    assert net.loss(X, LABELS).item() - J.item() == pytest.approx(1e-6 * slope, rel=1e-3)


def test_labels_and_one_hot_columns_give_the_same_loss():
    net = Network((5, 4, 3))
    assert net.loss(X, LABELS).item() == net.loss(X, at.one_hot(LABELS, 3)).item()


def test_gradient_of_the_logits_is_a_minus_y_over_m():
    net = Network((5, 4, 3))
    Z = net(X)
    at.cross_entropy(Z, LABELS).backward()
    np.testing.assert_allclose(Z.grad, (at.softmax(Z.data) - at.one_hot(LABELS, 3)) / 7, rtol=1e-12, atol=1e-15)


def test_prediction_is_the_class_of_the_largest_logit_and_records_nothing():
    net = Network((5, 4, 3))
    np.testing.assert_array_equal(net.predict(X), net(X).data.argmax(axis=0))
    assert all(W.grad is None for W in net.parameters.values())


def test_same_seed_draws_the_same_weights(assert_same_bits):
    assert_same_bits(Network((5, 4, 3), seed=4).values(), Network((5, 4, 3), seed=4).values())
    assert (Network((5, 4, 3), seed=4).values()["W1"] != Network((5, 4, 3), seed=5).values()["W1"]).all()


@pytest.mark.parametrize(("activation", "variance"), [("relu", 2 / 400), ("tanh", 2 / (400 + 300))])
def test_hidden_weights_follow_he_or_glorot(activation, variance):
    values = Network((400, 300, 200), activation).values()
    assert values["W1"].var() == pytest.approx(variance, rel=0.02)
    assert values["W2"].var() == pytest.approx(2 / (300 + 200), rel=0.02)
    assert not values["b1"].any()


def test_relu_signals_keep_their_size_through_twenty_layers():
    net = Network((200,) * 22, seed=0)
    Z = net(RNG.standard_normal((200, 50))).data
    assert 0.2 < np.mean(Z**2) < 5


def test_float32_network_stays_float32_forward_and_backward():
    net = Network((5, 4, 3), dtype=np.float32)
    J = net.loss(X.astype(np.float32), LABELS)
    J.backward()
    assert J.dtype == net.dtype == np.float32
    assert {W.grad.dtype for W in net.parameters.values()} == {np.dtype(np.float32)}


def test_values_and_assigned_arrays_are_copies():
    net = Network((5, 4, 3))
    values = net.values()
    net.assign(values)
    values["W1"][:] = 7
    assert not (net.parameters["W1"].data == 7).any()


def test_value_of_another_shape_is_not_assigned():
    with pytest.raises(NetworkError, match=r"assign: W1 has shape \(4, 5\), its new value \(5, 4\)"):
        Network((5, 4, 3)).assign(Network((4, 5, 3)).values())


@pytest.mark.parametrize(
    ("sizes", "activation", "message"),
    [
        ((5,), "relu", r"sizes is \(5,\); at least two positive integers are needed"),
        ((5, 0, 3), "relu", r"sizes is \(5, 0, 3\)"),
        ((5, 2.5, 3), "relu", r"sizes is \(5, 2.5, 3\)"),
        ((5, 4, 3), ("relu", "tanh"), "2 activations for 1 hidden layers"),
        ((5, 4, 3), "step", "activation 'step' is not one of relu, leaky_relu"),
    ],
)
def test_network_that_cannot_be_built_is_refused(sizes, activation, message):
    with pytest.raises(NetworkError, match=message):
        Network(sizes, activation)
