"""Products of rows, of which a kernel computes several entries in one loop."""

import numpy as np
import pytest

import autotiny as at

pytest.importorskip("numba")


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(("rows", "columns"), [(3, 16), (5, 4), (5, 7), (2, 3)])
def test_products_of_rows_equal_numpys(dtype: type, rows: int, columns: int) -> None:
    rng = np.random.default_rng(rows)
    a, b = rng.normal(size=(rows, 33)).astype(dtype), rng.normal(size=(columns, 33)).astype(dtype)
    step = at.compile(lambda a, b: 1 - (2 * a) @ b.T, backend="numba")
    np.testing.assert_allclose(step(a, b), 1 - (2 * a) @ b.T, rtol=2e-5 if dtype is np.float32 else 1e-12, atol=1e-5)
    assert (f"range(0, {columns}, 4)" in step.source) == (columns % 4 == 0)


def test_totals_have_names_that_no_array_has() -> None:
    rng = np.random.default_rng(0)
    a, P_0, b = rng.normal(size=(3, 20)), rng.normal(size=(3, 8)), rng.normal(size=(8, 20))

    def f(a: np.ndarray, b: np.ndarray, P_0: np.ndarray) -> np.ndarray:
        P = a @ b.T
        return np.tanh(P) + P_0

    step = at.compile(f, backend="numba")
    np.testing.assert_allclose(step(a, b, P_0), f(a, b, P_0), rtol=1e-12)


def test_a_sum_within_a_product_of_one_entry_has_parentheses() -> None:
    def f(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return x @ (x + y * x) + (x - y) @ (2 * y - x)

    x, y = np.array([[3.0]]), np.array([[5.0]])
    assert at.compile(f, backend="numba")(x, y) == f(x, y)
