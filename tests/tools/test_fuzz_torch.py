import numpy as np
import pytest

from autotiny.ops import OPS

pytest.importorskip("torch")


def test_gradients_of_random_programs_equal_pytorchs():
    from fuzz_torch import differing

    assert list(differing(programs=100, seed=1)) == []


def test_a_wrong_gradient_rule_is_found(monkeypatch):
    from fuzz_torch import differing

    monkeypatch.setattr(OPS[np.tanh], "rules", (lambda g, y, x: g * (1 - y * y * 1.0005),))
    assert list(differing(programs=100, seed=1))
