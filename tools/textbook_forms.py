"""Count the gradients that come out in the form in which they are known.

    python tools/textbook_forms.py tests/derivation/textbook [--not-textbook]

A case is a run, the tensor to derive its output by, and the form that a textbook prints, as NumPy code over the names
of the run and of gradients (dZ is the gradient of Z). The class of a derived formula:

textbook : as many operations on paper as the known form, or one more, and no machinery; without a known form, any.
longer : more operations, those of the gradients that it names and the known form does not included.
raw : it holds what no textbook prints: scatter, reshape, an unnamed constant, a number of many digits.
refused : there is no formula, or it is wrong, or an error of Python's.
"""

import argparse
import ast
import json
import re
import sys
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import autotiny as at
from autotiny.algebra import Term
from autotiny.derivation.derivation import Derivation

MACHINERY = re.compile(
    r"scatter|reshape|broadcast_to|moveaxis|swapaxes|transpose\(|summation|places|array of|keepdims|cofactors"
    r"|tril|triu|\[\[|newaxis|None|where\([^)]*=|\d\.\d{5,}|\bC′*(?!\w)"
)
FREE = {
    "transpose", "negative", "positive", "broadcast_to", "reshape", "astype", "expand_dims", "squeeze", "ones",
    "ones_like", "eye", "index",
}  # fmt: skip
"""Functions that paper does not count: signs, transposes, shapes and indices."""
CLASSES = ("textbook", "longer", "raw", "refused")


class Case(NamedTuple):
    """A run with the form in which one of its gradients is known."""

    section: str
    name: str
    code: str
    out: str
    target: str
    known: str
    """NumPy code; empty where there is no known form."""


class Result(NamedTuple):
    """The class of a derived formula, the formula or error, its operations and the known form's, the derivation."""

    kind: str
    formula: str
    operations: int
    known: int
    seconds: float
    derivation: Derivation | None = None


# ----- cases -----
def cases(path: Path) -> Iterator[Case]:
    """Yield the cases of a folder, of a text file with one case in each block, or of a JSON file."""
    if path.is_dir():
        for file in sorted(path.iterdir()):
            yield from cases(file)
    elif path.suffix == ".json":
        for row in json.loads(path.read_text()):
            known = "" if row["note"] == "only that it derives" else row["known"]
            yield Case(row["section"], row["name"], row["code"], row["out"], row["target"], known)
    elif path.suffix == ".txt":
        for block in re.split(r"\n\n+(?=# )", path.read_text().strip()):
            title, *code, last = block.splitlines()
            out, target, known = re.fullmatch(r"d(\w+)/d(\w+) = (.*)", last).groups()  # type: ignore[union-attr]
            yield Case(path.stem, title.lstrip("# "), "\n".join(code), out, target, known)


def scope() -> dict[str, Any]:
    """Return the names with which the code of a case runs."""
    rng = np.random.default_rng(5)
    return {"np": np, "at": at, "T": at.Tensor, "_rng": rng, "_n": lambda *shape: rng.normal(size=shape)}


# ----- operations on paper -----
def operations_of_code(code: str) -> int:
    """Return the number of operations of NumPy code that paper shows: signs, transposes and spreads are free."""
    counted = 0
    for node in ast.walk(ast.parse(code or "0", mode="eval")):
        if isinstance(node, ast.BinOp | ast.Compare):
            counted += 1
        elif isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else ast.unparse(node.func)
            counted += called not in FREE
    return counted


def operations_of_term(term: Term) -> int:
    """Return the number of operations of a formula that paper shows."""
    inner = sum(map(operations_of_term, term.args))
    if term.op is None or term.op.name in FREE or all(arg.is_constant for arg in term.args):
        return inner
    return inner + (not _counts_a_mask(term))


def _counts_a_mask(term: Term) -> bool:
    """Whether a term is 1 * mask, which paper writes as the mask."""
    return term.op.name == "multiply" and any(arg.is_constant and np.all(arg.value == 1) for arg in term.args)  # type: ignore[union-attr]


def operations_of(derivation: Any, named: str) -> int:
    """Return the operations of a derivation with those of the gradients that it names, other than those in `named`."""
    own = [
        operations_of(lemma, named)
        for symbol, lemma in derivation.lemmas.items()
        if not re.search(rf"\b{re.escape(str(symbol.name))}\b", named)
    ]
    return operations_of_term(derivation.term) + sum(own)


# ----- verdicts -----
def judged(case: Case) -> Result:
    """Derive the gradient of a case and compare the formula with the known one."""
    names = scope()
    known = operations_of_code(case.known)
    start = time.perf_counter()
    try:
        exec(f"{case.code}\n_derivation = at.derive({case.out}, {case.target!r})", names)
        derivation: Derivation = names["_derivation"]
        formula = derivation.formula
    except Exception as error:  # whatever a user would see
        return Result("refused", f"{type(error).__name__}: {error}", 0, known, time.perf_counter() - start)
    seconds = time.perf_counter() - start
    count = operations_of(derivation, case.known)
    if not derivation.ok or (case.known and not agrees(derivation, case, names)):
        kind = "refused"
        formula = f"WRONG: {formula}"
    elif MACHINERY.search(re.sub(r"\bC\b", "", formula) if "C" in names else formula):
        kind = "raw"
    else:
        kind = "textbook" if count <= known + 1 or not case.known else "longer"
    return Result(kind, formula, count, known, seconds, derivation)


def agrees(derivation: Derivation, case: Case, names: dict[str, Any]) -> bool:
    """Whether the derived formula has the value of the known form."""
    output = names[case.out]
    tensors = {name: value for name, value in names.items() if isinstance(value, at.Tensor) and value is not output}
    if np.size(output) == 1:
        gradients = at.gradients(output, list(tensors.values()))
        names = {**names, **{f"d{name}": g.data for name, g in zip(tensors, gradients, strict=True)}}
    plain = {name: value.data if isinstance(value, at.Tensor) else value for name, value in names.items()}
    known = np.asarray(eval(case.known, plain), float)
    got = np.asarray(derivation.term.value, float)
    return bool(np.allclose(np.broadcast_to(known, got.shape) if known.ndim <= got.ndim else known, got, 1e-8, 1e-10))


def main() -> int:
    """Print the count of each class, and with --not-textbook every formula that is not the textbook's.

    Return 1 where there is such a formula, else 0.
    """
    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="+", type=Path)
    parser.add_argument("--not-textbook", action="store_true", help="print the formulas of the other classes")
    parser.add_argument("--only", default="", help="the cases whose section or name holds this text")
    options = parser.parse_args()
    chosen = [c for path in options.paths for c in cases(path) if options.only in f"{c.section}: {c.name}"]
    results = [(case, judged(case)) for case in chosen]
    for case, result in results:
        if options.not_textbook and result.kind != "textbook":
            print(f"{case.section}: {case.name}  [{result.kind}, {result.operations} operations for {result.known}]")
            print(f"    known    {case.known}\n    derived  {result.formula}")
    counts = Counter(result.kind for _, result in results)
    slowest = max((result.seconds for _, result in results), default=0)
    print(", ".join(f"{counts[kind]} {kind}" for kind in CLASSES), f"of {len(results)}; slowest {slowest:.2f} s")
    return int(counts["textbook"] < len(results))


if __name__ == "__main__":
    sys.exit(main())
