"""Build the playground as a page without a server, which computes in the browser that shows it.

    python tools/site/play.py [--pyodide DIR] [OUT]

DIR is a distribution of Pyodide with NumPy, by default the environment's PYODIDE; OUT is site/play. The folder is
complete: it asks no other host, and any web server can serve it, from any path. Python's modules are compiled here, in
Node; Graphviz's WebAssembly build comes from the npm registry, by `npm pack`, and is kept in build/.
"""

import argparse
import hashlib
import json
import os
import re
import shutil
import sys
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path

import npm
import packing
from npm import BuildError

from autotiny.drawing.figure import SERVED, template
from autotiny.playground.limits import SECONDS
from autotiny.playground.security import POLICY

ROOT = Path(__file__).parent.parent.parent
WORKER = Path(__file__).parent / "worker"
STATIC = ROOT / "autotiny" / "playground" / "static"
PYTHON = ("pyodide.mjs", "pyodide.asm.js", "pyodide.asm.wasm", "pyodide-lock.json")
LIBRARY = "python_stdlib.zip"
UNUSED = re.compile(
    r"/tests/|/distutils/|^numpy/(f2py|_pyinstaller)/|_core/(include|lib)/|random/(lib|_examples)/|\.dist-info/"
    r"|\.(pyi|pxd|pyx|a|h|typed)$|^(pydoc_data|idlelib)/"
)
"""The files of NumPy, and of Python's library, of which no page has any use."""
GRAPHVIZ = ("@viz-js/viz@3.31.0", "dist/viz.js", "b9840ae5b70681356c207510db8820ac3f883607740616455d9c7c47d67ea646")
SLOWER = 3
"""How much longer than in the local process an answer may take: WebAssembly is slower, and a telephone too."""
BUILT = """/* What tools/site/play.py knows of this page. */

export const home = {home};
export const packages = {packages};
export const sizes = {sizes};
export const seconds = {seconds};
"""
NOT_FIRST = ("app.js", "worker.js", "fetching.js", "unpacking.js")
"""The scripts that the page itself names, or that its workers load."""
COUNTED = (".wasm", ".zip", ".packed")
"""The endings of the files whose bytes the progress bar counts."""
UNSTARTED = """<p id="loading-words" class="unstarted" role="status">
Nothing runs here. This page needs JavaScript, and a web server: opened as a file it may load nothing.
In its folder, run <code>python -m http.server</code>.</p>
"""
"""What the page says until its scripts run."""


def main() -> None:
    """Build the page, and say where it is."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pyodide", type=Path, default=os.environ.get("PYODIDE"))
    parser.add_argument("out", nargs="?", type=Path, default=ROOT / "site" / "play")
    args = parser.parse_args()
    try:
        if args.pyodide is None:
            raise BuildError("no Pyodide: give its folder by --pyodide, or in the environment variable PYODIDE")
        build(args.pyodide, args.out)
    except BuildError as error:
        sys.exit(f"play.py: {error}")
    size = sum(path.stat().st_size for path in args.out.rglob("*") if path.is_file())
    print(f"{args.out}: {size / 1e6:.1f} MB; try it: python -m http.server --directory {args.out}")


def build(pyodide: Path, out: Path) -> None:
    """Write the page into a folder, in place of what was there; raises BuildError where something is missing.

    All but index.html lies in folders that are named after what is in them: caches may keep them, an updated page is
    never mixed with older files, and Python itself is loaded anew only where it has changed.
    """
    pyodide = Path(pyodide)
    packs = packing.compiled(pyodide, dict(_sources(pyodide)))
    python = {
        **{name: (pyodide / name).read_bytes() for name in PYTHON},
        LIBRARY: packing.zipped(packs["library"]),
        "numpy.packed": packing.tarred(packs["numpy"]),
        "viz.js": npm.file_of(*GRAPHVIZ),
    }
    page = {**dict(_scripts()), "autotiny.packed": packing.tarred(packs["autotiny"])}
    home = _named("python", python)
    page["built.js"] = _built(f"../{home}/", {f"../{home}/": python, "": page}).encode()
    shutil.rmtree(out, ignore_errors=True)
    for folder, files in ((home, python), (front := _named("page", page), page)):
        (out / folder).mkdir(parents=True)
        for name, body in files.items():
            (out / folder / name).write_bytes(body)
    (out / "index.html").write_text(_index(front, page), encoding="utf-8")


def _named(what: str, files: Mapping[str, bytes]) -> str:
    """Return the name of a folder of files, which changes with any of them."""
    digest = hashlib.sha256(b"".join(name.encode() + body for name, body in sorted(files.items()))).hexdigest()
    return f"{what}-{digest[:12]}"


def _sources(pyodide: Path) -> Iterator[tuple[str, dict[str, bytes]]]:
    """Yield the files of Python's library, of NumPy, and of the package with graphviz, which writes its DOT text."""
    wheels = sorted(pyodide.glob("numpy-*.whl"))
    missing = [name for name in (*PYTHON, LIBRARY) if not (pyodide / name).is_file()]
    missing += [] if wheels else ["numpy-*.whl"]
    if missing:
        raise BuildError(f"{pyodide} is no distribution of Pyodide with NumPy: it has no {', '.join(missing)}")
    graphviz = find_spec("graphviz")
    if graphviz is None or graphviz.origin is None:
        raise BuildError("the package graphviz is not installed here: pip install -e .")
    yield "library", _in_archive(pyodide / LIBRARY)
    yield "numpy", _in_archive(wheels[0])
    folders = (ROOT / "autotiny", Path(graphviz.origin).parent)
    paths = [(path, folder.parent) for folder in folders for path in folder.rglob("*") if path.is_file()]
    yield (
        "autotiny",
        {p.relative_to(above).as_posix(): p.read_bytes() for p, above in paths if "__pycache__" not in p.parts},
    )


def _in_archive(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist() if name[-1] != "/" and not UNUSED.search(name)}


def _scripts() -> Iterator[tuple[str, bytes]]:
    """Yield the files of the page: those of the local playground, with another engine."""
    for path in (*STATIC.iterdir(), *WORKER.iterdir()):
        if path.name != "index.html" and not (path.parent == STATIC and path.name == "engine.js"):
            yield path.name, path.read_bytes()
    yield from ((name, template(name).encode()) for name in SERVED)


def _built(python: str, folders: Mapping[str, Mapping[str, bytes]]) -> str:
    """Return the module that says where Python lies, from the page's folder, and how large each file to count is."""
    counted = {folder + n: len(b) for folder, files in folders.items() for n, b in files.items() if n.endswith(COUNTED)}
    seconds = {kind: SLOWER * most for kind, most in SECONDS.items()}
    return BUILT.format(
        home=json.dumps(python),
        packages=json.dumps(packing.PACKAGES),
        sizes=json.dumps(counted),
        seconds=json.dumps(seconds),
    )


def _index(front: str, files: Iterable[str]) -> str:
    """Return the page, with its files in a folder; the modules are loaded at once, and not one after the other."""
    text = (STATIC / "index.html").read_text(encoding="utf-8")
    policy = POLICY.replace("frame-ancestors 'none'", "worker-src 'self'")  # a page cannot say the first of itself
    modules = [name for name in files if name.endswith(".js") and name not in NOT_FIRST]
    preloads = "".join(f'<link rel="modulepreload" href="{name}">\n' for name in modules)
    head = (
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        f'<link rel="stylesheet" href="loading.css">\n{preloads}'
    )
    text = text.replace('<link rel="icon"', f'{head}<link rel="icon"', 1)
    text = re.sub(r"<noscript>.*?</noscript>\n", lambda _: UNSTARTED, text, count=1, flags=re.DOTALL)
    return re.sub(r'(<(?:link|script)[^>]* (?:href|src)=")', rf"\1{front}/", text)


if __name__ == "__main__":
    main()
