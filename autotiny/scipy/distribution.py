"""A distribution of SciPy's by formulas of its standard form, with SciPy's methods and parameters."""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from autotiny.engine.recording import value_of
from autotiny.errors import UnsupportedError
from autotiny.ops.table import Array, Function, array_like, is_formula
from autotiny.scipy.mirror import recorder


def when(condition: Any, y: Array, otherwise: float) -> Array:
    """Return y where a condition holds, and a number elsewhere; y itself if it is known to hold everywhere."""
    if not is_formula(condition) and np.all(condition):
        return y
    return np.where(condition, y, otherwise)


def safe(condition: Any, z: Array, inside: Any) -> Array:
    """Return z with a number from inside of the support where it lies outside, so that nothing is invalid there."""
    return when(condition, z, inside)


def log_of_rest(log_p: Array) -> Array:
    """log(1 - p) from log p, which is below 0."""
    near = log_p > -0.6931471805599453
    close, far = np.where(near, log_p, -1.0), np.where(near, -1.0, log_p)
    return np.where(near, np.log(-np.expm1(close)), np.log1p(-np.exp(far)))


class Frozen:
    """A distribution with its parameters."""

    def __init__(self, distribution: Any, args: tuple[Any, ...], kwargs: dict[str, Any], original: Any) -> None:
        self.distribution, self.args, self.kwargs, self.original = distribution, args, kwargs, original

    def __getattr__(self, name: str) -> Any:
        if name in METHODS and name in dir(type(self.distribution)):
            method = getattr(self.distribution, name)
            return lambda x, *args, **kwargs: method(x, *self.args, *args, **self.kwargs, **kwargs)
        if self.original is None:
            raise UnsupportedError(f"{name} is not supported for parameters that are Tensors")
        return getattr(self.original, name)


LIMITS = {"cdf": (0.0, 1.0), "sf": (1.0, 0.0), "logcdf": (-np.inf, 0.0), "logsf": (0.0, -np.inf)}
"""What a probability is before the support, and after it."""
METHODS = ("pdf", "logpdf", "pmf", "logpmf", "cdf", "logcdf", "sf", "logsf", "ppf", "isf")


def recorded_or_scipys(method: Function) -> Function:
    """Call SciPy's method of the same name on plain arrays."""

    @functools.wraps(method)
    def either(self: "Distribution", x: Any, *args: Any, **kwargs: Any) -> Any:
        if recorder(x, args, kwargs) is None:
            return getattr(self.original, method.__name__)(x, *args, **kwargs)
        x = array_like(x)
        return method(self, x, *self.sound(*self.parameters(args, kwargs), getattr(x, "dtype", None)))

    return either


class Distribution:
    """A distribution of single numbers, by formulas of z = (x - loc) / scale and the shape parameters.

    low, high : the ends of its support, or functions of the shape parameters.
    valid : whether shape parameters are, a function of them; where not, all is nan.
    open_end : whether the density is 0 at the lower end, where its formula is not defined.
    """

    has_scale = True

    def __init__(
        self,
        original: Any,
        *,
        low: Any = -np.inf,
        high: Any = np.inf,
        valid: Callable[..., Any] | None = None,
        open_end: bool = False,
        whole: str = "",
        **formulas: Function,
    ) -> None:
        self.original, self.formulas, self.valid, self.open_end = original, formulas, valid, open_end
        self.ends, self.whole = (low, high), whole
        self.shapes = tuple(name.strip() for name in original.shapes.split(",")) if original.shapes else ()
        self.__doc__ = original.__doc__

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.original, name)

    def __call__(self, *args: Any, **kwargs: Any) -> Frozen:
        """Return the distribution with these parameters."""
        plain = recorder(args, kwargs) is None
        return Frozen(self, args, kwargs, self.original(*args, **kwargs) if plain else None)

    def parameters(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], Any, Any]:
        """Return the shape parameters, loc and scale."""
        names = (*self.shapes, "loc", *(("scale",) if self.has_scale else ()))
        name = self.original.name
        if len(args) > len(names):
            raise UnsupportedError(f"{name}: takes at most the parameters {', '.join(names)}; got {len(args)}")
        given = dict(zip(names, args, strict=False))
        for key in kwargs:
            if key not in names or key in given:
                problem = "was given twice" if key in given else "is not a parameter"
                raise UnsupportedError(f"{name}: {key} {problem}; the parameters are {', '.join(names)}")
        given = {"loc": 0, "scale": 1, **given, **kwargs}
        if missing := [shape for shape in self.shapes if shape not in given]:
            raise UnsupportedError(f"{name}: missing shape parameter {missing[0]}")
        for shape in self.whole.split():
            if getattr(given[shape], "requires_grad", False):
                raise UnsupportedError(f"{name}: {shape} is a whole number and has no derivative; give {shape}.data")
        return tuple(array_like(given[shape]) for shape in self.shapes), *map(
            array_like, (given["loc"], given["scale"])
        )

    def sound(self, shapes: tuple[Any, ...], loc: Any, scale: Any, dtype: Any) -> tuple[tuple[Any, ...], Any, Any]:
        """Return the parameters, nan where they are not valid, and numbers of Python's in single precision beside x."""
        if dtype == np.float32:
            shapes = tuple(np.float32(p) if type(p) in (int, float) else p for p in shapes)
            loc, scale = (np.float32(p) if type(p) is float else p for p in (loc, scale))
        if self.valid is not None:
            valid = self.valid(*shapes)
            shapes = tuple(when(valid, p, np.nan) for p in shapes)
        return shapes, loc, scale if type(scale) is int and scale > 0 else when(scale > 0, scale, np.nan)

    def formula(self, name: str) -> Function:
        """Return a formula; raise UnsupportedError if there is none."""
        if name not in self.formulas:
            raise UnsupportedError(f"{self.original.name}.{name} has no gradient rule yet")
        return self.formulas[name]

    def end(self, which: int, shapes: tuple[Any, ...]) -> Any:
        """Return the lower or the upper end of the support."""
        end = self.ends[which]
        return end(*shapes) if callable(end) else end

    def guarded(self, y: Array, shapes: tuple[Any, ...], scale: Any) -> Array:
        """Return y, and nan where a parameter is not valid."""
        if self.valid is not None:
            y = when(self.valid(*shapes), y, np.nan)
        return y if type(scale) is int else when(scale > 0, y, np.nan)

    def within(self, z: Array, shapes: tuple[Any, ...]) -> Any:
        """Return where z lies in the support."""
        low, high = self.end(0, shapes), self.end(1, shapes)
        inside = True
        if not (isinstance(low, float) and low == -np.inf):
            inside = z > low if self.open_end else z >= low
        if not (isinstance(high, float) and high == np.inf):
            inside = np.logical_and(inside, z <= high)
        return inside

    def middle(self, shapes: tuple[Any, ...]) -> Any:
        """Return a number inside of the support."""
        low, high = self.ends
        return 0.5 if high == 1 else 0.5 + (0 if callable(low) or low == -np.inf else low)

    def probability(self, z: Array, shapes: tuple[Any, ...], name: str) -> Array:
        """Return a formula of z inside of the support, and its limits before and after it."""
        low, high = self.end(0, shapes), self.end(1, shapes)
        formula = self.formula_of_probability(name)
        if not callable(low) and low == -np.inf:
            return formula(z, *shapes)
        inside = self.interior(z, low, high)
        y = formula(safe(inside, z, self.middle(shapes)), *shapes)
        before, after = LIMITS[name]
        return (
            y if not is_formula(inside) and np.all(inside) else np.where(inside, y, np.where(z <= low, before, after))
        )

    def formula_of_probability(self, name: str) -> Function:
        """Return a formula, the logarithm of another if there is none of its own."""
        if name in self.formulas or not name.startswith("log"):
            return self.formula(name)
        return lambda z, *shapes: np.log(self.formula(name.removeprefix("log"))(z, *shapes))

    def interior(self, z: Array, low: Any, high: Any) -> Any:
        """Return where a probability is neither that before nor that after the support."""
        return np.logical_and(z > low, z < high)

    def place(self, x: Array, loc: Any, scale: Any) -> Array:
        """Return where a value lies in the standard form."""
        raise NotImplementedError

    @recorded_or_scipys
    def cdf(self, x: Array, shapes: Any, loc: Any, scale: Any) -> Array:
        """The probability of at most x."""
        return self.guarded(self.probability(self.place(x, loc, scale), shapes, "cdf"), shapes, scale)

    @recorded_or_scipys
    def sf(self, x: Array, shapes: Any, loc: Any, scale: Any) -> Array:
        """The probability of more than x."""
        return self.guarded(self.probability(self.place(x, loc, scale), shapes, "sf"), shapes, scale)

    @recorded_or_scipys
    def logcdf(self, x: Array, shapes: Any, loc: Any, scale: Any) -> Array:
        """The logarithm of the probability of at most x."""
        return self.guarded(self.probability(self.place(x, loc, scale), shapes, "logcdf"), shapes, scale)

    @recorded_or_scipys
    def logsf(self, x: Array, shapes: Any, loc: Any, scale: Any) -> Array:
        """The logarithm of the probability of more than x."""
        return self.guarded(self.probability(self.place(x, loc, scale), shapes, "logsf"), shapes, scale)


class Continuous(Distribution):
    """A continuous distribution."""

    def place(self, x: Array, loc: Any, scale: Any) -> Array:
        """Return (x - loc) / scale; x itself where they are 0 and 1."""
        z = x if type(loc) is int and loc == 0 else x - loc
        return z if type(scale) is int and scale == 1 else z / scale

    @recorded_or_scipys
    def logpdf(self, x: Array, shapes: Any, loc: Any, scale: Any) -> Array:
        """The logarithm of the density: that of the standard form at z, less log(scale)."""
        z = self.place(x, loc, scale)
        inside = self.within(z, shapes)
        y = self.formula("logpdf")(safe(inside, z, self.middle(shapes)), *shapes)
        y = y if type(scale) is int and scale == 1 else y - np.log(scale)
        return self.guarded(when(inside, y, -np.inf), shapes, scale)

    def pdf(self, x: Any, *args: Any, **kwargs: Any) -> Any:
        """The density."""
        if recorder(x, args, kwargs) is None:
            return self.original.pdf(x, *args, **kwargs)
        return np.exp(self.logpdf(x, *args, **kwargs))

    @recorded_or_scipys
    def ppf(self, q: Array, shapes: Any, loc: Any, scale: Any) -> Array:
        """The quantile: x with the probability q of at most x."""
        return self.quantile("ppf", q, shapes, loc, scale)

    @recorded_or_scipys
    def isf(self, q: Array, shapes: Any, loc: Any, scale: Any) -> Array:
        """x with the probability q of more than x."""
        if "isf" not in self.formulas:
            return self.quantile("ppf", 1 - q, shapes, loc, scale)
        return self.quantile("isf", q, shapes, loc, scale)

    def quantile(self, name: str, q: Array, shapes: Any, loc: Any, scale: Any) -> Array:
        """Return a quantile, moved to loc and scale; nan for what is no probability."""
        possible = np.logical_and(q >= 0, q <= 1)
        z = self.formula(name)(safe(possible, q, 0.5), *shapes)
        z = z if type(scale) is int and scale == 1 else z * scale
        z = z if type(loc) is int and loc == 0 else z + loc
        return self.guarded(when(possible, z, np.nan), shapes, scale)


class Discrete(Distribution):
    """A distribution of whole numbers; they are constants, and so is loc."""

    has_scale = False

    def __init__(self, original: Any, *, low: Any = 0, **facts: Any) -> None:
        super().__init__(original, low=low, **facts)

    def counts(self, k: Array, loc: Any) -> Array:
        """Return k - loc; raise UnsupportedError where either is tracked."""
        for value in (k, loc):
            if getattr(value, "requires_grad", False):
                raise UnsupportedError(
                    f"{self.original.name}: counts are whole numbers and have no derivative; make them with "
                    "requires_grad=False, or give their .data"
                )
        k, loc = (value if is_formula(value) else np.asarray(value, float) for value in map(value_of, (k, loc)))
        return k - loc

    @recorded_or_scipys
    def logpmf(self, k: Array, shapes: Any, loc: Any, scale: Any) -> Array:
        """The logarithm of the probability of k."""
        z = self.counts(k, loc)
        inside = np.logical_and(self.within(z, shapes), z == np.floor(z))
        y = self.formula("logpmf")(safe(inside, z, self.ends[0]), *shapes)
        return self.guarded(when(inside, y, -np.inf), shapes, scale)

    def pmf(self, k: Any, *args: Any, **kwargs: Any) -> Any:
        """The probability of k."""
        if recorder(k, args, kwargs) is None:
            return self.original.pmf(k, *args, **kwargs)
        return np.exp(self.logpmf(k, *args, **kwargs))

    def place(self, k: Array, loc: Any, scale: Any) -> Array:
        """Return the whole number that k does not exceed by 1, less loc."""
        return np.floor(self.counts(k, loc))

    def interior(self, z: Array, low: Any, high: Any) -> Any:
        """Return where a probability is neither that before nor that from the end of the support on."""
        return np.logical_and(z >= low, z < high)
