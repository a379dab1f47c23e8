"""The gallery: runs that people write, each with the formula that its gradient is known by."""

import numpy as np

import autotiny as at
from autotiny import Tensor

GALLERY = []
"""(name of the case, code that derives, the formula expected)."""


def gives(*formulas):
    """Enter a function that returns as many derivations as there are formulas."""

    def enter(run):
        GALLERY.append((run.__name__, run, formulas))
        return run

    return enter


def normal(*shape):
    return np.random.default_rng(sum(shape)).normal(size=shape)


def labels(m=8):
    return at.one_hot(np.random.default_rng(m).integers(0, 3, m), 3)


def parameters():
    return Tensor(normal(5, 4)), Tensor(np.zeros((5, 1))), Tensor(normal(3, 5)), Tensor(np.zeros((3, 1)))


# ----- the two-layer network -----
REST = ["dZ2 A1ᵀ", "sum(dZ2, axis=1)", "W2ᵀ dZ2 * 1[Z1 > 0]", "dZ1 Xᵀ", "sum(dZ1, axis=1)"]


@gives("(A2 - Y) / m", *REST)
def flagship_averaged():
    m, X, Y = 8, normal(4, 8), labels()
    W1, b1, W2, b2 = parameters()
    Z1 = W1 @ X + b1
    A1 = np.maximum(Z1, 0)
    Z2 = W2 @ A1 + b2
    A2 = np.exp(Z2) / np.sum(np.exp(Z2), axis=0)
    J = -np.sum(Y * np.log(A2)) / m
    return (at.derive(J, "Z2"), at.derive(J, "W2"), at.derive(J, "b2"),
            at.derive(J, "Z1"), at.derive(J, "W1"), at.derive(J, "b1"))  # fmt: skip


@gives("A2 - Y", *REST)
def flagship_summed():
    X, Y = normal(4, 8), labels()
    W1, b1, W2, b2 = parameters()
    Z1 = W1 @ X + b1
    A1 = at.relu(Z1)
    Z2 = W2 @ A1 + b2
    A2 = np.exp(Z2) / np.sum(np.exp(Z2), axis=0)
    J = -np.sum(Y * np.log(A2))
    return (at.derive(J, "Z2"), at.derive(J, "W2"), at.derive(J, "b2"),
            at.derive(J, "Z1"), at.derive(J, "W1"), at.derive(J, "b1"))  # fmt: skip


@gives("(A2 - Y) / m", *REST)
def flagship_with_softmax():
    m, X, Y = 8, normal(4, 8), labels()
    W1, b1, W2, b2 = parameters()
    Z1 = W1 @ X + b1
    A1 = at.relu(Z1)
    Z2 = W2 @ A1 + b2
    A2 = at.softmax(Z2)
    J = -(1 / m) * np.sum(Y * np.log(A2))
    return (at.derive(J, "Z2"), at.derive(J, "W2"), at.derive(J, "b2"),
            at.derive(J, "Z1"), at.derive(J, "W1"), at.derive(J, "b1"))  # fmt: skip


@gives("(softmax(Z2) - Y) / m", *REST)
def flagship_with_cross_entropy():
    m, X, Y = 8, normal(4, 8), labels()
    W1, b1, W2, b2 = parameters()
    Z1 = W1 @ X + b1
    A1 = at.relu(Z1)
    Z2 = W2 @ A1 + b2
    J = at.cross_entropy(Z2, Y)
    assert X.shape[1] == m
    return (at.derive(J, "Z2"), at.derive(J, "W2"), at.derive(J, "b2"),
            at.derive(J, "Z1"), at.derive(J, "W1"), at.derive(J, "b1"))  # fmt: skip


@gives("(A - Y) / m")
def softmax_less_its_maximum():
    m, Z, Y = 8, Tensor(normal(3, 8)), labels()
    S = Z - np.max(Z, axis=0)
    A = np.exp(S) / np.sum(np.exp(S), axis=0)
    J = -np.sum(Y * np.log(A)) / m
    return (at.derive(J, "Z"),)


@gives("dZ2 A1ᵀ + lam * W2 / m", "dZ1 Xᵀ + lam * W1 / m", "(A2 - Y) / m")
def flagship_regularised():
    m, X, Y, lam = 8, normal(4, 8), labels(), 0.1
    W1, b1, W2, b2 = parameters()
    Z1 = W1 @ X + b1
    A1 = at.relu(Z1)
    Z2 = W2 @ A1 + b2
    A2 = at.softmax(Z2)
    J = -np.sum(Y * np.log(A2)) / m + lam / (2 * m) * (np.sum(W1**2) + np.sum(W2**2))
    return at.derive(J, "W2"), at.derive(J, "W1"), at.derive(J, "Z2")


# ----- deeper, and with other activations -----
@gives("W2ᵀ dZ2 * 1[Z1 > 0]", "W3ᵀ dZ3 * 1[Z2 > 0]", "W4ᵀ dZ4 * 1[Z3 > 0]", "W5ᵀ dZ5 * 1[Z4 > 0]", "(A5 - Y) / m")
def five_layers():
    m, Y, A = 8, labels(), normal(4, 8)
    for l, (n, before) in enumerate([(6, 4), (5, 6), (5, 5), (4, 5), (3, 4)], 1):
        W, b = Tensor(normal(n, before), name=f"W{l}"), Tensor(np.zeros((n, 1)), name=f"b{l}")
        Z = W @ A + b
        A = at.relu(Z) if l < 5 else at.softmax(Z)
        Z.name, A.name = f"Z{l}", f"A{l}"
    J = -np.sum(Y * np.log(A)) / m
    return at.derive(J, "Z1"), at.derive(J, "Z2"), at.derive(J, "Z3"), at.derive(J, "Z4"), at.derive(J, "Z5")


@gives("W2ᵀ dZ2 * (1 - A1²)")
def tanh_layer():
    X, Y = normal(4, 8), labels()
    W1, b1, W2, b2 = parameters()
    Z1 = W1 @ X + b1
    A1 = np.tanh(Z1)
    Z2 = W2 @ A1 + b2
    return (at.derive(at.cross_entropy(Z2, Y), "Z1"),)


@gives("W2ᵀ dZ2 * A1 * (1 - A1)")
def sigmoid_layer():
    X, Y = normal(4, 8), labels()
    W1, b1, W2, b2 = parameters()
    Z1 = W1 @ X + b1
    A1 = at.sigmoid(Z1)
    Z2 = W2 @ A1 + b2
    return (at.derive(at.cross_entropy(Z2, Y), "Z1"),)


@gives("W2ᵀ dZ2 * A1 * (1 - A1)")
def sigmoid_layer_written_out():
    X, Y = normal(4, 8), labels()
    W1, b1, W2, b2 = parameters()
    Z1 = W1 @ X + b1
    A1 = 1 / (1 + np.exp(-Z1))
    Z2 = W2 @ A1 + b2
    return (at.derive(at.cross_entropy(Z2, Y), "Z1"),)


# ----- regression -----
@gives("(a - y) / m", "dz Xᵀ", "sum(dz, axis=1)")
def binary_cross_entropy():
    m, X = 8, normal(4, 8)
    y = (normal(1, 8) > 0) * 1.0
    w, b = Tensor(normal(1, 4)), Tensor([[0.0]])
    z = w @ X + b
    a = at.sigmoid(z)
    J = -np.sum(y * np.log(a) + (1 - y) * np.log(1 - a)) / m
    return at.derive(J, "z"), at.derive(J, "w"), at.derive(J, "b")


@gives("(a - y) / m")
def binary_cross_entropy_written_out():
    m, z = 8, Tensor(normal(1, 8))
    y = (normal(1, 8) > 0) * 1.0
    a = 1 / (1 + np.exp(-z))
    J = -np.sum(y * np.log(a) + (1 - y) * np.log(1 - a)) / m
    return (at.derive(J, "z"),)


@gives("Xᵀ (X w - y)", "Xᵀ (X w - y) / m", "2 * Xᵀ (X w - y) / m")
def linear_regression():
    m, X, y, w = 8, normal(8, 3), normal(8), Tensor(normal(3))
    summed = np.sum((X @ w - y) ** 2) / 2
    averaged = np.sum((X @ w - y) ** 2) / (2 * m)
    mean = np.mean((X @ w - y) ** 2)
    return at.derive(summed, "w"), at.derive(averaged, "w"), at.derive(mean, "w")


@gives("Xᵀ (X w - y) + lam * w", "2 * (Xᵀ (X w - y) + lam * w)")
def ridge_regression():
    X, y, w, lam = normal(8, 3), normal(8), Tensor(normal(3)), 0.3
    halved = np.sum((X @ w - y) ** 2) / 2 + lam / 2 * np.sum(w**2)
    whole = np.sum((X @ w - y) ** 2) + lam * np.sum(w**2)
    return at.derive(halved, "w"), at.derive(whole, "w")


@gives("softmax(T, axis=1)", "(softmax(T, axis=1) - Y) / 8", "(P - Y) / 8", "diag(w) softmax(T, axis=1)")
def examples_in_rows():
    T, Y, w = Tensor(normal(8, 3)), np.eye(3)[np.arange(8) % 3], normal(8)
    log_sums = np.log(np.sum(np.exp(T), axis=1))
    P = np.exp(T) / np.sum(np.exp(T), axis=1)[:, None]
    return (
        at.derive(np.sum(log_sums), "T"),
        at.derive(np.mean(log_sums - np.sum(Y * T, axis=1)), "T"),
        at.derive(-np.sum(Y * np.log(P)) / 8, "T"),
        at.derive(np.sum(w * log_sums), "T"),
    )


@gives("Xᵀ (p - y)", "Xᵀ (p - y)", "Xᵀ (p - y)")
def logistic_regression():
    X, y, w = normal(8, 3), (normal(8) > 0) * 1.0, Tensor(normal(3))
    p = at.sigmoid(X @ w)
    J = -np.sum(y * np.log(p) + (1 - y) * np.log(1 - p))
    K = np.sum(at.softplus(X @ w) - y * (X @ w))
    L = np.sum(np.log(1 + np.exp(X @ w)) - y * (X @ w))
    return at.derive(J, "w"), at.derive(K, "w"), at.derive(L, "w")


# ----- variations on softmax -----
@gives("(A - Y) / T / m")
def softmax_with_temperature():
    m, Z, Y, T = 8, Tensor(normal(3, 8)), labels(), 1.7
    A = at.softmax(Z / T)
    J = -np.sum(Y * np.log(A)) / m
    return (at.derive(J, "Z"),)


@gives("(A - Ys) / m")
def label_smoothing():
    m, Z, Y = 8, Tensor(normal(3, 8)), labels()
    Ys = 0.9 * Y + 0.1 / 3
    A = at.softmax(Z)
    J = -np.sum(Ys * np.log(A)) / m
    return (at.derive(J, "Z"),)


@gives("A * (dA - sum(A * dA, axis=0))", "A * (dA - sum(A * dA, axis=0))")
def squared_error_through_softmax():
    m, Z, Y = 8, Tensor(normal(3, 8)), labels()
    A = np.exp(Z) / np.sum(np.exp(Z), axis=0)
    written_out = np.sum((A - Y) ** 2) / (2 * m)
    first = at.derive(written_out, "Z")
    A = at.softmax(Z)
    return first, at.derive(np.sum((A - Y) ** 2), "Z")


@gives("softmax(x)", "softmax(x)")
def log_sum_exp():
    x = Tensor(normal(4))
    return at.derive(np.log(np.sum(np.exp(x))), "x"), at.derive(at.logsumexp(x), "x")


@gives("Q - P", "Q - P")
def kl_divergence_to_a_softmax():
    P, Z = np.random.default_rng(0).dirichlet(np.ones(4), size=5).T, Tensor(normal(4, 5))
    Q = at.softmax(Z)
    D, E = np.sum(P * (np.log(P) - np.log(Q))), np.sum(P * np.log(P / Q))
    return at.derive(D, "Z"), at.derive(E, "Z")


@gives("A * sum(Y, axis=0) - Y")
def columns_that_do_not_sum_to_one():
    Z, Y = Tensor(normal(3, 8)), abs(normal(3, 8))
    A = at.softmax(Z)
    return (at.derive(-np.sum(Y * np.log(A)), "Z"),)


# ----- linear algebra -----
@gives("(A + Aᵀ) x", "(A + Aᵀ) x", "(A + Aᵀ) X")
def quadratic_form():
    A, x, X = normal(3, 3), Tensor(normal(3)), Tensor(normal(3, 1))
    return at.derive(x @ A @ x, "x"), at.derive(np.sum(x * (A @ x)), "x"), at.derive(np.sum(X.T @ A @ X), "X")


@gives("2 * x", "2 * x", "x / ‖x‖", "x / sqrt(sum(x²))", "2 * x")
def euclidean_norm():
    x = Tensor(normal(4))
    return (at.derive(np.sum(x**2), "x"), at.derive(x @ x, "x"), at.derive(np.linalg.norm(x), "x"),
            at.derive(np.sqrt(np.sum(x**2)), "x"), at.derive(np.linalg.norm(x) ** 2, "x"))  # fmt: skip


@gives("2 * X", "2 * X", "2 * X", "X / ‖X‖")
def frobenius_norm():
    X = Tensor(normal(3, 4))
    return (at.derive(np.sum(X**2), "X"), at.derive(np.linalg.norm(X) ** 2, "X"),
            at.derive(np.trace(X.T @ X), "X"), at.derive(np.linalg.norm(X), "X"))  # fmt: skip


@gives("Aᵀ Bᵀ")
def trace_of_a_product():
    A, X, B = normal(3, 4), Tensor(normal(4, 5)), normal(5, 3)
    return (at.derive(np.trace(A @ X @ B), "X"),)


@gives("X⁻ᵀ", "X⁻ᵀ")
def log_determinant():
    X = Tensor(normal(3, 3) + 3 * np.eye(3))
    return at.derive(np.linalg.slogdet(X)[1], "X"), at.derive(np.log(np.linalg.det(X)), "X")


# ----- blocks of networks -----
@gives(
    "(dxhat - (xhat * sum(xhat * dxhat, axis=0) + sum(dxhat, axis=0)) / n) / sigma",
    "sum(xhat * dout, axis=1)",
    "sum(dout, axis=1)",
)
def layer_normalisation():
    n, x, Y, eps = 4, Tensor(normal(4, 6)), normal(5, 6)[:4].copy(), 1e-5
    gamma, beta = Tensor(normal(4, 1)), Tensor(np.zeros((4, 1)))
    mu = np.mean(x, axis=0)
    sigma = np.sqrt(np.var(x, axis=0) + eps)
    xhat = (x - mu) / sigma
    out = gamma * xhat + beta
    J = np.sum((out - Y) ** 2) / 2
    assert len(x) == n
    return at.derive(J, "x"), at.derive(J, "gamma"), at.derive(J, "beta")


@gives("G", "Aᵀ G", "G Vᵀ", "A * (dA - sum(A * dA, axis=1))", "dS K / sqrt(d)", "dSᵀ Q / sqrt(d)")
def attention():
    d, G = 5, normal(5, 3)
    Q, K, V = Tensor(normal(5, 5)), Tensor(normal(6, 5)), Tensor(normal(6, 3))
    S = Q @ K.T / np.sqrt(d)
    A = at.softmax(S, axis=1)
    O = A @ V
    J = np.sum(O * G)
    return (at.derive(J, "O"), at.derive(J, "V"), at.derive(J, "A"),
            at.derive(J, "S"), at.derive(J, "Q"), at.derive(J, "K"))  # fmt: skip


# ----- masks and slopes -----
@gives("-Xᵀ (y * 1[1 - X w * y > 0])", "-2 * Xᵀ (y * maximum(0, 1 - X w * y))")
def hinge_and_squared_hinge():
    X, w, y = normal(9, 4), Tensor(normal(4)), np.sign(normal(9))
    hinge = np.sum(np.maximum(0, 1 - y * (X @ w)))
    squared_hinge = np.sum(np.maximum(0, 1 - y * (X @ w)) ** 2)
    return at.derive(hinge, "w"), at.derive(squared_hinge, "w")


@gives("-1[z < 0]", "G * 1[0 < z < 6]", "G * 1[-1 < z < 1]")
def masks_of_an_interval():
    z, G = Tensor(3 * normal(8)), normal(9)[:8].copy()
    return (
        at.derive(np.sum(np.maximum(0, -z)), "z"),
        at.derive(np.sum(G * np.minimum(np.maximum(z, 0), 6)), "z"),
        at.derive(np.sum(G * np.clip(z, -1, 1)), "z"),
    )


@gives(*2 * ["G * where(z > 0, 1, a)"], "G * where(z > 0, 1, a * exp(z))", "where(r > 0, q, q - 1)")
def leaky_slopes():
    z, G, a, q = Tensor(normal(8)), normal(9)[:8].copy(), 0.1, 0.7
    r = normal(7) - Tensor(normal(8)[:7].copy())
    return (
        at.derive(np.sum(G * np.where(z > 0, z, a * z)), "z"),
        at.derive(np.sum(G * np.maximum(z, a * z)), "z"),
        at.derive(np.sum(G * np.where(z > 0, z, a * (np.exp(z) - 1))), "z"),
        at.derive(np.sum(np.maximum(q * r, (q - 1) * r)), "r"),
    )


@gives("(σ(Z) - Y) / m", "1[S = max(S, axis=0)] - L")
def stable_cross_entropy_and_largest_score():
    Z, Y, m = Tensor(normal(1, 8)), (normal(1, 9)[:, :8] > 0) * 1.0, 8
    J = np.sum(np.maximum(Z, 0) - Z * Y + np.log(1 + np.exp(-np.abs(Z)))) / m
    S, L = Tensor(normal(3, 8)), labels()
    margins = np.sum(np.max(S, axis=0) - np.sum(S * L, axis=0))
    return at.derive(J, "Z"), at.derive(margins, "S")


@gives("2 * (E² * G - J * 1[x = max(x)])")
def shift_that_does_not_vanish():
    x, G = Tensor(normal(5)), normal(6)[:5].copy()
    E = np.exp(x - np.max(x))
    J = np.sum(G * E**2)
    return (at.derive(J, "x"),)


@gives("P * (G - sum(P * G, axis=1))", "(G - (sum(G) + sum(z * G) * z) / 9) / std(x)")
def shifted_softmax_and_standard_score():
    Z, G = Tensor(normal(6, 4)), normal(6, 5)[:, :4].copy()
    E = np.exp(Z - np.max(Z, axis=-1, keepdims=True))
    P = E / np.sum(E, axis=-1, keepdims=True)
    shifted = at.derive(np.sum(G * P), "Z")
    x, G = Tensor(normal(9)), normal(10)[:9].copy()
    z = (x - np.mean(x)) / np.std(x)
    return shifted, at.derive(np.sum(G * z), "x")


# ----- a gradient of a gradient -----
@gives("s * (v - sum(s * v))")
def hessian_of_log_sum_exp_times_a_vector():
    x, v = Tensor(normal(4)), normal(5)[:4].copy()
    (s,) = at.gradients(at.logsumexp(x), [x])
    return (at.derive(np.sum(s * v), "x"),)
