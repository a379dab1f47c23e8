"""Functions whose gradients are checked: against a gradient in NumPy, PyTorch or JAX, or by numbers alone."""

import functools
import inspect
import itertools
import sys
from collections import ChainMap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from autotiny.checking.differences import random_direction
from autotiny.checking.foreign import as_numbers
from autotiny.checking.numeric import Calling, agrees, jumps
from autotiny.checking.report import Report
from autotiny.checking.row import Row
from autotiny.checking.subject import Subject
from autotiny.checking.verdict import examine, explanations
from autotiny.diagnosis import NO_SCOPE
from autotiny.engine.arguments import Chosen, Names, Positions, chosen_values, replaced
from autotiny.engine.gradients import gradients
from autotiny.engine.leaving import Exits
from autotiny.engine.modes import Switch
from autotiny.engine.pytree import flatten, leaves_as, places, tree_map
from autotiny.engine.tensor import Tensor, as_argument, as_tensor
from autotiny.errors import AutotinyError, ShapeError, UnsupportedError
from autotiny.ops.table import is_complex

Function = Callable[..., Any]

FEW = 3
"""The largest number of entries that may be explained by chance, so that other values are tried as well."""


class GradientError(AutotinyError, AssertionError):
    """A gradient that is not the derivative; `report` holds the comparison."""

    def __init__(self, message: str, report: Report) -> None:
        super().__init__(message)
        self.report = report


def check_gradients(
    f: Function, *args: Any, order: int = 1, argnums: Positions = None, argnames: Names = None, **kwargs: Any
) -> None:
    """Assert that autograd's gradients of f are its derivatives, by numbers alone.

    args are arrays, numbers or trees of them (see `at.tree_map`); f may return any of these. An argument that holds no
    numbers, such as a mask or a text, is a constant, as are keyword arguments; argnums and argnames state which
    arguments are variables, as for `at.grad`. Where f returns more than one number, random sums of them are
    differentiated. With order=2, so are random sums of the gradients.

    Raises GradientError, an AssertionError, with the report of `compare`; UnsupportedError where f returns other values
    when it is called again.

    >>> check_gradients(lambda x: np.sum(np.tanh(x) ** 2), np.array([0.5, -1.0]), order=2)
    """
    if order not in (1, 2):
        raise UnsupportedError(f"check_gradients: order is 1 or 2; got {order}")
    with Switch("recording", True):
        call = Call("check_gradients", *of_variables("check_gradients", f, args, kwargs, argnums, argnames))
        loss = call.recorded(call.number)
        call.require_the_same(loss)
        _require_derivative(call, loss, call.number)
        if order == 2:
            _require_derivative(call, call.recorded(call.slope), call.slope, "second derivative")


def of_variables(
    who: str, f: Function, args: tuple[Any, ...], kwargs: dict[str, Any], argnums: Positions, argnames: Names
) -> tuple[Function, tuple[Any, ...]]:
    """Return f as a function of its variables, and their values: of all positional arguments by default."""
    if argnums is None and argnames is None:
        return (functools.wraps(f)(functools.partial(f, **kwargs)) if kwargs else f), args
    if not callable(f):
        raise UnsupportedError(f"{who}: expected a function; got {type(f).__name__}")
    chosen = Chosen(f, argnums, argnames, who)
    keys, args, kwargs = chosen(args, kwargs)
    parameters = list(inspect.signature(f).parameters.values())

    def of_values(*values: Any) -> Any:
        arguments, keywords = replaced(args, kwargs, keys, values)
        return f(*arguments, **keywords)

    named = [p if isinstance(p, str) else parameters[p].name if p < len(parameters) else f"x{p}" for p in keys]
    kind = inspect.Parameter.POSITIONAL_ONLY
    of_values.__signature__ = inspect.Signature([inspect.Parameter(name, kind) for name in named])  # type: ignore[attr-defined]
    return of_values, chosen_values(args, kwargs, keys)


def _require_derivative(call: "Call", output: Tensor, again: "Again", what: str = "gradient") -> None:
    report = call.examine(output, again)
    outliers = {row.outlier for row in report.rows if not row.ok or row.outlier == "convention"}
    if not outliers:
        return
    if outliers <= {"undecided", "overflow"}:
        message = f"no number confirms the {what}"
    elif "convention" in outliers and len(outliers) == 1:
        message = f"the {what} follows a convention at a kink, and is not the slope"
    else:
        message = f"the {what} is not the derivative"
    raise GradientError(f"{message}\n{report!r}", report)


def compare_functions(
    f: Function, grad_f: Any, args: tuple[Any, ...], kwargs: dict[str, Any], argnums: Positions, argnames: Names
) -> Report:
    """Compare the gradient of a function with another function that computes it; see `compare`."""
    if not callable(grad_f):
        raise UnsupportedError(f"compare: expected the gradient of f as a function; got {type(grad_f).__name__}")
    with Switch("recording", True):
        of_variables_alone, values = of_variables("compare", f, args, kwargs, argnums, argnames)
        call = Call("compare", of_variables_alone, values)
        value = of_variables_alone(*call.rebuild([as_argument(point) for point in call.points]))
        if np.size(value) != 1:
            raise ShapeError(f"compare: f must return a single number; it returned shape {np.shape(value)}")
        if is_complex(value):
            raise UnsupportedError(
                "compare: f must return a real number; it returned a complex one: take its real part"
            )
        loss = call.recorded(call.number)
        call.require_the_same(loss)
        report = call.examine(loss, call.number, call.by_leaf(_called(grad_f, args, kwargs)))
        return report if argnums is not None or argnames is not None else call.confirmed(report, grad_f, kwargs)


def _called(grad_f: Function, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """Return the gradient by a function that takes NumPy arrays, or the tensors of PyTorch where that is in use."""
    try:
        return grad_f(*[tree_map(_plain, arg) for arg in args], **kwargs)
    except (TypeError, ValueError, AttributeError, RuntimeError):
        torch = sys.modules.get("torch")
        if torch is None:
            raise
        return grad_f(*[tree_map(lambda value: torch.tensor(_plain(value)), arg) for arg in args], **kwargs)


Again = Callable[[list[Tensor]], Tensor]
"""A number that is computed anew from other tensors in place of the variables."""


class Call:
    """A function with arguments, of which those that hold numbers are variables.

    leaves : the variables, one after another
    names : a name for each: that of f's parameter, with the place in it where it is a tree, as in params['W']
    """

    def __init__(self, who: str, f: Function, args: Sequence[Any]) -> None:
        if not callable(f):
            raise UnsupportedError(f"{who}: expected a function; got {type(f).__name__}")
        self.who, self.f = who, f
        self.args = list(args)
        self.parts = [flatten(arg)[0] for arg in args]
        values, self._rebuild = flatten(list(args))
        self._values = [_plain(value) for value in values]
        self._moving = [_holds_numbers(value) for value in self._values]
        if not any(self._moving):
            raise UnsupportedError(f"{who}: expected the arguments of f after it, arrays or numbers; got none")
        self.leaves = [as_argument(value) for value, moves in zip(self._values, self._moving, strict=True) if moves]
        self.points = [np.array(x.value) for x in self.leaves]
        self.names = dict(zip(self.leaves, self._named(), strict=True))

    def _named(self) -> list[str]:
        try:
            parameters = list(inspect.signature(self.f).parameters)
        except (TypeError, ValueError):
            parameters = []
        names: list[str] = []
        for i, arg in enumerate(self.args):
            name = parameters[i] if i < len(parameters) else f"argument {i}"
            names += [f"{name}{place}" for place in places(arg)]
        return [name for name, moves in zip(names, self._moving, strict=True) if moves]

    def rebuild(self, tensors: Sequence[Tensor]) -> list[Any]:
        """Return the arguments with tensors for the variables."""
        rest = iter(tensors)
        values = [next(rest) if moves else v for v, moves in zip(self._values, self._moving, strict=True)]
        return list(self._rebuild(values))

    def number(self, tensors: list[Tensor]) -> Tensor:
        """Return f's result, or a random sum of its results."""
        result = self.f(*self.rebuild(tensors))
        return _random_sum([None] if result is None else flatten(result)[0])

    def slope(self, tensors: list[Tensor]) -> Tensor:
        """Return a random sum of the gradients, recorded even where it is constant."""
        slope = _random_sum(gradients(self.number(tensors), tensors))
        return slope + sum(np.sum(np.ravel(np.real(x) if is_complex(x) else x)[:0]) for x in tensors)

    def recorded(self, compute: "Again") -> Tensor:
        """Return a number computed from the variables; remember where values left its graph."""
        with Exits() as exits:
            output = compute(self.leaves)
        self.exits = list(dict.fromkeys(way.line for way in exits))
        if not output.requires_grad:
            lines = "".join(f"; a value left the graph at {line}" for line in self.exits)
            raise UnsupportedError(f"{self.who}: f's result does not depend on any argument through Tensors{lines}")
        return output

    def require_the_same(self, loss: Tensor) -> None:
        """Raise UnsupportedError where f does not return the same again."""
        with np.errstate(all="ignore"):
            again = self.number([as_argument(point) for point in self.points])
        first, second = float(loss.value.item()), float(again.value.item())
        close = float(np.sqrt(np.finfo(loss.dtype).eps)) * max(abs(first), abs(second))
        if abs(first - second) > close:
            raise UnsupportedError(
                f"{self.who}: f gave {first:.6g} and then {second:.6g} for the same arguments; draw random numbers "
                "before it, or seed their generator in it, and let it change nothing"
            )

    def examine(self, output: Tensor, again: Again, stated: Sequence[Any] | None = None) -> Report:
        """Compare the gradient with the replay of its graph, and with new calls of f.

        New calls also show the effect of values that left the graph by .data.
        """
        forms = dict(zip(self.leaves, stated or [None] * len(self.leaves), strict=True))
        subject = Subject(output, self.names)
        report = Report(examine(subject, forms, scope=scope_of(self.f)), subject)

        def plain(tensors: list[Tensor]) -> Any:
            return again(tensors).value

        if any(row.outlier not in (None, "undecided") for row in report.rows):
            return report
        if all(np.all(np.isfinite(x)) for x in self.points) and jumps(plain, self.points):
            words = "the values jump at this point"
            return Report(
                [replace(row, outlier="undecided", sides=None, notes=(words,)) for row in report.rows], subject
            )
        tolerance = max(row.tolerance for row in report.rows)
        own = [subject.gradients()[x] for x in self.leaves]
        if not agrees(plain, self.points, own, tolerance):
            numbers = {x: Calling(plain, self.points, i) for i, x in enumerate(self.leaves)}
            return Report(
                [self._with_exits(row) for row in examine(subject, forms, numbers, scope_of(self.f))], subject
            )
        return report

    def _with_exits(self, row: Row) -> Row:
        """Return a row with the lines that take values out of the graph, in place of a doubt about the rules."""
        if row.ok or not self.exits:
            return row
        return replace(row, notes=tuple(f"a value left the graph at {line}" for line in self.exits))

    def confirmed(self, report: Report, grad_f: Function, kwargs: dict[str, Any]) -> Report:
        """Return the report without the explanations of few numbers that do not explain them at another point, too."""
        doubtful = {row.name for row in report.rows if _may_be_chance(row)}
        if not doubtful:
            return report
        try:
            first, second = (self.explanations_elsewhere(grad_f, kwargs, seed) for seed in (0, 1))
        except Exception:  # the functions may not go there
            return report
        rows = list(report.rows)
        for i, row in enumerate(rows):
            if row.name in doubtful:
                sure = first[row.name] if first[row.name] == second[row.name] else None
                rows[i] = replace(row, notes=(*row.notes[:-1], *filter(None, [sure])))
        return Report(rows, report.subject)

    def explanations_elsewhere(self, grad_f: Function, kwargs: dict[str, Any], seed: int) -> dict[str, str | None]:
        """Return what explains the gradient that grad_f gives for other values of the variables."""
        rng = np.random.default_rng(seed)
        moved = self.rebuild([_moved(point, rng) for point in self.points])
        elsewhere = Call(self.who, self.f, moved)
        loss = elsewhere.recorded(elsewhere.number)
        stated = elsewhere.by_leaf(_called(grad_f, moved, kwargs))
        forms = dict(zip(elsewhere.leaves, stated, strict=True))
        return explanations(Subject(loss, elsewhere.names), forms, scope_of(self.f))

    def _by_key(self, gradient: Any) -> list[Any] | None:
        """Return a gradient by all arguments, or by the first one, that has their keys; None if it is no such tree."""
        first = self.args[0]
        whole = isinstance(gradient, list | tuple) and len(gradient) == len(self.args)
        if isinstance(first, dict) and isinstance(gradient, dict):
            parts = leaves_as([gradient], [first], f"{self.who}: the gradient")
        elif whole and any(isinstance(arg, dict) for arg in self.args):
            parts = leaves_as(list(gradient), self.args, f"{self.who}: the gradient")
        else:
            return None
        stated = [part for part, moves in zip(parts, self._moving, strict=False) if moves]
        if _shapes(stated) != [x.shape for x in self.leaves[: len(stated)]]:
            return None
        return stated + [None] * (len(self.leaves) - len(stated))

    def by_leaf(self, gradient: Any) -> list[Any]:
        """Return a gradient with a part for each variable, None where it has none.

        It is by all arguments, by the first of them, or by some of their names.
        """
        if isinstance(gradient, Mapping) and gradient and set(self.names.values()).issuperset(gradient):
            return [gradient.get(name) for name in self.names.values()]
        by_key = self._by_key(gradient)
        if by_key is not None:
            return by_key
        whole = list(gradient) if isinstance(gradient, list | tuple) else [gradient]
        for parts in (flatten(gradient)[0], whole, [gradient]):
            for count in self._variables_of_the_first():
                if _shapes(parts) == [x.shape for x in self.leaves[:count]]:
                    return [*parts, *[None] * (len(self.leaves) - count)]
        expected = ", ".join(f"{name} {x.shape}" for x, name in self.names.items())
        got = ", ".join(map(str, _shapes(whole)))
        raise ShapeError(
            f"compare: expected the gradients by f's arguments, {expected}, by the first of them, or a dict by their "
            f"names; got {got}"
        )

    def _variables_of_the_first(self) -> list[int]:
        """Return the number of variables among the first arguments: of all of them, of all but the last, and so on."""
        ends = itertools.accumulate(map(len, self.parts))
        return [sum(self._moving[:end]) for end in ends][::-1]


def _may_be_chance(row: Row) -> bool:
    """Whether a row has few numbers and an explanation of them."""
    explained = row.outlier == "analytic" and bool(row.notes) and "entries differ" not in row.notes[-1]
    return explained and row.autograd.size <= FEW


def scope_of(f: Function) -> Mapping[str, Any]:
    """Return the variables of a function's surroundings, by which its arrays and numbers are named."""
    f = inspect.unwrap(f)
    try:
        return ChainMap(dict(inspect.getclosurevars(f).nonlocals), f.__globals__)
    except (TypeError, ValueError, AttributeError):
        return NO_SCOPE


def _moved(point: Any, rng: np.random.Generator) -> Any:
    """Return other values of the same signs; whole numbers stay."""
    if point.dtype.kind not in "fc":
        return point
    noise = rng.normal(size=point.shape)
    return np.where(point == 0, 0.1 * noise, point * np.exp(0.3 * noise)).astype(point.dtype)


def _shapes(parts: Sequence[Any]) -> list[tuple[int, ...]]:
    return [as_numbers(part, "the gradient", complex_too=True).values.shape for part in parts]


def _plain(value: Any) -> Any:
    return value.value if isinstance(value, Tensor) else value


def _holds_numbers(value: Any) -> bool:
    """Whether a value is a number or an array of numbers; truth values are not."""
    return np.asarray(value).dtype.kind in "iufc"


def _weighed(out: Tensor, rng: np.random.Generator) -> Tensor:
    """Return the entries with random weights; of complex ones, a random sum of the parts of each."""
    weights = random_direction(out.shape, rng)
    if is_complex(out):
        return np.real(out * (weights + 1j * random_direction(out.shape, rng)).astype(out.dtype))
    return out * weights.astype(out.dtype)


def _random_sum(outputs: list[Any]) -> Tensor:
    """Return a single number as it is, else the sum of all entries with random weights, which notices a permutation."""
    if not outputs:
        raise UnsupportedError("check_gradients: f returned nothing to differentiate")
    for out in outputs:
        if not isinstance(out, Tensor) and np.asarray(out).dtype.kind not in "biufc":
            raise UnsupportedError(f"check_gradients: expected f to return numbers; got {type(out).__name__}")
    tracked, rng = [as_tensor(out) for out in outputs], np.random.default_rng(0)
    if len(tracked) == 1 and tracked[0].size == 1 and not is_complex(tracked[0]):
        return np.sum(tracked[0])
    weighed = [np.sum(_weighed(out, rng)) for out in tracked]
    return as_tensor(sum(weighed[1:], start=weighed[0]))
