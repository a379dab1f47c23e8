import re
from itertools import pairwise

import pytest

import bench_publish
from bench_publish import END, README, START
from bench_record import Record
from bench_timing import Cell
from bench_works import WORKS

FIRST = WORKS[0].name


def record(**ratios):
    cells = {"NumPy by hand": Cell(seconds=20.8e-6, ratio=1.0)}
    cells |= {name.replace("_", " "): Cell(ratio=ratio) for name, ratio in ratios.items()}
    about = {"processor": "A (R) 7, AVX2", "cores": 2, "threads": 1, "system": "Linux", "python": "3.11.7"}
    return Record(about, {"numpy": "2.4.0"}, {FIRST: cells})


def test_readme_has_the_runs_that_are_kept():
    records = bench_publish.results()
    assert records
    text = README.read_text(encoding="utf-8")
    assert bench_publish.with_results(text, records) == text


def test_runs_that_are_kept_name_no_path():
    for file in bench_publish.RESULTS.glob("*.json"):
        assert not re.search(r"/(home|root|tmp|usr)/", file.read_text())


def test_only_what_is_between_the_marks_is_written():
    text = f"before\n\n{START}\n\nold\n\n{END}\n\nafter\n"
    new = bench_publish.with_results(text, [record()])
    assert new.startswith(f"before\n\n{START}\n\n**A (R) 7, AVX2**, one thread; Python 3.11.7, numpy 2.4.0:\n\n| |")
    assert new.endswith(f"\n\n{END}\n\nafter\n")
    assert "old" not in new
    assert bench_publish.with_results(new, [record()]) == new


def test_a_section_has_the_table_in_markdown():
    text = bench_publish.section(record(autotiny_numpy=0.46, PyTorch=4.8))
    assert f"| | {FIRST} |\n| --- | --- |\n| NumPy by hand | 20.8 µs |\n" in text
    assert "| autotiny numpy | 0.46 |\n| PyTorch | 4.80 |" in text
    assert "ahead" not in text


def test_a_section_says_where_a_peer_is_faster():
    text = bench_publish.section(record(autotiny_numpy=0.46, autotiny_eager=2.6, PyTorch=0.45, JAX_jit=0.12))
    assert text.endswith(f"A peer is ahead of all of autotiny's on {FIRST} (JAX jit 0.12, autotiny 0.46).")


def test_a_run_is_kept_by_its_processor():
    assert bench_publish.name_of_file(record()) == "a-r-7-avx2"


# ----- the picture -----


def words(svg):
    return re.findall(r"<text[^>]*>([^<]*)", svg)


def test_the_picture_is_that_of_the_runs_that_are_kept(tmp_path):
    picture = pytest.importorskip("bench_picture")
    pytest.importorskip("matplotlib")
    (latest,) = [run for run in bench_publish.results() if run.growth]
    picture.draw(latest, tmp_path / "growth.svg")
    fresh, committed = ((folder / "growth.svg").read_text() for folder in (tmp_path, bench_publish.PICTURES))
    assert words(fresh) == words(committed)
    assert {"autotiny eager", "PyTorch", "NumPy by hand"} <= set(words(fresh))


@pytest.mark.parametrize("heights", [[0.0, 0.5, 1.0], [0.5, 0.5, 0.5], [0.1, 0.11, 0.2, 0.9, 0.91], [0.4]])
def test_names_keep_their_order_and_a_distance(heights):
    picture = pytest.importorskip("bench_picture")
    moved = picture.apart(heights)
    assert all(b - a >= picture.APART - 1e-12 for a, b in pairwise(moved))
    assert sum(moved) == pytest.approx(sum(heights))
    if all(b - a >= picture.APART for a, b in pairwise(heights)):
        assert moved == heights
