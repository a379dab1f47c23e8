import os
import pty
import subprocess
import sys

from autotiny.nn.progress import progress_bar


def test_plain_lines_without_a_terminal(blobs, make_training, capsys):
    training = make_training(patience=None)
    with progress_bar(30) as report:
        training.run(*blobs, epochs=30, after_epoch=report)
    out, err = capsys.readouterr()
    lines = err.splitlines()
    last = training.history[-1]
    assert out == ""
    assert len(lines) == 10
    assert lines[0].startswith("epoch  3 of 30  loss ")
    assert lines[-1] == (
        f"epoch 30 of 30  loss {last.loss:.4f}  accuracy {last.accuracy:.2%}  "
        f"validation {last.validation_loss:.4f}  {last.validation_accuracy:.2%}"
    )


PROGRAM = """
import sys
if {hide}: sys.modules["rich"] = None
from autotiny import nn
from autotiny.nn import progress_bar
train, validation = nn.digits().split(0.5, seed=0)
training = nn.Training(nn.Network((64, 10)))
with progress_bar(4) as report:
    training.run(train, validation, epochs=4, after_epoch=report)
print("rich" in sys.modules and sys.modules["rich"] is not None)
"""


def run_in_terminal(hide):
    """Return what the program prints, and what its terminal shows."""
    screen, terminal = pty.openpty()
    command = [sys.executable, "-c", PROGRAM.format(hide=hide)]
    environment = os.environ | {"TERM": "xterm", "COLUMNS": "160"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=terminal, env=environment, text=True) as process:
        os.close(terminal)
        shown = "".join(iter(lambda: read(screen), ""))
        printed = process.communicate()[0]
    os.close(screen)
    assert process.returncode == 0, shown
    return printed.strip(), shown


def read(screen):
    try:
        return os.read(screen, 4096).decode(errors="replace")
    except OSError:  # how Linux says that the terminal was closed
        return ""


def test_bar_with_loss_and_accuracy_in_a_terminal():
    used_rich, shown = run_in_terminal(hide=False)
    assert used_rich == "True"
    assert "4/4" in shown
    assert "validation 0." in shown


def test_plain_lines_in_a_terminal_without_rich():
    used_rich, shown = run_in_terminal(hide=True)
    assert used_rich == "False"
    assert "epoch 4 of 4  loss" in shown
