"""What kinds of programs promise: facts, blocks, numbers, memory, threads."""

import copy
import re
import threading
import tracemalloc

import numpy as np
import pytest

import autotiny as at
from autotiny.engine.pytree import flatten


def cross_entropy_gradient(Z, Y):
    return at.value_and_grad(lambda Z: at.cross_entropy(Z, Y))(Z)


def softplus_chain(x):
    return np.sum(np.log(1 + np.exp(-x * np.tanh(np.sqrt(1 + x * x)))))


def close(got, expected, rtol=1e-13):
    for a, b in zip(got, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=rtol, atol=1e-15)


# ----- facts -----
def test_targets_that_sum_to_one_leave_a2_minus_y():
    rng, f = np.random.default_rng(0), at.compile(cross_entropy_gradient)
    Z, Y = rng.standard_normal((3, 4)), np.ascontiguousarray(np.eye(3)[:, [0, 1, 1, 2]])
    close(f(Z, Y), cross_entropy_gradient(Z, Y))
    assert "FactError" in f.source
    assert re.search(r"subtract\(\w+, Y, out=", f.source)


def test_targets_that_do_not_sum_to_one_after_all_give_the_right_gradient():
    rng, f = np.random.default_rng(0), at.compile(cross_entropy_gradient)
    Z, Y = rng.standard_normal((3, 4)), np.eye(3)[:, [0, 1, 1, 2]]
    f(Z, Y)
    for targets in (2 * Y, Y, rng.random((3, 4))):
        close(f(Z, targets), cross_entropy_gradient(Z, targets))
    assert "FactError" not in f.source


def test_targets_that_sum_to_one_but_for_rounding_stay_in_the_program_that_relies_on_it():
    rng, f = np.random.default_rng(3), at.compile(cross_entropy_gradient)
    Z = rng.standard_normal((7, 40))
    for _ in range(5):
        Y = rng.random((7, 40))
        Y /= np.sum(Y, axis=0)
        assert not np.all(np.sum(Y, axis=0) == 1)
        close(f(Z, Y), cross_entropy_gradient(Z, Y), rtol=1e-11)
        assert "FactError" in f.source
    for error in (1e-6, -1e-10):
        close(f(Z, Y + error), cross_entropy_gradient(Z, Y + error), rtol=1e-11)
        assert "FactError" not in f.source
        f(Z, Y)


# ----- blocks -----
@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("shape", [(2**17,), (400, 333), (3, 5, 12345)])
def test_long_chain_in_blocks_gives_the_same(shape, threads):
    x = np.random.default_rng(0).standard_normal(shape)
    f = at.compile(at.value_and_grad(softplus_chain), threads=threads)
    got = f(x)
    close(got, at.value_and_grad(softplus_chain)(x), rtol=1e-11)
    assert "Blocks(" in f.source
    assert got[1].shape == shape


def test_blocks_stop_at_a_total_that_later_operations_need():
    x = np.random.default_rng(0).standard_normal(2**17)
    f = at.compile(lambda x: np.tanh((x - np.mean(x)) / np.sqrt(np.mean(x * x)) + 1) * np.exp(-x * x) + np.max(x))
    close([f(x)], [f.f(x)], rtol=1e-11)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "f", [at.leaky_relu, at.elu, lambda x: np.where(x > 0.5, 1.0, x), lambda x: np.where(x > 0, x, 0)]
)
def test_a_choice_between_long_arrays_stays_in_its_block(f, dtype):
    x = np.random.default_rng(0).standard_normal(2**17).astype(dtype)
    for g in (lambda x: np.tanh(2 * f(x * x - 1)), at.value_and_grad(lambda x: np.sum(f(x * 2) * x))):
        compiled = at.compile(g)
        for a, b in zip(flatten(compiled(x))[0], flatten(g(x))[0], strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-5 if dtype is np.float32 else 1e-11)
            assert a.dtype == b.dtype
        assert re.search(r"def block1\(.*\n(    .*\n)*    \w+(\[...\])? = where\(", compiled.source)


def test_an_array_without_rows_in_order_runs_in_blocks_too():
    x = np.random.default_rng(0).standard_normal((500, 300)).T
    f = at.compile(at.value_and_grad(softplus_chain))
    close(f(x), at.value_and_grad(softplus_chain)(x), rtol=1e-11)


# ----- numbers -----
def hinge(w, b, x):
    return at.relu(1 - (w * x + b) * np.tanh(w) / (1 + x * x))


def test_program_on_numbers_is_in_pythons_arithmetic():
    f = at.compile(at.value_and_grad(hinge, (0, 1, 2)))
    for args in ((0.5, 0.1, 2.0), (3.0, -1.0, 0.0), (-2.0, 5.0, 1.0)):
        (J, g), (J0, g0) = f(*args), at.value_and_grad(hinge, (0, 1, 2))(*args)
        close([J, *g], [J0, *g0])
        assert [type(x) for x in (J, *g)] == [type(x) for x in (J0, *g0)]
    assert "from math import isnan, tanh" in f.source


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(
    ("f", "x"),
    [
        (np.exp, 1000.0),
        (np.log, 0.0),
        (np.log, -1.0),
        (lambda x: 1 / x, 0.0),
        (np.sqrt, -1.0),
        (lambda x: x**0.5, -8.0),
    ],
)
def test_where_python_raises_a_number_is_what_numpy_makes_of_it(f, x):
    f = at.grad(f) if f is not np.sqrt else f
    compiled = at.compile(f)
    compiled(2.0)
    np.testing.assert_array_equal(compiled(x), f(x))
    np.testing.assert_array_equal(compiled(2.0), f(2.0))


def test_ten_thousand_operations_on_numbers_compile():
    def f(x):
        y = x
        for _ in range(2500):
            y = y * 0.999 + np.sin(x)
        return y

    got = at.compile(at.value_and_grad(f))(0.3)
    close(got, at.value_and_grad(f)(0.3), rtol=1e-11)


# ----- memory -----
def test_a_program_runs_without_the_function(capsys):
    f = at.compile(lambda x: (print("called"), np.tanh(x))[1])
    for _ in range(5):
        f(np.ones(3))
    assert capsys.readouterr().out == "called\n"


def test_threads_share_no_memory():
    f = at.compile(lambda x: np.exp(np.tanh(x @ x) * 2) @ x)
    inputs = [np.random.default_rng(i).standard_normal((60, 60)) / 8 for i in range(8)]
    expected = [f(x) for x in inputs]
    wrong = []

    def work(i):
        for _ in range(200):
            if not np.array_equal(f(inputs[i]), expected[i]):
                wrong.append(i)

    workers = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert not wrong


def test_shapes_types_and_trees_have_a_program_each_and_few_are_kept():
    f = at.compile(lambda tree: np.tanh(tree["x"]))
    for n in range(1, 40):
        f({"x": np.ones(n)})
        f({"x": np.ones(n, np.float32)})
    assert len(f.kept) == 16
    assert f({"x": np.ones(2, np.float32)}).dtype == np.float32


def test_step_allocates_no_more_than_it_hands_out():
    rng = np.random.default_rng(0)
    W, X = rng.standard_normal((100, 100)), rng.standard_normal((100, 50))
    f = at.compile(at.value_and_grad(lambda W: np.sum(np.tanh(np.tanh(W @ X) @ X.T))))
    f(W)
    f(W)
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    result = f(W)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak - before < 1.1 * result[1].nbytes


def test_donated_array_that_is_used_again_is_read_before_it_is_written():
    def f(a, b):
        return a - b, b - a, a * b

    a, b = np.array([1.0, 2.0]), np.array([5.0, 7.0])
    expected = f(a, b)
    close(at.compile(f, donate=(0, 1))(a.copy(), b.copy()), expected)


def descent_with_momentum(params, velocities, x):
    """A step that updates matrices large enough for blocks and a bias, each by several operations."""
    loss = lambda W, b: np.mean(np.maximum(W @ x + b, 0.0) ** 2) + 1e-3 * np.sum(np.tanh(W))
    J, grads = at.value_and_grad(loss, (0, 1))(*params)
    velocities = [0.9 * v + 0.1 * g - 1e-4 * p for p, v, g in zip(params, velocities, grads, strict=True)]
    return J, [p - 0.5 * v * 1.01 for p, v in zip(params, velocities, strict=True)], velocities


@pytest.mark.parametrize("size", [3, 300])
def test_donated_updates_of_many_steps_are_those_of_the_function(size):
    rng = np.random.default_rng(0)
    params, x = [rng.normal(size=(size, size)), rng.normal(size=(size, 1))], rng.normal(size=(size, 5))
    start = params, [np.zeros_like(p) for p in params]
    expected, got = copy.deepcopy(start), copy.deepcopy(start)
    compiled = at.compile(descent_with_momentum, donate=(0, 1))
    for data in (x, x, np.where(x > 1, np.inf, x), x):  # the third stops the program that was compiled first
        with np.errstate(all="ignore"):
            (J, *expected), (J_compiled, *got) = descent_with_momentum(*expected, data), compiled(*got, data)
        close(flatten((J_compiled, got))[0], flatten((J, expected))[0], rtol=1e-11)


def test_masked_function_gives_what_it_gives_eagerly_after_a_donated_step_was_stopped():
    def f(x, y):
        J, dx = at.value_and_grad(lambda x: np.sum(np.where(x > 0, np.log(x), 0.0) * y))(x)
        return J, x - dx

    compiled = at.compile(f, donate=0)
    with np.errstate(all="ignore"):
        for x in ([1.0, 2.0], [1.0, 0.0], [-1.0, 3.0], [4.0, 5.0]):
            expected = f(np.array(x), np.ones(2))
            close(compiled(np.array(x), np.ones(2)), expected)


# ----- what it tells -----
def test_explain_counts_operations_after_each_pass_and_the_memory():
    f = at.compile(at.value_and_grad(softplus_chain), threads=1)
    f(np.ones(2**17))
    assert "pass" in f.explain()
    assert "blocks: 1" in f.explain() or "operations at once, threads: 1" in f.explain()
    f(np.ones(3))
    assert "memory: " in f.explain()


def test_graph_is_the_formula_with_the_users_names():
    def f(W, x):
        Z = W @ x
        return np.tanh(Z)

    step = at.compile(f)
    step(np.eye(2), np.ones(2))
    graph = step.graph()
    assert graph.op.name == "tanh"
    assert [t.name for t in graph.parents] == ["Z"]


def test_the_formula_can_be_drawn():
    step = at.compile(at.value_and_grad(lambda W: np.sum(np.tanh(W))))
    step(np.eye(2))
    assert "tanh" in at.draw(step).svg


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64])
@pytest.mark.parametrize("f", [lambda x: np.maximum(0, x), lambda x: np.minimum(x, 0.5), lambda x: np.maximum(x, 1)])
def test_larger_or_smaller_than_a_number_has_the_same_type(f, dtype):
    x = np.array([[-1, 2, 3], [4, -5, 0]], dtype)
    got = at.compile(f)(x)
    np.testing.assert_array_equal(got, f(x))
    assert got.dtype == f(x).dtype


@pytest.mark.parametrize("columns", [3, 4])
def test_a_product_with_a_matrix_of_equal_entries_stays_a_product(columns):
    x = np.arange(4.0 * columns).reshape(4, columns)
    for f in (lambda x: np.ones((4, 4)) @ x, lambda x: np.broadcast_to(2.0, (4, 4)) @ x):
        np.testing.assert_array_equal(at.compile(f)(x), f(x))


REARRANGED = {
    "transposed, then reshaped": lambda x: np.reshape(np.exp(x).T, (2, 3)),
    "reversed, then flattened": lambda x: np.ravel(np.exp(x)[:, ::-1]),
    "broadcast, then flattened": lambda x: np.ravel(np.broadcast_to(np.exp(x)[:, None], (2, 4, 3))),
    "reshaped column by column": lambda x: np.reshape(np.exp(x), (3, 2), order="F"),
    "reshaped twice, in two orders": lambda x: np.reshape(np.exp(np.reshape(x, (3, 2), order="F")), (2, 3)),
    "flattened column by column": lambda x: np.ravel(np.exp(x), order="F"),
}


@pytest.mark.parametrize("rearranged", REARRANGED.values(), ids=REARRANGED)
def test_rearranged_entries_that_are_reshaped_are_computed_anew_at_every_call(rearranged):
    def f(x):
        y = rearranged(x)
        return np.sum(np.sin(y) * np.arange(y.size).reshape(y.shape))

    compiled, x = at.compile(at.value_and_grad(f)), np.arange(6.0).reshape(2, 3) / 4
    compiled(x)
    for point in (x, x + 1, x):
        value, gradient = at.value_and_grad(f)(point)
        np.testing.assert_allclose(compiled(point)[0], value, rtol=1e-13)
        np.testing.assert_allclose(compiled(point)[1], gradient, rtol=1e-13)


def test_a_negative_number_is_raised_whole():
    compiled = at.compile(lambda x: (-2.0) ** np.floor(x) * x)
    for x in (np.float32(2.0), np.float64(3.0)):
        assert compiled(x) == (-2.0) ** np.floor(x) * x
