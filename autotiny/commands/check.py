"""The command `autotiny check`."""

import argparse
import functools
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from autotiny.checking.comparison import compare
from autotiny.checking.report import Report
from autotiny.commands.arguments import (
    InputError,
    add_values,
    arguments_of,
    computation,
    function_named,
    guarded,
    leaves,
    read_values,
    recorded,
    split_setting,
    tensor_named,
)
from autotiny.derivation.derive import Deriving
from autotiny.derivation.matching import Match
from autotiny.engine.tensor import Tensor
from autotiny.language import ExpressionError, Limits, evaluate
from autotiny.language.errors import suggestion
from autotiny.language.reading import is_code

EXAMPLES = """\
examples:
  autotiny check 'sum(tanh(W @ x))' --set 'W=[[1,2],[3,4]]' --set 'x=[1,0.5]' \\
      --closed-form 'W=outer(1 - tanh(W @ x)**2, x)'
  autotiny check 'Z = W @ x; sum(tanh(Z))' --set data.npz \\
      --closed-form 'Z=1 - tanh(Z)**2' --wrt W
  autotiny check 'cross_entropy(W @ X, y)' --set W=weights.npy \\
      --set X=features.csv --set 'y=[0,2,1]'
  autotiny check net.py:loss --args data.npz    a function of your own
  autotiny check net.py:loss --gradient net.py:grad_loss --args data.npz

Expressions take NumPy's and autotiny's functions by name, operators, indices
and assignments, with ; or newlines between them. A closed form may use every
name that was set or assigned, and may be written as in a textbook:
'W=1/m X^T (Z - y)', or in LaTeX. Without --closed-form and --wrt, autograd is
compared with numeric gradients for all values that were set, except for single
whole numbers beside other values, and whole numbers that the loss needs as
such: sizes, labels, indices. --gradient names a function of the same arguments,
in NumPy, PyTorch or JAX: it returns the gradient by the first of them, by
several in their order, or a dict by their names.

exit codes:
  0 all agree        1 they do not        2 bad input
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Give the parser the arguments of `autotiny check`."""
    add = parser.add_argument
    add("loss", metavar="EXPRESSION", help="the loss; or FILE.py:function, which is imported and called")
    repeated: dict[str, Any] = {"action": "append", "default": []}
    add_values(parser)
    add("--gradient", metavar="FILE.py:FUNCTION", help="the gradient of FILE.py:function, as a function")
    add("--closed-form", **repeated, metavar="NAME=EXPR", help="dJ/dNAME, as you derived it")
    add("--wrt", **repeated, metavar="NAME[,NAME]", help="compare these too, autograd with numeric gradients")


def run(args: argparse.Namespace) -> int:
    """Compare the gradients and print the report; 0 where all agree, else 1."""
    return _compare_functions(args) if args.gradient else _compare_closed_forms(args)


def _compare_functions(args: argparse.Namespace) -> int:
    if args.closed_form:
        raise InputError("--gradient and --closed-form both state the gradient; use one of them")
    (path, f), (path_of_gradient, grad_f) = function_named(args.loss), function_named(args.gradient)
    bound = arguments_of(f, read_values(args.settings))
    values = bound.arguments
    names = _names(args.wrt) or [name for name, value in values.items() if np.asarray(value).dtype.kind == "f"]
    if unknown := [name for name in names if name not in values]:
        raise InputError(f"--wrt {unknown[0]}: {args.loss} has no such argument{suggestion(unknown[0], values)}")
    if not names:
        raise InputError(f"{args.loss} has no argument of real numbers; name the variables with --wrt")
    compared = functools.partial(compare, f, grad_f, *bound.args, argnames=names, **bound.kwargs)
    return _printed(guarded(compared, path, path_of_gradient))


def _names(wrt: Iterable[str]) -> list[str]:
    return [name.strip() for names in wrt for name in names.split(",")]


def _printed(report: Report) -> int:
    print(report)
    if any(row.outlier == "autograd" for row in report.rows):
        print(f"\n{report.blame()}")
    return 0 if report.ok else 1


def _compare_closed_forms(args: argparse.Namespace) -> int:
    closed_forms = dict(split_setting(text, "--closed-form", "EXPR") for text in args.closed_form)
    wrt, values, compute = _names(args.wrt), read_values(args.settings), computation(args.loss)
    loss, scope = recorded(compute, values, {*closed_forms, *wrt})
    wanted = {name: tensor_named(name, scope) for name in (*closed_forms, *wrt)}
    forms = {name: _closed_form(name, text, scope, loss) for name, text in closed_forms.items()}
    wrong = {name: form for name, form in forms.items() if isinstance(form, Match)}
    claimed = {wanted[name]: form for name, form in forms.items() if name not in wrong}
    others = [wanted[name] for name in wrt] or ([] if closed_forms else leaves(loss, scope))
    report = compare(loss, claimed, wrt=others) if claimed or others else None
    for line in _heading(loss, scope, wanted):
        print(line)
    status = 0 if report is None else _printed(report)
    for name, match in wrong.items():
        print(f"{name}: {match}")
    return 1 if wrong else status


def _heading(loss: Tensor, scope: Mapping[str, Any], wanted: Iterable[str]) -> Iterator[str]:
    yield f"the loss is {float(loss):.9g}"
    data = [name for name, value in scope.items() if not isinstance(value, Tensor)]
    if data and not wanted:
        yield f"without a gradient, as data: {', '.join(data)}"
    yield ""


def _closed_form(name: str, text: str, scope: Mapping[str, Any], loss: Tensor) -> Any:
    """The value of a closed form, which may be in a textbook's notation; a Match where it is not the gradient."""
    values = {known: value.detach() if isinstance(value, Tensor) else value for known, value in scope.items()}
    try:
        if is_code(text, Limits()):
            return evaluate(text, values).value
        derivation = Deriving(loss, tensor_named(name, scope), scope).derivation()
        match = derivation.matches(text, scope)
    except ExpressionError as error:
        raise error.within(f"--closed-form {name}") from error
    return derivation.term.value if match else match
