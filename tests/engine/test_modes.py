"""no_grad, debug and scope hold for the length of a `with`, in one thread."""

import asyncio
import contextlib
import itertools
import signal
import sys
import threading
import weakref

import numpy as np
import pytest

import autotiny as at
from autotiny.engine import modes as module
from autotiny.engine.modes import Switch, modes
from autotiny.errors import NonFiniteError, UnsupportedError


@pytest.fixture(autouse=True)
def nothing_stays_switched():
    yield
    assert (modes.recording, modes.debugging, modes.scope, module.in_use) == (True, False, (), set())


# ----- no_grad -----
@pytest.mark.parametrize(
    "compute",
    [
        lambda x: x * 2,
        lambda x: 2 - x,
        lambda x: x * x,
        lambda x: -x,
        lambda x: x[0],
        lambda x: x.T,
        lambda x: np.sum(np.exp(x)),
        lambda x: np.stack([x, x]),
        lambda x: at.relu(x),
        lambda x: np.where(x > 0, x, 0.0),
    ],
)
def test_nothing_is_recorded_under_no_grad(compute):
    x = at.Tensor([1.0, 2.0])
    with at.no_grad():
        y = compute(x)
    assert isinstance(y, at.Tensor)
    assert (y.requires_grad, y.op, y.parents) == (False, None, ())
    np.testing.assert_array_equal(y.data, compute(x).data)


def test_results_under_no_grad_are_copies():
    x = at.Tensor([1.0, 2.0])
    with at.no_grad():
        y = x[:]
    y.data[0] = 9
    assert x.tolist() == [1, 2]


def test_leaves_made_under_no_grad_are_tracked():
    with at.no_grad():
        x = at.Tensor(3.0)
    (x * x).backward()
    assert x.grad == 6


def test_a_graph_that_was_recorded_before_may_be_swept_under_no_grad():
    x = at.Tensor(3.0)
    y = x * x
    with at.no_grad():
        y.backward()
    assert x.grad == 6


def test_recorded_gradients_under_no_grad_are_constants():
    x = at.Tensor(3.0)
    y = x * x
    with at.no_grad():
        (dy,) = at.gradients(y, [x])
    assert dy.item() == 6
    assert not dy.requires_grad


def test_no_grad_cuts_a_graph():
    x = at.Tensor(3.0)
    with at.no_grad():
        c = x * x
    (c * x).backward()
    assert x.grad == 9


# ----- nesting -----
def test_switches_nest_and_put_back_what_was():
    with at.no_grad():
        with at.no_grad():
            assert not modes.recording
        assert not modes.recording
        with at.debug():
            assert (modes.recording, modes.debugging) == (False, True)
        assert (modes.recording, modes.debugging) == (False, False)
    assert modes.recording


def test_one_switch_may_be_nested_in_itself_and_used_again():
    silent = at.no_grad()
    for _ in range(2):
        with silent:
            with silent:
                pass
            assert not modes.recording
        assert modes.recording


@pytest.mark.parametrize("switch", [at.no_grad, at.debug])
def test_an_error_inside_switches_back(switch):
    with pytest.raises(ZeroDivisionError), switch():
        raise ZeroDivisionError
    assert (modes.recording, modes.debugging) == (True, False)


def test_a_generator_that_is_closed_inside_switches_back():
    def values():
        with at.no_grad():
            yield 1

    it = values()
    next(it)
    it.close()
    assert modes.recording


# ----- threads -----
def while_another_thread_is_inside(switch, work):
    """What work() gives here while another thread is inside the switch."""
    entered, done = threading.Event(), threading.Event()

    def stay():
        with switch:
            entered.set()
            done.wait()

    thread = threading.Thread(target=stay)
    thread.start()
    entered.wait()
    try:
        return work()
    finally:
        done.set()
        thread.join()


def test_no_grad_holds_in_its_own_thread_alone():
    x = at.Tensor(2.0)
    y = while_another_thread_is_inside(at.no_grad(), lambda: x * x)
    y.backward()
    assert x.grad == 4


def test_debug_holds_in_its_own_thread_alone():
    def infinite():
        with np.errstate(divide="ignore"):
            return np.log(at.Tensor(0.0)).item()

    assert while_another_thread_is_inside(at.debug(), infinite) == -np.inf


def test_threads_may_share_one_switch():
    silent = at.no_grad()
    with at.no_grad():
        silent.__enter__()

        def leave():
            silent.__exit__(None, None, None)
            return modes.recording

        assert while_another_thread_is_inside(silent, leave) is False
    assert modes.recording


def test_a_new_thread_records():
    recorded = []
    with at.no_grad():
        thread = threading.Thread(target=lambda: recorded.append((at.Tensor(1.0) * 2).requires_grad))
        thread.start()
        thread.join()
    assert recorded == [True]


# ----- debug: the first nan or inf -----
@pytest.mark.parametrize(
    ("compute", "words"),
    [
        (lambda x: np.log(x), r"log\(x\) gives -inf at \(1,\)"),
        (lambda x: 1 / x, r"1 / x gives inf at \(1,\)"),
        (lambda x: x / x, r"x / x gives nan at \(1,\)"),
        (lambda x: np.exp(x * 1000), r"exp\(Tensor\) gives inf at \(0,\)"),
        (lambda x: np.sum(x - np.inf), r"x - inf gives -inf at \(0,\)"),
        (lambda x: np.prod(x + 1e200), r"prod\(Tensor\) gives inf \("),
    ],
)
def test_debug_names_the_operation_and_the_entry_of_the_first_nan_or_inf(compute, words):
    x = at.Tensor([1.0, 0.0, 0.0], name="x")
    with at.debug(), pytest.raises(NonFiniteError, match=words):
        compute(x)


def test_debug_names_the_line():
    x = at.Tensor([1.0, 0.0])
    with at.debug(), pytest.raises(NonFiniteError, match=r"\(test_modes\.py:\d+: np\.log\(x\)  # this line\)"):
        np.log(x)  # this line


def test_debug_finds_the_operation_and_not_what_follows_from_it():
    x = at.Tensor([0.0])
    with at.debug(), pytest.raises(NonFiniteError, match=r"^log\(x\)"):
        np.sum(np.exp(np.tanh(np.log(x)) * 2))


def test_debug_finds_what_arises_backwards():
    x = at.Tensor([4.0, 0.0])
    words = r"backward: sqrt passes on a gradient of inf at \(1,\) \(test_modes\.py:\d+: y = np\.sum\(np\.sqrt\(x\)\)\)"
    with at.debug():
        y = np.sum(np.sqrt(x))
        with pytest.raises(NonFiniteError, match=words):
            y.backward()
    assert x.grad is None


def test_debug_finds_what_arises_in_a_recorded_gradient():
    x = at.Tensor(0.0)
    with at.debug(), pytest.raises(NonFiniteError, match=r"sqrt|divide|/"):
        at.gradients(np.sqrt(x), [x])


def test_debug_finds_what_arises_backwards_in_a_graph_that_was_recorded_before():
    x = at.Tensor(0.0)
    y = np.sqrt(x)
    with at.debug(), pytest.raises(NonFiniteError, match=r"sqrt passes on a gradient of inf \(an unknown line\)"):
        y.backward()


def test_debug_lets_masked_entries_pass_backwards():
    x = at.Tensor([4.0, 0.0])
    with at.debug():
        np.sum(np.where(x > 0, np.sqrt(x), 0.0)).backward()
    assert x.grad.tolist() == [0.25, 0]


@pytest.mark.filterwarnings("ignore:the value of loss leaves the graph")
def test_debug_changes_no_result():
    def gradient():
        x = at.Tensor([0.3, -0.7], dtype=np.float32)
        loss = -np.sum(np.array([1.0, 0.0]) * np.log(at.softmax(np.tanh(x) * 3)))
        loss.backward()
        return loss.item(), x.grad

    plain_loss, plain = gradient()
    with at.debug():
        loss, found = gradient()
    assert loss == plain_loss
    np.testing.assert_array_equal(found, plain, strict=True)


def test_debug_looks_inside_transforms():
    with at.debug(), pytest.raises(NonFiniteError, match="log"):
        at.grad(np.log)(0.0)


def test_without_debug_infinities_pass():
    x = at.Tensor(0.0)
    with np.errstate(divide="ignore"):
        y = np.log(x)
    y.backward()
    assert (y.item(), x.grad) == (-np.inf, np.inf)


# ----- scope -----
def scope_names(tensor):
    return [mark.name for mark in getattr(tensor, "_scope", ())]


@pytest.mark.parametrize(
    "compute",
    [
        lambda x: x * x,
        lambda x: x * 2,
        lambda x: 2 - x,
        lambda x: x @ x,
        lambda x: np.exp(x),
        lambda x: np.maximum(x, 0),
    ],
)
def test_what_is_recorded_in_a_scope_knows_it(compute):
    x = at.Tensor([1.0, 2.0])
    with at.scope("outer"), at.scope("inner"):
        y = compute(x)
    assert scope_names(y) == ["outer", "inner"]
    assert scope_names(compute(x)) == []


def test_a_scope_changes_neither_values_nor_gradients():
    def loss(x):
        return np.sum(np.maximum(x * x, 0) * np.array([1.0, 2.0]))

    x, plain = at.Tensor([1.0, -2.0]), at.Tensor([1.0, -2.0])
    with at.scope("s"):
        y = loss(x)
        y.backward()
    loss(plain).backward()
    np.testing.assert_array_equal(x.grad, plain.grad)


def test_a_scope_ends_with_an_error():
    with pytest.raises(ZeroDivisionError), at.scope("s"):
        _ = 1 / 0
    assert modes.scope == ()


def test_a_scope_may_be_entered_again_and_within_itself():
    again, x = at.scope("s"), at.Tensor(1.0)
    with again, again:
        y = x * x
    with again:
        z = x * x
    assert (scope_names(y), scope_names(z)) == (["s", "s"], ["s"])
    assert y._scope[0] is not z._scope[0]


def test_a_scope_is_its_threads_own():
    recorded = []
    with at.scope("s"):
        thread = threading.Thread(target=lambda: recorded.append(at.Tensor(1.0) * at.Tensor(2.0)))
        thread.start()
        thread.join()
    assert scope_names(recorded[0]) == []


def test_nothing_is_recorded_in_a_scope_under_no_grad():
    x = at.Tensor(1.0)
    with at.scope("s"), at.no_grad():
        y = x * x
    assert not y.requires_grad


def test_debug_works_in_a_scope():
    with at.scope("s"), at.debug(), pytest.raises(NonFiniteError):
        np.log(at.Tensor(0.0))


def test_a_scope_is_freed_with_what_was_recorded_in_it():
    x = at.Tensor(1.0)
    with at.scope("s"):
        y = x * x
    mark = weakref.ref(y)
    del y
    assert mark() is None


@pytest.mark.parametrize("name", ["", None, 1, at.Tensor(1.0)])
def test_a_scope_needs_a_name(name):
    with pytest.raises(UnsupportedError, match=r"scope: expected a name, such as at\.scope\('layer 1'\)"):
        at.scope(name)


# ----- tasks -----
def run_both(first, second):
    async def both():
        return await asyncio.gather(first(), second())

    return asyncio.run(both())


@pytest.mark.parametrize(("before", "during"), [(0.02, 0.02), (0.0, 0.05), (0.01, 0.005)])
def test_no_grad_in_one_task_does_not_reach_another_that_overlaps(before, during):
    async def evaluates():
        await asyncio.sleep(before)
        with at.no_grad():
            await asyncio.sleep(during)
            return (at.Tensor(1.0) * 2).requires_grad

    async def trains():
        await asyncio.sleep(0.01)
        first = (at.Tensor(1.0) * 2).requires_grad
        await asyncio.sleep(0.02)
        return first, (at.Tensor(1.0) * 2).requires_grad

    assert run_both(evaluates, trains) == [False, (True, True)]


def test_a_task_that_is_begun_inside_no_grad_records_nothing_until_that_ends():
    recorded = []

    async def work():
        recorded.append(modes.recording)
        await asyncio.sleep(0.01)
        recorded.append(modes.recording)

    async def start():
        with at.no_grad():
            task = asyncio.create_task(work())
            await asyncio.sleep(0)
        await task

    asyncio.run(start())
    assert recorded == [False, True]


def test_a_thread_in_a_copy_of_the_context_keeps_the_mode():
    async def start():
        with at.no_grad():
            return await asyncio.to_thread(lambda: modes.recording)

    assert asyncio.run(start()) is False


@pytest.mark.parametrize("seed", range(20))
def test_switches_that_end_in_any_order_leave_the_mode_of_the_innermost_that_is_open(seed):
    """Generators end their switches in any order; what the modes are is computed anew from those that are open."""
    rng = np.random.default_rng(seed)

    def stay(switch):
        with switch:
            yield

    running = []
    for _ in range(30):
        if running and rng.random() < 0.5:
            running.pop(rng.integers(len(running)))[1].close()
        else:
            value = bool(rng.random() < 0.5)
            running.append((value, stay(Switch("recording", value))))
            next(running[-1][1])
        assert modes.recording == (running[-1][0] if running else True)
    for _, generator in running:
        generator.close()


# ----- decorators -----
def test_switches_decorate_functions_and_methods():
    class Model:
        @at.no_grad()
        def predict(self, x):
            """Predict."""
            return x * 2

    y = Model().predict(at.Tensor(1.0))
    assert (y.item(), y.requires_grad) == (2, False)
    assert (Model.predict.__name__, Model.predict.__doc__) == ("predict", "Predict.")


def test_a_decorated_function_may_call_itself():
    @at.no_grad()
    def count(n):
        return (n > 0 and count(n - 1)) or modes.recording

    assert count(3) is False


def test_a_decorated_generator_runs_inside_and_its_user_outside():
    @at.no_grad()
    def halves(x):
        try:
            while True:
                x = (yield x, modes.recording) or x / 2
        except ValueError:
            yield "caught", modes.recording
        return modes.recording

    steps = halves(8.0)
    assert next(steps) == (8, False)
    assert modes.recording
    assert steps.send(6.0) == (6, False)
    assert next(steps) == (3, False)
    assert steps.throw(ValueError) == ("caught", False)
    with pytest.raises(StopIteration) as end:
        next(steps)
    assert end.value.value is False


def test_a_decorated_coroutine_runs_inside():
    @at.no_grad()
    async def evaluates():
        await asyncio.sleep(0.01)
        return modes.recording

    async def trains():
        return modes.recording

    assert run_both(evaluates, trains) == [False, True]


async def asynchronously():
    yield 1


@pytest.mark.parametrize(("what", "name"), [(asynchronously, "asynchronously"), (int, "int"), (3, "int")])
def test_what_a_switch_cannot_decorate_is_refused(what, name):
    with pytest.raises(UnsupportedError, match=rf"no_grad\(\) decorates functions, .* not {name}; use `with"):
        at.no_grad()(what)


def test_a_switch_may_be_entered_and_left_by_hand():
    switch = at.no_grad()
    switch.__enter__()
    switch.__enter__()
    with switch:
        switch.__exit__(None, None, None)
        assert not modes.recording
    switch.__exit__(None, None, None)
    assert modes.recording


def test_an_exit_stack_enters_and_leaves():
    with contextlib.ExitStack() as stack:
        stack.enter_context(at.no_grad())
        stack.enter_context(at.no_grad())
        assert not modes.recording
    assert modes.recording


# ----- interrupts -----
def interrupted_at(n, work):
    """Do the work, with a KeyboardInterrupt before the n-th instruction in modes.py; whether there are so many.

    Python itself interrupts at calls, jumps back and the start of functions, not at the line at which a `with` ends, as
    that of a decorated function, which is left out.
    """
    count = itertools.count()

    def trace(frame, kind, _):
        if frame.f_code.co_filename != module.__file__ or frame.f_code.co_name == "plain":
            return None
        frame.f_trace_opcodes = True
        if kind in ("line", "opcode", "call") and next(count) == n:
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


def test_an_interrupt_at_any_instruction_leaves_the_modes_whole():
    def work():
        with at.no_grad(), at.debug():
            at.Tensor(1.0) * 2
        with at.scope("s"):
            pass
        predict(1.0)

    predict = at.no_grad()(lambda x: x)
    n = 0
    while interrupted_at(n, work):
        assert (modes.recording, modes.debugging, modes.scope) == (True, False, ())
        x = at.Tensor(3.0)
        (x * 2 + np.maximum(x, 0.0)).backward()
        assert x.grad == 3
        n += 1
    assert n > 300


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="Windows has no timers of signals")
def test_an_interrupt_by_a_signal_leaves_the_modes_whole():
    def interrupt(*_):
        raise KeyboardInterrupt

    rng = np.random.default_rng(0)
    before = signal.signal(signal.SIGALRM, interrupt)
    caught = 0
    try:
        for _ in range(200):
            try:
                signal.setitimer(signal.ITIMER_REAL, rng.uniform(1e-5, 1e-3))
                while True:
                    with at.no_grad(), at.debug():
                        pass
            except KeyboardInterrupt:
                caught += 1
            x = at.Tensor(3.0)
            (x * 2 + np.maximum(x, 0.0)).backward()
            assert x.grad == 3
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert caught == 200
