"""The chain rule for one value of a graph, with its numbers."""

import itertools
import re
from typing import Any

import numpy as np

from autotiny.drawing.reading import Place, Reading
from autotiny.drawing.rule import LocalDerivative, local_derivative
from autotiny.drawing.values import number, summarise
from autotiny.ops import Op
from autotiny.recording import value_of

MOST_PATHS = 6
"""Contributions that a sentence tells one by one."""


def derivative(reading: Reading, place: Place, position: int) -> LocalDerivative | None:
    """How the operation at a place passes a gradient on to one of its operands."""
    tensor = reading.values[place]
    op: Op = tensor.op
    rule = next(itertools.islice(op.rules, position, None))
    if rule is None:
        return None
    operands = [(reading.names.short(arg), value_of(arg)) for arg in tensor.args]
    return local_derivative(rule, operands, (reading.names.short(tensor), value_of(tensor)), tensor.kwargs)


def chain_rule(reading: Reading, place: Place) -> str:
    """dJ/da = dJ/dy · dy/da + ... = 0.21 · (−3) + 1 · 0.7616 = 0.1316; "" where no gradient has come.

    Of arrays the rules in symbols, and the range of what came of them.
    """
    gradient = reading.gradients.get(place)
    if gradient is None:
        return ""
    name, output = reading.names.short(reading.values[place]), reading.names.short(reading.output)
    told = f"d{output}/d{name}"
    if reading.values[place] is reading.output:
        return f"{told} = {summarise(np.asarray(gradient))}, where backprop starts"
    paths = reading.paths(place)
    if not paths:
        return f"gradient {summarise(np.asarray(gradient))}, which did not come from {output}"
    terms = [_term(reading, output, use, position) for use, position in paths[:MOST_PATHS]]
    rest = f" + {len(paths) - MOST_PATHS} more" if len(paths) > MOST_PATHS else ""
    numbers = [n for n, _ in terms]
    total = summarise(sum(np.asarray(reading.passed[path].value) for path in paths))
    steps = [" + ".join(symbols for _, symbols in terms) + rest, " + ".join(numbers) + rest if all(numbers) else total]
    held = summarise(np.asarray(gradient))
    also = f"; with every backward so far, {held}" if held != total else ""
    return " = ".join(dict.fromkeys([told, *steps, total])) + also


def _term(reading: Reading, output: str, use: Place, position: int) -> tuple[str, str]:
    """One contribution in numbers, where they are, and in symbols."""
    passed, local = reading.passed[use, position], derivative(reading, use, position)
    y, x = (reading.names.short(reading.values[place]) for place in (use, reading.operands[use][position]))
    arriving = f"d{output}/d{y}"
    if np.ndim(passed.value) or np.ndim(passed.pulled):
        if local is None or passed.through_log:
            return "", f"{arriving} · d{y}/d{x}"
        return "", re.sub(rf"\b{local.arriving}\b", lambda _: arriving, local.rule)
    return _product(passed, local), f"{arriving} · d{y}/d{x}"


def _product(passed: Any, local: LocalDerivative | None) -> str:
    """The contribution of numbers as a product, where it was made as one."""
    g, slope = float(passed.pulled), float(local.value) if local else np.nan
    if not passed.through_log and np.isclose(g * slope, float(passed.value), rtol=1e-6, atol=0):
        return f"{_factor(g)} · {_factor(slope)}"
    return number(passed.value)


def _factor(x: float) -> str:
    return f"({number(x)})" if x < 0 else number(x)
