"""Code that may have recorded a run, and the variables that it sees.

It is the code that is running, up to the outermost of the user's, and the functions that it calls or refers to. What is
local to a function that has returned is known where a call gives it as an argument; else it is missing.
"""

import builtins
import functools
import inspect
import linecache
from collections.abc import Iterator, Mapping
from types import BuiltinFunctionType, CodeType, FrameType, FunctionType, MemberDescriptorType, MethodType, ModuleType
from typing import Any, NamedTuple

from autotiny.engine.call_site import caller, is_library_file, is_package_file
from autotiny.engine.expressions import CodeExpressions, Expression, expressions

MOST_SCOPES = 100
"""The number of calls after which no more code is read."""
MISSING = object()
NO_VARIABLES: Mapping[str, Any] = {}


class Scope(NamedTuple):
    """The variables that a code object sees: its own, those of the code around it, global and built-in ones."""

    code: CodeType
    own: dict[str, Any]
    outside: Mapping[str, Any]
    around: "Scope | None" = None
    given: "Mapping[str, tuple[Expression, Scope]]" = NO_VARIABLES
    """The expressions of arguments whose values are not known, and the scopes of the calls."""

    @property
    def expressions(self) -> CodeExpressions:
        """What the code evaluates."""
        return expressions(self.code)

    def variable(self, name: str) -> Any:
        """The value of a variable, MISSING if it is not known."""
        if name in self.own:
            return self.own[name]
        if self.is_local(name):
            return MISSING
        if self.around is not None and (name in self.code.co_freevars or self.around.is_class_body):
            return self.around.variable(name)
        return self.outside.get(name, getattr(builtins, name, MISSING))

    def is_missing(self, name: str) -> bool:
        """Whether a variable that is assigned once, or is an argument, has no known value."""
        once = len(self.expressions.assigned.get(name, ())) <= 1
        return once and self.is_local(name) and not self.is_counter(name) and name not in self.own

    def is_counter(self, name: str) -> bool:
        """Whether a variable takes the values of a loop."""
        return any(map(_is_element, self.expressions.assigned.get(name, ())))

    def is_local(self, name: str) -> bool:
        """Whether a variable belongs to a function."""
        return name in self.code.co_varnames or name in self.code.co_cellvars

    @property
    def is_class_body(self) -> bool:
        """Whether the code is that of a class."""
        return "__qualname__" in self.code.co_names and not self.code.co_flags & inspect.CO_OPTIMIZED

    def is_reassigned(self, name: str) -> bool:
        """Whether a variable may have had another value before."""
        return self.expressions.loops or len(self.expressions.assigned.get(name, ())) > 1

    def inner(self) -> Iterator["Scope"]:
        """The scopes of comprehensions, of lambdas and of other functions within."""
        return (Scope(code, {}, self.outside, self) for code in self.expressions.inner)


def _is_element(expression: Expression) -> bool:
    return expression.kind == "element" or (expression.kind == "item" and _is_element(expression.parts[0]))


# ----- values, without running code of the user's -----
def value(expression: Expression, scope: Scope) -> Any:
    """The value of a variable, of an attribute, of an item of a list or dict, or of a constant; else MISSING."""
    if expression.kind == "constant":
        return expression.detail
    if expression.kind == "name":
        return scope.variable(expression.detail)
    if expression.kind in ("attribute", "item"):
        whole = value(expression.parts[0], scope)
        if expression.kind == "attribute":
            return attribute(whole, expression.detail)
        key = value(expression.parts[1], scope)
        if type(whole) is dict and isinstance(key, int | str):
            return whole.get(key, MISSING)
        if type(whole) in (list, tuple) and isinstance(key, int) and -len(whole) <= key < len(whole):
            return whole[key]
    return MISSING


def attribute(whole: Any, name: str) -> Any:
    """An attribute of a module or an object, unless code computes it."""
    if isinstance(whole, ModuleType):
        return vars(whole).get(name, MISSING)
    own = getattr(whole, "__dict__", NO_VARIABLES)
    if isinstance(own, Mapping) and name in own:
        return own[name]
    found = inspect.getattr_static(whole, name, MISSING)
    if isinstance(whole, tuple) and name in getattr(type(whole), "_fields", ()):
        return whole[whole._fields.index(name)]  # type: ignore[attr-defined]
    if isinstance(found, MemberDescriptorType) and not isinstance(whole, type):
        return found.__get__(whole)
    if isinstance(found, FunctionType) and not isinstance(whole, type):
        return MethodType(found, whole)
    return found if isinstance(found, int | float | FunctionType | BuiltinFunctionType) else MISSING


# ----- code -----
def scopes() -> list[Scope]:
    """The scopes of the code that is running and of the functions that it calls, the innermost frame first."""
    return _Walk().scopes


class _Walk:
    """A walk from the running code to the functions that it calls, then to those that it refers to."""

    def __init__(self) -> None:
        self.scopes: list[Scope] = []
        self.seen: set[Any] = set()
        self.codes: set[CodeType] = set()
        frames = [Scope(frame.f_code, dict(frame.f_locals), frame.f_globals) for frame in user_frames()]
        for scope in frames:
            self.add(scope)
        for scope in list(frames):
            for text in typed_before(scope):
                if (code := compiled(text)) is not None:
                    self.add(Scope(code, scope.own, scope.outside))
        if frames:
            for variable in list({**frames[0].outside, **frames[0].own}.values()):
                self.add_function(variable)

    def add(self, scope: Scope) -> None:
        """A scope, and those that its code leads to."""
        given = ((name, id(part), id(outer)) for name, (part, outer) in scope.given.items())
        key = scope.code, *given, *((name, id(each)) for name, each in scope.own.items())
        if key in self.seen or len(self.scopes) >= MOST_SCOPES:
            return
        self.seen.add(key)
        self.codes.add(scope.code)
        self.scopes.append(scope)
        for operation in scope.expressions.operations:
            if operation.kind == "call":
                self.add_call(operation, scope)
        for inner in scope.inner():
            if inner.code not in self.codes:
                self.add(inner)

    def add_call(self, call: Expression, scope: Scope) -> None:
        """The function that is called, with the arguments that are known."""
        function, first = unbound(value(call.parts[0], scope))
        if function is None:
            return
        names = function.__code__.co_varnames[len(first) :]
        split = len(call.parts) - len(call.detail)
        arguments = {**dict(zip(names, call.parts[1:split], strict=False)),
                     **dict(zip(call.detail, call.parts[split:], strict=True))}  # fmt: skip
        values = {name: value(part, scope) for name, part in arguments.items()}
        given = {name: (part, scope) for name, part in arguments.items() if values[name] is MISSING}
        values |= dict(zip(function.__code__.co_varnames, first, strict=False))
        self.add(of_function(function, values, given))

    def add_function(self, variable: Any) -> None:
        """A function whose arguments are not known, unless a call of it has been met."""
        functions = [unbound(variable)[0]]
        if isinstance(variable, ModuleType) and is_users(getattr(variable, "__file__", None) or "<"):
            functions = [unbound(each)[0] for each in list(vars(variable).values())]
        for function in functions:
            if function is not None and function.__code__ not in self.codes:
                self.add(of_function(function, {}, {}))


def user_frames() -> Iterator[FrameType]:
    """The frames of the user's code, the innermost first."""
    frame = caller()
    while frame is not None:
        if is_users(frame.f_code.co_filename):
            yield frame
        frame = frame.f_back


def typed_before(scope: Scope) -> list[str]:
    """What was typed in a notebook or at a prompt, statement by statement, each of which is compiled alone."""
    path, typed = scope.code.co_filename, scope.outside.get("In")
    if isinstance(typed, list) and "get_ipython" in scope.outside:
        return [str(text) for text in typed[-MOST_SCOPES:]]
    if path.startswith("<python-input-"):
        return ["".join(linecache.getlines(other)) for other in list(linecache.cache) if other.startswith(path[:14])]
    if path.startswith("<doctest ") and path.endswith("]>"):
        name, _, number = path[:-2].rpartition("[")
        return ["".join(linecache.getlines(f"{name}[{i}]>")) for i in range(int(number) + 1)]
    return []


@functools.lru_cache(maxsize=512)
def compiled(text: str) -> CodeType | None:
    """The code of a text; None if it is not Python."""
    try:
        return compile(text, "<typed>", "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return None


def is_users(path: str) -> bool:
    """Whether a file is neither of Python nor of an installed package."""
    return not is_package_file(path) and not is_library_file(path)


def unbound(called: Any) -> tuple[FunctionType | None, list[Any]]:
    """The Python function that runs in a call, if it is the user's, and the object that it is a method of."""
    function: Any = called
    first: list[Any] = []
    if isinstance(called, MethodType):
        function, first = called.__func__, [called.__self__]
    elif not isinstance(called, FunctionType | type) and callable(called):
        function, first = inspect.getattr_static(type(called), "__call__", None), [called]
    if isinstance(function, FunctionType):
        function = inspect.unwrap(function)  # without its decorators
    known = isinstance(function, FunctionType) and is_users(function.__code__.co_filename)
    return (function, first) if known else (None, [])


def of_function(function: FunctionType, arguments: Mapping[str, Any], given: Mapping[str, Any]) -> Scope:
    """The scope of a function, as far as its arguments are known."""
    code = function.__code__
    names = code.co_varnames[: code.co_argcount]
    defaults = function.__defaults__ or ()
    own: dict[str, Any] = dict(zip(names[len(names) - len(defaults) :], defaults, strict=True))
    own |= function.__kwdefaults__ or {}
    own |= arguments
    for name, cell in zip(code.co_freevars, function.__closure__ or (), strict=True):
        try:
            own[name] = cell.cell_contents
        except ValueError:  # not assigned yet
            continue
    known = {name: each for name, each in own.items() if each is not MISSING and name not in given}
    return Scope(code, known, function.__globals__, None, given)
