"""Build the wheel and the source distribution, check them, and try the wheel in an environment of its own.

    python tools/package.py [OUT]

OUT is dist. Needs the extra "release". The environment gets the wheel, NumPy and graphviz, nothing else, and runs a
first expression and the command line. Then it gets the extra as the README and the errors say, and must print what the
README does.
"""

import re
import subprocess
import sys
import tarfile
import tempfile
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
OUTSIDE = ("build/", "site/", "report/", ".venv", "tests/shards/data", "expression.svg", "network.svg")
"""The beginnings of names that no distribution holds."""
SMOKE = """
import importlib.resources, sys
import numpy as np, autotiny as at
x = at.Tensor(3.0)
y = x * x + x
y.backward()
assert x.grad == 7.0, x.grad
assert at.compare(y, {"x": 7.0}).ok and str(at.derive(y, "x").formula) == "1 + 2 * x", at.derive(y, "x").formula
assert at.compile(at.grad(lambda x: np.sum(np.tanh(x))))(np.zeros(2)).tolist() == [1.0, 1.0]
assert "x * x" in repr(at.draw(y))
assert importlib.resources.files("autotiny").joinpath("py.typed").is_file()
assert importlib.resources.files("autotiny.playground").joinpath("static", "index.html").is_file()
assert importlib.resources.files("autotiny.nn").joinpath("data", "digits.csv.gz").is_file()
assert not {"scipy", "matplotlib", "numba"} & set(sys.modules)
print(at.__version__, np.__version__, sys.version.split()[0])
"""


def main() -> None:
    """Build and check; the exit status is that of the first check that fails."""
    out = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "dist"
    for old in (*out.glob("autotiny-*.whl"), *out.glob("autotiny-*.tar.gz")):
        old.unlink()
    run(sys.executable, "-m", "build", "--outdir", out, ROOT)
    (wheel,), (sdist,) = out.glob("*.whl"), out.glob("*.tar.gz")
    run(sys.executable, "-m", "twine", "check", "--strict", wheel, sdist)
    run(sys.executable, "-m", "check_wheel_contents", wheel)
    require_clean(wheel, sdist)
    try_in_an_environment(wheel)


def require_clean(wheel: Path, sdist: Path) -> None:
    """Exit where a distribution holds what was built, or the source distribution lacks the tests."""
    with zipfile.ZipFile(wheel) as archive, tarfile.open(sdist) as source:
        packed = archive.namelist()
        sources = [name.partition("/")[2] for name in source.getnames()]
    junk = [name for name in (*packed, *sources) if name.startswith(OUTSIDE) or "__pycache__" in name]
    if junk or "tests/conftest.py" not in sources or any(name.startswith("tests/") for name in packed):
        sys.exit(f"package.py: expected the package in the wheel, and the tests in the source alone; junk: {junk[:5]}")


def try_in_an_environment(wheel: Path) -> None:
    """Install the wheel in a new environment, and run it outside of the checkout."""
    with tempfile.TemporaryDirectory() as folder:
        venv.create(Path(folder) / "venv", with_pip=True)
        scripts = Path(folder) / "venv" / ("Scripts" if sys.platform == "win32" else "bin")
        run(scripts / "python", "-m", "pip", "install", "--quiet", wheel)
        run(scripts / "python", "-W", "error", "-c", SMOKE, cwd=folder)
        run(scripts / "autotiny", "--version", cwd=folder)
        run(scripts / "python", "-m", "pip", "install", "--quiet", "autotiny[lab]")
        require_what_the_readme_prints(scripts / "python", folder)


def require_what_the_readme_prints(python: Path, folder: str) -> None:
    """Exit where the README's first example prints something else than the block below it."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    code, printed = re.findall(r"```(?:python|text)\n(.*?)```", readme, re.S)[:2]
    command = [str(python), "-W", "error", "-X", "utf8", "-"]
    done = subprocess.run(command, input=code, cwd=folder, stdout=subprocess.PIPE, encoding="utf-8")
    if done.returncode or done.stdout != printed or not (Path(folder) / "network.svg").exists():
        sys.exit(f"package.py: expected of the README's first example:\n{printed}\nit printed:\n{done.stdout}")


def run(*command: object, cwd: str | None = None) -> None:
    """Run a command; exit with its status where it fails."""
    status = subprocess.run(list(map(str, command)), cwd=cwd).returncode
    if status:
        sys.exit(f"package.py: {' '.join(map(str, command[:4]))} ... failed with status {status}")


if __name__ == "__main__":
    main()
