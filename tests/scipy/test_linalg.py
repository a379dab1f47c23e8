"""The mirror of scipy.linalg: every function and option, values, gradients of both orders, programs, refusals."""

import numpy as np
import pytest

scipy_package = pytest.importorskip("scipy")
scipy = pytest.importorskip("scipy.linalg")

import autotiny as at
import mirrored as claims
from autotiny.errors import UnsupportedError
from autotiny.scipy import linalg

rng = np.random.default_rng(0)
Q = rng.normal(size=(3, 3))
A = Q + 3 * np.eye(3)
S = A @ A.T
B, b = rng.normal(size=(3, 2)), rng.normal(size=3)
T = np.stack([A, A.T + 0.3 * Q])
TALL, WIDE = rng.normal(size=(4, 2)), rng.normal(size=(2, 4))
c = np.array([4.0, 1.0, -0.5, 0.3])
BANDS = rng.normal(size=(4, 6)) + np.array([[0], [0], [5], [0]])

CALLS = {
    "expm": [(lambda m, a: m.expm(a), A), (lambda m, a: m.expm(a), T)],
    "logm": [(lambda m, a: m.logm(a), S[:2, :2])],
    "sqrtm": [(lambda m, a: m.sqrtm(a), S)],
    "cosm": [(lambda m, a: m.cosm(a), A)],
    "sinm": [(lambda m, a: m.sinm(a), A)],
    "tanm": [(lambda m, a: m.tanm(a), 0.3 * Q[:2, :2])],
    "coshm": [(lambda m, a: m.coshm(a), Q[:2, :2])],
    "sinhm": [(lambda m, a: m.sinhm(a), Q[:2, :2])],
    "tanhm": [(lambda m, a: m.tanhm(a), 0.3 * Q[:2, :2])],
    "fractional_matrix_power": [
        (lambda m, a: m.fractional_matrix_power(a, 0.3), S[:2, :2]),
        (lambda m, a: m.fractional_matrix_power(a, -2), S),
    ],
    "solve_sylvester": [(lambda m, a, b, q: m.solve_sylvester(a, b, q), A, A.T @ A, Q)],
    "solve_continuous_lyapunov": [(lambda m, a, q: m.solve_continuous_lyapunov(a, q), A, Q)],
    "solve_discrete_lyapunov": [(lambda m, a, q: m.solve_discrete_lyapunov(a, q), 0.1 * A, Q)],
    "lstsq": [
        (lambda m, a, b: m.lstsq(a, b)[0], TALL, c),
        (lambda m, a, b: m.lstsq(a, b)[:2], TALL, rng.normal(size=(4, 2))),
        (lambda m, a, b: m.lstsq(a, b)[1], TALL, c),
    ],
    "eigvals": [
        (lambda m, a: np.sum(np.real(m.eigvals(a) ** 2)), A),
        (lambda m, a, b: np.sum(np.real(m.eigvals(a, b) ** 2)), A, S),
    ],
    "solve_triangular": [
        (lambda m, a, b: m.solve_triangular(a, b), A, b),
        (lambda m, a, b: m.solve_triangular(a, b, lower=True), A, B),
        (lambda m, a, b: m.solve_triangular(a, b, 1), A, B),
        (lambda m, a, b: m.solve_triangular(a, b, trans="T", lower=True), A, b),
        (lambda m, a, b: m.solve_triangular(a, b, unit_diagonal=True), A, B),
        (lambda m, a, b: m.solve_triangular(a, b, "C", True, True, check_finite=False), A, b),
        (lambda m, a: m.solve_triangular(a, B, trans="N"), A),
        (lambda m, b: m.solve_triangular(A, b, overwrite_b=False), B),
    ],
    "cholesky": [(lambda m, a: m.cholesky(a), S), (lambda m, a: m.cholesky(a, lower=True), S)],
    "cho_factor": [(lambda m, a: m.cho_factor(a)[0], S), (lambda m, a: m.cho_factor(a, True)[0], S)],
    "cho_solve": [
        (lambda m, a, b: m.cho_solve(m.cho_factor(a), b), S, b),
        (lambda m, a, b: m.cho_solve(m.cho_factor(a, lower=True), b), S, B),
        (lambda m, b: m.cho_solve(scipy.cho_factor(S), b), b),
    ],
    "lu_factor": [(lambda m, a: m.lu_factor(a)[0], x) for x in (Q, TALL, WIDE)],
    "lu": [
        (lambda m, a: m.lu(a), Q),
        (lambda m, a: m.lu(a, permute_l=True), TALL),
        (lambda m, a: m.lu(a, p_indices=True), WIDE),
    ],
    "lu_solve": [
        (lambda m, a, b: m.lu_solve(m.lu_factor(a), b), Q, b),
        (lambda m, a, b: m.lu_solve(m.lu_factor(a), b, trans=1), Q, B),
        (lambda m, a, b: m.lu_solve(m.lu_factor(a), b, 2), Q, b),
    ],
    "solve": [
        (lambda m, a, b: m.solve(a, b), A, b),
        (lambda m, a, b: m.solve(a, b, transposed=True), A, B),
        (lambda m, a, b: m.solve(a, b, assume_a="sym"), A, B),
        (lambda m, a, b: m.solve(a, b, lower=True, assume_a="sym"), A, b),
        (lambda m, a, b: m.solve(a, b, assume_a="pos"), S, b),
        (lambda m, a, b: m.solve(a, b, assume_a="gen"), A, B),
    ],
    "inv": [(lambda m, a: m.inv(a), A)],
    "det": [(lambda m, a: m.det(a), A)],
    "pinv": [
        (lambda m, a: m.pinv(a), TALL),
        (lambda m, a: m.pinv(a, rtol=1e-3), WIDE),
        (lambda m, a: m.pinv(a, return_rank=True)[0], WIDE),
    ],
    "norm": [(lambda m, a: m.norm(a), Q), (lambda m, a: m.norm(a, 1, axis=0, keepdims=True), Q)],
    "svd": [
        (lambda m, a: [x**2 for x in m.svd(a, full_matrices=False)], WIDE),
        (lambda m, a: m.svd(a, compute_uv=False), Q),
    ],
    "svdvals": [(lambda m, a: m.svdvals(a), WIDE)],
    "eigvalsh": [
        (lambda m, a: m.eigvalsh(a), S),
        (lambda m, a: m.eigvalsh(a, lower=False), Q),
        (lambda m, a, b: m.eigvalsh(a, b), Q, S),
        (lambda m, a, b: m.eigvalsh(a, b, lower=False), Q, S),
    ],
    "eigh": [
        (lambda m, a: [x**2 for x in m.eigh(a)], Q),
        (lambda m, a, b: [x**2 for x in m.eigh(a, b)], Q, S),
        (lambda m, a: m.eigh(a, eigvals_only=True), Q),
    ],
    "qr": [
        (lambda m, a: m.qr(a), Q),
        (lambda m, a: m.qr(a, mode="economic"), TALL),
        (lambda m, a: m.qr(a, mode="r"), Q),
    ],
    "polar": [
        (lambda m, a: m.polar(a), Q),
        (lambda m, a: m.polar(a, side="left"), TALL),
        (lambda m, a: m.polar(a, "right"), WIDE),
    ],
    "block_diag": [(lambda m, a, b, c: m.block_diag(a, b, c, 2.0), Q, b, WIDE)],
    "toeplitz": [(lambda m, c: m.toeplitz(c), c), (lambda m, c, r: m.toeplitz(c, r), c, b)],
    "hankel": [(lambda m, c: m.hankel(c), c), (lambda m, c, r: m.hankel(c, r), c, b)],
    "circulant": [(lambda m, c: m.circulant(c), c)],
    "companion": [(lambda m, c: m.companion(c), c)],
    "khatri_rao": [(lambda m, a, b: m.khatri_rao(a, b), Q, A)],
    "solve_toeplitz": [
        (lambda m, c, b: m.solve_toeplitz(c, b), c, c[::-1]),
        (lambda m, c, r, b: m.solve_toeplitz((c, r), b), c, c + 0.1, c[::-1]),
    ],
    "solve_banded": [
        (lambda m, ab, b: m.solve_banded((1, 2), ab, b), BANDS, np.arange(6.0)),
        (lambda m, ab, b: m.solve_banded((3, 0), ab, b), np.roll(BANDS, -2, axis=0), rng.normal(size=(6, 2))),
    ],
}
STACKED = [
    (lambda m, a: m.sqrtm(a @ a.mT), T),
    (lambda m, a, b: m.solve_triangular(a, b), T, b),
    (lambda m, a, b: m.solve_triangular(a, b, lower=True, trans=1), T, B),
    (lambda m, a: m.lu_factor(a)[0], T[:, ::-1]),
    (lambda m, a, b: m.lu_solve(m.lu_factor(a), b), T[:, ::-1], b),
    (lambda m, a, b: m.lu_solve(m.lu_factor(a), b, trans=1), T[:, ::-1], B),
    (lambda m, a: m.cholesky(a @ a.mT), T),
    (lambda m, a: m.inv(a), T),
    (lambda m, a: m.det(a), T),
    (lambda m, a, b: m.solve(a, b), T, b),
]
"""Stacked matrices, as SciPy takes them now."""
STRUCTURED = ["upper triangular", "lower triangular", "diagonal", "tridiagonal", "banded", "general", "symmetric"]
"""Structures that SciPy knows now."""

ALL = [call for calls in CALLS.values() for call in calls]
pytestmark = pytest.mark.filterwarnings("ignore:logm result may be inaccurate")
version = tuple(map(int, scipy_package.__version__.split(".")[:2]))
recent = pytest.mark.skipif(version < (1, 17), reason="SciPy before 1.17 takes one matrix, and fewer structures")
each_call = pytest.mark.parametrize("call", ALL)
each_stack = pytest.mark.parametrize("call", STACKED)


def test_every_mirror_is_called():
    assert CALLS.keys() | {"solve_lyapunov"} == {
        name for name, value in vars(linalg).items() if hasattr(value, "__scipy__")
    }


@each_call
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_values_are_scipys_in_shape_and_precision(call, dtype):
    claims.assert_values_are_scipys(call[0], linalg, scipy, call[1:], dtype)


@each_call
def test_gradients_are_those_of_differences(call):
    claims.assert_gradients_are_those_of_differences(call[0], linalg, scipy, call[1:])


@each_call
def test_second_derivatives_are_those_of_differences(call):
    claims.assert_second_derivatives_are_those_of_differences(call[0], linalg, call[1:])


@each_call
def test_a_program_computes_the_same(call):
    claims.assert_a_program_computes_the_same(call[0], linalg, call[1:])


@recent
@each_stack
def test_stacked_matrices_work_as_well(call):
    claims.assert_values_are_scipys(call[0], linalg, scipy, call[1:])
    claims.assert_gradients_are_those_of_differences(call[0], linalg, scipy, call[1:])
    claims.assert_second_derivatives_are_those_of_differences(call[0], linalg, call[1:])


@recent
@pytest.mark.parametrize("structure", STRUCTURED)
@pytest.mark.parametrize("transposed", [False, True])
def test_a_solver_reads_the_part_of_a_matrix_that_scipy_reads(structure, transposed):
    f = lambda m, a, b: m.solve(a, b, assume_a=structure, transposed=transposed)
    claims.assert_values_are_scipys(f, linalg, scipy, (A, B))
    claims.assert_gradients_are_those_of_differences(f, linalg, scipy, (A, B))


def test_the_derivative_of_an_exponential_is_exact_for_a_tiny_or_huge_gradient():
    _, pull = at.vjp(linalg.expm, A)
    G = np.random.default_rng(5).normal(size=(3, 3))
    expected = pull(G)[0]
    for scale in (2.0**-660, 2.0**660):
        np.testing.assert_allclose(pull(scale * G)[0] / scale, expected, rtol=0, atol=1e-14 * abs(expected).max())


def test_the_logarithm_leaves_the_random_numbers_of_the_user_alone():
    np.random.seed(3)
    expected = np.random.rand()
    np.random.seed(3)
    linalg.logm(at.Tensor(S))
    assert np.random.rand() == expected


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda x: linalg.qr(x, pivoting=True), "qr: pivoting=True and mode='raw' are not supported"),
        (lambda x: linalg.eigh(x, type=2), "eigh: type=2 is not supported on a Tensor; A v = λ B v is type 1"),
        (lambda x: linalg.eigh(x, subset_by_index=[0, 1]), "eigh: subset_by_index= is not supported"),
        (lambda x: linalg.pinv(x, atol=0.1), "pinv: atol= is not supported on a Tensor; use rtol="),
        (lambda x: linalg.polar(x, side="up"), "polar: side must be 'right' or 'left'; got 'up'"),
        (lambda x: linalg.solve(x, b, assume_a="odd"), "assume_a='odd' is not supported"),
        (lambda x: linalg.expm(x, 3), "expm: takes at most 1 arguments, and 2 were given"),
        (lambda x: scipy.expm(x), r"scipy\.linalg\.expm turns x into a plain array.*use autotiny\.scipy\.linalg\.expm"),
        (lambda x: linalg.expm(x[:2]), "expm"),
        (lambda x: linalg.solve_triangular(x, np.ones(5)), "solve_triangular: solve_triangular.*x"),
    ],
)
def test_what_is_refused_says_why(call, words):
    x = at.Tensor(S)
    with pytest.raises((UnsupportedError, ValueError), match=words):
        call(x)
