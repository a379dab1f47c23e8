"""The commands of the terminal: lines that start with a colon."""

import inspect
import shlex
from collections.abc import Callable
from pathlib import Path

import autotiny as at
from autotiny.engine.tensor import Tensor
from autotiny.errors import AutotinyError
from autotiny.language.errors import suggestion
from autotiny.notation.text import aligned
from autotiny.playground.repl_console import Console
from autotiny.playground.repl_step import steps
from autotiny.sessions.script import HEADER

Command = Callable[..., None]
COMMANDS: dict[str, Command] = {}

HELP = """\
Python, with np, at and their functions in place. Tensors and the formulas that
you make of them live on: change one, and what depends on it follows.

  x = Tensor(3.0)         a variable; Tensor([[1, 2], [3, 4]]) a matrix of them
  X = np.loadtxt(...)     plain arrays and numbers are data
  y = x * x + x           a formula; gradients are of the last single number
  x = Tensor(1.0)         y follows, and so does dy/dx
"""


class CommandError(AutotinyError):
    """A command that there is not, or that was given something else than it takes."""


def run(console: Console, line: str) -> None:
    """Do what a line asks for; raises CommandError, and what the session raises."""
    try:
        word, *words = shlex.split(line.strip().removeprefix(":")) or ["help"]
    except ValueError as error:
        raise CommandError(f"{line.strip()[:60]}: {error}") from None
    if word not in COMMANDS:
        raise CommandError(f"there is no :{word[:40]}{suggestion(word, COMMANDS)}; :help shows what there is")
    try:
        bound = inspect.signature(COMMANDS[word]).bind(console, *words)
    except TypeError:
        raise CommandError(f"expected {_usage(word)}") from None
    COMMANDS[word](*bound.args)


def _usage(word: str) -> str:
    names = list(inspect.signature(COMMANDS[word]).parameters.values())[1:]
    return " ".join([f":{word}", *(p.name.upper() if p.default is p.empty else f"[{p.name.upper()}]" for p in names)])


def command(function: Command) -> Command:
    """Enter a function as a command; its first parameter is the console, its docstring the help."""
    COMMANDS[function.__name__.removesuffix("_")] = function
    return function


@command
def help_(console: Console) -> None:
    """This text"""
    console.show(HELP)
    console.show(
        aligned([[f"  {_usage(word)}", (function.__doc__ or "").strip()] for word, function in COMMANDS.items()])
    )


@command
def graph(console: Console) -> None:
    """All names with their values and gradients"""
    console.show(console.table())


@command
def step(console: Console, name: str = "") -> None:
    """Walk the backward pass, visit by visit"""
    output = console.session[name] if name else console.session.tensor
    if not isinstance(output, Tensor) or not output.requires_grad:
        raise CommandError(f"{name or 'the last value'} depends on no variable, so nothing passes back from it")
    paragraphs = list(steps(output))
    for paragraph in paragraphs:
        console.show(paragraph)
        if paragraph is not paragraphs[-1] and (answer := _answer(console)):
            if answer.lower() not in ("q", "quit"):  # the walk is over, and no line is lost
                console.enter(answer)
            return


def _answer(console: Console) -> str:
    try:
        return console.ask("  Enter: on, q: stop ").strip()
    except (EOFError, KeyboardInterrupt):
        console.show("")
        return "q"


@command
def derive(console: Console, name: str) -> None:
    """The formula of the output's gradient by NAME"""
    console.show(repr(at.derive(console.session.tensor, console.session[name])))


@command
def draw(console: Console, file: str = "") -> None:
    """Every operation as a table; a picture in FILE.svg"""
    picture = console.session.draw()
    if file:
        picture.save(file)
        console.show(f"wrote {file}")
    else:
        console.show(repr(picture))


@command
def undo(console: Console) -> None:
    """Take back the latest change of the graph"""
    console.edit(console.session.undo)


@command
def redo(console: Console) -> None:
    """Make it again"""
    console.edit(console.session.redo)


@command
def rename(console: Console, old: str, new: str) -> None:
    """Give a value another name wherever it stands"""
    console.edit(lambda: console.session.rename(old, new))
    graph(console)


@command
def swap(console: Console, name: str, old: str, new: str) -> None:
    """Another operation in a formula: :swap A1 relu tanh"""
    console.edit(lambda: console.session.swap(name, old, new))


@command
def delete(console: Console, name: str) -> None:
    """Delete what no formula needs any more"""
    console.edit(lambda: console.session.__delitem__(name))


@command
def output(console: Console, name: str = "") -> None:
    """Take gradients of NAME, or of the last single number"""
    console.session.output = name or None
    graph(console)


@command
def save(console: Console, file: str) -> None:
    """Keep the graph as a Python script"""
    path = Path(file)
    if path.exists() and HEADER not in path.read_text(encoding="utf-8", errors="replace"):
        raise CommandError(f"{file} is there, and is no session's script; choose another name")
    console.session.save(path)
    console.show(f"wrote {file}; run it with Python, or :load it")


@command
def load(console: Console, file: str) -> None:
    """Go on with a graph that was saved"""
    console.open(Path(file))


@command
def quit_(console: Console) -> None:
    """Leave"""
    raise SystemExit
