import json
import sys

import numpy as np
import pytest

import bench
from bench_costs import bytes_per_operation, import_seconds
from bench_timing import Timing, require_same_numbers
from bench_works import numpy_two_layer


@pytest.mark.parametrize("work", list(bench.works()), ids=lambda work: work.name)
def test_autotiny_gives_the_hand_written_numbers(work):
    sides = {name: work.sides[name](work.problem) for name in ("NumPy", "autotiny", "compiled") if name in work.sides}
    require_same_numbers(sides, work.problem.tolerance)


@pytest.mark.parametrize("work", list(bench.works()), ids=lambda work: work.name)
def test_hand_written_numbers_are_finite_and_move(work):
    side = work.sides["NumPy"](work.problem)
    start = [np.copy(a) for a in side.numbers()]
    side.step()
    for before, after in zip(start, side.numbers(), strict=True):
        assert np.all(np.isfinite(after))
        assert not np.array_equal(before, after)


def test_a_line_shows_the_baseline_its_ratios_and_the_target():
    work = bench.Work("work", None, {"NumPy": numpy_two_layer, "autotiny": numpy_two_layer}, 1.5, compiled_target=0.5)
    timings = {"NumPy": Timing(57.81e-6, 1.0), "autotiny": Timing(80e-6, 1.384)}
    cells = bench.line(work, timings, ["NumPy", "autotiny", "JAX"]).split()
    assert cells == ["work", "57.8", "µs", "1.00", "1.38", "1.5", "0.5"]


def test_an_unknown_row_is_an_error_that_names_the_rows(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["bench.py", "--only", "convolution"])
    with pytest.raises(SystemExit, match="2"):
        bench.main()
    assert "--only convolution: no such row; there are costs, two-layer 4-16-3" in capsys.readouterr().err


def test_the_numbers_are_written_as_json(monkeypatch, tmp_path):
    file = tmp_path / "bench.json"
    monkeypatch.setattr(sys, "argv", ["bench.py", "--quick", "--only", "costs", "--json", str(file)])
    bench.main()
    assert json.loads(file.read_text())["costs"]["bytes autotiny"] > 0


def test_bytes_of_an_operation_are_those_it_keeps():
    class Kilobyte:
        def __init__(self, _, parents=()):
            self.parents = parents
            self.data = bytes(1000)

        def __mul__(self, other):
            return Kilobyte(0, (self, other))

    assert 1000 < bytes_per_operation(Kilobyte) < 1500


def test_import_takes_time():
    numpy, autotiny = import_seconds(processes=1)
    assert numpy > 0
    assert autotiny > 0
