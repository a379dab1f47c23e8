"""Hold gradients at extreme points against mpmath: random formulas at 0, 1e-300, 800, 1e300 and the like.

    python tools/fuzz_points.py [--points N] [--seed S] [--order 1|2] [--compiled]

The derivative of a formula is a difference quotient in some hundreds of digits, where nothing overflows and nothing
cancels; where two precisions or both sides disagree, as at a kink, the point is left out. An answer is right, or it is
nan or infinite, which says that it is not known, or it is finite and wrong. Of the wrong ones those are counted as
`rounding` where the chain rule in plain floating point, with a derivative taken operation by operation, is finite and
wrong as well: sin(exp(40)) has lost its digits in exp(40). The others are wrong in silence.
"""

import argparse
import itertools
import math
import random
import re
from collections import Counter
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any, NamedTuple

import mpmath
import numpy as np

import autotiny as at
from fuzz_arithmetics import DUALS, REALS, Dual, Real, UnknownError

POINTS = [0.0, 1.0, -1.0, 0.5, 2.0, -3.0, 1e-8, 1e-160, -1e-200, 1e-300, 20.0, -40.0, 100.0, 750.0, -800.0, 1e10, 1e155,
          -1e160, 1e200, 1e300]  # fmt: skip
MODERATE = [0.0, 1.0, -1.0, 0.5, 2.0, -3.0]
"""Points for second derivatives, whose rounding errors nobody has bounded here for the others."""
FUNCTIONS = [
    "sqrt", "exp", "expm1", "exp2", "log", "log1p", "log2", "square",
    "cbrt", "abs", "sin", "cos", "arctan", "arcsin", "arccos", "arctanh",
    "arcsinh", "tanh", "sinh", "cosh", "reciprocal", "sigmoid", "relu", "softplus",
]  # fmt: skip
SHAPES = [
    *(f"{name}(u)" for name in FUNCTIONS),
    *(
        "1 + u",
        "1 - u",
        "u - 2",
        "-u",
        "3 * u",
        "1 / u",
        "u / 4",
        "u ** 2",
        "u ** 3",
        "u ** 0.5",
        "u ** -1.0",
        "2.0 ** u",
    ),
    *("maximum(u, 0)", "minimum(u, 1)", "clip(u, -1, 1)", "where(u > 0, u, 0)"),
    *("u * v", "u + v", "u - v", "u / v", "hypot(u, v)", "logaddexp(u, v)", "maximum(u, v)", "where(u > v, u, v)"),
    *("total([u, v])", "mean([u, v, 1])", "product([u, v, 2])", "largest([u, v])", "norm([u, v])", "softmax([u, v])"),
    *("log(1 + exp(u))", "log(total([exp(u), exp(v)]))", "log(1 - sigmoid(u))", "log(cosh(u))", "norm([u, v]) ** 2"),
    "log(1 - tanh(u) ** 2)",
]
STABLE = {"log(cosh(": "log_cosh((", "log(1 + exp(": "softplus((", "log(1 - sigmoid(": "-softplus(("}
"""Expressions that the plain chain rule takes in their stable form: what it loses there is not due to them."""


def formula(pick: random.Random, depth: int) -> str:
    """Return the text of a random formula of x."""
    if depth == 0:
        return pick.choice(["x", "x", "x", "x", "(x + 0.5)", "(2 * x)"])
    shape = pick.choice(SHAPES)
    operands = {"u": formula(pick, depth - 1), "v": formula(pick, pick.randrange(depth))}
    return "(" + re.sub(r"\b[uv]\b", lambda match: operands[match[0]], shape) + ")"


def meaning(text: str, names: Any) -> Callable[[Any], Any]:
    """Return the formula as a function, in the arithmetic of these names."""
    return eval(f"lambda x: {text}", dict(vars(names)))


# ----- autotiny -----
TINY = SimpleNamespace(
    **{name: getattr(np, name) for name in FUNCTIONS if hasattr(np, name)},
    **{name: getattr(np, name) for name in ("maximum", "minimum", "clip", "where", "hypot", "logaddexp")},
    **{name: getattr(at, name) for name in ("sigmoid", "relu", "softplus")},
    total=lambda parts: np.sum(np.stack(parts)),
    mean=lambda parts: np.mean(np.stack([p + 0.0 for p in parts])),
    product=lambda parts: np.prod(np.stack([p + 0.0 for p in parts])),
    largest=lambda parts: np.max(np.stack(parts)),
    norm=lambda parts: np.linalg.norm(np.stack(parts)),
    softmax=lambda parts: at.softmax(np.stack(parts))[0],
)


def engine_derivative(text: str, order: int, compiled: bool) -> Callable[[float], float]:
    """Return the derivative by autotiny; a compiled one has been compiled at a harmless point."""
    f = meaning(text, TINY)
    for _ in range(order):
        f = at.grad(f)
    if compiled:
        f = at.compile(f)
        f(0.37)
    return lambda x: float(f(x))


# ----- the truth -----
def true_derivative(text: str, x: float, order: int) -> float:
    """Return the derivative of the formula at x, as a difference quotient that two precisions agree about.

    Raises UnknownError at a kink, at the edge of an infinite slope, and where it takes more digits.
    """
    f = meaning(text, REALS)
    answers = []
    for digits in (800, 1100):
        with mpmath.workdps(digits):
            here = mpmath.mpf(x)
            h = (abs(here) or 1) * mpmath.mpf(10) ** (-digits // 4)
            sides = []
            for s in (h, -h):
                values = [f(Real(here + k * s)).value for k in range(order + 1)]
                slopes = [(after - before) / s for before, after in itertools.pairwise(values)]
                sides.append([slopes[0]] if order == 1 else [slopes[0], (slopes[1] - slopes[0]) / s])
            known = [side for side in sides if all(map(mpmath.isfinite, side))]
            if not known or not mpmath.isfinite(f(Real(here)).value):
                raise UnknownError
            answers += known
    for first, *others in zip(*answers, strict=True):
        if any(abs(q - first) > mpmath.mpf("1e-12") * abs(first) for q in others):
            raise UnknownError
    return float(answers[0][-1])


def plain_derivative(text: str, x: float) -> Dual:
    """Return the value and derivative by the chain rule, operation by operation."""
    for written, stable in STABLE.items():
        text = text.replace(written, stable)
    return Dual.of(meaning(text, DUALS)(Dual(x, 1.0, 1.0)))


# ----- the comparison -----
def agrees(got: float, truth: float, tolerance: float = 1e-3) -> bool:
    """Whether a derivative is right: up to rounding, and up to underflow."""
    return abs(got - truth) <= tolerance * abs(truth) + 1e-290


class Case(NamedTuple):
    """A formula at a point: the verdict on its derivative, the derivative by autotiny and the true one."""

    text: str
    x: float
    verdict: str
    got: float = math.nan
    truth: float = math.nan


def judge(text: str, x: float, order: int = 1, compiled: bool = False) -> Case:
    """Return the verdict on autotiny's derivative of a formula at x."""
    try:
        truth = true_derivative(text, x, order)
    except UnknownError:
        return Case(text, x, "left out")
    with np.errstate(all="ignore"):
        got = engine_derivative(text, order, compiled)(x)
        if got == truth or agrees(got, truth):
            return Case(text, x, "right", got, truth)
        if not np.isfinite(got):
            return Case(text, x, "not known", got, truth)
        plain = plain_derivative(text, x)
    if order == 2:
        return Case(text, x, "rounding" if abs(got - truth) <= 1e-6 else "wrong", got, truth)
    lost = np.isfinite(plain.slope) and not agrees(plain.slope, truth)
    added = abs(got - truth) <= 1e-12 * plain.size < np.inf
    return Case(text, x, "rounding" if lost or added else "wrong", got, truth)


def cases(points: int, seed: int, order: int = 1, compiled: bool = False) -> Iterator[Case]:
    """Yield the verdicts on random formulas at random points."""
    pick, known = random.Random(seed), POINTS if order == 1 else MODERATE
    for _ in range(0, points, 5):
        text = formula(pick, pick.choice([1, 2, 2, 3]))
        for x in pick.sample(known, 5):
            yield judge(text, x, order, compiled)


def main() -> None:
    """Judge random formulas at the points and print the counts, with every wrong one."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--points", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--order", type=int, choices=(1, 2), default=1)
    parser.add_argument("--compiled", action="store_true")
    options = parser.parse_args()
    counts = Counter[str]()
    for case in cases(**vars(options)):
        counts[case.verdict] += 1
        if case.verdict == "wrong":
            print(f"{case.text} at {case.x:g}: got {case.got:.6g}, right is {case.truth:.6g}", flush=True)
    print(dict(counts))
    raise SystemExit(bool(counts["wrong"]))


if __name__ == "__main__":
    main()
