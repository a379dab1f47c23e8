from pathlib import Path

import numpy as np
import pytest

from autotiny.nn import datasets
from autotiny.nn.datasets import DataError, Dataset, digits

ROWS = np.arange(12.0).reshape(6, 2)


def test_digits_are_1797_real_images_of_ten_classes():
    data = digits()
    assert data.X.shape == (64, 1797)
    assert data.shape == (8, 8)
    assert data.X.min() == 0
    assert data.X.max() == 16
    # The class sizes of the test part that UCI's description states.
    assert np.bincount(data.labels).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]


def test_first_digit_looks_like_a_zero():
    ink = digits().take(np.array([0])).X.reshape(8, 8)
    assert ink[3:5, 3:5].sum() == 0
    assert ink[:, 2].min() >= 0
    assert ink[2:6, 2].all()


def test_digits_ship_with_citation_and_licence():
    text = (Path(datasets.__file__).parent / "data" / "LICENSE").read_text(encoding="utf-8")
    assert "Alpaydin" in text
    assert "CC BY 4.0" in text


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        (["b", "a", "b", "a", "b", "a"], ("a", "b")),
        ([10, 9, 10, 9, 10, 9], (9, 10)),
        ([2.0, 1.0, 2.0, 1.0, 2.0, 1.0], (1, 2)),
        ([0.5, 1.5, 0.5, 1.5, 0.5, 1.5], (0.5, 1.5)),
        ([True, False, True, False, True, False], (False, True)),
    ],
)
def test_classes_are_sorted_by_their_kind(labels, classes):
    data = Dataset.from_rows(ROWS, labels)
    assert data.classes == classes
    assert [type(c) for c in data.classes] == [type(c) for c in classes]
    assert [data.classes[i] for i in data.labels] == labels


@pytest.mark.parametrize("missing", [None, np.nan])
def test_text_of_a_data_frame_forms_classes_and_a_missing_label_is_named(missing):
    labels = np.array(["b", "a"] * 3, dtype=object)
    assert Dataset.from_rows(ROWS, labels).classes == ("a", "b")
    labels[4] = missing
    with pytest.raises(DataError, match="the label of row 4 is missing"):
        Dataset.from_rows(ROWS, labels)


def test_rows_become_columns_and_images_keep_their_shape():
    images = np.arange(24).reshape(4, 2, 3)
    data = Dataset.from_rows(images, [0, 1, 0, 1])
    np.testing.assert_array_equal(data.X, images.reshape(4, 6).T)
    assert data.X.dtype == np.float64
    assert data.shape == (2, 3)


def test_float32_examples_stay_float32():
    assert Dataset.from_rows(ROWS.astype(np.float32), [0, 1] * 3).X.dtype == np.float32


def test_later_changes_to_the_callers_rows_do_not_reach_the_dataset():
    rows = ROWS.copy()
    data = Dataset.from_rows(rows, [0, 1] * 3)
    rows[:] = 7
    np.testing.assert_array_equal(data.X, ROWS.T)


def test_split_gives_every_example_to_exactly_one_side():
    data = digits()
    rest, held_out = data.split(0.2, seed=3)
    both = np.hstack([rest.X, held_out.X])
    assert len(rest) + len(held_out) == len(data)
    np.testing.assert_array_equal(np.sort(both, axis=1), np.sort(data.X, axis=1))
    assert rest.classes == held_out.classes == data.classes


def test_split_keeps_each_example_with_its_label():
    rest, held_out = Dataset.from_rows(ROWS, [0, 1] * 3).split(0.5, seed=1)
    for part in (rest, held_out):
        np.testing.assert_array_equal(part.X[0] // 2 % 2, part.labels)


def test_split_is_the_same_for_the_same_seed_only():
    first, again, other = (digits().split(0.2, seed=seed)[1].labels for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


@pytest.mark.parametrize("fraction", [0, 1, -0.5, 1.5, 0.99])
def test_split_that_leaves_a_side_empty_is_refused(fraction):
    with pytest.raises(DataError, match="leaves one side empty"):
        Dataset.from_rows(ROWS, [0, 1] * 3).split(fraction)


@pytest.mark.parametrize(
    ("rows", "labels", "message"),
    [
        (np.zeros((0, 2)), [], r"X has shape \(0, 2\)"),
        (np.zeros((4, 0)), [0, 1, 0, 1], r"X has shape \(4, 0\)"),
        (np.zeros(4), [0, 1, 0, 1], r"X has shape \(4,\)"),
        (np.array([["a"]] * 4), [0, 1, 0, 1], "numbers are needed"),
        (ROWS + 1j, [0, 1] * 3, "complex128; numbers are needed"),
        (np.array([[1], [None]]), [0, 1], "object; numbers are needed"),
        ([[1.0], [np.nan], [2.0], [3.0]], [0, 1, 0, 1], r"X\[1, 0\] is nan"),
        ([[1.0], [2.0], [np.inf], [3.0]], [0, 1, 0, 1], r"X\[2, 0\] is inf"),
        (ROWS, [0, 1], r"6 rows and the labels have shape \(2,\)"),
        (ROWS, np.eye(6), r"6 rows and the labels have shape \(6, 6\)"),
        (ROWS, [0, 1, 0, 1, np.nan, 1], "label of row 4 is missing"),
        (ROWS, [None] * 6, "the label of row 0 is missing"),
        (ROWS, [{}, "b"] * 3, "labels are object"),
        (ROWS, [1j] * 6, "labels are complex128"),
        (ROWS, ["a"] * 6, "all 6 examples have the label a; at least two classes"),
        (ROWS, [0.1, 0.2, 0.3, 0.4, 0.5, 0.6], "6 different labels in 6 examples"),
    ],
)
def test_examples_that_cannot_be_learnt_from_are_refused(rows, labels, message):
    with pytest.raises(DataError, match=message):
        Dataset.from_rows(rows, labels)


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_columns_of_text_among_the_features_are_named(library):
    frame = pytest.importorskip(library).DataFrame({"a": [1.0, 2.0, 3.0, 4.0], "kind": ["x", "y", "x", "y"]})
    with pytest.raises(DataError, match="X: the columns 'kind' hold no numbers: leave them out"):
        Dataset.from_rows(frame, frame["kind"])
    assert Dataset.from_rows(frame[["a"]], frame["kind"]).classes == ("x", "y")
