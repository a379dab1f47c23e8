"""Every item of the gallery: its formula, and its numbers against backprop."""

import numpy as np
import pytest

from derivation.gallery import GALLERY


@pytest.mark.parametrize(("run", "formulas"), [case[1:] for case in GALLERY], ids=[name for name, *_ in GALLERY])
def test_gallery_derives_the_formula_that_the_gradient_is_known_by(run, formulas):
    derivations = run()
    assert tuple(d.formula for d in derivations) == formulas
    for derivation in derivations:
        assert derivation.ok
        assert derivation.max_error < 1e-13
        np.testing.assert_allclose(derivation.term.value, derivation.engine, rtol=1e-11, atol=1e-14)


def test_a_fact_about_the_data_is_stated_in_the_step_that_used_it():
    derivation = {name: run for name, run, _ in GALLERY}["flagship_with_softmax"]()[0]
    assert [step.condition for step in derivation.steps if step.condition] == ["sum(Y, axis=0) = 1"]
