import sys
import threading

import pytest

from autotiny.compiler.running import with_code_that_ran


def outer():
    return inner() + 1


def inner():
    return 1


def unused():
    return 0


def in_a_thread():
    thread = threading.Thread(target=inner)
    thread.start()
    thread.join()


@pytest.fixture
def alone(monkeypatch):
    monkeypatch.setattr(threading, "active_count", lambda: 1)  # pytest-xdist has a thread of its own


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize("call", [outer, in_a_thread])
def test_code_that_ran_is_noted(call):
    _, ran = with_code_that_ran(call)
    assert {call.__code__, inner.__code__} <= ran
    assert unused.__code__ not in ran


@pytest.mark.usefixtures("alone")
def test_nothing_is_noted_any_more_after_an_error():
    with pytest.raises(ZeroDivisionError):
        with_code_that_ran(lambda: 1 / 0)
    assert sys.getprofile() is None


@pytest.mark.usefixtures("alone")
def test_a_profiler_keeps_its_place():
    events = []

    def profiler(frame, event, arg):
        events.append(frame.f_code)

    sys.setprofile(profiler)
    try:
        assert with_code_that_ran(outer) == (2, None)
        assert sys.getprofile() is profiler
    finally:
        sys.setprofile(None)
    assert inner.__code__ in events


def test_nothing_is_known_beside_other_threads(monkeypatch):
    monkeypatch.setattr(threading, "active_count", lambda: 2)
    assert with_code_that_ran(outer) == (2, None)
