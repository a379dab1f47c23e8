"""Faults of neighbouring engines, one test each that shows it absent here.

The comment names the project and its issue or pull request, or where the fault was seen.
"""

import gc
import pickle
import subprocess
import sys
import weakref

import numpy as np
import pytest

import autotiny as at
from autotiny.engine.graph import names, topological_order
from autotiny.errors import ShapeError, StaleError, UnsupportedError


def gradient(f, x):
    """dJ/dx by backward(), which is the way that most of the neighbours were asked."""
    x = at.Tensor(x)
    np.sum(f(x)).backward()
    return x.grad


# ----- the graph and the sweep -----
def test_gradients_accumulate_over_uses():
    """tinygrad on its first day: 1 where 7 is right."""
    assert gradient(lambda x: x * x + x, 3.0) == 7


def test_second_backward_doubles_and_does_not_compound():
    """micrograd 102: 108, then 324; seen too: 72 where 54 is right."""
    x = at.Tensor(3.0)
    y = x * x * x
    y.backward()
    y.backward()
    assert x.grad == 54


def test_second_backward_is_no_silent_nothing():
    """MyGrad frees the graph, tinygrad 5701 answers wrongly."""
    x = at.Tensor([1.0, 2.0])
    y = np.sum(x * x)
    y.backward()
    x.grad = None
    y.backward()
    assert x.grad.tolist() == [2, 4]


def test_two_losses_may_share_a_subgraph():
    """micrograd gives a wrong gradient, MyGrad raises."""
    x = at.Tensor(2.0)
    shared = x * x
    for loss in (shared * 3, shared * shared):
        loss.backward()
    assert x.grad == 12 + 32


def test_repeated_parents_are_kept():
    """micrograd's set of parents; Chainer drops repeated edges."""
    q = at.Tensor(3.0)
    assert (q * q).parents == (q, q)


def test_a_tensor_may_feed_one_operation_twice():
    """MyGrad 93."""
    np.testing.assert_array_equal(gradient(lambda x: np.stack([x, x * 2, x]), [1.0, 2.0]), [4, 4])


def test_reused_results_wait_for_all_their_uses():
    """micrograd 64, 23, 68, 96: plain recursion in place of a topological order."""
    x = at.Tensor(2.0)
    y = x * 3
    z = y * (y * (y + 1))
    z.backward()
    assert x.grad == 3 * (3 * 36 + 2 * 6)


def test_doublings_cost_no_more_than_their_operations():
    """SmallPebble walked every path; tinygrad 7008, 2259."""
    assert gradient(lambda x: doubled(x, 200), 1.0) == 2.0**200


def doubled(x, times):
    for _ in range(times):
        x = x + x
    return x


def test_long_chains_need_no_stack():
    """micrograd 90, 91, 21; tinygrad 8167, 8457; MyGrad."""
    assert gradient(lambda x: chained(x, 50_000), 1.0) == 1


def chained(x, times):
    for _ in range(times):
        x = x + 1e-9
    return x


def test_equal_leaves_stay_apart():
    """tinygrad 9597 merged equal constants: 2.0 where 1.0 is right."""
    a, b = at.Tensor(2.0), at.Tensor(2.0)
    (a + b).backward()
    assert (a.grad, b.grad) == (1, 1)


def test_each_rule_of_a_broadcast_operation_runs_once():
    """MyGrad 131 called it twice."""
    calls = []

    @at.operation(lambda g, y, a, b: calls.append("a") or g * b, lambda g, y, a, b: calls.append("b") or g * a)
    def times(a, b):
        return a * b

    np.sum(times(at.Tensor(np.ones((2, 3))), at.Tensor(np.ones(3)))).backward()
    assert sorted(calls) == ["a", "b"]


def test_copies_have_a_gradient():
    """tinygrad 9828: no rule for COPY."""
    assert gradient(lambda x: np.copy(x) + x.copy() + np.positive(x), 1.0) == 3


def test_taking_a_view_keeps_the_gradient():
    """MyGrad 361 forgot it."""
    x = at.Tensor([[1.0, 2.0]])
    np.sum(x * x).backward()
    assert x.T.shape == (2, 1)
    assert x[0].grad is None
    assert x.grad.tolist() == [[2, 4]]


def test_no_gradient_is_none_and_not_zero():
    """nn-zero-to-hero 80: pictures of zeros before backward confused learners."""
    x = at.Tensor(1.0)
    assert (x * 2).grad is x.grad is None


def test_results_cannot_form_a_cycle():
    """micrograd 67."""
    x = at.Tensor(1.0)
    y = x * 2
    with pytest.raises(TypeError):
        y.args[0] = y
    assert topological_order(y) == [x, y]


def test_a_leaf_can_be_swept():
    """DeZero: AttributeError."""
    x = at.Tensor(3.0)
    x.backward()
    assert x.grad == 1


def test_graphs_are_freed_at_once():
    """autograd 219, 103; MyGrad 309: reference cycles that waited for the collector."""
    gc.disable()
    try:
        x = at.Tensor([1.0])
        y = np.sum(np.exp(x) * x)
        y.backward()
        gone = weakref.ref(y.parents[0])
        del y
        assert gone() is None
    finally:
        gc.enable()


def test_gradients_of_gradients_are_freed_at_once():
    """PyTorch 7343, 1111: create_graph leaked."""
    gc.disable()
    try:
        x = at.Tensor([1.0])
        (dx,) = at.gradients(np.sum(x**3), [x])
        dx.backward()
        gone = weakref.ref(dx)
        del dx
        assert gone() is None
    finally:
        gc.enable()


# ----- values -----
def test_plain_numbers_make_tensors():
    """DeZero 1: np.float64 is not supported; Variable(1.0) fails."""
    for number in (1.0, 1, np.float64(1), np.float32(1), np.array(1.0)):
        assert gradient(lambda x: x * x, number) == 2


def test_reductions_to_a_number_go_on_as_tensors():
    """DeZero 1; Chainer 3701, 1152, 2026, 4957: 0-d arrays collapsed to NumPy scalars."""
    x = at.Tensor([[1.0, 2.0]])
    y = np.sum(x)[()] * x[0, 1] + x.max() + x[0][0]
    assert isinstance(y, at.Tensor)
    y.backward()
    assert x.grad.tolist() == [[3, 6]]


def test_gradients_of_numbers_are_arrays():
    """MyGrad 2.0.1: a broadcast 0-d tensor had a NumPy float."""
    x = at.Tensor(2.0)
    np.sum(x * np.ones((2, 3))).backward()
    assert type(x.grad) is np.ndarray
    assert x.grad == 6


def test_values_come_out_of_a_tensor():
    """autograd 427: no way to the plain value."""
    y = at.Tensor([1.5]) * 2
    assert (y.data.tolist(), y.item(), float(y)) == ([3.0], 3.0, 3.0)


def test_a_tensor_does_not_become_a_plain_array_in_silence():
    """autograd 304: np.array(x, dtype) under tracing."""
    x = at.Tensor([1.0])
    with pytest.raises(UnsupportedError, match="x is tracked"):
        np.array(x, dtype=np.float32)


def test_storing_into_an_array_is_an_error_with_a_mend():
    """autograd 58, 177, 181, 515, 556, 559: float() argument must be a number, not ArrayBox."""
    x = at.Tensor([1.0, 2.0])
    with pytest.raises(
        UnsupportedError, match=r"x is tracked.* write at\.index_update\(np\.zeros\(2\), np\.s_\[:\], x\)"
    ):
        np.zeros(2)[:] = x


def test_assigning_into_a_tensor_is_an_error_with_a_mend():
    """autograd 58; MyGrad 93 differentiated it wrongly."""
    x = at.Tensor([1.0, 2.0])
    with pytest.raises(UnsupportedError, match=r"write x = at\.index_update\(x, 0, 5\.0\)"):
        x[0] = 5.0


def test_repr_of_a_large_tensor_is_short():
    """JAX 16404: thousands of numbers."""
    assert len(repr(at.Tensor(np.ones((50, 50, 50))))) < 200


def test_names_are_no_addresses():
    """MyGrad 69; torchviz 62 merged nodes whose addresses were used again."""
    x = at.Tensor(1.0)
    for _ in range(100):
        y = x * 2 + 1
        assert list(names(topological_order(y), {"x": x}).values()) == ["x", "t1", "t2"]


# ----- precision -----
def test_integers_have_fractional_gradients():
    """MyGrad 340: generally just wrong; tinygrad 10460, 9723: integer gradient 0."""
    np.testing.assert_array_equal(gradient(lambda x: x / 2, [1, 2]), [0.5, 0.5])


def test_softmax_takes_integers():
    """MyGrad 193."""
    np.testing.assert_allclose(at.softmax(np.array([1, 2])), at.softmax(np.array([1.0, 2.0])))
    assert at.softmax(at.Tensor([1, 2])).dtype == np.float64


def test_float32_stays_float32():
    """autograd 671, 163, 199."""
    x = np.ones(3, np.float32)
    assert gradient(lambda x: np.mean((2 * x - 1.0) ** 2) / 3, x).dtype == np.float32


def test_many_ties_in_half_precision_share_a_maximum():
    """tinygrad 12296: the count of ties overflowed, and the gradient was 0."""
    g = gradient(np.max, np.zeros(70_000, np.float16))
    assert g.dtype == np.float16
    np.testing.assert_allclose(g, 1 / 70_000, rtol=1e-2)


# ----- rules -----
@pytest.mark.parametrize(
    ("x", "expected"),
    [([2.0, 0.0, 3.0], [0, 6, 0]), ([0.0, 0.0, 3.0], [0, 0, 0]), ([0.0], [1]), ([-0.0, 2.0], [2, -0.0])],
)
def test_products_with_zeros_have_exact_gradients(x, expected):
    """autograd 378, 93; tinygrad 17404; PyTorch 773, 82644, 194699: nan."""
    np.testing.assert_array_equal(gradient(np.prod, x), expected)


def test_second_derivatives_of_products_with_zeros_are_exact():
    """The same faults, one derivative on."""
    H = at.hessian(np.prod)(np.array([2.0, 0.0, 3.0]))
    np.testing.assert_array_equal(H, [[0, 3, 0], [3, 0, 2], [0, 2, 0]])


def test_norm_at_0_has_gradient_0():
    """autograd 586, MyGrad 379, ChainRules 538: nan."""
    np.testing.assert_array_equal(gradient(np.linalg.norm, np.zeros(3)), np.zeros(3))


def test_branches_that_were_not_taken_leak_nothing():
    """autograd 396; JAX 5798, 347, 1052, 13047."""
    with np.errstate(divide="ignore", invalid="ignore"):
        g = gradient(lambda x: np.where(x > 0, np.log(x) * np.sqrt(x), x * 0), np.array([0.0, -1.0, 1.0]))
    np.testing.assert_array_equal(g, [0, 0, 1])


def test_masking_a_nan_loss_masks_its_gradient():
    """PyTorch 23156."""
    with np.errstate(invalid="ignore"):
        g = gradient(lambda x: np.where(np.isnan(np.log(x)), 0.0, np.log(x)), np.array([-1.0, 2.0]))
    np.testing.assert_array_equal(g, [0, 0.5])


def test_relu_maximum_and_clip_agree_at_0():
    """PyTorch 184572, JAX 37821, Theano 4568."""
    for f in (at.relu, lambda x: np.maximum(x, 0), lambda x: np.clip(x, 0, 6)):
        assert gradient(f, 0.0) == 0


def test_the_largest_norm_has_a_subgradient_at_ties():
    """PyTorch 41779."""
    g = gradient(lambda x: np.linalg.norm(x, np.inf), [3.0, -3.0])
    assert np.abs(g).sum() == 1
    assert g @ [3.0, -3.0] == 3


@pytest.mark.parametrize(("base", "exponent"), [(0.0, 0.0), (0.0, 1.0), (0.0, 2.0), (-2.0, 3.0), (0.0, 0), (-2.0, 2)])
def test_powers_of_zero_and_of_negative_numbers_have_gradients(base, exponent):
    """micrograd: 0 ** 0 divides by zero, 41 and 42: nan for a negative base; tinygrad 155: 0 * log 0."""
    expected = 0.0 if exponent == 0 else exponent * base ** (exponent - 1)
    assert gradient(lambda x: x**exponent, base) == expected


@pytest.mark.parametrize(
    "f", [lambda x, y: x**y, lambda x, y: np.sum(np.full(1, 1.0) * x**y), lambda x, y: np.power(x, y)]
)
def test_a_power_at_0_has_one_gradient_however_it_is_written(f):
    """Zygote 1036: (0, 0) or (inf, nan)."""
    assert at.grad(f, (0, 1))(0.0, 2.0) == (0, 0)


def test_exponents_may_be_tensors():
    """DeZero: constants only."""
    x, y = at.Tensor(2.0), at.Tensor(3.0)
    (x**y).backward()
    assert x.grad == 12
    np.testing.assert_allclose(y.grad, 8 * np.log(2.0))


def test_hypot_has_the_gradient_of_its_formula():
    """ChainRules 74: a wrong rule, tested against the same wrong formula."""
    np.testing.assert_allclose(at.grad(np.hypot, (0, 1))(3.0, 4.0), (0.6, 0.8), rtol=1e-15)


def test_forward_and_reverse_agree_through_masks():
    """JAX 654."""
    x = np.array([0.0, 4.0])
    f = lambda x: np.sum(np.where(x > 0, np.sqrt(x), 0.0))
    assert at.jvp(f, (x,), (np.ones(2),))[1] == at.grad(f)(x) @ np.ones(2) == 0.25


def test_a_saturated_softmax_has_an_exact_gradient():
    """autograd, MyGrad and advect: nan."""
    Y = np.array([[0.0], [1.0], [0.0]])
    g = gradient(lambda Z: -np.sum(Y * np.log(at.softmax(Z))), [[800.0], [0.0], [0.0]])
    np.testing.assert_array_equal(g, [[1], [-1], [0]])


@pytest.mark.parametrize(
    "op", [np.add, np.subtract, np.multiply, np.divide, np.power, np.maximum, np.arctan2, np.hypot]
)
def test_broadcasting_is_undone_for_every_operation(op):
    """tangent undid it in some rules and not in others."""
    a, b = at.Tensor(np.full((2, 1), 1.5)), at.Tensor(np.full(3, 2.0))
    np.sum(op(a, b)).backward()
    assert (a.grad.shape, b.grad.shape) == ((2, 1), (3,))


# ----- seeds, shapes, arguments -----
def test_a_misshapen_seed_is_refused():
    """autograd's make_vjp took it in silence."""
    x = at.Tensor([1.0, 2.0, 3.0])
    with pytest.raises(ShapeError, match=r"shape of the output, \(3,\); got \(1,\)"):
        (x * 2).backward([1.0])


def test_the_missing_argument_is_named():
    """autograd core.py 82 says argument 0 whichever it is."""
    with pytest.raises(UnsupportedError, match="argnums=1 asks for an argument that was not given"):
        at.grad(lambda x: x, argnums=1)(2.0)


def test_gradients_of_numbers_may_be_asked_for():
    """PyTorch 150883: a 0-d tensor in inputs=."""
    x = at.Tensor(2.0)
    assert at.gradients(x * x, [x])[0].item() == 4


def test_empty_arrays_have_empty_gradients():
    """PyTorch 190436: zero-size inputs crash."""
    assert gradient(lambda x: np.exp(x) * 2, np.zeros((0, 3))).shape == (0, 3)


def test_positional_options_are_heeded():
    """advect: linspace dropped a positional one, and its derivative agreed."""
    x = at.Tensor(np.ones((2, 3)))
    assert np.sum(x, 1, None, None, True).shape == (2, 1)
    assert np.mean(x, 1, None, None, True).shape == (2, 1)
    np.testing.assert_allclose(x.var(1, None, None, 1).data, np.var(x.data, 1, None, None, 1))
    assert np.mean(x, 0, np.float32).dtype == np.float32  # the third option of a mean is its type, not keepdims


def test_what_has_no_rule_is_named():
    """tinygrad names the operation; advect's interp gave zero."""
    with pytest.raises(UnsupportedError, match=r"numpy\.packbits has no gradient rule yet"):
        np.packbits(at.Tensor(np.eye(2)))


def test_a_rule_of_the_wrong_shape_is_named():
    """tinygrad: got ... gradient, expected ..."""

    @at.operation(lambda g, y, x: np.ones(2))
    def mine(x):
        return x * 1

    with pytest.raises(ShapeError, match=r"mine: a rule gave shape \(2,\), expected \(3,\)"):
        gradient(mine, np.ones(3))


# ----- changes -----
def test_a_constant_that_changed_is_noticed():
    """autograd and advect: a wrong gradient after a[:] = 5."""
    x, a = at.Tensor([1.0, 2.0]), np.ones(2)
    y = np.sum(x * a)
    a[:] = 5
    with pytest.raises(StaleError):
        y.backward()


def test_the_tensor_that_changed_is_named():
    """PyTorch 18523, 15803, 2940."""
    W = at.Tensor([1.0, 2.0])
    y = np.sum(np.tanh(W))
    W.data[0] = 5
    with pytest.raises(StaleError, match="tanh: W was changed in place"):
        y.backward()


def test_a_refused_assignment_changes_nothing():
    """PyTorch 2940: raised after mutating."""
    W = at.Tensor([1.0, 2.0])
    with pytest.raises(ShapeError):
        W.data = [1.0, 2.0, 3.0]
    with pytest.raises(UnsupportedError):
        W[0] = 9
    assert W.tolist() == [1, 2]


def test_gradients_share_no_memory():
    """MyGrad copies them for this reason; an in-place clip of one changed the other."""
    a, b = at.Tensor([1.0, 2.0]), at.Tensor([3.0, 4.0])
    np.sum(a + b).backward()
    a.grad *= 0
    assert b.grad.tolist() == [1, 1]


# ----- the package -----
def test_importing_the_core_loads_no_plotting():
    """DeZero: matplotlib and PIL."""
    code = "import autotiny, sys; print([m for m in ('matplotlib', 'PIL', 'graphviz') if m in sys.modules])"
    printed = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=60)
    assert printed.stdout.strip() == "[]"


def test_leaves_can_be_saved():
    """Closures in micrograd's nodes cannot be pickled."""
    x = at.Tensor(2.0)
    (x * x).backward()
    assert pickle.loads(pickle.dumps(x)).grad == 4
