"""Many complex steps in one replay give what each of them gives alone."""

import numpy as np
import pytest

import autotiny as at
import checking_accuracy
from autotiny.checking import stacked
from autotiny.checking.numeric import Numeric
from autotiny.checking.replaying import Replay


def numerics(case):
    """The numeric sides of a case's tensors to which a complex step applies."""
    loss, tensors = checking_accuracy.weighed(case, case.draw()[1], np.float64)
    found = [Numeric(Replay(x, loss), 1.0) for x in tensors if x.requires_grad]
    return [each for each in found if each.method == "complex step"]


@pytest.mark.parametrize("case", checking_accuracy.CASES[::9], ids=str)
def test_entries_in_stacks_are_those_of_single_steps(case):
    for numeric in numerics(case):
        indices = list(np.ndindex(numeric.point.shape))
        together, alone = numeric.entries(indices), {index: numeric.entry(index) for index in indices}
        for index in indices:
            np.testing.assert_allclose(together[index][:2], alone[index][:2], rtol=1e-15, atol=1e-18)


@pytest.mark.parametrize("m", [1, 5])
def test_a_network_is_looked_at_entry_by_entry_also_where_its_matrices_have_thousands(m):
    rng = np.random.default_rng(m)
    W, b, V = at.Tensor(rng.normal(size=(40, 60)) / 8), at.Tensor(np.ones((40, 1))), at.Tensor(rng.normal(size=(3, 40)))
    Z = W @ rng.normal(size=(60, m)) + b
    J = np.sum(at.log_softmax(V @ np.tanh(Z)) * rng.normal(size=(3, m)))
    J.backward()
    wrong = W.grad.copy()
    wrong[17, 23] *= 1.001
    report = at.compare(J, {W: wrong, V: V.grad})
    assert [row.coverage for row in report.rows] == ["every entry"] * 2
    assert report["W"].outlier == "analytic"
    assert report["W"].index == (17, 23)
    assert report["V"].ok


def test_a_stack_that_is_reduced_along_its_own_axis_would_be_noticed(monkeypatch):
    x = at.Tensor(np.arange(1.0, 7).reshape(2, 3))
    numeric = Numeric(Replay(x, np.sum(np.sum(x**2, axis=0) ** 2)), 1.0)
    right = numeric.entries([(0, 1)])[0, 1].right
    assert right == pytest.approx(numeric.entry((0, 1)).right)
    monkeypatch.setattr(stacked, "_from_the_end", lambda axes, ndim: axes)
    assert numeric.entries([(0, 1), (1, 1)])[0, 1].right != pytest.approx(right)
