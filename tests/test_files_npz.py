import numpy as np
import pytest

from autotiny.files import NpzError, load_npz

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
