import numpy as np
import pytest

import bench
from bench_costs import bytes_per_operation, import_seconds
from bench_engines import ENGINES, Engine
from bench_timing import require_same_numbers
from bench_works import WORKS, growth

OURS = [engine for engine in ENGINES if engine.module == "bench_autotiny"]
SMALL = [*(work for work in WORKS if "1024" not in work.name), *(work for _, size, work in growth(100))]


def numbers(engine, problem, steps=3):
    side = engine.side(problem)
    for _ in range(steps):
        side.step()
    return list(map(np.copy, side.numbers()))


@pytest.mark.parametrize("work", SMALL, ids=lambda work: work.name)
def test_autotiny_gives_the_hand_written_numbers(work):
    by_hand = numbers(ENGINES[0], work.problem)
    for engine in OURS:
        if engine.does(work) and not engine.missing() and "numba" not in engine.name:
            require_same_numbers(numbers(engine, work.problem), by_hand, work.problem.tolerance)


@pytest.mark.parametrize("work", SMALL, ids=lambda work: work.name)
def test_hand_written_numbers_are_finite_and_not_all_zero(work):
    for a in numbers(ENGINES[0], work.problem, steps=1):
        assert np.all(np.isfinite(a))
        assert np.any(a != 0)


def test_every_engine_has_a_side_of_each_work_that_it_does():
    for engine in ENGINES:
        if not engine.missing():
            sides = engine.load()
            assert {problem.kind for problem in sides} >= set(engine.kinds)


def test_an_engine_names_the_libraries_that_it_misses():
    assert Engine("other", "bench_tapes", needs=("numpy", "a_library_that_nobody_has")).missing() == [
        "a_library_that_nobody_has"
    ]


def test_an_unknown_work_is_an_error_that_names_the_works():
    with pytest.raises(SystemExit, match="--only convolution: no such work; there are growth, costs, 4-16-3"):
        bench.main(["--only", "convolution"])


def test_options_that_are_unknown_are_refused(capsys):
    with pytest.raises(SystemExit, match="2"):
        bench.main(["--rounds", "3"])
    assert "unrecognized arguments: --rounds" in capsys.readouterr().err


def test_bytes_of_an_operation_are_those_it_keeps():
    class Kilobyte:
        def __init__(self, _, parents=()):
            self.parents = parents
            self.data = bytes(1000)

        def __mul__(self, other):
            return Kilobyte(0, (self, other))

    assert 1000 < bytes_per_operation(Kilobyte) < 1500


def test_import_takes_time():
    numpy, autotiny, compiler = import_seconds(processes=1)
    assert min(numpy, autotiny, compiler) > 0
