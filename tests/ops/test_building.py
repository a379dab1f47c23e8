"""at.array builds what np.array builds, of Tensors too."""

import collections

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autotiny as at
from autotiny.errors import ShapeError, UnsupportedError

s, u, t = at.Tensor(3.0, name="s"), at.Tensor(0.5, name="u"), at.Tensor([1.0, 2.0], name="t")
S32 = at.Tensor(np.float32(2), name="S32")


def values(tree):
    """The same lists with the values of Tensors."""
    if isinstance(tree, list | tuple | collections.deque):
        return [values(part) for part in tree]
    return tree.data if isinstance(tree, at.Tensor) else tree


BUILT = {
    "numbers and Tensors": [s, 0.5, 1],
    "nested": [[s, u], [0.0, s * u]],
    "vectors": [t, [1.0, s], np.ones(2)],
    "tuples": ((s, u), (1, 2)),
    "three levels": [[[s], [u]], [[1], [2]]],
    "a Tensor": t,
    "one Tensor": [t],
    "a number of NumPy": [s, np.float32(1.5), np.int8(2)],
    "truth values": [s, True],
    "single precision": [S32, S32],
    "single precision and a float": [S32, 0.5],
    "single precision and an integer": [S32, 1],
    "empty rows": [at.Tensor(np.zeros((2, 0))), np.zeros((2, 0))],
    "a range": [range(2), t],
    "a deque": collections.deque([s, 1.0]),
    "matrices": [at.Tensor(np.ones((2, 2))), [[1, s], t]],
    "a constant": [at.Tensor(1.0, requires_grad=False), 2.0],
}


@pytest.mark.parametrize("what", BUILT)
@pytest.mark.parametrize("build", [at.array, lambda x: np.array(x, like=t), lambda x: np.asarray(x, like=t)])
def test_shape_values_and_dtype_are_those_of_numpy(what, build):
    built = build(BUILT[what])
    expected = np.array(values(BUILT[what]))
    assert isinstance(built, at.Tensor)
    np.testing.assert_array_equal(built.data, expected, strict=True)
    assert built.requires_grad is (what != "a constant")


@pytest.mark.parametrize("plain", [[1, 2], [[1.5], [2]], 3, [], [[], []], np.ones(2), (True, 0), [1j]], ids=str)
def test_without_a_tensor_it_is_a_plain_copy(plain):
    built = at.array(plain)
    assert type(built) is np.ndarray
    np.testing.assert_array_equal(built, np.array(plain), strict=True)
    assert not np.shares_memory(built, plain)


def test_each_part_receives_the_gradient_of_its_places():
    x, y, v = at.Tensor(2.0), at.Tensor(3.0), at.Tensor([1.0, 2.0])
    built = at.array([[x, y], v, [x * y, 1.0]])
    np.sum(built * np.arange(6).reshape(3, 2)).backward()
    assert (x.grad, y.grad, v.grad.tolist()) == (0 + 4 * 3, 1 + 4 * 2, [2, 3])


@given(st.lists(st.integers(1, 3), max_size=3), st.integers(0, 2**12 - 1), st.randoms(use_true_random=False))
def test_random_nestings_with_tensors_at_random_places(shape, chosen, random):
    entries = np.arange(np.prod(shape, dtype=int)).reshape(shape) + 0.5

    def nested(part, place):
        if chosen >> (hash(place) % 12) & 1:
            return at.Tensor(part)
        if not np.ndim(part):
            return float(part)
        return random.choice([list, tuple])(nested(row, (*place, i)) for i, row in enumerate(part))

    tree = [nested(entries, ())]
    built = at.array(tree)
    np.testing.assert_array_equal(getattr(built, "data", built), [entries], strict=True)
    if isinstance(built, at.Tensor):
        np.sum(built * built).backward()
        for x in tensors(tree):
            np.testing.assert_array_equal(x.grad, 2 * x.data)


def tensors(tree):
    if isinstance(tree, list | tuple):
        return [x for part in tree for x in tensors(part)]
    return [tree] if isinstance(tree, at.Tensor) else []


@pytest.mark.parametrize(
    ("bad", "error", "words"),
    [
        ([[s, u], [1.0]], ShapeError, r"array: rows must have one shape; \[1\] has shape \(1,\), and \[0\] \(2,\)"),
        ([[[s], [u]], [[1], [2, 3]]], ShapeError, r"rows .*; \[1\]\[1\] has shape \(2,\), and \[1\]\[0\] \(1,\)"),
        ([[1, 2], [3]], ShapeError, r"\[1\] has shape \(1,\)"),
        ([t, s], ShapeError, r"\[1\] has shape \(\), and \[0\] \(2,\)"),
        ([s, "a"], UnsupportedError, r"expected numbers, arrays and Tensors, .*; got <U1 at \[1\]"),
        ([[1, None]], UnsupportedError, r"got objects such as NoneType at \[0\]\[1\]"),
        ((x for x in [s]), UnsupportedError, "got objects such as generator"),
        ({"a": s}, UnsupportedError, "got objects such as dict"),
    ],
)
def test_what_forms_no_array_is_an_error_that_says_where(bad, error, words):
    with pytest.raises(error, match=words):
        at.array(bad)


def test_dtype_is_that_of_the_result():
    assert at.array([s, 1], dtype=np.float32).dtype == np.float32
    assert at.grad(lambda x: np.sum(at.array([x, x], dtype=np.float32)))(2.0) == 2
    assert type(at.array([s, 1.7], dtype=int)) is np.ndarray
    assert at.array([s, 1.7], dtype=int).tolist() == [3, 1]
    with pytest.raises(UnsupportedError, match="array: dtype must be a type of numbers, got <class 'object'>"):
        at.array([s], dtype=object)


def test_a_tensor_is_copied_and_the_copy_recorded():
    copy = at.array(t)
    assert copy is not t
    assert copy.parents == (t,)


@pytest.mark.parametrize(
    "build",
    [
        lambda: np.array([s, u], ndmin=3, like=t),
        lambda: np.full((2, 2), s, like=t),
        lambda: np.asanyarray([s, u], dtype=np.float32, like=t),
        lambda: np.ascontiguousarray(s, like=t),
    ],
)
def test_functions_with_like_are_recorded(build):
    assert build().requires_grad


@pytest.mark.parametrize("make", [np.zeros, np.ones, np.empty])
def test_new_arrays_like_a_tensor_are_plain(make):
    assert type(make((2, 3), like=t)) is np.ndarray


# ----- lists of Tensors as operands -----
L, M = [s, u], [[s, 1.0], t]
TAKING = [
    *["np.einsum('i,i', t, L)", "np.einsum('ij,j', M, t)", "np.where(m, L, t)"],
    *["np.select([[True, False], [False, True]], [L, t], L)", "np.choose([1, 0], [L, t])", "np.dot(M, t)", "t @ M"],
    *["np.linalg.multi_dot([M, M, t])", "np.linalg.solve(M, t)", "np.meshgrid(t, L)[1]", "np.append(L, t)", "t + L"],
    *["np.concatenate([L, t, [1]])", "np.vstack([L, t])", "np.hstack([t, L])", "np.dstack([t, L])", "np.stack([L, t])"],
    *["np.column_stack([L, t])", "np.block([[s, u], [1.0, 2.0]])", "np.ix_(t, L)[1]", "np.insert(t, 0, L)", "L / t"],
    *["np.interp(t, [0.0, 3.0], L)", "np.average(t, weights=L)", "np.polyval(L, t)", "np.clip(t, L, 5.0)", "t.dot(L)"],
    *["np.ediff1d(t, to_end=L)", "np.maximum(t, L)", "np.linspace(t, L, 3)", "np.full_like(t, L)", "at.relu(L) + t"],
    *[
        "at.softmax(L)",
        "at.logsumexp(L)",
        "at.cross_entropy(M, [0, 1])",
        "np.kron(t, L)",
        "np.broadcast_arrays(t, L)[1]",
    ],
]


@pytest.mark.parametrize("call", TAKING)
def test_functions_take_mixed_lists_of_tensors_numbers_and_arrays(call):
    def f(s, u, t):
        return eval(call, {"np": np, "at": at, "s": s, "u": u, "t": t, "m": m, "L": [s, u], "M": [[s, 1.0], t]})

    def g(s, u, t):
        L, M = at.array([s, u]), at.array([[s, 1.0], t])
        return eval(call, {"np": np, "at": at, "s": s, "u": u, "t": t, "m": m, "L": L, "M": M})

    m, point = np.array([True, False]), (s.data, u.data, t.data)
    np.testing.assert_allclose(f(s, u, t).data, np.asarray(g(*point)), rtol=1e-14)
    at.check_gradients(f, *point)


def test_formulas_in_lists_are_compiled():
    step = at.compile(at.value_and_grad(lambda x, y: np.sum(at.array([[x, 1.0], [y, x * y]]) ** 2)))
    for _ in range(2):
        value, g = step(2.0, 3.0)
    assert (value, g) == (4 + 1 + 9 + 36, 2 * 2 + 2 * 6 * 3)
    assert "stack" in step.source


def test_block_refuses_lists_of_different_depths_as_numpy_does():
    with pytest.raises(ShapeError, match="block: the lists have different depths"):
        np.block([[s, u], t])
