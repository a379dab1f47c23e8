"""What people write, and the types that it has for mypy and pyright; a test holds them against those when it runs.

Any is where NumPy's annotations leave the type open. Where they are wrong, the last function says so.
"""

from dataclasses import dataclass
from typing import Any, assert_type

import numpy as np
import numpy.typing as npt

import autotiny as at
from autotiny import nn

Array = npt.NDArray[Any]
Mask = npt.NDArray[np.bool]


def operators(W: at.Tensor, b: at.Tensor, X: npt.NDArray[np.float64]) -> None:
    assert_type(W @ X, at.Tensor)
    assert_type(W @ X + b, at.Tensor)
    assert_type(2 * W - 1 / W, at.Tensor)
    assert_type(-W, at.Tensor)
    assert_type(abs(W) ** 0.5, at.Tensor)
    assert_type(np.float64(2) * W, at.Tensor)
    assert_type(W[0, 1], at.Tensor)
    assert_type(W[:, None], at.Tensor)
    assert_type(list(W), list[at.Tensor])
    assert_type(W > 0, Mask)
    assert_type(b == W, Mask)
    assert_type(W // 2, Array)
    W[W > 1].sum().backward()


def attributes(W: at.Tensor) -> None:
    assert_type(W.T, at.Tensor)
    assert_type(W.mT, at.Tensor)
    assert_type(W.real, at.Tensor)
    assert_type(W.shape, tuple[int, ...])
    assert_type(W.ndim + W.size, int)
    assert_type(W.dtype, np.dtype[Any])
    assert_type(W.data, Array)
    assert_type(W.requires_grad, bool)
    assert_type(W.name, str | None)
    assert_type(W.detach(), at.Tensor)
    assert_type(float(W[0, 0]), float)
    assert_type(len(W), int)


def methods(W: at.Tensor) -> None:
    assert_type(W.sum(), at.Tensor)
    assert_type(W.sum(axis=0, keepdims=True), at.Tensor)
    assert_type(W.mean((0, 1)), at.Tensor)
    assert_type(W.var(0, ddof=1), at.Tensor)
    assert_type(W.max(axis=1), at.Tensor)
    assert_type(W.reshape(-1), at.Tensor)
    assert_type(W.reshape((4, 1)), at.Tensor)
    assert_type(W.transpose(1, 0), at.Tensor)
    assert_type(W.clip(0), at.Tensor)
    assert_type(W.round(2), at.Tensor)
    assert_type(W.dot(W), at.Tensor)
    assert_type(W.astype(np.float32), at.Tensor)
    assert_type(W.astype(int), Array)
    assert_type(W.argmax(), np.intp)
    assert_type(W.any(), np.bool)
    assert_type(W.nonzero(), tuple[npt.NDArray[np.intp], ...])


def functions(W: at.Tensor, X: Array) -> None:
    assert_type(at.relu(W), at.Tensor)
    assert_type(at.relu(X), Array)
    assert_type(at.relu([1, 2]), Array)
    assert_type(at.softmax(W, axis=1), at.Tensor)
    assert_type(at.logsumexp(W, axis=0, keepdims=True), at.Tensor)
    assert_type(at.cross_entropy(W, np.array([0, 1])), at.Tensor)
    assert_type(at.mean_squared_error(W, W.data), at.Tensor)
    assert_type(at.huber(W, W.data, delta=0.5), at.Tensor)
    assert_type(at.silu(at.mish(W)), at.Tensor)
    assert_type(nn.digits(), nn.Dataset)


def steps(W: at.Tensor, x: Array) -> None:
    """After backward, .grad is an array; before, None: it is left open, so that it can be used without a cast."""
    J = (W @ x).sum()
    J.backward()
    assert_type(at.gradients(J, [W]), list[at.Tensor])
    with at.no_grad():
        W -= 0.1 * W.grad
    rate: float = np.abs(W.grad).max() / W.grad.size
    if W.grad is not None:
        W.grad = None
    W.data = x * rate * np.ones_like(W.data)
    assert_type(updated(W, rate), at.Tensor)


@at.no_grad()
@at.scope("step")
def updated(w: at.Tensor, rate: float) -> at.Tensor:
    return w - rate


def squares(x: Array, scale: float = 1.0) -> Array:
    y: Array = np.sum(x**2) * scale
    return y


def cube(x: float) -> float:
    return x * x * x


def layers(params: dict[str, Array], X: Array, *, power: int = 2) -> Any:
    return np.sum((params["W"] @ X + params["b"]) ** power)


@dataclass
class Line:
    slope: Any
    offset: Any


def height(line: Line, x: float) -> Any:
    return line.slope * x + line.offset


def transforms(x: Array, params: dict[str, Array]) -> None:
    assert_type(at.grad(squares)(x), Array)
    assert_type(at.grad(squares)(x, scale=2.0), Array)
    assert_type(at.grad(cube)(2.0), Array)
    assert_type(at.grad(at.grad(cube))(2.0), Array)
    assert_type(at.grad(lambda v: np.sum(v * v))(x), Array)
    assert_type(at.grad(at.sigmoid)(0.0), Array)
    assert_type(at.grad(layers)(params, x, power=3), dict[str, Array])
    assert_type(at.grad(height)(Line(1.0, 2.0), 3.0), Line)
    assert_type(at.value_and_grad(squares)(x), tuple[Array, Array])
    assert_type(at.value_and_grad(layers)(params, x), tuple[Array, dict[str, Array]])
    assert_type(at.vjp(squares, x, scale=2.0)[0], Array)
    assert_type(at.jvp(squares, (x,), (x,)), tuple[Array, Array])
    assert_type(at.jacobian(at.softmax)(x), Array)
    at.grad(squares, argnums=(0, 1))(x, 2.0)
    at.grad(squares)(x=x)
    (at.hessian(squares)(x) @ x).round(3)
    at.hvp(squares)(x, x)


def compiled(x: Array, params: dict[str, Array]) -> None:
    step = at.compile(squares)
    assert_type(step(x, scale=2.0), Array)
    assert_type(step.source, str)
    J, gradients = at.compile(at.value_and_grad(layers))(params, x)
    assert_type(J, Array)
    gradients["W"].round(2)


@at.operation(lambda g, y, x, rate=1.0: g * rate)
def scaled(x: Any, rate: float = 1.0) -> Any:
    return x * rate


def readers(W: at.Tensor, x: Array) -> None:
    z = W @ x
    J = np.sum(z**2)
    assert_type(at.compare(J, {"z": 2 * z.data, W: np.outer(2 * z.data, x)}).ok, bool)
    given: dict[str, Array] = {"z": 2 * z.data}
    at.compare(J, given, wrt=[W])
    at.compare(squares, lambda v: 2 * v, x)
    at.check_gradients(squares, x)
    assert_type(at.derive(J, "z").formula, str)
    assert_type(at.draw(J).svg, str)
    at.derive(scaled(W.sum(), 2.0), W)


def where_annotations_of_numpy_say_less(W: at.Tensor, X: npt.NDArray[np.float64]) -> None:
    """They leave ufuncs and most reductions open, since a Tensor is declared to be a scalar of NumPy's."""
    assert_type(np.tanh(W), Any)
    assert_type(np.maximum(W, 0), Any)
    assert_type(np.exp(W) / np.sum(np.exp(W), axis=0), Any)
    assert_type(np.sum(W), Any)
    assert_type(np.dot(X, W), Any)
    np.log(np.maximum(W, 1)).sum().backward()


def constant_first(W: at.Tensor, X: npt.NDArray[np.float64]) -> None:
    """To them an operator of an array with whatever has `__array__` is an array; a constant Tensor is right."""
    data = at.Tensor(X, requires_grad=False)
    assert_type(data @ W, at.Tensor)
    ((data @ W) ** 2).mean().backward()


if __name__ == "__main__":
    matrix, square, vector = at.Tensor([[1.0, 2.0], [3.0, 4.0]], name="W"), np.eye(2), np.array([1.0, 2.0])
    operators(matrix, at.Tensor([1.0, 2.0]), square)
    attributes(matrix)
    methods(matrix)
    functions(matrix, square)
    steps(matrix, vector)
    weights = {"W": square, "b": vector}
    transforms(vector, weights)
    compiled(vector, weights)
    readers(matrix, vector)
    where_annotations_of_numpy_say_less(matrix, square)
    constant_first(matrix, square)
