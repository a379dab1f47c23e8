"""List every function of NumPy and SciPy, option and operation that is supported, read off the tables, as Markdown.

    python tools/reference.py                       to standard output
    python tools/reference.py tools/reference.md    to the committed copy

`tests/tools/test_reference.py` fails where that copy is not current.
"""

import argparse
import ast
import inspect
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import scipy.integrate
import scipy.linalg
import scipy.signal
import scipy.special
import scipy.stats

import autotiny as at
from autotiny.ops import COMPOSED, EXTENDED, OPS, PLAIN, Op, load_tables
from autotiny.ops.table import TRAITS, Each

load_tables()

from autotiny.scipy import integrate, linalg, optimize, signal, special, stats  # noqa: E402 - NumPy's rows come first
from autotiny.scipy.distribution import Continuous, Discrete, Distribution  # noqa: E402

Function = Callable[..., Any]

HEADER = """\
# What is supported

Written by `python tools/reference.py tools/reference.md` from the tables in `autotiny/ops/`, in the order of their
files.

A function with a *rule* is recorded as one operation. The column *gradient* has a line per argument, what it
contributes to the gradient of that argument; `g` is the gradient dJ/dy that arrives, `y` the result, and `x` or `a,
b` are the arguments. A *composition* is recorded as the operations that it is written in. Options that are not
listed, such as `out=`, are errors when a Tensor is given. A Tensor's operators and methods, such as `a @ b` and
`x.sum()`, are these functions.

SciPy's ufuncs are those of `scipy.special` itself. Its other functions are called by the same names in
`autotiny.scipy`; a *solver* there runs SciPy's, and records what its result depends on.
"""

BEHIND = """\
## operations behind these

Compositions record these, and `x[key]` records `index`. Pictures and errors name them.
"""
PLAIN_MODULE = "autotiny.ops.plain"
LAYERS = ("attention", "convolution", "normalisation", "recurrent")
"""The files of `at.nn` whose functions are layers."""
NAMESPACES: dict[str, ModuleType] = {
    "np": np,
    "np.linalg": np.linalg,
    "np.fft": np.fft,
    "np.lib.stride_tricks": np.lib.stride_tricks,
    "scipy.special": scipy.special,
    "scipy.linalg": scipy.linalg,
    "scipy.signal": scipy.signal,
    "scipy.integrate": scipy.integrate,
}
MIRRORS: dict[str, ModuleType] = {
    "special": special,
    "linalg": linalg,
    "signal": signal,
    "integrate": integrate,
    "optimize": optimize,
}
PROBABILITIES, QUANTILES = ("cdf", "logcdf", "sf", "logsf"), ("ppf", "isf")
HOMES = ("autotiny.ops.", "autotiny.scipy.")
"""Packages that enter rows."""


class Entry(NamedTuple):
    """A row of the reference."""

    module: str
    names: tuple[str, ...]
    options: tuple[str, ...]
    handling: str
    explanation: str
    traits: tuple[str, ...] = ()


def entries() -> Iterator[Entry]:
    """Yield an entry for each NumPy function with a rule or a composition, and for each public function of our own."""
    for function in OPS | COMPOSED:
        names = public_names(function)
        if names:
            yield entry(function, names)
    for name in at.__all__:
        function = getattr(at, name)
        if str(getattr(function, "__module__", "")).startswith("autotiny.ops.") and name != "operation":
            yield entry(function, (f"at.{name}",))
    yield from solvers()
    yield from distributions()


def distributions() -> Iterator[Entry]:
    """Yield an entry for the distributions of each kind."""
    for kind, methods in ((Continuous, PROBABILITIES + QUANTILES), (Discrete, PROBABILITIES), (object, ())):
        names = [name for name in stats.__all__ if isinstance(getattr(stats, name), kind) and not name.startswith("_")]
        names = names if methods else [name for name in names if not isinstance(getattr(stats, name), Distribution)]
        density = ("pmf", "logpmf") if kind is Discrete else ("pdf", "logpdf")
        listed = tuple(f"scipy.stats.{name}" for name in names)
        yield Entry(stats.__name__, listed, (), "formulas", f"the methods {code(density + methods)}")


def solvers() -> Iterator[Entry]:
    """Yield an entry for each function that runs SciPy's, and is neither a rule nor a composition."""
    for prefix, mirror in MIRRORS.items():
        for name, function in vars(mirror).items():
            original = getattr(function, "__scipy__", None)
            if original is not None and original not in OPS and original not in COMPOSED:
                yield Entry(mirror.__name__, (f"scipy.{prefix}.{name}",), (), "solver", summary(function))


def internal_operations() -> Iterator[Entry]:
    """Yield an entry for each operation that only compositions and the engine record."""
    listed = {name for each in entries() for name in each.names}
    public = {op for f, op in OPS.items() if public_names(f) or f"at.{f.__name__}" in listed}
    public |= {OPS[f] for f in COMPOSED.values() if f in OPS}
    for op in dict.fromkeys(OPS.values()):
        if op not in public and not isinstance(op.function, np.ufunc) and op.function.__module__.startswith(HOMES):
            explanation = f"{summary(op.function)}<br>{gradient(op)}"
            yield Entry(op.function.__module__, (op.name,), options(op), "rule", explanation, traits(op))


def entry(function: Function, names: tuple[str, ...]) -> Entry:
    """Describe how a function is handled: by its own rule, as another function, or as a composition."""
    target = COMPOSED.get(function, function)
    if target is not function and public_names(target):
        original = entry(target, public_names(target))
        return Entry(original.module, names, original.options, "composition", f"as `{original.names[0]}`")
    if target in OPS:
        op = OPS[target]
        return Entry(defining_module(op), names, options(op) + more(function, op), "rule", gradient(op), traits(op))
    return Entry(target.__module__, names, options(target) + more(function, target), "composition", summary(target))


def more(function: Function, target: Op | Function) -> tuple[str, ...]:
    """Return the options for which a function has another composition."""
    known = options(target)
    return tuple(name for name in options(EXTENDED[function]) if name not in known) if function in EXTENDED else ()


def public_names(function: Function) -> tuple[str, ...]:
    """Return NumPy's names of a function, its own name first."""
    names = [
        f"{prefix}.{name}"
        for prefix, namespace in NAMESPACES.items()
        for name, value in vars(namespace).items()
        if value is function and not name.startswith("_")
    ]
    return tuple(sorted(names, key=lambda name: (name.rsplit(".", 1)[1] != function.__name__, name)))


def rules(op: Op) -> list[Function]:
    """Return the rules of an operation; one that serves any number of arguments is returned once."""
    return [op.rules.rule] if isinstance(op.rules, Each) else [rule for rule in op.rules if rule is not None]


def defining_module(op: Op) -> str:
    """Return the module that holds an operation's row."""
    return str(rules(op)[0].__module__)


def options(target: Op | Function) -> tuple[str, ...]:
    """Return the options of an operation or of a composition."""
    if isinstance(target, Op):
        is_ufunc = isinstance(target.function, np.ufunc)
        return () if is_ufunc else tuple(name for name in target.parameters if name in target.options)
    parameters = inspect.signature(target).parameters.values()
    return tuple(p.name for p in parameters if p.default is not p.empty)


def gradient(op: Op) -> str:
    """Return the rules of an operation, in the words of its row and as its code, a line for each."""
    lines = [written_rule(rule) for rule in rules(op)]
    if isinstance(op.words, str):
        return "<br>".join([op.words, *lines] if op.words else lines)
    words = [text for text, rule in zip(op.words, op.rules, strict=True) if rule is not None]
    return "<br>".join(f"{text}: {line}" if text else line for text, line in zip(words, lines, strict=True))


def traits(op: Op) -> tuple[str, ...]:
    """Return the traits of an operation, in the order of their table."""
    return tuple(trait for trait in TRAITS if op.has(trait))


def written_rule(rule: Function) -> str:
    """Return the expression that a lambda returns, or the first sentence of a function's docstring."""
    if rule.__name__ != "<lambda>":
        return summary(rule)
    source = inspect.getsource(sys.modules[rule.__module__])
    lambdas = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Lambda))
    body = next(node.body for node in lambdas if spans(node.body, rule))
    return f"`{' '.join(str(ast.get_source_segment(source, body)).split())}`"


def spans(body: ast.expr, function: Function) -> bool:
    """Whether a function's instructions all come from an expression, and reach to its end."""
    positions = [p for p in function.__code__.co_positions() if p[0] and p[2]]
    last = max((line, column) for _, line, _, column in positions)
    first = min((line, column) for line, _, column, _ in positions)
    return (body.lineno, body.col_offset) <= first and last == (body.end_lineno, body.end_col_offset)


def summary(function: Function) -> str:
    """Return what a function's docstring says first."""
    return first_paragraph(inspect.getdoc(function)).removesuffix(".")


def first_paragraph(docstring: str | None) -> str:
    """Return the first paragraph of a docstring, as one line."""
    return " ".join((docstring or "").split("\n\n")[0].split())


def table(rows: list[Entry]) -> Iterator[str]:
    """Yield the lines of a Markdown table."""
    yield "| function | options | by | gradient, or composition | traits |"
    yield "| --- | --- | --- | --- | --- |"
    for row in rows:
        cells = code(row.names), code(row.options), row.handling, row.explanation, ", ".join(row.traits)
        yield "| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |"


def code(names: Iterable[str]) -> str:
    """Return names as Markdown's code, separated by commas."""
    return ", ".join(f"`{name}`" for name in names)


def counts() -> Iterator[str]:
    """Yield the lines of a Markdown table: how many functions of each namespace are handled in which way."""
    yield from ("## counts", "", "Public functions of NumPy, each counted once, whatever its names.", "")
    yield "| namespace | rule | composition | plain result | refused by name | all |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for prefix in ("np", "np.linalg", "np.fft"):
        members = vars(NAMESPACES[prefix]).items()
        functions = {f for name, f in members if callable(f) and not isinstance(f, type) and name[0] != "_"}
        ways = [functions & OPS.keys(), functions & COMPOSED.keys() - OPS.keys(), functions & PLAIN]
        numbers = [*map(len, ways), len(functions - set().union(*ways)), len(functions)]
        yield f"| `{prefix}` | {' | '.join(map(str, numbers))} |"
    yield ""
    yield (
        "What is refused has no derivative, or no arrays: it reads files, makes arrays of numbers, sets options, or "
        "changes its argument. `python tools/width.py` calls every function that has a derivative, and compares."
    )


def text() -> str:
    """Return the reference as Markdown."""
    rows, lines = list(entries()), [HEADER, *counts(), ""]
    for module in sorted(dict.fromkeys(row.module for row in rows), key=is_scipys):
        lines += section(module), *table([row for row in rows if row.module == module]), ""
    lines += [BEHIND, *table(list(internal_operations())), "", section(PLAIN_MODULE)]
    names = sorted(public_names(function)[0] for function in PLAIN if public_names(function))
    lines += [code(names), ""]
    lines += [*layers(), ""]
    lines += ["## traits", "", *(f"- {trait}: {meaning}" for trait, meaning in TRAITS.items()), ""]
    return "\n".join(lines)


def layers() -> Iterator[str]:
    """Yield the lines of a Markdown table of the layers, which are plain functions."""
    yield "## layers"
    yield ""
    yield "Functions of `at.nn` that compose operations.\n"
    yield "| function | options | computes |"
    yield "| --- | --- | --- |"
    for name in at.nn.__all__:
        function = getattr(at.nn, name)
        if inspect.isfunction(function) and function.__module__.rpartition(".")[2] in LAYERS:
            yield f"| `at.nn.{name}` | {code(options(function))} | {summary(function)} |"


def is_scipys(module: str) -> bool:
    """Whether a file is about SciPy; those come last."""
    return module.startswith("autotiny.scipy.")


def section(module: str) -> str:
    """Return a heading that names the file, and the first paragraph of its docstring."""
    name = module.removeprefix("autotiny." if is_scipys(module) else "autotiny.ops.")
    docstring = first_paragraph(sys.modules[module].__doc__)
    return f"## {name}\n\n{docstring} ([source](../{module.replace('.', '/')}.py))\n"


def main() -> None:
    """Print the reference, or write it to a file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", nargs="?", type=Path, help="where to write it, instead of standard output")
    file = parser.parse_args().file
    if file:
        file.write_text(text(), encoding="utf-8")
    else:
        print(text(), end="")


if __name__ == "__main__":
    main()
