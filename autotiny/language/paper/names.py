"""The names that a typed formula may use, and the ways in which people spell them."""

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping

from autotiny.notation.text import GREEK

LONGEST = 40
"""The largest number of letters of a name that is one of several in a word."""
PRIMES = {"′": "'", "″": "''"}


def key(name: str) -> str:
    """What the spellings of one name have in common: A_2, A^{[2]} and A2; lambda_, lam and λ; dZ1′ and dZ1'.

    >>> key("A_2"), key("W[2]"), key("theta_max") == key("θmax"), key("dlambda") == key("dλ"), key("Z1″")
    ('A2', 'W2', True, True, "Z1''")
    """
    for sign, prime in PRIMES.items():
        name = name.replace(sign, prime)
    letters = re.sub(r"[^\W\d_]+", lambda match: _greek(match[0]), name)
    return re.sub(r"[^\w']|_", "", letters)


def _greek(word: str) -> str:
    if word[:1] == "d" and word[1:] in GREEK:
        return f"d{GREEK[word[1:]]}"
    return GREEK.get(word, word)


class Names:
    """The names of a formula: `spelled` gives the identifier of each name, `more` those of names that come second.

    >>> names = Names({"A2": "A2", "dZ1′": "dZ1_", "λ": "lam"})
    >>> names.find("A_2"), names.find("dZ1'"), names.find("lambda"), names.find("a2"), names.find("B")
    ('A2', 'dZ1_', 'lam', 'A2', None)
    >>> list(names.split("lamA2"))
    ['lam', 'A2']
    """

    def __init__(self, spelled: Mapping[str, str], more: Mapping[str, str] | None = None) -> None:
        self.exact: dict[str, str] = {}
        self.by_key: dict[str, str | None] = {}
        self.by_case: dict[str, str | None] = {}
        for names in (spelled, more or {}):
            self._add(names)

    def _add(self, names: Mapping[str, str]) -> None:
        keys, cases = dict[str, str | None](), dict[str, str | None]()
        for name, identifier in names.items():
            self.exact.setdefault(name, identifier)
            self.exact.setdefault(identifier, identifier)
            _enter(keys, key(name), identifier)
            _enter(cases, key(name).lower(), identifier)
        self.by_key = {**keys, **self.by_key}
        self.by_case = {**cases, **self.by_case}

    def find(self, word: str) -> str | None:
        """Return the identifier that a word spells; None if there is none, or two."""
        return self.exact.get(word) or self.by_key.get(key(word)) or self.by_case.get(key(word).lower())

    def is_known(self, word: str) -> bool:
        """Whether a word spells a name in its own case."""
        return word in self.exact or self.by_key.get(key(word)) is not None

    def split(self, word: str, others: Iterable[str] = ()) -> Iterator[str]:
        """Yield the names that are side by side in a word: X and w in Xw; nothing if it does not consist of names."""
        known, last, size = self.is_known, frozenset(others), len(word)
        rests: list[list[str] | None] = [*[None] * size, []]  # the parts of the word from each of its letters
        for i in range(size - 1, -1, -1):
            for end in range(min(size, i + LONGEST), i, -1):
                rest, part = rests[end], word[i:end]
                ends = end == size or not (word[end].isdigit() or word[end] == "_")
                if rest is not None and ends and (known(part) or (end == size and part in last)):
                    rests[i] = [part, *rest]
                    break
        yield from rests[0] or ()

    def near(self, word: str, others: Iterable[str] = (), most: int = 3) -> list[str]:
        """Return the names that resemble a word."""
        by_case = {name.lower(): name for name in [*self.exact, *others]}
        return [by_case[each] for each in difflib.get_close_matches(word.lower(), by_case, n=most, cutoff=0.6)]


def _enter(table: dict[str, str | None], word: str, identifier: str) -> None:
    table[word] = identifier if table.setdefault(word, identifier) == identifier else None
