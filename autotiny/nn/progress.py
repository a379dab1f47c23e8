"""Progress of a training: a bar on a terminal, ten lines elsewhere."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec

from autotiny.nn.training import Training


@contextmanager
def progress_bar(epochs: int, done: int = 0) -> Iterator[Callable[[Training], None]]:
    """Yield a callback for each epoch: it updates rich's bar on a terminal, else prints ten lines to standard error."""
    if sys.stderr.isatty() and find_spec("rich"):
        with _bar(epochs, done) as report:
            yield report
    else:
        yield lambda training: _line(training, epochs)


def _figures(training: Training) -> str:
    epoch = training.history[-1]
    return (
        f"loss {epoch.loss:.4f}  accuracy {epoch.accuracy:.2%}  "
        f"validation {epoch.validation_loss:.4f}  {epoch.validation_accuracy:.2%}"
    )


def _line(training: Training, epochs: int) -> None:
    done = len(training.history)
    if done % max(1, epochs // 10) == 0:
        print(f"epoch {done:{len(str(epochs))}} of {epochs}  {_figures(training)}", file=sys.stderr)


@contextmanager
def _bar(epochs: int, done: int) -> Iterator[Callable[[Training], None]]:
    # rich costs more to import than all of autotiny.
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = TextColumn("epoch"), MofNCompleteColumn(), BarColumn(None), TextColumn("{task.description}")
    with Progress(*columns, console=Console(stderr=True), expand=True) as bar:
        task = bar.add_task("", total=epochs, completed=done)
        yield lambda training: bar.update(task, advance=1, description=_figures(training))
