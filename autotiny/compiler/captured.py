"""The captured values of a function: what its code can reach by the names in it, without its arguments.

They are constants of a program, so the function is compiled again when one of them changes. From the function on, code
is followed to the globals, cells and defaults that it reads, an object to the attributes that any of the code names and
to the methods of its class, a container to its parts. What cannot be watched, such as an iterator, is refused.
"""

import collections
import contextvars
import dataclasses
import dis
import functools
import io
import operator
import random
import struct
import sys
import threading
import types
import weakref
from collections.abc import Callable, Iterator
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any, NamedTuple

import numpy as np

from autotiny.algebra import Term
from autotiny.compiler.watching import (
    ATTRIBUTE,
    CONTEXT,
    ENTRY,
    OPTIONAL,
    OWN,
    SCALARS,
    Location,
    State,
    contents,
    entries,
)
from autotiny.engine.node import Node
from autotiny.errors import UnsupportedError

CONTAINERS = (list, tuple, dict, set, frozenset, collections.deque, types.MappingProxyType)
DESCRIPTORS_IN_C = (types.MemberDescriptorType, types.GetSetDescriptorType)
METHODS = (FunctionType, property, staticmethod, classmethod, functools.cached_property, functools.partialmethod)
GETTERS = (operator.attrgetter, operator.itemgetter, operator.methodcaller)
GENERATORS = (np.random.Generator, np.random.RandomState, np.random.BitGenerator, random.Random)
INSIDE = ("__func__", "__self__", "__wrapped__", "func", "args", "keywords", "fget", "mapping")
"""Attributes of methods, wrappers, partials, properties and views of dicts that hold what they stand for."""
HARMLESS = (
    *SCALARS,
    type(None),
    slice,
    CodeType,
    np.ufunc,
    types.BuiltinFunctionType,
    property,
    staticmethod,
    classmethod,
)
HARMLESS_MODULES = {"_thread", "threading", "logging", "typing", "abc", "_abc", "functools", "types"}

VOLATILE = {
    *("random", "default_rng", "Generator", "RandomState", "rng", "uuid", "secrets", "urandom"),
    *("time", "time_ns", "perf_counter", "perf_counter_ns", "monotonic", "process_time", "now", "utcnow"),
}
"""Names in code that may give another value at the next call: it is traced twice, and the results are compared."""
DYNAMIC = {
    *("getattr", "vars", "dir", "__dict__", "__getattribute__", "__slots__", "eval", "exec", "globals", "locals"),
    *("astuple", "asdict", "fields", "replace", "copy", "deepcopy", "attrgetter", "getmembers"),
}
"""Names in code that may read attributes which it does not name: then all attributes are watched."""
CLOCKS = {"time", "posix", "nt", "_datetime", "datetime"}
"""Modules with built-in functions that may give another value at the next call."""
UNWATCHABLE: dict[str, set[str]] = {
    "builtins": {"open", "eval", "exec", "input"},
    "io": {"open"},
    "pathlib": {"open", "read_text", "read_bytes"},
    "datetime": {"today"},
    "numpy": {"load", "loadtxt", "genfromtxt", "fromfile", "memmap"},
}
"""By module, functions that read what nobody can watch, and that may be the same at the second call."""
NOT_CALLED = {"__repr__", "__str__", "__del__", "__init_subclass__", "__class_getitem__", "__reduce__", "__reduce_ex__"}
LIMIT = 20_000
"""The largest number of objects that are watched."""


class Captured:
    """The state that a function reads, as it is now.

    Raises UnsupportedError, with the expression for it, where the code reaches what cannot be watched.
    """

    def __init__(self, f: Callable[..., Any]) -> None:
        self.state = State()
        self.names: set[str] = set()
        """The names in all of the code, and the strings that could be names."""
        self.generators: list[Any] = []
        self.tensors: list[tuple[Node, Any, Any]] = []
        self.formulas: list[str] = []
        """The expressions for results of a trace that are kept outside."""
        self.owners: list[tuple[Any, str]] = []
        self.looked_into = 0
        self.may_vary = False
        """Whether the code reaches something that may differ from call to call."""
        self.seen: dict[int, Any] = {}
        self.queue = collections.deque([(f, getattr(f, "__name__", "self"))])
        self.follow()
        self.drawn = self.state_of_generators()

    # ----- finding -----
    def follow(self) -> None:
        """Visit everything that can be reached; attributes are looked up again as long as more names are found."""
        names_before = 0
        while self.queue or len(self.names) > names_before:
            while self.queue:
                self.visit(*self.queue.popleft())
            fresh = slice(0 if len(self.names) > names_before else self.looked_into, len(self.owners))
            names_before, self.looked_into = len(self.names), len(self.owners)
            for owner, path in self.owners[fresh]:
                self.look_into(owner, path)

    def reach(self, value: Any, path: str) -> None:
        """Note to visit a value."""
        if id(value) not in self.seen:
            self.queue.append((value, path))

    def visit(self, value: Any, path: str) -> None:
        """Note what a value consists of or reads."""
        if id(value) in self.seen:
            return
        self.seen[id(value)] = value
        if len(self.seen) > LIMIT:
            raise unwatchable(path, f"one of more than {LIMIT} objects that the function can reach")
        if isinstance(value, SCALARS):
            if isinstance(value, str):
                self.names |= names_in_text(value)  # perhaps for getattr
        elif isinstance(value, FunctionType):
            self.visit_function(value, path)
        elif isinstance(value, type):
            self.visit_class(value, path)
        elif isinstance(value, ModuleType):
            self.owners.append((value, path))
        elif isinstance(value, np.ndarray):
            self.visit_array(value, path)
        elif isinstance(value, Node):
            self.visit_tensor(value, path)
        elif isinstance(value, GENERATORS):
            self.generators.append(value)
        else:
            self.visit_object(value, path)

    def visit_function(self, f: FunctionType, path: str) -> None:
        """Note the closure, the defaults and the globals of a function, and follow the names in its code."""
        self.owners.append((f, path))
        cells = dict(zip(f.__code__.co_freevars, f.__closure__ or (), strict=True))
        if not is_users(f.__globals__.get("__name__")):  # it may call the user's own, as at.grad and wrappers do
            for name, cell in cells.items():
                if not is_empty(cell):
                    self.reach(cell.cell_contents, name)
            return
        for key in ("__code__", "__defaults__", "__kwdefaults__"):
            if getattr(f, key) is not None:  # where there was no default, callers give all arguments
                self.note(Location(f, key, ATTRIBUTE, f"{path}.{key}"))
        self.own(f)
        code = names_in(f.__code__)
        self.names |= code.names
        self.may_vary = self.may_vary or not code.names.isdisjoint(VOLATILE)
        for name, cell in cells.items():
            self.own(cell)
            if not is_empty(cell):
                self.note(Location(cell, "cell_contents", ATTRIBUTE, name))
        self.visit_globals(f.__globals__, code)

    def visit_globals(self, namespace: dict[str, Any], code: "Names") -> None:
        """Note the globals that code reads, and the modules that it imports."""
        known = code.names if "globals" in code.read else code.read
        for name in known & namespace.keys():
            self.note(Location(namespace, name, ENTRY, name))
        self.own(namespace)
        self.miss(namespace, known)
        for name in code.read & UNWATCHABLE["builtins"] - namespace.keys():
            raise unwatchable(name, "a function that reads what is not in the code")
        if code.imports or not code.names.isdisjoint({"import_module", "__import__", "modules"}):
            for name in code.names & sys.modules.keys():
                self.reach(sys.modules[name], name)

    def visit_class(self, kind: type, path: str) -> None:
        """Note the methods of a class that Python calls by itself; others are looked up by name."""
        self.owners.append((kind, path))
        if not is_users(kind.__module__):
            return
        self.reach(type(kind), f"type({path})")
        for parent in kind.__mro__[1:]:
            self.reach(parent, parent.__name__)
        for name, value in vars(kind).items():
            if isinstance(value, METHODS) and is_special(name) and name not in NOT_CALLED:
                if is_generated(value, kind):
                    self.seen[id(value)] = value
                self.note(Location(kind, name, OWN, f"{path}.{name}"))

    def visit_array(self, array: np.ndarray, path: str) -> None:
        """Note an array, whose entries may be replaced."""
        self.state.arrays[id(array)] = (array, entries(array), path)
        if type(array) is not np.ndarray:
            self.visit_attributes(array, path)
        if array.dtype.hasobject:
            for part in array.ravel().tolist():
                self.reach(part, f"{path}[...]")

    def visit_tensor(self, tensor: Node, path: str) -> None:
        """Note the value of a Tensor."""
        if isinstance(tensor._value, Term):
            self.formulas.append(path)
            return
        self.tensors.append((tensor, tensor._value, tensor._grad))
        for key in ("_value", "requires_grad", *(["_grad"] if "grad" in self.names else [])):
            self.note(Location(tensor, key, ATTRIBUTE, path))

    def visit_object(self, value: Any, path: str) -> None:
        """Note the parts of a container, of a wrapper, and an object whose attributes are read by name."""
        inside = {name: part for name in INSIDE if (part := getattr_static(value, name)) is not None}
        for name, part in inside.items():
            self.reach(part, "self" if name == "__self__" and isinstance(value, MethodType) else path)
        if isinstance(value, Term):
            self.formulas.append(path)
        elif isinstance(value, CONTAINERS):
            if not isinstance(value, tuple | frozenset):
                self.state.containers[id(value)] = contents(value, path)
            for name, part in named_parts(value):
                self.reach(part, f"{path}{name}")
        elif isinstance(value, contextvars.ContextVar):
            self.note(Location(value, "get", CONTEXT, f"{path}.get()"))
        elif isinstance(value, weakref.ref):
            self.reach(value(), f"{path}()")
        elif isinstance(value, GETTERS):
            self.reach(value.__reduce__()[1], path)
        elif isinstance(value, types.BuiltinFunctionType):
            self.may_vary = self.may_vary or value.__module__ in CLOCKS
        elif not inside and has_writable_buffer(value):
            self.state.arrays[id(value)] = (value, entries(value), path)
        elif not inside and is_opaque(value):
            raise unwatchable(path, describe(value))
        if not (inside and type(value).__module__.startswith("autotiny")):
            self.visit_attributes(value, path)

    def visit_attributes(self, value: Any, path: str) -> None:
        """Note an object whose attributes are read by name."""
        kind = type(value)
        if kind.__module__ != "logging" and (hasattr(value, "__dict__") or slots_of(kind)):
            self.owners.append((value, path))
            self.note(Location(value, "__class__", ATTRIBUTE, f"type({path})"))

    # ----- by name -----
    def look_into(self, owner: Any, path: str) -> None:
        """Note the attributes of an owner that the code names, and the absence of the others."""
        kind, by_name = type(owner), True
        if kind is ModuleType:
            module = owner.__name__
        elif isinstance(owner, type):
            module = owner.__module__
        else:
            module = kind.__module__
            by_name = kind is FunctionType or (self.names.isdisjoint(DYNAMIC) and is_users_throughout(kind))
        for name in self.names & UNWATCHABLE.get(module.partition(".")[0], set()):
            raise unwatchable(f"{path}.{name}", "a function that reads what is not in the code")
        if isinstance(owner, type | ModuleType) and not (is_users(module) or module in ("sys", "random")):
            return
        own = vars(owner) if hasattr(owner, "__dict__") else {}
        for name in list(self.names & own.keys() if by_name else own):
            if not (isinstance(own[name], DESCRIPTORS_IN_C) or own[name] is sys.modules):
                hidden = isinstance(owner, type) or hasattr(getattr_static(kind, name), "__set__")
                self.note(Location(owner, name, OWN if hidden else ATTRIBUTE, f"{path}.{name}"))
        for name in slots_of(kind):
            if not by_name or name in self.names:
                self.note(Location(owner, name, OPTIONAL, f"{path}.{name}"))
        self.own(owner)
        if hasattr(owner, "__dict__"):
            self.miss(owner, self.names if by_name else None)

    def note(self, location: Location) -> None:
        """Note a location and its value, and visit that."""
        key = (id(location.holder), location.key)
        if key not in self.state.locations:
            self.own(location.holder)
            value = location.read()
            self.state.locations[key] = (location, value)
            self.reach(value, location.path)

    def own(self, holder: Any) -> None:
        """Note that all that the code reads of a holder is noted."""
        self.state.owners[id(holder)] = holder

    def miss(self, owner: Any, names: set[str] | None) -> None:
        """Note names that an object, or a dict of globals, does not have; None for all others than it has."""
        present = owner if type(owner) is dict else vars(owner)
        before = self.state.absent.get(id(owner), (owner, frozenset(), []))[1]
        if names is None or before is None:
            self.state.absent[id(owner)] = (owner, None, list(present))
        else:
            self.state.absent[id(owner)] = (owner, before | names - present.keys(), [])

    # ----- after a trace -----
    def state_of_generators(self) -> Any:
        """Return what decides the next random numbers: of the whole process, and of the generators that f reads."""
        _, keys, *position = np.random.get_state()
        return (np.asarray(keys).tobytes(), position, random.getstate()), list(map(state_of, self.generators))

    def require_same_after_trace(self) -> None:
        """Raise UnsupportedError where the call drew random numbers, or left gradients on Tensors from outside."""
        (shared, own), (shared_before, own_before) = self.state_of_generators(), self.drawn
        if own != own_before or (shared != shared_before and (self.may_vary or threading.active_count() == 1)):
            raise drawn_inside()
        if shared != shared_before:  # by another thread, unless a second trace gives other results
            self.may_vary = True
        for tensor, data, grad in self.tensors:
            if tensor._grad is not grad or isinstance(tensor._value, Term):
                tensor._grad, tensor._value = grad, data
                raise UnsupportedError(
                    f"compile: backward() would fill .grad of {tensor.name or 'a Tensor'} from outside only once; pass "
                    "its value as an argument, and use at.value_and_grad"
                )


# ----- kinds of objects -----


@functools.cache
def is_users(module: str | None) -> bool:
    """Whether a module is neither of Python's library nor NumPy, SciPy or this package."""
    top = str(module).split(".")[0]
    return (top not in sys.stdlib_module_names or top == "os") and top not in ("numpy", "scipy", "autotiny")


def is_users_throughout(kind: type) -> bool:
    """Whether all methods of a class can be followed."""
    return all(is_users(x.__module__) or x.__module__ in ("builtins", "abc", "typing") for x in kind.__mro__)


def is_generated(method: Any, kind: type) -> bool:
    """Whether a method is one that a dataclass was given, which reads nothing but the fields."""
    return (
        dataclasses.is_dataclass(kind)
        and isinstance(method, FunctionType)
        and method.__code__.co_filename == "<string>"
    )


def is_special(name: str) -> bool:
    """Whether Python itself calls methods of this name."""
    return name.startswith("__") and name.endswith("__")


def is_empty(cell: Any) -> bool:
    """Whether a variable of a closure has no value yet."""
    try:
        return cell.cell_contents is NotImplemented
    except ValueError:
        return True


def slots_of(kind: type) -> list[str]:
    """Return the names of a class's slots."""
    return [
        name
        for parent in kind.__mro__
        if "__slots__" in vars(parent)
        for name, value in vars(parent).items()
        if isinstance(value, types.MemberDescriptorType)
    ]


POINTER = struct.calcsize("P")


def is_opaque(value: Any) -> bool:
    """Whether a value has state that Python code cannot see and that may change.

    An object that is larger than its slots, its __dict__ and its list of weak references has some. If such values are
    compared by value, as dates and patterns are, they cannot change.
    """
    kind = type(value)
    if isinstance(value, HARMLESS) or kind.__module__ in HARMLESS_MODULES:
        return False
    if isinstance(value, io.IOBase):
        return value.readable()
    return has_hidden_state(kind) and getattr(kind, "__hash__", None) in (None, object.__hash__)


def has_hidden_state(kind: type) -> bool:
    """Whether objects of a class are larger than what can be seen of them."""
    visible = len(slots_of(kind)) + (kind.__dictoffset__ > 0) + (kind.__weakrefoffset__ > 0)
    return kind.__basicsize__ - object.__basicsize__ > visible * POINTER


def has_writable_buffer(value: Any) -> bool:
    """Whether a value holds bytes that may be written to."""
    try:
        with memoryview(value):
            return not isinstance(value, bytes)
    except (TypeError, BufferError):
        return False


def getattr_static(value: Any, name: str) -> Any:
    """Return an attribute without a call of the user's __getattr__; None if there is none."""
    try:
        return (
            object.__getattribute__(value, name) if not isinstance(value, type) else type.__getattribute__(value, name)
        )
    except (AttributeError, TypeError):
        return None


def describe(value: Any) -> str:
    """Return what an object is that cannot be watched."""
    kind = type(value)
    name = kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"
    return f"of type {name}" + (", which goes on at each call" if hasattr(value, "__next__") else "")


def named_parts(container: Any) -> Iterator[tuple[str, Any]]:
    """Yield the parts of a container with the index of each; the keys of a dict too, which may be objects."""
    if isinstance(container, dict | types.MappingProxyType):
        for key, value in list(container.items()):
            yield "", key
            yield f"[{key!r}]" if isinstance(key, SCALARS) else "[...]", value
    else:
        for i, value in enumerate(container):
            yield f"[{i}]", value


def state_of(generator: Any) -> str:
    """Return the state of a generator of random numbers as text."""
    if isinstance(generator, random.Random):
        return repr(generator.getstate())
    source = getattr(generator, "bit_generator", None) or getattr(generator, "_bit_generator", generator)
    with np.printoptions(threshold=10**6):
        return repr(source.state)


class Names(NamedTuple):
    """Names in code, with the functions inside it.

    names : of globals, attributes and variables of closures, and strings that could be names
    read : of globals
    imports : whether it imports modules while it runs
    """

    names: set[str]
    read: set[str]
    imports: bool


@functools.lru_cache(maxsize=1000)
def names_in(code: CodeType) -> Names:
    """Return the names in code."""
    names = {*code.co_names, *code.co_freevars}
    instructions = list(dis.get_instructions(code))
    read = {x.argval for x in instructions if x.opname in ("LOAD_GLOBAL", "LOAD_NAME", "STORE_GLOBAL", "STORE_NAME")}
    imports = any(x.opname == "IMPORT_NAME" for x in instructions)
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            within = names_in(inner)
            names, read, imports = names | within.names, read | within.read, imports or within.imports
        elif isinstance(inner, str):
            names |= names_in_text(inner)
    return Names(names, read, imports)


def names_in_text(text: str) -> set[str]:
    """Return the names in a text that getattr or attrgetter may be given: one, or several with dots between."""
    parts = text.split(".")
    return set(parts) if all(part.isidentifier() for part in parts) else set()


# ----- errors -----


def drawn_inside() -> UnsupportedError:
    """Return the error for a function that draws random numbers."""
    return UnsupportedError(
        "compile: the function draws random numbers, or reads a clock, which would be the same at every call of its "
        "program; draw them outside and pass them as an argument"
    )


def unwatchable(path: str, what: str) -> UnsupportedError:
    """Return the error for an object whose changes cannot be noticed."""
    return UnsupportedError(
        f"compile: the function uses {path}, {what}; its program could not notice a change of it: "
        "take what is needed out of it outside, and pass that as an argument"
    )


def changed_inside(path: str) -> UnsupportedError:
    """Return the error for a function that changes what it captured."""
    return UnsupportedError(
        f"compile: the function changes {path}, which is not an argument; its program would not: return the new value, "
        "and change it outside"
    )
