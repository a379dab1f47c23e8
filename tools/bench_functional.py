"""The same work in libraries that transform functions: JAX, autograd (HIPS), PyTensor."""

from functools import partial
from typing import Any

import numpy as np

from bench_sides import Side, called, descending, descent, flat_gradient, value_and_gradients
from bench_works import Chain, Layers, Network, Repeated, ScalarNetwork, logits

Function = Chain | Repeated | Layers

# ---- JAX, under jit


def jax_64() -> Any:
    """Import JAX, with float64 enabled."""
    import jax

    jax.config.update("jax_enable_x64", True)
    return jax


def jit(f: Any) -> Any:
    """Return f under jit, which waits for its results."""
    jax = jax_64()
    compiled = jax.jit(f)
    return lambda *args: jax.block_until_ready(compiled(*args))


def jax_network(net: Network) -> Side:
    """The step as a pure function."""
    jax = jax_64()

    def loss(parameters: Any, X: Any, Y: Any) -> Any:
        return -(Y * jax.nn.log_softmax(logits(parameters, X, jax.nn.relu), axis=0)).sum() / net.m

    return descending(net, jit(descent(jax.value_and_grad(loss), net.lr)), jax.numpy.asarray)


def jax_function(problem: Function) -> Side:
    """value_and_grad."""
    jax = jax_64()
    f = jax.value_and_grad(partial(problem.y, jax.numpy), tuple(range(len(problem.data))))
    return called(jit(f), list(map(jax.numpy.asarray, problem.data)), value_and_gradients)


def jax_scalars(net: ScalarNetwork) -> Side:
    """Every number a separate argument."""
    jax = jax_64()
    f = jax.value_and_grad(lambda layers: net.loss(layers, jax.nn.relu))
    return called(jit(f), [net.neurons(jax.numpy.asarray)], flat_gradient)


JAX: Any = {
    Network: jax_network,
    Chain: jax_function,
    Repeated: jax_function,
    Layers: jax_function,
    ScalarNetwork: jax_scalars,
}

# ---- autograd


def autograd_network(net: Network) -> Side:
    """The step as a pure function."""
    import autograd
    from autograd.scipy.special import logsumexp

    def loss(parameters: Any, X: Any, Y: Any) -> Any:
        Z = logits(parameters, X, partial(autograd.numpy.maximum, 0))
        return -(Y * (Z - logsumexp(Z, axis=0))).sum() / net.m

    return descending(net, descent(autograd.value_and_grad(loss), net.lr), np.asarray)


def autograd_function(problem: Function) -> Side:
    """value_and_grad of all arguments."""
    import autograd

    f = autograd.value_and_grad(partial(problem.y, autograd.numpy), tuple(range(len(problem.data))))
    return called(f, problem.data, value_and_gradients)


def autograd_scalars(net: ScalarNetwork) -> Side:
    """value_and_grad over nested lists of numbers."""
    import autograd

    f = autograd.value_and_grad(lambda layers: net.loss(layers, partial(autograd.numpy.maximum, 0)))
    return called(f, [net.neurons(float)], flat_gradient)


AUTOGRAD: Any = {
    Network: autograd_network,
    Chain: autograd_function,
    Repeated: autograd_function,
    Layers: autograd_function,
    ScalarNetwork: autograd_scalars,
}

# ---- PyTensor


def pytensor_network(net: Network) -> Side:
    """Shared variables, compiled with their updates."""
    import pytensor
    from pytensor import tensor as pt

    parameters = [pytensor.shared(p, shape=p.shape) for p in net.parameters()]
    X, Y = (pytensor.shared(a, shape=a.shape) for a in net.data)
    Z = logits(parameters, X, partial(pt.maximum, 0))
    loss = -(Y * pt.special.log_softmax(Z, axis=0)).sum() / np.asarray(net.m, net.dtype)
    lr: Any = np.asarray(net.lr, net.dtype)
    updates = [(p, p - lr * g) for p, g in zip(parameters, pytensor.grad(loss, parameters), strict=True)]
    compiled = pytensor.function([], loss, updates=updates)
    value: Any = None

    def step() -> None:
        nonlocal value
        value = compiled()

    return Side(step, lambda: [value, *(p.get_value() for p in parameters)])


def pytensor_function(problem: Function) -> Side:
    """Value and gradients, compiled."""
    import pytensor
    from pytensor import tensor as pt

    inputs = [pt.tensor(dtype=x.dtype, shape=x.shape) for x in problem.data]
    y = problem.y(pt, *inputs)
    return called(pytensor.function(inputs, [y, *pytensor.grad(y, inputs)]), problem.data, lambda *results: results)


PYTENSOR: Any = {
    Network: pytensor_network,
    Chain: pytensor_function,
    Repeated: pytensor_function,
    Layers: pytensor_function,
}
