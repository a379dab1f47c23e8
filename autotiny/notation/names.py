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


class NameParts(NamedTuple):
    """The parts of a name: d before it, its letters, a subscript, a layer in brackets above, and primes."""

    differential: bool
    letters: str
    subscript: str = ""
    layer: str = ""
    primes: int = 0

    @property
    def is_variable(self) -> bool:
        """Whether it is a variable's name; else it is words."""
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
