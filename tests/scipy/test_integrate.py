"""Initial value problems by recorded steps, against SciPy and solutions in closed form; integrals of samples."""

import numpy as np
import pytest

scipy = pytest.importorskip("scipy.integrate")

import autotiny as at
import mirrored as claims
from autotiny.errors import UnsupportedError
from autotiny.scipy import integrate

EXACT = {"rtol": 1e-10, "atol": 1e-12}
TIMES = np.linspace(0, 3, 7)
Y = np.random.default_rng(0).normal(size=(3, 6))


def prey(t, y, a, b):
    return np.stack([a * y[0] - y[0] * y[1], -b * y[1] + y[0] * y[1]])


@pytest.mark.parametrize("method", ["RK45", "RK23"])
@pytest.mark.parametrize("options", [{}, {"t_eval": TIMES}, {"t_eval": [0.0, 1.7], "max_step": 0.4}])
def test_values_are_scipys(method, options):
    y0, args = np.array([1.0, 0.5]), (1.1, 0.4)
    expected = scipy.solve_ivp(prey, (0, 3), y0, method, args=args, **options)
    found = integrate.solve_ivp(prey, (0, 3), at.Tensor(y0), method, args=args, **options)
    np.testing.assert_allclose(found.y.data, expected.y, rtol=1e-13)
    np.testing.assert_array_equal(found.t, expected.t)
    plain = integrate.solve_ivp(prey, (0, 3), y0, method, args=args, **options)
    np.testing.assert_array_equal(plain.y, expected.y)


def test_backwards_in_time_as_well():
    expected = scipy.solve_ivp(prey, (3, 0), [1.0, 0.5], args=(1.1, 0.4), t_eval=[2.5, 0.1])
    found = integrate.solve_ivp(prey, (3, 0), [1.0, 0.5], args=(at.Tensor(1.1), 0.4), t_eval=[2.5, 0.1])
    np.testing.assert_allclose(found.y.data, expected.y, rtol=1e-13)


def test_decay_has_the_derivatives_of_its_solution():
    f = lambda k, y0: integrate.solve_ivp(lambda t, y: -k * y, (0, 2), [y0], **EXACT).y[0, -1]
    np.testing.assert_allclose(at.grad(f)(0.5, 3.0), -6 * np.exp(-1), rtol=1e-8)
    np.testing.assert_allclose(at.grad(f, argnums=1)(0.5, 3.0), np.exp(-1), rtol=1e-8)
    np.testing.assert_allclose(at.grad(at.grad(f))(0.5, 3.0), 12 * np.exp(-1), rtol=1e-7)
    np.testing.assert_allclose(at.jvp(f, (0.5, 3.0), (1.0, 0.0))[1], -6 * np.exp(-1), rtol=1e-8)


def test_gradients_are_those_of_differences():
    f = lambda *args: np.sum(
        np.square(integrate.solve_ivp(prey, (0, 3), args[2], t_eval=TIMES, args=args[:2], **EXACT).y[:, -1])
    )
    args = 1.1, 0.4, np.array([1.0, 0.5])
    for i, g in enumerate(at.grad(f, argnums=(0, 1, 2))(*args)):
        for place in np.ndindex(np.shape(args[i])):
            ends = []
            for step in (1e-5, -1e-5):
                moved = np.array(args[i], float)
                moved[place] += step
                ends.append(f(*args[:i], moved, *args[i + 1 :]))
            np.testing.assert_allclose(g[place], (ends[0] - ends[1]) / 2e-5, rtol=1e-6)


@pytest.mark.parametrize("tfirst", [False, True])
def test_odeint_is_scipys_to_its_tolerance(tfirst):
    func = (lambda t, y, a: [-a * y[0], y[0]]) if tfirst else (lambda y, t, a: [-a * y[0], y[0]])
    found = integrate.odeint(func, at.Tensor([1.0, 2.0]), TIMES, args=(0.7,), tfirst=tfirst)
    np.testing.assert_allclose(found.data, scipy.odeint(func, [1.0, 2.0], TIMES, (0.7,), tfirst=tfirst), rtol=1e-6)
    total = lambda a: np.sum(integrate.odeint(func, [1.0, 2.0], TIMES, args=(a,), tfirst=tfirst)[:, 0])
    np.testing.assert_allclose(at.grad(total)(0.7), -np.sum(TIMES * np.exp(-0.7 * TIMES)), rtol=1e-6)


@pytest.mark.parametrize(
    "f",
    [
        lambda m, y: m.trapezoid(y),
        lambda m, y: m.trapezoid(y, np.arange(3.0) ** 2, axis=0),
        lambda m, y: m.cumulative_trapezoid(y, initial=0),
        lambda m, y: m.cumulative_trapezoid(y, np.arange(3.0) ** 2, axis=0),
        lambda m, y: m.simpson(y),
        lambda m, y: m.simpson(y, x=np.arange(6.0) ** 2),
        lambda m, y: m.simpson(y, dx=0.3, axis=0),
    ],
)
def test_integrals_of_samples(f):
    claims.assert_values_are_scipys(f, integrate, scipy, (Y,))
    claims.assert_gradients_are_those_of_differences(f, integrate, scipy, (Y,))


@pytest.mark.parametrize(
    ("f", "words"),
    [
        (lambda t: integrate.solve_ivp(prey, (0, 1), [1.0, 0.5], "BDF", args=(t, 0.4)), "RK45 and RK23 are recorded"),
        (
            lambda t: integrate.solve_ivp(prey, (0, t), [1.0, 0.5], args=(t, 0.4)),
            "t_span and t_eval have no derivative",
        ),
        (
            lambda t: integrate.solve_ivp(prey, (0, 2), [1.0, 0.5], t_eval=[0.5, t], args=(1.0, 0.4)),
            "t_span and t_eval have no derivative",
        ),
        (lambda t: integrate.odeint(lambda y, s: -y, [1.0], [0.0, t]), "odeint: the times have no derivative"),
        (lambda t: integrate.odeint(lambda y, s: -t * y, [1.0], TIMES, mxstep=9), "odeint: mxstep= is not"),
        (lambda t: integrate.simpson(np.ones(3), np.stack([0 * t, t, 2 * t])), "simpson: x has no derivative"),
        (
            lambda t: scipy.trapezoid(np.stack([t, t])),
            r"scipy\.integrate\.trapezoid turns .* use autotiny\.scipy\.integ",
        ),
    ],
)
def test_what_is_refused_says_why(f, words):
    with pytest.raises(UnsupportedError, match=words):
        f(at.Tensor(1.0))
