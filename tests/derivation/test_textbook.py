"""Gradients that people look up come out in the form in which textbooks print them."""

from pathlib import Path

import pytest

import textbook_forms

CASES = list(textbook_forms.cases(Path(__file__).parent / "textbook"))


@pytest.mark.parametrize("case", CASES, ids=[f"{case.section}: {case.name}" for case in CASES])
def test_the_gradient_has_the_form_that_a_textbook_prints(case):
    result = textbook_forms.judged(case)
    assert result.kind == "textbook", f"{result.formula}\n{result.operations} operations for {result.known}"
