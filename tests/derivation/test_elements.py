import numpy as np
import pytest

from derivation.flagship import flagship
from derivation.gallery import GALLERY

ENTRIES = {
    "Z2": ("Σ_k dJ/dA2[k, i] · dA2[k, i]/dZ2[j, i]", "(A2[j, i] - Y[j, i]) / m"),
    "W2": ("Σ_i dJ/dZ2[j, i] · dZ2[j, i]/dW2[j, p]", "Σ_i dZ2[j, i] * A1[p, i]"),
    "b2": ("Σ_i dJ/dZ2[j, i] · dZ2[j, i]/db2[j]", "Σ_i dZ2[j, i]"),
    "Z1": (
        "Σ_k dJ/dZ2[k, i] · dZ2[k, i]/dA1[j, i] · dA1[j, i]/dZ1[j, i]",
        "(Σ_k W2[k, j] * dZ2[k, i]) * 1[Z1[j, i] > 0]",
    ),
    "W1": ("Σ_i dJ/dZ1[j, i] · dZ1[j, i]/dW1[j, p]", "Σ_i dZ1[j, i] * X[p, i]"),
    "b1": ("Σ_i dJ/dZ1[j, i] · dZ1[j, i]/db1[j]", "Σ_i dZ1[j, i]"),
}


@pytest.mark.parametrize("target", ENTRIES)
def test_element_view_is_the_textbooks_chain_rule_for_one_entry(target):
    view = flagship(target).elements()
    assert (view.chain, view.formula) == ENTRIES[target]
    assert view.error < 1e-13


def test_element_view_holds_at_every_entry():
    derivation = flagship("Z1")
    for place in np.ndindex(derivation.engine.shape):
        assert derivation.elements(*place).error < 1e-12


def test_element_view_prints_the_chain_rule_and_every_step():
    printed = repr(flagship("Z2").elements()).splitlines()
    assert printed[0] == "dJ/dZ2[j, i] = Σ_k dJ/dA2[k, i] · dA2[k, i]/dZ2[j, i]"
    assert printed[-1].split() == ["=", "(A2[j,", "i]", "-", "Y[j,", "i])", "/", "m"]


@pytest.mark.parametrize("run", [run for _, run, _ in GALLERY], ids=[name for name, *_ in GALLERY])
def test_element_view_of_the_gallery_agrees_with_backprop(run):
    for derivation in run():
        assert derivation.elements().error < 1e-11
