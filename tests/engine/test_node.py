"""A node's value, gradient, conversions, copies and words."""

import copy
import pickle

import numpy as np
import pytest

import autotiny as at
from autotiny.errors import ShapeError, UnsupportedError


# ----- making one -----
def test_construction_copies_the_array():
    a = np.ones(2)
    t = at.Tensor(a)
    a[0] = 5
    assert t.tolist() == [1, 1]


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.longdouble])
def test_floating_point_types_are_kept(dtype):
    assert at.Tensor(np.ones(3, dtype)).dtype == dtype
    assert at.Tensor(dtype(1)).dtype == dtype


@pytest.mark.parametrize("data", [3, True, [1, 2], np.array([1, 2], np.int8), np.array([True]), np.uint8(4)])
def test_integers_and_truth_values_become_float64_where_tracked(data):
    assert at.Tensor(data).dtype == np.float64


@pytest.mark.parametrize(("data", "kind"), [([1, 2], "i"), (np.uint8(4), "u"), ([True], "b"), (1.0, "f")])
def test_constants_keep_their_type(data, kind):
    assert at.Tensor(data, requires_grad=False).dtype.kind == kind


def test_dtype_sets_the_precision():
    assert at.Tensor([1, 2], dtype=np.float32).dtype == np.float32


@pytest.mark.parametrize("data", [2.0, [], [[]], [[1.0], [2.0]], np.zeros((2, 0, 3)), np.zeros((1, 1, 1, 1))])
def test_shape_ndim_and_size_are_those_of_the_array(data):
    t, a = at.Tensor(data), np.array(data)
    assert (t.shape, t.ndim, t.size) == (a.shape, a.ndim, a.size)


REFUSED = [
    ("abc", "expected numbers, got <U3; convert them, or encode labels with at.one_hot"),
    (["cat", "dog"], "expected numbers, got <U3"),
    (None, "expected numbers, got object"),
    ({"W": 1}, "expected numbers, got object"),
    (np.datetime64("2020-01-01"), "expected numbers, got datetime64"),
    ([[1, 2], [3]], "do not form an array .* rows must have equal lengths"),
    (at.Tensor(1.0, name="W"), "W is tracked, and turning it into a plain array would lose its gradient"),
    ([at.Tensor(1.0, name="W"), 2.0], r"W is tracked.* use at\.array\(data\)"),
    ([at.Tensor([1.0], name="W")], r"W is tracked.* use at\.array\(data\)"),
    (np.ma.array([1.0, 2.0], mask=[0, 1]), r"masked arrays are not supported; use \.filled\(\)"),
]


@pytest.mark.parametrize(("data", "words"), REFUSED, ids=[str(data) for data, _ in REFUSED])
@pytest.mark.parametrize("requires_grad", [True, False])
def test_what_is_no_array_of_numbers_is_refused(data, words, requires_grad):
    with pytest.raises(UnsupportedError, match=words):
        at.Tensor(data, requires_grad)


@pytest.mark.parametrize("data", [1j, [1j], np.array([1j])])
def test_complex_numbers_are_refused_in_a_real_type(data):
    with pytest.raises(UnsupportedError, match="Tensor: complex128 numbers would lose their imaginary part as float64"):
        at.Tensor(data, dtype=np.float64)


def test_a_constant_tensor_may_be_copied_into_a_new_one():
    assert at.Tensor(at.Tensor([1, 2], requires_grad=False)).tolist() == [1.0, 2.0]


def test_no_other_attributes_can_be_set():
    with pytest.raises(AttributeError):
        at.Tensor(1.0).gard = 0


# ----- value -----
def test_data_of_a_leaf_is_its_own_array():
    t = at.Tensor([1.0, 2.0])
    t.data[0] = 5
    assert t.tolist() == [5, 2]


@pytest.mark.parametrize("t", [at.Tensor(2.0), at.Tensor(2.0) * 3, at.Tensor(2.0, requires_grad=False)])
def test_data_of_a_number_is_a_0d_array(t):
    assert type(t.data) is np.ndarray
    assert t.data.shape == ()


def test_data_of_a_number_can_be_written_to():
    t = at.Tensor(2.0)
    t.data[...] = 3
    assert (t * t).item() == 9


@pytest.mark.parametrize("make", [lambda x: x * 2, lambda x: x.T, lambda x: x.reshape(2), lambda x: x[:], np.sum])
def test_data_of_a_result_is_read_only(make):
    result = make(at.Tensor([1.0, 2.0]))
    with pytest.raises(ValueError, match="read-only"):
        result.data[...] = 0


def test_assigned_data_is_copied():
    t, a = at.Tensor([1.0, 2.0]), np.array([3.0, 4.0])
    t.data = a
    a[0] = 0
    assert t.tolist() == [3, 4]


@pytest.mark.parametrize("value", [[3, 4], (3.0, 4.0), np.array([3, 4]), at.Tensor([3.0, 4.0], requires_grad=False)])
def test_assigned_data_takes_the_type_of_the_leaf(value):
    t = at.Tensor([1.0, 2.0], dtype=np.float32)
    t.data = value
    assert t.data.tolist() == [3, 4]
    assert t.dtype == np.float32


def test_assigning_integers_to_an_integer_constant_keeps_its_type():
    t = at.Tensor([1, 2], requires_grad=False)
    t.data = [3, 4]
    assert t.dtype == np.int64


@pytest.mark.parametrize("step", [0.5, np.float64(0.5), at.Tensor(0.5, requires_grad=False)])
def test_a_number_is_updated_by_assignment(step):
    t = at.Tensor(2.0)
    t.data = step
    t.data = t.data - 0.25
    t.data -= 0.25
    assert t.item() == 0


def test_an_assigned_leaf_is_its_own_again_and_needs_no_watching():
    t = at.Tensor([1.0, 2.0])
    t.data = t.data - 0.5
    assert (t * t)._notes is None


def test_gradient_descent_in_either_spelling_moves_a_leaf():
    t = at.Tensor([1.0, 2.0])
    np.sum(t * t).backward()
    t.data -= 0.25 * t.grad
    t.data = t.data - 0.25 * t.grad
    assert t.tolist() == [0, 0]


@pytest.mark.parametrize("value", [[1.0], 1.0, [[1.0, 2.0]], [1.0, 2.0, 3.0]])
def test_assigned_data_must_have_the_shape_of_the_leaf(value):
    W = at.Tensor([1.0, 2.0])
    with pytest.raises(ShapeError, match=r"W\.data has shape \(2,\), and a value of shape \(.*\) was assigned"):
        W.data = value
    assert W.tolist() == [1, 2]


@pytest.mark.parametrize(("value", "words"), [([1j, 2], "complex"), ("ab", "numbers"), (None, "numbers")])
def test_assigned_data_must_be_real_numbers(value, words):
    W = at.Tensor([1.0, 2.0])
    with pytest.raises(UnsupportedError, match=rf"Tensor\.data: .*{words}"):
        W.data = value


def test_a_tracked_tensor_cannot_be_assigned_to_data():
    W = at.Tensor([1.0, 2.0])
    with pytest.raises(UnsupportedError, match="would lose its gradient"):
        W.data = W - 0.1 * W


def test_data_of_a_result_cannot_be_assigned():
    Z = at.Tensor([1.0]) * 2
    with pytest.raises(UnsupportedError, match="Z is the result of multiply: only the data of a leaf can be assigned"):
        Z.data = [3.0]


# ----- gradient -----
def test_there_is_no_gradient_before_backward():
    assert at.Tensor(1.0).grad is None


@pytest.mark.parametrize("data", [2.0, [2.0], [[1.0, 2.0]]])
def test_gradients_are_arrays_also_of_numbers(data):
    x = at.Tensor(data)
    y = x * x
    np.sum(y).backward()
    assert type(x.grad) is type(y.grad) is np.ndarray
    assert x.grad.shape == y.grad.shape == x.shape


def test_gradient_of_a_leaf_may_be_changed_in_place():
    x = at.Tensor(2.0)
    (x * x).backward()
    x.grad *= 0.5
    assert x.grad == 2


def test_changing_a_gradient_in_place_makes_no_copy():
    x = at.Tensor([2.0])
    np.sum(x * x).backward()
    g = x.grad
    x.grad *= 0.5
    assert x.grad is g


def test_gradient_of_a_result_is_read_only():
    y = at.Tensor([2.0]) * 3
    np.sum(y).backward()
    with pytest.raises(ValueError, match="read-only"):
        y.grad[0] = 0


def test_gradients_can_be_assigned_and_cleared():
    x = at.Tensor([1.0, 2.0], dtype=np.float32)
    x.grad = [3, 4]
    assert x.grad.dtype == np.float32
    assert x.grad.tolist() == [3, 4]
    x.grad = None
    assert x.grad is None


def test_an_assigned_gradient_is_a_copy():
    x, g = at.Tensor([1.0, 2.0]), np.ones(2)
    x.grad = g
    x.grad *= 3
    assert g.tolist() == [1, 1]


def test_an_assigned_gradient_must_have_the_shape_of_its_tensor():
    W = at.Tensor([1.0, 2.0])
    with pytest.raises(ShapeError, match=r"W\.grad must have shape \(2,\); a value of shape \(3,\) was assigned"):
        W.grad = np.ones(3)


# ----- structure -----
def test_a_leaf_has_no_operation_and_no_parents():
    x = at.Tensor(1.0)
    assert (x.op, x.args, x.parents, dict(x.kwargs)) == (None, (), (), {})


def test_args_keep_operands_in_order_and_constants_as_they_came():
    x, y = at.Tensor(3.0), at.Tensor(2.0)
    assert (2.5 - x).args == (2.5, x)
    assert (y - x).parents == (y, x)


def test_a_square_written_as_a_product_has_two_parents():
    x = at.Tensor(3.0)
    assert (x * x).parents == (x, x)


def test_kwargs_hold_the_options():
    assert np.sum(at.Tensor([[1.0]]), axis=0).kwargs == {"axis": 0}


# ----- out of the graph -----
def test_numbers_come_out_as_python_numbers():
    t = at.Tensor([[2.5]])
    assert (t.item(), float(t), int(t), bool(t), t.tolist()) == (2.5, 2.5, 2, True, [[2.5]])
    assert (type(t.item()), type(float(t)), type(int(t))) == (float, float, int)


def test_zero_is_false():
    assert not at.Tensor(0.0)


@pytest.mark.parametrize("convert", [float, int, at.Tensor.item])
def test_only_a_single_entry_is_a_number(convert):
    with pytest.raises(ValueError, match="has 2 entries, not one"):
        convert(at.Tensor([1.0, 2.0]))


@pytest.mark.parametrize(("data", "n"), [([1.0, 2.0], 2), ([], 0)])
def test_truth_of_several_entries_is_ambiguous(data, n):
    W = at.Tensor(data)
    with pytest.raises(ShapeError, match=rf"W has {n} entries, so it is neither true nor false: use \.any\(\)"):
        bool(W)


def test_length_is_that_of_the_first_axis():
    assert len(at.Tensor(np.zeros((3, 2)))) == 3


@pytest.mark.parametrize("ask", [len, iter, list])
def test_a_number_has_no_length(ask):
    W = at.Tensor(1.0)
    with pytest.raises(UnsupportedError, match="W is a single number: it has no length"):
        ask(W)


# ----- copies -----
CLONES = {"copy": copy.copy, "deepcopy": copy.deepcopy, "pickle": lambda t: pickle.loads(pickle.dumps(t))}


@pytest.fixture(params=CLONES.values(), ids=CLONES)
def clone(request):
    return request.param


def test_copies_of_leaves_have_equal_facts(clone):
    W = at.Tensor([[1.0, 2.0]], name="W", dtype=np.float32)
    np.sum(W * W).backward()
    V = clone(W)
    assert (V.name, V.dtype, V.requires_grad, V.op) == ("W", np.float32, True, None)
    np.testing.assert_array_equal(V.data, W.data)
    np.testing.assert_array_equal(V.grad, W.grad)


def test_copies_of_leaves_share_nothing(clone):
    W = at.Tensor([1.0, 2.0])
    np.sum(W * W).backward()
    V = clone(W)
    V.data[...] = 0
    V.grad[...] = 0
    assert (W.tolist(), W.grad.tolist()) == ([1, 2], [2, 4])


def test_copies_of_constants_are_constants(clone):
    V = clone(at.Tensor([1, 2], requires_grad=False))
    assert not V.requires_grad
    assert V.dtype == np.int64


def test_a_parameter_used_twice_is_one_parameter_in_a_deep_copy():
    W = at.Tensor(1.0)
    first, second = copy.deepcopy([W, W])
    assert first is second is not W


@pytest.mark.parametrize(("name", "words"), [("Z", "Z is the result of multiply"), (None, "this is the result of")])
def test_results_cannot_be_pickled(name, words):
    Z = at.Tensor(1.0) * 2
    Z.name = name
    with pytest.raises(UnsupportedError, match=rf"{words}.*: only leaves can be pickled; detach\(\) it"):
        pickle.dumps(Z)


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy])
def test_copies_of_results_are_recorded(duplicate):
    x = at.Tensor(3.0)
    duplicate(x * x).backward()
    assert x.grad == 6


# ----- whether gradients are wanted -----
def test_a_result_cannot_be_untracked():
    x = at.Tensor(2.0)
    h = x * x
    with pytest.raises(UnsupportedError, match=r"h is the result of multiply: .* use h\.detach\(\)"):
        h.requires_grad = False
    h.requires_grad = True
    (h * x).backward()
    assert x.grad == 12


def test_an_argument_that_is_differentiated_by_cannot_be_untracked():
    def f(x):
        x.requires_grad = False
        return x * x

    with pytest.raises(UnsupportedError, match=r"x is an argument of a function .*: .* x\.detach\(\)"):
        at.grad(f)(2.0)


def test_a_leaf_can_be_untracked_and_tracked_again():
    x = at.Tensor(2.0)
    x.requires_grad = False
    assert not (x * x).requires_grad
    x.requires_grad = True
    (x * x).backward()
    assert x.grad == 4


@pytest.mark.parametrize("value", ["False", None, 0, 1.0])
def test_requires_grad_is_true_or_false(value):
    W = at.Tensor(1.0)
    with pytest.raises(UnsupportedError, match=r"W\.requires_grad: expected True or False, got"):
        W.requires_grad = value


@pytest.mark.parametrize(
    ("attribute", "mend"),
    [("shape", "reshape"), ("dtype", "astype"), ("ndim", "reshape"), ("size", "reshape"), ("T", "transpose")],
)
def test_attributes_that_follow_from_the_value_cannot_be_assigned(attribute, mend):
    W = at.Tensor([1.0, 2.0])
    with pytest.raises(UnsupportedError, match=rf"W\.{attribute} cannot be assigned: use W\.{mend}\(.*\), which"):
        setattr(W, attribute, (2, 1))


# ----- words -----
@pytest.mark.parametrize(
    ("tensor", "words"),
    [
        (at.Tensor(2.0), "Tensor(2., shape=(), float64)"),
        (at.Tensor([1.0, 2.5], name="W"), "Tensor(W: [1. , 2.5], shape=(2,), float64)"),
        (at.Tensor([1], requires_grad=False), "Tensor([1], shape=(1,), int64, constant)"),
        (at.Tensor(2.0, dtype=np.float32) * 3, "Tensor(6., shape=(), float32, multiply)"),
    ],
)
def test_repr_says_name_values_shape_type_and_origin(tensor, words):
    assert repr(tensor) == str(tensor) == words


@pytest.mark.parametrize("shape", [(10**6,), (1000, 1000), (100, 100, 100), (10,) * 6, (1,) * 9, (0, 3)])
def test_repr_is_short_for_any_shape(shape):  # JAX PR 16404: thousands of numbers
    rng = np.random.default_rng(0)
    assert len(repr(at.Tensor(-rng.random(shape) * 1e-300, name="W"))) < 400


def test_repr_follows_no_print_options():
    with np.printoptions(precision=17, threshold=10**6):
        assert repr(at.Tensor([1 / 3])) == "Tensor([0.3333], shape=(1,), float64)"


def test_looking_at_a_tensor_leaves_no_trace():
    x = at.Tensor([1.0, 2.0])
    y = np.sum(x * x)
    f"{x} {y} {x.shape} {y:.3f} {x!r}"
    assert x._notes is y._notes is None


def test_format_writes_the_number():
    assert f"{at.Tensor(2.0):.2f} {at.Tensor([3.0]):05.1f}" == "2.00 003.0"


def test_format_without_a_specification_is_str():
    assert f"{at.Tensor([1.0, 2.0])}" == "Tensor([1., 2.], shape=(2,), float64)"


def test_a_hostile_name_does_no_harm_in_a_terminal():
    shown = repr(at.Tensor(1.0, name="red\x1b[31m" + 1000 * "w"))
    assert "\x1b" not in shown
    assert len(shown) < 120
