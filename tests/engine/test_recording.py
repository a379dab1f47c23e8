"""What is recorded, what stays plain, and how operands and options are told apart."""

import numpy as np
import pytest

import autotiny as at
from autotiny.errors import UnsupportedError

X = np.array([[1.0, 2.0], [3.0, 4.0]])


# ----- what is recorded -----
def test_operations_on_constants_alone_are_not_recorded():
    c = at.Tensor(X, requires_grad=False)
    y = np.sum(np.exp(c) * c + 1)
    assert (y.requires_grad, y.op, y.parents) == (False, None, ())


def test_one_tracked_operand_is_enough():
    c, x = at.Tensor(X, requires_grad=False), at.Tensor(X)
    assert (c * x).parents == (c, x)


def test_plain_arrays_give_plain_arrays():
    for y in (at.relu(X), at.softmax(X), at.cross_entropy(X, [0, 1]), at.logsumexp(X), at.softplus(X)):
        assert not isinstance(y, at.Tensor)


def test_options_are_recorded_by_name_however_they_were_given():
    x = at.Tensor(X)
    for y in (np.sum(x, 0), np.sum(x, axis=0), x.sum(0), x.sum(axis=0)):
        assert y.kwargs == {"axis": 0}
    assert at.softmax(x, 1).kwargs == at.softmax(x, axis=1).kwargs == {"axis": 1}


def test_operands_may_be_given_by_name():
    x = at.Tensor(X)
    np.testing.assert_array_equal(at.relu(x=x).data, X)
    np.testing.assert_array_equal(np.sum(a=x).data, 10)


def test_options_that_say_nothing_are_not_recorded():
    assert np.sum(at.Tensor(X), out=None, keepdims=np._NoValue).kwargs == {}


def test_a_mask_counts_by_its_value():
    mask, x = at.Tensor([1.0, 0.0]), at.Tensor(X)
    y = np.sum(np.where(mask, x, 0.0))
    y.backward()
    assert mask.grad is None
    np.testing.assert_array_equal(x.grad, [[1, 0], [1, 0]])


@pytest.mark.parametrize(
    "function",
    [
        np.shape,
        np.ndim,
        np.size,
        np.argmax,
        np.isnan,
        np.zeros_like,
        np.ones_like,
        np.count_nonzero,
        np.any,
        np.argsort,
    ],
)
def test_facts_about_a_tensor_are_plain(function):
    result = function(at.Tensor(X))
    np.testing.assert_array_equal(result, function(X))
    assert not isinstance(result, at.Tensor)


def test_printing_functions_see_values():
    assert np.array2string(at.Tensor(X)) == np.array2string(X)


# ----- failures inside an operation of one's own -----
@pytest.mark.parametrize("error", [ValueError, TypeError, KeyError, ZeroDivisionError])
def test_errors_of_a_users_operation_keep_their_traceback_and_gain_a_note(error):
    @at.operation(lambda g, y, x: g)
    def mine(x):
        raise error("my own words")

    z = at.Tensor(X)
    with pytest.raises(error, match="my own words") as raised:
        mine(z)
    assert raised.traceback[-1].name == "mine"
    assert raised.value.__notes__ == ["in mine: mine(z (2, 2))"]


# ----- the logarithm of an exponential -----
def test_the_logarithm_of_an_exponential_never_leaves_the_logarithm():
    x = at.Tensor([-1000.0, 0.0, 700.0])
    assert np.log(np.exp(x)).tolist() == [-1000, 0, 700]
    np.testing.assert_allclose(np.log(at.sigmoid(x)).data, [-1000, -np.log(2), -np.exp(-700)], rtol=1e-15)
    np.testing.assert_allclose(np.log(at.softmax(x)).data, [-1700, -700, 0])


def test_the_exponential_itself_is_the_plain_one():
    x = at.Tensor([0.3, -0.2])
    y = np.exp(x)
    np.log(y)
    np.testing.assert_array_equal(y.data, np.exp(x.data))


def test_constants_and_detached_values_have_plain_logarithms():
    y = np.exp(at.Tensor([0.3])).detach()
    np.testing.assert_array_equal((np.log(y) + at.Tensor([0.0])).data, np.log(np.exp([0.3])))


# ----- arrays of other libraries -----
class Foreign:
    """An array of another library, which speaks NumPy's protocols."""

    def __init__(self, values):
        self.values = np.asarray(values)
        self.dtype, self.shape, self.ndim = self.values.dtype, self.values.shape, self.values.ndim

    def __array_function__(self, function, types, args, kwargs):
        return NotImplemented


def test_arrays_of_other_libraries_that_hold_no_numbers_are_refused():
    with pytest.raises(UnsupportedError, match="add: expected numbers, got <U1"):
        at.Tensor(1.0) + Foreign(["a"])


def test_a_tensor_that_only_selects_among_constants_gives_a_plain_array():
    t = at.Tensor([1.0, 0.0])
    assert type(np.where(t, 1.0, 2.0)) is np.ndarray
    assert np.where(t, 1.0, 2.0).tolist() == np.where(t > 0, 1.0, 2.0).tolist() == [1, 2]
