"""What NumPy refuses is refused: random calls, each on plain arrays and on Tensors."""

import numpy as np
import pytest

import autotiny as at
import fuzz_refusals
from autotiny.errors import AutotinyError


@pytest.mark.skipif(np.lib.NumpyVersion(np.__version__) < "2.4.0", reason="older versions of NumPy refuse more")
def test_random_calls_are_refused_where_numpy_refuses_them():
    assert list(fuzz_refusals.faults(40)) == []


def test_a_call_that_numpy_refuses_and_a_tensor_takes_is_found(monkeypatch):
    monkeypatch.setitem(fuzz_refusals.COMPOSED, np.vsplit, lambda ary, indices_or_sections: [ary, ary])
    call = fuzz_refusals.Call(np.vsplit, [np.ones(2), 2], {})
    assert "accepted, where NumPy says ValueError" in fuzz_refusals.fault(call)


def test_a_call_that_gives_another_value_is_found(monkeypatch):
    monkeypatch.setitem(fuzz_refusals.COMPOSED, np.flipud, lambda m: m[:1])
    assert "gave [(1, 2)], NumPy [(3, 2)]" in fuzz_refusals.fault(fuzz_refusals.Call(np.flipud, [np.ones((3, 2))], {}))


M = np.arange(1.0, 7).reshape(2, 3)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda W: np.split(W, 2, axis=1), r"split: split\(W \(2, 3\), 2, axis=1\): array split does not result in"),
        (lambda W: np.dot(W, W), r"matmul: W \(2, 3\) @ W \(2, 3\): inner sizes 3 and 2 differ; W.T is \(3, 2\)"),
        (lambda W: np.tile(W, -1), r"tile: tile\(W \(2, 3\), -1\): .*negative"),
        (lambda W: np.vsplit(W[0], 3), "vsplit: expected two axes or more"),
        (lambda W: np.clip(W, 1, None, min=2), "clip: give the bounds as a_min and a_max, or as min and max"),
        (lambda W: np.diff(W[0, 0]), "diff: expected an array with an axis"),
        (lambda W: np.take(W, [0], mode="x"), "take: mode must be 'raise', 'wrap' or 'clip'; got 'x'"),
        (lambda W: np.take_along_axis(W, np.array([0]), 1), r"indices of shape \(1,\) for an array of shape \(2, 3\)"),
        (lambda W: np.take_along_axis(W, np.array([[0.5]]), 1), "take_along_axis: indices must be integers"),
        (lambda W: np.einsum("ij->k", W), "einsum: 'ij->k': no operand has the label 'k'"),
        (lambda W: np.einsum("...j->j", W), "einsum: '...j->j': the output lacks the ellipsis"),
        (lambda W: np.einsum("ii", W), "einsum: axes 0 and 1 share the label 'i' and differ"),
        (lambda W: np.linalg.norm(W, axis=[0]), "norm: axis must be None, an integer or a tuple"),
        (
            lambda W: np.pad(W, 1, "edge", constant_values=1),
            "pad: constant_values is for the mode constant",
        ),
        (lambda W: np.sum(W, where=None), "where: expected numbers, got objects such as NoneType"),
    ],
)
def test_the_refusal_names_the_call(call, words):
    W = at.Tensor(M, name="W")
    with pytest.raises(AutotinyError, match=words):
        call(W)


@pytest.mark.parametrize(
    "call", [lambda W: np.diff(W, axis=9), lambda W: np.tensordot(W, W, axes=([5], [5])), lambda W: np.sort(W, axis=2)]
)
def test_an_axis_that_is_not_there_is_numpys_error_with_the_call_in_a_note(call):
    with pytest.raises(IndexError) as caught:
        call(at.Tensor(M, name="W"))
    assert "(W (2, 3)" in caught.value.__notes__[0]
