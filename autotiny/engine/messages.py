"""The words of error messages: the operation, its operands under the user's names, the rule, and the likely fix."""

import sys
from collections.abc import Mapping
from reprlib import repr as shortened
from typing import Any

import numpy as np

from autotiny.engine.array_mends import IN_PLACE, array_mend, in_place_mend
from autotiny.engine.call_site import NUMPY, PACKAGE, called_library, caller_line, caller_scope, variable_name
from autotiny.engine.libraries import function_of_scipy
from autotiny.engine.pytree import tree_map
from autotiny.errors import AutotinyError, ShapeError, UnsupportedError
from autotiny.ops import Op
from autotiny.ops.table import library

SIGNS = {"lt": "<", "le": "<=", "gt": ">", "ge": ">=", "eq": "==", "ne": "!=", "floordiv": "//",
         "and_": "&", "or_": "|", "xor": "^", "lshift": "<<", "rshift": ">>"}  # fmt: skip
BITS = ("and_", "or_", "xor", "lshift", "rshift")


def label(value: Any, scope: Mapping[str, Any]) -> str:
    """Return what a user calls an operand: its name, else its variable's, else its value or type."""
    name = getattr(value, "name", None) or variable_name(value, scope)
    if isinstance(name, str):
        return name
    if not isinstance(value, list | tuple | dict | set) and not hasattr(value, "op") and np.ndim(value) == 0:
        return repr(value)
    return "array" if isinstance(value, np.ndarray) else type(value).__name__


def expression(op: Op, args: tuple[Any, ...], *, shapes: bool = False) -> str:
    """Return the operation as a user would write it: 'W1 (5, 4) @ X (8, 3)'."""
    from autotiny.ops.code import typed  # only a mistake needs it

    scope = caller_scope()
    words = [label(arg, scope) + (f" {np.shape(arg)}" if shapes and np.ndim(arg) else "") for arg in args]
    return typed(op, words, {})


def failure(op: Op, args: tuple[Any, ...], error: Exception) -> Exception:
    """Return the error to raise: the operation, its operands with their shapes, what is wrong, and the likely fix."""
    text = expression(op, args, shapes=True)
    reason = _two_libraries(args)
    if reason is None and _raised_in_users_code(error):
        error.add_note(f"in {op.name}: {text}")
        return error
    if reason is None and len(args) > 1:
        reason = _matmul_reason(args) if op.name == "matmul" else _broadcast_reason(args)
    return _in_words(error, op.name, text, reason)


def _two_libraries(args: tuple[Any, ...]) -> str | None:
    """Return why an array of NumPy's does not meet one of another library."""
    other = next((array for arg in args if (array := library(arg)) is not None), None)
    plain = next((arg for arg in args if isinstance(getattr(arg, "_value", arg), np.ndarray)), None)
    if other is None or plain is None:
        return None
    home, name = type(other).__module__.partition(".")[0], label(plain, caller_scope())
    return f"{name} is an array of NumPy's beside one of {home}'s; convert it, {home}.asarray({name})"


def without_rule(function: Any) -> UnsupportedError:
    """Return the error for a function that is not recorded."""
    if function.__name__ in IN_PLACE:
        return UnsupportedError(
            f"{full_name(function)} changes an array, and a recorded value stays as it is: write "
            f"{in_place_mend(function.__name__)}"
        )
    return UnsupportedError(
        f"{full_name(function)} has no gradient rule yet: write it with functions that have one, give it one with "
        "@at.operation, or take the value out with .data"
    )


def without_derivative(op: Op, tensor: Any) -> UnsupportedError:
    """Return the error for a tracked argument of a function that has no derivative by it."""
    name = label(tensor, caller_scope())
    return UnsupportedError(
        f"{op.name}: {name} is tracked, and no derivative by {op.undifferentiable} is available: "
        f"give {_before_dot(name)}.data, or make it with requires_grad=False"
    )


def full_name(function: Any) -> str:
    """Return a function's name with the public module that holds it: 'scipy.special.erf'."""
    name, module = function.__name__, getattr(function, "__module__", None)
    if module and not isinstance(function, np.ufunc):
        return f"{module}.{name}"
    homes = [home for home, m in list(sys.modules.items()) if getattr(m, "__dict__", {}).get(name) is function]
    public = [home for home in homes if not any(part.startswith("_") for part in home.split("."))]
    return f"{min(public, key=len, default='numpy')}.{name}"


def array_of_library(op: Op, args: tuple[Any, ...], value: Any) -> UnsupportedError:
    """Return the error of an operator between a Tensor and an array of a library that does not know of gradients."""
    name, owner = label(value, caller_scope()), type(value).__module__.partition(".")[0]
    mend = f"{name}.toarray()" if hasattr(value, "toarray") else f"np.asarray({name})"
    return UnsupportedError(
        f"{op.name}: {expression(op, args, shapes=True)}: {name} is a {type(value).__name__} of {owner}, "
        f"which would handle the Tensor in its own way; use {mend}"
    )


def text_in_table(op: Op, args: tuple[Any, ...], table: Any, columns: list[str]) -> UnsupportedError:
    """Return the error of an operator between a Tensor and a data frame that holds more than numbers."""
    name = label(table, caller_scope())
    listed = ", ".join(map(repr, columns))
    return UnsupportedError(
        f"{op.name}: {expression(op, args, shapes=True)}: the columns of {name} that hold no numbers: {listed}; leave "
        f"them out, {name}.drop({columns!r}{', axis=1' if type(table).__module__.startswith('pandas') else ''})"
    )


def plain_failure(function: Any, args: tuple[Any, Any], error: Exception) -> Exception:
    """Return the error to raise where a comparison or a whole quotient fails."""
    a, b = (_argument(arg, caller_scope()) for arg in args)
    bits = "numbers with a fraction have no bits: compare first, as in (x > 0) & (y > 0)"
    reason = bits if isinstance(error, TypeError) and function.__name__ in BITS else _broadcast_reason(args)
    return _in_words(error, function.__name__.rstrip("_"), f"{a} {SIGNS[function.__name__]} {b}", reason)


def composition_failure(function: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any], error: Exception) -> Exception:
    """Return the error to raise where a composition failed: what NumPy says of the same call on plain values."""
    scope = caller_scope()
    tensors = [label(arg, scope) for arg in args if hasattr(arg, "op") and np.ndim(arg)]
    if isinstance(error, AutotinyError) and (error.__context__ is None or all(name in str(error) for name in tensors)):
        return error  # in the user's words already
    words = [_argument(arg, scope) for arg in args] + [f"{key}={_argument(arg, scope)}" for key, arg in kwargs.items()]
    text = f"{function.__name__}({', '.join(words)})"
    try:
        function(*tree_map(_value, args), **tree_map(_value, dict(kwargs)))
    except Exception as refusal:
        return _in_words(refusal, function.__name__, text)
    return UnsupportedError(f"{function.__name__}: {text}: these arguments are not supported on a Tensor ({error})")


def _in_words(error: Exception, name: str, text: str, reason: str | None = None) -> Exception:
    """Return an error of NumPy as one of the package that states the call; one of a class of its own with a note."""
    if type(error) not in (ValueError, TypeError):
        error.add_note(f"in {name}: {text}")
        return error
    kind = ShapeError if isinstance(error, ValueError) else UnsupportedError
    return kind(f"{name}: {text}: {reason or error}")


def _argument(value: Any, scope: Mapping[str, Any]) -> str:
    """Return an argument as a user would write it, with the shape of an array."""
    if isinstance(value, list | tuple) and any(np.ndim(item) or hasattr(item, "op") for item in value):
        return f"[{', '.join(_argument(item, scope) for item in value)}]"
    if hasattr(value, "op") or isinstance(value, np.ndarray):
        return label(value, scope) + (f" {np.shape(value)}" if np.ndim(value) else "")
    return shortened(value)


def _value(arg: Any) -> Any:
    return arg.value if hasattr(arg, "op") else arg


def _raised_in_users_code(error: Exception) -> bool:
    """Whether an error comes from a user's own operation; then the user needs its traceback."""
    step = error.__traceback__
    while step is not None and step.tb_frame.f_code.co_filename.startswith(PACKAGE):
        step = step.tb_next
    return step is not None and not step.tb_frame.f_code.co_filename.startswith(NUMPY)


def _matmul_reason(args: tuple[Any, ...]) -> str | None:
    """Return why two operands of a matrix product do not fit, and the transpose that does, if there is one."""
    (a, b), scope = args, caller_scope()
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        return "a matrix product needs vectors or matrices; use * for a number"
    left, right = np.shape(a)[-1], np.shape(b)[-2 if np.ndim(b) > 1 else 0]
    if left == right:
        return None
    reason = f"inner sizes {left} and {right} differ"
    for value, fits, side in ((b, np.shape(b)[-1] == left, "right"), (a, np.shape(a)[0] == right, "left")):
        if np.ndim(value) == 2 and fits:
            name = getattr(value, "name", None) or variable_name(value, scope)
            transpose = f"{name}.T is {np.shape(value)[::-1]}" if name else f"the transpose of the {side} operand fits"
            return f"{reason}; {transpose}"
    return f"{reason}; neither transpose fits" if np.ndim(a) == np.ndim(b) == 2 else reason


def _broadcast_reason(args: tuple[Any, ...]) -> str | None:
    try:
        shapes, scope = [np.shape(arg) for arg in args], caller_scope()
    except ValueError:  # a ragged list
        return None
    for axis in range(1, max(map(len, shapes)) + 1):
        sizes = sorted({shape[-axis] for shape in shapes if len(shape) >= axis} - {1})
        if len(sizes) > 1:
            mends = [
                f"; {label(x, scope)}[:, None] is {(*np.shape(x), 1)}"
                for x, other in (args[-2:], args[:-3:-1])
                if np.ndim(x) == 1 and np.ndim(other) > 1 and np.shape(other)[-2] == np.shape(x)[0]
            ]
            return f"shapes do not broadcast: sizes {sizes[0]} and {sizes[1]} differ in axis {-axis}" + "".join(mends)
    return None


# ----- values that would leave the graph -----
def lost_gradient(
    tensor: Any, what: str, mend: str | None = None, *, instead: str = "functions of NumPy"
) -> UnsupportedError:
    """Return the error of a function that takes the value of a tracked tensor, and so would lose its gradient."""
    name = label(tensor, caller_scope())
    mend = mend or f"{instead}, or {_before_dot(name)}.item() for the value alone"
    return UnsupportedError(
        f"{what} would lose the gradient of {name}, which is tracked: use {mend} (at {caller_line()})"
    )


def lost_in_array(tensor: Any) -> UnsupportedError:
    """Return the error of an array that takes in a tracked tensor."""
    name = label(tensor, caller_scope())
    if (met := function_of_scipy()) is not None:
        function, mirror = met
        return UnsupportedError(
            f"{function} turns {name} into a plain array, and {name} is tracked: its gradient would be lost; "
            f"use {mirror} (at {caller_line()})"
        )
    mend = array_mend(tensor, name)
    if mend is None and (library := called_library()) is not None:
        return UnsupportedError(
            f"{library} turns {name} into a plain array, and {name} is tracked: its gradient would be lost; "
            f"use {_before_dot(name)}.data where the value alone is meant (at {caller_line()})"
        )
    mend = mend or (
        f"use at.array for a list of Tensors, at.index_update in place of an assignment into an array, or "
        f"{_before_dot(name)}.data for the value"
    )
    loop = "; in a loop, np.stack joins a list of the values" if " = at.index_update(" in mend else ""
    return UnsupportedError(
        f"{name} is tracked, and turning it into a plain array would lose its gradient: {mend}{loop} "
        f"(at {caller_line()})"
    )


def float_as_index(tensor: Any) -> UnsupportedError:
    """Return the error of an index that is a tracked tensor."""
    name = label(tensor, caller_scope())
    return UnsupportedError(
        f"{name} is an index, and as a tracked Tensor of {tensor.dtype} has no integers: labels are data, "
        f"make it with requires_grad=False, or use {_before_dot(name)}.data.astype(int)"
    )


def _before_dot(name: str) -> str:
    return "" if name == "Tensor" else name  # a result without a name: use .item()


def updated_leaf(tensor: Any, sign: str) -> UnsupportedError:
    """Return the error of an augmented assignment to a leaf."""
    name = label(tensor, caller_scope())
    return UnsupportedError(
        f"{name} {sign} ... while operations are recorded would make {name} a result, whose graph grows with every "
        f"step: to update the leaf, write it inside `with at.no_grad():`, or {name}.data {sign} ...; "
        f"for a new value, {name} = {name} {sign.removesuffix('=')} ..."
    )


def lost_on_the_way(line: str) -> UnsupportedError:
    """Return the error of a function whose value left the graph before it was returned."""
    return UnsupportedError(
        f"the result does not depend on an argument whose value left the graph at {line}: its gradient would be zeros; "
        "return the Tensor, not float(...), .item() or .data of it, or write .detach() where no gradient is meant"
    )


def passed_exit(tensor: Any, line: str) -> str:
    """Return the warning of at.debug() about a value that leaves the graph."""
    return f"the value of {label(tensor, caller_scope())} leaves the graph, and no gradient passes, at {line}"
