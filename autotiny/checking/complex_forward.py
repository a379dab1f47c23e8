"""Forward functions on complex numbers, so that a complex step can pass through operations.

A complex step evaluates f(x + ihv) with an h so small that h² vanishes: the real part is f(x), the imaginary part
over h is the derivative along v, and nothing is subtracted (W. Squire and G. Trapp, "Using complex variables to
estimate derivatives of real functions", 1998). A row with the trait "analytic" is computed by its own forward function;
the others have a form here, or the derivative is computed from differences.

At a kink two real parts tie, and the imaginary parts tell which side the step goes to, so that the derivative comes out
one-sided, exactly: with h on the right, with -h on the left. A value counts as a tie where it is within rounding of
one: the graph cannot know better.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from autotiny.ops import OPS, Op, activations, linalg, logarithms, matmul, reductions, shaping

Array = Any
Forward = Callable[..., Array]


# ----- smooth functions -----
def log1p(x: Array) -> Array:
    """log(1 + x), whose real part NumPy loses where x is small."""
    return np.log1p(x.real) + 1j * np.arctan2(x.imag, 1 + x.real)


def arcsinh(x: Array) -> Array:
    """log(x + √(x² + 1)), its real part computed without cancellation."""
    sign = np.where(x.real < 0, -1, 1)
    return np.arcsinh(x.real) + 1j * sign * np.log(sign * x + np.sqrt(x * x + 1)).imag


def arctan2(a: Array, b: Array) -> Array:
    """The angle of (b, a), from the smaller of the two quotients."""
    steep = abs(np.real(a)) > abs(np.real(b))
    quotient = np.where(steep, -b, a) / np.where(steep, a, b)
    return np.arctan2(np.real(a), np.real(b)) + 1j * np.arctan(quotient).imag


def cbrt(x: Array) -> Array:
    """The real third root."""
    sign = np.where(x.real < 0, -1, 1)
    return sign * (sign * x) ** (x.real.dtype.type(1) / 3)


def logaddexp(a: Array, b: Array) -> Array:
    """log(exp(a) + exp(b)), with the larger one factored out."""
    ahead = np.real(a) >= np.real(b)
    high: Array = np.where(ahead, a, b)
    low: Array = np.where(ahead, b, a)
    return high + log1p(np.exp(low - high))


def sigmoid(x: Array) -> Array:
    """1 / (1 + exp(-x)), without overflow."""
    e = np.exp(np.where(x.real >= 0, -x, x))
    return np.where(x.real >= 0, 1, e) / (1 + e)


def softplus(x: Array) -> Array:
    """log(1 + exp(x))."""
    return logaddexp(x, np.zeros_like(x))


def log_cosh(x: Array) -> Array:
    """log(cosh(x)), with the larger exponential factored out."""
    size = np.where(x.real < 0, -x, x)
    return size + log1p(np.exp(-2 * size)) - np.log(2)


def logistic_loss(z: Array, targets: Array) -> Array:
    """The binary cross-entropy of a logit."""
    return targets * softplus(-z) + (1 - targets) * softplus(z)


def log_one_minus_softmax(x: Array, axis: int = 0) -> Array:
    """The logarithm of the sum of the others, less that of all."""
    x = np.moveaxis(x, axis, 0)
    top = np.max(x.real, axis=0)
    others = [np.sum(np.exp(np.delete(x, k, axis=0) - top), axis=0) for k in range(len(x))]
    return np.moveaxis(np.log(np.stack(others)) - np.log(np.sum(np.exp(x - top), axis=0)), 0, axis)


def log_abs_det(x: Array) -> Array:
    """log |det(x)| + i (the angle by which the step turns det(x))."""
    sign, size = map(np.asarray, np.linalg.slogdet(x))
    turned = sign * np.where(sign.real < 0, -1, 1)
    return size + 1j * np.arctan2(turned.imag, turned.real)


def vdot(a: Array, b: Array) -> Array:
    """The sum of the products, without conjugation."""
    return np.sum(np.ravel(a) * np.ravel(b))


SMOOTH: dict[Any, Forward] = {
    np.log1p: log1p,
    np.arcsinh: arcsinh,
    np.arctan2: arctan2,
    np.cbrt: cbrt,
    np.conjugate: np.positive,
    np.real: np.positive,
    np.logaddexp: logaddexp,
    np.logaddexp2: lambda a, b: logaddexp(a * np.log(2), b * np.log(2)) / np.log(2),
    np.deg2rad: lambda x: x * (np.pi / 180),
    np.rad2deg: lambda x: x * (180 / np.pi),
    np.remainder: lambda a, b: a - b * np.floor(np.real(a) / np.real(b)),
    np.fmod: lambda a, b: a - b * np.trunc(np.real(a) / np.real(b)),
    np.nan_to_num: lambda x, **options: np.where(np.isfinite(x.real), x, np.nan_to_num(x.real, **options)),
    matmul.vdot: vdot,
    matmul.expectation: vdot,
    linalg.log_abs_det: log_abs_det,
    linalg.sign_of_det: lambda x: np.linalg.slogdet(x.real.astype(float)).sign + 0j,
    activations.sigmoid: sigmoid,
    logarithms.softplus: softplus,
    logarithms.log_sigmoid: lambda x: -softplus(-x),
    logarithms.log_one_minus_sigmoid: lambda x: -softplus(x),
    logarithms.log_one_minus_softmax: log_one_minus_softmax,
    logarithms.log_cosh: log_cosh,
    logarithms.log_one_minus_tanh_squared: lambda x: -2 * log_cosh(x),
    logarithms.logistic_loss: logistic_loss,
    shaping.astype: lambda x, dtype=None: x,
}


# ----- kinks -----
class TieRule(NamedTuple):
    """The treatment of ties by a complex step.

    eps : the rounding of the recorded values, within which two of them tie.
    by_convention : choose no side, but follow the engine's convention: a constant wins a tie, tracked values share it.
    shared : whether the operation has no constant beside its tracked values.
    """

    eps: float
    by_convention: bool = False
    shared: bool = True


class StepResult(NamedTuple):
    """The value of an operation, and whether the step met a tie whose sides differ: a kink."""

    value: Array
    at_kink: bool = False


def either(rule: TieRule, x: Array, above: Array, below: Array, convention: Array) -> StepResult:
    """One value where x > 0, another where x < 0; at 0 the one on the side that the step goes to, or the convention."""
    apart, ahead = np.real(x), np.imag(x)
    ties = abs(apart) <= 4 * rule.eps * size(x)
    return chosen(rule, ties, apart, ahead, above, below, convention)


def chosen(
    rule: TieRule, ties: Array, apart: Array, ahead: Array, above: Array, below: Array, convention: Array
) -> StepResult:
    """The value `above` where apart > 0, `below` where apart < 0; at ties by the sign of `ahead`, or the convention."""
    value: Array = np.where(np.where(ties, ahead > 0, apart > 0), above, below)
    if rule.by_convention:
        value = np.where(ties, value.real + 1j * convention, value)
    return StepResult(value, bool(np.any(ties & (ahead != 0))))


def size(x: Array) -> float:
    """The largest finite real part, by which rounding is judged."""
    return float(np.max(abs(np.real(x)), initial=0, where=np.isfinite(np.real(x))))


def absolute(rule: TieRule, x: Array) -> StepResult:
    """|x|."""
    return either(rule, x, x, -x, 0.0)


def relu(rule: TieRule, x: Array) -> StepResult:
    """max(x, 0)."""
    return either(rule, x, x, np.zeros_like(x), 0.0)


def leaky_relu(rule: TieRule, x: Array, slope: float = 0.01) -> StepResult:
    """x or slope * x."""
    return either(rule, x, x, slope * x, slope * np.imag(x))


def elu(rule: TieRule, x: Array, alpha: float = 1.0) -> StepResult:
    """x or alpha (exp(x) - 1)."""
    below = alpha * np.expm1(np.where(x.real > 0, 0, x))
    return either(rule, x, x, below, alpha * np.imag(x))


def maximum(rule: TieRule, a: Array, b: Array) -> StepResult:
    """max(a, b)."""
    apart, ahead = np.real(a) - np.real(b), np.imag(a) - np.imag(b)
    ties = abs(apart) <= 4 * rule.eps * max(size(a), size(b))
    return chosen(rule, ties, apart, ahead, a, b, (np.imag(a) + np.imag(b)) / 2 if rule.shared else 0.0)


def minimum(rule: TieRule, a: Array, b: Array) -> StepResult:
    """min(a, b)."""
    return negated(maximum(rule, -a, -b))


def negated(result: StepResult) -> StepResult:
    """Return a result with its sign changed."""
    return StepResult(-result.value, result.at_kink)


def numbers_first(extreme: Callable[..., StepResult]) -> Callable[..., StepResult]:
    """Make fmax of maximum, or fmin of minimum: a number wins over nan."""

    def of_numbers(rule: TieRule, a: Array, b: Array) -> StepResult:
        value, at_kink = extreme(rule, a, b)
        return StepResult(np.where(np.isnan(b), a, np.where(np.isnan(a), b, value)), at_kink)

    return of_numbers


def largest(rule: TieRule, x: Array, axis: Any = None, keepdims: bool = False) -> StepResult:
    """max(x) along axes: of the entries that tie, the one that grows fastest along the step."""
    top = x.real.max(axis=axis, keepdims=True)
    near = top - x.real <= 4 * rule.eps * abs(top)
    ahead = np.where(near, x.imag, -np.inf).max(axis=axis, keepdims=True)
    at_kink = bool(np.any(near & (x.imag != ahead)))
    if rule.by_convention:
        ahead = np.sum(near * x.imag, axis=axis, keepdims=True) / np.sum(near, axis=axis, keepdims=True)
    return StepResult(top + 1j * ahead if keepdims else np.squeeze(top + 1j * ahead, axis=axis), at_kink)


def smallest(rule: TieRule, x: Array, axis: Any = None, keepdims: bool = False) -> StepResult:
    """min(x) along axes."""
    return negated(largest(rule, -x, axis, keepdims))


def hypot(rule: TieRule, a: Array, b: Array) -> StepResult:
    """√(a² + b²), scaled."""
    scale = np.maximum(abs(np.real(a)), abs(np.real(b)))
    scale = np.where(scale == 0, 1, scale)
    value, at_kink = root(rule, (a / scale) ** 2 + (b / scale) ** 2)
    return StepResult(scale * value, at_kink)


def euclidean(rule: TieRule, x: Array, axis: Any = None, keepdims: bool = False) -> StepResult:
    """√(sum(x²))."""
    return root(rule, np.sum(np.square(x), axis=axis, keepdims=keepdims))


def root(rule: TieRule, squares: Array) -> StepResult:
    """The root of a sum of squares: at 0, where it is √(-h²) = i |h|, its derivative by convention is 0."""
    at_zero = np.real(squares) == 0
    value: Array = np.sqrt(squares)
    return StepResult(np.where(at_zero, 0, value) if rule.by_convention else value, bool(np.any(at_zero)))


KINKS: dict[Any, Callable[..., StepResult]] = {
    np.absolute: absolute,
    np.fabs: absolute,
    np.maximum: maximum,
    np.minimum: minimum,
    np.fmax: numbers_first(maximum),
    np.fmin: numbers_first(minimum),
    np.max: largest,
    np.min: smallest,
    activations.relu: relu,
    activations.leaky_relu: leaky_relu,
    activations.elu: elu,
    np.hypot: hypot,
    reductions.euclidean: euclidean,
}


# ----- any operation -----
def by_program(table: Mapping[Any, Forward]) -> dict[Any, Forward]:
    """Key a table by `Op.function`, of which the function that users call may be a wrapper."""
    return {OPS[function].function: forward for function, forward in table.items()}


_SMOOTH, _KINKS = by_program(SMOOTH), by_program(KINKS)


def has_complex_form(op: Op) -> bool:
    """Whether a complex step can pass through an operation."""
    return op.has("analytic") or op.has("flat") or op.function in _SMOOTH or op.function in _KINKS


def complex_forward(op: Op, rule: TieRule, args: Sequence[Array], options: Mapping[str, Any]) -> StepResult:
    """Compute an operation on complex numbers."""
    if op.has("analytic"):
        return StepResult(op.forward(*args, **options))
    if op.function in _SMOOTH:
        return StepResult(_SMOOTH[op.function](*args, **options))
    if op.has("flat"):
        return StepResult(op.forward(*map(np.real, args), **options) + 0j)
    return _KINKS[op.function](rule._replace(shared=OPS[op.function] is op), *args, **options)
