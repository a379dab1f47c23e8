"""Realistic mistakes are found and explained in words that fit, and right gradients are never called wrong."""

import pytest

from diagnosis.mistakes_corpus import cases, row_of

ALL = list(cases())


@pytest.mark.parametrize("case", ALL, ids=[f"{case.title}: {case.name} = {case.expression}" for case in ALL])
def test_a_mistake_is_explained_and_a_right_gradient_passes(case):
    row = row_of(case)
    sentences = "; ".join(row.notes)
    assert row.ok == case.right
    is_explained = not case.wanted or case.explained_by(sentences)
    assert is_explained, sentences
    assert not [word for word in case.forbidden if word in sentences]
    assert not (case.right and sentences)


def test_most_of_the_cases_are_mistakes_with_an_explanation():
    wrong = [case for case in ALL if not case.right]
    assert len(wrong) > 100
    assert sum(map(bool, [case.wanted for case in wrong])) > 0.9 * len(wrong)
