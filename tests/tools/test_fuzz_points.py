import numpy as np
import pytest

from autotiny.ops import OPS
from fuzz_points import cases, judge


@pytest.mark.parametrize(("order", "compiled"), [(1, False), (2, False), (1, True)])
def test_no_derivative_at_an_extreme_point_is_finite_and_wrong(order, compiled):
    found = list(cases(points=200, seed=3, order=order, compiled=compiled))
    assert [case for case in found if case.verdict == "wrong"] == []
    assert sum(case.verdict == "right" for case in found) > 100


@pytest.mark.parametrize(
    ("text", "x", "verdict"),
    [
        ("log(cosh(x))", 0.5, "right"),
        ("exp(x) / exp(x)", 800.0, "not known"),
        ("sin(exp(x))", 100.0, "rounding"),
        ("sigmoid(log(cosh(x)) / 4)", 800.0, "rounding"),
        ("abs(x)", 0.0, "left out"),
        ("exp(-x)", 800.0, "right"),
        ("1 / exp(x)", 800.0, "not known"),
    ],
)
def test_verdicts(text, x, verdict):
    assert judge(text, x).verdict == verdict


def test_a_wrong_gradient_rule_is_found(monkeypatch):
    monkeypatch.setattr(OPS[np.arctan], "rules", (lambda g, y, x: g / (1 + x * x) * (1 + 0.01 * (x > 1)),))
    assert [judge("arctan(x)", x).verdict for x in (0.5, 2.0)] == ["right", "wrong"]


def test_a_zero_that_meets_an_infinity_may_not_become_a_plausible_zero(monkeypatch):
    assert judge("sqrt(exp(x))", 800.0).verdict == "not known"
    monkeypatch.setattr(OPS[np.exp], "rules", (lambda g, y, x: np.where(g == 0, 0.0, g * y),))
    assert judge("sqrt(exp(x))", 800.0).verdict == "wrong"
