"""Bind the arguments of a call to the parameters of an operation, and refuse unsupported ones."""

import functools
import itertools
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

import numpy as np

from autotiny.engine.array_mends import out_mend
from autotiny.errors import UnsupportedError
from autotiny.ops import COMPOSED, EXTENDED, OPS, Op, load_tables
from autotiny.ops.signature import signature
from autotiny.ops.table import array_like, node_in

Arguments = tuple[tuple[Any, ...], dict[str, Any]]
UFUNC_DEFAULTS = {"where": True, "casting": "same_kind", "order": "K", "subok": True}


SEQUENCES = frozenset({
    "arrays", "tup", "condlist", "choicelist", "choices", "funclist", "sample", "bins", "range",
    "c_and_lower", "lu_and_piv", "c_or_cr",
})  # fmt: skip
"""Names of parameters that are sequences of arrays, which need not have one shape, or of options."""


def bind_arguments(op: Op, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Arguments:
    """Return the operands by position and the options by name."""
    if op.arity is not None:
        require_at_most(len(op.parameters), op.name, args)
        kwargs = {**kwargs, **dict(zip(op.parameters[op.arity :], args[op.arity :], strict=False))}
        args = args[: op.arity]
    options = stated_options(op.name, kwargs, op.function, op.options)
    if op.arity is not None:
        args += tuple(options.pop(name) for name in op.parameters[len(args) : op.arity] if name in options)
        if len(args) < op.arity:
            raise UnsupportedError(f"{op.name}: missing argument {op.parameters[len(args)]}")
    require_supported(op.name, options, op.options)
    return args, options


def extends(function: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> bool:
    """Whether a call states options that the entry of its function lacks, and its other composition has."""
    if not (kwargs or len(args) > 1):
        return function in EXTENDED and function in OPS and len(args) < (OPS[function].arity or 0)  # np.where(x)
    if function not in EXTENDED and _states_unknown(function, args, kwargs):
        load_tables()
    if function not in EXTENDED:
        return False
    form = _form(function, EXTENDED[function])
    stated = {**kwargs, **dict(zip(form.names[1:], args[1:], strict=False))}
    return any(name in stated and _differs(name, stated[name], function) for name in _added(function))


@functools.cache
def _names(function: Any) -> tuple[str, ...]:
    return tuple(signature(function).parameters)


def _states_unknown(function: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> bool:
    """Whether a call states options that the entry of its function, if it has one, lacks."""
    if function not in OPS and function not in COMPOSED:
        return False
    known = _known(function)
    return not (known.issuperset(kwargs) and known.issuperset(_names(function)[: len(args)]))


@functools.cache
def _known(function: Any) -> frozenset[str]:
    """Return the names of the operands and options of the entry of a function."""
    if function in COMPOSED:
        return frozenset(_names(COMPOSED[function]))
    op = OPS[function]
    return op.options.union(op.parameters if op.arity is None else op.parameters[: op.arity])


@functools.cache
def _added(function: Any) -> frozenset[str]:
    """Return the options that only a function's other composition has."""
    entry = OPS[function].options if function in OPS else _form(function, COMPOSED[function]).options
    return _form(function, EXTENDED[function]).options - entry


def call_composition(function: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """Call a function that is composed of operations, with the arguments that NumPy's function of that name takes."""
    composition = EXTENDED[function] if extends(function, args, kwargs) else COMPOSED[function]
    name, form = function.__name__, _form(function, composition)
    operands = len(form.required)
    args = tuple([_as_operand(*pair) for pair in itertools.zip_longest(form.names[: len(args)], args, fillvalue="")])
    kwargs = {key: _as_operand(key, value) for key, value in kwargs.items()}
    args, kwargs = (
        (*args[:operands], *map(with_python_integers, args[operands:])),
        {key: with_python_integers(value) if key in form.options else value for key, value in kwargs.items()},
    )
    if kwargs or len(args) > form.positional:
        require_at_most(max(form.positional, len(form.names)), name, args)
        beyond = dict(zip(form.names[form.positional :], args[form.positional :], strict=False))
        args, kwargs = args[: form.positional], stated_options(name, {**kwargs, **beyond}, function, form.options)
        if not form.passes_on:
            require_supported(name, kwargs, form.options, form.required)
    for operand in form.required[len(args) :]:
        if operand not in kwargs:
            raise UnsupportedError(f"{name}: missing argument {operand}")
    return composition(*args, **kwargs)


def _as_operand(name: str, value: Any) -> Any:
    """Return a list that holds Tensors as an array, unless it is a sequence of operands."""
    return value if name in SEQUENCES or node_in(value) is None else array_like(value)


def with_python_integers(option: Any) -> Any:
    """Return an option with Python's integers in place of NumPy's, of which -np.uint8(1) is 255."""
    if isinstance(option, np.integer):
        return int(option)
    if isinstance(option, np.ndarray) and option.dtype.kind == "u":
        return option.astype(int)
    if type(option) in (tuple, list) and option:
        return type(option)(map(with_python_integers, option))
    return option


class _Form(NamedTuple):
    """The parameters of a NumPy function, and those of them that its composition takes."""

    names: tuple[str, ...]
    positional: int
    required: tuple[str, ...]
    options: frozenset[str]
    passes_on: bool
    """Whether it passes options on to the user's own function."""


@functools.cache
def _form(function: Any, composition: Any) -> _Form:
    parameters = signature(composition).parameters.values()
    ordered = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    any_number = any(p.kind is p.VAR_POSITIONAL for p in parameters)
    passes_on = any(p.kind is p.VAR_KEYWORD for p in parameters)
    required = tuple(p.name for p in ordered if p.default is p.empty)
    options = frozenset(p.name for p in parameters if p.default is not p.empty)
    return _Form(_names(function), 1_000_000 if any_number else len(ordered), required, options, passes_on)


@functools.cache
def _defaults(function: Any) -> Mapping[str, Any]:
    """Return the simple defaults of a NumPy function's options."""
    if isinstance(function, np.ufunc):
        return UFUNC_DEFAULTS
    parameters = signature(function).parameters.values()
    return {p.name: p.default for p in parameters if type(p.default) in (bool, int, float, str)}


def _differs(name: str, value: Any, function: Any) -> bool:
    """Whether the value of an option is another than NumPy's default."""
    if value is None or value is np._NoValue:
        return value is None and name == "where"  # where NumPy takes None as False
    default = _defaults(function).get(name)
    return type(value) is not type(default) or bool(value != default)


def stated_options(name: str, kwargs: Mapping[str, Any], function: Any, known: Collection[str]) -> dict[str, Any]:
    """Return the options that were passed, without the unknown ones that have NumPy's default.

    Raises UnsupportedError for out= and others with which the result would escape the graph.
    """
    options = {
        key: value
        for key, value in kwargs.items()
        if (key in known and value is not np._NoValue) or _differs(key, value, function)
    }
    for key in (options.keys() & {"out", "where", "casting", "subok", "initial"}) - set(known):
        mend = out_mend() if key == "out" else "use np.where, or assign the result"
        raise UnsupportedError(f"{name}: {key}= is not supported on a Tensor; {mend}")
    return options


def require_supported(
    name: str, stated: Mapping[str, Any], options: Collection[str], operands: Collection[str] = ()
) -> None:
    """Raise UnsupportedError for an option that the operation does not support, and name those that it does."""
    for key in stated:
        if key not in options and key not in operands:
            supported = ", ".join(sorted(options)) or "none"
            raise UnsupportedError(
                f"{name}: {key}= is not supported on a Tensor; supported options: {supported}{_nearest(key, options)}"
            )


def require_at_most(count: int, name: str, args: tuple[Any, ...]) -> None:
    """Raise UnsupportedError for more arguments than an operation has."""
    if len(args) > count:
        raise UnsupportedError(f"{name}: takes at most {count} arguments, and {len(args)} were given")


def _nearest(word: str, options: Collection[str]) -> str:
    from difflib import get_close_matches  # only a mistake needs it

    return "".join(f"; did you mean {option}=?" for option in get_close_matches(word, options, 1))
