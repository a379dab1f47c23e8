"""Build the playground as a page without a server, which computes in the browser that shows it.

    python tools/site/play.py [--pyodide DIR] [OUT]

DIR is a distribution of Pyodide with NumPy, by default the environment's PYODIDE; OUT is site/play. The folder is
complete: it asks no other host, and any web server can serve it, from any path. Graphviz's WebAssembly build comes from
the npm registry, by `npm pack`, and is kept in build/.
"""

import argparse
import hashlib
import io
import json
import os
import re
import shutil
import sys
import zipfile
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path

import npm
from npm import BuildError

from autotiny.drawing.figure import SERVED, template
from autotiny.playground.limits import SECONDS
from autotiny.playground.security import POLICY

ROOT = Path(__file__).parent.parent.parent
WORKER = Path(__file__).parent / "worker"
STATIC = ROOT / "autotiny" / "playground" / "static"
PYTHON = ("pyodide.mjs", "pyodide.asm.js", "pyodide.asm.wasm", "python_stdlib.zip", "pyodide-lock.json")
GRAPHVIZ = ("@viz-js/viz@3.31.0", "dist/viz.js", "b9840ae5b70681356c207510db8820ac3f883607740616455d9c7c47d67ea646")
IN_WORKER = ("worker.js",)
FETCHED = (".wasm", ".zip", ".json", ".whl")
"""The endings of the files that the worker fetches, whose bytes the progress bar counts."""
SLOWER = 3
"""How much longer than in the local process an answer may take: WebAssembly is slower, and a telephone too."""
BUILT = """/* What tools/site/play.py knows of this page. */

export const home = {home};
export const bytes = {bytes};
export const seconds = {seconds};
"""
UNSTARTED = """<p id="loading-words" class="unstarted" role="status">
Nothing runs here. This page needs JavaScript, and a web server: opened as a file it may load nothing.
In its folder, run <code>python -m http.server</code>.</p>
"""
"""What the page says until its scripts run."""
EPOCH = (1980, 1, 1, 0, 0, 0)
"""The time of every file in the archive: the same sources give the same bytes, and so the same address."""


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
    """Write the page into a folder, in place of what was there; raises BuildError where something is missing."""
    files = dict(_engine(Path(pyodide)))
    digest = hashlib.sha256(b"".join(name.encode() + body for name, body in sorted(files.items()))).hexdigest()
    home = f"engine-{digest[:12]}"  # its files never change under an address, so that caches may keep them
    shutil.rmtree(out, ignore_errors=True)
    (out / home).mkdir(parents=True)
    for name, body in files.items():
        (out / home / name).write_bytes(body)
    for name, body in _page(home, files):
        (out / name).write_bytes(body)


def _engine(pyodide: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the files that the worker loads."""
    wheels = sorted(pyodide.glob("numpy-*.whl"))
    missing = [name for name in PYTHON if not (pyodide / name).is_file()] + ([] if wheels else ["numpy-*.whl"])
    if missing:
        raise BuildError(f"{pyodide} is no distribution of Pyodide with NumPy: it has no {', '.join(missing)}")
    for path in [*(pyodide / name for name in PYTHON), *wheels]:
        yield path.name, path.read_bytes()
    for name in IN_WORKER:
        yield name, (WORKER / name).read_bytes()
    yield "viz.js", npm.file_of(*GRAPHVIZ)
    yield "autotiny.zip", _archive()


def _page(home: str, engine: Mapping[str, bytes]) -> Iterator[tuple[str, bytes]]:
    """Yield the files of the page: those of the local playground, with another engine."""
    for path in (*STATIC.iterdir(), *WORKER.iterdir()):
        if path.name not in (*IN_WORKER, "index.html") and not (path.parent == STATIC and path.name == "engine.js"):
            yield path.name, path.read_bytes()
    yield from ((name, template(name).encode()) for name in SERVED)
    size = sum(len(body) for name, body in engine.items() if name.endswith(FETCHED))
    seconds = {kind: SLOWER * most for kind, most in SECONDS.items()}
    yield "built.js", BUILT.format(home=json.dumps(home), bytes=size, seconds=json.dumps(seconds)).encode()
    yield "index.html", _index((STATIC / "index.html").read_text(encoding="utf-8")).encode()


def _index(text: str) -> str:
    policy = POLICY.replace("frame-ancestors 'none'", "worker-src 'self'")  # a page cannot say the first of itself
    head = (
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n<link rel="stylesheet" href="loading.css">\n'
    )
    text = text.replace('<link rel="icon"', f'{head}<link rel="icon"', 1)
    return re.sub(r"<noscript>.*?</noscript>\n", lambda _: UNSTARTED, text, count=1, flags=re.DOTALL)


def _archive() -> bytes:
    """Return the package, and graphviz, which writes its DOT text, as a zip file."""
    spec = find_spec("graphviz")
    if spec is None or spec.origin is None:
        raise BuildError("the package graphviz is not installed here: pip install -e .")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for folder in (ROOT / "autotiny", Path(spec.origin).parent):
            for path in sorted(folder.rglob("*")):
                if path.is_file() and "__pycache__" not in path.parts:
                    name = path.relative_to(folder.parent).as_posix()
                    archive.writestr(zipfile.ZipInfo(name, EPOCH), path.read_bytes(), zipfile.ZIP_DEFLATED)
    return packed.getvalue()


if __name__ == "__main__":
    main()
