"""Gradients by complex tensors as formulas: dJ/dRe + i dJ/dIm, with conjugates where the textbook has them."""

import numpy as np
import pytest

import autotiny as at
from autotiny.algebra import symbol
from autotiny.algebra.normalise import conjugated, normalise
from autotiny.engine.graph import topological_order
from autotiny.errors import UnsupportedError

Z = np.array([1 + 2j, -0.5 + 0.3j, 2 - 1j])
W = np.array([0.3 - 1j, 1.5 + 0.2j, -1 - 0.7j])
MATRIX = np.arange(9).reshape(3, 3) + 1j * np.eye(3)


def leaves():
    return (
        at.Tensor(MATRIX, name="A"),
        at.Tensor(Z, name="z"),
        at.Tensor(W, name="w"),
        at.Tensor([0.5, 1.0, 2.0], name="x"),
    )


LEAST_SQUARES = [
    lambda A, z, w: np.sum(np.abs(A @ z - w) ** 2),
    lambda A, z, w: np.linalg.norm(A @ z - w) ** 2,
    lambda A, z, w: np.sum(((A @ z - w) * np.conj(A @ z - w)).real),
    lambda A, z, w: np.vdot(A @ z - w, A @ z - w).real,
]


@pytest.mark.parametrize("loss", LEAST_SQUARES)
def test_least_squares_has_the_textbooks_gradient_however_it_is_written(loss):
    A, z, w, _ = leaves()
    J = loss(A, z, w)
    assert at.derive(J, "z").formula == "2 * Aᴴ (A z - w)"
    assert at.derive(J, "w").formula == "2 * (w - A z)"
    assert at.derive(J, "A").ok
    assert "conj(z)" in at.derive(J, "A").formula


FORMULAS = [
    (lambda A, z, w, x: np.sum(np.abs(z)), "z", "sign(z)"),
    (lambda A, z, w, x: np.sum(np.real(z * w)), "z", "conj(w)"),
    (lambda A, z, w, x: np.sum(np.imag(z)), "z", "1j"),
    (lambda A, z, w, x: np.sum(np.real(np.exp(z) * w)), "z", "conj(w) * exp(conj(z))"),
    (lambda A, z, w, x: np.real(np.sum(z**3)), "z", "3 * conj(z)²"),
    (lambda A, z, w, x: np.sum(np.abs(np.exp(1j * x) - w) ** 2), "w", "2 * (w - exp(1j * x))"),
    (lambda A, z, w, x: np.sum(np.real(x * z)), "x", "Re(z)"),
]


@pytest.mark.parametrize(("loss", "target", "formula"), FORMULAS)
def test_formulas_have_conjugates(loss, target, formula):
    A, z, w, x = leaves()
    derivation = at.derive(loss(A, z, w, x), target)
    assert (derivation.formula, derivation.ok) == (formula, True)


LOSSES = [
    lambda A, z, w, x: np.sum(np.abs(np.exp(1j * x) - w) ** 2),
    lambda A, z, w, x: np.sum(np.square(np.real(A @ z)) + np.square(np.imag(z)) * x),
    lambda A, z, w, x: np.sum(np.abs(np.linalg.solve(A, z) * w) ** 2),
    lambda A, z, w, x: np.real(np.sum(np.where(x > 0.7, z * w, z) / (1 + np.exp(w)))),
    lambda A, z, w, x: np.real(np.vdot(np.tanh(z) * 0.1, np.sqrt(w) - x)),
]


@pytest.mark.parametrize("target", ["A", "z", "w", "x"])
@pytest.mark.parametrize("loss", LOSSES)
def test_a_derivation_agrees_with_backprop(loss, target):
    J = loss(*leaves())
    if all(x.name != target for x in topological_order(J)):
        return
    derivation = at.derive(J, target)
    assert derivation.ok, derivation
    assert "agrees with backprop" in repr(derivation)
    assert derivation.latex()
    assert "<math" in derivation._repr_html_()


def test_the_formula_is_a_numpy_function_that_computes_the_gradient():
    A, z, w, _ = leaves()
    f = at.derive(np.sum(np.abs(A @ z - w) ** 2), "z").numpy()
    np.testing.assert_allclose(f(A=MATRIX, w=W, z=W), 2 * MATRIX.conj().T @ (MATRIX @ W - W))
    assert "np.conj(A).T" in repr(f)


def test_latex_and_mathml_have_bars_and_the_adjoint():
    A, z, w, _ = leaves()
    J = np.sum(np.abs(A @ z - w) ** 2)
    assert r"A^{\mathsf{H}}" in at.derive(J, "z").latex()
    assert r"\overline{z}" in at.derive(J, "A").latex()
    assert "<mover>" in at.derive(J, "A")._repr_html_()


def test_a_complex_loss_is_refused():
    _, z, w, _ = leaves()
    J = np.sum(z * w)
    with pytest.raises(UnsupportedError, match=r"derive: J is complex, and a gradient is that of a real number"):
        at.derive(J, "z")


# ----- conjugates in the algebra -----
def test_a_conjugate_moves_to_the_symbols():
    a, b, r = symbol("a", Z), symbol("b", W), symbol("r", Z.real)
    for term, expected in [
        (np.exp(a) * b + r, np.exp(np.conj(a)) * np.conj(b) + r),
        (np.conj(a) @ b, a @ np.conj(b)),
        (np.abs(a) * np.sign(b), np.abs(a) * np.sign(np.conj(b))),
        (np.real(a) * (1 + 1j), np.real(a) * (1 - 1j)),
    ]:
        moved = conjugated(term)
        np.testing.assert_allclose(moved.value, np.conj(term.value))
        assert repr(normalise(moved)) == repr(normalise(expected))


def test_the_conjugate_of_a_real_term_is_itself():
    r = symbol("r", Z.real)
    assert conjugated(r * 2) is r * 2
    assert normalise(np.conj(r)) is r
    assert normalise(np.real(r)) is r


def test_a_function_without_that_symmetry_keeps_its_conjugate():
    @at.operation(lambda g, y, x: g * 1j)
    def turned(x):
        return x * 1j

    a = symbol("a", Z)
    term = conjugated(turned(a))
    np.testing.assert_allclose(term.value, np.conj(Z * 1j))
