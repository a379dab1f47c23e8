"""The table of forms, and that every operation is written in every notation."""

import xml.etree.ElementTree as ET

import numpy as np
import pytest

import autotiny as at
from autotiny.algebra import apply, symbol
from autotiny.algebra.writing import as_latex, as_mathml, as_text
from autotiny.notation.code import BareCode, NumpyCode, TypedCode
from autotiny.notation.expression import Expression
from autotiny.notation.expression import symbol as variable
from autotiny.notation.forms import NUMPY, TABLE, Form
from autotiny.notation.notations import Latex, MathML, Unicode, text
from autotiny.ops import OPS
from autotiny.ops.code import as_code, operation
from autotiny.ops.table import Each

NOTATIONS = [Unicode, Latex, MathML, NumpyCode, BareCode, TypedCode]
WORDS = {"index": 0, "array": np.arange(9), "whole power": "3"}
OPERATIONS = list({id(op): op for op in OPS.values() if not isinstance(op.rules, Each)}.values())


def forms_of(kind):
    return [
        form
        for column in (Unicode.forms, NUMPY, Latex.forms, MathML.forms)
        if isinstance(form := column.get(kind), Form)
    ]


def operands_of(kind):
    """As many variables as the forms of a kind have places."""
    return [variable(name) for name in "abc"[: max((len(form.needs) for form in forms_of(kind)), default=1)]]


def an_expression(kind):
    options = {"axis": 0} if kind.endswith(" over") else {}
    return Expression(kind, operands_of(kind), kind.split()[0], WORDS.get(kind), options)


def balances(latex):
    return latex.count("{") - latex.count(r"\{") == latex.count("}") - latex.count(r"\}")


@pytest.mark.parametrize("kind", TABLE)
def test_a_kind_has_as_many_places_in_one_notation_as_in_another(kind):
    assert len({len(form.needs) for form in forms_of(kind)}) <= 1


@pytest.mark.parametrize("kind", TABLE)
@pytest.mark.parametrize("notation", NOTATIONS)
def test_a_kind_is_written_in_every_notation_by_its_form_or_as_a_call(kind, notation):
    text = notation()(an_expression(kind))
    assert text
    assert all(operand.name in text for operand in operands_of(kind))


@pytest.mark.parametrize("kind", TABLE)
def test_a_form_is_well_formed(kind):
    latex = Latex()(an_expression(kind))
    assert balances(latex)
    assert latex.isascii()
    assert len(ET.fromstring(f"<math>{MathML()(an_expression(kind))}</math>")) == 1


@pytest.mark.parametrize("op", OPERATIONS, ids=lambda op: op.name)
def test_an_operation_is_written_in_every_notation(op):
    """With a form of its kind, else as a call by its name."""
    operands = [symbol(name, np.full((2, 2), 0.5) + np.eye(2) / 4) for name in ("Aa", "Bb", "Cc")[: len(op.rules)]]
    with np.errstate(all="ignore"):
        try:
            term = apply(op, operands, {})
        except Exception:  # it needs options, or other shapes
            typed = TypedCode()(operation(op, [variable("Aa")], {}, 2))
            assert "Aa" in typed
            return
    if term.is_constant:
        return
    assert all(name in as_text(term) for name in ("Aa", "Bb", "Cc")[: len(op.rules)])
    assert balances(as_latex(term))
    assert as_latex(term).isascii()
    ET.fromstring(f"<math>{as_mathml(term)}</math>")
    assert TypedCode()(as_code(term, {}))


def test_only_an_operand_that_binds_too_loosely_stands_in_parentheses():
    a, b = variable("a"), variable("b")
    total = Expression("add", [a, b])
    assert Unicode()(Expression("multiply", [total, a])) == "(a + b) * a"
    assert Unicode()(Expression("add", [total, a])) == "a + b + a"
    assert NumpyCode()(Expression("add", [a, total])) == "a + (a + b)"  # the order in which it computes


@pytest.mark.parametrize("notation", [Unicode, NumpyCode])
def test_two_signs_never_meet(notation):
    minus = Expression("number", value=-2.0)
    assert "--" not in notation()(Expression("negative", [minus]))
    assert "- -" not in notation()(Expression("subtract", [variable("a"), minus]))


def test_a_users_own_notation_is_used_in_text_and_in_what_was_typed():
    @at.operation(lambda g, y, x: g * 3 * x**2, notation="{}³")
    def cube(x):
        return x * x * x

    x = symbol("x", 2.0)
    assert as_text(cube(x) + 1) == "x³ + 1"
    assert as_text(cube(x + 1)) == "(x + 1)³"
    assert as_latex(cube(x)) == r"\operatorname{cube}\left(x\right)"
    assert [card.origin for card in at.draw(cube(at.Tensor(2.0, name="x"))).cards] == ["variable", "x³"]


def test_a_users_operation_is_not_taken_for_a_kind_of_the_same_name():
    @at.operation(lambda g, y, a, b: g, lambda g, y, a, b: g)
    def divide(a, b):
        return a + b

    assert as_text(divide(symbol("x", 2.0), symbol("y", 3.0))) == "divide(x, y)"


def test_what_was_typed_is_shown_without_options_that_are_not_set():
    x = at.Tensor(np.ones((2, 3)), name="x")
    typed = {
        "sum(x, axis=0)": np.sum(x, axis=0, keepdims=True),
        "sum(x)": np.sum(x, axis=None),
        "x.T": np.transpose(x),
        "x[0, 1:]": x[0, 1:],
        "einsum('ij,kj->ik', x, x)": np.einsum("ij,kj->ik", x, x),
        "concatenate([x, x], axis=1)": np.concatenate([x, x], axis=1),
        "x.astype(np.float32)": x.astype(np.float32),
        "softmax(x, axis=None)": at.softmax(x, axis=None),
        "norm(x, ord=3, axis=1)": np.linalg.norm(x, 3, axis=1),
    }
    assert {text: at.draw(y).cards[-1].origin for text, y in typed.items()} == {text: text for text in typed}


@pytest.mark.parametrize(
    ("words", "latex"),
    [
        ("‖A x‖ ≠ 0", r"\text{$\|$A x$\|$ $\neq$ 0}"),
        ("this is vᵀ ds/dx for any v", r"\text{this is v$^\top$ ds/dx for any v}"),
        ("x⁻¹² and 2 σ", r"\text{x$^{-}$$^{1}$$^{2}$ and 2 $\sigma$}"),
        ("50 % of {a_1}", r"\text{50 \% of \{a\_1\}}"),
    ],
)
def test_signs_among_words_are_commands(words, latex):
    assert text(words) == latex
