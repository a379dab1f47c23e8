"""Functions of derivatives, against closed forms and against one another."""

import copy
import functools
import inspect
import itertools
import math
import pickle
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
import pytest

import autotiny as at
from autotiny.engine.pytree import tree_map
from autotiny.errors import ShapeError, StaleError, UnsupportedError

X = np.array([0.3, -0.7, 1.1])
A = np.array([[2.0, 1.0, 0.0], [1.0, -3.0, 0.5], [0.0, 0.5, 1.0]])


def is_array(value):
    return type(value) is np.ndarray


# ----- grad and value_and_grad -----
def test_grad_of_a_number_is_a_0d_array():
    result = at.grad(lambda x: x**3)(2.0)
    assert is_array(result)
    assert result.shape == ()
    assert result == 12


@pytest.mark.parametrize("x", [2, True, np.int8(2), np.array(2)])
def test_integers_are_differentiated_as_float64(x):  # MyGrad 340
    result = at.grad(lambda x: x * x / 2)(x)
    assert result.dtype == np.float64
    assert result == float(x)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_transforms_keep_the_precision(dtype):
    x, f = X.astype(dtype), lambda x: np.sum(np.tanh(x) * 2.0)
    value, gradient = at.value_and_grad(f)(x)
    tangent = at.jvp(f, (x,), (x,))[1]
    results = value, gradient, tangent, at.jacobian(np.tanh)(x), at.hessian(f)(x), at.hvp(f)(x, x)
    assert {r.dtype for r in results} == {np.dtype(dtype)}


def test_value_and_grad_gives_both():
    value, gradient = at.value_and_grad(lambda x: x @ A @ x)(X)
    np.testing.assert_allclose(value, X @ A @ X, rtol=1e-15)
    np.testing.assert_allclose(gradient, (A + A.T) @ X, rtol=1e-14)


@pytest.mark.parametrize(
    ("argnums", "expected"),
    [(0, 3.0), (1, 2.0), (-1, 2.0), ((0,), (3.0,)), ((0, 1), (3.0, 2.0)), ((1, 0), (2.0, 3.0)), (np.int64(1), 2.0)],
)
def test_argnums_choose_the_arguments(argnums, expected):
    assert at.grad(lambda x, y: x * y, argnums)(2.0, 3.0) == expected


@pytest.mark.parametrize("argnums", [2, -3, (0, 2)])
def test_an_argument_that_was_not_given_is_named(argnums):  # autograd always says argument 0
    words = rf"grad: argnums={argnums} asks for an argument that was not given; there are 2".replace("(", r"\(")
    with pytest.raises(UnsupportedError, match=words.replace(")", r"\)")):
        at.grad(lambda x, y: x * y, argnums)(2.0, 3.0)


@pytest.mark.parametrize("argnums", [(0, 0), (0, -2)])
def test_an_argument_is_asked_for_once(argnums):
    with pytest.raises(UnsupportedError, match=r"grad: argnums=\(0, .*\) names an argument twice"):
        at.grad(lambda x, y: x * y, argnums)(2.0, 3.0)


def test_keywords_and_other_arguments_pass_through_untouched():
    def f(x, n, *, axis, scale=1.0):
        assert (n, axis) == ("n", 0)
        return np.sum(x, axis=axis) * scale

    assert at.grad(f)(np.ones(2), "n", axis=0, scale=3.0).tolist() == [3.0, 3.0]


def test_other_arguments_are_constants():
    def f(x, y):
        assert is_array(y)
        return np.sum(x * y)

    np.testing.assert_array_equal(at.grad(f)(X, 2 * X), 2 * X)


def test_grad_passes_a_list_as_a_tree_of_numbers():
    assert at.grad(lambda p: p[0] * p[1])([2.0, 5.0]) == [5.0, 2.0]


class Layer(NamedTuple):
    W: object
    b: object


TREES = [
    {"W": A, "b": X},
    (A, X),
    [A, [X]],
    Layer(A, X),
    {"layers": [Layer(A, X), Layer(A.T, 2 * X)], "scale": 3.0},
    {},
    {"none": [], "some": X},
]


def sum_of_squares(tree):
    if isinstance(tree, dict):
        tree = list(tree.values())
    return sum(map(sum_of_squares, tree), 0.0) if isinstance(tree, list | tuple) else np.sum(tree * tree)


def assert_trees_equal(actual, expected):
    assert type(actual) is type(expected) or not isinstance(expected, dict | list | tuple)
    if isinstance(expected, dict):
        assert list(actual) == list(expected)
        actual, expected = list(actual.values()), list(expected.values())
    if isinstance(expected, list | tuple):
        for a, e in zip(actual, expected, strict=True):
            assert_trees_equal(a, e)
    else:
        np.testing.assert_array_equal(actual, expected)


@pytest.mark.parametrize("tree", TREES, ids=str)
def test_gradients_have_the_tree_of_their_argument(tree):
    expected = tree_map(lambda x: 2 * np.asarray(x), tree)
    assert_trees_equal(at.grad(sum_of_squares)(tree), expected)


def test_a_function_may_ignore_an_argument():
    np.testing.assert_array_equal(at.grad(lambda x, y: np.sum(y * y))(X, X), np.zeros(3))
    np.testing.assert_array_equal(at.grad(lambda x: 5.0)(X), np.zeros(3))
    np.testing.assert_array_equal(at.jacobian(lambda x: A)(X), np.zeros((3, 3, 3)))
    assert at.jvp(lambda x: 5.0, (2.0,), (1.0,))[1] == 0
    assert at.vjp(lambda x, y: y, 2.0, 3.0)[1](1.0) == (0.0, 1.0)


def test_gradients_of_ignored_arguments_keep_their_precision():
    x = X.astype(np.float32)
    assert at.grad(lambda x: 5.0)(x).dtype == np.float32
    assert at.jacobian(lambda x: np.ones(2))(x).dtype == np.float32


@pytest.mark.parametrize("shape", [(2,), (0,), (1, 2)])
def test_grad_wants_a_single_number(shape):
    with pytest.raises(ShapeError, match=r"must return a single number, got shapes \[\(.*\)\]; sum it, or use at.jac"):
        at.grad(lambda x: x * np.ones(shape))(2.0)


def test_grad_wants_one_output():
    with pytest.raises(ShapeError, match=r"must return a single number, got shapes \[\(\), \(\)\]"):
        at.grad(lambda x: (x, x))(2.0)


@pytest.mark.parametrize("transform", [at.grad, at.value_and_grad, at.jacobian, at.hessian])
@pytest.mark.parametrize("output", [None, "loss", object()])
def test_a_function_must_return_numbers(transform, output):
    with pytest.raises(UnsupportedError, match=f"the function returned {type(output).__name__}, expected a Tensor"):
        transform(lambda x: output)(2.0)


def test_a_function_that_forgot_to_return_is_told_so():
    def f(x):
        np.sum(x)

    with pytest.raises(UnsupportedError, match=r"f: the function returned NoneType.* is a return missing\?"):
        at.grad(f)(X)


@pytest.mark.parametrize(
    ("argument", "words"),
    [
        ("text", "argument 0 is the text 'text', where a number or an array is expected: pass it as another argument"),
        (None, "argument 0 is None; expected an array, a number or a tree of them"),
        ({"W": [1.0, "tanh"]}, r"argument 0\['W'\]\[1\] is the text 'tanh'"),
        ({"W": np.tanh}, r"argument 0\['W'\] is of type ufunc"),
        ([1.0, np.array(["a"])], r"argument 0\[1\] is of type ndarray"),
        (object(), "argument 0 is of type object, .*; at.register_pytree takes a class of your own apart"),
    ],
)
def test_arguments_must_be_numbers(argument, words):
    with pytest.raises(UnsupportedError, match=f"grad: {words}"):
        at.grad(lambda x: 1.0)(argument)


@pytest.mark.parametrize("transform", [at.grad, at.value_and_grad, at.jacobian, at.hessian])
def test_what_the_function_returns_must_be_numbers_and_the_error_says_where(transform):
    with pytest.raises(UnsupportedError, match=r"the function returned str at \['name'\]\[1\], expected a Tensor or"):
        transform(lambda x: {"J": x, "name": (x, "a")})(2.0)


def test_errors_inside_the_function_come_out_as_they_are():
    with pytest.raises(ZeroDivisionError):
        at.grad(lambda x: x / (1 // 0))(2.0)


# ----- nesting -----
def test_derivatives_of_the_exponential_are_itself_to_any_order():
    f = np.exp
    for _ in range(6):
        f = at.grad(f)
    np.testing.assert_allclose(f(1.0), math.e, rtol=1e-12)


def test_derivatives_of_the_sine_go_round():
    f, turn = np.sin, itertools.cycle([np.cos, lambda x: -np.sin(x), lambda x: -np.cos(x), np.sin])
    for expected in itertools.islice(turn, 6):
        f = at.grad(f)
        np.testing.assert_allclose(f(0.7), expected(0.7), rtol=1e-12)


@pytest.mark.parametrize(
    ("f", "second", "third"),
    [
        (np.tanh, lambda x: -2 * np.tanh(x) / np.cosh(x) ** 2, lambda x: (4 * np.sinh(x) ** 2 - 2) / np.cosh(x) ** 4),
        (np.log, lambda x: -1 / x**2, lambda x: 2 / x**3),
        (lambda x: 1 / x, lambda x: 2 / x**3, lambda x: -6 / x**4),
        (lambda x: x**2.5, lambda x: 3.75 * x**0.5, lambda x: 1.875 * x**-0.5),
        (at.sigmoid, lambda x: np.sinh(-x / 2) / (4 * np.cosh(x / 2) ** 3), None),
    ],
)
def test_second_and_third_derivatives_are_those_of_calculus(f, second, third):
    np.testing.assert_allclose(at.grad(at.grad(f))(0.6), second(0.6), rtol=1e-12)
    if third:
        np.testing.assert_allclose(at.grad(at.grad(at.grad(f)))(0.6), third(0.6), rtol=1e-12)


def test_perturbations_are_not_confused():
    assert at.grad(lambda x: x * at.grad(lambda y: x + y)(x))(5.0) == 1
    assert at.grad(lambda x: x * at.grad(lambda y: x * y)(2.0))(5.0) == 10
    assert at.grad(lambda x: at.grad(lambda x: x**3)(x) * x)(2.0) == 9 * 4


def test_perturbations_are_not_confused_by_tangents():
    assert at.jvp(lambda x: x * at.jvp(lambda y: x + y, (x,), (1.0,))[1], (5.0,), (1.0,))[1] == 1
    assert at.grad(lambda x: x * at.jvp(lambda y: x * y, (3.0,), (1.0,))[1])(5.0) == 10


def test_inner_derivatives_see_outer_variables():
    def outer(a):
        return np.sum(at.grad(lambda x: np.sum(a * x**3))(X))  # 3 a x²

    np.testing.assert_allclose(at.grad(outer)(X), 3 * X**2, rtol=1e-14)


def test_tensors_made_inside_a_function_leave_its_derivatives_arrays():
    def f(x):
        return x * at.Tensor(3.0) * at.grad(lambda y: y * y)(2.0)

    assert is_array(at.grad(f)(5.0))
    assert at.grad(f)(5.0) == 12


def test_a_derivative_of_several_variables_nests_in_either_order():
    def f(x, y):
        return np.exp(x * y) + x**2 * y**3

    xy = at.grad(lambda y: at.grad(f, 0)(1.2, y))(0.7)
    yx = at.grad(lambda x: at.grad(f, 1)(x, 0.7))(1.2)
    np.testing.assert_allclose(xy, yx, rtol=1e-14)
    np.testing.assert_allclose(xy, (1 + 0.84) * np.exp(0.84) + 6 * 1.2 * 0.49, rtol=1e-14)


# ----- tracked Tensors from outside -----
@pytest.mark.parametrize(
    "transform",
    [
        lambda W: at.grad(lambda x: np.sum(W * x**2))(X),
        lambda W: at.value_and_grad(lambda x: np.sum(W * x**2))(X)[1],
        lambda W: at.vjp(lambda x: W * x**2, X)[1](np.ones(3))[0],
        lambda W: at.jvp(lambda x: W * x**2, (X,), (np.ones(3),))[1],
        lambda W: np.diag(at.jacobian(lambda x: W * x**2)(X)),
        lambda W: np.diag(at.hessian(lambda x: np.sum(W * x**3 / 3))(X)),
        lambda W: at.hvp(lambda x: np.sum(W * x**3 / 3))(X, np.ones(3)),
    ],
    ids=["grad", "value_and_grad", "vjp", "jvp", "jacobian", "hessian", "hvp"],
)
def test_functions_of_tracked_tensors_give_tensors_that_can_be_differentiated(transform):
    W = at.Tensor([1.0, 2.0, 3.0])
    slope = transform(W)
    assert isinstance(slope, at.Tensor)
    np.testing.assert_allclose(slope.data, 2 * W.data * X, rtol=1e-14)
    np.sum(slope).backward()
    np.testing.assert_allclose(W.grad, 2 * X, rtol=1e-14)


def test_a_tracked_argument_is_differentiated_through():
    x = at.Tensor(X)
    np.sum(at.grad(lambda x: np.sum(x**3))(x)).backward()
    np.testing.assert_allclose(x.grad, 6 * X, rtol=1e-14)


def test_the_value_of_a_function_of_tracked_tensors_is_a_tensor():
    W = at.Tensor(2.0)
    value, _ = at.value_and_grad(lambda x: W * x)(3.0)
    value.backward()
    assert W.grad == 3


def test_transforms_publish_no_gradient():
    W, x = at.Tensor(2.0), at.Tensor(3.0)
    at.grad(lambda x: W * x * x)(x)
    assert W.grad is x.grad is None


def test_constant_tensors_from_outside_leave_the_results_arrays():
    c = at.Tensor(X, requires_grad=False)
    assert is_array(at.grad(lambda x: np.sum(c * x))(X))
    assert is_array(at.grad(lambda x: np.sum(x * x))(c))


# ----- under no_grad -----
@pytest.mark.parametrize("wrap", [lambda x: x, at.Tensor])
def test_transforms_work_under_no_grad_and_give_arrays(wrap):
    W = at.Tensor([1.0, 2.0, 3.0])
    with at.no_grad():
        results = [
            at.grad(lambda x: np.sum(W * x**2))(wrap(X)),
            at.vjp(lambda x: W * x**2, wrap(X))[1](np.ones(3))[0],
            at.jvp(lambda x: W * x**2, (wrap(X),), (np.ones(3),))[1],
            np.diag(at.jacobian(lambda x: W * x**2)(wrap(X))),
            np.diag(at.hessian(lambda x: np.sum(W * x**3 / 3))(wrap(X))),
            at.hvp(lambda x: np.sum(W * x**3 / 3))(wrap(X), np.ones(3)),
        ]
    for result in results:
        assert is_array(result)
        np.testing.assert_allclose(result, 2 * W.data * X, rtol=1e-14)


def test_no_grad_inside_a_function_hides_what_it_holds():
    def f(x):
        with at.no_grad():
            scale = x * 1
        return x * scale

    assert at.grad(f)(3.0) == 3


# ----- vjp and jvp -----
def test_vjp_is_the_gradient_times_the_jacobian():
    value, pull = at.vjp(lambda x: np.tanh(A @ x), X)
    g = np.array([1.0, -2.0, 0.5])
    np.testing.assert_allclose(value, np.tanh(A @ X))
    (pulled,) = pull(g)
    np.testing.assert_allclose(pulled, A.T @ (g * (1 - value**2)), rtol=1e-14)


def test_jvp_along_a_tracked_tangent_at_a_plain_point_is_differentiated():
    def energy(v):
        return np.sum(at.jvp(np.sin, (X,), (v,))[1] ** 2)

    v = np.array([1.0, 2.0, 3.0])
    np.testing.assert_allclose(at.grad(energy)(v), 2 * v * np.cos(X) ** 2)
    np.testing.assert_allclose(at.hessian(energy)(v), np.diag(2 * np.cos(X) ** 2), atol=1e-15)


def test_jvp_is_the_jacobian_times_the_tangent():
    t = np.array([1.0, -2.0, 0.5])
    value, tangent = at.jvp(lambda x: np.tanh(A @ x), (X,), (t,))
    np.testing.assert_allclose(tangent, (1 - value**2) * (A @ t), rtol=1e-13)


def test_pull_may_be_used_again():
    _, pull = at.vjp(lambda x: x * x, X)
    for scale in (1.0, 2.0):
        np.testing.assert_allclose(pull(np.full(3, scale))[0], 2 * scale * X)


def test_pull_of_a_tracked_seed_can_be_differentiated_by_it():
    u = at.Tensor(np.ones(3))
    _, pull = at.vjp(lambda x: x * x, X)
    np.sum(pull(u)[0]).backward()
    np.testing.assert_allclose(u.grad, 2 * X)


def test_vjp_and_jvp_take_several_arguments_and_trees():
    def f(x, p):
        return {"sum": x + p["b"], "product": (x * p["b"],)}

    value, pull = at.vjp(f, 2.0, {"b": 5.0})
    assert value == {"sum": 7.0, "product": (10.0,)}
    assert pull({"sum": 1.0, "product": (10.0,)}) == (51.0, {"b": 21.0})
    assert at.jvp(f, (2.0, {"b": 5.0}), (1.0, {"b": 10.0}))[1] == {"sum": 11.0, "product": (25.0,)}


def test_an_output_returned_twice_gets_both_seeds():
    def f(x):
        y = x * x
        return y, y

    assert at.vjp(f, 3.0)[1]((1.0, 10.0)) == (66.0,)
    assert at.jvp(f, (3.0,), (1.0,))[1] == (6.0, 6.0)


def test_the_identity_passes_seeds_and_tangents_on():
    assert at.vjp(lambda x: x, 3.0)[1](5.0) == (5.0,)
    assert at.jvp(lambda x: x, (3.0,), (5.0,)) == (3.0, 5.0)
    np.testing.assert_array_equal(at.jacobian(lambda x: x)(X), np.eye(3))


def test_jvp_of_numbers_is_exact_at_a_zero_slope():
    assert at.jvp(np.cos, (0.0,), (1.0,)) == (1.0, 0.0)
    assert at.jvp(lambda x: at.relu(x), (0.0,), (1.0,)) == (0.0, 0.0)


@pytest.mark.parametrize("g", [1.0, np.ones(2), np.ones((3, 1)), (np.ones(3), np.ones(3))], ids=str)
def test_a_seed_of_another_shape_is_refused(g):  # autograd accepted it in silence
    _, pull = at.vjp(lambda x: x * x, X)
    with pytest.raises(ShapeError, match=r"vjp: the gradient must have the shapes of the value, \[\(3,\)\]; got"):
        pull(g)


@pytest.mark.parametrize("t", [1.0, np.ones(2), np.ones((3, 1))], ids=str)
def test_a_tangent_of_another_shape_is_refused(t):
    with pytest.raises(ShapeError, match=r"jvp: tangents must have the shapes of the arguments, \[\(3,\)\]; got"):
        at.jvp(lambda x: x * x, (X,), (t,))


@pytest.mark.parametrize(("args", "tangents"), [(X, X), ((X,), X), (2.0, (1.0,))], ids=str)
def test_arguments_and_tangents_come_as_tuples(args, tangents):
    with pytest.raises(
        UnsupportedError, match=r"jvp: give the arguments and the tangents as tuples, \(x,\) and \(t,\)"
    ):
        at.jvp(lambda x: x, args, tangents)


@pytest.mark.parametrize("v", [1.0, np.ones(2), np.ones((3, 1)), [np.ones(3), np.ones(3)]], ids=str)
def test_a_vector_of_another_shape_is_refused(v):
    with pytest.raises(ShapeError, match=r"hvp: v must have the shapes of x, \[\(3,\)\]; got"):
        at.hvp(lambda x: np.sum(x**3))(X, v)


# ----- jacobian, hessian, hvp -----
def test_jacobian_has_the_axes_of_value_and_argument():
    J = at.jacobian(lambda x: x[:, None] * x)(X)
    assert J.shape == (3, 3, 3)
    expected = np.einsum("ik,j->ijk", np.eye(3), X) + np.einsum("jk,i->ijk", np.eye(3), X)
    np.testing.assert_allclose(J, expected)


def test_jacobian_of_a_number_is_the_gradient():
    np.testing.assert_array_equal(at.jacobian(lambda x: x @ A @ x)(X), at.grad(lambda x: x @ A @ x)(X))


def test_jacobian_of_nothing_is_empty():
    assert at.jacobian(lambda x: x[:0])(X).shape == (0, 3)
    assert at.jacobian(lambda x: x * np.ones(3))(np.zeros((0, 3))).shape == (0, 3, 0, 3)


def test_jacobian_of_trees_has_the_tree_of_the_value_over_that_of_the_argument():
    J = at.jacobian(lambda p: (p["a"] * p["b"], p["a"]))({"a": 2.0, "b": 5.0})
    assert J == ({"a": 5.0, "b": 2.0}, {"a": 1.0, "b": 0.0})


def test_hessian_of_a_quadratic_form_is_its_matrix():
    np.testing.assert_allclose(at.hessian(lambda x: x @ A @ x / 2)(X), (A + A.T) / 2, atol=1e-14)


def test_hessian_of_trees_has_all_blocks():
    H = at.hessian(lambda p: p["a"] ** 2 * np.sum(p["b"]))({"a": 2.0, "b": X})
    np.testing.assert_allclose(H["a"]["a"], 2 * np.sum(X))
    np.testing.assert_allclose(H["a"]["b"], [4, 4, 4])
    np.testing.assert_allclose(H["b"]["b"], np.zeros((3, 3)))


def test_hvp_of_trees():
    product = at.hvp(lambda p: p["a"] ** 2 * p["b"])({"a": 2.0, "b": 5.0}, {"a": 1.0, "b": 10.0})
    assert product == {"a": 10 + 40, "b": 4}


def rosenbrock(x):
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def network(x):
    return -np.sum(np.array([1.0, 0.0, 0.0]) * at.log_softmax(A @ np.tanh(A @ x)))


FUNCTIONS = [
    rosenbrock,
    network,
    lambda x: np.sum(np.exp(x) * np.sin(x)) ** 2,
    lambda x: np.prod(x) + np.sum(x**4),
    lambda x: np.linalg.norm(x) ** 3 + np.max(x * x),
    lambda x: at.logsumexp(x * 2) / np.mean(at.sigmoid(x)),
]


@pytest.mark.parametrize("f", FUNCTIONS)
def test_seven_hessians_agree(f):
    """Seven ways to one matrix, after JAX's autodidax: what composes, agrees."""
    basis = np.eye(3)
    g = at.grad(f)

    def by_gradients():
        x = at.Tensor(X)
        (dx,) = at.gradients(f(x), [x])
        return np.stack([at.gradients(dx, [x], e)[0].data for e in basis])

    def by_backward(e):
        x = at.Tensor(X)
        (dx,) = at.gradients(f(x), [x])
        dx.backward(e)
        return x.grad

    ways = [
        at.hessian(f)(X),
        at.jacobian(at.jacobian(f))(X),
        np.stack([at.hvp(f)(X, e) for e in basis]),
        np.stack([at.jvp(g, (X,), (e,))[1] for e in basis], axis=-1),
        np.stack([at.grad(lambda x, e=e: at.jvp(f, (x,), (e,))[1])(X) for e in basis]),
        by_gradients(),
        np.stack([by_backward(e) for e in basis]),
    ]
    for way in ways[1:]:
        np.testing.assert_allclose(way, ways[0], rtol=1e-11, atol=1e-11)
    np.testing.assert_allclose(ways[0], differences(g, X), rtol=1e-6, atol=1e-6)


def differences(g, x, h=1e-4):
    """The derivatives of a function by central differences, one row for each entry of x."""
    return np.stack([(g(x + h * e) - g(x - h * e)) / (2 * h) for e in np.eye(x.size)])


@pytest.mark.parametrize("f", FUNCTIONS)
def test_forward_and_reverse_derivatives_agree(f):
    directions = np.random.default_rng(0).normal(size=(4, 3))
    for t in directions:
        np.testing.assert_allclose(at.jvp(f, (X,), (t,))[1], at.grad(f)(X) @ t, rtol=1e-12)


@pytest.mark.parametrize("f", [lambda x: np.sum(at.relu(x)), lambda x: np.sum(np.where(x > 0, np.sqrt(x), 0.0))])
def test_forward_and_reverse_derivatives_agree_where_entries_are_masked(f):  # JAX 654
    x = np.array([0.0, 4.0])
    _, tangent = at.jvp(f, (x,), (np.ones(2),))
    assert np.isfinite(tangent)
    np.testing.assert_allclose(tangent, np.sum(at.grad(f)(x)))


@pytest.mark.parametrize("f", FUNCTIONS)
def test_hessians_are_symmetric(f):
    H = at.hessian(f)(X)
    np.testing.assert_allclose(H, H.T, rtol=1e-11, atol=1e-11)


# ----- operations of one's own -----
@at.operation(lambda g, y, x: g * 3 * x**2)
def cube(x):
    """x³, by a rule that can be differentiated again."""
    return x * x * x


def test_an_operation_of_ones_own_is_differentiated_by_its_rule():
    assert at.grad(cube)(2.0) == 12
    assert at.grad(at.grad(cube))(2.0) == 12
    assert at.grad(at.grad(at.grad(cube)))(2.0) == 6
    np.testing.assert_allclose(at.hessian(lambda x: np.sum(cube(x)))(X), np.diag(6 * X))
    np.testing.assert_allclose(at.jvp(cube, (X,), (np.ones(3),))[1], 3 * X**2, rtol=1e-14)


def test_an_operation_of_ones_own_computes_plain_arrays_too():
    assert type(cube(2.0)) is float
    np.testing.assert_array_equal(cube(X), X * X * X)


def test_an_operation_of_ones_own_keeps_its_docstring_and_name():
    assert cube.__name__ == "cube"
    assert cube.__doc__.startswith("x³")
    assert at.Tensor(1.0).op is None
    assert cube(at.Tensor(1.0)).op.name == "cube"


def test_an_operation_of_ones_own_takes_options_and_several_arguments():
    @at.operation(lambda g, y, a, b, scale=1.0: g * b * scale, lambda g, y, a, b, scale=1.0: g * a * scale)
    def times(a, b, scale=1.0):
        return a * b * scale

    for call in (
        lambda a, b: times(a, b, 3.0),
        lambda a, b: times(a, b, scale=3.0),
        lambda a, b: times(b=b, a=a, scale=3),
    ):
        assert at.grad(call, (0, 1))(2.0, 5.0) == (15.0, 6.0)
    assert at.grad(lambda b: times(2.0, b))(5.0) == 2
    with pytest.raises(UnsupportedError, match="times: missing argument b"):
        times(at.Tensor(2.0))
    with pytest.raises(UnsupportedError, match="times: shift= is not supported on a Tensor; supported options: scale"):
        times(at.Tensor(2.0), 3.0, shift=1.0)


def test_an_argument_without_a_rule_is_a_constant():
    @at.operation(lambda g, y, x, n: g * n, None)
    def repeatedly(x, n):
        return x * n

    assert at.grad(repeatedly, (0, 1))(2.0, 3.0) == (3.0, 0.0)


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        ((), r"f_of_two: 0 rules for 2 arguments \('a', 'b'\); give one rule for each"),
        ((lambda g, y, a, b: g,) * 3, r"f_of_two: 3 rules for 2 arguments"),
        ((lambda g, y, a: g, lambda g, y, a, b: g), r"f_of_two: rule 0 must take \(g, y, a, b\): too many positional"),
        (
            (lambda g, y, a, b: g, lambda g, y, a, b, c: g),
            r"f_of_two: rule 1 must take \(g, y, a, b\): missing a required",
        ),
    ],
)
def test_rules_that_do_not_fit_the_function_are_refused_at_once(rules, words):
    with pytest.raises(TypeError, match=words):
        at.operation(*rules)(f_of_two)


def f_of_two(a, b):
    return a + b


def operation_with(rule, forward=lambda x: x * 2):
    def mine(x):
        return forward(x)

    return at.operation(rule)(mine)


@pytest.mark.parametrize(
    ("returned", "words"),
    [
        (None, r"mine: a rule gave NoneType, expected an array of shape \(3,\)"),
        ([1.0, 2.0, 3.0], r"mine: a rule gave list, expected an array of shape \(3,\)"),
        (2.0, r"mine: a rule gave float, expected an array of shape \(3,\)"),
        (np.float64(2.0), r"mine: a rule gave shape \(\), expected \(3,\)"),
        (np.ones(2), r"mine: a rule gave shape \(2,\), expected \(3,\)"),
        (np.ones((3, 1)), r"mine: a rule gave shape \(3, 1\), expected \(3,\)"),
        (np.ones((3, 2)), r"mine: a rule gave shape \(3, 2\), expected \(3,\)"),
    ],
    ids=str,
)
@pytest.mark.parametrize("record", [True, False])
def test_a_rule_that_returns_no_gradient_of_its_argument_is_named(returned, words, record):  # tinygrad names its op
    x = at.Tensor(X)
    y = np.sum(operation_with(lambda g, y, x: returned)(x))
    with pytest.raises((ShapeError, UnsupportedError), match=words):
        at.gradients(y, [x]) if record else y.backward()


@pytest.mark.parametrize("returned", [None, 2.0, [1.0], (1.0, 2.0), "text", np.array("text"), 1j])
def test_an_operation_must_return_an_array_of_numbers(returned):
    mine = operation_with(lambda g, y, x: g, lambda x: returned)
    with pytest.raises(UnsupportedError, match=r"mine: the operation gave .*, expected an array of numbers"):
        mine(at.Tensor(X))


def test_errors_inside_a_rule_come_out_as_they_are():
    x = at.Tensor(X)
    y = np.sum(operation_with(lambda g, y, x: g / (1 // 0))(x))
    with pytest.raises(ZeroDivisionError):
        y.backward()


def test_a_tracked_option_is_refused_rather_than_forgotten():
    with pytest.raises(UnsupportedError, match=r"leaky_relu: slope= cannot be a tracked Tensor: .*slope\.data"):
        at.leaky_relu(at.Tensor(X), slope=at.Tensor(0.1))


@pytest.mark.parametrize("transform", [at.grad, at.value_and_grad, at.jacobian, at.hessian])
def test_derivative_shows_the_arguments_of_its_function(transform):
    def f(W, x, *, scale=1.0): ...

    assert inspect.signature(transform(f)) == inspect.signature(f)


# ----- values that leave the graph on the way -----
TAKEN = {
    "float": lambda x: float(np.sum(x * x)),
    "item": lambda x: np.sum(x * x).item(),
    "data": lambda x: np.sum(x.data**2),
    "data of a result": lambda x: np.sum((x * x).data),
    "a list": lambda x: sum(x.tolist()),
    "the recorded value": lambda x: np.sum(x.value**2),
    "in another thread": lambda x: ThreadPoolExecutor(1).submit(lambda: float(np.sum(x))).result(),
    "a gradient inside": lambda x: np.sum(gradient_inside(x)),
    "a tree": lambda x: {"J": np.sum(x).item()}["J"],
    "a constant Tensor": lambda x: at.Tensor(np.sum(x).item()),
}
OF_ONE = {
    "grad": at.grad,
    "value_and_grad": at.value_and_grad,
    "jacobian": at.jacobian,
    "hessian": at.hessian,
    "vjp": lambda f: lambda x: at.vjp(f, x),
    "jvp": lambda f: lambda x: at.jvp(f, (x,), (x,)),
    "hvp": lambda f: lambda x: at.hvp(f)(x, x),
}


@pytest.mark.parametrize("transform", OF_ONE)
@pytest.mark.parametrize("way", TAKEN)
def test_result_that_left_the_graph_is_an_error_and_not_zeros(way, transform):
    words = (
        r"does not depend on an argument whose value left the graph at test_transforms\.py:\d+: .*; return the Tensor"
    )
    with pytest.raises(UnsupportedError, match=words):
        OF_ONE[transform](TAKEN[way])(np.array([1.0, 2.0]))


def gradient_inside(x):
    np.sum(x**3).backward()
    return x.grad


CONSTANT = {
    "printed": lambda x: len("%.3f" % np.sum(x)) * 1.0,  # noqa: UP031
    "a number": lambda x: 3.0,
    "a shape": lambda x: float(x.shape[0]),
    "a comparison": lambda x: 1.0 if np.sum(x) > 0 else 0.0,
    "a whole part": lambda x: float(int(np.sum(x))),
    "detached": lambda x: np.sum(x.detach() ** 2),
    "detached and taken": lambda x: float(np.sum(x.detach() ** 2)),
    "a position": lambda x: np.array([1.0, 2.0])[np.argmax(x)],
    "an integer": lambda x: np.sum(x.astype(int)) * 1.0,
    "signs": lambda x: np.sum(x > 0) * 1.0,
    "a text": lambda x: float(len(f"{np.sum(x):.3f} {x}")),
}


@pytest.mark.parametrize("transform", OF_ONE)
@pytest.mark.parametrize("way", CONSTANT)
def test_gradients_of_a_constant_function_are_zeros(way, transform):
    result = OF_ONE[transform](CONSTANT[way])(np.array([1.0, 2.0]))
    last = result[1] if transform in ("value_and_grad", "jvp") else result[1](1.0)[0] if transform == "vjp" else result
    assert not np.any(last)


def test_value_that_is_taken_beside_a_path_is_no_error():
    history = []

    def loss(x):
        J = np.sum(x * x)
        history.append(J.item())
        return J

    assert at.grad(loss)(np.array([1.0, 2.0])).tolist() == [2, 4]
    assert at.hessian(loss)(np.array([1.0, 2.0])).tolist() == [[2, 0], [0, 2]]
    assert history[0] == 5


def test_each_argument_needs_a_path_of_its_own():
    with pytest.raises(UnsupportedError, match=r"left the graph at .*: return a \* float\(b\)"):
        at.grad(_uses_only_the_value_of_b, argnums=(0, 1))(2.0, 3.0)
    with pytest.raises(UnsupportedError, match="left the graph"):
        at.grad(lambda p: p["a"] * float(p["b"]))({"a": 2.0, "b": 3.0})
    assert at.grad(_uses_only_the_value_of_b)(2.0, 3.0) == 3


def _uses_only_the_value_of_b(a, b):
    return a * float(b)


def test_value_that_an_inner_gradient_takes_is_that_of_the_outer_argument():
    with pytest.raises(UnsupportedError, match=r"left the graph at .*float\(x\) \* y"):
        at.grad(lambda x: at.grad(lambda y: float(x) * y)(2.0))(3.0)


def test_values_that_another_call_took_do_not_count():
    at.vjp(lambda x: x * float(x), 2.0)
    assert at.grad(lambda x: 3.0)(2.0) == 0


@pytest.mark.parametrize("change", [lambda x: setattr(x, "data", np.ones(2)), lambda x: x.data.fill(1)])
def test_data_of_an_argument_cannot_be_changed(change):
    with pytest.raises((UnsupportedError, ValueError), match=r"x is an argument .*only the data of a leaf|read-only"):
        at.grad(lambda x: (change(x), np.sum(x * x))[1])(np.array([1.0, 2.0]))


# ----- Tensors of calls that have ended -----
class _Key:
    """Equal to any other, as a memo by name is."""

    def __init__(self, x):
        self.x = x

    def __eq__(self, other):
        return True

    def __hash__(self):
        return 1


def _keeping(make):
    kept = []

    def f(x):
        kept.append(make(x))
        return np.sum(kept[0] * x)

    return f


KEEPING = {"a result": lambda x: np.exp(x), "the argument": lambda x: x, "a view": lambda x: x[:1], "a copy": copy.copy}


@pytest.mark.parametrize("transform", ["grad", "value_and_grad", "jacobian", "hessian", "jvp", "hvp"])
@pytest.mark.parametrize("what", KEEPING)
def test_tensor_that_was_kept_of_an_earlier_call_is_noticed(transform, what):
    f = _keeping(KEEPING[what])
    derivative, x = OF_ONE[transform](f), np.array([1.0, 2.0])
    derivative(x)
    with pytest.raises(StaleError, match=r"on the argument \[1\., 2\.\] of an earlier call .* has ended: a cache"):
        derivative(x + 1)


def test_memoised_function_is_noticed_where_its_key_hides_the_argument():
    square = functools.cache(lambda key: key.x * key.x)
    gradient = at.grad(lambda x: square(_Key(x)) * x)
    assert gradient(2.0) == 12
    with pytest.raises(StaleError, match="a cache or a variable kept a Tensor of that call"):
        gradient(3.0)


def test_memoised_function_of_tensors_is_computed_anew():
    square = functools.cache(lambda x: x * x)
    gradient = at.grad(lambda x: square(x) * x)
    assert [gradient(x) for x in (2.0, 3.0, 2.0)] == [12, 27, 12]


def test_large_argument_of_an_earlier_call_is_quoted_in_short():
    derivative = at.grad(_keeping(np.exp))
    derivative(np.ones(1000))
    with pytest.raises(StaleError) as raised:
        derivative(np.ones(1000))
    assert len(str(raised.value)) < 300


def test_kept_tensor_may_be_looked_at():
    kept = []
    at.grad(lambda x: (kept.append(x * x), np.sum(kept[0]))[1])(np.array([1.0, 2.0]))
    assert kept[0].tolist() == [1, 4]
    assert str(kept[0]) == "Tensor([1., 4.], shape=(2,), float64, multiply)"


# ----- copies -----
COPIES = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "deepcopy of a list": lambda x: copy.deepcopy([x])[0],
    "method": lambda x: x.copy(),
}


@pytest.mark.parametrize("way", COPIES)
def test_copy_of_an_argument_is_recorded(way):
    assert at.grad(lambda x: np.sum(COPIES[way](x) ** 2))(np.array([1.0, 2.0])).tolist() == [2, 4]
    assert at.hessian(lambda x: np.sum(COPIES[way](x) ** 2))(np.ones(1)).tolist() == [[2]]


def test_argument_is_not_pickled():
    with pytest.raises(UnsupportedError, match=r"this is an argument of a function .*: only leaves can be"):
        at.grad(lambda x: pickle.loads(pickle.dumps(x)))(2.0)


# ----- structures -----
PARAMETERS = {"a": np.array([1.0, 2.0]), "b": [np.array([10.0, 20.0]), 3.0]}
DIRECTION = {"b": (np.zeros(2), 0.0), "a": np.array([1.0, 0.0])}


def sum_of_powers(p):
    return np.sum(p["a"] ** 2) + np.sum(p["b"][0] ** 3) + p["b"][1] ** 4


def test_tangents_vectors_and_pulled_gradients_are_matched_by_key():
    assert at.jvp(sum_of_powers, (PARAMETERS,), (DIRECTION,))[1] == 2
    np.testing.assert_array_equal(at.hvp(sum_of_powers)(PARAMETERS, DIRECTION)["a"], [2, 0])
    _, pull = at.vjp(lambda x: {"u": x * 2, "v": [x * 5]}, np.ones(2))
    np.testing.assert_array_equal(pull({"v": [np.zeros(2)], "u": np.ones(2)})[0], [2, 2])


@pytest.mark.parametrize(
    ("tree", "message"),
    [
        ({"a": np.ones(2)}, r"must have the keys \['a', 'b'\](at \[0\])?.*; got the keys \['a'\]"),
        ({"a": np.ones(2), "c": DIRECTION["b"]}, r"must have .*; got the keys \['a', 'c'\]"),
        ({"a": np.ones(2), "b": [np.ones(2)]}, r"must have 2 parts at .*\['b'\]; got 1"),
        ({"a": np.ones(2), "b": np.ones(2)}, r"must have 2 parts at .*\['b'\]; got ndarray"),
        ({"a": {"x": 1.0}, "b": DIRECTION["b"]}, r"must be an array at .*\['a'\]; got dict"),
        (np.ones(3), r"must have the keys .*; got ndarray"),
    ],
)
@pytest.mark.parametrize(
    ("where", "call"),
    [
        ("jvp: the tangents", lambda tree: at.jvp(sum_of_powers, (PARAMETERS,), (tree,))),
        ("hvp: v", lambda tree: at.hvp(sum_of_powers)(PARAMETERS, tree)),
        ("vjp: the gradient", lambda tree: at.vjp(lambda p: p, PARAMETERS)[1](tree)),
    ],
)
def test_another_structure_is_refused(where, call, tree, message):
    with pytest.raises(ShapeError, match=f"{where} {message}"):
        call(tree)


# ----- several arguments; pickling -----
def product(a, b):
    return a * b**2


def test_jacobian_and_hessian_take_argnums():
    a, b = np.ones(2), np.array([1.0, 2.0])
    np.testing.assert_array_equal(at.jacobian(product, argnums=1)(a, b), np.diag([2.0, 4.0]))
    of_a, of_b = at.jacobian(product, argnums=(0, 1))(a, b)
    np.testing.assert_array_equal(of_a, np.diag([1.0, 4.0]))
    np.testing.assert_array_equal(of_b, np.diag([2.0, 4.0]))
    np.testing.assert_array_equal(at.hessian(product, argnums=1)(3.0, 5.0), 6)
    (_, ab), (ba, bb) = at.hessian(product, argnums=(0, 1))(3.0, 5.0)
    assert (ab, ba, bb) == (10, 10, 6)


def power(x):
    return x**3


@at.grad
def slope_of_power(x):
    return x**3


class Scaled:
    scale = 2.0

    def __call__(self, x):
        return self.scale * x**2

    def method(self, x):
        return self.scale * x**3


TRANSFORMS = [at.grad, at.value_and_grad, at.jacobian, at.hessian]


@pytest.mark.parametrize("transform", TRANSFORMS)
@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda f: pickle.loads(pickle.dumps(f))])
def test_what_a_transform_returns_is_pickled_and_copied(transform, copied):
    for options in {}, {"argnums": 1}, {"argnames": ("b", "a")}:
        f = transform(product, **options)
        np.testing.assert_equal(copied(f)(2.0, 3.0), f(2.0, 3.0))
    for f in Scaled(), Scaled().method, functools.partial(product, 2.0), transform(power):
        np.testing.assert_equal(copied(at.jacobian(f))(2.0), at.jacobian(f)(2.0))


def test_hvp_is_pickled():
    assert pickle.loads(pickle.dumps(at.hvp(power)))(2.0, 1.0) == 12


def test_a_decorated_function_is_pickled_by_its_name():
    assert pickle.loads(pickle.dumps(slope_of_power)) is slope_of_power
    assert pickle.loads(pickle.dumps(at.jacobian(slope_of_power)))(2.0) == 12


@pytest.mark.parametrize("transform", TRANSFORMS)
def test_what_cannot_be_pickled_is_named(transform):
    with pytest.raises(UnsupportedError, match=r"(grad|jacobian|hessian): .*<lambda> cannot be pickled, .* at the top"):
        pickle.dumps(transform(lambda x: x))
    value_and_gradient = copy.deepcopy(at.value_and_grad(lambda x: x * x))
    assert value_and_gradient(3.0) == (9, 6)


def test_a_derivative_has_the_name_and_the_words_of_its_function():
    slope = at.grad(power)
    assert (slope.__name__, slope.__module__, slope.__wrapped__) == ("power", __name__, power)
    assert repr(slope) == "<grad of power>"


def test_derivatives_are_methods_of_a_class():
    class Curve:
        scale = 3.0

        def value(self, x):
            return self.scale * x**2

        slope = at.grad(value, argnums=1)

    assert Curve().slope(2.0) == 12


@pytest.mark.parametrize("f", [lambda a, b: a, lambda a, b: a + b, lambda a, b: a + b.T, lambda a, b: -(a - b)])
def test_gradients_are_arrays_of_their_own(f):
    """Neither each other's, nor the one that was pulled back, nor read-only."""
    u, a, b = np.ones((2, 2)), np.eye(2), np.eye(2)
    _, pull = at.vjp(f, a, b)
    first, second = pull(u)
    expected = [g.copy() for g in pull(u)]
    first += 7
    second += 9
    assert np.array_equal(u, np.ones((2, 2)))
    assert np.array_equal(first - 7, expected[0])
    assert np.array_equal(second - 9, expected[1])
    assert all(map(np.array_equal, pull(u), expected))
