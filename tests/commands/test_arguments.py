import gzip

import numpy as np
import pytest

from autotiny.commands.arguments import InputError, read_values
from autotiny.nn import NpzError


@pytest.fixture
def write(tmp_path):
    def write(name, content):
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1,2\n3,4\n", [[1, 2], [3, 4]]),
        ("a,b\n1,2\n3,4\n", [[1, 2], [3, 4]]),
        ("\ufeffa,b\r\n1,2\r\n\r\n3,4", [[1, 2], [3, 4]]),
        ("1\n2\n3\n", [1, 2, 3]),
        ("1,2,3\n", [1, 2, 3]),
        ("# by np.savetxt\n# a,b\n1,2\n", [1, 2]),
        ("1,nan\n-inf,1e3\n", [[1, np.nan], [-np.inf, 1000]]),
    ],
)
def test_csv_is_a_matrix_or_a_vector_below_a_header_or_none(text, expected, write):
    np.testing.assert_array_equal(read_values([f"x={write('x.csv', text)}"])["x"], expected)
    np.testing.assert_array_equal(read_values([f"x={write('x.csv.gz', gzip.compress(text.encode()))}"])["x"], expected)


@pytest.mark.parametrize("text", ["1,2\n3\n", "1,2\n3,x\n", "a,b\n1,\n", b"\xff\xfe1,2", b"\x1f\x8b broken"])
def test_csv_without_a_table_of_numbers_is_refused(text, write):
    with pytest.raises(InputError, match=r"x\.csv: not a table of numbers with commas"):
        read_values([f"x={write('x.csv', text)}"])


@pytest.mark.parametrize("text", ["", "\n\n", "a,b\n"])
def test_csv_without_rows_is_refused(text, write):
    with pytest.raises(InputError, match=r"x\.csv: there are no rows of numbers"):
        read_values([f"x={write('x.csv', text)}"])


def test_gzip_that_is_cut_short_is_refused(write):
    with pytest.raises((InputError, OSError), match=r"x\.csv\.gz|end-of-stream"):
        read_values([f"x={write('x.csv.gz', gzip.compress(b'1,2' * 999)[:20])}"])


def test_npz_gives_all_its_numbers_or_one_array(tmp_path):
    path, single = tmp_path / "data.npz", tmp_path / "single.npz"
    np.savez(path, W=np.eye(2), n=np.array(3), names=np.array(["a"]))
    np.savez(single, anything=np.arange(3))
    assert list(read_values([str(path)])) == ["W", "n"]
    assert read_values([f"n={path}"])["n"] == 3
    assert read_values([f"x={single}"])["x"].tolist() == [0, 1, 2]
    with pytest.raises(InputError, match="there is no array V; it holds W, n, names"):
        read_values([f"V={path}"])


@pytest.mark.parametrize(
    "content", [b"", b"\x93NUMPY\x01\x00", b"PK\x03\x04 no zip", b"\x93NUMPY\x01\x00\x10\x00{'descr': '<f8'"]
)
def test_damaged_files_are_refused(content, write):
    with pytest.raises(InputError, match=r"x\.npy: not an \.npy file of plain numbers, or a damaged one"):
        read_values([f"x={write('x.npy', content)}"])
    with pytest.raises(NpzError, match=r"x\.npz: not an \.npz file"):
        read_values([str(write("x.npz", content))])


@pytest.mark.parametrize("array", [np.array(["a"]), np.array([1j])])
def test_arrays_of_other_than_real_numbers_are_refused(array, tmp_path):
    np.save(tmp_path / "x.npy", array)
    with pytest.raises(InputError, match=r"x\.npy: expected real numbers; got"):
        read_values([f"x={tmp_path / 'x.npy'}"])


def test_header_that_promises_more_than_there_is_takes_no_memory(write):
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (10000000000000,), }".ljust(117) + b"\n"
    with pytest.raises(InputError, match="damaged"):
        read_values([f"x={write('x.npy', bytes([147]) + b'NUMPY' + bytes([1, 0, 118, 0]) + header)}"])


def test_later_values_win():
    assert read_values(["x=1", "x=x + 1"])["x"] == 2
