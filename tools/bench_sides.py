"""What the engines have in common: a side of a comparison, and the ways in which libraries are called."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from bench_works import Network, ScalarNetwork


class Side(NamedTuple):
    """One way to do a work: `step()` does it once, `numbers()` returns the results of all steps so far."""

    step: Callable[[], object]
    numbers: Callable[[], Sequence[Any]]


def called(f: Callable[..., Any], args: Sequence[Any], numbers: Callable[..., Sequence[Any]]) -> Side:
    """Call a function of value and gradients, which come as `f(*args)` gives them, and go through `numbers`."""
    result: Any = None

    def step() -> None:
        nonlocal result
        result = f(*args)

    return Side(step, lambda: numbers(*result))


def value_and_gradients(y: Any, gradients: Sequence[Any]) -> list[Any]:
    """Return both in one list."""
    return [y, *gradients]


def flat_gradient(loss: Any, gradient: Any) -> list[Any]:
    """Return the loss, and the nested lists of gradients as one list."""
    return [loss, [float(g) for layer in gradient for weights, bias in layer for g in (*weights, bias)]]


def descending(net: Network, step_of: Callable[..., Any], leaf: Callable[[Any], Any]) -> Side:
    """Run a pure step, which maps parameters to the loss and new parameters."""
    parameters: Any = [leaf(p) for p in net.parameters()]
    X, Y = map(leaf, net.data)
    loss: Any = None

    def step() -> None:
        nonlocal loss, parameters
        loss, parameters = step_of(parameters, X, Y)

    return Side(step, lambda: [loss, *parameters])


def descent(value_and_grad: Callable[..., Any], lr: float) -> Callable[..., Any]:
    """Return a step of gradient descent on the loss of (parameters, X, Y)."""

    def step(parameters: Any, X: Any, Y: Any) -> Any:
        loss, gradients = value_and_grad(parameters, X, Y)
        return loss, [p - lr * g for p, g in zip(parameters, gradients, strict=True)]

    return step


def recorded(f: Callable[..., Any], leaves: Sequence[Any]) -> Side:
    """Record f and run backward, in any engine whose arrays have `.data`, `.grad` and `.backward()`."""
    y: Any = None

    def step() -> None:
        nonlocal y
        y = f(*leaves)
        for x in leaves:
            x.grad = None
        y.backward()

    return Side(step, lambda: [y.data, *(x.grad for x in leaves)])


def recorded_scalars(
    net: ScalarNetwork, leaf: Callable[[float], Any], relu: Callable[[Any], Any], no_gradient: object = None
) -> Side:
    """Run the scalar network in any engine whose numbers have `.data`, `.grad` and `.backward()`."""
    layers = net.neurons(leaf)
    parameters = [p for layer in layers for weights, bias in layer for p in (*weights, bias)]
    loss: Any = None

    def step() -> None:
        nonlocal loss
        loss = net.loss(layers, relu)
        for p in parameters:
            p.grad = no_gradient
        loss.backward()

    return Side(step, lambda: [float(loss.data), [float(p.grad) for p in parameters]])
