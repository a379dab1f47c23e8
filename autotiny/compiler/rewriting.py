"""Build a formula anew, operands before results, by what a rule makes of each operation."""

import threading
from collections.abc import Callable, Mapping, Sequence
from operator import is_
from typing import Any

from autotiny.algebra import Term, apply, topological_order
from autotiny.compiler.naming import Names, hand_on
from autotiny.ops import Op
from autotiny.trees import tree_map

Visit = Callable[[Op, tuple[Term, ...], Mapping[str, Any]], Any]


def rewrite(outputs: Sequence[Term], visit: Visit, names: Names) -> list[Term]:
    """The outputs, with `visit(op, args, options)` in place of every operation; names go on to what replaces them."""
    new: dict[Term, Term] = {}
    for term in topological_order(*outputs):
        now.term = term
        new[term] = made = term if term.op is None else visit(term.op, *operands(term, new))
        if term in names:
            hand_on(names, names[term], made)
    return [new[output] for output in outputs]


def operands(term: Term, new: Mapping[Term, Term]) -> tuple[tuple[Term, ...], Mapping[str, Any]]:
    """Arguments and options, as they are by now."""
    args = tuple([new[arg] for arg in term.args])
    if not term.options or len(term.parents) == len(term.args):
        return args, term.options
    return args, tree_map(lambda part: new[part] if isinstance(part, Term) else part, dict(term.options))


def users(outputs: Sequence[Term]) -> dict[Term, list[Term]]:
    """Who uses each term; an output counts as one more user, itself."""
    found: dict[Term, list[Term]] = {term: [] for term in topological_order(*outputs)}
    for term in found:
        for part in term.parents:
            found[part].append(term)
    for output in outputs:
        found[output].append(output)
    return found


class _Now(threading.local):
    term: Term | None = None
    """What is being rewritten."""


now = _Now()


def same(op: Op, args: tuple[Term, ...], options: Mapping[str, Any]) -> Any:
    """The operation as it was, on what its operands have become: its value is what it was."""
    old = now.term
    if old is not None and op is old.op and options is old.options and all(map(is_, args, old.args)):
        return old
    alike = old is not None and old.op is op and old.options.keys() == options.keys()
    return apply(op, args, options, old.value if alike and old is not None else None)
