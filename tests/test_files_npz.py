import os
import subprocess
import sys
import warnings
import zipfile

import numpy as np
import pytest

from autotiny import files
from autotiny.files import NotAFileError, NpzError, load_npz, replace_file

ARRAYS = {"X": np.arange(6.0).reshape(2, 3), "y": np.array([0, 1])}


@pytest.fixture
def raw(tmp_path):
    np.savez(tmp_path / "whole.npz", **ARRAYS)
    return (tmp_path / "whole.npz").read_bytes()


def test_every_truncation_is_an_error(tmp_path, raw):
    for length in range(len(raw)):
        (tmp_path / "part.npz").write_bytes(raw[:length])
        with pytest.raises(NpzError, match=r"part\.npz: "):
            load_npz(tmp_path / "part.npz", ["X", "y"])


def test_every_flipped_byte_is_an_error_or_changes_nothing(tmp_path, raw):
    refused = 0
    for position in range(len(raw)):
        (tmp_path / "flipped.npz").write_bytes(raw[:position] + bytes([raw[position] ^ 0xFF]) + raw[position + 1 :])
        try:
            arrays = load_npz(tmp_path / "flipped.npz", ["X", "y"])
        except NpzError:
            refused += 1
        else:
            for name, array in ARRAYS.items():
                np.testing.assert_array_equal(arrays[name], array, strict=True)
    assert refused > len(raw) / 2


def test_all_arrays_are_read_unless_some_are_named(tmp_path, raw):
    assert list(load_npz(tmp_path / "whole.npz")) == ["X", "y"]
    assert list(load_npz(tmp_path / "whole.npz", ["y"])) == ["y"]


@pytest.mark.parametrize("content", [b"", b"X,y\n1,2\n", b"\x93NUMPY\x01\x00", b"PK\x03\x04"])
def test_other_files_are_refused(tmp_path, content):
    (tmp_path / "other.npz").write_bytes(content)
    with pytest.raises(NpzError, match=r"other.npz: not an \.npz file, or a damaged one"):
        load_npz(tmp_path / "other.npz")


# ----- hostile files -----
def npz_of(path, header, data=bytes(80), compression=zipfile.ZIP_STORED, names=("X", "y")):
    """Write an .npz file whose arrays have this header."""
    header = header.encode() + b" " * (63 - (len(header) + 10) % 64) + b"\n"
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w", compression) as archive:
        warnings.simplefilter("ignore")  # of two of a name
        for name in names:
            text = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + data
            archive.writestr(f"{name}.npy", text)


def header(shape="(10,)", descr="'<f8'"):
    return f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}"


HEADERS = {
    "terabytes": header("(1000000000000, 5)"),
    "more than there are": header("(11,)"),
    "more than an integer": header(f"({10**40},)"),
    "a negative length": header("(-1,)"),
    "two negative lengths": header("(-2, -5)"),
    "text for a length": header("('10',)"),
    "no type": header(descr="None"),
    "objects": header(descr="'|O'"),
    "a type of terabytes": header(descr="'<U1000000000000'"),
    "nested without end": header("(" * 9000 + ")" * 9000),
    "nested types": header(descr="[('a', " * 500 + "'<f8'" + ")]" * 500),
    "no dictionary": "[1, 2, 3]",
    "no Python": "{'descr': ",
}


@pytest.mark.parametrize("name", HEADERS)
@pytest.mark.filterwarnings("ignore::SyntaxWarning")
def test_a_header_that_lies_is_bad_input(tmp_path, name):
    npz_of(tmp_path / "lie.npz", HEADERS[name])
    with pytest.raises(NpzError, match=r"lie\.npz: .*array 'X' (claims the shape|is damaged)"):
        load_npz(tmp_path / "lie.npz")


def test_a_header_that_is_right_is_read(tmp_path):
    npz_of(tmp_path / "right.npz", header())
    np.testing.assert_array_equal(load_npz(tmp_path / "right.npz")["X"], np.zeros(10))


def test_an_array_that_unpacks_to_a_thousand_times_its_size_is_bad_input(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "LARGE", 2**20)
    npz_of(tmp_path / "bomb.npz", header("(1000000,)"), bytes(8_000_000), zipfile.ZIP_DEFLATED)
    with pytest.raises(NpzError, match=r"array 'X' would unpack from \d+ bytes to 8000\d+"):
        load_npz(tmp_path / "bomb.npz")


@pytest.mark.parametrize("names", [("X", "X"), ("X", "y", "X")])
def test_two_arrays_of_one_name_are_bad_input(tmp_path, names):
    npz_of(tmp_path / "twice.npz", header(), names=names)
    with pytest.raises(NpzError, match="two arrays have the same name"):
        load_npz(tmp_path / "twice.npz")


# ----- writing -----
def write(file):
    file.write(b"whole")


@pytest.fixture
def ended():
    """The number of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


@pytest.mark.skipif(os.name != "posix", reason="elsewhere it is not known which processes have ended")
def test_drafts_of_processes_that_have_ended_are_removed(tmp_path, ended):
    others = [f".run.npz.{os.getppid()}.tmp", ".other.npz.99999999.tmp", ".run.npz.backup.tmp", "run.npz.99999999.tmp"]
    for name in [f".run.npz.{ended}.tmp", ".run.npz.99999999999999999999.tmp", *others]:
        (tmp_path / name).write_bytes(b"half")
    replace_file(tmp_path / "run.npz", write)
    assert {path.name for path in tmp_path.iterdir()} == {"run.npz", *others}


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes of POSIX")
def test_what_is_no_regular_file_is_not_replaced(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "pipe")
    for name in ("pipe", "folder", "link"):
        with pytest.raises(NotAFileError, match="a folder, a pipe or a device, and only files are replaced"):
            replace_file(tmp_path / name, write)
    assert (tmp_path / "pipe").is_fifo()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder", "link", "pipe"]


def test_a_link_to_a_file_that_is_missing_makes_the_file(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "file")
    replace_file(tmp_path / "link", write)
    assert (tmp_path / "file").read_bytes() == b"whole"
    assert (tmp_path / "link").is_symlink()
