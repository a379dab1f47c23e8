"""The table itself: what a row records, and operations that users enter."""

import numpy as np
import pytest

import autotiny as at
from autotiny.errors import ShapeError, UnsupportedError
from autotiny.ops import OPS


def f(x):
    return x


@at.operation(lambda g, y, x, power=2: g * power * x ** (power - 1))
def raised(x, power=2):
    return x**power


@at.operation(lambda g, y, a, b: g * b, lambda g, y, a, b: g * a)
def product(a, b):
    return a * b


@at.operation(each=lambda i, g, y, *xs: g * (i + 1))
def weighted_sum(*xs):
    return sum((i + 1) * x for i, x in enumerate(xs))


def test_operation_on_arrays_is_the_function():
    assert raised(3.0) == 9
    np.testing.assert_array_equal(product(np.array([1.0, 2.0]), 3), [3, 6])


def test_operation_on_a_tensor_is_recorded_under_its_name():
    x = at.Tensor([1.0, 2.0])
    y = raised(x, power=3)
    assert (y.op.name, y.args, y.kwargs) == ("raised", (x,), {"power": 3})


def test_options_reach_the_rule_by_name_and_by_position():
    np.testing.assert_array_equal(at.grad(lambda x: np.sum(raised(x, power=3)))(np.array([1.0, 2.0])), [3, 12])
    np.testing.assert_array_equal(at.grad(lambda x: np.sum(raised(x, 3)))(np.array([1.0, 2.0])), [3, 12])


def test_operation_can_be_differentiated_again():
    assert at.grad(at.grad(lambda x: raised(x, power=3)))(2.0) == 12


def test_tensor_in_any_place_is_recorded():
    a, b = np.array([1.0, 2.0]), np.array([3.0, 5.0])
    np.testing.assert_array_equal(at.grad(lambda b: np.sum(product(a, b)))(b), a)
    np.testing.assert_array_equal(at.grad(lambda b: np.sum(product(a, b=b)))(b), a)


def test_broadcasting_is_undone_for_an_operation_of_ones_own():
    a, b = np.ones((2, 3)), np.array([1.0, 2.0, 3.0])
    np.testing.assert_array_equal(at.grad(lambda b: np.sum(product(a, b)))(b), [2, 2, 2])


def test_one_rule_serves_any_number_of_arguments():
    found = at.grad(weighted_sum, (0, 1, 2))(1.0, 1.0, 1.0)
    assert [float(g) for g in found] == [1, 2, 3]


def test_one_rule_serves_two_arguments():
    x = [at.Tensor(1.0), at.Tensor(1.0)]
    weighted_sum(*x).backward()
    assert [float(t.grad) for t in x] == [1, 2]


def test_argument_without_a_rule_counts_by_its_value():
    @at.operation(lambda g, y, x, mask: g * mask, None)
    def masked(x, mask):
        return x * mask

    x, mask = at.Tensor([1.0, 2.0]), at.Tensor([1.0, 0.0])
    np.sum(masked(x, mask)).backward()
    np.testing.assert_array_equal(x.grad, [1, 0])
    assert mask.grad is None


def test_guarded_operation_contributes_nothing_where_it_was_masked():
    @at.operation(lambda g, y, x: g / x, guarded=True)
    def logarithm(x):
        return np.log(x)

    with np.errstate(divide="ignore"):
        g = at.grad(lambda x: np.sum(np.where(x > 0, logarithm(x), 0.0)))(np.array([0.0, 2.0]))
    np.testing.assert_array_equal(g, [0, 0.5])


def test_rules_and_arguments_that_differ_in_number_are_an_error():
    with pytest.raises(TypeError, match=r"f: 2 rules for 1 arguments \('x',\); give one rule for each"):
        at.operation(lambda g, y, x: g, lambda g, y, x: g)(f)
    with pytest.raises(TypeError, match=r"f: 0 rules for 1 arguments"):
        at.operation()(f)


def test_rule_of_the_wrong_arguments_is_an_error_that_says_which():
    with pytest.raises(TypeError, match=r"f: rule 0 must take \(g, y, x\): "):
        at.operation(lambda g: g)(f)


def test_rule_of_the_wrong_shape_is_an_error_that_names_the_operation():
    @at.operation(lambda g, y, x: np.zeros(3))
    def crooked(x):
        return x * 2

    with pytest.raises(ShapeError, match=r"crooked: a rule gave shape \(3,\), expected \(2,\)"):
        np.sum(crooked(at.Tensor([1.0, 2.0]))).backward()


def test_unknown_option_is_an_error_that_lists_the_known_ones():
    with pytest.raises(UnsupportedError, match="raised: base= is not supported on a Tensor; supported options: power"):
        raised(at.Tensor(1.0), base=2)


def test_missing_argument_is_an_error_that_names_it():
    with pytest.raises(UnsupportedError, match="product: missing argument b"):
        product(at.Tensor(1.0))


def test_an_operation_made_of_a_numpy_function_leaves_that_function_alone():
    row = OPS[np.sin]
    at.operation(lambda g, y, x: 2 * g)(np.sin)
    assert OPS[np.sin] is row


WRITING = {
    "assigning": lambda x: x.__setitem__(0, 0.0),
    "adding": lambda x: np.add(x, 1, out=x),
    "sorting": lambda x: x.sort(),
}


@pytest.mark.parametrize("write", WRITING.values(), ids=WRITING)
def test_function_that_writes_into_its_argument_is_an_error(write):
    @at.operation(lambda g, y, x: g)
    def careless(x):
        write(x)
        return x + 0

    x = at.Tensor([2.0, 1.0])
    with pytest.raises(UnsupportedError, match=r"careless: the function writes into its arguments, .*; copy first"):
        careless(x)
    assert x.data.tolist() == [2, 1]


@pytest.mark.parametrize("position", [0, 1, 2])
@pytest.mark.parametrize("each", [False, True])
def test_rule_that_writes_into_its_arguments_is_an_error(position, each):
    def rule(*given):
        given[position + each].fill(3.0)
        return given[each]

    @(at.operation(each=rule) if each else at.operation(rule))
    def careless(x):
        return x * 2

    x = at.Tensor([2.0, 1.0])
    loss = np.sum(careless(x))
    with pytest.raises(UnsupportedError, match="careless: a rule writes into its arguments"):
        loss.backward()
    assert x.grad is None
    assert x.data.tolist() == [2, 1]


def test_rule_that_hands_its_gradient_on_leaves_the_leaf_a_gradient_of_its_own():
    @at.operation(lambda g, y, x: g)
    def same(x):
        return x

    x, z = at.Tensor([2.0, 1.0]), at.Tensor([1.0, 1.0])
    np.sum(same(x) + same(z)).backward()
    x.grad *= 5
    assert (x.grad.tolist(), z.grad.tolist()) == ([5, 5], [1, 1])


def test_array_that_a_rule_keeps_is_not_added_to():
    kept = np.array([1.0, 1.0])

    @at.operation(lambda g, y, x: kept)
    def ramp(x):
        return x + 0

    x = at.Tensor([2.0, 1.0])
    np.sum(ramp(x) + ramp(x) + ramp(x)).backward()
    assert (x.grad.tolist(), kept.tolist()) == ([3, 3], [1, 1])
