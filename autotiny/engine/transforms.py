"""Transforms: from a function to the function of its gradient, or of what a vector and its derivatives give.

The functions take and return arrays, or trees of them: nested lists, tuples, dicts, dataclasses. A transform records
the function once on fresh Tensors and sweeps that graph. Inside another transform, or where the function uses a tracked
Tensor from outside, the sweep is recorded as well and the results are Tensors, so that transforms nest to any order.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, overload

import numpy as np
import numpy.typing as npt

from autotiny.engine.arguments import Chosen, Names, Positions
from autotiny.engine.backward import Gradients
from autotiny.engine.derivative import Derivative, Function, P, require_function
from autotiny.engine.gradients import seed, sweep
from autotiny.engine.modes import Switch, modes
from autotiny.engine.mutation import require_unchanged, verified_order
from autotiny.engine.pytree import flatten, leaves_as
from autotiny.engine.recorded_call import RecordedCall, record_call
from autotiny.engine.tensor import Tensor, as_tensor
from autotiny.engine.values import Fingerprints, is_foreign, plain_copy
from autotiny.errors import ShapeError, UnsupportedError
from autotiny.ops.table import conj, is_complex, library, require_real_place

if TYPE_CHECKING:
    from autotiny.engine.derivative_types import Gradient, ValueAndGradient

Array = npt.NDArray[Any]
Output = TypeVar("Output")
Pull = Callable[[Any], tuple[Any, ...]]


@overload
def value_and_grad(f: Callable[P, Any]) -> "ValueAndGradient[P]": ...
@overload
def value_and_grad(
    f: Callable[P, Any], argnums: Positions, argnames: Names = None, has_aux: bool = False
) -> Derivative[P, tuple[Any, Any]]: ...
@overload
def value_and_grad(
    f: Callable[P, Any], argnums: Positions = None, *, argnames: str | Sequence[str], has_aux: bool = False
) -> Derivative[P, tuple[Any, Any]]: ...
@overload
def value_and_grad(
    f: Callable[P, Any], argnums: Positions = None, argnames: Names = None, *, has_aux: bool
) -> Derivative[P, tuple[Any, Any]]: ...


def value_and_grad(
    f: Function, argnums: Positions = None, argnames: Names = None, has_aux: bool = False
) -> Derivative[..., Any]:
    """Return the function that computes f's value and its gradient with respect to one argument, or to several.

    argnums : the position of the argument, 0 by default, or a tuple of positions, for a tuple of gradients.
    argnames : its name, or a tuple of names; after those of argnums, if both are given. An argument may be passed by
        position or by keyword, or be left at its default. All others are constants.
    has_aux : whether f returns a pair, its value and something else, which is passed on: ((value, aux), gradient).

    An argument is a number, an array, or a tree of them (see `tree_map`), of which the gradient is one too.
    That of a complex argument z is dJ/dRe(z) + i dJ/dIm(z), the direction of steepest ascent.

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

    return Derivative(value_and_gradient, value_and_grad, f, argnums=argnums, argnames=argnames, has_aux=has_aux)


def as_seen(g: Any) -> Any:
    """Return a gradient of a variable, of which nobody else has the array, as users see it."""
    if g.dtype.kind != "c":
        return g
    return np.conjugate(g, out=g) if isinstance(g, np.ndarray) else np.conjugate(g)


@overload
def grad(f: Callable[P, Any]) -> "Gradient[P]": ...
@overload
def grad(
    f: Callable[P, Any], argnums: Positions, argnames: Names = None, has_aux: bool = False
) -> Derivative[P, Any]: ...
@overload
def grad(
    f: Callable[P, Any], argnums: Positions = None, *, argnames: str | Sequence[str], has_aux: bool = False
) -> Derivative[P, Any]: ...
@overload
def grad(
    f: Callable[P, Any], argnums: Positions = None, argnames: Names = None, *, has_aux: bool
) -> Derivative[P, Any]: ...
def grad(f: Function, argnums: Positions = None, argnames: Names = None, has_aux: bool = False) -> Derivative[..., Any]:
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

    return Derivative(gradient, grad, f, argnums=argnums, argnames=argnames, has_aux=has_aux)


def vjp(f: Callable[P, Output], *args: P.args, **kwargs: P.kwargs) -> tuple[Output, Pull]:
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


def jvp(f: Callable[..., Output], args: Sequence[Any], tangents: Sequence[Any], **kwargs: Any) -> tuple[Output, Output]:
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


def hvp(f: Function, argnums: Positions = None, argnames: Names = None) -> Derivative[..., Array | Any]:
    """Return the function of the product H(x) v with the Hessian of f, computed as the gradient of ∇f(x) · v.

    It takes f's arguments and then v, of the structure of the argument, or a tuple of such. Which arguments count is
    stated as for `value_and_grad`.
    That of a complex x is the derivative of grad(f) along v.

    >>> hvp(lambda x: np.sum(x**3))(np.array([1.0, 2.0]), np.array([1.0, 1.0]))
    array([ 6., 12.])
    """
    require_function(f, "hvp")
    chosen = Chosen(f, argnums, argnames, "hvp")

    def product(*args_and_v: Any, **kwargs: Any) -> Any:
        if not args_and_v:
            raise UnsupportedError("hvp: missing v, which comes after the arguments of f")
        *args, v = args_and_v
        of_x, x = chosen.function_of(tuple(args), kwargs)
        direction = leaves_as(v, x, "hvp: v")
        expected, got = ([np.shape(leaf) for leaf in leaves] for leaves in (flatten(x)[0], direction))
        if got != expected:
            raise ShapeError(f"hvp: v must have the shapes of x, {expected}; got {got}")
        for leaf, t in zip(flatten(x)[0], direction, strict=True):
            require_real_place(np.result_type(t), np.result_type(leaf), "hvp: v")

        def slope(x: Any) -> Any:
            pairs = zip(flatten(grad(of_x)(x))[0], direction, strict=True)
            return sum((real_product(g, t) for g, t in pairs), start=as_tensor(0.0))

        return grad(slope)(x)

    return Derivative(product, hvp, f, argnums=argnums, argnames=argnames)


def real_product(a: Any, b: Any) -> Any:
    """⟨a, b⟩ = Re(Σ conj(a) b)."""
    total = np.sum(conj(a) * b)
    return np.real(total) if is_complex(total) else total
