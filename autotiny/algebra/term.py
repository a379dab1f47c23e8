"""Term: a formula. An operation on other terms, a symbol, or a constant.

A term speaks NumPy's protocols as a Tensor does, so NumPy code that runs on terms builds a formula, gradient rules
included; and a Tensor may hold a term as its value, so that a whole program, its backprop and all, is recorded as one
formula. Unlike a Tensor it also records comparisons and other functions without a gradient, and equal formulas are one
object: common subexpressions are shared as they arise.

Every term has the value that it takes on the values of its symbols, and a prototype, of the value's type, shape and
dtype. Values are computed as the formula is built, so that a derivation can look at them; except in a program's formula
(`Values`), of which most are needed by nobody: there prototypes are inferred, and a value is computed when it is asked
for.
"""

import inspect
import itertools
import operator
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any, NoReturn
from weakref import WeakValueDictionary

import numpy as np

from autotiny.algebra.prototypes import prototype_of, result_of
from autotiny.engine import call_site, messages
from autotiny.engine.libraries import enters_rows_of_its_library
from autotiny.engine.modes import modes
from autotiny.engine.node import Node
from autotiny.engine.numpy_protocol import ArrayProtocol
from autotiny.engine.pytree import flatten, tree_map
from autotiny.engine.recording import record
from autotiny.engine.recording import value_of as tensor_value
from autotiny.engine.signatures import bind_arguments, call_composition, extends
from autotiny.errors import UnsupportedError
from autotiny.ops import COMPOSED, OPS, PLAIN, Op
from autotiny.ops.indexing import index, scatter
from autotiny.ops.loading import find
from autotiny.ops.outputs import Outputs, unpacked
from autotiny.ops.plain import ABOUT_SHAPES, SHAPED_BY_VALUES
from autotiny.ops.table import floats

NUMBERS = (int, float, bool)
PLAIN_OPTIONS = {int, float, bool, str, slice, type(None), type(...)}
"""Types of most options, which hold no terms."""
SAME_MEMORY = (np.shares_memory, np.may_share_memory)
SCATTER = OPS[scatter]
"""In a formula it stays, also of numbers, for it says where these belong."""
next_number = itertools.count().__next__


class ValueNeededError(UnsupportedError):
    """Code needs the value of a formula: it branches on it, prints it, or passes it to code that works on numbers."""


def _operators(function: Any) -> tuple[Callable[..., Any], Callable[..., Any]]:
    def method(self: "Term", other: Any) -> Any:
        return NotImplemented if isinstance(other, Node) else call(function, (self, other), {})

    def reflected(self: "Term", other: Any) -> Any:
        return call(function, (other, self), {})

    return method, reflected


def _attribute(name: str, doc: str) -> property:
    def attribute(self: "Term") -> Any:
        value = getattr(self.prototype, name, None)  # NumPy's functions of that name take longer
        return getattr(np.asarray(self.prototype), name) if value is None else value

    return property(attribute, doc=doc)


class Values:
    """The values of a program's formula, on the arguments of the call for which the program is built."""

    def __init__(self) -> None:
        self.known: dict[Term, Any] = {}

    def of(self, term: "Term") -> Any:
        """Return the value of a term, computed from those that are known."""
        if term not in self.known:
            needed = {term}
            order = [term]
            for each in order:  # grows while it is walked
                for part in each.parents:
                    if part.values is self and part not in self.known and part not in needed:
                        needed.add(part)
                        order.append(part)
            order.sort(key=operator.attrgetter("number"))
            with np.errstate(all="ignore"):
                for each in order:
                    self.known[each] = computed(each.op, each.args, each.kwargs)  # type: ignore[arg-type]
        return self.known[term]

    def forget(self) -> None:
        """Let go of all values: nobody asks for one any more."""
        self.known.clear()


class Term(ArrayProtocol):
    """A formula, and its value on the current values of its symbols.

    Attributes
    ----------
    op : the operation, None for a symbol or a constant.
    args, kwargs : its operands, all of them terms, and its options, which may hold terms in an index.
    parents : the operands, then the terms among the options.
    name : of a symbol; None for a constant and for results.
    prototype : an array or a number, of the value's type, shape and dtype; the value itself unless `values` has that.
    values : the values of the program that it is part of; None if it is part of none.
    """

    __slots__ = ("__weakref__", "args", "kwargs", "name", "notes", "number", "op", "parents", "prototype", "values")

    op: Op | None
    args: tuple["Term", ...]
    kwargs: Mapping[str, Any]
    parents: tuple["Term", ...]
    name: str | None
    number: int
    prototype: Any
    values: Values | None
    notes: dict[Any, Any] | None
    """A cache of what is computed from the term alone, under the function or class that computes it."""

    @property
    def is_constant(self) -> bool:
        """Whether it is a number or an array, and depends on no symbol."""
        return self.op is None and self.name is None

    @property
    def is_traced(self) -> bool:
        """Whether it is part of a program, which other values follow, and not of a formula to be read."""
        return modes.tracing is not None

    @property
    def value(self) -> Any:
        """An array or a number."""
        return self.prototype if self.values is None else self.values.of(self)

    shape = _attribute("shape", "Lengths of the axes.")
    ndim = _attribute("ndim", "Number of axes.")
    size = _attribute("size", "Number of entries.")
    dtype = _attribute("dtype", "NumPy's type of the entries.")

    def __len__(self) -> int:
        return len(self.prototype)

    def __getitem__(self, key: Any) -> "Term":
        return apply(OPS[index], (self,), {"key": key})

    def __repr__(self) -> str:
        if self.op is None:
            return self.name or repr(self.value)
        operands = [repr(arg) for arg in self.args]
        return f"{self.op.name}({', '.join([*operands, *(f'{k}={v!r}' for k, v in self.kwargs.items())])})"

    def copy(self) -> "Term":
        """Return a copy: of a scalar of NumPy it is a scalar."""
        return self if isinstance(self.prototype, np.generic) else call(np.copy, (self,), {})

    # ----- operators -----
    __add__, __radd__ = _operators(np.add)
    __sub__, __rsub__ = _operators(np.subtract)
    __mul__, __rmul__ = _operators(np.multiply)
    __truediv__, __rtruediv__ = _operators(np.divide)
    __floordiv__, __rfloordiv__ = _operators(np.floor_divide)
    __pow__, __rpow__ = _operators(np.power)
    __mod__, __rmod__ = _operators(np.remainder)
    __matmul__, __rmatmul__ = _operators(np.matmul)
    __lt__, __gt__ = _operators(np.less)[0], _operators(np.greater)[0]
    __le__, __ge__ = _operators(np.less_equal)[0], _operators(np.greater_equal)[0]
    __eq__, __ne__ = _operators(np.equal)[0], _operators(np.not_equal)[0]
    __and__, __rand__ = _operators(np.logical_and)
    __or__, __ror__ = _operators(np.logical_or)

    __hash__ = object.__hash__

    # ----- operations that need a value -----
    def _value_needed(self, *_: Any, **__: Any) -> NoReturn:
        raise ValueNeededError(
            f"the value of {self.name or 'a result'} was asked for at {call_site.caller_line()}, where it represents "
            "any value of its shape; use np.where in place of a branch, NumPy functions in place of math's, and an "
            "argument of the function in place of a plain array that it indexes"
        )

    __bool__ = __float__ = __int__ = __index__ = __complex__ = _value_needed
    __array__ = item = tolist = tobytes = __setitem__ = _value_needed
    nbytes = property(_value_needed)

    def _changed_in_place(self, other: Any) -> Any:
        if modes.tracing is None:
            return NotImplemented  # and Python makes a new one
        raise UnsupportedError(
            f"{self.name or 'a result'} is changed in place at {call_site.caller_line()}: a function that is compiled "
            "leaves its arguments as they are; write x = x + y for x += y"
        )

    __iadd__ = __isub__ = __imul__ = __itruediv__ = __ipow__ = __imatmul__ = __ifloordiv__ = _changed_in_place

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        """Apply a ufunc: of Python's numbers it is NumPy's, other than the operator that is recorded as it."""
        has_operator = ufunc in OPS and OPS[ufunc].forward is not ufunc
        if has_operator and all(type(prototype_in(x)) in NUMBERS for x in inputs):
            inputs = tuple([x.astype(x.dtype) if isinstance(x, Term) else x for x in inputs])
        return super().__array_ufunc__(ufunc, method, *inputs, **options)

    @staticmethod
    def __autotiny_call__(function: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        return call(function, args, kwargs)

    @staticmethod
    def __autotiny_record__(op: Op, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        """Return the term of a decorated operation on terms; a variant of an operation is the operation itself."""
        op = OPS[op.function]
        args, kwargs = bind_arguments(op, args, kwargs)
        return results(apply(op, (floats(args[0]), *args[1:]) if op.takes_numbers else args, kwargs))


_terms: WeakValueDictionary[Any, Term] = WeakValueDictionary()


def _new(
    op: Op | None,
    args: tuple[Term, ...],
    options: Mapping[str, Any],
    parents: tuple[Term, ...],
    prototype: Any,
    values: Values | None = None,
    name: str | None = None,
) -> Term:
    term = Term()
    term.op, term.args, term.kwargs, term.parents, term.name = op, args, options, parents, name
    term.prototype, term.values, term.number, term.notes = prototype, values, next_number(), None
    return term


def symbol(name: str, value: Any, values: Values | None = None) -> Term:
    """Return a new variable with a value. Two symbols are different terms, even if their names are equal.

    With `values` it is an argument of a program, whose values are computed where they are asked for.

    >>> x = symbol("x", 3.0)
    >>> y = np.exp(x) * x + np.exp(x)
    >>> y, y.args[0].args[0] is y.args[1]
    (add(multiply(exp(x), x), exp(x)), True)
    """
    if values is None:
        return _new(None, (), {}, (), value, name=name)
    term = _new(None, (), {}, (), prototype_of(value), values, name)
    values.known[term] = value
    return term


def constant(value: Any) -> Term:
    """Return the term of a number or an array, which is not copied: one term for equal numbers, and for one array."""
    if isinstance(value, Term):
        return value
    by_identity = isinstance(value, np.ndarray | Outputs)
    key = (type(value), id(value) if by_identity else np.asarray(value).tobytes())
    term = _terms.get(key)
    if term is None:
        term = _terms[key] = _new(None, (), {}, (), value)
    return term


def apply(op: Op, args: Iterable[Any], options: Mapping[str, Any], known: Term | None = None) -> Any:
    """Return the term of an operation on terms and other values; a constant, if all of them are constants.

    Its value is that of the term `known`, if there is one.
    """
    tracer = modes.tracing
    if tracer is not None:
        tracer.note_callers()
    args = tuple(args)
    tensor = next((arg for arg in args if isinstance(arg, Node)), None)
    if tensor is not None:  # the Tensor records
        return record(op, args, options)
    if complex in map(type, args):
        args = with_strong_numbers(args)
    operands = tuple(map(constant, args))
    key = (op, *map(id, operands), _key(options) if options else ())
    term = _terms.get(key)
    if term is None:
        choosers = terms_in(options)
        if tracer is not None and any(chooser.dtype == bool for chooser in choosers):
            raise count_needed("x[mask]")
        try:
            term = _of_operation(op, operands, options, (*operands, *choosers), known)
        except Exception as error:
            raise messages.failure(op, operands, error) from None
        if tracer is not None and op.has("checks"):
            tracer.note_check(term)
        if all(parent.is_constant for parent in term.parents) and (op is not SCATTER or tracer is not None):
            return constant(term.prototype)
        _terms[key] = term
    return term


def _of_operation(
    op: Op,
    operands: tuple[Term, ...],
    options: Mapping[str, Any],
    parents: tuple[Term, ...],
    known: Term | None,
) -> Term:
    """Return a new term of an operation. Its value is computed unless it is part of a program, and can be inferred."""
    values = next((part.values for part in parents if part.values is not None), None)
    if known is not None and known.values is values:
        return _new(op, operands, options, parents, known.prototype, values)
    if values is None:
        return _new(op, operands, options, parents, computed(op, operands, options))
    prototype = inferred(op, operands, options)
    if prototype is not None:
        return _new(op, operands, options, parents, prototype, values)
    value = computed(op, operands, options)
    term = _new(op, operands, options, parents, prototype_of(value), values)
    values.known[term] = value
    return term


def computed(op: Op, operands: tuple[Term, ...], options: Mapping[str, Any]) -> Any:
    """Return the value of an operation."""
    return op.forward(*values_for(op, operands), **mapped(value_of, options))


def inferred(op: Op, operands: tuple[Term, ...], options: Mapping[str, Any]) -> Any:
    """Return the prototype of an operation; None where it has to be computed."""
    prototypes = [term.prototype for term in operands]
    if takes_arrays(op, operands):
        prototypes = list(map(np.asarray, prototypes))
    return result_of(op, prototypes, mapped(prototype_in, options))


def on_others(term: Term, others: Mapping[Term, Term]) -> Term:
    """Return the operation of a term on what stands for its operands, which may have other values."""
    assert term.op is not None
    options = tree_map(lambda part: others.get(part, part) if isinstance(part, Term) else part, dict(term.kwargs))
    return constant(apply(term.op, [others.get(arg, arg) for arg in term.args], options))


def with_args(term: Term, args: tuple[Term, ...]) -> Term:
    """Return the operation of a term on other operands, of which it has the same value."""
    assert term.op is not None
    if all(map(operator.is_, args, term.args)):
        return term
    if len(term.parents) > len(args) or all(arg.is_constant for arg in args):
        return constant(apply(term.op, args, term.kwargs, term))
    key = (term.op, *map(id, args), _key(term.kwargs) if term.kwargs else ())
    made = _terms.get(key)
    if made is None:
        made = _terms[key] = _new(term.op, args, term.kwargs, args, term.prototype, term.values)
    return made


def shown(op: Op, args: tuple[Term, ...], options: Mapping[str, Any]) -> Term:
    """Return the term of an operation on constants, which stays one: a unit vector is not an array of numbers."""
    key = (op, *map(id, args), _key(options))
    term = _terms.get(key)
    if term is None:
        term = _terms[key] = _new(op, args, options, (*args, *terms_in(options)), computed(op, args, options))
    return term


def with_strong_numbers(args: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return operands with complex numbers of Python's in the precision of the others, as NumPy takes them."""
    dtypes = [arg.dtype for arg in args if hasattr(arg, "dtype")]
    kind: Any = np.result_type(np.complex64, *dtypes) if dtypes else np.dtype(complex)
    return tuple([kind.type(arg) if type(arg) is complex else arg for arg in args])


def results(term: Any) -> Any:
    """Return the term of an operation; those of its outputs, if it has several."""
    return unpacked(term) if isinstance(prototype_in(term), Outputs) else term


def values_for(op: Op, operands: tuple[Term, ...]) -> list[Any]:
    """Return the values of operands; a number of Python's that a function is applied to alone is an array."""
    values = [term.value for term in operands]
    return list(map(np.asarray, values)) if takes_arrays(op, operands) else values


def takes_arrays(op: Op, operands: Iterable[Term]) -> bool:
    """Whether an operation works on arrays and gets numbers of Python's alone, which in a user's code have no index."""
    if isinstance(op.function, np.ufunc) or (op is OPS[index] and modes.tracing is not None):
        return False
    return all(type(term.prototype) in NUMBERS for term in operands)


def call(function: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """Apply a NumPy function to terms: one operation, several, or a function of shapes, which is computed at once."""
    find(function)
    if extends(function, args, kwargs):
        return call_composition(function, args, kwargs)
    if function in OPS:
        return results(apply(OPS[function], *bind_arguments(OPS[function], args, kwargs)))
    if function in COMPOSED:
        return call_composition(function, args, kwargs)
    if function in ABOUT_SHAPES:
        form = value_of if function in SAME_MEMORY else prototype_in
        return function(*map(form, args), **tree_map(form, dict(kwargs)))
    if function in SHAPED_BY_VALUES:
        raise count_needed(function.__name__)
    if function in PLAIN:
        return apply(plain(function), *operands_and_options(function, args, kwargs))
    if function is np.copyto:
        raise messages.without_rule(function)
    if enters_rows_of_its_library(function):
        return call(function, args, kwargs)
    raise UnsupportedError(f"{function.__name__} is not supported in a formula; write it with functions that are")


def operands_and_options(function: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """Return the values of the operands of a function without a gradient, and its options, all of them by name."""
    values = tuple(map(tensor_value, args))
    count = max(i for i, x in enumerate((*values, *kwargs.values()), 1) if isinstance(x, Term))
    if isinstance(function, np.ufunc) or count >= len(values):
        return values, kwargs
    names = list(inspect.signature(function).parameters)
    return values[:count], {**dict(zip(names[count:], values[count:], strict=False)), **kwargs}


def count_needed(what: str) -> ValueNeededError:
    """Return the error for a selection whose size depends on values, which a formula leaves open."""
    return ValueNeededError(
        f"{what} at {call_site.caller_line()}: how many entries it has depends on values, and a formula represents all "
        "values of one shape; use np.where(mask, x, 0.0) in place of x[mask]"
    )


@cache
def plain(function: Any) -> Op:
    """Return an operation for a function without a gradient."""
    return Op(function, ())


def terms_in(options: Mapping[str, Any]) -> list[Term]:
    """Return the terms among options."""
    if all(
        type(x) in PLAIN_OPTIONS or (type(x) is tuple and PLAIN_OPTIONS.issuperset(map(type, x)))
        for x in options.values()
    ):
        return []
    return [part for part in flatten(options)[0] if isinstance(part, Term)]


def mapped(function: Callable[[Any], Any], options: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return options with what a function makes of the terms among them."""
    return tree_map(function, dict(options)) if terms_in(options) else options


def prototype_in(part: Any) -> Any:
    """Return the prototype of a term; anything else as it is."""
    return part.prototype if isinstance(part, Term) else part


def value_of(part: Any) -> Any:
    """Return the value of a term; anything else as it is."""
    return part.value if isinstance(part, Term) else part


def topological_order(*outputs: Term) -> list[Term]:
    """Return every term that the outputs depend on, each once, operands before results."""
    reached = set(outputs)
    order = list(reached)
    for term in order:  # grows while it is walked
        for part in term.parents:
            if part not in reached:
                reached.add(part)
                order.append(part)
    order.sort(key=operator.attrgetter("number"))
    return order


def _key(option: Any) -> Any:
    """Return a hashable key for an option; arrays and terms, which the term keeps alive, count by identity."""
    if isinstance(option, Mapping):
        return tuple((name, _key(value)) for name, value in sorted(option.items()))
    if isinstance(option, list | tuple):
        return (type(option), *map(_key, option))
    if isinstance(option, slice):
        return (slice, _key(option.start), _key(option.stop), _key(option.step))
    return (id(option),) if isinstance(option, np.ndarray | Term) else (type(option), option)
