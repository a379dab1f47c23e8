"""Pictures of complex graphs: values, gradients and rules as users see them."""

import numpy as np

import autotiny as at
from autotiny.notation.numbers import as_typed, short_number, sparkline, summarise

Z = np.array([1 + 2j, -0.5 + 0.3j, 2 - 1j])


def picture():
    z, w = at.Tensor(Z, name="z"), at.Tensor(Z[::-1] * 1j, name="w")
    J = np.sum(np.abs(z * w - 1j) ** 2)
    J.backward()
    return at.draw(J)


def test_arrays_are_shown_by_their_sizes():
    drawn = picture()
    text = str(drawn)
    assert "|·| 0.583 … 2.24" in text
    assert "<svg" in drawn.svg
    assert drawn.dot


def test_a_number_is_shown_with_both_parts():
    y = at.Tensor(2.0 + 1j, name="y")
    J = np.abs(y * y)
    J.backward()
    assert "2+1j" in str(at.draw(J))
    assert "4+2j = Σ 2" in str(at.draw(J))


def test_steps_pass_on_what_adds_up_to_the_gradient():
    drawn = picture()
    text = str(drawn.steps)
    assert "passes on: g * conj(w)" in text
    assert "passes on: g * sign(t2)" in text


def test_rules_of_parts_are_those_of_the_gradient_as_it_is_shown():
    z = at.Tensor(Z, name="z")
    text = str(at.draw(np.sum(np.imag(z) + np.real(z))).steps)
    assert "passes on: 1j * g" in text


def test_numbers_are_written_with_few_digits():
    assert [short_number(x) for x in (1 + 2j, 2j, -1j, 1 - 0.5j)] == ["1+2j", "2j", "-1j", "1-0.5j"]
    assert [as_typed(x) for x in (1 + 2j, 2j, -1j, np.complex64(0.1 - 0.5j))] == ["(1+2j)", "2j", "-1j", "(0.1-0.5j)"]


def test_summaries_of_complex_arrays():
    assert summarise(Z[:2]).text == "|·| 0.583 … 2.24"
    assert summarise(np.full(3, 1 + 2j)).text == "all 1+2j"
    assert summarise(np.array([np.nan, 1j, 2])).text == "|·| 1 … 2, 1 nan"
    assert summarise(Z).heat is not None
    assert sparkline(Z) == sparkline(np.abs(Z))
