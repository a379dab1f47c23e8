"""A gradient rule in symbols: the rule itself runs on values that write down what is done to them.

    W2ᵀ @ g      g * 1[Z1 > 0]      g / A2

So what a picture says of an operation is what the engine computes, for operations of a user's own too.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, NoReturn

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from autotiny.notation.arrays import number
from autotiny.notation.text import clean
from autotiny.ops import COMPOSED, OPS, Op
from autotiny.ops.table import Rule

LONGEST_RULE, LONGEST_FACTOR = 120, 20
ATOM, POWER, NEGATIVE, PRODUCT, SUM = range(5)
"""How tightly an expression is bound: an operand that is bound less tightly than its operation stands in brackets."""
BINDING = {"**": POWER, "*": PRODUCT, "/": PRODUCT, "@": PRODUCT, "%": PRODUCT, "+": SUM, "-": SUM}
NUMBER = re.compile(r"-?[\d.]+(e[+-]\d+)?")
RELATIONS = {"greater": ">", "less": "<", "greater_equal": "≥", "less_equal": "≤", "equal": "=", "not_equal": "≠"}
NOTATION: dict[Any, str] = {np.bitwise_or: "{} or {}", np.bitwise_and: "{} and {}"}
SILENT = {"broadcast_to", "reshape", "ravel", "expand_dims", "squeeze", "astype", "copy", "positive"}
"""They change no entry: the gradient that arrives is handed on."""
GUARD = re.compile(r"\((\S+) \+ 1\[\1 = 0\]\)")
"""x, and 1 where x is 0: against a division by 0, which the formula need not show."""
FACTORS = [
    (r"g", "1"),
    (r"-g", "−1"),
    (r"(-?)g \* (.+)", r"× \1\2"),
    (r"([\d.]+) \* g \* (.+)", r"× \1 * \2"),
    (r"(-?)g / (.+)", r"× \g<1>1/\2"),
    (r"([\d.]+) \* g / (.+)", r"× \1/\2"),
    (r"g @ (.+)", r"· \1"),
    (r"(.+) @ g", r"\1 ·"),
]
"""What is left of a rule without the g that arrives."""


class LocalDerivative(NamedTuple):
    """How an operation passes on the gradient g that arrives to one of its operands."""

    rule: str
    """In symbols: "g * b"."""
    value: Any
    """What it makes of g = 1: dy/dx of numbers."""
    arriving: str = "g"
    """What g is called: ḡ where an operand is called g."""

    @property
    def factor(self) -> str | None:
        """The rule without its g, "× b" or "· W2ᵀ"; None where it is no short product with g."""
        for pattern, rest in FACTORS:
            found = re.fullmatch(pattern.replace("g", self.arriving), self.rule)
            if found:
                factor = found.expand(rest).replace(" * ", " × ").replace("-", "−")
                return None if len(factor) > LONGEST_FACTOR or re.search(rf"\b{self.arriving}\b", factor) else factor
        return None


def local_derivative(
    rule: Rule, operands: Sequence[tuple[str, Any]], output: tuple[str, Any], options: Mapping[str, Any]
) -> LocalDerivative | None:
    """A rule, given the names and values of its operands and its output; None where it cannot be written down."""
    arriving = "ḡ" if "g" in (output[0], *(name for name, _ in operands)) else "g"
    g = Written(arriving, np.ones_like(output[1]))
    try:
        with np.errstate(all="ignore"):
            result = rule(g, Written(*output), *(Written(*operand) for operand in operands), **options)
            if not isinstance(result, Written):  # without g: nothing is passed on, or the rule left the words behind
                return None if np.any(result) else LocalDerivative("0", result)
    except Exception:  # a user's rule may do what no array of words can
        return None
    return LocalDerivative(clean(GUARD.sub(r"\1", result.text), LONGEST_RULE), result.value, arriving)


class Written(NDArrayOperatorsMixin):
    """An array that knows how it would be written."""

    def __init__(self, text: str, value: Any, binding: int = ATOM) -> None:
        self.text, self.value, self.binding = text, np.asarray(value), binding

    def within(self, binding: int) -> str:
        """As an operand of an operation that binds so tightly."""
        return self.text if self.binding <= binding else f"({self.text})"

    shape = property(lambda self: self.value.shape)
    ndim = property(lambda self: self.value.ndim)
    size = property(lambda self: self.value.size)
    dtype = property(lambda self: self.value.dtype)
    T = property(lambda self: np.transpose(self))
    mT = property(lambda self: _transposed(self))  # noqa: N815 - NumPy's name

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> "Written":
        value = getattr(ufunc, method)(*map(_value, inputs), **options)
        name = ufunc.__name__ if method == "__call__" else f"{ufunc.__name__}.{method}"
        return _write(name, _notation(ufunc if method == "__call__" else None), inputs, options, value)

    def __array_function__(self, function: Callable[..., Any], types: Any, args: Any, options: Any) -> "Written":
        if function is np.where:
            return _choice(*args)
        if function in COMPOSED:
            return COMPOSED[function](*args, **options)
        value = function(*map(_value, args), **options)
        return _write(function.__name__, _notation(function), args, options, value)

    @staticmethod
    def __autotiny_record__(op: Op, args: tuple[Any, ...], options: Mapping[str, Any]) -> "Written":
        value = op.forward(*map(_value, args), **options)
        return _write(op.name, op.notation, args, options, value)

    def __array__(self, *_: Any, **__: Any) -> NoReturn:
        raise TypeError("an array cannot say how it would be written")

    def __getitem__(self, key: Any) -> "Written":
        return Written(self.text, self.value[key], self.binding)

    def __len__(self) -> int:
        return len(self.value)

    def sum(self, **options: Any) -> "Written":
        """Entries added up."""
        return self.__array_function__(np.sum, (), (self,), options)

    def max(self, **options: Any) -> "Written":
        """The largest entry."""
        return self.__array_function__(np.max, (), (self,), options)

    def reshape(self, *shape: Any) -> "Written":
        """The same entries."""
        return Written(self.text, self.value.reshape(*shape), self.binding)

    def astype(self, dtype: Any) -> "Written":
        """The same entries."""
        return Written(self.text, self.value.astype(dtype), self.binding)


def _value(arg: Any) -> Any:
    if isinstance(arg, list | tuple):
        return type(arg)(map(_value, arg))
    return arg.value if isinstance(arg, Written) else arg


def _notation(function: Any) -> str:
    return OPS[function].notation if function in OPS else NOTATION.get(function, "")


def _operand(arg: Any) -> Written:
    if isinstance(arg, Written):
        return arg
    return Written(number(np.asarray(arg).item()) if np.size(arg) == 1 else "array", arg)


def _write(name: str, notation: str, args: Sequence[Any], options: Mapping[str, Any], value: Any) -> Written:
    if name in SILENT:
        return Written(args[0].text, value, args[0].binding)
    if name == "swapaxes":
        return _transposed(args[0])
    if name in ("zeros_like", "ones_like"):
        return Written("0" if name == "zeros_like" else "1", value)
    operands = [_operand(arg) for arg in args[: max(notation.count("{}"), 1 if notation else len(args))]]
    if np.size(value) == 1 and all(NUMBER.fullmatch(operand.text) for operand in operands):
        return Written(number(np.asarray(value).item()), value)
    if name in RELATIONS:
        left, right = (operand.within(SUM) for operand in operands)
        return Written(f"1[{left} {RELATIONS[name]} {right}]", value)
    if name == "multiply" and operands[1].text.startswith("1 / "):
        return _write("divide", "{} / {}", (args[0], Written(operands[1].text[4:], args[1].value)), {}, value)
    return _formatted(name, notation, operands, options, value)


def _formatted(name: str, notation: str, operands: list[Written], options: Mapping[str, Any], value: Any) -> Written:
    if name == "multiply" and operands[0].text == operands[1].text:
        return Written(f"{operands[0].within(ATOM)}²", value, POWER)
    if name == "power" and operands[1].text == "1":
        return operands[0]
    sign = re.fullmatch(r"\{\} (\S+) \{\}", notation)
    if sign:
        binding = BINDING.get(sign[1], SUM)
        left, right = operands[0].within(binding), operands[1].within(binding - (sign[1] in "-/@"))
        return Written(f"{left} {sign[1]} {right}", value, binding)
    if notation == "-{}":
        return Written(f"-{operands[0].within(PRODUCT)}", value, PRODUCT)
    if notation.count("{}") == len(operands) and not notation.endswith("({})"):
        return Written(notation.format(*(operand.within(ATOM) for operand in operands)), value)
    told = [f"axis={options['axis']}"] if options.get("axis") is not None else []
    return Written(f"{name}({', '.join([operand.text for operand in operands] + told)})", value)


def _transposed(written: Written) -> Written:
    return Written(f"{written.within(ATOM)}ᵀ", np.swapaxes(written.value, -1, -2))


def _choice(mask: Any, a: Any, b: Any) -> Written:
    """np.where: a product with a mask where one side is 0."""
    value = np.where(_value(mask), _value(a), _value(b))
    condition, left, right = _operand(mask), _operand(a), _operand(b)
    if right.text == "0" and left.text != "0":
        return Written(f"{left.within(PRODUCT)} * {condition.text}", value, PRODUCT)
    if left.text == "0":
        return Written(f"{right.within(PRODUCT)} * (1 - {condition.text})", value, PRODUCT)
    return Written(f"where({condition.text}, {left.text}, {right.text})", value)


# ----- rule words -----
# What the gradient rule of an operation is called, or does, in a few words.


def rule_in_words(op: Op, position: int, through_log: bool = False) -> str:
    """The rule of an operation for one operand; the chain rule's own words where it has no name."""
    if through_log:
        return f"{op.name} and its logarithm in one go, for nothing to be divided by what may underflow"
    words = op.words if isinstance(op.words, str) else op.words[position]
    return words or f"chain rule: times the derivative of {op.name}"
