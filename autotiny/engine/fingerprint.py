"""Fingerprints of arrays, which show that an array was changed after it was recorded."""

from typing import Any

import numpy as np

EXACT_BYTES = 2**14  # an array of more bytes has a shorter fingerprint
COLUMNS = 1021


def fingerprint(array: Any, exact: int = EXACT_BYTES) -> bytes:
    """Return a fingerprint that changes when the contents of the array change.

    Arrays of up to `exact` bytes are kept byte for byte, which is faster. Of larger ones the 64-bit words are laid out
    in 1021 columns and summed, down and across: two passes at the speed of memory, which miss only changes that cancel
    in every column and every row. So no change of a single word and no swap of two is missed, and since the columns are
    odd in number, no change of sign or doubling of all.
    """
    if array.nbytes <= exact:
        return array.tobytes()
    raw = array.ravel(order="K").view(np.uint8)
    words = raw[: raw.size // 8 * 8].view(np.uint64)
    rows = words.size // COLUMNS
    table, rest = words[: rows * COLUMNS].reshape(rows, COLUMNS), words[rows * COLUMNS :]
    sums = [np.add.reduce(table, axis=0), np.add.reduce(table, axis=1), rest, raw[words.size * 8 :]]
    return b"".join(part.tobytes() for part in sums)


def was_changed(array: Any, before: bytes) -> bool:
    """Whether the contents of an array have changed since its fingerprint was taken."""
    now = array.tobytes() if len(before) == array.nbytes else fingerprint(array)
    return bool(now != before)
