"""Check the types of code as people write it, with mypy and pyright.

    python tools/user_types.py

`tests/tools/user_types` is checked by the strictest rules: expressions.py states the types that expressions must have,
errors.py the errors that must be found; `user_types_with_plugin` states what mypy knows by `autotiny.mypy_plugin`.
README and the notebooks annotate nothing, as code in a notebook does: there all rules hold but those that ask for
annotations, and a name may be used again for something else.
"""

import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
STRICT = ROOT / "tests" / "tools" / "user_types"
WITH_PLUGIN = ROOT / "tests" / "tools" / "user_types_with_plugin"
MYPY = ["--strict", "--follow-imports=silent", "--ignore-missing-imports"]
UNANNOTATED = ["--allow-untyped-defs", "--allow-untyped-calls", "--allow-incomplete-defs", "--allow-redefinition"]
PYRIGHT = {
    "typeCheckingMode": "strict",
    "enableTypeIgnoreComments": False,
    "reportUnnecessaryTypeIgnoreComment": True,
    "reportUnknownLambdaType": False,  # a lambda cannot be annotated
    "reportUnknownArgumentType": False,
    "reportUnknownMemberType": False,  # what comes of an error
    "reportUnknownVariableType": False,
    "reportConstantRedefinition": False,  # W is a matrix
}
RELAXED = {
    "09_how_fast_is_it": "reportCallIssue",  # counts too few arguments in f(*a, *b) of an f with a ParamSpec
    "gaussian_process": "reportAttributeAccessIssue",  # the sum of a list may be 0
}
"""What pyright finds in notebooks that are right."""


def of_readme() -> str:
    """Return the code of README, each line in its place."""
    inside, lines = False, []
    for line in (ROOT / "README.md").read_text(encoding="utf-8").splitlines():
        inside = line == "```python" or (inside and line != "```")
        lines.append(line[4:] if inside and re.match(r"(>>>|\.\.\.)( |$)", line) else "")
    return "\n".join(lines) + "\n"


def write_unannotated(folder: Path) -> None:
    """Write README and the notebooks as modules, whose names begin with a letter."""
    (folder / "readme.py").write_text(of_readme(), encoding="utf-8")
    for source in (ROOT / "notebooks").rglob("*.py"):
        text = source.read_text(encoding="utf-8")
        rule = RELAXED.get(source.stem)
        text += f"# pyright: {rule}=false\n" if rule else ""
        (folder / f"notebook_{source.stem}.py").write_text(text, encoding="utf-8")


def mypy(folder: Path, *options: str, settings: str = "") -> int:
    """Run mypy on the files of a folder, with these lines of its configuration, and return its exit code."""
    configuration = folder / "mypy.ini"
    configuration.write_text(f"[mypy]\n{settings}\n", encoding="utf-8")
    files = sorted(map(str, folder.glob("*.py")))
    own = ["--config-file", str(configuration), "--cache-dir", f".mypy_cache/{folder.name}"]  # as options differ
    command = [sys.executable, "-m", "mypy", *MYPY, *options, *own, *files]
    return subprocess.run(command, cwd=ROOT, check=False).returncode


def pyright(folder: Path, rules: Mapping[str, Any]) -> int:
    """Run pyright on a folder, and return its exit code."""
    configuration = folder / "pyrightconfig.json"
    configuration.write_text(json.dumps({**rules, "extraPaths": [str(ROOT)]}), encoding="utf-8")
    command = [sys.executable, "-m", "pyright", "--project", str(configuration), "--pythonpath", sys.executable]
    return subprocess.run(command, check=False).returncode


def main() -> int:
    """Check all of it, and return how many runs have failed."""
    with tempfile.TemporaryDirectory() as own:
        unannotated, strict, with_plugin = Path(own) / "unannotated", Path(own) / "strict", Path(own) / "with_plugin"
        unannotated.mkdir()
        write_unannotated(unannotated)
        shutil.copytree(STRICT, strict)
        shutil.copytree(WITH_PLUGIN, with_plugin)
        failed = [
            mypy(strict),
            mypy(with_plugin, settings="plugins = autotiny.mypy_plugin"),
            mypy(unannotated, *UNANNOTATED),
            pyright(strict, PYRIGHT),
            pyright(unannotated, {"typeCheckingMode": "basic", "reportUnusedExpression": False}),
        ]
    return sum(map(bool, failed))


if __name__ == "__main__":
    sys.exit(main())
