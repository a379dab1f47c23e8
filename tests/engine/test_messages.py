"""Errors say the operation, the names that users gave, what was expected and what came, and the likely mend."""

import itertools
import traceback

import numpy as np
import pytest

import autotiny as at
from autotiny.engine.call_site import caller_line, caller_scope, variable_name
from autotiny.engine.messages import label
from autotiny.errors import AutotinyError, ShapeError, UnsupportedError


def message_of(compute):
    with pytest.raises(AutotinyError) as raised:
        compute()
    return str(raised.value)


def ones(*shape, name=None):
    return at.Tensor(np.ones(shape), name=name)


# ----- matrix products -----
def test_a_matrix_product_that_does_not_fit_says_which_sizes_differ():
    W1, X = ones(5, 4), ones(8, 3)
    assert message_of(lambda: (W1, X, W1 @ X)) == (
        "matmul: W1 (5, 4) @ X (8, 3): inner sizes 4 and 8 differ; neither transpose fits"
    )


@pytest.mark.parametrize(
    ("left", "right", "words"),
    [
        ((5, 4), (3, 4), "a (5, 4) @ b (3, 4): inner sizes 4 and 3 differ; b.T is (4, 3)"),
        ((4, 5), (4, 3), "a (4, 5) @ b (4, 3): inner sizes 5 and 4 differ; a.T is (5, 4)"),
        ((5, 4), (3,), "a (5, 4) @ b (3,): inner sizes 4 and 3 differ"),
        ((5, 4), (5,), "a (5, 4) @ b (5,): inner sizes 4 and 5 differ; a.T is (4, 5)"),
        ((4,), (3, 4), "a (4,) @ b (3, 4): inner sizes 4 and 3 differ; b.T is (4, 3)"),
        ((4,), (5,), "a (4,) @ b (5,): inner sizes 4 and 5 differ"),
        ((), (5,), "a @ b (5,): a matrix product needs vectors or matrices; use * for a number"),
        ((2, 2), (), "a (2, 2) @ b: a matrix product needs vectors or matrices; use * for a number"),
    ],
)
def test_matrix_products_name_both_sizes_and_the_likely_mend(left, right, words):
    a, b = ones(*left), ones(*right)
    assert message_of(lambda: (a, b, a @ b)) == f"matmul: {words}"
    assert message_of(lambda: (a, b, np.matmul(a, b))) == f"matmul: {words}"


def test_stacks_of_matrices_that_do_not_broadcast_say_so():
    a, b = ones(2, 5, 4), ones(3, 4, 6)
    assert "matmul: a (2, 5, 4) @ b (3, 4, 6): " in message_of(lambda: (a, b, a @ b))


@pytest.mark.parametrize("left", list(itertools.product([2, 3, 4], repeat=2)))
@pytest.mark.parametrize("right", list(itertools.product([2, 3, 4], repeat=2)))
def test_a_transpose_is_named_only_if_it_fits(left, right):
    a, b = ones(*left), ones(*right)
    words = "" if left[1] == right[0] else message_of(lambda: (a, b, a @ b))
    if "a.T" in words:
        a.T @ b
    elif "b.T" in words:
        a @ b.T
    elif words:
        assert words.endswith("neither transpose fits")
        assert left[0] != right[0]
        assert left[1] != right[1]


# ----- broadcasting -----
@pytest.mark.parametrize(
    ("left", "right", "words"),
    [
        ((2, 3), (2,), "sizes 2 and 3 differ in axis -1; b[:, None] is (2, 1)"),
        ((2,), (2, 3), "sizes 2 and 3 differ in axis -1; a[:, None] is (2, 1)"),
        ((3,), (4,), "sizes 3 and 4 differ in axis -1"),
        ((2, 3), (4, 3), "sizes 2 and 4 differ in axis -2"),
        ((2, 3), (4,), "sizes 3 and 4 differ in axis -1"),
        ((0,), (4,), "sizes 0 and 4 differ in axis -1"),
    ],
)
def test_shapes_that_do_not_broadcast_name_the_axis_and_the_likely_mend(left, right, words):
    a, b = ones(*left), ones(*right)
    written = f"add: a {left} + b {right}: shapes do not broadcast: {words}"
    assert message_of(lambda: (a, b, a + b)) == written
    assert message_of(lambda: (a, b, np.add(a, b))) == written


def test_a_mend_that_is_named_mends():
    a, b = ones(2, 3), ones(2)
    assert (a + b[:, None]).shape == (2, 3)
    W1, X = ones(5, 4), ones(3, 4)
    assert (W1 @ X.T).shape == (5, 3)


def test_functions_with_three_operands_say_which_shapes_clash():
    mask, a, b = np.array([True, False]), ones(2), ones(3)
    assert message_of(lambda: (mask, a, b, np.where(mask, a, b))) == (
        "where: where(mask (2,), a (2,), b (3,)): shapes do not broadcast: sizes 2 and 3 differ in axis -1"
    )


@pytest.mark.parametrize("under", [at.no_grad, at.debug])
def test_words_are_the_same_in_every_mode(under):
    W1, X = ones(5, 4), ones(8, 3)
    with under():
        assert message_of(lambda: (W1, X, W1 @ X)).startswith("matmul: W1 (5, 4) @ X (8, 3): inner sizes 4 and 8")


def test_errors_come_when_the_expression_is_built():
    a, b = ones(2), ones(3)
    with pytest.raises(ShapeError):
        a * b


# ----- other failures -----
def test_other_failures_keep_numpys_words_after_ours():
    x = ones(2, 3)
    assert message_of(lambda: (x, x.reshape(4))) == (
        "reshape: reshape(x (2, 3)): cannot reshape array of size 6 into shape (4,)"
    )


@pytest.mark.parametrize(
    ("compute", "kind"),
    [
        (lambda x: np.linalg.inv(x), np.linalg.LinAlgError),
        (lambda x: np.sum(x, axis=5), np.exceptions.AxisError),
        (lambda x: x[7], IndexError),
    ],
)
def test_errors_with_a_kind_of_their_own_keep_it_and_gain_a_note(compute, kind):
    x = at.Tensor(np.zeros((2, 2)))
    with pytest.raises(kind) as raised:
        compute(x)
    assert raised.value.__notes__[0].startswith("in ")
    assert "x (2, 2)" in raised.value.__notes__[0]


def test_errors_hide_the_engine():
    a, b = ones(2), ones(3)
    with pytest.raises(ShapeError) as raised:
        a + b
    assert raised.value.__cause__ is None
    assert raised.value.__suppress_context__
    assert "setting an array" not in "".join(traceback.format_exception(raised.value))


# ----- names in errors -----
def test_a_given_name_wins_over_the_variable():
    W, b = ones(2, name="weights"), ones(3)
    assert message_of(lambda: (W, b, W + b)).startswith("add: weights (2,) + b (3,): ")


def test_plain_arrays_are_named_by_their_variable_too():
    W, batch = ones(2), np.ones(3)
    assert message_of(lambda: (W, batch, batch * W)).startswith("multiply: batch (3,) * W (2,): ")


def test_what_has_no_name_is_called_what_it_is():
    W = ones(2)
    assert message_of(lambda: (W, W * np.ones(3))).startswith("multiply: W (2,) * array (3,): ")
    assert message_of(lambda: (W, W + W[:, None] + ones(3))).startswith("add: Tensor (2, 2) + Tensor (3,): ")


def test_names_are_found_inside_functions_and_modules():
    def layer(weights, inputs):
        return weights @ inputs

    assert message_of(lambda: layer(ones(5, 4), ones(8, 3))).startswith("matmul: weights (5, 4) @ inputs (8, 3): ")


def test_numbers_are_written_out():
    x = at.Tensor([0.0])
    with at.debug():
        assert message_of(lambda: (x, 2.5 / x)).startswith("2.5 / x gives inf")


@pytest.mark.parametrize(
    ("value", "words"),
    [(3, "3"), (np.float64(0.5), "np.float64(0.5)"), (np.ones(2), "array"), ([1], "list"), (at.Tensor(1.0), "Tensor")],
)
def test_labels_of_the_nameless(value, words):
    assert label(value, {}) == words


def test_a_variable_is_found_by_identity_and_never_a_hidden_one():
    a, same = np.ones(2), np.ones(2)
    assert variable_name(a, {"same": same, "_hidden": a, "a": a}) == "a"
    assert variable_name(a, {"same": same}) is None


def test_the_callers_scope_and_line_are_those_outside_the_package():
    here = object()
    assert caller_scope()["here"] is here
    line = caller_line()  # this one
    assert line.startswith("test_messages.py:")
    assert line.endswith(": line = caller_line()  # this one")


def test_names_are_those_of_the_user_and_not_of_numpys_variables():
    speed = at.Tensor(1.0)
    with pytest.raises(UnsupportedError, match=r"^speed is tracked"):
        np.full(2, speed)


# ----- refusals -----
@pytest.mark.parametrize(
    ("compute", "words"),
    [
        (lambda x: np.packbits(x), "numpy.packbits has no gradient rule yet"),
        (lambda x: np.sum(x, out=np.ones(())), r"sum: out= is not supported on a Tensor; write np\.sum(x\)"),
        (lambda x: np.exp(x, out=np.ones((2, 2))), "exp: out= is not supported on a Tensor"),
        (lambda x: np.add(x, x, where=np.eye(2) > 0), "add: where= is not supported on a Tensor"),
        (lambda x: np.sum(x, where=np.eye(2) > 0, out=np.ones(())), "sum: out= is not supported on a Tensor"),
        (lambda x: np.sum(x, dtype=int), "dtype=int64 has no gradient; use a floating-point type"),
        (lambda x: np.max(x, where=np.eye(2) > 0), "max: where= needs initial=, the result where nothing is left"),
        (lambda x: np.exp(x, dtype=int), "exp: an operand of float64 cannot be cast to int64 with casting='same_kind'"),
        (lambda x: np.exp(x, signature="d->d"), "exp: signature= is not supported on a Tensor"),
        (
            lambda x: np.copyto(np.ones((2, 2)), x),
            r"numpy\.copyto changes .* write np\.broadcast_to(x, np\.shape(np\.ones((2, 2\)\)\)\)",
        ),
        (lambda x: np.full_like(np.ones((2, 2)), x), "write np.broadcast_to(x, np.shape"),
        (lambda x: np.full((2, 2), x), "Tensor is tracked|x is tracked"),
        (lambda x: np.add.at(x, 0, 1), r"add\.at changes .* write x = at\.index_update(x, 0, 1, np\.add\)"),
        (lambda x: np.add(np.ones((2, 2)), 1, out=x), "add: out= is not supported on a Tensor"),
    ],
)
def test_what_cannot_be_recorded_is_refused_by_name(compute, words):
    with pytest.raises(UnsupportedError, match=words.replace("(", r"\(")):
        compute(ones(2, 2))


@pytest.mark.parametrize("product", [lambda t: t @ 3, lambda t: 3 @ t, lambda t: 2.0 @ t])
def test_a_matrix_product_with_a_number_is_told_in_our_words(product):
    with pytest.raises(UnsupportedError, match=r"matmul: .*: a matrix product needs vectors or matrices; use \* for"):
        product(at.Tensor(2.0))
