import numpy as np
import pytest

from autotiny.derivation.derive import Deriving
from autotiny.engine.graph import topological_order
from autotiny.errors import AutotinyError
from derivation.everything import FORMS, chosen, runs

CASES = [(case, list(FORMS)[i % len(FORMS)]) for i, case in enumerate(chosen(1)[::3])]


@pytest.mark.parametrize(("case", "form"), CASES, ids=[f"{case}-{form}" for case, form in CASES])
def test_every_operation_derives_in_the_losses_that_people_write(case, form):
    for run in runs(case, form):
        if run.target not in set(topological_order(run.output)):
            continue
        with np.errstate(all="ignore"):
            derivation = derived(run)
        if derivation is not None:
            assert derivation.ok
            assert str(derivation)
            assert derivation.latex()


def derived(run):
    """The derivation; None where a Jacobian has no form, which is said with a mend."""
    try:
        return Deriving(run.output, run.target, run.scope).derivation()
    except AutotinyError as error:
        if "derive sum(v *" not in str(error):
            raise
        return None
