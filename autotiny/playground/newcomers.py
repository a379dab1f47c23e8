"""What a newcomer meant by a line that is no code: the line is read as on paper, and written in the language.

y = |x|      sin x      2x      \\frac{x}{2}      x²      ln(x)      W' X      math.sin(x)      torch.relu(Z)
"""

import ast
import itertools
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from autotiny.engine.recording import value_of
from autotiny.errors import AutotinyError
from autotiny.language import ExpressionError, Limits, evaluate
from autotiny.language.paper.code import as_numpy
from autotiny.language.paper.cursor import Vocabulary
from autotiny.language.paper.evaluation import Convention, PaperEvaluation
from autotiny.language.paper.formulas import parse
from autotiny.language.paper.names import Names
from autotiny.language.vocabulary import functions
from autotiny.playground.dialects import translated
from autotiny.playground.limits import cheap
from autotiny.playground.program import recorded
from autotiny.playground.state import PageState

OTHER_LIBRARIES = re.compile(r"\b(?:math|torch|tf|jax|jnp|keras|F|nn|cmath|numpy|scipy)\.(?:[a-z_]+\.)*(?=[a-z])")
"""The module in front of a function's name, which the language does without."""
FUNCTION_OF = re.compile(r"(\w+)\s*\([\w\s,]*\)\s*=$")
"""The left side of f(x) = ..."""
CLOSING = {"(": ")", "[": "]"}
MOST_PRODUCTS = 8
ASSIGNED = re.compile(r"\s*([^\W\d]\w*)\s*(?:==|:=|<-)(?!=)")
"""The left side of J == ..., J := ... and J <- ..., which define a name elsewhere."""
EXTREME_OF_SET = re.compile(r"\\?\b(max|min)\s*\\?\{([^{}\\]*)\\?\}")
"""max{0, x}, a set in braces."""
LARGEST_ALONG = re.compile(r"\b(max|min)\(\s*(\w+)\s*,\s*(-?[\d.]+)\s*\)")
"""max(Z, 0), which takes 0 as the axis."""
PRODUCT = re.compile(r"\b([^\W\d]\w*)\s*\*(?!\*)\s*([^\W\d]\w*)(?![\w.(\[])")
"""W * X of two names."""
EQUALS = re.compile(r"^[^()\[\]{}=<>!]*(?:\([^()=]*\))?\s*(?<![=<>!])=(?!=)")
"""The left side of a definition: not the = of sum(A, dim=1)."""


class Mend(NamedTuple):
    """A line of a text as the language has it."""

    line: int
    text: str


def mend(state: PageState, error: ExpressionError, limits: Limits) -> Mend | None:
    """Return the line at which a program has an error, as its writer may have meant it; None where that is unclear."""
    lines = state.program.split("\n")
    if not 1 <= error.line <= len(lines):
        return None
    before, trial = state._replace(program="\n".join(lines[: error.line - 1])), cheap(limits)
    line = lines[error.line - 1]
    text = _renamed(line, state.program) if "is already defined" in error.message else None
    text = text or rewritten(line, _scope(before, trial), trial)
    return None if text is None else Mend(error.line, text)


def second_thought(program: str, scope: Mapping[str, Any]) -> tuple[str, Mend] | None:
    """Return words on a line that runs and may mean another thing, and that other line; None without one.

    >>> second_thought("A = max(Z, 0)", {})[1]
    Mend(line=1, text='A = maximum(Z, 0)')
    >>> second_thought("Z = W * X", {"W": np.eye(2), "X": np.eye(2)})[1]
    Mend(line=1, text='Z = W @ X')
    """
    for number, line in enumerate(program.split("\n"), 1):
        for match, other, words in _doubts(line.partition("#")[0], scope):
            return words, Mend(number, f"{line[: match.start()]}{other}{line[match.end() :]}")
    return None


def _doubts(line: str, scope: Mapping[str, Any]) -> Iterator[tuple[re.Match[str], str, str]]:
    """Yield the parts of a line that may mean another thing: the match, that other, and words."""
    if match := LARGEST_ALONG.search(line):
        word, operand, axis = match.groups()
        each = f"{word}imum({operand}, {axis})"
        words = f"{match[0]} is the {word}imum along axis {axis}; for that of each entry and {axis} write {each}."
        yield match, each, words
    for match in PRODUCT.finditer(line):
        left, right = match.groups()
        if left != right and _square(scope.get(left)) and _square(scope.get(right)):
            product = f"{left} @ {right}"
            yield match, product, f"{match[0]} multiplies entry by entry; the product of matrices is {product}."


def _square(value: Any) -> bool:
    shape = np.shape(value_of(value))
    return len(shape) == 2 and shape[0] == shape[1] > 1


def _renamed(line: str, program: str) -> str | None:
    """Return a second line J = ... with a name that is free: J2."""
    if not (named := re.match(r"\s*([^\W\d]\w*)(?=\s*=)", line)):
        return None
    name = next(name for i in itertools.count(2) if not re.search(rf"\b{(name := f'{named[1]}{i}')}\b", program))
    return name + line[named.end() :]


def _scope(state: PageState, limits: Limits) -> Mapping[str, Any]:
    values: Mapping[str, Any] = {name: value.array for name, value in state.values.items()}
    if not state.program.strip():
        return values
    try:
        return {name: value_of(value) for name, value in recorded(state, limits).scope.items()}
    except AutotinyError:
        return values


def rewritten(line: str, scope: Mapping[str, Any], limits: Limits) -> str | None:
    """Return a line in the language; None if it cannot be read on paper either, or is the language's already.

    >>> x, W = np.array([1.0, 2.0]), np.eye(2)
    >>> for line in ("y = |x|", "sin x", "2x", "x²", "Wx", "math.sin(x)"):
    ...     print(rewritten(line, {"x": x, "W": W}, Limits()))
    y = abs(x)
    sin(x)
    2 * x
    x ** 2
    W @ x
    sin(x)
    """
    if (assigned := ASSIGNED.match(line)) and assigned[1] not in scope:
        text = line[assigned.end() :].strip()
        return f"{assigned[1]} = {text}" if _is_code(text, scope, limits) else None
    other = translated(line, scope)
    if other != line and _runs(other, scope, limits):
        return other
    line = other
    equals = EQUALS.match(line)
    left, right = (line[: equals.end()], line[equals.end() :]) if equals else ("", line)
    left = FUNCTION_OF.sub(r"\1 =", left)
    for meant in _meant(right.strip(), scope, limits):
        if _letters(meant) != _letters(right) or "(" in line[: len(line) - len(right)]:
            return f"{left.rstrip()} {meant}" if left else meant
    return None


def _meant(text: str, scope: Mapping[str, Any], limits: Limits) -> Iterator[str]:
    """Yield what a formula may mean, in code that runs."""
    bare = _closed(OTHER_LIBRARIES.sub("", EXTREME_OF_SET.sub(r"\1(\2)", text)))
    if bare != text and _is_code(bare, scope, limits):
        yield bare
    if (code := _read_on_paper(bare, scope, limits)) is not None:
        yield code
    for other in _other_products(bare):
        if _is_code(other, scope, limits):
            yield other


def _closed(text: str) -> str:
    """Return a text with the brackets that it left open closed, or without the last one that closes nothing."""
    open_brackets: list[str] = []
    for i, sign in enumerate(text):
        if sign in CLOSING:
            open_brackets.append(CLOSING[sign])
        elif sign in CLOSING.values() and (not open_brackets or open_brackets.pop() != sign):
            return text[:i] + text[i + 1 :]
    return text + "".join(reversed(open_brackets))


def _other_products(text: str) -> Iterator[str]:
    """Yield a formula with the operands of a product of matrices swapped, or with @ in place of *."""
    try:
        size = sum(isinstance(node, ast.BinOp) for node in ast.walk(ast.parse(text, mode="eval")))
    except (SyntaxError, ValueError):
        return
    for n in range(min(size, MOST_PRODUCTS)):
        tree = ast.parse(text, mode="eval")
        node = [each for each in ast.walk(tree) if isinstance(each, ast.BinOp)][n]
        if isinstance(node.op, ast.Mult):
            node.op = ast.MatMult()
        elif isinstance(node.op, ast.MatMult):
            node.left, node.right = node.right, node.left
        else:
            continue
        yield ast.unparse(tree)


def _letters(text: str) -> str:
    return re.sub(r"\s", "", text)


def _read_on_paper(text: str, scope: Mapping[str, Any], limits: Limits) -> str | None:
    scalars = {name for name, value in scope.items() if np.ndim(value) == 0}
    try:
        sides = parse(text, Vocabulary(Names({name: name for name in scope}), scalars=scalars))[-1].sides
        if len(sides) > 1:
            return None
        PaperEvaluation(text, scope, Convention(), (), limits).evaluate(sides[-1])
        code = as_numpy(sides[-1])
    except (AutotinyError, IndexError):
        return None
    return code if _is_code(code, scope, limits) else None


def _runs(line: str, scope: Mapping[str, Any], limits: Limits) -> bool:
    """Whether a line is one of the language's, a definition or a formula."""
    equals = EQUALS.match(line)
    return _is_code(line[equals.end() :].strip() if equals else line.strip(), scope, limits)


def _is_code(text: str, scope: Mapping[str, Any], limits: Limits) -> bool:
    try:
        evaluate(text, scope, limits)
    except AutotinyError:
        return False
    return not any(text == name for name in functions())
