"""The back end that writes NumPy: straight lines, every result in memory that is kept from call to call."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from autotiny.algebra import Term, takes_arrays, topological_order
from autotiny.algebra.facts import are_one
from autotiny.compiler.backend import ProgramText
from autotiny.compiler.blocks import BlockWriter
from autotiny.compiler.operands import Operands, comment, is_copied_number, type_of
from autotiny.compiler.products import FORMS_FOR_NUMPY
from autotiny.compiler.rewriting import CAST, INDEX, VDOT, TermKind, allocates, folded, is_output, kind
from autotiny.compiler.schedule import Schedule, Storage, nbytes
from autotiny.engine.selection import has_nan
from autotiny.notation.code import NumpyCode
from autotiny.notation.expression import Expression, symbol
from autotiny.notation.numbers import index, literal
from autotiny.ops import Op
from autotiny.ops.code import has_operator, numpy_name, operation
from autotiny.ops.outputs import Outputs
from autotiny.ops.table import is_complex


class Writer(Operands):
    """Writes the lines of one program."""

    def __init__(self, plan: Schedule) -> None:
        super().__init__(plan)
        self.lines: list[str] = []

    def program(self) -> ProgramText:
        """Return the program. Donated arrays are modified last, when nothing can stop it any more."""
        if self.plan.storages:
            self.setup.append("# memory for all calls: the names of one array are those of the results in it, in turn")
        self.write_memory()
        if self.plan.storages:
            self.setup += ["", "# views and constants: a product with ones adds up or repeats, and starts soonest"]
        updates = (term for term in self.plan.order if term not in self.plan.group)
        donated = [term for term in updates if isinstance(self.plan.place.get(term), Term)]
        last, checks = set(donated), set(self.plan.checks)
        backward = self.first_after_loss()
        for term in self.plan.order:
            if term is backward:
                self.lines.append("# ----- backward -----")
            if term in self.plan.group:
                self.write_block(term)
            elif term not in last:
                self.write(term)
            if term in checks:
                self.check(term)
        self.write_guard()
        for term in donated:
            self.write(term)
        results = ", ".join(self.result(output) for output in self.plan.outputs)
        comma = "," if len(self.plan.outputs) == 1 else ""
        parameters = ", ".join(self.expressions[term] for term in self.plan.inputs)
        imported = [f"from numpy import {', '.join(sorted(self.imports))}"] if self.imports else []
        head = [*(f"import {module}" for module in sorted(self.modules)), "import numpy as np", *imported]
        body = [f"    {line}" for line in [*self.lines, f"return {results}{comma}"]]
        text = [*head, "", *self.setup, "", "", *self.functions, f"def step({parameters}):", *body, ""]
        return ProgramText("\n".join(text), self.objects)

    def first_after_loss(self) -> Term | None:
        """Return the operation with which backprop goes on once the loss is there, which is the first result."""
        plan = self.plan
        if not plan.swept or not plan.outputs or plan.outputs[0].ndim:
            return None
        forward = set(topological_order(plan.outputs[0]))
        last = max((i for i, term in enumerate(plan.order) if term in forward), default=-1)
        return next((x for x in plan.order[last + 1 :] if kind(x) is not TermKind.VIEW), None)

    def write_guard(self) -> None:
        """Write the lines that stop the program: an invalid operation, a result that is not finite, or nan."""
        stop = self.plan.stop
        conditions = ["invalid"] if self.plan.stops_at_invalid else []
        if stop is not None and self.plan.finite:
            self.modules.add("math")
            conditions.append(f"not math.isfinite({self.write_squares()})")
        if self.plan.not_nan:
            self.objects[has_nan.__name__] = has_nan
            conditions += [f"has_nan({self.expressions[x]})" for x in self.plan.not_nan]
        if stop is not None and conditions:
            self.objects[stop.__name__] = stop
            self.lines += [
                f"if {' or '.join(conditions)}:",
                f"    raise {stop.__name__}  # and another program takes over",
            ]

    def write_squares(self) -> str:
        """Write the sum of the squares of all that must be finite, which is finite only if all of it is."""
        name, finite = self.fresh("squares"), self.plan.finite
        arrays = [x for x in finite if x.ndim]
        numbers = [self.expressions[x.args[0] if is_copied_number(x) else x] for x in finite if not x.ndim]
        complex_numbers = any(map(is_complex, finite))
        total = " + ".join(f"{number} * {number}" for number in numbers) or "0.0"
        self.lines += ["# ----- checks: the squares have a finite sum only if all is finite -----", f"{name} = {total}"]
        if arrays:
            flat = self.fresh("flat")
            rows = ", ".join(map(self.flat, arrays))
            self.lines += [f"for {flat} in ({rows}{',' if len(arrays) == 1 else ''}):"]
            self.lines += [f"    {name} += {flat}.dot({flat})"]
        return f"abs({name})" if complex_numbers else name

    # ----- memory -----
    def write_memory(self) -> None:
        """Write one line for each result that has memory."""
        for storage in self.plan.storages:
            self.write_tenants(storage)
        for term, place in self.plan.place.items():
            if isinstance(place, Term) and term is not place:
                self.names[term] = self.names[place]

    def write_tenants(self, storage: Storage) -> None:
        """Write the lines that name a storage by all results in it.

        Results of one shape and type are one object: NumPy takes longer over two arrays that overlap.
        """
        names: dict[Any, dict[str, Term]] = {}
        for x in storage.tenants:
            names.setdefault(form_of(x), {})[self.names[x]] = x
        base = ""
        if len(names) > 1:
            base = f"memory{storage.number + 1}"
            self.setup.append(f'{base} = np.empty({storage.nbytes}, "uint8")')
        for of_one_form in names.values():
            x = next(iter(of_one_form.values()))
            text = self.part_of(base, storage, x) if base else f"np.empty({x.shape}{type_of(x)})"
            self.setup.append(f"{' = '.join(of_one_form)} = {text}")

    @staticmethod
    def part_of(memory: str, storage: Storage, x: Term) -> str:
        """Return the first bytes of some memory as an array of x's shape and type."""
        part = memory if nbytes(x) == storage.nbytes else f"{memory}[:{nbytes(x)}]"
        return f'{part}.view("{x.dtype}").reshape({x.shape})'

    # ----- blocks -----
    def write_block(self, term: Term) -> None:
        """Write a group in place of its first member: the function of a block, and the line that calls it."""
        group = self.plan.group[term]
        if term is not group.terms[0]:
            return
        block = BlockWriter(self, group)
        self.functions.append(block.text())
        self.lines += block.call()

    # ----- operations -----
    def write(self, term: Term) -> None:
        """Write the line that computes a term."""
        form: dict[TermKind, Callable[[Term], str]] = {
            TermKind.VIEW: self.view,
            TermKind.NUMBER: self.number,
            TermKind.ELEMENTWISE: self.elementwise,
            TermKind.REDUCTION: self.reduction,
            TermKind.PRODUCT: self.product,
            TermKind.CAST: self.cast,
            TermKind.CALL: self.call,
        }
        text, name = form[kind(term)](term), self.names[term]
        note = comment(term, self.user_names, self.as_formula(term))
        if kind(term) is TermKind.VIEW and self.in_memory(term):
            self.setup.append(f"{name} = {text}{note}")
        elif term not in self.plan.place:
            self.lines.append(f"{name} = {text}{note}")
        else:
            self.lines.append(text + note)
        self.expressions[term] = name

    def check(self, term: Term) -> None:
        """Stop where a sum is not 1 everywhere. One-hot targets sum to exactly 1, which is tested first, by bytes."""
        name = self.fresh("bytes_of_ones")
        self.setup.append(f"{name} = np.ones({term.shape}{type_of(term)}).tobytes()")
        self.objects[are_one.__name__] = are_one
        sums = self.names[term]
        self.lines += [
            "# the formulas below hold where these sums are 1: of one-hot columns exactly, which bytes show soonest",
            f"if {sums}.tobytes() != {name} and not are_one({sums}):",
            "    raise FactError  # another program takes over",
        ]

    def in_memory(self, view: Term) -> bool:
        """Whether a view shows memory of the program's own, so that it can be made beforehand.

        NumPy copies where entries cannot be reshaped in place, and a copy made beforehand would never change: so the
        views are made of memory like the program's, as a trial.
        """
        steps = list[Term]()
        while kind(view) is TermKind.VIEW:
            steps.append(view)
            view = view.args[0]
        if not isinstance(self.plan.place.get(view), Storage):
            return False
        memory = shown = np.empty(view.shape, view.dtype)
        for step in reversed(steps):
            shown = step.op.forward(shown, **step.kwargs)  # type: ignore[union-attr]
        return np.may_share_memory(shown, memory)

    def out(self, term: Term, by_name: bool = True) -> str:
        """Return the argument that names the memory of the result."""
        if term not in self.plan.place:
            return ""
        return f", out={self.names[term]}" if by_name else f", {self.names[term]}"

    def elementwise(self, term: Term) -> str:
        """Return the call of a ufunc: `add(a, b, out=c)`."""
        function = self.ufunc(term.op.function)  # type: ignore[union-attr]
        return f"{function}({', '.join(self.operand(arg, term) for arg in term.args)}{self.out(term)})"

    def as_formula(self, term: Term) -> str:
        """Return a difference or quotient in the user's names, if both operands have one: A2 - Y."""
        assert term.op is not None
        args = [arg.args[0] if arg.op is not None and arg.op.function is np.copy else arg for arg in term.args]
        if (
            kind(term) is not TermKind.ELEMENTWISE
            or not has_operator(term.op)
            or not all(map(self.has_users_name, args))
        ):
            return ""
        return NumpyCode()(operation(term.op, [symbol(self.user_names[arg].text) for arg in args], {}, term.ndim))

    def has_users_name(self, x: Term) -> bool:
        """Whether a term has a name of the user's, and the named value itself, not a multiple."""
        return x in self.user_names and self.user_names[x].exact

    def cast(self, term: Term) -> str:
        """Return the conversion to another type: `c[...] = a`."""
        x = self.as_array(term.args[0])
        return f"{self.names[term]}[...] = {x}" if term in self.plan.place else f'{x}.astype("{term.dtype}")'

    def reduction(self, term: Term) -> str:
        """Return the reduction along axes: `add.reduce(a, axis=0, out=c)`."""
        assert term.op is not None
        function = self.numpy(folded(term.op))
        axis, keepdims = term.kwargs.get("axis"), bool(term.kwargs.get("keepdims"))
        keep = ", keepdims=True" if keepdims else ""
        return f"{function}.reduce({self.operand(term.args[0], None)}, axis={_plain_axis(axis)}{self.out(term)}{keep})"

    def product(self, term: Term) -> str:
        """Return `a.dot(b, out=c)`, which starts sooner than a function; matmul for more than two axes.

        And for a single entry: `dot` takes 0 times an array for 0, whatever is in it.
        """
        a, b = term.args
        first, second = self.operand(a, None), self.operand(b, None)
        if a.ndim <= 2 and b.ndim <= 2 and a.dtype == b.dtype and min(a.size, b.size) > 1:
            return f"{first}.dot({second}{self.out(term)})"
        return f"{self.numpy('matmul')}({first}, {second}{self.out(term)})"

    def sum_of_products(self, term: Term) -> str:
        """Return `flat_a.dot(flat_b)`, over all entries; of complex ones vdot, which conjugates the first."""
        if is_complex(term.args[0]):
            return f"{self.numpy('vdot')}({', '.join(self.operand(arg, None) for arg in term.args)})"
        a, b = (self.flat(arg) for arg in term.args)
        return f"{a}.dot({b})"

    def number(self, term: Term) -> str:
        """Return the expression of a result without axes: `a + b`."""
        assert term.op is not None
        function = term.op.function
        if term.op is VDOT:
            return self.sum_of_products(term)
        if function is np.matmul:
            return self.product(term)
        if term.op.reduction_of and not term.kwargs.get("keepdims"):
            return self.reduction(term)
        if term.op is CAST:
            return self.cast(term)
        in_python = term.op.forward is not function or not takes_numbers_alone(term)
        if has_operator(term.op) and in_python:
            return NumpyCode()(operation(term.op, [self.as_expression(arg) for arg in term.args], {}, term.ndim))
        if function is np.copy:
            return f"{self.numpy('array')}({self.operand(term.args[0], None)})"
        return self.elementwise(term) if isinstance(function, np.ufunc) else self.call(term)

    def as_expression(self, x: Term) -> Expression:
        """A number of Python's by itself, anything else by its name."""
        if x.is_constant and type(x.value) in (int, float, bool):
            return Expression("number", value=x.value)
        return symbol(self.operand(x, None))

    def call(self, term: Term) -> str:
        """Any function, as it is."""
        assert term.op is not None
        if is_output(term):
            own = "" if allocates(term) or not isinstance(term.prototype, np.ndarray) else ".copy()"
            return f"{self.operand(term.args[0], None)}[{term.kwargs['key']}]{own}"
        several = isinstance(term.prototype, Outputs) and numpy_name(term.op) is not None
        function = term.op.function if several else term.op.forward  # NumPy's function gives a tuple
        name = self.refer(getattr(function, "__name__", "function"), function)
        operand = self.as_array if takes_arrays(term.op, term.args) else lambda x: self.operand(x, None)
        args = list(map(operand, term.args))
        kept = kind(term) is TermKind.VIEW or allocates(term) or not isinstance(term.prototype, np.ndarray)
        return f"{name}({', '.join([*args, *self.options(term)])})" + ("" if kept else ".copy()")

    def options(self, term: Term) -> Iterator[str]:
        """Yield options by name; arrays and terms among them by their names in the program."""
        for key, option in term.kwargs.items():
            yield f"{key}={self.literal(option)}"

    def view(self, term: Term) -> str:
        """Return a view of another array: `a.T`."""
        assert term.op is not None
        (x, *_), options, function = term.args, term.kwargs, term.op.function
        base = self.operand(x, None)
        if term.op is INDEX:
            return f"{base}[{index(options.get('key'), literal)}]"
        if term.op.has("reshapes"):
            return f"{base}.reshape({term.shape})"
        if x.ndim == 2 and is_transpose(term):
            return f"{base}.T"
        if getattr(np, function.__name__, None) is not function:
            return self.call(term)
        return f"np.{function.__name__}({', '.join([base, *self.options(term)])})"

    def result(self, output: Term) -> str:
        """Return the expression of an output: a copy, if it is memory of the program or an argument."""
        if output.is_constant:
            name = self.operand(output, None)
            return f"{name}.copy()" if isinstance(output.prototype, np.ndarray) else name
        name = self.expressions[output]
        if output.op is not None and isinstance(output.prototype, np.generic) and not gives_scalars(output.op):
            return f"{name}[()]"
        fresh = output.op is not None and kind(output) is not TermKind.VIEW
        return name if fresh or not isinstance(output.prototype, np.ndarray) else f"{name}.copy()"


def takes_numbers_alone(term: Term) -> bool:
    """Whether all operands are numbers of Python's, of which an operator gives another."""
    return all(type(arg.prototype) in (int, float, bool) for arg in term.args)


def gives_scalars(op: Op) -> bool:
    """Whether NumPy returns a scalar, not an array without axes, where the result has no axes."""
    return isinstance(op.function, np.ufunc) or op.reduction_of is not None or op is VDOT


def form_of(x: Term) -> Any:
    """Return the shape and type of an array that stores x."""
    return x.shape, x.dtype


def _plain_axis(axis: Any) -> Any:
    return tuple(int(i) for i in axis) if isinstance(axis, tuple | list) else axis


def is_transpose(term: Term) -> bool:
    """Whether an arrangement of a matrix exchanges its axes."""
    assert term.op is not None
    exchanges = term.op.function in (np.swapaxes, np.moveaxis, np.transpose)
    return exchanges and term.op.forward(np.empty((1, 2)), **term.kwargs).shape == (2, 1)


class NumpyBackend:
    """Programs in NumPy, of any schedule."""

    name = "NumPy"
    passes = FORMS_FOR_NUMPY
    sees_flags = True

    def accepts(self, schedule: Schedule) -> bool:
        """Return True: NumPy can compute whatever was recorded."""
        return True

    def emit(self, schedule: Schedule) -> ProgramText:
        """Return straight lines, with the function of a block for each group that runs block by block."""
        return Writer(schedule).program()
