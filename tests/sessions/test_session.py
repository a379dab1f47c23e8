import numpy as np
import pytest

import autotiny as at
from autotiny.language import ExpressionError, Limits
from autotiny.ops import OPS
from autotiny.sessions.program import SessionError

NETWORK = """\
X = array([[1, -0.5, 2], [0.3, 1, -1]])
Y = one_hot(array([0, 1, 1]))
W1 = [[0.5, -1], [1, 2], [-0.4, 0.3]]
b1 = [[0.1], [0], [-0.2]]
W2 = [[1, -1, 0.5], [0.2, 0.7, -0.3]]
b2 = [[0], [0.5]]
Z1 = W1 @ X + b1
A1 = maximum(Z1, 0)
Z2 = W2 @ A1 + b2
A2 = exp(Z2) / sum(exp(Z2), axis=0)
J = -sum(Y * log(A2)) / 3"""


@pytest.fixture
def network():
    session = at.session()
    session.edit(NETWORK)
    return session


@pytest.fixture
def small():
    session = at.session()
    session["x"] = 3.0
    session["y"] = "x * x + x"
    return session


@pytest.fixture
def evaluated(monkeypatch):
    """Counts how often operations are computed forward, and their rules backward."""
    counts = {"forward": 0, "backward": 0}

    def counting(function, way):
        def counted(*args, **kwargs):
            counts[way] += 1
            return function(*args, **kwargs)

        return counted

    for function in (np.tanh, np.exp, np.sin, np.sum):
        op = OPS[function]
        monkeypatch.setattr(op, "forward", counting(op.forward, "forward"))
        monkeypatch.setattr(op, "rules", tuple(counting(rule, "backward") for rule in op.rules))
    return counts


def gradients(session):
    return {name: session.grad(name) for name in session}


def seen(session):
    """All that a session shows."""
    values = {name: np.asarray(getattr(value, "data", value)).tolist() for name, value in session.values.items()}
    grads = {name: None if g is None else g.tolist() for name, g in gradients(session).items()}
    return session.text, session.output, values, grads, repr(session), session.script


def fresh(session):
    """A session of the same text, computed anew."""
    other = at.session()
    other.edit(session.text)
    return other


# ----- statements -----
def test_a_formula_follows_its_leaves(small):
    small["x"] = -1.0
    assert (small["y"].item(), small.grad("x")) == (0, -1)


def test_numbers_and_lists_are_variables_and_arrays_are_data():
    session = at.session()
    session["x"], session["w"], session["X"] = 3, [1, 2], np.ones(2)
    session["J"] = "sum(w * X) * x"
    assert [each.kind for each in session.statements] == ["variable", "variable", "data", "formula"]
    assert session.grad("w").tolist() == [3, 3]
    assert session.grad("X") is None


def test_a_tensor_is_what_its_requires_grad_says():
    session = at.session()
    session["W"], session["X"] = at.Tensor(np.float32([1, 2])), at.Tensor([1.0], requires_grad=False)
    assert [each.text for each in session.statements] == ["Tensor([1.0, 2.0], dtype=float32)", "array([1.0])"]
    assert session["W"].dtype == np.float32


def test_a_leaf_that_is_given_numbers_stays_what_it_is(network):
    network["W1"] = np.zeros((3, 2))
    network["X"] = [[1, 2, 3], [4, 5, 6]]
    assert [each.kind for each in network.statements[:3]] == ["data", "formula", "variable"]


def test_a_variable_keeps_its_precision():
    session = at.session()
    session["W"] = at.Tensor(np.float32([0.1]))
    session["W"] = [0.3]
    assert session["W"].dtype == np.float32
    assert session.text == "W = Tensor([0.3], dtype=float32)"


def test_an_expression_without_a_name_gets_one():
    session = at.session()
    assert session.run("x = 2; x * x; exp(x)") == ["x", "J", "J2"]


def test_run_replaces_the_statements_of_its_names(small):
    small.run("z = 2 * y\ny = exp(x)")
    assert small.text == "x = 3.0\ny = exp(x)\nz = 2 * y"
    assert small["z"].item() == pytest.approx(2 * np.exp(3))


def test_a_formula_moves_behind_the_values_that_it_uses(small):
    small["z"] = "2 * y"
    small["b"] = 2.0
    small["y"] = "x * b"
    assert small.text == "x = 3.0\nb = 2.0\ny = x * b\nz = 2 * y"


def test_arrays_have_their_names_in_pictures(network):
    assert "X " in repr(network.draw())
    assert "Y " in repr(network.draw())


def test_gradients_are_those_of_the_textbook(network):
    X, Y, A1, A2 = (np.asarray(network[name].data) for name in ("X", "Y", "A1", "A2"))
    dZ2 = (A2 - Y) / 3
    np.testing.assert_allclose(network.grad("Z2"), dZ2, rtol=0, atol=1e-15)
    np.testing.assert_allclose(network.grad("W2"), dZ2 @ A1.T, rtol=0, atol=1e-15)
    dZ1 = network["W2"].data.T @ dZ2 * (network["Z1"].data > 0)
    np.testing.assert_allclose(network.grad("W1"), dZ1 @ X.T, rtol=0, atol=1e-15)


def test_tensors_hold_the_gradients_of_the_session(network):
    for name in ("W1", "Z2", "J"):
        np.testing.assert_array_equal(network[name].grad, network.grad(name))


def test_gradients_handed_out_are_not_the_sessions_own(small):
    small.grad("x")[...] = 100
    small["x"].grad[...] = 100
    small["z"] = "y + 0"
    assert (small.grad("x"), small["x"].grad) == (7, 7)


# ----- only what depends on an edit is computed again -----
def test_a_leaf_computes_only_what_depends_on_it(network):
    before = network.values
    network["W2"] = np.ones((2, 3))
    same = [name for name, value in network.values.items() if value is before[name]]
    assert same == ["X", "Y", "W1", "b1", "b2", "Z1", "A1"]


def test_operations_within_a_statement_are_not_computed_again_either(evaluated):
    session = at.session()
    session.edit("a = 2\nb = 3\nJ = tanh(sin(a)) + tanh(sin(b))")
    evaluated.update(forward=0, backward=0)
    session["b"] = 1.0
    assert evaluated == {"forward": 2, "backward": 2}


def test_a_rename_computes_nothing(network, evaluated):
    network.rename("Z1", "hidden")
    assert evaluated == {"forward": 0, "backward": 0}
    assert "A1 = maximum(hidden, 0)" in network.text
    assert network["hidden"].name == "hidden"


def test_a_part_of_a_formula_that_gets_a_name_is_not_computed_again(evaluated):
    session = at.session()
    session.edit("x = 2\nJ = tanh(sin(exp(x)))")
    evaluated.update(forward=0)
    session.edit("x = 2\ns = sin(exp(x))\nJ = tanh(s)")
    assert evaluated["forward"] == 1


def test_a_statement_that_others_do_not_need_computes_itself_alone(network, evaluated):
    evaluated.update(forward=0)
    network["E"] = "exp(b1)"
    assert evaluated["forward"] == 1


def test_two_places_with_the_same_formula_stay_two():
    session = at.session()
    session.edit("x = 2\na = tanh(x)\nb = tanh(x)\nJ = a * b")
    assert session["a"] is not session["b"]
    session.edit("x = 2\na = tanh(x)\nb = tanh(x)\nJ = a * b + 1")
    assert session["a"] is not session["b"]


def test_equal_leaves_keep_apart(evaluated):
    session = at.session()
    session.edit("a = 3\nb = 3\nJ = tanh(a) + tanh(b)")
    evaluated.update(forward=0)
    session["a"] = 4.0
    assert evaluated["forward"] == 1


@pytest.mark.parametrize(
    "edit",
    [
        lambda s: s.assign("W1", np.full((3, 2), 0.25)),
        lambda s: s.assign("A1", "tanh(Z1)"),
        lambda s: s.swap("A2", "exp", "cosh"),
        lambda s: s.rename("J", "loss"),
        lambda s: s.assign("J", "-sum(Y * log(A2)) / 3 + 0.1 * sum(W1 ** 2)"),
        lambda s: s.run("X = array([[1, 2], [3, 4]])\nY = eye(2)"),
        lambda s: s.edit(s.text.replace("b1 = [[0.1]", "b1 = [[-0.1]")),
        lambda s: s.edit(""),
    ],
)
def test_after_every_edit_all_is_as_if_computed_anew(edit, network):
    edit(network)
    other = fresh(network)
    assert seen(network) == seen(other)


# ----- edits that fail -----
@pytest.mark.parametrize(
    ("edit", "error", "words"),
    [
        (lambda s: s.assign("Z1", "W1 @ W1"), ExpressionError, "inner sizes 2 and 3 differ"),
        (lambda s: s.assign("W2", np.ones((4, 4))), ExpressionError, "inner sizes 4 and 3 differ"),
        (lambda s: s.assign("Z1", "A2 + 1"), SessionError, "Z1 would depend on itself: Z1 → A2 → Z2 → A1 → Z1"),
        (lambda s: s.assign("W1", "W1 + 1"), SessionError, "W1 would depend on itself: W1 → W1"),
        (lambda s: s.assign("Z1", "tanhh(X)"), ExpressionError, "did you mean tanh?"),
        (lambda s: s.assign("Z1", "1; y = 2"), SessionError, "Z1: expected one formula; got 2 statements"),
        (lambda s: s.assign("Z1", "__import__('os')"), ExpressionError, "there is no function __import__"),
        (lambda s: s.assign("Z1", s["J"]), SessionError, "Z1: a computed Tensor cannot be assigned"),
        (lambda s: s.assign("np", 3), SessionError, "'np' cannot be the name of a value"),
        (lambda s: s.assign("Z 1", 3), SessionError, "'Z 1' cannot be the name of a value"),
        (lambda s: s.assign("x", "a text"), ExpressionError, "syntax error"),
        (lambda s: s.edit("x = 1\nx = 2"), ExpressionError, "x is already defined, in line 1"),
        (lambda s: s.edit("Tensor = 1"), ExpressionError, "Tensor is a reserved name"),
        (lambda s: s.edit("y = x * 2\nx = 1"), ExpressionError, "there is no value named x"),
        (lambda s: s.edit("for i in x: pass"), ExpressionError, "not part of the language"),
        (lambda s: s.run("a, b = 1, 2"), ExpressionError, "an assignment has one name on its left"),
        (lambda s: s.edit('W = Tensor(arrays["W"])'), ExpressionError, "no array 'W' in the session's .npz file"),
        (lambda s: s.edit("x = 2\nW = Tensor(x * x)"), ExpressionError, "must not depend on a variable"),
        (lambda s: s.rename("Z1", "A1"), SessionError, "A1 is already the name of a value"),
        (lambda s: s.rename("Z1", "lambda"), SessionError, "'lambda' cannot be the name"),
        (lambda s: s.rename("Z3", "Z4"), SessionError, "there is no 'Z3' in the session, only X, Y"),
        (lambda s: s.__delitem__("Z1"), SessionError, "Z1 is used by A1; change or delete that first"),
        (lambda s: s.__getitem__("Q"), SessionError, "there is no 'Q'"),
        (lambda s: s.swap("A1", "relu", "tanh"), SessionError, r"there is no relu in A1 = maximum\(Z1, 0\)"),
        (lambda s: s.swap("Z1", "+", "tanh"), SessionError, "\\+ is an operator and tanh a function"),
        (lambda s: s.swap("A1", "maximum", "os.system('ls')"), SessionError, "is not the name of a function"),
        (lambda s: setattr(s, "output", "A1"), SessionError, r"A1 has shape \(3, 3\).*take its sum or mean"),
        (lambda s: setattr(s, "output", "X"), SessionError, "X depends on no variable"),
        (lambda s: s.redo(), SessionError, "there is nothing to redo"),
    ],
)  # fmt: skip
def test_an_edit_that_fails_leaves_all_as_it_was(edit, error, words, network):
    before = seen(network)
    values = network.values
    with pytest.raises(error, match=words):
        edit(network)
    assert seen(network) == before
    assert all(network[name] is value for name, value in values.items())


def test_an_error_in_a_text_has_its_line_and_column():
    session = at.session()
    with pytest.raises(ExpressionError) as raised:
        session.edit("\n# a comment\nx = 3\ny = 2 * (\n  x +\n  tanhh(x))\n")
    assert (raised.value.line, raised.value.column) == (6, 3)
    assert raised.value.excerpt.splitlines()[0].strip() == "tanhh(x))"


def test_an_error_in_an_expression_without_a_name_points_into_the_text():
    with pytest.raises(ExpressionError) as raised:
        at.session().edit("x = 3\nx + tanhh(x)")
    assert (raised.value.line, raised.value.column) == (2, 5)
    assert raised.value.excerpt == "  x + tanhh(x)\n      ^^^^^"[: len(raised.value.excerpt)]


def test_edit_returns_the_spans_of_right_sides():
    spans = at.session().edit("# numbers\nx = 3;  W = [[1, 2],\n   [3, 4]]").spans
    assert spans == {"x": (2, 5, 2, 6), "W": (2, 13, 3, 11)}


def test_limits_hold_for_all_statements_together():
    session = at.session(limits=Limits(total=1000))
    session["a"] = "ones((20, 20))"
    session["b"] = "ones((20, 20))"
    with pytest.raises(ExpressionError, match="all results would have"):
        session["c"] = "ones((20, 20))"


# ----- undo and redo -----
def test_undo_and_redo_go_through_every_edit(network):
    states = [seen(network)]
    edits = [
        lambda: network.assign("W1", np.ones((3, 2))),
        lambda: network.assign("A1", "tanh(Z1)"),
        lambda: network.rename("A1", "H"),
        lambda: network.assign("extra", 2.0),
        lambda: network.assign("H", "tanh(Z1) * extra"),
        lambda: network.run("K = sum(H)"),
        lambda: setattr(network, "output", "J"),
        lambda: network.__delitem__("K"),
        lambda: network.edit("x = 1\nx * x"),
    ]
    for edit in edits:
        edit()
        states.append(seen(network))
    for state in reversed(states[:-1]):
        network.undo()
        assert seen(network) == state
    for state in states[1:]:
        network.redo()
        assert seen(network) == state


def test_an_edit_after_undo_forgets_what_was_undone(small):
    small["x"] = 5.0
    small.undo()
    small["x"] = 7.0
    with pytest.raises(SessionError, match="nothing to redo"):
        small.redo()
    small.undo()
    assert small["x"].item() == 3


def test_a_slider_that_is_dragged_is_one_edit(small):
    small.assign("x", 4.0)
    for x in (4.1, 4.2, 4.3):
        small.assign("x", x, amend=True)
    small.undo()
    assert small["x"].item() == 3


# ----- output -----
def test_gradients_are_of_the_last_number(small):
    small["z"] = "3 * y"
    small["v"] = "[1, 2] * x"
    assert (small.output, small.grad("x")) == ("z", 21)


def test_the_output_may_be_chosen_and_left_to_the_session(small):
    small["z"] = "3 * y"
    small.output = "y"
    assert small.grad("x") == 7
    assert small.grad("z") is None
    small.output = None
    assert small.output == "z"


def test_without_a_number_there_are_no_gradients():
    session = at.session()
    session["x"] = [1, 2]
    assert (session.output, session.grad("x"), session["x"].grad) == (None, None, None)
    assert "—" in repr(session)


def test_a_gradient_that_is_gone_is_gone_from_the_tensors(small):
    x = small["x"]
    del small["y"]
    assert x.grad is None


# ----- showing -----
def test_repr_is_a_table_of_statements(network):
    lines = repr(network).splitlines()
    assert lines[0].split() == ["name", "is", "shape", "value", "gradient"]
    assert [line.split()[0] for line in lines[1:]] == list(network)


def test_an_empty_session_says_how_to_begin():
    assert repr(at.session()) == "an empty session: s['x'] = 3.0 gives it a variable"
    with pytest.raises(SessionError, match="nothing to draw yet"):
        at.session().draw()


def test_pictures_have_the_same_order_after_an_edit(network):
    def order():
        return [line.split()[0] for line in network.draw().table.splitlines()]

    before = order()
    network["W1"] = np.ones((3, 2))
    assert order() == before


def test_a_notebook_shows_the_picture_and_the_table(small):
    bundle = small._repr_mimebundle_()
    assert bundle["text/plain"] == repr(small)
    assert "<svg" in bundle["text/html"]


def test_a_notebook_shows_an_empty_session():
    assert at.session()._repr_mimebundle_() == {"text/plain": repr(at.session())}


# ----- what is made outside -----
def test_a_tensor_that_python_made_becomes_a_formula(network):
    def ridge(*weights):
        return 0.5 * sum(np.sum(w**2) for w in weights)

    assert network.adopt({"R": ridge(network["W1"], network["W2"])}) == ["R"]
    assert network.statements[-1].line == "R = 0.5 * (0 + sum(W1 ** 2) + sum(W2 ** 2))"
    network["W1"] = np.zeros((3, 2))
    np.testing.assert_array_equal(network.grad("W2"), network["W2"].data)


def test_python_s_arrays_and_numbers_are_data_and_its_leaves_variables(small):
    small.adopt({"n": 3, "A": np.ones(2), "W": at.Tensor([1.0]), "x2": small["x"]})
    assert small.text.splitlines()[2:] == ["n = array(3)", "A = array([1.0, 1.0])", "W = [1.0]", "x2 = x"]


@pytest.mark.parametrize("write", [lambda x: setattr(x, "data", x.data - 2), lambda x: x.data.__isub__(2)])
def test_what_is_assigned_to_the_data_of_a_leaf_is_taken_in(write, small):
    write(small["x"])
    assert small.adopt({}) == []
    assert (small["x"].item(), small["y"].item(), small.grad("x")) == (1, 2, 3)
    small.undo()
    assert small["y"].item() == 12


def test_any_edit_takes_in_what_was_assigned_to_data(small):
    small["x"].data[...] = 1
    small["z"] = "2 * y"
    assert small["z"].item() == 4


@pytest.mark.parametrize("edit", [lambda s: s.edit(s.text), lambda s: s.assign("x", 3.0)])
def test_an_edit_wins_over_what_was_assigned_to_data(edit, small):
    small["x"].data[...] = 1
    edit(small)
    assert (small["x"].item(), small["y"].item(), small.grad("x")) == (3, 12, 7)


def test_an_edit_that_changes_nothing_is_not_recorded(small):
    small.edit(small.text)
    small.undo()
    assert list(small) == ["x"]


def test_a_variable_steps_on_from_itself(small):
    small.adopt({"x": small["x"] - 0.1 * small["x"].grad})
    assert small.statements[0].kind == "variable"
    assert small["y"].item() == pytest.approx(2.3 * 2.3 + 2.3)


def test_a_formula_of_itself_keeps_what_it_was_beside_it(small):
    small.adopt({"y": small["y"] + 1})
    assert small.text == "x = 3.0\ny_2 = x * x + x\ny = y_2 + 1"


@pytest.mark.parametrize("formula", ["cross_entropy(Z, labels)", "Z[labels]", "ones((n, 2))"])
def test_an_error_says_how_whole_numbers_become_data(formula):
    session = at.session()
    session.run("Z = [[1, 2], [3, 4]]; labels = [0, 1]; n = 3")
    hint = r"; if (labels|n) is data, write (labels = array\(\[0, 1\]\)|n = array\(3\))"
    with pytest.raises(ExpressionError, match=hint):
        session["J"] = formula


def test_values_other_than_arrays_are_shown_too():
    session = at.session()
    session.run("Z = [[1, 2], [3, 4]]; parts = split(Z, 2); s = shape(Z); k = None; m = Z > 1")
    lines = [line.split(None, 1)[1].rstrip() for line in repr(session).splitlines()[2:]]
    assert [line.split("  ")[-1].strip() for line in lines] == ["2 results", "(2, 2)", "None", "0 … 1"]


def test_a_star_before_a_right_side_is_refused():
    """Python reads it in a statement, and in no expression."""
    with pytest.raises(ExpressionError, match=r"\* before an argument is not part of the language"):
        at.session().edit("x = 1\ny = *x")
