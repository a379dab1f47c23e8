"""Trace: call a function on symbols, and record what it computes, its backprop included, as one formula."""

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from autotiny.algebra import Term, Values, apply, symbol, topological_order
from autotiny.compiler.naming import FormulaName, FormulaNames, LocalNames, enter, parameter_names
from autotiny.engine.libraries import introduce_to_einops
from autotiny.engine.modes import Switch, Tracer
from autotiny.engine.node import Node
from autotiny.engine.pytree import Rebuild, flatten
from autotiny.engine.recording import value_of
from autotiny.errors import UnsupportedError
from autotiny.ops import Op
from autotiny.ops.outputs import OutputGradients

FEW = 2**16
"""Entries of all values that lead to gradients, up to which a sweep computes them to see whether one is nan."""


def is_dynamic(x: Any, ints: bool) -> bool:
    """Whether a value may differ at the next call. Anything but arrays and numbers is a constant of the program.

    Raises UnsupportedError for an argument that no program takes.
    """
    if isinstance(x, Node):
        raise UnsupportedError(
            f"compile: the argument {x.name or 'given'} is a Tensor; a program takes arrays: give "
            f"{x.name or 'its'}.data, and take gradients with at.value_and_grad"
        )
    if isinstance(x, np.ndarray) and type(x) not in (np.ndarray, np.memmap):
        raise UnsupportedError(f"compile: an argument is a {type(x).__name__}; a program takes plain arrays of NumPy")
    return isinstance(x, np.ndarray | np.generic | float) or (ints and type(x) is int)


class GuardNeededError(Exception):
    """On these values a gradient needs a look at what was not taken, and the program does not look."""


class Trace(NamedTuple):
    """A call as formulas."""

    values: Values
    symbols: list[Term]
    outputs: list[Any]
    """Terms, and other values that the function returned."""
    rebuild: Rebuild
    names: FormulaNames
    swept: bool
    """Whether anything was differentiated."""
    masked: bool
    """Whether a gradient passed a selection."""
    unbounded: bool
    """Whether what a selection did not take may have an infinite derivative although all arguments are finite."""


class FormulaTracer(Tracer):
    """A tracer that records operations as formulas, and names the formulas of gradients.

    guards : whether every sweep looks at the selection, whether these values need it or not.
    """

    def __init__(self, names: FormulaNames, guards: bool) -> None:
        self.names, self.guards = names, guards
        self.locals = LocalNames(names, trace.__code__)
        self.swept = self.masked = self.unbounded = False
        self.checks: list[Term] = []

    def __call__(self, op: Op, values: Iterable[Any], options: Mapping[str, Any]) -> Any:
        """The operation on formulas."""
        return apply(op, values, options)

    def knows(self, grads: Iterable[Any]) -> bool:
        """Whether the gradients are small enough to be computed twice, here and in the program."""
        parts = (part for g in grads for part in (g.parts if isinstance(g, OutputGradients) else (g,)))
        terms = [term for part in parts if isinstance(term := value_of(part), Term)]
        return sum(term.size for term in topological_order(*terms)) <= FEW

    def note_callers(self) -> None:
        """Learn the user's names for what was computed up to now."""
        self.locals.look()

    def note_check(self, term: Term) -> None:
        """Keep a check, which must be in the program though no result may depend on it."""
        self.checks.append(term)

    def require_guard(self) -> None:
        """Stop where a sweep needs to look at the selection and is not to."""
        if not self.guards:
            raise GuardNeededError

    def observe(self, grads: Mapping[Node, Any], masked: bool, unbounded: bool) -> None:
        """Note the gradients that a sweep has computed."""
        self.locals.look()
        if not grads:  # nothing depends on what was differentiated by
            return
        self.swept = True
        self.masked = self.masked or masked
        self.unbounded = self.unbounded or unbounded
        output = value_of(next(iter(grads)))
        of_what = self.names[output].text if isinstance(output, Term) and output in self.names else "J"
        for node, g in grads.items():
            of, gradient = value_of(node), value_of(g)
            enter(self.names, {node.name: node} if node.name else {})
            if isinstance(gradient, Term) and isinstance(of, Term) and of in self.names:
                name = f"d{self.names[of].text}"
                self.names.setdefault(gradient, FormulaName(name, f"d{of_what}/{name}"))


def trace(
    f: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
    dynamic: Sequence[bool],
    guards: bool = False,
) -> Trace:
    """Return what f computes from the dynamic values among its arguments.

    Each sweep looks at the selection if `guards`.
    Raises ValueNeededError where f needs one of their values, GuardNeededError where backprop does.
    """
    introduce_to_einops()
    leaves, rebuild = flatten((args, dict(kwargs)))
    names = parameter_names([*parameters(f, len(args)), *kwargs], (*args, *kwargs.values()))
    values = Values()
    inputs = [symbol(name, x, values) if varies else x for name, x, varies in zip(names, leaves, dynamic, strict=True)]
    symbols = [term for term, varies in zip(inputs, dynamic, strict=True) if varies]
    known: FormulaNames = {}
    enter(known, dict(zip(names, inputs, strict=True)) if len(names) == len(args) + len(kwargs) else {})
    tracer = FormulaTracer(known, guards)
    positional, by_name = rebuild(inputs)
    with Switch("tracing", tracer), Switch("recording", True), np.errstate(all="ignore"):
        try:
            result = f(*positional, **by_name)
        except BaseException:
            values.forget()
            raise
        finally:
            tracer.locals.finish()
    enter(known, dict(zip(names, inputs, strict=True)))
    outputs, rebuild_outputs = flatten(result)
    flags = tracer.swept, tracer.masked, tracer.unbounded
    outputs = with_checks(list(map(plain, outputs)), tracer.checks)
    return Trace(values, symbols, outputs, rebuild_outputs, known, *flags)


def with_checks(outputs: list[Any], checks: list[Term]) -> list[Any]:
    """Return the outputs, the first of which is computed beside the checks on which none depends."""
    first = next((i for i, out in enumerate(outputs) if isinstance(out, Term | np.ndarray | np.generic | float)), None)
    if first is None or not checks:
        return outputs
    reached = set(topological_order(*(out for out in outputs if isinstance(out, Term))))
    others = [check for check in checks if check not in reached]
    if others:
        outputs[first] = apply(BESIDE, (outputs[first], *others), {})
    return outputs


def beside(result: Any, *checks: Any) -> Any:
    """Return a copy of a result, once the checks have passed."""
    return result.copy() if type(result) is np.ndarray else type(result)(result)


BESIDE = Op(beside, ())


def plain(output: Any) -> Any:
    """Return the value of a Tensor; anything else as it is."""
    return output.value if isinstance(output, Node) else output


def parameters(f: Callable[..., Any], count: int) -> list[str]:
    """Return names for so many positional parameters."""
    try:
        known = list(inspect.signature(f).parameters.values())
    except (TypeError, ValueError):  # some callables do not say
        known = []
    named = [p.name for p in known if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return [*named, *(f"x{i}" for i in range(count))][:count]
