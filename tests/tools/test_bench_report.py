import json
from dataclasses import replace

import pytest

import bench_record
import bench_report
from bench_record import Record
from bench_timing import Cell
from bench_works import WORKS

FIRST, CHAIN = WORKS[0].name, "chain 10^6 float64"


def record(ratio=0.46, noise=0.01, **machine):
    cells = {
        "NumPy by hand": Cell(seconds=20.8e-6, ratio=1.0, first=1e-4, memory=1000),
        "its products alone": Cell(seconds=5e-6, ratio=0.24),
        "autotiny numpy": Cell(seconds=10e-6, ratio=ratio, noise=noise, first=0.05, memory=2_000_000),
        "PyTorch": Cell("not installed", "torch"),
        "JAX jit": Cell("wrong", "array 1 differs from NumPy's by 1.0e-02"),
    }
    about = {"processor": "A, AVX2", "cores": 2, "threads": 1, "system": "Linux", "python": "3.11.7"} | machine
    return Record(about, {"numpy": "2.4.0"}, {FIRST: cells}, {"entries": {100: cells}}, {"seconds to import": 0.0135})


def test_a_table_has_the_baselines_time_ratios_and_why_there_are_none():
    lines = bench_report.text_table(record(), "one call", bench_report.speed).splitlines()
    assert [line.split() for line in lines[:3]] == [["one", "call", "4-16-3"], ["m=32"], ["float64"]]
    assert {line[:28].strip(): line[28:].strip() for line in lines[3:] if "reach" not in line} == {
        "NumPy by hand": "20.8 µs",
        "its products alone": "0.24",
        "autotiny numpy": "0.46",
        "PyTorch": "not installed",
        "JAX jit": "wrong",
    }
    assert [line.split() for line in lines if "reach" in line] == [["to", "reach", "0.45"]]


def test_the_report_says_the_distance_to_the_limits_and_what_went_wrong():
    text = bench_report.report(record())
    assert f"{FIRST}: autotiny numpy takes 0.46 of NumPy by hand, its products alone 0.24" in text
    assert f"{FIRST}, JAX jit: wrong: array 1 differs from NumPy's by 1.0e-02" in text
    assert "100 entries, JAX jit: wrong" in text
    assert "seconds to import: 13.5 ms" in text
    assert "2 MB" in text


def test_a_record_is_read_as_it_was_written(tmp_path):
    record().save(tmp_path / "run.json")
    assert Record.load(tmp_path / "run.json") == record()


def test_numbers_are_kept_with_five_digits(tmp_path):
    replace(record(), costs={"seconds": 1 / 3}).save(tmp_path / "run.json")
    assert json.loads((tmp_path / "run.json").read_text())["costs"] == {"seconds": 0.33333}


@pytest.mark.parametrize(
    ("ratio", "noise", "words"),
    [
        (0.31, 0.01, "0.46 -> 0.31  ± 0.020  ▼"),
        (0.61, 0.01, "0.46 -> 0.61  ± 0.020  ▲"),
        (0.48, 0.02, "0.46 -> 0.48  ± 0.030"),
        (0.465, 0.0, "0.46 -> 0.47  ± 0.010"),
    ],
)
def test_changes_beyond_the_noise_of_both_runs_are_marked(ratio, noise, words):
    lines = bench_report.comparison(record(), record(ratio, noise)).splitlines()
    (line,) = [line for line in lines if "autotiny numpy" in line]
    assert line.endswith(words)


def test_a_cell_that_became_wrong_is_marked():
    assert bench_report.change(Cell(ratio=0.5), Cell("wrong")) == "0.50 -> wrong  *"


def test_a_comparison_names_another_processor_and_version():
    other = record(processor="B, AVX-512")
    other.versions["numpy"] = "2.0.0"
    lines = bench_report.comparison(other, record()).splitlines()
    assert lines[0] == "the earlier run is of another processor: B, AVX-512, now A, AVX2"
    assert lines[1] == "numpy 2.0.0 -> 2.4.0"


@pytest.mark.parametrize(
    ("seconds", "words"), [(5.78e-5, "57.8 µs"), (9.8e-7, "0.98 µs"), (0.0146, "14.6 ms"), (2.314, "2.31 s")]
)
def test_durations_have_their_unit(seconds, words):
    assert bench_report.duration(seconds) == words


@pytest.mark.parametrize(
    ("cpuinfo", "name"),
    [
        ("model name\t: Intel(R) Xeon(R)   CPU\nflags\t\t: fpu avx2 avx512f\n", "Intel Xeon CPU, AVX-512"),
        ("model name\t: AMD EPYC 7763\nflags\t\t: fpu avx2\n", "AMD EPYC 7763, AVX2"),
        ("model name\t: Old\nflags\t\t: fpu\n", "Old"),
    ],
)
def test_the_processor_is_named_with_its_widest_vectors(tmp_path, monkeypatch, cpuinfo, name):
    (tmp_path / "cpuinfo").write_text(cpuinfo)
    monkeypatch.setattr(bench_record, "CPUINFO", tmp_path / "cpuinfo")
    assert bench_record.processor() == name
