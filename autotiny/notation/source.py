"""Formulas as NumPy code: W2.T @ dZ2 * (Z1 > 0)."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import numpy as np

from autotiny.algebra.term import Term, apply, topological_order
from autotiny.errors import AutotinyError, UnsupportedError
from autotiny.notation.parts import Part, by_function, is_diagonal
from autotiny.notation.writer import Bind, Form, Notation, Written
from autotiny.ops import Op, indexing, linalg, shaping

ANY, TRUTH, SUM, PRODUCT, MATMUL, POSTFIX, ATOM = Bind

# To Python * @ and / are of one rank; to readers a product of matrices is one factor, so it stands in parentheses.
# fmt: off
OPERATORS = {
    np.add:           Form("{} + {}",  SUM,     (SUM, PRODUCT)),
    np.subtract:      Form("{} - {}",  SUM,     (SUM, PRODUCT)),
    np.negative:      Form("-{}",      PRODUCT, (PRODUCT,)),
    np.multiply:      Form("{} * {}",  PRODUCT, (PRODUCT, POSTFIX)),
    np.divide:        Form("{} / {}",  PRODUCT, (PRODUCT, POSTFIX)),
    np.floor_divide:  Form("{} // {}", PRODUCT, (PRODUCT, POSTFIX)),
    np.remainder:     Form("{} % {}",  PRODUCT, (PRODUCT, POSTFIX)),
    np.matmul:        Form("{} @ {}",  MATMUL,  (MATMUL, POSTFIX)),
    np.power:         Form("{} ** {}", POSTFIX, (ATOM, POSTFIX)),
    np.square:        Form("{} ** 2",  POSTFIX, (ATOM,)),
    np.greater:       Form("{} > {}",  TRUTH,   (SUM, SUM)),
    np.greater_equal: Form("{} >= {}", TRUTH,   (SUM, SUM)),
    np.less:          Form("{} < {}",  TRUTH,   (SUM, SUM)),
    np.less_equal:    Form("{} <= {}", TRUTH,   (SUM, SUM)),
    np.equal:         Form("{} == {}", TRUTH,   (SUM, SUM)),
    np.not_equal:     Form("{} != {}", TRUTH,   (SUM, SUM)),
}
FORMS = {
    **{function.__name__: form for function, form in OPERATORS.items()},
    "index":          Form("{}[{}]",                    ATOM, (ATOM,)),
    "transpose":      Form("{}.T",                      ATOM, (ATOM,)),
    "transpose last": Form("{}.mT",                     ATOM, (ATOM,)),
    "astype":         Form("{}.astype({})",             ATOM, (ATOM,)),
    "log_abs_det":    Form("np.linalg.slogdet({})[1]",  ATOM, (ANY,)),
    "sign_of_det":    Form("np.linalg.slogdet({})[0]",  ATOM, (ANY,)),
    "cofactors":      Form("np.linalg.det({0}) * np.linalg.inv({0}).T", PRODUCT, (ANY,)),
    "constant":       Form("{}",                        ATOM),
}
# fmt: on


class Source(Notation):
    """Formulas as NumPy code, which computes in the order that the formula has.

    >>> from autotiny.algebra import symbol
    >>> W2, dZ2, Z1 = (symbol(name, np.eye(2)) for name in ("W2", "dZ2", "Z1"))
    >>> print(Source()(W2.T @ dZ2 * (Z1 > 0)))
    W2.T @ dZ2 * (Z1 > 0)
    >>> print(Source()(-dZ2 / np.sum(Z1 * dZ2, axis=0, keepdims=True)))
    -dZ2 / np.sum(Z1 * dZ2, axis=0, keepdims=True)
    """

    forms: ClassVar[Mapping[str, Form]] = FORMS
    shortens: ClassVar[bool] = False

    def part(self, term: Term) -> Part:
        """What code computes a term."""
        if term.op is None:
            return Part("symbol", words=(term.name,)) if term.name is not None else _constant(term.value)
        read = PARTS.get(term.op.function)
        return read(term) if read else Part("call", term.args, (numpy_name(term.op), *_options(term)))

    def operand(self, kind: str, term: Term, written: Written) -> Written:
        """True and false count as 1 and 0 in NumPy as they are."""
        return written

    def call(self, name: str, arguments: list[str]) -> str:
        """A NumPy function, which takes a list where it joins."""
        if name != "np.concatenate":
            return super().call(name, arguments)
        arrays = [argument for argument in arguments if not argument.startswith("axis=")]
        return super().call(name, [f"[{', '.join(arrays)}]", *arguments[len(arrays) :]])


def is_numpy(op: Op) -> bool:
    """Whether NumPy has a function that does the same."""
    return op.function in PARTS or op.function in WRITTEN or _home(op) is not None


def numpy_name(op: Op) -> str:
    """What NumPy calls the operation, with its module; raises UnsupportedError where it has none."""
    home = WRITTEN.get(op.function) or _home(op)
    if home is None:
        raise UnsupportedError(f"numpy: {op.name} cannot be written in NumPy functions that autotiny knows")
    return home


def _home(op: Op) -> str | None:
    homes = {"np": np, "np.linalg": np.linalg}
    return next((f"{name}.{op.name}" for name, m in homes.items() if getattr(m, op.name, None) is op.function), None)


def in_numpy(term: Term, known: dict[Term, Term]) -> Term:
    """The formula in operations that NumPy has; what is `known`, or becomes so, is not looked into again.

    Raises UnsupportedError where an operation's forward function does not run on formulas.

    >>> from autotiny.algebra import symbol
    >>> import autotiny as at
    >>> print(Source()(in_numpy(at.relu(symbol("Z", 1.0)), {})))
    np.maximum(Z, 0)
    """
    for each in topological_order(term):
        if each not in known:
            known[each] = each if each.op is None else _in_numpy(each, [known[arg] for arg in each.args], known)
    return known[term]


def _in_numpy(term: Term, args: list[Term], known: dict[Term, Term]) -> Term:
    assert term.op is not None
    if is_numpy(term.op):
        return apply(term.op, args, term.kwargs)
    try:
        lowered = term.op.forward(*args, **term.kwargs)
    except AutotinyError as error:
        raise UnsupportedError(f"numpy: {term.op.name} cannot be written in NumPy functions: {error}") from error
    if not isinstance(lowered, Term) or lowered is term:
        raise UnsupportedError(f"numpy: {term.op.name} cannot be written in NumPy functions that autotiny knows")
    return in_numpy(lowered, known)


# ----- literals -----
def literal(value: Any) -> str:
    """A value as Python code, with all of its digits.

    >>> literal((0, slice(None, 3), ...)), literal(np.float64(0.1)), literal(np.arange(3)), literal(float("inf"))
    ('(0, slice(None, 3, None), ...)', '0.1', 'np.array([0, 1, 2])', 'np.inf')
    """
    if isinstance(value, np.ndarray) and value.ndim:
        return _array(value)
    if isinstance(value, np.ndarray | np.generic):
        value = value.item()
    if isinstance(value, float) and not np.isfinite(value):
        return {"inf": "np.inf", "-inf": "-np.inf"}.get(repr(value), "np.nan")
    if isinstance(value, tuple):
        return f"({', '.join(map(literal, value))}{',' if len(value) == 1 else ''})"
    if isinstance(value, Term):
        raise UnsupportedError("numpy: an index that depends on values cannot be written as a formula")
    return "..." if value is ... else repr(value)


def _array(value: Any) -> str:
    dtype = "" if value.dtype in (np.float64, np.int64, np.bool_) else f", np.{value.dtype.name}"
    if value.ndim == 2 and value.dtype.kind == "f" and np.array_equal(value, np.eye(*value.shape)):
        return f"np.eye({', '.join(map(str, dict.fromkeys(value.shape)))}{dtype})"
    if value.size and np.all(value == value.flat[0]):
        return f"np.full({value.shape}, {literal(value.flat[0])}{dtype})"
    return f"np.array({_nested(value.tolist())}{dtype})"


def _nested(value: Any) -> str:
    return f"[{', '.join(map(_nested, value))}]" if isinstance(value, list) else literal(value)


def _constant(value: Any) -> Part:
    return Part("number" if np.ndim(value) == 0 else "constant", words=(literal(value),))


# ----- how operations are written -----
def _options(term: Term) -> tuple[str, ...]:
    return tuple(f"{name}={literal(value)}" for name, value in term.kwargs.items())


def _key(place: Any) -> str:
    if isinstance(place, tuple) and place:
        return ", ".join(map(_key, place)) + ("," if len(place) == 1 else "")
    if isinstance(place, slice):
        ends = ["" if end is None else literal(end) for end in (place.start, place.stop)]
        return ":".join(ends if place.step is None else [*ends, literal(place.step)])
    return literal(place)


def _index(term: Term) -> Part:
    return Part("index", term.args, (_key(term.kwargs["key"]),))


def _scatter(term: Term) -> Part:
    """A diagonal; anything else takes statements of its own, and a name."""
    if is_diagonal(term):
        return Part("call", term.args, ("np.diag",))
    raise AssertionError("entries that are put into zeros have a name")


def _cofactors(term: Term) -> Part:
    """Those of a matrix that is not singular."""
    if term.ndim != 2:
        raise UnsupportedError("numpy: the cofactors of a stack of matrices cannot be written as a formula")
    return Part("cofactors", term.args)


def _transpose(term: Term) -> Part:
    plain = term.kwargs.get("axes") is None or term.ndim < 2 or (term.ndim == 2 and term.kwargs["axes"][0] % 2)
    return Part("transpose", term.args) if plain else Part("call", term.args, ("np.transpose", *_options(term)))


def _swapaxes(term: Term) -> Part:
    axes = {term.kwargs.get(name, 0) % term.ndim for name in ("axis1", "axis2")}
    if axes == {term.ndim - 2, term.ndim - 1}:
        return Part("transpose" if term.ndim == 2 else "transpose last", term.args)
    return Part("call", term.args, ("np.swapaxes", *_options(term)))


def _same_kind(kind: str) -> Callable[[Term], Part]:
    return lambda term: Part(kind, term.args)


WRITTEN = by_function({
    shaping.join: "np.concatenate", shaping.pad_constant: "np.pad", linalg.vdot: "np.vdot",
})  # fmt: skip
PARTS: dict[Any, Callable[[Term], Part]] = by_function({
    **{function: _same_kind(function.__name__) for function in OPERATORS},
    indexing.index: _index,
    indexing.scatter: _scatter,
    shaping.astype: lambda term: Part("astype", term.args, (f"np.{np.dtype(term.kwargs['dtype']).name}",)),
    np.transpose: _transpose,
    np.swapaxes: _swapaxes,
    linalg.log_abs_det: _same_kind("log_abs_det"),
    linalg.sign_of_det: _same_kind("sign_of_det"),
    linalg.cofactors: _cofactors,
})  # fmt: skip
