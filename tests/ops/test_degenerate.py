"""Matrices at the edge: infinite, nan, singular, empty. The value is NumPy's, or its error, and nothing hangs."""

import faulthandler

import numpy as np
import pytest

import autotiny as at

REGULAR = np.array([[2.0, 1, 0], [1, 3, 1], [0, 1, 4]])


def with_entry(value):
    x = REGULAR.copy()
    x[0, 0] = value
    return x


MATRICES = {
    "an infinity": with_entry(np.inf),
    "nan": with_entry(np.nan),
    "infinities": np.full((3, 3), -np.inf),
    "zeros": np.zeros((3, 3)),
    "singular": np.ones((3, 3)),
    "huge": REGULAR * 1e300,
    "tiny": REGULAR * 1e-300,
    "no rows": np.zeros((0, 0)),
    "a stack of none": np.zeros((0, 3, 3)),
    "a stack of empty ones": np.zeros((2, 0, 0)),
    "a stack with an infinity": np.stack([REGULAR, with_entry(np.inf)]),
    "a stack with a singular one": np.stack([REGULAR, np.ones((3, 3))]),
}
FUNCTIONS = {
    "inv": np.linalg.inv,
    "det": np.linalg.det,
    "log |det|": lambda x: np.linalg.slogdet(x)[1],
    "sign of det": lambda x: np.linalg.slogdet(x)[0],
    "solve": lambda x: np.linalg.solve(x, np.ones((*x.shape[:-1], 1))),
    "cholesky": np.linalg.cholesky,
    "trace": lambda x: np.trace(x, axis1=-2, axis2=-1),
    **{f"power {n}": lambda x, n=n: np.linalg.matrix_power(x, n) for n in (-1, 0, 3)},
    **{f"norm {n}": lambda x, n=n: np.linalg.norm(x, n, axis=(-2, -1)) for n in ("fro", 1, -1, np.inf, -np.inf)},
    **{f"norm {n} of rows": lambda x, n=n: np.linalg.norm(x, n, axis=-1) for n in (0, 1, 2, 3, -1, -2, 0.5, np.inf)},
}


def value_or_error(f, x):
    try:
        return f(x)
    except (np.linalg.LinAlgError, ValueError) as error:
        return error


@pytest.fixture(autouse=True)
def time_limit():
    """LAPACK cannot be interrupted: the process ends, and says where it was."""
    faulthandler.dump_traceback_later(10, exit=True)
    yield
    faulthandler.cancel_dump_traceback_later()


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("kind", MATRICES)
@np.errstate(all="ignore")
def test_matrix_at_the_edge_has_numpys_value_or_error_and_a_gradient(kind, name):
    f, x = FUNCTIONS[name], at.Tensor(MATRICES[kind])
    if x.size == 0 and name in ("norm 1", "norm inf", "norm inf of rows"):
        pytest.skip("0 in newer versions of NumPy alone")
    expected, found = value_or_error(f, MATRICES[kind]), value_or_error(f, x)
    if isinstance(expected, Exception):
        assert isinstance(found, type(expected))
        return
    known = np.isfinite(expected)
    np.testing.assert_allclose(np.asarray(getattr(found, "data", found))[known], expected[known], rtol=1e-9)
    if name not in ("inv", "solve", "power -1", "power 0"):
        np.sum(found).backward()
        assert x.grad.shape == x.shape


@np.errstate(all="ignore")
def test_pseudoinverse_of_an_infinity_is_nan_where_numpys_never_ends():
    y, pull = at.vjp(np.linalg.pinv, MATRICES["a stack with an infinity"])
    (g,) = pull(np.ones(y.shape))
    np.testing.assert_allclose(y[0], np.linalg.inv(REGULAR))
    assert np.isfinite(g[0]).all()
    assert np.isnan(y[1]).all()
    assert np.isnan(g[1]).all()


@np.errstate(all="ignore")
def test_singular_matrix_does_not_spoil_the_log_determinants_beside_it():
    g = at.grad(lambda x: np.sum(np.linalg.slogdet(x)[1]))(MATRICES["a stack with a singular one"])
    np.testing.assert_allclose(g[0], np.linalg.inv(REGULAR).T)
    assert np.isnan(g[1]).all()
