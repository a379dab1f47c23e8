"""Every name of an ndarray works on a Tensor, or is refused by a sentence."""

import re

import numpy as np
import pytest

import autotiny as at
from autotiny.errors import AutotinyError, UnsupportedError

X = np.array([[3.0, 1.0, 2.0], [6.0, 5.0, 4.0]])
INTERNAL = {
    "__buffer__",
    *("__array_finalize__", "__array_interface__", "__array_priority__", "__array_struct__", "__array_wrap__"),
    *("__buffer__", "__class_getitem__", "__setstate__", "__complex__"),
    *("__iand__", "__ior__", "__ixor__", "__ilshift__", "__irshift__"),  # Python falls back on & | ^ << >>
}
OF_COMPLEX_NUMBERS = {"real", "imag"}


def test_every_name_of_an_array_is_a_name_of_a_tensor():
    assert set(dir(np.ndarray)) - set(dir(at.Tensor)) - INTERNAL <= OF_COMPLEX_NUMBERS


SAME = """
x.itemsize | x.nbytes | x.strides | x.shape | x.ndim | x.size | x.dtype | x.base | x.device | len(x) | 3.0 in x |
9.0 in x | x.item(1) | x.item(0, 2) | x[0, 0].item() | x.argsort() | x.argsort(0) | x.argmax(1) | x.argmin() |
x.argpartition(1) | x[0].searchsorted(2.5) | x.nonzero() | x.any() | x.all(axis=0) | bool(x[0, 0]) |
int(x[0, 0]) | x.tolist() | x // 2 | (x > 1) & (x < 4) | ~(x > 1) | x == 3 | x.__array_namespace__() is np |
x.astype(int) | x.astype(bool) | x.flags.c_contiguous
"""
RECORDED = """
x.flat[4] | x.flat[1:3] | [*x.flat][5] | x.T | x.mT | x.ravel('F') | x.flatten() | x.reshape(3, 2) | x.view() |
x.squeeze() | x.swapaxes(0, 1) | x.transpose(1, 0) | x.take([0, 5]) | x.repeat(2, axis=1) | x.diagonal() |
x.trace() | x.compress([True, False, True], axis=1) | x.round() | x.clip(2, 4) | x.cumsum() | x.cumprod(axis=1) |
x.sum(0) | x.prod() | x.mean() | x.std(ddof=1) | x.var() | x.max(axis=1) | x.min() | x.dot(x.T) | x.conj() |
x.copy() | x.astype(np.float32) | -x | +x | abs(x) | x.__divmod__(2.0)[1] | divmod(7.0, x)[1] | round(x[0, 0]) |
[*x][1] | [*reversed(x)][0] | x.to_device('cpu') | x.conjugate() | x.__array_namespace__().exp(x)
"""


def calls(table):
    """The calls of a table."""
    return [call.strip() for call in re.split(r"\s\|\s", table)]


@pytest.mark.parametrize("call", [*calls(SAME), *calls(RECORDED)])
def test_names_give_what_they_give_on_an_array(call):
    result, expected = (eval(call, {"np": np, "x": x}) for x in (at.Tensor(X), X))
    assert isinstance(result, at.Tensor) is (call in calls(RECORDED))
    np.testing.assert_array_equal(getattr(result, "value", result), expected)


def test_an_array_of_places_chooses():
    places, t = at.Tensor([1, 0], requires_grad=False), at.Tensor([1.0, 2.0])
    y = places.choose([t, [5.0, 6.0]])
    np.sum(y).backward()
    assert (y.tolist(), t.grad.tolist()) == ([5, 2], [0, 1])


def test_a_constant_of_whole_numbers_counts():
    n, i = at.Tensor(2, requires_grad=False), at.Tensor([1, 0], requires_grad=False)
    assert ([*range(n)], [7, 8, 9][n], np.zeros(n).shape, hex(n)) == ([0, 1], 9, (2,), "0x2")
    assert ((i & 1).tolist(), (1 | i).tolist(), (i ^ 1).tolist(), (~i).tolist()) == ([1, 0], [1, 1], [0, 1], [-2, -1])
    assert ((i << 2).tolist(), (4 >> i).tolist(), np.bitwise_and(i, 1).tolist()) == ([4, 0], [2, 4], [1, 0])


REFUSED = {
    "x.sort()": r"x\.sort\(\.\.\.\) changes an array, and a recorded value stays as it is: write x = np\.sort\(x\)",
    "x.partition(1)": r"write x = np\.partition\(x, kth\)",
    "x.resize(3)": r"write x = np\.resize\(x, shape\)",
    "x.fill(1.0)": r"write x = np\.broadcast_to\(1\.0, x\.shape\)",
    "x.put([0], 1.0)": r"write x = at\.index_update\(x, np\.unravel_index\(\[0\], x\.shape\), 1\.0\)",
    "x.byteswap()": r"x\.data\.byteswap",
    "x.setflags(write=False)": r"x\.data\.setflags",
    "x.setfield(1, int)": r"at\.index_update",
    "x.getfield(int)": r"x\.getfield\(\.\.\.\) takes the memory of an array: write x\.data\.getfield",
    "x.tofile('a')": r"write x\.data\.tofile",
    "x.dump('a')": r"write x\.data\.dump",
    "x.dumps()": r"write x\.data\.dumps",
    "x.tobytes()": r"tobytes\(\) would lose the gradient of x, .*: use x\.data\.tobytes\(\)",
    "x.view(int)": r"x\.view\(\.\.\.\) reads bytes as another type: write x\.data\.view",
    "x.ctypes": r"x\.ctypes hands out memory",
    "x.__dlpack__()": r"x is tracked, and turning it into a plain array would lose its gradient",
    "np.from_dlpack(x)": r"x is tracked, and turning it into a plain array would lose its gradient",
    "[1, 2][x]": r"x is of float64, and whole numbers count: use int\(x\)",
    "x & 1": r"and: x \(2, 3\) & 1: numbers with a fraction have no bits: compare first, as in \(x > 0\) & \(y > 0\)",
    "1 | x": "numbers with a fraction have no bits",
    "x ^ x": "numbers with a fraction have no bits",
    "x << 1": "numbers with a fraction have no bits",
    "2 >> x": "numbers with a fraction have no bits",
    "~x": r"~x: x is of float64, which has no bits; compare first: ~\(x > 0\)",
    "x.__delitem__(0)": r"entries cannot be deleted: write x = np\.delete\(x, index\)",
    "x.__setitem__(0, 1.0)": "would change a recorded value",
    "setattr(x, 'flat', 0)": r"x\.flat cannot be assigned",
    "setattr(x, 'T', 0)": r"x\.T cannot be assigned",
    "len(x[0, 0])": "is a single number: it has no length",
    "[*x[0, 0]]": "is a single number: it has no length",
    "bool(x)": "has 6 entries, so it is neither true nor false",
}


@pytest.mark.parametrize("call", REFUSED)
def test_what_changes_an_array_or_takes_its_memory_is_refused(call, tmp_path):
    path = tmp_path / "line.py"
    path.write_text(f"def line(x): return {call}\n", encoding="utf-8")
    scope = {"np": np}
    exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), scope)
    with pytest.raises(AutotinyError, match=REFUSED[call]):
        scope["line"](at.Tensor(X))


@pytest.mark.parametrize("name", ["ptp", "itemset", "newbyteorder", "tostring"])
def test_what_numpy_2_removed_is_no_attribute_and_says_so(name):
    with pytest.raises(AttributeError, match=f"{name} was removed from arrays in NumPy 2.0: write "):
        getattr(at.Tensor(X), name)
    assert not hasattr(at.Tensor(X), name)


def test_bytes_of_a_constant_are_its_own():
    c = at.Tensor(X, requires_grad=False)
    assert c.tobytes() == X.tobytes()
    array = np.from_dlpack(c)
    assert not np.shares_memory(array, c.data)
    assert c.__dlpack_device__() == X.__dlpack_device__()
    assert not c.flags.writeable


def test_devices_and_versions_are_those_of_numpy():
    for call in (lambda x: x.to_device("gpu"), lambda x: x.__array_namespace__(api_version="1")):
        with pytest.raises(ValueError, match=r"Only 'cpu'|Unsupported device|is not supported"):
            call(at.Tensor(X))


def test_code_for_any_array_library_is_differentiated():
    def softmax(x):
        xp = x.__array_namespace__()
        e = xp.exp(x - xp.max(x, axis=-1, keepdims=True))
        return e / xp.sum(e, axis=-1, keepdims=True)

    np.testing.assert_allclose(softmax(at.Tensor(X)).data, at.softmax(X, axis=-1))
    at.check_gradients(softmax, X)


def test_the_names_are_compiled():
    step = at.compile(at.grad(lambda x: np.sum(x.flat[1:] ** 2) + x.nbytes * np.sum(x.conj())))
    for _ in range(2):
        np.testing.assert_allclose(step(X), 2 * X * (np.arange(6) > 0).reshape(2, 3) + 48)


def test_an_unknown_attribute_is_pythons_error():
    with pytest.raises(AttributeError, match="'Tensor' object has no attribute 'sun'"):
        at.Tensor(X).sun  # noqa: B018
    assert issubclass(UnsupportedError, TypeError)
