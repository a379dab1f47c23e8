"""The expressions that compiled code evaluates, read from its instructions.

Code that is run by exec, by `python -c` or at a prompt has no source text, but every code object has its instructions.
They are followed once, from first to last, with a stack of expressions in place of values. What is not an expression
over variables, such as a loop's element or the result of an await, is `UNKNOWN`.
"""

import dis
import functools
from dataclasses import dataclass
from types import CodeType
from typing import Any, NamedTuple


@dataclass(frozen=True, eq=False, slots=True)
class Expression:
    """An expression of Python.

    Attributes
    ----------
    kind : "name", "constant", "attribute", "operator", "call", "item", "tuple", "list", "slice", "code", "element" (of
        what a loop goes through) or "unknown".
    detail : the name, the constant's value, the sign of an operator, the names of a call's last arguments, the code
        object of a function.
    parts : the operands; of a call the function and its arguments; of an item the container and the key.
    """

    kind: str
    detail: Any = None
    parts: "tuple[Expression, ...]" = ()


UNKNOWN, ELEMENT = Expression("unknown"), Expression("element")


class CodeExpressions(NamedTuple):
    """What a code object evaluates.

    Attributes
    ----------
    operations : its operators, calls and items, each after its operands.
    assigned : the expressions that are assigned to each variable.
    inner : the code of the functions, classes and comprehensions in it.
    loops : whether parts of it may run several times.
    """

    operations: tuple[Expression, ...]
    assigned: dict[str, list[Expression]]
    inner: tuple[CodeType, ...]
    loops: bool


@functools.lru_cache(maxsize=512)
def expressions(code: CodeType) -> CodeExpressions:
    """Return the expressions of a code object.

    >>> code = compile("J = c * np.sin(x[1:])", "", "exec")
    >>> [written(each) for each in expressions(code).operations]
    ['x[1:]', 'np.sin(x[1:])', 'c * np.sin(x[1:])']
    """
    reader = _Reader(code)
    for instruction in dis.get_instructions(code):
        reader.read(instruction)
    inner = tuple(part for part in code.co_consts if isinstance(part, CodeType))
    return CodeExpressions(tuple(reader.operations), reader.assigned, inner, reader.loops)


def written(expression: Expression) -> str:
    """Return an expression as Python code, with parentheses around every operand that is an operator's result.

    >>> written(expressions(compile("f((a + 1) * b, k=[0, -1])", "", "eval")).operations[-1])
    'f((a + 1) * b, k=[0, -1])'
    """
    parts = [f"({text})" if p.kind == "operator" and expression.kind in ("operator", "attribute", "item") else text
             for p in expression.parts for text in [written(p)]]  # fmt: skip
    match expression.kind:
        case "name":
            return str(expression.detail)
        case "constant":
            return "..." if expression.detail is ... else repr(expression.detail)
        case "attribute":
            return f"{parts[0]}.{expression.detail}"
        case "operator":
            return f" {expression.detail} ".join(parts) if len(parts) > 1 else f"{expression.detail}{parts[0]}"
        case "call":
            words = ["", *[f"{name}=" for name in expression.detail]] if expression.detail else [""]
            words = [""] * (len(parts) - len(words)) + words[1:] if expression.detail else [""] * (len(parts) - 1)
            arguments = [word + part for word, part in zip(words, parts[1:], strict=True)]
            return f"{parts[0]}({', '.join(arguments)})"
        case "item":
            return f"{parts[0]}[{parts[1][1:-1] if expression.parts[1].kind == 'tuple' else parts[1]}]"
        case "tuple":
            return f"({', '.join(parts)}{',' if len(parts) == 1 else ''})"
        case "list":
            return f"[{', '.join(parts)}]"
        case "slice":
            return ":".join("" if part == "None" else part for part in parts)
        case _:
            return "?"


# ----- the instructions -----
Stack = list[Expression]
UNARY = {"UNARY_NEGATIVE": "-", "UNARY_POSITIVE": "+", "UNARY_INVERT": "~", "UNARY_NOT": "not "}
LOADS = ("LOAD_NAME", "LOAD_GLOBAL", "LOAD_DEREF", "LOAD_CLASSDEREF", "LOAD_FROM_DICT_OR_GLOBALS",
         "LOAD_FROM_DICT_OR_DEREF", "LOAD_FAST", "LOAD_FAST_CHECK", "LOAD_FAST_BORROW")  # fmt: skip
PAIRS = ("LOAD_FAST_LOAD_FAST", "LOAD_FAST_BORROW_LOAD_FAST_BORROW")
STORES = ("STORE_NAME", "STORE_GLOBAL", "STORE_DEREF", "STORE_FAST")
IGNORED = frozenset({
    "RESUME", "NOP", "CACHE", "PRECALL", "PUSH_NULL", "EXTENDED_ARG", "MAKE_CELL", "COPY_FREE_VARS", "TO_BOOL",
    "NOT_TAKEN", "RETURN_GENERATOR", "LOAD_FAST_AND_CLEAR", "END_FOR", "POP_ITER", "LIST_TO_TUPLE",
})  # fmt: skip
"""Instructions that leave the stack as it is, where an entry for a missing `self` is not counted."""
ENDS = ("RETURN_VALUE", "RETURN_CONST", "RAISE_VARARGS", "RERAISE", "JUMP_FORWARD", "JUMP_BACKWARD",
        "JUMP_BACKWARD_NO_INTERRUPT")  # fmt: skip
"""Instructions after which the next one is reached from elsewhere."""


class _Reader:
    """The stack of expressions, and what has been evaluated and assigned so far.

    The function that is called takes one place on the stack, whereas Python keeps a second one for `self`.
    """

    def __init__(self, code: CodeType) -> None:
        self.constants = code.co_consts
        self.stack: Stack = []
        self.operations: list[Expression] = []
        self.assigned: dict[str, list[Expression]] = {}
        self.keywords: tuple[str, ...] = ()
        self.targets: dict[int, Stack] = {}
        self.ended = self.loops = False

    def read(self, at: dis.Instruction) -> None:
        """Follow an instruction."""
        if at.offset in self.targets:
            self.stack = self._merged(self.targets.pop(at.offset))
        self.ended = False
        name, before = at.opname, list(self.stack)
        if name not in IGNORED:
            if (method := getattr(self, f"on_{name.lower()}", None)) is not None:
                method(at)
            elif name in LOADS:
                self.load(at.argval)
            elif name in PAIRS:
                for each in at.argval:
                    self.load(each)
            elif name in STORES:
                self.store(at.argval)
            elif name in UNARY:
                self.operation("operator", UNARY[name], self.pop(1))
            else:
                self.other(at)
        if at.opcode in dis.hasjrel or at.opcode in dis.hasjabs:
            if at.argval > at.offset:
                self.targets[at.argval] = before if name.endswith("_OR_POP") else list(self.stack)
            else:
                self.loops = True
        self.ended = name in ENDS

    def _merged(self, other: Stack) -> Stack:
        """The stack where two ways meet."""
        if self.ended or len(other) != len(self.stack):
            return other
        return [a if a is b else UNKNOWN for a, b in zip(self.stack, other, strict=True)]

    def pop(self, count: int) -> tuple[Expression, ...]:
        """Remove the top entries."""
        missing = count - len(self.stack)
        if missing > 0:
            self.stack = [UNKNOWN] * missing + self.stack
        top = tuple(self.stack[len(self.stack) - count :])
        del self.stack[len(self.stack) - count :]
        return top

    def push(self, kind: str, detail: Any = None, parts: tuple[Expression, ...] = ()) -> None:
        """Add an expression."""
        self.stack.append(Expression(kind, detail, parts))

    def operation(self, kind: str, detail: Any, parts: tuple[Expression, ...]) -> None:
        """Add an expression that computes a value."""
        self.push(kind, detail, parts)
        self.operations.append(self.stack[-1])

    def load(self, name: str) -> None:
        """Add a variable; in place of one that is not meant to be read, such as pytest's, what was assigned to it."""
        hidden = name[:1] == "_" or not name.isidentifier()
        self.stack.append(self.assigned[name][-1] if hidden and name in self.assigned else Expression("name", name))

    def store(self, name: str) -> None:
        """Assign the top entry to a variable."""
        self.assigned.setdefault(name, []).append(*self.pop(1))

    def other(self, at: dis.Instruction) -> None:
        """Any other instruction: what it leaves is unknown."""
        try:
            effect = dis.stack_effect(at.opcode, at.arg, jump=False)
        except ValueError:
            effect = 0
        if effect < 0:
            self.pop(-effect)
        if self.stack and not at.opname.startswith(("POP", "STORE", "DELETE", "JUMP")):
            self.stack[-1] = UNKNOWN
        self.stack += [UNKNOWN] * effect

    # ----- operands -----
    def on_load_const(self, at: dis.Instruction) -> None:
        if isinstance(at.argval, CodeType):
            self.push("code", at.argval)
        else:
            self.stack.append(_constant(at.argval))

    on_load_small_int = on_load_const

    def on_load_attr(self, at: dis.Instruction) -> None:
        self.push("attribute", at.argval, self.pop(1))

    on_load_method = on_load_attr

    def on_store_fast_load_fast(self, at: dis.Instruction) -> None:
        stored, loaded = at.argval
        self.store(stored)
        self.load(loaded)

    def on_store_fast_store_fast(self, at: dis.Instruction) -> None:
        for name in at.argval:
            self.store(name)

    def on_unpack_sequence(self, at: dis.Instruction) -> None:
        (whole,), count = self.pop(1), at.argval
        if whole.kind in ("tuple", "list") and len(whole.parts) == count:
            self.stack += reversed(whole.parts)
        else:
            self.stack += [Expression("item", None, (whole, _constant(i))) for i in reversed(range(count))]

    # ----- the stack itself -----
    def on_pop_top(self, at: dis.Instruction) -> None:
        self.pop(1)

    def on_copy(self, at: dis.Instruction) -> None:
        top = self.pop(at.argval)
        self.stack += [*top, top[0]]

    def on_swap(self, at: dis.Instruction) -> None:
        first, *rest, last = self.pop(at.argval)
        self.stack += [last, *rest, first]

    # ----- operations -----
    def on_binary_op(self, at: dis.Instruction) -> None:
        parts = self.pop(2)
        if at.argrepr == "[]":
            self.operation("item", None, parts)
        else:
            self.operation("operator", at.argrepr.rstrip("="), parts)

    def on_compare_op(self, at: dis.Instruction) -> None:
        self.operation("operator", at.argrepr.removeprefix("bool(").rstrip(")"), self.pop(2))

    def on_binary_subscr(self, at: dis.Instruction) -> None:
        self.operation("item", None, self.pop(2))

    def on_binary_slice(self, at: dis.Instruction) -> None:
        container, start, stop = self.pop(3)
        self.operation("item", None, (container, Expression("slice", None, (start, stop))))

    def on_call(self, at: dis.Instruction) -> None:
        self.operation("call", self.keywords, self.pop(at.argval + 1))
        self.keywords = ()

    def on_kw_names(self, at: dis.Instruction) -> None:
        self.keywords = self.constants[at.arg or 0]

    def on_call_kw(self, at: dis.Instruction) -> None:
        (names,) = self.pop(1)
        self.operation("call", tuple(part.detail for part in names.parts), self.pop(at.argval + 1))

    def on_call_function_ex(self, at: dis.Instruction) -> None:
        self.pop(2 + ((at.arg or 0) & 1))
        self.stack.append(UNKNOWN)

    # ----- containers -----
    def on_build_tuple(self, at: dis.Instruction) -> None:
        self.push("tuple", None, self.pop(at.argval))

    def on_build_list(self, at: dis.Instruction) -> None:
        self.push("list", None, self.pop(at.argval))

    def on_build_slice(self, at: dis.Instruction) -> None:
        self.push("slice", None, self.pop(at.argval))

    def on_list_extend(self, at: dis.Instruction) -> None:
        container, more = self.pop(2)
        known = container.kind == "list" and more.kind in ("tuple", "list")
        self.stack.append(Expression("list", None, container.parts + more.parts) if known else UNKNOWN)

    # ----- functions, loops and contexts -----
    def on_make_function(self, at: dis.Instruction) -> None:
        *_, function = self.pop(1 + (at.arg or 0).bit_count())
        self.stack.append(function)

    def on_set_function_attribute(self, at: dis.Instruction) -> None:
        _, function = self.pop(2)
        self.stack.append(function)

    def on_get_iter(self, at: dis.Instruction) -> None:
        self.pop(1)
        if self.stack and self.stack[-1].kind == "code":  # a comprehension, which is called with the iterator
            self.pop(1)
        self.stack.append(UNKNOWN)

    def on_for_iter(self, at: dis.Instruction) -> None:
        self.stack.append(ELEMENT)

    def on_before_with(self, at: dis.Instruction) -> None:
        self.pop(1)
        self.stack.append(UNKNOWN)


def _constant(value: Any) -> Expression:
    """A constant; a tuple or slice of constants as such."""
    if isinstance(value, tuple):
        return Expression("tuple", None, tuple(map(_constant, value)))
    if isinstance(value, slice):
        ends = value.start, value.stop
        return Expression("slice", None, tuple(map(_constant, ends if value.step is None else (*ends, value.step))))
    return Expression("constant", value)
