"""Two arithmetics of one number for `fuzz_points`: hundreds of digits, and the chain rule in plain floating point.

Neither shares code with autotiny.
"""

import math
import operator
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import mpmath
import numpy as np


# ----- hundreds of digits -----
class UnknownError(Exception):
    """The derivative cannot be computed even in hundreds of digits."""


class Real:
    """A number of hundreds of digits with the arithmetic of floating point: 1 / 0 is inf, sqrt(-1) is nan."""

    def __init__(self, value: Any) -> None:
        self.value = mpmath.mpf(value)

    @staticmethod
    def lift(function: Callable[..., Any]) -> Callable[..., "Real"]:
        """Return the function on Reals: nan where it is not real, UnknownError where it is out of reach."""

        def lifted(*args: Any) -> Real:
            values = [a.value if isinstance(a, Real) else mpmath.mpf(a) for a in args]
            if any(abs(v) > mpmath.mpf("1e500") for v in values):
                raise UnknownError
            try:
                result = function(*values)
            except (ZeroDivisionError, ValueError, OverflowError):
                return Real(mpmath.nan)
            return Real(result if isinstance(result, mpmath.mpf) else mpmath.nan)

        return lifted

    def __gt__(self, other: Any) -> bool:
        return bool(self.value > (other.value if isinstance(other, Real) else other))

    def __neg__(self) -> "Real":
        return Real(-self.value)

    def __add__(self, other: Any) -> "Real":
        return _sum(self, other)

    def __sub__(self, other: Any) -> "Real":
        return _difference(self, other)

    def __rsub__(self, other: Any) -> "Real":
        return _difference(other, self)

    def __mul__(self, other: Any) -> "Real":
        return _product(self, other)

    def __truediv__(self, other: Any) -> "Real":
        return _quotient(self, other)

    def __rtruediv__(self, other: Any) -> "Real":
        return _quotient(other, self)

    def __pow__(self, other: Any) -> "Real":
        return _power(self, other)

    def __rpow__(self, other: Any) -> "Real":
        return _power(other, self)

    __radd__, __rmul__ = __add__, __mul__


_sum, _difference, _product = Real.lift(operator.add), Real.lift(operator.sub), Real.lift(operator.mul)
_quotient, _power = Real.lift(operator.truediv), Real.lift(operator.pow)


def real_names() -> SimpleNamespace:
    """Return the functions on Reals."""
    lift, mp = Real.lift, mpmath
    one = {
        "sqrt": mp.sqrt, "exp": mp.exp, "expm1": mp.expm1, "log": mp.log, "sin": mp.sin, "cos": mp.cos,
        "arctan": mp.atan, "arcsin": mp.asin, "arccos": mp.acos, "arctanh": mp.atanh, "arcsinh": mp.asinh,
        "tanh": mp.tanh, "sinh": mp.sinh, "cosh": mp.cosh, "abs": abs,
        "exp2": lambda u: mp.mpf(2) ** u, "log1p": lambda u: mp.log(1 + u), "log2": lambda u: mp.log(u) / mp.log(2),
        "square": lambda u: u * u, "reciprocal": lambda u: 1 / u, "relu": lambda u: max(u, mp.mpf(0)),
        "cbrt": lambda u: mp.sign(u) * mp.cbrt(abs(u)), "sigmoid": lambda u: 1 / (1 + mp.exp(-u)),
        "softplus": lambda u: mp.log(1 + mp.exp(u)),
    }  # fmt: skip
    two = {
        "maximum": max, "minimum": min, "hypot": lambda u, v: mp.sqrt(u * u + v * v),
        "logaddexp": lambda u, v: mp.log(mp.exp(u) + mp.exp(v)),
    }  # fmt: skip
    lists: dict[str, Callable[..., Any]] = {
        "total": lambda *p: sum(p), "mean": lambda *p: sum(p) / len(p), "largest": max,
        "product": lambda *p: mp.fprod(p),
        "norm": lambda *p: mp.sqrt(sum(q * q for q in p)), "softmax": lambda *p: 1 / sum(mp.exp(q - p[0]) for q in p),
    }  # fmt: skip

    def of_list(f: Callable[..., Any]) -> Callable[[list[Any]], Real]:
        lifted = lift(f)
        return lambda parts: lifted(*parts)

    return SimpleNamespace(
        **{name: lift(f) for name, f in {**one, **two}.items()},
        **{name: of_list(f) for name, f in lists.items()},
        clip=lift(lambda u, low, high: min(max(u, low), high)),
        where=lambda condition, u, v: u + 0 if condition else v + Real(0),
    )


REALS = real_names()


# ----- the chain rule in plain floating point -----
class Dual:
    """A value with its derivative by x in float64, and the sum of the sizes of all that was added up to it."""

    def __init__(self, value: Any, slope: Any = 0.0, size: Any = 0.0) -> None:
        self.value, self.slope, self.size = np.float64(value), np.float64(slope), np.float64(size)

    @staticmethod
    def of(x: Any) -> "Dual":
        """Return x, a number perhaps, as a Dual."""
        return x if isinstance(x, Dual) else Dual(x)

    @staticmethod
    def chain(y: Any, *parts: tuple[Any, "Dual"]) -> "Dual":
        """Return the result y of operands with their partial derivatives; a constant has none."""
        varying = [(c, u) for c, u in parts if u.size]
        return Dual(y, sum(c * u.slope for c, u in varying), sum(abs(c) * u.size for c, u in varying))

    def __add__(self, other: Any) -> "Dual":
        v = Dual.of(other)
        return Dual.chain(self.value + v.value, (1, self), (1, v))

    def __neg__(self) -> "Dual":
        return Dual.chain(-self.value, (-1, self))

    def __sub__(self, other: Any) -> "Dual":
        return self + -Dual.of(other)

    def __rsub__(self, other: Any) -> "Dual":
        return Dual.of(other) - self

    def __mul__(self, other: Any) -> "Dual":
        v = Dual.of(other)
        return Dual.chain(self.value * v.value, (v.value, self), (self.value, v))

    def __truediv__(self, other: Any) -> "Dual":
        v = Dual.of(other)
        y = self.value / v.value
        return Dual.chain(y, (1 / v.value, self), (-y / v.value, v))

    def __rtruediv__(self, other: Any) -> "Dual":
        return Dual.of(other) / self

    def __pow__(self, n: float) -> "Dual":
        return Dual.chain(self.value**n, (n * self.value ** (n - 1), self))

    def __rpow__(self, base: float) -> "Dual":
        y = base**self.value
        return Dual.chain(y, (y * np.log(base), self))

    def __gt__(self, other: Any) -> bool:
        return bool(self.value > Dual.of(other).value)

    __radd__, __rmul__ = __add__, __mul__


def dual_names() -> SimpleNamespace:
    """Return the functions on Duals, each with its derivative as calculus has it."""

    def sigma(u: Any) -> Any:
        return 1 / (1 + np.exp(-u))

    values = {
        "sigmoid": sigma,
        "softplus": lambda u: np.logaddexp(u, 0),
        "log_cosh": lambda u: np.logaddexp(u, -u) - np.log(2),
    }
    slopes = {
        "sqrt": lambda u, y: 0.5 / y, "exp": lambda u, y: y, "expm1": lambda u, y: y + 1, "log": lambda u, y: 1 / u,
        "exp2": lambda u, y: y * np.log(2), "log1p": lambda u, y: 1 / (1 + u), "log2": lambda u, y: 1 / (u * np.log(2)),
        "square": lambda u, y: 2 * u, "cbrt": lambda u, y: 1 / (3 * y * y), "abs": lambda u, y: np.sign(u),
        "sin": lambda u, y: np.cos(u), "cos": lambda u, y: -np.sin(u), "arctan": lambda u, y: 1 / (1 + u * u),
        "arcsin": lambda u, y: 1 / np.sqrt(1 - u * u), "arccos": lambda u, y: -1 / np.sqrt(1 - u * u),
        "arctanh": lambda u, y: 1 / (1 - u * u), "arcsinh": lambda u, y: 1 / np.sqrt(1 + u * u),
        "tanh": lambda u, y: 1 - y * y, "sinh": lambda u, y: np.cosh(u), "cosh": lambda u, y: np.sinh(u),
        "reciprocal": lambda u, y: -y * y, "sigmoid": lambda u, y: y * (1 - y), "softplus": lambda u, y: sigma(u),
        "log_cosh": lambda u, y: np.tanh(u),
    }  # fmt: skip

    def lift(name: str) -> Callable[[Any], Dual]:
        def lifted(u: Any) -> Dual:
            u = Dual.of(u)
            y = values.get(name, getattr(np, name, None))(u.value)  # type: ignore[misc]
            return Dual.chain(y, (slopes[name](u.value, y), u))

        return lifted

    def norm(parts: list[Any]) -> Dual:
        duals = [Dual.of(p) for p in parts]
        y = np.linalg.norm([u.value for u in duals])
        return Dual.chain(y, *((u.value / y, u) for u in duals))

    def logaddexp(u: Any, v: Any) -> Dual:
        u, v = Dual.of(u), Dual.of(v)
        return Dual.chain(np.logaddexp(u.value, v.value), (sigma(u.value - v.value), u), (sigma(v.value - u.value), v))

    def where(condition: bool, u: Any, v: Any) -> Dual:
        return Dual.of(u if condition else v)

    def larger(u: Any, v: Any) -> Dual:
        return where(Dual.of(u) > v, u, v)

    def smaller(u: Any, v: Any) -> Dual:
        return where(Dual.of(v) > u, u, v)

    def total(parts: list[Any]) -> Dual:
        return sum(parts, Dual(0))

    one = {name: lift(name) for name in slopes}
    return SimpleNamespace(
        **one, norm=norm, logaddexp=logaddexp, where=where, maximum=larger, minimum=smaller, total=total,
        relu=lambda u: larger(u, 0), clip=lambda u, low, high: smaller(larger(u, low), high),
        mean=lambda parts: total(parts) / len(parts), product=lambda parts: math.prod(parts, start=Dual(1)),
        largest=lambda parts: larger(*parts), hypot=lambda u, v: norm([u, v]),
        softmax=lambda parts: one["sigmoid"](Dual.of(parts[0]) - parts[1]),
    )  # fmt: skip


DUALS = dual_names()
