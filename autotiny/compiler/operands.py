"""Operands in the text of a program: results by their names, constants in the form that is fastest."""

import itertools
import re
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np

from autotiny.algebra import Term
from autotiny.compiler.backend import FactError
from autotiny.compiler.naming import FormulaNames, names_to_show
from autotiny.compiler.rewriting import TermKind, is_uniform, kind
from autotiny.compiler.schedule import Schedule, Storage
from autotiny.notation.numbers import exact_number

# ----- names and numbers -----
RESERVED = frozenset({"step", "np", "scipy", "invalid"})
"""Names of the program's own."""
OF_NUMPY = frozenset(dir(np)) | RESERVED


def unique_names(plan: Schedule, user_names: FormulaNames) -> dict[Term, str]:
    """Return a name for every term: its own; else that of the result that replaces it in memory; else a short one."""
    names: dict[Term, str] = {}
    taken = set(OF_NUMPY)
    known = names_to_show([*plan.inputs, *plan.order], user_names)
    for term in [*plan.inputs, *plan.order]:
        name, copied = known.get(term), term.args[0] if is_copied_number(term) else None
        if copied is not None and kind(copied) in (TermKind.VIEW, TermKind.INPUT):
            copied = None  # what is made beforehand, or may be returned, keeps its name
        if copied in names and name in (None, known.get(copied)):
            names[term] = names[copied]
        elif name is not None:
            names[term] = untaken(name.text, taken)
    for storage in plan.storages:
        for before, after in itertools.pairwise(storage.tenants):
            if (
                before not in names
                and after in names
                and any(arg is before for arg in after.args)
                and before.shape == after.shape
            ):
                names[before] = names[after]
    numbers, outputs = itertools.count(1), set(plan.outputs)
    for term in plan.order:
        if term not in names:
            names[term] = untaken(telling_name(term, names, term in outputs) or f"t{next(numbers)}", taken)
    return names


LONGEST_NAME = 12
"""Letters up to which a result is named after its operand."""
TEMPORARY = re.compile(r"t\d+$")
OF_ONE = {"negative": "minus_{}", "square": "{}_squared", "sum": "sum_of_{}", "max": "max_of_{}", "min": "min_of_{}"}
"""Names of what operations make of an operand; others have their own before it: log_A2."""


def telling_name(term: Term, names: Mapping[Term, str], final: bool) -> str:
    """Return a name that says how a result follows from an operand that has one, as W1_T; "" if there is none."""
    op, args = term.op, [arg for arg in term.args if not arg.is_constant]
    base = names.get(args[0], "") if args else ""
    if op is None or not base or len(base) > LONGEST_NAME or TEMPORARY.match(base):
        return "mask" if args and op is not None and args[0].dtype == bool and kind(term) is TermKind.CAST else ""
    function, (x, *others) = op.function, args
    if final and function in (np.add, np.subtract) and x.op is None and x is term.args[0]:
        return f"new_{base}"
    if others:
        return ""
    if kind(term) is TermKind.VIEW:
        transposed = x.ndim == 2 and op.has("rearranges") and term.shape == x.shape[::-1]
        return f"{base}_T" if transposed else ""
    if function is np.matmul and any(arg.is_constant and is_uniform(arg.value) for arg in term.args):
        return f"{base}_repeated" if 1 in x.shape else f"sum_of_{base}"
    if function in (np.multiply, np.divide) and not np.ndim(term.args[1].value):
        return f"scaled_{base}"
    if function is np.greater and not np.any(term.args[1].value):
        return f"{base}_is_positive"
    if len(term.args) == 1 and (op.name in OF_ONE or isinstance(function, np.ufunc)):
        return OF_ONE.get(op.name, f"{op.name}_{{}}").format(base)
    return ""


def is_copied_number(term: Term) -> bool:
    """Whether it is the copy of a number, as a number or as an array without axes."""
    return term.op is not None and term.op.function is np.copy and term.ndim == 0 and not term.args[0].is_constant


def comment(term: Term, names: FormulaNames, formula: str = "") -> str:
    """Return the comment at the end of a term's line: its formula, or the multiple of a gradient that it is."""
    name = names.get(term)
    said = [part for part in (formula, name.remark if name else "") if part]
    return f"  # {' = '.join([name.text, *said] if name else said)}" if said else ""


def untaken(base: str, taken: set[str]) -> str:
    """Return the name, numbered if it is taken, and take it."""
    name = next(name for i in itertools.count(1) if (name := f"{base}_{i}" if i > 1 else base) not in taken)
    taken.add(name)
    return name


def number(value: Any) -> str:
    """Return a number as Python reads it."""
    return exact_number(value, 'float("{}")')


def type_of(x: Any) -> str:
    """Return the type as one more argument, if it is not float64."""
    return "" if x.dtype == np.float64 else f', "{x.dtype}"'


class Operands:
    """The names in one program, and the lines that run once, before the first call."""

    def __init__(self, plan: Schedule) -> None:
        self.plan = plan
        self.names = unique_names(plan, plan.names)
        self.user_names = names_to_show([*plan.inputs, *plan.order], plan.names)
        self.objects: dict[str, Any] = {"FactError": FactError} if plan.checks else {}
        self.imports: set[str] = set()
        self.modules: set[str] = set()
        self.setup: list[str] = []
        self.functions: list[str] = []
        """The text of functions that the program calls."""
        self.constants: dict[Any, str] = {}
        self.flats: dict[Term, str] = {}
        self.expressions: dict[Term, str] = dict(
            zip(plan.inputs, map(self.names.__getitem__, plan.inputs), strict=True)
        )

    def operand(self, x: Term, user: Term | None) -> str:
        """Return the name of a result; a constant in the form that is fastest for its user."""
        if not x.is_constant:
            return self.expressions[x]
        value = x.value
        if type(value) in (int, float, bool):
            if user is None:
                return number(value)
            others = [arg for arg in user.args if not arg.is_constant]
            if type(value) is not bool and others and all(arg.dtype.kind == "f" for arg in others):
                return self.zero_dimensional(np.array(value, np.result_type(*(arg.dtype for arg in others))))
            return number(value)
        if np.ndim(value) and self.is_plain(value):
            return self.plain_array(value)
        if np.ndim(value) == 0:
            return (
                self.zero_dimensional(np.asarray(value)) if user is not None else self.refer("c", np.asarray(value)[()])
            )
        return self.refer("constant", value)

    def as_array(self, x: Term) -> str:
        """Return the name of a result, as an array if it is a number of Python's."""
        name = self.operand(x, None)
        return name if isinstance(x.prototype, np.ndarray | np.generic) else f"np.asarray({name})"

    def zero_dimensional(self, value: np.ndarray) -> str:
        """Return the name of an array without axes, for a number that NumPy would convert at every call."""
        key = (value.dtype, value.tobytes())
        if key not in self.constants:
            name = self.constants[key] = self.fresh(_number_name(value.item()))
            self.setup.append(f"{name} = np.array({number(value.item())}{type_of(value)})")
        return self.constants[key]

    @staticmethod
    def is_plain(value: np.ndarray) -> bool:
        """Whether an array is of ones or of zeros."""
        if value.dtype.kind != "f" or not value.size:
            return False
        return bool((value == 1).all() or not (value.any() or np.signbit(value).any()))

    def plain_array(self, value: np.ndarray) -> str:
        """Return the name of an array of ones or zeros, which is made once."""
        what = "ones" if value.flat[0] else "zeros"
        key = (what, value.shape, value.dtype)
        if key not in self.constants:
            name = self.constants[key] = self.fresh(f"{what}_{'x'.join(map(str, value.shape))}")
            self.setup.append(f"{name} = np.{what}({value.shape}{type_of(value)})")
        return self.constants[key]

    def literal(self, option: Any) -> str:
        """Return the text of an option; the name of an object, if it has no text."""
        if isinstance(option, Term):
            return self.operand(option, None)
        if isinstance(option, tuple):
            return f"({', '.join(map(self.literal, option))}{',' if len(option) == 1 else ''})"
        if isinstance(option, list):
            return f"[{', '.join(map(self.literal, option))}]"
        if isinstance(option, slice):
            return f"slice({self.literal(option.start)}, {self.literal(option.stop)}, {self.literal(option.step)})"
        if option is None or option is ... or type(option) in (bool, int, str):
            return "..." if option is ... else repr(option)
        if type(option) is float:
            return number(option)
        if isinstance(option, np.dtype):
            return repr(str(option))
        return self.refer("option", option)

    def numpy(self, name: str) -> str:
        """Import a function of NumPy, and return its name."""
        self.imports.add(name)
        return name

    def ufunc(self, function: Any) -> str:
        """Return the name of a ufunc, with its module if that is not NumPy; import what it names."""
        name = function.__name__
        if getattr(np, name, None) is function:
            return self.numpy(name)
        self.modules.add("scipy.special")
        return f"scipy.special.{name}"

    def refer(self, base: str, value: Any) -> str:
        """Return a name for an object that has no text."""
        for name, known in self.objects.items():
            if known is value:
                return name
        name = self.fresh(base if base.isidentifier() else "function")
        self.objects[name] = value
        what = f"array {value.shape} of {value.dtype}" if isinstance(value, np.ndarray) else type(value).__name__
        self.setup.append(f"# {name}: {value if isinstance(value, np.generic) else what}, by reference")
        return name

    def fresh(self, base: str) -> str:
        """Return a name that is not taken."""
        taken = {*self.names.values(), *self.objects, *self.constants.values(), *self.flats.values(), *OF_NUMPY}
        return next(name for i in itertools.count(1) if (name := f"{base}_{i}" if i > 1 else base) not in taken)

    def flat(self, x: Term) -> str:
        """Return an array's entries in one row: a view that is made once, if the array keeps its memory."""
        name = self.as_array(x)
        if x.ndim == 1:
            return name
        if not (x.is_constant or isinstance(self.plan.place.get(x), Storage)):
            return f"{name}.ravel()"
        if x not in self.flats:
            self.flats[x] = self.fresh(f"flat_{name}")
            self.setup.append(f"{self.flats[x]} = {name}.ravel()")
        return self.flats[x]


def _number_name(value: Any) -> str:
    """Return zero, one, c_0_1 for 0.1, c_1_32 for 1 / 32, or c for any other number."""
    if value in (0, 1):
        return "zero" if value == 0 else "one"
    if type(value) is not float or not 1e-4 < abs(value) < 1e4:
        return "c"
    short = Fraction(abs(value)).limit_denominator(10**4)
    digits = repr(abs(value))
    name = digits.removesuffix(".0").replace(".", "_") if len(digits) <= 5 else f"{short.numerator}_{short.denominator}"
    exact = len(digits) <= 5 or float(short) == abs(value)
    return f"{'minus' if value < 0 else 'c'}_{name}" if exact else "c"
