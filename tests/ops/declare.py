"""How a case of the table is declared: the domain of each argument, the shapes, the options."""

import inspect
import zlib
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np

import autotiny as at
from autotiny.engine.pytree import flatten, tree_map
from autotiny.ops import COMPOSED, OPS, activations, logarithms, losses


# ----- domains: draw(rng, shape, position of the argument) -----
class Between(NamedTuple):
    """Numbers from an interval: no two within 1/400 of it, whichever arguments they are for, and none near a kink."""

    low: float
    high: float
    kinks: tuple[float, ...] = ()
    gap: float = 0.2

    def draw(self, rng, shape, position):
        size = int(np.prod(shape))
        cells = rng.permutation(64)[:size] + (position + 0.25 + 0.5 * rng.random(size)) / 3
        x = self.low + (self.high - self.low) * cells / 64
        for kink in self.kinks:
            x = np.where(abs(x - kink) < self.gap, x + np.where(x < kink, -self.gap, self.gap), x)
        return x.reshape(shape)


class Matrices(NamedTuple):
    """Square matrices far from singular; symmetric and positive definite on request."""

    definite: bool = False

    def draw(self, rng, shape, position):
        x = rng.uniform(-1, 1, shape)
        return x @ x.mT + np.eye(shape[-1]) if self.definite else x + 2 * np.diag(rng.choice([-1, 1], shape[-1]))


class Apart(NamedTuple):
    """Square matrices whose eigenvalues are real and apart, by Gershgorin's circles."""

    def draw(self, rng, shape, position):
        n = shape[-1]
        return rng.uniform(-1, 1, shape) / (2 * n) + np.diag(np.arange(1.0, n + 1))


class Masks(NamedTuple):
    """Truth values."""

    def draw(self, rng, shape, position):
        return rng.random(shape) < 0.5


REAL, POSITIVE, UNIT, MASK = Between(-2, 2), Between(0.2, 3), Between(-0.9, 0.9), Masks()
NONZERO = Between(-2, 2, kinks=(0,))

# ----- uses: shapes of the arguments, and options -----
SINGLE = [(), (3,), (2, 3), (2, 1, 3, 2), (1,), (0,), (2, 0, 3)]
PAIRS = [
    *[((), ()), ((), (3,)), ((3,), ()), ((3,), (3,)), ((1,), (3,)), ((2, 3), (3,)), ((3,), (2, 3)), ((2, 1), (1, 3))],
    *[
        ((2, 3), (2, 1)),
        ((2, 1, 3, 2), (3, 1)),
        ((1, 1, 2, 1), (3, 1, 1, 2)),
        ((0,), (1,)),
        ((0,), ()),
        ((2, 0), (2, 1)),
    ],
]


def use(*shapes: tuple[int, ...], **options: Any) -> tuple[Any, dict[str, Any]]:
    """A shape for each argument, and options."""
    return shapes, options


ELEMENTWISE = {1: [use(shape) for shape in SINGLE], 2: [use(*pair) for pair in PAIRS]}


class Case(NamedTuple):
    """One call of one function of the table."""

    function: Callable
    label: str
    call: Callable
    domains: tuple
    shapes: tuple
    options: dict[str, Any]
    constants: tuple[int, ...]
    oracle: str
    smooth: bool

    def __str__(self):
        words = [f"{shape}" + "const" * (i in self.constants) for i, shape in enumerate(self.shapes)]
        options = [f"{name}={np.array2string(value, separator=',') if isinstance(value, np.ndarray) else value}"
                   for name, value in self.options.items()]  # fmt: skip
        return "-".join([self.label, *words, *options]).replace(" ", "").replace("\n", "")

    def rng(self):
        return np.random.default_rng(zlib.crc32(str(self).encode()))

    def arguments(self, dtype=np.float64):
        """All arguments, the constant ones too."""
        rng, drawn = self.rng(), []
        for position, (domain, shape) in enumerate(zip(self.domains, self.shapes, strict=True)):
            x = np.asarray(domain.draw(rng, shape, position))
            drawn.append(x if x.dtype == bool else x.astype(dtype))
        return drawn

    def draw(self, dtype=np.float64, convert=lambda x: x):
        """A function of the tracked arguments alone, and those arguments; every array converted."""
        drawn = list(map(convert, self.arguments(dtype)))
        options = tree_map(lambda x: convert(x) if isinstance(x, np.ndarray) else x, self.options)
        tracked = [i for i in range(len(drawn)) if i not in self.constants]

        def f(*args):
            whole = list(drawn)
            for i, arg in zip(tracked, args, strict=True):
                whole[i] = arg
            return self.call(*whole, **options)

        return f, [drawn[i] for i in tracked]


CASES: list[Case] = []


def some_of_each(cases: list[Case], count: int) -> list[Case]:
    """A few cases of each function, evenly spread: for claims that do not depend on shapes and options."""
    by_function: dict[Callable, list[Case]] = {}
    for case in cases:
        by_function.setdefault(inspect.unwrap(case.function), []).append(case)
    return [
        few[i * len(few) // min(count, len(few))] for few in by_function.values() for i in range(min(count, len(few)))
    ]


def declare(
    function: Callable,
    *domains: Any,
    uses: Iterable[tuple[Any, dict[str, Any]]] | None = None,
    call: Callable | None = None,
    label: str = "",
    constants: tuple[int, ...] = (),
    oracle: str = "complex",
    smooth: bool = True,
) -> None:
    """Enter the cases of one function.

    uses : shapes and options; those of an elementwise function by default.
    oracle : complex for the complex step, extended or double for differences in that precision.
    smooth : whether second derivatives exist.
    """
    for shapes, options in ELEMENTWISE[len(domains)] if uses is None else uses:
        name = function.__name__ + (f"[{label}]" if label else "")
        facts = (options, constants, oracle, smooth)
        CASES.append(Case(function, name, call or function, domains[: len(shapes)], shapes, *facts))


def declare_pair(function: Callable, a: Any, b: Any, **facts: Any) -> None:
    """A function of two arguments: both tracked, and either beside a constant."""
    declare(function, a, b, **facts)
    for constant in (0, 1):
        declare(function, a, b, uses=[use((2, 3), (3,)), use((), ())], constants=(constant,), **facts)


def parts(outputs: Any) -> list[Any]:
    """The arrays among the outputs of a function, in order."""
    return flatten(outputs)[0]


def of_list(function: Callable) -> Callable:
    """A function of a list of arrays, as one of arrays."""
    return lambda *arrays, **options: function(list(arrays), **options)


def package(function: Callable) -> str:
    """The package that a function is from; ufuncs of SciPy have no __module__, nor had NumPy's before 2.4."""
    if isinstance(function, np.ufunc):
        return "numpy" if getattr(np, function.__name__, None) is function else "scipy"
    return function.__module__.partition(".")[0]


def is_scipys(function: Callable) -> bool:
    """Whether a function is SciPy's, or behind one of SciPy's in the mirror."""
    home = "" if isinstance(function, np.ufunc) else function.__module__
    return package(function) == "scipy" or home.startswith("autotiny.scipy")


def _entered() -> set[Callable]:
    table = {f for f in (*OPS, *COMPOSED) if package(f) in ("numpy", "autotiny") and not is_scipys(f)}
    homes = {module.__name__ for module in (activations, logarithms, losses)}
    public = {getattr(at, name) for name in at.__all__ if getattr(at, name).__module__ in homes}
    return {inspect.unwrap(function) for function in table | public - {at.one_hot}}


ENTERED = _entered()
"""Every function that the package enters into the table, and its activations; read before a test enters its own."""
