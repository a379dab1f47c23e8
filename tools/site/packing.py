"""The archives of Python modules that the page loads: byte code, so that no browser compiles what is the same for all.

Only Pyodide's own Python writes byte code that it reads, so that it compiles here too, in Node.
"""

import gzip
import io
import subprocess
import tarfile
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

from npm import BuildError

EPOCH = (1980, 1, 1, 0, 0, 0)
"""The time of every file in an archive: the same sources give the same bytes, and so the same address."""
RUNNER = """
import {{ loadPyodide }} from {pyodide!r};
import fs from "node:fs";
const env = {{ HOME: "/", PYTHONHASHSEED: "0", PYTHONNODEBUGRANGES: "1" }};
const python = await loadPyodide({{ indexURL: {folder!r}, env }});
python.FS.writeFile("/sources.zip", new Uint8Array(fs.readFileSync({sources!r})));
python.runPython(fs.readFileSync({program!r}, "utf8"));
fs.writeFileSync({out!r}, python.FS.readFile("/compiled.zip"));
"""
PACKAGES = "/packages"
"""The folder in Python's file system to which worker.js unpacks the packages."""
PROGRAM = """
import os, zipfile
from importlib._bootstrap_external import _code_to_hash_pyc

with zipfile.ZipFile("/sources.zip") as sources, zipfile.ZipFile("/compiled.zip", "w") as compiled:
    for name in sources.namelist():
        pack, _, path = name.partition("/")
        home = os.path.dirname(os.__file__) if pack == "library" else {packages!r}
        code = compile(sources.read(name), home + "/" + path, "exec", dont_inherit=True)
        compiled.writestr(name, _code_to_hash_pyc(code, bytes(8), False))
"""
"""Unchecked, since the page has no sources that the byte code could be older than; its file names are those that the
modules have there, by which autotiny tells its own code from that of a user."""


def compiled(pyodide: Path, packs: Mapping[str, Mapping[str, bytes]]) -> dict[str, dict[str, bytes]]:
    """Return packs of files by name with byte code, name.pyc, in place of each module's source, name.py."""
    with tempfile.TemporaryDirectory() as folder:
        sources, program, out, runner = (Path(folder) / name for name in ("in.zip", "program.py", "out.zip", "run.mjs"))
        modules = [(pack, name) for pack, files in packs.items() for name in files if name.endswith(".py")]
        with zipfile.ZipFile(sources, "w") as archive:
            for pack, name in modules:
                archive.writestr(f"{pack}/{name}", packs[pack][name])
        program.write_text(PROGRAM.format(packages=PACKAGES), encoding="utf-8")
        home = pyodide.resolve().as_posix()
        paths = {"sources": sources.as_posix(), "program": program.as_posix(), "out": out.as_posix()}
        runner.write_text(RUNNER.format(pyodide=f"{home}/pyodide.mjs", folder=f"{home}/", **paths), encoding="utf-8")
        _node(runner)
        result = {pack: {n: b for n, b in files.items() if not n.endswith(".py")} for pack, files in packs.items()}
        with zipfile.ZipFile(out) as archive:
            for pack, name in modules:
                result[pack][f"{name}c"] = archive.read(f"{pack}/{name}")
    return result


def _node(runner: Path) -> None:
    try:
        subprocess.run(["node", str(runner)], capture_output=True, text=True, check=True)
    except OSError as error:
        raise BuildError(f"node, which compiles the Python modules, does not run here: {error}") from error
    except subprocess.CalledProcessError as error:
        raise BuildError(f"the Python modules were not compiled: {error.stderr.strip()[-2000:]}") from error


def zipped(files: Mapping[str, bytes]) -> bytes:
    """Return files as a zip archive, from which Python imports."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in sorted(files.items()):
            archive.writestr(zipfile.ZipInfo(name, EPOCH), body, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def tarred(files: Mapping[str, bytes]) -> bytes:
    """Return files as a compressed tar archive, which worker.js unpacks."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, body in sorted(files.items()):
            member = tarfile.TarInfo(name)
            member.size = len(body)
            archive.addfile(member, io.BytesIO(body))
    return gzip.compress(packed.getvalue(), mtime=0)
