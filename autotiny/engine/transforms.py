"""Transforms: from a function to the function of its gradient, Jacobian or Hessian.

The functions take and return arrays, or nested lists, tuples and dicts of arrays. A transform records the function once
on fresh Tensors and sweeps that graph. Inside another transform, or where the function uses a tracked Tensor from
outside, the sweep is recorded as well and the results are Tensors, so that transforms nest to any order.
"""

import functools
from collections.abc import Callable, Sequence
from types import MethodType
from typing import Any

import numpy as np

from autotiny.engine.backward import Gradients
from autotiny.engine.gradients import sweep
from autotiny.engine.modes import Switch, modes
from autotiny.engine.mutation import require_unchanged, verified_order
from autotiny.engine.pytree import flatten, leaves_as
from autotiny.engine.recorded_call import RecordedCall, record_call
from autotiny.engine.tensor import Tensor, as_tensor
from autotiny.engine.values import Fingerprints, is_foreign, plain_copy
from autotiny.errors import ShapeError, UnsupportedError
from autotiny.ops.table import identity_like, library

Function = Callable[..., Any]


class Derivative:
    """What a transform makes of a function: it has its signature, and can be pickled if the function can be."""

    def __init__(self, compute: Function, transform: Function, f: Function, *options: Any) -> None:
        functools.update_wrapper(self, f, assigned=(), updated=())
        self.compute, self.made_by = compute, (transform, (f, *options))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Return the derivative at these arguments."""
        return self.compute(*args, **kwargs)

    def __get__(self, owner: Any, kind: Any = None) -> Any:
        return self if owner is None else MethodType(self, owner)

    def __reduce__(self) -> Any:
        return self.made_by


def positions_of(argnums: Any, where: str) -> tuple[int, ...]:
    """Return the positions of arguments, which are one or several whole numbers."""
    positions = argnums if isinstance(argnums, tuple | list) else (argnums,)
    if not positions or not all(isinstance(i, int | np.integer) and not isinstance(i, bool) for i in positions):
        raise UnsupportedError(
            f"{where}: argnums={argnums!r}: expected the position of an argument, such as 0, or a tuple of positions"
        )
    return tuple(map(int, positions))


def given(positions: tuple[int, ...], args: tuple[Any, ...], where: str) -> tuple[int, ...]:
    """Return the positions after checking that these arguments were given, and each is asked for once."""
    asked = positions[0] if len(positions) == 1 else positions
    if not all(-len(args) <= i < len(args) for i in positions):
        raise UnsupportedError(
            f"{where}: argnums={asked} asks for an argument that was not given; there are {len(args)}"
        )
    if len({i % len(args) for i in positions}) < len(positions):
        raise UnsupportedError(f"{where}: argnums={asked} names an argument twice")
    return positions


def value_and_grad(f: Function, argnums: int | tuple[int, ...] = 0) -> Function:
    """Return the function that computes f's value and its gradient with respect to one argument, or to several.

    Raises ShapeError where f does not return a single number.

    >>> value_and_grad(lambda x: x**3)(2.0)
    (array(8.), array(12.))
    """
    require_function(f, "grad")
    single, positions = np.ndim(argnums) == 0, positions_of(argnums, "grad")

    def value_and_gradient(*args: Any, **kwargs: Any) -> tuple[Any, Any]:
        call = record_call(f, args, kwargs, given(positions, args, "grad"))
        if len(call.outputs) != 1 or np.size(call.outputs[0]) != 1:
            got = [np.shape(out) for out in call.outputs]
            raise ShapeError(
                f"grad: the function must return a single number, got shapes {got}; sum it, or use at.jacobian"
            )
        (output,) = call.outputs
        depends = isinstance(output, Tensor) and output.requires_grad
        grads = call.rebuild_arguments(call.pull({output: np.ones_like(output._value)} if depends else {}))
        call.end()
        return call.value, grads[0] if single else tuple(grads)

    return Derivative(value_and_gradient, value_and_grad, f, argnums)


def require_function(f: Any, where: str) -> None:
    """Raise UnsupportedError unless f can be called."""
    if not callable(f):
        raise UnsupportedError(f"{where}: expected a function, got {type(f).__name__}")


def grad(f: Function, argnums: int | tuple[int, ...] = 0) -> Function:
    """Return the function that computes the gradient of f, which returns a single number.

    >>> grad(lambda x: x * grad(lambda y: x + y)(x))(5.0)
    array(1.)
    """
    both = value_and_grad(f, argnums)

    def gradient(*args: Any, **kwargs: Any) -> Any:
        return both(*args, **kwargs)[1]

    return Derivative(gradient, grad, f, argnums)


def vjp(f: Function, *args: Any) -> tuple[Any, Function]:
    """Return f's value and the function that pulls dJ/d(value) back to the arguments: pull(g) = gᵀ ∂f/∂x, a tuple.

    >>> value, pull = vjp(lambda x, y: x * y, np.array([1.0, 2.0]), 3.0)
    >>> pull(np.array([1.0, 1.0]))
    (array([3., 3.]), array(3.))
    """
    require_function(f, "vjp")
    call = record_call(f, args, {}, range(len(args)))

    def pull(g: Any) -> tuple[Any, ...]:
        now: Fingerprints = {}
        for node in call.order:
            require_unchanged(node, now)
        upstream = leaves_as(g, call.rebuild_output(call.outputs), "vjp: the gradient")
        seeds = seeds_for(call, upstream)
        return tuple(
            call.rebuild_arguments(
                call.pull(seeds, record=any(isinstance(u, Tensor) and u.requires_grad for u in upstream))
            )
        )

    return call.value, pull


def seeds_for(call: RecordedCall, upstream: list[Any]) -> Gradients:
    """Return the gradients that arrive at the outputs, after checking their shapes."""
    if [np.shape(u) for u in upstream] != [np.shape(out) for out in call.outputs]:
        expected, got = [np.shape(out) for out in call.outputs], [np.shape(u) for u in upstream]
        raise ShapeError(f"vjp: the gradient must have the shapes of the value, {expected}; got {got}")
    seeds: Gradients = {}
    for out, u in zip(call.outputs, upstream, strict=True):
        if isinstance(out, Tensor) and out.requires_grad:
            u = u if isinstance(u, Tensor) or is_foreign(u) else np.asarray(u, dtype=out.dtype)
            seeds[out] = seeds[out] + u if out in seeds else u
    return seeds


def jvp(f: Function, args: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
    """Return f's value and its derivative along the tangents: ∂f/∂x t.

    The reverse sweep is linear in the gradient u that it starts from, so its own derivative by u is the forward one
    (J. Townsend, "A new trick for calculating Jacobian vector products", 2017).

    >>> jvp(lambda x: x**2, (3.0,), (1.0,))
    (array(9.), array(6.))
    """
    require_function(f, "jvp")
    if not (isinstance(args, tuple | list) and isinstance(tangents, tuple | list)):
        raise UnsupportedError("jvp: give the arguments and the tangents as tuples, (x,) and (t,)")
    call = record_call(f, args, {}, range(len(args)))
    directions = [as_tensor(t) for t in leaves_as(list(tangents), list(args), "jvp: the tangents")]
    if [t.shape for t in directions] != [x.shape for x in call.variables]:
        expected, got = [x.shape for x in call.variables], [t.shape for t in directions]
        raise ShapeError(f"jvp: tangents must have the shapes of the arguments, {expected}; got {got}")
    starts = [_random_start(out) for out in call.outputs]
    nested = call.nested or (modes.recording and any(t.requires_grad for t in directions))
    with Switch("recording", True):
        pulled = call.pull(seeds_for(call, starts), record=True)
        along = sum((np.sum(p * t) for p, t in zip(pulled, directions, strict=True)), start=as_tensor(0.0))
    grads = (
        sweep(verified_order(along), {along: np.ones_like(along._value)}, starts, record=nested)
        if along.requires_grad
        else {}
    )
    if not nested:
        call.end()
    derivatives = [grads.get(u, np.zeros_like(u._value)) for u in starts]
    return call.value, call.rebuild_output([as_tensor(d) if nested else plain_copy(d) for d in derivatives])


def _random_start(out: Any) -> Tensor:
    """Return a gradient to start from, between 1 and 2: what it is does not count, and 0 would be a special case."""
    start = np.random.default_rng(0).uniform(1, 2, np.shape(out))
    return Tensor(np.asarray(start, like=library(out)), dtype=np.result_type(out, np.float16))


def jacobian(f: Function, argnums: int | tuple[int, ...] = 0) -> Function:
    """Return the function of all derivatives of f by one argument, or by several: J[i, j] = ∂f(x)[i] / ∂x[j].

    J has the shape f(x).shape + x.shape; for several arguments there is a tuple of such in place of each.

    >>> jacobian(lambda x: x * x)(np.array([1.0, 2.0]))
    array([[2., 0.],
           [0., 4.]])
    """
    require_function(f, "jacobian")
    single, positions = np.ndim(argnums) == 0, positions_of(argnums, "jacobian")

    def jacobian_of_f(*args: Any, **kwargs: Any) -> Any:
        call = record_call(f, args, kwargs, given(positions, args, "jacobian"))
        blocks = [call.rebuild_arguments(_rows(call, out)) for out in call.outputs]
        call.end()
        return call.rebuild_output([block[0] if single else tuple(block) for block in blocks])

    return Derivative(jacobian_of_f, jacobian, f, argnums)


def _rows(call: RecordedCall, out: Any) -> list[Any]:
    """Return for each variable the derivatives of all entries of one output."""
    if not (isinstance(out, Tensor) and out.requires_grad):
        return [np.zeros(np.shape(out) + x.shape, x.dtype) for x in call.variables]
    seeds = identity_like(out, out.size).reshape(out.size, *out.shape)
    pulled = [call.pull({out: seed}, chosen={out: seed != 0}) for seed in seeds]
    shapes = [out.shape + x.shape for x in call.variables]
    if not pulled:
        return [np.zeros(shape, x.dtype) for shape, x in zip(shapes, call.variables, strict=True)]
    return [np.reshape(np.stack(rows), shape) for rows, shape in zip(zip(*pulled, strict=True), shapes, strict=True)]


def hessian(f: Function, argnums: int | tuple[int, ...] = 0) -> Function:
    """Return the function of the second derivatives of f, which returns a single number: x.shape + x.shape.

    For several arguments it is a tuple of tuples, H[i][j] = ∂²f / ∂x_i ∂x_j.

    >>> hessian(lambda x: np.sum(x**3))(np.array([1.0, 2.0]))
    array([[ 6.,  0.],
           [ 0., 12.]])
    """
    return jacobian(grad(f, argnums), argnums)


def hvp(f: Function) -> Function:
    """Return the function of the product H(x) v with the Hessian of f, computed as the gradient of ∇f(x) · v.

    >>> hvp(lambda x: np.sum(x**3))(np.array([1.0, 2.0]), np.array([1.0, 1.0]))
    array([ 6., 12.])
    """
    require_function(f, "hvp")

    def product(x: Any, v: Any) -> Any:
        direction = leaves_as(v, x, "hvp: v")
        expected, got = ([np.shape(leaf) for leaf in leaves] for leaves in (flatten(x)[0], direction))
        if got != expected:
            raise ShapeError(f"hvp: v must have the shapes of x, {expected}; got {got}")

        def slope(x: Any) -> Any:
            pairs = zip(flatten(grad(f)(x))[0], direction, strict=True)
            return sum((np.sum(g * t) for g, t in pairs), start=as_tensor(0.0))

        return grad(slope)(x)

    return Derivative(product, hvp, f)
