"""`autotiny repl` in a real pseudo-terminal."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time

import pytest

from autotiny.commands.main import main

ESCAPES = re.compile(r"\x1b(\[[0-?]*[ -/]*[@-~]|\][^\x07]*\x07|[=>()][0-9AB]?)|\r")
PATIENCE = 60
PROMPT = "]: "


class Terminal:
    """A process that believes that it talks to a person."""

    def __init__(self, home, *arguments, columns=100):
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
        inherited = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
        environment = {"TERM": "xterm", "HOME": str(home), "IPYTHONDIR": str(home), "PROMPT_TOOLKIT_NO_CPR": "1"}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "autotiny", "repl", *arguments],
            stdin=slave, stdout=slave, stderr=slave, start_new_session=True, env=inherited | environment,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )  # fmt: skip
        os.close(slave)
        self.seen = ""

    def expect(self, words):
        """What is shown up to these words."""
        end = time.monotonic() + PATIENCE
        while words not in self.seen:
            ready, _, _ = select.select([self.master], [], [], max(0, end - time.monotonic()))
            assert ready, f"{words!r} did not come; there is {self.seen!r}"
            self.seen += ESCAPES.sub("", os.read(self.master, 65536).decode(errors="replace"))
        before, _, self.seen = self.seen.partition(words)
        return before

    def type(self, line, then):
        """Type a line, and wait for what is to be shown."""
        os.write(self.master, line.encode() + b"\r")
        return self.expect(then)

    def press(self, key):
        """Press Ctrl and a key, as late as a person would: while a prompt is only just being shown, it may get lost."""
        time.sleep(0.3)
        os.write(self.master, bytes([ord(key) - 64]))


@pytest.fixture
def start(tmp_path):
    pytest.importorskip("IPython")
    started = []

    def make(*arguments, **options):
        terminal = Terminal(tmp_path, *arguments, **options)
        started.append(terminal)
        terminal.expect("Ctrl-D leaves")
        terminal.expect(PROMPT)
        return terminal

    yield make
    for terminal in started:
        terminal.process.kill()
        terminal.process.wait()
        os.close(terminal.master)


def test_a_graph_lives_in_a_real_terminal(start):
    terminal = start()
    terminal.type("x = Tensor(3.0)", "variable  ()     3      —")
    terminal.type("y = x * x + x", "x * x + x  ()     12     1")
    terminal.type("x = x - 0.1 * x.grad", "x     variable   ()     2.3    5.6")
    terminal.type(":undo", "x * x + x  ()     12     1")
    terminal.type("x", "dy/dx = 7.")
    terminal.type("z = tanhh(x)", "did you mean tanh?")
    terminal.type("def f(t): return np.sin(t) * t", PROMPT)
    terminal.type("", PROMPT)
    terminal.type("z = f(x)", "sin(x) * x")


def test_step_waits_for_enter(start):
    terminal = start()
    terminal.type("x = Tensor(3.0)", "—")
    terminal.type("y = x * x + x", "12     1")
    terminal.type(":step", "Enter: on, q: stop")
    for shown in ("∂y/∂t1 = 1", "∂y/∂x = 1", "∂y/∂x = 1 + 3 = 4", "∂y/∂x = 4 + 3 = 7 (path 3 of 3, complete)"):
        terminal.type("", shown)
    terminal.expect(PROMPT)


def test_what_is_typed_within_a_walk_is_done(start):
    terminal = start()
    terminal.type("x = Tensor(3.0)", "—")
    terminal.type("y = x * x + x", "12     1")
    terminal.type(":step", "Enter: on, q: stop")
    terminal.type("x = 1.0", "x * x + x  ()     2      1")
    terminal.expect(PROMPT)
    terminal.type(":step", "Enter: on, q: stop")
    terminal.type(":help", "Walk the backward pass")
    terminal.expect(PROMPT)
    terminal.type("6 * 7", "42")


def test_ctrl_c_stops_what_runs_and_a_walk_but_not_the_terminal(start):
    terminal = start()
    terminal.type("x = Tensor(3.0)", "—")
    terminal.type("y = x * x + x", "12     1")
    terminal.expect(PROMPT)
    terminal.type("print('running'); import time; time.sleep(60)", "running\n")
    terminal.press("C")
    terminal.expect("KeyboardInterrupt")
    terminal.expect(PROMPT)
    terminal.type(":step", "Enter: on, q: stop")
    terminal.press("C")
    terminal.expect(PROMPT)
    terminal.type("x = 1.0", "x * x + x  ()     2      1")


def test_ctrl_d_leaves(start):
    terminal = start()
    terminal.press("D")
    assert terminal.process.wait(PATIENCE) == 0


def test_quit_leaves(start):
    terminal = start()
    os.write(terminal.master, b":quit\r")
    assert terminal.process.wait(PATIENCE) == 0


def test_a_narrow_terminal_gets_a_narrow_table(start):
    terminal = start(columns=40)
    terminal.type("x = Tensor(3.0)", "—")
    terminal.type("y = x*x*x*x*x*x*x*x*x*x*x*x", "gradient")
    row = terminal.expect("  1\n").splitlines()[-1]
    assert "…" in row
    assert len(row) + 3 <= 40


def test_a_saved_session_goes_on(start, tmp_path):
    terminal = start()
    terminal.type("x = Tensor(3.0)", "—")
    terminal.type("y = x * x + x", "12     1")
    terminal.type(f":save {tmp_path}/kept.py", "or :load it")
    again = start(str(tmp_path / "kept.py"))
    again.type("x = 1.0", "x * x + x  ()     2      1")


def test_an_invalid_script_is_reported_in_a_line(tmp_path):
    pytest.importorskip("IPython")
    (tmp_path / "bad.py").write_text("import os\nos.system('ls')\n")
    command = [sys.executable, "-m", "autotiny", "repl", str(tmp_path / "bad.py")]
    ended = subprocess.run(command, capture_output=True, text=True)
    assert ended.returncode == 2
    assert ended.stderr.startswith("autotiny: import is not part of the language")


def test_without_ipython_the_command_says_how_to_install_it(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "IPython", None)
    assert main(["repl"]) == 2
    assert capsys.readouterr().err == "autotiny: repl: the terminal needs IPython: pip install 'autotiny[lab]'\n"
