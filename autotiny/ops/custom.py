"""Operations that users enter into the table."""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from autotiny.errors import UnsupportedError
from autotiny.ops import table
from autotiny.ops.table import OPS, Function, Reach, Rule


def operation(
    *rules: Rule | None,
    each: Rule | None = None,
    notation: str = "",
    guarded: bool | Reach = False,
    masks: bool = False,
) -> Callable[[Function], Function]:
    """Make a function an operation with rules of its own.

    The decorated function computes y from arrays; `rules[i](g, y, *arguments)` returns dJ/d(argument i), given g =
    dJ/dy. Rules written in NumPy can be differentiated again. Arguments beyond the rules are options. A function of
    any number of arguments has one rule for `each` of them, `each(i, g, y, *arguments)`. An operation that acts entry
    by entry, with a derivative that may be infinite, is `guarded`: where g is 0 its contribution is 0. One that mixes
    entries is guarded by a function: `guarded(chosen, *arguments, **options)` tells which entries of each argument went
    into the chosen ones of y. One that chooses between its arguments, or among their entries, `masks`.

    Arrays come read-only, for they belong to the graph.

    Raises TypeError when there are more rules than the function has arguments, or a rule does not take g, y and the
    arguments; UnsupportedError when the function or a rule writes into its arguments.

    >>> import autotiny as at
    >>> @at.operation(lambda g, y, x: g * 3 * x**2)
    ... def cube(x):
    ...     return x * x * x
    >>> at.grad(cube)(2.0)
    array(12.)
    """

    def decorate(forward: Function) -> Function:
        name = forward.__name__
        own = [rule and _reading(rule, f"{name}: a rule") for rule in (*rules, each)]
        enter = table.operation(*own[:-1], each=own[-1], notation=notation, kind="call", guarded=guarded, masks=masks)
        function = enter(forward)
        OPS[function].forward = _reading(forward, f"{name}: the function")
        return function

    return decorate


def _reading(function: Function, who: str) -> Function:
    """The function, with arrays that it cannot write into."""

    @functools.wraps(function)
    def reading(*args: Any, **kwargs: Any) -> Any:
        try:
            result = function(*map(_read_only, args), **kwargs)
        except ValueError as error:
            if "read-only" not in str(error):
                raise
            raise UnsupportedError(f"{who} writes into its arguments, which belong to the graph; copy first") from error
        return result.view() if type(result) is np.ndarray else result  # its owner may keep it

    return reading


def _read_only(value: Any) -> Any:
    if type(value) is not np.ndarray:
        return value
    view = value.view()
    view.flags.writeable = False
    return view
