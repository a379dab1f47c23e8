"""The terminal in IPython, without a screen."""

import contextlib
import io
import re

import numpy as np
import pytest

import autotiny as at
from autotiny.playground import repl_console
from autotiny.playground.repl_console import Console, has_colours
from autotiny.playground.repl_shell import BANNER, attach

interactiveshell = pytest.importorskip("IPython.core.interactiveshell")
config = pytest.importorskip("traitlets.config")


class Shell(interactiveshell.InteractiveShell):
    """IPython's shell without a terminal around it."""

    def ask_exit(self):
        raise SystemExit


class Terminal:
    """A terminal without a screen: lines are typed, and what they show is returned."""

    def __init__(self, answers=()):
        self.answers, self.block = list(answers), ""
        self.console = Console(ask=self.answer)
        without_history = config.Config(HistoryManager={"enabled": False})
        self.shell = Shell(config=without_history, user_ns=self.console.python)
        self.shell.run_line_magic("colors", "nocolor")
        attach(self.shell, self.console)

    def answer(self, prompt):
        if not self.answers:
            raise EOFError
        return self.answers.pop(0)

    def type(self, *lines):
        """Type lines; one that does not end a block waits for the next, as at IPython's prompt."""
        shown = io.StringIO()
        with contextlib.redirect_stdout(shown):
            for line in lines:
                self.block += f"{line}\n"
                status, _ = self.shell.input_transformer_manager.check_complete(self.block)
                if status != "incomplete":
                    block, self.block = self.block, ""
                    self.shell.run_cell(block, store_history=False)
        return re.sub(r"Out\[\d+\]: \n?", "", shown.getvalue()).strip("\n")

    @property
    def session(self):
        return self.console.session

    def __getitem__(self, name):
        return self.console.python[name]


@pytest.fixture(autouse=True)
def _profile(tmp_path, monkeypatch):
    """A profile of IPython for the test alone."""
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))


@pytest.fixture
def terminal():
    return Terminal()


@pytest.fixture
def started(terminal):
    terminal.type("x = Tensor(3.0)", "y = x * x + x")
    return terminal


def test_each_statement_shows_values_and_gradients(terminal):
    assert terminal.type("x = Tensor(3.0)").splitlines()[1] == "x     variable  ()     3      —"
    assert terminal.type("y = x * x + x").splitlines()[1:] == [
        "x     variable   ()     3      7",
        "y     x * x + x  ()     12     1",
    ]


@pytest.mark.parametrize("change", ["x = Tensor(1.0)", "x = 1", "x.data -= 2", "x = x - 2", "x = 1.0 + 0 * x"])
def test_formulas_follow_a_variable_however_it_is_changed(change, started):
    assert "y     x * x + x  ()     2      1" in started.type(change)
    assert (started["y"].item(), started["x"].grad) == (2, 3)


def test_gradient_descent_is_typed_as_it_is_written(started):
    for _ in range(50):
        started.type("x = x - 0.3 * x.grad")
    assert started["x"].item() == pytest.approx(-0.5)


def test_numbers_and_lists_are_python_s_own(terminal):
    assert terminal.type("m = 8", "a = [1, 2]", "X = np.ones((2, 3))", "m + len(a)") == "10"
    assert len(terminal.session) == 0


def test_data_that_a_formula_uses_is_followed_too(terminal):
    terminal.type("m, X = 2, np.ones((2, 3))", "w = Tensor([1.0, 2.0])", "J = np.sum(w @ X) / m")
    assert terminal["J"].item() == 4.5
    terminal.type("m = 3")
    terminal.type("X = 2 * X")
    assert terminal["J"].item() == 6
    assert isinstance(terminal["X"], np.ndarray)
    assert terminal["m"] == 3


def test_one_undo_takes_back_one_statement(terminal):
    terminal.type("m, X = 2, np.ones(2)", "w = Tensor([1.0, 2.0])", "J = np.sum(w * X) / m", ":undo")
    assert list(terminal.session) == ["w"]


def test_what_python_computes_of_tensors_becomes_a_formula(started):
    started.type("def f(t):", "    return np.sin(t) * t", "", "z = f(y)")
    assert started.session.text.endswith("z = sin(y) * y")
    started.type("x = 0.0")
    assert started["z"].item() == 0


def test_tensors_made_in_a_loop_are_taken_in_together(started):
    started.type("for k in range(3): x.data -= 0.5", "")
    assert started["y"].item() == 1.5 * 1.5 + 1.5


def test_an_operation_of_the_users_own_stays_in_python_and_is_reported_once(started):
    shown = started.type("@at.operation(lambda g, y, x: 3 * g * x**2)", "def cube(x): return x**3", "", "c = cube(x)")
    assert "session: a session cannot edit cube" in shown
    assert "cube" not in started.type("1 + 1")
    assert started["c"].item() == 27


def test_a_formula_of_itself_keeps_what_it_was(started):
    started.type("y = y + 1")
    assert started.session.text == "x = 3.0\ny_2 = x * x + x\ny = y_2 + 1"


def test_a_deleted_variable_is_gone_from_both_sides(started):
    started.type("del y")
    assert list(started.session) == ["x"]
    assert "y" not in started.console.python


def test_what_others_need_is_not_deleted(started):
    assert started.type("del x") == "x is used by y; change or delete that first"
    assert started["x"].item() == 3


def test_a_misspelt_function_is_reported_with_its_place(started):
    assert started.type("z = tanhh(x)").splitlines() == [
        "there is no function tanhh; did you mean tanh?",
        "  z = tanhh(x)",
        "      ^^^^^",
    ]


def test_shapes_that_do_not_fit_are_reported_without_a_traceback(terminal):
    terminal.type("W, v = Tensor([[1.0, 2.0]]), Tensor([1.0, 2.0, 3.0])")
    assert terminal.type("y = W @ v").startswith("matmul: W (1, 2) @ v (3,): inner sizes 2 and 3 differ")
    assert terminal.type("W @ v").startswith("matmul: W (1, 2) @ v (3,): inner sizes 2 and 3 differ")


def test_python_s_own_errors_keep_their_traceback(terminal):
    assert "NameError: name 'foo' is not defined" in terminal.type("foo")
    assert "SyntaxError" in terminal.type("x = = 3")


def test_an_expression_shows_the_graph_that_it_made(started):
    shown = started.type("x * y")
    assert shown.startswith("Tensor(36., shape=(), float64, multiply)\n_ = x * y")
    assert "├─ x" in shown
    assert "z" not in started.session


def test_a_tensor_of_the_session_shows_its_gradient(started):
    assert started.type("x") == "Tensor(x: 3., shape=(), float64)\ndy/dx = 7."
    assert started.type("y") == "Tensor(y: 12., shape=(), float64, add)"


def test_backward_changes_nothing_for_gradients_are_there_already(started):
    started.type("y.backward()", "z = y + 0")
    assert started["x"].grad == 7


def test_functions_are_there_by_name(terminal):
    terminal.type("Z = Tensor([[1.0, 2.0], [3.0, 4.0]])", "J = cross_entropy(Z, np.array([0, 1])) + det(Z) * pi")
    assert terminal.session.statements[-1].text == "cross_entropy(Z, np.array([0, 1])) + det(Z) * pi".replace("np.", "")


def test_a_name_that_python_gave_to_something_else_is_python_s(started):
    started.type("def tanh(x): return 2 * x", "", "z = tanh(x)")
    assert started["z"].item() == 6


def test_the_readme_s_network_is_live(terminal):
    terminal.type(
        "rng = np.random.default_rng(0)",
        "m = 8",
        "X, Y = rng.normal(size=(4, m)), at.one_hot(rng.integers(0, 3, m), 3)",
        "W1, b1 = at.Tensor(rng.normal(size=(5, 4))), at.Tensor(np.zeros((5, 1)))",
        "W2, b2 = at.Tensor(rng.normal(size=(3, 5))), at.Tensor(np.zeros((3, 1)))",
        "Z1 = W1 @ X + b1",
        "A1 = np.maximum(Z1, 0)",
        "Z2 = W2 @ A1 + b2",
        "A2 = np.exp(Z2) / np.sum(np.exp(Z2), axis=0)",
        "J = -np.sum(Y * np.log(A2)) / m",
    )
    before, dZ2 = terminal["J"].item(), (terminal["A2"].data - terminal["Y"]) / 8
    np.testing.assert_allclose(terminal["Z2"].grad, dZ2, atol=1e-15)
    terminal.type("W1.data -= 0.1 * W1.grad")
    assert terminal["J"].item() < before
    assert [each.text for each in terminal.session.statements][-1] == "-sum(Y * log(A2)) / m"


# ----- commands -----
def test_help_fits_a_terminal_and_lists_every_command(terminal):
    shown = terminal.type(":help")
    assert max(map(len, shown.splitlines())) <= 80
    assert re.findall(r"^  :(\w+)", shown, re.M) == [
        *(
            "help",
            "graph",
            "step",
            "derive",
            "matches",
            "draw",
            "undo",
            "redo",
            "rename",
            "swap",
            "delete",
            "output",
            "save",
            "load",
            "quit",
        )
    ]


def test_undo_and_redo(started):
    started.type("x = 1.0")
    assert "12" in started.type(":undo")
    assert started["y"].item() == 12
    assert started.type(":redo") != ""
    assert started["y"].item() == 2
    assert started.type(":redo") == "there is nothing to redo"


def test_step_walks_the_backward_pass():
    terminal = Terminal(answers=[""] * 4)
    terminal.type("x = Tensor(3.0)", "y = x * x + x")
    shown = terminal.type(":step").splitlines()
    assert [line for line in shown if not line.startswith(" ")] == [
        "step 1 of 5: Backprop starts at y",
        "step 2 of 5: ∂y/∂t1 through y = t1 + x",
        "step 3 of 5: ∂y/∂x through y = t1 + x",
        "step 4 of 5: ∂y/∂x through t1 = x * x",
        "step 5 of 5: ∂y/∂x through t1 = x * x",
    ]
    assert shown[-1] == "  sum so far        ∂y/∂x = 4 + 3 = 7 (path 3 of 3, complete)"
    assert terminal.answers == []


def test_a_walk_shows_small_matrices_entry_by_entry():
    terminal = Terminal(answers=[""] * 2)
    terminal.type("W = Tensor([[1.0, 2.0], [3.0, 4.0]])", "J = np.sum(W * np.array([[1.0, -2.0], [3.0, -4.0]]))")
    shown = terminal.type(":step").splitlines()
    assert ["3", "−4"] in [line.split() for line in shown]


@pytest.mark.parametrize("answers", [["q"], []])
def test_a_walk_can_be_stopped(answers):
    terminal = Terminal(answers)
    terminal.type("x = Tensor(3.0)", "y = x * x + x")
    assert "step 2" not in terminal.type(":step")


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        (":help", "Python, with np, at and their functions in place."),
        ("x = Tensor(1.0)", "y     x * x + x  ()     2      1"),
        ("40 + 2", "42"),
        ("z = tanhh(x)", "did you mean tanh?"),
        ("for k in range(3):", "for k in range(3): continues on further lines: type it at the prompt"),
    ],
)
def test_what_is_typed_within_a_walk_ends_it_and_is_done(typed, shown):
    terminal = Terminal(answers=["", typed])
    terminal.type("x = Tensor(3.0)", "y = x * x + x")
    told = terminal.type(":step")
    assert shown in told
    assert "step 2" in told
    assert "step 3" not in told


def test_python_typed_within_a_walk_is_python_s():
    terminal = Terminal(answers=["import os"])
    terminal.type("x = Tensor(3.0)", "y = x * x + x", ":step")
    assert terminal["os"].name
    assert terminal.type("1 + 1") == "2"


def test_derive_shows_the_formula_and_its_steps(terminal):
    terminal.type("X, w, y = np.array([[1.0, 2.0], [3.0, 4.0]]), Tensor([0.5, -0.5]), np.array([1.0, 2.0])")
    terminal.type("J = np.sum((X @ w - y) ** 2) / 2")
    shown = terminal.type(":derive w")
    assert shown == repr(at.derive(terminal.session.tensor, terminal.session["w"]))
    assert "Xᵀ (X w - y)" in shown


def test_a_formula_is_judged_as_it_is_typed(terminal):
    terminal.type("X, w, y = np.array([[1.0, 2.0], [3.0, 4.0]]), Tensor([0.5, -0.5]), np.array([1.0, 2.0])")
    terminal.type("J = np.sum((X @ w - y) ** 2) / 2")
    assert terminal.type(":matches w X^T (X w - y)") == "X^T (X w - y): the gradient"
    assert "2 times the gradient" in terminal.type(":matches w 2 X.T @ (X @ w - y)")


def test_rows_of_different_lengths_are_reported_once(terminal):
    told = "w is a plain Python list, not a matrix: its rows have 1 and 2 entries"
    assert terminal.type("w = [[1, 2], [3]]") == told
    assert terminal.type("1 + 1") == "2"
    assert terminal.type("w = [[1, 2], [3, 4]]", "names = [['a', 'b'], ['c']]") == ""


def test_step_starts_at_the_name_given(started):
    started.type("z = 2 * y")
    assert started.type(":step y").startswith("step 1 of 5: Backprop starts at y\n")


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (":nope", "unknown command :nope; :help lists the commands"),
        (":stpe", "unknown command :stpe; did you mean step?; :help lists the commands"),
        (":rename x", "expected :rename OLD NEW"),
        (":save", "expected :save FILE"),
        (":save 'x", ":save 'x: No closing quotation"),
        (":save net.txt", "save: expected a file name that ends in .py; got 'net.txt'"),
        (":draw net.txt", "draw: expected a file name that ends in one of"),
        (":load nothing.py", "No such file or directory"),
        (":derive", "expected :derive NAME"),
        (":derive q", "there is no 'q' in the session, only x, y"),
        (":step q", "there is no 'q' in the session, only x, y"),
        (":delete x", "x is used by y"),
        (":rename x lambda", "'lambda' cannot be the name of a value"),
        (":output q", "there is no 'q' in the session"),
        (":rename x \x1b[31m", "'\\x1b[31m' cannot be the name of a value"),
    ],
)
def test_an_invalid_command_is_reported_in_a_line(line, told, started):
    shown = started.type(line)
    assert told in shown
    assert "\x1b" not in shown
    assert started["y"].item() == 12


def test_step_of_an_empty_session_is_reported(terminal):
    assert terminal.type(":step") == "there is nothing to draw yet: give a value a name, as in x = 3"


def test_rename_swap_and_output(started):
    assert "H     x * x + x" in started.type(":rename y H")
    assert "H     tanh(x * x + x)" in started.type("H = exp(x * x + x)", ":swap H exp tanh")
    started.type("z = 2 * H", ":output H")
    assert started.session.output == "H"
    assert "H" in started.console.python
    assert "y" not in started.console.python


def test_save_and_load(started, tmp_path):
    assert started.type(f":save {tmp_path}/mine.py").endswith("run it with Python, or :load it")
    started.type("x = 1.0", f":save {tmp_path}/mine.py", "x = 7.0", f":load {tmp_path}/mine.py")
    assert started["y"].item() == 2


def test_save_overwrites_no_file_that_is_not_a_session(started, tmp_path):
    (tmp_path / "mine.py").write_text("precious = 1\n")
    assert "exists and was not saved by a session; choose another name" in started.type(f":save {tmp_path}/mine.py")
    assert (tmp_path / "mine.py").read_text() == "precious = 1\n"


def test_draw_shows_every_operation_or_writes_a_picture(started, tmp_path):
    assert "t1    x * x" in started.type(":draw")
    assert "└─" not in started.type(":draw")  # a tree would say the same again
    started.type(f":draw {tmp_path}/net.svg")
    assert "<svg" in (tmp_path / "net.svg").read_text()


# ----- widths -----
@pytest.mark.parametrize("width", [20, 40, 60])
def test_tables_fit_a_narrow_terminal(width, started, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(width))
    shown = started.type("quite_a_long_name_for_a_value = x * x + x * x + x * x + x * x + x * x")
    assert max(map(len, shown.splitlines())) <= max(width, 5 * 4 + 4 * 2)
    assert max(map(len, started.type(":draw").splitlines())) <= max(width, 5 * 4 + 4 * 2)


def test_of_a_long_session_what_changed_is_shown(terminal, monkeypatch):
    monkeypatch.setattr(repl_console, "MOST_LINES", 3)
    terminal.type("a, b = Tensor(1.0), Tensor(2.0)", "c = a * a", "d = b * b")
    shown = terminal.type("b = 3.0")
    assert [line.split()[0] for line in shown.splitlines()] == ["name", "b", "d"]


def test_an_interrupted_edit_leaves_the_session_unchanged(started, monkeypatch):
    def stop(*args, **kwargs):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(at.sessions.state, "gradients_of", stop)
        with pytest.raises(KeyboardInterrupt):
            started.console.run("x = Tensor(5.0)")
    assert (started.session["y"].item(), started.session.grad("x")) == (12, 7)


def test_a_screen_gets_colours_and_a_file_gets_none(started, monkeypatch):
    monkeypatch.setattr(repl_console, "has_colours", lambda: True)
    shown = started.type("x = 1.0")
    assert "\x1b[38;5;166m3\x1b[0m" in shown
    assert re.sub(r"\x1b\[[\d;]*m", "", shown).splitlines()[2] == "y     x * x + x  ()     2      1"


@pytest.mark.parametrize("setting", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_colours_can_be_done_without(setting, monkeypatch):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    assert has_colours()
    for name, value in setting.items():
        monkeypatch.setenv(name, value)
    assert not has_colours()


def test_a_hostile_name_does_no_harm_where_a_tensor_shows_itself(terminal):
    assert "\x1b" not in terminal.type("Tensor(3.0, name='\\x1b[2J')", "Tensor(3.0, name='\\x1b[2J') * 2")


def test_banner_and_help_fit_80_columns(started):
    assert max(map(len, [*BANNER.splitlines(), *started.type(":help").splitlines()])) <= 80
