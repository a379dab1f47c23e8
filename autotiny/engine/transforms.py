"""Transforms: from a function to the function of its gradient, Jacobian or Hessian.

The functions take and return arrays, or trees of them: nested lists, tuples, dicts, dataclasses. A transform records
the function once on fresh Tensors and sweeps that graph. Inside another transform, or where the function uses a tracked
Tensor from outside, the sweep is recorded as well and the results are Tensors, so that transforms nest to any order.
"""

import copy
import functools
from collections.abc import Callable, Sequence
from functools import partial
from types import MethodType
from typing import Any

import numpy as np

from autotiny.engine.arguments import Chosen, Names, Positions, chosen_values
from autotiny.engine.backward import Gradients
from autotiny.engine.complex_arguments import on_parts, parts_of, require_holomorphic, require_one_way, require_real
from autotiny.engine.gradients import seed, sweep
from autotiny.engine.modes import Switch, modes
from autotiny.engine.mutation import require_unchanged, verified_order
from autotiny.engine.pickling import name_of_wrapper
from autotiny.engine.pytree import flatten, leaves_as
from autotiny.engine.recorded_call import RecordedCall, record_call
from autotiny.engine.tensor import Tensor, as_tensor
from autotiny.engine.values import Fingerprints, is_foreign, plain_copy
from autotiny.errors import ShapeError, UnsupportedError
from autotiny.ops.table import conj, identity_like, is_complex, library, require_real_place

Function = Callable[..., Any]


class Derivative:
    """What a transform makes of a function: it has its signature, and can be pickled if the function can be."""

    def __init__(self, compute: Function, transform: Function, f: Function, *options: Any) -> None:
        functools.update_wrapper(self, f, updated=())
        self.compute, self.made_by = compute, (transform, (f, *options))

    @property
    def transform_name(self) -> str:
        """The name of the transform, without its options."""
        transform = self.made_by[0]
        return str(getattr(transform, "func", transform).__name__)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Return the derivative at these arguments."""
        return self.compute(*args, **kwargs)

    def __get__(self, owner: Any, kind: Any = None) -> Any:
        return self if owner is None else MethodType(self, owner)

    def __repr__(self) -> str:
        f = self.made_by[1][0]
        return f"<{self.transform_name} of {getattr(f, '__qualname__', f)}>"

    def __reduce__(self) -> Any:
        name = name_of_wrapper(self, self.made_by[1][0], self.transform_name)
        return self.made_by if name is None else name

    def __copy__(self) -> "Derivative":
        transform, options = self.made_by
        fresh: Derivative = transform(*options)
        return fresh

    def __deepcopy__(self, memo: dict[int, Any]) -> "Derivative":
        transform, options = self.made_by
        fresh: Derivative = transform(*copy.deepcopy(options, memo))
        return fresh


def value_and_grad(f: Function, argnums: Positions = None, argnames: Names = None, has_aux: bool = False) -> Function:
    """Return the function that computes f's value and its gradient with respect to one argument, or to several.

    Of a complex argument z the gradient is dJ/dRe(z) + i dJ/dIm(z), the direction of steepest ascent.

    argnums : the position of the argument, 0 by default, or a tuple of positions, for a tuple of gradients.
    argnames : its name, or a tuple of names; after those of argnums, if both are given. An argument may be passed by
        position or by keyword, or be left at its default. All others are constants.
    has_aux : whether f returns a pair, its value and something else, which is passed on: ((value, aux), gradient).

    An argument is a number, an array, or a tree of them (see `tree_map`), of which the gradient is one too.

    Raises ShapeError where f does not return a single number; UnsupportedError where that is complex and, with the
    place, for an argument that holds no numbers.

    >>> value_and_grad(lambda x: x**3)(2.0)
    (array(8.), array(12.))
    >>> value_and_grad(lambda x, scale=1.0: x**3 * scale, argnames=("x", "scale"))(2.0, scale=10.0)
    (array(80.), (array(120.), array(8.)))
    """
    require_function(f, "grad")
    chosen = Chosen(f, argnums, argnames, "grad")

    def value_and_gradient(*args: Any, **kwargs: Any) -> tuple[Any, Any]:
        keys, args, kwargs = chosen(args, kwargs)
        call = record_call(f, args, kwargs, keys, "grad", has_aux)
        if len(call.outputs) != 1 or getattr(call.outputs[0], "size", 1) != 1:
            got = [np.shape(out) for out in call.outputs]
            hint = "sum it, or use at.jacobian" if len(got) == 1 else "has_aux=True is for a pair (value, aux)"
            raise ShapeError(f"grad: the function must return a single number, got shapes {got}; {hint}")
        (output,) = call.outputs
        if is_complex(output):
            raise UnsupportedError(
                "grad: the function must return a real number, got a complex one: take np.real, np.imag or np.abs of "
                "it; at.jacobian(f, holomorphic=True) is f'"
            )
        depends = isinstance(output, Tensor) and output.requires_grad
        pulled = call.pull({output: seed(output, None)} if depends else {})
        grads = call.rebuild_arguments(list(map(as_seen, pulled)))
        call.end()
        value = (call.value, call.plain_aux) if has_aux else call.value
        return value, grads[0] if chosen.single else tuple(grads)

    return Derivative(value_and_gradient, value_and_grad, f, argnums, argnames, has_aux)


def as_seen(g: Any) -> Any:
    """Return a gradient of a variable, of which nobody else has the array, as users see it."""
    return np.conjugate(g, out=g) if isinstance(g, np.ndarray) and is_complex(g) else conj(g)


def require_function(f: Any, where: str) -> None:
    """Raise UnsupportedError unless f can be called."""
    if not callable(f):
        raise UnsupportedError(f"{where}: expected a function, got {type(f).__name__}")


def grad(f: Function, argnums: Positions = None, argnames: Names = None, has_aux: bool = False) -> Function:
    """Return the function that computes the gradient of f, which returns a single real number.

    For a complex argument z = x + iy it is ∂f/∂x + i ∂f/∂y, so that z - alpha * grad(f)(z) descends. That of Re(h) is
    the conjugate of h'(z) for a holomorphic h. PyTorch has the same convention, JAX and HIPS give the conjugate of it.

    The arguments are those of `value_and_grad`; with has_aux it returns (gradient, aux).

    >>> grad(lambda x: x * grad(lambda y: x + y)(x))(5.0)
    array(1.)
    >>> grad(lambda z: np.real(z * z))(1.0 + 2.0j)  # the conjugate of 2 z
    array(2.-4.j)
    """
    both = value_and_grad(f, argnums, argnames, has_aux)

    def gradient(*args: Any, **kwargs: Any) -> Any:
        value, grads = both(*args, **kwargs)
        return (grads, value[1]) if has_aux else grads

    return Derivative(gradient, grad, f, argnums, argnames, has_aux)


def vjp(f: Function, *args: Any, **kwargs: Any) -> tuple[Any, Function]:
    """Return f's value and the function that pulls dJ/d(value) back to the arguments: pull(g) = gᵀ ∂f/∂x, a tuple.

    Keyword arguments are passed to f as constants.

    For complex numbers it is the adjoint of jvp under ⟨a, b⟩ = Re(Σ conj(a) b): pull(g) = conj(f'(z)) g for a
    holomorphic f.

    >>> value, pull = vjp(lambda x, y: x * y, np.array([1.0, 2.0]), 3.0)
    >>> pull(np.array([1.0, 1.0]))
    (array([3., 3.]), array(3.))
    """
    require_function(f, "vjp")
    call = record_call(f, args, kwargs, range(len(args)), "vjp")

    def pull(g: Any) -> tuple[Any, ...]:
        now: Fingerprints = {}
        for node in call.order:
            require_unchanged(node, now)
        upstream = leaves_as(g, call.rebuild_output(call.outputs), "vjp: the gradient")
        seeds = seeds_for(call, upstream)
        pulled = call.pull(seeds, record=any(isinstance(u, Tensor) and u.requires_grad for u in upstream))
        return tuple(call.rebuild_arguments(list(map(as_seen, pulled))))

    return call.value, pull


def seeds_for(call: RecordedCall, upstream: list[Any]) -> Gradients:
    """Return the gradients that arrive at the outputs, as rules take them, after checking what users give."""
    if [np.shape(u) for u in upstream] != [np.shape(out) for out in call.outputs]:
        expected, got = [np.shape(out) for out in call.outputs], [np.shape(u) for u in upstream]
        raise ShapeError(f"vjp: the gradient must have the shapes of the value, {expected}; got {got}")
    arrays = [u if isinstance(u, Tensor) or is_foreign(u) else np.asarray(u) for u in upstream]
    for out, u in zip(call.outputs, arrays, strict=True):
        require_real_place(u.dtype, np.result_type(out), "vjp: the gradient")
    return starting_from(call, list(map(conj, arrays)))


def starting_from(call: RecordedCall, upstream: list[Any]) -> Gradients:
    """Return the gradients of the outputs that are tracked, in their precision; one that is returned twice has two."""
    seeds: Gradients = {}
    for out, u in zip(call.outputs, upstream, strict=True):
        if isinstance(out, Tensor) and out.requires_grad:
            u = u.astype(out.dtype, copy=False) if isinstance(u, np.ndarray) else u
            seeds[out] = seeds[out] + u if out in seeds else u
    return seeds


def jvp(f: Function, args: Sequence[Any], tangents: Sequence[Any], **kwargs: Any) -> tuple[Any, Any]:
    """Return f's value and its derivative along the tangents: ∂f/∂x t. Keyword arguments are passed to f as constants.

    Of complex numbers it is the derivative along t as well; for a holomorphic f, f'(z) t.

    The reverse sweep is linear in the gradient u that it starts from, so its own derivative by u is the forward one
    (J. Townsend, "A new trick for calculating Jacobian vector products", 2017).

    >>> jvp(lambda x: x**2, (3.0,), (1.0,))
    (array(9.), array(6.))
    """
    require_function(f, "jvp")
    if not (isinstance(args, tuple | list) and isinstance(tangents, tuple | list)):
        raise UnsupportedError("jvp: give the arguments and the tangents as tuples, (x,) and (t,)")
    call = record_call(f, args, kwargs, range(len(args)), "jvp")
    directions = [as_tensor(t) for t in leaves_as(list(tangents), list(args), "jvp: the tangents")]
    if [t.shape for t in directions] != [x.shape for x in call.variables]:
        expected, got = [x.shape for x in call.variables], [t.shape for t in directions]
        raise ShapeError(f"jvp: tangents must have the shapes of the arguments, {expected}; got {got}")
    for t, x in zip(directions, call.variables, strict=True):
        require_real_place(t.dtype, x.dtype, "jvp: the tangent")
    starts = [_random_start(out) for out in call.outputs]
    nested = call.nested or (modes.recording and any(t.requires_grad for t in directions))
    with Switch("recording", True):
        pulled = call.pull(starting_from(call, starts), record=True)
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


def jacobian(
    f: Function,
    argnums: Positions = None,
    argnames: Names = None,
    *,
    holomorphic: bool = False,
    real: bool = False,
) -> Function:
    """Return the function of all derivatives of f by one argument, or by several: J[i, j] = ∂f(x)[i] / ∂x[j].

    J has the shape f(x).shape + x.shape; for several arguments there is a tuple of such in place of each. Which they
    are is stated as for `value_and_grad`.

    By a complex argument z, `holomorphic=True` gives f'(z), for an f that has one. `real=True` gives the derivatives of
    the real and imaginary parts by the real and imaginary parts: those of np.stack([f.real, f.imag]) by
    np.stack([z.real, z.imag]), where f or z is complex.

    Raises UnsupportedError for a complex argument without either, and where f is not holomorphic at z.

    >>> jacobian(lambda x: x * x)(np.array([1.0, 2.0]))
    array([[2., 0.],
           [0., 4.]])
    >>> jacobian(lambda z: z**3, holomorphic=True)(1.0j)
    array(-3.+0.j)
    >>> jacobian(np.conj, real=True)(1.0j)
    array([[ 1.,  0.],
           [ 0., -1.]])
    """
    require_function(f, "jacobian")
    chosen = Chosen(f, argnums, argnames, "jacobian")
    require_one_way(holomorphic, real, "jacobian")

    def jacobian_of_f(*args: Any, **kwargs: Any) -> Any:
        keys, args, kwargs = chosen(args, kwargs)
        if real:
            parts, named = parts_of(args, kwargs, keys)
            return jacobian(on_parts(f, args, kwargs, keys), argnums, argnames)(*parts, **named)
        call = record_call(f, args, kwargs, keys, "jacobian")
        if not holomorphic:
            require_real(call.variables, "jacobian")
        blocks = [call.rebuild_arguments(_rows(call, out)) for out in call.outputs]
        call.end()
        return call.rebuild_output([block[0] if chosen.single else tuple(block) for block in blocks])

    return Derivative(jacobian_of_f, partial(jacobian, holomorphic=holomorphic, real=real), f, argnums, argnames)


def _rows(call: RecordedCall, out: Any) -> list[Any]:
    """Return for each variable the derivatives of all entries of one output.

    A sweep that starts from 1 at an entry gives the real part of its derivative by a real variable, one from -i the
    imaginary part.
    """
    if not (isinstance(out, Tensor) and out.requires_grad):
        dtypes = [np.result_type(x.dtype, np.complex64) if is_complex(out) else x.dtype for x in call.variables]
        return [np.zeros(np.shape(out) + x.shape, t) for x, t in zip(call.variables, dtypes, strict=True)]
    seeds = identity_like(out, out.size).reshape(out.size, *out.shape)
    pulled = [call.pull({out: seed}, chosen={out: seed != 0}) for seed in seeds]
    shapes = [out.shape + x.shape for x in call.variables]
    if not pulled:
        return [np.zeros(shape, x.dtype) for shape, x in zip(shapes, call.variables, strict=True)]
    blocks = [np.stack(rows) for rows in zip(*pulled, strict=True)]
    if is_complex(out) and not all(map(is_complex, call.variables)):
        turned = [call.pull({out: -1j * seed}, chosen={out: seed != 0}) for seed in seeds]
        imaginary = [np.stack(rows) for rows in zip(*turned, strict=True)]
        blocks = [re if is_complex(re) else re + 1j * im for re, im in zip(blocks, imaginary, strict=True)]
    if any(map(is_complex, call.variables)):
        require_holomorphic(call, out, blocks)
    return [np.reshape(block, shape) for block, shape in zip(blocks, shapes, strict=True)]


def hessian(
    f: Function,
    argnums: Positions = None,
    argnames: Names = None,
    *,
    holomorphic: bool = False,
    real: bool = False,
) -> Function:
    """Return the function of the second derivatives of f, which returns a single number: x.shape + x.shape.

    For several arguments it is a tuple of tuples, H[i][j] = ∂²f / ∂x_i ∂x_j; which they are is stated as for
    `value_and_grad`. By a complex argument, `holomorphic=True` gives f'' of a holomorphic f, and `real=True` the second
    derivatives of a real f by np.stack([z.real, z.imag]).

    >>> hessian(lambda x: np.sum(x**3))(np.array([1.0, 2.0]))
    array([[ 6.,  0.],
           [ 0., 12.]])
    >>> hessian(lambda z: z**3, holomorphic=True)(1.0j)
    array(0.+6.j)
    """
    require_function(f, "hessian")
    chosen = Chosen(f, argnums, argnames, "hessian")
    require_one_way(holomorphic, real, "hessian")

    def hessian_of_f(*args: Any, **kwargs: Any) -> Any:
        keys, args, kwargs = chosen(args, kwargs)
        if real:
            parts, named = parts_of(args, kwargs, keys)
            of_parts = grad(on_parts(f, args, kwargs, keys), argnums, argnames)
            return jacobian(of_parts, argnums, argnames)(*parts, **named)
        if holomorphic:
            first = jacobian(single_number(f), argnums, argnames, holomorphic=True)
            return jacobian(first, argnums, argnames, holomorphic=True)(*args, **kwargs)
        require_real(flatten(chosen_values(args, kwargs, keys))[0], "hessian")
        return jacobian(grad(f, argnums, argnames), argnums, argnames)(*args, **kwargs)

    return Derivative(hessian_of_f, partial(hessian, holomorphic=holomorphic, real=real), f, argnums, argnames)


def single_number(f: Function) -> Function:
    """Return f with a result that is a number, not an array of one; raise ShapeError for several."""

    @functools.wraps(f, updated=())
    def number(*args: Any, **kwargs: Any) -> Any:
        y = f(*args, **kwargs)
        if np.size(y) != 1:
            raise ShapeError(f"hessian: the function must return a single number, got shape {np.shape(y)}")
        return np.reshape(y, ())

    return number


def hvp(f: Function, argnums: Positions = None, argnames: Names = None) -> Function:
    """Return the function of the product H(x) v with the Hessian of f, computed as the gradient of ∇f(x) · v.

    It takes f's arguments and then v, of the structure of the argument, or a tuple of such. Which arguments count is
    stated as for `value_and_grad`.
    Of a complex x it is the derivative of grad(f) along v.

    >>> hvp(lambda x: np.sum(x**3))(np.array([1.0, 2.0]), np.array([1.0, 1.0]))
    array([ 6., 12.])
    """
    require_function(f, "hvp")
    chosen, gradient = Chosen(f, argnums, argnames, "hvp"), grad(f, argnums, argnames)

    def product(*args_and_v: Any, **kwargs: Any) -> Any:
        if not args_and_v:
            raise UnsupportedError("hvp: missing v, which comes after the arguments of f")
        *rest, v = args_and_v
        keys, args, kwargs = chosen(tuple(rest), kwargs)
        values = chosen_values(args, kwargs, keys)
        x = values[0] if chosen.single else values
        direction = leaves_as(v, x, "hvp: v")
        expected, got = ([np.shape(leaf) for leaf in leaves] for leaves in (flatten(x)[0], direction))
        if got != expected:
            raise ShapeError(f"hvp: v must have the shapes of x, {expected}; got {got}")
        for leaf, t in zip(flatten(x)[0], direction, strict=True):
            require_real_place(np.result_type(t), np.result_type(leaf), "hvp: v")

        @functools.wraps(f, updated=())
        def slope(*args: Any, **kwargs: Any) -> Any:
            pairs = zip(flatten(gradient(*args, **kwargs))[0], direction, strict=True)
            return sum((real_product(g, t) for g, t in pairs), start=as_tensor(0.0))

        return grad(slope, argnums, argnames)(*args, **kwargs)

    return Derivative(product, hvp, f, argnums, argnames)


def real_product(a: Any, b: Any) -> Any:
    """⟨a, b⟩ = Re(Σ conj(a) b)."""
    total = np.sum(conj(a) * b)
    return np.real(total) if is_complex(total) else total
