"""The mends of lines that write a tracked Tensor into a plain array, or change a recorded value.

They are read from the line itself, as far as it can be read, and are written in its own words: a[0] = t becomes
a = at.index_update(a, 0, t), and np.mean([t, u]) becomes np.mean(at.array([t, u])).
"""

import ast
import linecache
from types import FrameType
from typing import Any

import numpy as np

from autotiny.engine.call_site import caller, parsed, running_source, variable

CONVERTING = ("array", "asarray", "asanyarray", "ascontiguousarray", "asfortranarray", "asarray_chkfinite", "Tensor")
JOINING = ("concatenate", "concat", "stack", "vstack", "hstack", "dstack", "column_stack", "block", "row_stack")
"""Functions of a list of arrays, which cannot all be one array: their lengths may differ."""
GRIDS = {"r_": "np.hstack([{}])", "c_": "np.column_stack([{}])"}
IN_PLACE = {
    "at": "at.index_update({0}, {1}, {2}, {ufunc})",
    "copyto": "np.broadcast_to({1}, np.shape({0}))",
    "fill": "np.broadcast_to({1}, {0}.shape)",
    "fill_diagonal": "at.index_update({0}, np.diag_indices(min({0}.shape)), {1})",
    "place": "at.index_update({0}, {1}, {2})",
    "put": "at.index_update({0}, np.unravel_index({1}, {0}.shape), {2})",
    "put_along_axis": "at.index_update({0}, index, {2}), with an index of all axes: (np.arange(n)[:, None], {1})",
    "putmask": "np.where({1}, {2}, {0})",
}
"""Functions, and methods, that change an array; and what gives the changed array in place of them."""
PARAMETERS = (ast.Name("a"), ast.Name("index"), ast.Name("values"))


def expression_of(frame: FrameType | None) -> Any:
    """Return the expression or statement that a frame evaluates, None where it cannot be read."""
    source = running_source(frame) if frame is not None else ""
    return parsed(source) if source else None


def array_mend(tensor: Any, name: str) -> str | None:
    """Return the mend of the line that turns a tensor into an array, None where the line cannot be read."""
    frame = caller()
    expression = expression_of(frame)
    if frame is None or expression is None:
        return None
    if isinstance(expression, ast.Subscript):
        return _of_subscript(expression, tensor, name, frame)
    others = {part.id: variable(part.id, frame) for part in ast.walk(expression) if isinstance(part, ast.Name)}
    for other, value in others.items():
        if hasattr(value, "toarray"):
            return f"{other} is sparse, use {other} @ {name} for their product, or {other}.toarray()"
        if hasattr(value, "__array__") and not hasattr(value, "op") and not isinstance(value, np.ndarray | type):
            return f"{other} is a {type(value).__name__}, use np.asarray({other})"
    return _of_call(expression, tensor, name, frame) if isinstance(expression, ast.Call) else None


# ----- a[i] = t, np.r_[t] -----
def _of_subscript(expression: ast.Subscript, tensor: Any, name: str, frame: FrameType) -> str | None:
    """Return the mend of an assignment into an array, of a grid such as np.r_[t], or of an index."""
    grid = ast.unparse(expression.value).removeprefix("np.")
    if grid in GRIDS:
        parts = expression.slice.elts if isinstance(expression.slice, ast.Tuple) else [expression.slice]
        return f"use {GRIDS[grid].format(', '.join(map(ast.unparse, parts)))}"
    inside = [part.id for part in ast.walk(expression.slice) if isinstance(part, ast.Name)]
    if any(variable(inner, frame) is tensor for inner in inside):
        return f"labels are data, make {name} with requires_grad=False, or use {name}.data.astype(int)"
    return f"write {_assignment(expression, _value_of(expression, frame))}"


def assignment_mend() -> str:
    """Return the mend of the assignment to entries that is running: a = at.index_update(a, i, v)."""
    frame = caller()
    expression = expression_of(frame)
    if frame is None or not isinstance(expression, ast.Subscript):
        return "at.index_update(x, index, values)"
    return _assignment(expression, _value_of(expression, frame))


def _assignment(target: ast.expr, value: str) -> str:
    """Return an assignment that makes a new array: of a name, or of entries."""
    if not isinstance(target, ast.Subscript):
        return _assigned(target, value)
    owner, index = target.value, _index(target.slice)
    if isinstance(owner, ast.Attribute) and owner.attr == "flat":
        owner = owner.value
        index = f"np.unravel_index({index}, {ast.unparse(owner)}.shape)"
    return _assigned(owner, f"at.index_update({ast.unparse(owner)}, {index}, {value})")


def _assigned(target: ast.expr, value: str) -> str:
    """Return an assignment to a name; of an unnamed array the new value alone."""
    return f"{ast.unparse(target)} = {value}" if isinstance(target, ast.Name | ast.Attribute) else value


def _value_of(target: ast.Subscript, frame: FrameType) -> str:
    """Return what the running line assigns to a target, as text."""
    line, words = linecache.getline(frame.f_code.co_filename, frame.f_lineno).strip(), ast.unparse(target)
    for text in line, line.partition(": ")[2]:  # behind an else
        try:
            statements = list(ast.walk(ast.parse(text)))
        except SyntaxError:
            continue
        for part in statements:
            if isinstance(part, ast.AugAssign) and ast.unparse(part.target) == words:
                return _sum(part)
            if isinstance(part, ast.Assign) and [words] == [ast.unparse(each) for each in part.targets]:
                return ast.unparse(part.value)
    return "value"


def _sum(statement: ast.AugAssign) -> str:
    """Return x + y for x += y."""
    line = ast.unparse(statement)
    sign = line[len(ast.unparse(statement.target)) :].partition("=")[0].strip()
    return f"{ast.unparse(statement.target)} {sign} {ast.unparse(statement.value)}"


def _index(index: ast.expr) -> str:
    """Return an index as an expression of its own: np.s_[1:, 0]."""
    text = ast.unparse(index)
    if any(isinstance(part, ast.Slice) for part in ast.walk(index)):
        return f"np.s_[{text.removeprefix('(').removesuffix(')') if isinstance(index, ast.Tuple) else text}]"
    return f"({text})" if isinstance(index, ast.Tuple) and not text.startswith("(") else text


# ----- functions that change an array, out= -----
def in_place_mend(function: str, ufunc: str = "") -> str | None:
    """Return what to write in place of a function that changes its argument, in the words of the running line."""
    expression = expression_of(caller())
    if isinstance(expression, ast.Call):
        if mend := _changing(expression, function):
            return mend
        if ast.unparse(expression.func).endswith("full_like") and len(expression.args) > 1:  # it calls np.copyto
            return f"np.broadcast_to({ast.unparse(expression.args[1])}, np.shape({ast.unparse(expression.args[0])}))"
    return _changed(function, list(PARAMETERS), ufunc)


def _changing(expression: ast.Call, function: str = "") -> str | None:
    """Return the mend of a call of a function or a method that changes an array; None for other calls."""
    called = expression.func
    short = called.attr if isinstance(called, ast.Attribute) else ast.unparse(called)
    if short not in IN_PLACE or (function and function != short):
        return None
    owner = called.value if isinstance(called, ast.Attribute) else None
    keywords = {each.arg: each.value for each in expression.keywords}
    args = [*expression.args, *(value for name, value in keywords.items() if name not in ("where", "axis"))]
    if owner is not None and short != "at" and ast.unparse(owner) not in ("np", "numpy"):
        args = [owner, *args]
    if "where" in keywords:
        return _assigned(args[0], f"np.where({', '.join(map(ast.unparse, (keywords['where'], args[1], args[0])))})")
    return _changed(short, args, ast.unparse(owner) if owner is not None else "")


def _changed(function: str, args: list[ast.expr], ufunc: str) -> str | None:
    """Return what makes the array that a function changes in place."""
    words = list(map(ast.unparse, args))
    if function == "at" and len(args) == 2:  # of one operand
        return _assigned(args[0], f"at.index_update({words[0]}, {words[1]}, ufunc={ufunc})")
    try:
        return _assigned(args[0], IN_PLACE[function].format(*words, ufunc=ufunc))
    except IndexError:  # arguments are missing
        return None


def out_mend() -> str:
    """Return what to write in place of a call with out=, or of an augmented assignment to a plain array."""
    expression = expression_of(caller())
    if isinstance(expression, ast.AugAssign):
        return f"write {_assignment(expression.target, _sum(expression))}"
    if isinstance(expression, ast.Call):
        out = [each.value for each in expression.keywords if each.arg == "out"]
        rest = [each for each in expression.keywords if each.arg != "out"]
        if out:
            return f"write {_assignment(out[0], ast.unparse(ast.Call(expression.func, expression.args, rest)))}"
    return "assign the result, or write np.where, at.index_update"


# ----- np.f([t, u]), a.f(t) -----
def _of_call(expression: ast.Call, tensor: Any, name: str, frame: FrameType) -> str | None:
    """Return the mend of a call: at.array around its lists, or a function in place of an array's method."""
    called, args = ast.unparse(expression.func), list(expression.args)
    short = called.rpartition(".")[2]
    if changed := _changing(expression):
        return f"write {changed}"
    if isinstance(expression.func, ast.Attribute) and args and hasattr(np, short):
        owner = ast.unparse(expression.func.value)
        if isinstance(variable(owner, frame), np.ndarray):
            given = ", ".join(map(ast.unparse, args))
            operator = f"{owner} @ {given}, or " if short == "dot" else ""
            return f"{owner}.{short} is a method of a plain array, use {operator}np.{short}({owner}, {given})"
    if isinstance(variable(called, frame), np.vectorize) or called.startswith("np.vectorize("):
        return "np.vectorize calls a function on plain numbers: write it with NumPy's functions, which take arrays"
    if not args:
        return None
    first = ast.unparse(args[0])
    if short in CONVERTING and isinstance(args[0], ast.Name) and variable(first, frame) is tensor:
        return f"NumPy's functions take {first} as it is; use at.array({first}) for a copy, {first}.data for the value"
    if short in CONVERTING:
        dtype = [ast.unparse(each) for each in expression.keywords if each.arg == "dtype"]
        return f"use at.array({', '.join([first, *dtype])})"
    if short == "fromiter":
        return f"use at.array({first if isinstance(args[0], ast.List | ast.Tuple) else f'list({first})'})"
    if short in np.sctypeDict or short == "float64":
        return f"use {name} as it is, or {name}.item() for the value alone"
    if short == "full" and len(args) > 1:
        return f"use np.broadcast_to({ast.unparse(args[1])}, {first})"
    return _with_arrays(expression, short, frame)


def _with_arrays(expression: ast.Call, short: str, frame: FrameType) -> str | None:
    """Return a call with at.array around those of its lists that may hold Tensors."""
    args = list(expression.args)
    if short in JOINING and isinstance(args[0], ast.List | ast.Tuple):
        args[0] = ast.List([_wrapped(part, frame) for part in args[0].elts], ast.Load())
    else:
        args = [_wrapped(arg, frame) for arg in args]
    mended = ast.unparse(ast.Call(expression.func, args, expression.keywords))
    return f"use {mended}" if mended != ast.unparse(expression) else None


def _wrapped(arg: ast.expr, frame: FrameType) -> ast.expr:
    """Return an argument as at.array of it, where it is a list that may hold Tensors."""
    value = variable(arg.id, frame) if isinstance(arg, ast.Name) else None
    literal = isinstance(arg, ast.List | ast.Tuple) and any(isinstance(part, ast.Name) for part in ast.walk(arg))
    if not (literal or isinstance(arg, ast.ListComp) or isinstance(value, list | tuple)):
        return arg
    return ast.Call(ast.Attribute(ast.Name("at", ast.Load()), "array", ast.Load()), [arg], [])
