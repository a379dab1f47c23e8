"""Lines that mypy and pyright must find wrong. Each says which error it is, and one that is not found is an error."""

from typing import Any

import numpy as np
import numpy.typing as npt

import autotiny as at

Array = npt.NDArray[Any]


def squares(x: Array, scale: float = 1.0) -> float:
    return float(np.sum(x**2) * scale)


@at.operation(lambda g, y, x, rate=1.0: g * rate)
def scaled(x: Any, rate: float = 1.0) -> Any:
    return x * rate


def wrong(W: at.Tensor, x: Array) -> None:
    _ = W + "1"  # type: ignore[operator]  # pyright: ignore[reportOperatorIssue]
    _ = W @ None  # type: ignore[operator]  # pyright: ignore[reportOperatorIssue]
    _ = {} * W  # type: ignore[operator]  # pyright: ignore[reportOperatorIssue]
    W.backwards()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    W.sum(axes=0)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    W.reshape("2")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
    W.shape = (4,)  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
    W.T = x  # type: ignore[assignment, misc]  # pyright: ignore[reportAttributeAccessIssue]
    at.Tensor(1.0, requires_grad="no")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    at.relu(None)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
    at.softmax(W, "0")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
    at.gard(squares)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    at.grad(3)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
    at.grad(squares)(x, "2")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
    at.grad(squares)(x, rate=2.0)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
    at.grad(squares, argnums="x")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    at.jacobian(squares)(x, "2")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    at.vjp(squares, x, "2")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    at.compile(squares)(x, "2")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    at.compile(squares, threads="two")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
    at.compare(W.sum(), {1: x})  # type: ignore[dict-item]  # pyright: ignore[reportCallIssue, reportArgumentType]
    at.derive("J", W)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    scaled(W, "2")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
