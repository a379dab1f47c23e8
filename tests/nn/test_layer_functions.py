"""Normalisation, recurrent cells, attention, embeddings and dropout: what they promise, and what fits."""

import numpy as np
import pytest

import autotiny as at
from autotiny import nn
from autotiny.errors import AutotinyError

rng = np.random.default_rng(0)
X = rng.normal(size=(4, 6))
W, U = rng.normal(size=(8, 4)), rng.normal(size=(8, 2))
H = np.zeros((2, 6))


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


# ----- normalisation -----
def test_normalised_features_have_mean_0_and_variance_1():
    Y, _ = nn.batch_norm(5 + 3 * X, epsilon=0)
    np.testing.assert_allclose(Y.mean(axis=1), 0, atol=1e-14)
    np.testing.assert_allclose(Y.var(axis=1), 1, rtol=1e-13)
    np.testing.assert_allclose(nn.layer_norm(X, epsilon=0).var(axis=0), 1, rtol=1e-13)


def test_an_epsilon_keeps_equal_entries_finite():
    g = at.grad(lambda x: np.sum(nn.layer_norm(x) * [1.0, 2.0, 3.0]))(np.ones(3))
    np.testing.assert_allclose(g, np.array([-1, 0, 1]) / np.sqrt(1e-5), rtol=1e-12, atol=1e-9)


def test_gradient_of_batch_norm_is_the_formula_of_its_paper():
    gamma, dY = rng.normal(size=(4, 1)), rng.normal(size=X.shape)
    g = at.grad(lambda X: np.sum(dY * nn.batch_norm(X, gamma, epsilon=0.1)[0]))(X)
    s = np.sqrt(X.var(axis=1, keepdims=True) + 0.1)
    X_hat = (X - X.mean(axis=1, keepdims=True)) / s
    expected = gamma / s * (dY - dY.mean(1, keepdims=True) - X_hat * (dY * X_hat).mean(1, keepdims=True))
    np.testing.assert_allclose(g, expected, rtol=1e-12, atol=1e-14)


def test_running_averages_are_plain_arrays_that_carry_no_gradient():
    Y, running = nn.batch_norm(at.Tensor(X))
    assert type(running.mean) is type(running.variance) is np.ndarray
    np.testing.assert_allclose(running.mean, 0.1 * X.mean(axis=1))
    np.testing.assert_allclose(running.variance, 0.9 + 0.1 * X.var(axis=1, ddof=1))
    evaluated, _ = nn.batch_norm(X, running=running, training=False)
    np.testing.assert_allclose(
        evaluated, (X - running.mean[:, None]) / np.sqrt(running.variance[:, None] + 1e-5), rtol=1e-12
    )
    assert Y.requires_grad


def test_a_compiled_step_returns_running_averages_of_its_own_batch():
    def step(X, running):
        Y, running = nn.batch_norm(X, running=running)
        return np.sum(Y**3), running

    compiled, running = at.compile(step), (np.zeros(4), np.ones(4))
    for k in range(3):
        J, moved = compiled(X + k, running)
        expected_J, expected = step(X + k, running)
        np.testing.assert_allclose(J, expected_J, rtol=1e-10)
        np.testing.assert_allclose(moved[0], expected.mean, rtol=1e-12)
        np.testing.assert_allclose(moved[1], expected.variance, rtol=1e-12)


def test_groups_of_one_channel_are_instances():
    images = rng.normal(size=(4, 3, 3, 2))
    expected = (images - images.mean(axis=(1, 2), keepdims=True)) / np.sqrt(
        images.var(axis=(1, 2), keepdims=True) + 1e-5
    )
    np.testing.assert_allclose(nn.group_norm(images, 4), expected, rtol=1e-12)


# ----- recurrent cells -----
def test_an_lstm_cell_is_its_equations():
    c = rng.normal(size=(2, 6))
    h, following = nn.lstm_cell(X, H + 1, c, W, U, np.arange(8.0))
    z = W @ X + U @ (H + 1) + np.arange(8.0)[:, None]
    expected = sigmoid(z[2:4]) * c + sigmoid(z[:2]) * np.tanh(z[4:6])
    np.testing.assert_allclose(following, expected, rtol=1e-12)
    np.testing.assert_allclose(h, sigmoid(z[6:]) * np.tanh(expected), rtol=1e-12)


def test_gradients_pass_through_many_steps_in_time():
    def loss(W, U):
        h, c = np.zeros(2), np.zeros(2)
        for t in range(6):
            h, c = nn.lstm_cell(X[:, t], h, c, W, U)
        return np.sum(h**2)

    at.check_gradients(loss, W, U)


def test_an_update_gate_of_1_keeps_the_state():
    b = np.array([0.0, 0.0, 100.0, 100.0, 0.0, 0.0])
    h = rng.normal(size=(2, 6))
    np.testing.assert_allclose(nn.gru_cell(X, h, W[:6], U[:6], b), h, rtol=1e-12)


# ----- attention, embeddings, dropout -----
def test_no_examples_give_no_results():
    none = X[:, :0]
    assert nn.layer_norm(none).shape == nn.rms_norm(none).shape == nn.group_norm(none, 2).shape == (4, 0)
    assert [y.shape for y in nn.lstm_cell(none, H[:, :0], H[:, :0], W, U)] == [(2, 0), (2, 0)]
    assert nn.scaled_dot_product_attention(X[:0], X, X).shape == (0, 6)
    assert nn.embedding([], X).shape == (4, 0)


def test_a_query_sees_no_key_behind_a_mask():
    Q, K, V = rng.normal(size=(3, 4)), rng.normal(size=(5, 4)), rng.normal(size=(5, 2))
    mask = np.arange(5) < 3
    masked = nn.scaled_dot_product_attention(Q, K, V, mask)
    np.testing.assert_allclose(masked, nn.scaled_dot_product_attention(Q, K[:3], V[:3]), rtol=1e-12)
    dK, dV = at.grad(lambda K, V: np.sum(nn.scaled_dot_product_attention(Q, K, V, mask) ** 2), argnums=(0, 1))(K, V)
    assert not np.any(dK[3:])
    assert not np.any(dV[3:])


def test_large_scores_do_not_overflow():
    Y = nn.scaled_dot_product_attention([[1e3]], [[1e3], [-1e3]], [[2.0], [5.0]])
    np.testing.assert_array_equal(Y, [[2.0]])


def test_an_embedding_is_the_product_with_one_hot_columns():
    E, ids = rng.normal(size=(3, 5)), np.array([4, 0, 4])
    np.testing.assert_array_equal(nn.embedding(ids, E), E @ at.one_hot(ids, 5))
    dY = rng.normal(size=(3, 3))
    g = at.grad(lambda E: np.sum(dY * nn.embedding(ids, E)))(E)
    np.testing.assert_allclose(g, dY @ at.one_hot(ids, 5).T, rtol=1e-13)


def test_dropout_keeps_the_expected_value_and_its_mask_is_its_derivative():
    x = np.ones(20_000)
    Y, pull = at.vjp(lambda x: nn.dropout(x, 0.3, np.random.default_rng(1)), x)
    assert abs(Y.mean() - 1) < 0.02
    np.testing.assert_array_equal(pull(np.ones(20_000))[0], Y)
    assert set(Y) == {0, 1 / 0.7}


def test_dropout_without_training_or_a_rate_is_the_identity():
    generator = np.random.default_rng(0)
    assert nn.dropout(X, 0.5, generator, training=False) is X
    assert nn.dropout(X, 0, generator) is X


def test_a_mask_is_not_compiled_into_a_program():
    generator = np.random.default_rng(0)
    with pytest.raises(AutotinyError, match="random"):
        at.compile(lambda X: np.sum(nn.dropout(X, 0.5, generator)))(X)
    with pytest.raises(AutotinyError, match="the function draws random numbers"):
        at.compile(lambda X, rng: np.sum(nn.dropout(X, 0.5, rng)))(X, generator)


def test_a_compiled_program_takes_a_generator_that_it_does_not_draw_from():
    step = at.compile(lambda X, rng: np.sum(nn.dropout(X, 0.5, rng, training=False) ** 2))
    np.testing.assert_allclose(step(X, np.random.default_rng(0)), np.sum(X**2), rtol=1e-13)


Q = np.ones((3, 4))
REFUSED = {
    r"batch_norm: X \(4, 1\) has one entry per feature, and so no variance": lambda: nn.batch_norm(X[:, :1]),
    "batch_norm: with training=False, give the running averages": lambda: nn.batch_norm(X, training=False),
    "batch_norm: running must be a pair .*; got float": lambda: nn.batch_norm(X, running=1.0),
    r"batch_norm: running \(3,\) and \(4,\) must be of shape \(4,\)": (
        lambda: nn.batch_norm(X, running=(np.ones(3), np.ones(4)))
    ),
    r"batch_norm: gamma \(6,\) does not fit; expected shape \(4,\) or \(4, 1\)": (lambda: nn.batch_norm(X, np.ones(6))),
    r"layer_norm: axis 2 is not an axis of X \(4, 6\)": lambda: nn.layer_norm(X, axis=2),
    r"layer_norm: axis must name at least one axis of X \(4, 6\)": lambda: nn.layer_norm(X, axis=()),
    r"layer_norm: X \(0, 4\) has no entries along axis 0": lambda: nn.layer_norm(np.ones((0, 4))),
    "layer_norm: epsilon must be a number of at least 0; got 'x'": lambda: nn.layer_norm(X, epsilon="x"),
    "batch_norm: momentum must be a number of at least 0 and at most 1; got 2": lambda: nn.batch_norm(X, momentum=2),
    r"group_norm: 4 channels of X \(4, 6\) do not divide into 3 groups": lambda: nn.group_norm(X, 3),
    r"group_norm: expected X with axes of channels and examples; got X \(4,\)": lambda: nn.group_norm(np.ones(4), 2),
    r"lstm_cell: expected W \(8, 4\), 4 gates of 2 rows and a column .* of x; got W \(4, 8\); its transpose fits": (
        lambda: nn.lstm_cell(X, H, H, W.T, U)
    ),
    r"lstm_cell: expected U \(8, 2\), .* entry of h; got V \(8, 3\)": (
        lambda: nn.lstm_cell(X, H, H, W, at.Tensor(np.ones((8, 3)), name="V"))
    ),
    r"lstm_cell: c \(2, 5\) and h \(2, 6\) must have the same shape": lambda: nn.lstm_cell(X, H, H[:, 1:], W, U),
    r"rnn_cell: expected an example in each column of x \(n, m\) .*; got x \(4, 6\) and h \(2, 5\)": (
        lambda: nn.rnn_cell(X, H[:, 1:], W, U)
    ),
    r"gru_cell: d \(2,\) does not fit; expected shape \(6,\)": (
        lambda: nn.gru_cell(X, H, W[:6], U[:6], np.ones(6), np.ones(2))
    ),
    r"attention: expected Q \(..., n, d\), .*; got Q \(3, 4\), K \(3, 3\) and V \(3, 4\)": (
        lambda: nn.scaled_dot_product_attention(Q, Q[:, :3], Q)
    ),
    r"attention: mask \(2,\) does not broadcast to Q Kᵀ \(3, 3\)": (
        lambda: nn.scaled_dot_product_attention(Q, Q, Q, [True, False])
    ),
    "attention: mask has a row without True: its query may see no key": (
        lambda: nn.scaled_dot_product_attention(Q, Q, Q, np.zeros((3, 3), bool))
    ),
    r"attention: K \(0, 4\) holds no keys": lambda: nn.scaled_dot_product_attention(Q, Q[:0], Q[:0]),
    "embedding: ids must be whole numbers; got float64": lambda: nn.embedding([0.5], X),
    r"embedding: ids lie in -1..6; E \(4, 6\) has 0..5": lambda: nn.embedding([-1, 6], X),
    "embedding: ids cannot be read as an array": lambda: nn.embedding([[1], [1, 2]], X),
    r"embedding: axis 2 is not an axis of X": lambda: nn.embedding([0], X, axis=2),
    "dropout: rate must be a number of at least 0 and below 1; got 1": (
        lambda: nn.dropout(X, 1, np.random.default_rng(0))
    ),
    r"dropout: rng must be a generator such as np.random.default_rng\(0\); got int": lambda: nn.dropout(X, 0.5, 0),
}


@pytest.mark.parametrize("words", REFUSED)
def test_what_does_not_fit_is_an_error_in_the_users_words(words):
    with pytest.raises(AutotinyError, match=words):
        REFUSED[words]()
