"""Random programs for the fuzzer of compiled functions: a vocabulary of expressions, and arguments to call them with.

An expression is NumPy code with places to fill in, `np.sum({a}, axis={axes})`; `Places` says what each may be filled
with. Whether an expression is defined for these operands, NumPy itself decides: one that raises is drawn again.
"""

import itertools
import math
import string
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

import autotiny as at
from autotiny.ops import (
    einsum,
    elementwise,
    indexing,
    linalg,
    logarithms,
    losses,
    matmul,
    normalising,
    patches,
    penalties,
    quantiles,
    reductions,
    shaping,
    updating,
)

Values = Mapping[str, Any]

MODULES = {
    "np": np, "at": at, "einsum": einsum, "elementwise": elementwise, "indexing": indexing, "linalg": linalg,
    "matmul": matmul, "logarithms": logarithms, "losses": losses, "normalising": normalising, "patches": patches,
    "penalties": penalties, "quantiles": quantiles, "reductions": reductions, "shaping": shaping,
    "updating": updating,
}  # fmt: skip
"""What the code of a program may refer to."""

SUBSCRIPTS = (
    "ij->ji ij->ij ij->j ij-> ii ii->i ...ij->...ji ...i->... i...->...i ijk->kij i->i",
    "ij,jk->ik ij,jk ij,ij->i i,i i,j i,j->ji ...ij,...jk ij,j->i ij,kj->ik ij,ij ii,i->i ...i,...i->... ,i->i",
)
"""Of one and of two operands."""


def vocabulary() -> list[str]:
    """Return the expressions."""
    lines = Path(__file__).with_name("fuzz_vocabulary.txt").read_text(encoding="utf-8").splitlines()
    return [expression.strip() for line in lines if line and line[0] != "#" for expression in line.split(" | ")]


class Places:
    """Fills the places of an expression: `expression.format_map(places)`."""

    def __init__(self, rng: np.random.Generator, values: Values) -> None:
        self.rng, self.values, self.operand = rng, values, ""

    def __getitem__(self, place: str) -> str:
        return str(getattr(self, f"_{place}")())

    def _pick(self, accept: Callable[[Any], bool] = lambda value: True) -> str:
        names = [name for name, value in self.values.items() if accept(value)]
        if not names:
            raise LookupError("no operand of this kind")
        recent = names[-3:] if self.rng.random() < 0.7 else names
        self.operand = recent[self.rng.integers(len(recent))]
        return self.operand

    def _choice(self, options: Any) -> Any:
        return options[self.rng.integers(len(options))]

    # ----- operands -----
    def _a(self) -> str:
        return self._pick()

    def _b(self) -> str:
        """An operand that broadcasts with the last one, if there is any."""
        shape = np.shape(self.values[self.operand]) if self.operand else ()
        fits = [name for name, value in self.values.items() if broadcast(shape, np.shape(value))]
        if not fits or self.rng.random() < 0.2:
            fits = list(self.values)
        return str(self._choice(fits))

    def _scalar(self) -> str:
        return self._pick(lambda value: np.ndim(value) == 0)

    def _matrix(self) -> str:
        return self._pick(lambda value: np.ndim(value) == 2)

    def _square(self) -> str:
        name = self._pick(lambda value: np.ndim(value) >= 2 and value.shape[-1] == value.shape[-2])
        return f"(0.3 * np.tanh({name}) + 2 * np.eye({self.values[name].shape[-1]}))"

    def _definite(self) -> str:
        name = self._pick(lambda value: np.ndim(value) >= 2 and value.shape[-1] > 0)
        return f"({name} @ {name}.mT + np.eye({self.values[name].shape[-2]}))"

    def _positive(self) -> str:
        return f"({self._choice(['np.abs', 'np.square'])}({self._a()}) + {self._choice([0.5, 1, 1.5])})"

    def _unit(self) -> str:
        return f"(0.8 * np.tanh({self._a()}))"

    def _nonzero(self) -> str:
        name = self._a()
        return str(self._choice([name, f"({name} * {name} + 0.5)", f"(2 + np.cos({name}))", f"np.exp({name})"]))

    def _mask(self) -> str:
        shape = np.shape(self.values[self.operand or self._a()])
        return f"np.array({(self.rng.random(shape) < 0.5).tolist()}, dtype=bool)"

    # ----- numbers and options -----
    def _c(self) -> str:
        numbers = ["0.5", "2", "3.0", "-1", "0.1", "-0.3", "1e-3", "1e3", "7", "1e-8", "0.25", "-2.5", "1 / 3"]
        return str(self._choice(numbers))

    def _k(self) -> int:
        return int(self.rng.integers(3))

    def _flag(self) -> bool:
        return bool(self.rng.random() < 0.5)

    def _ndim(self) -> int:
        return np.ndim(self.values[self.operand])

    def _axis(self) -> int:
        return int(self.rng.integers(-self._ndim(), max(self._ndim(), 1)))

    def _axes(self) -> Any:
        several = tuple(int(i) for i in self.rng.permutation(self._ndim())[: self.rng.integers(1, 3)])
        return self._choice([None, self._axis(), self._axis(), several])

    def _permutation(self) -> tuple[int, ...]:
        return tuple(int(i) for i in self.rng.permutation(self._ndim()))

    def _shape(self) -> tuple[int, ...]:
        """Another shape of as many entries."""
        size = np.size(self.values[self.operand])
        divisors = [n for n in range(1, size + 1) if size % n == 0] or [1]
        first = self._choice(divisors)
        return self._choice(
            [(size,), (-1,), (first, size // first), (size // first, 1, first), (*self._own_shape(), 1)]
        )

    def _own_shape(self) -> tuple[int, ...]:
        return np.shape(self.values[self.operand])

    def _wide(self) -> tuple[int, ...]:
        shape = self._own_shape()
        longer = tuple(4 if n == 1 else n for n in shape)
        return self._choice([(2, *shape), longer, (3, *longer), shape])

    def _memory(self) -> str:
        return str(self._choice(["'C'", "'F'", "'F'"]))

    def _mode(self) -> str:
        return str(self._choice(["'edge'", "'reflect'", "'symmetric'", "'wrap'"]))

    def _order(self) -> str:
        return str(self._choice(["None", "1", "2", "3", "0", "np.inf", "-np.inf", "'fro'", "-1", "0.5"]))

    def _labels(self) -> list[int]:
        rows, columns = self._own_shape()
        return [int(k) for k in self.rng.integers(max(rows, 1), size=columns)]

    def _subscripts1(self) -> str:
        return repr(self._choice(SUBSCRIPTS[0].split()))

    def _subscripts2(self) -> str:
        return repr(self._choice(SUBSCRIPTS[1].split()))


def broadcast(*shapes: tuple[int, ...]) -> bool:
    """Whether shapes broadcast."""
    try:
        np.broadcast_shapes(*shapes)
    except ValueError:
        return False
    return True


# ----- programs -----
MODES = {
    "value": "f",
    "grad": "at.grad(f, {})",
    "value_and_grad": "at.value_and_grad(f, {})",
    "step": "lambda *xs: [xs[0] - 0.1 * at.grad(f)(*xs), np.sum(xs[0])]",
    "hessian": "at.hessian(f)",
    "hvp": "lambda x, *rest: at.hvp(lambda x: f(x, *rest))(x, np.ones_like(x))",
    "jacobian": "at.jacobian(f)",
}
"""What is compiled, by name."""
OFTEN = ["value"] * 4 + ["grad"] * 2 + ["value_and_grad"] * 3 + ["step", "hessian", "hvp", "jacobian"]
SHAPES = [
    (), (), (1,), (3,), (3,), (4, 3), (4, 3), (3, 3), (3, 3), (1, 3), (4, 1), (1, 1), (2, 3, 4), (2, 1, 3), (0,),
    (2, 0, 3), (6,),
]  # fmt: skip
DTYPES = ["float64"] * 10 + ["float32"] * 5 + ["float16", "longdouble", "int64", "int32"]
LARGEST, MOST_AXES = 400, 5
SPECIALS = [
    [0.0, -0.0, 1.0, -1.0, np.nan, np.inf, -np.inf, 1e-300, 1e200, -1e200, 1e308, -1e308, 1e-5, 800.0, -800.0],
    [0.0, -0.0, 1.0], [1e200, 1e-200, 1e100, -1e160], [np.nan], [np.inf, -np.inf], [1e308, 1e307], [800.0, -800.0, 1.0],
]  # fmt: skip
"""Groups of values of which an argument has some."""


@dataclass(frozen=True)
class Program:
    """A function of some arguments, as code: `lines` compute values by name, of which some are returned."""

    parameters: tuple[str, ...]
    lines: tuple[tuple[str, str], ...]
    """Name and expression of each value."""
    returned: str
    mode: str
    argnums: str = "0"
    backend: str = "numpy"

    @property
    def code(self) -> str:
        """The definition of f."""
        body = [f"    {name} = {expression}" for name, expression in self.lines]
        return "\n".join([f"def f({', '.join(self.parameters)}):", *body, f"    return {self.returned}", ""])

    @property
    def derived(self) -> str:
        """The expression of the function that is compiled."""
        return MODES[self.mode].format(self.argnums)

    def function(self, **others: Any) -> Callable[..., Any]:
        """Return the function that is compiled, whose lines may refer to others."""
        namespace: dict[str, Any] = {**MODULES, **others}
        exec(compile(self.code, "<program>", "exec"), namespace)  # the code is the generator's
        return eval(self.derived, namespace)

    def without_dead_lines(self) -> "Program":
        """Return the program without the lines on which nothing depends."""
        needed = names_in(self.returned)
        kept: list[tuple[str, str]] = []
        for name, expression in reversed(self.lines):
            if name in needed:
                kept.insert(0, (name, expression))
                needed |= names_in(expression)
        return replace(self, lines=tuple(kept))


def names_in(expression: str) -> set[str]:
    """Return the identifiers of an expression."""
    text = "".join(c if c in string.ascii_letters + string.digits + "_" else " " for c in expression)
    return set(text.split())


def random_leaf(rng: np.random.Generator) -> Any:
    """Return an argument: an array, or a number of Python or NumPy."""
    shape = SHAPES[rng.integers(len(SHAPES))]
    dtype = np.dtype(DTYPES[rng.integers(len(DTYPES))])
    if shape == () and rng.random() < 0.5:
        return [float(rng.normal()), int(rng.integers(-3, 4)), np.float64(rng.normal()), np.float32(rng.normal())][
            rng.integers(4)
        ]
    return random_array(rng, shape, dtype)


def random_array(rng: np.random.Generator, shape: tuple[int, ...], dtype: Any) -> Any:
    """Return an array of moderate numbers."""
    if np.dtype(dtype).kind == "i":
        return rng.integers(-3, 4, size=shape).astype(dtype)
    return np.asarray(rng.normal(size=shape)).astype(dtype)


def random_program(seed: int, number: int) -> tuple[Program, list[tuple[Any, ...]]]:
    """Return a program and the arguments of three calls; always the same for a seed and a number."""
    rng = np.random.default_rng([seed, number])
    leaves = [random_leaf(rng) for _ in range(rng.integers(1, 4))]
    floats = [i for i, x in enumerate(leaves) if np.asarray(x).dtype.kind == "f"]
    mode = OFTEN[rng.integers(len(OFTEN))] if floats and floats[0] == 0 else "value"
    parameters = tuple(f"x{i}" for i in range(len(leaves)))
    lines, values = random_lines(rng, dict(zip(parameters, leaves, strict=True)), int(rng.integers(1, 8)))
    argnums = str(tuple(floats)) if rng.random() < 0.5 else "0"
    returned = random_result(rng, mode, [name for name, _ in lines] or list(values), values)
    program = Program(parameters, tuple(lines), returned, mode, argnums).without_dead_lines()
    special = rng.integers(1, 4) % 3  # seldom the first
    largest = 1e3 if "exp" in program.code else np.inf  # which extended precision can take to exp
    calls = [other_values(rng, leaves, largest if i == special else 0) for i in range(3)]
    return program, calls


def random_lines(
    rng: np.random.Generator, values: dict[str, Any], count: int
) -> tuple[list[tuple[str, str]], dict[str, Any]]:
    """Return lines that NumPy can run, with the values of all names."""
    lines: list[tuple[str, str]] = []
    for attempt in itertools.count():
        if len(lines) == count or attempt > 20 * count:
            return lines, values
        places = Places(rng, values)
        try:
            expression = VOCABULARY[rng.integers(len(VOCABULARY))].format_map(places)
            with np.errstate(all="ignore"):
                value = eval(expression, {**MODULES, **values})
        except Exception:  # NumPy does not define it for these operands
            continue
        if is_usable(value):
            name = f"v{len(lines)}"
            lines.append((name, expression))
            values = {**values, name: value}
    raise AssertionError


def is_usable(value: Any) -> bool:
    """Whether a value may be an operand."""
    if not isinstance(value, np.ndarray | np.floating | float):
        return False
    return np.asarray(value).dtype.kind == "f" and np.size(value) <= LARGEST and np.ndim(value) <= MOST_AXES


def random_result(rng: np.random.Generator, mode: str, names: list[str], values: Values) -> str:
    """Return the expression that is returned: a number where gradients are taken."""
    last = names[-1]
    if mode == "value":
        others = [names[i] for i in rng.integers(len(names), size=rng.integers(0, 3))]
        forms = ["({}, {})", "[{}, {}.T]", "{{'a': {}, 'b': {}}}"] if others else []
        form = forms[rng.integers(len(forms))] if forms else last
        safe = others[0] if others else last
        return form.format(last, safe) if not (forms and ".T" in form and np.ndim(values[safe]) == 0) else last
    if mode == "jacobian":
        return last
    totals = ["np.sum({})", "np.sum({})", "np.sum(np.tanh({}))", "np.sum({0} * {0})", "np.mean({})", "np.sum({}) / 3"]
    total = totals[rng.integers(len(totals))].format(last)
    return last if np.ndim(values[last]) == 0 and rng.random() < 0.7 else total


VOCABULARY = vocabulary()


# ----- arguments -----
def other_values(rng: np.random.Generator, leaves: list[Any], largest: float) -> tuple[Any, ...]:
    """Return other arguments of the same shapes and types, laid out in other ways; special entries up to a size."""
    return tuple(
        other_number(rng, leaf) if not isinstance(leaf, np.ndarray) else laid_out(rng, other_array(rng, leaf, largest))
        for leaf in leaves
    )


def other_number(rng: np.random.Generator, x: Any) -> Any:
    """Return another number of the same type."""
    return type(x)(rng.integers(-3, 4)) if isinstance(x, int) else type(x)(rng.normal())


def other_array(rng: np.random.Generator, x: Any, largest: float) -> Any:
    """Return another array of the same shape and type; with special values up to a size in some entries."""
    y = random_array(rng, x.shape, x.dtype)
    if not largest or x.dtype.kind != "f":
        return y
    values = np.array(SPECIALS[rng.integers(len(SPECIALS))], np.longdouble)
    extreme = np.isfinite(values) & (np.abs(np.log10(np.abs(np.where(values == 0, 1, values)))) > 50)
    digits = {2: 4.8, 4: 38}.get(x.dtype.itemsize, 308)  # of the largest number: as extreme in any precision
    values[extreme] = np.sign(values[extreme]) * 10 ** (np.log10(np.abs(values[extreme])) * digits / 308)
    values = values[~((np.abs(values) > largest) & np.isfinite(values))]
    if not len(values):
        return y
    picked = values.astype(x.dtype)[rng.integers(len(values), size=x.shape)]
    return np.asarray(np.where(rng.random(x.shape) < rng.choice([0.2, 1.0]), picked, y).astype(x.dtype))


def laid_out(rng: np.random.Generator, x: Any) -> Any:
    """Return the same entries, in another layout in memory."""
    return LAYOUTS[rng.integers(len(LAYOUTS))](x)


def strided(x: Any) -> Any:
    """Return every other entry of a longer array."""
    wide = np.zeros(tuple(2 * n for n in x.shape), x.dtype)
    every_other: Any = (..., *[slice(None, None, 2)] * x.ndim)
    part = wide[every_other]
    part[...] = x
    return part


def backwards(x: Any) -> Any:
    """Return the entries of an array that lie in reverse order."""
    return np.flip(np.flip(x).copy()) if x.ndim else x.copy()


def read_only(x: Any) -> Any:
    """Return an array that may not be written to."""
    x = x.copy()
    x.flags.writeable = False
    return x


LAYOUTS: list[Callable[[Any], Any]] = [np.ascontiguousarray, np.asfortranarray, strided, backwards, read_only, np.copy]
LAYOUTS[0] = np.copy  # ascontiguousarray would add an axis to a number


def programs(seed: int) -> Iterator[tuple[Program, list[tuple[Any, ...]]]]:
    """Yield the programs of a seed."""
    return (random_program(seed, number) for number in itertools.count())


def size_of(program: Program) -> int:
    """Return the length of the code, which a smaller program must not exceed."""
    return len(program.code) + math.ceil(len(program.derived))
