"""The form in which a formula is read: sums without keepdims wherever broadcasting makes up for it."""

from autotiny.algebra import Term, apply, topological_order
from autotiny.algebra.normal import PRODUCTS, SUMS, is_reshape, is_sum
from autotiny.algebra.simplify import rebuilt


def readable(term: Term) -> Term:
    """The formula as it is written by hand."""
    done: dict[Term, Term] = {}
    for part in topological_order(term):
        done[part] = _plainer(rebuilt(part, tuple(done[arg] for arg in part.args)))
    return done[term]


def _plainer(term: Term) -> Term:
    if term.op in PRODUCTS or term.op in SUMS:
        return _without_keepdims(term)
    if is_reshape(term) and is_sum(term.args[0]) and (plain := leading(term.args[0])).shape == term.shape:
        return plain
    return term


def _without_keepdims(term: Term) -> Term:
    """A sum over the first axes broadcasts as well without them."""
    for i, arg in enumerate(term.args):
        if is_sum(arg) and arg.options.get("keepdims"):
            args = (*term.args[:i], leading(arg), *term.args[i + 1 :])
            try:
                plain = rebuilt(term, args)
            except ValueError:  # the shapes do not broadcast
                continue
            if plain.shape == term.shape and args[i].shape == arg.shape[arg.ndim - args[i].ndim :]:
                term = plain
    return term


def leading(term: Term) -> Term:
    """A sum without keepdims."""
    assert term.op is not None
    return apply(term.op, term.args, {name: value for name, value in term.options.items() if name != "keepdims"})
