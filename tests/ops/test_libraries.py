"""Arrays of other libraries pass through the operations and come out as they went in: CuPy's on a GPU, and a stand-in.

The rules are NumPy's functions, which dispatch (NEP 13 and NEP 18). What an operation makes itself, such as zeros to
put a gradient into, it makes in the library of its operand.
"""

import math
from importlib.util import find_spec
from typing import Any, NamedTuple

import numpy as np
import pytest

import autotiny as at
from autotiny.engine.pytree import flatten, tree_map
from autotiny.errors import UnsupportedError
from ops.cases import CASES
from ops.declare import parts
from ops.strict import StrictArray


class Library(NamedTuple):
    """A library of arrays: its class, the ways there and back, and the functions that it lacks."""

    kind: type
    there: Any
    back: Any
    lacks: tuple[str, ...] = ()


def cupy():
    """CuPy, where it is installed and a GPU is there."""
    cp = pytest.importorskip("cupy", reason="CuPy is not installed")
    if not cp.cuda.is_available():
        pytest.skip("no GPU is there")
    return Library(cp.ndarray, cp.asarray, cp.asnumpy, LACKING_IN_CUPY)


LACKING_IN_CUPY = ("svdvals", "float128", "patches", "overlap_add", "unstack", "roots", "eigh-", "svd-")
"""Parts of the names of cases; of eigenvectors and singular vectors it chooses other signs."""


def stand_in():
    """A strict stand-in for it."""
    return Library(StrictArray, StrictArray, lambda x: x.array, lacks=("patches", "overlap_add"))  # strides


def dask():
    """Dask's arrays, in several chunks, where it is installed."""
    da = pytest.importorskip("dask.array", reason="Dask is not installed")
    return Library(da.Array, lambda x: da.from_array(np.asarray(x), chunks=2), np.asarray, LACKING_IN_DASK)


LACKING_IN_DASK = (
    *("cholesky", "cofactors", "det-", "eig", "inv-", "pseudoinverse", "qr", "roots", "solve", "sort", "svd"),
    *("fft", "convolution", "cumprod-()", "cumsum-()", "full-", "patches", "overlap_add", "take_along_axis", "unstack"),
    *("order=F", "reshape-(2,3)-shape=(3,2)"),
)
"""Parts of the names of cases: what it lacks, converts to NumPy's, or takes in a single chunk alone."""

LIBRARIES = {
    "stand-in": stand_in,
    **({"CuPy": cupy} if find_spec("cupy") else {}),
    **({"Dask": dask} if find_spec("dask") else {}),
}


@pytest.fixture(params=LIBRARIES.values(), ids=LIBRARIES)
def library(request):
    return request.param()


def test_cupy_is_among_the_libraries_where_it_is_installed():
    pytest.importorskip("cupy", reason="CuPy is not installed")
    assert "CuPy" in LIBRARIES


def moved(tree, library):
    """A tree with NumPy's arrays moved to a library."""
    return tree_map(lambda x: library.there(x) if isinstance(x, np.ndarray) else x, tree)


def is_text(case):
    """Whether a case is a call as text, with arrays of NumPy's in it."""
    return case.label != case.function.__name__ and any(sign in case.label for sign in "(,")


CASES_BY_USE = {}
for case in CASES:
    if not is_text(case):
        CASES_BY_USE.setdefault((case.label, str(sorted(case.options)), case.constants, () in case.shapes), case)
each_case = pytest.mark.parametrize("case", CASES_BY_USE.values(), ids=str)


def value_and_gradients(f, args, there):
    value, pull = at.vjp(f, *args)
    upstream = [there(np.cos(np.arange(math.prod(y.shape), dtype=float)).reshape(np.shape(y))) for y in parts(value)]
    return [*parts(value), *pull(flatten(value)[1](upstream))]


@each_case
def test_value_and_gradient_are_those_of_arrays_of_numpy(case, library):
    if any(name in str(case) for name in library.lacks):
        pytest.skip("the library lacks the function")
    expected = value_and_gradients(*case.draw(), np.asarray)
    actual = value_and_gradients(*case.draw(convert=library.there), library.there)
    for a, e in zip(actual, expected, strict=True):
        assert isinstance(a, library.kind)
        assert a.shape == e.shape
        np.testing.assert_allclose(library.back(a), e, rtol=1e-9, atol=1e-11)


def network(W1, b1, W2, b2, X, Y):
    m = Y.shape[1]
    A1 = at.relu(W1 @ X + b1)
    A2 = at.softmax(W2 @ A1 + b2)
    return -np.sum(Y * np.log(A2)) / m


def network_arguments():
    rng = np.random.default_rng(7)
    shapes = [(5, 4), (5, 1), (3, 5), (3, 1), (4, 7)]
    return [*(rng.normal(size=shape) for shape in shapes), np.eye(3)[:, rng.integers(3, size=7)]]


TRANSFORMS = {
    "grad": lambda args: at.grad(network, argnums=(0, 1, 2, 3))(*args),
    "jvp": lambda args: at.jvp(network, tuple(args), tuple(args))[1],
    "hvp": lambda args: at.hvp(lambda W1: network(W1, *args[1:]))(args[0], args[0]),
    "jacobian": lambda args: at.jacobian(lambda W1: np.tanh(W1 @ args[4]))(args[0]),
    "hessian": lambda args: at.hessian(lambda b1: network(args[0], b1, *args[2:]))(args[1]),
    "cross entropy of labels": lambda args: at.grad(lambda Z: at.cross_entropy(Z, [2, 0, 1, 0]))(args[4][:3, :4]),
    "binary cross entropy": lambda args: at.grad(lambda z: at.binary_cross_entropy(z, [1, 0, 1]))(args[3][:, 0]),
    "a branch that was not taken": lambda args: at.grad(lambda x: np.sum(np.sqrt(np.maximum(x, 0))))(args[0]),
}


@pytest.mark.parametrize("transform", TRANSFORMS.values(), ids=TRANSFORMS)
def test_transform_of_the_network_is_that_of_arrays_of_numpy(transform, library):
    actual = flatten(transform(moved(network_arguments(), library)))[0]
    for a, e in zip(actual, flatten(transform(network_arguments()))[0], strict=True):
        assert isinstance(a, library.kind)
        with np.errstate(divide="ignore", invalid="ignore"):  # what is computed later warns then
            np.testing.assert_allclose(library.back(a), e, rtol=1e-9, atol=1e-12)


def test_training_stays_in_the_library(library):
    def trained(args):
        parameters = [at.Tensor(x) for x in args[:4]]
        for _ in range(3):
            network(*parameters, *args[4:]).backward()
            with at.no_grad():
                for p in parameters:
                    p -= 0.1 * p.grad
                    p.grad = None
        return [p.data for p in parameters]

    for a, e in zip(trained(moved(network_arguments(), library)), trained(network_arguments()), strict=True):
        assert isinstance(a, library.kind)
        np.testing.assert_allclose(library.back(a), e, rtol=1e-9)


def test_tensor_keeps_a_copy(library):
    x = library.there(np.ones(3))
    t = at.Tensor(x)
    x[0] = 5.0
    assert library.back(t.data)[0] == 1.0


def test_array_of_numpy_beside_one_of_the_library_is_an_error_with_the_mend(library):
    if library.lacks is LACKING_IN_DASK:
        pytest.skip("Dask takes arrays of NumPy's")
    args = network_arguments()
    home = library.kind.__module__.partition(".")[0]
    message = rf"X is an array of NumPy's beside one of {home}'s; convert it, {home}\.asarray\(X\)"
    with pytest.raises(UnsupportedError, match=message):
        at.grad(network)(library.there(args[0]), *args[1:])


def test_repr_says_the_type_without_moving_the_values(library):
    full_name = f"{library.kind.__module__}.{library.kind.__name__}"
    assert repr(at.Tensor(library.there(np.ones(3)))) == f"Tensor({full_name}, shape=(3,), float64)"


def refuse(*args, **options):
    raise AssertionError("the values were asked for")


@pytest.mark.parametrize("transform", TRANSFORMS.values(), ids=TRANSFORMS)
def test_nothing_is_computed_before_it_is_asked_for(transform):
    library = dask()
    with pytest.importorskip("dask").config.set(scheduler=refuse):
        assert flatten(transform(moved(network_arguments(), library)))[0]


@pytest.mark.parametrize("case", CASES_BY_USE.values() if find_spec("dask") else [], ids=str)
def test_no_operation_asks_for_values_that_are_computed_later(case):
    library = dask()
    if any(name in str(case) for name in library.lacks):
        pytest.skip("the library lacks the function")
    function, args = case.draw(convert=library.there)
    with pytest.importorskip("dask").config.set(scheduler=refuse):
        assert value_and_gradients(function, args, library.there)


def test_a_number_of_entries_is_had_of_shapes():
    """np.size would convert an array of another library, and so compute all that it comes from."""
    x = at.Tensor(StrictArray(np.ones((2, 3))))
    assert (np.size(x), np.size(x, 1), np.size(a=x, axis=-2)) == (6, 3, 2)


def test_the_diagonals_and_indices_of_arrays_computed_later():
    library = dask()
    x = np.arange(20.0).reshape(4, 5)
    for f in (
        lambda x: np.sum(np.diagonal(x, 2) ** 2),
        lambda x: np.sum(np.diagonal(x, -4) ** 2),
        lambda x: np.sum(np.diag(x[1], -2) ** 3),
        lambda x: np.einsum("ii->", x[:, :4] ** 2),
        lambda x: np.sum(x[[0, 2, 0, -1]] ** 2),
        lambda x: np.sum(x[:, [1, 1, 1]] ** 3),
        lambda x: np.sum(np.take(x, [[0, 1], [1, 1]], axis=1) ** 2),
    ):
        found = at.grad(f)(library.there(x))
        np.testing.assert_allclose(library.back(found), at.grad(f)(x))
