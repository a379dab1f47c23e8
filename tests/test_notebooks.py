import doctest
import re
from pathlib import Path

import nbformat
import pytest

from notebooks import NUMBER, results, rounded, run, sources

README = Path(__file__).parent.parent / "README.md"
SOURCES = sources()
COURSE = [source for source in SOURCES if source.parent.name != "examples"]
EXAMPLES = sources("examples/")


@pytest.mark.parametrize(
    "source",
    [*COURSE, *(pytest.param(source, marks=pytest.mark.thorough) for source in EXAMPLES)],
    ids=lambda source: source.stem,
)
def test_notebook_runs_and_its_committed_form_is_current(source):
    committed = nbformat.read(source.with_suffix(".ipynb"), as_version=4)
    assert list(results(run(source))) == list(results(committed))


def test_course_has_no_gaps():
    assert [int(source.stem[:2]) for source in COURSE] == list(range(1, len(COURSE) + 1))


@pytest.mark.parametrize("source", EXAMPLES, ids=lambda source: source.stem)
def test_example_asserts_its_figures_checks_its_gradient_and_shows_a_picture(source):
    text, shown = source.read_text(), nbformat.read(source.with_suffix(".ipynb"), as_version=4)
    outputs = [output for cell in shown.cells for output in cell.get("outputs", [])]
    assert re.search("^ *(assert|np.testing.assert)", text, re.M)
    assert "at.compare(" in text
    assert "at.compile(" in text
    assert any("image/png" in output.get("data", {}) for output in outputs)


def test_readme_lists_every_notebook():
    listed = set(re.findall(r"\((notebooks/.*?[.]ipynb)\)", README.read_text()))
    assert listed == {source.with_suffix(".ipynb").relative_to(README.parent).as_posix() for source in SOURCES}


def test_stale_result_is_noticed():
    committed = nbformat.read(COURSE[0].with_suffix(".ipynb"), as_version=4)
    current = list(results(committed))
    shown = next(cell for cell in committed.cells if cell.cell_type == "code" and cell.outputs)
    shown.outputs[0].data["text/plain"] = "another result"
    assert list(results(committed)) != current


@pytest.mark.parametrize(("one", "other", "same"), [("1.4e-16", "2.2e-16", True), ("0.98", "0.95", False)])
def test_rounding_errors_are_not_results(one, other, same):
    assert (NUMBER.sub(rounded, one) == NUMBER.sub(rounded, other)) == same


def test_committed_notebooks_show_what_a_code_forge_shows():
    kinds = [
        set(output.data)
        for source in SOURCES
        for cell in nbformat.read(source.with_suffix(".ipynb"), as_version=4).cells
        for output in cell.get("outputs", [])
        if output.output_type == "execute_result"
    ]
    assert any("image/svg+xml" in shown for shown in kinds)
    assert all("text/html" not in shown for shown in kinds if shown & {"image/svg+xml", "text/latex"})


def test_the_lesson_has_the_numbers_that_it_names():
    result = doctest.testfile(str(README.parent / "notebooks" / "lesson.md"), module_relative=False)
    assert result.attempted > 8
    assert result.failed == 0
