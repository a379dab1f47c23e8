"""Hold the verdicts at kinks against hulls that are known by brute force, over random piecewise linear programs.

    python tools/checking_kinks.py [PROGRAMS]

Each program is evaluated where its kinks are. Its hull is that of the gradients at hundreds of points beside. No
verdict may call a gradient of the hull wrong, or one that is off it by 0.05 % right.
"""

import functools
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import autotiny as at
from autotiny.checking.hull import nearest

Steps = list[Callable[[Any], Any]]
OFF = 0.0005
BESIDE, NEIGHBOURS = 1e-5, 300

KINKED: Steps = [
    at.relu,
    np.abs,
    at.leaky_relu,
    lambda x: np.maximum(x, x[::-1]),
    lambda x: np.minimum(x, 0.5 * x),
    lambda x: np.clip(x, -1.0, 1.0),
    lambda x: x - np.max(x),
    lambda x: np.sort(x) * np.arange(1.0, x.size + 1),
    lambda x: at.relu(x) - 0.25 * at.relu(-x),
    lambda x: np.max(np.stack([x, x[::-1]]), axis=0),
]


def draw(rng: np.random.Generator) -> tuple[Callable[[Any], Any], Any]:
    """Draw a program of up to three kinked steps, and a point of whole numbers, on many of their kinks."""
    n = int(rng.integers(2, 5))
    steps: Steps = []
    for _ in range(rng.integers(1, 4)):
        steps.append(KINKED[rng.integers(len(KINKED))])
        if rng.random() < 0.5:
            steps.append(functools.partial(np.matmul, rng.integers(-2, 3, size=(n, n)).astype(float)))
    weights = rng.integers(1, 4, size=n) * rng.choice([-1.0, 1.0], n)

    def program(x: Any) -> Any:
        for step in steps:
            x = step(x)
        return np.sum(weights * x)

    return program, rng.integers(-1, 2, size=n).astype(float)


def corners(program: Callable[[Any], Any], point: Any, rng: np.random.Generator) -> Any:
    """Return the different gradients beside a point."""
    found: Counter[tuple[float, ...]] = Counter()
    for _ in range(NEIGHBOURS):
        sizes = 10.0 ** rng.uniform(-2, 0, point.size)
        direction = rng.choice([-1.0, 1.0], point.size) * sizes
        gradient: Any = at.grad(program)(point + BESIDE * direction)
        found[tuple((np.round(gradient, 9) + 0.0).tolist())] += 1
    return np.array(list(found))


def trial(number: int) -> Iterator[tuple[str, bool]]:
    """Yield the kind of each gradient that was compared for one program, and whether the verdict is right."""
    rng = np.random.default_rng(number)
    program, point = draw(rng)
    known = corners(program, point, rng)
    x = at.Tensor(point, name="x")
    loss = program(x)
    if len(known) < 2:
        return
    mixture = rng.dirichlet(np.ones(len(known))) @ known
    for kind, right in (("a gradient beside", known[rng.integers(len(known))]), ("a mixture", mixture)):
        yield kind, at.compare(loss, {x: right})["x"].outlier not in ("analytic", "autograd")
    direction = rng.normal(size=point.size)
    direction /= np.linalg.norm(direction)
    size = OFF * float(np.max(abs(known)))
    off = mixture + direction * (np.max(known @ direction) - mixture @ direction + size)
    yield "off by 0.05 %", at.compare(loss, {x: off})["x"].outlier == "analytic"
    own = at.gradients(loss, [x])[0].data
    away = float(np.max(abs(nearest(known, own) - own)))
    verdict = at.compare(loss, {}, wrt=[x])["x"].outlier
    if away < 1e-9:
        yield "autograd within", verdict is None
    elif away > size:
        yield "autograd's convention", verdict == "convention"


def rates(programs: int, first: int = 0) -> dict[str, tuple[int, int]]:
    """Return, for each kind of gradient, the number of right verdicts and of trials."""
    correct, tried = Counter[str](), Counter[str]()
    for number in range(first, first + programs):
        for kind, right in trial(number):
            correct[kind] += right
            tried[kind] += 1
    return {kind: (correct[kind], tried[kind]) for kind in tried}


def main() -> None:
    """Print the rates."""
    programs, start = int(sys.argv[1]) if len(sys.argv) > 1 else 1000, time.perf_counter()
    for kind, (right, tried) in sorted(rates(programs).items()):
        print(f"{kind:24} right in {right:5} of {tried:5}  {right / tried:8.3%}")
    print(f"{programs} programs in {time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
