"""The closed forms against differences of the loss itself, which know nothing of any derivation."""

from itertools import pairwise

import numpy as np
import pytest

from autotiny.checking import closed_form

SIZES = [  # n_x, hidden units of each layer, n_y, m
    (4, (16,), 3, 32),
    (4, (16,), 3, 1),
    (3, (1,), 2, 5),
    (2, (1,), 2, 1),
    (5, (7, 6, 5, 4), 3, 8),
    (6, (), 3, 9),
]


def problem(n_x, hidden, n_y, m, seed=0):
    rng = np.random.default_rng(seed)
    widths = [n_x, *hidden, n_y]
    parameters = [
        (rng.normal(size=(n, below)) / np.sqrt(below), 0.3 * rng.normal(size=(n, 1))) for below, n in pairwise(widths)
    ]
    return rng.normal(size=(n_x, m)), np.eye(n_y)[:, rng.integers(n_y, size=m)], parameters


def flatten(parameters):
    return np.concatenate([part.ravel() for pair in parameters for part in pair])


def unflatten(flat, like):
    shapes = [part.shape for pair in like for part in pair]
    parts = np.split(flat, np.cumsum([np.prod(shape) for shape in shapes])[:-1])
    shaped = [part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)]
    return list(zip(shaped[::2], shaped[1::2], strict=True))


def differences(f, x, h=1e-3):
    """Gradient of f by central differences, extrapolated (Richardson) from h and h/2: error O(h^4)."""

    def central(h):
        return np.array([(f(x + h * e) - f(x - h * e)) / (2 * h) for e in np.eye(x.size)])

    return (4 * central(h / 2) - central(h)) / 3


def largest_error(actual, expected):
    return np.max(np.abs(actual - expected)) / np.max(np.abs(expected))


@pytest.mark.parametrize("activation", ["relu", "tanh"])
@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_parameter_gradients_are_the_differences_of_the_loss(sizes, activation):
    X, Y, parameters = problem(*sizes)

    def loss(flat):
        return closed_form.network(X, Y, unflatten(flat, parameters), activation)["J"]

    passes = closed_form.network(X, Y, parameters, activation)
    layers = range(1, len(parameters) + 1)
    stated = flatten([(passes[f"dW{l}"], passes[f"db{l}"]) for l in layers])
    assert largest_error(stated, differences(loss, flatten(parameters))) < 1e-9


@pytest.mark.parametrize("activation", ["relu", "tanh"])
@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_dz_of_every_layer_is_m_times_the_differences_of_the_loss(sizes, activation):
    X, Y, parameters = problem(*sizes)
    passes = closed_form.network(X, Y, parameters, activation)
    g, _ = closed_form.ACTIVATIONS[activation]
    m = X.shape[1]

    def loss_from(l, flat):
        Z = flat.reshape(passes[f"Z{l}"].shape)
        for W, b in parameters[l:]:
            Z = W @ g(Z) + b
        return -np.mean(np.log(np.sum(Y * np.exp(Z), axis=0) / np.sum(np.exp(Z), axis=0)))

    for l in range(1, len(parameters) + 1):
        found = differences(lambda flat, l=l: loss_from(l, flat), passes[f"Z{l}"].ravel())
        assert largest_error(passes[f"dZ{l}"].ravel(), m * found) < 1e-9


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_two_layer_and_network_agree_to_the_bit(dtype):
    X, Y, parameters = problem(4, (16,), 3, 32)
    X, Y = X.astype(dtype), Y.astype(dtype)
    (W1, b1), (W2, b2) = parameters = [(W.astype(dtype), b.astype(dtype)) for W, b in parameters]
    written_out, general = closed_form.two_layer(X, Y, W1, b1, W2, b2), closed_form.network(X, Y, parameters)
    assert written_out.keys() == general.keys()
    for name, value in written_out.items():
        assert value.dtype == dtype
        np.testing.assert_array_equal(value, general[name], err_msg=name)


def test_a_difference_of_half_a_per_mille_in_one_entry_is_seen():
    """The oracle above must be able to fail."""
    X, Y, parameters = problem(4, (16,), 3, 32)
    (W1, _), _ = parameters
    stated = closed_form.network(X, Y, parameters)["dW1"]
    found = differences(
        lambda flat: closed_form.network(X, Y, [(flat.reshape(W1.shape), parameters[0][1]), parameters[1]])["J"],
        W1.ravel(),
    ).reshape(W1.shape)
    assert largest_error(stated, found) < 1e-9
    stated.flat[np.argmax(np.abs(stated))] *= 1.0005
    assert largest_error(stated, found) > 4e-4


def test_gradients_carry_the_average_into_z_and_leave_the_parameters_alone():
    X, Y, parameters = problem(4, (16,), 3, 32)
    passes = closed_form.network(X, Y, parameters)
    gradients = closed_form.gradients(passes)
    assert set(gradients) == {"Z1", "W1", "b1", "Z2", "W2", "b2"}
    np.testing.assert_array_equal(gradients["Z2"], (passes["A2"] - Y) / 32)
    np.testing.assert_array_equal(gradients["W1"], passes["dW1"])


def test_saturated_wrong_class_has_its_loss_and_gradient():
    Z, Y = np.array([[800.0], [0.0], [0.0]]), np.array([[0.0], [1.0], [0.0]])
    passes = closed_form.network(np.ones((1, 1)), Y, [(Z, np.zeros((3, 1)))])
    assert passes["J"] == 800.0
    np.testing.assert_array_equal(passes["dZ1"], [[1.0], [-1.0], [0.0]])


def test_relu_is_flat_at_its_kink():
    X, Y = np.zeros((1, 2)), np.eye(2)
    passes = closed_form.two_layer(X, Y, np.ones((1, 1)), np.zeros((1, 1)), np.array([[1.0], [2.0]]), np.zeros((2, 1)))
    np.testing.assert_array_equal(passes["dZ1"], [[0.0, 0.0]])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"Y": np.array([0, 1])}, r"Y: expected the textbook's shape \(2, 2\), one example per column; got \(2,\)"),
        ({"b1": np.zeros(3)}, r"b1: expected the textbook's shape \(3, 1\).*got \(3,\)"),
        ({"W2": np.zeros((3, 2))}, r"W2: expected the textbook's shape \(3, 3\).*got \(3, 2\)"),
    ],
    ids=["labels", "flat bias", "transposed weights"],
)
def test_shapes_that_broadcasting_might_swallow_are_refused(change, message):
    arrays = {"X": np.ones((4, 2)), "Y": np.eye(2), "W1": np.ones((3, 4)), "b1": np.ones((3, 1))}
    arrays |= {"W2": np.ones((2, 3)), "b2": np.ones((2, 1))} | change
    with pytest.raises(ValueError, match=message):
        closed_form.two_layer(**arrays)


def test_unknown_activation_is_named_with_those_there_are():
    with pytest.raises(ValueError, match="expected an activation out of relu, tanh; got 'gelu'"):
        closed_form.network(np.ones((1, 1)), np.ones((1, 1)), [(np.ones((1, 1)), np.ones((1, 1)))], "gelu")


def test_a_network_without_layers_is_refused():
    with pytest.raises(ValueError, match="at least one layer"):
        closed_form.network(np.ones((2, 1)), np.ones((2, 1)), [])
