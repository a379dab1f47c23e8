"""Sparse matrices of SciPy as constants in @: never dense, the gradient by the transpose, errors with a mend."""

import gc

import numpy as np
import pytest

scipy = pytest.importorskip("scipy.sparse")

import autotiny as at
from autotiny.errors import ShapeError, UnsupportedError
from autotiny.scipy import sparse

rng = np.random.default_rng(2)
DENSE = rng.normal(size=(3, 4)) * (rng.random((3, 4)) < 0.6)
CLASSES = [
    getattr(scipy, f"{form}_{kind}")
    for form in ("csr", "csc", "coo", "bsr", "dia", "lil", "dok")
    for kind in ("array", "matrix")
]
USES = {
    "S @ x": (lambda S, t: S @ t, (4,)),
    "S @ X": (lambda S, t: S @ t, (4, 2)),
    "x @ S": (lambda S, t: t @ S, (3,)),
    "X @ S": (lambda S, t: t @ S, (2, 3)),
    "S.T @ x": (lambda S, t: S.T @ t, (3,)),
}


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("kind", CLASSES)
def test_a_product_and_its_gradient_are_those_of_the_dense_matrix(kind, use):
    f, shape = USES[use]
    x = rng.normal(size=shape)
    value, gradient = at.value_and_grad(lambda t: np.sum(np.sin(f(kind(DENSE), t))))(x)
    wanted, expected = at.value_and_grad(lambda t: np.sum(np.sin(f(DENSE, t))))(x)
    np.testing.assert_allclose(value, wanted, rtol=1e-14, atol=1e-15)
    np.testing.assert_allclose(gradient, expected, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("use", USES)
def test_derivatives_of_second_order_forward_mode_and_programs(use):
    f, shape = USES[use]
    S, x = scipy.csr_array(DENSE), rng.normal(size=shape)
    loss, dense = (lambda t, M=M: np.sum(np.sin(f(M, t))) for M in (S, DENSE))
    np.testing.assert_allclose(at.hessian(loss)(x), at.hessian(dense)(x), rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(at.jvp(loss, (x,), (x,)), at.jvp(dense, (x,), (x,)), rtol=1e-12)
    program = at.compile(at.grad(loss))
    for _ in range(2):
        np.testing.assert_allclose(program(x), at.grad(dense)(x), rtol=1e-13)
    at.check_gradients(loss, x)


def test_precision_is_scipys():
    S = scipy.csr_array(DENSE.astype(np.float32))
    assert (S @ at.Tensor(np.ones(4, np.float32))).dtype == np.float32
    assert (S @ at.Tensor(np.ones(4))).dtype == np.float64
    assert at.grad(lambda t: np.sum(scipy.csr_array(DENSE) @ t))(np.ones(4, np.float32)).dtype == np.float32


def test_a_matrix_of_a_billion_entries_stays_sparse():
    n = 40_000
    S = scipy.diags_array([np.ones(n - 1)], offsets=[1], shape=(n, n), format="csr")
    gradient = at.grad(lambda t: np.sum(np.square(S @ t)))(np.ones(n))
    assert (gradient[0], gradient[1]) == (0, 2)


def test_a_matrix_that_is_changed_later_counts_as_it_was():
    S, x = scipy.csr_array(DENSE), at.Tensor(np.ones(4))
    y = np.sum(S @ x)
    S.data[:] = 0
    y.backward()
    np.testing.assert_array_equal(x.grad, np.sum(DENSE, axis=0))


def test_a_matrix_that_is_used_often_is_copied_once():
    often_used, x = scipy.csr_array(DENSE @ DENSE.T), at.Tensor(np.ones(3))
    for _ in range(5):
        x = often_used @ x
    gc.collect()
    assert sum(each.name == "often_used" for each in sparse.copies.values()) == 1


def test_a_picture_and_a_formula_name_the_matrix():
    S, x = scipy.csr_array(DENSE), at.Tensor(np.ones(4), name="x")
    y = S @ x
    loss = np.sum(y * y)
    assert str(at.derive(loss, x).formula) == "2 * Sᵀ y"
    assert r"S^\top \, y" in at.derive(loss, x).latex()
    assert "S @ x" in at.draw(loss).dot or "S x" in at.draw(loss).dot


@pytest.mark.parametrize(
    ("call", "kind", "words"),
    [
        (
            lambda S, x: S @ x,
            ShapeError,
            r"S \(3, 4\) @ x \(3,\): inner sizes 4 and 3 differ; S\.T is \(4, 3\)",
        ),
        (lambda S, x: x[:2] @ S, ShapeError, r"matmul: Tensor \(2,\) @ S \(3, 4\): inner sizes 2 and 3 differ"),
        (lambda S, x: S @ x[0], ShapeError, r"S \(3, 4\) @ Tensor: a matrix product needs vectors or matrices"),
        (lambda S, x: S + x, UnsupportedError, r"add: S .* is a csr_array of scipy.*use S\.toarray\(\)"),
        (
            lambda S, x: S[:, :3] * x,
            UnsupportedError,
            r"S is sparse, use S @ x for their product|reads bytes as another type",
        ),
    ],
)
def test_what_is_refused_says_what_to_do(call, kind, words):
    S, x = scipy.csr_array(DENSE), at.Tensor(np.ones(3))
    with pytest.raises(kind, match=words):
        call(S, x)
