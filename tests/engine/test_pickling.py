"""Derivatives and compiled functions in pickles of those who write functions by value, as cloudpickle does."""

import io
import marshal
import pickle
import sys
from types import FunctionType

import numpy as np
import pytest

import autotiny as at
from autotiny.compiler import compiled
from autotiny.errors import UnsupportedError


def function(code, name):
    return FunctionType(marshal.loads(code), {"np": np}, name)


class ByValue(pickle.Pickler):
    """Writes the code of functions that are local or of the main program."""

    def reducer_override(self, value):
        if isinstance(value, FunctionType) and ("<" in value.__qualname__ or value.__module__ == "__main__"):
            return function, (marshal.dumps(value.__code__), value.__name__)
        return NotImplemented

    def dump(self, value):
        return super().dump(value)


def by_value(value):
    file = io.BytesIO()
    ByValue(file).dump(value)
    return file.getvalue()


TRANSFORMS = [at.grad, at.compile, lambda f: at.compile(at.value_and_grad(f))]


@pytest.mark.parametrize("transform", TRANSFORMS)
def test_a_local_function_is_written_by_value(transform):
    made = transform(lambda x: np.sum(x**3))
    assert repr(pickle.loads(by_value(made))(np.ones(2))) == repr(made(np.ones(2)))
    with pytest.raises(UnsupportedError, match="cannot be pickled"):
        pickle.dumps(made)


def test_a_process_compiles_once_what_it_unpickles_often(monkeypatch):
    monkeypatch.setattr(compiled, "_from_pickles", {})
    text = by_value(at.compile(at.grad(lambda x: x**3)))
    first = pickle.loads(text)
    assert first(2.0) == 12
    assert pickle.loads(text) is first
    assert first.latest is not None
    assert pickle.loads(by_value(at.compile(at.grad(lambda x: x**2))))(2.0) == 4


def test_unpickled_functions_do_not_pile_up(monkeypatch):
    monkeypatch.setattr(compiled, "_from_pickles", {})
    for threads in range(1, 40):
        pickle.loads(pickle.dumps(at.compile(np.sin, threads=threads)))
    assert len(compiled._from_pickles) == compiled.PROGRAMS


@at.compile
def decorated(x):
    return x + 1


def test_a_decorated_function_of_the_main_program_is_written_by_value(monkeypatch):
    """Other processes have another main program."""
    assert pickle.loads(by_value(decorated)) is decorated
    monkeypatch.setattr(decorated.f, "__module__", "__main__")
    monkeypatch.setitem(sys.modules, "__main__", sys.modules[__name__])
    again = pickle.loads(by_value(decorated))
    assert again is not decorated
    assert again(1.0) == 2
