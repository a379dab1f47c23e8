"""What a report looks like: in a terminal, on a page, and as a step curve."""

import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

import autotiny as at
from autotiny.checking.page import heat_map, shade


@pytest.fixture
def report():
    x = at.Tensor([0.3, 0.0, 2.0], name="x")
    W = at.Tensor(np.arange(1.0, 2501).reshape(50, 50) / 1000, name="W")
    wrong = np.cos(W.data)
    wrong[40, 3] = 1
    return at.compare(np.sum(np.abs(x)) + np.sum(np.sin(W)), {x: [1.0, 0.5, 1.0], W: wrong})


def test_the_table_shows_three_values_and_the_verdict(report):
    shown = repr(report).splitlines()
    assert [line.split()[0] for line in shown[1:3]] == ["x", "W"]
    assert "-1 | 1" in shown[1]
    assert shown[1].endswith("agrees")
    assert re.search(r"± \de-\d+ .*\[40, 3\] +analytic DIFFERS$", shown[2])
    assert report["W"].coverage == "every entry"


@pytest.mark.parametrize("name", ["W", "weights_of_the_output", "w" * 60])
@pytest.mark.parametrize("scale", [1.0, -1.23456789e-7])
def test_the_table_fits_a_terminal(name, scale):
    W = at.Tensor(np.arange(1.0, 26).reshape(5, 5), name=name)
    report = at.compare(np.sum(np.sin(W)) * scale, {W: np.cos(W.data) * scale * 1.5})
    rows = repr(report).splitlines()[:2]
    assert max(map(len, rows)) <= 80
    assert rows[1].endswith("analytic DIFFERS")


def test_a_table_that_fits_has_all_digits_and_shapes():
    x = at.Tensor(1.25, name="x")
    assert repr(at.compare(x * x, {x: 2.5})).splitlines()[0].split()[:2] == ["shape", "analytic"]


def test_of_one_row_the_error_is_said_once():
    x = at.Tensor(1.25, name="x")
    *_, said = repr(at.compare(x * x, {x: 3.5})).splitlines()
    assert said == "x: closed form and autograd differ"


def test_the_table_says_which_entries_of_a_large_tensor_were_looked_at():
    W = at.Tensor(np.ones((100, 100)), name="W")
    report = at.compare(np.sum(np.sin(W)), {W: np.cos(W.data)})
    assert "the numeric side looked at W 20 of 10000 entries, 4 random directions" in repr(report)


def test_verdicts_are_told_by_sign_and_word_and_errors_by_number_beside_their_shade(report):
    page = report._repr_html_()
    assert "✓ agrees" in page
    assert "<strong>✗ analytic DIFFERS</strong>" in page
    for row in report.rows:
        assert f">{row.error:.1e}</td>" in page


def test_shades_go_with_the_logarithm_of_the_error():
    assert [shade(0.0), shade(1e-17), shade(1e-9), shade(1e-2), shade(np.inf)] == [0, 0, pytest.approx(0.5), 1, 1]


def test_the_heat_map_has_a_darkest_block_where_the_error_is(report):
    row = report["W"]
    cells = ElementTree.fromstring(heat_map(row)).findall("rect")
    darkest = max(
        (cell for cell in cells if "fill-opacity" in cell.attrib), key=lambda cell: float(cell.get("fill-opacity"))
    )
    edges = np.array_split(np.arange(50), 24)
    assert 40 in edges[int(darkest.get("y"))]
    assert 3 in edges[int(darkest.get("x"))]


def entries_of(page, name):
    folded = next(part for part in page.split("<details>") if f"<summary>{name}, " in part)
    lines = re.findall(r"<tr><td>.*?</tr>", re.sub("</?span[^>]*>", "", folded))
    return [re.findall(r"<td>(.*?)</td>", line) for line in lines]


def test_a_small_gradient_is_listed_entry_by_entry(report):
    assert entries_of(report._repr_html_(), "x") == [
        ["x[0]", "1", "1", "1", "0.0e+00"],
        ["x[1]", "0.5", "0", "0", "5.0e-01"],
        ["x[2]", "1", "1", "1", "0.0e+00"],
    ]


def test_of_a_large_gradient_the_entries_that_differ_most_are_listed(report):
    page = report._repr_html_()
    assert "W, the 32 of 2,500 entries that differ most" in page
    lines = entries_of(page, "W")
    assert len(lines) == 32
    assert lines[0][:2] == ["W[40, 3]", "1"]


def test_names_in_the_list_of_entries_are_text():
    x = at.Tensor(1.0, name="<script>")
    assert "<script>" not in at.compare(x * x, {x: 2.0})._repr_html_()


def test_heat_maps_of_numbers_vectors_stacks_and_nothing_are_drawn():
    for shape in ((), (3,), (2, 3, 4), (0, 2)):
        x = at.Tensor(np.ones(shape), name="x")
        page = at.compare(np.sum(x * x), {x: 2 * np.ones(shape)})._repr_html_()
        assert ("<svg" in page) == (0 not in shape)


def test_the_step_curve_has_truncation_on_one_side_and_rounding_on_the_other():
    x = at.Tensor([0.7, 1.3], name="x")
    curve = at.compare(np.sum(np.exp(np.sin(x))), {}, wrt=[x]).step_curve("x")
    step, error = curve.best
    errors = dict(curve.central)
    assert 1e-7 < step < 1e-3
    assert error < 1e-9
    assert errors[1.0] > 1e-3
    assert errors[1e-15] > 1e-3
    assert curve.autograd < 1e-15
    root = ElementTree.fromstring(curve.svg)
    assert "x[" in root.findtext("{http://www.w3.org/2000/svg}title")
    assert "prefers-color-scheme: dark" in curve.svg


def test_a_step_curve_at_a_kink_is_refused():
    x = at.Tensor([0.0], name="x")
    with pytest.raises(at.errors.UnsupportedError, match="x has no single numeric derivative"):
        at.compare(np.sum(np.abs(x)), {}, wrt=[x]).step_curve("x")
