"""Lines that repeat become loops: unrolled again, they are what they were."""

from collections.abc import Iterator, Sequence

import numpy as np
import pytest

pytest.importorskip("numba")

from autotiny.compiler.loops.rolling import Keys, Line, Loop, Nest, rolled

Lines = list[tuple[str, tuple[int, ...]]]


def roll(lines: Lines) -> list[Nest]:
    keys = Keys()
    return rolled([Line(keys[name], name, places) for name, places in lines], keys)


def unrolled(nests: Sequence[Nest], places: Sequence[int]) -> Iterator[tuple[str, tuple[int, ...]]]:
    at = 0
    for nest in nests:
        own = places[at : at + len(nest.places)]
        at += len(nest.places)
        if isinstance(nest, Line):
            yield nest.statement, tuple(own)
            continue
        for turn in range(nest.turns):
            yield from unrolled(nest.body, [x + turn * step for x, step in zip(own, nest.steps, strict=True)])


def back(nests: Sequence[Nest]) -> Lines:
    return list(unrolled(nests, [place for nest in nests for place in nest.places]))


OUTER = [("dw", (100 + 17 * i + j, i, 50 + j)) for i in range(16) for j in range(16)]
STEPS = [
    line
    for t in range(30)
    for line in [*(("z", (t * 40 + i, i)) for i in range(16)), ("x", (t * 40 + 33,)), ("y", (t,))]
]


@pytest.mark.parametrize(
    ("lines", "turns"),
    [
        ([("dx", (i, 9 - i)) for i in range(10)], [10]),
        (OUTER, [16, 16]),
        (STEPS, [30, 16]),
        ([("b", (9,)), *OUTER, ("b", (10,))], [16, 16]),
        ([("x", (i,)) for i in range(3)], []),
    ],
    ids=["backwards", "two loops", "a loop in a body", "beside lines", "too few"],
)
def test_what_repeats_by_equal_steps_is_a_loop(lines, turns):
    nests = roll(lines)
    assert back(nests) == lines
    found, loops = [], [nest for nest in nests if isinstance(nest, Loop)]
    while loops:
        found.append(loops[0].turns)
        loops = [nest for nest in loops[0].body if isinstance(nest, Loop)]
    assert found == turns


@pytest.mark.parametrize("seed", range(20))
def test_loops_unrolled_are_the_lines(seed):
    rng = np.random.default_rng(seed)
    lines: Lines = []
    for _ in range(int(rng.integers(1, 6))):
        body = [(str(rng.choice(["a", "b", "c"])), rng.integers(0, 50, 2)) for _ in range(int(rng.integers(1, 5)))]
        steps = rng.integers(-2, 3, (len(body), 2))
        for turn in range(int(rng.integers(1, 20))):
            slip = int(rng.random() < 0.05)
            lines += [
                (name, tuple((places + turn * step + slip).tolist()))
                for (name, places), step in zip(body, steps, strict=True)
            ]
    nests = roll(lines)
    assert back(nests) == lines
    assert len(nests) <= len(lines)
