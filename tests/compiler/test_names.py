"""A name in a program stands on the value that the user gave it; a gradient's on a multiple that its line states."""

import re

import numpy as np
import pytest

import autotiny as at
from autotiny.compiler.trace import trace
from autotiny.engine.pytree import flatten
from compiler.programs import random_leaves, random_program

RNG = np.random.default_rng(0)
SHORT = re.compile(r"(t|memory|mask|squares|c|one|zero|ones|zeros|function)[\dx_]*$")
TELLING = re.compile(
    r"(new|minus|scaled|sum_of|max_of|min_of|[a-z0-9]+)_\w+|\w+_(T|squared|repeated|is_positive)(_\d+)?$"
)
"""Names that say what was made of an operand."""


def loss(W1, b1, W2, b2, X, Y):
    Z1 = W1 @ X + b1
    A1 = np.tanh(Z1)
    Z2 = W2 @ A1 + b2
    A2 = at.softmax(Z2)
    J = -np.sum(Y * np.log(A2)) / Y.shape[1]
    return J  # noqa: RET504


def step(W1, b1, W2, b2, X, Y):
    J, (dW1, db1, dW2, db2) = at.value_and_grad(loss, (0, 1, 2, 3))(W1, b1, W2, b2, X, Y)
    return J, W1 - 0.1 * dW1, b1 - 0.1 * db1, W2 - 0.1 * dW2, b2 - 0.1 * db2


def gradients(W1, b1, W2, b2, X, Y):
    return at.value_and_grad(loss, (0, 1, 2, 3))(W1, b1, W2, b2, X, Y)


def by_hand(W1, b1, W2, b2, X, Y):
    m = X.shape[1]
    A1 = np.tanh(W1 @ X + b1)
    A2 = at.softmax(W2 @ A1 + b2)
    E = A2 - Y
    dZ2 = E / m
    dW2 = dZ2 @ A1.T
    db2 = np.sum(dZ2, axis=1, keepdims=True)
    dZ1 = W2.T @ dZ2 * (1 - A1 * A1)
    dW1 = dZ1 @ X.T
    return W1 - 0.1 * dW1, W2 - 0.1 * dW2, b2 - 0.1 * db2


def network(m=6):
    params = [RNG.standard_normal(shape) for shape in [(5, 4), (5, 1), (3, 5), (3, 1)]]
    return (*params, RNG.standard_normal((4, m)), np.eye(3)[:, [0, 1, 2, 2, 1, 0][:m]])


def lines_and_values(f, args):
    """Run a program line by line: after the last line that writes a name, its value and that line."""
    compiled = at.compile(f)
    compiled(*args)
    setup, _, body = compiled.source.partition("def step(")
    parameters, _, body = body.partition("):\n")
    namespace = {**compiled.latest.program.objects, "invalid": []}
    exec(setup, namespace)
    leaves = [x for x in flatten(args)[0] if isinstance(x, np.ndarray | float)]
    namespace.update(zip(parameters.split(", "), leaves, strict=True))
    seen = {}
    for line in map(str.strip, body.splitlines()):
        written = re.search(r"out=(\w+)", line) or re.match(r"(\w+)(?:\[\.\.\.\])? = ", line)
        if written:
            exec(line, namespace)
            seen[written[1]] = (line, np.copy(namespace[written[1]]))
    return seen


def require_honest(seen, called):
    """Every user's name stands on a value that was given it, up to the factor that its line states."""
    told = []
    for name, (line, value) in seen.items():
        base = name if name in called else re.sub(r"_\d+$", "", name)
        if base not in called:
            assert SHORT.match(name) or TELLING.match(name) or hasattr(np, name.split("_")[0]), name
            continue
        factor = re.search(rf"= (\S+) d\w+/{base}$", line)
        told.append(base)
        value = value / float(factor[1]) if factor else value
        assert any(np.shape(x) == value.shape and np.allclose(x, value, rtol=1e-5) for x in called[base]), (name, line)
    return told


def values_by_name(f, args):
    """What each name was given, by the trace."""
    leaves, _ = flatten(args)
    called = {}
    for term, name in trace(f, args, {}, [True] * len(leaves)).names.items():
        called.setdefault(name.text, []).append(term.value)
    return called


@pytest.mark.parametrize("f", [step, gradients, by_hand, loss])
def test_every_name_stands_on_the_value_that_it_was_given(f):
    args = network()
    told = require_honest(lines_and_values(f, args), values_by_name(f, args))
    assert "A1" in told


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("seed", range(60))
def test_names_in_random_programs_stand_on_what_they_were_given(seed):
    program, args = random_program(seed), tuple(random_leaves(seed, np.float64))

    def f(x, row, column):
        results = program(x / 3, row, column)
        J, (dx, drow, dcolumn) = results["J"] / 7, results["gradients"]
        step = [x - 0.1 * dx, row - 0.1 * drow, column - 0.1 * dcolumn]
        return J, step

    require_honest(lines_and_values(f, args), values_by_name(f, args))


def test_the_check_of_names_sees_a_name_on_another_value():
    called = values_by_name(step, network())
    with pytest.raises(AssertionError, match="J"):
        require_honest({"J": ("J = vdot(Y, t10)", np.array(123.0))}, called)
    with pytest.raises(AssertionError, match="dZ2"):
        require_honest({"dZ2": ("subtract(A2, Y, out=dZ2)", 6 * called["dZ2"][0])}, called)


@pytest.mark.parametrize("f", [step, gradients])
def test_the_loss_is_returned_by_its_name(f):
    compiled = at.compile(f)
    compiled(*network())
    assert "return J, " in compiled.source
    assert "J_2" not in compiled.source


def seventh(x):
    Z = x * x
    J = np.sum(np.sin(Z)) / 7
    return J  # noqa: RET504


def test_a_gradient_whose_factor_is_postponed_says_so():
    compiled = at.compile(at.grad(seventh))
    compiled(np.ones(3))
    assert re.search(r"cos\(Z, out=dZ\)  # dZ = 7 dJ/dZ\n", compiled.source)
    assert re.search(r"dx = multiply\(\w+, c_1_7\)\n", compiled.source)


def test_a_gradient_without_a_postponed_factor_needs_no_remark():
    compiled = at.compile(gradients)
    compiled(*network())
    assert re.search(r"dW2 = dZ2\.dot\(\w+\)\n", compiled.source)
    assert re.search(r"out=dZ2\)  # A2 - Y\n", compiled.source)


def test_the_graph_names_a_multiple_of_a_gradient_as_that():
    compiled = at.compile(at.grad(seventh))
    compiled(np.ones(3))
    svg = at.draw(compiled).svg
    assert "7 dJ/dZ" in svg


def test_names_of_numbers_stand_on_what_they_were_given():
    def f(w, x):
        E = w * x - 1
        J = E * E / 4
        return J  # noqa: RET504

    compiled = at.compile(at.value_and_grad(f, 0))
    compiled(0.5, 3.0)
    namespace = {"w": 0.5, "x": 3.0}
    lines = re.findall(r"^    ([EJ] = [^\n]*)", compiled.source, re.MULTILINE)
    for line in lines:
        exec(line, namespace)
    assert (namespace["E"], namespace["J"]) == (0.5, 0.0625), compiled.source


def test_memory_of_a_block_that_several_results_share_has_none_of_their_names():
    def f(x):
        Z = x * x + 1
        A = np.tanh(Z)
        J = np.sum(np.exp(A) * Z) / 3
        return J  # noqa: RET504

    x = RNG.standard_normal(2**17)
    compiled = at.compile(at.value_and_grad(f))
    np.testing.assert_allclose(compiled(x)[0], f(x))
    block = compiled.source.split("def block1")[1].split("return")[0]
    for name, written in (("Z", "add"), ("A", "tanh"), ("J", "")):
        assert all(line.strip().startswith(written) for line in block.splitlines() if f"out={name})" in line), block
