"""Operations that users add to the table."""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from autotiny.errors import UnsupportedError
from autotiny.ops.outputs import rule_of_outputs, with_outputs
from autotiny.ops.table import AnyFunction, Function, Op, Rule, UsedEntries, recorded, require_arity


def operation(
    *rules: Rule | None,
    each: Rule | None = None,
    notation: str = "",
    guarded: bool | UsedEntries = False,
    masks: bool = False,
    traits: str = "",
) -> Callable[[AnyFunction], AnyFunction]:
    """Make a function an operation with rules of its own.

    The decorated function computes y from arrays; `rules[i](g, y, *arguments)` returns dJ/d(argument i) from g =
    dJ/dy. Rules written in NumPy can be differentiated again. Arguments beyond the rules are options. A function of
    any number of arguments has one rule for `each` of them, `each(i, g, y, *arguments)`. An operation that acts entry
    by entry is `guarded`: an entry of y that a selection did not take, as np.where does not take all, contributes
    exactly 0. One that mixes entries is guarded by a function: `guarded(chosen, *arguments, **options)` marks the
    entries of each argument that went into the chosen entries of y. Others contribute, unless no entry of y was taken.
    An operation that chooses between its arguments, or among their entries, has `masks=True`.
    `traits` are words separated by spaces, such as "elementwise kinked"; `autotiny.ops.table.TRAITS` lists them.
    Without traits nothing is assumed.

    A function that returns a tuple is an operation with several outputs. It runs once, and each output can be used on
    its own, or not at all. Its rules receive tuples for g and y, an entry for each output: g[i] is zeros where nothing
    depends on output i. Outputs of integers or truth values have no gradient, and are plain arrays. A named tuple stays
    one. Where the operation is guarded by a function, `chosen` is a tuple as well.

    Arrays come read-only, for they belong to the graph.

    Raises TypeError when there are more rules than the function has arguments, or a rule does not take g, y and the
    arguments, or a trait is not one; UnsupportedError when the function or a rule writes into its arguments.

    >>> import autotiny as at
    >>> @at.operation(lambda g, y, x: g * 3 * x**2)
    ... def cube(x):
    ...     return x * x * x
    >>> at.grad(cube)(2.0)
    array(12.)

    >>> import numpy as np
    >>> @at.operation(lambda g, y, x: g[0] * y[1] - g[1] * y[0])
    ... def sine_and_cosine(x):
    ...     return np.sin(x), np.cos(x)
    >>> x = at.Tensor(0.5)
    >>> s, c = sine_and_cosine(x)
    >>> (s * c).backward()
    >>> x.grad, np.cos(1.0)
    (array(0.54030231), np.float64(0.5403023058681398))
    """

    for option, value, kind in (("notation", notation, str), ("masks", masks, bool), ("traits", traits, str)):
        if not isinstance(value, kind):
            raise UnsupportedError(f"operation: {option} must be of type {kind.__name__}, got {value!r}")
    for option, function in (("each", each), ("guarded", guarded)):
        if not (callable(function) or function is None or isinstance(function, bool)):
            raise UnsupportedError(f"operation: {option} must be a function, got {function!r}")
    if bad := [rule for rule in rules if not (rule is None or callable(rule))]:
        raise UnsupportedError(f"operation: a rule is a function (g, y, ...) or None; got {bad[0]!r}")
    if rules and each is not None:
        raise UnsupportedError(
            "operation: give one rule for each argument, or a rule for `each` of any number, not both"
        )

    def decorate(forward: AnyFunction) -> AnyFunction:
        if not callable(forward):
            raise UnsupportedError(f"operation: expected a function, got {forward!r}")
        name = forward.__name__
        own = [rule and rule_of_outputs(_on_read_only(rule, f"{name}: a rule")) for rule in (*rules, each)]
        op = Op(
            forward,
            tuple(own[:-1]),
            with_outputs(_on_read_only(forward, f"{name}: the function"), name),
            kind="call",
            notation=notation,
            each=own[-1],
            used=guarded if callable(guarded) else None,
            traits=" ".join([traits, *["elementwise"] * (guarded is True), *["selects"] * masks]),
        )
        require_arity(op)
        return recorded(op, forward)

    return decorate


def _on_read_only(function: Function, who: str) -> Function:
    """Return the function with its array arguments made read-only."""

    @functools.wraps(function)
    def protected(*args: Any, **kwargs: Any) -> Any:
        try:
            result = function(*map(_read_only, args), **kwargs)
        except ValueError as error:
            if "read-only" not in str(error):
                raise
            raise UnsupportedError(f"{who} writes into its arguments, which belong to the graph; copy first") from error
        return result.view() if type(result) is np.ndarray else result  # its owner may keep it

    return protected


def _read_only(value: Any) -> Any:
    if type(value) is not np.ndarray:
        return value
    view = value.view()
    view.flags.writeable = False
    return view
