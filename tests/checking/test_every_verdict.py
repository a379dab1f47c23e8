"""Each verdict has a case that produces it and a near miss that does not."""

from typing import NamedTuple

import numpy as np
import pytest

import autotiny as at
from autotiny.checking.row import VERDICTS

pytestmark = pytest.mark.filterwarnings("ignore:overflow", "ignore:invalid value", "ignore:divide by zero")


@at.operation(lambda g, y, x: g * 1.0005 * np.cos(x))
def sin_off(x):
    return np.sin(x)


@at.operation(lambda g, y, x: g * np.cos(x))
def sin_in_single_precision(x):
    return np.sin(x).astype(np.float32).astype(x.dtype)


class Case(NamedTuple):
    """A function, a point, a closed form there, and the verdict."""

    f: object
    at: object
    stated: object
    outlier: str | None
    ok: bool


def relus(x):
    return at.relu(x) - at.relu(-x)


SLOPE = np.cos(0.5)
PAIRS: dict[str | None, list[tuple[Case, Case]]] = {
    None: [
        (Case(np.sin, [0.5], [SLOPE], None, True), Case(np.sin, [0.5], [SLOPE * (1 + 1e-9)], "analytic", False)),
        (Case(np.max, [1.0, 1.0], [0.3, 0.7], None, True), Case(np.max, [1.0, 1.0], [0.3, 0.8], "analytic", False)),
        (Case(np.abs, [0.0], [-1.0], None, True), Case(np.abs, [0.0], [-1.0001], "analytic", False)),
    ],
    "analytic": [
        (Case(np.sin, [0.5], [1.0005 * SLOPE], "analytic", False), Case(np.sin, [0.5], [SLOPE], None, True)),
        (Case(np.max, [1.0, 1.0], [1.0, 1.0], "analytic", False), Case(np.max, [1.0, 1.0], [1.0, 0.0], None, True)),
        (Case(at.relu, [0.0], [1.1], "analytic", False), Case(at.relu, [0.0], [1.0], None, True)),
    ],
    "autograd": [
        (Case(sin_off, [0.5], [SLOPE], "autograd", False), Case(sin_off, [np.pi / 2], [0.0], None, True)),
        (Case(sin_off, [0.5], [1.0005 * SLOPE], "autograd", False), Case(np.sin, [0.5], [SLOPE], None, True)),
    ],
    "convention": [
        (Case(relus, [0.0], [1.0], "convention", True), Case(relus, [1e-9], [1.0], None, True)),
        (Case(relus, [0.0], [0.0], "convention", True), Case(relus, [0.0], [0.5], "analytic", False)),
        (Case(relus, [0.0], [1.0], "convention", True), Case(at.relu, [0.0], [1.0], None, True)),
    ],
    "overflow": [
        (Case(np.exp, [710.0], [np.inf], "overflow", False), Case(np.exp, [709.0], [np.exp(709.0)], None, True)),
        (Case(lambda x: 1 / np.exp(x), [800.0], [0.0], "overflow", False),
         Case(lambda x: 1 / np.exp(x), [300.0], [-np.exp(-300.0)], None, True)),
        (Case(lambda x: -np.log(1 - 1 / (1 + np.exp(-x * x))), [28.0], [56.0], "overflow", False),
         Case(lambda x: at.softplus(x * x), [28.0], [56.0], None, True)),
        (Case(lambda x: np.maximum(5.0, np.exp(x)), [800.0], [0.0], "overflow", False),
         Case(lambda x: np.minimum(5.0, np.exp(x)), [800.0], [0.0], None, True)),
        (Case(lambda x: np.where(x > 9, np.exp(x), x), [800.0], [0.0], "overflow", False),
         Case(lambda x: np.where(x > 900, np.exp(x), x), [800.0], [1.0], None, True)),
    ],
    "undecided": [
        (Case(np.log, [-1.0], [-1.0], "undecided", False), Case(np.log, [1.0], [1.0], None, True)),
        (Case(np.sqrt, [0.0], [7.0], "undecided", False), Case(np.sqrt, [0.25], [1.0], None, True)),
        (Case(sin_in_single_precision, [0.5], [SLOPE * (1 + 1e-9)], "undecided", True),
         Case(sin_in_single_precision, [0.5], [SLOPE * 1.01], "analytic", False)),
    ],
}  # fmt: skip
CASES = [(outlier, i, case) for outlier, pairs in PAIRS.items() for i, pair in enumerate(pairs) for case in pair]


def test_every_verdict_has_a_case_and_a_near_miss():
    assert PAIRS.keys() == VERDICTS.keys()
    for outlier, pairs in PAIRS.items():
        assert pairs
        assert all(
            (case.outlier, near.outlier) == (outlier, near.outlier) != (outlier, outlier) for case, near in pairs
        )


@pytest.mark.parametrize("case", [case for _, _, case in CASES], ids=[f"{name}-{i}" for name, i, _ in CASES])
def test_the_verdict_is_the_one_of_the_table(case):
    x = at.Tensor(case.at, name="x")
    report = at.compare(np.sum(case.f(x)), {x: case.stated})
    assert (report["x"].outlier, report.ok) == (case.outlier, case.ok)
    assert report["x"].verdict == VERDICTS[case.outlier]
    assert report["x"].verdict in repr(report)
    assert report["x"].verdict in report._repr_html_()
    assert ("All agree" in repr(report)) == (case.ok and case.outlier in (None, "undecided"))


def test_a_loss_that_overflowed_is_named_and_nobody_is_blamed():
    Z = at.Tensor([[800.0], [0.0]], name="Z")
    J = -np.sum(np.array([[0.0], [1.0]]) * np.log(np.exp(Z) / np.sum(np.exp(Z), axis=0)))
    report = at.compare(J, {Z: [[1.0], [-1.0]]})
    assert report["Z"].outlier == "overflow"  # a softmax that is written out has no stable form
    assert "DIFFERS" not in repr(report)


def test_the_words_of_an_overflow():
    x = at.Tensor([1.0, 800.0], name="x")
    loss = np.sum(np.exp(x))
    assert (
        "x: the loss overflowed: loss = inf, where exp gave inf at [1]; nothing can be verified here: at.log_softmax"
        in repr(at.compare(loss, {x: np.exp(x.data)}))
    )
    loss = np.sum(1 / np.exp(x))
    report = at.compare(loss, {x: -np.exp(-x.data)})
    assert "exp gave inf at [1], on the way to the loss; a gradient through it cannot be verified" in repr(report)
    assert repr(report).endswith("x: nothing is verified, for a value overflowed")


def test_a_wrong_entry_beside_one_that_overflowed_does_not_pass():
    x = at.Tensor([1.0, 800.0], name="x")
    assert not at.compare(np.sum(1 / np.exp(x)), {x: [-0.3, 0.0]}).ok
    assert at.compare(np.sum(1 / np.exp(x[:1])), {x: [-np.exp(-1.0), 0.0]}).ok


def test_a_loss_that_is_nan_says_so():
    x = at.Tensor([-1.0], name="x")
    loss = np.sum(np.log(x))
    assert "x: the numeric side cannot tell: loss is nan" in repr(at.compare(loss, {x: [-1.0]}))


def test_warnings_of_replays_stay_inside(recwarn):
    x = at.Tensor([1e200, 1e154, 0.0], name="x")
    loss = np.sum(np.sqrt(x)) * 1e150
    before = len(recwarn)
    at.compare(loss, {x: [0.5e50, 1.0, np.inf]})
    at.compare(np.sum(x * 1.0), {}, wrt=[x])
    assert len(recwarn) == before
