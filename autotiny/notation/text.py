"""Names and tables as text: how a name is typeset, and how text stays harmless and aligned in a terminal."""

import re
import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

# ----- names: dZ2 is the differential of Z with index 2 -----


LONGEST = 40
NAME = re.compile(
    r"(?P<d>d(?=[A-Z\u0370-\u03ff]|[a-z]\d*\W*$))?"
    r"(?P<letters>[^\W\d_]+?)(_?(?P<index>\d+)|_(?P<words>[^\W_]+))?"
    r"(\[(?P<layer>[\w+\- ]+)\])?(?P<primes>′*)"
)
GREEK = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "eps": "ε", "zeta": "ζ", "eta": "η",
    "theta": "θ", "iota": "ι", "kappa": "κ", "lambda": "λ", "lamda": "λ", "lam": "λ", "mu": "μ", "nu": "ν", "xi": "ξ",
    "pi": "π", "rho": "ρ", "sigma": "σ", "tau": "τ", "upsilon": "υ", "phi": "φ", "chi": "χ", "psi": "ψ", "omega": "ω",
    "Gamma": "Γ", "Delta": "Δ", "Theta": "Θ", "Lambda": "Λ", "Xi": "Ξ", "Pi": "Π", "Sigma": "Σ", "Upsilon": "Υ",
    "Phi": "Φ", "Psi": "Ψ", "Omega": "Ω",
}  # fmt: skip


class NameParts(NamedTuple):
    """The parts of a name: a d in front, letters, a subscript, a layer in brackets, and primes."""

    differential: bool
    letters: str
    subscript: str = ""
    layer: str = ""
    primes: int = 0

    @property
    def is_variable(self) -> bool:
        """Whether the name is a variable's; otherwise it is a phrase."""
        return self.letters.isalpha()


def name_parts(name: str) -> NameParts:
    """Split a name into its parts; a name that is not a variable's is all letters.

    >>> name_parts("dZ2"), name_parts("W[l+1]").layer, name_parts("theta_max")[1:3], name_parts("loss″").primes
    (NameParts(differential=True, letters='Z', subscript='2', layer='', primes=0), 'l+1', ('θ', 'max'), 2)
    >>> name_parts("dropout").differential, name_parts("x; rm -r").letters
    (False, 'x; rm -r')
    """
    name = clean(name, LONGEST).replace("″", "′′")
    match = NAME.fullmatch(name)
    if not match:
        return NameParts(False, name)
    letters = GREEK.get(match["letters"], match["letters"])
    subscript = match["index"] or match["words"] or ""
    return NameParts(bool(match["d"]), letters, subscript, match["layer"] or "", len(match["primes"]))


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """Return a table as text: cells padded to the width of their column, two spaces apart.

    >>> print(aligned([["name", "shape"], ["W1", "(16, 4)"], ["b", "()"]]))
    name  shape
    W1    (16, 4)
    b     ()
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


def clean(text: str, longest: int) -> str:
    """Return text without control and direction characters, cut to a length: harmless on any page or terminal.

    >>> clean("red\\x1b[31m\\u202e", 24), clean("w" * 100, 8)
    ('red�[31m�', 'wwwwwww…')
    """
    # Category C has control, format and unassigned characters and surrogates, some of which XML forbids.
    visible = "".join("�" if unicodedata.category(character)[0] == "C" else character for character in text)
    return visible if len(visible) <= longest else visible[: longest - 1] + "…"
