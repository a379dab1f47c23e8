"""Tensors compute as arrays do: operators, comparison, methods, indexing, NumPy's protocols."""

import operator
import re

import numpy as np
import pytest

import autotiny as at
from autotiny.errors import ShapeError, StaleError, UnsupportedError

BINARY = [operator.add, operator.sub, operator.mul, operator.truediv, operator.pow, operator.mod]
COMPARISONS = [operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne]
X = np.array([[1.0, 2.0], [3.0, 4.0]])
OTHERS = {
    "int": 2,
    "float": 2.5,
    "bool": True,
    "numpy float64": np.float64(2.5),
    "numpy float32": np.float32(2.5),
    "numpy int": np.int8(2),
    "0-d array": np.array(2.5),
    "array": np.array([2.0, 3.0]),
    "integers": np.array([[2, 3], [1, 2]]),
    "column": np.array([[2.0], [3.0]]),
    "list": [2.0, 3.0],
    "nested list": [[2, 3], [1, 2]],
    "tuple": (2.0, 3.0),
    "constant": at.Tensor([2.0, 3.0], requires_grad=False),
    "tensor": at.Tensor([2.0, 3.0]),
}


@pytest.fixture(params=OTHERS.values(), ids=OTHERS)
def other(request):
    return request.param


def plain(value):
    return value.data if isinstance(value, at.Tensor) else value


# ----- operators -----
@pytest.mark.parametrize("op", BINARY)
def test_operators_compute_as_arrays_do_with_the_tensor_on_the_left(op, other):
    result, expected = op(at.Tensor(X), other), op(X, plain(other))
    assert isinstance(result, at.Tensor)
    assert result.requires_grad
    np.testing.assert_array_equal(result.data, expected, strict=True)


@pytest.mark.parametrize("op", BINARY)
def test_operators_compute_as_arrays_do_with_the_tensor_on_the_right(op, other):
    result, expected = op(other, at.Tensor(X)), op(plain(other), X)
    assert isinstance(result, at.Tensor)
    np.testing.assert_array_equal(result.data, expected, strict=True)


@pytest.mark.parametrize("op", BINARY)
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_python_numbers_do_not_change_the_precision(op, dtype):  # NEP 50; autograd 671
    x = at.Tensor(X.astype(dtype))
    assert op(x, 2).dtype == op(2.5, x).dtype == op(x, 2.5).dtype == op(x, True).dtype == dtype
    assert op(at.Tensor(dtype(2)), 2.5).dtype == op(2.5, at.Tensor(dtype(2))).dtype == dtype


@pytest.mark.parametrize("op", BINARY)
def test_operators_on_numbers_compute_as_numbers_do(op):
    assert op(at.Tensor(3.0), at.Tensor(2.0)).item() == op(3.0, 2.0)
    assert op(3, at.Tensor(2.0)).item() == op(3.0, 2.0)
    assert op(at.Tensor(3.0), 2).item() == op(3.0, 2.0)


@pytest.mark.parametrize("op", [operator.neg, operator.pos, operator.abs])
def test_unary_operators_are_recorded(op):
    result = op(at.Tensor(-X))
    np.testing.assert_array_equal(result.data, op(-X))
    assert result.op is not None


@pytest.mark.parametrize("left", [X, X.tolist(), [1.0, 2.0], np.ones(2), np.ones((3, 2, 2))], ids=str)
def test_matrix_product_accepts_arrays_and_lists_on_either_side(left):
    np.testing.assert_array_equal((left @ at.Tensor(X)).data, np.array(left) @ X)
    np.testing.assert_array_equal((at.Tensor(X) @ left).data, X @ np.array(left))


@pytest.mark.parametrize("op", BINARY)
def test_operators_have_gradients_on_both_sides(op):
    a, b = at.Tensor(3.7), at.Tensor(2.2)
    op(a, b).backward()
    h = 1e-6
    np.testing.assert_allclose(a.grad, (op(3.7 + h, 2.2) - op(3.7 - h, 2.2)) / (2 * h), rtol=1e-8)
    np.testing.assert_allclose(b.grad, (op(3.7, 2.2 + h) - op(3.7, 2.2 - h)) / (2 * h), rtol=1e-8)


def test_floor_division_gives_a_plain_array():
    np.testing.assert_array_equal(at.Tensor(X) // 2, X // 2)
    np.testing.assert_array_equal(5 // at.Tensor(X), 5 // X)


AUGMENTED = [operator.iadd, operator.isub, operator.imul, operator.itruediv, operator.ipow, operator.imod]
SIGNS = dict(zip(AUGMENTED, ["+=", "-=", "*=", "/=", "**=", "%="], strict=True))


@pytest.mark.parametrize(("op", "plain_op"), list(zip(AUGMENTED, BINARY, strict=True)))
def test_augmented_assignment_to_a_result_or_to_data_makes_a_new_tensor(op, plain_op):
    for x in at.Tensor([1.0, 2.0]) * 1, at.Tensor([1.0, 2.0], requires_grad=False):
        y = op(x, at.Tensor([3.0, 0.5]))
        assert x.tolist() == [1, 2]
        np.testing.assert_array_equal(y.data, plain_op(np.array([1.0, 2.0]), np.array([3.0, 0.5])))
        assert y.parents[0] is x


@pytest.mark.parametrize("op", [*AUGMENTED, operator.imatmul, operator.ifloordiv])
def test_augmented_assignment_to_a_leaf_is_an_error_that_says_how_to_update_it(op):
    W, step = at.Tensor([1.0, 2.0]), np.ones(2)
    words = r"would make W a result.*`with at\.no_grad\(\):.*, or W\.data \S*= \.\.\.; for a new value, W = W"
    with pytest.raises(UnsupportedError, match=rf"W {re.escape(SIGNS.get(op, ''))}.*{words}"):
        op(W, step)
    assert W.tolist() == [1, 2]


@pytest.mark.parametrize(
    ("op", "plain_op"), [*zip(AUGMENTED, BINARY, strict=True), (operator.ifloordiv, np.floor_divide)]
)
@pytest.mark.parametrize("value", [2.0, [1.0, 3.0]], ids=["number", "array"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_augmented_assignment_under_no_grad_updates_the_leaf(op, plain_op, value, dtype):
    W, step = at.Tensor(value, dtype=dtype), np.asarray(value) + 0.5
    with at.no_grad():
        updated = op(W, step)
    assert updated is W
    assert (W.op, W.requires_grad, W.dtype) == (None, True, dtype)
    np.testing.assert_allclose(W.data, plain_op(np.asarray(value), step), rtol=1e-6)


def test_an_updated_leaf_keeps_the_array_that_was_handed_out():
    W = at.Tensor([1.0, 2.0])
    a = W.data
    with at.no_grad():
        W -= 1
    a += 5
    assert W.tolist() == [5, 6]


def test_an_update_leaves_results_alone_and_makes_their_graph_stale():
    W = at.Tensor([1.0, 2.0])
    h = W.reshape(2, 1)
    y = np.sum(h * h)
    with at.no_grad():
        W *= 3
    assert h.tolist() == [[1], [2]]
    with pytest.raises(StaleError, match="W was assigned after it was recorded"):
        y.backward()


@pytest.mark.parametrize(("step", "words"), [(np.ones((3, 2)), r"W\.data has shape \(2,\)"), (1j, "complex")])
def test_an_update_keeps_the_shape_and_the_kind_of_a_leaf(step, words):
    W = at.Tensor([1.0, 2.0])
    with at.no_grad(), pytest.raises((ShapeError, UnsupportedError), match=words):
        W -= step
    assert W.tolist() == [1, 2]


def test_gradient_descent_by_augmented_assignment_grows_no_graph():
    W = at.Tensor([1.0, 2.0])
    for _ in range(3):
        J = np.sum((W - 3) ** 2)
        W.grad = None
        J.backward()
        with at.no_grad():
            W -= 0.5 * W.grad
    assert W.tolist() == [3, 3]


@pytest.mark.parametrize("transform", [at.grad, at.jacobian, lambda f: lambda x: at.vjp(f, x)[1](1.0)[0]])
def test_an_argument_that_is_differentiated_by_may_be_reassigned(transform):
    def f(x):
        x -= 1
        x *= x
        total = 0.0
        for row in x:
            total += row
        return total

    np.testing.assert_array_equal(transform(f)(np.array([3.0, 5.0])), [4, 8])


def test_entries_of_a_leaf_are_set_under_no_grad():
    W = at.Tensor([[1.0, 2.0], [3.0, 4.0]])
    with at.no_grad():
        W[0] = 5
        W[1, 0] += at.Tensor(1.0)
        W[:, [1]] -= 1
    assert W.tolist() == [[5, 4], [4, 3]]
    np.sum(W * W).backward()
    assert W.grad.tolist() == [[10, 8], [8, 6]]


@pytest.mark.parametrize("value", ["a", None, object(), {}])
def test_operators_with_what_is_no_number_are_type_errors(value):
    with pytest.raises(TypeError, match=r"unsupported operand type\(s\) for \+: 'Tensor' and"):
        at.Tensor(1.0) + value
    with pytest.raises(TypeError, match=r"unsupported operand type\(s\) for \-: .* and 'Tensor'"):
        value - at.Tensor(1.0)


def test_other_classes_may_take_part_in_operators():
    class Quantity:
        def __radd__(self, other):
            return "mine"

    assert at.Tensor(1.0) + Quantity() == "mine"


@pytest.mark.parametrize("value", [["a", "b"], np.array(["a", "b"]), np.array([None, 1])])
def test_operators_refuse_text_and_objects_in_arrays(value):
    with pytest.raises(UnsupportedError, match="multiply: expected numbers, got"):
        at.Tensor([1.0, 2.0]) * value


def test_operators_refuse_ragged_lists():
    with pytest.raises(UnsupportedError, match="add: the values do not form an array"):
        operator.add(at.Tensor([1.0, 2.0]), [[1], [1, 2]])


def test_operators_refuse_masked_arrays():
    with pytest.raises(UnsupportedError, match=r"multiply: masked arrays are not supported"):
        at.Tensor([1.0, 2.0]) * np.ma.array([1.0, 2.0], mask=[0, 1])


@pytest.mark.parametrize("op", BINARY)
def test_operators_take_lists_of_tensors(op):
    x, y = at.Tensor(3.0), at.Tensor([1.0, 2.0])
    for a, b in ((y, [x, 2.0]), ([x, 2.0], y)):
        np.testing.assert_array_equal(op(a, b).data, op(np.array(plain_list(a)), np.array(plain_list(b))))
    np.sum(y * [x, x * x]).backward()
    assert x.grad == 1 + 2 * 2 * 3


def plain_list(values):
    return [plain(value) for value in values]


@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")
@pytest.mark.parametrize("call", [lambda M, W: M * W, lambda M, W: W @ M, lambda M, W: np.multiply(M, W)])
def test_a_numpy_matrix_is_refused_since_its_product_is_another(call):
    with pytest.raises(UnsupportedError, match=r"np\.matrix is not supported, .*; use np\.asarray\(\.\.\.\), and @"):
        call(np.matrix(X), at.Tensor(X))


# ----- comparison -----
@pytest.mark.parametrize("op", COMPARISONS)
def test_comparisons_give_plain_truth_values(op, other):
    for result, expected in (
        (op(at.Tensor(X), other), op(X, plain(other))),
        (op(other, at.Tensor(X)), op(plain(other), X)),
    ):
        assert type(result) is np.ndarray
        np.testing.assert_array_equal(result, expected, strict=True)


@pytest.mark.parametrize("function", [np.equal, np.less, np.logical_and, np.floor_divide])
def test_comparison_into_a_tensor_is_an_error(function):
    with pytest.raises(UnsupportedError, match=rf"{function.__name__}: out= cannot be a Tensor; assign the result"):
        function(X, 1.0, out=at.Tensor(X))


def test_tensors_hash_by_identity():
    x, y = at.Tensor(1.0), at.Tensor(1.0)
    assert len({x, y, x}) == 2
    assert {x: "x"}[x] == "x"


def test_a_value_is_found_in_a_tensor():
    assert 3.0 in at.Tensor([1.0, 3.0])
    assert 2.0 not in at.Tensor([1.0, 3.0])


# ----- methods and indexing -----
METHODS = [
    ("sum", (), {}), ("sum", (0,), {}), ("sum", (), {"axis": 1, "keepdims": True}), ("prod", (), {}),
    ("mean", (1,), {}), ("var", (), {"ddof": 1}), ("std", (), {}), ("max", (0,), {}), ("min", (), {}),
    ("cumsum", (1,), {}), ("cumprod", (0,), {}), ("dot", (X,), {}), ("trace", (), {}), ("diagonal", (), {}),
    ("clip", (1.5, 3.0), {}), ("round", (), {}), ("ravel", (), {}), ("flatten", (), {}), ("squeeze", (), {}),
    ("swapaxes", (0, 1), {}), ("repeat", (2,), {"axis": 0}), ("take", ([1, 0],), {}), ("copy", (), {}),
    ("reshape", (4,), {}), ("reshape", ((1, 4),), {}), ("reshape", (-1, 1), {}), ("transpose", (), {}),
    ("transpose", (1, 0), {}), ("transpose", ((0, 1),), {}), ("astype", (np.float32,), {}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "args", "options"), METHODS)
def test_methods_are_those_of_arrays_and_are_recorded(name, args, options):
    x = at.Tensor(X)
    result = getattr(x, name)(*args, **options)
    np.testing.assert_array_equal(result.data, getattr(X, name)(*args, **options), strict=True)
    assert result.requires_grad


@pytest.mark.parametrize("options", [{"shape": (3, 2)}, {"shape": -1, "order": "F"}])
def test_shape_may_be_given_by_name(options):
    a = np.arange(6.0).reshape(2, 3)
    np.testing.assert_array_equal(at.Tensor(a).reshape(**options).data, np.reshape(a, *options.values()))


@pytest.mark.parametrize("name", ["argmax", "argmin", "argsort", "any", "all"])
def test_methods_without_a_gradient_give_plain_arrays(name):
    result = getattr(at.Tensor(X), name)()
    np.testing.assert_array_equal(result, getattr(X, name)())
    assert not isinstance(result, at.Tensor)


def test_transposes_are_those_of_arrays():
    a = np.arange(24.0).reshape(2, 3, 4)
    assert at.Tensor(a).T.shape == (4, 3, 2)
    assert at.Tensor(a).mT.shape == (2, 4, 3)


@pytest.mark.parametrize("dtype", [int, bool, np.uint8, "int16"])
def test_astype_of_integers_and_truth_values_is_a_plain_array(dtype):
    result = at.Tensor([1.5, 2.5]).astype(dtype)
    np.testing.assert_array_equal(result, np.array([1.5, 2.5]).astype(dtype), strict=True)


@pytest.mark.parametrize("dtype", [object, str, "datetime64[s]"])
def test_astype_of_what_has_no_gradient_is_an_error(dtype):
    W = at.Tensor([1.5, 2.5])
    with pytest.raises(UnsupportedError, match=r"astype: W holds numbers.* or convert W\.data for the values"):
        W.astype(dtype)


def test_astype_takes_copy_as_numpy_does():
    assert at.Tensor([1.5]).astype(np.float32, copy=False).dtype == np.float32


def test_full_like_is_recorded_and_refuses_to_round():
    x, t = at.Tensor(X), at.Tensor(2.0)
    np.sum(np.full_like(x, t) * X).backward()
    assert t.grad == X.sum()
    assert np.full_like(X.astype(int), 3.7).tolist() == [[3, 3], [3, 3]]
    with pytest.raises(UnsupportedError, match="full_like: an array of int64 has no gradient; give dtype=float"):
        np.full_like(x, t, dtype=int)


def test_full_like_of_constants_is_an_array_of_its_own():
    result = np.full_like(at.Tensor(X), 3.0)
    result[0] = 1
    assert result.tolist() == [[1, 1], [3, 3]]


def test_astype_carries_the_gradient_back_in_its_own_precision():
    x = at.Tensor([1.0, 2.0])
    np.sum(x.astype(np.float32) * 3).backward()
    assert x.grad.dtype == np.float64
    assert x.grad.tolist() == [3, 3]


def test_detach_is_a_constant_copy():
    x = at.Tensor([1.0, 2.0], name="x")
    y = (x * x).detach()
    assert (y.requires_grad, y.op, x.detach().name) == (False, None, "x")
    z = np.sum(x * y)
    z.backward()
    assert x.grad.tolist() == [1, 4]


def test_a_detached_value_shares_no_memory():
    x = at.Tensor([1.0, 2.0])
    y = x.detach()
    y.data[0] = 9
    assert x.tolist() == [1, 2]


KEYS = [
    0,
    -1,
    slice(1, None),
    (0, 1),
    (..., 0),
    (None, 1),
    [1, 0, 1],
    np.array([0, 1]),
    X > 1,
    (slice(None), [True, False]),
]


@pytest.mark.parametrize("key", KEYS, ids=str)
def test_indexing_is_that_of_arrays_and_is_recorded(key):
    x = at.Tensor(X)
    np.testing.assert_array_equal(x[key].data, X[key])
    np.sum(3 * x[key]).backward()
    expected = np.zeros_like(X)
    np.add.at(expected, key, 3)
    np.testing.assert_array_equal(x.grad, expected)


def test_integer_tensors_index():
    labels = at.Tensor([1, 0], requires_grad=False)
    np.testing.assert_array_equal(at.Tensor(X)[labels].data, X[[1, 0]])


def test_iteration_gives_recorded_rows():
    x = at.Tensor(X)
    first, second = x
    np.sum(first * second).backward()
    np.testing.assert_array_equal(x.grad, X[::-1])


def test_a_tensor_cannot_be_assigned_into():
    W = at.Tensor(X)
    with pytest.raises(UnsupportedError, match=r"write W = at\.index_update\(W, 0, 1\.0\), .* W\.data\[\.\.\.\] = "):
        W[0] = 1.0


# ----- NumPy's protocols -----
def test_numpy_functions_of_tensors_are_recorded():
    assert np.tanh(at.Tensor(X)).op.name == "tanh"
    assert np.add(X, at.Tensor(X)).op.name == "add"


@pytest.mark.parametrize("function", [np.add, np.multiply, np.maximum, np.minimum])
def test_reductions_of_ufuncs_are_recorded(function):
    result = function.reduce(at.Tensor(X))
    np.testing.assert_array_equal(result.data, function.reduce(X))
    assert result.requires_grad


def test_the_method_of_ufuncs_that_writes_is_refused():
    row = at.Tensor(X[0])
    with pytest.raises(UnsupportedError, match=r"add\.at changes .* write X = at\.index_update\(X, 0, row, np\.add\)"):
        np.add.at(X, 0, row)


@pytest.mark.parametrize("convert", [np.array, np.asarray, np.ascontiguousarray, np.float64, np.asanyarray])
def test_a_tracked_tensor_does_not_turn_into_a_plain_array_in_silence(convert):
    W = at.Tensor([1.0, 2.0])
    with pytest.raises(UnsupportedError, match=r"W is tracked.* W\.data for the value"):
        convert(W)


def test_a_constant_turns_into_an_array():
    X = at.Tensor([1, 2], requires_grad=False)
    assert np.array(X).tolist() == [1, 2]
    assert np.asarray(X, dtype=np.float32).dtype == np.float32


def test_an_array_made_of_a_constant_cannot_change_it():
    X = at.Tensor([1.0, 2.0], requires_grad=False)
    np.array(X)[0] = 9
    with pytest.raises(ValueError, match="read-only"):
        np.asarray(X)[0] = 9
    assert X.tolist() == [1, 2]


@pytest.mark.parametrize("place", [0, (0,), slice(0, 2), [0, 1], ...], ids=str)
def test_a_tensor_cannot_be_stored_into_an_array_in_silence(place):  # autograd 58, 177, 181, 515, 556, 559
    a, x = np.zeros(2), at.Tensor(1.0)
    with pytest.raises((TypeError, ValueError)) as raised:
        a[place] = x
    why = raised.value.__cause__ or raised.value  # NumPy puts words of its own before it where the place is an entry
    assert "x is tracked" in str(why)
    assert "write a = at.index_update(a, place, x)" in str(why)


def test_the_value_of_a_tensor_can_be_stored_anywhere():
    x, c = at.Tensor(1.5), at.Tensor(2.5, requires_grad=False)
    a, history, named = np.zeros(4), [0.0], {}
    a[0], a[1], a[2], a[3] = float(x), x.item(), x.data, c
    history[0], named["x"] = float(x), float(x)
    assert (a.tolist(), history, named) == ([1.5, 1.5, 1.5, 2.5], [1.5], {"x": 1.5})


def test_a_tensor_cannot_be_added_into_an_array():
    a = np.zeros(2)
    with pytest.raises(UnsupportedError, match="add: out= is not supported on a Tensor"):
        a += at.Tensor([1.0, 2.0])


def test_tensor_has_no_subclasses():
    with pytest.raises(UnsupportedError, match="Parameter: Tensor cannot be subclassed; hold a Tensor in an attribute"):
        type("Parameter", (at.Tensor,), {})


# ----- shapes that do not fit -----
@pytest.mark.parametrize("op", [o for o in BINARY if o is not operator.mod])
def test_shapes_that_do_not_fit_are_refused_when_the_expression_is_built(op):
    a, b = at.Tensor(np.ones((2, 3))), at.Tensor(np.ones(2))
    words = (
        r"a \(2, 3\) .+ b \(2,\): shapes do not broadcast: sizes 2 and 3 differ in axis -1; b\[:, None\] is \(2, 1\)"
    )
    with pytest.raises(ShapeError, match=words):
        op(a, b)
