"""Other points at which a typed formula is tried: values of the same kind as the recorded ones, and gradients there.

A textbook's formula may hold for symmetric matrices only, or for orthogonal, triangular or stochastic ones; so a value
that is of such a kind is replaced by one of that kind. Zeros and ones, as parameters begin with, are of no kind.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from autotiny.algebra.term import Term, value_of
from autotiny.derivation.program import in_order
from autotiny.engine.gradients import gradients
from autotiny.engine.pytree import tree_map
from autotiny.engine.recording import record
from autotiny.engine.tensor import Tensor

Array = NDArray[Any]
Random = np.random.Generator


# ----- any values -----
def moved(value: Any, rng: Random) -> Any:
    """Every entry times a random factor; zeros become small numbers, and complex entries are turned."""
    entries = np.asarray(value)
    noise = rng.normal(size=entries.shape)
    turned = np.exp(1j * rng.normal(size=entries.shape)) if entries.dtype.kind == "c" else 1.0
    return np.where(entries == 0, 0.1 * noise, entries * np.exp(0.3 * noise) * turned).astype(entries.dtype)


# ----- kinds -----
class Kind(NamedTuple):
    """A kind of values: its name, whether an array is of it, and another array of it, made of a moved one.

    `weaker` are kinds that it is a case of.
    """

    name: str
    holds: Callable[[Array], bool]
    another: Callable[[Array, Random], Array]
    weaker: "tuple[Kind, ...]" = ()


def _square(x: Array) -> bool:
    return x.ndim == 2 and x.shape[0] == x.shape[1] > 1


def _symmetric(x: Array) -> bool:
    return _square(x) and np.allclose(x, np.conj(x.T), rtol=1e-12, atol=0)


def _positive_definite(x: Array) -> bool:
    return _symmetric(x) and bool(np.all(np.linalg.eigvalsh(x) > 1e-9 * np.max(np.abs(x))))


def _orthogonal(x: Array) -> bool:
    return _square(x) and not _diagonal(x) and np.allclose(x.conj().T @ x, np.eye(len(x)), atol=1e-10)


def _diagonal(x: Array) -> bool:
    return _square(x) and np.count_nonzero(x) == np.count_nonzero(np.diag(x))


def _skew(x: Array) -> bool:
    return _square(x) and bool(np.any(x)) and np.allclose(x, -np.conj(x.T), rtol=1e-12, atol=0)


def _sums_to_one(axis: int | None) -> Callable[[Array], bool]:
    def holds(x: Array) -> bool:
        fits = x.ndim == (1 if axis is None else 2) and x.shape[axis or 0] > 1 and x.dtype.kind == "f"
        return fits and np.allclose(np.sum(x, axis=axis), 1, rtol=0, atol=1e-12)

    return holds


def _triangular(x: Array, part: Callable[[Array], Array]) -> bool:
    return _square(x) and not _diagonal(x) and np.array_equal(part(x), x)


def _signs(x: Array) -> bool:
    return x.size > 1 and set(np.unique(x).tolist()) == {-1.0, 1.0}


def _truths(x: Array) -> bool:
    return x.size > 1 and set(np.unique(x).tolist()) == {0.0, 1.0} and not _symmetric(x)


def _sorted(x: Array) -> bool:
    return x.ndim == 1 and x.size > 2 and bool(np.all(np.diff(x) > 0))


def _other_signs(x: Array, rng: Random) -> Array:
    return np.where(rng.random(x.shape) < 0.5, -1.0, 1.0)


def _other_whole_numbers(x: Array, rng: Random) -> Array:
    return np.where(x < 0, -1, 1) * (np.maximum(np.rint(np.abs(x)), 1) + rng.integers(0, 3, x.shape))


def _shuffled(x: Array, rng: Random) -> Array:
    return rng.permutation(x, axis=0)


def _positive_part(x: Array, rng: Random) -> Array:
    values, vectors = np.linalg.eigh((x + np.conj(x.T)) / 2)
    size = np.max(np.abs(values))
    return (vectors * np.maximum(np.abs(values), 0.05 * size)) @ np.conj(vectors.T)


def _normalised(axis: int | None) -> Callable[[Array, Random], Array]:
    return lambda x, rng: x / np.sum(x, axis=axis, keepdims=axis is not None)


SYMMETRIC = Kind("symmetric", _symmetric, lambda x, rng: (x + np.conj(x.T)) / 2)
KINDS = (
    Kind("orthogonal", _orthogonal, lambda x, rng: np.linalg.qr(x + 0.5 * rng.normal(size=x.shape))[0]),
    Kind("positive definite", _positive_definite, _positive_part, (SYMMETRIC,)),
    SYMMETRIC,
    Kind("skew-symmetric", _skew, lambda x, rng: (x - np.conj(x.T)) / 2),
    Kind("lower triangular", lambda x: _triangular(x, np.tril), lambda x, rng: np.tril(x)),
    Kind("upper triangular", lambda x: _triangular(x, np.triu), lambda x, rng: np.triu(x)),
    Kind("of signs", _signs, _other_signs),
    Kind("of zeros and ones", _truths, _shuffled),
    Kind("of columns that sum to 1", _sums_to_one(0), _normalised(0)),
    Kind("of rows that sum to 1", _sums_to_one(1), _normalised(1)),
    Kind("of entries that sum to 1", _sums_to_one(None), _normalised(None)),
    Kind("of whole numbers", lambda x: x.size > 1 and np.array_equal(x, np.rint(x)), _other_whole_numbers),
    Kind("sorted", _sorted, lambda x, rng: np.sort(x)),
)


def kind_of(value: Any) -> Kind | None:
    """Return the kind of an array; None if it is of none, or holds one number only.

    >>> kind_of(np.array([[2.0, 1.0], [1.0, 2.0]])).name, kind_of(np.ones((2, 2))), kind_of(np.array([0.2, 0.8])).name
    ('positive definite', None, 'of entries that sum to 1')
    """
    array = np.asarray(value)
    if array.dtype.kind not in "fc" or array.size < 2 or not np.all(np.isfinite(array)):
        return None
    if np.all(array == array.flat[0]):
        return None
    return next((kind for kind in KINDS if kind.holds(array)), None)


def another(value: Any, rng: Random, kind: Kind | None = None) -> Any:
    """Another value of a kind, of similar size."""
    array = np.asarray(value)
    result = moved(array, rng)
    if kind is None:
        return result
    start = array if kind.name in ("of signs", "of zeros and ones") else result
    return kind.another(start, rng).astype(array.dtype)


# ----- gradients -----
def _is_entrywise(part: Term) -> bool:
    return part.op is not None and (part.op.has("elementwise") or isinstance(part.op.function, np.ufunc))


class Gradients:
    """The gradients of a run's output by its tensors, at any point.

    Of an output that is a vector there is a Jacobian, and `seed` is the vector v of vᵀ J.
    """

    def __init__(self, output: Term, definitions: Mapping[Term, Term], tracked: Iterable[Term]) -> None:
        self.output, self.definitions, self.tracked = output, definitions, set(tracked)
        self.seed = np.random.default_rng(0).normal(size=output.shape)
        is_number = output.size == 1
        self.seed_names = frozenset[str]() if is_number else frozenset({"v"} - {str(term.name) for term in definitions})

    def at(self, point: Mapping[Term, Any], wanted: Sequence[Term]) -> dict[Term, Any]:
        """The gradient by each tensor that is wanted; backprop computes it from the values of what nothing defines."""
        if not wanted or self.output.size != 1:
            return {}
        made: dict[Term, Any] = {}
        for term in in_order([self.output], self.definitions):
            made[term] = self._made(term, made, point)
        there = [x for x in dict.fromkeys(wanted) if isinstance(made.get(x), Tensor) and made[x].requires_grad]
        if not isinstance(made[self.output], Tensor):
            return {}
        pulled = gradients(made[self.output], [made[x] for x in there])
        return {x: g.value for x, g in zip(there, pulled, strict=True)}

    def slopes(self, x: Term, point: Mapping[Term, Any]) -> Iterator[tuple[Term, Any]]:
        """Yield each result of a function of one tensor, entry by entry, with its derivative."""
        for result, made in self.definitions.items():
            parts = [part for part in in_order([made], {}) if part.op is not None]
            inputs = {part for part in in_order([made], {}) if part.name is not None}
            if inputs == {x} and made.shape == x.shape and all(_is_entrywise(part) for part in parts):
                tensor, known = Tensor(point.get(x, x.value)), dict[Term, Any]()
                for part in in_order([made], {}):
                    known[part] = tensor if part is x else self._made(part, known, point)
                yield result, gradients(np.sum(known[made]), [tensor])[0].value

    def _made(self, term: Term, made: Mapping[Term, Any], point: Mapping[Term, Any]) -> Any:
        if term in self.definitions:
            return made[self.definitions[term]]
        if term.op is None:
            value = point.get(term, term.value)
            return Tensor(value) if term in self.tracked else value
        args = [made[arg] for arg in term.args]
        options = tree_map(lambda part: made[part] if isinstance(part, Term) else value_of(part), dict(term.kwargs))
        if term.op.rules and any(isinstance(arg, Tensor) for arg in args):
            return record(term.op, tuple(args), options)
        return term.op.forward(*(arg.value if isinstance(arg, Tensor) else arg for arg in args), **options)
