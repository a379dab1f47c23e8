import argparse
import shlex

import numpy as np
import pytest

from autotiny.commands.arguments import InputError
from autotiny.commands.check import EXAMPLES, add_arguments, run
from autotiny.commands.main import main
from autotiny.errors import AutotinyError
from autotiny.language import ExpressionError

W, X = "W=[[1,2],[3,4]]", "x=[1,0.5]"
RIGHT = "W=outer(1 - tanh(W @ x)**2, x)"


def check(*arguments):
    parser = argparse.ArgumentParser(prog="autotiny check")
    add_arguments(parser)
    return run(parser.parse_args([str(argument) for argument in arguments]))


def tanh_layer(*arguments):
    return check("Z = W @ x; sum(tanh(Z))", "--set", W, "--set", X, *arguments)


@pytest.fixture
def rows(capsys):
    """The first two words of each row of the table that was printed, and its last."""

    def rows():
        lines = capsys.readouterr().out.splitlines()
        start = next(i for i, line in enumerate(lines) if "verdict" in line)
        table = [line.split() for line in lines[start + 1 :] if line[:1].isalpha()]
        return {words[0]: words[-1] for words in table if words[-1] in ("agrees", "DIFFERS", "undecided")}

    return rows


def test_right_closed_form_agrees_and_exits_0(rows):
    assert check("sum(tanh(W @ x))", "--set", W, "--set", X, "--closed-form", RIGHT) == 0
    assert rows() == {"W": "agrees"}


@pytest.mark.parametrize("wrong", ["W=outer(1 - tanh(W @ x), x)", "W=2 * outer(1 - tanh(Z)**2, x)", "W=zeros((2, 2))"])
def test_wrong_closed_form_differs_and_exits_1(wrong, rows):
    assert tanh_layer("--closed-form", wrong) == 1
    assert rows() == {"W": "DIFFERS"}


def test_closed_form_of_an_intermediate_result_uses_its_name(rows):
    assert tanh_layer("--closed-form", "Z=A = tanh(Z); 1 - A**2") == 0
    assert rows()["Z"] == "agrees"


def test_one_wrong_among_several_is_identified(rows):
    assert tanh_layer("--closed-form", "Z=1 - tanh(Z)", "--closed-form", RIGHT, "--wrt", "x") == 1
    assert rows() == {"Z": "DIFFERS", "W": "agrees", "x": "agrees"}


def test_without_a_closed_form_autograd_is_compared_with_numeric_gradients(rows):
    assert tanh_layer() == 0
    assert rows() == {"W": "agrees", "x": "agrees"}


def test_wrt_takes_names_with_commas_or_again(rows):
    assert tanh_layer("--wrt", "W, Z", "--wrt", "x") == 0
    assert set(rows()) == {"W", "x", "Z"}


def test_labels_and_sizes_stay_whole(capsys):
    settings = ("--set", "W=[[1,2],[3,4],[0,1]]", "--set", "x=[[1,0.5],[2,1]]", "--set", "y=[0,2]", "--set", "n=3")
    closed = "W=(softmax(W @ x) - one_hot(y, n)) @ x.T / 2"
    assert check("cross_entropy(W @ x, y) + sum(zeros(n))", *settings, "--closed-form", closed) == 0
    assert check("cross_entropy(W @ x, y) + sum(zeros(n))", *settings) == 0
    assert "without a gradient, as data: W, y, n" in capsys.readouterr().out


def test_single_whole_numbers_are_exponents_and_sizes_beside_other_values(capsys, rows):
    assert check("sum(x ** n) / m", "--set", "x=[-1.5,2]", "--set", "n=2", "--set", "m=4") == 0
    assert "without a gradient, as data: n, m" in capsys.readouterr().out
    assert check("x * y", "--set", "x=3", "--set", "y=2") == 0
    assert set(rows()) == {"x", "y"}
    assert check("x * y", "--set", "x=3", "--set", "y=2.0", "--wrt", "x") == 0
    assert set(rows()) == {"x"}


def test_values_may_use_those_before_them():
    assert check("sum(V ** 2)", "--set", "n=3", "--set", "V=ones(n) / n", "--closed-form", "V=2 * V") == 0


def test_arrays_come_from_files(tmp_path, monkeypatch, rows):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    np.savez("data.npz", W=rng.normal(size=(2, 3)), names=np.array(["a", "b"]))
    np.save("b.npy", rng.normal(size=(2, 1)))
    np.savetxt("X.csv", rng.normal(size=(3, 4)), delimiter=",", header="p,q,r,s", comments="")
    files = ("--set", "data.npz", "--set", "b=b.npy", "--set", "X=X.csv")
    assert check("sum((W @ X + b) ** 2)", *files, "--closed-form", "W=2 * (W @ X + b) @ X.T", "--wrt", "b,X") == 0
    assert set(rows()) == {"W", "b", "X"}


@pytest.fixture
def net(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(1)
    np.savez("data.npz", W=rng.normal(size=(3, 4)), X=rng.normal(size=(4, 5)), y=rng.integers(3, size=5))
    (tmp_path / "net.py").write_text(
        "import numpy as np\n"
        "import autotiny as at\n"
        "def loss(W, X, y, *, slope=0.5, **more):\n"
        "    return at.cross_entropy(at.leaky_relu(W @ X, slope), y)\n"
        "def grad_loss(W, X, y):\n"
        "    Z = W @ X\n"
        "    dA = (at.softmax(np.where(Z > 0, Z, 0.5 * Z)) - at.one_hot(y, 3)) / y.size\n"
        "    return dA * np.where(Z > 0, 1, 0.5) @ X.T\n"
        "@at.operation(lambda g, y, x: 3 * g)\n"
        "def double(x):\n"
        "    return 2 * x\n"
        "def wrong(W):\n"
        "    return np.sum(double(W))\n"
    )


def test_function_of_a_file_takes_its_arguments_by_name(net, rows):
    assert check("net.py:loss", "--args", "data.npz") == 0
    assert rows() == {"W": "agrees", "X": "agrees"}


def test_function_of_a_file_may_have_closed_forms(net):
    assert check("net.py:loss", "--args", "data.npz", "--set", "slope=1.0", "--closed-form",
                 "W=(softmax(W @ X) - one_hot(y, 3)) @ X.T / 5") == 0  # fmt: skip
    assert check("net.py:loss", "--args", "data.npz", "--closed-form", "W=zeros((3, 4))") == 1


def test_wrong_rule_in_a_function_is_found_and_named_without_a_closed_form(net, capsys):
    assert check("net.py:wrong", "--args", "data.npz") == 1
    assert "the rule of double for operand 0 is wrong" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--set", "W"), r"--set 'W': expected NAME=VALUE, with a name such as W1"),
        (("--set", "2=3"), r"--set '2=3': expected NAME=VALUE"),
        (("--set", W, "--closed-form", "W"), r"--closed-form 'W': expected NAME=EXPR"),
        (("--set", W, "--closed-form", "V=3"), r"there is no value named V, only W"),
        (("--set", W, "--wrt", "w"), r"there is no value named w, only W; did you mean W\?"),
        (("--set", W, "--wrt", "W,"), r"there is no value named , only W"),
        (("--set", W, "--set", "m=[True]", "--wrt", "m"), r"m has no gradient: it is not a real number"),
        (("--set", W, "--set", "v=[1.5]", "--wrt", "v"), r"v does not lead to the loss"),
        (("--set", W, "--closed-form", "W=[1, 2, 3]"), r"W is \(2, 2\), and its closed form is \(3,\)"),
        ((), r"there is no value named W"),
        (("--set", "W=nothing.npy"), r"nothing\.npy"),
        (("--set", "nothing.npz"), r"nothing\.npz: No such file"),
    ],
)
def test_bad_input_is_reported(arguments, message):
    with pytest.raises((AutotinyError, OSError), match=message):
        check("sum(W ** 2)", *arguments)


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        ("W @ W", r"the loss must be a single number; it has shape \(2, 2\): take its sum or mean"),
        ("3", r"the result depends on no value that was set"),
        ("sum(W > 1)", r"the result depends on no value that was set"),
        ("shape(W)", r"the result depends on no value that was set"),
    ],
)
def test_loss_without_a_gradient_is_reported(loss, message):
    with pytest.raises(AutotinyError, match=message):
        check(loss, "--set", W)


def test_error_in_a_value_or_a_closed_form_says_which_one():
    with pytest.raises(ExpressionError, match=r"^--set W: there is no function oness; did you mean ones\?\n  oness"):
        check("sum(W)", "--set", "W=oness(3)")
    with pytest.raises(ExpressionError, match=r"^--closed-form W: there is no value named X"):
        tanh_layer("--closed-form", "W=outer(x, X)")
    with pytest.raises(ExpressionError, match=r"^--set W: ones: it would have 10,000,000,000 entries"):
        check("sum(W)", "--set", "W=ones((10**5, 10**5))")


def test_nothing_is_pickled_from_files(tmp_path):
    np.save(tmp_path / "W.npy", np.array([{}], dtype=object))
    with pytest.raises(InputError, match=r"W\.npy: not an \.npy file of plain numbers"):
        check("sum(W)", "--set", f"W={tmp_path / 'W.npy'}")


def test_on_the_command_line_errors_point_at_the_column_and_exit_2(capsys):
    assert main(["check", "sum(tanhh(W @ x))", "--set", W, "--set", X]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err == (
        "autotiny: there is no function tanhh; did you mean tanh?\n"
        "  sum(tanhh(W @ x))\n"
        "      ^^^^^\n"
    )  # fmt: skip
    assert main(["check", "sum(W)", "--set", "W"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_examples_of_the_help_run(tmp_path, monkeypatch, capsys, net):
    rng = np.random.default_rng(0)
    np.savez("data.npz", **dict(np.load("data.npz")), x=rng.normal(size=4))
    np.save("weights.npy", rng.normal(size=(3, 2)))
    np.savetxt("features.csv", rng.normal(size=(2, 3)), delimiter=",")
    commands = EXAMPLES.split("exit codes")[0].replace("\\\n", " ").split("  autotiny ")[1:]
    for command in commands:
        line = command.split("\n")[0].partition("    a function")[0]
        assert main(shlex.split(line)) == 0, line
    assert len(commands) == 5


def test_help_fits_a_terminal(capsys):
    with pytest.raises(SystemExit):
        main(["check", "--help"])
    told = capsys.readouterr().out
    assert "--closed-form 'W=outer(1 - tanh(W @ x)**2, x)'" in told
    assert max(map(len, told.splitlines())) <= 80


# ----- two functions -----
REGRESSION = """
import numpy as np

def loss(w, b, X, y):
    return np.mean((X @ w + b - y) ** 2)

def gradient(w, b, X, y):
    r = X @ w + b - y
    return 2 * X.T @ r / len(y), 2 * r.mean()

def by_names(w, b, X, y):
    dw, db = gradient(w, b, X, y)
    return {"b": db, "w": dw}

def without_m(w, b, X, y):
    return gradient(w, b, X, y)[0] * len(y)

def of_another_shape(w, b, X, y):
    return np.ones(7)

def fails(w, b, X, y):
    return X @ y
"""


@pytest.fixture
def regression(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "fit.py").write_text(REGRESSION)
    rng = np.random.default_rng(0)
    np.savez("data.npz", w=rng.normal(size=3), b=np.array(0.5), X=rng.normal(size=(6, 3)), y=rng.normal(size=6))


def against(gradient, *arguments):
    return check("fit.py:loss", "--gradient", gradient, "--args", "data.npz", *arguments)


@pytest.mark.parametrize("name", ["gradient", "by_names"])
def test_a_gradient_in_a_function_is_compared_argument_by_argument(regression, name, rows):
    assert against(f"fit.py:{name}") == 0
    assert rows() == dict.fromkeys(["w", "b", "X", "y"], "agrees")


def test_a_wrong_gradient_in_a_function_is_explained_and_exits_1(regression, capsys):
    assert against("fit.py:without_m", "--wrt", "w") == 1
    assert "6 times the gradient" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("gradient", "more", "message"),
    [
        ("gradient", (), r"'gradient': expected FILE\.py:function, as in net\.py:loss"),
        ("fit.py:gradiant", (), r"there is no function gradiant; did you mean gradient\?"),
        ("fit.py:gradient", ("--wrt", "W"), r"--wrt W: fit\.py:loss has no such argument; did you mean w\?"),
        ("fit.py:gradient", ("--closed-form", "w=X"), r"--gradient and --closed-form both state the gradient"),
        ("fit.py:of_another_shape", (), r"^compare: expected the gradients by f's arguments, w \(3,\).*got \(7,\)"),
        ("fit.py:fails", (), r"fit\.py:22: ValueError: matmul"),
    ],
)
def test_bad_input_beside_a_gradient_function_is_reported(regression, gradient, more, message):
    with pytest.raises(AutotinyError, match=message):
        against(gradient, *more)


@pytest.mark.parametrize("form", ["W=(1 - tanh(Z)^2) x^T", r"W=(1 - \tanh^2(Z)) x^\top", "W=(1 - tanh(Z)²) ∘ 1 xᵀ"])
def test_a_closed_form_may_be_written_as_in_a_textbook(rows, form):
    assert tanh_layer("--closed-form", form) == 0
    assert rows() == {"W": "agrees"}


def test_a_wrong_closed_form_of_a_textbook_is_answered_in_words(capsys):
    assert tanh_layer("--closed-form", "W=2 (1 - tanh(Z)^2) x^T") == 1
    assert "W: 2 (1 - tanh(Z)^2) x^T: 2 times the gradient" in capsys.readouterr().out
