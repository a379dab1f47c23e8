"""Fingerprints notice every change of an array, wherever it is."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autotiny.engine.values import COLUMNS, EXACT_BYTES, fingerprint, was_changed

DTYPES = [np.float16, np.float32, np.float64, np.longdouble, np.int8, np.int64, bool]
LENGTHS = [0, 1, 7, EXACT_BYTES // 8, EXACT_BYTES // 8 + 1, COLUMNS, COLUMNS + 1, 2 * COLUMNS, 5 * COLUMNS + 3, 40_000]


def random_bytes(n):
    return np.random.default_rng(n).integers(0, 256, n, np.uint8)


@settings(max_examples=300, deadline=None)
@given(
    n=st.sampled_from([1, 100, EXACT_BYTES, EXACT_BYTES + 1, 8 * COLUMNS, 24 * COLUMNS + 5, 100_003]),
    at=st.integers(0, 10**6),
    flip=st.integers(1, 255),
)
def test_a_change_of_any_single_byte_is_noticed(n, at, flip):
    a = random_bytes(n)
    before = fingerprint(a)
    a[at % n] ^= flip
    assert fingerprint(a) != before


@pytest.mark.parametrize("n", [EXACT_BYTES, EXACT_BYTES + 1, 8 * COLUMNS + 7, 80 * COLUMNS + 5, 100_003])
@pytest.mark.parametrize("place", [0, 7, 8, -9, -8, -1])
def test_a_change_of_a_byte_at_either_end_is_noticed(n, place):
    a = random_bytes(n)
    before = fingerprint(a)
    a[place] ^= 1
    assert fingerprint(a) != before


@settings(max_examples=300, deadline=None)
@given(
    n=st.sampled_from([2, 512, 513, COLUMNS + 1, 3 * COLUMNS, 7 * COLUMNS + 5, 50_000]),
    i=st.integers(0, 10**6),
    distance=st.integers(1, 10**6),
)
def test_a_swap_of_any_two_entries_is_noticed(n, i, distance):
    a = np.random.default_rng(0).random(n)
    before = fingerprint(a)
    i, j = i % n, (i + distance) % n
    a[i], a[j] = a[j], a[i]
    assert i == j or fingerprint(a) != before


@pytest.mark.parametrize("rows", [2, 3, 10, 2000])
@pytest.mark.parametrize("columns", [COLUMNS, 2 * COLUMNS, 64, 784])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_swap_of_rows_is_noticed(rows, columns, dtype):
    a = np.random.default_rng(0).random((rows, columns)).astype(dtype)
    before = fingerprint(a)
    a[[0, -1]] = a[[-1, 0]]
    assert fingerprint(a) != before


WHOLE = {
    "negated": np.negative,
    "doubled": lambda a: a * 2,
    "halved": lambda a: a / 2,
    "cleared": lambda a: a * 0.0,
    "made negative zero": lambda a: a * -0.0,
    "shuffled": lambda a: np.random.default_rng(1).permutation(a),
    "reversed": lambda a: a[::-1],
    "rolled": lambda a: np.roll(a, 1),
    "rolled by a row": lambda a: np.roll(a, COLUMNS),
    "shifted a little": lambda a: a + 1e-15,
    "one moved to another": lambda a: a + np.eye(1, a.size, 3)[0] - np.eye(1, a.size, 3 + COLUMNS)[0],
}


@pytest.mark.parametrize("change", WHOLE.values(), ids=WHOLE)
@pytest.mark.parametrize("n", [512, 513, 2 * COLUMNS, 2 * COLUMNS + 7, 64 * COLUMNS, 200_000])
def test_changes_of_the_whole_array_are_noticed(change, n):
    a = np.random.default_rng(0).uniform(0.5, 1, n)
    before = fingerprint(a)
    a[...] = change(a)
    assert fingerprint(a) != before


@pytest.mark.parametrize("n", LENGTHS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_an_unchanged_array_keeps_its_fingerprint(n, dtype):
    a = np.random.default_rng(0).integers(0, 2, n).astype(dtype)
    assert fingerprint(a) == fingerprint(a)


LAYOUTS = {
    "column major": lambda a: np.asfortranarray(a),
    "transposed": lambda a: a.T,
    "every other column": lambda a: a[:, ::2],
    "upside down": lambda a: a[::-1],
    "repeated": lambda a: np.broadcast_to(a[0], a.shape),
    "three axes": lambda a: a.reshape(10, -1, 30).swapaxes(0, 2),
    "big endian": lambda a: a.astype(">f8"),
}


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.longdouble])
def test_any_layout_keeps_its_fingerprint_and_notices_a_change(layout, dtype):
    base = np.random.default_rng(0).random((60, 60)).astype(dtype)
    a = layout(base)
    before = fingerprint(a)
    assert fingerprint(a) == before
    a = a if a.flags.writeable else base
    a.flat[1] += 1
    assert fingerprint(layout(base) if a is base else a) != before


@pytest.mark.parametrize("value", [np.float32(1), np.float64(-0.0), np.array(3.0), np.array([]), np.zeros((3, 0))])
def test_numbers_and_empty_arrays_have_fingerprints(value):
    assert fingerprint(value) == fingerprint(value.copy())


def test_positive_and_negative_zero_differ_and_nan_equals_itself():
    assert fingerprint(np.zeros(3)) != fingerprint(-np.zeros(3))
    assert fingerprint(np.full(3, np.nan)) == fingerprint(np.full(3, np.nan))


def test_a_large_array_has_a_small_fingerprint():
    a = np.ones(10**6)
    assert len(fingerprint(a)) < a.nbytes / 200


@pytest.mark.parametrize("n", [0, 1, EXACT_BYTES, EXACT_BYTES + 1, EXACT_BYTES + 9, 100_003])
@pytest.mark.parametrize("exact", [EXACT_BYTES, 2**20])
def test_a_change_since_a_fingerprint_is_noticed_whether_it_is_exact_or_not(n, exact):
    a = random_bytes(n)
    before = fingerprint(a, exact)
    assert (len(before) == n) == (n <= exact)
    assert not was_changed(a, before)
    a[n // 2 :] += 1
    assert was_changed(a, before) == (n > 0)
