"""The count of what works of NumPy: every call has the verdict that its table says."""

import numpy as np
import pytest

import width
from width import compared


def test_every_call_works_or_is_marked_as_refused():
    unexpected = [
        (call.text, call.verdict, call.reason)
        for tried in width.verdicts().values()
        for call in tried
        if call.verdict != ("refused" if call.text.startswith("!") else "works")
    ]
    assert unexpected == []


def test_every_public_function_of_numpy_is_in_the_table():
    assert width.unlisted() == []


@pytest.mark.parametrize(
    ("f", "reason"),
    [
        (lambda x: np.sum(x) * (1 + isinstance(x, np.ndarray)), "another value than NumPy's"),
        (lambda x: np.reshape(x, (-1, 1) if isinstance(x, np.ndarray) else -1), "another value than NumPy's"),
        (lambda x: np.sum(x if isinstance(x, np.ndarray) else x.data), "gradient of argument a"),
        (lambda x: np.sum(x**2) if isinstance(x, np.ndarray) else np.sum(x.data * x), "gradient of argument a"),
        (lambda x: (x, x) if isinstance(x, np.ndarray) else (x,), "1 results, and NumPy has 2"),
    ],
)
def test_a_wrong_value_or_gradient_is_found(f, reason):
    assert compared(f, [np.array([0.7, -1.2, 2.1])]) == ("wrong", reason)


def test_a_refusal_and_an_error_are_told_apart():
    assert width.attempt("np.roots(x)").verdict == "refused"
    assert width.attempt("np.sum(x, axis=7)").verdict == "wrong"
