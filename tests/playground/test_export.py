"""Exported scripts: they run, print the numbers of the page and the verdicts, and a session goes on with them."""

import json
import subprocess
import sys
from importlib.resources import files

import numpy as np
import pytest

import autotiny as at
from autotiny.playground.answers import answer
from autotiny.playground.limits import PLAYGROUND

EXAMPLES = json.loads((files("autotiny.playground") / "static" / "examples.json").read_text(encoding="utf-8"))


def exported(question):
    return answer({**question, "kind": "export", "form": "py"}, PLAYGROUND)


def printed(text, capsys):
    exec(compile(text, "playground.py", "exec"), {"__name__": "__main__"})
    return capsys.readouterr().out


def test_a_script_runs_alone_in_its_folder(tmp_path):
    """A file that is called autotiny.py would be imported in place of the package."""
    program = {"program": "y = tanh(x)", "values": {"x": {"value": 0.5}}, "claims": "dx = 1 - y**2"}
    answered = exported(program)
    (tmp_path / answered["name"]).write_text(answered["text"], encoding="utf-8")
    run = subprocess.run(
        [sys.executable, "-W", "error", answered["name"]], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert "dy/dx = 0.786" in run.stdout
    assert "agrees" in run.stdout


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example["title"])
def test_examples_print_what_their_pages_show(example, capsys):
    question = {name: example[name] for name in ("program", "values", "claims", "dataset") if name in example}
    out = printed(exported(question)["text"], capsys)
    rows = answer({**question, "kind": "comparison"}, PLAYGROUND)["rows"]
    shown = answer({**question, "kind": "picture"}, PLAYGROUND)
    assert all(f"/d{name} = " in out for name in shown["gradients"])
    assert out.count("agrees") + out.count("the gradient") >= sum(row["ok"] for row in rows)


@pytest.mark.parametrize("seed", range(6))
def test_random_programs_print_the_gradients_of_the_page(seed, capsys):
    rng = np.random.default_rng(seed)
    values = {name: {"value": np.round(rng.normal(size=(2, 2)), 3).tolist()} for name in "abc"}
    signs = rng.choice(["+", "-", "*", "@"], size=3)
    program = f"u = a {signs[0]} b\nv = tanh(u) {signs[1]} c\nJ = sum(v * a) {signs[2].replace('@', '+')} mean(exp(b))"
    question = {"program": program, "values": values, "claims": "da = 0 * a"}
    namespace = {"__name__": "__main__"}
    exec(exported(question)["text"], namespace)
    for name, gradient in answer({**question, "kind": "picture"}, PLAYGROUND)["gradients"].items():
        np.testing.assert_array_equal(namespace[name].grad, gradient)
    assert "\na  " in capsys.readouterr().out


def test_claims_in_a_textbooks_notation_are_kept(capsys):
    question = {"program": "J = sum(x * x)", "values": {"x": {"value": [1, 2]}}, "claims": "∂J/∂x = 2x"}
    assert "x: ∂J/∂x = 2x: the gradient" in printed(exported(question)["text"], capsys)


def test_lines_above_a_claim_that_define_names_are_kept_whatever_their_letters(capsys):
    question = {
        "program": "J = sum(x * x)",
        "values": {"x": {"value": [1, 2]}},
        "claims": "drift = 2x\n∂J/∂x = drift",
    }
    assert "drift: the gradient" in printed(exported(question)["text"], capsys)


def test_a_script_runs_where_nothing_is_claimed_yet(capsys):
    question = {"program": "y = x * x", "values": {"x": {"value": 3}}, "claims": "k = 2"}
    assert printed(exported(question)["text"], capsys) == "y = 9.0\ndy/dx = 6.0\n"


def test_a_session_goes_on_with_a_script(tmp_path):
    question = {"program": "y = x * x", "values": {"x": {"value": 3}}, "claims": "dx = 2 * x"}
    (tmp_path / "playground.py").write_text(exported(question)["text"], encoding="utf-8")
    assert at.session.load(tmp_path / "playground.py")["y"].item() == 9


# ----- values for names without one -----
@pytest.mark.parametrize(
    ("program", "values", "shapes"),
    [
        ("y = a * b + c", {}, {"a": (), "b": (), "c": ()}),
        ("Z = W @ x", {}, {"W": (2, 2), "x": (2,)}),
        ("Z = W @ x + b", {"x": [1, 2, 3]}, {"W": (2, 3), "b": ()}),
        ("Z1 = W1 @ X\nZ2 = W2 @ Z1", {"X": [[1, 2], [3, 4], [5, 6]]}, {"W1": (2, 3), "W2": (2, 2)}),
        ("J = sum(W.T @ V)", {}, {"W": (2, 2), "V": (2, 2)}),
    ],
)
def test_added_values_fit_around_the_product(program, values, shapes):
    given = {name: {"value": value} for name, value in values.items()}
    error = answer({"kind": "picture", "program": program, "values": given}, PLAYGROUND)["error"]
    assert {name: np.shape(value) for name, value in error["suggested"].items()} == shapes
    added = {**given, **{name: {"value": value} for name, value in error["suggested"].items()}}
    assert "error" not in answer({"kind": "picture", "program": program, "values": added}, PLAYGROUND)
