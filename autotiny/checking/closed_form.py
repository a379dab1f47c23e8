"""The textbook's gradients of a network, derived by hand, in the notation of a blackboard.

This module is the other side of the comparison: plain NumPy, no graph, no engine.  A network of L layers turns the
columns of X into the columns of A[L]; each of the m columns is one example:

    A[0] = X        Z[l] = W[l] A[l-1] + b[l]        A[l] = g(Z[l])        A[L] = softmax(Z[L])

    J = -(1/m) sum(Y * log A[L])

    X (n_x, m)      Y (n_y, m), one-hot      W[l] (n_l, n_{l-1})      b[l] (n_l, 1)      Z[l], A[l] (n_l, m)

The gradients, element by element
---------------------------------
Examples do not mix before the average, so take one of them, with the loss  L = -sum_k y_k log a2_k , and let p, j, k
and c count the inputs, the hidden units and (twice) the classes:

    z1_j = sum_p W1_jp x_p + b1_j      a1_j = g(z1_j)      z2_k = sum_j W2_kj a1_j + b2_k      a2_k = exp(z2_k) / s

with  s = sum_c exp(z2_c) .

1.  Softmax.  Each exponential occurs in its own numerator and in every denominator:

        da2_k/dz2_c = (1[k = c] exp(z2_k) s - exp(z2_k) exp(z2_c)) / s^2 = a2_k (1[k = c] - a2_c)

2.  The loss at the logits.  Every a2_k depends on z2_c, so the chain rule sums over k:

        dL/dz2_c = sum_k dL/da2_k  da2_k/dz2_c
                 = sum_k (-y_k / a2_k)  a2_k (1[k = c] - a2_c)
                 = -y_c + a2_c sum_k y_k
                 = a2_c - y_c                                           because a one-hot column sums to 1

3.  The loss at the hidden units.  z1_j reaches the loss through a1_j alone, and a1_j through every z2_k:

        dL/dz1_j = sum_k dL/dz2_k  dz2_k/da1_j  da1_j/dz1_j
                 = sum_k (a2_k - y_k)  W2_kj  g'(z1_j)
                 = (W2^T (a2 - y))_j  g'(z1_j)

    relu'(z) = 1[z > 0], 0 at the kink;  tanh'(z) = 1 - tanh(z)^2 .  Nothing here used that the layer above is the last
    one: with dL/dz[l+1] in place of a2 - y, the same line steps from any layer to the one below it.

4.  The parameters.  W1_jp meets x_p in every example i, b1_j meets 1, and J is the average of the losses:

        dJ/dW1_jp = (1/m) sum_i dL_i/dz1_ji  x_pi               dJ/db1_j = (1/m) sum_i dL_i/dz1_ji

Written for whole columns at once, these are the lines of `two_layer` and `network`:

    dZ2 = A2 - Y                     dW2 = (1/m) dZ2 A1^T      db2 = (1/m) sum(dZ2, axis=1)
    dZ1 = W2^T dZ2 * g'(Z1)          dW1 = (1/m) dZ1 X^T       db1 = (1/m) sum(dZ1, axis=1)

The place of 1/m
----------------
The textbook's dZ is the gradient of each example's own loss, and 1/m enters with the parameters.  Autograd knows only
J, the average, so its gradient at Z2 is

    dJ/dZ2 = (1/m) dZ2 = (A2 - Y) / m

and likewise at every Z; at the parameters the two are equal.  `gradients` converts one to the other.

Sources: M. Nielsen, "Neural Networks and Deep Learning", 2015, chapter 2, equations (BP1) to (BP4),
neuralnetworksanddeeplearning.com/chap2.html; I. Goodfellow, Y. Bengio and A. Courville, "Deep Learning", 2016,
section 6.5, deeplearningbook.org; for the softmax C. Bishop, "Pattern Recognition and Machine Learning", 2006,
section 4.3.4.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]


def two_layer(X: Array, Y: Array, W1: Array, b1: Array, W2: Array, b2: Array) -> dict[str, Array]:
    """Forward and backward pass of the two-layer network with a ReLU hidden layer, every quantity by its name.

    X (n_x, m), Y (n_y, m) one-hot, W1 (n_1, n_x), b1 (n_1, 1), W2 (n_y, n_1), b2 (n_y, 1); equations in the module.
    Raises ValueError where a shape is not the textbook's.

    >>> X, Y = np.array([[1.0, -1.0]]), np.eye(2)
    >>> passes = two_layer(X, Y, np.array([[2.0]]), np.zeros((1, 1)), np.zeros((2, 1)), np.zeros((2, 1)))
    >>> passes["dZ2"]
    array([[-0.5,  0.5],
           [ 0.5, -0.5]])
    """
    _expect_textbook_shapes(X, Y, [(W1, b1), (W2, b2)])
    m = X.shape[1]

    Z1 = W1 @ X + b1
    A1 = np.maximum(0, Z1)
    Z2 = W2 @ A1 + b2
    A2 = softmax(Z2)
    J = -(1 / m) * np.sum(Y * log_softmax(Z2))

    dZ2 = A2 - Y
    dW2 = (1 / m) * dZ2 @ A1.T
    db2 = (1 / m) * np.sum(dZ2, axis=1, keepdims=True)
    dZ1 = W2.T @ dZ2 * (Z1 > 0)
    dW1 = (1 / m) * dZ1 @ X.T
    db1 = (1 / m) * np.sum(dZ1, axis=1, keepdims=True)

    forward = {"Z1": Z1, "A1": A1, "Z2": Z2, "A2": A2, "J": J}
    backward = {"dZ2": dZ2, "dW2": dW2, "db2": db2, "dZ1": dZ1, "dW1": dW1, "db1": db1}
    return forward | backward


def network(
    X: Array, Y: Array, parameters: Sequence[tuple[Array, Array]], activation: str = "relu"
) -> dict[str, Array]:
    """Forward and backward pass of any number of layers, every quantity by its name: Z1, A1, ..., J, dZ1, dW1, db1, ...

    `parameters` holds the pairs (W[l], b[l]) from the first layer to the last; the hidden layers share one activation,
    "relu" or "tanh".  Shapes and equations in the module.  Raises ValueError where a shape is not the textbook's.
    """
    _expect_textbook_shapes(X, Y, parameters)
    g, g_prime = _activation(activation)
    m, L = X.shape[1], len(parameters)
    W = {l: W for l, (W, _) in enumerate(parameters, start=1)}
    b = {l: b for l, (_, b) in enumerate(parameters, start=1)}

    Z, A = dict[int, Array](), {0: X}
    for l in range(1, L + 1):
        Z[l] = W[l] @ A[l - 1] + b[l]
        A[l] = g(Z[l]) if l < L else softmax(Z[l])
    J = -(1 / m) * np.sum(Y * log_softmax(Z[L]))

    dZ: dict[int, Array] = {L: A[L] - Y}
    dW, db = dict[int, Array](), dict[int, Array]()
    for l in range(L, 0, -1):
        if l < L:
            dZ[l] = W[l + 1].T @ dZ[l + 1] * g_prime(Z[l])
        dW[l] = (1 / m) * dZ[l] @ A[l - 1].T
        db[l] = (1 / m) * np.sum(dZ[l], axis=1, keepdims=True)

    by_layer: dict[str, dict[int, Array]] = {"Z": Z, "A": A, "dZ": dZ, "dW": dW, "db": db}
    return {"J": J} | {f"{name}{l}": values[l] for name, values in by_layer.items() for l in range(1, L + 1)}


def gradients(passes: Mapping[str, Array]) -> dict[str, Array]:
    """Gradients of J itself, by the name of what J is differentiated by: the form in which autograd gives them.

    dJ/dZ[l] = (1/m) dZ[l]        dJ/dW[l] = dW[l]        dJ/db[l] = db[l]

    `passes` is a result of `two_layer` or `network`.
    """
    m = passes["dZ1"].shape[1]
    derived = {name[1:]: value for name, value in passes.items() if name.startswith("d")}
    return {name: value / m if name.startswith("Z") else value for name, value in derived.items()}


def softmax(Z: Array) -> Array:
    """Softmax of each column, a_k = exp(z_k) / sum_c exp(z_c), kept from overflow by taking off the largest z first."""
    exponentials: Array = np.exp(Z - np.max(Z, axis=0, keepdims=True))
    total: Array = np.sum(exponentials, axis=0, keepdims=True)
    return exponentials / total


def log_softmax(Z: Array) -> Array:
    """Logarithm of the softmax of each column, log a_k = z_k - log sum_c exp(z_c), finite even where a_k underflows."""
    shifted: Array = Z - np.max(Z, axis=0, keepdims=True)
    total: Array = np.sum(np.exp(shifted), axis=0, keepdims=True)
    return shifted - np.log(total)


def _relu_prime(Z: Array) -> Array:
    return (Z > 0).astype(Z.dtype)


def _tanh_prime(Z: Array) -> Array:
    return 1 - np.tanh(Z) ** 2


Function = Callable[[Array], Array]
ACTIVATIONS: dict[str, tuple[Function, Function]] = {
    "relu": (lambda Z: np.maximum(0, Z), _relu_prime),
    "tanh": (np.tanh, _tanh_prime),
}


def _activation(name: str) -> tuple[Function, Function]:
    if name not in ACTIVATIONS:
        raise ValueError(f"hidden layers: expected an activation out of {', '.join(ACTIVATIONS)}; got {name!r}")
    return ACTIVATIONS[name]


def _expect_textbook_shapes(X: Array, Y: Array, parameters: Sequence[tuple[Array, Array]]) -> None:
    if not parameters:
        raise ValueError("network: expected the pairs (W, b) of at least one layer; got none")
    # Broadcasting would accept labels of shape (m,) or a bias of shape (n,) in silence when sizes happen to agree.
    n = X.shape[0]
    for l, (W, b) in enumerate(parameters, start=1):
        n, n_below = W.shape[0], n
        _expect(f"W{l}", W, (n, n_below))
        _expect(f"b{l}", b, (n, 1))
    _expect("Y", Y, (n, X.shape[1]))


def _expect(name: str, array: Array, shape: tuple[int, ...]) -> None:
    if array.shape != shape:
        raise ValueError(f"{name}: expected the textbook's shape {shape}, one example per column; got {array.shape}")
