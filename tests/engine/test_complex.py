"""Complex numbers: what gradients, products and Jacobians of them are, and what is refused."""

import pickle

import numpy as np
import pytest

import autotiny as at
from autotiny.engine.contributions import contributions
from autotiny.errors import StaleError, UnsupportedError

Z = np.array([1 + 2j, -0.5 + 0.3j, 2 - 1j])
W = np.array([0.3 - 1j, 1.5 + 0.2j, -1 - 0.7j])


def parts_of_gradient(f, z, h=1e-6):
    """dJ/dRe + i dJ/dIm by central differences."""
    g = np.zeros(z.shape, complex)
    for place in np.ndindex(z.shape):
        for unit in (1, 1j):
            step = np.zeros(z.shape, complex)
            step[place] = h * unit
            g[place] += unit * (f(z + step) - f(z - step)) / (2 * h)
    return g


def close(actual, expected, rtol=1e-8):
    np.testing.assert_allclose(actual, expected, rtol=rtol, atol=rtol)


LOSSES = {
    "length": lambda z: np.sum(np.abs(z) ** 2),
    "distance": lambda z: np.sum(np.abs(z - W)),
    "real part of a square": lambda z: np.sum(np.real(z * z)),
    "angle": lambda z: np.sum(np.angle(z) ** 2),
    "by conjugates": lambda z: np.sum((z * np.conj(z)).real),
    "by vdot": lambda z: np.vdot(np.exp(z), np.sin(z) * W).imag,
    "a real operand beside": lambda z: np.sum(np.real(np.exp(z) * np.abs(z))),
    "selected": lambda z: np.sum(np.where(np.real(z) > 0, np.abs(np.log(z)), np.imag(z) ** 2)),
}


# ----- the convention -----
@pytest.mark.parametrize("name", LOSSES)
def test_a_gradient_is_that_by_the_real_part_plus_i_that_by_the_imaginary_part(name):
    loss, z = LOSSES[name], at.Tensor(Z)
    J = loss(z)
    J.backward()
    expected = parts_of_gradient(loss, Z)
    close(z.grad, expected, 1e-7)
    close(at.grad(loss)(Z), expected, 1e-7)
    (recorded,) = at.gradients(J, [z])
    close(recorded.data, z.grad, 1e-14)
    close(at.vjp(loss, Z)[1](1.0)[0], z.grad, 1e-14)


def test_a_step_against_the_gradient_descends():
    z = at.Tensor(Z)
    for _ in range(200):
        J = np.sum(np.abs(z * z - W) ** 2)
        z.grad = None
        J.backward()
        z.data -= 0.02 * z.grad
    close(z.data**2, W, 1e-3)


def test_the_gradient_of_a_real_part_is_the_conjugate_of_the_holomorphic_derivative():
    close(at.grad(lambda z: np.real(np.sum(np.exp(z))))(Z), np.conj(np.exp(Z)))


def test_gradients_of_results_are_conjugated_too():
    z = at.Tensor(Z)
    y = z * z
    np.sum(np.abs(y) ** 2).backward()
    close(y.grad, 2 * Z**2)
    close(z.grad, 2 * Z**2 * np.conj(2 * Z))
    assert not y.grad.flags.writeable


def test_leaves_accumulate():
    z = at.Tensor(Z)
    for _ in range(2):
        np.sum(np.abs(z) ** 2).backward()
    close(z.grad, 4 * Z)
    z.grad *= 0  # it is the leaf's own


def test_contributions_are_shown_as_gradients_are():
    z = at.Tensor(Z)
    y = z * W
    run = contributions(np.sum(np.abs(y) ** 2))
    close(run.gradients[z], 2 * Z * np.abs(W) ** 2)
    visit = next(visit for visit in run.visits if visit.node is y)
    close(visit.gradient, 2 * Z * W)
    close(visit.contributions[0].value, run.gradients[z])


# ----- real beside complex -----
@pytest.mark.parametrize(
    "f",
    [
        lambda x, z: x * z,
        lambda x, z: z - x[:, None],
        lambda x, z: x @ np.stack([z, z * z, z]),
        lambda x, z: np.concatenate([x, z]),
        lambda x, z: np.where(x > 0, x, z),
        lambda x, z: z**x,
        lambda x, z: np.exp(1j * x) / z,
    ],
)
def test_a_real_operand_has_a_real_gradient(f):
    x = np.array([0.5, -1.5, 2.0])
    g = at.grad(lambda x, z: np.sum(np.abs(f(x, z)) ** 2), (0, 1))(x, Z)
    assert (g[0].dtype, g[1].dtype) == (np.float64, np.complex128)
    close(g[0], parts_of_gradient(lambda x: np.sum(np.abs(f(x.real, Z)) ** 2), x).real, 1e-6)
    close(g[1], parts_of_gradient(lambda z: np.sum(np.abs(f(x, z)) ** 2), Z), 1e-6)


@pytest.mark.parametrize("number", [2j, np.complex64(2j), 1.5, True, np.array(2j)])
@pytest.mark.parametrize("x", [np.float64(2.0), np.float32(2.0), np.array([1.0, 2.0], np.float32), np.complex64(1j)])
def test_numbers_of_python_take_the_precision_of_others(x, number):
    for f in (lambda t: t * number, lambda t: number * t, lambda t: t - number, lambda t: number / t):
        y = f(at.Tensor(x))
        assert (y.dtype, y.shape) == (np.asarray(f(x)).dtype, np.shape(f(x)))
        np.testing.assert_array_equal(y.data, f(x))


def test_single_precision_stays_single():
    z = at.Tensor(Z.astype(np.complex64))
    J = np.sum(np.abs(np.exp(1j * z) * 0.5))
    J.backward()
    assert (J.dtype, z.grad.dtype) == (np.float32, np.complex64)


@pytest.mark.parametrize("dtype", [complex, np.complex64])
def test_astype_to_complex_is_recorded(dtype):
    x = at.Tensor([0.5, -1.5])
    np.sum(np.abs(x.astype(dtype) * (1 + 1j)) ** 2).backward()
    close(x.grad, 4 * x.data, 1e-6)
    assert x.grad.dtype == np.float64


# ----- products with Jacobians -----
def f_of_all(z, x):
    return {"a": z * np.conj(z) + np.exp(z) * x, "b": np.abs(z) * x}


def test_jvp_is_the_derivative_along_the_tangent():
    x, t, s, h = np.array([0.5, -1.5, 2.0]), W, np.array([1.0, -2.0, 0.5]), 1e-6
    value, derivative = at.jvp(f_of_all, (Z, x), (t, s))
    ahead, behind = f_of_all(Z + h * t, x + h * s), f_of_all(Z - h * t, x - h * s)
    for name in value:
        close(derivative[name], (ahead[name] - behind[name]) / (2 * h), 1e-7)
    assert derivative["b"].dtype == np.float64


def test_pull_is_the_adjoint_of_jvp():
    x, t, s = np.array([0.5, -1.5, 2.0]), W, np.array([1.0, -2.0, 0.5])
    u = {"a": np.array([1j, 2, -1 + 1j]), "b": np.array([1.0, 2.0, 3.0])}
    derivative = at.jvp(f_of_all, (Z, x), (t, s))[1]
    gz, gx = at.vjp(f_of_all, Z, x)[1](u)
    forward = sum(np.sum((np.conj(u[name]) * derivative[name]).real) for name in u)
    close(forward, np.sum((np.conj(gz) * t).real) + np.sum(gx * s), 1e-13)


def test_jvp_of_a_holomorphic_function_multiplies_by_the_derivative_and_pull_by_its_conjugate():
    close(at.jvp(np.sin, (Z,), (W,))[1], np.cos(Z) * W)
    close(at.vjp(np.sin, Z)[1](W)[0], np.conj(np.cos(Z)) * W)


def test_hvp_is_the_derivative_of_the_gradient():
    loss, h = LOSSES["distance"], 1e-6
    difference = (at.grad(loss)(Z + h * W) - at.grad(loss)(Z - h * W)) / (2 * h)
    close(at.hvp(loss)(Z, W), difference, 1e-6)


def test_gradients_nest():
    def of_gradient(z):
        return np.sum(np.abs(at.grad(LOSSES["by vdot"])(z)) ** 2)

    close(at.grad(of_gradient)(Z), parts_of_gradient(of_gradient, Z), 1e-6)


# ----- Jacobians -----
def test_jacobian_of_a_holomorphic_function_is_its_derivative():
    A = np.arange(6).reshape(2, 3) + 1j
    close(at.jacobian(lambda z: A @ z**2, holomorphic=True)(Z), A * 2 * Z)
    block = at.jacobian(lambda z, w: z * w, (0, 1), holomorphic=True)(Z, W)
    close(block[0], np.diag(W))
    close(block[1], np.diag(Z))


def test_jacobian_by_real_numbers_of_a_complex_function_is_complex():
    x = np.array([0.5, 1.0])
    close(at.jacobian(lambda x: np.exp(1j * x))(x), np.diag(1j * np.exp(1j * x)))
    assert at.jacobian(lambda x: np.ones(2) * 1j)(x).dtype == np.complex128
    assert at.jacobian(lambda x: np.ones(0) * 1j * x[:0])(x).shape == (0, 2)


def test_jacobian_of_parts_stacks_real_and_imaginary_ones():
    J = at.jacobian(lambda z, x: np.conj(z) * x, (0, 1), real=True)(Z, np.array([1.0, 2.0, 3.0]))
    assert (J[0].shape, J[1].shape) == ((2, 3, 2, 3), (2, 3, 3))
    close(J[0][0, :, 0], np.diag([1.0, 2.0, 3.0]))
    close(J[0][1, :, 1], -np.diag([1.0, 2.0, 3.0]))
    close(J[0][0, :, 1], np.zeros((3, 3)))
    close(J[1], np.stack([np.diag(Z.real), -np.diag(Z.imag)]))
    assert at.jacobian(lambda z: np.abs(z), real=True)(Z).shape == (3, 2, 3)
    real = at.jacobian(lambda p: {"z": p["z"] * p["x"]}, real=True)({"z": Z, "x": np.ones(3)})
    assert real["z"]["z"].shape == (2, 3, 2, 3)
    assert real["z"]["x"].shape == (2, 3, 3)


def test_real_jacobians_are_as_they_were():
    close(at.jacobian(np.square, real=True)(np.array([1.0, 2.0])), np.diag([2.0, 4.0]))
    close(at.jacobian(np.square, holomorphic=True)(np.array([1.0, 2.0])), np.diag([2.0, 4.0]))


def test_hessians():
    close(at.hessian(lambda z: np.sum(z**3), holomorphic=True)(Z), np.diag(6 * Z))
    H = at.hessian(lambda z: np.sum(np.abs(z) ** 2 * np.real(z)), real=True)(Z)
    assert H.shape == (2, 3, 2, 3)
    flat = H.reshape(6, 6)
    close(flat, flat.T)
    close(H[0, :, 0], np.diag(6 * Z.real))
    close(H[1, :, 1], np.diag(2 * Z.real))


def test_transforms_with_options_pickle():
    f = pickle.loads(pickle.dumps(at.jacobian(np.exp, holomorphic=True)))
    close(f(Z), np.diag(np.exp(Z)))
    close(pickle.loads(pickle.dumps(at.hessian(np.exp, holomorphic=True)))(1j), np.exp(1j))


# ----- kinks -----
@pytest.mark.parametrize("f", [np.abs, lambda z: np.linalg.norm(z), lambda z: np.abs(np.sign(z))])
def test_the_gradient_at_0_is_0(f):
    assert at.grad(f)(0j) == 0


def test_a_tie_of_complex_numbers_is_shared():
    g = at.grad(lambda z, w: np.real(np.maximum(z, w)), (0, 1))(1 + 1j, 1 + 1j)
    assert g == (0.5, 0.5)


@np.errstate(invalid="ignore")
def test_what_was_not_taken_contributes_nothing():
    z = np.array([0j, 1j])
    g = at.grad(lambda z: np.sum(np.real(np.where(z == 0, 1, np.sin(z) / z))))(z)
    assert g[0] == 0
    close(g[1], np.conj((z[1] * np.cos(z[1]) - np.sin(z[1])) / z[1] ** 2))


# ----- what is refused -----
def untracked():
    return at.Tensor(Z[0], requires_grad=False)


z = at.Tensor(Z[0], name="z")
x = at.Tensor([1.0, 2.0], name="x")
REFUSED = {
    "backward of complex": (
        lambda: np.exp(z).backward(),
        r"backward: .* is complex, and a gradient is that of a real number: take np\.real, np\.imag or np\.abs of it",
    ),
    "gradients of complex": (lambda: at.gradients(z * z, [z]), "is complex, and a gradient is that of a real number"),
    "grad of complex": (lambda: at.grad(np.exp)(1j), r"grad: the function must return a real number.*holomorphic=True"),
    "jacobian": (lambda: at.jacobian(np.exp)(1j), r"jacobian: .* give holomorphic=True for that, or real=True"),
    "hessian": (lambda: at.hessian(np.abs)(1j), r"hessian: .* give holomorphic=True for that, or real=True"),
    "both ways": (lambda: at.jacobian(np.exp, holomorphic=True, real=True), r"jacobian: .*; give one of them"),
    "not holomorphic": (
        lambda: at.jacobian(lambda z: z * np.conj(z), holomorphic=True)(Z),
        r"jacobian: the function is not holomorphic here: .*; give real=True",
    ),
    "hardly holomorphic": (
        lambda: at.jacobian(lambda z: z + 1e-6 * np.conj(z), holomorphic=True)(Z),
        "the function is not holomorphic here",
    ),
    "real": (lambda: at.jacobian(np.abs, holomorphic=True)(1j), "the function is not holomorphic here"),
    "float": (lambda: float(z), r"float of z would lose its imaginary part: take np\.real, np\.imag or np\.abs"),
    "int": (lambda: int(untracked()), "int of .* would lose its imaginary part"),
    "astype": (lambda: z.astype(float), r"astype: z: complex128 numbers would lose their imaginary part as float64"),
    "astype to int": (lambda: z.astype(int), "would lose their imaginary part as int64"),
    "a real dtype": (lambda: at.Tensor(1j, dtype=float), "Tensor: complex128 numbers would lose their imaginary part"),
    "an array": (lambda: np.asarray(untracked(), dtype=float), "would lose their imaginary part as float64"),
    "data": (lambda: setattr(at.Tensor([1.0]), "data", np.array([1j])), r"Tensor\.data: complex128 numbers would lose"),
    "grad": (lambda: setattr(at.Tensor([1.0]), "grad", np.array([1j])), r"Tensor\.grad: complex128 numbers would lose"),
    "a seed": (lambda: np.sum(x).backward(1j), "backward: complex128 numbers would lose"),
    "a recorded seed": (lambda: at.gradients(np.sum(x), [x], z), "backward: complex128 numbers would lose"),
    "pull": (lambda: at.vjp(np.abs, 1j)[1](1j), "vjp: the gradient: complex128 numbers would lose"),
    "a tangent": (lambda: at.jvp(np.exp, (1.0,), (1j,)), "jvp: the tangent: complex128 numbers would lose"),
    "a direction": (lambda: at.hvp(np.exp)(1.0, 1j), "hvp: v: complex128 numbers would lose"),
    "a dtype": (lambda: np.sum(z, dtype=float), "astype: complex128 numbers would lose"),
    "a ufunc": (lambda: np.floor(z), r"floor: floor\(z\): ufunc 'floor' not supported for the input types"),
    "an activation": (lambda: at.relu(z), r"relu: expected real numbers, got complex ones: take np\.real"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_part_that_would_be_lost_is_an_error(name):
    call, words = REFUSED[name]
    with pytest.raises(UnsupportedError, match=words):
        call()


def test_a_part_that_would_be_stored_in_a_real_leaf_is_an_error():
    leaf = at.Tensor([1.0, 2.0], name="leaf")
    with at.no_grad():
        with pytest.raises(UnsupportedError, match="leaf: complex128 numbers would lose"):
            leaf[0] = 1j
        with pytest.raises(UnsupportedError, match="leaf: complex128 numbers would lose"):
            leaf += 1j
        z = at.Tensor(Z)
        z[0] = 5j
        z -= 1j
    assert z.data[0] == 4j


# ----- a Tensor of complex numbers -----
def test_attributes_and_conversions_are_those_of_an_array():
    t = at.Tensor(Z, name="t")
    for name in ("real", "imag"):
        np.testing.assert_array_equal(getattr(t, name).data, getattr(Z, name))
    np.testing.assert_array_equal(t.conj().data, Z.conj())
    np.testing.assert_array_equal(t.conjugate().data, Z.conj())
    assert repr(t) == "Tensor(t: [ 1. +2.j , -0.5+0.3j, 2. -1.j ], shape=(3,), complex128)"
    assert complex(at.Tensor(1j)) == at.Tensor(1j).item() == 1j
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(t)).data, Z)
    assert np.isrealobj(t.real)
    assert np.iscomplexobj(t)
    np.testing.assert_array_equal(np.isreal(t), np.isreal(Z))


def test_parts_of_a_real_tensor_are_itself_and_0():
    x = at.Tensor([1.0, -2.0])
    np.sum(x.real * x.conj() + x.imag).backward()
    np.testing.assert_array_equal(x.grad, 2 * x.data)
    assert (x.real.dtype, x.imag.dtype) == (np.float64, np.float64)
    np.testing.assert_array_equal(at.grad(lambda x: np.sum(x.imag))(np.ones(2)), np.zeros(2))


def test_a_value_that_was_changed_is_noticed():
    t = at.Tensor(Z)
    J = np.sum(np.abs(t))
    t.data[0] = np.conj(t.data[0])
    with pytest.raises(StaleError):
        J.backward()


def test_debug_stops_at_the_first_nan():
    with at.debug(), pytest.raises(at.errors.NonFiniteError, match=r"log\(.*\) gives"):
        np.log(at.Tensor(0j))
