"""What mypy knows with `plugins = ["autotiny.mypy_plugin"]`: calls of NumPy and operators of arrays that record."""

from typing import Any, assert_type

import numpy as np
import numpy.typing as npt

import autotiny as at


def recorded(W: at.Tensor, X: npt.NDArray[np.float64]) -> None:
    assert_type(X @ W, at.Tensor)
    assert_type(1 - X * W, at.Tensor)
    assert_type(np.tanh(W), at.Tensor)
    assert_type(np.maximum(0, X @ W), at.Tensor)
    assert_type(np.exp(W) / np.sum(np.exp(W), axis=0), at.Tensor)
    assert_type(np.mean((X @ W - X) ** 2), at.Tensor)
    assert_type(np.where(X > 0, W, 0), at.Tensor)
    assert_type(np.concatenate([W, X]), at.Tensor)
    assert_type(np.stack((X, W)), at.Tensor)
    assert_type(np.linalg.inv(W), at.Tensor)
    assert_type(np.linalg.norm(W), at.Tensor)
    assert_type(np.einsum("ij,jk", X, W), at.Tensor)
    assert_type(np.dot(X, W), at.Tensor)
    np.mean((X @ W) ** 2).backward()


def not_recorded(W: at.Tensor, X: npt.NDArray[np.float64]) -> None:
    assert_type(X @ X, npt.NDArray[np.float64])
    assert_type(np.sum(X), np.float64)
    assert_type(np.shape(W), tuple[int, ...])
    assert_type(np.argmax(W), np.intp)
    assert_type(np.zeros_like(W), npt.NDArray[Any])
    assert_type(np.allclose(W, X), bool)


if __name__ == "__main__":
    recorded(at.Tensor([[1.0, 2.0], [3.0, 4.0]], name="W"), np.eye(2))
    not_recorded(at.Tensor([[1.0, 2.0], [3.0, 4.0]], name="W"), np.eye(2))
