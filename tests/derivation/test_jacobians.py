import numpy as np
import pytest

import autotiny as at
from autotiny.errors import UnsupportedError

x = at.Tensor([0.5, -0.25, 2.0], name="x")
A = np.array([[1.0, 2.0, -1.0], [0.5, 0.0, 3.0]])
CASES = [
    (lambda x: np.exp(x), "diag(y)"),
    (lambda x: A @ x, "A"),
    (lambda x: np.tanh(A @ x), "diag(1 - y²) A"),
    (lambda x: at.softmax(x), "diag(y) - y yᵀ"),
]


@pytest.mark.parametrize(("f", "formula"), CASES)
def test_jacobian_of_a_vector_is_a_formula(f, formula):
    y = f(x)
    derivation = at.derive(y, x)
    assert derivation.formula == formula
    np.testing.assert_allclose(derivation.term.value, at.jacobian(f)(x.data), rtol=1e-12, atol=1e-15)
    assert derivation.ok


def test_hessian_of_log_sum_exp_is_the_jacobian_of_its_gradient():
    (s,) = at.gradients(at.logsumexp(x), [x])
    derivation = at.derive(s, x)
    assert derivation.formula == "diag(s) - s sᵀ"
    np.testing.assert_allclose(derivation.term.value, at.hessian(at.logsumexp)(x.data), rtol=1e-12)


def test_jacobian_of_a_unit_vector_projects():
    y = x / np.linalg.norm(x)
    assert at.derive(y, x).formula == "(I - y yᵀ) / ‖x‖"


def test_entry_of_a_jacobian_has_a_delta():
    y = at.softmax(x)
    view = at.derive(y, x).elements(0, 1)
    assert view.entry == "dy[j]/dx[p]"
    assert view.formula == "y[j] * 1[j = p] - y[p] * y[j]"
    assert view.error < 1e-14


def test_step_says_that_the_vector_was_any():
    y = at.softmax(x)
    assert at.derive(y, x).steps[-1].rule == "this is vᵀ dy/dx for any v: without it"


def test_output_of_more_axes_is_refused_with_a_mend():
    Z = at.Tensor(np.eye(2), name="Z")
    A = at.softmax(Z)
    with pytest.raises(
        UnsupportedError, match=r"A has shape \(2, 2\) and Z \(2, 2\); .* take a sum, or one entry, first"
    ):
        at.derive(A, Z)


def test_jacobian_that_is_no_sum_of_known_matrices_is_refused_with_a_mend():
    y = np.cumsum(x)
    with pytest.raises(UnsupportedError, match="derive sum\\(v \\* y\\) for a vector v"):
        at.derive(y, x)
