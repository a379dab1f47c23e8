"""What the user calls each formula: the locals of their functions when these return, and d<name> for gradients."""

import keyword
import sys
import sysconfig
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import FrameType
from typing import Any

from autotiny import describe
from autotiny.algebra import Term
from autotiny.recording import value_of
from autotiny.trees import flatten

_OTHERS = (sysconfig.get_path("stdlib"), "<frozen ")


@contextmanager
def names_of_locals(names: dict[Term, str]) -> Iterator[None]:
    """Enter each formula that a local variable of the user's code holds when its function returns."""

    def on_event(frame: FrameType, event: str, _: Any) -> None:
        if event == "return" and not describe.in_package(frame) and not frame.f_code.co_filename.startswith(_OTHERS):
            enter(names, frame.f_locals)

    if sys.getprofile() is not None:  # somebody profiles: names are not worth disturbing them
        yield
        return
    sys.setprofile(on_event)
    try:
        yield
    finally:
        sys.setprofile(None)


def enter(names: dict[Term, str], variables: Mapping[str, Any]) -> None:
    """The first name that a formula was given stays."""
    for name, held in variables.items():
        term = value_of(held)
        if isinstance(term, Term) and is_name(name):
            names.setdefault(term, name)


def is_name(name: str) -> bool:
    """Whether it can stand in a program."""
    return name.isidentifier() and name.isascii() and not keyword.iskeyword(name) and not name.startswith("_")


def parameter_names(parameters: list[str], args: tuple[Any, ...]) -> list[str]:
    """A name for each value in the arguments: W1 for params["W1"], layers_0_1 for layers[0][1]."""
    names = [name for parameter, arg in zip(parameters, args, strict=True) for name in _paths(parameter, arg)]
    return [name if is_name(name) and names.count(name) == 1 else f"x{i}" for i, name in enumerate(names)]


def _paths(prefix: str, tree: Any) -> Iterator[str]:
    if isinstance(tree, dict):
        for key, branch in tree.items():
            yield from _paths(key if isinstance(key, str) and is_name(key) else f"{prefix}_{key}", branch)
    elif isinstance(tree, list | tuple):
        for i, branch in enumerate(tree):
            yield from _paths(f"{prefix}_{i}", branch)
    else:
        yield from (prefix for _ in flatten(tree)[0])
