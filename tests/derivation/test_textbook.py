"""Gradients that people look up come out in the form in which textbooks print them, in every notation."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import textbook_forms
from autotiny.derivation.derivation import Derivation
from autotiny.derivation.program import identifier, in_order

CASES = list(textbook_forms.cases(Path(__file__).parent / "textbook"))[::3]
"""A third of the cases; .ci/run judges all of them by `tools/textbook_forms.py`."""


def alone(derivation: Derivation) -> Any:
    """The value of the derivation's NumPy function, run from its source beside NumPy alone."""
    function = derivation.numpy()
    inputs = [*in_order([derivation.term], derivation.definitions | derivation.run.constants), derivation.target]
    values = {identifier(x.name): x.value for x in inputs if x.name is not None}
    names = {"np": np}
    exec(function.source, names)
    called: Any = names[function.__name__]
    return called(**{name: values[name] for name in function.__signature__.parameters})


@pytest.mark.parametrize("case", CASES, ids=[f"{case.section}: {case.name}" for case in CASES])
def test_the_gradient_has_the_form_that_a_textbook_prints(case):
    result = textbook_forms.judged(case)
    assert result.kind == "textbook", f"{result.formula}\n{result.operations} operations for {result.known}"
    derivation: Any = result.derivation
    np.testing.assert_allclose(alone(derivation), derivation.engine, 1e-8, 1e-10, err_msg=str(derivation.numpy()))
    view = derivation.elements()
    assert view.error < 1e-9, f"{view.entry} = {view.formula}"
