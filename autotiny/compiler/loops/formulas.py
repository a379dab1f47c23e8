"""Numbers of machine code: a formula written with them, as on paper, is code that LLVM makes vector code of in a loop.

There are no branches: `where` computes both sides. A product and a sum may be fused (`x * y + z` with one rounding)
where the processor can do so, as C compilers do; otherwise the arithmetic is IEEE 754's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Self, TypeVar

import numpy as np

from autotiny.compiler.loops.instructions import instruction


@dataclass(frozen=True)
class Format:
    """A format of floating-point numbers: its name, LLVM's types of a number and its bits, the significand's width."""

    name: str
    type: Any
    integer: Any
    digits: int

    @property
    def width(self) -> int:
        """The bits of a number."""
        return int(self.integer.width)

    def bits(self, x: float) -> int:
        """Return the bits of a constant, as an integer."""
        return int(np.array(x, self.name).view(f"int{self.width}"))

    @property
    def bias(self) -> int:
        """The exponent of 1.0, as it is stored."""
        return self.bits(1.0) >> self.digits

    @property
    def smallest(self) -> float:
        """The smallest normal number."""
        return 2.0 ** (1 - self.bias)

    @property
    def shifter(self) -> float:
        """1.5 * 2**digits: the lowest bits of its sum with a small number are that number, rounded to an integer."""
        return 1.5 * 2.0**self.digits


@cache
def format_of(name: str) -> Format:
    """Return the format of float64 or float32."""
    from llvmlite.ir import DoubleType, FloatType, IntType

    if name == "float64":
        return Format(name, DoubleType(), IntType(64), 52)
    return Format(name, FloatType(), IntType(32), 23)


@dataclass(frozen=True, eq=False)
class Operand:
    """A value of machine code, and the builder that writes what is computed from it."""

    builder: Any
    format: Format
    value: Any

    def of(self, x: Any) -> Any:
        """Return the value of an operand, which may be a constant."""
        return x.value if isinstance(x, Operand) else self.value.type(x)

    def made(self, value: Any) -> Self:
        """Return another operand of this type."""
        return type(self)(self.builder, self.format, value)


class Number(Operand):
    """A floating-point number."""

    def of(self, x: Any) -> Any:
        """Return the value of an operand, which may be a constant: it is rounded to the format."""
        return x.value if isinstance(x, Operand) else self.format.type(float(np.array(x, self.format.name)))

    def number(self, x: float) -> "Number":
        """Return a constant number."""
        return self.made(self.of(x))

    def __add__(self, y: "Number | float") -> "Number":
        return self.made(self.builder.fadd(self.value, self.of(y), flags=("contract",)))

    def __sub__(self, y: "Number | float") -> "Number":
        return self.made(self.builder.fsub(self.value, self.of(y), flags=("contract",)))

    def __rsub__(self, y: float) -> "Number":
        return self.made(self.builder.fsub(self.of(y), self.value, flags=("contract",)))

    def __mul__(self, y: "Number | float") -> "Number":
        return self.made(self.builder.fmul(self.value, self.of(y), flags=("contract",)))

    def __truediv__(self, y: "Number | float") -> "Number":
        return self.made(self.builder.fdiv(self.value, self.of(y)))

    def __rtruediv__(self, y: float) -> "Number":
        return self.made(self.builder.fdiv(self.of(y), self.value))

    __radd__ = __add__
    __rmul__ = __mul__

    def __neg__(self) -> "Number":
        return self.made(self.builder.fneg(self.value))

    def __abs__(self) -> "Number":
        return self.intrinsic("fabs")

    def __lt__(self, y: "Number | float") -> Any:
        return self.builder.fcmp_ordered("<", self.value, self.of(y))

    def __gt__(self, y: "Number | float") -> Any:
        return self.builder.fcmp_ordered(">", self.value, self.of(y))

    def equals(self, y: "Number | float") -> Any:
        """Whether x = y, which == cannot say."""
        return self.builder.fcmp_ordered("==", self.value, self.of(y))

    def as_double(self) -> "Number":
        """Return the same number of 64 bits."""
        form = format_of("float64")
        return self if self.format is form else Number(self.builder, form, self.builder.fpext(self.value, form.type))

    def rounded_to(self, form: Format) -> "Number":
        """Return the number rounded to a format."""
        return self if self.format is form else Number(self.builder, form, self.builder.fptrunc(self.value, form.type))

    def intrinsic(self, name: str, *others: "Number") -> "Number":
        """Return what an instruction of LLVM makes of numbers."""
        return self.made(instruction(self.builder, name, self.value, *(y.value for y in others)))

    @property
    def bits(self) -> "Integer":
        """The bits, as an integer."""
        return Integer(self.builder, self.format, self.builder.bitcast(self.value, self.format.integer))


class Integer(Operand):
    """An integer as wide as the numbers, modulo 2**width: bits of a number, or an exponent."""

    def __add__(self, y: "Integer | int") -> "Integer":
        return self.made(self.builder.add(self.value, self.of(y)))

    def __sub__(self, y: "Integer | int") -> "Integer":
        return self.made(self.builder.sub(self.value, self.of(y)))

    def __rsub__(self, y: int) -> "Integer":
        return self.made(self.builder.sub(self.of(y), self.value))

    def __and__(self, y: "Integer | int") -> "Integer":
        return self.made(self.builder.and_(self.value, self.of(y)))

    def __or__(self, y: "Integer | int") -> "Integer":
        return self.made(self.builder.or_(self.value, self.of(y)))

    def __xor__(self, y: "Integer | int") -> "Integer":
        return self.made(self.builder.xor(self.value, self.of(y)))

    def __lshift__(self, n: int) -> "Integer":
        return self.made(self.builder.shl(self.value, self.of(n)))

    def __rshift__(self, n: int) -> "Integer":
        """Zeros are shifted in: few processors can shift the sign in, eight or four at once."""
        return self.made(self.builder.lshr(self.value, self.of(n)))

    def equals(self, y: int) -> Any:
        """Whether the bits are those of y."""
        return self.builder.icmp_signed("==", self.value, self.of(y))

    @property
    def number(self) -> Number:
        """The number of these bits."""
        return Number(self.builder, self.format, self.builder.bitcast(self.value, self.format.type))


Value = TypeVar("Value", Number, Integer)


def where(condition: Any, x: "Value | float", y: "Value | float") -> "Value":
    """Return x where the condition holds, else y."""
    one = x if isinstance(x, Operand) else y
    assert isinstance(one, Operand)
    return one.made(one.builder.select(condition, one.of(x), one.of(y)))


def at_least(low: float, x: Number) -> Number:
    """Return the greater one, or nan."""
    return where(x < low, low, x)


def at_most(high: float, x: Number) -> Number:
    """Return the less one, or nan."""
    return where(x > high, high, x)


def copysign(x: Number, y: Number) -> Number:
    """Return x with the sign of y."""
    return x.intrinsic("copysign", y)


def polynomial(x: Number, coefficients: Sequence[float]) -> Number:
    """Return c[0] + c[1] x + c[2] x**2 + ... by Horner's scheme."""
    total = x.number(coefficients[-1])
    for c in reversed(coefficients[:-1]):
        total = total * x + c
    return total


def rounded(x: Number) -> tuple[Number, Integer]:
    """Return x rounded to an integer, as a number and as bits whose upper half is of no meaning; |x| <= 2**20 or so."""
    shifted = x + x.format.shifter
    return shifted - x.format.shifter, shifted.bits


def power_of_two(n: Integer, factor: float = 1.0) -> Number:
    """Return 2**n times a power of two."""
    return ((n << n.format.digits) + n.format.bits(factor)).number
