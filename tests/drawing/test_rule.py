"""Rules in symbols, written by running them."""

import numpy as np
import pytest

import autotiny as at
from autotiny.drawing.rule import local_derivative
from autotiny.ops import OPS
from autotiny.ops.table import Each
from ops.declare import is_scipys

A = np.array([[0.5, 0.2], [0.3, 0.9]])


def told(function, position=0, constant_variant=False, **options):
    op = OPS[function].constant_variant if constant_variant else OPS[function]
    operands = list(zip("ab", [A] * len(op.rules), strict=False))
    return local_derivative(op.rules[position], operands, ("y", op.forward(*[A] * len(op.rules), **options)), options)


@pytest.mark.parametrize(
    ("function", "position", "rule", "factor"),
    [
        (np.add, 0, "g", "1"),
        (np.subtract, 1, "-g", "−1"),
        (np.multiply, 0, "g * b", "× b"),
        (np.divide, 0, "g / b", "× 1/b"),
        (np.divide, 1, "-g * y / b", "× −y / b"),
        (np.exp, 0, "g * y", "× y"),
        (np.log, 0, "g / a", "× 1/a"),
        (np.tanh, 0, "g * (1 - y²)", "× (1 − y²)"),
        (np.sqrt, 0, "0.5 * g / y", "× 0.5/y"),
        (np.matmul, 0, "g bᵀ", "· bᵀ"),
        (np.matmul, 1, "aᵀ g", "aᵀ ·"),
        (np.sum, 0, "g", "1"),
        (at.relu, 0, "g * 1[a > 0]", "× 1[a > 0]"),
        (at.sigmoid, 0, "g * y * (1 - y)", "× y × (1 − y)"),
        (at.softmax, 0, "y * (g - sum(y * g, axis=0))", None),
        (np.sign, 0, "0", None),
    ],
)
def test_a_rule_is_written_as_it_computes(function, position, rule, factor):
    local = told(function, position)
    assert (local.rule, local.factor) == (rule, factor)


def test_a_tie_with_a_constant_is_a_mask():
    assert told(np.maximum, 0, constant_variant=True).rule == "g * 1[a > b]"


def test_its_value_is_the_rule_at_g_equal_to_one():
    np.testing.assert_array_equal(told(np.tanh).value, 1 - np.tanh(A) ** 2)


def test_every_rule_of_two_matrices_is_written_or_given_up():
    """Those that need options, other shapes or a loop over the entries are told as ∂name."""
    unwritten = set()
    for op in set(OPS.values()):
        if isinstance(op.rules, Each) or is_scipys(op.function):
            continue
        try:
            y = op.forward(*[A] * len(op.rules))
        except Exception:
            continue
        for rule in (rule for rule in op.rules if rule and rule.__module__.startswith("autotiny")):
            operands = list(zip("abc", [A] * len(op.rules), strict=False))
            if local_derivative(rule, operands, ("y", y), {}) is None:
                unwritten.add(op.name)
    assert unwritten <= {"cofactors", "output", "eigh", "eig", "svd", "qr", "unstack"}


@pytest.mark.parametrize(
    "rule",
    [
        lambda g, y, x: np.asarray(g) * 2,
        lambda g, y, x: g.no_such_method(),
        lambda g, y, x: 1 / 0,
        lambda g, y, x: [g],
    ],
)
def test_a_rule_that_cannot_be_written_is_none(rule):
    assert local_derivative(rule, [("x", A)], ("y", A), {}) is None


def test_a_users_rule_is_written():
    @at.operation(lambda g, y, x: g * 3 * x**2)
    def cube(x):
        return x * x * x

    assert told(cube).factor == "× 3 × a²"


def test_a_picture_of_an_unreadable_rule_names_the_operation():
    @at.operation(lambda g, y, x: np.asarray(g) * 2)
    def double(x):
        return 2 * x

    assert [edge.label for edge in at.draw(double(at.Tensor([1.0, 2.0]))).edges] == ["∂double"]


def test_an_operand_called_g_is_told_from_the_gradient_that_arrives():
    local = local_derivative(OPS[np.multiply].rules[0], [("a", A), ("g", A)], ("y", A * A), {})
    assert (local.rule, local.factor) == ("ḡ * g", "× g")
