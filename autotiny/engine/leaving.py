"""Leaving the graph: who may take the value of a tracked Tensor as plain numbers, and which transform takes note.

`float(t)`, `"%.3f" % t`, `t.item()`, `t.tolist()` and `t.data` in the user's own code are meant. `math.exp(t)`,
`struct.pack` and `quad` ask from C code for the same float, and would go on computing without a gradient. C code has no
frame, so the two are told apart by the source text that Python would underline in a traceback: only a line that says
`float` may take a float. Where Python has no source of the line, as in exec, in `python -c` and at the prompt of
Python before 3.13, its code must name `float`, or hold a text with a `%`. A library may take nothing, unless it
imports autotiny, but it may format.
"""

import ast
import linecache
import math
import sys
import warnings
from types import CodeType, FrameType, FunctionType, ModuleType
from typing import Any, NamedTuple

import numpy as np

from autotiny.engine import call_site, messages
from autotiny.engine.modes import in_use, modes
from autotiny.errors import UnsupportedError

CONVERSIONS = (float, int, complex)
FACTS = (math.isnan, math.isinf, math.isfinite, math.isclose)
"""Functions of module math that have no gradient to lose."""
ITERATING = (ast.List, ast.Set, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
"""Expressions that ask for a float only through what they iterate over, as in [*map(float, losses)]."""
LONGEST_CALL = 60


# ----- what a transform notes -----
class Exit(NamedTuple):
    """A tracked tensor whose value was taken, and the line that took it."""

    tensor: Any
    path: str
    number: int

    @property
    def line(self) -> str:
        """The line, as errors quote it."""
        return call_site.line_text(self.path, self.number)


running: dict[int, list[Exit]] = {}
"""The exits of each transform that is running, in any thread; those that belong to no argument of it do not count."""


class Exits:
    """Collects the exits while a function runs."""

    __slots__ = ("exits",)

    def __enter__(self) -> list[Exit]:
        self.exits: list[Exit] = []
        running[id(self)] = self.exits
        return self.exits

    def __exit__(self, *error: object) -> None:
        del running[id(self)]


def take(tensor: Any, way: str) -> None:
    """Note that a tracked tensor's value is taken by .item() or .tolist(); refuse it to a library."""
    frame = sys._getframe(2)
    path = frame.f_code.co_filename
    if call_site.is_library_file(path) and not _imports_autotiny(frame):
        raise messages.lost_gradient(tensor, _library_function(frame), f"{way} in your own code")
    note(tensor, frame)


def note(tensor: Any, frame: FrameType) -> None:
    """Note that a frame of the user's takes the value of a tracked tensor, for a running transform; warn in debug."""
    if not (running or in_use):
        return
    path = frame.f_code.co_filename
    if call_site.is_package_file(path):
        return
    way = Exit(tensor, path, frame.f_lineno)
    for exits in list(running.values()):
        exits.append(way)
    if in_use and modes.debugging:
        registry, words = frame.f_globals.setdefault("__warningregistry__", {}), messages.passed_exit(tensor, way.line)
        warnings.warn_explicit(words, UserWarning, path, way.number, registry=registry)


# ----- who asks for a float -----
def take_float(tensor: Any) -> None:
    """Note that the float of a tracked tensor is taken; raise UnsupportedError where the line does not say so."""
    frame = sys._getframe(2)
    source = call_site.running_source(frame)
    expression = call_site.parsed(source) if source else None
    if _formats(expression):
        return
    if call_site.is_library_file(frame.f_code.co_filename) and not _imports_autotiny(frame):
        raise messages.lost_gradient(tensor, _library_function(frame))
    if not (_names_conversion(frame.f_code) if expression is None else _says_float(expression, frame)):
        error = _refusal(tensor, expression, frame)
        if isinstance(expression, ast.Subscript) or _is_numpys(expression, frame):
            _raise_again(frame, error)
        raise error
    note(tensor, frame)


def _raise_again(frame: FrameType, error: Exception) -> None:
    """Raise an error once more when it reaches a frame: where a[i] = t fails, NumPy puts a ValueError in its place."""
    if sys.gettrace() is not None:  # a debugger's, which would be lost
        return

    def again(frame: FrameType, event: str, arg: Any) -> None:
        sys.settrace(None)
        frame.f_trace = None
        raise error from None

    frame.f_trace = again
    sys.settrace(lambda *event: None)


def _is_numpys(expression: ast.AST | None, frame: FrameType) -> bool:
    """Whether an expression calls a function of NumPy, or a method of an array."""
    function = _looked_up(expression.func, frame) if isinstance(expression, ast.Call) else None
    owner = getattr(function, "__module__", None) or type(getattr(function, "__self__", None)).__module__
    return owner.partition(".")[0] == "numpy"


def _formats(expression: ast.AST | None) -> bool:
    """Whether an expression is text % values; of all other remainders the Tensor is an operand."""
    return isinstance(expression, ast.BinOp | ast.AugAssign) and isinstance(expression.op, ast.Mod)


def _says_float(expression: ast.AST, frame: FrameType) -> bool:
    """Whether an expression calls float, or hands it on, as in list(map(float, losses))."""
    if isinstance(expression, ast.Call):
        function = _looked_up(expression.func, frame)
        if any(function is meant for meant in (*CONVERSIONS, *FACTS)):
            return True
        if function is not None and getattr(function, "__module__", None) != "builtins":
            return False
    elif isinstance(expression, ast.Tuple):  # a, b = map(float, losses)
        line = call_site.parsed(linecache.getline(frame.f_code.co_filename, frame.f_lineno).strip())
        expression = line.value if isinstance(line, ast.Assign) else expression
    elif not isinstance(expression, ITERATING):
        return False
    called = {part.func for part in ast.walk(expression) if isinstance(part, ast.Call)}
    handed_on = [part for part in ast.walk(expression) if isinstance(part, ast.Name) and part not in called]
    values = [call_site.variable(part.id, frame) for part in handed_on]
    return any(value is conversion for value in values for conversion in CONVERSIONS)


def _names_conversion(code: CodeType) -> bool:
    """Whether code without its source names float, or holds a text to format."""
    texts = (constant for constant in code.co_consts if isinstance(constant, str))
    return any(f.__name__ in code.co_names for f in CONVERSIONS) or any("%" in text for text in texts)


def _looked_up(name: ast.expr, frame: FrameType) -> Any:
    """Return the value of a plain name such as float, math.exp or a.fill; looking it up runs no user code."""
    if isinstance(name, ast.Attribute):
        owner = _looked_up(name.value, frame)
        return getattr(owner, name.attr, None) if isinstance(owner, ModuleType | np.ndarray) else None
    return call_site.variable(name.id, frame) if isinstance(name, ast.Name) else None


# ----- words -----
def _refusal(tensor: Any, expression: ast.AST | None, frame: FrameType) -> UnsupportedError:
    """Return the error of a user's line that takes a float without saying so."""
    if isinstance(expression, ast.Subscript):  # a[i] = t
        return messages.lost_in_array(tensor)
    if not isinstance(expression, ast.Call):
        return messages.lost_gradient(tensor, "this line")
    if _is_numpys(expression, frame):
        return messages.lost_in_array(tensor)
    function = _looked_up(expression.func, frame)
    owner = getattr(function, "__module__", None)
    if owner in ("math", "cmath"):
        name = function.__name__
        instead = f"np.{name}" if hasattr(np, name) else "functions of NumPy"
        return messages.lost_gradient(tensor, f"{owner}.{name}", instead=instead)
    from autotiny.notation.text import clean  # only a mistake needs it

    return messages.lost_gradient(tensor, clean(ast.unparse(expression), LONGEST_CALL))


def _library_function(frame: FrameType) -> str:
    """Return the library's function that the user called, as 'scipy.integrate.quad'."""
    while frame.f_back is not None and call_site.is_library_file(frame.f_back.f_code.co_filename):
        frame = frame.f_back
    module = frame.f_globals.get("__name__", "a library").split(".")
    return ".".join([*(part for part in module if not part.startswith("_")), frame.f_code.co_name])


def _imports_autotiny(frame: FrameType) -> bool:
    """Whether the code of a library names something of this package, so that it knows what it takes."""
    package = __name__.partition(".")[0]
    return any(_belongs_to(package, value) for value in list(frame.f_globals.values()))


def _belongs_to(package: str, value: Any) -> bool:
    if isinstance(value, ModuleType):
        return value.__name__.partition(".")[0] == package
    return isinstance(value, type | FunctionType) and value.__module__.partition(".")[0] == package
