"""The commands of the terminal: lines that start with a colon."""

import inspect
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path

import autotiny as at
from autotiny.drawing import draw as draw_graph
from autotiny.drawing.picture import table_rows
from autotiny.drawing.steps import Line, PassStep
from autotiny.engine.recording import value_of
from autotiny.engine.tensor import Tensor
from autotiny.errors import AutotinyError
from autotiny.language.errors import suggestion
from autotiny.notation.text import aligned
from autotiny.playground.repl_console import Console
from autotiny.sessions.script import HEADER
from autotiny.sessions.state import fitted

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
    """An unknown command, or one with the wrong arguments."""


def run(console: Console, line: str) -> None:
    """Run the command in a line; raises CommandError, and the errors of the session."""
    try:
        name, *arguments = shlex.split(line.strip().removeprefix(":")) or ["help"]
    except ValueError as error:
        raise CommandError(f"{line.strip()[:60]}: {error}") from None
    if name not in COMMANDS:
        raise CommandError(f"unknown command :{name[:40]}{suggestion(name, COMMANDS)}; :help lists the commands")
    try:
        bound = inspect.signature(COMMANDS[name]).bind(console, *arguments)
    except TypeError:
        raise CommandError(f"expected {_usage(name)}") from None
    COMMANDS[name](*bound.args)


def _usage(name: str) -> str:
    parameters = list(inspect.signature(COMMANDS[name]).parameters.values())[1:]
    words = (p.name.upper() if p.default is p.empty else f"[{p.name.upper()}]" for p in parameters)
    return " ".join([f":{name}", *words])


def command(function: Command) -> Command:
    """Register a function as a command: its first parameter is the console, its docstring the line in :help."""
    COMMANDS[function.__name__.removesuffix("_")] = function
    return function


# ----- the commands -----
@command
def help_(console: Console) -> None:
    """This text"""
    console.show(HELP)
    rows = [[f"  {_usage(name)}", (function.__doc__ or "").strip()] for name, function in COMMANDS.items()]
    console.show(aligned(rows))


@command
def graph(console: Console) -> None:
    """All names with their values and gradients"""
    console.show(console.table())


@command
def step(console: Console, name: str = "") -> None:
    """Walk the backward pass, visit by visit"""
    output = console.session[name] if name else console.session.tensor
    if not isinstance(output, Tensor) or not output.requires_grad:
        raise CommandError(f"{name or 'the last value'} depends on no variable, so there is no backward pass")
    *paragraphs, last = steps(output)
    for paragraph in paragraphs:
        console.show(paragraph)
        if answer := _answer(console):
            if answer.lower() not in ("q", "quit"):  # another line ends the walk, and is run
                console.enter(answer)
            return
    console.show(last)


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
def matches(console: Console, name: str, *formula: str) -> None:
    """Whether FORMULA is that gradient; LaTeX in quotes"""
    scope = {known: value_of(console.session[known]) for known in console.session}
    derivation = at.derive(console.session.tensor, console.session[name])
    console.show(repr(derivation.matches(" ".join(formula), scope)))


@command
def draw(console: Console, file: str = "") -> None:
    """Every operation as a table; a picture in FILE.svg"""
    picture = console.session.draw()
    if file:
        picture.save(file)
        console.show(f"wrote {file}")
    else:
        console.show(aligned(fitted(table_rows(picture.cards), console.width)))


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
    """Rename a value everywhere"""
    console.edit(lambda: console.session.rename(old, new))
    graph(console)


@command
def swap(console: Console, name: str, old: str, new: str) -> None:
    """Another operation in a formula: :swap A1 relu tanh"""
    console.edit(lambda: console.session.swap(name, old, new))


@command
def delete(console: Console, name: str) -> None:
    """Delete a value that no formula uses"""
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
        raise CommandError(f"{file} exists and was not saved by a session; choose another name")
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


# ----- the backward pass, step by step -----
def steps(output: Tensor) -> Iterator[str]:
    """A paragraph for every contribution of the backward pass, in the engine's order.

    >>> x = Tensor(3.0, name="x"); y = x * x; y.name = "y"
    >>> *_, last = steps(y)
    >>> print(last)
    step 3 of 3: ∂y/∂x through y = x * x
      arrives           g = ∂y/∂y = 1
      rule              product rule: times the other factor
      local derivative  ∂(x * x)/∂x = x
      passes on         g * x = 1 × 3 = 3
      sum so far        ∂y/∂x = 3 + 3 = 6 (path 2 of 2, complete)
    """
    backward = [step for step in draw_graph(output).steps.steps if step.backward]
    for number, step in enumerate(backward, start=1):
        yield f"step {number} of {len(backward)}: {step.title}\n{_body(step)}"


def _body(step: PassStep) -> str:
    return aligned([row for line in step.lines for row in _rows(line)])


def _rows(line: Line) -> Iterator[tuple[str, str]]:
    """A line, followed by every row of a small array."""
    yield f"  {line.label}", line.text
    if line.rows:
        yield from (("", f"  {entries}") for entries in aligned(line.rows).splitlines())
