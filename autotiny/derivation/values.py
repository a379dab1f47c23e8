"""The values that formulas have with other values of the symbols that they start from."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from autotiny.algebra.term import Term, value_of
from autotiny.trees import tree_map


def made_of(term: Term, definitions: Mapping[Term, Term]) -> tuple[Term, ...]:
    """What a term is computed from; a symbol that is defined, from its definition."""
    return (definitions[term],) if term in definitions else term.parents


def in_order(results: Iterable[Term], definitions: Mapping[Term, Term]) -> Iterator[Term]:
    """Everything that the results are computed from, each once, operands before results, without recursion."""
    done: set[Term] = set()
    stack = [(result, False) for result in reversed(list(results))]
    while stack:
        term, entered = stack.pop()
        if entered:
            yield term
        elif term not in done:
            done.add(term)
            stack.append((term, True))
            stack += [(part, False) for part in reversed(made_of(term, definitions))]


def values(results: Iterable[Term], definitions: Mapping[Term, Term], given: Mapping[Term, Any]) -> dict[Term, Any]:
    """The value of everything that the results are computed from; what is not given keeps the value that it has.

    >>> from autotiny.algebra import symbol
    >>> x, y = symbol("x", 1.0), symbol("y", 2.0)
    >>> values([y * 3], {y: x * 2}, {x: 5.0})[y * 3]
    30.0
    """
    found: dict[Term, Any] = dict(given)
    for term in in_order(results, definitions):
        if term in given:
            continue
        if term in definitions:
            found[term] = found[definitions[term]]
        elif term.op is None:
            found[term] = term.value
        else:
            options = tree_map(lambda part: found.get(part, value_of(part)) if isinstance(part, Term) else part,
                               dict(term.options))  # fmt: skip
            found[term] = term.op.forward(*[found[arg] for arg in term.args], **options)
    return found
