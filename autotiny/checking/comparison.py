"""A gradient derived by hand, autograd's, and the numeric one: `compare` reports on them."""

from collections.abc import Iterable, Mapping
from typing import Any, overload

from autotiny.checking.functions import Function, compare_functions
from autotiny.checking.report import Report
from autotiny.checking.subject import Finder, Subject
from autotiny.checking.verdict import examine
from autotiny.engine.arguments import Names, Positions
from autotiny.engine.tensor import AnyTensor, Tensor
from autotiny.errors import ShapeError, UnsupportedError
from autotiny.ops.table import is_complex


@overload
def compare(
    loss: AnyTensor, closed_form: Mapping[str | Tensor, Any], *, wrt: Iterable[Tensor | str] = ()
) -> Report: ...
@overload
def compare(
    loss: AnyTensor, closed_form: Mapping[str, Any] | Mapping[Tensor, Any], *, wrt: Iterable[Tensor | str] = ()
) -> Report: ...
@overload
def compare(
    loss: Function, closed_form: Function, *args: Any, argnums: Positions = None, argnames: Names = None, **kwargs: Any
) -> Report: ...
def compare(
    loss: AnyTensor | Function,
    closed_form: Mapping[Any, Any] | Function,
    *args: Any,
    wrt: Iterable[Tensor | str] = (),
    argnums: Positions = None,
    argnames: Names = None,
    **kwargs: Any,
) -> Report:
    """Compare gradients derived by hand with autograd's, and both with numeric ones.

    error = max |analytic - autograd| / max(|analytic|, |autograd|)

    `loss` is a recorded number. `closed_form` gives dJ/dx, an array of x's shape, by the tensor x or its name; x may be
    a result on the way, such as Z2; for a complex x it is dJ/dRe(x) + i dJ/dIm(x). The array may be one of PyTorch, JAX
    or pandas, or nested lists. `wrt` adds tensors without a closed form. The numbers come from replaying the graph from
    x on; masks, as in np.where(x > 0, ...), are constants of it. Nobody's `.grad` is touched. A textbook that keeps 1/m
    out of dZ states m dJ/dZ.

    `compare(f, grad_f, *args)` does the same for two functions: f returns a number, grad_f its gradient by all args, by
    the first of them, or a dict by their names. Keyword arguments are passed to both; argnums and argnames state by
    which arguments the gradient is, as for `at.grad`.

    The report says for each tensor which side is wrong, if one is: further from the numeric derivative than its noise
    and rounding explain (see `verdict`). At a kink any gradient in the convex hull of those beside it is right (see
    `kinks`). Where a value overflowed, nothing is verified.

    Raises UnknownTensorError for a name that the graph does not have, ShapeError where shapes do not fit and
    UnsupportedError for what has no gradient.

    >>> import numpy as np
    >>> import autotiny as at
    >>> W, x = at.Tensor([[1.0, 2.0], [3.0, 4.0]], name="W"), np.array([1.0, 0.5])
    >>> y = np.sum((W @ x) ** 2)
    >>> at.compare(y, {W: 2 * np.outer(W.data @ x, x)})["W"].error
    0.0
    >>> at.compare(y, {W: np.outer(W.data @ x, x)})["W"].notes
    ('0.5 times the gradient: a missing factor of 2?',)
    >>> at.compare(lambda v: np.sum(v**2), lambda v: 2 * v, np.array([1.0, -3.0])).ok
    True
    """
    if callable(loss) and not isinstance(loss, Tensor):
        return compare_functions(loss, closed_form, args, kwargs, argnums, argnames)
    if args or kwargs or argnums is not None or argnames is not None:
        raise UnsupportedError("compare: arguments are for functions, as in at.compare(f, grad_f, *args)")
    loss = _number(loss)
    forms = _closed_forms(closed_form)
    wrt = [wrt] if isinstance(wrt, str | Tensor) else list(wrt)
    if not forms and not wrt:
        raise UnsupportedError("compare: there is no closed form to compare; give some, as in {'W1': dW1}")
    finder = Finder(loss)
    stated: dict[Tensor, Any] = {}
    names: dict[Tensor, str] = {}
    for key, value in [*forms.items(), *((key, None) for key in wrt)]:
        x = finder.find(key)
        if x in stated and value is not None:
            raise UnsupportedError(f"compare: {finder.names[x]} has two closed forms, under its name and as a tensor")
        stated.setdefault(x, value)
        names.setdefault(x, key if isinstance(key, str) else finder.names[x])
    subject = Subject(loss, names, called=finder.names)
    return Report(examine(subject, stated, scope=finder.scope), subject)


def _number(loss: Any) -> Tensor:
    """Return the loss; raise where it is not a recorded real number."""
    if not isinstance(loss, Tensor):
        raise UnsupportedError(f"compare: expected the loss as a Tensor; got {type(loss).__name__}, which has no graph")
    if is_complex(loss):
        raise UnsupportedError("compare: the loss must be a real number; it is complex: take np.real or np.abs of it")
    if loss.size != 1:
        raise ShapeError(f"compare: the loss must be a single number; it has shape {loss.shape}: take its sum or mean")
    return loss


def _closed_forms(given: Any) -> Mapping[Any, Any]:
    if callable(given):
        raise UnsupportedError("compare: a function is compared with a function, as in at.compare(f, grad_f, *args)")
    if not isinstance(given, Mapping):
        kind = type(given).__name__
        raise UnsupportedError(f"compare: expected closed forms by tensor or name, as in {{'W1': dW1}}; got {kind}")
    return given
