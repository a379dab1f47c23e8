"""Formulas as people type them, in many notations: what `matches` says of each."""

import contextlib
import functools

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import autotiny as at
from autotiny.derivation.derive import Deriving
from autotiny.language import ExpressionError


def normal(*shape):
    return np.random.default_rng(shape).normal(size=shape)


# ----- the runs -----
def flagship():
    m, X, y, lam = 8, normal(4, 8), np.array([0, 2, 1, 1, 0, 2, 2, 1]), 0.1
    Y = at.one_hot(y, 3)
    W1, b1, W2, b2 = at.Tensor(normal(5, 4)), at.Tensor(normal(5, 1)), at.Tensor(normal(3, 5)), at.Tensor(normal(3, 1))
    Z1 = W1 @ X + b1
    A1 = np.maximum(Z1, 0)
    Z2 = W2 @ A1 + b2
    A2 = np.exp(Z2) / np.sum(np.exp(Z2), axis=0)
    J = -np.sum(Y * np.log(A2)) / m
    return locals()


def least_squares():
    m, X, y, lam, w = 8, normal(8, 3), normal(8), 0.1, at.Tensor(normal(3))
    r = X @ w - y
    J = np.sum(r**2) / 2 / m + lam / 2 * np.sum(w**2)
    return locals()


def logistic():
    m, X, Y, W = 8, normal(4, 8), (normal(1, 8) > 0) * 1.0, at.Tensor(normal(1, 4))
    b = at.Tensor(np.zeros((1, 1)))
    Z = W @ X + b
    A = 1 / (1 + np.exp(-Z))
    J = -np.sum(Y * np.log(A) + (1 - Y) * np.log(1 - A)) / m
    return locals()


def tanh_layer():
    m, X, Y, W1, W2 = 8, normal(4, 8), normal(2, 8), at.Tensor(normal(5, 4)), at.Tensor(normal(2, 5))
    Z1 = W1 @ X
    A1 = np.tanh(Z1)
    Z2 = W2 @ A1
    J = np.sum((Z2 - Y) ** 2) / (2 * m)
    return locals()


def quadratic_form():
    A = normal(4, 4)
    S, x = at.Tensor(A + A.T), at.Tensor(normal(4))
    J = x @ S @ x
    return locals()


def euclidean_norm():
    x = at.Tensor(normal(4))
    J = np.sqrt(np.sum(x**2))
    return locals()


def log_determinant():
    B = normal(4, 4)
    S = at.Tensor(B @ B.T + np.eye(4))
    J = np.linalg.slogdet(S)[1]
    return locals()


def bilinear_form():
    a, b, X = normal(3), normal(4), at.Tensor(normal(3, 4))
    J = a @ X @ b
    return locals()


def trace_of_a_product():
    A, X = normal(3, 4), at.Tensor(normal(4, 3))
    J = np.trace(A @ X)
    return locals()


def number():
    x = at.Tensor(1.3)
    J = np.sin(x) ** 2 + np.exp(-(x**2) / 2)
    return locals()


def softmax():
    z = at.Tensor(normal(4))
    s = at.softmax(z)
    return {"z": z, "s": s, "J": s}


def rows():
    N, X, y, reg = 8, normal(8, 4), np.array([0, 2, 1, 1, 0, 2, 2, 1]), 1e-3
    Y, W, b = at.one_hot(y, 3).T, at.Tensor(normal(4, 3)), at.Tensor(np.zeros(3))
    Z = X @ W + b
    P = at.softmax(Z, axis=1)
    J = -np.sum(Y * np.log(P)) / N + reg * np.sum(W * W)
    return locals()


def gaussian():
    n, x, mu, sigma = 6, normal(6), at.Tensor(0.3), at.Tensor(1.4)
    J = np.sum((x - mu) ** 2) / (2 * sigma**2) + n * np.log(sigma)
    return locals()


def complex_least_squares():
    A, b = normal(3, 4) + 1j * normal(4, 3).T, normal(3) + 1j * normal(1, 3)[0]
    x = at.Tensor(normal(4) + 1j * normal(1, 4)[0])
    r = A @ x - b
    J = np.sum(np.abs(r) ** 2)
    return locals()


def mahalanobis():
    n, X, mu, L = 5, normal(5, 3), at.Tensor(normal(3)), normal(3, 3)
    Sigma = L @ L.T + np.eye(3)
    D = X - mu
    J = np.sum(D * np.linalg.solve(Sigma, D.T).T) / 2
    return locals()


def hinge_loss():
    X, y, w, C = normal(8, 3), np.sign(normal(8)), at.Tensor(normal(3)), 2.0
    J = np.sum(w**2) / 2 + C * np.sum(np.maximum(0, 1 - y * (X @ w)))
    return locals()


def quotient():
    x = at.Tensor(0.7)
    J = x**3 / (1 + x**2) * np.log(x)
    return locals()


def trace_of_four():
    A, B, X = normal(3, 3), normal(3, 3, 1)[:, :, 0], at.Tensor(normal(3, 3, 2)[:, :, 0])
    J = np.trace(X.T @ A @ X @ B)
    return locals()


def inverse():
    A, X = normal(3, 3), at.Tensor(normal(3, 3, 2)[:, :, 0] + 3 * np.eye(3))
    J = np.trace(A @ np.linalg.inv(X))
    return locals()


def log_sum_exp():
    x = at.Tensor(normal(5))
    J = np.log(np.sum(np.exp(x)))
    return locals()


@functools.cache
def scope(run):
    return run()


@functools.cache
def derivation(run, target):
    variables = scope(run)
    with np.errstate(all="ignore"):
        return Deriving(variables["J"], variables[target], variables).derivation()


def matches(run, target, text):
    return derivation(run, target).matches(text, scope(run))


# ----- right ones -----
RIGHT = {
    (flagship, "Z2"): [
        "(1/m) (A2 - Y)",
        "1/m (A2 - Y)",
        "1/m * (A2-Y)",
        "dZ2 = (A2 - Y)/m",
        r"\partial J/\partial Z2 = (A2 - Y)/m",
        "dJ/dZ2 = (A2 - Y) / m",
        "(A_2 - Y)/m",
        "(A^{[2]} - Y)/m",
        "(A^[2] - Y)/m",
        "(a2 - Y) / m",
        "(A2 - Y) ./ m",
        r"\frac{1}{m}\left(A^{[2]} - Y\right)",
        r"$\frac{1}{m}(A_2 - Y)$",
        r"\dfrac{A^{[2]}-Y}{m}",
        r"\frac1m (A_2-Y)",
        "1/m (softmax(Z2) - Y)",
        r"\frac{1}{m}\left(\operatorname{softmax}(Z_2)-Y\right)",
        "∂J/∂Z2 = (A2 − Y)/m",
        "∂J/∂Z₂ = (A₂ − Y)/m",
        "(A2 - onehot(y))/m",
        "(A2 - Y) * (1/m)",
        "(A2-Y)/m  # the textbook",
        "-(Y - A2)/m",
        "-1/m*(Y - A2)",
        "np.subtract(A2, Y)/m",
        "torch.sub(A2, Y)/m",
        "(A2\n - Y)/m",
        "[(A2 - Y)]/m",
        "1/8 (A2 - Y)",
        "0.125(A2-Y)",
        "(A2-Y)/8",
        "⅛(A2 - Y)",
        "((A2 - Y) / m)",
        "{(A2 - Y)}/m",
        r"\mathrm{d}Z_2 = \frac{1}{m}(\mathbf{A}_2 - \mathbf{Y})",
        r"\boldsymbol{A}_{2}/m - Y/m",
        "A2/m - Y/m",
        "dZ2 = A2/m - Y/m",
        "softmax(W2 A1 + b2)/m - Y/m",
        "exp(Z2)/sum(exp(Z2), axis=0)/m - Y/m",
        "(e^Z2 / sum(e^Z2, axis=0) - Y)/m",
        "np.exp(Z2)/np.exp(Z2).sum(0)/m - Y/m",
        r"\delta^{[2]} = \frac{A^{[2]}-Y}{m}",
        "δ2 = (A2-Y)/m",
        "δ^[2] = 1/m (A^[2] − Y)",
        "∇_{Z2} J = (A2 - Y)/m",
        "grad = (A2 - Y)/m",
        "Z2.grad = (A2 - Y)/m",
        "(A2-Y)/m",
        "A2/m-Y/m,",
    ],
    (flagship, "W2"): [
        "dZ2 A1^T",
        "dZ2 A1ᵀ",
        "dZ2 @ A1.T",
        "dZ2 * A1'",
        "dZ2*A1^T",
        r"dZ2 A1^\top",
        "dZ_2 A_1^{T}",
        "np.dot(dZ2, A1.T)",
        "dZ2.dot(A1.T)",
        "dZ2 · A1ᵀ",
        "dZ2 × A1ᵀ",
        "(1/m)(A2 - Y)A1^T",
        "1/m (A2-Y) A1ᵀ",
        "(A2-Y)A1^T/m",
        "dW2 = dZ2 A1^T = (A2 - Y) A1^T / m",
        r"\frac{1}{m}(A^{[2]}-Y)A^{[1]T}",
        r"\frac{1}{m} dZ^{[2]} A^{[1]T} m",
        r"\frac{\partial J}{\partial W^{[2]}} = dZ^{[2]} {A^{[1]}}^T",
        "dZ2 = (A2 - Y)/m\ndW2 = dZ2 @ A1.T",
        "dZ2 = A2 - Y; dW2 = 1/m dZ2 A1^T",
        "torch.matmul(dZ2, A1.T)",
        "dZ2.mm(A1.t())",
        "tf.matmul(dZ2, tf.transpose(A1))",
        'jnp.einsum("ij,kj->ik", dZ2, A1)',
        "(A1 dZ2^T)^T",
        "dZ2 relu(Z1)^T",
        "dZ2 max(0, Z1)^T",
        "dZ2A1^T",
        "1/m (A2 - Y) · relu(Z1)ᵀ",
        "∂J/∂W₂ = ∂J/∂Z₂ A₁ᵀ",
        r"\delta^{[2]} (A^{[1]})^T",
    ],
    (flagship, "b2"): [
        "sum(dZ2, 2)",
        "dZ2*ones(m,1)",
        "dZ2 @ np.ones((m,1))",
        "sum(dZ2,2)/1",
        "np.sum(dZ2, axis=1).reshape(3,1)",
        "np.sum(dZ2, axis=1)[:, None]",
        "dZ2.sum(axis=-1, keepdims=True)",
        "dZ2.sum(-1)",
        "∑_j dZ2_{ij}",
        "dZ2.sum(axis=1)",
        "sum(dZ2, axis=1)",
        "dZ2.sum(1)",
        "dZ2.sum(axis=1, keepdims=True)",
        "np.sum(dZ2, axis=1, keepdims=True)",
        "sum_i dZ2",
        r"\sum_{i=1}^m dZ_2^{(i)}",
        r"\sum_i dZ2_i",
        r"dZ_2 \mathbf{1}",
        r"dZ_2 \mathbb{1}",
        "torch.sum(dZ2, dim=1, keepdim=True)",
        "dZ2.sum(dim=1)",
        "tf.reduce_sum(dZ2, axis=1)",
        "1/m sum(A2 - Y, axis=1)",
        "(1/m) np.sum(A2-Y,1)",
        "mean(A2 - Y, axis=1)",
        "np.mean(A2-Y, axis=1, keepdims=True)",
        "(A2-Y).mean(1)",
        "dZ2 @ ones(m)",
        "1/m ∑_i (A2 - Y)",
        "Σ_i dZ2",
    ],
    (flagship, "Z1"): [
        "W2ᵀ dZ2 · I(Z1 > 0)",
        "W2^T dZ2 * I[Z1>0]",
        "W2^T dZ2 * I{Z1 > 0}",
        "W2^T dZ2 ⊙ 1_{Z1 > 0}",
        r"W_2^T dZ_2 \odot \mathbb{I}(Z_1 > 0)",
        r"W_2^T dZ_2 \odot I(Z_1 > 0)",
        "W2^T dZ2 * ind(Z1 > 0)",
        "dA1 * H(Z1)",
        "dA1 * heaviside(Z1)",
        "dA1 * (Z1 > 0).float()",
        "dA1 * np.int64(Z1 > 0)",
        "dA1 * int(Z1 > 0)",
        "dA1 * (0 < Z1)",
        "dA1 if Z1 > 0 else 0",
        "np.multiply(dA1, Z1 > 0)",
        "np.multiply(dA1, np.int64(A1 > 0))",
        "dA1 * np.sign(np.maximum(Z1, 0))",
        "dA1 ∘ relu′(Z1)",
        r"dA_1 \odot \mathrm{ReLU}'(Z_1)",
        "dA1 * f'(Z1)",
        "dA_1 * g'(Z_1)",
        "dA^{[1]} * g^{[1]}'(Z^{[1]})",
        r"\left({W^{[2]}}^T dZ^{[2]}\right) * g^{[1]\prime}(Z^{[1]})",
        r"dA_1 \odot \frac{\partial A_1}{\partial Z_1}",
        "W2.T@dZ2*(Z1>=0)",
        "W2^T dZ2 * 1[Z1 > 0]",
        "W2ᵀ dZ2 ⊙ 1{Z1 > 0}",
        "W2^T dZ2 ∘ 1{Z1>0}",
        "W2.T @ dZ2 * (Z1 > 0)",
        "W2' * dZ2 .* (Z1 > 0)",
        "(W2'*dZ2).*(Z1>0)",
        "W2^T dZ2 [Z1 > 0]",
        "W2ᵀ dZ2 ⊙ 𝟙[Z1 > 0]",
        "W2ᵀ dZ2 ⊙ 𝟙{Z1 > 0}",
        "W2^T dZ2 * relu'(Z1)",
        "W2^T dZ2 ⊙ g'(Z1)",
        "W2ᵀ dZ2 ∘ g′(Z1)",
        r"W_2^T \, dZ_2 \odot \mathbb{1}[Z_1 > 0]",
        r"W_2^\top \mathrm{d}Z_2 \circ \mathbf{1}\{Z_1 > 0\}",
        "dA1 * (Z1 > 0)",
        "dA1 ⊙ 1[Z1 > 0]",
        "dA1 1[Z1>0]",
        "np.where(Z1 > 0, W2.T @ dZ2, 0)",
        "dA1 * (A1 > 0)",
        "W2^T (A2 - Y) / m * 1[Z1 > 0]",
        "1[Z1 > 0] * W2^T dZ2",
        "(Z1 > 0) * (W2^T @ dZ2)",
        "(Z1 > 0) .* (W2^T dZ2)",
        "(Z1>0).astype(float) * (W2.T @ dZ2)",
        "W2.T.dot(dZ2) * np.heaviside(Z1, 0)",
        r"\begin{cases} W_2^T dZ_2 & \text{if } Z_1 > 0 \\ 0 & \text{otherwise} \end{cases}",
        "dZ1 = dA1 * relu'(Z1)",
        "dA1 step(Z1)",
        "W2^T dZ2 * (1 - (Z1 <= 0))",
        "W2ᵀ dZ2 * sign(A1)",
        "torch.where(Z1 > 0, dA1, torch.zeros_like(dA1))",
        r"W^{[2]T} dZ^{[2]} * \mathbb{1}_{Z^{[1]} > 0}",
        "∂J/∂Z1 = ∂J/∂A1 ⊙ 1[Z1>0]",
        "dJ/dZ1 = dJ/dA1 * (Z1>0)",
    ],
    (least_squares, "w"): [
        "1/m X^T(Xw - y) + lam w",
        "(1/m) X^T (X w - y) + lam w",
        "X^T(Xw-y)/m + λw",
        "XᵀXw/m - Xᵀy/m + λ w",
        r"\frac{1}{m}X^\top(Xw-y)+\lambda w",
        "X'*(X*w - y)/m + lam*w",
        "X'(Xw-y)/m + lam w",
        "X.T @ (X @ w - y) / m + lam * w",
        "X^T r/m + lam w",
        "1/2m 2X^T(Xw - y) + lam w",
        "r X / m + lam w",
        "r^T X/m + lam w^T",
        "(X.T@X@w - X.T@y)/m+lambda*w",
        "(1/m X^T X + lam I) w - X^T y/m",
        "(X^T X/m + λI)w - 1/m X^T y",
        r"\nabla_w J = \frac{1}{m} \mathbf{X}^\top(\mathbf{X}\mathbf{w} - \mathbf{y}) + \lambda \mathbf{w}",
        r"\frac{1}{m} X^{\mathsf{T}} (X w - y) + \lambda w",
        "sum_i r_i X_i / m + lam w",
        r"\frac{1}{m} \sum_{i} r_i X_{ij} + \lambda w_j",
        "1/m X.T.dot(X.dot(w) - y) + lam*w",
        "(Xᵀ (X w - y)) / m + lam w",
        "lam w + mean(X * r[:, None], axis=0)",
        'einsum("ij,i->j", X, r)/m + lam*w',
        "1/m sum_i (x_i^T w - y_i) x_i + lam w",
        r"\frac{1}{m}\sum_{i=1}^{m} (x_i^T w - y_i) x_i + \lambda w",
        r"\frac1m\sum_i (x^{(i)\top} w - y^{(i)}) x^{(i)} + \lambda w",
    ],
    (logistic, "W"): [
        "1/m (A - Y) X^T",
        "(σ(Z) - Y) Xᵀ / m",
        "(sigmoid(Z)-Y)X^T/m",
        "(sigma(Z) - Y) X^T/m",
        r"\frac{1}{m}(\sigma(Z)-Y)X^T",
        "dZ X^T",
        "dA * A(1-A) X^T",
        "(dA A (1-A)) X^T",
        "(dA * sigma'(Z)) X^T",
        "dA σ'(Z) Xᵀ",
        r"\left(dA \odot \sigma'(Z)\right)X^\top",
        "(1/(1+e^{-Z}) - Y)X^T/m",
        "(1/(1+exp(-Z)) - Y) X^T / m",
        "mean((A-Y)*X, axis=1)",
    ],
    (quadratic_form, "x"): [
        "2 S x",
        "2Sx",
        "(S + S^T) x",
        "(S+Sᵀ)x",
        "2 S^T x",
        "S x + S^T x",
        "2 x^T S",
    ],
    (quadratic_form, "S"): [
        "x x^T",
        "xx^T",
        "outer(x, x)",
        "x @ x.T",
        "x xᵀ",
        "np.outer(x,x)",
        "x ⊗ x",
        "x[:,None] * x[None,:]",
        r"x x^\top",
        "x*x'",
    ],
    (euclidean_norm, "x"): [
        "x/||x||",
        "x / ‖x‖",
        "x/‖x‖_2",
        "x / sqrt(sum(x^2))",
        "x/√(x^T x)",
        "x/√(x·x)",
        r"\frac{x}{\lVert x \rVert}",
        r"\frac{x}{\|x\|_2}",
        "x/J",
        "x * (x^T x)^(-1/2)",
        "x/norm(x)",
        "x/np.linalg.norm(x)",
        "x/sqrt(x.dot(x))",
        "x (sum x²)^{-½}",
        r"\frac{x}{\sqrt{\sum_i x_i^2}}",
        "x/sqrt(⟨x,x⟩)",
    ],
    (log_determinant, "S"): [
        "S^-T",
        "S^{-1}",
        "inv(S)",
        "S⁻¹",
        "S^{-T}",
        "inv(S).T",
        "inv(S)^T",
        r"S^{-\top}",
        "(S^T)^-1",
        "np.linalg.inv(S)",
        r"\mathbf{S}^{-1}",
        "solve(S, I)",
        "cofactors(S)/|S|",
    ],
    (bilinear_form, "X"): [
        "a b^T",
        "ab^T",
        "a bᵀ",
        "outer(a,b)",
        r"a b^\top",
        "a ⊗ b",
        "a b'",
        "a*b'",
        "a[:, None] * b",
        "(b a^T)^T",
        "a @ b.T",
        "a_i b_j",
    ],
    (trace_of_a_product, "X"): [
        "A^T",
        "Aᵀ",
        "A.T",
        "A'",
        "transpose(A)",
        "A^T I",
    ],
    (number, "x"): [
        "2 sin x cos x - x e^(-x²/2)",
        "2sin(x)cos(x) - x exp(-x^2/2)",
        "sin 2x - x e^{-x^2/2}",
        "sin(2x) - x exp(-x**2/2)",
        r"2\sin x\cos x - x e^{-\frac{x^2}{2}}",
        r"\sin(2x) - x\exp\left(-\frac{x^2}{2}\right)",
        "2 sin(x) cos(x) − x·e^(−½x²)",
        "sin 2x - x exp(-x²/2)",
        "2*sin(x)*cos(x)-x*exp(-x*x/2)",
        "2 sin(x)√(1 - sin²(x)) - x e^(-x^2/2)",
        "2 sin(x) sin'(x) - x exp(-x²/2)",
    ],
    (softmax, "z"): [
        "diag(s) - s s^T",
        "diag(s) - s sᵀ",
        "diag(s) - s*s'",
        "np.diag(s) - np.outer(s, s)",
        r"\operatorname{diag}(s) - s s^\top",
        "diag(s) - ss^T",
        "diag(s)(I - 1 s^T)",
        r"s_i(\delta_{ij} - s_j)",
    ],
    (tanh_layer, "W1"): [
        "dZ1 X^T",
        "(W2^T dZ2 * tanh'(Z1)) X^T",
        "((W2^T dZ2) * (1 - A1^2)) X^T",
        "(W2ᵀ dZ2 ∘ (1 − A1²)) Xᵀ",
        "(dA1 ⊙ (1 - tanh²(Z1)))Xᵀ",
        "(dA1 * sech(Z1)^2) X^T",
        "(W2'*dZ2).*(1-A1.^2)*X'",
        "((W2'*(Z2-Y))/m .* (1 - A1.^2)) * X'",
        r"\left[ (W^{[2]})^T (Z^{[2]}-Y) \odot (1 - (A^{[1]})^2) \right] X^T / m",
        "(dA1*(1-np.tanh(Z1)**2)) @ X.T",
        "(dA1*(1-A1**2)).dot(X.T)",
    ],
    (rows, "W"): [
        "X^T (P - Y)/N + 2 reg W",
        "X.T.dot(P - Y)/N + 2*reg*W",
        "X.T @ dZ + 2*reg*W",
        r"\frac{1}{N} X^\top (P - Y) + 2\,\mathrm{reg}\, W",
        "1/N X^T (softmax(Z, axis=1) - onehot(y)) + 2 reg W",
        "np.dot(X.T, P - Y) / N + 2 * reg * W",
        "X^T(P-Y)/N+2reg W",
        r"\frac1N\sum_i X_{ij}(P_{ik} - Y_{ik}) + 2 reg W_{jk}",
        "(1/N) * X' * (P - Y) + 2*reg*W",
        "X^⊤ (P − Y) / N + 2·reg·W",
    ],
    (rows, "b"): [
        "sum(P - Y, axis=0)/N",
        "(P-Y).mean(axis=0)",
        "mean(P - Y, 0)",
        "dZ.sum(0)",
        "np.sum(dZ, axis=0)",
        "1^T dZ",
        "dZ^T 1",
        r"\mathbf{1}^\top dZ",
        r"\mathbb{1}^T (P-Y)/N",
        r"\sum_i dZ_i",
        "dZ.sum(dim=0)",
        "ones(N) @ dZ",
        "ones(N)^T dZ",
    ],
    (flagship, "W1"): [
        "((W2'*(A2-Y)/m).*(Z1>0))*X'",
        "dZ1*X'",
        r"\delta^{[1]} X^T",
        "(W2^T (A2-Y)/m ⊙ 1[Z1>0]) X^T",
        "1/m ((W2^T (A2-Y)) * (Z1>0)) X^T",
    ],
    (gaussian, "mu"): [
        "sum(mu - x)/sigma^2",
        "-sum(x - mu)/sigma^2",
        "n(mu - mean(x))/sigma^2",
        "(n mu - sum(x))/σ²",
        r"\frac{1}{\sigma^2}\sum_{i=1}^n (\mu - x_i)",
        r"-\frac{1}{\sigma^{2}} \sum_i (x_i-\mu)",
        "∑(μ − xᵢ)/σ²",
        "-1/σ² Σ (x_i - μ)",
        "-1/sigma**2*np.sum(x-mu)",
        "n/σ² (μ - mean(x))",
    ],
    (gaussian, "sigma"): [
        "n/sigma - sum((x-mu)^2)/sigma^3",
        "n/σ - ∑(x-μ)²/σ³",
        r"\frac{n}{\sigma} - \frac{1}{\sigma^3}\sum_{i=1}^{n}(x_i-\mu)^2",
        "n/σ − (1/σ³) ‖x − μ‖²",
        "n/sigma - ||x - mu||^2/sigma^3",
        "n/sigma-sum((x-mu)**2)/sigma**3",
        r"\frac{n}{\sigma} - \frac{\lVert x-\mu \rVert_2^2}{\sigma^3}",
    ],
    (complex_least_squares, "x"): [
        "2 A^H (A x - b)",
        "2 Aᴴ r",
        "2 A^* (Ax - b)",
        "2A^†(Ax-b)",
        "2*np.conj(A).T @ (A @ x - b)",
        "2 conj(A)^T r",
        r"2 A^{\mathsf{H}} \left(A x - b\right)",
        r"2 A^\dagger r",
        "2 A.conj().T @ r",
        r"2 \overline{A}^\top r",
        "2*A.H@r",
    ],
    (mahalanobis, "mu"): [
        "-Σ⁻¹ ∑_i D_i",
        "-sum(Sigma^-1 D^T, axis=1)",
        "inv(Sigma) @ sum(mu - X, axis=0)",
        "solve(Sigma, sum(mu - X, axis=0))",
        r"-\Sigma^{-1} \sum_{i} (x_i - \mu)",
        r"\sum_i \Sigma^{-1}(\mu - x_i)",
        "n Sigma^{-1}(mu - mean(X, axis=0))",
        "Σ^-1 (n μ - sum(X,0))",
        "-Σ⁻ᵀ D.sum(0)",
    ],
    (hinge_loss, "w"): [
        "w - C X^T (y * (1 - y*(Xw) > 0))",
        "w - C X^T (y ⊙ 1[y ∘ Xw < 1])",
        "w - C X.T @ (y * (y * (X @ w) < 1))",
        r"w - C\sum_i y_i x_i \mathbb{1}[y_i w^T x_i < 1]",
        "w - C X^T(y * 1{1 - y*(X w) > 0})",
        "w + C X^T (-y * step(1 - y*(X@w)))",
    ],
    (quotient, "x"): [
        "(3x^2 (1+x^2) - 2x^4)/(1+x^2)^2 ln x + x^2/(1+x^2)",
        "x²(3+x²)/(1+x²)² log x + x²/(1+x²)",
        r"\frac{x^2(3+x^2)}{(1+x^2)^2}\ln x + \frac{x^2}{1+x^2}",
        "3x^2/(1+x^2) ln(x) - 2x^4/(1+x^2)^2 ln(x) + x^2/(1+x^2)",
        "(x^4+3x^2)/(1+x^2)^2*log(x)+x^2/(1+x^2)",
        "x^2 (3 + x^2) ln x/(1+x^2)^2 + x^2/(1+x^2)",
        "3*x**2*np.log(x)/(1+x**2)-2*x**4*np.log(x)/(1+x**2)**2+x**2/(1+x**2)",
    ],
    (trace_of_four, "X"): [
        "A X B + A^T X B^T",
        "AXB + AᵀXBᵀ",
        "A@X@B + A.T@X@B.T",
        "A*X*B + A'*X*B'",
        r"\mathbf{AXB} + \mathbf{A}^\top\mathbf{X}\mathbf{B}^\top",
        "A·X·B + Aᵀ·X·Bᵀ",
        "A^T X B^T + A X B",
        r"A^T X B^T \;+\; A X B",
        "np.linalg.multi_dot([A, X, B]) + A.T.dot(X).dot(B.T)",
        "A.dot(X).dot(B)+A.T.dot(X).dot(B.T)",
        "(B^T X^T A^T + B X^T A)^T",
    ],
    (inverse, "X"): [
        "-(X^-1 A X^-1)^T",
        "-X^-T A^T X^-T",
        "-X⁻ᵀ Aᵀ X⁻ᵀ",
        "-inv(X).T @ A.T @ inv(X).T",
        r"-(X^{-1} A X^{-1})^\top",
        r"-X^{-\top}A^\top X^{-\top}",
        "-(X^{-1})^T A^T (X^{-1})^T",
        "-np.linalg.inv(X).T@A.T@np.linalg.inv(X).T",
        r"-\left(\mathbf{X}^{-1}\mathbf{A}\mathbf{X}^{-1}\right)^{T}",
    ],
    (log_sum_exp, "x"): [
        "softmax(x)",
        "exp(x)/sum(exp(x))",
        "exp(x - J)",
        "e^x/∑e^x",
        r"\frac{e^{x_i}}{\sum_j e^{x_j}}",
        r"\frac{e^{x}}{\sum_{j} e^{x_j}}",
        "exp(x_i)/sum_j exp(x_j)",
        r"e^{x_i} / \sum_k e^{x_k}",
        r"\mathrm{softmax}(x)",
        r"\frac{\exp(x_i)}{\sum_{j=1}^{n} \exp(x_j)}",
        "np.exp(x)/np.exp(x).sum()",
        "torch.softmax(x, dim=0)",
        "F.softmax(x)",
        "jax.nn.softmax(x)",
        "tf.nn.softmax(x)",
        "scipy.special.softmax(x)",
        "exp(x - max(x))/sum(exp(x - max(x)))",
        "Softmax(x)",
    ],
}
ROWS = [(run, target, text) for (run, target), texts in RIGHT.items() for text in texts]


@pytest.mark.parametrize(("run", "target", "text"), ROWS, ids=[f"{run.__name__}: {text}" for run, _, text in ROWS])
def test_right_formula_is_read(run, target, text):
    found = matches(run, target, text)
    assert found, found


# ----- wrong ones, with the difference -----
WRONG = [
    (flagship, "Z2", "A2 - Y", "8 times the gradient: a missing 1/m?"),
    (flagship, "Z2", "(Y - A2)/m", "minus the gradient: the sign is wrong"),
    (flagship, "Z2", "(A2 + Y)/m", "the gradient with the term of the quotient rule in A2"),
    (flagship, "Z2", "A2/m", "the gradient without the term of the quotient rule in A2"),
    (flagship, "Z2", "(A2 - Y)/(2m)", "0.5 times the gradient: a missing factor of 2?"),
    (flagship, "Z2", "(A2 - Y)^T/m", "its shape is (8, 3), the gradient's (3, 8): transpose it"),
    (flagship, "Z2", "m(A2 - Y)", "the gradient without the factor 1 / m, and 8 times that"),
    (flagship, "Z2", "(A2-Y)/m^2", "0.125 times the gradient: one 1/m too many?"),
    (flagship, "Z2", "dW2 = (A2 - Y)/m", "its left side is dW2: this is dJ/dZ2"),
    (flagship, "W2", "dZ2 A1", "inner sizes 8 and 5 differ; dZ2 A1.T would fit"),
    (flagship, "W2", "A1 dZ2^T", "its shape is (5, 3), the gradient's (3, 5): transpose it"),
    (flagship, "W2", "dZ2^T A1", "inner sizes 3 and 5 differ; dZ2 A1.T would fit"),
    (flagship, "W2", "1/m dZ2 A1^T", "0.125 times the gradient: one 1/m too many?"),
    (flagship, "W2", "dZ2 Z1^T", "the gradient with Z1 in place of A1"),
    (flagship, "W2", "dZ2 X^T", "its shape is (3, 4), the gradient's (3, 5)"),
    (flagship, "W2", "(A2-Y) A1^T", "8 times the gradient: a missing 1/m?"),
    (flagship, "W2", "dZ2 A1^T + lam W2", "the gradient plus lam W2"),
    (flagship, "b2", "sum(dZ2, axis=0)", "its shape is (8,), the gradient's (3, 1)"),
    (flagship, "b2", "sum(dZ2)", "every entry differs"),
    (flagship, "b2", "dZ2", "its shape is (3, 8), the gradient's (3, 1): sum it over axis 1"),
    (flagship, "b2", "mean(dZ2, axis=1)", "0.125 times the gradient"),
    (flagship, "Z1", "W2^T dZ2", "the gradient without the mask 1[Z1 > 0]: forgotten?"),
    (flagship, "Z1", "W2^T dZ2 * (Z1 < 0)", "the gradient with the mask 1[Z1 ≤ 0] in place of 1[Z1 > 0]"),
    (flagship, "Z1", "W2 dZ2 * (Z1>0)", "inner sizes 5 and 3 differ; W2.T dZ2 would fit"),
    (flagship, "Z1", "W2^T dZ2 * Z1", "every entry differs"),
    (flagship, "Z1", "W2^T dZ2 A1", "of 40 entries differ"),
    (flagship, "Z1", "W1^T dZ2 * (Z1 > 0)", "inner sizes 5 and 3 differ; neither transpose fits"),
    (least_squares, "w", "X^T(Xw - y) + lam w", "the gradient with the term through r times 8"),
    (least_squares, "w", "1/m X(Xw - y)+lam w", "inner sizes 3 and 8 differ; (1 / m * X).T (X @ w - y) would fit"),
    (least_squares, "w", "1/m X^T(Xw - y)", "the gradient without the term lam * w: forgotten?"),
    (least_squares, "w", "1/m X^T(y - Xw)+lam w", "the gradient with the term through r times -1"),
    (least_squares, "w", "2/m X^T(Xw - y) + 2lam w", "2 times the gradient: an extra factor of 2?"),
    (least_squares, "w", "1/m X^T(Xw + y)+lam w", "every entry differs"),
    (bilinear_form, "X", "b a^T", "its shape is (4, 3), the gradient's (3, 4): transpose it"),
    (bilinear_form, "X", "a b", "the shapes do not fit: entry by entry, shapes (3,) and (4,) do not fit"),
    (bilinear_form, "X", "a^T b", "its shape is (4, 3), the gradient's (3, 4): transpose it"),
    (bilinear_form, "X", "2 a b^T", "2 times the gradient: an extra factor of 2?"),
    (tanh_layer, "W1", "(W2^T dZ2) X^T", "the gradient without the factor 1 - A1²: forgotten?"),
    (tanh_layer, "W1", "dA1 X^T", "the gradient without the factor 1 - A1²: forgotten?"),
    (tanh_layer, "W1", "(W2^T dZ2 * (1 - A1)) X^T", "the gradient with 1 - A1 in place of 1 - A1²"),
    (tanh_layer, "W1", "(W2^T dZ2 * (1-A1^2)) X", "inner sizes 8 and 4 differ; (W2.T @ dZ2"),
    (tanh_layer, "W1", "(dA1*(1-A1**2)) X^T / m", "0.125 times the gradient: one 1/m too many?"),
    (complex_least_squares, "x", "A^H r", "half of the gradient: the Wirtinger derivative ∂J/∂z̄?"),
    (complex_least_squares, "x", "2 A^T r", "every entry differs"),
    (complex_least_squares, "x", "2 A^H (b - A x)", "minus the gradient: the sign is wrong"),
    (complex_least_squares, "x", "2 conj(A^H r)", "the conjugate of the gradient"),
    (trace_of_four, "X", "2 A X B", "the gradient without the term of the product rule"),
    (trace_of_four, "X", "A X B + A X B", "the gradient without the term of the product rule"),
    (trace_of_four, "X", "A X B - A^T X B^T", "the gradient with the term of the product rule"),
    (trace_of_four, "X", "X A B + A^T X B^T", "every entry differs"),
    (trace_of_four, "X", "A X B^T + A^T X B", "the gradient with d(Xᵀ A X) transposed"),
]  # fmt: skip


@pytest.mark.parametrize(("run", "target", "text", "difference"), WRONG, ids=[text for _, _, text, _ in WRONG])
def test_wrong_formula_is_answered_in_words(run, target, text, difference):
    found = matches(run, target, text)
    assert not found
    assert difference in found.difference


# ----- how a formula was read, and what it relies on -----
@pytest.mark.parametrize(
    ("run", "target", "text", "told"),
    [
        (flagship, "Z2", "(a2 - Y) / m", "read as (A2 - Y) / m"),
        (flagship, "W2", "dZ2 * A1'", "read as dZ2 @ A1.T"),
        (least_squares, "w", "1/2m 2X^T r + lam w", "1/2m 2X^T r + lam w: the gradient"),
        (log_determinant, "S", "S^-1", "the gradient for S symmetric"),
        (quadratic_form, "x", "2 S x", "the gradient for S symmetric"),
        (quadratic_form, "x", "S x + S^T x", ": the gradient"),
        (flagship, "W2", "1/m dZ2 A1^T", "Here dZ2 is dJ/dZ2, with the 1/m that textbooks write outside of it"),
    ],
)
def test_what_the_text_leaves_open_is_told(run, target, text, told):
    assert told in repr(matches(run, target, text))


def test_a_formula_without_a_choice_is_not_repeated():
    assert repr(matches(flagship, "Z1", "W2^T dZ2 * 1[Z1 > 0]")) == "W2^T dZ2 * 1[Z1 > 0]: the gradient"


# ----- errors -----
@pytest.mark.parametrize(
    ("text", "message", "carets"),
    [
        ("1/m (A2 - Y", r"( is not closed: ) is missing", "    ^"),
        ("(A2 - Y))/m", ") closes a bracket that was not opened", "        ^"),
        ("A2 - Foo", "there is no value named Foo", "     ^^^"),
        ("(A2 - W3)/m", "there is no value named W3; did you mean W1 or W2?", " ^^"),
        ("softmx(Z2) - Y", "there is no value named softmx; did you mean softmax?", "^^^^^^"),
        ("A2 -", "the formula ends where an operand is missing", "    ^"),
        (r"\frac{A2}", r"frac needs two arguments in braces", "^^^^^"),
        ("∂Q/∂Z2", "∂Q is not the derivative of J, which is differentiated here", "^"),
        ("∂A2/∂Z2", "∂A2/∂Z2 is read where A2 is a function entry by entry; write other Jacobians out", "^"),
        ("dZ2.foo(1)", "there is no method .foo; did you mean .floor?", "    ^^^"),
        ("A2 // m", "// is not part of a formula; write floor(a / b)", "   ^^"),
        ("‖A2‖_7", "‖x‖_7 is not read; there are ‖x‖, ‖x‖_1, ‖x‖_inf and ‖X‖_F", "^"),
        (r"\begin{tikzpicture} A2", "the environment tikzpicture of LaTeX is not read; there are", "^"),
        (r"\@ A2", r"\@ is not a command of LaTeX that is read here", "^^"),
        ("exp", "exp is a function: write exp(x)", "^^^"),
        ("onehot()", "onehot: an argument is missing; write onehot(labels) or scatter(x, index)", "^"),
        ("", "there is no formula: the text is empty", ""),
    ],
)  # fmt: skip
def test_what_is_not_understood_is_shown_with_its_place(text, message, carets):
    with pytest.raises(ExpressionError) as caught:
        matches(flagship, "Z2", text)
    assert message in caught.value.message
    assert carets in caught.value.excerpt


def test_a_long_text_and_a_deep_one_are_refused():
    with pytest.raises(ExpressionError, match="the limit is 10,000"):
        matches(flagship, "Z2", "A2 + " * 3000)
    with pytest.raises(ExpressionError, match="nested more than 60 deep"):
        matches(flagship, "Z2", "(" * 100 + "A2" + ")" * 100)
    with pytest.raises(ExpressionError, match="nested more than 120 deep; give parts of it a name first"):
        matches(flagship, "Z2", "+".join(["A2"] * 1500))


# ----- garbage -----
PIECES = [
    *"()[]{}+-*/^_'|.,;:=<>&%$#@!~\\ \n\t\"", "**", "||", "‖", r"\frac", r"\sum", r"\begin{cases}", r"\end{cases}",
    r"\begin{bmatrix}", r"\\", r"\text{", r"\mathrm{d}", r"\left(", r"\right)", "𝟙", "∂", "∇", "ᵀ", "⁻¹", "²", "½", "∑",
    "⟨", "⟩", "1e999", "0x1", "W2", "dZ2", "A1", "m", "sum", "where", "np.", ".T", ".sum(1)", "axis=1", "lambda",
    '__import__("os")', "9**9**9", "inv(", "eye(10**6)", "zeros((10**9,10**9))", "∞", "nan", "e", "i", "_ij", "ᴴ",
    "\ud800", "\x00", "🙂", "I", "onehot(", "scatter(", "reshape(", 'einsum("', "relu'",
]  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=20).map("".join) | st.text(max_size=30))
@example("zeros((10**9,10**9)) A2")
@example("9**9**9 A2")
@example(r"\begin{cases}\end{cases}")
def test_garbage_is_an_error_of_the_language_or_a_difference(text):
    with contextlib.suppress(ExpressionError):
        assert not matches(flagship, "W2", text)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(ROWS), st.data())
def test_a_formula_with_a_slip_of_the_pen_never_fails(row, data):
    run, target, text = row
    at = data.draw(st.integers(0, len(text)))
    piece = data.draw(st.sampled_from(["", *PIECES]))
    with contextlib.suppress(ExpressionError):
        repr(matches(run, target, text[:at] + piece + text[at + 1 :]))
