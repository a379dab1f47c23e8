"""The body of `autotiny draw`."""

import argparse
import webbrowser
from pathlib import Path
from typing import Any

from autotiny.commands.arrays import GivenError, given
from autotiny.commands.recorded import add_values, program, recorded, tensor_named
from autotiny.drawing.picture import Picture, draw
from autotiny.drawing.stepping import SteppingPicture

EXAMPLES = """\
examples:
  autotiny draw 'relu(W @ x + b)' --set 'W=[[1,2]]' --set 'x=[3,-1]' --set b=0.5
  autotiny draw 'sum((W @ x - y)**2)' --set data.npz -o net.svg
  autotiny draw net.py:loss --args data.npz -o net.html --open
  autotiny draw 'a*b + a' --set a=2 --set b=3 --steps
  autotiny draw 'a*b + a' --set a=2 --set b=3 --steps -o play.svg

Without -o the graph is printed. The ending of FILE chooses .svg, .png, .pdf,
.dot, or .html, a page on which the graph steps forward and back. With --steps,
text tells every step, and an .svg plays them by itself. Gradients are those of
a result that is a single number. Nothing is opened unless --open asks for it.

exit codes:
  0 done        2 bad input, or something is missing
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Give the parser the arguments of `autotiny draw`, and its examples."""
    parser.epilog, parser.formatter_class = EXAMPLES, argparse.RawDescriptionHelpFormatter
    add = parser.add_argument
    repeated: dict[str, Any] = {"action": "append", "default": []}
    add("result", metavar="EXPRESSION", help="what to draw; or FILE.py:function, which is imported and called")
    add_values(parser)
    add("-o", "--output", metavar="FILE", type=Path, help="write the picture here")
    add("--steps", action="store_true", help="tell the forward and the backward pass step by step")
    add("--open", action="store_true", help="show the file in the browser")
    add("--depth", type=_positive, metavar="N", help="how many levels of groups to show")
    add("--expand", metavar="GROUP", help="show what is in this group", **repeated)
    add("--focus", metavar="NAME", help="only what lies between this value and the result", **repeated)


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1, got {text!r}")
    return int(text)


def run(args: argparse.Namespace) -> int:
    """Print the graph, or write its picture."""
    if args.open and not args.output:
        raise GivenError("--open shows the file that -o names: add -o FILE, such as -o net.html")
    picture = _picture(args)
    shown = picture.steps if args.steps else picture
    if args.output:
        _save(shown, args.output)
    else:
        print(shown)
    if args.open:
        webbrowser.open(args.output.resolve().as_uri())
    return 0


def _picture(args: argparse.Namespace) -> Picture:
    result, scope = recorded(program(args.result), given(args.settings))
    result.name = result.name or "output"
    if result.size == 1:
        result.backward()
    else:
        print(f"without gradients, for the result has shape {result.shape}: take its sum or mean for them\n")
    focus = [tensor_named(name, scope) for name in args.focus]
    return draw(result, depth=args.depth, expand=args.expand, focus=focus)


def _save(shown: Picture | SteppingPicture, path: Path) -> None:
    try:
        shown.save(path)
    except ValueError as error:  # the ending of its name
        raise GivenError(str(error)) from error
    print(f"wrote {path}")
