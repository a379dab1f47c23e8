"""Count SciPy: call its functions through the mirror, and compare value and gradient with SciPy's own.

    python tools/width_scipy.py               a line for each function, and the counts
    python tools/width_scipy.py --failing     only what does not work, with the reason

The calls stand in `tools/width_scipy.txt`; what a verdict means, and the arrays that the calls use, `tools/width.py`
says. Functions that have a derivative and are refused stand there in lines that begin with "!".
"""

import argparse
import ast
import re
import warnings
from collections import Counter
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import scipy

import width
from autotiny.errors import AutotinyError
from width import CONSTANTS, TRACKED, Call, compared, overall

MODULES = ("special", "linalg", "signal", "stats", "integrate", "optimize")
NAMESPACE: dict[str, Any] = {
    "np": np,
    "sparse": import_module("scipy.sparse"),
    **{name: import_module(f"autotiny.scipy.{name}") for name in MODULES},
    **CONSTANTS,
}


def lines() -> list[str]:
    """Return the lines of the table, those that are continued as one."""
    text = Path(__file__).with_suffix(".txt").read_text(encoding="utf-8")
    return [line for line in re.sub(r"\n +", " ", text).splitlines() if line and not line.startswith("#")]


def calls() -> dict[str, list[str]]:
    """Return the calls of every function of the table that this SciPy has."""
    table: dict[str, list[str]] = {}
    for line in lines():
        names, _, texts = line.partition(":")
        if not line.startswith(("!", "-")):
            for name in filter(is_here, names.split()):
                table[name] = [re.sub(r"\bf(?=[(.])", name, text.strip()) for text in texts.split("|")]
    return table


def is_here(name: str) -> bool:
    """Whether this SciPy has a function."""
    module, _, function = name.partition(".")
    return hasattr(NAMESPACE[module], function)


def refused() -> list[str]:
    """Return the functions that have a derivative and are refused."""
    return [name for line in lines() if line.startswith("!") for name in line[1:].split() if is_here(name)]


def attempt(text: str) -> Call:
    """Call a function on arrays, where it is SciPy's, and on Tensors, and compare."""
    names = (node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name))
    used = [name for name in dict.fromkeys(names) if name in TRACKED]
    f = eval(f"lambda {', '.join(used)}: {text}", NAMESPACE)
    try:
        return Call(text, *compared(f, [TRACKED[name] for name in used]))
    except AutotinyError as error:
        return Call(text, "refused", str(error))
    except Exception as error:
        return Call(text, "wrong", f"{type(error).__name__}: {error}")


def verdicts(only: str = "") -> dict[str, list[Call]]:
    """Return what came of each call of each function whose name contains `only`."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return {name: [attempt(text) for text in texts] for name, texts in calls().items() if only in name}


def main() -> None:
    """Print a line for each function, the calls that fail, and the counts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--failing", action="store_true", help="print only what does not work")
    parser.add_argument("--only", default="", help="part of a function's name")
    options = parser.parse_args()
    table = verdicts(options.only)
    width.show(table, options.failing)
    for module in (*MODULES, "sparse"):
        of_this = Counter(overall(tried) for name, tried in table.items() if name.startswith(f"{module}."))
        of_this["refused"] += sum(name.startswith(f"{module}.") for name in refused())
        print(f"{module}: {dict(of_this)} of {of_this.total()}")
    every = Counter(call.verdict for tried in table.values() for call in tried)
    print(f"SciPy {scipy.__version__}: functions: {Counter(map(overall, table.values()))['works']} work of "
          f"{len(table) + len(refused())}; calls: {every['works']} of {every.total()}")  # fmt: skip


if __name__ == "__main__":
    main()
