import os
import subprocess
import sys
import types

import pytest

import autotiny
from autotiny.commands.main import COMMANDS, NOBODY_READS, main
from autotiny.errors import AutotinyError

EXAMPLES = [[], *([name] for name in COMMANDS)]


def autotiny_process(*arguments, **options):
    return subprocess.Popen(
        [sys.executable, "-m", "autotiny", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        **options,
    )


def exit_code(*arguments):
    """Of main, however it ends."""
    try:
        return main([str(argument) for argument in arguments])
    except SystemExit as end:
        return end.code


@pytest.fixture
def command(monkeypatch):
    """Makes `autotiny try` do what the test wants."""

    def make(run):
        module = types.ModuleType("autotiny_try")
        module.EXAMPLES, module.add_arguments, module.run = "", lambda parser: None, run
        monkeypatch.setitem(sys.modules, "autotiny_try", module)
        monkeypatch.setitem(COMMANDS, "try", ("autotiny_try", "try what a test wants"))

    return make


@pytest.fixture
def failing(command):
    """Makes `autotiny try` fail with this error."""

    def make(error):
        def run(args):
            raise error

        command(run)

    return make


def test_version_is_the_packages(capsys):
    assert exit_code("--version") == 0
    assert capsys.readouterr().out == f"autotiny {autotiny.__version__}\n"


def test_module_is_the_command():
    assert autotiny_process("--version").communicate() == (f"autotiny {autotiny.__version__}\n", "")


@pytest.mark.parametrize("arguments", EXAMPLES, ids=" ".join)
def test_help_shows_examples_that_fit_a_terminal(arguments, capsys):
    assert exit_code(*arguments, "--help") == 0
    out = capsys.readouterr().out
    assert f"usage: {' '.join(['autotiny', *arguments])} [" in out
    assert "examples:\n  autotiny " in out
    assert "--debug" in out


def test_help_names_every_command_and_what_it_is_for(capsys):
    exit_code("--help")
    out = capsys.readouterr().out
    assert all(f"    {name:10}{purpose}" in out for name, (_, purpose) in COMMANDS.items())
    assert max(map(len, out.splitlines())) <= 80


def test_help_and_version_import_no_command():
    """-X importtime names on standard error what is imported."""
    process = subprocess.run([sys.executable, "-X", "importtime", "-m", "autotiny", "--help"], capture_output=True)
    imported = {line.rsplit(b"|")[-1].strip().decode() for line in process.stderr.splitlines()}
    assert "autotiny.commands.main" in imported
    assert imported.isdisjoint(module for module, _ in COMMANDS.values())


def test_without_a_command_the_help_comes_with_exit_code_2(capsys):
    assert exit_code() == 2
    assert capsys.readouterr().err.startswith("usage: autotiny ")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["trian"], "autotiny: argument COMMAND: invalid choice: 'trian'"),
        (
            ["train", "--epochs", "0"],
            "autotiny: argument --epochs: expected a whole number of at least 1; got '0'; see autotiny train",
        ),
        (["demo", "--nonsense"], "autotiny: unrecognized arguments: --nonsense"),
        (["train", "nothing.csv"], "nothing.csv: No such file or directory"),
        (["demo", "--out", __file__], "test_main.py: File exists"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(arguments, message, capsys):
    assert exit_code(*arguments) == 2
    out, err = capsys.readouterr()
    assert err.startswith("autotiny: ")
    assert message in err
    assert err.count("\n") == 1
    assert not out


def test_exit_code_is_the_commands(command):
    command(lambda args: 1)
    assert exit_code("try") == 1


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (AutotinyError("what failed"), 2, "what failed"),
        (AutotinyError("two\nlines and \x1b[31mred"), 2, "two lines and �[31mred"),
        (FileNotFoundError(2, "No such file", "a.csv"), 2, "a.csv: No such file"),
        (OSError(28, "No space left on device"), 2, "No space left on device"),
        (OSError("odd"), 2, "odd"),
        (KeyError("x"), 70, "KeyError: 'x'; this is a fault in autotiny, and --debug shows where"),
    ],
)
def test_error_is_one_line_whose_exit_code_tells_bad_input_from_a_fault(error, code, line, failing, capsys):
    failing(error)
    assert exit_code("try") == code
    assert capsys.readouterr().err == f"autotiny: {line}\n"


@pytest.mark.parametrize("arguments", [["--debug", "try"], ["try", "--debug"]], ids=" ".join)
def test_debug_shows_the_traceback_before_the_line(arguments, failing, capsys):
    failing(AutotinyError("what failed"))
    assert exit_code(*arguments) == 2
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert lines[-2:] == ["autotiny.errors.AutotinyError: what failed", "autotiny: what failed"]


def test_ctrl_c_is_130_and_no_traceback(failing, capsys):
    failing(KeyboardInterrupt())
    assert exit_code("try") == 130
    assert capsys.readouterr().err == "autotiny: stopped by Ctrl-C\n"


# newer argparse passes over a help that nobody reads, that of Python 3.11.2 does not
@pytest.mark.parametrize(
    ("arguments", "codes"), [(["--help"], {0, NOBODY_READS}), (["train", "--epochs", "1"], {NOBODY_READS})]
)
def test_reader_that_leaves_early_is_not_an_error(arguments, codes):
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as nowhere:
        command = [sys.executable, "-m", "autotiny", *arguments]
        ended = subprocess.run(command, stdout=nowhere, stderr=subprocess.PIPE)
    assert ended.returncode in codes
    assert b"Error" not in ended.stderr


def test_names_that_the_terminal_cannot_write_are_not_an_error(tmp_path):
    table = tmp_path / "sizes.csv"
    table.write_text("".join(f"{i},{'groß' if i > 9 else 'klein'}\n" for i in range(20)), encoding="utf-8")
    process = autotiny_process("train", str(table), "--epochs", "1", env=os.environ | {"PYTHONIOENCODING": "ascii"})
    assert "gro\\xdf, klein" in process.communicate()[0]
    assert process.returncode == 0
