"""Every function of the table on complex numbers: as NumPy's, with the gradient of its real and imaginary parts."""

import warnings

import numpy as np
import pytest

import autotiny as at
import oracles
from autotiny.engine.pytree import flatten
from autotiny.errors import AutotinyError
from ops.cases import CASES
from ops.declare import Between, Matrices, parts

EACH = 1
"""How many uses of a function are tried, those with the most entries."""
BY_NUMPY = """
    arctan2 bincount cbrt ceil copysign deg2rad degrees divmod fabs fix floor fmod frexp heaviside histogram2d
    histogramdd histogram_bin_edges hypot i0 ldexp logaddexp logaddexp2 modf nanpercentile nanquantile nextafter
    percentile quantile rad2deg radians remainder ihfft rfft rfft2 rfftn trunc unwrap"""
OF_REAL_NUMBERS = """
    binary_cross_entropy celu cosine_similarity cross_entropy elu expectation hard_sigmoid hard_tanh hinge huber
    huber_penalty kl_divergence leaky_relu log_one_minus_sigmoid log_one_minus_softmax log_sigmoid logistic_loss
    mean_absolute_error mean_squared_error mish probabilities relu selu softplus softsign standardised"""
REFUSED = {*BY_NUMPY.split(), *OF_REAL_NUMBERS.split()}
"""Functions that NumPy refuses of complex numbers, and those of learning that choose by the size of a real one."""
COMPARED = {"histogram", "histogram2d", "histogramdd"}
"""Functions whose first argument is put into bins, and whose weights may be complex."""
NEVER_COMPLEX = {"log_cosh", "log_one_minus_tanh_squared", "squared_norm", "squared_hypot", "norm_in_range"}
"""Stable forms, of real numbers alone, and the divisor of a norm."""
MORE_THAN_NUMPY = {"polyfit"}
"""Functions that NumPy refuses by chance, since it multiplies in place."""
UNORDERED = {"unique_values"}
"""Functions whose results NumPy orders by hashes, where they are complex."""
OTHER_BEFORE = {"cond", "ascontiguousarray", "asfortranarray"}
"""Functions that the first versions of NumPy 2 had otherwise: a complex condition number, arrays out of Tensors."""
LEFT_OUT = NEVER_COMPLEX | UNORDERED | (OTHER_BEFORE if np.lib.NumpyVersion(np.__version__) < "2.2.0" else set())
GAUGED = {"eig", "eigh", "svd"}
"""Eigenvectors and singular vectors, whose phases are LAPACK's choice: `test_spectra` has their tests."""


def drawn(case):
    """Complex arguments of a case, from its domains."""
    rng = case.rng()
    for position, (domain, shape) in enumerate(zip(case.domains, case.shapes, strict=True)):
        x = np.asarray(domain.draw(rng, shape, position))
        if x.dtype.kind not in "f":
            yield x
        elif isinstance(domain, Matrices) and domain.definite:
            a = rng.uniform(-1, 1, shape) + 1j * rng.uniform(-1, 1, shape)
            yield a @ a.conj().mT + np.eye(shape[-1])
        else:
            yield x + 0.5j * Between(-1, 1).draw(rng, x.shape, position)


def ways(case):
    """Which arguments are complex: all of them, and of several each one beside real ones."""
    floating = [i for i, x in enumerate(drawn(case)) if x.dtype.kind == "c"]
    return [frozenset(floating), *(frozenset({i}) for i in floating if len(floating) > 1)]


def label(value):
    return "".join(map(str, sorted(value))) if isinstance(value, frozenset) else str(value)


def drawn_for(case, way, dtype=np.complex128):
    """A function of the tracked arguments, and those arguments."""
    whole = [
        x if x.dtype.kind != "c" else x.astype(dtype) if i in way else x.real.astype(np.finfo(dtype).dtype)
        for i, x in enumerate(drawn(case))
    ]
    tracked = [i for i in range(len(whole)) if i not in case.constants]

    def f(*args):
        values = list(whole)
        for i, arg in zip(tracked, args, strict=True):
            values[i] = arg
        return case.call(*values, **case.options)

    return f, [whole[i] for i in tracked]


def of_numpy(f, args):
    """NumPy's results; None where it refuses, or would lose an imaginary part."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", np.exceptions.ComplexWarning)
        try:
            return parts(f(*args))
        except (TypeError, ValueError, np.exceptions.ComplexWarning):
            return None


def refuses(case, way):
    """Whether the function is one of real numbers."""
    if case.function.__name__ in COMPARED and "(w," not in case.label and 0 in way:
        return True
    return case.function.__name__ in REFUSED or of_numpy(*drawn_for(case, way)) is None


def chosen():
    """The cases to try: of every call, the uses with the most entries, in each way."""
    uses = {}
    for case in CASES:
        if case.function.__name__ not in LEFT_OUT | GAUGED:
            uses.setdefault((case.label, case.constants), []).append(case)
    for cases in uses.values():
        largest = sorted(cases, key=lambda case: -sum(int(np.prod(shape)) for shape in case.shapes))
        yield from ((case, way) for case in largest[:EACH] for way in ways(case) if way)


def random_like(rng, values):
    return [
        np.asarray(
            (rng.uniform(-1, 1, np.shape(x)) + 1j * rng.uniform(-1, 1, np.shape(x)) * np.iscomplexobj(x)).astype(
                np.asarray(x).dtype
            )
            if np.iscomplexobj(x)
            else rng.uniform(-1, 1, np.shape(x)).astype(np.asarray(x).dtype)
        )
        for x in values
    ]


EPS = np.finfo(float).eps


def differences(case, f, entries):
    """The Jacobians by the parts. Linear algebra has no extended precision, and may cancel within the function."""
    if case.oracle != "double" and getattr(case.function, "__module__", "") != "numpy.linalg":
        return oracles.differences(f, entries)
    found = oracles.differences(f, entries, np.float64, 2.0**-5)
    return [oracles.Jacobian(jacobian.values, 4 * jacobian.errors) for jacobian in found]


def product(a, b):
    """⟨a, b⟩ = Re(Σ conj(a) b), of lists of arrays or Tensors."""
    return sum(np.sum(np.real(np.conj(x) * y)) for x, y in zip(a, b, strict=True))


CHOSEN = list(chosen())
TAKEN = [(case, way) for case, way in CHOSEN if not refuses(case, way)]
LEFT = [(case, way) for case, way in CHOSEN if refuses(case, way) and case.function.__name__ not in MORE_THAN_NUMPY]
FIRST = [(case, way) for (case, way), before in zip(TAKEN, [(None, None), *TAKEN[:-1]], strict=True)
         if before[0] is None or case.label != before[0].label]  # fmt: skip
SMOOTH = [(case, way) for case, way in FIRST if case.smooth]
each_taken = pytest.mark.parametrize(("case", "way"), TAKEN, ids=label)
each_first = pytest.mark.parametrize(("case", "way"), FIRST, ids=label)


def pulled(case, way, dtype=np.complex128):
    """The arguments, the value, an upstream gradient, and the gradients."""
    f, args = drawn_for(case, way, dtype)
    value, pull = at.vjp(f, *args)
    upstream = random_like(case.rng(), parts(value))
    return f, args, parts(value), upstream, pull(flatten(value)[1](upstream))


def test_every_function_of_the_table_takes_complex_numbers_or_is_known_not_to():
    names = {case.function.__name__ for case, _ in TAKEN} | REFUSED | COMPARED | LEFT_OUT | GAUGED
    assert {case.function.__name__ for case in CASES} - {"astype"} <= names


@pytest.mark.parametrize(("case", "way"), LEFT, ids=label)
def test_a_function_of_real_numbers_refuses_complex_ones(case, way):
    f, args = drawn_for(case, way)
    with pytest.raises(AutotinyError, match=r"complex|real numbers|not supported for the input types"):
        at.vjp(f, *args)


@each_taken
def test_value_is_that_of_numpy(case, way):
    f, args = drawn_for(case, way)
    for actual, wanted in zip(parts(at.vjp(f, *args)[0]), of_numpy(f, args), strict=True):
        assert (actual.shape, actual.dtype) == (np.shape(wanted), np.asarray(wanted).dtype)
        np.testing.assert_allclose(actual, wanted, rtol=1e-13, atol=1e-13 * np.max(np.abs(wanted), initial=0))


@each_taken
def test_gradient_is_that_of_real_and_imaginary_parts(case, way):
    f, args, value, upstream, gradients = pulled(case, way)
    on_parts, entries = oracles.on_parts(f, args, [np.iscomplexobj(y) for y in value])
    jacobians = differences(case, on_parts, entries)
    for x, g in zip(args, gradients, strict=True):
        assert (g.shape, g.dtype) == (x.shape, x.dtype)
    for g, jacobian in zip(oracles.split(gradients), jacobians, strict=True):
        assert oracles.excess(g, oracles.split(upstream), jacobian, 4 * EPS) <= 1


@each_taken
def test_forward_mode_is_the_adjoint_of_reverse_mode(case, way):
    f, args, value, upstream, gradients = pulled(case, way)
    tangents = random_like(case.rng(), args)
    derivative = parts(at.jvp(f, args, tangents)[1])
    assert [(d.shape, d.dtype) for d in derivative] == [(y.shape, y.dtype) for y in value]
    size = sum(np.sum(np.abs(g * t)) for g, t in zip(gradients, tangents, strict=True))
    np.testing.assert_allclose(
        product(upstream, derivative), product(gradients, tangents), rtol=0, atol=1e-12 * size + 1e-300
    )


@pytest.mark.parametrize(("case", "way"), SMOOTH, ids=label)
def test_second_derivative_is_the_difference_of_first_ones(case, way):
    f, args = drawn_for(case, way)
    upstream, directions = random_like(case.rng(), of_numpy(f, args)), random_like(case.rng(), args)

    def first(t):
        tensors = [at.Tensor(x + t * v) for x, v in zip(args, directions, strict=True)]
        loss = product(upstream, parts(f(*tensors)))
        return tensors, at.gradients(loss, tensors)

    tensors, gradients = first(0.0)
    along = product(directions, gradients)
    second = at.gradients(along, tensors) if along.requires_grad else [np.zeros(x.shape, x.dtype) for x in tensors]

    def moved(t):
        return oracles.split([g.data for g in first(float(t))[1]])

    (wanted,) = oracles.differences(moved, [np.zeros(())], np.float64, 2.0**-6)
    away = abs(oracles.flat(oracles.split([getattr(H, "data", H) for H in second])) - wanted.values[:, 0])
    assert np.all(away <= 1e-10 * np.max(abs(wanted.values), initial=1) + 4 * wanted.errors[:, 0])


@each_first
def test_single_precision_stays_single(case, way):
    f, args, value, _, gradients = pulled(case, way, np.complex64)
    assert [g.dtype for g in gradients] == [x.dtype for x in args]
    for actual, wanted in zip(value, of_numpy(f, args), strict=True):
        assert actual.dtype == np.asarray(wanted).dtype


def test_a_gradient_without_its_conjugate_is_caught():
    case = next(case for case in CASES if case.function is np.exp and case.shapes == ((3,),))
    f, args, _, upstream, (g,) = pulled(case, frozenset({0}))
    on_parts, entries = oracles.on_parts(f, args, [True])
    jacobian = oracles.differences(on_parts, entries)[1]
    assert oracles.excess(g.imag, oracles.split(upstream), jacobian, 4 * EPS) <= 1
    assert oracles.excess(-g.imag, oracles.split(upstream), jacobian, 4 * EPS) > 100


CUTS = [complex(re, im) for re in (2.0, -2.0) for im in (0.0, -0.0)] + [
    complex(re, im) for im in (2.0, -2.0) for re in (0.0, -0.0)
]


@pytest.mark.parametrize(
    "function", [np.arcsin, np.arccos, np.arctan, np.arcsinh, np.arccosh, np.arctanh, np.sqrt, np.log]
)
@pytest.mark.parametrize("z", CUTS, ids=str)
def test_on_a_branch_cut_the_derivative_is_that_along_it(function, z):
    """Zeros have signs, which say on which side of the cut a number lies; the steps keep them."""
    along = 1 if z.imag == 0 else 1j

    def moved(t):
        return function(complex(z.real + t, z.imag) if along == 1 else complex(z.real, z.imag + t))

    expected = (moved(1e-6) - moved(-1e-6)) / (2e-6 * along)
    _, pull = at.vjp(function, np.array(z))
    np.testing.assert_allclose(np.conj(pull(np.array(1 + 0j))[0]), expected, atol=1e-8)
