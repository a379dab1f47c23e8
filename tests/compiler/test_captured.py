import collections
import random
import re
import threading
from functools import partial

import numpy as np
import pytest

import autotiny as at
from autotiny.engine.pytree import flatten
from autotiny.errors import UnsupportedError
from compiler.ways import REFUSED, WAYS


@pytest.fixture(autouse=True)
def no_other_threads(monkeypatch):
    """Code that runs can be noted, in workers of pytest-xdist too, whose other thread runs none of the user's."""
    monkeypatch.setattr(threading, "active_count", lambda: 1)


W = np.array([1.0, 2.0])
RATE = 0.5


def scaled(x):
    return RATE * x


def test_captured_array_that_is_written_to_is_noticed():
    A = np.array([1.0, 2.0])
    f = at.compile(lambda x: A * x)
    x = np.array([3.0, 4.0])
    np.testing.assert_array_equal(f(x), [3, 8])
    A[0] = 10
    np.testing.assert_array_equal(f(x), [30, 8])


def test_large_captured_array_that_is_written_to_is_noticed():
    A = np.ones((300, 300))
    f = at.compile(lambda x: np.sum(A) * x)
    assert f(1.0) == 90000
    A[7, 11] = 2
    assert f(1.0) == 90001


def test_captured_variable_that_is_assigned_is_noticed(monkeypatch):
    f = at.compile(lambda x: W * scaled(x))
    np.testing.assert_array_equal(f(np.ones(2)), [0.5, 1])
    monkeypatch.setitem(globals(), "RATE", 2.0)
    np.testing.assert_array_equal(f(np.ones(2)), [2, 4])
    monkeypatch.setitem(globals(), "W", np.array([0.0, 1.0]))
    np.testing.assert_array_equal(f(np.ones(2)), [0, 2])


def test_cell_of_a_closure_that_is_assigned_is_noticed():
    rate = 1.0

    def set_rate(value):
        nonlocal rate
        rate = value

    f = at.compile(lambda x: rate * x)
    assert f(3.0) == 3
    set_rate(2.0)
    assert f(3.0) == 6


def test_attribute_of_an_object_is_noticed():
    class Model:
        def __init__(self):
            self.scale = 2.0
            self.layers = [np.ones(2)]

        def __call__(self, x):
            return self.scale * x + self.layers[0]

        def twice(self, x):
            return 2 * self(x)

    model = Model()
    for f, times in ((at.compile(model), 1), (at.compile(model.twice), 2)):
        model.scale, model.layers[0] = 2.0, np.ones(2)
        np.testing.assert_array_equal(f(np.ones(2)), np.full(2, 3.0) * times)
        model.scale = 5.0
        np.testing.assert_array_equal(f(np.ones(2)), np.full(2, 6.0) * times)
        model.layers[0] = np.zeros(2)
        np.testing.assert_array_equal(f(np.ones(2)), np.full(2, 5.0) * times)


def test_value_of_a_captured_tensor_is_noticed():
    V = at.Tensor([1.0, 2.0])
    f = at.compile(lambda x: at.grad(lambda x: np.sum(V.detach() * x))(x))
    np.testing.assert_array_equal(f(np.ones(2)), [1, 2])
    V.data = [3.0, 4.0]
    np.testing.assert_array_equal(f(np.ones(2)), [3, 4])


def test_backward_to_a_captured_tensor_is_refused_and_leaves_no_formula_there():
    V = at.Tensor([1.0, 2.0], name="V")

    def f(x):
        np.sum(V * x).backward()
        return V.grad

    with pytest.raises(UnsupportedError, match=r"backward\(\) would fill .grad of V from outside only once; pass its"):
        at.compile(f)(np.ones(2))
    assert V.grad is None


GENERATOR = np.random.default_rng(0)


@pytest.mark.parametrize(
    "draws",
    [
        lambda x: x + GENERATOR.normal(),
        lambda x: x + np.random.rand(),
        lambda x: x + np.random.default_rng().normal(size=2),
    ],
)
def test_random_numbers_drawn_inside_are_refused(draws):
    with pytest.raises(UnsupportedError, match=r"draws random numbers, .* draw them outside"):
        at.compile(draws)(np.ones(2))


@pytest.fixture
def drawing_elsewhere():
    """Another thread that draws from the generators of the process all the time, as an event loop may."""
    ended = threading.Event()

    def draw():
        while not ended.is_set():
            np.random.rand(), random.random()

    thread = threading.Thread(target=draw)
    thread.start()
    yield
    ended.set()
    thread.join()


def test_random_numbers_drawn_by_another_thread_are_no_concern(drawing_elsewhere):
    np.testing.assert_array_equal(at.compile(lambda x: 2 * np.sin(x))(np.ones(2)), 2 * np.sin(np.ones(2)))


def test_random_numbers_drawn_inside_are_refused_whatever_other_threads_do(drawing_elsewhere):
    with pytest.raises(UnsupportedError, match="draws random numbers"):
        at.compile(lambda x: x + getattr(np, "ran" + "dom").rand())(np.ones(2))


def test_random_numbers_of_a_fixed_seed_are_constants():
    f = at.compile(lambda x: x + np.random.default_rng(3).normal(size=2))
    np.testing.assert_array_equal(f(np.zeros(2)), np.random.default_rng(3).normal(size=2))


class Settings:
    rate = 1.0


class Model:
    scale = 1.0

    def loss(self, w):
        return np.sum(w * w) * self.scale


@pytest.mark.parametrize("transform", [at.grad, at.hessian, at.value_and_grad, lambda f: partial(f)])
def test_what_is_seen_through_a_derivative_or_a_partial_is_noticed(transform):
    scale = 1.0
    f = transform(lambda w: np.sum(w * w * w) * scale)
    step, w = at.compile(f), np.array([1.0, 2.0])
    step(w)
    scale = 3.0
    for compiled, eager in zip(flatten(step(w))[0], flatten(f(w))[0], strict=True):
        np.testing.assert_array_equal(compiled, eager)


def test_attributes_of_classes_are_noticed(monkeypatch):
    step = at.compile(lambda w: w * Settings.rate)
    step(1.0)
    monkeypatch.setattr(Settings, "rate", 7.0)
    assert step(1.0) == 7.0


def test_an_attribute_that_comes_and_goes_is_noticed():
    model, w = Model(), np.array([1.0])
    step = at.compile(at.grad(model.loss))
    assert step(w) == 2.0
    model.scale = 4.0
    assert step(w) == 8.0
    del model.scale
    assert step(w) == 2.0


# ----- all ways to change what a function reads -----


@pytest.mark.parametrize("way", WAYS)
def test_each_way_to_change_captured_state_is_followed(way):
    f, changes = WAYS[way]()
    step, x = at.compile(f), np.array([1.0, 2.0])
    first = step(x)
    for change in changes if isinstance(changes, list) else [changes]:
        np.testing.assert_array_equal(step(x), f(x))
        change()
        np.testing.assert_array_equal(step(x), f(x))
    assert not np.array_equal(first, f(x))


@pytest.mark.parametrize("way", REFUSED)
def test_what_cannot_be_watched_is_refused(way):
    with pytest.raises(UnsupportedError, match=r"the function (uses .*pass that|draws .*pass them) as an argument"):
        at.compile(REFUSED[way]())(np.ones(2))


def test_the_refusal_names_the_object_and_its_type():
    batches = iter([1.0, 2.0])
    with pytest.raises(UnsupportedError, match="uses batches, of type list_iterator, which goes on at each call"):
        at.compile(lambda x: next(batches) * x)(1.0)


class Box:
    def __init__(self, value):
        self.value = value


class Slot:
    __slots__ = ("value",)

    def __init__(self, value):
        self.value = value


KINDS = [Box, Slot, lambda x: [x, 1.0], lambda x: {"a": x}, lambda x: (x, x), lambda x: collections.deque([x])]


def random_state(rng):
    """A nest of objects and containers, and the changes of it and its parts that keep it a nest."""
    value = rng.normal(size=2) if rng.random() < 0.5 else float(rng.normal())
    changes = [lambda value=value: value.fill(rng.normal())] if isinstance(value, np.ndarray) else []
    for kind in rng.choice(len(KINDS), size=rng.integers(2, 9)):
        value = KINDS[kind](value)
        if isinstance(value, Box | Slot):
            changes.append(lambda at=value: setattr(at, "value", (at.value, float(rng.normal()))))
        if isinstance(value, list | dict | collections.deque):
            key = "a" if isinstance(value, dict) else 0
            changes.append(lambda at=value, key=key: at.__setitem__(key, Box([at[key], float(rng.normal())])))
    return Box(value), changes


def total(state):
    if isinstance(state, Box | Slot):
        return total(state.value)
    if isinstance(state, list | tuple | dict | collections.deque):
        return sum(map(total, state.values() if isinstance(state, dict) else state))
    return np.sum(state)


@pytest.mark.parametrize("seed", range(40))
def test_random_changes_of_random_state_are_followed(seed):
    rng = np.random.default_rng(seed)
    state, changes = random_state(rng)
    step = at.compile(lambda x: total(state) * x)
    for change in rng.permutation(np.array([lambda: None, *changes], dtype=object)):
        change()
        assert step(2.0) == total(state) * 2.0


# ----- functions that change what they read -----


class Counting:
    made = 0

    def __init__(self):
        self.calls, self.log, self.scale = 0, [], 2.0

    def __call__(self, x):
        self.calls += 1
        return self.scale * x

    def logs(self, x):
        self.log.append(x)
        return self.scale * x

    def remembers(self, x):
        self.last = self.scale * x
        return self.last

    def counts_in_its_class(self, x):
        type(self).made += 1
        return self.scale * x


def counts_in_an_attribute(x):
    counts_in_an_attribute.calls = getattr(counts_in_an_attribute, "calls", 0) + 1
    return 2 * x


def counts_in_a_default(x, seen=[]):  # noqa: B006
    seen.append(1)
    return 2 * x


def counts_in_a_global(x):
    global TOTAL
    TOTAL = globals().get("TOTAL", 0) + 1
    return 2 * x


def effects():
    """Functions that change something at every call, and the expression for it."""
    log, count, queue, members, numbers, n = [], {"n": 0}, collections.deque(), set(), np.zeros(2), 0

    def nonlocally(x):
        nonlocal n
        n += 1
        return 2 * x

    return {
        "log": lambda x: (log.append(1), 2 * x)[1],
        "count": lambda x: (count.update(n=count["n"] + 1), 2 * x)[1],
        "queue": lambda x: (queue.append(x), 2 * x)[1],
        "members": lambda x: (members.add(len(members)), 2 * x)[1],
        "numbers": lambda x: (numbers.__iadd__(1), 2 * x)[1],
        "n": nonlocally,
        "self.calls": Counting(),
        "self.log": Counting().logs,
        "self.last": Counting().remembers,
        "type(self).made": Counting().counts_in_its_class,
        "counts_in_an_attribute.calls": counts_in_an_attribute,
        "counts_in_a_default.__defaults__[0]": counts_in_a_default,
        "TOTAL": counts_in_a_global,
    }


@pytest.mark.parametrize("what", effects())
def test_a_function_that_changes_what_it_reads_is_refused(what):
    with pytest.raises(UnsupportedError, match=re.escape(f"compile: the function changes {what}, which is not")):
        at.compile(effects()[what])(1.0)


def test_what_a_refused_function_changed_is_put_back():
    net, log = Counting(), [0]
    for f in (net, net.logs, net.remembers, lambda x: (log.append(x), x)[1]):
        with pytest.raises(UnsupportedError, match="return the new value, and change it outside"):
            at.compile(f)(1.0)
    assert vars(net) == {"calls": 0, "log": [], "scale": 2.0}
    assert log == [0]


def test_a_function_may_change_what_it_reads_at_its_first_call_only():
    cache, calls = {}, []

    def f(x):
        if "two" not in cache:
            cache["two"] = 2.0
        return cache["two"] * x

    step = at.compile(f)
    assert [step(1.0), step(3.0)] == [2, 6]
    cache["two"] = 5.0
    assert step(1.0) == 5
    assert not calls


def test_objects_that_refer_to_each_other_are_followed_and_let_go():
    class Part:
        scale = 2.0

    a, b = Part(), Part()
    a.other, b.other = b, a
    step = at.compile(lambda x: a.other.other.scale * x)
    assert step(1.0) == 2
    a.scale = 3.0
    assert step(1.0) == 3


def test_too_many_objects_are_refused():
    tree = [[i] for i in range(30_000)]
    with pytest.raises(UnsupportedError, match=r"uses tree\[\d+\].*, one of more than 20000 objects"):
        at.compile(lambda x: tree[0][0] * x)(1.0)
