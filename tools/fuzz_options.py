"""Random options of NumPy's functions: value and gradient of each call, against NumPy and central differences of it.

    python tools/fuzz_options.py 1000        so many calls of each function

A call that NumPy takes and a Tensor refuses is printed too: options at any value that has a derivative are taken.
"""

import sys
import warnings
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from autotiny.errors import AutotinyError
from width import compared, named, parts


class Draw:
    """Draws operands and the values of options that fit them."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng, self.shape = rng, tuple(int(n) for n in rng.integers(1, 5, rng.integers(1, 4)))

    def __call__(self, what: Any) -> Any:
        """Return one of a list, or what the method of that name draws."""
        return self.one_of(what) if isinstance(what, list) else getattr(self, what)()

    def one_of(self, values: Any) -> Any:
        """Return one of these values."""
        return values[self.rng.integers(len(values))]

    # ----- operands, all of one shape -----
    def a(self) -> np.ndarray:
        """Numbers around 0."""
        return np.asarray(self.rng.normal(size=self.shape))

    def p(self) -> np.ndarray:
        """Positive numbers."""
        return np.asarray(self.rng.uniform(0.3, 3, self.shape))

    def n(self) -> np.ndarray:
        """Numbers, some of them nan, but none of a whole line."""
        x = self.a()
        return np.where((self.rng.random(self.shape) < 0.2) & (np.arange(x.size).reshape(x.shape) % 3 > 0), np.nan, x)

    def v(self) -> np.ndarray:
        """A vector."""
        self.shape = self.shape[:1]
        return self.a()

    def m(self) -> np.ndarray:
        """A matrix."""
        self.shape = (self.shape * 2)[:2]
        return self.a()

    def square(self) -> np.ndarray:
        """A stack of square matrices, far from singular."""
        self.shape = (*self.shape[:-1], self.shape[-1], self.shape[-1])
        return self.a() + 3 * np.eye(self.shape[-1])

    # ----- options -----
    def axis(self) -> int:
        """One axis, counted from either end."""
        return int(self.rng.integers(-len(self.shape), len(self.shape)))

    def axes(self) -> Any:
        """No axis, one, or several."""
        several = tuple(int(i) for i in self.rng.permutation(len(self.shape))[: self.rng.integers(1, 4)])
        return self.one_of([None, self.axis(), several])

    def mask(self) -> np.ndarray:
        """Truth values that broadcast."""
        shape = tuple(n if self.rng.random() < 0.7 else 1 for n in self.shape)
        return np.asarray(self.rng.random(shape) < 0.7)

    def like_axis(self) -> np.ndarray:
        """As many positive numbers as the first axis has entries."""
        return np.asarray(self.rng.uniform(0.5, 2, self.shape[0]))

    def number(self) -> float:
        """A number."""
        return float(self.rng.normal())

    def widths(self) -> Any:
        """Widths of padding."""
        low, high = (int(n) for n in self.rng.integers(0, 4, 2))
        return self.one_of([low, (low, high), [(low, high)] * len(self.shape)])

    def place(self) -> Any:
        """Places along the first axis."""
        n = self.shape[0]
        return self.one_of([0, -1, n - 1, [0], [0, n - 1], slice(0, n, 2)])


FLAG, NONE = [True, False], [None]
TYPE, NORM = [None, np.float64, float], [None, "backward", "ortho", "forward"]
REDUCED: dict[str, Any] = {"axis": "axes", "keepdims": FLAG, "out": NONE}
METHODS = ["linear", "lower", "higher", "midpoint", "nearest", "hazen", "weibull", "median_unbiased", "inverted_cdf"]
UFUNC: dict[str, Any] = {
    **{"where": [True], "casting": ["same_kind", "safe", "no", "equiv", "unsafe"], "order": ["K", "C", "F", "A"]},
    **{"subok": FLAG, "dtype": TYPE, "out": NONE},
}
CALLS: list[tuple[str, str, dict[str, Any]]] = [
    ("exp sin tanh square absolute negative floor", "a", UFUNC),
    ("add multiply maximum fmin", "aa", UFUNC),
    ("divide power hypot logaddexp arctan2", "pp", UFUNC),
    ("sum prod", "a", {**REDUCED, "dtype": TYPE, "initial": "number", "where": "mask"}),
    ("max min", "a", {**REDUCED, "initial": "number"}),
    ("mean", "a", {**REDUCED, "dtype": TYPE}),
    ("var std", "a", {**REDUCED, "dtype": TYPE, "ddof": [0, 0.5]}),
    ("ptp median", "a", REDUCED),
    ("average", "p", {"axis": "axes", "keepdims": FLAG}),
    ("cumsum cumprod", "a", {"axis": "axis", "dtype": TYPE, "out": NONE}),
    ("cumulative_sum cumulative_prod", "a", {"axis!": "axis", "include_initial": FLAG, "dtype": TYPE}),
    ("quantile", "a", {"q!": [0.3, [0.2, 0.7], 0.0, 1.0], "axis": "axes", "method": METHODS, "keepdims": FLAG}),
    ("percentile", "a", {"q!": [30, [20, 70.5]], "axis": "axes", "method": METHODS, "keepdims": FLAG}),
    ("nansum nanprod", "n", {**REDUCED, "initial": "number", "where": "mask"}),
    ("nanmax nanmin nanmean nanvar nanstd nanmedian", "n", {"axis": NONE, "keepdims": FLAG}),
    ("sort", "a", {"axis": "axis", "kind": [None, "stable", "quicksort"], "order": NONE}),
    ("diff", "a", {"n": [0, 1, 2], "axis": "axis", "prepend": "number", "append": "number"}),
    ("gradient", "m", {"axis": "axis"}),
    ("trapezoid", "a", {"axis": "axis", "dx": [0.5, 2]}),
    ("ediff1d", "a", {"to_begin": "number", "to_end": "number"}),
    ("linspace", "aa", {"num": [0, 1, 2, 5], "endpoint": FLAG, "axis": [0, -1], "dtype": TYPE}),
    ("geomspace logspace", "pp", {"num": [1, 2, 5], "endpoint": FLAG}),
    ("cov", "m", {"rowvar": FLAG, "bias": FLAG, "ddof": [None, 0]}),
    ("reshape", "a", {"shape!": [-1, (-1, 1)], "order": ["C", "F"]}),
    ("ravel", "a", {"order": ["C", "F"]}),
    ("flip", "a", {"axis": "axes"}),
    ("roll", "a", {"shift!": [1, -2, 5], "axis": "axis"}),
    ("repeat", "a", {"repeats!": [0, 1, 3], "axis": "axis"}),
    ("tile", "a", {"reps!": [2, (2, 1), (1, 2, 2)]}),
    ("swapaxes", "a", {"axis1!": "axis", "axis2!": "axis"}),
    ("moveaxis", "a", {"source!": "axis", "destination!": "axis"}),
    ("expand_dims", "a", {"axis!": [0, -1, (0, -1)]}),
    ("take", "a", {"indices!": [0, [0, 0], [[5, -1]]], "axis": "axis", "mode": ["wrap", "clip"]}),
    ("delete", "a", {"obj!": "place", "axis!": [0]}),
    ("insert", "a", {"obj!": "place", "values!": "number", "axis!": [0]}),
    ("pad", "a", {"pad_width!": "widths", "mode": ["constant", "edge", "wrap", "mean", "maximum", "linear_ramp"]}),
    ("pad", "a", {"pad_width!": "widths", "mode!": ["reflect", "symmetric"], "reflect_type": ["even", "odd"]}),
    ("tril triu", "m", {"k": [-1, 0, 1]}),
    ("diagonal", "m", {"offset": [-1, 0, 1]}),
    ("trace", "m", {"offset": [-1, 0, 1], "dtype": TYPE}),
    ("rot90", "m", {"k": [-1, 0, 2, 3], "axes": [(0, 1), (1, 0)]}),
    ("convolve correlate", "vv", {"mode": ["full", "same", "valid"]}),
    ("vander", "v", {"N": [None, 1, 3], "increasing": FLAG}),
    ("trim_zeros", "v", {"trim": ["f", "b", "fb"]}),
    ("nan_to_num", "n", {"nan": "number", "posinf": "number", "copy": [True]}),
    ("clip", "a", {"a_min!": [None, -0.5], "a_max!": [0.5, 0.7]}),
    ("round", "a", {"decimals": [0, 1], "out": NONE}),
    ("unwrap", "a", {"axis": "axis", "period": [2.5], "discont": [None, 1.5]}),
    ("unique", "a", {"axis": "axis", "equal_nan": FLAG}),
    ("linalg.norm", "a", {"axis!": "axis", "ord": [None, 1, 2, 3, np.inf, -1], "keepdims": FLAG}),
    ("linalg.norm", "m", {"ord": [None, "fro", "nuc", 1, -1, 2, np.inf, -np.inf], "keepdims": FLAG}),
    ("linalg.vector_norm", "a", {"axis": "axes", "ord": [1, 2, 3, np.inf], "keepdims": FLAG}),
    ("linalg.inv linalg.det", "square", {}),
    ("linalg.matrix_power", "square", {"n!": [-2, 0, 1, 3]}),
    ("linalg.pinv", "m", {"rcond": [None, 1e-10]}),
    ("fft.rfft", "a", {"n": [None, 1, 2, 5, 6], "axis": "axis", "norm": NORM}),
    ("fft.irfft fft.hfft", "a", {"n!": [1, 2, 5, 6], "axis": "axis", "norm": NORM, "out": NONE}),
    ("fft.irfftn", "m", {"s": [(3, 4), (5, 3)], "axes!": [(0, 1), (1, 0)], "norm": NORM}),
    ("fft.fftshift fft.ifftshift", "a", {"axes": "axes"}),
]
"""Names of functions, their operands as methods of `Draw`, and their options; those with "!" are always given."""


class Call(NamedTuple):
    """A call of a function of NumPy on arrays."""

    name: str
    args: list[np.ndarray]
    options: dict[str, Any]

    def on(self, *arrays: Any) -> Any:
        """Return the real and imaginary parts of the result on other arrays."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            y = named(self.name)(*arrays, **self.options)
        return (y.real, y.imag) if not isinstance(y, tuple) and np.iscomplexobj(y) else y

    def __str__(self) -> str:
        words = [f"array {x.shape}" for x in self.args] + [f"{name}={value!r}" for name, value in self.options.items()]
        return f"np.{self.name}({', '.join(words)})"


def random_call(name: str, operands: str, options: dict[str, Any], rng: np.random.Generator) -> Call:
    """Return a call with operands of random shape and some of the options."""
    draw = Draw(rng)
    args = [draw(kind) for kind in ([operands] if hasattr(Draw, operands) else operands)]
    chosen = {
        option.rstrip("!"): draw(values)
        for option, values in options.items()
        if option.endswith("!") or rng.random() < 0.4
    }
    return Call(name, args, chosen)


def fault(call: Call) -> str | None:
    """Return what is wrong with a call on Tensors; None where nothing is, or NumPy refuses it or gives nan."""
    with np.errstate(all="ignore"):
        try:
            if not all(np.all(np.isfinite(y)) for y in parts(call.on(*call.args))):
                return None  # of too few entries
        except Exception:
            return None
        try:
            verdict, reason = compared(call.on, call.args)
        except AutotinyError as error:
            return f"refused: {error}"
        except Exception as error:
            return f"{type(error).__name__}: {error}"
    return None if verdict == "works" else reason


def faults(count: int, seed: int = 0) -> Iterator[str]:
    """Yield the faults in so many random calls of each function."""
    for row, (names, operands, options) in enumerate(CALLS):
        for name in names.split():
            if not callable(named(name)):
                continue  # of a newer NumPy
            rng = np.random.default_rng([seed, row, zlib.crc32(name.encode())])
            for _ in range(count):
                call = random_call(name, operands, options, rng)
                if found := fault(call):
                    yield f"{call}: {found}"


def main(arguments: list[str], show: Callable[[str], None] = print) -> None:
    """Print the faults and their counts by function."""
    found: Counter[str] = Counter()
    for line in faults(int(arguments[0]), int((arguments[1:] or ["0"])[0])):
        show(line)
        found[line.partition("(")[0]] += 1
    show(f"{found.total()} faults: {dict(found)}")


if __name__ == "__main__":
    main(sys.argv[1:])
