import numpy as np
import pytest

import autotiny as at
from autotiny.language import evaluate
from autotiny.language.vocabulary import functions

RNG = np.random.default_rng(0)
VALUES = {"W": RNG.uniform(0.5, 2, (3, 3)), "x": RNG.uniform(0.5, 2, 3), "n": 2}
SOURCES = [
    "np.sum(np.tanh(W @ x))",
    "W * 2 + 3 - W / 4 - -x % 0.7",
    "W ** 2 ** -1",
    "(W > 1) * (x <= 1) + (W != x)",
    "W[0, ::-1] + W[1:, 2][0] + x[-1]",
    "W[..., None][:, [0, 2], 0]",
    "W[W > 1]",
    "W.T @ W.mT + W.reshape(9, 1).reshape((3, 3)) + W.transpose(1, 0)",
    "W.sum(axis=0, keepdims=True).max() * W.shape[0] + W.mean(axis=1)",
    "np.where(W > 1, np.log(W), 0.)",
    "np.concatenate([x, [1, 2.5]])",
    "np.stack([x, x], axis=1) @ [[1, 2], [3, 4]]",
    "np.einsum('ij,j->i', W, x)",
    "np.pad(x, (1, 2), mode='edge')",
    "np.linalg.norm(W, ord='fro') + np.linalg.det(W)",
    "np.eye(n) * np.pi + np.ones((n, n)) * 1e3 - np.zeros(2)",
    "np.linspace(0, 1, 4)[1] * np.arange(1, 7, 2)",
    "np.clip(W, 0.7, 1.2) + np.maximum(x, 1.)",
    "np.mean(W > 1) + np.argmax(x)",
    "np.sum(W, 0) + np.std(W, axis=0, ddof=1)",
    "np.var([1, 2, 4])",
    "n ** 3 % 5 + (7 - n) / 2",
]


@pytest.mark.parametrize("text", SOURCES)
def test_value_is_what_python_gives(text):
    expected = eval(text, {"np": np, **VALUES})  # the oracle: these sources are our own
    np.testing.assert_allclose(evaluate(text, VALUES).value, expected, rtol=1e-13)
    np.testing.assert_allclose(evaluate(text.replace("np.", ""), VALUES).value, expected, rtol=1e-13)


@pytest.mark.parametrize("text", [text for text in SOURCES if "W" in text and ">" not in text])
def test_tensors_are_recorded_and_give_the_same(text):
    W = at.Tensor(VALUES["W"], name="W")
    recorded = evaluate(text, {**VALUES, "W": W}).value
    np.testing.assert_allclose(recorded.data, evaluate(text, VALUES).value, rtol=1e-13)
    assert np.any(at.gradients(np.sum(recorded), [W])[0].data)


def test_statements_are_separated_by_newlines_or_semicolons():
    text = "# the network\nZ = W @ x; A = tanh(Z)\n\nJ = sum(\n  A\n)"
    value, scope = evaluate(text, VALUES)
    np.testing.assert_allclose(value, np.tanh(VALUES["W"] @ VALUES["x"]).sum())
    assert scope["J"] is value
    assert list(scope) == ["W", "x", "n", "Z", "A", "J"]


def test_assigned_results_are_named_and_aliases_keep_their_name():
    W = at.Tensor(VALUES["W"])
    scope = evaluate("V = W; Z = V @ x; A = Z; sum(A)", {"W": W, "x": VALUES["x"]}).scope
    assert scope["V"] is W
    assert W.name is None
    assert scope["A"].name == "Z"


def test_values_given_are_left_as_they_are():
    values = dict(VALUES)
    evaluate("W = W * 2; x = 3; W", values)
    assert values.keys() == VALUES.keys()
    assert values["W"] is VALUES["W"]


def test_autotiny_functions_are_there_with_or_without_prefix():
    Z = at.Tensor([[1.0, -2.0], [0.5, 3.0]])
    for text in ("at.cross_entropy(at.relu(Z), [0, 1])", "cross_entropy(relu(Z), one_hot([0, 1], 2))"):
        assert evaluate(text, {"Z": Z}).value.item() == at.cross_entropy(at.relu(Z), [0, 1]).item()


def test_a_value_may_have_the_name_of_a_function_a_constant_or_a_module():
    assert evaluate("e * sum([e, np])", {"e": 2.0, "np": 1.0, "sum": 5}).value == 6


def test_tuples_of_tensors_are_joined_and_results_may_be_tuples():
    x = at.Tensor([1.0, 2.0])
    assert evaluate("concatenate((x, x))[3] + split(x, 2)[1][0]", {"x": x}).value.item() == 4
    assert evaluate("slogdet(eye(2) * 2)[1]").value == pytest.approx(np.log(4))


def test_float32_stays_float32():
    x = np.ones(2, np.float32)
    assert evaluate("2.5 * maximum(x, 0.5) ** 2", {"x": x}).value.dtype == np.float32


def test_divisions_by_zero_in_arrays_give_infinity_without_a_warning():
    assert evaluate("ones(1) / 0", {}).value == np.inf


def test_every_name_of_the_language_is_called_as_it_says():
    for name, word in functions().items():
        assert word.name == name
        assert word.usage.startswith(f"{name}(")
        assert not {"out", "dtype", "order", "like", "subok", "casting"} & word.signature.parameters.keys()
