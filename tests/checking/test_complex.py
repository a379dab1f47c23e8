"""Gradients of complex tensors are held against differences of their real and imaginary parts."""

import numpy as np
import pytest

import autotiny as at
from autotiny.checking.parts import as_parts, from_parts
from autotiny.errors import ShapeError, UnsupportedError

Z = np.array([1 + 2j, -0.5 + 0.3j, 2 - 1j])
W = np.array([0.3 - 1j, 1.5 + 0.2j, -1 - 0.7j])
RIGHT = 4 * (Z * Z - W) * np.conj(Z)
"""dJ/dRe z + i dJ/dIm z of J = Σ |z² - w|²."""


@at.operation(lambda g, y, z: g * np.conj(np.exp(z)))
def exp_conjugated(z):
    return np.exp(z)


@at.operation(lambda g, y, z: g * np.sign(z))
def size_without_conjugate(z):
    return np.abs(z)


@pytest.fixture
def z():
    return at.Tensor(Z, name="z")


def loss(z):
    return np.sum(np.abs(z * z - W) ** 2)


def test_a_right_gradient_agrees(z):
    row = at.compare(loss(z), {z: RIGHT})["z"]
    assert (row.ok, row.outlier, row.autograd.dtype) == (True, None, np.complex128)
    np.testing.assert_allclose(row.numeric, RIGHT, rtol=1e-12)
    assert "26.8+46.4j ± " in repr(at.compare(loss(z), {z: RIGHT}))


@pytest.mark.parametrize(
    ("stated", "words"),
    [
        (np.conj(RIGHT), r"the conjugate of the gradient dJ/dRe \+ i dJ/dIm, as JAX and HIPS autograd give it"),
        (RIGHT / 2, "half of the gradient: the Wirtinger derivative ∂J/∂z̄"),
        (np.conj(RIGHT) / 2, "half of the gradient's conjugate: the Wirtinger derivative ∂J/∂z"),
        (-RIGHT, "minus the gradient: the sign is wrong"),
        (2 * RIGHT, "2 times the gradient: an extra factor of 2"),
        (RIGHT + np.array([0, 0, 1e-6j]), "1 of 3 entries differ, by up to 1e-06"),
        (RIGHT.real, "the real part of the gradient alone: the imaginary part is missing"),
    ],
)
def test_a_wrong_gradient_is_the_outlier_and_its_mistake_is_named(z, stated, words):
    report = at.compare(loss(z), {z: stated})
    assert report["z"].outlier == "analytic"
    with pytest.raises(AssertionError, match=words):
        raise AssertionError(repr(report))
    assert not report.blame()
    assert "DIFFERS" in report._repr_html_()


@pytest.mark.parametrize("off", [1e-9, 1e-9j])
def test_an_error_in_either_part_is_found_however_small(z, off):
    assert at.compare(loss(z), {z: RIGHT})["z"].ok
    row = at.compare(loss(z), {z: RIGHT + np.array([0, off, 0])})["z"]
    assert (row.outlier, row.index) == ("analytic", (1,))


@pytest.mark.parametrize("wrong", [exp_conjugated, size_without_conjugate])
def test_a_rule_without_its_conjugate_is_found_and_blamed(wrong):
    with pytest.raises(AssertionError, match="the gradient is not the derivative") as caught:
        at.check_gradients(lambda z: wrong(z), Z)
    assert caught.value.report.blame().op == wrong.__name__


@pytest.mark.parametrize(
    "f",
    [
        lambda z: np.sum(np.abs(np.exp(z))) + np.real(np.sum(z * z)),
        lambda z: np.exp(z) * np.conj(z),
        lambda z: {"angle": np.angle(z), "sign": np.sign(z)},
        lambda z: np.linalg.solve(np.diag(z) + 0.1, W),
        lambda z: np.where(np.real(z) > 0, np.sqrt(z), z),
        lambda z: z[0] ** z[1] + 2,
    ],
)
def test_check_gradients_takes_complex_functions(f):
    at.check_gradients(f, Z, order=2)


def test_check_gradients_takes_real_and_complex_arguments():
    at.check_gradients(lambda z, x: np.exp(z * x) - x, Z, np.array([0.5, -1.0, 2.0]), order=2)
    at.check_gradients(lambda p: p["z"] * p["x"], {"z": Z, "x": 0.5})
    at.check_gradients(lambda x: np.abs(np.exp(1j * x) - 0.5), np.array([0.5, -1.0]), order=2)


def test_single_precision_is_allowed_its_rounding():
    at.check_gradients(lambda z: np.sum(np.abs(np.exp(z))), Z.astype(np.complex64))


def test_a_large_tensor_is_sampled():
    rng = np.random.default_rng(0)
    z = at.Tensor(rng.normal(size=300) + 1j * rng.normal(size=300), name="z")
    right = 2 * z.data
    assert at.compare(np.sum(np.abs(z) ** 2), {z: right})["z"].ok
    right[137] += 1e-4j
    row = at.compare(np.sum(np.abs(z) ** 2), {z: right})["z"]
    assert (row.outlier, row.index) == ("analytic", (137,))


def test_at_a_kink_what_lies_between_is_right():
    z = at.Tensor([0j, 1j], name="z")
    assert at.compare(np.sum(np.abs(z)), {z: [0, 1j]}).ok
    assert at.compare(np.sum(np.abs(z)), {z: [2, 1j]})["z"].outlier == "analytic"


def test_functions_are_compared():
    assert at.compare(lambda z: np.sum(np.abs(z) ** 2), lambda z: 2 * z, Z).ok
    assert not at.compare(lambda z: np.sum(np.abs(z) ** 2), lambda z: 2 * np.conj(z), Z).ok


def test_an_overflow_is_told():
    z = at.Tensor([800 + 1j], name="z")
    with np.errstate(all="ignore"):
        row = at.compare(np.sum(np.abs(np.exp(z))), {z: [1j]})["z"]
    assert row.outlier == "overflow"


REFUSED = {
    "a complex loss": (lambda z: at.compare(np.sum(z), {z: Z}), "compare: the loss must be a real number"),
    "a complex function": (lambda z: at.compare(np.sum, np.conj, Z), "compare: f must return a real number"),
    "a shape": (lambda z: at.compare(loss(z), {z: RIGHT[:2]}), r"z is \(3,\), and its closed form is \(2,\)"),
    "a complex gradient of a real tensor": (
        lambda z: at.compare(np.sum(x := at.Tensor(np.ones(3), name="x")), {x: RIGHT}),
        "expected the closed form of x as numbers; got complex128",
    ),
    "a curve": (lambda z: at.compare(loss(z), {z: RIGHT}).step_curve("z"), "step_curve: z is complex"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_compared_is_an_error(z, name):
    call, words = REFUSED[name]
    with pytest.raises((UnsupportedError, ShapeError), match=words):
        call(z)


def test_parts_and_numbers_are_inverse():
    np.testing.assert_array_equal(from_parts(as_parts(Z), Z), Z)
    assert as_parts(Z.real) is not None
    assert from_parts(Z.real, Z.real).dtype == np.float64
