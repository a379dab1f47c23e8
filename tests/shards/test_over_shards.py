"""at.over_shards: sums and weighted means over shards, by any map, with errors that name the shard."""

import pickle
from collections import namedtuple
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial, reduce
from multiprocessing import get_context

import numpy as np
import pytest

import autotiny as at
from autotiny.engine.pytree import flatten
from autotiny.errors import AutotinyError, ShapeError, ShardError, UnsupportedError

rng = np.random.default_rng(0)
X, Y = rng.normal(size=(4, 30)).astype(np.float32), at.one_hot(rng.integers(3, size=30), 3).astype(np.float32)
W = {
    "W1": rng.normal(size=(5, 4)).astype(np.float32),
    "b1": rng.normal(size=(5, 1)).astype(np.float32),
    "W2": rng.normal(size=(3, 5)).astype(np.float32),
}


def loss(W, X, Y):
    return at.cross_entropy(W["W2"] @ at.relu(W["W1"] @ X + W["b1"]), Y)


step = at.compile(at.value_and_grad(loss))
SHARDS = [(X[:, :7], Y[:, :7]), (X[:, 7:27], Y[:, 7:27]), (X[:, 27:], Y[:, 27:])]


def examples(shard):
    return shard[0].shape[1]


def leaves(tree):
    return flatten(tree)[0]


def same_bits(a, b):
    return all(
        type(x) is type(y) and np.asarray(x).dtype == np.asarray(y).dtype and np.array_equal(x, y)
        for x, y in zip(leaves(a), leaves(b), strict=True)
    )


# ----- the sum and the mean -----


def test_uneven_shards_with_weights_give_the_numbers_of_the_whole_batch():
    for found, expected in zip(
        leaves(at.over_shards(step, SHARDS, (W,), weight=examples)), leaves(step(W, X, Y)), strict=True
    ):
        np.testing.assert_allclose(found, expected, rtol=2e-5, atol=1e-7)


def test_without_weights_the_outcomes_are_added_up_in_order():
    total = reduce(lambda a, b: at.tree_map(lambda x, y: np.asarray(x + y), a, b), [step(W, *each) for each in SHARDS])
    assert same_bits(at.over_shards(step, SHARDS, (W,)), total)


def test_the_result_is_the_tree_that_the_step_returns_with_its_types():
    value, gradients = at.over_shards(step, SHARDS, (W,), weight=examples)
    assert type(value) is np.ndarray
    assert value.shape == ()
    assert {name: (g.dtype, g.shape) for name, g in gradients.items()} == {n: (w.dtype, w.shape) for n, w in W.items()}


def test_a_weight_of_several_parameters_takes_the_arrays():
    by_arrays = at.over_shards(step, SHARDS, (W,), weight=lambda X, Y: X.shape[1])
    assert same_bits(by_arrays, at.over_shards(step, SHARDS, (W,), weight=examples))


def test_a_single_shard_gives_its_own_bits():
    assert same_bits(at.over_shards(step, SHARDS[:1], (W,), weight=examples), step(W, *SHARDS[0]))


def test_what_the_step_returned_is_not_written_into():
    returned = np.ones(2)
    assert at.over_shards(lambda x: returned, [(1,), (2,)], ()).tolist() == [2, 2]
    assert returned.tolist() == [1, 1]


def test_a_shard_may_be_a_function_that_loads_it():
    loaders = [lambda i=i: SHARDS[i] for i in range(3)]
    assert same_bits(at.over_shards(step, loaders, (W,)), at.over_shards(step, SHARDS, (W,)))


Pair = namedtuple("Pair", "count total")


@pytest.mark.parametrize(
    ("values", "weighted", "expected"),
    [
        ([2, 3, 4], False, 9),
        ([2, 3, 5], True, 23 / 6),
        ([Pair(1, 2.5), Pair(2, 0.5)], False, Pair(3, 3.0)),
        ([np.float32(1), np.float32(2)], False, np.float32(3)),
        ([np.array([1, 2]), np.array([3, 5])], True, np.array([7 / 3, 4.0])),
        ([np.array([1, 2]), np.array([3, 5])], False, np.array([4, 7])),
        ([np.float16(60000), np.float16(60000)], True, np.float16(60000)),
        ([np.array(1j), np.array(2.0)], False, np.array(2 + 1j)),
        ([np.float32([1]), np.float64([2])], False, np.float64([3])),
        ([None, None], False, None),
        ([{"a": 1, "b": 2}, {"b": 20, "a": 10}], False, {"a": 11, "b": 22}),
    ],
    ids=str,
)
def test_numbers_of_each_type_are_added_up_as_such(values, weighted, expected):
    weight = (lambda shard: shard[0]) if weighted else None
    shards = [(i,) for i in range(1, len(values) + 1)]
    found = at.over_shards(lambda i: values[i - 1], shards, (), weight=weight)
    assert same_bits(found, expected)
    assert type(found) is type(expected)


@at.register_pytree
class Line:
    """A class that is taken apart as it says."""

    def __init__(self, slope, offset):
        self.slope, self.offset = slope, offset

    def tree_flatten(self):
        return (self.slope, self.offset), None

    @classmethod
    def tree_unflatten(cls, rest, parts):
        return cls(*parts)


def test_registered_classes_are_added_up():
    step = at.grad(lambda line, x: np.sum(line.slope * x + line.offset))
    total = at.over_shards(step, SHARDS_OF_NUMBERS, (Line(1.0, 2.0),))
    assert (total.slope, total.offset) == (13.0, 8.0)


SHARDS_OF_NUMBERS = [(np.arange(3.0),), (np.arange(5.0),)]


def test_float16_is_added_up_in_float32():
    thousandths = [(np.float16([0.001]),)] * 4096
    assert at.over_shards(lambda x: x, thousandths, ()) == np.float16(np.float32(np.float16(0.001)) * 4096)


def test_a_sum_over_shards_can_be_differentiated():
    total = lambda w: at.over_shards(lambda w, x: np.sum(np.sin(w * x)), SHARDS_OF_NUMBERS, (w,))
    np.testing.assert_allclose(at.grad(total)(2.0), sum(np.sum(x * np.cos(2 * x)) for (x,) in SHARDS_OF_NUMBERS))


# ----- maps -----


def reverse(f, items):
    return reversed([f(item) for item in items])


def futures(f, items):
    """Return futures as Dask's client does, of outcomes that were pickled."""
    for item in list(items):
        future = Future()
        future.set_result(pickle.loads(pickle.dumps(f(item))))
        yield future


class Reference:
    """As Ray's: a future is had of it."""

    def __init__(self, future):
        self.future = lambda: future


class Joblib:
    """joblib.Parallel, as far as it is used."""

    n_jobs = 2

    def __call__(self, calls):
        return [f(*args, **kwargs) for f, args, kwargs in calls]


class Client:
    """Dask's client, as far as it is used: futures among arguments are resolved where the task runs."""

    def __init__(self):
        self.most, self.running = 0, 0

    def submit(self, f, *args, pure):
        future = Future()
        future.set_result(f(*[x.result() if isinstance(x, Future) else x for x in args]))
        return future

    def map(self, f, items):
        return [self.submit(f, item, pure=True) for item in items] if len(items) else []

    def scatter(self, values):
        return [self.submit(lambda x: x, value, pure=False) for value in values]

    def nthreads(self):
        return {"worker": 2}


class Ray:
    """The module ray, as far as it is used."""

    def remote(self, f):
        client = Client()
        f.remote = lambda *args: Reference(client.submit(f, *args, pure=False))
        return f

    put = staticmethod(lambda value: value)
    cluster_resources = staticmethod(lambda: {"CPU": 2.0})


MAPS = {
    "reverse": reverse,
    "futures": futures,
    "references": lambda f, items: map(Reference, futures(f, items)),
    "joblib": Joblib(),
    "client": Client(),
    "client.map": Client().map,
    "client.map with options": partial(Client().map),
    "ray": Ray(),
}


@pytest.mark.parametrize("mapped", MAPS.values(), ids=MAPS)
def test_every_map_gives_the_same_bits(mapped):
    once = iter(SHARDS)
    assert same_bits(
        at.over_shards(step, once, (W,), map=mapped, weight=examples),
        at.over_shards(step, SHARDS, (W,), weight=examples),
    )


def test_data_that_the_engine_holds_can_be_a_shard():
    client = Client()
    found = at.over_shards(step, client.scatter(SHARDS), (W,), map=client)
    assert same_bits(found, at.over_shards(step, SHARDS, (W,)))


def test_threads_give_the_same_bits():
    with ThreadPoolExecutor(2) as threads:
        for mapped in (threads.map, threads):
            found = at.over_shards(step, SHARDS * 5, (W,), map=mapped, weight=examples)
            assert same_bits(found, at.over_shards(step, SHARDS * 5, (W,), weight=examples))


@pytest.mark.parametrize("seed", range(30))
def test_random_trees_are_added_up_in_order_whatever_the_order_of_the_map(seed):
    rng = np.random.default_rng(seed)
    kinds = [np.float16, np.float32, np.float64, np.int64, np.complex64]
    made = [(rng.choice(len(kinds)), tuple(rng.integers(0, 3, rng.integers(0, 3)))) for _ in range(rng.integers(1, 4))]
    draw = lambda: {i: [rng.normal(size=shape).astype(kinds[k]) * 9] for i, (k, shape) in enumerate(made)}
    outcomes = [draw() for _ in range(rng.integers(1, 9))]
    weights = rng.uniform(0.1, 9, len(outcomes)) if seed % 2 else np.ones(len(outcomes))

    def shuffled(f, items):
        results = [f(item) for item in items]
        return [results[i] for i in rng.permutation(len(results))]

    found = at.over_shards(
        outcomes.__getitem__,
        [(i,) for i in range(len(outcomes))],
        (),
        map=shuffled,
        weight=(lambda shard: weights[shard[0]]) if seed % 2 else None,
    )
    for i, (k, _) in enumerate(made):
        each = np.array([np.asarray(tree[i][0], np.complex128) * w for tree, w in zip(outcomes, weights, strict=True)])
        expected = each.sum(0) / (weights.sum() if seed % 2 else 1)
        whole = seed % 2 and kinds[k] is np.int64
        assert found[i][0].dtype == (np.float64 if whole else kinds[k])
        rtol = 0.01 if kinds[k] is np.float16 else 1e-5
        np.testing.assert_allclose(found[i][0], expected, rtol=rtol, atol=rtol * 50)


# ----- memory -----


def test_the_built_in_map_holds_one_shard_at_a_time():
    alive, most = 0, 0

    class Data(np.ndarray):
        def __del__(self):
            nonlocal alive
            alive -= 1

    def shards():
        nonlocal alive, most
        for _ in range(5):
            alive += 1
            most = max(most, alive)
            yield (np.ones(3).view(Data),)

    assert at.over_shards(lambda x: float(np.asarray(x).sum()), shards(), ()) == 15
    assert most == 1


@pytest.mark.parametrize("engine", [Client(), Ray(), ThreadPoolExecutor(2)], ids=["client", "ray", "executor"])
def test_an_engine_is_handed_few_shards_ahead(engine):
    done, most = 0, 0

    def shards():
        nonlocal most
        for i in range(20):
            most = max(most, i - done)
            yield (i,)

    def add(i):
        nonlocal done
        done += 1
        return i

    assert at.over_shards(add, shards(), (), map=engine) == 190
    assert most <= 4


# ----- processes -----


@pytest.fixture(scope="module")
def spawned():
    with ProcessPoolExecutor(1, get_context("spawn")) as executor:
        yield executor


def test_a_process_gives_the_same_bits_and_compiles_once(spawned):
    step = at.compile(at.value_and_grad(at.mean_squared_error))
    shards = [(np.arange(n) / 7,) for n in (4, 4)]
    args = (np.float32([1, 2, 3, 4]),)
    for mapped in (spawned, spawned.map):
        assert same_bits(at.over_shards(step, shards, args, map=mapped), at.over_shards(step, shards, args))
    assert spawned.submit(number_of_compiled).result() == 1


def number_of_compiled():
    from autotiny.compiler.compiled import _from_pickles

    return len(_from_pickles)


def test_an_error_in_a_process_names_the_shard_and_has_the_original_as_its_cause(spawned):
    shards = [(1,), partial(open, "a file that is missing")]
    with pytest.raises(ShardError, match=r"shard 1, open\('a file that is missing'\): FileNotFoundError") as caught:
        at.over_shards(abs, shards, (), map=spawned)
    assert type(caught.value.__cause__) is FileNotFoundError
    assert "in loaded" in str(caught.value.__cause__.__cause__)  # the traceback of the process


def test_a_step_that_cannot_be_pickled_says_so(spawned):
    with pytest.raises(UnsupportedError, match=r"cannot be pickled, .* define the function at the top level"):
        at.over_shards(at.grad(lambda x: x), [(1.0,)], (), map=spawned)


def test_a_function_that_cannot_be_pickled_comes_with_a_mend(spawned):
    with pytest.raises(Exception, match="pickle") as caught:
        at.over_shards(abs, [lambda: (1,)], (), map=spawned)
    assert "define them at the top level of a module" in caught.value.__notes__[-1]


def test_what_an_engine_raises_says_how_far_it_came():
    def breaks(f, items):
        yield f(next(iter(items)))
        raise ConnectionError("the worker is gone")

    with pytest.raises(ConnectionError) as caught:
        at.over_shards(step, SHARDS, (W,), map=breaks)
    assert caught.value.__notes__ == ["over_shards: the outcomes of 1 shards had arrived"]


# ----- errors -----


class PeculiarError(Exception):
    """An error that pickle cannot make again."""

    def __init__(self, a, b):
        super().__init__(f"{a} and {b}")


def test_a_shard_that_fails_names_itself():
    def fails(x):
        raise ZeroDivisionError("no numbers")

    with pytest.raises(ShardError) as caught:
        at.over_shards(fails, [(np.ones((2, 3)),)], ())
    assert str(caught.value) == "over_shards: shard 0, (float64 (2, 3)): ZeroDivisionError: no numbers"
    assert type(caught.value.__cause__) is ZeroDivisionError
    assert caught.value.number == 0


def test_the_error_of_a_shard_is_pickled_with_its_cause():
    again = pickle.loads(pickle.dumps(ShardError("shard 3", 3, KeyError("W"))))
    assert (str(again), again.number, repr(again.original)) == ("shard 3", 3, "KeyError('W')")
    assert repr(pickle.loads(pickle.dumps(ShardError("shard 3", 3, PeculiarError(1, 2)))).original) == (
        "RuntimeError('PeculiarError: 1 and 2')"
    )


@pytest.mark.parametrize(
    ("weight", "words"),
    [
        (0, "the weight must be positive and finite; got 0; leave out shards without examples"),
        (-1, "the weight must be positive and finite; got -1"),
        (np.nan, ".* got nan"),
        (np.inf, ".* got inf"),
        (True, "the weight must be a number, such as the number of examples; got True"),
        (np.ones(2), r"the weight must be a number, .* got float64 \(2,\)"),
        (None, "the weight must be a number, .* got None"),
    ],
    ids=str,
)
def test_a_weight_that_is_not_positive_names_the_shard(weight, words):
    with pytest.raises(ShardError, match=rf"over_shards: shard 1, .*: {words}"):
        at.over_shards(lambda x: x, [(1.0,), (2.0,)], (), weight=lambda shard: 1 if shard[0] == 1 else weight)


@pytest.mark.parametrize(
    ("shard", "words"),
    [
        (np.ones((2, 3)), r"expected a tuple of arrays, such as \(X, Y\) or \(X,\), .* got float64 \(2, 3\)"),
        (lambda: np.ones(2), r"shard 0, .*<lambda>: .* the function returned float64 \(2,\)"),
        (5, "got 5"),
    ],
)
def test_what_is_not_a_shard_is_named(shard, words):
    with pytest.raises(ShardError, match=words):
        at.over_shards(lambda x: x, [shard], ())


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([{"a": 1}, {"b": 1}], r"what shard 1 returned must have the keys \['a'\]; got the keys \['b'\]"),
        ([(1, 2), (1, 2, 3)], "what shard 1 returned must have 2 parts; got 3"),
        (
            [{"a": np.ones(2)}, {"a": np.ones(3)}],
            r"what shard 0 returned at \['a'\], \(2,\); got \(3,\): a step returns",
        ),
        ([1.0, np.ones(3)], r"must have the shape of what shard 0 returned, \(\); got \(3,\)"),
        (["text", "text"], "shard 0 returned 'text'; numbers and arrays are added up"),
        ([1, None], "what shard 1 returned|shard 1 returned None"),
        ([np.array(True), np.array(True)], r"shard 0 returned bool \(\); .* count with np.count_nonzero"),
    ],
    ids=str,
)
def test_outcomes_that_cannot_be_added_up_are_named(values, words):
    with pytest.raises((ShapeError, UnsupportedError), match=words):
        at.over_shards(lambda i: values[i], [(0,), (1,)], ())


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((step, [], (W,)), "there are no shards, so there is nothing to add up"),
        ((step, iter(()), (W,)), "there are no shards"),
        (
            (step, SHARDS, W),
            r"params must be a tuple .*; got a dict with 'W1', .*: write \(params,\)",
        ),
        ((step, SHARDS, W["W1"]), r"params must be a tuple .* got float32 \(5, 4\)"),
        ((step, X, (W,)), r"shards must be a sequence of tuples of arrays, .* got float32 \(4, 30\)"),
        ((5, SHARDS, (W,)), "step must be a function; got 5"),
        ((step, SHARDS, (W,), "dask"), "map must be a function like the built-in map, .* got 'dask'"),
        ((step, SHARDS, (W,), map, len), "weight must be a function of the loaded shard, .* len counts the arrays"),
        ((at.compile(loss, donate=0), SHARDS, (W,)), "step writes into argument 0, which every shard needs"),
        ((step, SHARDS, (W,), map, 3), "weight must be a function of the loaded shard, .* got 3"),
        ((step, SHARDS, (W,), lambda f, items: [f(next(iter(items)))]), "the outcomes of 1 shards and there are more"),
        ((step, SHARDS, (W,), lambda f, items: [None]), "map must return what the function returns .* returned None"),
        ((step, SHARDS, (W,), lambda f, items: [*map(f, items)][1:]), "the outcomes of 0 shards and there are more"),
    ],
)
def test_arguments_are_checked(arguments, words):
    with pytest.raises(AutotinyError, match=f"over_shards: .*{words}"):
        at.over_shards(*arguments)


def test_the_doubled_outcome_of_a_shard_is_an_error():
    with pytest.raises(UnsupportedError, match="map returned the outcome of shard 0 twice"):
        at.over_shards(step, SHARDS, (W,), map=lambda f, items: [*(r := [f(i) for i in items]), r[0]])
