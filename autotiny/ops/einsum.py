"""Einstein's summation, whose gradient is another summation."""

import string
from typing import Any

import numpy as np

from autotiny.errors import ShapeError, UnsupportedError
from autotiny.ops.table import Array, compose, own


def explicit(subscripts: str, ndims: list[int]) -> tuple[list[str], str]:
    """Spell out the labels of operands and output: no ellipsis, nothing implied."""
    left, arrow, out = subscripts.replace(" ", "").partition("->")
    terms = left.split(",")
    if len(terms) != len(ndims):
        raise UnsupportedError(f"einsum: {subscripts!r} names {len(terms)} operands and {len(ndims)} were given")
    spare = [c for c in string.ascii_letters if c not in subscripts]
    hidden = max((n - len(t) + 3 for t, n in zip(terms, ndims, strict=True) if "..." in t), default=0)
    dots = "".join(spare[:hidden])
    if not arrow:
        letters = left.replace("...", "").replace(",", "")
        out = ("..." if hidden else "") + "".join(sorted(c for c in set(letters) if letters.count(c) == 1))
    unknown = set(out.replace("...", "")) - set(left)
    if unknown or ("..." in left and "..." not in out and hidden):
        missing = f"label {min(unknown)!r}" if unknown else "ellipsis"
        where = "no operand has" if unknown else "the output lacks"
        raise UnsupportedError(f"einsum: {subscripts!r}: {where} the {missing}")
    spelt = [
        t.replace("...", dots[hidden - (n - len(t) + 3) :]) if "..." in t else t
        for t, n in zip(terms, ndims, strict=True)
    ]
    return spelt, out.replace("...", dots)


def without_repeats(term: str, x: Array) -> tuple[str, Array]:
    """Take diagonals until each label of an operand occurs once: 'ii' of x is 'i' of its diagonal."""
    for label in term:
        while term.count(label) > 1:
            first = term.index(label)
            second = term.index(label, first + 1)
            if x.shape[first] != x.shape[second]:
                raise ShapeError(f"einsum: axes {first} and {second} share the label {label!r} and differ in {x.shape}")
            x = np.diagonal(x, 0, first, second)
            term = "".join(c for k, c in enumerate(term) if k not in (first, second)) + label
    return term, x


def einsum_back(i: int, g: Array, y: Array, *operands: Array, terms: tuple[str, ...] = (), output: str = "") -> Array:
    """x̄ᵢ[tᵢ] = Σ ȳ Π_{k≠i} xₖ[tₖ] over all labels but those of tᵢ, broadcast over labels that tᵢ alone has."""
    others = [(t, x) for k, (t, x) in enumerate(zip(terms, operands, strict=True)) if k != i]
    known = set(output).union(*(t for t, _ in others))
    reached = "".join(c for c in terms[i] if c in known)
    result = np.einsum(",".join([output, *(t for t, _ in others)]) + "->" + reached, g, *(x for _, x in others))
    lengths = [np.shape(result)[reached.index(c)] if c in known else 1 for c in terms[i]]
    full = np.broadcast_shapes(tuple(lengths), operands[i].shape)
    return np.broadcast_to(np.reshape(result, lengths), full)


@own(
    each=einsum_back,
    traits="mixes analytic linear keeps_sign",
    words="einsum: with the gradient in the output's place, over the labels of this operand",
)
def summation(*operands: Array, terms: tuple[str, ...] = (), output: str = "") -> Array:
    """Return the products of the operands, summed over all labels that the output lacks."""
    return np.einsum(",".join(terms) + "->" + output, *operands, optimize=len(operands) > 2)


def as_text(mixed: tuple[Any, ...]) -> tuple[str, tuple[Array, ...]]:
    """Return subscripts and operands of einsum(a, [0, 1], b, [1, 2], [0, 2])."""
    labels = [*mixed[1::2], *mixed[len(mixed) - len(mixed) % 2 :]]
    terms = ["".join("..." if i is Ellipsis else string.ascii_letters[i] for i in label) for label in labels]
    inputs, output = terms[: len(mixed) // 2], terms[len(mixed) // 2 :]
    return "->".join([",".join(inputs), *output]), mixed[: len(mixed) - len(mixed) % 2 : 2]


@compose(np.einsum)
def einsum(subscripts: Any, *operands: Array, optimize: Any = False) -> Array:
    """Return products summed over labels; ellipsis and output may be left out."""
    if not isinstance(subscripts, str):
        subscripts, operands = as_text((subscripts, *operands))
    terms, output = explicit(subscripts, [np.ndim(x) for x in operands])
    pairs = [without_repeats(t, x) for t, x in zip(terms, operands, strict=True)]
    return summation(*(x for _, x in pairs), terms=tuple(t for t, _ in pairs), output=output)
