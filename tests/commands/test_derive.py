import numpy as np
import pytest

from autotiny.commands.main import main

REGRESSION = ["derive", "sum((X @ w - y)**2) / 2", *("--set", "X=[[1,2],[3,4]]"), *("--set", "w=[0.5,-1]")]
REGRESSION += ["--set", "y=[1,2]", "--wrt", "w"]
SOFTMAX = ["derive", "A = softmax(Z); J = -sum(Y * log(A))", "--set", "Z=[[1,0],[0,2],[1,1]]"]
SOFTMAX += ["--set", "Y=[[1,0],[0,1],[0,0]]", "--wrt", "Z"]


def test_the_steps_are_printed_with_their_rules_and_errors(capsys):
    assert main(SOFTMAX) == 0
    out = capsys.readouterr().out
    assert out.startswith("dJ/dZ = A - Y\n")
    assert "sum(Y, axis=0) = 1" in out


def test_a_loss_without_a_name_is_called_j(capsys):
    assert main(REGRESSION) == 0
    assert capsys.readouterr().out.startswith("dJ/dw = Xᵀ (X w - y)\n")


def test_without_wrt_the_gradient_of_all_that_was_set_is_derived(capsys):
    assert main(REGRESSION[:-2]) == 0
    assert [line[:5] for line in capsys.readouterr().out.splitlines() if line.startswith("dJ/")] == [
        "dJ/dX", "dJ/dw", "dJ/dy",
    ]  # fmt: skip


def test_numpy_prints_a_program_that_runs(capsys):
    assert main([*SOFTMAX, "--numpy"]) == 0
    namespace = {}
    exec(capsys.readouterr().out, namespace)
    np.testing.assert_allclose(namespace["dZ"](np.zeros((3, 2)), np.eye(3)[:, :2]), 1 / 3 - np.eye(3)[:, :2])


def test_elements_prints_index_notation(capsys):
    assert main([*REGRESSION, "--elements"]) == 0
    assert capsys.readouterr().out.startswith("dJ/dw[j] = ")


def test_latex_prints_latex(capsys):
    assert main([*SOFTMAX, "--latex"]) == 0
    assert r"\frac{\partial J}{\partial Z} &= " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("formula", "code", "told"),
    [
        ("X.T @ (X @ w - y)", 0, "the gradient"),
        ("X^T (X w - y)", 0, "the gradient"),
        ("2 X^T (X w - y)", 1, "2 times the gradient: an extra factor of 2?"),
    ],
)
def test_a_formula_is_judged_by_the_exit_code_and_in_words(formula, code, told, capsys):
    assert main([*REGRESSION, "--matches", formula]) == code
    assert capsys.readouterr().out.rstrip().endswith(told)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([*REGRESSION[:-1], "v"], "there is no value named v"),
        ([*REGRESSION, "--matches", "X +"], "the formula ends where an operand is missing"),
        ([*REGRESSION[:-2], "--matches", "X"], "--matches takes one formula: name its variable with --wrt NAME"),
        (
            ["derive", "x**2", "--set", "x=[[1,2],[3,4]]"],
            "derived are the gradient of a single number and the Jacobian",
        ),
    ],
)
def test_bad_input_is_reported_in_one_line(arguments, told, capsys):
    assert main(arguments) == 2
    assert told in capsys.readouterr().err.splitlines()[0]


def test_a_function_in_a_file_is_derived_too(tmp_path, capsys):
    (tmp_path / "net.py").write_text("import numpy as np\n\ndef loss(w):\n    return np.sum(w * w)\n")
    assert main(["derive", f"{tmp_path}/net.py:loss", "--set", "w=[1,2]"]) == 0
    assert capsys.readouterr().out.startswith("dJ/dw = 2 * w\n")
