"""Run the notebooks, whose sources are notebooks/*.py, and write them with their results as notebooks/*.ipynb.

    python tools/notebooks.py               every notebook
    python tools/notebooks.py 03            those whose names start with 03
    python tools/notebooks.py examples/     the examples, notebooks/examples/*.py

Code-hosting sites run no scripts, so pictures are kept in their static form. Everything that varies from run to run is
removed, so that running a notebook again gives the same file unless its results differ.
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
    """Return the sources, the course in its order, then the examples."""
    paths = [*sorted(NOTEBOOKS.glob("*.py")), *sorted(NOTEBOOKS.glob("examples/*.py"))]
    return [path for path in paths if path.relative_to(NOTEBOOKS).as_posix().startswith(beginning)]


def run(source: Path) -> Any:
    """Run the notebook of a source, and return it with its results."""
    notebook = jupytext.read(source)
    notebook.metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    where = {"metadata": {"path": source.parent}}
    NotebookClient(notebook, timeout=SECONDS, resources=where, coalesce_streams=True).execute()
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number}"
        cell.metadata = {key: value for key, value in cell.metadata.items() if key == "tags"}
        for output in cell.get("outputs", []):
            keep_static(output)
    return notebook


def keep_static(output: Any) -> None:
    """Keep a picture as SVG, and a derivation as LaTeX, because code-hosting sites drop MathML."""
    data = output.get("data", {})
    if data.get("text/html", "").startswith("<svg"):
        data["image/svg+xml"] = data.pop("text/html").partition("</svg>")[0] + "</svg>\n"
    if "text/latex" in data:
        data.pop("text/html", None)


def results(notebook: Any) -> Iterator[tuple[str, str]]:
    """Yield each code cell with the text of its outputs; that of cells tagged `varies` is left empty."""
    for cell in notebook.cells:
        if cell.cell_type == "code":
            varies = "varies" in cell.metadata.get("tags", [])
            yield cell.source, "" if varies else NUMBER.sub(rounded, "".join(map(words, cell.outputs)))


def words(output: Any) -> str:
    """Return an output as plain text."""
    return str(output.text if output.output_type == "stream" else output.data.get("text/plain", ""))


def rounded(number: re.Match[str]) -> str:
    """Round to three digits, and rounding errors to 0: further digits differ between processors."""
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
