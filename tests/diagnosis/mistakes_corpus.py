"""The corpus of mistakes: programs, right gradients of them, and wrong ones with the words that must explain them.

A block begins with "# title". Its lines are code, but for

    with NAME = EXPRESSION           plain NumPy over the values of the run
    right TENSOR = EXPRESSION        a gradient that must pass
    wrong TENSOR = EXPRESSION => WORDS & WORDS | OTHER ! FORBIDDEN

Words joined by & must all be there, those after | may be there instead, and those after ! must not.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import autotiny as at

FOLDER = Path(__file__).parent / "corpus"


class Case(NamedTuple):
    """A gradient of a program, right or wrong."""

    title: str
    code: str
    parts: tuple[str, ...]
    name: str
    expression: str
    right: bool
    wanted: tuple[tuple[str, ...], ...] = ()
    forbidden: tuple[str, ...] = ()

    def explained_by(self, sentence: str) -> bool:
        """Whether a sentence has the words."""
        return any(all(word in sentence for word in words) for words in self.wanted)


def cases() -> Iterator[Case]:
    """Yield the cases of all files."""
    for path in sorted(FOLDER.glob("*.txt")):
        for block in path.read_text(encoding="utf-8").split("\n# "):
            title, *lines = block.removeprefix("# ").strip().splitlines()
            yield from _of_block(title, lines)


def _of_block(title: str, lines: list[str]) -> Iterator[Case]:
    special = ("with ", "right ", "wrong ")
    code = "\n".join(line for line in lines if not line.startswith(special))
    parts = tuple(line.removeprefix("with ") for line in lines if line.startswith("with "))
    for line in lines:
        kind, _, rest = line.partition(" ")
        if kind == "right":
            name, _, expression = rest.partition(" = ")
            yield Case(title, code, parts, name, expression, True)
        if kind == "wrong":
            name, _, rest = rest.partition(" = ")
            expression, _, words = rest.partition(" =>")
            wanted, *forbidden = words.split("!")
            ways = [tuple(word.strip() for word in way.split("&") if word.strip()) for way in wanted.split("|")]
            yield Case(
                title, code, parts, name, expression.strip(), False,
                tuple(way for way in ways if way), tuple(word.strip() for word in forbidden),
            )  # fmt: skip


RUNS: dict[str, dict[str, Any]] = {}


def run(case: Case) -> dict[str, Any]:
    """Return the variables of a program, which runs once."""
    if case.code not in RUNS:
        scope: dict[str, Any] = {"np": np, "at": at, "T": at.Tensor, "rng": np.random.default_rng(7)}
        exec(case.code, scope)
        RUNS[case.code] = scope
    return RUNS[case.code]


def stated(case: Case, scope: Mapping[str, Any]) -> Any:
    """Return the value of the gradient that a case states."""
    values = {name: x.data if isinstance(x, at.Tensor) else x for name, x in scope.items()}
    for part in case.parts:
        exec(part, values)
    return eval(case.expression, values)


def row_of(case: Case) -> Any:
    """Return the row of compare's report for a case."""
    scope = dict(run(case))
    scope["stated_gradient"] = stated(case, scope)
    exec(f"report_of_case = at.compare(J, {{{case.name!r}: stated_gradient}})", scope)
    return scope["report_of_case"].rows[0]
