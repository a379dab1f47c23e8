"""The command `autotiny draw`."""

import argparse
import webbrowser
from pathlib import Path
from typing import Any

from autotiny.commands.arguments import (
    InputError,
    add_values,
    computation,
    positive_number,
    read_values,
    recorded,
    tensor_named,
)
from autotiny.drawing.picture import Picture, draw
from autotiny.drawing.stepping import SteppingPicture
from autotiny.drawing.style import DIRECTIONS, SMALLEST_TEXT

EXAMPLES = """\
examples:
  autotiny draw 'relu(W @ x + b)' --set 'W=[[1,2]]' --set 'x=[3,-1]' --set b=0.5
  autotiny draw 'sum((W @ x - y)**2)' --set data.npz -o net.svg
  autotiny draw net.py:loss --args data.npz -o net.html --open
  autotiny draw 'a*b + a' --set a=2 --set b=3 --steps
  autotiny draw 'a*b + a' --set a=2 --set b=3 --steps -o play.svg
  autotiny draw 'a*b + a' --set a=2 --set b=3 --text-size 14 -o slide.svg

Without -o the graph is printed. The ending of FILE is .svg, .png, .pdf, .dot,
or .html for a page on which the graph steps forward and back. With --steps,
every step is printed as text, and an .svg plays them by itself. Gradients are
shown if the result is a single number. Only --open opens the file.

exit codes:
  0 done        2 bad input, or something is missing
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Give the parser the arguments of `autotiny draw`."""
    add = parser.add_argument
    repeated: dict[str, Any] = {"action": "append", "default": []}
    add("result", metavar="EXPRESSION", help="what to draw; or FILE.py:function, which is imported and called")
    add_values(parser)
    add("-o", "--output", metavar="FILE", type=Path, help="write the picture here")
    add("--steps", action="store_true", help="show the forward and the backward pass step by step")
    add("--open", action="store_true", help="show the file in the browser")
    add("--depth", type=positive_number, metavar="N", help="how many levels of groups to show")
    add("--expand", metavar="GROUP", help="show what is in this group", **repeated)
    add("--focus", metavar="NAME", help="show only the graph between this value and the result", **repeated)
    add = parser.add_argument_group("for a slide").add_argument
    add("--direction", choices=DIRECTIONS, help="where the graph runs; without it, as it can be read best")
    add("--digits", type=positive_number, metavar="N", help="how many significant digits numbers have")
    size = f"the smallest text, {SMALLEST_TEXT} points without it"
    add("--text-size", type=float, default=SMALLEST_TEXT, metavar="POINTS", help=size)
    add("--highlight", metavar="NAME", help="colour the ways from this value to the result", **repeated)
    add("--no-constants", action="store_true", help="leave out what is neither computed nor given by --set")
    add("--legend", action="store_true", help="explain the signs below the graph")


def run(args: argparse.Namespace) -> int:
    """Print the graph, or write its picture."""
    if args.open and not args.output:
        raise InputError("--open shows the file that -o names: add -o FILE, such as -o net.html")
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
    result, scope = recorded(computation(args.result), read_values(args.settings))
    result.name = result.name or "output"
    if result.size == 1:
        result.backward()
    else:
        print(f"without gradients, as the result has shape {result.shape}: take its sum or mean for them\n")
    focus = [tensor_named(name, scope) for name in args.focus]
    return draw(
        result,
        depth=args.depth,
        expand=args.expand,
        focus=focus,
        direction=args.direction,
        constants=not args.no_constants,
        highlight=[tensor_named(name, scope) for name in args.highlight],
        legend=args.legend,
        digits=args.digits,
        text_size=args.text_size,
    )


def _save(shown: Picture | SteppingPicture, path: Path) -> None:
    try:
        shown.save(path)
    except ValueError as error:  # an unknown ending
        raise InputError(str(error)) from error
    print(f"wrote {path}")
