"""The same work in NumPy by hand, and the limits: its matrix products alone, its memory traffic alone."""

from typing import Any

import numpy as np

from bench_sides import Side
from bench_works import Array, Chain, Layers, Network, Repeated, ScalarNetwork


def network(net: Network) -> Side:
    """Run the textbook's forward and backward pass: two layers as they are written there, more in a loop."""
    return two_layers(net) if len(net.sizes) == 3 else many_layers(net)


def two_layers(net: Network) -> Side:
    """Run the textbook's forward and backward pass, with 1/m where it costs least."""
    (X, Y), m, lr = net.data, net.m, net.lr
    W1, b1, W2, b2 = net.parameters()
    J = np.inf

    def step() -> None:
        nonlocal W1, b1, W2, b2, J
        Z1 = W1 @ X + b1
        A1 = np.maximum(Z1, 0)
        Z2 = W2 @ A1 + b2
        E = np.exp(Z2 - np.max(Z2, axis=0))
        A2 = E / np.sum(E, axis=0)
        J = -np.sum(Y * np.log(A2)) / m
        dZ2 = (A2 - Y) / m
        dW2 = dZ2 @ A1.T
        db2 = np.sum(dZ2, axis=1, keepdims=True)
        dZ1 = W2.T @ dZ2 * (Z1 > 0)
        dW1 = dZ1 @ X.T
        db1 = np.sum(dZ1, axis=1, keepdims=True)
        W1 -= lr * dW1
        b1 -= lr * db1
        W2 -= lr * dW2
        b2 -= lr * db2

    return Side(step, lambda: [J, W1, b1, W2, b2])


def many_layers(net: Network) -> Side:
    """Run the textbook's forward and backward pass over any number of layers."""
    (X, Y), m, lr = net.data, net.m, net.lr
    parameters = net.parameters()
    weights, biases = parameters[::2], parameters[1::2]
    J = np.inf

    def step() -> None:
        nonlocal J
        A = [X]
        for W, b in zip(weights[:-1], biases[:-1], strict=True):
            A.append(np.maximum(W @ A[-1] + b, 0))
        Z = weights[-1] @ A[-1] + biases[-1]
        E = np.exp(Z - np.max(Z, axis=0))
        softmax = E / np.sum(E, axis=0)
        J = -np.sum(Y * np.log(softmax)) / m
        dZ = (softmax - Y) / m
        for l in range(len(weights) - 1, -1, -1):
            dW, db = dZ @ A[l].T, np.sum(dZ, axis=1, keepdims=True)
            if l:
                dZ = weights[l].T @ dZ * (A[l] > 0)
            weights[l] -= lr * dW
            biases[l] -= lr * db

    return Side(step, lambda: [J, *parameters])


def chain(chain: Chain) -> Side:
    """Run forward and backward by hand, computing nothing twice."""
    (x,) = chain.data
    y, dx = np.inf, x

    def step() -> None:
        nonlocal y, dx
        r = np.sqrt(1 + x * x)
        t = np.tanh(r)
        e = np.exp(-x * t)
        u = 1 + e
        y = np.sum(np.log(u))
        dz = e / u
        dr = dz * x * (1 - t * t)
        dx = -dz * t - dr * x / r

    return Side(step, lambda: [y, dx])


def repeated(problem: Repeated) -> Side:
    """Keep each h; dh <- dh (1 - h²), summed into dx."""
    (x,) = problem.data
    y, dx = np.inf, x

    def step() -> None:
        nonlocal y, dx
        h = [x]
        for _ in range(problem.operations // 2):
            h.append(np.tanh(h[-1] + x))
        y = np.sum(h[-1])
        dh, dx = np.ones_like(x), np.zeros_like(x)
        for a in reversed(h[1:]):
            dh = dh * (1 - a * a)
            dx += dh
        dx += dh

    return Side(step, lambda: [y, dx])


def layers(problem: Layers) -> Side:
    """Keep each h and tanh; dz = dh (1 - t²) / L, dW = dz hᵀ, dh <- dh + Wᵀ dz."""
    start, *parameters = problem.data
    weights, biases = parameters[::2], parameters[1::2]
    L, y, gradients = len(weights), np.inf, list[Array]()

    def step() -> None:
        nonlocal y, gradients
        h, T = [start], list[Array]()
        for W, b in zip(weights, biases, strict=True):
            T.append(np.tanh(W @ h[-1] + b))
            h.append(h[-1] + T[-1] / L)
        y, dh, gradients = np.sum(h[-1]), np.ones_like(start), []
        for W, t, a in zip(reversed(weights), reversed(T), reversed(h[:-1]), strict=True):
            dz = dh * (1 - t * t) / L
            gradients += [np.sum(dz, axis=1, keepdims=True), dz @ a.T]
            dh = dh + W.T @ dz
        gradients = [dh, *reversed(gradients)]

    return Side(step, lambda: [y, *gradients])


def scalars(net: ScalarNetwork) -> Side:
    """Run the same network on vectors, by hand: the reference for numbers; the baseline for time is micrograd."""
    x, y, ((W1, b1), (W2, b2), (W3, b3)) = np.array(net.data), net.label, net.parameters
    loss, gradient = np.inf, np.zeros(0)

    def step() -> None:
        nonlocal loss, gradient
        z1 = W1 @ x + b1
        a1 = np.maximum(z1, 0)
        z2 = W2 @ a1 + b2
        a2 = np.maximum(z2, 0)
        margin = 1 - y * (W3 @ a2 + b3)
        loss = np.maximum(margin, 0)[0]
        dz3 = -y * (margin > 0)
        dz2 = W3.T @ dz3 * (z2 > 0)
        dz1 = W2.T @ dz2 * (z1 > 0)
        layers = [(dz1, x), (dz2, a1), (dz3, a2)]
        gradient = np.concatenate([np.column_stack([np.outer(dz, a), dz]).ravel() for dz, a in layers])

    return Side(step, lambda: [loss, gradient])


SIDES: Any = {Network: network, Chain: chain, Repeated: repeated, Layers: layers, ScalarNetwork: scalars}


# ---- limits


def products(net: Network) -> Side:
    """Compute the matrix products of a step alone, into memory that is there."""
    (X, _), weights = net.data, net.parameters()[::2]
    inputs = [X, *(np.ones((W.shape[0], net.m), net.dtype) for W in weights)]
    Z, dA, dW = (list(map(np.empty_like, arrays)) for arrays in (inputs, inputs, weights))

    def step() -> None:
        for l, W in enumerate(weights):
            np.matmul(W, inputs[l], out=Z[l + 1])
        for l, W in reversed(list(enumerate(weights))):
            np.matmul(inputs[l + 1], inputs[l].T, out=dW[l])
            if l:
                np.matmul(W.T, inputs[l + 1], out=dA[l])

    return Side(step, list)


def copy(nbytes: int) -> Side:
    """Move so many bytes: a copy reads half of them and writes the other half."""
    a = np.ones(max(1, nbytes // 16))
    b = np.empty_like(a)
    return Side(lambda: np.copyto(b, a), list)


def traffic_of_network(net: Network) -> Side:
    """Move what a step cannot do without: X and Y are read, the parameters read and written."""
    return copy(sum(a.nbytes for a in net.data) + 2 * sum(p.nbytes for p in net.parameters()))


def traffic_of_chain(chain: Chain) -> Side:
    """Move what value and gradient cannot do without: x is read, dx written."""
    return copy(2 * chain.data[0].nbytes)


PRODUCTS: Any = {Network: products}
TRAFFIC: Any = {Network: traffic_of_network, Chain: traffic_of_chain}
