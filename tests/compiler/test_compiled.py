import copy
import functools
import multiprocessing
import pickle

import numpy as np
import pytest

import autotiny as at
from autotiny.errors import UnsupportedError


def flagship(W1, b1, W2, b2, X, Y):
    Z1 = W1 @ X + b1
    A1 = at.relu(Z1)
    Z2 = W2 @ A1 + b2
    A2 = at.softmax(Z2)
    return -np.sum(Y * np.log(A2)) / Y.shape[1]


def descent(params, X, Y):
    J, gradients = at.value_and_grad(flagship, (0, 1, 2, 3))(*params, X, Y)
    return J, [p - 0.5 * dp for p, dp in zip(params, gradients, strict=True)]


@pytest.fixture
def net():
    rng = np.random.default_rng(0)
    params = [rng.standard_normal(shape) for shape in [(5, 4), (5, 1), (3, 5), (3, 1)]]
    return params, rng.standard_normal((4, 6)), np.eye(3)[:, [0, 1, 2, 2, 1, 0]]


def assert_same(got, expected):
    (J, params), (J0, params0) = got, expected
    for a, b in zip([J, *params], [J0, *params0], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-13)
        assert np.asarray(a).dtype == np.asarray(b).dtype


def test_compiled_step_gives_what_the_function_gives(net):
    step = at.compile(descent)
    for _ in range(3):
        assert_same(step(*net), descent(*net))


def test_results_of_one_call_are_not_touched_by_the_next(net):
    step, (params, X, Y) = at.compile(descent), net
    _, first = step(params, X, Y)
    kept = [p.copy() for p in first]
    step(params, 2 * X, Y)
    for p, before in zip(first, kept, strict=True):
        np.testing.assert_array_equal(p, before)


def test_donated_parameters_are_updated_in_place(net):
    params, X, Y = net
    expected = descent(params, X, Y)
    got = at.compile(descent, donate=0)(params, X, Y)
    assert_same(got, expected)
    assert all(new is p for new, p in zip(got[1], params, strict=True))


def test_the_program_uses_the_users_names(net):
    step = at.compile(descent)
    step(*net)
    assert "W1.dot(X, out=Z1)" in step.source
    assert "out=dZ2)  # A2 - Y" in step.source


@pytest.mark.parametrize(
    "f",
    [
        lambda A: A @ np.ones((3, 3)),
        lambda A: np.ones((2, 3)) @ A,
        lambda A: A @ np.ones(3),
        at.grad(lambda A: np.mean(A @ np.arange(6.0).reshape(3, 2))),
        at.grad(lambda A: np.sum(A @ A)),
        at.grad(lambda A: np.sum(np.linalg.inv(A) @ A.T)),
    ],
)
def test_matrix_products_with_equal_numbers_stay_matrix_products(f):
    A = np.random.default_rng(0).normal(size=(3, 3))
    np.testing.assert_allclose(at.compile(f)(A), f(A), rtol=1e-12, atol=1e-12)


# ----- copies, processes -----
def cubes(x):
    return np.tanh(x) ** 3 + 1


@at.compile
def decorated(x):
    return np.tanh(x) * 2


LARGE = np.linspace(0, 1, 70_000)


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda step: pickle.loads(pickle.dumps(step))])
@pytest.mark.parametrize("f", [cubes, np.tanh, at.grad(cubes), functools.partial(cubes)])
def test_compiled_functions_are_copied_and_pickled(copied, f):
    step = at.compile(f, threads=3, donate=())
    expected = step(0.5)
    again = copied(step)
    assert again is not step
    assert (again(0.5), again.threads) == (expected, 3)


def test_a_decorated_function_is_pickled_by_its_name():
    decorated(np.ones(2))
    assert pickle.loads(pickle.dumps(decorated)) is decorated


def test_a_function_that_cannot_be_pickled_is_named():
    def local(x):
        return x * 2

    for f in (local, functools.partial(local), at.grad(local)):
        with pytest.raises(UnsupportedError, match=r"compile: .*local cannot be pickled, .* at the top level"):
            pickle.dumps(at.compile(f))
    assert copy.deepcopy(at.compile(local))(2.0) == 4


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="there is no fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_child_runs_the_programs_of_its_parent():
    step = at.compile(cubes, threads=2)
    expected = step(LARGE)
    queue = multiprocessing.get_context("fork").SimpleQueue()
    with step.lock:  # as if another thread compiled at that moment
        child = multiprocessing.get_context("fork").Process(
            target=lambda: queue.put((step(LARGE)[-1], step(LARGE[:9])[-1]))
        )
        child.start()
    child.join(60)
    assert child.exitcode == 0
    assert queue.get() == (expected[-1], step(LARGE[:9])[-1])


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_another_process_runs_a_compiled_function_that_it_is_given(method):
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip("not on this platform")
    with multiprocessing.get_context(method).Pool(1) as pool:
        assert pool.map(at.compile(np.tanh), [0.0, 1.0]) == [0, np.tanh(1.0)]
