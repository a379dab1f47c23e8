import gc
import weakref

import numpy as np
import pytest

import autotiny as at
from autotiny.nn import Network, Training
from autotiny.nn.batches import BatchStep, batch_step


@pytest.mark.parametrize("activation", ["relu", "leaky_relu", "elu", "softplus", "silu", "gelu", "sigmoid", "tanh"])
def test_compiled_batch_gives_the_recorded_loss_logits_and_gradients(activation):
    network, rng = Network((4, 6, 3), activation, seed=1), np.random.default_rng(0)
    X, Y = rng.standard_normal((4, 7)), np.eye(3)[:, rng.integers(0, 3, 7)]
    step = batch_step(network)
    J, Z, gradients = step(network.values(), X, Y)
    J0, Z0, gradients0 = step.eager(network.values(), X, Y)
    assert step.compiled.source
    np.testing.assert_allclose(J, J0.item(), rtol=1e-14)
    np.testing.assert_allclose(Z, Z0.data, rtol=1e-13, atol=1e-15)
    for name, dW in gradients0.items():
        np.testing.assert_allclose(gradients[name], dW, rtol=1e-12, atol=1e-15)


def test_training_compiles_one_program_for_each_size_of_batch(blobs):
    training = Training(Network((4, 5, 3), seed=0), batch=32)
    training.run(*blobs, epochs=2)  # 90 examples: 32, 32, 26
    assert len(batch_step(training.network).compiled.kept) == 2


def test_batch_that_cannot_be_compiled_is_recorded_and_warns_once(recwarn):
    def branches(parameters, X, Y):
        W = at.Tensor(parameters["W"])
        J = np.sum(W * X)
        if J > 0:
            J = J * 2
        J.backward()
        return J, X, {"W": W.grad}

    step = BatchStep(branches)
    with pytest.warns(RuntimeWarning, match=r"training without compiling: the value of .* was asked for"):
        J, _, gradients = step({"W": np.ones(2)}, np.ones(2), np.ones(2))
    assert J == 4
    np.testing.assert_array_equal(gradients["W"], [2, 2])
    step({"W": np.ones(2)}, np.ones(2), np.ones(2))
    assert not recwarn


def test_batch_step_lives_as_long_as_its_network():
    network = Network((4, 3))
    step = weakref.ref(batch_step(network))
    assert batch_step(network) is step()
    del network
    gc.collect()
    assert step() is None
