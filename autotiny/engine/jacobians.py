"""Jacobians and Hessians: all derivatives of a function, row by row of the Jacobian."""

from collections.abc import Callable
from typing import Any, Concatenate, overload

import numpy as np
import numpy.typing as npt

from autotiny.engine.arguments import Chosen, Names, Positions
from autotiny.engine.complex_arguments import on_parts, require_holomorphic, require_one_way, require_real, split
from autotiny.engine.derivative import Derivative, Function, P, require_function
from autotiny.engine.pytree import flatten, tree_map
from autotiny.engine.recorded_call import RecordedCall, record_call
from autotiny.engine.tensor import Tensor
from autotiny.engine.transforms import grad
from autotiny.errors import ShapeError
from autotiny.ops.array_functions import ArrayFunction, Options
from autotiny.ops.table import identity_like, is_complex


@overload
def jacobian(
    f: ArrayFunction[Options], *, holomorphic: bool = False, real: bool = False
) -> Derivative[Concatenate[npt.ArrayLike, Options], npt.NDArray[Any]]: ...
@overload
def jacobian(
    f: Callable[P, Any],
    argnums: Positions = None,
    argnames: Names = None,
    *,
    holomorphic: bool = False,
    real: bool = False,
) -> Derivative[P, npt.NDArray[Any] | Any]: ...
def jacobian(
    f: Function, argnums: Positions = None, argnames: Names = None, *, holomorphic: bool = False, real: bool = False
) -> Derivative[..., Any]:
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
    require_one_way(holomorphic, real, "jacobian")
    chosen = Chosen(f, argnums, argnames, "jacobian")

    def jacobian_of_f(*args: Any, **kwargs: Any) -> Any:
        if real:
            of_x, x = chosen.function_of(args, kwargs)
            return jacobian(on_parts(of_x, x))(tree_map(split, x))
        keys, args, kwargs = chosen(args, kwargs)
        call = record_call(f, args, kwargs, keys, "jacobian")
        if not holomorphic:
            require_real(call.variables, "jacobian")
        blocks = [call.rebuild_arguments(_rows(call, out)) for out in call.outputs]
        call.end()
        return call.rebuild_output([block[0] if chosen.single else tuple(block) for block in blocks])

    options = {"argnums": argnums, "argnames": argnames, "holomorphic": holomorphic, "real": real}
    return Derivative(jacobian_of_f, jacobian, f, **options)


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


@overload
def hessian(
    f: ArrayFunction[Options], *, holomorphic: bool = False, real: bool = False
) -> Derivative[Concatenate[npt.ArrayLike, Options], npt.NDArray[Any]]: ...
@overload
def hessian(
    f: Callable[P, Any],
    argnums: Positions = None,
    argnames: Names = None,
    *,
    holomorphic: bool = False,
    real: bool = False,
) -> Derivative[P, npt.NDArray[Any] | Any]: ...
def hessian(
    f: Function, argnums: Positions = None, argnames: Names = None, *, holomorphic: bool = False, real: bool = False
) -> Derivative[..., Any]:
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
    require_one_way(holomorphic, real, "hessian")
    chosen = Chosen(f, argnums, argnames, "hessian")

    def hessian_of_f(*args: Any, **kwargs: Any) -> Any:
        of_x, x = chosen.function_of(args, kwargs)
        if real:
            return jacobian(grad(on_parts(of_x, x)))(tree_map(split, x))
        if holomorphic:
            return jacobian(jacobian(single_number(of_x), holomorphic=True), holomorphic=True)(x)
        require_real(flatten(x)[0], "hessian")
        return jacobian(grad(of_x))(x)

    options = {"argnums": argnums, "argnames": argnames, "holomorphic": holomorphic, "real": real}
    return Derivative(hessian_of_f, hessian, f, **options)


def single_number(f: Function) -> Function:
    """Return f with a result that is a number, not an array of one; raise ShapeError for several."""

    def number(*args: Any, **kwargs: Any) -> Any:
        y = f(*args, **kwargs)
        if np.size(y) != 1:
            raise ShapeError(f"hessian: the function must return a single number, got shape {np.shape(y)}")
        return np.reshape(y, ())

    return number
