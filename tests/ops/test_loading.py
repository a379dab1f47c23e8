"""Tables that are loaded when one of their functions is first met."""

import importlib
import subprocess
import sys
import time
import types
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import autotiny as at
from autotiny.engine import recording, signatures
from autotiny.errors import UnsupportedError
from autotiny.ops import COMPOSED, EXTENDED, OPS, loading, rest
from autotiny.ops.table import require_arity

MODULES = {module.__name__ for module in vars(rest).values() if isinstance(module, types.ModuleType)}

STEP = """
import numpy as np, autotiny as at, sys
W1, b1, W2, b2 = (at.Tensor(np.ones(shape)) for shape in [(4, 2), (4, 1), (3, 4), (3, 1)])
X, labels = np.ones((2, 5)), [0, 1, 2, 0, 1]
for layers in (at.relu, np.tanh, at.sigmoid, lambda Z: np.maximum(Z, 0)):
    Z2 = W2 @ layers(W1 @ X + b1) + b2
    at.cross_entropy(Z2, labels).backward()
    A2 = np.exp(Z2) / np.sum(np.exp(Z2), axis=0, keepdims=True)
    (-np.sum(at.one_hot(labels, 3) * np.log(A2)) / X.shape[1] + 0.1 * np.mean(W1.T ** 2)).backward()
for W in (W1, b1, W2, b2):
    W.data = W.data - 0.1 * W.grad
at.grad(lambda W: np.sum(np.dot(W.T, W)[0, :] + np.concatenate([W, W], axis=1).reshape(-1).max()))(np.ones((2, 2)))
"""


def in_a_new_process(code):
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=60).stdout


def test_the_step_of_a_network_loads_no_further_table():
    loaded = set(in_a_new_process(STEP + "print(*sys.modules)").split())
    assert "autotiny.ops.matmul" in loaded
    assert not MODULES & loaded
    assert rest.__name__ not in loaded


def test_a_function_of_a_further_table_loads_it():
    code = STEP + "np.linalg.det(W1[:2]).backward(); np.median(W1).backward(); print(*sys.modules)"
    assert set(in_a_new_process(code).split()) >= MODULES


PRETEND = """
import time
import numpy as np
from autotiny.ops.table import COMPOSED

import pretend

def double(x):
    return helper(x)

COMPOSED[pretend.double] = double
time.sleep(0.1)

def helper(x):
    return x + x
"""


@pytest.fixture
def library(tmp_path, monkeypatch):
    """A library whose function `double` has its entry in a table of its own, which takes long to load."""
    (tmp_path / "pretend.py").write_text("def double(x):\n    return 2 * x\n")
    (tmp_path / "pretend_tables.py").write_text(PRETEND)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setitem(loading.PROVIDERS, "pretend", "pretend_tables")
    yield lambda: importlib.import_module("pretend")
    for name in ("pretend", "pretend_tables"):
        module = sys.modules.pop(name, None)
        COMPOSED.pop(getattr(module, "double", None), None)


def test_the_tables_of_a_library_load_once_it_is_imported(library):
    loading.load_tables()
    assert "pretend_tables" not in sys.modules
    double = library().double
    assert recording.call(double, (at.Tensor(3.0),), {}).item() == 6


def test_a_thread_waits_for_a_table_that_another_one_loads(library):
    double, x = library().double, at.Tensor(3.0)

    def call(number):
        while number and double not in COMPOSED:  # all but one call it once it has been entered
            time.sleep(0.001)
        return recording.call(double, (x,), {}).item()

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(call, range(8))) == [6.0] * 8


def test_options_that_only_a_further_table_has_load_it(monkeypatch):
    def enter():
        monkeypatch.setitem(EXTENDED, np.square, lambda x, *, where=True: np.where(where, x * x, 0.0))

    monkeypatch.setattr(signatures, "load_tables", enter)
    x = at.Tensor([1.0, 2.0])
    np.testing.assert_array_equal(np.square(x).data, [1, 4])
    assert np.square not in EXTENDED
    np.testing.assert_array_equal(np.square(x, where=np.array([True, False])).data, [1, 0])


def test_a_function_without_an_entry_is_refused_after_all_tables_are_loaded():
    with pytest.raises(UnsupportedError, match="copyto"):
        np.copyto(np.zeros(2), at.Tensor([1.0, 2.0]))


@pytest.mark.parametrize("op", dict.fromkeys(OPS.values()), ids=lambda op: op.name)
def test_every_rule_takes_the_arguments_of_its_operation(op):
    require_arity(op)
