"""Build the documentation site: python tools/site/build.py [OUT]; OUT is site.

Sphinx with MyST, since the course is notebooks and everything else is Markdown, and the theme that NumPy's world uses.
The pages are the README, the notebooks as they are committed, the how-to pages, the reference of what is supported, and
the docstrings. Needs the extra "docs". Warnings are errors. Where the environment's PYODIDE has a distribution of
Pyodide, the playground's page is built beside it, as play/, and linked.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import api
import links
import npm
import play

ROOT = Path(__file__).parent.parent.parent
DOCS = Path(__file__).parent / "docs"
MATHJAX = ("mathjax@3.2.2", "es5/tex-svg.js", "d4295dc33744836935c1399feece5159577b34c5c8ffb9f1c6324cd82e03a882")
COPIED = (
    *("CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md"),
    *("tools/reference.md", "tools/pictures", "tools/site/docs/how_to", "notebooks"),
)
"""What the pages consist of, at the same places as in the checkout, so that links hold."""
SOURCE_LINK = re.compile(r"\[([^\]]+)\]\((?:\.\./autotiny/[^)]*|[^)]*\[[^)]*)\)")
"""A link to a file of the package, which the site does not hold, or what only looks like a link."""
COURSE = """# The course

Ten notebooks, from one number to a network that reads digits. Each runs in some seconds, in JupyterLab, marimo or
VS Code: `pip install 'autotiny[lab]'`, then open it.

```{toctree}
:maxdepth: 1

%s
```
"""
EXAMPLES = """# Examples

NumPy code of several fields, each differentiated as it stands.

```{toctree}
:maxdepth: 1

%s
```
"""
HOW_TO = """# How to

```{toctree}
:maxdepth: 1

tools/site/docs/how_to/pytorch
tools/site/docs/how_to/operation
tools/site/docs/how_to/scipy
tools/site/docs/how_to/shards
notebooks/lesson
```
"""
PLAYGROUND = """# Playground

<a href="play/index.html">Open the playground</a>: Python runs in your browser, and what you type stays there. Where
autotiny is installed, `autotiny play` opens it without the download of Python.

What it can start from:

%s

On the pages of the [course](course) and of the [examples](examples), what is drawn, derived or compared opens in it,
too, where it is small enough for a link.
"""
PAGES = """

```{toctree}
:hidden:

course
%show_to
examples
api
tools/reference
CONTRIBUTING
CHANGELOG
SECURITY
```
"""


def main() -> None:
    """Build the site, and say where it is."""
    out = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "site"
    with tempfile.TemporaryDirectory() as folder:
        write_sources(Path(folder))
        html = Path(folder) / "html"
        command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html", "-j", "auto"]
        if status := subprocess.run([*command, folder, str(html)]).returncode:
            sys.exit(status)
        shutil.rmtree(out, ignore_errors=True)
        shutil.copytree(html, out, ignore=shutil.ignore_patterns(".doctrees", ".buildinfo"))
    if pyodide := os.environ.get("PYODIDE"):
        play.build(Path(pyodide), out / "play")
    print(f"{out}: {sum(1 for _ in out.rglob('*.html'))} pages; try it: python -m http.server --directory {out}")


def write_sources(folder: Path) -> None:
    """Write what Sphinx reads into a folder."""
    for name in COPIED:
        source, target = ROOT / name, folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("*.py", "__pycache__", "data"))
        else:
            shutil.copy(source, target)
    supported = folder / "tools" / "reference.md"
    supported.write_text(SOURCE_LINK.sub(r"\1", supported.read_text(encoding="utf-8")), encoding="utf-8")
    for path in (DOCS / "conf.py", DOCS / "site.css", ROOT / "autotiny" / "playground" / "static" / "icon.svg"):
        shutil.copy(path, folder)
    (folder / "mathjax.js").write_bytes(npm.file_of(*MATHJAX))
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    playground = "playground\n" if os.environ.get("PYODIDE") else ""
    if playground:
        (folder / "playground.md").write_text(PLAYGROUND % "\n".join(links.examples()), encoding="utf-8")
    (folder / "index.md").write_text(readme + PAGES % playground, encoding="utf-8")
    for page, text, notebooks in (("course", COURSE, "notebooks"), ("examples", EXAMPLES, "notebooks/examples")):
        paths = sorted((ROOT / notebooks).glob("*.ipynb"))
        names = [path.relative_to(ROOT).with_suffix("").as_posix() for path in paths]
        (folder / f"{page}.md").write_text(text % "\n".join(names), encoding="utf-8")
        for name, path in zip(names, paths, strict=True) if playground else ():
            home = "../" * name.count("/") + "play/index.html"
            (folder / f"{name}.ipynb").write_text(links.with_links(path, home), encoding="utf-8")
    (folder / "how_to.md").write_text(HOW_TO, encoding="utf-8")
    (folder / "api.md").write_text(api.reference(), encoding="utf-8")


if __name__ == "__main__":
    main()
