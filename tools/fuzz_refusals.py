"""Random calls of NumPy's functions, on plain arrays and on Tensors.

What NumPy refuses is refused, and what it takes is computed alike or refused in words.

    python tools/fuzz_refusals.py 1000        so many calls of each function
"""

import collections
import inspect
import sys
import warnings
import zlib
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

import autotiny as at
from autotiny.engine.pytree import flatten, tree_map
from autotiny.errors import AutotinyError
from autotiny.ops import COMPOSED, OPS, load_tables
from autotiny.ops.signature import signature

AXES = [None, 0, 1, -1, 2, -2, 9, -9, (0,), (0, 1), (0, 0), (0, 9), (), 1.0, "x", True, [0], np.int64(1), np.array(0)]
SHAPES = [(), (3,), (2, 3), (3, 3), (2, 3, 4), (0,), (1,), (2, 1), (3, 2), (1, 3), (2, 0)]
WORDS = ["raise", "wrap", "clip", "edge", "constant", "reflect", "mean", "x"]
COUNTS = [0, 1, 2, -1, 9, 1.5, "x", None, [1, 2], [1, 2, 3], (1, 2)]
INDICES = [0, [0], [0, 1], -1, 9, [9], 1.5, [True, False], np.array([[0, 1]]), np.zeros((2, 1), int), [], "x"]
WIDTHS = [0, 1, -1, (1, 2), ((1, 2), (0, 1)), 1.5, {0: 1}, "x", ((1, 2, 3),)]
BOUNDS = [None, 0, 0.5, [1, 2]]
RARE = [None, True, 0, float]
SUBSCRIPTS = ["ij,jk", "ij", "ij->ji", "i,i", "ii", "ij,ij->ik", "", "i...,j...", "ij->k", "ij->ii", "...i->i", "i->"]
OPTIONS: dict[str, list[Any]] = {
    **dict.fromkeys(("axis", "axes", "source", "destination", "axis1", "axis2"), AXES),
    **dict.fromkeys(("n", "k", "offset", "ddof", "decimals", "shift", "repeats", "reps"), COUNTS),
    "axes of tensordot": [0, 1, 2, ([0], [0]), ([5], [5]), ([0, 1], [1, 0]), "x", None],
    "indices": INDICES,
    "indices of take_along_axis": [i for i in INDICES if isinstance(i, np.ndarray)],
    "indices_or_sections": [1, 2, 3, 0, -1, [1], [5], [2, 1], 1.5, "x"],
    "keepdims": [True, False, None, "x"],
    "mode": WORDS,
    "shape": [(2, 3), -1, 6, (-1, -1), (4,), (), (2, 3, 1), "x", 1.5, (3, 2.0)],
    "order": ["C", "F", "A", "x"],
    "fill_value": [0, 1.5],
    "ord": [None, 1, 2, -1, 3, 0, np.inf, "fro", "nuc", "x"],
    "kind": [None, "stable", "x"],
    "stable": [None, True],
    "pad_width": WIDTHS,
    "constant_values": [0, (1, 2), "x"],
    **dict.fromkeys(("a_min", "a_max", "min", "max"), BOUNDS),
    **dict.fromkeys(("out", "where", "dtype"), RARE),
}
LISTS = {np.concatenate, np.stack, np.vstack, np.hstack, np.column_stack, np.dstack, np.linalg.multi_dot}
PAIRS = {np.tensordot, np.dot, np.inner, np.outer, np.vdot, np.append, np.linalg.solve, np.clip, np.where}


class Call(NamedTuple):
    """A call whose arrays are given as plain arrays."""

    function: Callable[..., Any]
    args: list[Any]
    kwargs: dict[str, Any]

    def __call__(self, wrap: Callable[[Any], Any]) -> Any:
        """The result with arrays of floating point wrapped, or the error."""
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            try:
                return self.function(*tree_map(wrap, self.args), **self.kwargs)
            except Exception as error:
                return error

    def __str__(self) -> str:
        words = [*map(_word, self.args), *(f"{name}={value!r}" for name, value in self.kwargs.items())]
        return f"{self.function.__name__}({', '.join(words)})"


def _word(arg: Any) -> str:
    return f"array {arg.shape}" if isinstance(arg, np.ndarray) and arg.dtype.kind == "f" else repr(arg)


def tensor(value: Any) -> Any:
    """Arrays of floating point as Tensors; the rest as it is."""
    return at.Tensor(value) if isinstance(value, np.ndarray) and value.dtype.kind == "f" else value


def random_call(function: Callable[..., Any], rng: np.random.Generator) -> Call:
    """A call of a function of NumPy with random arrays and options, most of them wrong."""

    def pick(values: Any) -> Any:
        return values[rng.integers(len(values))]

    def array(shape: Any = None) -> Any:
        return np.array(rng.uniform(0.2, 2, pick(SHAPES) if shape is None else shape))

    if isinstance(function, np.ufunc):
        return Call(function, [array() for _ in range(function.nin)], {})
    if function is np.einsum:
        shapes = [(3, 3), (3,), (2, 3), ()]
        return Call(function, [pick(SUBSCRIPTS), *(array(pick(shapes)) for _ in range(rng.integers(1, 3)))], {})
    parameters = list(signature(function).parameters.values())
    if parameters[0].kind is inspect.Parameter.VAR_POSITIONAL:
        return Call(function, [array() for _ in range(rng.integers(1, 3))], {})
    count = 3 if function is np.where else 2 if function in PAIRS else 1
    args: list[Any] = [array() for _ in range(count)]
    if function in LISTS:
        shape = pick(SHAPES)
        args = [[array(shape) if rng.random() < 0.7 else array() for _ in range(rng.integers(1, 4))]]
    kwargs: dict[str, Any] = {}
    by_position = True
    for p in parameters[count:]:
        values = OPTIONS.get(f"{p.name} of {function.__name__}", OPTIONS.get(p.name))
        if values is None or not (p.default is p.empty or rng.random() < 0.4):
            by_position = False
        elif by_position and p.kind is not p.KEYWORD_ONLY and rng.random() < 0.5:
            args.append(pick(values))
        else:
            kwargs[p.name], by_position = pick(values), False
    return Call(function, args, kwargs)


def fault(call: Call) -> str | None:
    """What is wrong with a call on Tensors beside the call on arrays; None where nothing is."""
    theirs, ours = call(lambda x: x), call(tensor)
    if isinstance(ours, Exception):
        by_signature = isinstance(ours, TypeError) and str(ours) == str(theirs)  # before a Tensor sees the call
        bare = not isinstance(ours, AutotinyError) and not getattr(ours, "__notes__", None) and not by_signature
        return f"bare {ours!r}" if bare else None
    if isinstance(theirs, Exception):
        return f"accepted, where NumPy says {theirs!r}"
    a, b = (flatten(list(r) if isinstance(r, tuple) else r)[0] for r in (theirs, ours))
    same = len(a) == len(b) and all(map(_alike, a, b))
    return None if same else f"gave {[np.shape(x) for x in b]}, NumPy {[np.shape(x) for x in a]}"


def _alike(a: Any, b: Any) -> bool:
    b = getattr(b, "value", b)
    return np.shape(a) == np.shape(b) and bool(np.allclose(a, b, rtol=1e-9, equal_nan=True))


load_tables()
BY_LIKE = {np.array, np.asarray, np.asanyarray, np.ascontiguousarray, np.asfortranarray, np.full}
"""Functions that reach a Tensor by like= alone."""
FUNCTIONS = [
    f
    for f in {**OPS, **COMPOSED}
    if f not in BY_LIKE and not (getattr(f, "__module__", None) or "numpy").startswith("autotiny")
]
"""Read before tests enter operations of their own."""


def faults(count: int, seed: int = 0) -> Iterator[str]:
    """The faults in so many random calls of each function."""
    for function in FUNCTIONS:
        rng = np.random.default_rng([seed, zlib.crc32(function.__name__.encode())])  # the others do not matter
        for _ in range(count):
            call = random_call(function, rng)
            if found := fault(call):
                yield f"{call}: {found}"


if __name__ == "__main__":
    by_function: collections.Counter[str] = collections.Counter()
    for line in faults(int(sys.argv[1]), int((sys.argv[2:] or ["0"])[0])):
        print(line)
        by_function[line.partition("(")[0]] += 1
    print(f"{len(FUNCTIONS) * int(sys.argv[1]):,} calls, {by_function.total()} faults: {dict(by_function)}")
