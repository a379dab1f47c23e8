"""The how-to pages: their sessions print what they say, and their scripts run as files of their own."""

import doctest
import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "tools" / "site" / "docs" / "how_to").glob("*.md"))
SCRIPTS = {
    f"{page.stem}: {name}": (needed, name, code)
    for page in PAGES
    for needed, name, code in re.findall(
        r"```python\n# script(?: with (\w+))?: (\S+)\n(.*?)```", page.read_text(), re.DOTALL
    )
}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_sessions_print_what_the_page_says(page):
    found = doctest.testfile(str(page), module_relative=False)
    assert found.attempted > 10
    assert found.failed == 0


@pytest.mark.parametrize(("needed", "name", "code"), SCRIPTS.values(), ids=SCRIPTS)
def test_a_script_prints_what_its_last_comment_says(needed, name, code, tmp_path):
    if needed and not find_spec(needed):
        pytest.skip(f"{needed} is not installed")
    (tmp_path / name).write_text(code)
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, name], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == code.strip().rpartition("  # ")[2]


def test_the_page_on_shards_has_a_script_that_needs_nothing():
    assert "shards: fit.py" in SCRIPTS
