"""Runs the notebooks, whose sources are notebooks/*.py, and writes them with their results as notebooks/*.ipynb.

    python tools/notebooks.py               every notebook
    python tools/notebooks.py 03            those whose names start so

What a code-hosting site shows has no scripts: pictures are kept in their static form, and nothing that changes from
run to run is kept, so that a notebook that was run again is the same file unless its results differ.
"""

import argparse
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jupytext
from nbclient import NotebookClient

NOTEBOOKS = Path(__file__).parent.parent / "notebooks"
SECONDS = 120
NUMBER = re.compile(r"-?\d+\.\d+(?:e[+-]?\d+)?|-?\d+e[+-]?\d+")
ROUNDING = 1e-12


def sources(beginning: str = "") -> list[Path]:
    """The sources, in the order of the course."""
    return sorted(NOTEBOOKS.glob(f"{beginning}*.py"))


def run(source: Path) -> Any:
    """The notebook of a source, with the results of running it."""
    notebook = jupytext.read(source)
    notebook.metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    NotebookClient(notebook, timeout=SECONDS, resources={"metadata": {"path": NOTEBOOKS}}).execute()
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number}"
        cell.metadata = {key: value for key, value in cell.metadata.items() if key == "tags"}
        for output in cell.get("outputs", []):
            keep_static(output)
    return notebook


def keep_static(output: Any) -> None:
    """A picture as the image that at.draw(...).static shows, a derivation as LaTeX: such sites drop MathML."""
    data = output.get("data", {})
    if data.get("text/html", "").startswith("<svg"):
        data["image/svg+xml"] = data.pop("text/html")
    if "text/latex" in data:
        data.pop("text/html", None)


def results(notebook: Any) -> Iterator[tuple[str, str]]:
    """Each code cell with the words that it printed or showed, but for those tagged `varies`."""
    for cell in notebook.cells:
        if cell.cell_type == "code":
            varies = "varies" in cell.metadata.get("tags", [])
            yield cell.source, "" if varies else NUMBER.sub(rounded, "".join(map(words, cell.outputs)))


def words(output: Any) -> str:
    """What an output says in plain text."""
    return str(output.text if output.output_type == "stream" else output.data.get("text/plain", ""))


def rounded(number: re.Match[str]) -> str:
    """To three digits, and 0 where it is rounding error: the rest differs between processors."""
    value = float(number[0])
    return f"{value:.3g}" if abs(value) > ROUNDING else "0"


def main() -> None:
    """Run the notebooks that were asked for, and write them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("beginning", nargs="?", default="", help="of the names of the notebooks to run")
    for source in sources(parser.parse_args().beginning):
        jupytext.write(run(source), source.with_suffix(".ipynb"))
        print(source.with_suffix(".ipynb").name)


if __name__ == "__main__":
    main()
