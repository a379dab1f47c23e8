"""A derived formula as a function: straight lines of NumPy, from what was given to the gradient."""

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
from autotiny.notation.numbers import literal
from autotiny.notation.text import clean
from autotiny.ops.expression import is_diagonal
from autotiny.ops.indexing import is_basic

# ----- picked -----
# Entries that a formula picks by arrays of indices: the recorded run found these, and they do not move with the data.
#
# A sort is recorded as the order that it found, a mask as the entries where it held. On other data both may be others.


LONGEST = 12


def picked(*formulas: Term) -> list[str]:
    """The arrays of indices that formulas pick entries by, as text, each once.

    >>> from autotiny.algebra import symbol
    >>> a, b = symbol("a", np.array([3.0, 1.0, 2.0])), symbol("b", np.ones(3))
    >>> picked(a[np.array([1, 2, 0])] * b, a[1:] * b[np.array([True, False, True])])
    ['[1, 2, 0]', '[True, False, True]']
    """
    return list(dict.fromkeys(text for term in topological_order(*formulas) for text in _told(term)))


def claim(found: Iterable[str]) -> str:
    """What such a formula says of other data; nothing where nothing is picked."""
    listed = " and ".join(found)
    return f"picks the entries that the recorded run picked, {listed}" if listed else ""


def _told(term: Term) -> Iterator[str]:
    if term.op is None or "key" not in term.kwargs or (term.op.name == "scatter" and is_diagonal(term)):
        return
    key = term.kwargs["key"]
    arrays = [part for part in (key if isinstance(key, tuple) else (key,)) if isinstance(part, np.ndarray | list)]
    if arrays:
        yield " by ".join(_listed(np.asarray(part)) for part in arrays)


def _listed(places: Any) -> str:
    return str(places.tolist()) if places.size <= LONGEST else f"an array of {places.dtype.name} {places.shape}"


# ----- values -----
# The values that formulas have with other values of the symbols that they start from.


def made_of(term: Term, definitions: Mapping[Term, Term]) -> tuple[Term, ...]:
    """What a term is computed from; a symbol that is defined, from its definition."""
    return (definitions[term],) if term in definitions else term.parents


def in_order(results: Iterable[Term], definitions: Mapping[Term, Term]) -> Iterator[Term]:
    """Everything that the results are computed from, each once, operands before results, without recursion."""
    done: set[Term] = set()
    stack = [(result, False) for result in reversed(list(results))]
    while stack:
        term, entered = stack.pop()
        if entered:
            yield term
        elif term not in done:
            done.add(term)
            stack.append((term, True))
            stack += [(part, False) for part in reversed(made_of(term, definitions))]


def values(results: Iterable[Term], definitions: Mapping[Term, Term], given: Mapping[Term, Any]) -> dict[Term, Any]:
    """The value of everything that the results are computed from; what is not given keeps the value that it has.

    >>> from autotiny.algebra import symbol
    >>> x, y = symbol("x", 1.0), symbol("y", 2.0)
    >>> values([y * 3], {y: x * 2}, {x: 5.0})[y * 3]
    30.0
    """
    found: dict[Term, Any] = dict(given)
    for term in in_order(results, definitions):
        if term in given:
            continue
        if term in definitions:
            found[term] = found[definitions[term]]
        elif term.op is None:
            found[term] = term.value
        else:
            options = tree_map(lambda part: found.get(part, value_of(part)) if isinstance(part, Term) else part,
                               dict(term.kwargs))  # fmt: skip
            found[term] = term.op.forward(*[found[arg] for arg in term.args], **options)
    return found


WIDTH, LONGEST = 100, 400


class NumpyFunction:
    """A function of arrays by its source, which needs NumPy and nothing else.

    It prints as its source; it is called like what it prints.

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
        """What the source computes."""
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
    name: str, result: Term, definitions: Mapping[Term, Term], told: str, wanted: Iterable[Term] = ()
) -> NumpyFunction:
    """The function that computes a result from the symbols that have no definition.

    `definitions` give other symbols; `told` is what the docstring begins with. Numbers become parameters with the
    value that they have as default; symbols that are `wanted` are parameters whether the result needs them or not.
    Entries that the recorded run picked, by a sort or a mask, stay the same ones: the docstring says which. Raises
    UnsupportedError where an operation has no counterpart in NumPy.

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
    return _Program(name, result, definitions, wanted).function(told)


class _Program:
    def __init__(self, name: str, result: Term, definitions: Mapping[Term, Term], wanted: Iterable[Term]) -> None:
        known: dict[Term, Term] = {}
        self.result = in_numpy(result, known)
        self.definitions = {sign: in_numpy(term, known) for sign, term in _reached(result, definitions).items()}
        self.order = list(in_order([self.result], self.definitions))
        self.order += set(wanted) - definitions.keys() - set(self.order)
        self.taken = {"np"}
        self.function_name = self.fresh(name)
        self.taken = {"np"}  # what is local may have the function's own name
        self.symbols = {term: self.fresh(term.name) for term in self.order if term.name is not None}
        self.temporaries = {term: self.fresh(f"t{i}") for i, term in enumerate(self.shared(), 1)}

    def fresh(self, name: str) -> str:
        """An identifier like the name that nothing else has."""
        base = identifier(name)
        found = next(n for n in (identifier(n) for n in with_primes(base)) if n not in self.taken)
        self.taken.add(found)
        return found

    def shared(self) -> list[Term]:
        """Results that are worth a name: those that are used again, and those that take statements."""
        uses = Counter(part for term in self.order for part in made_of(term, self.definitions))
        inside = {part for term in self.order if _takes_statements(term) for part in term.args}
        return [term for term in self.order if _takes_statements(term) or term in inside or self.is_reused(term, uses)]

    def is_reused(self, term: Term, uses: Counter[Term]) -> bool:
        """Whether it is worth a name because it is used again."""
        return term.op is not None and uses[term] > 1 and not _is_trivial(term) and term is not self.result

    def function(self, told: str) -> NumpyFunction:
        """The whole of it."""
        inputs = sorted((x for x in self.symbols if x not in self.definitions), key=attrgetter("number"))
        numbers = [term for term in inputs if isinstance(term.value, int | float)]
        arrays = [term for term in inputs if not isinstance(term.value, int | float)]
        parameters = [self.symbols[x] for x in arrays] + [f"{self.symbols[n]}={literal(n.value)}" for n in numbers]
        shapes = ", ".join(f"{self.symbols[x]} {x.shape}" for x in arrays)
        head = f"def {self.function_name}({', '.join(parameters)}):"
        returned = self.result.shape or "a number"
        about = f"{shapes}; returns {returned}." if shapes else f"Returns {returned}."
        found = claim(picked(self.result, *self.definitions.values()))
        picks = f"Holds on the data: {found}." if found else ""
        body = [*_docstring(told, about, picks), *self.statements(), f"return {self.write(self.result)}"]
        return NumpyFunction(self.function_name, "\n".join([_wrapped(head), *_indented(body)]) + "\n")

    def statements(self) -> Iterator[str]:
        """A line for each name, but for what a name alone stands for."""
        for term in self.order:
            if term in self.definitions:
                yield f"{self.symbols[term]} = {self.write(self.definitions[term])}"
            elif term in self.temporaries:
                yield from self.computed(term)

    def computed(self, term: Term) -> list[str]:
        """What gives a temporary its value."""
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
        """A term by its name, or in terms of names."""
        return as_numpy(term, self.symbols | self.temporaries)


def _reached(result: Term, definitions: Mapping[Term, Term]) -> dict[Term, Term]:
    return {term: definitions[term] for term in in_order([result], definitions) if term in definitions}


def _takes_statements(term: Term) -> bool:
    return term.op is not None and term.op.kind == "scatter" and not is_diagonal(term)


def _is_trivial(term: Term) -> bool:
    """Whether it costs nothing, as W.T and x[0] do."""
    assert term.op is not None
    return term.op.name in ("transpose", "swapaxes", "index", "broadcast_to", "reshape") and term.args[0].op is None


def identifier(name: str) -> str:
    """A name of Python like this one.

    >>> identifier("dZ1′"), identifier("W[l+1]"), identifier("lambda"), identifier("2nd"), identifier("a b; c")
    ('dZ1_', 'W_l_1', 'lambda_', 'x2nd', 'a_b_c')
    """
    primes = name.count("′") + 2 * name.count("″")
    letters = re.sub(r"\W+", "_", unicodedata.normalize("NFKC", name.rstrip("′″"))).rstrip("_")
    found = (letters if letters[:1].isidentifier() else f"x{letters}") + "_" * primes
    return found + "_" if keyword.iskeyword(found) else found


# ----- how it is set -----
def _docstring(told: str, *about: str) -> Iterator[str]:
    harmless = clean(told, LONGEST).replace("\\", "/").replace('"', "'")
    yield f'"""{harmless}'
    yield ""
    for sentence in about:
        yield from textwrap.wrap(sentence, WIDTH)
    yield '"""'


def _indented(lines: Iterable[str]) -> Iterator[str]:
    return (f"    {line}".rstrip() for line in lines)


def _wrapped(head: str) -> str:
    return "\n".join(textwrap.wrap(head, WIDTH, subsequent_indent="        "))
