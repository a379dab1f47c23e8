"""The command `autotiny check`."""

import argparse
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from autotiny.checking.comparison import compare
from autotiny.commands.arguments import (
    add_values,
    computation,
    leaves,
    read_values,
    recorded,
    split_setting,
    tensor_named,
)
from autotiny.engine.tensor import Tensor
from autotiny.language import ExpressionError, evaluate

EXAMPLES = """\
examples:
  autotiny check 'sum(tanh(W @ x))' --set 'W=[[1,2],[3,4]]' --set 'x=[1,0.5]' \\
      --closed-form 'W=outer(1 - tanh(W @ x)**2, x)'
  autotiny check 'Z = W @ x; sum(tanh(Z))' --set data.npz \\
      --closed-form 'Z=1 - tanh(Z)**2' --wrt W
  autotiny check 'cross_entropy(W @ X, y)' --set W=weights.npy \\
      --set X=features.csv --set 'y=[0,2,1]'
  autotiny check net.py:loss --args data.npz    a function of your own

Expressions take NumPy's and autotiny's functions by name, operators, indices
and assignments, with ; or newlines between them. A closed form may use every
name that was set or assigned. Without --closed-form and --wrt, autograd is
compared with numeric gradients for all values that were set, except for single
whole numbers beside other values, and whole numbers that the loss needs as
such: sizes, labels, indices.

exit codes:
  0 all agree        1 they do not        2 bad input
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Give the parser the arguments of `autotiny check`."""
    add = parser.add_argument
    add("loss", metavar="EXPRESSION", help="the loss; or FILE.py:function, which is imported and called")
    repeated: dict[str, Any] = {"action": "append", "default": []}
    add_values(parser)
    add("--closed-form", **repeated, metavar="NAME=EXPR", help="dJ/dNAME, as you derived it")
    add("--wrt", **repeated, metavar="NAME[,NAME]", help="compare these too, autograd with numeric gradients")


def run(args: argparse.Namespace) -> int:
    """Compare the gradients and print the report; 0 where all agree, else 1."""
    closed_forms = dict(split_setting(text, "--closed-form", "EXPR") for text in args.closed_form)
    wrt = [name.strip() for names in args.wrt for name in names.split(",")]
    values, compute = read_values(args.settings), computation(args.loss)
    loss, scope = recorded(compute, values, {*closed_forms, *wrt})
    wanted = {name: tensor_named(name, scope) for name in (*closed_forms, *wrt)}
    claimed = {wanted[name]: _closed_form(name, text, scope) for name, text in closed_forms.items()}
    report = compare(loss, claimed, wrt=[wanted[name] for name in wrt] or ([] if claimed else leaves(loss, scope)))
    for line in _heading(loss, scope, wanted):
        print(line)
    print(report)
    if any(row.outlier == "autograd" for row in report.rows):
        print(f"\n{report.blame()}")
    return 0 if report.ok else 1


def _heading(loss: Tensor, scope: Mapping[str, Any], wanted: Iterable[str]) -> Iterator[str]:
    yield f"the loss is {float(loss):.9g}"
    data = [name for name, value in scope.items() if not isinstance(value, Tensor)]
    if data and not wanted:
        yield f"without a gradient, as data: {', '.join(data)}"
    yield ""


def _closed_form(name: str, text: str, scope: Mapping[str, Any]) -> Any:
    """The value of a closed form; nothing is recorded."""
    values = {known: value.detach() if isinstance(value, Tensor) else value for known, value in scope.items()}
    try:
        return evaluate(text, values).value
    except ExpressionError as error:
        raise error.within(f"--closed-form {name}") from error
