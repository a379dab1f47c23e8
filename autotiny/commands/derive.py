"""The command `autotiny derive`."""

import argparse
from collections.abc import Mapping
from typing import Any

import numpy as np

from autotiny.commands.arguments import InputError, add_values, computation, leaves, read_values, recorded, tensor_named
from autotiny.derivation.derivation import Derivation
from autotiny.derivation.derive import Deriving
from autotiny.engine.graph import with_primes
from autotiny.engine.tensor import Tensor

EXAMPLES = """\
examples:
  autotiny derive 'sum((X @ w - y)**2) / 2' --set 'X=[[1,2],[3,4]]' \\
      --set 'w=[0.5,-1]' --set 'y=[1,2]' --wrt w
  autotiny derive 'A = softmax(Z); J = -sum(Y * log(A))' --wrt Z \\
      --set 'Z=[[1,0],[0,2],[1,1]]' --set 'Y=[[1,0],[0,1],[0,0]]'
  autotiny derive 'log(sum(exp(z)))' --set 'z=[1,2,3]' --numpy > gradient.py
  autotiny derive 'sum(tanh(W @ x))' --set data.npz --wrt W --latex
  autotiny derive 'sum(tanh(W @ x))' --set data.npz --wrt W --elements
  autotiny derive 'sum(x**2)' --set 'x=[1,2]' --wrt x --matches '2 x'

Expressions take NumPy's and autotiny's functions by name, operators, indices
and assignments, with ; or newlines between them. What is assigned gets a name,
which formulas use. Without --wrt, the gradient by every value that was set is
derived.

exit codes:
  0 done        1 a derivation does not hold, or a formula is not the gradient
  2 bad input
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Give the parser the arguments of `autotiny derive`."""
    parser.add_argument("loss", metavar="EXPRESSION", help="the loss; or FILE.py:function, which is called")
    add_values(parser)
    wrt = "derive the gradient of these: names that were set or assigned"
    parser.add_argument("--wrt", action="append", default=[], metavar="NAME[,NAME]", help=wrt)
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--latex", action="store_true", help="print LaTeX")
    form.add_argument("--numpy", action="store_true", help="print a NumPy function that computes the gradient")
    form.add_argument("--elements", action="store_true", help="print it for one entry, in index notation")
    form.add_argument("--matches", metavar="FORMULA", help="check whether a formula of yours is the gradient")


def run(args: argparse.Namespace) -> int:
    """Derive the gradients and print them; 0 where every derivation holds, else 1."""
    wrt = [name.strip() for names in args.wrt for name in names.split(",")]
    loss, scope = recorded(computation(args.loss), read_values(args.settings), wrt)
    _name(loss, scope)
    targets = [tensor_named(name, scope) for name in wrt] or leaves(loss, scope)
    if args.matches is not None and len(targets) > 1:
        raise InputError("--matches takes one formula: name its variable with --wrt NAME")
    with np.errstate(all="ignore"):
        derivations = [Deriving(loss, target, scope).derivation() for target in targets]
    if args.matches is not None:
        match = derivations[0].matches(args.matches, scope)
        print(match)
        return 0 if match else 1
    print("\n\n".join(_text(derivation, args) for derivation in derivations))
    return 0 if all(derivation.ok for derivation in derivations) else 1


def _text(derivation: Derivation, args: argparse.Namespace) -> str:
    if args.latex:
        return derivation.latex()
    if args.numpy:
        return f"import numpy as np\n\n\n{derivation.numpy()}"
    return repr(derivation.elements() if args.elements else derivation)


def _name(loss: Tensor, scope: Mapping[str, Any]) -> None:
    """Name the loss J, or J with primes, if it has no name."""
    if loss.name is None:
        loss.name = next(name for name in with_primes("J") if name not in scope)
