"""Eigenvectors, singular vectors and factors: where values coincide, what has a derivative has the right one."""

import numpy as np
import pytest

import autotiny as at
from autotiny.errors import UnsupportedError

RNG = np.random.default_rng(0)
BASIS, OTHER = (np.linalg.qr(RNG.normal(size=(5, 5)))[0] for _ in range(2))
VALUES = np.array([1.0, 1.0, 2.0, 3.0, 3.0])
DEGENERATE = BASIS * VALUES @ BASIS.T
DEGENERATE = (DEGENERATE + DEGENERATE.T) / 2
REGULAR = BASIS * np.array([0.5, 1.0, 2.0, 3.0, 4.5]) @ BASIS.T
EQUAL_SINGULAR = BASIS * VALUES @ OTHER.T
C = RNG.normal(size=(5, 5))


def differences(f, x, step=1e-5):
    """Central differences, of the rounding 1e-10."""
    g = np.zeros_like(x)
    for place in np.ndindex(x.shape):
        move = np.zeros_like(x)
        move[place] = step
        g[place] = (f(x + move) - f(x - move)) / (2 * step)
    return g


def projector(v):
    return np.sum(C * (v @ v.T))


def of_eigh(f):
    return lambda x: f(*np.linalg.eigh(x))


def of_svd(f):
    return lambda x: f(*np.linalg.svd(x))


SUBSPACES = {
    "the trace of exp": of_eigh(lambda w, v: np.sum(np.exp(w))),
    "the log-determinant": of_eigh(lambda w, v: np.sum(np.log(w))),
    "the projector on the lowest": of_eigh(lambda w, v: projector(v[:, :2])),
    "the projector on the highest": of_eigh(lambda w, v: projector(v[:, 3:])),
    "the projector on all but the lowest": of_eigh(lambda w, v: projector(v[:, 2:])),
    "the projector on everything": of_eigh(lambda w, v: projector(v)),
    "a vector of its own": of_eigh(lambda w, v: np.sum(v[:, 2] ** 2 * C[0])),
    "a vector and a value of their own": of_eigh(lambda w, v: np.sum(v[:, 2] ** 2 * C[0]) * w[2]),
    "a subspace and the value of another": of_eigh(lambda w, v: projector(v[:, :2]) * w[2]),
    "a projector and all values": of_eigh(lambda w, v: projector(v[:, :2]) + np.sum(w**3)),
    "exp of a matrix": of_eigh(lambda w, v: np.sum(C * (v * np.exp(w) @ v.T))),
    "an entry of the square root": of_eigh(lambda w, v: (v @ np.diag(np.sqrt(w)) @ v.T)[0, 1]),
    "the trace of exp of a matrix": of_eigh(lambda w, v: np.trace(v * np.exp(w) @ v.T)),
    "a sum of two matrix functions": of_eigh(lambda w, v: np.sum(C * (v * w @ v.T) + C.T * (v * np.sin(w) @ v.T))),
    "the matrix put together again": of_eigh(lambda w, v: np.sum(C * (v * w @ v.T) ** 2)),
    "a part of low rank": of_eigh(lambda w, v: np.sum(C * (v[:, 3:] * np.log(w[3:]) @ v[:, 3:].T))),
}
TURNING = {
    "one vector of two": of_eigh(lambda w, v: np.sum(v[:, 0] ** 2 * C[0])),
    "all vectors": of_eigh(lambda w, v: np.sum(v**2 * C)),
    "a part of a subspace": of_eigh(lambda w, v: projector(v[:, 1:3])),
    "values weighted by entries of their vectors": of_eigh(lambda w, v: np.sum(w**2 * v[0] ** 4)),
}


@pytest.mark.parametrize("name", SUBSPACES)
def test_a_function_of_a_whole_subspace_has_its_derivative(name):
    f = SUBSPACES[name]
    np.testing.assert_allclose(at.grad(f)(DEGENERATE), np.tril(differences(f, DEGENERATE)), atol=1e-8)
    np.testing.assert_allclose(at.compile(at.grad(f))(DEGENERATE), at.grad(f)(DEGENERATE), atol=1e-12)


@pytest.mark.parametrize("name", TURNING)
def test_what_depends_on_the_basis_of_a_subspace_has_no_gradient(name):
    assert np.isnan(at.grad(TURNING[name])(DEGENERATE)).any()
    assert np.isnan(at.compile(at.grad(TURNING[name]))(DEGENERATE)).any()


@pytest.mark.parametrize("name", [*SUBSPACES, *TURNING])
def test_where_eigenvalues_are_apart_all_have_a_gradient(name):
    f = {**SUBSPACES, **TURNING}[name]
    np.testing.assert_allclose(at.grad(f)(REGULAR), np.tril(differences(f, REGULAR)), atol=1e-7)
    v, gradient = np.tril(C), at.grad(f)
    expected = (gradient(REGULAR + 1e-5 * v) - gradient(REGULAR - 1e-5 * v)) / 2e-5
    np.testing.assert_allclose(at.hvp(f)(REGULAR, v), expected, atol=1e-7)


@pytest.mark.parametrize("x", [np.zeros((3, 3)), np.eye(3), np.diag([2.0, 2.0, 0.0])], ids=["0", "I", "diagonal"])
def test_a_matrix_put_together_again_has_the_gradient_of_itself(x):
    weights = C[:3, :3]
    g = at.grad(of_eigh(lambda w, v: np.sum(weights * (v * w @ v.T))))(x)
    np.testing.assert_allclose(g, np.tril(weights) + np.triu(weights, 1).T, atol=1e-14)


def test_what_is_no_function_of_a_matrix_has_no_gradient_though_the_values_are_zero():
    """Its slope along E is Σ μ h(u) of the values μ and vectors u of E, which is linear in E for a square h alone."""
    x = BASIS * np.array([0.0, 0.0, 2.0, 3.0, 4.0]) @ BASIS.T
    assert np.isnan(at.grad(of_eigh(lambda w, v: np.sum(w * v[0] ** 4)))(x)).any()
    g = at.grad(of_eigh(lambda w, v: np.sum(w * v[0] ** 2)))(x)
    np.testing.assert_allclose(g, np.diag([1.0, 0, 0, 0, 0]), atol=1e-14)


def test_forward_mode_and_jacobian_of_a_matrix_function_agree_at_a_degenerate_matrix():
    exponential, direction = of_eigh(lambda w, v: v * np.exp(w) @ v.T), C + C.T
    forward = at.jvp(exponential, (DEGENERATE,), (direction,))[1]
    moved = (exponential(DEGENERATE + 1e-5 * direction) - exponential(DEGENERATE - 1e-5 * direction)) / 2e-5
    np.testing.assert_allclose(forward, moved, atol=1e-6)
    rows = at.jacobian(exponential)(DEGENERATE)
    np.testing.assert_allclose(np.tensordot(rows, np.tril(direction)), forward, atol=1e-12)


@pytest.mark.parametrize("seed", range(12))
def test_random_polynomials_of_random_degenerate_matrices_have_the_gradient_of_their_products(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 6))
    basis, weights = np.linalg.qr(rng.normal(size=(n, n)))[0], rng.normal(size=(n, n))
    x = basis * rng.choice([-1.0, 0.0, 2.0], n) @ basis.T
    x = (x + x.T) / 2
    a, b, c = rng.normal(size=3)

    def by_values(x):
        w, v = np.linalg.eigh(x)
        return np.sum(weights * (v * (a * w + b * w**2 + c * w**3) @ v.T))

    def by_products(x):
        x = np.tril(x) + np.tril(x, -1).T
        return np.sum(weights * (a * x + b * x @ x + c * x @ x @ x))

    np.testing.assert_allclose(at.grad(by_values)(x), at.grad(by_products)(x), atol=1e-12)


def test_second_derivatives_at_a_degenerate_matrix_are_nan():
    assert np.isnan(at.hessian(SUBSPACES["exp of a matrix"])(DEGENERATE)).any()


def test_a_projector_on_a_subspace_has_its_gradient_in_closed_form():
    """dP = P dX S + S dX P, where S is the pseudoinverse of λ - X on the rest of the space (T. Kato, 1966, II.2)."""
    low, high = BASIS[:, :2], BASIS[:, 2:]
    P, S = low @ low.T, high / (1 - VALUES[2:]) @ high.T
    g = P @ (C + C.T) @ S
    g = (g + g.T) / 2
    expected = np.tril(2 * g) - np.diag(np.diag(g))
    np.testing.assert_allclose(at.grad(SUBSPACES["the projector on the lowest"])(DEGENERATE), expected, atol=1e-13)


def test_a_degenerate_matrix_does_not_spoil_those_beside_it():
    stack = np.stack([REGULAR, DEGENERATE])
    g = at.grad(lambda x: np.sum(np.linalg.eigh(x)[1] ** 2 * C))(stack)
    np.testing.assert_array_equal(g[0], at.grad(TURNING["all vectors"])(REGULAR))
    assert np.isnan(g[1]).any()


def test_principal_components_of_few_samples_have_a_gradient():
    """Their covariance has the eigenvalue 0 several times, and nothing depends on its vectors."""
    samples = np.random.default_rng(1).normal(size=(3, 6))

    def explained(x):
        centred = x - np.mean(x, axis=0)
        w, v = np.linalg.eigh(centred.T @ centred)
        return np.sum(w[-2:]) / np.sum(w) + np.sum(v[:, -1] ** 4)

    def by_svd(x):
        _, s, vh = np.linalg.svd(x - np.mean(x, axis=0), full_matrices=False)
        return np.sum(s[:2] ** 2) / np.sum(s**2) + np.sum(vh[0] ** 4)

    expected = differences(explained, samples)
    np.testing.assert_allclose(at.grad(explained)(samples), expected, atol=1e-8)
    np.testing.assert_allclose(at.grad(by_svd)(samples), expected, atol=1e-8)


# ----- singular values -----
SINGULAR = {
    "the nuclear norm": lambda x: np.linalg.norm(x, "nuc"),
    "the polar factor": of_svd(lambda u, s, vh: np.sum(C * (u @ vh))),
    "the projector on the highest": of_svd(lambda u, s, vh: projector(u[:, :2])),
    "the projector on the lowest rows": of_svd(lambda u, s, vh: projector(vh[3:].T)),
    "the part of the highest": of_svd(lambda u, s, vh: np.sum(C * (u[:, :2] @ vh[:2]))),
    "the sum of squares": of_svd(lambda u, s, vh: np.sum(s**2)),
    "the matrix put together again": of_svd(lambda u, s, vh: np.sum(C * (u * s @ vh))),
    "the inverse": of_svd(lambda u, s, vh: np.sum(C * (vh.T / s @ u.T))),
    "the factor of the polar form": of_svd(lambda u, s, vh: np.sum(C * (vh.T * s @ vh))),
}


@pytest.mark.parametrize("name", SINGULAR)
def test_a_function_of_a_whole_pair_of_subspaces_has_its_derivative(name):
    f = SINGULAR[name]
    np.testing.assert_allclose(at.grad(f)(EQUAL_SINGULAR), differences(f, EQUAL_SINGULAR), atol=1e-8)


@pytest.mark.parametrize("f", [of_svd(lambda u, s, vh: np.sum(u[:, 0] ** 3)), of_svd(lambda u, s, vh: np.sum(C * vh))])
def test_vectors_of_equal_singular_values_have_no_gradient(f):
    assert np.isnan(at.grad(f)(EQUAL_SINGULAR)).any()


def test_vectors_of_a_singular_value_that_is_zero_have_a_gradient_where_nothing_else_depends_on_them():
    x = np.outer([1.0, 2.0, 3.0], [1.0, -1.0])  # of rank 1
    f = of_svd(lambda u, s, vh: np.sum(u[:, 0] ** 3) + np.sum(vh[0] ** 3) + s[0])
    np.testing.assert_allclose(at.grad(f)(x), differences(f, x), atol=1e-8)
    assert np.isnan(at.grad(of_svd(lambda u, s, vh: np.sum(u[:, 1] ** 3)))(x)).any()


def test_a_matrix_put_together_again_has_no_gradient_where_a_singular_value_is_zero():
    """It would be the identity; in the factors it is 0 / 0."""
    x = np.outer([1.0, 2.0, 3.0], [1.0, -1.0])
    put_together = of_svd(lambda u, s, vh: np.sum((u[:, :2] * s) @ vh))
    assert np.isnan(at.grad(put_together)(x)).any()


def test_the_basis_of_a_null_space_has_no_gradient_and_its_projector_has():
    x = RNG.normal(size=(4, 2))
    null = lambda u, s, vh: u[:, 2:]
    f = of_svd(lambda *factors: np.sum(C[:4, :4] * (null(*factors) @ null(*factors).T)))
    np.testing.assert_allclose(at.grad(f)(x), differences(f, x), atol=1e-8)
    assert np.isnan(at.grad(of_svd(lambda *factors: np.sum(null(*factors) ** 3)))(x)).any()


# ----- factors -----
@pytest.mark.parametrize("mode", ["complete", "reduced"])
def test_factors_of_columns_that_depend_on_one_another_have_no_gradient(mode):
    x = np.outer([1.0, 2.0, 3.0], [1.0, -1.0])
    x[:, 1] = 0
    assert np.isnan(at.grad(lambda x: np.sum(np.linalg.qr(x, mode)[0][:, :2] ** 3))(x)).any()


def test_the_rest_of_a_complete_basis_has_no_gradient_and_its_projector_has():
    x = RNG.normal(size=(4, 2))

    def f(x):
        rest = np.linalg.qr(x, "complete").Q[:, 2:]
        return np.sum(C[:4, :4] * (rest @ rest.T))

    np.testing.assert_allclose(at.grad(f)(x), differences(f, x), atol=1e-8)
    assert np.isnan(at.grad(lambda x: np.sum(np.linalg.qr(x, "complete")[0][:, 2] ** 3))(x)).any()


# ----- complex matrices -----
def complex_normal(*shape):
    rng = np.random.default_rng(7)
    return rng.normal(size=shape) + 1j * rng.normal(size=shape)


Z = complex_normal(4, 4)
HERMITIAN = Z + Z.conj().T
WEIGHTS = complex_normal(5, 5)


def by_parts(f, x, step=1e-5):
    """dJ/dRe + i dJ/dIm by central differences."""
    if not np.iscomplexobj(x):
        return differences(f, x, step)
    real = differences(lambda part: f(part + 1j * x.imag), x.real, step)
    return real + 1j * differences(lambda part: f(x.real + 1j * part), x.imag, step)


def weighted(x):
    return np.sum(np.real(WEIGHTS[: x.shape[0], : x.shape[1]] * x))


def eig_of(f):
    return lambda x: f(*np.linalg.eig(x))


def sizes(w, v):
    return np.sum(np.abs(v) ** 3 * C[:4, :4] * np.abs(w))


COMPLEX = {
    "eigenvalues of a Hermitian matrix": (of_eigh(lambda w, v: np.sum(w**3)), HERMITIAN),
    "a projector": (of_eigh(lambda w, v: weighted(v[:, :2] @ np.conj(v[:, :2]).T)), HERMITIAN),
    "sizes of eigenvectors": (of_eigh(sizes), HERMITIAN),
    "the upper triangle": (lambda x: sizes(*np.linalg.eigh(x, "U")), HERMITIAN),
    "singular values": (of_svd(lambda u, s, vh: np.sum(s**3)), Z),
    "the polar factor": (lambda x: (lambda u, s, vh: weighted(u @ vh))(*np.linalg.svd(x, False)), Z[:, :2]),
    "a part of low rank": (of_svd(lambda u, s, vh: weighted(u[:, :1] * s[:1] @ vh[:1])), Z[:2]),
    "the projector on a null space": (of_svd(lambda u, s, vh: weighted(u[:, 2:] @ np.conj(u[:, 2:]).T)), Z[:, :2]),
    "singular vectors of a Hermitian matrix": (
        lambda x: (lambda u, s, vh: weighted(u @ vh) + np.sum(s**3))(*np.linalg.svd(x, hermitian=True)),
        HERMITIAN,
    ),
    "Q": (lambda x: weighted(np.linalg.qr(x)[0]), Z[:, :3]),
    "R": (lambda x: weighted(np.linalg.qr(x)[1]), Z),
    "R alone": (lambda x: weighted(np.linalg.qr(x, "r")), Z[:, :3]),
    "Q and R of more columns than rows": (lambda x: weighted(np.linalg.qr(x)[0] @ np.linalg.qr(x)[1] ** 2), Z[:2]),
    "eigenvalues": (eig_of(lambda w, v: np.sum(np.real((1 + 2j) * w**2))), Z),
    "sizes of other eigenvectors": (eig_of(sizes), Z),
    "eigenvalues of a real matrix": (lambda x: np.sum(np.abs(np.linalg.eigvals(x)) ** 3), np.real(Z)),
    "eigenvectors of a real matrix": (eig_of(sizes), np.real(Z)),
}


@pytest.mark.parametrize("name", COMPLEX)
def test_complex_factors_have_the_gradient_of_their_parts(name):
    f, x = COMPLEX[name]
    expected = by_parts(f, x)
    if x is HERMITIAN:
        expected = np.triu(expected) if name == "the upper triangle" else np.tril(expected)
    np.testing.assert_allclose(at.grad(f)(x), expected, atol=1e-7)
    np.testing.assert_allclose(at.compile(at.grad(f))(x), at.grad(f)(x), atol=1e-13)


@pytest.mark.parametrize("name", COMPLEX)
def test_complex_factors_have_second_derivatives(name):
    f, x = COMPLEX[name]
    v = np.tril(HERMITIAN.T) if x is HERMITIAN else x[::-1]
    gradient = at.grad(f)
    expected = (gradient(x + 1e-5 * v) - gradient(x - 1e-5 * v)) / 2e-5
    np.testing.assert_allclose(at.hvp(f)(x, v), expected, atol=1e-6 * np.max(np.abs(expected)))


@pytest.mark.parametrize(
    ("f", "x"),
    [
        (of_eigh(lambda w, v: weighted(v)), HERMITIAN),
        (of_svd(lambda u, s, vh: weighted(u)), Z),
        (of_svd(lambda u, s, vh: weighted(vh)), Z),
        (eig_of(lambda w, v: weighted(v)), Z),
    ],
)
def test_what_depends_on_the_phase_of_a_vector_has_no_gradient(f, x):
    assert np.isnan(at.grad(f)(x)).any()


def test_a_complex_projector_on_a_degenerate_subspace_has_its_derivative():
    q = np.linalg.qr(Z)[0]
    x = q * np.array([1.0, 1.0, 2.0, 3.0]) @ q.conj().T
    f, _ = COMPLEX["a projector"]
    np.testing.assert_allclose(at.grad(f)(x), np.tril(by_parts(f, x)), atol=1e-8)
    assert np.isnan(at.grad(COMPLEX["sizes of eigenvectors"][0])(x)).any()
    g = of_eigh(lambda w, v: weighted(v * np.exp(w) @ np.conj(v).T))
    np.testing.assert_allclose(at.grad(g)(x), np.tril(by_parts(g, x)), atol=1e-7)


def test_raw_factors_are_refused():
    with pytest.raises(UnsupportedError, match=r"qr: mode 'raw', LAPACK's own factors, has no gradient rule"):
        np.linalg.qr(at.Tensor(C), "raw")


@pytest.mark.parametrize("function", [np.linalg.eigh, np.linalg.eig, np.linalg.svd, np.linalg.qr, np.linalg.slogdet])
def test_results_are_numpys_named_tuples(function):
    expected = function(REGULAR)
    result = function(at.Tensor(REGULAR))
    assert type(result) is type(expected)
    for part, value in zip(result, expected, strict=True):
        np.testing.assert_array_equal(part.data, value)


@pytest.mark.parametrize("shape", [(0, 0), (2, 0, 0), (0, 3, 3)])
@pytest.mark.parametrize("function", [np.linalg.eigh, np.linalg.svd, np.linalg.qr])
def test_empty_matrices_have_empty_factors_and_gradients(function, shape):
    x = at.Tensor(np.zeros(shape))
    sum(np.sum(part) for part in function(x)).backward()
    assert x.grad.shape == shape


def test_single_precision_stays_single_at_a_degenerate_matrix():
    x = DEGENERATE.astype(np.float32)
    g = at.grad(SUBSPACES["the projector on the lowest"])(x)
    assert g.dtype == np.float32
    expected = at.grad(SUBSPACES["the projector on the lowest"])(DEGENERATE)
    np.testing.assert_allclose(g, expected, atol=1e-4)
