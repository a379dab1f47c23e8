"""The command line: one parser, errors in one line, and exit codes.

Each command is a module of this package, imported when it is used, that has the three members of `Command`.
"""

import argparse
import importlib
import io
import os
import sys
import traceback
from collections.abc import Sequence
from typing import Any, NoReturn, Protocol, cast

import autotiny
from autotiny.errors import AutotinyError
from autotiny.notation.text import clean

BAD_INPUT, FAULT, INTERRUPTED, NOBODY_READS = 2, 70, 130, 141
"""Exit codes besides those that commands return."""
LONGEST_MESSAGE = 1000


class Command(Protocol):
    """The module of a command."""

    EXAMPLES: str
    """Shown below the options in --help."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Give the parser the arguments of the command."""

    def run(self, args: argparse.Namespace) -> int:
        """Run the command and return its exit code: 0, or 1 where a check did not hold.

        Errors are AutotinyError or OSError, which are printed in one line; any other is a fault in autotiny.
        """


COMMANDS = {
    "check": ("autotiny.commands.check", "compare a gradient derived by hand with autograd"),
    "demo": ("autotiny.commands.demo", "check, draw and train a network on handwritten digits"),
    "derive": ("autotiny.commands.derive", "derive the gradient's formula, step by step"),
    "draw": ("autotiny.commands.draw", "draw the graph as a picture, as a page that steps, or as text"),
    "play": ("autotiny.commands.play", "build expressions in a browser, served from this machine"),
    "repl": ("autotiny.commands.repl", "start a terminal in which a graph stays live"),
    "train": ("autotiny.commands.train", "train a network on the digits or a table of your own"),
}
"""The module of each command, and its purpose."""

EXAMPLES = """\
examples:
  autotiny demo                 autograd compared with the textbook; a report
  autotiny train                a network that reads handwritten digits
  autotiny train flowers.csv    a network for a table of your own
  autotiny train --help         the options of a command, and more examples

exit codes:
  0 done                        2 bad input, or something is missing
  1 a check did not hold        70 a fault in autotiny      130 Ctrl-C
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `autotiny` with these arguments, the command line's by default, and return its exit code.

    Raises SystemExit, as argparse does, after --help, --version and invalid arguments.
    """
    _print_whatever_the_terminal_can()
    try:
        try:
            return _run(_parser().parse_args(arguments))
        finally:
            print(end="", flush=True)
    except BrokenPipeError:
        # The reader, such as head, has closed the pipe; what is still buffered would fail again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return NOBODY_READS
    except KeyboardInterrupt:
        print("autotiny: stopped by Ctrl-C", file=sys.stderr)
        return INTERRUPTED


def _run(args: argparse.Namespace) -> int:
    try:
        code: int = args.run(args)
        return code
    except BrokenPipeError:
        raise
    except Exception as error:
        if args.debug:
            traceback.print_exception(error)
        print(f"autotiny: {clean(' '.join(_message(error).split()), LONGEST_MESSAGE)}", file=sys.stderr)
        if excerpt := getattr(error, "excerpt", ""):  # a line of an expression, with carets
            print(excerpt, file=sys.stderr)
        return BAD_INPUT if isinstance(error, AutotinyError | OSError) else FAULT


def _message(error: Exception) -> str:
    if isinstance(error, AutotinyError):
        return getattr(error, "message", str(error))
    if isinstance(error, OSError):
        reason = error.strerror or str(error)
        return f"{error.filename}: {reason}" if error.filename else reason
    return f"{type(error).__name__}: {error}; this is a fault in autotiny, and --debug shows where"


class _Parser(argparse.ArgumentParser):
    """A parser with errors of one line, which imports a command's module when the command is used."""

    module = ""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        if self.module:
            command = cast(Command, importlib.import_module(self.module))
            command.add_arguments(self)
            self.epilog = command.EXAMPLES
            self.set_defaults(run=command.run)
            # No default, which would overwrite that of `autotiny --debug COMMAND`.
            _add_debug(self, argparse.SUPPRESS)
        return super().parse_known_args(args, namespace)

    def error(self, message: str) -> NoReturn:
        self.exit(BAD_INPUT, f"autotiny: {message}; see {self.prog} --help\n")


def _parser() -> _Parser:
    parser = _Parser(
        prog="autotiny",
        description="An autograd engine on NumPy that shows its work.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"autotiny {autotiny.__version__}")
    _add_debug(parser, False)
    parser.set_defaults(run=lambda args: _help(parser))
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    for name, (module, purpose) in COMMANDS.items():
        parser_of_command = commands.add_parser(
            name,
            help=purpose,
            description=f"{purpose.capitalize()}.",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        parser_of_command.module = module
    return parser


def _help(parser: argparse.ArgumentParser) -> int:
    parser.print_help(sys.stderr)
    return BAD_INPUT


def _add_debug(parser: argparse.ArgumentParser, default: Any) -> None:
    parser.add_argument("--debug", action="store_true", default=default, help="show the traceback of an error")


def _print_whatever_the_terminal_can() -> None:
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
