import numpy as np
import pytest

import autotiny as at
from autotiny.algebra import Equation, simplify, symbol
from autotiny.derivation.steps import DerivationError, Step, differ_by_rounding, difference, movement, proved
from autotiny.ops.linalg import cofactors


def kernel(noise):
    t = np.linspace(0, 1, 6)
    return np.exp(-((t[:, None] - t) ** 2) / 2) + noise * np.eye(6)


def evidence(noise):
    z, K = np.random.default_rng(0).normal(size=6), at.Tensor(kernel(noise), name="K")
    return -0.5 * z @ np.linalg.inv(K) @ z - 0.5 * np.log(np.linalg.det(K)), K


@pytest.mark.parametrize("noise", [1e-3, 1e-7, 1e-10])
def test_steps_over_an_almost_singular_matrix_are_held_to_the_digits_that_it_leaves(noise):
    derivation = at.derive(*evidence(noise))
    assert derivation.ok
    assert "K⁻¹" in derivation.formula


@pytest.mark.parametrize("noise", [1e-3, 1e-7, 1e-10])
def test_a_wrong_rule_over_an_almost_singular_matrix_is_an_error(noise, monkeypatch):
    wrong = Equation(
        "cofactors over the determinant", lambda x: cofactors(x) / np.linalg.det(x), lambda x: 1.0005 * np.linalg.inv(x)
    )
    monkeypatch.setattr(simplify, "ROWS", (wrong, *simplify.ROWS))
    with pytest.raises(DerivationError, match="'cofactors over the determinant' made"):
        at.derive(*evidence(noise))


def test_what_is_rounding_alone_may_become_0():
    x = at.Tensor([0.3, -1.2, 2.0], name="x")
    y = x / np.linalg.norm(x)
    derivation = at.derive(y @ y / 2, x)
    assert np.max(abs(derivation.engine)) < 1e-15
    assert derivation.ok


def test_a_value_that_a_formula_cannot_round_to_is_not_rounding():
    x = symbol("x", np.array([1.0, 2.0]))
    assert differ_by_rounding(x.value, x.value * (1 + 1e-15), x)
    assert not differ_by_rounding(x.value, x.value * (1 + 1e-12), x)
    assert not differ_by_rounding(x.value, [np.nan, 2.0], x)


def test_a_mask_at_a_tie_moves_too_far_to_be_rounding():
    a, b = symbol("a", np.array([1.0, 2.0])), symbol("b", np.array([1.0, 2.0]))
    tie = np.equal(a, b) * 1.0
    moved, largest = movement(tie)
    assert (moved, largest) == (1, 2)
    assert not differ_by_rounding(tie.value, [0.0, 1.0], tie)


def test_a_rule_that_makes_nan_on_the_data_is_left_out():
    x = at.Tensor([1.0, np.nan, 4.0], name="x")
    derivation = at.derive(np.nanvar(x), x)
    assert derivation.ok
    assert "where with 0 is a product with the mask" not in [step.rule for step in derivation.steps]


def test_a_step_that_changes_the_value_names_its_rule_and_both_formulas():
    x = symbol("x", np.array([1.0, 2.0]))
    before, after = x * x, x * x * 1.001
    with pytest.raises(DerivationError, match=r"'squares' made .* of .*, whose values differ by 1.0e-03"):
        proved(Step("squares", before, after, "", difference(before.value, after.value)))
