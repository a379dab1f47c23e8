import numpy as np
import pytest

import autotiny as at
from autotiny.errors import AutotinyError
from autotiny.language import ExpressionError, Limits, evaluate

VALUES = {"W": at.Tensor([[1.0, 2.0], [3.0, 4.0]], name="W"), "x": np.array([1.0, 0.5])}

# The source with what is pointed at between « and », and a part of the message.
REFUSED = [
    ("sum(«tanhh»(W @ x))", "there is no function tanhh; did you mean tanh?"),
    ("sum(tanh(W @ «X»))", "there is no value named X; did you mean x?"),
    ("«sum» + 1", "sum is a function; write sum(x, axis=None, keepdims=False)"),
    ("«W»(x)", "W is a value, not a function; for a product write W *"),
    ("«np.bartlett»(5)", "there is no function bartlett with a gradient rule"),
    ("«np.euler_gamma» + 1", "there is no constant euler_gamma"),
    ("«W @ [1, 2, 3]»", r"matmul: W (2, 2) @ array (3,): inner sizes 2 and 3 differ"),
    ("sum(«x + [1, 2, 3]»)", "+: shapes (2,) and (3,) do not fit"),
    ("1 + «x[5]»", "index 5 is out of bounds"),
    ("«exp(x, out=x)»", "exp: got an unexpected keyword argument 'out'; usage: exp(x)"),
    ("«exp(x, x)»", "exp: too many positional arguments; usage: exp(x)"),
    ("«sum(x, 0, None, x)»", "sum: too many positional arguments"),
    ("«sum()»", "sum: missing a required argument: 'x'; usage: sum("),
    ("«sum([W, W])»", "sum: make the list an array first, with stack([...])"),
    ("«[W, W] * 2»", "*: a list of results is not an array; make it one with stack([...])"),
    ("«shape(x) * 3»", "*: expected numbers; got a tuple"),
    ("«1 + None»", "+: expected numbers; got None"),
    ("1 + «1 / 0»", "/: division by zero"),
    ("«(-8) ** 0.5»", "the result is complex"),
    ("«2j» * x", "an operator is missing between 2 and j"),
    ("x + «'a'»", "text is not part of the language"),
    ("x + «b'a'»", "text is not part of the language"),
    ("sum(«'a'»)", "text is not part of the language"),
    ("«f'{x}'»", "text is not part of the language"),
    ("«lambda: x»", "lambda is not part"),
    ("sum(«[i for i in x]»)", "a comprehension is not part"),
    ("sum(«(i for i in x)»)", "a comprehension is not part"),
    ("«{1: x}»", "a dictionary is not part"),
    ("«{1, 2}»", "a set is not part"),
    ("sum(«*x»)", "* before an argument"),
    ("«sum(**x)»", "** before an argument"),
    (
        "sum(«(y := x)»)".replace("(y", "y").replace("x)»", "x»"),
        "assign in a separate statement",
    ),
    ("«x if x else x»", "write where(condition, a, b)"),
    ("«x and x»", "logical_and(a, b)"),
    ("«not x»", "logical_not(a)"),
    ("«~x»", "~ is not part of the language"),
    ("«x // 2»", "write floor(a / b)"),
    ("«1 < x < 2»", "comparisons cannot be chained"),
    ("«x is x»", "write =="),
    ("«await x»", "await is not part of the language"),
    ("«import os»", "import is not part"),
    ("«from os import path»", "import is not part"),
    ("«def f(): pass»", "def is not part"),
    ("«del x»", "delete is not part"),
    ("«x += 1»", "write name = name + ... instead"),
    ("«y: x = 1»", "annotations are not part of the language"),
    ("y = «z» = x", "an assignment has one name on its left"),
    ("«y, z» = x", "an assignment has one name on its left"),
    ("«x[0]» = 1", "an assignment has one name on its left"),
    ("«W.data»", "there is no .data; there are .T, .mT"),
    ("«x.__class__»", "there is no .__class__"),
    ("«W.backward»()", "there is no method .backward"),
    ("«x.summ»()", "there is no method .summ; did you mean sum?"),
    ("«np.linalg.__loader__»", "there is no constant"),
    ("«np.save»('file', x)", "there is no function save"),
    ("«sum(x)»(x)", "only a function with a name can be called"),
    ("3 + «2x»", "an operator is missing between 2 and x, such as *"),
    ("1 + «1e5y»", "an operator is missing between 1e5 and y"),
    ("x«²»", "² is not an operator here; write **2"),
    ("x «×» 3", "× is not an operator here; write *"),
    ("x«^»2", "^ is not an operator here; write **"),
    ("x «\\» 3", "\\ is not an operator here"),
    ("sum«(»x", "syntax error: '(' was never closed"),
    ("y = x\nz = «tanhh»(y)", "there is no function tanhh"),
]


@pytest.mark.parametrize(("marked", "message"), REFUSED, ids=[marked for marked, _ in REFUSED])
def test_a_refusal_has_its_reason_and_its_place(marked, message):
    before, _, rest = marked.partition("«")
    place, _, _ = rest.partition("»")
    with pytest.raises(ExpressionError) as caught:
        evaluate(marked.replace("«", "").replace("»", ""), VALUES)
    error, column = caught.value, len(before.rpartition("\n")[2])
    assert message in error.message
    assert (error.line, error.column) == (before.count("\n") + 1, column + 1)
    assert error.excerpt.splitlines()[1] == "  " + " " * column + "^" * len(place)


def test_column_counts_characters_whatever_comes_before():
    with pytest.raises(ExpressionError) as caught:
        evaluate("δŴ日 = 1; tanhh(δŴ日)")
    assert caught.value.column == 10


@pytest.mark.parametrize(("text", "message"), [("", "is empty"), (" \n ", "is empty"), ("# W", "only comments")])
def test_an_empty_source_is_refused(text, message):
    with pytest.raises(ExpressionError, match=message) as caught:
        evaluate(text)
    assert caught.value.excerpt == ""


@pytest.mark.parametrize("value", [{}, "text", 1j, np.array(["a"]), np.array([1j]), [1, "a"], object(), 2**70])
def test_values_of_other_kinds_are_refused_when_they_are_used(value):
    with pytest.raises(ExpressionError, match=r"expected|complex|63 bits"):
        evaluate("1; v", {"v": value})


def test_long_lines_are_shown_around_the_place():
    with pytest.raises(ExpressionError) as caught:
        evaluate("x + " * 50 + "tanhh(x)" + " + x" * 50, VALUES, Limits(depth=500))
    shown, carets = caught.value.excerpt.splitlines()
    assert len(shown) <= 78
    assert shown[carets.index("^") : carets.rindex("^") + 1] == "tanhh"


def test_excerpt_has_no_terminal_codes():
    with pytest.raises(ExpressionError) as caught:
        evaluate("x # \x1b[31m\u202e\n; 'a\tb' \x07")
    assert all(character.isprintable() for line in str(caught.value).splitlines() for character in line)


def test_error_shows_its_place_and_is_an_autotiny_error():
    with pytest.raises(
        AutotinyError, match=r"^there is no function tanhh; did you mean tanh\?\n  1 \+ tanhh\(2\)\n      \^"
    ):
        evaluate("1 + tanhh(2)")
