"""The reverse sweep: accumulation, depth, freedom from aliases, precision, threads."""

import gc
import itertools
import sys
import threading
import weakref

import numpy as np
import pytest

import autotiny as at
from autotiny.engine import gradients
from autotiny.engine.graph import topological_order
from autotiny.errors import ShapeError, UnsupportedError


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def without_collector():
    gc.collect()
    gc.disable()
    yield
    gc.enable()


# ----- accumulation -----
def test_gradients_of_all_uses_add_up():  # tinygrad's first day overwrote them
    x = at.Tensor(3.0)
    (x * x + x).backward()
    assert x.grad == 7


@pytest.mark.parametrize("n", [2, 3, 10])
def test_a_tensor_that_feeds_one_operation_several_times_gets_every_contribution(n):  # MyGrad 93
    x = at.Tensor([1.0, 2.0])
    np.sum(np.concatenate([x] * n) ** 2).backward()
    assert x.grad.tolist() == [2 * n, 4 * n]


def test_a_diamond_of_different_depths_waits_for_the_longer_arm():  # micrograd 64, 23, 68, 96
    x = at.Tensor(2.0)
    a = x * x
    (a * (a + np.exp(a * 0.0))).backward()
    assert a.grad == 2 * 4 + 1
    assert x.grad == 36


def test_second_backward_doubles_leaf_gradients_and_resets_the_rest():  # micrograd 102: 72 where 54 is right
    x = at.Tensor(3.0)
    y = x * x
    z = y * x
    z.backward()
    assert (x.grad, y.grad, z.grad) == (27, 3, 1)
    z.backward()
    assert (x.grad, y.grad, z.grad) == (54, 3, 1)


def test_two_losses_that_share_a_subgraph_add_up():
    x = at.Tensor(3.0)
    y = x * x
    first, second = y * 2, y * x
    first.backward()
    assert (x.grad, y.grad) == (12, 2)
    second.backward()
    assert (x.grad, y.grad) == (12 + 27, 3)


def test_backward_leaves_tensors_alone_that_do_not_lead_to_the_output():
    x, other = at.Tensor(1.0), at.Tensor(2.0)
    y, aside = x * 2, x * other
    y.backward()
    assert other.grad is aside.grad is None


def test_constants_get_no_gradient():
    x, c = at.Tensor([1.0, 2.0]), at.Tensor([3.0, 4.0], requires_grad=False)
    np.sum(x * c).backward()
    assert c.grad is None
    assert x.grad.tolist() == [3, 4]


def test_equal_constants_are_not_merged():  # tinygrad 9597
    a, b = at.Tensor(2.0), at.Tensor(2.0)
    (a * 3 + b * 3).backward()
    assert (a.grad, b.grad) == (3, 3)


def test_backward_from_a_leaf_is_its_seed():
    x = at.Tensor([1.0, 2.0])
    x.backward([3.0, 4.0])
    x.backward([3.0, 4.0])
    assert x.grad.tolist() == [6, 8]


def test_backward_from_the_middle_of_a_graph_stays_below_it():
    x = at.Tensor(3.0)
    y = x * x
    z = y * y
    y.backward()
    assert x.grad == 6
    assert z.grad is None


def test_a_rule_that_fails_leaves_every_gradient_as_it_was():
    @at.operation(lambda g, y, x: g / (1 // 0))
    def broken(x):
        return x * 1

    x = at.Tensor(3.0)
    y = x * x
    y.backward()
    with pytest.raises(ZeroDivisionError):
        (y + broken(x)).backward()
    assert (x.grad, y.grad) == (6, 1)


# ----- depth and width -----
def test_a_million_chained_operations_are_recorded_swept_and_freed(without_collector):  # micrograd 90, tinygrad 8167
    x = at.Tensor(1.0)
    y = x
    for _ in range(10**6):
        y = y + 1e-6
    first = weakref.ref(y.parents[0])
    y.backward()
    assert x.grad == 1
    del y
    assert first() is None


def test_a_thousand_doublings_are_swept_once_each():  # tinygrad 7008, SmallPebble: a path each would be 2 ** 1000
    x = at.Tensor(1.0)
    y = x
    for _ in range(1000):
        y = (y + y) * 0.5
    y.backward()
    assert x.grad == 1


def calls_of_python(work):
    """How many Python functions work() calls."""
    count = 0

    def counted(frame, event, arg):
        nonlocal count
        count += event == "call"

    before = sys.getprofile()
    sys.setprofile(counted)
    try:
        work()
    finally:
        sys.setprofile(before)
    return count


@pytest.mark.parametrize("step", [lambda y: y + 1e-6, lambda y: np.sin(y), lambda y: (y + y) * 0.5])
def test_twice_the_operations_take_twice_the_steps(step):
    def steps(n):
        def work():
            y = at.Tensor(1.0)
            for _ in range(n):
                y = step(y)
            y.backward()

        return calls_of_python(work)

    once, twice, fourfold = steps(500), steps(1000), steps(2000)
    assert fourfold - twice == pytest.approx(2 * (twice - once), rel=0.01)  # the collector may call somebody


def test_every_rule_runs_once_for_each_use():
    calls = []

    @at.operation(lambda g, y, x: calls.append(1) or g)
    def same(x):
        return x.copy()

    x = at.Tensor(1.0)
    y = x
    for _ in range(100):
        y = same(y) + same(y)
    y.backward()
    assert len(calls) == 200


def test_gradients_nobody_asked_for_are_never_computed():
    def refuse(g, y, a, b):
        raise AssertionError

    @at.operation(lambda g, y, a, b: g * b, refuse)
    def times(a, b):
        return a * b

    x, data = at.Tensor([2.0]), at.Tensor([3.0], requires_grad=False)
    np.sum(times(x, data)).backward()
    assert x.grad == 3


def test_many_operands_of_one_operation_are_swept(rng):
    xs = [at.Tensor(v) for v in rng.normal(size=2000)]
    np.prod(np.stack(xs) * 0 + 1).backward()
    assert all(x.grad == 0 for x in xs)


# ----- freed at once -----
def test_a_dropped_loss_frees_its_graph_without_the_collector(without_collector):  # autograd 219, 103
    W = at.Tensor(np.ones((2, 2)))
    hidden = np.tanh(W @ W)
    loss = np.sum(hidden)
    loss.backward()
    gone = weakref.ref(hidden)
    del hidden, loss
    assert gone() is None


def test_recorded_gradients_are_freed_without_the_collector(without_collector):  # PyTorch 7343: create_graph leaked
    x = at.Tensor([1.0, 2.0])
    y = np.sum(x**3)
    (dy,) = at.gradients(y, [x])
    (ddy,) = at.gradients(np.sum(dy), [x])
    gone = [weakref.ref(t) for t in (y, dy, ddy)]
    del y, dy, ddy
    assert [ref() for ref in gone] == [None] * 3


def test_graphs_are_freed_without_the_collector_after_an_error(without_collector):  # PyTorch 51349
    def failing():
        y = at.Tensor([0.0]) * 2
        with at.debug(), pytest.raises(ArithmeticError):
            np.log(y)
        return weakref.ref(y)

    assert failing()() is None


# ----- no aliases -----
def both_leaves_of(expression, loss):
    a, b = at.Tensor([[1.0, 2.0], [3.0, 4.0]]), at.Tensor([[5.0, 6.0], [7.0, 8.0]])
    y = expression(a, b)
    loss(y).backward()
    return a, b, y


LOSSES = {
    "a spread gradient": np.sum,
    "an array of its own": lambda y: np.sum(y * 3.0),
    "a product": lambda y: np.sum(y * y),
}


PASSING_ON = {
    "sum": lambda a, b: a + b,
    "difference": lambda a, b: b - a,
    "transposes": lambda a, b: a.T + b.T,
    "reshapes": lambda a, b: a.reshape(4) + b.reshape(4),
    "slices": lambda a, b: a[:, ::-1] + b[:],
    "copies": lambda a, b: np.copy(a) + np.positive(b),
    "stack": lambda a, b: np.stack([a, b]),
    "concatenation": lambda a, b: np.concatenate([a, b]),
    "broadcast": lambda a, b: np.broadcast_to(a, (3, 2, 2)) + np.broadcast_to(b, (3, 2, 2)),
    "flips": lambda a, b: np.flip(a) + np.roll(b, 1),
    "branches": lambda a, b: np.where([[True, False]], a, b),
}


@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
@pytest.mark.parametrize("expression", PASSING_ON.values(), ids=PASSING_ON)
def test_changing_one_gradient_in_place_changes_no_other(expression, loss):
    (a, b, _), (_, expected, _) = both_leaves_of(expression, loss), both_leaves_of(expression, loss)
    a.grad[...] = np.nan
    np.testing.assert_array_equal(b.grad, expected.grad)


@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
@pytest.mark.parametrize("expression", PASSING_ON.values(), ids=PASSING_ON)
def test_gradients_of_leaves_share_no_memory_with_anything(expression, loss):
    a, b, y = both_leaves_of(expression, loss)
    for other in (b.grad, y.grad, a.data, b.data, y.data):
        assert not np.shares_memory(a.grad, other)
    assert a.grad.flags.writeable


def test_a_seed_is_copied():
    x, g = at.Tensor([1.0, 2.0]), np.ones(2)
    y = x + 0
    y.backward(g)
    x.backward(g)
    g[...] = 9
    assert x.grad.tolist() == [2, 2]
    assert y.grad.tolist() == [1, 1]


def test_an_accumulated_gradient_is_a_new_array():
    x = at.Tensor([1.0, 2.0])
    np.sum(x * x).backward()
    kept = x.grad
    np.sum(x * x).backward()
    assert kept.tolist() == [2, 4]
    assert x.grad.tolist() == [4, 8]


# ----- seeds -----
@pytest.mark.parametrize("shape", [(), (1,), (1, 1)])
def test_a_single_value_needs_no_seed(shape):
    x = at.Tensor(np.full(shape, 3.0))
    (x * x).backward()
    assert x.grad.shape == shape
    assert np.all(x.grad == 6)


@pytest.mark.parametrize("shape", [(2,), (0,), (2, 3)])
def test_several_values_need_a_seed(shape):
    with pytest.raises(ShapeError, match=r"output of shape \(.*\) needs grad of that shape; or take its sum or mean"):
        (at.Tensor(np.ones(shape)) * 2).backward()


@pytest.mark.parametrize("g", [1.0, [1.0], [[1.0, 2.0, 3.0]], np.ones((3, 1)), np.ones(0)], ids=str)
def test_a_seed_of_another_shape_is_refused(g):  # autograd accepted it in silence
    y = at.Tensor([1.0, 2.0, 3.0]) * 2
    with pytest.raises(ShapeError, match=r"grad must have the shape of the output, \(3,\); got \("):
        y.backward(g)


@pytest.mark.parametrize(
    "g", [[1, 0], np.array([1, 0], np.int8), at.Tensor([1.0, 0.0]), at.Tensor([1, 0], requires_grad=False)]
)
def test_a_seed_may_be_anything_with_the_right_shape(g):
    x = at.Tensor([3.0, 4.0], dtype=np.float32)
    y = x * x
    y.backward(g)
    assert x.grad.tolist() == [6, 0]
    assert y.grad.dtype == x.grad.dtype == np.float32


@pytest.mark.parametrize(("g", "words"), [([1j, 0], "complex"), ("ab", "numbers"), ([[1], [2, 3]], "equal lengths")])
def test_a_seed_must_be_real_numbers(g, words):
    with pytest.raises(UnsupportedError, match=f"backward: .*{words}"):
        (at.Tensor([1.0, 2.0]) * 2).backward(g)


def test_seeds_weigh_the_outputs(rng):
    x, g = at.Tensor(rng.normal(size=(3, 4))), rng.normal(size=(3, 4))
    np.exp(x).backward(g)
    np.testing.assert_allclose(x.grad, g * np.exp(x.data), rtol=1e-15)


@pytest.mark.parametrize("requires_grad", [True, False])
def test_backward_of_what_depends_on_nothing_is_an_error(requires_grad):
    c = at.Tensor(1.0, requires_grad=False)
    y = c * 2
    with pytest.raises(UnsupportedError, match="backward: y does not depend on any tracked Tensor, or was made under"):
        y.backward()


# ----- precision -----
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.longdouble])
def test_precision_is_kept_forward_and_backward(dtype):
    W, x = at.Tensor(np.ones((2, 2), dtype)), at.Tensor(np.ones(2, dtype))
    y = at.relu(2 * (W @ x) / 3.0 - 0.5) ** 2
    loss = np.mean(np.where(y > 0, y, 0.0)) + 1
    loss.backward()
    for t in (W, x, y, loss):
        assert t.dtype == t.grad.dtype == dtype


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_numbers_keep_their_precision_forward_and_backward(dtype):
    x = at.Tensor(dtype(0.5))
    y = np.exp(1 - x * 2.0) / 3
    y.backward()
    assert y.dtype == x.grad.dtype == y.grad.dtype == dtype


def test_mixed_precisions_widen_forward_and_return_to_each_its_own():
    a, b = at.Tensor([1.0, 2.0], dtype=np.float32), at.Tensor([3.0, 4.0])
    y = a * b
    np.sum(y).backward()
    assert (y.dtype, a.grad.dtype, b.grad.dtype) == (np.float64, np.float32, np.float64)


def test_gradients_are_summed_in_the_precision_of_the_result():
    x = at.Tensor(np.float32(1.0))
    np.sum(np.broadcast_to(x.astype(np.float64), (10,)) * (1 + 1e-10)).backward()
    assert x.grad.dtype == np.float32


def test_integers_cannot_receive_a_fractional_gradient_in_silence():  # tinygrad 10460, 9723; MyGrad 340
    whole = at.operation(lambda g, y, x: g)(lambda x: np.floor(x).astype(int))
    x = at.Tensor([1.0, 2.0], name="x")
    with pytest.raises(UnsupportedError, match="multiply: an operand of int64 has no gradient; make it floating point"):
        np.sum(whole(x) * 0.5).backward()


def test_integer_data_that_becomes_tracked_becomes_floating_point():
    x = at.Tensor([1, 2], requires_grad=False)
    x.requires_grad = True
    np.sum(x * 0.5).backward()
    assert x.dtype == np.float64
    assert x.grad.tolist() == [0.5, 0.5]


# ----- broadcasting -----
SHAPES = [((3,), (2, 3)), ((), (2,)), ((1,), (3,)), ((2, 1), (1, 3)), ((1, 1), (4, 1, 2)), ((0,), (1,)), ((2, 0), ())]


@pytest.mark.parametrize(("left", "right"), SHAPES)
def test_broadcast_operands_get_gradients_of_their_own_shape(left, right, rng):
    a, b = at.Tensor(rng.normal(size=left)), at.Tensor(rng.normal(size=right))
    y = a * b
    g = rng.normal(size=y.shape)
    y.backward(g)
    for t, other in ((a, b), (b, a)):
        np.testing.assert_allclose(t.grad, summed_to(t.shape, g * other.data), atol=1e-14)


def summed_to(shape, contributions):
    """What each entry of an array of this shape receives, entry by entry, after it was broadcast."""
    total = np.zeros(shape)
    for place, c in np.ndenumerate(contributions):
        own = place[len(place) - len(shape) :]
        total[tuple(i if n > 1 else 0 for i, n in zip(own, shape, strict=True))] += c
    return total


# ----- masked entries and infinite derivatives -----
def test_entries_that_were_masked_contribute_nothing():  # JAX 5798, autograd 396, PyTorch 23156
    x = at.Tensor([0.0, 4.0])
    with np.errstate(divide="ignore"):
        np.sum(np.where(x > 0, np.log(x) + np.sqrt(x), 0.0)).backward()
    assert x.grad.tolist() == [0, 0.5]


@pytest.mark.parametrize("everything", ["raise", "warn", "ignore"])
def test_the_sweep_does_not_depend_on_how_the_user_handles_floating_point_errors(everything):
    x = at.Tensor([0.0, 4.0])
    y = np.sum(np.where(x > 0, np.sqrt(x), 0.0) + np.sqrt(x))
    with np.errstate(all=everything):
        y.backward()
        assert np.geterr()["divide"] == everything
    assert x.grad.tolist() == [np.inf, 0.5]


def test_nan_in_a_masked_entry_stays_there():
    x = at.Tensor([-1.0, 4.0])
    with np.errstate(invalid="ignore"):
        np.sum(np.where(x > 0, np.sqrt(x), 0.0)).backward()
    assert x.grad.tolist() == [0, 0.25]


def test_an_infinite_derivative_that_counts_is_infinite():
    x = at.Tensor([0.0, 4.0])
    np.sum(np.sqrt(x)).backward()
    assert x.grad.tolist() == [np.inf, 0.25]


def test_nan_in_the_data_stays_nan_in_the_gradient():
    x, c = at.Tensor([1.0, 2.0]), np.array([np.nan, 3.0])
    np.sum(x * c).backward()
    np.testing.assert_array_equal(x.grad, [np.nan, 3])


def test_the_logarithm_of_a_saturated_softmax_is_exact():
    Z, Y = at.Tensor([[800.0], [0.0], [0.0]]), np.array([[0.0], [1.0], [0.0]])
    A = at.softmax(Z)
    J = -np.sum(Y * np.log(A))
    J.backward()
    assert J.item() == 800
    assert Z.grad.tolist() == [[1], [-1], [0]]
    assert A.grad.tolist() == [[0], [-np.inf], [0]]


def test_an_exponential_beside_its_logarithm_gets_both_gradients():
    x = at.Tensor(0.5)
    y = np.exp(x)
    (np.log(y) * 3 + y * y).backward()
    np.testing.assert_allclose(y.grad, 3 / y.data + 2 * y.data, rtol=1e-15)
    np.testing.assert_allclose(x.grad, 3 + 2 * np.exp(1.0), rtol=1e-15)


@pytest.mark.parametrize("function", [at.softmax, at.sigmoid, np.exp])
def test_two_logarithms_of_one_exponential_add_up(function):
    def gradient(loss):
        z = at.Tensor([0.1, 0.7, -0.4])
        loss(function(z)).backward()
        return z.grad

    weights = np.array([1.0, 2.0, 3.0])
    twice = gradient(lambda y: np.sum(weights * np.log(y)) + np.sum(2 * weights * np.log(y)))
    np.testing.assert_allclose(twice, 3 * gradient(lambda y: np.sum(weights * np.log(y))), rtol=1e-14)


# ----- gradients(y, [x]) -----
def test_gradients_are_tensors_and_publish_nothing():
    x = at.Tensor([1.0, 2.0])
    y = x * x
    dy, dx = at.gradients(np.sum(y * y), [y, x])
    assert isinstance(dy, at.Tensor)
    np.testing.assert_array_equal(dy.data, 2 * y.data)
    np.testing.assert_array_equal(dx.data, 4 * x.data**3)
    assert x.grad is y.grad is None


def test_gradients_of_gradients_are_derivatives_to_any_order():
    x = at.Tensor(2.0)
    y, expected = x**5, [5 * 2**4, 20 * 2**3, 60 * 2**2, 120 * 2, 120]
    for value in expected:
        (y,) = at.gradients(y, [x])
        assert y.item() == value


def test_a_recorded_gradient_can_be_swept_backwards():
    x = at.Tensor([1.0, 2.0])
    (dx,) = at.gradients(np.sum(x**3), [x])
    np.sum(dx * dx).backward()
    np.testing.assert_allclose(x.grad, 36 * x.data**3)


def test_gradients_of_what_an_output_does_not_depend_on_are_zero():
    x, other = at.Tensor([1.0, 2.0], dtype=np.float32), at.Tensor(np.ones((2, 3), np.float32))
    _, zero = at.gradients(np.sum(x), [x, other])
    assert zero.dtype == np.float32
    np.testing.assert_array_equal(zero.data, np.zeros((2, 3)))


def test_gradients_take_a_seed():
    x = at.Tensor([1.0, 2.0])
    (dx,) = at.gradients(x * x, [x], [1.0, 10.0])
    assert dx.tolist() == [2, 40]


def test_gradients_by_a_tracked_seed_can_be_differentiated_by_it():
    x, u = at.Tensor([1.0, 2.0]), at.Tensor([1.0, 1.0])
    (dx,) = at.gradients(x * x, [x], u)
    (du,) = at.gradients(np.sum(dx), [u])
    assert du.tolist() == [2, 4]


def test_gradients_of_numbers_are_0d():  # PyTorch 150883
    x = at.Tensor(3.0)
    (dx,) = at.gradients(x * x, [x])
    assert dx.shape == ()


def test_gradients_of_the_output_itself_are_the_seed():
    y = at.Tensor(3.0) * 2
    assert at.gradients(y, [y])[0].item() == 1


def test_gradients_of_a_constant_are_refused():
    x, c = at.Tensor(1.0), at.Tensor(2.0, requires_grad=False)
    with pytest.raises(UnsupportedError, match="gradients: c is a constant; only tracked Tensors have one"):
        at.gradients(x * c, [c])


@pytest.mark.parametrize("data", [1.0, [1.0, 2.0]])
def test_gradients_want_a_list(data):
    x = at.Tensor(data)
    with pytest.raises(UnsupportedError, match=r"gradients: give the tensors as a list, \[x\]"):
        at.gradients(np.sum(x * x), x)


# ----- threads -----
def in_threads(n, work):
    """What work(i) returned in each of n threads that start together."""
    barrier, results = threading.Barrier(n), {}

    def run(i):
        barrier.wait()
        results[i] = work(i)

    threads = [threading.Thread(target=run, args=(i,)) for i in range(n)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [results[i] for i in range(n)]


def test_graphs_of_different_threads_do_not_meet():
    def work(i):
        x, total = at.Tensor([float(i), 1.0]), 0.0
        for _ in range(200):
            x.grad = None
            np.sum(x * x * x).backward()
            total += x.grad[0]
        return total

    assert in_threads(8, work) == [200 * 3 * i**2 for i in range(8)]


def test_threads_may_share_parameters_that_they_only_read():
    W = at.Tensor(np.arange(4.0).reshape(2, 2))

    def work(i):
        return at.gradients(np.sum(W * W * i), [W])[0].data

    for i, g in enumerate(in_threads(8, work)):
        np.testing.assert_array_equal(g, 2 * i * W.data)


# ----- many operands, infinities, interrupts -----
@pytest.mark.parametrize("join", [np.stack, np.hstack, np.vstack, np.concatenate])
def test_joined_arrays_get_their_pieces_whatever_their_number(join):
    xs = [at.Tensor(np.arange(i % 3 + 1.0 if join is np.hstack else 2.0)) for i in range(50)]
    weights = np.arange(join([x.data for x in xs]).size).reshape(join([x.data for x in xs]).shape)
    np.sum(join(xs) * weights).backward()
    np.testing.assert_array_equal(join([x.grad for x in xs]), weights)
    recorded = at.gradients(np.sum(join(xs) * weights), xs)
    np.testing.assert_array_equal(join([g.data for g in recorded]), weights)


def test_backward_of_a_stack_calls_its_rule_once(monkeypatch):
    xs = [at.Tensor(float(i)) for i in range(300)]
    y = np.sum(np.stack(xs) ** 2)
    rules = next(node.op.rules for node in topological_order(y) if node.op and node.op.name == "stack")
    counted = []
    monkeypatch.setattr(rules, "rule", None)
    at_once = rules.at_once
    monkeypatch.setattr(rules, "at_once", lambda *args, **kwargs: counted.append(1) or at_once(*args, **kwargs))
    y.backward()
    assert counted == [1]
    assert [x.grad for x in xs] == [2.0 * i for i in range(300)]


@pytest.mark.parametrize("bad", [np.inf, -np.inf, np.nan])
def test_gradient_of_a_determinant_with_an_infinity_is_nan_and_that_of_others_right(bad):
    spoilt = np.array([[bad, 1.0, 2.0], [1.0, 1.0, 3.0], [1.0, 4.0, 5.0]])
    with np.errstate(all="ignore"):
        g = at.grad(lambda x: np.sum(np.linalg.det(x)))(np.stack([spoilt, np.eye(3)]))
    assert np.isnan(g[0]).all()
    np.testing.assert_allclose(g[1], np.eye(3), atol=1e-15)


def test_an_interrupt_at_any_instruction_of_backward_leaves_every_gradient_old_or_new():
    def interrupted_at(n, work):
        count = itertools.count()

        def trace(frame, kind, _):
            if frame.f_code.co_filename != gradients.__file__:
                return trace if kind == "call" else None
            frame.f_trace_opcodes = True
            if kind == "opcode" and next(count) == n:
                raise KeyboardInterrupt
            return trace

        before = sys.gettrace()
        sys.settrace(trace)
        try:
            work()
        except KeyboardInterrupt:
            return True
        finally:
            sys.settrace(before)
        return False

    n = 0
    while True:
        a, b, c = (at.Tensor(x) for x in (2.0, 3.0, 5.0))
        (a * b * c).backward()
        y = a * b * c
        more = interrupted_at(n, y.backward)
        assert (a.grad, b.grad, c.grad) in [(15, 10, 6), (30, 20, 12)]
        if not more:
            break
        n += 1
    assert n > 50
