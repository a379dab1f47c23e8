"""Frequent human errors, recognised by what they leave behind."""

from collections.abc import Iterator

import numpy as np

from autotiny.checking.conditioning import posing
from autotiny.checking.report import Array, Row
from autotiny.checking.subject import Subject
from autotiny.diagnosis.slips import factor, is_total, is_transposed, reason, same, tidy
from autotiny.engine.gradients import sweep
from autotiny.engine.graph import leading_to, topological_order
from autotiny.engine.mutation import verified_order
from autotiny.engine.node import made_by
from autotiny.engine.recording import new_node
from autotiny.engine.tensor import Tensor


def recognised(subject: Subject, x: Tensor, row: Row) -> Iterator[str]:
    """What the error of a row looks like, in words."""
    if row.at_kink:
        assert row.sides is not None
        left, right = float(row.sides.left), float(row.sides.right)
        place = f"a kink at {list(row.index)}"
        yield f"{place}: {left:.6g} to its left, {right:.6g} to its right, and any value between them is right"
    if row.outlier == "analytic" and row.analytic is not None:
        yield from _mistake(subject, x, row.analytic, row.autograd)
    if row.outlier == "autograd":
        if row.analytic is not None and same(row.analytic, row.autograd):
            yield "the closed form shares autograd's error"
        yield "report.blame() looks for the operation whose rule is wrong"
    if row.outlier == "undecided":
        reason = "the difference is below its noise" if row.explained_by_noise else "it has no precise number there"
        yield f"the numeric side cannot tell: {reason}"


def _mistake(subject: Subject, x: Tensor, analytic: Array, autograd: Array) -> Iterator[str]:
    """The first mistake that explains the whole error."""
    tells = (_factor, _transposed, _sum_over_batch, _mask, _partial_factor)
    for tell in tells:
        found = tell(subject, x, analytic, autograd)
        if found:
            yield found
            return


def _factor(subject: Subject, x: Tensor, analytic: Array, autograd: Array) -> str | None:
    ratio = factor(analytic, autograd)
    if ratio is None:
        return None
    return f"analytic is exactly {tidy(ratio)} x autograd{reason(ratio, _lengths(subject.output))}"


def _lengths(output: Tensor) -> set[int]:
    """The lengths of axes in the graph, and their products: what an average may be over."""
    shapes = {np.shape(arg) for node in topological_order(output) for arg in (node, *node.args) if np.ndim(arg)}
    return {n for shape in shapes for n in (*shape, int(np.prod(shape)))}


def _transposed(subject: Subject, x: Tensor, analytic: Array, autograd: Array) -> str | None:
    found = is_transposed(analytic, autograd)
    return "analytic is autograd transposed: .T missing, or one too many?" if found else None


def _sum_over_batch(subject: Subject, x: Tensor, analytic: Array, autograd: Array) -> str | None:
    if is_total(analytic, autograd):
        return "every entry of analytic is the sum of all of autograd's: a sum without its axis?"
    users = [
        node
        for node in topological_order(subject.output)
        if node.shape != x.shape and any(arg is x for arg in node.args)
    ]
    found = sweep(verified_order(subject.output), {subject.output: subject.seed}, users)
    for user in users:
        g = np.asarray(found.get(user, np.zeros(user.shape)))
        axes = [i for i in range(g.ndim) if x.ndim == g.ndim and x.shape[i] == 1 != g.shape[i]]
        for axis in axes:
            for i in (0, g.shape[axis] - 1):
                if same(analytic, g.take([i], axis=axis)):
                    return f"analytic is the gradient of example {i} alone: a missing sum over the batch, axis {axis}?"
    return None


def _mask(subject: Subject, x: Tensor, analytic: Array, autograd: Array) -> str | None:
    order = topological_order(subject.output)
    dependent = leading_to(order, [x])
    used = {made_by(n).name: n for n in order if n in dependent and n is not x and made_by(n).has("activation")}
    for name in used:
        if same(analytic, _without(subject, x, order, name)):
            return f"analytic is what comes out without {name}'s derivative: a forgotten activation mask?"
    return None


def _without(subject: Subject, x: Tensor, order: list[Tensor], name: str) -> Array:
    """The gradient that there would be if the operations of that name passed everything on."""
    copies: dict[Tensor, Tensor] = {}
    for node in order:
        args = tuple(copies.get(arg, arg) if type(arg) is Tensor else arg for arg in node.args)
        if node.op is None or not node.requires_grad:
            copies[node] = Tensor(node.value, requires_grad=node.requires_grad)
        elif node.op.name == name:
            tracked = [arg for arg in args if type(arg) is Tensor and arg.requires_grad and arg.shape == node.shape]
            copies[node] = posing(tracked[0], node.value) if tracked else Tensor(node.value, requires_grad=False)
        else:
            copies[node] = new_node(Tensor, node.op, args, node.kwargs, node.value)
    copy = copies[subject.output]
    if not copy.requires_grad:
        return np.zeros(x.shape)
    found = sweep(verified_order(copy), {copy: subject.seed}, [copies[x]])
    return np.asarray(found.get(copies[x], np.zeros(x.shape)))


def _partial_factor(subject: Subject, x: Tensor, analytic: Array, autograd: Array) -> str | None:
    """Some entries right, the others wrong alike: the right ones and the kind of the rest are told."""
    agree = np.isclose(analytic, autograd, rtol=1e-6, atol=1e-9 * float(np.max(np.abs(autograd), initial=0)))
    wrong = autograd.size - int(np.sum(agree))
    if not 0 < wrong < autograd.size:
        return None
    if np.all(autograd[~agree] == 0):
        return f"autograd is 0 in all {wrong} entries where they differ: a forgotten mask?"
    return f"{wrong} of {autograd.size} entries differ"
