"""Indices and views are shown by the names of their arrays."""

import numpy as np
import pytest

import autotiny as at
from autotiny import Tensor
from autotiny.derivation.views import equal_array, view_key

BASE = np.arange(60.0).reshape(3, 4, 5)
KEYS = [
    np.s_[1],
    np.s_[:, 2],
    np.s_[..., 0],
    np.s_[1:, ::2],
    np.s_[0, :, 1:3],
    np.s_[::-1],
    np.s_[:, ::-1],
    np.s_[2, 3],
    np.s_[:-1, 1:],
]


@pytest.mark.parametrize("key", KEYS, ids=str)
def test_a_view_is_recognised_by_its_memory(key):
    view = BASE[key]
    found = view_key(view, BASE)
    assert found is not None
    np.testing.assert_array_equal(BASE[found], view)


@pytest.mark.parametrize(
    "other",
    [BASE[1].copy(), BASE.astype(np.float32)[1], BASE.T, np.float64(3.0), BASE],
    ids=["copy", "type", "transpose", "number", "itself"],
)
def test_another_array_is_no_view(other):
    assert view_key(other, BASE) is None


def test_slices_are_written_as_they_are_typed():
    x = np.arange(8.0)
    assert view_key(x[1:-1], x) == slice(1, -1)
    assert view_key(x[:-2], x) == slice(None, -2)
    assert view_key(x[2:], x) == slice(2, None)
    assert view_key(x[::2], x) == slice(None, None, 2)


def test_an_array_that_two_variables_equal_has_no_name():
    a = np.array([1, 0])
    assert equal_array(np.array([1, 0]), [("a", a), ("again", a)]) is a
    assert equal_array(np.array([1, 0]), [("a", a), ("b", a.copy())]) is None


def test_labels_are_parameters_of_the_function():
    N = 4
    y, Z = np.array([2, 0, 1, 1]), Tensor(np.random.default_rng(0).normal(size=(N, 3)))
    P = at.softmax(Z, axis=1)
    J = -np.mean(np.log(P[np.arange(N), y]))
    derived = at.derive(J, Z)
    assert derived.formula == "(P - onehot(y)) / N"
    assert derived.picks() == ""
    function = derived.numpy()
    assert "np.eye(3)[y]" in function.source
    other = np.array([0, 0, 2, 1])
    np.testing.assert_allclose(function(Z.data, other), (P.data - np.eye(3)[other]) / N)


def test_labels_without_a_name_hold_on_the_data():
    E = Tensor(np.random.default_rng(0).normal(size=(5, 2)))
    V = E[np.array([1, 4, 1])]
    derived = at.derive(np.sum(V**2), E)
    assert derived.formula == "2 * onehot([1, 4, 1])ᵀ V"
    assert "[1, 4, 1]" in derived.picks()


def test_a_sort_is_undone_by_the_ranks():
    x, w = Tensor(np.array([3.0, 1.0, 2.0])), np.array([0.5, 0.25, -1.0])
    derived = at.derive(w @ np.sort(x), x)
    assert derived.formula == "w[argsort(argsort(x))]"
    np.testing.assert_allclose(derived.numpy()(x=np.array([1.0, 2.0, 0.0]), w=w), [0.25, -1.0, 0.5])


def test_entries_picked_by_a_mask_are_a_product_with_it():
    x, keep = Tensor(np.array([3.0, 1.0, 2.0])), np.array([True, False, True])
    assert at.derive(np.sum(x[keep] ** 2), x).formula == "2 * x * keep"


def derived_hinge():
    y, s = np.array([2, 0, 1, 1]), Tensor(np.random.default_rng(1).normal(size=(4, 3)))
    return at.derive(np.sum(np.exp(s[np.arange(4), y])), s)


def derived_rosenbrock():
    x = Tensor(np.array([1.2, 0.5, -0.3]))
    return at.derive((1 - x[0]) ** 2 + x[1] * x[2] ** 2, x)


def derived_variation():
    x = Tensor(np.array([1.2, 0.5, -0.3, 2.0]))
    return at.derive(np.sum(np.diff(x) ** 2), x)


def derived_intercept():
    w = Tensor(np.array([1.2, 0.5, -0.3, 2.0]))
    return at.derive(np.sin(w[0]) + np.sum(w[1:] ** 3), w)


def derived_class():
    z = Tensor(np.array([1.2, 0.5, -0.3]))
    return at.derive(-np.log(at.softmax(z)[1]), z)


FORMS = [derived_hinge, derived_rosenbrock, derived_variation, derived_intercept, derived_class]


@pytest.mark.parametrize("derived", FORMS)
def test_forms_of_picks_are_read_again_as_text_and_as_latex(derived):
    derivation = derived()
    assert derivation.matches(derivation.formula)
    assert derivation.matches(derivation.latex(steps=False))
    assert not derivation.matches(f"2 * ({derivation.formula})")


@pytest.mark.parametrize("derived", FORMS)
def test_the_entry_of_a_pick_has_the_value_of_the_gradient(derived):
    derivation = derived()
    for place in np.ndindex(*derivation.engine.shape):
        assert derivation.elements(*place).error < 1e-12


def test_entries_of_one_hot_matrices_and_unit_vectors_are_deltas():
    assert derived_hinge().elements(0, 2).formula == "1[y[j] = p] * exp(s[j, p])"
    assert derived_class().elements(1).formula == "softmax(z)[j] - 1[j = 1]"
    assert derived_rosenbrock().elements(0).formula == "2 * (x[0] - 1)"
