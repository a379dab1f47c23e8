import pytest

from autotiny.language import Limits
from autotiny.language.reading import is_code


@pytest.mark.parametrize("text", ["a * b", "W.T @ unknown", "dx = sum(x[1:])", "x[0]"])
def test_code_is_code_whatever_its_names_are(text):
    assert is_code(text, Limits())


@pytest.mark.parametrize("text", ["(1/m)(a - b)", "1[x > 0]", "W^T x", "2 x", r"\frac{1}{m} x", "Wᵀ x", ""])
def test_what_stands_on_paper_is_not_code(text):
    assert not is_code(text, Limits())
