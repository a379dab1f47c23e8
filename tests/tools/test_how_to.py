"""The how-to pages of the documentation do what they show."""

import doctest
from pathlib import Path

import pytest

PAGES = sorted((Path(__file__).parents[2] / "tools" / "site" / "docs" / "how_to").glob("*.md"))
NEED = {"pytorch": "torch", "scipy": "scipy"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_examples_of_a_page_run(page):
    pytest.importorskip(NEED.get(page.stem, "numpy"))
    assert doctest.testfile(str(page), module_relative=False).failed == 0
