"""The body of `autotiny draw`."""

import argparse
import webbrowser
from pathlib import Path

from autotiny.arguments.arrays import GivenError, given
from autotiny.arguments.recorded import add_values, program, recorded
from autotiny.drawing.picture import draw
from autotiny.tensor import Tensor

EXAMPLES = """\
examples:
  autotiny draw 'relu(W @ x + b)' --set 'W=[[1,2]]' --set 'x=[3,-1]' --set b=0.5
  autotiny draw 'sum((W @ x - y)**2)' --set data.npz -o net.svg
  autotiny draw net.py:loss --args data.npz -o net.html --open    step through it
  autotiny draw 'a*b + a' --set a=2 --set b=3 --steps    every step as text
  autotiny draw 'a*b + a' --set a=2 --set b=3 --steps -o play.svg    plays by itself

Without -o the graph is printed as a table. The ending of FILE chooses .svg,
.png, .pdf, .dot or .html, a page on which the graph steps forward and back.
Nothing is opened unless --open asks for it.

exit codes:
  0 done        2 bad input, or something is missing
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Give the parser the arguments of `autotiny draw`, and its examples."""
    parser.epilog, parser.formatter_class = EXAMPLES, argparse.RawDescriptionHelpFormatter
    add = parser.add_argument
    add("result", metavar="EXPRESSION", help="what to draw; or FILE.py:function, which is imported and called")
    add_values(parser)
    add("-o", "--output", metavar="FILE", type=Path, help="write the picture here")
    add("--steps", action="store_true", help="tell the forward and the backward pass step by step")
    add("--open", action="store_true", help="show the file that was written in the browser")


def run(args: argparse.Namespace) -> int:
    """Print the graph, or write its picture."""
    if args.open and not args.output:
        raise GivenError("--open shows the file that -o names: add -o FILE, such as -o net.html")
    result: Tensor = recorded(program(args.result), given(args.settings)).value
    if result.size == 1:
        result.backward()
    picture = draw(result)
    shown = picture.steps if args.steps else picture
    if not args.output:
        print(shown)
        return 0
    try:
        shown.save(args.output)
    except ValueError as error:  # the ending of its name
        raise GivenError(str(error)) from error
    print(f"wrote {args.output}")
    if args.open:
        webbrowser.open(args.output.resolve().as_uri())
    return 0
