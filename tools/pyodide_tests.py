"""Run the tests of the core in Pyodide, as a page does: Python for WebAssembly, in Node.

    python tools/pyodide_tests.py [--pyodide DIR] [--every N] [pytest's options ...] [TESTS ...]

There are no threads, processes or floating-point flags there. Every N-th test of a file runs (8), since they take some
five times as long. DIR is a distribution of Pyodide with NumPy, by default the environment's PYODIDE. pytest and what
the tests need are downloaded once, into build/.
"""

import argparse
import io
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGES = ("pytest", "hypothesis", "mpmath", "graphviz")
TESTS = ("tests/engine", "tests/checking", "tests/derivation")
DIFFERENT = {
    "test_modes.py": "threads, and tasks of asyncio",
    "in another thread": "threads",
    "test_complex.py::test_a_right_gradient_agrees": "its long double has 33 digits, and another entry is the worst",
    "right_to_1e_14_but_through_linear_algebra": "its long double has 33 digits, so that more is right to 1e-14",
}
"""Parts of the names of tests that do not hold there, and why."""
RUNNER = """
import {{ loadPyodide }} from "{pyodide}/pyodide.mjs";
import fs from "node:fs";
const python = await loadPyodide({{ indexURL: "{pyodide}/", packages: ["numpy"], env: {{ HOME: "/" }} }});
python.unpackArchive(new Uint8Array(fs.readFileSync("{archive}")), "zip", {{ extractDir: "/checkout" }});
try {{
  process.exitCode = python.runPython(fs.readFileSync("{program}", "utf8"));
}} catch (error) {{
  console.error(String(error.message).slice(-4000));
  process.exitCode = 1;
}}
"""
PROGRAM = """
import os, sys
sys.path[:0] = ["/checkout", "/checkout/packages", "/checkout/tools", "/checkout/tests"]
os.chdir("/checkout")
import pytest

class Every:
    def pytest_collection_modifyitems(self, config, items):
        place = {{}}
        kept = []
        for item in items:
            place[item.path] = number = place.get(item.path, -1) + 1
            if number % {every} == 0 and not any(part in item.nodeid for part in {different}):
                kept.append(item)
        config.hook.pytest_deselected(items=[item for item in items if item not in set(kept)])
        items[:] = kept

int(pytest.main({arguments}, plugins=[Every()]))
"""


def main() -> None:
    """Run the tests; the exit status is pytest's."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pyodide", type=Path, default=os.environ.get("PYODIDE"))
    parser.add_argument("--every", type=int, default=8)
    parser.add_argument("tests", nargs="*", default=TESTS)
    args, given = parser.parse_known_args()
    if args.pyodide is None:
        sys.exit("pyodide_tests.py: no Pyodide: give its folder by --pyodide, or in the environment variable PYODIDE")
    options = "-q --capture=sys -p no:cacheprovider -W error --import-mode=importlib -o addopts="
    arguments = [*options.split(), "-m", "not thorough and not browser", *given, *args.tests]
    with tempfile.TemporaryDirectory() as folder:
        archive, program, runner = (Path(folder) / name for name in ("checkout.zip", "program.py", "runner.mjs"))
        archive.write_bytes(_checkout())
        program.write_text(
            PROGRAM.format(every=args.every, different=[*DIFFERENT], arguments=arguments), encoding="utf-8"
        )
        names = {"pyodide": Path(args.pyodide).resolve().as_posix(), "archive": archive.as_posix()}
        runner.write_text(RUNNER.format(program=program.as_posix(), **names), encoding="utf-8")
        sys.exit(subprocess.run(["node", str(runner)]).returncode)


def _checkout() -> bytes:
    """Return the package, its tests, and the packages that they need, as a zip file."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(ROOT / "pyproject.toml", "pyproject.toml")
        for folder in ("autotiny", "tests", "tools"):
            for path in (ROOT / folder).rglob("*"):
                if path.is_file() and "__pycache__" not in path.parts:
                    archive.write(path, path.relative_to(ROOT))
        for wheel in _wheels():
            with zipfile.ZipFile(wheel) as package:
                for name in package.namelist():
                    archive.writestr(f"packages/{name}", package.read(name))
    return packed.getvalue()


def _wheels() -> list[Path]:
    """Return the wheels of what the tests need, in pure Python."""
    folder = ROOT / "build" / "wheels"
    if not folder.is_dir():
        pure = ["--only-binary=:all:", "--implementation=py", "--abi=none", "--platform=any", "--python-version=3.12"]
        subprocess.run([sys.executable, "-m", "pip", "download", "-q", *pure, "-d", folder, *PACKAGES], check=True)
    return sorted(folder.glob("*.whl"))


if __name__ == "__main__":
    main()
