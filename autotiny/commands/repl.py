"""The command `autotiny repl`."""

import argparse
from pathlib import Path

from autotiny.playground.repl_console import Console
from autotiny.playground.repl_shell import require_ipython, run_shell

EXAMPLES = """\
examples:
  autotiny repl              start with an empty graph
  autotiny repl net.py       go on with a session that was saved

  >>> x = Tensor(3.0)
  >>> y = x * x + x
  >>> x = 1.0                y follows, and so does its gradient
  >>> :step                  walk the backward pass
  >>> :save mine.py          keep it all as a Python script

The terminal is IPython's, which the extra `lab` installs.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Give the parser the arguments of `autotiny repl`."""
    parser.add_argument("session", nargs="?", metavar="FILE.py", help="a session's script, which is read but not run")


def run(args: argparse.Namespace) -> int:
    """Read and run until the end of input."""
    require_ipython()
    console = Console()
    if args.session:
        console.open(Path(args.session))
    run_shell(console)
    return 0
