"""Write a schedule as a program in NumPy: straight lines, every result in memory that is kept from call to call."""

import itertools
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from autotiny.algebra import Term
from autotiny.compiler.block_writing import BlockWriter
from autotiny.compiler.facts import FactError
from autotiny.compiler.kinds import INDEX, REDUCTIONS, RESHAPES, VDOT, Kind, kind
from autotiny.compiler.naming import Names, told
from autotiny.compiler.schedule import Schedule, Storage, nbytes
from autotiny.compiler.writing import comment, number, type_of, unique_names

SIGNS = {
    np.add: "+", np.subtract: "-", np.multiply: "*", np.divide: "/", np.power: "**", np.floor_divide: "//",
    np.greater: ">", np.greater_equal: ">=", np.less: "<", np.less_equal: "<=", np.equal: "==", np.not_equal: "!=",
}  # fmt: skip
OUT_BY_NAME = {np.maximum, np.minimum}
"""Ufuncs whose result by position NumPy warns of."""


class Source(NamedTuple):
    """A program: its text, and the objects that its text refers to."""

    text: str
    held: dict[str, Any]


class Writer:
    """Writes the lines of one program."""

    def __init__(self, plan: Schedule, names: Names, threads: int = 1) -> None:
        self.plan, self.threads = plan, threads
        self.names, self.given = unique_names(plan, names), told([*plan.inputs, *plan.order], names)
        self.held: dict[str, Any] = {"FactError": FactError} if plan.checks else {}
        self.imports: set[str] = set()
        self.modules: set[str] = set()
        self.setup: list[str] = []
        self.lines: list[str] = []
        self.functions: list[str] = []
        self.constants: dict[Any, str] = {}
        self.flats: dict[Term, str] = {}
        self.written: dict[Term, str] = dict(zip(plan.inputs, map(self.names.__getitem__, plan.inputs), strict=True))

    def program(self, stop: type[Exception] | None) -> Source:
        """The whole of it; what is donated is written last, when nothing can stop it any more."""
        self.write_memory()
        donated = [term for term in self.plan.order if isinstance(self.plan.place.get(term), Term)]
        last, checks = set(donated), set(self.plan.checks)
        for term in self.plan.order:
            if term in self.plan.group:
                self.write_block(term)
            elif term not in last:
                self.write(term)
            if term in checks:
                self.check(term)
        if stop is not None:
            self.held[stop.__name__] = stop
            self.lines += [f"if {self.failure(last)}:", f"    raise {stop.__name__}"]
        for term in donated:
            self.write(term)
        results = ", ".join(self.result(output) for output in self.plan.outputs)
        comma = "," if len(self.plan.outputs) == 1 else ""
        parameters = ", ".join(self.written[term] for term in self.plan.inputs)
        imported = [f"from numpy import {', '.join(sorted(self.imports))}"] if self.imports else []
        head = [*(f"import {module}" for module in sorted(self.modules)), "import numpy as np", *imported]
        body = [f"    {line}" for line in [*self.lines, f"return {results}{comma}"]]
        text = [*head, "", *self.setup, "", "", *self.functions, f"def step({parameters}):", *body, ""]
        return Source("\n".join(text), self.held)

    def failure(self, donated: set[Term]) -> str:
        """What stops the program: an invalid operation, or a result that is not finite and must be."""
        finite = [x for x in self.plan.finite if x not in donated]
        if finite:
            self.modules.add("math")
        return " or ".join(["invalid", *(f"not math.isfinite({self.in_one_number(x)})" for x in finite)])

    def in_one_number(self, x: Term) -> str:
        """A number that is finite if all entries are."""
        return f"{self.flat(x)}.dot({self.flat(x)})" if x.ndim else self.written[x]

    # ----- memory -----
    def write_memory(self) -> None:
        """One line for each result that has a place."""
        for storage in self.plan.storages:
            self.write_tenants(storage)
        for term, place in self.plan.place.items():
            if isinstance(place, Term) and term is not place:
                self.names[term] = self.names[place]

    def write_tenants(self, storage: Storage) -> None:
        """A storage, under the names of all that live in it.

        Results of one shape and type are one object: NumPy looks longer at two that overlap than at one.
        """
        first, *others = storage.tenants
        base = ""
        if any(form_of(x) != form_of(first) for x in others):
            base = f"memory{storage.number + 1}"
            self.setup.append(f'{base} = np.empty({storage.nbytes}, "uint8")')
        made: dict[Any, str] = {}
        seen = set()
        for x in storage.tenants:
            name = self.names[x]
            if name in seen:
                continue
            seen.add(name)
            text = made.setdefault(form_of(x), name)
            if text == name:
                text = self.part_of(base, storage, x) if base else f"np.empty({x.shape}{type_of(x)})"
            self.setup.append(f"{name} = {text}")

    @staticmethod
    def part_of(memory: str, storage: Storage, x: Term) -> str:
        """The first bytes of some memory, as an array of x's shape and type."""
        part = memory if nbytes(x) == storage.nbytes else f"{memory}[:{nbytes(x)}]"
        return f'{part}.view("{x.dtype}").reshape({x.shape})'

    # ----- blocks -----
    def write_block(self, term: Term) -> None:
        """A group, where its first member stands: the function of a block, and the line that calls it."""
        group = self.plan.group[term]
        if term is not group.terms[0]:
            return
        block = BlockWriter(self, group)
        self.functions.append(block.text())
        self.lines += block.call()

    # ----- operations -----
    def write(self, term: Term) -> None:
        """The line that computes a term, unless it is written where it is used."""
        form: dict[Kind, Callable[[Term], str]] = {
            Kind.VIEW: self.view,
            Kind.NUMBER: self.number,
            Kind.ELEMENTWISE: self.elementwise,
            Kind.REDUCTION: self.reduction,
            Kind.PRODUCT: self.product,
            Kind.CAST: self.cast,
            Kind.CALL: self.call,
        }
        text, name = form[kind(term)](term), self.names[term]
        note = comment(term, self.given, self.as_formula(term))
        if kind(term) is Kind.VIEW and self.in_memory(term):
            self.setup.append(f"{name} = {text}{note}")
        elif term not in self.plan.place:
            self.lines.append(f"{name} = {text}{note}")
        else:
            self.lines.append(text + note)
        self.written[term] = name

    def check(self, term: Term) -> None:
        """Stop where a sum is not 1 everywhere."""
        name = self.fresh("all_one")
        self.setup.append(f"{name} = np.ones({term.shape}{type_of(term)}).tobytes()")
        self.lines += [f"if {self.names[term]}.tobytes() != {name}:", "    raise FactError"]

    def in_memory(self, view: Term) -> bool:
        """Whether a view shows memory of the program's own, so that it can be made beforehand."""
        while kind(view) is Kind.VIEW:
            view = view.args[0]
        return isinstance(self.plan.place.get(view), Storage)

    def out(self, term: Term, by_name: bool = True) -> str:
        """The argument that says where the result goes."""
        if term not in self.plan.place:
            return ""
        return f", out={self.names[term]}" if by_name else f", {self.names[term]}"

    def elementwise(self, term: Term) -> str:
        """A ufunc: `add(a, b, out=c)`."""
        function = self.numpy(term.op.function.__name__)  # type: ignore[union-attr]
        return f"{function}({', '.join(self.operand(arg, term) for arg in term.args)}{self.out(term)})"

    def as_formula(self, term: Term) -> str:
        """A difference or quotient of named arrays in the user's names: A2 - Y."""
        assert term.op is not None
        args = [arg.args[0] if arg.op is not None and arg.op.function is np.copy else arg for arg in term.args]
        if kind(term) is not Kind.ELEMENTWISE or term.op.function not in SIGNS or not all(map(self.is_given, args)):
            return ""
        a, b = (self.given[arg].text for arg in args)
        return f"{a} {SIGNS[term.op.function]} {b}"

    def is_given(self, x: Term) -> bool:
        """Whether a term is what a name of the user's says."""
        return x in self.given and self.given[x].exact

    def cast(self, term: Term) -> str:
        """Into another type: `c[...] = a`."""
        x = self.operand(term.args[0], None)
        return f"{self.names[term]}[...] = {x}" if term in self.plan.place else f'{x}.astype("{term.dtype}")'

    def reduction(self, term: Term) -> str:
        """Along axes: `add.reduce(a, axis=0, out=c)`."""
        function = self.numpy(REDUCTIONS[term.op.function])  # type: ignore[union-attr]
        axis, keepdims = term.options.get("axis"), bool(term.options.get("keepdims"))
        keep = ", keepdims=True" if keepdims else ""
        return f"{function}.reduce({self.operand(term.args[0], None)}, axis={_plain_axis(axis)}{self.out(term)}{keep})"

    def product(self, term: Term) -> str:
        """`a.dot(b, out=c)`, which starts sooner than any function; matmul where there are more axes than two."""
        a, b = term.args
        first, second = self.operand(a, None), self.operand(b, None)
        if a.ndim <= 2 and b.ndim <= 2 and a.dtype == b.dtype:
            return f"{first}.dot({second}{self.out(term)})"
        return f"{self.numpy('matmul')}({first}, {second}{self.out(term)})"

    def sum_of_products(self, term: Term) -> str:
        """`flat_a.dot(flat_b)`, over all entries."""
        a, b = (self.flat(arg) for arg in term.args)
        return f"{a}.dot({b})"

    def flat(self, x: Term) -> str:
        """An array's entries in one row, arranged beforehand where they stay where they are."""
        name = self.operand(x, None)
        if x.ndim == 1:
            return name
        if not (x.is_constant or isinstance(self.plan.place.get(x), Storage)):
            return f"{name}.ravel()"
        if x not in self.flats:
            self.flats[x] = self.fresh(f"flat_{name}")
            self.setup.append(f"{self.flats[x]} = {name}.ravel()")
        return self.flats[x]

    def number(self, term: Term) -> str:
        """A result without axes: `a + b`."""
        assert term.op is not None
        function = term.op.function
        if term.op is VDOT:
            return self.sum_of_products(term)
        if function is np.matmul:
            return self.product(term)
        if function in REDUCTIONS and not term.options.get("keepdims"):
            return self.reduction(term)
        if function is np.negative:
            return f"-{self.operand(term.args[0], None)}"
        if function in SIGNS:
            a, b = (self.operand(arg, None) for arg in term.args)
            return f"{a} {SIGNS[function]} {b}"
        if function is np.copy:
            return f"{self.numpy('array')}({self.operand(term.args[0], None)})"
        return self.elementwise(term) if isinstance(function, np.ufunc) else self.call(term)

    def call(self, term: Term) -> str:
        """Any function, as it is."""
        assert term.op is not None
        name = self.hold(getattr(term.op.forward, "__name__", "function"), term.op.forward)
        args = [self.operand(arg, None) for arg in term.args]
        return f"{name}({', '.join([*args, *self.options(term)])})"

    def options(self, term: Term) -> Iterator[str]:
        """Options by name; arrays among them, and terms, under their names."""
        for key, option in term.options.items():
            yield f"{key}={self.literal(option)}"

    def view(self, term: Term) -> str:
        """The entries of another: `a.T`."""
        assert term.op is not None
        (x, *_), options, function = term.args, term.options, term.op.function
        base = self.operand(x, None)
        if term.op is INDEX:
            return f"{base}[{_key(options['key'])}]"
        if function in RESHAPES:
            return f"{base}.reshape({term.shape})"
        if x.ndim == 2 and (function is np.swapaxes or (function is np.transpose and not options.get("axes"))):
            return f"{base}.T"
        return f"np.{function.__name__}({', '.join([base, *self.options(term)])})"

    # ----- operands -----
    def operand(self, x: Term, user: Term | None) -> str:
        """A result's name; a constant in the form that costs its user least."""
        if not x.is_constant:
            return self.written[x]
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
                self.zero_dimensional(np.asarray(value)) if user is not None else self.hold("c", np.asarray(value)[()])
            )
        return self.hold("constant", value)

    def zero_dimensional(self, value: np.ndarray) -> str:
        """A number that NumPy need not convert at every call."""
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
        """An array of ones or zeros, made when the program is."""
        what = "ones" if value.flat[0] else "zeros"
        key = (what, value.shape, value.dtype)
        if key not in self.constants:
            name = self.constants[key] = self.fresh(what + "x".join(map(str, value.shape)))
            self.setup.append(f"{name} = np.{what}({value.shape}{type_of(value)})")
        return self.constants[key]

    def literal(self, option: Any) -> str:
        """An option as it is written; what cannot be written is held."""
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
        return self.hold("option", option)

    def numpy(self, name: str) -> str:
        """A function of NumPy, imported."""
        self.imports.add(name)
        return name

    def hold(self, base: str, value: Any) -> str:
        """The name of an object that cannot be written down."""
        for name, held in self.held.items():
            if held is value:
                return name
        name = self.fresh(base if base.isidentifier() else "function")
        self.held[name] = value
        what = f"array {value.shape} of {value.dtype}" if isinstance(value, np.ndarray) else type(value).__name__
        self.setup.append(f"# {name}: {value if isinstance(value, np.generic) else what}, held")
        return name

    def fresh(self, base: str) -> str:
        """A name that nothing else has."""
        taken = {*self.names.values(), *self.held, *self.constants.values(), *self.flats.values(), *dir(np)}
        return next(name for i in itertools.count(1) if (name := f"{base}_{i}" if i > 1 else base) not in taken)

    def result(self, output: Term) -> str:
        """What is handed out, which nothing of the program's own may be."""
        if output.is_constant:
            name = self.operand(output, None)
            return f"{name}.copy()" if isinstance(output.value, np.ndarray) else name
        name = self.written[output]
        fresh = output.op is not None and kind(output) is not Kind.VIEW
        return name if fresh or not isinstance(output.value, np.ndarray) else f"{name}.copy()"


def form_of(x: Term) -> Any:
    """What an array is to hold x as it is."""
    return x.shape, x.dtype


def _plain_axis(axis: Any) -> Any:
    return tuple(int(i) for i in axis) if isinstance(axis, tuple | list) else axis


def _number_name(value: float) -> str:
    """zero, one, or c for any other number."""
    return "zero" if value == 0 else "one" if value == 1 else "c"


def _key(key: Any) -> str:
    """An index as it is written."""
    if isinstance(key, tuple):
        return ", ".join(map(_key, key)) + ("," if len(key) == 1 else "") if key else "()"
    if isinstance(key, slice):
        start, stop = ("" if part is None else str(part) for part in (key.start, key.stop))
        return f"{start}:{stop}" + ("" if key.step is None else f":{key.step}")
    return "None" if key is None else "..." if key is ... else str(int(key))


def emit(plan: Schedule, names: Names, stop: type[Exception] | None, threads: int = 1) -> Source:
    """The program of a schedule; it raises `stop` where an operation was invalid, or overflowed if that is watched."""
    return Writer(plan, names, threads).program(stop)
