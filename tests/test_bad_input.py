"""Bad input: an error of the package, in the user's words, where the input is given; and the mend in it works."""

import numpy as np
import pytest

import autotiny as at
from autotiny import nn
from autotiny.errors import AutotinyError

M = np.arange(1.0, 7).reshape(2, 3)
RAGGED = [[1.0], [2.0, 3.0]]
JUNK = [None, "x", {}, {1, 2}, RAGGED, 1j, object(), np.array(["a"]), np.array([1, None], object), len, ...]


def loss(x):
    return np.sum(x * x)


def trained(*args, **options):
    return nn.Training(nn.Network((2, 3, 2))).run(*args, **options)


def data():
    return nn.Dataset.from_rows(np.arange(16.0).reshape(8, 2), [0, 1] * 4)


def contains_itself():
    tree = []
    tree.append(tree)
    return tree


CALLS = {
    # Tensors
    "Tensor: requires_grad must be True or False, got 'False'": lambda: at.Tensor(1.0, requires_grad="False"),
    "Tensor: name must be text, got 3": lambda: at.Tensor(1.0, name=3),
    "Tensor: dtype must be a floating-point type, got 'x'": lambda: at.Tensor(1.0, dtype="x"),
    "Tensor: dtype int64 cannot hold what is tracked": lambda: at.Tensor(1.5, dtype=np.int64),
    "Tensor: .* rows must have equal lengths": lambda: at.Tensor(RAGGED),
    "Tensor: expected numbers, got objects such as NoneType": lambda: at.Tensor(None),
    "Tensor has 6 entries, not one": lambda: at.Tensor(M).item(),
    "astype: 'x' is not a type of numbers": lambda: at.Tensor(M).astype("x"),
    r"lt: .* < array \(4,\): shapes do not broadcast": lambda: at.Tensor(M) < np.ones(4),
    r"index: \[\[1.0\], \[2.0, 3.0\]\] does not form an array": lambda: at.Tensor(M)[RAGGED],
    # activations and losses
    "softmax: the values do not form an array of numbers": lambda: at.softmax(RAGGED),
    "relu: expected numbers, got <U1": lambda: at.relu("x"),
    "relu: expected real numbers, got complex ones": lambda: at.relu(1j),
    "gelu: expected numbers, got objects such as dict": lambda: at.gelu({}),
    r"cross_entropy: axis 9 is not one of logits of shape \(2, 3\)": lambda: at.cross_entropy(M, [0, 1, 1], axis=9),
    r"cross_entropy: logits of shape \(2, 0\) hold no examples": lambda: at.cross_entropy(np.ones((2, 0)), []),
    "cross_entropy: the targets do not form an array": lambda: at.cross_entropy(M, RAGGED),
    "one_hot: there are no labels .*, classes=": lambda: at.one_hot(np.array([], int)),
    "one_hot: classes must be a whole number of at least 1, got 'x'": lambda: at.one_hot([0], "x"),
    "one_hot: 1,000,000,001 classes; at most": lambda: at.one_hot([10**9]),
    "one_hot: labels are data: .* requires_grad=False": lambda: at.one_hot(at.Tensor([0, 1])),
    "hinge: targets are the signs -1 and 1, got 0.0; for labels 0 and 1, give 2": lambda: at.hinge([1.0, 2.0], [0, 1]),
    r"hinge: targets \(2, 1\) do not fit scores .*a target for each score; targets.reshape\(\(2,\)\) fits": (
        lambda: at.hinge([1.0, 2.0], [[1], [-1]])
    ),
    r"mean_squared_error: targets \(2,\) do not fit predictions \(2, 3\)": lambda: at.mean_squared_error(M, [1, 2]),
    "mean_absolute_error: expected targets that are real .*<U1": lambda: at.mean_absolute_error([1.0], ["x"]),
    r"huber: predictions of shape \(0,\) hold no examples": lambda: at.huber([], []),
    "huber: delta must be a number above 0, got 0": lambda: at.huber([1.0], [0.0], delta=0),
    r"kl_divergence: P \(2, 3\) and Q \(3,\) must have the same shape": lambda: at.kl_divergence(M, np.ones(3)),
    r"kl_divergence: axis 2 is not one of P of shape \(2, 3\)": lambda: at.kl_divergence(M, M, axis=2),
    r"kl_divergence: P of shape \(2, 0\) hold no examples": lambda: at.kl_divergence(np.ones((2, 0)), np.ones((2, 0))),
    "cosine_similarity: expected a with an axis": lambda: at.cosine_similarity(1.0, 1.0),
    r"cosine_similarity: a \(2, 3\) and b \(3,\) must have the same shape": lambda: at.cosine_similarity(M, np.ones(3)),
    # transforms
    "grad: expected a function, got int": lambda: at.grad(3),
    "jacobian: expected a function": lambda: at.jacobian(M),
    "hvp: expected a function": lambda: at.hvp(None),
    "vjp: expected a function": lambda: at.vjp("x", 1.0),
    "jvp: expected a function": lambda: at.jvp(1, (1.0,), (1.0,)),
    "grad: argnums='x': expected the position of an argument": lambda: at.grad(loss, argnums="x"),
    "grad: argnums=1.0: expected the position of an argument": lambda: at.grad(loss, argnums=1.0),
    "gradients: expected a recorded Tensor, got float": lambda: at.gradients(3.0, [at.Tensor(M)]),
    "gradients: give the tensors as a list; got int": lambda: at.gradients(np.sum(at.Tensor(M)), 3),
    "the list of values contains itself": lambda: at.grad(loss)(contains_itself()),
    # operations and programs
    "operation: traits must be of type str, got 3": lambda: at.operation(lambda g, y, x: g, traits=3),
    "operation: a rule is a function .* got 3": lambda: at.operation(3),
    "operation: give one rule .*, not both": lambda: at.operation(loss, each=loss),
    "compile: expected a function": lambda: at.compile(3),
    "compile: donate must be the position .* got 'x'": lambda: at.compile(loss, donate="x"),
    "compile: threads must be a whole number of at least 1, got -1": lambda: at.compile(loss, threads=-1),
    # networks
    "sizes is 5; at least two positive integers": lambda: nn.Network(5),
    "activation is None; a name is needed": lambda: nn.Network((2, 3, 2), activation=None),
    "dtype is <class 'int'>; a floating-point type is needed": lambda: nn.Network((2, 3, 2), dtype=int),
    "seed is -1; a whole number of at least 0": lambda: nn.Network((2, 3, 2), seed=-1),
    "make .* parameters; at most": lambda: nn.Network((64, 10**9, 10)),
    r"X has shape \(2,\); .* one example is a column, X\[:, None\]": lambda: nn.Network((2, 3, 2))(np.ones(2)),
    r"X has shape \(5, 2\); .* X.T fits": lambda: nn.Network((2, 3, 2)).predict(np.ones((5, 2))),
    "assign: expected a value for each of W1, b1, W2, b2; got W1": lambda: nn.Network((2, 3, 2)).assign({"W1": M}),
    "labels lie in 0..5; 0..1 is needed": lambda: nn.confusion_matrix(np.array([0, 5]), np.array([0, 1]), 2),
    r"confusion has shape \(2, 3\); a square matrix": lambda: nn.worst_pairs(M),
    # data and trainings
    "X cannot be read as an array": lambda: nn.Dataset.from_rows(RAGGED, [0, 1]),
    "X is a list; a ndarray is needed; from_rows": lambda: nn.Dataset([1.0], [0], (0, 1), (1,)),
    "split: a fraction of nan of 8 examples leaves one side empty": lambda: data().split(float("nan")),
    "split: the fraction is 'x'; a number": lambda: data().split("x"),
    r"take: columns must be positions in 0\.\.7": lambda: data().take([9]),
    "data is a int; a Dataset is needed": lambda: nn.Standardisation.fit(3),
    "learning_rate is 'x'; a number is needed": lambda: nn.GradientDescent("x"),
    "beta is 1.5; a number of at least 0 and below 1": lambda: nn.Momentum(beta=1.5),
    "update: expected Tensors by name": lambda: nn.Adam().update([M]),
    "network is a int; a Network is needed": lambda: nn.Training(3),
    "batch is True; a whole number": lambda: nn.Training(nn.Network((2, 3, 2)), batch=True),
    "train is a ndarray; a Dataset is needed; make one with nn.Dataset.from_rows": lambda: trained(M, M),
    "train has 64 features; the network takes 2": lambda: trained(nn.digits(), nn.digits()),
    "epochs is 1.5; a whole number": lambda: trained(data(), data(), epochs=1.5),
    "expected the name of a file, such as 'run.npz'; got int": lambda: nn.load(3),
    "training is a int; a Training is needed": lambda: nn.save(3, "run.npz"),
    "label is 1.5; the name of a column": lambda: nn.load_table("a.csv", label=1.5),
}


@pytest.mark.parametrize("words", CALLS)
def test_bad_input_is_an_error_in_the_users_words(words):
    with pytest.raises(AutotinyError, match=words):
        CALLS[words]()


def error_of(call):
    try:
        call()
    except Exception as error:
        return error


TAKES_ANYTHING = {"debug", "no_grad", "operation", "compare", "check_gradients", "session"}


@pytest.mark.parametrize("name", sorted(set(at.__all__) - TAKES_ANYTHING))
@pytest.mark.parametrize("junk", JUNK, ids=lambda junk: type(junk).__name__)
def test_junk_as_the_first_argument_is_never_an_error_without_words(name, junk):
    rest = {"cross_entropy": ([0],), "gradients": ([junk],), "derive": ("x",), "jvp": ((1.0,), (1.0,)), "vjp": (1.0,)}
    error = error_of(lambda: getattr(at, name)(junk, *rest.get(name, ())))
    by_signature = isinstance(error, TypeError) and "argument" in str(error)
    assert error is None or isinstance(error, AutotinyError) or hasattr(error, "__notes__") or by_signature


# ----- mends: what the error says to write works -----
X, S = np.ones((5, 3)), np.array([1.0, 2.0])
W, w, y = at.Tensor(np.ones((3, 2)), name="W"), at.Tensor(S, name="w"), at.Tensor([0, 1, 1], name="y")


def store():
    a = np.zeros(2)
    for i in range(2):
        a[i] = w[i] ** 2
    return a


def table():
    return pytest.importorskip("pandas").Series(S)


MENDS = [
    (lambda: X.dot(W), r"use X @ W, or np\.dot\(X, W\)", lambda: X @ W),
    (store, r"write a = at\.index_update\(a, i, w\[i\] \*\* 2\)", lambda: at.index_update(np.zeros(2), 0, w[0] ** 2)),
    (lambda: np.mean([w, w]), r"use np\.mean\(at\.array\(\[w, w\]\)\)", lambda: np.mean(at.array([w, w]))),
    (lambda: M[0][y], r"y\.data\.astype\(int\)", lambda: M[0][y.data.astype(int)]),
    (lambda: W[y], r"y\.data\.astype\(int\)", lambda: W[y.data.astype(int)]),
    (lambda: W[y], "requires_grad=False", lambda: W[at.Tensor([0, 1, 1], requires_grad=False)]),
    (lambda: W @ X, r"X\.T is \(3, 5\)|neither transpose fits", lambda: W.T @ X.T),
    (lambda: (X @ W) @ w[:, None].T, "the transpose of the right operand fits", lambda: (X @ W) @ w[:, None]),
]


@pytest.mark.parametrize(("call", "words", "mend"), MENDS)
def test_the_mend_in_the_error_works(call, words, mend):
    with pytest.raises(AutotinyError, match=words):
        call()
    mend()


def test_a_product_that_a_table_begins_is_refused_with_a_mend():
    s = table()
    with pytest.raises(AutotinyError, match=r"w is tracked.*s is a Series, use np\.asarray\(s\)"):
        s @ w
    assert (np.asarray(s) @ w).requires_grad


def test_functions_take_a_table_by_its_values():
    assert np.maximum(table(), w).requires_grad
    assert np.where(table() > 1, w, 0.0).requires_grad


def test_a_function_without_a_rule_is_named_by_its_module():
    special = pytest.importorskip("scipy.special")
    with pytest.raises(AutotinyError, match=r"scipy\.special\.struve has no gradient rule"):
        special.struve(1, w)


def test_truth_values_are_exponents():
    p, labels = np.array([0.2, 0.3, 0.4]), np.array([True, False, True])
    g = at.grad(lambda p: np.sum(np.log(p**labels * (1 - p) ** ~labels)))(p)
    np.testing.assert_allclose(g, [1 / 0.2, -1 / 0.7, 1 / 0.4])
