"""The committed reference lists what the present tables hold."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import autotiny as at
import reference
from autotiny.ops import COMPOSED, OPS, PLAIN
from autotiny.ops.table import Op

SCRIPT = Path(reference.__file__)
COMMITTED = SCRIPT.with_suffix(".md").read_text(encoding="utf-8")


def test_committed_reference_is_current(tmp_path):
    """In a process of its own, where no test has entered operations."""
    file = tmp_path / "reference.md"
    subprocess.run([sys.executable, str(SCRIPT), str(file)], check=True, timeout=60)
    assert file.read_text(encoding="utf-8") == COMMITTED, "python tools/reference.py tools/reference.md"


@pytest.mark.parametrize("table", [OPS, COMPOSED, PLAIN], ids=["OPS", "COMPOSED", "PLAIN"])
def test_every_numpy_function_of_the_tables_is_listed(table):
    names = [names[0] for function in table if (names := reference.public_names(function))]
    assert len(names) > 40
    assert [name for name in names if f"`{name}`" not in COMMITTED] == []


def test_every_public_operation_is_listed():
    homes = {f"autotiny.ops.{module}" for module in ("activations", "logarithms", "losses")}
    functions = [name for name in at.__all__ if getattr(at, name).__module__ in homes]
    assert "softmax" in functions
    assert [name for name in functions if f"| `at.{name}` |" not in COMMITTED] == []


def test_every_public_function_is_counted_once():
    lines = [line.strip("| ").split(" | ") for line in reference.counts() if line.startswith("| `")]
    assert [line[0] for line in lines] == ["`np`", "`np.linalg`", "`np.fft`"]
    for _, *numbers in lines:
        *ways, whole = map(int, numbers)
        assert sum(ways) == whole


@pytest.mark.parametrize(
    ("function", "line"),
    [
        (np.exp2, "| `np.exp2` |  | rule | `g * y * LN2` | elementwise, analytic, unbounded, positive |"),
        (np.amax, "| `np.amax` | `axis`, `keepdims`, `initial`, `where` | composition | as `np.max` |"),
        (np.mean, "| `np.mean` | `axis`, `keepdims`, `dtype`, `where` | composition | sum(a) / n |"),
        (np.square, "| `np.square` |  | rule | power rule<br>`2 * g * x` | elementwise, analytic, keeps_sign |"),
    ],
)
def test_a_line_says_names_options_and_gradient(function, line):
    entry = reference.entry(function, reference.public_names(function))
    assert list(reference.table([entry]))[-1].startswith(line)
    assert line in COMMITTED


@pytest.mark.parametrize(
    ("words", "written"),
    [
        ("", "`g`<br>`-g`"),
        ("sum rule", "sum rule<br>`g`<br>`-g`"),
        (("", "the sign changes"), "`g`<br>the sign changes: `-g`"),
    ],
)
def test_gradient_has_the_words_of_the_row_before_its_code(words, written):
    op = Op(np.subtract, (lambda g, y, a, b: g, lambda g, y, a, b: -g))
    op.words = words
    assert reference.gradient(op) == written


# fmt: off
ROWS = (lambda g, y, x: g * 1,       lambda g, y, x: (g
                                        * 2), lambda g, y, x: (lambda h: h * 3)(g))
# fmt: on


@pytest.mark.parametrize(("rule", "expression"), [*zip(ROWS, ["g * 1", "g * 2", "(lambda h: h * 3)(g)"], strict=True)])
def test_rule_is_the_expression_of_its_lambda(rule, expression):
    assert reference.gradient(Op(np.exp, (rule,))) == f"`{expression}`"
