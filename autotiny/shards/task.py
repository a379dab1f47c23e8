"""What runs where a shard is: load it, weigh it, take the step; an error there names the shard."""

import functools
import inspect
import math
import reprlib
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from autotiny.errors import ShardError, UnsupportedError
from autotiny.shards.threads import one_thread, scipy_is_loaded


class Outcome(NamedTuple):
    """What the step returned for one shard."""

    number: int
    weight: float
    value: Any


class Task(NamedTuple):
    """The step with its parameters: a function of (number, shard) that any engine can map."""

    step: Callable[..., Any]
    params: tuple[Any, ...]
    weight: Callable[..., Any] | None

    def __call__(self, numbered: tuple[int, Any]) -> Outcome:
        """Return the outcome of one shard; raise ShardError for what fails, so that the engine may try it again."""
        number, shard = numbered
        try:
            known = scipy_is_loaded()
            outcome = self.outcome(number, shard)
            return outcome if known == scipy_is_loaded() else self.outcome(number, shard)  # its products had threads
        except Exception as error:
            what = f"shard {number}, {described(shard)}"
            raise ShardError(f"over_shards: {what}: {type(error).__name__}: {error}", number, error) from error

    def outcome(self, number: int, shard: Any) -> Outcome:
        """Return the outcome of one shard, computed on one thread."""
        with one_thread():
            arrays = loaded(shard)
            weight = 1.0 if self.weight is None else weighed(self.weight, arrays)
            return Outcome(number, weight, self.step(*self.params, *arrays))


def loaded(shard: Any) -> Any:
    """Return the arrays of a shard, which is a tuple of them or a function that loads one."""
    arrays = shard() if callable(shard) else shard
    if not isinstance(arrays, tuple | list):
        got = f"the function returned {described(arrays)}" if callable(shard) else f"got {described(arrays)}"
        raise UnsupportedError(
            f"expected a tuple of arrays, such as (X, Y) or (X,), or a function that returns one; {got}"
        )
    return arrays


def weighed(weight: Callable[..., Any], arrays: Any) -> float:
    """Return the weight of a loaded shard, a positive number."""
    value = weight(arrays) if takes_one_argument(weight) else weight(*arrays)
    number = np.asarray(value)
    if number.shape or number.dtype.kind not in "iuf":
        raise UnsupportedError(f"the weight must be a number, such as the number of examples; got {described(value)}")
    if not 0 < number < math.inf:
        mend = "; leave out shards without examples" if number == 0 else ""
        raise UnsupportedError(f"the weight must be positive and finite; got {value}{mend}")
    return float(number)


def takes_one_argument(function: Callable[..., Any]) -> bool:
    """Whether a function can be called with one argument; true where Python cannot tell."""
    try:
        inspect.signature(function).bind(None)
    except TypeError:
        return False
    except ValueError:
        return True
    return True


def described(value: Any) -> str:
    """Return what a shard is, in a few words.

    >>> described((np.zeros((4, 2)), "train", functools.partial(max, 3)))
    "(float64 (4, 2), 'train', max(3))"
    """
    if isinstance(value, tuple | list):
        return f"({', '.join(map(described, value[:4]))}{', ...' if len(value) > 4 else ''})"
    if isinstance(value, dict):
        return f"a dict with {', '.join(map(repr, list(value)[:4]))}{', ...' if len(value) > 4 else ''}"
    if hasattr(value, "dtype") and hasattr(value, "shape"):
        return f"{value.dtype} {value.shape}"
    if isinstance(value, functools.partial):
        named = [f"{name}={described(each)}" for name, each in value.keywords.items()]
        return f"{described(value.func)}({', '.join([*map(described, value.args), *named])})"
    if inspect.isroutine(value):
        return str(value.__qualname__)
    return _short.repr(value)


_short = reprlib.Repr()
_short.maxstring = _short.maxother = 80
