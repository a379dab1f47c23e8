"""The API reference: a page of Markdown with the signature and the docstring of each public name.

Tensor is followed by what it has beyond NumPy's arrays, and `autotiny.nn` has a section.
"""

import inspect
import re
import textwrap
from collections.abc import Iterator
from typing import Any

import numpy as np

import autotiny
from autotiny import nn

PARAMETER = r"^([\w, ]+) : "
"""The beginning of a line about a parameter."""
GROUPS = {
    "Tensors and their gradients": ("Tensor", "array", "gradients", "no_grad", "debug", "scope", "index_update"),
    "Transforms": ("grad", "value_and_grad", "vjp", "jvp", "jacobian", "hessian", "hvp"),
    "Checking": ("compare", "check_gradients"),
    "Pictures": ("draw", "plot", "explore", "session"),
    "Formulas": ("derive",),
    "Programs": ("compile", "over_shards", "tree_map", "operation"),
}
"""The names of each section; those that are in none come last."""


def reference() -> str:
    """Return the page."""
    grouped = [name for names in GROUPS.values() for name in names]
    missing = [name for name in grouped if name not in autotiny.__all__]
    if missing:
        raise ValueError(f"api.py: not public: {', '.join(missing)}")
    rest = [name for name in autotiny.__all__ if name not in grouped]
    functions = [name for name in rest if not inspect.ismodule(getattr(autotiny, name)) and name[0].islower()]
    classes = [name for name in rest if name[0].isupper()]
    sections = {**GROUPS, "Functions that NumPy lacks": tuple(functions), "Errors and other classes": tuple(classes)}
    opening = "All of it is `import autotiny as at`, and documented by `help(at.draw)` and the like, too."
    parts = ["# API reference", "", opening, ""]
    for title, names in sections.items():
        parts += [f"## {title}", ""]
        for name in names:
            parts += entry(f"at.{name}", getattr(autotiny, name))
            if name == "Tensor":
                parts += members(name, autotiny.Tensor)
    parts += ["## Networks", "", "These are `from autotiny import nn`.", ""]
    for name in nn.__all__:
        parts += entry(f"nn.{name}", getattr(nn, name))
    return "\n".join(parts)


def members(name: str, owner: type) -> Iterator[str]:
    """Yield the entries of what a class of arrays has beyond NumPy's."""
    for member, value in inspect.getmembers(owner):
        documented = inspect.isroutine(value) or isinstance(value, property)
        removed = (inspect.getdoc(value) or "").startswith("Raise AttributeError")
        if documented and not member.startswith("_") and not hasattr(np.ndarray, member) and not removed:
            yield from entry(f"{name}.{member}", value, "####")


def entry(name: str, value: Any, heading: str = "###") -> Iterator[str]:
    """Yield the lines of one name."""
    yield from (f"{heading} `{name}`", "")
    if callable(value) and not (inspect.isclass(value) and issubclass(value, Exception)):
        yield from ("```python", f"{name}{signature(value)}", "```", "")
    yield from as_markdown(inspect.getdoc(value) or "")
    yield ""


def signature(value: Any) -> str:
    """Return the parameters, without the long types of annotations."""
    try:
        parameters = inspect.signature(value).parameters.values()
    except (TypeError, ValueError):
        return "(...)"
    plain = [each.replace(annotation=inspect.Parameter.empty) for each in parameters if each.name != "self"]
    return str(inspect.Signature(plain))


def as_markdown(docstring: str) -> Iterator[str]:
    """Yield a docstring as Markdown: examples and indented parts as code, names before a colon as a list."""
    for part in re.split(r"\n\s*\n", docstring):
        if heading := re.match(r"(\w+)\n-+\n", part):
            yield from (f"**{heading[1]}**", "")
            part = part[heading.end() :]
        if part.lstrip().startswith(">>>"):
            yield from ("```python", textwrap.dedent(part), "```", "")
        elif part.startswith("    ") or re.search(r"\S {3,}\S", part):
            yield from ("```text", textwrap.dedent(part), "```", "")
        elif re.match(PARAMETER, part):
            yield from (*map(item, part.splitlines()), "")
        else:
            yield from (escaped(part), "")


def item(line: str) -> str:
    """Return the beginning of a parameter as that of an item of a list, another line as it is."""
    start = re.match(PARAMETER, line)
    return f"- **{start[1]}** : {escaped(line[start.end() :])}" if start else escaped(line)


def escaped(text: str) -> str:
    """Return text with the signs that Markdown would take for its own."""
    return re.sub(r"(?<!`)([*_<|$])(?!`)", r"\\\1", text) if "`" not in text else text
