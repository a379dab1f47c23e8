import gzip
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autotiny.files import NpzError
from autotiny.nn.datasets import DataError, digits
from autotiny.nn.tabular import load_table

PETALS = "1.5,0.2,rose\n4,1.25,lily\n1e1,-0.5,rose\n5,1,lily\n"


@pytest.fixture
def write(tmp_path):
    def write(text, name="table.csv"):
        path = tmp_path / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    return write


def test_without_header_or_label_the_last_column_is_the_label(write):
    data = load_table(write(PETALS))
    np.testing.assert_array_equal(data.X, [[1.5, 4, 10, 5], [0.2, 1.25, -0.5, 1]])
    assert data.classes == ("lily", "rose")
    assert data.labels.tolist() == [1, 0, 1, 0]
    assert data.shape == (2,)


@pytest.mark.parametrize("label", ["kind", 0, "0", -3])
def test_label_is_a_name_or_a_position(write, label):
    data = load_table(write("kind,length,width\nb,1,2\na,3,4\nb,5,6\na,7,8\n"), label)
    np.testing.assert_array_equal(data.X, [[1, 3, 5, 7], [2, 4, 6, 8]])
    assert data.classes == ("a", "b")


def test_number_labels_are_ordered_as_numbers(write):
    assert load_table(write("1,10\n2,9\n3,10\n4,9\n")).classes == (9, 10)


@pytest.mark.parametrize(
    "text",
    [
        PETALS.replace("\n", "\r\n"),
        PETALS.replace("\n", "\n\n"),
        PETALS.rstrip("\n"),
        "\ufeff" + PETALS,
        "length,width,kind\n" + PETALS,
        "\ufefflength,width,kind\r\n" + PETALS.replace("\n", "\r\n"),
        'length,"width, in\nmm",kind\n' + PETALS,
        PETALS.replace("rose", ' "rose"').replace(' "', '"'),
        PETALS.replace(",", " , "),
    ],
    ids=["crlf", "blank lines", "no last newline", "mark", "header", "excel", "quoted header", "quotes", "spaces"],
)
def test_dialects_of_csv_give_the_same_examples(write, text):
    data, plain = load_table(write(text)), load_table(write(PETALS, "plain.csv"))
    np.testing.assert_array_equal(data.X, plain.X)
    assert (data.labels.tolist(), data.classes) == (plain.labels.tolist(), plain.classes)


def test_compressed_csv_is_read(write):
    assert len(load_table(write(gzip.compress(PETALS.encode()), "table.csv.gz"))) == 4


def test_header_whose_index_column_has_no_name_is_a_header(write):
    data = load_table(write(",length,kind\n0,1.5,a\n1,2.5,b\n2,1.5,a\n3,2.5,b\n"), "kind")
    np.testing.assert_array_equal(data.X, [[0, 1, 2, 3], [1.5, 2.5, 1.5, 2.5]])


def test_column_of_sodium_may_be_called_na(write):
    assert load_table(write("Mg,Na,kind\n1,2,a\n1,3,b\n2,3,a\n2,4,b\n")).X.shape == (2, 4)


def test_saved_digits_come_back_as_they_were(tmp_path):
    data = digits()
    np.savez(tmp_path / "digits.npz", X=data.X.T.reshape(-1, 8, 8), y=data.labels)
    again = load_table(tmp_path / "digits.npz")
    np.testing.assert_array_equal(again.X, data.X)
    assert (again.shape, again.classes) == (data.shape, data.classes)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no rows"),
        ("\n\n", "no rows"),
        ("a,b,kind\n", "no rows below the header"),
        ("1,2,x\n1,,y\n", r"line 2: column 1 is missing \(''\)"),
        ("a,b,kind\n1,2,x\n\n1,NA,y\n", r"line 4: column b is missing \('NA'\)"),
        ("a,b,kind\n1,2,x\n1,nan,y\n", r"line 3: column b is missing \('nan'\)"),
        ("1,2,x\n?,2,y\n", r"line 2: column 0 is missing"),
        ("1,2,x\n1,inf,y\n", "line 2: column 1 is 'inf'; a finite number is needed"),
        ("a,b,kind\n1,2,x\n1,1e999,y\n", "line 3: column b is '1e999'; a finite number"),
        ("a,b,kind\n1,2,x\n1,many,y\n", "line 3: column b is 'many'; a finite number"),
        ("1,many,x\n1,2,y\n", "line 1: column 1 is 'many'"),
        ("a,b,kind\n1,2,x\n3,y\n", "line 3: 2 columns where the first row has 3"),
        ("a,b,kind\n1,2,x\n1,2,3,y\n", "line 3: 4 columns where the first row has 3"),
        ("1,2,x\n1,2,\n", r"line 2: the label \(column 2\) is missing"),
        ("1,2,x\n2,3,x\n", "all 2 examples have the label x"),
        ("1,2,x\n2,3,y\n", "2 different labels in 2 examples"),
        ("1;2;x\n3;4;y\n", "line 1 has one column, '1;2;x'; numbers and a label, with commas"),
        ('1,2,x\n1,"2,y\n', "line 2: unexpected end of data"),
        (b"1,2,x\n1,2,\xff\n", "not UTF-8 text"),
        (b"\x89PNG\x00\x01,\n", "not UTF-8 text|column"),
    ],
)
def test_error_in_a_csv_file_names_file_and_line(write, text, message):
    path = write(text)
    with pytest.raises(DataError, match=message) as caught:
        load_table(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


FIELDS = st.sampled_from(["1", "-2.5", "1e3", "x", "y", "", "nan", '"', '"a,b"', " ", "\ufeff", "\0", "\r", "٣", "é"])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.lists(FIELDS, max_size=4).map(",".join), max_size=8).map("\n".join) | st.binary(max_size=60))
def test_any_text_is_examples_or_a_clear_error(write, text):
    with suppress(DataError):
        data = load_table(write(text))
        assert np.isfinite(data.X).all()
        assert 2 <= len(data.classes) <= len(data) / 2


@pytest.mark.parametrize("label", ["species", "3", 3, -4])
def test_label_column_that_is_not_there_is_named_beside_those_that_are(write, label):
    with pytest.raises(DataError, match=f"no label column {label!r}; the columns are a, b, kind"):
        load_table(write("a,b,kind\n1,2,x\n3,4,y\n"), label)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"y": [0, 1]}, "no array 'X'; the file holds 'y'"),
        ({"X": [[1], [2]]}, "no array 'y'; the file holds 'X'"),
        ({}, "no array 'X'; the file holds none"),
        ({"X": np.array([[1], [None]]), "y": [0, 1]}, "'X' is damaged, or not plain numbers or text"),
        ({"X": [[1], [2]], "y": np.array([None, 1])}, "'y' is damaged, or not plain numbers or text"),
    ],
)
def test_npz_without_plain_examples_is_refused(tmp_path, arrays, message):
    np.savez(tmp_path / "table.npz", **arrays)
    with pytest.raises(NpzError, match=message):
        load_table(tmp_path / "table.npz")


def test_npz_with_a_column_per_example_is_refused_with_both_sizes(tmp_path):
    np.savez(tmp_path / "table.npz", X=np.zeros((2, 6)), y=[0, 1] * 3)
    with pytest.raises(DataError, match=r"table.npz: X has 2 rows and the labels have shape \(6,\)"):
        load_table(tmp_path / "table.npz")


def test_npz_label_may_have_another_name(tmp_path):
    np.savez(tmp_path / "table.npz", X=np.zeros((4, 2)), species=["a", "b"] * 2, y=[1, 2, 3, 4])
    assert load_table(tmp_path / "table.npz", "species").classes == ("a", "b")


@pytest.mark.parametrize("name", ["table.xlsx", "table", "table.gz"])
def test_other_kinds_of_file_are_refused(write, name):
    with pytest.raises(DataError, match=r"a \.csv, \.csv\.gz or \.npz file is needed"):
        load_table(write(PETALS, name))


@pytest.mark.parametrize("name", ["missing.csv", "missing.csv.gz", "missing.npz"])
def test_missing_file_is_named(tmp_path, name):
    with pytest.raises((DataError, NpzError), match=f"{name}: No such file"):
        load_table(tmp_path / name)


def test_folder_is_no_table(tmp_path):
    (tmp_path / "table.csv").mkdir()
    with pytest.raises(DataError, match="Is a directory"):
        load_table(tmp_path / "table.csv")


@pytest.mark.parametrize("spoil", [lambda raw: raw[:-12], lambda raw: b"text", lambda raw: raw[:30] + b"x" + raw[31:]])
def test_damaged_compressed_file_is_refused(write, spoil):
    with pytest.raises(DataError, match=r"table.csv.gz: "):
        load_table(write(spoil(gzip.compress(PETALS.encode() * 20)), "table.csv.gz"))


def test_hundred_thousand_rows_are_read(write):
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((100_000, 3))
    text = "".join(f"{a!r},{b!r},{c!r},{i % 3}\n" for i, (a, b, c) in enumerate(rows.tolist()))
    np.testing.assert_array_equal(load_table(write(text)).X, rows.T)
