"""`scipy.optimize` on Tensors: solutions, differentiated by the implicit function theorem.

SciPy finds the solution x of F(x, θ) = 0 on plain values. Newton's method from there, recorded, does not move it and
has its derivatives: one step the first one, -(∂F/∂x)⁻¹ ∂F/∂θ, two steps the second and third too, since the error of a
step is quadratic. θ is whatever is tracked: among the arguments, or in the function itself.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import optimize

from autotiny.engine.jacobians import jacobian
from autotiny.engine.modes import no_grad
from autotiny.engine.recording import value_of
from autotiny.engine.transforms import grad
from autotiny.errors import UnsupportedError
from autotiny.ops.table import Array, array_like, node_in
from autotiny.scipy.mirror import in_place_of, other_names

__getattr__ = other_names(optimize)

WITHOUT_SLOPE = ("nelder-mead", "powell", "cobyla", "cobyqa")
"""Methods of minimize that use no gradient."""
STEPS = 2
"""Newton steps that are recorded."""
NEAR = 1e-6
"""The relative size of a step from what is a solution up to rounding."""


def plain(f: Callable[..., Any], args: tuple[Any, ...]) -> Callable[..., Any]:
    """Return a function of x alone, on plain values, from one that may give Tensors."""

    def on_values(x: Any, *_: Any) -> Any:
        with no_grad():
            y = f(x, *args)
        return np.asarray(value_of(array_like(y) if node_in(y) is not None else y))

    return on_values


def numbers(args: Any) -> tuple[Any, ...]:
    """Return further arguments as a tuple."""
    return args if isinstance(args, tuple) else (args,)


def is_recorded(y: Any) -> bool:
    """Whether a value has a gradient."""
    return bool(getattr(y, "requires_grad", False))


def with_derivatives(f: Callable[[Array], Array], x: Array, name: str, failure: Any = None) -> Array:
    """Return a solution of f(x) = 0 as a function of all that is tracked.

    Where the solver says that it failed, UnsupportedError is raised unless it was so near that a step is no more than
    rounding.
    """
    for _ in range(STEPS):
        residual, slopes = array_like(f(x)), jacobian(lambda z: array_like(f(z)))(x)
        n = int(np.size(x))
        try:
            step = np.linalg.solve(np.reshape(slopes, (n, n)), np.ravel(residual))
        except np.linalg.LinAlgError:
            reason = failure or "the derivatives of the function by x form a singular matrix"
            raise UnsupportedError(f"{name}: there is no solution to differentiate: {reason}") from None
        if failure and not np.max(abs(value_of(step))) <= NEAR * (1 + np.max(abs(value_of(x)))):
            raise UnsupportedError(f"{name}: there is no solution to differentiate: {failure}")
        x = x - np.reshape(step, np.shape(x))
    return x


def depends_on_tracked(f: Callable[..., Any], x: Any, args: tuple[Any, ...]) -> bool:
    """Whether a function of plain x gives what is tracked: by its other arguments, or by itself."""
    y = f(x, *args)
    return is_recorded(array_like(y) if node_in(y) is not None else y)


@in_place_of(optimize.root)
def root(
    fun: Callable[..., Any], x0: Any, args: Any = (), method: str = "hybr", jac: Any = None, **options: Any
) -> Any:
    """x of fun(x, *args) = 0, as SciPy's result; its x has derivatives by all that is tracked.

    >>> import autotiny as at
    >>> at.grad(lambda a: root(lambda x, a: x * x - a, [1.0], args=(a,)).x[0])(4.0).round(6)  # 1 / (2 √a)
    np.float64(0.25)
    """
    args, start = numbers(args), np.asarray(value_of(array_like(x0)), float)
    if not depends_on_tracked(fun, start, args):
        return optimize.root(fun, start, args, method, jac, **options)
    jac = plain(jac, args) if callable(jac) else jac
    result = optimize.root(plain(fun, args), start, (), method, jac, **options)
    failure = None if result.success else result.message
    result.x = with_derivatives(lambda x: fun(x, *args), result.x, "root", failure)
    return result


@in_place_of(optimize.fsolve)
def fsolve(func: Callable[..., Any], x0: Any, args: Any = (), **options: Any) -> Any:
    """x of func(x, *args) = 0."""
    args, start = numbers(args), np.atleast_1d(np.asarray(value_of(array_like(x0)), float))
    if not depends_on_tracked(func, start, args):
        return optimize.fsolve(func, start, args, **options)
    if options.get("full_output"):
        raise UnsupportedError("fsolve: full_output=True is not supported on a Tensor; use root")
    x, _, flag, message = optimize.fsolve(plain(func, args), start, full_output=True, **options)
    return with_derivatives(lambda x: func(x, *args), x, "fsolve", None if flag == 1 else message)


@in_place_of(optimize.brentq)
def brentq(f: Callable[..., Any], a: Any, b: Any, args: Any = (), **options: Any) -> Any:
    """x between a and b with f(x, *args) = 0."""
    args, (a, b) = numbers(args), map(value_of, (a, b))
    if not depends_on_tracked(f, float(a), args):
        return optimize.brentq(f, a, b, args, **options)
    x = optimize.brentq(plain(f, args), a, b, **options)
    return with_derivatives(lambda x: f(x, *args), np.float64(x), "brentq")


@in_place_of(optimize.fixed_point)
def fixed_point(func: Callable[..., Any], x0: Any, args: Any = (), **options: Any) -> Any:
    """x of func(x, *args) = x."""
    args, start = numbers(args), np.asarray(value_of(array_like(x0)), float)
    if not depends_on_tracked(func, start, args):
        return optimize.fixed_point(func, start, args, **options)
    x = optimize.fixed_point(plain(func, args), start, **options)
    return with_derivatives(lambda x: func(x, *args) - x, np.asarray(x), "fixed_point")


@in_place_of(optimize.minimize)
def minimize(
    fun: Callable[..., Any],
    x0: Any,
    args: Any = (),
    method: Any = None,
    jac: Any = None,
    hess: Any = None,
    hessp: Any = None,
    bounds: Any = None,
    constraints: Any = (),
    **options: Any,
) -> Any:
    """x that minimises fun(x, *args), as SciPy's result; its x has derivatives by all that is tracked.

    SciPy is given the gradient of fun, unless `jac` is. Bounds and constraints are refused where fun is tracked.
    """
    args, start = numbers(args), np.atleast_1d(np.asarray(value_of(array_like(x0)), float))
    if not depends_on_tracked(fun, start, args):
        given = {"method": method, "jac": jac, "hess": hess, "hessp": hessp, "bounds": bounds, **options}
        return optimize.minimize(fun, start, args, constraints=constraints, **given)
    if bounds is not None or constraints or hess is not None or hessp is not None or callable(jac):
        raise UnsupportedError(
            "minimize: bounds, constraints, jac, hess and hessp are not supported where fun depends on a Tensor: "
            "its minimum is where the gradient of fun, which autotiny takes, is 0"
        )

    def slope(x: Array) -> Array:
        return grad(lambda z: fun(z, *args))(x)

    takes_slope = str(method).lower() not in WITHOUT_SLOPE
    result = optimize.minimize(
        plain(fun, args), start, method=method, jac=plain(slope, ()) if takes_slope else None, **options
    )
    result.x = with_derivatives(slope, result.x, "minimize", None if result.success else result.message)
    return result
