"""Constants whose code is gone are written by functions of named arrays, where their digits leave no doubt."""

import numpy as np
import pytest

import autotiny as at
from autotiny.derivation.guesses import of_arrays, of_number

NAMES = {"np": np, "at": at, "T": at.Tensor}


def formula(code, target="x"):
    """The derived formula of J in code that has run and cannot be read any more."""
    rng = np.random.default_rng(5)
    scope = {
        **NAMES,
        "y": rng.normal(size=4),
        "P": rng.normal(size=(4, 4)),
        "x": at.Tensor(rng.normal(size=4)),
        "c": 0.3,
    }
    exec(code, scope)
    derivation = eval(f"at.derive(J, {target!r})", scope)
    assert derivation.ok
    return derivation.formula


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("J = np.sin(y) @ x", "sin(y)"),
        ("J = (c * np.sin(y)) @ x", "c * sin(y)"),
        ("J = (y / 2) @ x", "y / 2"),
        ("J = (-2 * np.exp(y)) @ x", "-2 * exp(y)"),
        ("J = (y - c) @ x", "y - c"),
        ("J = (y - np.mean(y)) @ x", "y - sum(y) / 4"),
        ("J = x @ np.linalg.inv(P) @ x", "(P⁻¹ + P⁻ᵀ) x"),
        ("J = np.linalg.norm(y) * np.sum(x**2)", "2 * ‖y‖ * x"),
        ("J = np.sum(x**2) / np.sum(y)", "2 * x / sum(y)"),
        ("J = np.sum((y - c) ** 2) * np.sum(x)", "sum((y - c)²)"),
        ("J = np.sum(np.where(x > 0, x**2, x))", "1 + (2 * x - 1) * 1[x > 0]"),
    ],
)
def test_a_constant_is_a_function_of_what_is_named(code, expected):
    assert formula(code) == expected


@pytest.mark.parametrize("value", [np.array([1.0, 4.0, 9.0]), np.array([2.5]), np.array([True, False])])
def test_a_few_whole_numbers_are_no_evidence(value):
    assert of_arrays(value, [np.array([1.0, 2.0, 3.0]), np.array([1.0, 0.0])], [2.5]) is None


@pytest.mark.parametrize("value", [0.49, 2.0, 1e-3, np.inf])
def test_a_number_that_people_type_is_no_evidence(value):
    assert of_number(value, [np.array([0.3, 0.19])], [0.7]) is None


def test_random_constants_are_not_taken_for_functions_of_others():
    rng = np.random.default_rng(0)
    for _ in range(20):
        arrays = [rng.normal(size=3) for _ in range(4)]
        assert of_arrays(rng.normal(size=3), arrays, [0.7]) is None
        assert of_number(float(rng.normal()), arrays, [0.7]) is None
