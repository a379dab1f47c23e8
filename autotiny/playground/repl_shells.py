"""The shells that read what is typed: IPython's where it is installed, else the standard library's."""

import code
import contextlib
import importlib.util
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

from autotiny.engine.tensor import Tensor
from autotiny.errors import AutotinyError
from autotiny.playground import repl_commands
from autotiny.playground.repl_console import Console

BANNER = """\
autotiny: Python with np, at and their functions in place, and a graph that stays live.
  x = Tensor(3.0)    a variable
  y = x * x + x      a formula: it follows x, and so does dy/dx
  :step              walk the backward pass;  :help shows more, Ctrl-D leaves"""


def has_ipython() -> bool:
    """Whether IPython is installed."""
    return importlib.util.find_spec("IPython") is not None


def command(console: Console, line: str) -> None:
    """Do what a line that starts with a colon asks for; what is wrong is shown."""
    try:
        repl_commands.run(console, line)
    except (AutotinyError, OSError, ValueError) as error:
        console.tell(error)


class PlainShell(code.InteractiveConsole):
    """The standard library's console, in which formulas and commands go to the session."""

    def __init__(self, console: Console) -> None:
        super().__init__(console.python, "<terminal>")
        self.console = console
        console.enter = self.enter

    def enter(self, line: str) -> None:
        """Run a line that was typed elsewhere than at the prompt."""
        if self.runsource(line):
            self.console.show(f"{line} goes on in further lines: type it at the prompt")

    def runsource(self, source: str, filename: str = "<terminal>", symbol: str = "single") -> bool:
        """Run what is complete; True where more lines are to come."""
        if source.lstrip().startswith(":"):
            command(self.console, source)
            return False
        if self.console.is_live(source):
            self.console.run(source)
            return False
        before = sys.displayhook
        sys.displayhook = self.display
        try:
            return super().runsource(source, filename, symbol)
        finally:
            sys.displayhook = before

    def runcode(self, source: Any) -> None:
        """Run compiled Python, and take in the Tensors that it made."""
        try:
            super().runcode(source)
        finally:
            self.console.python_ran()

    def display(self, value: Any) -> None:
        """Show the value of an expression."""
        if value is not None:
            self.console.python["_"] = value
            self.console.show(self.console.told(value))

    def showtraceback(self) -> None:
        """Show what went wrong: in a line where autotiny says it, else with Python's traceback."""
        error = sys.exc_info()[1]
        if isinstance(error, AutotinyError):
            self.console.tell(error)
        else:
            super().showtraceback()


def plain_shell(console: Console) -> None:
    """Read and run until the end of input."""
    with contextlib.suppress(ImportError):  # Windows has no readline
        import readline
        import rlcompleter

        readline.set_completer(rlcompleter.Completer(console.python).complete)
        readline.parse_and_bind("tab: complete")
    PlainShell(console).interact(BANNER, exitmsg="")


def ipython_shell(console: Console) -> None:
    """The same in IPython, with its history, completion and colours."""
    from IPython.terminal.ipapp import TerminalIPythonApp

    app: Any = TerminalIPythonApp.instance(user_ns=console.python, display_banner=False)
    app.initialize([])
    attach(app.shell, console)
    print(BANNER)
    app.start()


def attach(shell: Any, console: Console) -> None:
    """Let a shell of IPython hand formulas and commands to the session, and show Tensors with their graph."""
    console.python = shell.user_ns
    console.enter = shell.run_cell
    shell.user_ns["__autotiny__"] = Calls(console, shell.ask_exit)
    shell.user_ns_hidden.update(console.python)  # %who lists what was typed
    shell.confirm_exit = False
    shell.input_transformers_cleanup.append(lambda lines: transformed(console, lines))
    shell.events.register("post_run_cell", lambda result: console.python_ran())
    shell.set_custom_exc((AutotinyError,), lambda shell, kind, error, trace, tb_offset=None: console.tell(error))
    shell.display_formatter.formatters["text/plain"].for_type(
        Tensor, lambda value, printer, cycle: printer.text(console.told(value))
    )


class Calls(NamedTuple):
    """What the lines that IPython is given in place of formulas and commands call."""

    console: Console
    leave: Callable[[], None]

    def run(self, text: str) -> None:
        """Run formulas."""
        self.console.run(text)

    def command(self, line: str) -> None:
        """Run a command."""
        try:
            command(self.console, line)
        except SystemExit:
            self.leave()


def transformed(console: Console, lines: list[str]) -> list[str]:
    """The lines of a cell; a call in place of a command or of formulas.

    >>> transformed(Console(), [":help\\n"]), transformed(Console(), ["1 + 1\\n"])
    (["__autotiny__.command(':help\\\\n')\\n"], ['1 + 1\\n'])
    """
    text = "".join(lines)
    if text.lstrip().startswith(":"):
        return [f"__autotiny__.command({text!r})\n"]
    return [f"__autotiny__.run({text!r})\n"] if console.is_live(text) else lines
