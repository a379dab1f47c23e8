"""Values: accept and copy the arrays and numbers of a graph, and detect later changes by fingerprints."""

import sys
from typing import Any

import numpy as np

from autotiny.errors import AutotinyError, UnsupportedError
from autotiny.ops.table import library, require_real_place, type_name

SCALARS = frozenset({np.float64, np.float32, np.float16})
"""The types of single real numbers, tested for with `type(x) in SCALARS`, which takes little time."""
NUMERIC = "fciub"
"""The kinds of NumPy types that hold numbers: floating point, complex, integer, unsigned and boolean."""
DIFFERENTIABLE = "fc"
"""The kinds of which a value can have a gradient."""


def numbers(value: Any, where: str) -> np.ndarray:
    """Return the value as an array of numbers; an array is not copied."""
    masked = sys.modules.get("numpy.ma")  # NumPy loads it when it is first used
    if masked and isinstance(value, masked.MaskedArray):
        raise UnsupportedError(f"{where}: masked arrays are not supported; use .filled(), and np.where for the mask")
    if isinstance(value, np.matrix):
        raise UnsupportedError(
            f"{where}: np.matrix is not supported, since its * is the matrix product; use np.asarray(...), and @"
        )
    try:
        array = np.asarray(value)
    except (ValueError, TypeError, RuntimeError) as error:
        if isinstance(error, AutotinyError):
            raise
        hint = "; rows must have equal lengths" if isinstance(value, list | tuple) else ""
        raise UnsupportedError(f"{where}: the values do not form an array ({error}){hint}") from None
    if array.dtype == object:
        raise UnsupportedError(f"{where}: expected numbers, got {type_name(array)}{_mend(value, array)}")
    require_numeric(array.dtype, where)
    return array


def _mend(value: Any, array: np.ndarray) -> str:
    if hasattr(value, "toarray"):
        return "; a sparse matrix has no gradient: use .toarray()"
    if any(hasattr(entry, "requires_grad") for entry in array.flat):
        return "; at.array joins Tensors and numbers, np.stack joins Tensors"
    return "; convert them, or encode labels with at.one_hot"


def require_numeric(dtype: np.dtype[Any], where: str) -> None:
    """Raise UnsupportedError unless the type holds numbers."""
    if dtype.kind not in NUMERIC:
        raise UnsupportedError(
            f"{where}: expected numbers, got {dtype}; convert them, or encode labels with at.one_hot"
        )


def is_foreign(value: Any) -> bool:
    """Whether a value is an array of another library that supports NumPy's protocols. It is kept as it is."""
    return hasattr(value, "__array_function__") and not isinstance(value, np.ndarray) and not hasattr(value, "grad")


def plain_copy(value: Any) -> Any:
    """Return a copy as a NumPy array; an array of another library stays one."""
    if type(value) is np.ndarray:
        return value.copy("K")
    if is_foreign(value):
        return np.copy(value) if hasattr(value, "__autotiny_call__") else value  # a formula notes that it is an array
    return np.array(value)


def private_copy(data: Any, tracked: bool, dtype: Any = None, where: str = "Tensor") -> Any:
    """Return a private copy of a value: a single number as a NumPy scalar, and a tracked value in floating point."""
    if type(data) is np.ndarray and data.ndim and data.dtype.kind in DIFFERENTIABLE and dtype is None:
        return data.copy("K")
    if is_foreign(data):
        require_numeric(data.dtype, where)
        if not hasattr(data, "__autotiny_call__") or not data.ndim:
            data = data.copy()  # a formula is a value already, but its number may be Python's, which has no precision
        return data.astype(dtype or float) if tracked and data.dtype.kind not in DIFFERENTIABLE else data
    values, dtype = numbers(data, where), _floating(dtype, tracked, where)
    if values.dtype.kind == "c" and dtype is not None:
        require_real_place(values.dtype, dtype, where)
    array = np.array(values, dtype=dtype)
    require_numeric(array.dtype, where)
    if tracked and array.dtype.kind not in DIFFERENTIABLE:
        array = array.astype(float)
    return array if array.ndim else array[()]


def _floating(dtype: Any, tracked: bool, where: str) -> Any:
    """Return a dtype that was given; raise UnsupportedError for one that cannot hold the values."""
    if dtype is None:
        return None
    try:
        dtype = np.dtype(dtype)
    except TypeError:
        raise UnsupportedError(f"{where}: dtype must be a floating-point type, got {dtype!r}") from None
    if tracked and dtype.kind not in DIFFERENTIABLE:
        raise UnsupportedError(f"{where}: dtype {dtype} cannot hold what is tracked; use a floating-point type")
    return dtype


def read_only(value: Any) -> Any:
    """Return a read-only view of the value; an array of another library as it is."""
    if library(value) is not None:
        return value
    view = np.asarray(value).view()
    view.flags.writeable = False
    return view


# ----- fingerprints -----

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


Fingerprints = dict[tuple[int, int], bytes]
"""The fingerprints of arrays at one moment, by the identity of an array and the length of its fingerprint."""


def was_changed(array: Any, before: bytes, now: Fingerprints | None = None) -> bool:
    """Whether an array has changed since its fingerprint was taken; `now` keeps the fingerprints of this moment."""
    key, now = (id(array), len(before)), {} if now is None else now
    if key not in now:
        now[key] = array.tobytes() if len(before) == array.nbytes else fingerprint(array)
    return now[key] != before
