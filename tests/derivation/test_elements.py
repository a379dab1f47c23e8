import numpy as np
import pytest

import autotiny as at
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


@pytest.mark.thorough
@pytest.mark.parametrize("run", [run for _, run, _ in GALLERY], ids=[name for name, *_ in GALLERY])
def test_element_view_of_the_gallery_agrees_with_backprop(run):
    for derivation in run():
        assert derivation.elements().error < 1e-11


Q, K = np.random.default_rng(0).normal(size=(2, 2, 3, 4))
X = np.random.default_rng(1).normal(size=(4, 3))
V = np.random.default_rng(2).normal(size=4)


def solved(x):
    return np.sum(x * np.linalg.solve(X.T @ X, x))


ENTRIES_OF = [
    (lambda q: np.sum(q @ K.mT), Q, "Σ_i K[j, i, u]", ""),
    (
        lambda q: np.sum(np.tanh(np.einsum("bij,bkj->bik", q, K))),
        Q,
        "Σ_i (1 - tanh(Σ_k x[j, p, k] * K[j, i, k])²) * K[j, i, u]",
        "",
    ),
    (lambda x: np.var(x), X[:, 0], "x[j] - ", ""),
    (lambda x: np.sum(x[1:] * X[:3, 0]), X[:, 0], "[0, X[:3, 0]][j]", "Not written entry by entry: [0, X[:3, 0]]."),
    (lambda x: np.sum(np.sin(x) * V[::-1]), X[:, 0], "V[3 - j] * cos(x[j])", ""),
    (solved, X[0, :], "⁻¹[j, i] * x[i]", ""),
    (lambda x: np.sum(np.max(x, axis=0)), X, "max_i x[i, p]", ""),
    (lambda x: at.logsumexp(x), X[:, 0], "softmax(x)[j]", "Not written entry by entry: softmax(x)."),
]


@pytest.mark.parametrize(("function", "value", "formula", "note"), ENTRIES_OF)
def test_the_entry_is_in_indices_or_the_view_says_which_array_is_not(function, value, formula, note):
    x = at.Tensor(value, name="x")
    view = at.derive(function(x), x).elements()
    assert formula in view.formula
    assert view.note.startswith(note)
    assert bool(view.note) is bool(note)
    assert view.error < 1e-12
