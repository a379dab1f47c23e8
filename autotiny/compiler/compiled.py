"""at.compile: a function that runs as a NumPy program after its first call."""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from functools import update_wrapper
from typing import Any

import numpy as np

from autotiny.algebra import Term
from autotiny.compiler.emit import emit
from autotiny.compiler.lowering import lower
from autotiny.compiler.program import Program
from autotiny.compiler.schedule import schedule
from autotiny.compiler.trace import GuardNeededError, Trace, trace
from autotiny.errors import UnsupportedError
from autotiny.trees import flatten

PROGRAMS = 16
"""How many programs of one function are kept."""


def compile(f: Callable[..., Any], *, donate: int | tuple[int, ...] = ()) -> "Compiled":  # noqa: A001
    """f as a NumPy program, written when it is first called on values of such shapes and types.

    f may call at.value_and_grad, at.grad, at.hessian and the like; it takes and returns arrays, numbers, and nested
    lists, tuples and dicts of them. Results are new arrays, except that those which fit are written into the arrays
    of the arguments in the positions `donate`. `step.source` is the program that ran last.

    Raises ValueNeededError, naming the line, where f branches on a value, or hands it to code that needs numbers.

    >>> step = compile(lambda W, x: np.tanh(W @ x))
    >>> step(np.eye(2), np.zeros(2))
    array([0., 0.])
    """
    return Compiled(f, (donate,) if isinstance(donate, int) else tuple(donate))


class Compiled:
    """What at.compile makes of a function: call it as you would the function.

    Attributes
    ----------
    source : the NumPy program that ran last, as text.
    """

    def __init__(self, f: Callable[..., Any], donate: tuple[int, ...]) -> None:
        if not callable(f):
            raise UnsupportedError(f"compile: expected a function, got {type(f).__name__}")
        update_wrapper(self, f)
        self.f, self.donate = f, donate
        self.variants: OrderedDict[Any, Variant] = OrderedDict()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """f's results, by the program for arguments like these."""
        leaves, _ = flatten((args, kwargs))
        key = signature(args, kwargs, leaves)
        variant = self.variants.get(key)
        if variant is None:
            variant = self.variants[key] = build(self.f, args, kwargs, self.donate)
            if len(self.variants) > PROGRAMS:
                self.variants.popitem(last=False)
        self.variants.move_to_end(key)
        try:
            return variant(leaves)
        except (FloatingPointError, GuardNeededError):
            return self.f(*args, **kwargs)

    @property
    def source(self) -> str:
        """The NumPy program that ran last."""
        if not self.variants:
            raise UnsupportedError("source: nothing is compiled before the first call, which shows shapes and types")
        return next(reversed(self.variants.values())).program.source.text


def signature(args: Any, kwargs: Any, leaves: list[Any]) -> Any:
    """What a program depends on: the tree, shapes and types, and the values that are no numbers."""
    return structure((args, kwargs)), *map(kind_of_value, leaves)


def kind_of_value(x: Any) -> Any:
    """What a program depends on, of one value: all of it, unless it is a number or an array of them."""
    if isinstance(x, np.ndarray):
        return x.shape, x.dtype
    return type(x) if isinstance(x, float | np.generic) else (type(x), x)


def structure(tree: Any) -> Any:
    """A tree's shape, to be looked up."""
    if isinstance(tree, dict):
        return (dict, *((key, structure(branch)) for key, branch in tree.items()))
    return (type(tree), *map(structure, tree)) if isinstance(tree, list | tuple) else None


class Variant:
    """A program with what surrounds it: which values it takes, and how its results are arranged."""

    def __init__(self, program: Program, dynamic: list[int], traced: Trace, outputs: list[Term]) -> None:
        self.program, self.dynamic, self.rebuild = program, dynamic, traced.rebuild
        rest = iter(range(len(outputs)))
        self.fixed = [(None, next(rest)) if isinstance(out, Term) else (out, None) for out in traced.outputs]

    def __call__(self, leaves: list[Any]) -> Any:
        """Run, and arrange the results as the function does."""
        results = self.program(*[leaves[i] for i in self.dynamic])
        return self.rebuild([value if i is None else results[i] for value, i in self.fixed])


def build(f: Callable[..., Any], args: Any, kwargs: Mapping[str, Any], donate: tuple[int, ...]) -> Variant:
    """Trace, rewrite, schedule, emit."""
    leaves, _ = flatten((args, dict(kwargs)))
    dynamic = [isinstance(x, np.ndarray | np.generic | float) for x in leaves]
    traced = trace(f, args, kwargs, dynamic)
    names = traced.names
    terms = lower([out for out in traced.outputs if isinstance(out, Term)], names)
    given = [term for i in donate for term in _symbols_of(traced, args, dynamic, i)]
    plan = schedule(traced.symbols, terms, given)
    program = Program(emit(plan, names), traced.swept)
    return Variant(program, [i for i, varies in enumerate(dynamic) if varies], traced, terms)


def _symbols_of(traced: Trace, args: Any, dynamic: list[bool], position: int) -> list[Term]:
    before = sum(dynamic[: len(flatten(args[:position])[0])])
    count = sum(dynamic[len(flatten(args[:position])[0]) :][: len(flatten(args[position])[0])])
    return [term for term in traced.symbols[before : before + count] if isinstance(term.value, np.ndarray)]
