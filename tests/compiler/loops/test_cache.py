import os
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from autotiny.compiler.loops import cache

posix = pytest.mark.skipif(not hasattr(os, "getuid"), reason="permissions of another kind")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    path = tmp_path / "kernels"
    monkeypatch.setenv(cache.VARIABLE, str(path))
    return path


def test_what_is_written_is_read_and_its_text_is_for_people(folder):
    assert cache.read("key") is None
    cache.write("key", b"code", "text")
    assert cache.read("key") == b"code"
    assert (folder / "key.py").read_text() == "text"


@pytest.mark.parametrize("spoil", [lambda b: b[:-1], lambda b: b[:9], lambda b: b"", lambda b: b[:-1] + b"?"])
def test_a_damaged_file_is_not_read_and_is_written_anew(folder, spoil):
    cache.write("key", b"code", "")
    (folder / "key.kernels").write_bytes(spoil((folder / "key.kernels").read_bytes()))
    assert cache.read("key") is None
    cache.write("key", b"code", "")
    assert cache.read("key") == b"code"


def test_eight_writers_and_readers_at_once_see_all_or_nothing(folder):
    data = [bytes([i]) * 200_000 for i in range(8)]

    def work(i):
        seen = []
        for _ in range(10):
            cache.write("key", data[i], "")
            seen.append(cache.read("key"))
        return seen

    with ThreadPoolExecutor(8) as pool:
        seen = [content for contents in pool.map(work, range(8)) for content in contents]
    assert set(seen) <= set(data)
    assert not list(folder.glob("*.part"))


@posix
def test_a_folder_in_which_others_may_write_is_not_used(folder):
    cache.write("key", b"code", "")
    folder.chmod(0o777)
    assert cache.read("key") is None
    cache.write("other", b"code", "")
    assert not (folder / "other.kernels").exists()


@posix
def test_the_folder_is_made_for_its_user_alone(folder):
    cache.write("key", b"code", "")
    assert folder.stat().st_mode & 0o777 == 0o700


def test_where_no_folder_can_be_made_nothing_is_written(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "file" / "kernels"))
    cache.write("key", b"code", "")
    assert cache.read("key") is None


def test_on_a_full_disk_nothing_is_left_behind(folder, monkeypatch):
    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    cache.write("key", b"code", "")
    assert list(folder.iterdir()) == []


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="has places of its own")
def test_the_usual_place_is_used_unless_the_home_does_not_exist(tmp_path, monkeypatch):
    monkeypatch.delenv(cache.VARIABLE, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    assert cache.place() == tmp_path / "caches" / "autotiny"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    cache.write("key", b"code", "")
    assert cache.read("key") is None
    assert not (tmp_path / "home").exists()
    (tmp_path / "home").mkdir()
    assert cache.place() == tmp_path / "home" / ".cache" / "autotiny"


def test_the_files_used_longest_ago_are_removed(folder, monkeypatch):
    monkeypatch.setattr(cache, "LIMIT", 1100)
    for i in range(9):
        cache.write(f"key{i}", bytes(100), "")
        for file in folder.glob(f"key{i}.*"):
            os.utime(file, (i, i))
    cache.read("key0")
    cache.write("last", bytes(100), "")
    assert cache.read("key0") is not None
    assert cache.read("key1") is None
    assert sum(file.stat().st_size for file in folder.iterdir()) <= 1100
