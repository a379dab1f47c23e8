import gzip

import pytest

from autotiny import files
from autotiny.files import CsvError, read_rows


@pytest.fixture
def write(tmp_path):
    def write(raw, name="table.csv"):
        path = tmp_path / name
        path.write_bytes(raw)
        return path

    return write


def test_rows_come_with_the_number_of_their_last_line(write):
    raw = b'\xef\xbb\xbfa,"b\nc"\r\n\r\n1,2\n'
    assert list(read_rows(write(raw))) == [(2, ["a", "b\nc"]), (4, ["1", "2"])]


def test_compressed_rows_are_those_of_the_text(write):
    assert list(read_rows(write(gzip.compress(b"1,2\n3,4\n"), "table.csv.gz"))) == [(1, ["1", "2"]), (2, ["3", "4"])]


@pytest.mark.parametrize(
    ("raw", "name", "message"),
    [
        (b'1,"2\n', "table.csv", "line 1: unexpected end of data"),
        (b"1,2\n\xff\n", "table.csv", "not UTF-8 text"),
        (gzip.compress(b"1,2\n" * 999)[:40], "table.csv.gz", "the compressed file is damaged"),
    ],
    ids=["quote", "encoding", "compression"],
)
def test_text_that_cannot_be_decoded_is_an_error(write, raw, name, message):
    with pytest.raises(CsvError, match=message):
        list(read_rows(write(raw, name)))


@pytest.mark.parametrize("raw", [b"1," * 100, b"1" * 200])
def test_a_line_without_end_is_an_error(write, raw, monkeypatch):
    monkeypatch.setattr(files, "LONGEST_LINE", 100)
    with pytest.raises(CsvError, match="line 2: it has more than 100 characters"):
        list(read_rows(write(b"1,2\n" + raw)))
