"""Factors that a wrong gradient has, and their likely causes: 1/m, numbers that have a name, and 2."""

from collections.abc import Iterator
from itertools import combinations

from autotiny.diagnosis.context import Context
from autotiny.diagnosis.values import Array, factor
from autotiny.notation.numbers import short_number


def likely_factor(stated: Array, right: Array, context: Context) -> str | None:
    """Recognise a factor that has a likely cause, or the wrong sign."""
    ratio = factor(stated, right)
    if ratio is None:
        return None
    if abs(ratio + 1) < 1e-6:
        return "minus the gradient: the sign is wrong"
    if abs(ratio - 1) < 1e-4:
        return f"{short_number(ratio, 9)} times the gradient: a number with too few digits?"
    cause = likely_cause(abs(ratio), context)
    if not cause or (right.size == 1 and ", and" in cause and "1/m" not in cause):
        return None  # a single number is the product of two others too easily
    sign = ", and the sign is wrong" if ratio < 0 else context.averaged(ratio)
    return f"{short_number(ratio, 6)} times the gradient: {cause}{sign}?"


def any_factor(stated: Array, right: Array, context: Context) -> str | None:
    """Recognise a factor without a cause."""
    ratio = factor(stated, right)
    if ratio is None:
        return None
    return f"{short_number(ratio, 6)} times the gradient" + (": the sign is wrong?" if ratio < 0 else "")


def likely_cause(size: float, context: Context) -> str:
    """Return the likely cause of a factor of this size: m, a named number or 2, or two of these; empty if none is."""
    known: list[tuple[str, str, float]]
    known = [(f"a missing 1/{name}", f"one 1/m too many{name[1:]}", n) for n, name in context.counts().items()]
    known += [(f"one factor {name} too many", f"one 1/m too many{name[1:]}", n) for n, name in context.sums().items()]
    taken = {*context.counts(), *context.sums()}
    numbers = [(name, number) for name, number in context.numbers().items() if abs(number) not in taken]
    known += [(too_often(name), too_seldom(name), abs(number)) for name, number in numbers]
    causes: list[tuple[str, float]] = []
    for above, below, number in known:
        causes += [(above, number), (below, 1 / number)] if number not in (0, 1) else []
    causes += [("an extra factor of 2", 2.0), ("a missing factor of 2", 0.5)]
    causes += [("times m in place of 1/m", float(n * n)) for n in context.counts()]
    pairs = [(f"{one}, and {two}", a * b) for (one, a), (two, b) in combinations(causes, 2) if abs(a * b - 1) > 1e-6]
    for likely in (causes, list(_of_scales(context)), pairs):
        words = [words for words, value in likely if abs(size / value - 1) < 1e-6]
        if words and likely is causes:
            words += [words for words, value in _of_entries(context) if abs(size / value - 1) < 1e-6]
        lengths = context.lengths() if likely is pairs and not context.has_two() else ()
        if any(abs(size - n) < 1e-6 * n or abs(size * n - 1) < 1e-6 for n in lengths):
            return ""  # an axis of this length is as likely
        if words:
            return ", or ".join(dict.fromkeys(words[:2]))
    return ""


def too_often(name: str) -> str:
    """Return the words for a number that a gradient has as a factor once too often."""
    return f"one factor {name} too many, or a missing 1/{name}"


def too_seldom(name: str) -> str:
    """Return the words for a number that a gradient lacks as a factor."""
    return f"a missing factor {name}, or one 1/{name} too many"


def _of_scales(context: Context) -> Iterator[tuple[str, float]]:
    """Yield the causes of factors by the whole numbers that a loss multiplies or divides by."""
    for scale in sorted(context.scales()):
        n = scale if scale > 1 else 1 / scale
        twice = any(abs(n / count - two) < 1e-9 for count in context.counts() for two in (2, 0.5))
        if n > 2 and abs(n - round(n)) < 1e-9 * n and not twice:
            yield f"a missing division by {round(n)}", n
            yield f"one division by {round(n)} too many", 1 / n
    yield from _of_entries(context)


def _of_entries(context: Context) -> Iterator[tuple[str, float]]:
    """Yield the causes of factors by averages over the examples instead of over all entries."""
    averages = [
        n for n in context.entries() if any(abs(s * n - 1) < 1e-9 or abs(s - n) < 1e-9 for s in context.scales())
    ]
    for n in averages:
        for count in context.counts():
            if n > count and n % count == 0:
                yield f"a division by m = {count} in place of {n}, the number of entries", n / count
