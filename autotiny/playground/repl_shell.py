"""The shell of the terminal: IPython, in which formulas and commands go to the session."""

from collections.abc import Callable
from typing import Any, NamedTuple

from autotiny.engine.tensor import Tensor
from autotiny.errors import AutotinyError
from autotiny.playground import repl_commands
from autotiny.playground.repl_console import Console

BANNER = """\
autotiny: Python with np, at and their functions, and a graph that stays live.
  x = Tensor(3.0)    a variable
  y = x * x + x      a formula: it follows x, and so does dy/dx
  :step              walk the backward pass;  :help shows more, Ctrl-D leaves"""


class ShellMissingError(AutotinyError):
    """IPython is not installed."""


def require_ipython() -> None:
    """Raise ShellMissingError where IPython is not installed."""
    try:
        import IPython  # noqa: F401
    except ImportError:
        raise ShellMissingError("repl: the terminal needs IPython: pip install 'autotiny[lab]'") from None


def run_shell(console: Console) -> None:
    """Read and run lines until the end of input, with IPython's history, completion and colours."""
    from IPython.terminal.ipapp import TerminalIPythonApp

    app: Any = TerminalIPythonApp.instance(user_ns=console.python, display_banner=False)
    app.initialize([])
    attach(app.shell, console)
    print(BANNER)
    app.start()


def attach(shell: Any, console: Console) -> None:
    """Let an IPython shell pass formulas and commands to the session, and show Tensors with their graph."""
    console.python = shell.user_ns
    console.enter = lambda line: enter(shell, console, line)
    shell.user_ns["__autotiny__"] = ShellCalls(console, shell.ask_exit)
    shell.user_ns_hidden.update(console.python)  # %who lists only what the user defined
    shell.confirm_exit = False
    shell.input_transformers_cleanup.append(lambda lines: transformed(console, lines))
    shell.events.register("post_run_cell", lambda result: console.python_ran())
    shell.set_custom_exc((AutotinyError,), lambda shell, kind, error, trace, tb_offset=None: console.show_error(error))
    shell.display_formatter.formatters["text/plain"].for_type(
        Tensor, lambda value, printer, cycle: printer.text(console.shown(value))
    )


def enter(shell: Any, console: Console, line: str) -> None:
    """Run a line that was typed at another prompt than the shell's; a block of several lines is refused."""
    status, _ = shell.input_transformer_manager.check_complete(line)
    if status == "incomplete":
        console.show(f"{line} continues on further lines: type it at the prompt")
    else:
        shell.run_cell(line)


class ShellCalls(NamedTuple):
    """The calls that replace formulas and commands in what IPython runs."""

    console: Console
    leave: Callable[[], None]

    def run(self, text: str) -> None:
        """Run formulas."""
        self.console.run(text)

    def command(self, line: str) -> None:
        """Run a command; an error is shown in a line."""
        try:
            repl_commands.run(self.console, line)
        except SystemExit:
            self.leave()
        except (AutotinyError, OSError, ValueError) as error:
            self.console.show_error(error)


def transformed(console: Console, lines: list[str]) -> list[str]:
    """The lines of a cell, replaced by a call where they are a command or formulas.

    >>> transformed(Console(), [":help\\n"]), transformed(Console(), ["1 + 1\\n"])
    (["__autotiny__.command(':help\\\\n')\\n"], ['1 + 1\\n'])
    """
    text = "".join(lines)
    if text.lstrip().startswith(":"):
        return [f"__autotiny__.command({text!r})\n"]
    return [f"__autotiny__.run({text!r})\n"] if console.is_live(text) else lines
