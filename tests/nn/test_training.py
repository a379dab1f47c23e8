import signal

import numpy as np
import pytest

from autotiny.nn import Adam, GradientDescent, Momentum, Network, Standardisation, Training, TrainingError, digits
from autotiny.nn.batches import batch_step


@pytest.mark.parametrize("seed", range(3))
def test_plain_gradient_descent_reads_96_percent_of_held_out_digits(seed):
    rest, test = digits().split(0.2, seed)
    train, validation = rest.split(0.1, seed)
    training = Training(Network((64, 64, 10), seed=seed), GradientDescent(0.2), seed=seed)
    training.run(train, validation, epochs=60)
    assert training.accuracy(test) >= 0.96


@pytest.mark.parametrize("optimiser", [GradientDescent(0.3), Momentum(0.03), Adam(0.03)])
def test_every_optimiser_learns(optimiser, blobs, make_training):
    training = make_training(optimiser)
    training.run(*blobs, epochs=30)
    assert training.history[-1].loss < 0.7 * training.history[0].loss
    assert training.accuracy(blobs[0]) > 0.7


def test_one_epoch_takes_the_textbooks_steps(blobs):
    train, validation = blobs
    training = Training(Network((4, 3), seed=0), GradientDescent(0.3), batch=20, seed=5)
    W, b = (value.copy() for value in training.network.values().values())
    training.run(train, validation, epochs=1)

    X = (train.X - train.X.mean(axis=1, keepdims=True)) / train.X.std(axis=1, keepdims=True)
    order = np.random.default_rng([5, 0]).permutation(len(train))
    losses, correct = [], 0
    for batch in (order[i : i + 20] for i in range(0, len(order), 20)):
        A = np.exp(W @ X[:, batch] + b)
        A /= A.sum(axis=0)
        losses.extend(-np.log(A[train.labels[batch], range(len(batch))]))
        correct += sum(A.argmax(axis=0) == train.labels[batch])
        dZ = A - np.eye(3)[train.labels[batch]].T
        W, b = W - 0.3 * dZ @ X[:, batch].T / len(batch), b - 0.3 * dZ.mean(axis=1, keepdims=True)
    np.testing.assert_allclose(training.state.parameters["W1"], W, rtol=1e-12)
    np.testing.assert_allclose(training.state.parameters["b1"], b, rtol=1e-12, atol=1e-15)
    assert training.history[0].loss == pytest.approx(np.mean(losses), rel=1e-12)
    assert training.history[0].accuracy == correct / len(train)


def test_every_epoch_sees_every_example_once_in_an_order_of_its_own(blobs, make_training, monkeypatch):
    batches = []

    def recorded(network, backend):
        return lambda parameters, X, Y: batches.append(X) or batch_step(network, backend)(parameters, X, Y)

    monkeypatch.setattr("autotiny.nn.training.batch_step", recorded)
    training = make_training(batch=32)
    training.run(*blobs, epochs=2)
    assert [X.shape[1] for X in batches] == [32, 32, 26] * 2
    first, second = np.hstack(batches[:3]), np.hstack(batches[3:])
    assert (first != second).any()
    for epoch in (first, second):
        np.testing.assert_array_equal(np.unique(epoch, axis=1), np.unique(training.standardisation(blobs[0].X), axis=1))


def test_same_seed_gives_the_same_bits(blobs, make_training, assert_same_bits):
    first, again, other = (make_training(Adam(), seed=seed) for seed in (7, 7, 8))
    for training in (first, again, other):
        training.run(*blobs, epochs=5)
    assert_same_bits(first.state.parameters, again.state.parameters)
    assert first.history == again.history
    assert first.history != other.history


def test_training_stops_when_patience_is_over_and_keeps_the_best(blobs, make_training, assert_same_bits):
    training = make_training(Adam(0.1), patience=4)
    training.run(*blobs, epochs=500)
    losses = [epoch.validation_loss for epoch in training.history]
    assert len(losses) == training.best_epoch + 4 < 500
    assert min(losses) == losses[training.best_epoch - 1]

    until_best = make_training(Adam(0.1), patience=None)
    until_best.run(*blobs, epochs=training.best_epoch)
    assert_same_bits(training.network.values(), until_best.state.parameters)


def test_without_patience_all_epochs_are_trained(blobs, make_training):
    training = make_training(Adam(0.1), patience=None)
    training.run(*blobs, epochs=60)
    assert len(training.history) == 60 > training.best_epoch + 10


def test_run_goes_on_from_the_last_parameters_and_not_from_the_best(blobs, make_training, assert_same_bits):
    at_once, in_parts = (make_training(Adam(0.1), patience=None) for _ in range(2))
    at_once.run(*blobs, epochs=40)
    for epochs in (15, 25, 40):
        in_parts.run(*blobs, epochs=epochs)
    assert_same_bits(at_once.state.parameters, in_parts.state.parameters)
    assert_same_bits(at_once.network.values(), in_parts.network.values())
    assert at_once.history == in_parts.history


def test_standardisation_is_fitted_on_the_training_part_alone(blobs, make_training):
    train, validation = blobs
    training = make_training()
    training.run(train, validation, epochs=1)
    np.testing.assert_array_equal(training.standardisation.mean, train.X.mean(axis=1, keepdims=True))
    np.testing.assert_array_equal(training.standardisation.scale, train.X.std(axis=1, keepdims=True))


def test_given_standardisation_is_kept(blobs, make_training):
    training = make_training(standardisation=Standardisation.none(blobs[0]))
    training.run(*blobs, epochs=2)
    np.testing.assert_array_equal(training.predict(blobs[0]), training.network.predict(blobs[0].X))


def test_history_ends_with_what_the_last_parameters_give(blobs, make_training):
    train, validation = blobs
    training = make_training(Adam())
    training.run(train, validation, epochs=3)
    training.network.assign(training.state.parameters)
    X = training.standardisation(validation.X)
    assert training.history[-1].validation_loss == training.network.loss(X, validation.labels).item()
    assert training.history[-1].validation_accuracy == training.accuracy(validation)


def test_float64_examples_do_not_widen_a_float32_network(blobs):
    training = Training(Network((4, 6, 3), dtype=np.float32), Adam())
    training.run(*blobs, epochs=2)
    assert {value.dtype for value in training.network.values().values()} == {np.dtype(np.float32)}


class InterruptedDescent(Adam):
    """Ctrl-C in the middle of the fourth epoch, between the updates of two parameters."""

    steps = 0

    def step(self, name, dW):
        self.steps += 1
        if self.steps == 3 * 3 * 4 + 6:
            signal.raise_signal(signal.SIGINT)
        return super().step(name, dW)


def test_ctrl_c_within_an_epoch_keeps_the_best_and_drops_that_epoch(blobs, make_training, assert_same_bits):
    stopped, whole = make_training(InterruptedDescent(0.05)), make_training(Adam(0.05))
    stopped.run(*blobs, epochs=8)
    assert stopped.interrupted
    assert len(stopped.history) == 3
    assert_same_bits(stopped.network.values(), stopped.state.best)

    stopped.run(*blobs, epochs=8)
    whole.run(*blobs, epochs=8)
    assert not stopped.interrupted
    assert_same_bits(stopped.state.parameters, whole.state.parameters)
    assert_same_bits(stopped.state.optimiser, whole.state.optimiser)


def test_ctrl_c_between_epochs_keeps_the_epoch(blobs, make_training):
    training = make_training()
    training.run(*blobs, epochs=8, after_epoch=lambda training: signal.raise_signal(signal.SIGINT))
    assert training.interrupted
    assert len(training.history) == 1


def test_diverging_training_stops_with_the_best_parameters(blobs, make_training, assert_same_bits):
    training = make_training(GradientDescent(1e300))
    with pytest.raises(TrainingError, match=r"the loss is \w+ in epoch 1; a learning rate below 1e\+300 may help"):
        training.run(*blobs, epochs=8)
    assert_same_bits(training.network.values(), make_training().network.values())


def test_other_examples_in_the_middle_are_refused(blobs, make_training):
    training = make_training()
    training.run(*blobs, epochs=1)
    with pytest.raises(TrainingError, match="this training began with other examples"):
        training.run(*reversed(blobs), epochs=2)


def test_empty_batch_is_refused(make_training):
    with pytest.raises(TrainingError, match="batch is 0; a whole number of at least 1"):
        make_training(batch=0)


@pytest.mark.parametrize("patience", [0, -1])
def test_patience_below_one_epoch_is_refused(patience, make_training):
    with pytest.raises(TrainingError, match=f"patience is {patience}; a whole number of at least 1"):
        make_training(patience=patience)
