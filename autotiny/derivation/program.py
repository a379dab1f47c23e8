"""A derived formula as a function: straight lines of NumPy, from the inputs of the run to the gradient.

A sort is recorded as the resulting order, a mask as the entries where it was true. Such indices are fixed: on other
data the sort or the mask might give others, so the function's docstring lists them.
"""

import functools
import inspect
import keyword
import re
import textwrap
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from operator import attrgetter
from typing import Any

import numpy as np

from autotiny.algebra.term import Term, topological_order, value_of
from autotiny.algebra.writing import as_numpy, in_numpy
from autotiny.engine.graph import with_primes
from autotiny.engine.pytree import tree_map
from autotiny.notation.expression import operands_first
from autotiny.notation.numbers import literal
from autotiny.notation.text import clean
from autotiny.ops.code import along_diagonal, is_diagonal
from autotiny.ops.indexing import is_basic, parts

# ----- fixed indices -----
LONGEST_INDEX = 12


def fixed_indices(*formulas: Term) -> list[str]:
    """The arrays that formulas are indexed by, as text, each once.

    >>> from autotiny.algebra import symbol
    >>> a, b = symbol("a", np.array([3.0, 1.0, 2.0])), symbol("b", np.ones(3))
    >>> fixed_indices(a[np.array([1, 2, 0])] * b, a[1:] * b[np.array([True, False, True])])
    ['[1, 2, 0]', '[True, False, True]']
    """
    return list(dict.fromkeys(text for term in topological_order(*formulas) for text in _index_arrays(term)))


def fixed_indices_in_words(indices: Iterable[str]) -> str:
    """Return the warning about fixed indices for a docstring; empty if there are none."""
    listed = " and ".join(indices)
    return f"picks the entries that the recorded run picked, {listed}" if listed else ""


def _index_arrays(term: Term) -> Iterator[str]:
    if term.op is None or "key" not in term.kwargs:
        return
    key = term.kwargs["key"]
    if along_diagonal(key, (term if term.op.name == "scatter" else term.args[0]).shape):
        return
    arrays = [part for part in parts(key) if isinstance(part, np.ndarray | list)]
    if any(isinstance(part, Term) for part in parts(key)):  # labels, beside the number of each example
        arrays = [part for part in arrays if not np.array_equal(part, np.arange(len(part)))]
    if arrays:
        yield " by ".join(_listed(np.asarray(part)) for part in arrays)


def _listed(places: Any) -> str:
    return str(places.tolist()) if places.size <= LONGEST_INDEX else f"an array of {places.dtype.name} {places.shape}"


# ----- values at other points -----
def made_of(term: Term, definitions: Mapping[Term, Term]) -> tuple[Term, ...]:
    """The terms that a term is computed from: a symbol that has a definition, from that."""
    return (definitions[term],) if term in definitions else term.parents


def in_order(results: Iterable[Term], definitions: Mapping[Term, Term]) -> Iterator[Term]:
    """Every term that the results are computed from, each once, operands before results."""
    return operands_first(results, lambda term: made_of(term, definitions))


def values(results: Iterable[Term], definitions: Mapping[Term, Term], at: Mapping[Term, Any]) -> dict[Term, Any]:
    """Return the value of every term that the results depend on; symbols that `at` lacks keep their values.

    >>> from autotiny.algebra import symbol
    >>> x, y = symbol("x", 1.0), symbol("y", 2.0)
    >>> values([y * 3], {y: x * 2}, {x: 5.0})[y * 3]
    30.0
    """
    known: dict[Term, Any] = dict(at)
    for term in in_order(results, definitions):
        if term in at:
            continue
        if term in definitions:
            known[term] = known[definitions[term]]
        elif term.op is None:
            known[term] = term.value
        else:
            options = tree_map(lambda part: known.get(part, value_of(part)) if isinstance(part, Term) else part,
                               dict(term.kwargs))  # fmt: skip
            known[term] = term.op.forward(*[known[arg] for arg in term.args], **options)
    return known


# ----- the function -----
WIDTH, LONGEST = 100, 400


class NumpyFunction:
    """A function of arrays with its source, which imports NumPy alone. It prints as its source.

    >>> double = NumpyFunction("double", "def double(x):\\n    return 2 * x\\n")
    >>> double
    def double(x):
        return 2 * x
    >>> double(np.arange(3))
    array([0, 2, 4])
    """

    def __init__(self, name: str, source: str) -> None:
        self.__name__, self.source = name, source

    def __repr__(self) -> str:
        return self.source.rstrip()

    def __call__(self, *arrays: Any, **named: Any) -> Any:
        """Run the source."""
        return self._function(*arrays, **named)

    @functools.cached_property
    def _function(self) -> Any:
        namespace: dict[str, Any] = {"np": np}
        exec(compile(self.source, f"<{self.__name__}, derived by autotiny>", "exec"), namespace)
        return namespace[self.__name__]

    @property
    def __signature__(self) -> inspect.Signature:
        return inspect.signature(self._function)


def numpy_function(
    name: str, result: Term, definitions: Mapping[Term, Term], summary: str, parameters: Iterable[Term] = ()
) -> NumpyFunction:
    """The function that computes a result from the symbols that have no definition.

    `summary` begins the docstring. Numbers become parameters whose default is their value; symbols among `parameters`
    are parameters whether the result uses them or not. Entries that the recorded run picked, by a sort or a mask, stay
    the same ones: the docstring says which. Raises UnsupportedError where NumPy has no counterpart of an operation.

    >>> from autotiny.algebra import symbol
    >>> Z, Y = symbol("Z", np.ones((3, 4))), symbol("Y", np.ones((3, 4)))
    >>> A = symbol("A", np.ones((3, 4)))
    >>> E = np.exp(Z)
    >>> numpy_function("dZ", (A - Y) / symbol("m", 4), {A: E / np.sum(E, axis=0)}, "dJ/dZ = (A - Y) / m")
    def dZ(Z, Y, m=4):
        \"\"\"dJ/dZ = (A - Y) / m
    <BLANKLINE>
        Z (3, 4), Y (3, 4); returns (3, 4).
        \"\"\"
        t1 = np.exp(Z)
        A = t1 / np.sum(t1, axis=0)
        return (A - Y) / m
    """
    return _FunctionWriter(name, result, definitions, parameters).function(summary)


class _FunctionWriter:
    def __init__(self, name: str, result: Term, definitions: Mapping[Term, Term], parameters: Iterable[Term]) -> None:
        known: dict[Term, Term] = {}
        self.result = in_numpy(result, known)
        self.definitions = {sign: in_numpy(term, known) for sign, term in _reached(result, definitions).items()}
        self.order = list(in_order([self.result], self.definitions))
        self.order += set(parameters) - definitions.keys() - set(self.order)
        self.taken = {"np"}
        self.function_name = self.unique_name(name)
        self.taken = {"np"}  # what is local may have the function's own name
        self.symbols = {term: self.unique_name(term.name) for term in self.order if term.name is not None}
        self.temporaries = {term: self.unique_name(f"t{i}") for i, term in enumerate(self.shared(), 1)}

    def unique_name(self, name: str) -> str:
        """Return an unused identifier that resembles the name."""
        unique = next(n for n in map(identifier, with_primes(name)) if n not in self.taken)
        self.taken.add(unique)
        return unique

    def shared(self) -> list[Term]:
        """Results that get a name: those that are used again, and those that take statements of their own."""
        uses = Counter(part for term in self.order for part in made_of(term, self.definitions))
        inside = {part for term in self.order if _takes_statements(term) for part in term.args} - self.symbols.keys()
        return [term for term in self.order if _takes_statements(term) or term in inside or self.is_reused(term, uses)]

    def is_reused(self, term: Term, uses: Counter[Term]) -> bool:
        """Whether a result is used again and costs something to compute."""
        return term.op is not None and uses[term] > 1 and not _is_trivial(term) and term is not self.result

    def function(self, summary: str) -> NumpyFunction:
        """The function with its docstring."""
        inputs = sorted((x for x in self.symbols if x not in self.definitions), key=attrgetter("number"))
        numbers = [term for term in inputs if isinstance(term.value, int | float)]
        arrays = [term for term in inputs if not isinstance(term.value, int | float)]
        parameters = [self.symbols[x] for x in arrays] + [f"{self.symbols[n]}={literal(n.value)}" for n in numbers]
        shapes = ", ".join(f"{self.symbols[x]} {x.shape}" for x in arrays)
        head = f"def {self.function_name}({', '.join(parameters)}):"
        returned = self.result.shape or "a number"
        about = f"{shapes}; returns {returned}." if shapes else f"Returns {returned}."
        fixed = fixed_indices_in_words(fixed_indices(self.result, *self.definitions.values()))
        condition = f"Holds on the data: {fixed}." if fixed else ""
        body = [*_docstring(summary, about, condition), *self.statements(), f"return {self.write(self.result)}"]
        return NumpyFunction(self.function_name, "\n".join([_wrapped(head), *_indented(body)]) + "\n")

    def statements(self) -> Iterator[str]:
        """A line for each name."""
        for term in self.order:
            if term in self.definitions:
                yield f"{self.symbols[term]} = {self.write(self.definitions[term])}"
            elif term in self.temporaries:
                yield from self.computed(term)

    def computed(self, term: Term) -> list[str]:
        """The statements that compute a temporary."""
        name = self.temporaries[term]
        if not _takes_statements(term):
            return [f"{name} = {as_numpy(term, self.names_but(term))}"]
        entries, key = self.write(term.args[0]), term.kwargs["key"]
        zeros = f"{name} = np.zeros({term.shape}, {entries}.dtype)"
        place = literal(key)
        return [zeros, f"{name}[{place}] = {entries}" if is_basic(key) else f"np.add.at({name}, {place}, {entries})"]

    def names_but(self, term: Term) -> dict[Term, str]:
        return {other: name for other, name in (self.symbols | self.temporaries).items() if other is not term}

    def write(self, term: Term) -> str:
        """A term by its name, or as code over names."""
        return as_numpy(term, self.symbols | self.temporaries)


def _reached(result: Term, definitions: Mapping[Term, Term]) -> dict[Term, Term]:
    return {term: definitions[term] for term in in_order([result], definitions) if term in definitions}


def _takes_statements(term: Term) -> bool:
    return term.op is not None and term.op.kind == "scatter" and not is_diagonal(term)


def _is_trivial(term: Term) -> bool:
    """Whether a term costs nothing, as W.T and x[0] do."""
    assert term.op is not None
    return term.op.name in ("transpose", "swapaxes", "index", "broadcast_to", "reshape") and term.args[0].op is None


def identifier(name: str) -> str:
    """Return a Python identifier that resembles a name.

    >>> identifier("dZ1′"), identifier("W[l+1]"), identifier("lambda"), identifier("2nd"), identifier("a b; c")
    ('dZ1_', 'W_l_1', 'lambda_', 'x2nd', 'a_b_c')
    """
    primes = name.count("′") + 2 * name.count("″")
    letters = re.sub(r"\W+", "_", unicodedata.normalize("NFKC", name.rstrip("′″"))).rstrip("_")
    word = (letters if letters[:1].isidentifier() else f"x{letters}") + "_" * primes
    return word + "_" if keyword.iskeyword(word) else word


# ----- layout -----
def _docstring(summary: str, *about: str) -> Iterator[str]:
    harmless = clean(summary, LONGEST).replace("\\", "/").replace('"', "'")
    yield f'"""{harmless}'
    yield ""
    for sentence in about:
        yield from textwrap.wrap(sentence, WIDTH)
    yield '"""'


def _indented(lines: Iterable[str]) -> Iterator[str]:
    return (f"    {line}".rstrip() for line in lines)


def _wrapped(head: str) -> str:
    return "\n".join(textwrap.wrap(head, WIDTH, subsequent_indent="        "))
