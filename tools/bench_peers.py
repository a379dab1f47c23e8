"""The same work in other libraries, each in its own idiom, for those that are installed."""

from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from typing import Any

import numpy as np

from bench_timing import Side
from bench_works import Chain, ScalarNetwork, TwoLayer, recorded_chain, recorded_scalars

Factory = Callable[[Any], Side]
Sides = dict[str, Factory]

MODULES = {
    "micrograd": "micrograd",
    "PyTorch": "torch",
    "JAX jit": "jax",
    "JAX": "jax",
    "autograd": "autograd",
    "MyGrad": "mygrad",
    "PyTensor": "pytensor",
}


def is_installed(peer: str) -> bool:
    """Whether a library is installed; it is imported only when its side is built."""
    return find_spec(MODULES[peer]) is not None


def installed(sides: Sides) -> Sides:
    """Return the sides whose library is installed."""
    return {peer: side for peer, side in sides.items() if is_installed(peer)}


def logits(parameters: Any, X: Any, relu: Callable[[Any], Any]) -> Any:
    """Compute Z2 of the two-layer network."""
    W1, b1, W2, b2 = parameters
    return W2 @ relu(W1 @ X + b1) + b2


# ---- PyTorch


def torch_two_layer(net: TwoLayer) -> Side:
    """Leaves, backward, and the update under no_grad."""
    import torch

    torch.set_num_threads(1)
    parameters = [torch.tensor(p, requires_grad=True) for p in net.parameters()]
    X, labels = torch.tensor(net.data[0]), torch.tensor(net.labels)
    loss = torch.tensor(torch.inf)

    def step() -> None:
        nonlocal loss
        loss = torch.nn.functional.cross_entropy(logits(parameters, X, torch.relu).T, labels)
        for p in parameters:
            p.grad = None
        loss.backward()
        with torch.no_grad():
            for p in parameters:
                p -= net.lr * p.grad

    return Side(step, lambda: [v.detach() for v in (loss, *parameters)])


def torch_chain(chain: Chain) -> Side:
    """One leaf, one backward."""
    import torch

    torch.set_num_threads(1)
    return recorded_chain(torch.tensor(chain.x, requires_grad=True), partial(chain.y, torch))


def torch_scalars(net: ScalarNetwork) -> Side:
    """Every number a 0-d tensor."""
    import torch

    torch.set_num_threads(1)
    return recorded_scalars(net, partial(torch.tensor, dtype=torch.float64, requires_grad=True), torch.relu)


# ---- MyGrad


def mygrad_two_layer(net: TwoLayer) -> Side:
    """Leaves and backward; its gradients are cleared by the next forward pass."""
    import mygrad
    from mygrad.nnet.activations import relu
    from mygrad.nnet.losses import softmax_crossentropy

    X, parameters = net.data[0], [mygrad.tensor(p) for p in net.parameters()]
    loss = mygrad.tensor(np.inf)

    def step() -> None:
        nonlocal loss
        loss = softmax_crossentropy(logits(parameters, X, relu).T, net.labels)
        loss.backward()
        for p in parameters:
            p.data -= net.lr * p.grad

    return Side(step, lambda: [v.data for v in (loss, *parameters)])


def mygrad_chain(chain: Chain) -> Side:
    """One leaf, one backward."""
    import mygrad

    x, y = mygrad.tensor(chain.x), mygrad.tensor(np.inf)

    def step() -> None:
        nonlocal y
        y = chain.y(mygrad, x)
        y.backward()

    return Side(step, lambda: [y.data, x.grad])


# ---- JAX and autograd: pure functions, transformed


def functional_two_layer(net: TwoLayer, step_of: Callable[..., Any], ready: Callable[[Any], Any], leaf: Any) -> Side:
    """Run a pure step, which maps parameters to the loss and new parameters."""
    parameters = [leaf(p) for p in net.parameters()]
    X, Y = map(leaf, net.data)
    loss: Any = np.inf

    def step() -> None:
        nonlocal loss, parameters
        loss, parameters = ready(step_of(parameters, X, Y))

    return Side(step, lambda: [loss, *parameters])


def descent(value_and_grad: Callable[..., Any], lr: float) -> Callable[..., Any]:
    """Return a step of gradient descent on the loss of (parameters, X, Y)."""

    def step(parameters: Any, X: Any, Y: Any) -> Any:
        loss, gradients = value_and_grad(parameters, X, Y)
        return loss, [p - lr * g for p, g in zip(parameters, gradients, strict=True)]

    return step


def jax_64() -> Any:
    """Import JAX, with float64 enabled."""
    import jax

    jax.config.update("jax_enable_x64", True)
    return jax


def jax_two_layer(net: TwoLayer, compiled: bool) -> Side:
    """The step as a pure function, as it is or under jit."""
    jax = jax_64()

    def loss(parameters: Any, X: Any, Y: Any) -> Any:
        return -(Y * jax.nn.log_softmax(logits(parameters, X, jax.nn.relu), axis=0)).sum() / net.m

    step = descent(jax.value_and_grad(loss), net.lr)
    return functional_two_layer(net, jax.jit(step) if compiled else step, jax.block_until_ready, jax.numpy.asarray)


def functional_value_and_grad(f: Callable[..., Any], ready: Callable[[Any], Any], *args: Any) -> Side:
    """Value and gradient of one function at one point."""
    result: Any = None

    def step() -> None:
        nonlocal result
        result = ready(f(*args))

    return Side(step, lambda: result)


def jax_chain(chain: Chain, compiled: bool) -> Side:
    """value_and_grad, as it is or under jit."""
    jax = jax_64()
    f = jax.value_and_grad(partial(chain.y, jax.numpy))
    return functional_value_and_grad(jax.jit(f) if compiled else f, jax.block_until_ready, jax.numpy.asarray(chain.x))


def jax_scalars(net: ScalarNetwork) -> Side:
    """Every number a separate argument, under jit; op by op it would take seconds."""
    jax = jax_64()
    f = jax.jit(jax.value_and_grad(lambda layers: net.loss(layers, jax.nn.relu)))
    side = functional_value_and_grad(f, jax.block_until_ready, net.neurons(jax.numpy.asarray))
    return Side(side.step, lambda: flat_gradient(*side.numbers()))


def flat_gradient(loss: Any, gradient: Any) -> list[Any]:
    """Return the loss, and the nested lists of gradients as one list."""
    return [loss, [float(g) for layer in gradient for weights, bias in layer for g in (*weights, bias)]]


def autograd_two_layer(net: TwoLayer) -> Side:
    """The step as a pure function."""
    import autograd
    from autograd.scipy.special import logsumexp

    def loss(parameters: Any, X: Any, Y: Any) -> Any:
        Z2 = logits(parameters, X, partial(autograd.numpy.maximum, 0))
        return -(Y * (Z2 - logsumexp(Z2, axis=0))).sum() / net.m

    return functional_two_layer(net, descent(autograd.value_and_grad(loss), net.lr), tuple, np.asarray)


def autograd_chain(chain: Chain) -> Side:
    """value_and_grad."""
    import autograd

    f = autograd.value_and_grad(partial(chain.y, autograd.numpy))
    return functional_value_and_grad(f, tuple, chain.x)


def autograd_scalars(net: ScalarNetwork) -> Side:
    """value_and_grad over nested lists of numbers."""
    import autograd

    f = autograd.value_and_grad(lambda layers: net.loss(layers, partial(autograd.numpy.maximum, 0)))
    side = functional_value_and_grad(f, tuple, net.neurons(float))
    return Side(side.step, lambda: flat_gradient(*side.numbers()))


# ---- PyTensor


def pytensor_two_layer(net: TwoLayer) -> Side:
    """Shared variables, compiled with their updates."""
    import pytensor
    from pytensor import tensor as pt

    parameters = [pytensor.shared(p, shape=p.shape) for p in net.parameters()]
    X, Y = (pytensor.shared(a, shape=a.shape) for a in net.data)
    Z2 = logits(parameters, X, partial(pt.maximum, 0))
    loss = -(Y * pt.special.log_softmax(Z2, axis=0)).sum() / np.asarray(net.m, net.dtype)
    lr: Any = np.asarray(net.lr, net.dtype)
    updates = [(p, p - lr * g) for p, g in zip(parameters, pytensor.grad(loss, parameters), strict=True)]
    compiled = pytensor.function([], loss, updates=updates)
    value: Any = np.inf

    def step() -> None:
        nonlocal value
        value = compiled()

    return Side(step, lambda: [value, *(p.get_value() for p in parameters)])


def pytensor_chain(chain: Chain) -> Side:
    """Value and gradient, compiled."""
    import pytensor
    from pytensor import tensor as pt

    x = pt.dvector()
    y = chain.y(pt, x)
    return functional_value_and_grad(pytensor.function([x], [y, pytensor.grad(y, x)]), list, chain.x)


# ---- micrograd


def micrograd_scalars(net: ScalarNetwork) -> Side:
    """As in its demo."""
    from micrograd.engine import Value

    return recorded_scalars(net, Value, Value.relu, no_gradient=0)


TWO_LAYER: Sides = {
    "PyTorch": torch_two_layer,
    "JAX jit": partial(jax_two_layer, compiled=True),
    "JAX": partial(jax_two_layer, compiled=False),
    "autograd": autograd_two_layer,
    "MyGrad": mygrad_two_layer,
    "PyTensor": pytensor_two_layer,
}
CHAIN: Sides = {
    "PyTorch": torch_chain,
    "JAX jit": partial(jax_chain, compiled=True),
    "JAX": partial(jax_chain, compiled=False),
    "autograd": autograd_chain,
    "MyGrad": mygrad_chain,
    "PyTensor": pytensor_chain,
}
SCALARS: Sides = {
    "micrograd": micrograd_scalars,
    "PyTorch": torch_scalars,
    "JAX jit": jax_scalars,
    "autograd": autograd_scalars,
}
