"""Names for what a long formula says again and again: written out, what is shared is written once for each use."""

from collections import Counter
from collections.abc import Container
from itertools import count

from autotiny.algebra.term import Term, topological_order

LONGEST = 2000
"""Parts that a formula may have, each counted as often as it is written, before what it shares gets names."""


def shared_names(term: Term, named: Container[Term]) -> dict[Term, str]:
    """A name for each result that is used again, where the formula is too long to read; else none.

    >>> from autotiny.algebra import symbol
    >>> x = y = symbol("x", 0.5)
    >>> for _ in range(20):
    ...     y = y * y + y
    >>> len(shared_names(y, ())), shared_names(x * x + x, ())
    (19, {})
    """
    order = topological_order(term)
    size: dict[Term, int] = {}
    for part in order:
        size[part] = 1 if part in named else 1 + sum(size[arg] for arg in part.args)
    if size[term] <= LONGEST:
        return {}
    uses = Counter(arg for part in order for arg in part.args)
    taken, short = {part.name for part in order}, count(1)
    shared = [part for part in order if part.op is not None and uses[part] > 1 and part not in named]
    fresh = (name for name in (f"u{i}" for i in short) if name not in taken)
    return dict(zip(shared, fresh, strict=False))
