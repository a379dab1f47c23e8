import doctest
import re
from pathlib import Path

import grimp

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
ENGINE = ROOT / "autotiny" / "engine"


def test_every_line_of_the_readme_does_what_it_says(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = doctest.testfile(str(README), module_relative=False)

    assert result.attempted > 20
    assert result.failed == 0
    assert (tmp_path / "expression.svg").read_text().startswith("<svg")


def test_what_is_shown_first_prints_what_stands_below_it(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    code, printed = re.search(
        r"```python\n(.*?)```\n\n```text\n(.*?)```", README.read_text(encoding="utf-8"), re.S
    ).groups()
    exec(compile(code, "README.md", "exec"), {"__name__": "__main__"})
    assert capsys.readouterr().out == printed
    assert (tmp_path / "network.svg").read_text().startswith("<svg")


def test_the_two_commands_fit_a_line():
    commands = [
        line.strip() for line in README.read_text(encoding="utf-8").splitlines() if line.startswith("    python3 -m")
    ]
    assert len(commands) == 2
    assert all(len(command) <= 120 for command in commands)


def reading_path():
    """The folders and files of autotiny that "Read the source" names, in order; a bare name is a file of engine/."""
    section = README.read_text(encoding="utf-8").split("## Read the source")[1].split("\n## ")[0]
    names = re.findall(r"`(autotiny/[\w/]+(?:/|\.py)|\w+\.py)`", section)
    return [ROOT / name if "/" in name else ENGINE / name for name in names]


def module(path):
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


def test_every_part_of_the_reading_path_exists():
    assert [path for path in reading_path() if not path.exists()] == []


def test_reading_path_names_every_file_of_the_engine():
    files = {path for path in ENGINE.glob("*.py") if path.name != "__init__.py"}
    assert files - set(reading_path()) == set()


def test_each_part_of_the_reading_path_imports_only_earlier_ones():
    graph, earlier, forward = grimp.build_graph("autotiny", cache_dir=None), {"autotiny"}, []
    for part in map(module, filter(Path.exists, reading_path())):
        whole = {part} if part == "autotiny.engine" else {part, *graph.find_descendants(part)}
        imported = {(m, i) for m in whole for i in graph.find_modules_directly_imported_by(m)}
        earlier |= whole
        forward += [f"{m} imports {i}" for m, i in sorted(imported) if i not in earlier]
    assert forward == []
