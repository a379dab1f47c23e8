"""`scipy.integrate` on Tensors: initial value problems, by recording the steps that SciPy's solver takes; samples.

SciPy chooses the steps on plain values. The same steps of the Runge-Kutta method, recorded, give SciPy's values and the
derivatives of the computed solution by all that is tracked: the initial values, the arguments, the function itself. The
sizes of the steps are constants.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from scipy import integrate

from autotiny.engine.recording import value_of
from autotiny.errors import UnsupportedError
from autotiny.ops.table import Array, array_like
from autotiny.scipy.mirror import in_place_of, mirror, other_names
from autotiny.scipy.optimize import depends_on_tracked, is_recorded, numbers, plain

__getattr__ = other_names(integrate)

METHODS: dict[str, Any] = {"RK45": integrate.RK45, "RK23": integrate.RK23}
"""Methods whose steps are recorded."""


class Step:
    """A step of a Runge-Kutta method: the slopes at its stages, and the solution at its end and in between."""

    def __init__(self, method: Any, f: Callable[..., Array], t: float, y: Array, h: float, slope: Array) -> None:
        self.method, self.t, self.y, self.h = method, t, y, h
        slopes = [slope]
        for row, c in zip(method.A[1:], method.C[1:], strict=True):
            slopes.append(f(t + c * h, y + h * weighted(row, slopes)))
        self.end = y + h * weighted(method.B, slopes)
        self.slopes = [*slopes, f(t + h, self.end)]

    def at(self, t: float) -> Array:
        """Return the solution at a time within the step, by SciPy's polynomial."""
        x = (t - self.t) / self.h
        powers = np.cumprod(np.full(self.method.P.shape[1], x))
        return self.y + self.h * weighted(self.method.P @ powers, self.slopes)


def weighted(weights: np.ndarray, slopes: list[Array]) -> Array:
    """Return the sum of slopes with these weights."""
    terms = [float(w) * k for w, k in zip(weights, slopes, strict=False) if w]
    return sum(terms[1:], start=terms[0]) if terms else 0.0 * slopes[0]


def steps(method: Any, f: Callable[..., Array], times: np.ndarray, y: Array) -> Iterator[Step]:
    """Yield the steps between given times."""
    slope = f(float(times[0]), y)
    for t, after in zip(times[:-1].tolist(), times[1:].tolist(), strict=True):
        step = Step(method, f, t, y, after - t, slope)
        y, slope = step.end, step.slopes[-1]
        yield step


@in_place_of(integrate.solve_ivp)
def solve_ivp(
    fun: Callable[..., Any],
    t_span: Any,
    y0: Any,
    method: Any = "RK45",
    t_eval: Any = None,
    dense_output: bool = False,
    events: Any = None,
    vectorized: bool = False,
    args: Any = None,
    **options: Any,
) -> Any:
    """y(t) of dy/dt = fun(t, y, *args), as SciPy's result; its y has derivatives by all that is tracked.

    >>> import autotiny as at
    >>> decay = lambda k: solve_ivp(lambda t, y: -k * y, (0, 1), [1.0], rtol=1e-9, atol=1e-9).y[0, -1]
    >>> at.grad(decay)(0.5).round(6)  # -exp(-k)
    np.float64(-0.606531)
    """
    if any(map(is_recorded, t_span)) or is_recorded(array_like(t_eval)):
        raise UnsupportedError("solve_ivp: t_span and t_eval have no derivative; scale time in fun, or give .data")
    further, y0 = () if args is None else numbers(args), array_like(y0)
    start = np.asarray(value_of(y0), float)
    if not (is_recorded(y0) or depends_on_tracked(lambda y: fun(float(value_of(t_span[0])), y, *further), start, ())):
        given = {"t_eval": t_eval, "dense_output": dense_output, "events": events, "vectorized": vectorized}
        return integrate.solve_ivp(fun, t_span, start, method, args=args, **given, **options)
    if method not in METHODS or dense_output or events is not None:
        raise UnsupportedError(
            f"solve_ivp: on Tensors the steps of {' and '.join(METHODS)} are recorded, without events and "
            f"dense_output; got method={method!r}"
        )

    def f(t: float, y: Array) -> Array:
        return array_like(fun(t, y, *further))

    def on_values(t: float, y: Array) -> Array:
        return plain(lambda y: f(t, y), ())(y)

    found = integrate.solve_ivp(on_values, t_span, start, method, **options)
    if not found.success:
        raise UnsupportedError(f"solve_ivp: there is no solution to differentiate: {found.message}")
    recorded = steps(METHODS[method], f, found.t, y0)
    if t_eval is None:
        found.y = np.stack([y0, *(step.end for step in recorded)], axis=-1)
    else:
        found.t = np.asarray(value_of(t_eval), float)
        found.y = np.stack(list(at_times(recorded, found.t, y0)), axis=-1)
    return found


def at_times(recorded: Iterator[Step], times: np.ndarray, y0: Array) -> Iterator[Array]:
    """Yield the solution at times in the order of integration."""
    step = None
    for t in times.tolist():
        while step is None or abs(t - step.t) > abs(step.h) * (1 + 1e-12):
            step = next(recorded)
        yield step.at(t)


@in_place_of(integrate.odeint)
def odeint(func: Callable[..., Any], y0: Any, t: Any, args: Any = (), tfirst: bool = False, **options: Any) -> Any:
    """y at the times t of dy/dt = func(y, t, *args), or func(t, y, *args); y0 is the value at t[0].

    On Tensors it is integrated by RK45 instead of LSODA, to SciPy's tolerances, rtol and atol 1.49e-8.
    """
    if is_recorded(array_like(t)):
        raise UnsupportedError("odeint: the times have no derivative; scale time in func, or give .data")
    further, y0 = numbers(args), np.atleast_1d(array_like(y0))
    ordered: Callable[..., Any] = func if tfirst else lambda t, y, *rest: func(y, t, *rest)
    start, times = np.asarray(value_of(y0), float), np.asarray(value_of(t), float)
    if not (is_recorded(y0) or depends_on_tracked(lambda y: ordered(float(times[0]), y, *further), start, ())):
        return integrate.odeint(func, start, times, further, tfirst=tfirst, **options)
    if unknown := options.keys() - {"rtol", "atol"}:
        raise UnsupportedError(f"odeint: {min(unknown)}= is not supported on a Tensor; supported options: atol, rtol")
    tolerances = {"rtol": 1.49012e-8, "atol": 1.49012e-8, **options}
    ends = times[0], times[-1]
    return solve_ivp(ordered, ends, y0, t_eval=times, args=further, **tolerances).y.T


# ----- samples -----
@mirror(integrate.trapezoid)
def trapezoid(y: Array, x: Any = None, dx: float = 1.0, axis: int = -1) -> Array:
    """The integral by the trapezoidal rule."""
    return np.trapezoid(y, x, dx, axis)


@mirror(integrate.cumulative_trapezoid)
def cumulative_trapezoid(y: Array, x: Any = None, dx: float = 1.0, axis: int = -1, initial: Any = None) -> Array:
    """The running integral by the trapezoidal rule."""
    y = np.moveaxis(array_like(y), axis, -1)
    widths = dx if x is None else np.diff(array_like(x) if np.ndim(x) == 1 else np.moveaxis(array_like(x), axis, -1))
    sums = np.cumsum(widths * (y[..., 1:] + y[..., :-1]) / 2.0, axis=-1)
    if initial is not None:
        sums = np.concatenate([np.full((*sums.shape[:-1], 1), float(initial)), sums], axis=-1)
    return np.moveaxis(sums, -1, axis)


@mirror(integrate.simpson)
def simpson(y: Array, x: Any = None, *, dx: float = 1.0, axis: int = -1) -> Array:
    """The integral by Simpson's rule, a sum of the samples with weights; x is constant."""
    if x is not None and is_recorded(x):
        raise UnsupportedError("simpson: x has no derivative on a Tensor; give x.data, or use trapezoid")
    y = np.moveaxis(array_like(y), axis, -1)
    x = x if x is None or np.ndim(x) == 1 else np.moveaxis(np.asarray(value_of(x)), axis, -1)
    weights = integrate.simpson(np.eye(y.shape[-1]), x=None if x is None else value_of(x), dx=dx)
    return np.sum(y * weights, axis=-1)
