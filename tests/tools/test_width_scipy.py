"""The count of what works of SciPy: every call works, and what is listed as refused has no entry."""

import numpy as np
import pytest

pytest.importorskip("scipy")

import width_scipy
from autotiny.ops import COMPOSED, OPS

TO_A_TOLERANCE = {"minimize", "odeint"}
"""Functions whose values on Tensors are SciPy's to the tolerance of a solver."""


def test_every_call_works():
    table = width_scipy.verdicts()
    assert [call for tried in table.values() for call in tried if call.verdict != "works"] == []


def test_what_is_listed_as_refused_has_no_entry():
    for name in width_scipy.refused():
        module, _, function = name.partition(".")
        found = getattr(width_scipy.NAMESPACE[module], function)
        assert found not in OPS, name
        assert found not in COMPOSED, name
        assert not hasattr(found, "__scipy__"), name


def test_every_function_that_has_an_entry_is_called():
    called = width_scipy.calls().keys()
    for module in ("special", "linalg", "signal", "stats", "integrate", "optimize"):
        mirror = width_scipy.NAMESPACE[module]
        mirrored = {name for name, value in vars(mirror).items() if hasattr(value, "__scipy__")}
        assert {f"{module}.{name}" for name in mirrored - TO_A_TOLERANCE} <= called
    special = width_scipy.NAMESPACE["special"]
    ufuncs = {f for f in OPS if isinstance(f, np.ufunc) and getattr(np, f.__name__, None) is not f}
    public = {f.__name__ for f in ufuncs if getattr(special, f.__name__, None) is f}
    assert {f"special.{name}" for name in public} <= called
