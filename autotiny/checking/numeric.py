"""The numeric gradient of a recorded number by any tensor of its graph, each value with an estimate of its own error.

Every entry of a small tensor is looked at, and a sample of a large one, along with some random directions.

Where every operation from the tensor to the loss is analytic, or has no more than kinks, a complex step tells the
derivative to rounding.  It is believed once it agrees with differences along a random direction; otherwise the
differences themselves are used. Both run in extended precision where the machine has one that is wider, except for long
products, which then cost too much, and for linear algebra, which NumPy has in double precision only;
the noise reflects it.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autotiny.checking.differences import NOWHERE, Sides, approach, random_direction, sides
from autotiny.checking.hull import Hull
from autotiny.checking.parts import as_parts, from_parts
from autotiny.checking.replaying import Replay
from autotiny.engine.tensor import Tensor, as_argument

Array = NDArray[Any]
Index = tuple[int, ...]
Call = Callable[[list[Tensor]], Any]
"""A function of the variables as new Tensors that returns a number."""

EVERY_ENTRY = {"complex step": 512, "differences": 64}
"""The largest size of a tensor all of whose entries are checked: differences take fifty replays, a complex step two."""

MOST_IN_STACKS, STACKED_WORK, STACK = 8192, {np.longdouble: 5e7, np.float64: 2e8}, 2**18
"""The same with many complex steps in one replay: the largest size; the largest number of multiplications by precision,
some tenths of a second; the number of values in a stack."""


class Calling:
    """Derivatives by one variable, by differences of calls; in extended precision where the function runs in it.

    The values of complex variables, and directions, are in parts (`as_parts`).

    A new call also shows the effect of values that were taken out of the graph with .data.
    """

    method = "differences"

    def __init__(self, call: Call, values: Sequence[Any], position: int) -> None:
        self.call, self.position = call, position
        self.whole, self.values = values, list(map(as_parts, values))
        self.real: Any = np.longdouble if self._runs_in(np.longdouble) else np.float64

    def along(self, direction: Any) -> Sides:
        """The derivative along a direction of the variable's shape."""
        return self.along_all([direction if i == self.position else 0.0 for i in range(len(self.values))])

    def entry(self, index: tuple[int, ...]) -> Sides:
        """The derivative by one entry."""
        direction = np.zeros(self.values[self.position].shape)
        direction[index] = 1
        return self.along(direction)

    def entries(self, indices: Iterable[Index]) -> dict[Index, Sides]:
        """The derivatives by several entries."""
        return {index: self.entry(index) for index in indices}

    def every_entry(self, at_kink: bool) -> int:
        """The largest size of a tensor all of whose entries are checked."""
        return EVERY_ENTRY[self.method]

    def along_all(self, directions: Sequence[Any]) -> Sides:
        """The derivative where every variable moves."""
        moving = [abs(x[np.broadcast_to(d, x.shape) != 0]) for x, d in zip(self.values, directions, strict=True)]
        scale = max((float(part.max(initial=0)) for part in moving), default=0.0) or 1.0
        return sides(lambda t: self.at(t, directions), scale, float(np.finfo(self.real).eps))

    def at(self, t: Any, directions: Sequence[Any]) -> Any:
        """The value where every variable has moved by t times a direction."""
        moved = [x.astype(self.real) + self.real(t) * d for x, d in zip(self.values, directions, strict=True)]
        return self._value(moved)

    def _runs_in(self, real: Any) -> bool:
        try:
            self._value([x.astype(real) for x in self.values])
        except TypeError:
            return False
        return True

    def _value(self, parts: list[Any]) -> Any:
        tensors = [as_argument(from_parts(x, whole)) for x, whole in zip(parts, self.whole, strict=True)]
        with np.errstate(all="ignore"):
            return self.call(tensors)


def agrees(call: Call, values: Sequence[Any], gradients: Sequence[Any], tolerance: float) -> bool:
    """Whether gradients, along one random direction, are the derivative of a function that is called again.

    Kinks may be crossed on the way, so only what no step explains is a disagreement.
    """
    rng, calling = np.random.default_rng(0), Calling(call, values, 0)
    directions = [random_direction(x.shape, rng) * np.where(x == 0, 1, abs(x)) for x in calling.values]
    gradients = list(map(as_parts, gradients))
    expected = float(sum(np.sum(g * d) for g, d in zip(gradients, directions, strict=True)))
    numeric = calling.along_all(directions)
    largest = float(sum(np.sum(abs(g * d)) for g, d in zip(gradients, directions, strict=True)))
    return not numeric.distance(expected) > 4 * numeric.noise + tolerance * largest


def jumps(call: Call, values: Sequence[Any]) -> bool:
    """Whether a function jumps at a point: beside it, its change does not become smaller with the distance."""
    rng, calling = np.random.default_rng(0), Calling(call, values, 0)
    directions = [random_direction(x.shape, rng) * np.where(x == 0, 1, abs(x)) for x in calling.values]
    here = calling.at(0.0, directions)
    for sign in (1, -1):
        far, near = (abs(float(calling.at(sign * t, directions) - here)) for t in (2.0**-16, 2.0**-26))
        if near > far / 2 and near > 2.0**-10 * abs(float(here)) * float(np.finfo(calling.real).eps) ** 0.5:
            return True
    return False


STEP = 2.0**-300
"""A power of two, so that division by it is exact, whose square is negligible beside any number."""

SAFETY = 16

LARGE = 1e6
"""Derivatives of this size are looked at again: they may be infinite."""


class Numeric:
    """Derivatives of a replay along any direction; points and directions of a complex x are in parts (`as_parts`).

    conditioning : how far the gradient moves when every value in the graph moves by one relative unit; the rounding of
        the replay itself is judged by it.
    """

    def __init__(self, replay: Replay, conditioning: float, seed: int = 0) -> None:
        self.replay, self.conditioning = replay, conditioning
        self.point = as_parts(np.asarray(replay.x.value))
        self.method = "differences"
        if replay.analytic and self._complex_step_agrees(seed):
            self.method = "complex step"

    @property
    def eps(self) -> float:
        """The rounding of the replay's precision."""
        return float(np.finfo(self.replay.real).eps)

    def along(self, direction: Any) -> Sides:
        """The derivative along a direction of x's shape."""
        return self._by_complex_step(direction) if self.method == "complex step" else self._by_differences(direction)

    def entry(self, index: tuple[int, ...]) -> Sides:
        """The derivative by one entry."""
        direction = np.zeros(self.point.shape)
        direction[index] = 1
        return self.along(direction)

    def every_entry(self, at_kink: bool) -> int:
        """The largest size of a tensor all of whose entries are checked."""
        if at_kink or self.method != "complex step":
            return EVERY_ENTRY[self.method]
        in_stacks = STACKED_WORK[self.replay.real] / max(self.replay.work(), 1)
        return max(EVERY_ENTRY[self.method], min(MOST_IN_STACKS, int(in_stacks)))

    def entries(self, indices: Sequence[Index]) -> dict[Index, Sides]:
        """The derivatives by several entries."""
        if self.method != "complex step":
            return {index: self.entry(index) for index in indices}
        count = max(1, STACK // self.replay.largest)
        parts = [indices[i : i + count] for i in range(0, len(indices), count)]
        return {index: each for part in parts for index, each in zip(part, self._by_complex_steps(part), strict=True)}

    def _by_complex_steps(self, indices: Sequence[Index]) -> Iterator[Sides]:
        """The derivatives by entries, all of them in one replay where none is at a kink, infinite or nan."""
        moved = np.tile(self.point.astype(self.replay.complex), (len(indices), *(1,) * self.point.ndim))
        moved[(np.arange(len(indices)), *np.transpose(indices))] += self.replay.complex(1j * STEP)
        outputs = self.replay.steps(moved)
        derivatives = [np.nan] * len(indices) if outputs is None else np.imag(outputs) / STEP
        for index, derivative in zip(indices, derivatives, strict=True):
            if abs(derivative) < LARGE:
                noise = SAFETY * self.eps * (self.conditioning + abs(derivative))
                yield Sides(derivative, derivative, noise)
            else:
                yield self.entry(index)

    def _by_complex_step(self, direction: Any) -> Sides:
        right, at_kink = self._imaginary(direction)
        left, convention = right, None
        if at_kink:
            left = -self._imaginary(-direction)[0]
            convention = self._imaginary(direction, by_convention=True)[0]
        length = float(np.linalg.norm(direction))
        noise = SAFETY * self.eps * (self.conditioning * length + max(abs(left), abs(right)))
        if not np.isfinite(left + right) or self._grows_with_smaller_steps(direction, right):
            return NOWHERE
        return Sides(left, right, noise, convention)

    def _imaginary(self, direction: Any, step: float = STEP, by_convention: bool = False) -> tuple[Any, bool]:
        """The derivative along a direction by one complex step, and whether that met a kink."""
        moved = self.point.astype(self.replay.complex) + self.replay.complex(1j * step) * direction
        output, at_kink = self.replay.step(moved, by_convention)
        return np.imag(output) / step, at_kink

    def _grows_with_smaller_steps(self, direction: Any, derivative: float) -> bool:
        """Whether the derivative is infinite, as that of a root at 0."""
        return abs(derivative) > LARGE and abs(self._imaginary(direction, STEP / 1024)[0] / derivative - 1) > 1e-3

    def _by_differences(self, direction: Any) -> Sides:
        return sides(self._line(direction), self.scale(direction), self.eps)

    def _line(self, direction: Any) -> Callable[[Any], Any]:
        """The replay as a function of how far x moves along a direction."""
        base, along = self.point.astype(self.replay.real), np.asarray(direction, self.replay.real)
        return lambda t: self.replay(base + self.replay.real(t) * along)

    def scale(self, direction: Any) -> float:
        """The size of the entries that move, no less than a thousandth of the largest one."""
        sizes = np.abs(self.point.astype(float))
        moving = sizes[np.asarray(direction) != 0].max(initial=0)
        return float(max(moving, sizes.max(initial=0) / 1024)) or 1.0

    def _complex_step_agrees(self, seed: int) -> bool:
        direction = random_direction(self.point.shape, np.random.default_rng(seed)) * self.relative()
        try:
            step = self._by_complex_step(direction)
        except (TypeError, ValueError):
            return False
        return step == NOWHERE or approach(self._line(direction), step, self.scale(direction), self.eps)

    def relative(self) -> Any:
        """Return steps in proportion to the entries, so that small ones do not leave their domain."""
        sizes = np.abs(self.point.astype(float))
        return np.where(sizes == 0, sizes.max(initial=0) or 1.0, sizes) / (sizes.max(initial=0) or 1.0)


# ----- evidence -----
DIRECTIONS, RANDOM, EXTREME, DIFFERING = 4, 12, 4, 32
"""The sample of a larger tensor: random directions, random entries, the largest and smallest, and the most doubtful."""


@dataclass
class Evidence:
    """Numeric derivatives by entry, and a description of the sample."""

    shape: tuple[int, ...]
    method: str
    sides: dict[Index, Sides] = field(default_factory=dict)
    coverage: str = ""

    def table(self, read: Any) -> Array:
        """Return `read(sides)` of each entry as an array of the tensor's shape, nan where it was not sampled."""
        values = np.full(self.shape, np.nan, np.longdouble)
        for index, each in self.sides.items():
            values[index] = read(each)
        return values

    @property
    def noise(self) -> float:
        """The largest noise of any derivative."""
        return max((float(each.noise) for each in self.sides.values()), default=0.0)


def gather(
    numeric: Numeric | Calling, autograd: Array, doubts: Array, moved: Sequence[Array], hull: Hull | None = None
) -> Evidence:
    """Return the numeric derivatives to compare with a gradient of autograd's.

    doubts : the difference of the closed form from it, entry by entry; 0 where they agree
    moved : the same gradient after rounding errors, by which the tolerance along a direction is judged
    hull : the gradients beside the point, where it is at a kink
    """
    evidence = Evidence(autograd.shape, numeric.method)

    def entry(index: Index) -> Sides:
        return numeric.entry(index) if hull is None else hull.include(index, numeric.entry(index))

    if autograd.size <= numeric.every_entry(at_kink=hull is not None):
        evidence.sides = numeric.entries(list(np.ndindex(autograd.shape)))
        if hull is not None:
            evidence.sides = {index: hull.include(index, each) for index, each in evidence.sides.items()}
        evidence.coverage = "every entry"
        return evidence
    rng = np.random.default_rng(0)
    chosen = list(dict.fromkeys(_entries(autograd, doubts, rng)))
    evidence.sides = {index: entry(index) for index in chosen}
    for _ in range(DIRECTIONS):
        direction = random_direction(autograd.shape, rng)
        if _residual(numeric, autograd, direction, hull) > _allowed(autograd, direction, moved):
            index = _culprit(numeric, autograd, direction, hull)
            evidence.sides[index] = entry(index)
            break
    evidence.coverage = f"{len(evidence.sides)} of {autograd.size} entries, {DIRECTIONS} random directions"
    return evidence


def hull_at_kink(numeric: Numeric, autograd: Array, moved: Sequence[Array]) -> Hull | None:
    """Return the gradients beside the point of a replay; None where it is not at a kink, or has complex values."""
    if numeric.replay.has_complex or not autograd.size or not np.all(np.isfinite(autograd)):
        return None
    scale = numeric.relative() * numeric.scale(np.ones(autograd.shape))
    probe = numeric.along(random_direction(autograd.shape, np.random.default_rng(0)) * scale)
    if (probe.left == probe.right and probe.convention is None) or not np.isfinite(probe.noise):
        return None

    def allowed(gradient: Array, direction: Array, eps: float) -> float:
        eps = max(float(np.finfo(autograd.dtype).eps), eps)
        return _allowed(autograd, direction, moved) + 4 * eps * float(np.sum(abs(gradient * direction)))

    return Hull(numeric.replay, numeric.along, allowed, scale)


def _entries(autograd: Array, doubts: Array, rng: np.random.Generator) -> Iterator[Index]:
    """Yield the entries that are most likely wrong, and some others."""
    sizes, shape = np.abs(autograd).ravel(), autograd.shape
    doubtful = np.flatnonzero(doubts.ravel() > 0)
    ascending = np.flatnonzero(sizes)[np.argsort(sizes[np.flatnonzero(sizes)])]
    by_doubt = doubtful[np.argsort(-doubts.ravel()[doubtful])]
    order: Iterable[int] = np.concatenate(
        [by_doubt[:DIFFERING], ascending[:EXTREME], ascending[-EXTREME:], rng.choice(sizes.size, RANDOM, replace=False)]
    )
    for flat in order:
        yield tuple(int(i) for i in np.unravel_index(flat, shape))


def _residual(numeric: Numeric | Calling, autograd: Array, direction: Array, hull: Hull | None) -> float:
    """Return autograd's error along a direction, beyond noise; of its gradient on that side, if this is a kink."""
    along, gradient = numeric.along(direction), autograd
    if not np.isfinite(along.noise):
        return 0.0
    if along.left != along.right or along.convention is not None:
        if hull is None:
            return 0.0
        gradient = hull.beside.gradient(direction)
    return abs(float(np.sum(gradient.astype(np.longdouble) * direction) - along.right)) - float(along.noise)


def _allowed(autograd: Array, direction: Array, moved: Sequence[Array]) -> float:
    spread = max(abs(float(np.sum((sample - autograd) * direction))) for sample in moved)
    eps = float(np.finfo(autograd.dtype).eps)
    return 16 * spread + 8 * eps * float(np.linalg.norm((autograd * direction).astype(float)))


def _culprit(numeric: Numeric | Calling, autograd: Array, direction: Array, hull: Hull | None) -> Index:
    """Find the wrong entry by bisection: it lies in the half with the larger residual."""
    candidates = np.arange(autograd.size)
    while len(candidates) > 1:
        halves = np.array_split(candidates, 2)
        residuals = []
        for half in halves:
            part = np.zeros(autograd.size)
            part[half] = direction.ravel()[half]
            residuals.append(_residual(numeric, autograd, part.reshape(autograd.shape), hull))
        candidates = halves[int(np.argmax(residuals))]
    return tuple(int(i) for i in np.unravel_index(candidates[0], autograd.shape))
