"""The table of operations: one row has an operation's forward function, notation and gradient rules.

The vocabulary of every rule, fixed once:

    g        the gradient that arrives, dJ/dy, of y's shape
    y        the output of the operation
    a, b, x  the operation's own arguments, then its options by their NumPy names

Of complex numbers, g is dJ/d(Re y) - i dJ/d(Im y), so that dJ = Re(Σ g dy): the rule of a holomorphic function y(x) is
g dy/dx, as for real numbers, without a conjugate. Another function's rule is the c for which dJ = Re(Σ c dx); a real
operand receives the real part of c. The engine conjugates what users give and see (`engine/gradients.py`).

A rule returns the contribution to one argument's gradient: `lambda g, y, a, b: g * b` for a in y = a * b. There is one
rule for each argument, so that a gradient nobody asked for is never computed. Rules are plain NumPy: on arrays they
compute, on Tensors they record (by NEP 13 and NEP 18). Broadcasting is undone by the engine: a rule of
an elementwise operation returns y's shape.

Other properties of an operation are traits in its row, words of `TRAITS`: code asks `op.has("kinked")` and keeps no
lists of operations.
"""

import functools
import inspect
import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Concatenate, TypeVar

import numpy as np

from autotiny.errors import AutotinyError, UnsupportedError
from autotiny.ops.array_functions import ArrayFunction, Options
from autotiny.ops.signature import signature

Array = Any
"""An array or a Tensor."""

UNSET: Any = np._NoValue
"""The default of an option that was not given, where None is a value."""

Function = Callable[..., Any]
AnyFunction = TypeVar("AnyFunction", bound=Function)
Rule = Callable[..., Any]
UsedEntries = Callable[..., Iterable[Any]]
"""`used(chosen, *arguments, **options)`: which entries of each argument went into the chosen entries of y."""

FLOW = {
    "elementwise": "an entry of y depends on the entries of the arguments at its own place, after broadcasting",
    "moves": "every entry of y is an entry of an argument, copied from some place, or a constant",
    "reduces": "an entry of y depends on the argument's entries along the axes that are reduced",
    "mixes": "an entry of y depends on entries of the arguments at several places in some other way",
}
"""How entries flow through an operation. Every row states one."""
SMOOTHNESS = {
    "analytic": "its forward function is complex differentiable, so that a complex step passes through it",
    "kinked": "its derivative jumps somewhere",
    "flat": "its derivative is 0 wherever it has one",
    "smooth": "none of these: a complex step needs another program, or there is none",
}
"""What kind of function an operation is. Every row states one."""
TRAITS = {
    **FLOW,
    **SMOOTHNESS,
    "selects": "it chooses between its arguments or among their entries; what was not chosen contributes nothing",
    "fills": "entries of y may be constants, so that their gradient goes nowhere",
    "unbounded": "finite arguments of moderate size may give infinity, nan, or an error",
    "linear": "it is linear in each argument: f(2 x) = 2 f(x), f(-x) = -f(x)",
    "positive": "y > 0 for all real arguments",
    "keeps_sign": "y > 0 where all arguments are positive",
    "reshapes": "y has the entries of x in the same order, unless the option `order` says otherwise",
    "resizes": "y has lengths by an option or as sums of those of the arguments, or a type that depends on values",
    "rearranges": "y is a view of x with its axes in another order or direction, or repeated",
    "real": "it is defined for real arguments alone, and refuses complex ones",
    "checks": "y is x, or an error where x is not what it should be; formulas to be read leave it out",
    "activation": "people use it as an activation of a network, whose derivative they may forget",
}
"""All traits and their meanings."""
STOPPING = ("selects", "flat", "fills")
"""Traits of operations whose rules pass a part of g to no argument."""


class Op:
    """An operation that can be recorded: its forward function, its notation, and a rule for each argument.

    Attributes
    ----------
    forward : the function that computes y, `forward(*arguments, **options)`.
    kind : its row in the table of forms (`autotiny.notation.forms`).
    own_notation : the user's own notation, a template for `own_notation.format(*arguments)`, or empty.
    rules : `rules[i](g, y, *arguments, **options)` contributes to argument i; None for an argument without a gradient.
    used : which entries of each argument went into the chosen entries of y, `used(chosen, *arguments, **options)`; for
        an operation that mixes entries and is not linear. Without it all of them count, if any entry was chosen.
    singular : where y is finite but a derivative of some order is infinite or undefined, `singular(y, *arguments)`.
    traits : words of `TRAITS`; `has(trait)` tests for one.
    stops : whether its rules pass a part of g to no argument, so that nan in g may not be seen behind it. It is kept as
        an attribute because `backward` reads it for every operation.
    words : the gradient rule in a few words, or one text for each argument.
    reduction_of : the ufunc whose `reduce` computes it, if any.
    stands_for : the expressions whose stable form it is, as functions of its arguments and options, in plain NumPy.
    fast_form : an expression that takes less time, as accurate where no operation in it overflows or is invalid.
    from_operand : the value as a stable form from that of the innermost result within the expression, where that is as
        exact, else None: log(A) for A = softmax(Z) that is nowhere near 0, log1p(E) for E = exp(x) that is finite.
    forms : the stable forms of expressions that this operation is the outermost of, by the operation below it.
    constant_variant : the operation recorded instead when not every argument is tracked (a constant wins a tie).
    complex_variant : the operation recorded instead when an argument is complex.
    takes_numbers : users call it, so that its first argument may be whole numbers, which are converted (`floats`).
    undifferentiable : what the arguments without a rule are, where a tracked one is an error: "the order".
    direct : `record` may skip its careful path: every argument has a rule and there is no variant.
    """

    constant_variant: "Op | None" = None
    complex_variant: "Op | None" = None
    takes_numbers: bool = False

    def __init__(
        self,
        function: Function,
        rules: Iterable[Rule | None],
        forward: Function | None = None,
        kind: str = "",
        notation: str = "",
        *,
        each: Rule | None = None,
        at_once: Rule | None = None,
        used: UsedEntries | None = None,
        singular: Function | None = None,
        traits: str = "",
        words: str | tuple[str, ...] = "",
        reduction_of: np.ufunc | None = None,
        stands_for: tuple[Function, ...] = (),
        fast_form: Function | None = None,
        from_operand: Function | None = None,
        undifferentiable: str = "",
    ) -> None:
        self.name: str = function.__name__
        self.kind = kind or self.name
        self.function = function
        self.forward = forward or function
        self.own_notation = notation
        self.rules: Any = Each(each, at_once) if each else rules
        self.arity = len(rules) if isinstance(rules, tuple) and not each else None
        self.direct = self.arity is not None and None not in self.rules
        self.used = used
        self.singular = singular
        self.traits = frozenset(traits.split())
        self.stops = not self.traits.isdisjoint(STOPPING)
        self.words = words
        self.reduction_of = reduction_of
        self.stands_for, self.from_operand = stands_for, from_operand
        self.fast_form, self.undifferentiable = fast_form, undifferentiable
        self.forms: dict[Any, list[Any]] = {}
        _require_traits_that_fit(self)

    def __repr__(self) -> str:
        return f"<op {self.name}>"

    def has(self, trait: str) -> bool:
        """Whether the row states this trait."""
        return trait in self.traits

    @functools.cached_property
    def parameters(self) -> tuple[str, ...]:
        """Names of the arguments and options, in order."""
        return tuple(signature(self.function).parameters)

    @functools.cached_property
    def options(self) -> frozenset[str]:
        """Names of the options that the rules know."""
        rule = next(rule for rule in self.rules if rule is not None)
        parameters = inspect.signature(rule).parameters
        return frozenset(p.name for p in parameters.values() if p.default is not p.empty)


class Each:
    """The rules of an operation with any number of arguments: `rule(i, g, y, *arguments)` contributes to argument i.

    at_once : returns the contributions to all arguments, `at_once(g, y, arguments, **options)`, where there may be
        thousands, to each of which the rule would take time in proportion to their number.
    """

    def __init__(self, rule: Rule, at_once: Rule | None = None) -> None:
        self.rule, self.at_once = rule, at_once

    def __iter__(self) -> Iterator[Rule]:
        return (functools.partial(self.rule, i) for i in itertools.count())

    def __contains__(self, rule: object) -> bool:
        return False


OPS: dict[Function, Op] = {}
"""Functions that record one operation."""

COMPOSED: dict[Function, Function] = {}
"""Functions that are composed of operations in the table, with the compositions."""

EXTENDED: dict[Function, Function] = {}
"""Compositions that take over from a row or a composition where options are passed that it lacks."""


# ----- rows -----
def define(function: Function, *rules: Rule | None, **row: Any) -> Op:
    """Enter a row into the table: `function` is recorded as one operation with these rules.

    `row` has the keywords of `Op`. Its traits must state the flow of entries and the kind of function, or TypeError is
    raised.
    """
    op = OPS[function] = Op(function, rules, **row)
    _require_complete_traits(op)
    return op


def constant_variant(function: Function, *rules: Rule, words: str | tuple[str, ...] = "") -> None:
    """Enter the rules that hold when the other argument of `function` is a constant."""
    op = OPS[function]
    op.direct = False
    traits = " ".join(op.traits)
    op.constant_variant = Op(function, rules, op.forward, op.kind, traits=traits, words=words)


def complex_variant(function: Function, *rules: Rule, **row: Any) -> None:
    """Enter the rules of `function` for complex arguments, where it is another function than of real ones."""
    op = OPS[function]
    op.direct = False
    op.complex_variant = Op(function, rules, op.forward, op.kind, **row)


def own(*rules: Rule | None, **row: Any) -> Callable[[Function], Function]:
    """Enter a function of the package as a row: on Tensors it records, otherwise it computes. `row`: as in `define`."""

    def decorate(forward: Function) -> Function:
        op = Op(forward, rules, **row)
        _require_complete_traits(op)
        return recorded(op, forward)

    return decorate


def public(
    *rules: Rule | None, **row: Any
) -> Callable[[Callable[Concatenate[Any, Options], Any]], ArrayFunction[Options]]:
    """Enter a function that users call, as `own` does; its first argument may be a number, a list or whole numbers."""

    def decorate(forward: Function) -> Any:
        op = Op(forward, rules, **row)
        op.takes_numbers = True
        _require_complete_traits(op)
        return recorded(op, on_floats(forward, op.has("real")))

    return decorate


def compose(*functions: Function) -> Callable[[Function], Function]:
    """Enter a function that replaces `functions` on Tensors, written in terms of operations of the table."""

    def register(composition: Function) -> Function:
        COMPOSED.update(dict.fromkeys(functions, composition))
        return composition

    return register


def extend(*functions: Function) -> Callable[[Function], Function]:
    """Enter a composition that replaces `functions` where they are called with options that their entry lacks."""

    def register(composition: Function) -> Function:
        EXTENDED.update(dict.fromkeys(functions, composition))
        return composition

    return register


def newer(name: str) -> tuple[Function, ...]:
    """Return NumPy's function of that name, if this NumPy has it: `@compose(*newer("unstack"))`."""
    return (getattr(np, name),) if hasattr(np, name) else ()


def variant(function: Function, *rules: Rule) -> Function:
    """Return the operation of `function` with other rules, with which it is recorded; formulas have the operation."""
    op = OPS[function]
    traits = " ".join(op.traits)
    other = Op(op.function, rules, op.forward, op.kind, singular=op.singular, traits=traits, words=op.words)
    return dispatching(other, op.forward)


def recorded(op: Op, forward: Function) -> Any:
    """Enter an operation into the table; return its public function, of the type of `forward`."""
    function = dispatching(op, forward)
    OPS.setdefault(op.function, op)  # a NumPy function keeps its own row
    OPS[function] = op
    return function


def dispatching(op: Op, forward: Function) -> Function:
    """Return the function that on Tensors records an operation, and otherwise calls `forward`."""

    @functools.wraps(op.function)
    def function(*args: Any, **kwargs: Any) -> Any:
        record = getattr(type(args[0]), "__autotiny_record__", None) if args else None
        if record is None and len(args) + len(kwargs) > 1:
            rest = (*args[1:], *kwargs.values())
            record = next((r for arg in rest if (r := getattr(type(arg), "__autotiny_record__", None))), None)
        if record is not None:
            return record(op, args, kwargs)
        if args and node_in(args[0]) is not None:
            return function(array_like(args[0]), *args[1:], **kwargs)
        return forward(*args, **kwargs)

    return function


def floats(x: Any, where: str = "") -> Array:
    """Return x in floating point: numbers, lists and integer arrays as float64 arrays; complex and Tensors unchanged.

    Raises UnsupportedError for what does not form an array of numbers; `where` names the function.

    >>> floats([1, 2]), floats(np.float32(1)).dtype
    (array([1., 2.]), dtype('float32'))
    """
    if type(x) is not np.ndarray:
        x = array_like(x) if node_in(x) is not None else x
        if hasattr(x, "__array_function__") and not isinstance(x, np.generic):
            return x.astype(np.float64) if x.dtype.kind in "biu" else x  # a formula may be of integers
        try:
            x = np.asarray(x)
        except (ValueError, TypeError) as error:
            raise UnsupportedError(f"{where}: the values do not form an array of numbers ({error})") from None
    if x.dtype.kind in "fc":
        return x
    if x.dtype.kind not in "biu":
        raise UnsupportedError(f"{where}: expected numbers, got {type_name(x)}")
    return x.astype(np.float64)


def reals(x: Any, where: str) -> Array:
    """Return x in floating point as `floats` does; raise UnsupportedError where it is complex."""
    return require_real(floats(x, where), where)


def require_real(x: Any, where: str) -> Any:
    """Return x; raise UnsupportedError where it is complex."""
    if is_complex(x):
        raise UnsupportedError(
            f"{where}: expected real numbers, got complex ones: take np.real(...) or np.abs(...) of them"
        )
    return x


def is_complex(x: Any) -> bool:
    """Whether x is a complex number, or an array of complex numbers."""
    dtype = getattr(x, "dtype", None)
    return isinstance(x, complex) if dtype is None else bool(dtype.kind == "c")


def real_dtype(x: Any) -> np.dtype[Any]:
    """Return the type of the real part of an array."""
    return np.finfo(x.dtype).dtype if is_complex(x) else x.dtype


def require_real_place(dtype: np.dtype[Any], place: np.dtype[Any], where: str) -> None:
    """Raise UnsupportedError where complex numbers would be stored as real ones, without their imaginary part."""
    if dtype.kind == "c" and place.kind in "fiu":
        raise UnsupportedError(
            f"{where}: {dtype} numbers would lose their imaginary part as {place}: take np.real(...) or np.abs(...) "
            "of them, or make the Tensor complex"
        )


def conj(x: Any) -> Any:
    """Return the complex conjugate; what is real is returned as it is."""
    return np.conjugate(x) if is_complex(x) else x


def array_like(x: Any) -> Array:
    """Return lists as arrays; numbers, arrays, Tensors and formulas unchanged: a number takes the precision of others.

    >>> array_like([1, 2]), array_like(1.5)
    (array([1, 2]), 1.5)
    """
    if not isinstance(x, list | tuple):
        return x
    return np.asarray(x) if node_in(x) is None else COMPOSED[np.array](x)


def as_operand(x: Any) -> Array:
    """Return numbers and lists as arrays; arrays, Tensors and formulas unchanged."""
    x = array_like(x)
    return x if hasattr(x, "__array_function__") else np.asarray(x)


def node_in(values: Any) -> Any:
    """Return the first Tensor or formula in nested lists and tuples; None if there is none."""
    if isinstance(values, list | tuple):
        return next((node for part in values if (node := _node(part)) is not None), None)
    return None


def _node(part: Any) -> Any:
    return part if hasattr(type(part), "__autotiny_call__") else node_in(part)


def library(x: Any) -> Any:
    """Return what to give as like= for an array that goes beside x: None beside NumPy's, x itself beside another's.

    An array of another library, on a device or in pieces, cannot be computed with one of NumPy's.
    """
    if type(x) is np.ndarray:
        return None
    x = getattr(x, "_value", x)
    return x if hasattr(x, "__array_function__") and not (isinstance(x, np.ndarray) or is_formula(x)) else None


def is_computed_later(x: Any) -> bool:
    """Whether an array has no values yet, as Dask's: a question about them would compute all that they come from."""
    return hasattr(getattr(x, "_value", x), "__dask_graph__")


def everywhere(condition: Any) -> bool:
    """Whether a condition is known to hold everywhere."""
    return not is_computed_later(condition) and bool(np.all(condition))


def somewhere(condition: Any) -> bool:
    """Whether a condition is known to hold somewhere."""
    return not is_computed_later(condition) and bool(np.any(condition))


def mT(x: Any) -> Any:  # noqa: N802 - as arrays call it
    """Return x with its last two axes exchanged, x.mT, also of Dask's arrays, which lack that."""
    try:
        return x.mT
    except AttributeError:
        return np.swapaxes(x, -1, -2)


def identity_like(x: Any, n: int) -> Array:
    """Return the identity matrix of n rows, in the precision and the library of x."""
    return np.asarray(np.eye(n, dtype=x.dtype), like=library(x))


def type_name(array: np.ndarray) -> str:
    """Return what an array holds, for an error: its dtype, or the class of the first object."""
    return (
        f"objects such as {type(array.flat[0]).__name__}" if array.dtype == object and array.size else str(array.dtype)
    )


def as_array(x: Any) -> Array:
    """Return a number of Python's as an array, as functions of NumPy other than ufuncs take it: as float64."""
    if isinstance(x, int | float):
        return np.asarray(x)
    x = array_like(x)
    return x.astype(x.dtype) if is_formula(x) and not x.ndim else x


def is_formula(x: Any) -> bool:
    """Whether x is a formula: its value is that of one call among many, and nothing may depend on it."""
    return hasattr(x, "is_constant")


def is_written(x: Any) -> bool:
    """Whether x is a formula to be read, which leaves out what holds where values coincide, overflow or vanish."""
    return is_formula(x) and not x.is_traced


def on_floats(forward: Function, real: bool) -> Function:
    """Decorate a function: its first argument is converted to floating point; a real one refuses complex numbers."""
    convert = reals if real else floats

    @functools.wraps(forward)
    def function(x: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return forward(convert(x, forward.__name__), *args, **kwargs)
        except Exception as error:
            if not isinstance(error, AutotinyError):
                error.add_note(f"in at.{forward.__name__}")
            raise

    return function


# ----- validation of rows -----
def require_arity(op: Op) -> None:
    """Raise UnsupportedError where the rules do not fit the function's arguments; a test holds the package's own."""
    if op.arity is None:
        return
    if not op.arity or op.arity > len(op.parameters):
        raise UnsupportedError(
            f"{op.name}: {op.arity} rules for {len(op.parameters)} arguments {op.parameters}; give one rule for each"
        )
    for position, rule in enumerate(op.rules):
        if rule is not None:
            if not callable(rule):
                raise UnsupportedError(f"{op.name}: rule {position} must be a function or None; got {rule!r}")
            try:
                inspect.signature(rule).bind(*["g", "y", *op.parameters[: op.arity]])
            except (TypeError, ValueError) as error:
                expected = ", ".join(["g", "y", *op.parameters])
                raise UnsupportedError(f"{op.name}: rule {position} must take ({expected}): {error}") from None


def _require_traits_that_fit(op: Op) -> None:
    for trait in sorted(op.traits - TRAITS.keys()):
        raise UnsupportedError(f"{op.name}: {trait!r} is not a trait; the traits are {', '.join(TRAITS)}")
    for group in (FLOW, SMOOTHNESS):
        if len(stated := op.traits & group.keys()) > 1:
            raise UnsupportedError(f"{op.name}: the traits {' and '.join(sorted(stated))} exclude each other")


def _require_complete_traits(op: Op) -> None:
    for group in (FLOW, SMOOTHNESS):
        if not op.traits & group.keys():
            raise UnsupportedError(f"{op.name}: its row must state one of the traits {', '.join(group)}")
