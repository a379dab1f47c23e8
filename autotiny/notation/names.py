"""How a variable's name is typeset: dZ2 is the differential of Z with index 2."""

import re
from typing import NamedTuple

from autotiny.notation.text import clean

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


class Name(NamedTuple):
    """The parts of a name: d before it, its letters, a subscript, a layer in brackets above, and primes."""

    differential: bool
    letters: str
    subscript: str = ""
    layer: str = ""
    primes: int = 0

    @property
    def is_variable(self) -> bool:
        """Whether it has parts; else it is words."""
        return self.letters.isalpha()


def anatomy(name: str) -> Name:
    """The parts of a name; a name of another make is all letters.

    >>> anatomy("dZ2"), anatomy("W[l+1]").layer, anatomy("theta_max")[1:3], anatomy("loss″").primes
    (Name(differential=True, letters='Z', subscript='2', layer='', primes=0), 'l+1', ('θ', 'max'), 2)
    >>> anatomy("dropout").differential, anatomy("x; rm -r").letters
    (False, 'x; rm -r')
    """
    name = clean(name, LONGEST).replace("″", "′′")
    found = NAME.fullmatch(name)
    if not found:
        return Name(False, name)
    letters = GREEK.get(found["letters"], found["letters"])
    subscript = found["index"] or found["words"] or ""
    return Name(bool(found["d"]), letters, subscript, found["layer"] or "", len(found["primes"]))
