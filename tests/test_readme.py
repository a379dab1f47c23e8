import doctest
from pathlib import Path

README = Path(__file__).parent.parent / "README.md"


def test_every_line_of_the_readme_does_what_it_says(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = doctest.testfile(str(README), module_relative=False)

    assert result.attempted > 20
    assert result.failed == 0
    assert (tmp_path / "expression.svg").read_text().startswith("<svg")
