"""From a recorded graph, or values made outside of a session, to the statements that record them."""

import functools
import itertools
import keyword
from collections import Counter
from collections.abc import Callable, Collection, Container, Iterator, Mapping
from dataclasses import replace
from typing import Any, TypeGuard, cast

import numpy as np

from autotiny.engine.call_site import variable_name
from autotiny.engine.graph import by_number, names, topological_order
from autotiny.engine.mutation import is_written_over
from autotiny.engine.node import made_by
from autotiny.engine.tensor import Tensor
from autotiny.errors import UnsupportedError
from autotiny.language.vocabulary import functions
from autotiny.notation.code import BareCode
from autotiny.notation.expression import Expression, symbol
from autotiny.notation.numbers import index, nested
from autotiny.ops import OPS, linalg, matmul, padding, products, reductions, shaping, singular_values
from autotiny.ops.code import has_operator, operation
from autotiny.sessions.composed import call_of
from autotiny.sessions.program import Program
from autotiny.sessions.reading import RESERVED
from autotiny.sessions.statement import Statement, leaf

SMALL = 8
"""The largest number of entries of an index that a formula contains."""
DEEPEST, LONGEST = 12, 160
"""The largest numbers of nested operations, and of characters, of an unnamed value that is inlined where it is used."""

PART_OF_SLOGDET = {"sign_of_det": 0, "log_abs_det": 1}
"""The place, in the result of slogdet, of the operations that are recorded in its place."""


def recorded(
    output: Tensor, scope: Mapping[str, Any], known: Mapping[Tensor, str], taken: Collection[str]
) -> list[Statement]:
    """Statements that record a Tensor, its own last: named values by their names, the rest where it is used.

    `scope` holds the caller's variables, `known` the Tensors that have a statement already, `taken` the names in use.
    Raises UnsupportedError for an operation that the language does not have.
    """
    if not isinstance(output, Tensor):
        raise UnsupportedError(f"session: expected a Tensor; got {type(output).__name__}")
    writer = _Writer(output, scope, known, taken)
    for node in writer.order:
        writer.write(node)
    return writer.statements


class _Writer:
    def __init__(
        self, output: Tensor, scope: Mapping[str, Any], known: Mapping[Tensor, str], taken: Collection[str]
    ) -> None:
        self.order, self.scope = leading_up_to(output, known), scope
        self.uses = Counter(arg for node in self.order for arg in node.parents)
        self.calls = {node: call for node in self.order if (call := call_of(node))}
        inside = {each for call in self.calls.values() for each in call.inside}
        self.order = [node for node in self.order if node not in inside]
        self.taken, self.statements = set(taken), list[Statement]()
        self.formulas: dict[int, Expression] = {id(node): symbol(name) for node, name in known.items()}
        self.depths = dict[int, int]()
        self.code = SessionCode(self.data)
        self.called = names(self.order, scope)
        own = {node for node in self.order if node.name or variable_name(node, scope)}
        self.kept = {node for node in self.order if node in own or node.op is None or self.uses[node] != 1}
        self.names = {node: self.unique(self.called[node]) for node in self.order if node in self.kept}

    def unique(self, name: str) -> str:
        """An identifier like the name that is not in use yet."""
        word = "".join(c if c.isalnum() else "_" for c in name.rstrip("]").replace("′", "_"))  # W_1 for W[1]
        word = word if word.isidentifier() and not keyword.iskeyword(word) and word not in RESERVED else f"v_{word}"
        tries = itertools.chain([word], (f"{word}_{i}" for i in itertools.count(2)))
        chosen = next(each for each in tries if each not in self.taken)
        self.taken.add(chosen)
        return chosen

    def write(self, node: Tensor) -> None:
        if node.op is None:
            self.statements.append(leaf(self.names[node], node.value, node.requires_grad))
            self.formulas[id(node)], self.depths[id(node)] = symbol(self.names[node]), 0
            return
        formula = self.formula(node)
        text = self.code(formula)
        depth = 1 + max((self.depths.get(id(arg), 0) for arg in node.parents), default=0)
        if node not in self.kept and (depth > DEEPEST or len(text) > LONGEST):
            self.names[node] = self.unique(self.called[node])
        if node in self.names:
            self.statements.append(Statement(self.names[node], text))
            formula, depth = symbol(self.names[node]), 0
        self.formulas[id(node)], self.depths[id(node)] = formula, depth

    def formula(self, node: Tensor) -> Expression:
        """The operation on its operands, as a formula of the language."""
        if call := self.calls.get(node):
            operands = [self.operand(arg) for arg in call.operands]
            return Expression("call", operands, call.word, options=dict(options_of(call.word, call.options)))
        op, operands = made_by(node), [self.operand(arg) for arg in node.args]
        if op.name in PART_OF_SLOGDET:
            whole = Expression("call", operands, "slogdet")
            return Expression("index", [whole], value=PART_OF_SLOGDET[op.name])
        if has_operator(op) or op.kind in ("index", "summation"):
            return operation(op, operands, node.kwargs, node.ndim)
        word = names_of_functions().get(op.function)
        if word is None:
            raise UnsupportedError(
                f"session: a session cannot edit {op.name}; give at.session a value that is computed without it"
            )
        return Expression("call", operands, word, options=dict(options_of(word, node.kwargs)))

    def operand(self, arg: Any) -> Expression:
        """An operand: a Tensor's formula or name, a number, or the name of an array."""
        if isinstance(arg, Tensor):
            return self.formulas[id(arg)]
        return Expression("number", value=np.asarray(arg).item()) if np.ndim(arg) == 0 else symbol(self.data(arg))

    def data(self, array: Any) -> str:
        """The name of a plain array, which gets a statement at its first use."""
        if id(array) not in self.formulas:
            name = self.unique(variable_name(array, self.scope) or "data")
            self.formulas[id(array)] = symbol(name)
            self.statements.append(leaf(name, array, tracked=False))
        return self.formulas[id(array)].name


class SessionCode(BareCode):
    """Formulas in the language of sessions, where large arrays have names."""

    def __init__(self, name_of: Callable[[Any], str]) -> None:
        self.name_of = name_of

    def index(self, key: Any) -> str:
        """An index, with `newaxis` for new axes."""
        return index(key, lambda part: "newaxis" if part is None else self.literal(part))

    def option(self, name: str, value: Any) -> str:
        """An option, as name=value."""
        return f"{name}={self.literal(value)}"

    def literal(self, value: Any) -> str:
        """An option, or a part of an index."""
        if isinstance(value, np.ndarray):
            return f"array({nested(value, str)})" if 0 < value.size <= SMALL else self.name_of(value)
        if isinstance(value, tuple | list):
            inside = ", ".join(map(self.literal, value))
            return f"({inside},)" if len(value) == 1 else f"({inside})"
        return repr(value.item() if isinstance(value, np.generic) else value)


def options_of(word: str, options: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The options that differ from a function's defaults; `order` is not an option of the language."""
    parameters = functions()[word].signature.parameters
    for name, value in options.items():
        default = parameters[name].default if name in parameters else None
        if name != "order" and not (type(value) is type(default) and value == default):
            yield name, value


def leading_up_to(output: Tensor, known: Container[Tensor]) -> list[Tensor]:
    """The nodes that a Tensor depends on and that have no statement yet, operands before results."""
    seen = {output}
    order = list(seen)
    for node in order:  # grows during the loop
        operands = {cast(Tensor, arg) for arg in node.parents} - seen
        new = [arg for arg in operands if arg not in known]
        seen.update(new)
        order += new
    return sorted(order, key=by_number)


@functools.cache
def names_of_functions() -> dict[Any, str]:
    """The name in the language of each operation, by its forward function."""
    table = {OPS[word.function].function: name for name, word in functions().items() if word.function in OPS}
    inner: dict[Any, str] = {
        reductions.euclidean: "norm",
        linalg.p_norm: "norm",
        matmul.expectation: "vdot",
        padding.pad_constant: "pad",
        products.convolution: "convolve",
        singular_values.pseudoinverse: "pinv",
        shaping.join: "concatenate",
        shaping.stack: "stack",
        np.reshape: "reshape",
    }
    return table | {OPS[function].function: word for function, word in inner.items()}


# ----- values that were made outside of the session -----
def with_overwritten(program: Program, before: Program, values: Mapping[str, Any]) -> Program:
    """The program with the current data of leaves that were overwritten, except for leaves that it changes itself."""
    for statement in program.statements:
        value = values.get(statement.name)
        kept = any(statement is each for each in before.statements)
        if kept and is_written_over(value):
            program = program.with_statement(leaf(statement.name, value.value, value.requires_grad))
    return program


def adopted(program: Program, values: Mapping[str, Any], scope: Mapping[str, Any]) -> tuple[Program, list[str]]:
    """The program with the values of a scope that differ from its own, and their names.

    Raises UnsupportedError for a Tensor made by an operation that the language does not have.
    """
    statements = dict[str, Statement]()
    for name, value in scope.items():
        if value is not values.get(name):
            if is_update(value, values.get(name)):
                value = value.value
            is_tensor = isinstance(value, Tensor)
            new = recording(name, value, scope, values) if is_tensor else [numbers(program, values, name, value, False)]
            statements |= {each.name: each for each in new}
    for statement in statements.values():
        program = program.with_statement(statement)
    return program, list(statements)


def is_update(value: Any, before: Any) -> TypeGuard[Tensor]:
    """Whether a variable was computed from itself, as in x = x - 0.1 * x.grad, which no formula can express."""
    if not isinstance(value, Tensor) or not isinstance(before, Tensor) or before.op is not None:
        return False
    return value.op is not None and before in topological_order(value)


def numbers(program: Program, values: Mapping[str, Any], name: str, value: Any, tracked: bool) -> Statement:
    """The statement of a leaf with these numbers; an existing one stays a variable of its dtype, or data."""
    kind = program.of(name).kind if name in values else None
    if kind == "variable":
        return leaf(name, value, tracked=True, dtype=values[name].dtype)
    return leaf(name, value, tracked=tracked and kind != "data")


def recording(name: str, value: Tensor, scope: Mapping[str, Any], values: Mapping[str, Any]) -> list[Statement]:
    """The statements that record a Tensor under a name; the former value of the name is renamed if it is needed."""
    known = {other: each for each, other in values.items() if isinstance(other, Tensor) and each != name}
    if value in known:
        return [Statement(name, known[value])]
    if value.op is None:
        return [leaf(name, value.value, value.requires_grad)]
    *before, last = recorded(value, {name: value, **scope}, known, values.keys())
    return [*before, replace(last, name=name)]
