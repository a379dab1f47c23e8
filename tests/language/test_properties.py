"""Whatever is typed: a value of the language comes back, or an ExpressionError."""

from contextlib import suppress

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import autotiny as at
from autotiny.language import ExpressionError, Limits, evaluate
from autotiny.language.operators import checked
from autotiny.language.vocabulary import CONSTANTS, METHODS, PROPERTIES, functions

SMALL = Limits(entries=10_000, total=100_000, work=10**8, seconds=5)


def values():
    return {
        "W": at.Tensor(np.arange(6.0).reshape(2, 3) - 2, name="W"),
        "x": at.Tensor([1.0, -0.5, 2.0], name="x"),
        "a": np.array([[1, 2, 3], [4, 5, 6]]),
        "m": np.array([True, False, True]),
        "n": 3,
        "s": 0.5,
    }


def outcome_or_error(text):
    given = values()
    before = {name: np.array(getattr(value, "data", value)) for name, value in given.items()}
    with suppress(ExpressionError):
        checked_or_none(evaluate(text, given, SMALL).value)
    for name, value in given.items():
        np.testing.assert_array_equal(np.asarray(getattr(value, "data", value)), before[name])


def checked_or_none(value):
    if value is not None and value is not ... and not isinstance(value, tuple | list):
        checked(value)


leaves = st.sampled_from(
    ["W", "x", "a", "m", "n", "s", "pi", "inf", "nan", "None", "...", "True", "0", "-1", "2", "1e300", "[]"]
)


def compound(inner):
    names = st.sampled_from(sorted(functions()))
    options = st.sampled_from(
        ["axis", "keepdims", "k", "n", "shape", "mode", "ord", "num", "out", "dtype", "shift", "classes"]
    )
    texts = st.sampled_from(["'ij,j->i'", "'ii'", "'...i,i'", "'->'", "'edge'", "'fro'", "''", "'C'"])
    call = st.builds("{}({})".format, names, st.lists(inner | texts, max_size=3).map(", ".join))
    keyword = st.builds("{}({}, {}={})".format, names, inner, options, inner | texts)
    method = st.builds(
        "({}).{}({})".format, inner, st.sampled_from(sorted(METHODS)), st.lists(inner, max_size=2).map(", ".join)
    )
    attribute = st.builds("({}).{}".format, inner, st.sampled_from(sorted(PROPERTIES)))
    signs = st.sampled_from(["+", "-", "*", "/", "**", "@", "%", "<", "<=", "==", "!=", ">", "//", "&", "and"])
    binary = st.builds("({} {} {})".format, inner, signs, inner)
    index = st.builds(
        "({})[{}]".format,
        inner,
        st.builds("{}:{}".format, inner, inner) | inner | st.builds("{}, {}".format, inner, inner),
    )
    several = st.lists(inner, max_size=3).map(", ".join).map("[{}]".format)
    pair = st.builds("({}, {})".format, inner, inner)
    return call | keyword | method | attribute | binary | index | several | pair


expressions = st.recursive(leaves, compound, max_leaves=8)
programs = st.lists(
    st.builds("{} = {}".format, st.sampled_from(["W", "y", "Z"]), expressions) | expressions, min_size=1, max_size=3
)


@given(programs.map("; ".join))
@example("pad(a, (0, 3), mode='wrap')")
@example("einsum('', x)")
@example("stack([])")
@example("concatenate(())")
def test_only_an_expression_error_escapes_from_what_looks_right(text):
    outcome_or_error(text)


TOKENS = [
    "W",
    "x",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ",",
    ":",
    ";",
    "\n",
    "=",
    ":=",
    ".",
    "..",
    "'",
    '"',
    "+",
    "-",
    "*",
    "**",
]
TOKENS += [
    "@",
    "%",
    "^",
    "~",
    "!",
    "\\",
    "\t",
    " ",
    "\0",
    "\ud800",
    "é",
    "²",
    "0",
    "1",
    "9" * 30,
    "1e999",
    "0x",
    "1_0",
    "2j",
]
TOKENS += [
    "lambda",
    "import",
    "for",
    "in",
    "if",
    "else",
    "not",
    "__class__",
    "__import__",
    "f'{",
    "b'",
    "await",
    "yield",
]
TOKENS += [
    "sum",
    "np",
    "at",
    "linalg",
    "eval",
    "exec",
    "open",
    "getattr",
    "print",
    "T",
    "#",
    "->",
    "//",
    "<<",
    ">=",
    "$",
    "?",
]


@given(st.lists(st.sampled_from(TOKENS), max_size=12).map("".join) | st.text(max_size=30))
@example("((\0")
@example("\ud800")
@example("x \\\n + 1")
@example("'\\d'")
@example("1if x else 2")
@example("\x0c x")
@example("x\r= 1")
@example("0_1")
def test_only_an_expression_error_escapes_from_noise(text):
    outcome_or_error(text)


ATTACKS = [
    "__import__('os').system('true')",
    "().__class__.__bases__[0].__subclasses__()",
    "x.__array_ufunc__(1)",
    "W.op.forward.__globals__",
    "np.lib.format.open_memmap('f')",
    "np.load('f')",
    "at.Tensor.__init__",
    "at.nn.load('f')",
    "at.operation()",
    "np.frombuffer('a')",
    "open('f')",
    "eval('1')",
    "getattr(x, 'data')",
    "vars()",
    "breakpoint()",
    "sum.__self__",
    "np.sum.__wrapped__",
    "x.tofile('f')",
    "x.ctypes",
    "x.base",
    "'{0.__class__}'.format(x)",
    "'%s' % x",
    "np.array('a', dtype=object)",
    "np.save('f', x)",
    "pad(x, 1, mode=lambda: 0)",
    "zeros(3, dtype='O')",
    "einsum('i->i', x, out=x)",
    "np.add(a, a, a)",
    "add.at(a, 0, 1)",
    "np.linalg.linalg.os",
    "words()",
    "print(x)",
]


@pytest.mark.parametrize("text", ATTACKS)
def test_attack_is_refused(text):
    with pytest.raises(ExpressionError):
        evaluate(text, values())


@pytest.mark.parametrize("name", sorted({*functions(), *CONSTANTS}))
def test_names_reach_no_module_function_or_attribute(name):
    for text in (f"{name}.__globals__", f"{name}.__class__", f"{name}.__self__.x", f"{name}.os"):
        with pytest.raises(ExpressionError):
            evaluate(text)
