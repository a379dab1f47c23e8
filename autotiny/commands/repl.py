"""The body of `autotiny repl`."""

import argparse
from pathlib import Path

from autotiny.playground.repl_console import Console
from autotiny.playground.repl_shells import has_ipython, ipython_shell, plain_shell

EXAMPLES = """\
examples:
  autotiny repl              start with an empty graph
  autotiny repl net.py       go on with a session that was saved
  autotiny repl --plain      Python's own console, even where IPython is there

  >>> x = Tensor(3.0)
  >>> y = x * x + x
  >>> x = 1.0                y follows, and so does its gradient
  >>> :step                  walk the backward pass
  >>> :save mine.py          keep it all as a Python script
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Give the parser the arguments of `autotiny repl`, and its examples."""
    parser.epilog, parser.formatter_class = EXAMPLES, argparse.RawDescriptionHelpFormatter
    parser.add_argument("session", nargs="?", metavar="FILE.py", help="a session's script, which is read and not run")
    parser.add_argument("--plain", action="store_true", help="use the standard library's console, not IPython")


def run(args: argparse.Namespace) -> int:
    """Read and run until the end of input."""
    console = Console()
    if args.session:
        console.open(Path(args.session))
    if args.plain or not has_ipython():
        plain_shell(console)
    else:
        ipython_shell(console)
    return 0
