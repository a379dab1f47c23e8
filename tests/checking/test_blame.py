"""A wrong rule deep inside a graph is named, with the tensor and the line."""

import numpy as np
import pytest

import autotiny as at
from autotiny.checking import GradientError


@at.operation(lambda g, y, a, b: g * b, lambda g, y, a, b: 1.0005 * g * a)
def product_off(a, b):
    return a * b


def test_the_operation_the_operand_the_tensor_and_the_line_are_named():
    W, b = at.Tensor(np.eye(3) + 0.1, name="W"), at.Tensor([0.3, 0.5, -1.0], name="b")
    with at.debug():
        Z = np.tanh(W @ b)
        A = product_off(np.exp(Z), np.cos(Z))
        loss = np.sum(np.log(at.softmax(A)) * np.sin(A))
    blame = at.compare(loss, {}, wrt=[W, b]).blame()
    assert (blame.op, blame.name, blame.operand) == ("product_off", "A", 1)
    assert blame.line.startswith("test_blame.py:")
    assert "A = product_off(np.exp(Z), np.cos(Z))" in blame.line
    assert "the rule of product_off for operand 1 is wrong" in repr(blame)
    assert bool(blame)


def test_without_debug_the_blame_says_how_to_know_the_line():
    x = at.Tensor([0.3, 0.5], name="x")
    blame = at.compare(np.sum(product_off(x, x)), {}, wrt=[x]).blame()
    assert blame.line is None
    assert "record it under at.debug()" in repr(blame)


def test_right_rules_are_not_blamed_even_where_a_closed_form_is_wrong():
    x = at.Tensor([[0.3, 0.5], [1.0, 2.0]], name="x")
    loss = np.sum(np.log(at.softmax(np.abs(x) @ x)) ** 2)
    report = at.compare(loss, {x: np.ones((2, 2))})
    assert not report.ok
    assert not report.blame()
    assert "every rule is right" in repr(report.blame())


def test_a_wrong_rule_is_named_though_a_wrong_rule_downstream_undoes_it():
    half = at.operation(lambda g, y, x: 0.5 * g)(lambda x: x * 1.0)
    double = at.operation(lambda g, y, x: 2 * g)(lambda x: x * 1.0)
    x = at.Tensor([0.3, 0.5], name="x")
    report = at.compare(np.sum(np.sin(double(half(x)))), {}, wrt=[x])
    assert report.ok
    assert report.blame().op == half.__wrapped__.__name__


def test_check_gradients_passes_in_silence_to_second_order():
    def f(W, x):
        return np.sum(np.tanh(W @ x) ** 2)

    assert at.check_gradients(f, np.array([[0.1, 0.5], [1.0, -2.0]]), np.array([0.3, 0.7]), order=2) is None


def test_check_gradients_raises_an_assertion_with_the_report():
    with pytest.raises(
        AssertionError, match=r"the gradient is not the derivative(.|\n)*b .*autograd DIFFERS"
    ) as caught:
        at.check_gradients(lambda a, b: product_off(a, b), np.ones(3), np.arange(3.0) + 1)
    assert isinstance(caught.value, GradientError)
    assert isinstance(caught.value, at.errors.AutotinyError)
    assert [row.outlier for row in caught.value.report.rows] == [None, "autograd"]


def test_second_order_finds_a_rule_whose_own_derivative_is_wrong():
    first_order_only = at.operation(lambda g, y, x: g * np.cos(x.data if isinstance(x, at.Tensor) else x))(np.sin)
    x = np.array([0.3, 0.5])
    at.check_gradients(first_order_only, x)
    with pytest.raises(GradientError, match="the second derivative is not the derivative"):
        at.check_gradients(lambda x: first_order_only(x) ** 2, x, order=2)


def test_trees_of_arguments_and_results_are_checked_by_name():
    def f(parameters, scale):
        return {"y": parameters["W"] * scale, "z": product_off(parameters["b"], scale)}

    with pytest.raises(GradientError, match=r"scale .*DIFFERS"):
        at.check_gradients(f, {"W": np.ones(2), "b": np.ones(2)}, 3.0)


def test_what_cannot_be_checked_says_so():
    with pytest.raises(at.errors.UnsupportedError, match="order is 1 or 2; got 3"):
        at.check_gradients(np.sin, 1.0, order=3)
    with pytest.raises(at.errors.UnsupportedError, match="does not depend on any argument"):
        at.check_gradients(lambda x: 1.0, 2.0)


def test_check_gradients_works_under_no_grad():
    with at.no_grad(), pytest.raises(GradientError):
        at.check_gradients(lambda x: product_off(x, x), np.ones(3))
