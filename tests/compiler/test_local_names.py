"""The user's names are in the program whoever watches the user's code meanwhile, and nothing of it is kept alive."""

import cProfile
import gc
import pstats
import sys
import threading
import weakref

import numpy as np
import pytest

import autotiny as at


def loss(W1, b1, W2, b2, X, Y):
    Z1 = hidden(W1, X) + b1
    A1 = at.relu(Z1)
    Z2 = W2 @ A1 + b2
    A2 = at.softmax(Z2)
    J = -np.sum(Y * np.log(A2)) / Y.shape[1]
    return J  # noqa: RET504


def hidden(W, X):
    WX = W @ X
    return WX  # noqa: RET504


def descent(W1, b1, W2, b2, X, Y):
    J, (dW1, db1, dW2, db2) = at.value_and_grad(loss, (0, 1, 2, 3))(W1, b1, W2, b2, X, Y)
    return J, W1 - 0.5 * dW1, b1 - 0.5 * db1, W2 - 0.5 * dW2, b2 - 0.5 * db2


def network():
    rng = np.random.default_rng(0)
    params = [rng.standard_normal(shape) for shape in [(5, 4), (5, 1), (3, 5), (3, 1)]]
    return (*params, rng.standard_normal((4, 6)), np.eye(3)[:, [0, 1, 2, 2, 1, 0]])


def source():
    step = at.compile(descent)
    step(*network())
    return step.source


def test_the_program_has_the_names_of_local_variables():
    text = source()
    assert "out=dZ2)  # A2 - Y" in text
    for name in ("WX", "A1", "A2", "dZ1", "dW1"):
        assert f"out={name})" in text, name
    assert "return J, " in text


def test_a_profiler_changes_nothing_and_sees_what_it_would_see():
    usual, profile = source(), cProfile.Profile()
    profile.enable()
    try:
        profiled = source()
    finally:
        profile.disable()
    assert profiled == usual
    assert any("descent" in str(function) for function in pstats.Stats(profile).stats)


@pytest.mark.parametrize("install", [sys.settrace, sys.setprofile])
def test_a_tracing_function_changes_nothing_and_stays_installed(install):
    usual, seen = source(), []

    def watch(frame, event, argument):
        seen.append(frame.f_code.co_name)
        return watch

    installed = {sys.settrace: sys.gettrace, sys.setprofile: sys.getprofile}[install]
    before = installed()
    install(watch)
    try:
        watched = source()
        assert installed() is watch
    finally:
        install(before)
    assert watched == usual
    assert "loss" in seen


def test_programs_that_are_compiled_in_several_threads_have_the_names():
    usual, found = source(), []
    threads = [threading.Thread(target=lambda: found.append(source())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [usual] * 4


def test_the_last_value_of_a_variable_has_its_name():
    def f(W, X):
        Z = W @ X
        Z = np.tanh(Z)
        return Z * X

    step = at.compile(f)
    step(np.eye(3), np.ones((3, 3)))
    assert "tanh(Z, out=Z)" in step.source
    assert "# Z * X" in step.source


def test_a_function_that_is_compiled_inside_another_keeps_its_names_to_itself():
    inner = at.compile(lambda v: np.sum(np.tanh(v)))

    def f(W, X):
        inner(np.ones(3))
        Z = W @ X
        return np.exp(Z)

    step = at.compile(f)
    step(np.eye(3), np.ones((3, 3)))
    assert "W.dot(X, out=Z)" in step.source


def test_local_variables_are_not_kept_alive(capsys):
    class Local:
        pass

    def f(x, fail):
        local = Local()
        weakref.finalize(local, print, "gone")
        y = np.exp(x)
        if fail:
            raise ZeroDivisionError
        return y * 2

    gc.disable()
    try:
        at.compile(f)(np.ones(3), False)
        assert capsys.readouterr().out == "gone\n"
        with pytest.raises(ZeroDivisionError) as raised:
            at.compile(f)(np.ones(3), True)
        raised.value.__traceback__ = raised.value.__context__ = None
        del raised
        assert capsys.readouterr().out == "gone\n"
    finally:
        gc.enable()
