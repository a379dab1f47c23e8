"""Solutions by SciPy's solvers, and their derivatives by the implicit function theorem."""

import numpy as np
import pytest

scipy = pytest.importorskip("scipy.optimize")

import autotiny as at
from autotiny.errors import UnsupportedError
from autotiny.scipy import optimize

SQUARE_ROOTS = {
    "root": lambda a: optimize.root(lambda x, a: x * x - a, [1.0], args=(a,)).x[0],
    "root, args is no tuple": lambda a: optimize.root(lambda x, a: x * x - a, 1.0, args=a).x[0],
    "root by another method": lambda a: optimize.root(lambda x: x * x - a, [1.0], method="lm").x[0],
    "fsolve": lambda a: optimize.fsolve(lambda x: x * x - a, 1.0)[0],
    "brentq": lambda a: optimize.brentq(lambda x: x * x - a, 0.5, 5.0),
    "fixed_point": lambda a: optimize.fixed_point(lambda x: 0.5 * (x + a / x), 1.0),
    "minimize": lambda a: optimize.minimize(lambda x: x[0] ** 3 / 3 - a * x[0], [1.0]).x[0],
    "minimize by another method": lambda a: optimize.minimize(
        lambda x: np.sum(x**3 / 3 - a * x), [1.0], method="Nelder-Mead"
    ).x[0],
}
each_root = pytest.mark.parametrize("name", SQUARE_ROOTS)


@each_root
def test_a_solution_has_the_derivatives_of_the_root_that_it_is(name):
    f = SQUARE_ROOTS[name]
    first, second, third = at.grad(f), at.grad(at.grad(f)), at.grad(at.grad(at.grad(f)))
    np.testing.assert_allclose(f(at.Tensor(4.0)).data, 2, rtol=1e-10)
    np.testing.assert_allclose(first(4.0), 1 / 4, rtol=1e-8)
    np.testing.assert_allclose(second(4.0), -1 / 32, rtol=1e-7)
    np.testing.assert_allclose(third(4.0), 3 / 256, rtol=1e-6)


def test_a_system_has_the_jacobian_of_the_implicit_function_theorem():
    A = np.array([[3.0, 1.0], [0.5, 2.0]])
    solution = lambda b: optimize.root(lambda x: A @ x + x**3 - b, np.zeros(2)).x
    b = np.array([1.0, 2.0])
    x = np.asarray(solution(b))
    np.testing.assert_allclose(at.jacobian(solution)(b), np.linalg.inv(A + np.diag(3 * x**2)), rtol=1e-8)


def test_a_minimum_moves_with_what_the_function_holds():
    minimum = lambda a: optimize.minimize(lambda x: np.sum((x - a) ** 2) + np.sum(x**4), np.zeros(2)).x
    a = np.array([1.0, 2.0])
    x = np.asarray(at.vjp(minimum, a)[0])
    np.testing.assert_allclose(2 * (x - a) + 4 * x**3, 0, atol=1e-12)
    np.testing.assert_allclose(at.jacobian(minimum)(a), np.diag(2 / (2 + 12 * x**2)), rtol=1e-8, atol=1e-12)


def test_functions_may_return_a_list():
    both = lambda a, b: optimize.root(lambda x: [x[0] - a, x[1] * x[0] - b], [1.0, 1.0]).x[1]
    np.testing.assert_allclose(at.grad(both, argnums=(0, 1))(2.0, 6.0), (-1.5, 0.5))


def test_what_is_not_tracked_is_scipys_own():
    f = lambda x, a: x * x - a
    assert optimize.root(f, [1.0], args=(2.0,)).nfev == scipy.root(f, [1.0], args=(2.0,)).nfev
    assert optimize.brentq(f, 0, 5, (2.0,)) == scipy.brentq(f, 0, 5, (2.0,))
    assert optimize.fsolve(f, 1.0, 2.0) == scipy.fsolve(f, 1.0, 2.0)
    result = optimize.minimize(lambda x: np.sum(x**2), [1.0, 2.0], bounds=[(0.5, 3), (0, 1)])
    np.testing.assert_array_equal(result.x, [0.5, 0])
    assert optimize.curve_fit is scipy.curve_fit


@pytest.mark.parametrize(
    ("f", "words"),
    [
        (lambda t: optimize.root(lambda x: x * x + t, [1.0]), "root: there is no solution to differentiate"),
        (lambda t: optimize.fsolve(lambda x: x - t, 1.0, full_output=True), "full_output=True is not supported"),
        (lambda t: optimize.minimize(lambda x: x[0] ** 2 * t, [1.0], bounds=[(0, 1)]), "minimize: bounds, constraints"),
        (
            lambda t: optimize.minimize(lambda x: -t * x[0] ** 4, [1.0]),
            "minimize: there is no solution to diff|infinit",
        ),
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_what_is_refused_says_why(f, words):
    with pytest.raises((UnsupportedError, np.linalg.LinAlgError), match=words):
        f(at.Tensor(1.0))
