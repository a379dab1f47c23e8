"""Programs on single numbers, in Python's own arithmetic."""

import numpy as np
import pytest

import autotiny as at


def of_four(xs):
    """Return a sum over four numbers, each used twice."""
    return sum(np.tanh(x) * x for x in xs) * np.maximum(xs[0], 0.5)


def test_an_operand_that_a_form_repeats_has_a_line_of_its_own():
    def f(x):
        for _ in range(30):
            x = np.maximum(np.minimum(x * 0.5 + 1, 1.5), 0.3)
        return x

    step = at.compile(f)
    assert step(0.7) == f(0.7)
    assert step.source.count(" if ") == 60
    assert len(step.source) < 6000


@pytest.mark.parametrize("count", [2, 12], ids=["a few", "many"])
def test_results_are_arrays_of_their_own(count):
    step = at.compile(at.value_and_grad(of_four))
    xs = np.linspace(-1.0, 1.0, count).tolist()
    J, dxs = step(xs)
    again = step(xs)[1]
    dxs[0] += 1
    (other, others), (J_, dxs_) = step(xs), at.value_and_grad(of_four)(xs)
    assert [type(x) for x in (J, *dxs)] == [type(x) for x in (J_, *dxs_)]
    assert all(x.shape == () and x.flags.writeable for x in dxs)
    np.testing.assert_array_equal([other, *others], [J, *again])
    np.testing.assert_allclose([other, *others], [J_, *dxs_], rtol=1e-15)
    assert not any(np.shares_memory(x, y) for x, y in zip(dxs, others, strict=True))
