import numpy as np
import pytest

import autotiny as at
from autotiny.engine.graph import topological_order
from autotiny.errors import UnsupportedError


def mlp():
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(4, 8)), at.one_hot(rng.integers(0, 3, 8), 3)
    W1, b1 = at.Tensor(rng.normal(size=(5, 4))), at.Tensor(np.zeros((5, 1)))
    W2, b2 = at.Tensor(rng.normal(size=(3, 5)), name="weights"), at.Tensor(np.zeros((3, 1)))
    Z1 = W1 @ X + b1
    A2 = at.softmax(W2 @ np.maximum(Z1, 0) + b2)
    J = -np.sum(Y * np.log(A2)) / 8
    return at.session(J), J, [W1, b1, W2, b2]


def test_a_recorded_graph_becomes_statements_with_the_users_names():
    session, _, _ = mlp()
    assert list(session) == ["W1", "b1", "weights", "b2", "X", "Z1", "A2", "Y", "J"]
    assert [each.text for each in session.statements if each.kind == "formula"] == [
        "W1 @ X + b1",
        "softmax(weights @ maximum(Z1, 0) + b2)",
        "-sum(Y * log(A2)) / 8",
    ]


def test_its_values_and_gradients_are_the_recorded_ones():
    session, J, leaves = mlp()
    J.backward()
    assert session["J"].item() == J.item()
    for name, leaf in zip(["W1", "b1", "weights", "b2"], leaves, strict=True):
        np.testing.assert_array_equal(session.grad(name), leaf.grad)


def test_the_recorded_tensors_are_left_alone():
    session, _, leaves = mlp()
    session["W1"] = np.zeros((5, 4))
    assert leaves[0].data.any()
    assert leaves[0].grad is None


def graph(compute):
    x = at.Tensor([[1.0, 2.0, 0.5], [0.3, -1.0, 4.0]], name="x")
    return compute(x)


@pytest.mark.parametrize(
    ("compute", "formula"),
    [
        (lambda x: np.sum((x + 1) * (x - 1)), "sum((x + 1) * (x - 1))"),
        (lambda x: np.sum(-(x**2)) / 3, "sum(-x ** 2) / 3"),
        (lambda x: np.sum((-x) ** 2), "sum((-x) ** 2)"),
        (lambda x: np.sum(x @ x.T - x.T[0, 0]), None),
        (lambda x: np.sum(x, axis=0, keepdims=True)[0, -1], "sum(x, axis=0, keepdims=True)[0, -1]"),
        (lambda x: np.sum(x[:, ::-1][..., None] * x[1:, [0, 2, 2], None]), None),
        (lambda x: np.sum(x[np.array([True, False])]), None),
        (lambda x: np.sum(np.where(x > 0, x, 0.5 * x)), None),
        (lambda x: np.sum(np.reshape(x, (3, 2)) @ x.reshape(2, 3)), None),
        (lambda x: np.sum(np.concatenate([x, x * 2], axis=1)), "sum(concatenate([x, x * 2], axis=1))"),
        (lambda x: np.sum(np.stack([x, x])), None),
        (lambda x: np.einsum("ij,kj->", x, x), "einsum('ij,kj->', x, x)"),
        (lambda x: np.linalg.norm(x) + np.std(x) + np.mean(x) + np.var(x), None),
        (lambda x: at.cross_entropy(x, [0, 1, 1]), None),
        (lambda x: np.log(np.sum(at.sigmoid(x))) + at.gelu(x).max() + at.logsumexp(x), None),
        (lambda x: np.linalg.det(x @ x.T) + np.linalg.inv(x @ x.T)[0, 0], None),
        (lambda x: np.sum(np.pad(x, 1) ** 2) + np.sum(np.sort(x, axis=1)[:, 0]), None),
        (lambda x: np.sum(np.clip(x, -0.5, 1)) + np.prod(x) + np.cumsum(x)[-1], None),
        (lambda x: np.sum(x / np.float64(3)) + np.sum(x * np.array(2.0)), None),
        (lambda x: at.huber(x, x * x, delta=0.5), "huber(x, x * x, delta=0.5)"),
        (lambda x: 2 * at.huber(x[0], [1, 2, 0]), "2 * huber(x[0], data)"),
        (lambda x: at.binary_cross_entropy(x, at.sigmoid(x)), "binary_cross_entropy(x, sigmoid(x))"),
        (lambda x: at.binary_cross_entropy(x[1], [0, 1, 1]), "binary_cross_entropy(x[1], data)"),
        (lambda x: np.mean(at.cosine_similarity(x, np.tanh(x), axis=1)), None),
        (lambda x: at.cosine_similarity(x[0], x[1]), "cosine_similarity(x[0], x[1])"),
        (lambda x: np.linalg.slogdet(x @ x.T)[1], "slogdet(x @ transpose(x))[1]"),
        (lambda x: np.sum(np.linalg.pinv(x)), None),
        (lambda x: np.sum(np.convolve(x[0], x[1])), "sum(convolve(x[0], x[1]))"),
    ],
)  # fmt: skip
def test_every_operation_is_written_so_that_it_computes_the_same(compute, formula):
    y = graph(compute)
    session = at.session(y)
    y.backward()
    (x,) = at_leaves(y)
    np.testing.assert_array_equal(session[session.output].data, y.data)
    np.testing.assert_array_equal(session.grad("x"), x.grad)
    assert formula is None or session.statements[-1].text == formula


def at_leaves(y):
    return [t for t in topological_order(y) if t.op is None and t.requires_grad]


def test_a_value_that_is_used_twice_gets_a_statement():
    session = at.session(graph(lambda x: (lambda s: s * np.exp(s))(np.sum(x))))
    assert session.text.splitlines()[1:] == ["t1 = sum(x)", "t3 = t1 * exp(t1)"]


def test_long_formulas_are_cut_into_statements():
    def deep(x):
        for _ in range(200):
            x = np.tanh(x)
        return np.sum(x)

    session = at.session(graph(deep))
    assert max(len(each.text) for each in session.statements[1:]) < 200
    assert session[session.output].item() == graph(deep).item()


def test_names_that_are_none_in_python_become_some():
    x, y = at.Tensor(2.0, name="layer 1"), at.Tensor(3.0, name="lambda")
    z = at.Tensor(4.0, name="np")
    assert list(at.session(x * y * z))[:3] == ["layer_1", "v_lambda", "v_np"]


def test_an_operation_of_the_users_own_is_refused_by_name():
    @at.operation(lambda g, y, x: g * 3 * x**2)
    def cube(x):
        return x * x * x

    with pytest.raises(UnsupportedError, match="session: a session cannot edit cube"):
        at.session(cube(at.Tensor(2.0)))


def test_a_session_of_something_else_is_refused():
    with pytest.raises(UnsupportedError, match="session: expected a Tensor; got list"):
        at.session([1, 2])


def test_options_that_a_function_requires_are_written_even_where_a_rule_has_a_default():
    x = at.Tensor([4.0, 1.0, 2.0], name="x")
    session = at.session(np.median(x))
    np.testing.assert_array_equal(session[list(session)[-1]].data, 2)


def test_a_script_of_a_recorded_loss_runs_and_calls_it_by_its_public_name(tmp_path):
    x = at.Tensor([1.0, 5.0], name="x")
    session = at.session(at.huber(x, [0, 0]))
    session.save(tmp_path / "saved.py")
    assert "at.huber(x, " in (tmp_path / "saved.py").read_text()
    variables = {"__file__": str(tmp_path / "saved.py")}
    exec((tmp_path / "saved.py").read_text(), variables)
    np.testing.assert_array_equal(variables["x"].grad, [0.5, 0.5])
