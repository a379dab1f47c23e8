"""Tables of arrays for a notebook: what they hold, and that they stay small and harmless."""

import re
from xml.etree import ElementTree

import numpy as np
import pytest

import autotiny as at
from autotiny.notation.array_html import MOST_COLUMNS, MOST_ROWS, array_table


def cells(text, tag="td"):
    return [cell.text or "" for cell in ElementTree.fromstring(text).iter(tag)]


def test_every_entry_of_a_small_array_is_shown_at_its_place():
    table = array_table(np.array([[1.0, -2.5], [np.nan, 4e-7]]), "value")
    assert cells(table) == ["1", "−2.5", "nan", "4e−07"]
    assert cells(table, "th") == ["", "0", "1", "0", "1"]


def test_rows_of_more_axes_have_their_places():
    assert cells(array_table(np.zeros((2, 2, 1)), ""), "th") == ["", "0", "0, 0", "0, 1", "1, 0", "1, 1"]


def test_a_number_has_no_headings():
    assert cells(array_table(np.float64(2.0), ""), "th") == []


@pytest.mark.parametrize("shape", [(1000, 1000), (10**6,), (100, 100, 100), (1, 5000), (5000, 1)])
def test_of_large_arrays_the_edges_are_shown(shape):
    table = array_table(np.arange(float(np.prod(shape))).reshape(shape), "")
    shown = cells(table)
    assert len(shown) <= (MOST_ROWS + 1) * (MOST_COLUMNS + 1)
    assert shown[0] == "0"
    assert float(shown[-1]) == pytest.approx(np.prod(shape) - 1, rel=1e-3)
    assert "…" in shown


@pytest.mark.parametrize("array", [np.zeros((0, 3)), np.zeros(0), np.array([1 + 2j, -1j]), np.array([True, False])])
def test_arrays_of_every_kind_are_tables(array):
    assert len(cells(array_table(array, "<&>"))) == array.size


def test_shades_are_of_the_sign_and_in_proportion():
    first, second = re.findall(r"rgba\((.*?)\)", array_table(np.array([-1.0, 0.5]), ""))
    assert (first, second) == ("0,114,178,0.35", "213,94,0,0.17")


def test_a_tensor_shows_its_name_shape_type_value_and_gradient():
    W = at.Tensor([[1.0, 2.0]], name="<W>")
    assert "gradient" not in W._repr_html_()
    y = np.sum(W * 3)
    y.backward()
    page = W._repr_html_()
    assert page.startswith("<div><b>&lt;W&gt;</b> variable, shape (1, 2), float64</div>")
    assert cells(f"<div>{page}</div>") == ["1", "2", "3", "3"]
    assert "result of sum, shape ()" in y._repr_html_()
    assert "constant" in at.Tensor(1.0, requires_grad=False)._repr_html_()


def test_of_several_outputs_there_is_the_plain_text_alone():
    (eigenvalues, _) = np.linalg.eigh(at.Tensor(np.eye(2)))
    assert eigenvalues._repr_html_().startswith("<div><b>Tensor</b> result of")
    assert eigenvalues.args[0]._repr_html_() is None
