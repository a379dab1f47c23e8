"""at.over_shards: a step mapped over the shards of data that is larger than a machine."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

import numpy as np

from autotiny.errors import AutotinyError, ShardError, UnsupportedError
from autotiny.shards.engines import mapping, outcome
from autotiny.shards.task import Outcome, Task, described
from autotiny.shards.total import Total

Result = TypeVar("Result")


def over_shards(
    step: Callable[..., Result],
    shards: Iterable[Any],
    params: tuple[Any, ...],
    map: Any = map,  # noqa: A002 - the built-in one by default
    weight: Callable[..., Any] | None = None,
) -> Result:
    """Return Σ step(*params, *shard) over the shards, or with `weight` Σ w step(*params, *shard) / Σ w.

    step : a function, of which at.value_and_grad, at.compile, ... may have made another. What it returns is a number,
        an array or a tree of them, as is the result: value and gradients, with their types.
    shards : tuples of arrays, or functions that load one where it runs: a slice of a memory map, a chunk, a file.
    params : the tuple of the first arguments of step.
    map : a function like the built-in map (executor.map, pool.imap, client.map), which may return outcomes in any
        order, or futures; or the engine: a pool, an executor, joblib.Parallel(...), Dask's client, the module ray. They
        pickle the step and hold few shards at a time; a shard that fails is tried again as the engine is set to.
    weight : a function of the loaded shard, or of its arrays if it has several parameters: the number of examples. A
        loss that is a mean needs it.

    The sum is in the order of the shards, and matrix products run on one thread in each, so its bits are those of the
    built-in map on the same kind of machine.

    Raises ShardError, with the number of the shard and the original error as its cause, where a shard fails or its
    weight is not positive; ShapeError where shards return different trees or shapes; UnsupportedError for no shards.

    >>> import autotiny as at
    >>> X, y = np.array([[1.0], [2.0], [4.0]]), np.array([2.0, 4.0, 9.0])
    >>> step = at.value_and_grad(lambda w, X, y: np.mean((X @ w - y) ** 2))
    >>> shards = [(X[:2], y[:2]), (X[2:], y[2:])]
    >>> over_shards(step, shards, (np.array([2.0]),), weight=lambda shard: len(shard[1]))
    (array(0.33333333), array([-2.66666667]))
    >>> step(np.array([2.0]), X, y)
    (array(0.33333333), array([-2.66666667]))
    """
    total: Total | None = None
    for each in outcomes(step, shards, params, map, weight):
        if total is None:
            total = Total(each, weighted=weight is not None)
        else:
            total.add(each)
    if total is None:
        raise UnsupportedError("over_shards: there are no shards, so there is nothing to add up")
    result: Result = total.result()
    return result


def outcomes(
    step: Callable[..., Any],
    shards: Iterable[Any],
    params: tuple[Any, ...] = (),
    map: Any = map,  # noqa: A002
    weight: Callable[..., Any] | None = None,
) -> Iterator[Outcome]:
    """Yield what the step returns for each shard, in their order; the arguments are those of over_shards."""
    _require_arguments(step, shards, params, weight)
    numbered, done = Numbered(shards), 0
    for each in _in_order(_results(mapping(map), Task(step, tuple(params), weight), numbered)):
        done += 1
        yield each
    if done != numbered.count or numbered.has_more():
        raise UnsupportedError(
            f"over_shards: map returned the outcomes of {done} shards and there are more; it must call the function "
            "with each item, as the built-in map does"
        )


def _require_arguments(step: Any, shards: Any, params: Any, weight: Any) -> None:
    if not callable(step):
        raise UnsupportedError(f"over_shards: step must be a function; got {described(step)}")
    if not isinstance(params, tuple | list):
        raise UnsupportedError(
            f"over_shards: params must be a tuple of the first arguments of step; got {described(params)}: "
            "write (params,) if it is one argument"
        )
    donated = [i for i in getattr(step, "donate", ()) if i < len(params)]
    if donated:
        raise UnsupportedError(
            f"over_shards: step writes into argument {donated[0]}, which every shard needs: compile it without donate="
        )
    if not isinstance(shards, Iterable) or isinstance(shards, np.ndarray | str | dict):
        raise UnsupportedError(
            f"over_shards: shards must be a sequence of tuples of arrays, or of functions that load one; got "
            f"{described(shards)}"
        )
    if weight is len or (weight is not None and not callable(weight)):
        got = "len counts the arrays of a shard" if weight is len else f"got {described(weight)}"
        raise UnsupportedError(
            "over_shards: weight must be a function of the loaded shard, such as lambda shard: len(shard[0]) where an "
            f"example is a row; {got}"
        )


class Numbered:
    """The shards with their numbers, none of which is held after it was handed over.

    It is an iterable rather than an iterator, which Dask's client would refuse.
    """

    def __init__(self, shards: Iterable[Any]) -> None:
        self.shards, self.count = iter(shards), 0

    def __iter__(self) -> Iterator[tuple[int, Any]]:
        return iter(self._next, self)

    def _next(self) -> Any:
        try:
            shard = next(self.shards)
        except StopIteration:
            return self
        self.count += 1
        return self.count - 1, shard

    def has_more(self) -> bool:
        """Whether a shard was not asked for."""
        return self._next() is not self


def _results(mapped: Any, task: Task, numbered: Numbered) -> Iterator[Outcome]:
    """Yield what the engine gives, and restore the cause of an error that came from another process."""
    arrived = 0
    try:
        for result in mapped(task, numbered):
            each = outcome(result)
            if not isinstance(each, Outcome):
                raise UnsupportedError(
                    "over_shards: map must return what the function returns for each shard; it returned "
                    f"{described(each)}"
                )
            arrived += 1
            yield each
    except ShardError as error:
        failure = getattr(error, "cause", error)  # Ray's error has ours
        if failure.original is not error.__cause__:
            failure.original.__cause__ = error.__cause__  # the engine's, with the traceback of the other process
        raise failure from failure.original
    except AutotinyError:
        raise
    except Exception as error:
        error.add_note(f"over_shards: the outcomes of {arrived} shards had arrived")
        if "pickle" in str(error):
            error.add_note(
                "over_shards: processes get the step, the weight and what loads a shard by pickle: define them at the "
                "top level of a module; joblib and Dask take lambdas and local functions as well"
            )
        raise


def _in_order(results: Iterator[Outcome]) -> Iterator[Outcome]:
    """Yield the outcomes in the order of shards; those that are early wait."""
    early: dict[int, Outcome] = {}
    expected = 0
    for each in results:
        if each.number < expected or each.number in early:
            raise UnsupportedError(f"over_shards: map returned the outcome of shard {each.number} twice")
        early[each.number] = each
        while expected in early:
            yield early.pop(expected)
            expected += 1
