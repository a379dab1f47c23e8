"""Recording: compute an operation's value and remember how."""

import copy
import operator
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from typing import Any

import numpy as np

from autotiny.engine import call_site, messages
from autotiny.engine.libraries import (
    columns_without_numbers,
    enters_rows_of_its_library,
    is_sparse,
    is_table,
    product_with_sparse,
)
from autotiny.engine.modes import CallMark, Mark, in_use, modes
from autotiny.engine.node import NO_OPTIONS, Node, made_by, next_number
from autotiny.engine.signatures import bind_arguments, call_composition, extends, with_python_integers
from autotiny.engine.values import NUMERIC, SCALARS, fingerprint, numbers, require_numeric
from autotiny.errors import NonFiniteError, UnsupportedError
from autotiny.ops import COMPOSED, OPS, PLAIN, Op, stable_form
from autotiny.ops.loading import find, unfinished
from autotiny.ops.outputs import Outputs, unpacked
from autotiny.ops.plain import SIZE
from autotiny.ops.stable_forms import Match
from autotiny.ops.table import array_like, is_complex, library, node_in, require_real

NUMBERS = (float, int)
MATMUL = OPS[np.matmul]
new = object.__new__
SIMPLE_OPTIONS = frozenset({bool, float, int, slice, str, tuple, type(None), type(...)})
OPERANDS = (Node, float, int, complex, np.ndarray, np.generic, list, tuple)  # a union is slower to look in
AUGMENTED = {
    np.add: "+=", np.subtract: "-=", np.multiply: "*=", np.divide: "/=", np.power: "**=", np.remainder: "%=",
    np.matmul: "@=", operator.floordiv: "//=",
}  # fmt: skip
"""The sign of the augmented assignment of each operator."""


def record(op: Op, args: tuple[Any, ...], kwargs: Mapping[str, Any] = NO_OPTIONS) -> Any:
    """Return the result of an operation as a node; a constant one where nothing is tracked or recording is off."""
    if len(args) != op.arity or (kwargs and not kwargs.keys() <= op.options):
        if extends(op.function, args, kwargs):
            return _composed(op.function, args, kwargs)
        args, kwargs = bind_arguments(op, args, kwargs)
    if kwargs and not SIMPLE_OPTIONS.issuperset(map(type, kwargs.values())):
        kwargs = {name: _own_option(op, name, value) for name, value in kwargs.items()}
    if not op.direct:
        op, args = _as_recorded(op, args)
    values: list[Any] = []
    kind, tracked, watched = None, False, False
    for arg in args:
        if isinstance(arg, Node):
            values.append(arg._value)
            kind = type(arg)
            if arg._tracked:
                tracked = True
            if arg._shared:
                watched = True
        elif type(arg) in NUMBERS:
            values.append(arg)
        else:
            if type(arg) is not np.ndarray or arg.dtype.kind not in NUMERIC:
                i = len(values)
                if node_in(arg) is not None:
                    return record(op, (*args[:i], array_like(arg), *args[i + 1 :]), kwargs)
                arg = _constant(op, arg)
                args = (*args[:i], arg, *args[i + 1 :])
            values.append(arg)
            watched = True
    stable = None
    if op.forms and (not in_use or modes.stable):
        stable = stable_form(op, args)
    try:
        if in_use:
            data = _computed(op, args, kwargs, stable)
        elif stable is not None:
            data = evaluate_form(stable, args, value_of)
        else:
            data = op.forward(*values, **kwargs) if kwargs else op.forward(*values)
    except Exception as error:
        raise messages.failure(op, args, error) from None
    if type(data) not in SCALARS and (type(data) is not np.ndarray or data.dtype.kind != "f"):
        data = _numbers(op, data)
        if kind is not None and isinstance(getattr(data, "prototype", data), Outputs):
            return unpacked(_outputs(kind, op, args, kwargs, data, tracked))
    if kind is None:
        return data
    if not tracked or (in_use and not modes.recording):
        return kind(data, requires_grad=False)
    node = new_node(kind, op, args, kwargs, data)
    node._stable = stable
    if watched:
        node._notes = _fingerprints(args) or None
    if in_use:
        _note_modes(node)
    return node


def _outputs(kind: Any, op: Op, args: tuple[Any, ...], kwargs: Mapping[str, Any], data: Any, tracked: bool) -> Node:
    """Return the node of all outputs of an operation."""
    node: Node = new_node(kind, op, args, kwargs, data)
    if not tracked or not modes.recording:
        node.op, node.args, node.kwargs, node._tracked = None, (), NO_OPTIONS, False
        return node
    node._notes = _fingerprints(args) or None
    if in_use:
        _note_modes(node)
    return node


def _note_modes(node: Node) -> None:
    """Note the scope of a result; under debug its line, and raise NonFiniteError where it is not finite."""
    node._scope = modes.scope
    if modes.debugging:
        node._notes = {**(node._notes or {}), "line": call_site.caller_line()}
        require_finite(node._value, f"{messages.expression(made_by(node), node.args)} gives", node)


def _as_recorded(op: Op, args: tuple[Any, ...]) -> tuple[Op, tuple[Any, ...]]:
    """Return the operation and its operands as they enter the graph.

    An operand without a rule, such as a mask, counts by its value; beside a constant, or for complex numbers, other
    rules may hold.
    """
    if None in op.rules:
        if op.undifferentiable:
            _require_constants(op, args)
        args = tuple([value_of(arg) if rule is None else arg for arg, rule in zip(args, op.rules, strict=True)])
    if op.constant_variant is not None and not all(isinstance(arg, Node) and arg._tracked for arg in args):
        op = op.constant_variant
    if op.complex_variant is not None and any(is_complex(value_of(arg)) for arg in args):
        op = op.complex_variant
    return op, args


def _require_constants(op: Op, args: tuple[Any, ...]) -> None:
    """Raise UnsupportedError for a tracked argument without a rule, whose gradient would be lost in silence."""
    for arg, rule in zip(args, op.rules, strict=True):
        if rule is None and isinstance(arg, Node) and arg._tracked:
            raise messages.without_derivative(op, arg)


def _computed(op: Op, args: tuple[Any, ...], kwargs: Mapping[str, Any], stable: Match | None) -> Any:
    """Return an operation's value in the current modes; debug reports nan and infinity itself."""
    with np.errstate(all="ignore") if modes.debugging else nullcontext():
        return evaluate(op, args, kwargs, value_of) if stable is None else evaluate_form(stable, args, value_of)


def evaluate(op: Op, args: tuple[Any, ...], kwargs: Mapping[str, Any], value: Callable[[Any], Any]) -> Any:
    """Return the value of an operation in the current modes."""
    if in_use and modes.tracing is not None:
        return modes.tracing(op, map(value, args), kwargs)
    return op.forward(*map(value, args), **kwargs)


def evaluate_form(form: Any, args: tuple[Any, ...], value: Callable[[Any], Any]) -> Any:
    """Return the value of an operation on args by a form of it: the node itself, or its stable form."""
    from_operand = form.op.from_operand
    if from_operand is not None and type(form) is Match and not (in_use and modes.tracing is not None):
        user, position = form.uses[-1]
        data = from_operand(value((args if user is None else user.args)[position]))
        if data is not None:
            return data
    return evaluate(form.op, form.args, form.kwargs, value)


def new_node(kind: type[Node], op: Op, args: tuple[Any, ...], kwargs: Mapping[str, Any], data: Any) -> Any:
    """Return a tracked node of a computed value; nothing is checked or copied."""
    node = new(kind)
    node._value = data
    node.op = op
    node.args = args
    node.kwargs = kwargs
    node._grad = node._notes = node._stable = node.name = None
    node._number = next_number()
    node._shared = False
    node._tracked = True
    return node


def copied(node: Node, operand: Callable[[Any], Any], data: Any) -> Any:
    """Return a node of the same operation, and stable form, on other operands and with another value."""
    copy = new_node(type(node), made_by(node), tuple(map(operand, node.args)), node.kwargs, data)
    if node._stable is not None:
        op, args, kwargs, uses = node._stable
        within = tuple([(user if user is None else operand(user), position) for user, position in uses])
        copy._stable = Match(op, tuple(map(operand, args)), kwargs, within)
    return copy


def in_scope(result: Any, name: str, since: int) -> Any:
    """Group a result with the operands that were recorded after the number `since`, under one name in pictures."""
    result._scope = (*modes.scope, Mark(name, since))
    return result


def require_finite(value: Any, what: str, node: Node) -> None:
    """Raise NonFiniteError at the first nan or inf."""
    finite = np.isfinite(value)
    if not np.all(finite):
        where = tuple(int(i) for i in np.argwhere(~finite)[0]) if np.ndim(value) else ()
        place = f" at {where}" if where else ""
        line = (node._notes or {}).get("line", "an unknown line")
        raise NonFiniteError(f"{what} {np.asarray(value)[where]}{place} ({line})")


# ----- arguments from NumPy and users -----
def call(function: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """Call a NumPy function of Tensors: one that is recorded, composed of recorded ones, or without a gradient."""
    op = OPS.get(function)
    if op is None or unfinished:
        find(function)
        op = OPS.get(function)
    if op is not None:
        return record(op, args, kwargs)
    if function in COMPOSED:
        return _composed(function, args, kwargs)
    if function in PLAIN:
        if any(isinstance(out, Node) for out in kwargs.get("out") or ()):
            raise UnsupportedError(f"{function.__name__}: out= cannot be a Tensor; assign the result")
        values, options = list(map(_plain_value, args)), {name: _plain_value(arg) for name, arg in kwargs.items()}
        if function in SIZE and library(values[0] if values else options.get("a")) is not None:
            function = SIZE[function]
        return function(*values, **options)
    if enters_rows_of_its_library(function):
        return record(OPS[function], args, kwargs)
    raise messages.without_rule(function)


def _composed(function: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """Call a function that is composed of recorded ones; a result of several operations is marked as that of a call."""
    start = next_number()
    try:
        result = call_composition(function, args, kwargs)
    except Exception as error:
        raise messages.composition_failure(function, args, kwargs, error) from None
    if isinstance(result, Node) and result.op is not None and result._number > start + 1:
        mark = CallMark(function.__name__, start, args, kwargs)
        result._scope = (*modes.scope, mark) if in_use else (mark,)
    return result


def value_of(arg: Any) -> Any:
    """Return the value of a node, and anything else as it is."""
    return arg._value if isinstance(arg, Node) else arg


def _plain_value(arg: Any) -> Any:
    """Return the value of a node, or of nested lists that hold nodes."""
    return value_of(arg if node_in(arg) is None else array_like(arg))


def _constant(op: Op, arg: Any) -> Any:
    """Return a constant operand as a number or an array; an array of another library is kept as it is."""
    if type(arg) is complex:
        return arg
    if isinstance(arg, np.generic) or (hasattr(arg, "__array_function__") and not isinstance(arg, np.ndarray)):
        require_numeric(arg.dtype, op.name)
        return arg
    return numbers(arg, op.name)


def _own_option(op: Op, name: str, value: Any) -> Any:
    """Return a private copy of an option. Options are not differentiated, so a tracked Tensor is refused."""
    if isinstance(value, Node):
        if value._tracked:
            raise UnsupportedError(
                f"{op.name}: {name}= cannot be a tracked Tensor: options have no gradient; give {name}.data"
            )
        value = value._value
    value = with_python_integers(value)
    return copy.deepcopy(value) if isinstance(value, np.ndarray | list | dict) else value


def _numbers(op: Op, data: Any) -> Any:
    """Return the value of an operation as an array of numbers; raise UnsupportedError where it is none."""
    if op.has("real"):
        require_real(data, op.name)
    if type(data) is complex and isinstance(op.function, np.ufunc):  # of one of Python's and a np.float64
        return np.complex128(data)
    if not hasattr(data, "dtype") or data.dtype.kind not in NUMERIC:
        raise UnsupportedError(f"{op.name}: the operation gave {type(data).__name__}, expected an array of numbers")
    return data


def _fingerprints(args: tuple[Any, ...]) -> dict[Any, Any]:
    """Return, by position, the fingerprints of the operands that code outside the engine may change."""
    return {i: fingerprint(value_of(arg)) for i, arg in enumerate(args) if _writable_elsewhere(arg)}


def _writable_elsewhere(arg: Any) -> bool:
    """Whether code outside the engine has the array of an operand and may write to it."""
    return arg._shared if isinstance(arg, Node) else isinstance(arg, np.ndarray)


# ----- operators -----
def operators(function: np.ufunc) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Return a binary operator and its reflection; operands that are neither Tensors nor numbers go through `record`.

    An operator on two Tensors, or on a Tensor and a number, costs half as much this way: it is the inner loop of a
    network of scalars.
    """
    op = OPS[function]
    forward, squares = op.forward, op.forms if function is np.multiply else {}
    powers = op.forms if function is np.power else {}

    def method(self: Any, other: Any) -> Any:
        kind = type(self)
        if in_use or self._shared:
            return _recorded(op, self, other, other)
        if type(other) is kind:
            if other._shared or not (self._tracked or other._tracked) or (other is self and self.op in squares):
                return _recorded(op, self, other, other)
            value = other._value
        elif type(other) in NUMBERS and self._tracked and not (powers and self.op in powers):
            value = other
        else:
            return _recorded(op, self, other, other)
        try:
            data = forward(self._value, value)
        except Exception as error:
            raise messages.failure(op, (self, other), error) from None
        node = new(kind)  # as in new_node, without the call
        node._value = data
        node.op = op
        node.args = (self, other)
        node.kwargs = NO_OPTIONS
        node._grad = node._notes = node._stable = node.name = None
        node._number = next_number()
        node._shared = False
        node._tracked = True
        return node

    def reflected(self: Any, other: Any) -> Any:
        if type(other) in NUMBERS and not in_use and self._tracked and not self._shared:
            try:
                return new_node(type(self), op, (other, self), NO_OPTIONS, forward(other, self._value))
            except Exception as error:
                raise messages.failure(op, (other, self), error) from None
        return _recorded(op, other, self, other)

    return method, reflected


def augmented(function: Callable[[Any, Any], Any], method: Callable[..., Any]) -> Callable[..., Any]:
    """Return the augmented assignment of an operator, such as W -= step.

    It makes a new value, except of a leaf that is the user's own: in silence the name would come to stand for a result,
    and the graph would grow from step to step. Such a leaf is updated under no_grad alone.
    """
    sign = AUGMENTED[function]

    def update(self: Any, other: Any) -> Any:
        if self.op is not None or not self._tracked or self._argument:
            return method(self, other)
        if not _is_operand(other):
            if not is_table(other):
                return method(self, other)
            other = np.asarray(other)
        if modes.recording:
            raise messages.updated_leaf(self, sign)
        self.update(function(self._value, value_of(other)))
        return self

    return update


def plain_operators(function: Callable[[Any, Any], Any]) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Return an operator whose result is a plain array, and its reflection."""

    def method(self: Any, other: Any) -> Any:
        try:
            return function(self._value, value_of(other))
        except Exception as error:
            if is_table(other):
                return method(self, np.asarray(other))
            raise messages.plain_failure(function, (self, other), error) from None

    def reflected(self: Any, other: Any) -> Any:
        try:
            return function(value_of(other), self._value)
        except Exception as error:
            raise messages.plain_failure(function, (other, self), error) from None

    return method, reflected


def _recorded(op: Op, a: Any, b: Any, other: Any) -> Any:
    """Record an operator whose other operand is not a plain number; leave it to Python where that cannot be one."""
    if _is_operand(other):
        return record(op, (a, b))
    if is_table(other):
        if columns := columns_without_numbers(other):
            raise messages.text_in_table(op, (a, b), other, columns)
        return record(op, (a, b))
    if op is MATMUL and is_sparse(other):
        return product_with_sparse(a, b)
    if hasattr(other, "__array__") or hasattr(other, "toarray"):
        raise messages.array_of_library(op, (a, b), other)
    return NotImplemented


def _is_operand(value: Any) -> bool:
    """Whether a value may be an operand beside a Tensor."""
    return isinstance(value, OPERANDS) or hasattr(value, "__array_function__")
