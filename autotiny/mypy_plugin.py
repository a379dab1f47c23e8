"""A plugin of mypy's: what NumPy computes of a Tensor is a Tensor, by its operators and by functions that are recorded.

    [tool.mypy]
    plugins = ["autotiny.mypy_plugin"]

NumPy's annotations do not say so: they take no notice of `__array_function__` and `__array_ufunc__`.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import cache

from mypy.nodes import Expression, ListExpr, TupleExpr
from mypy.plugin import FunctionContext, MethodContext, Plugin
from mypy.types import AnyType, Instance, LiteralType, TupleType, Type, UnionType, get_proper_type

from autotiny.ops import COMPOSED, EXTENDED, OPS, load_tables

TENSOR = "autotiny.engine.tensor.Tensor"
OPERATORS = {f"__{name}__" for name in ("add", "sub", "mul", "truediv", "pow", "mod", "matmul")}
CONTAINERS = ("builtins.list", "builtins.tuple", "typing.Sequence")
Context = FunctionContext | MethodContext


class RecordedByNumPy(Plugin):
    """Return types of NumPy's functions, ufuncs and operators of arrays, where an argument is a Tensor."""

    def get_function_hook(self, fullname: str) -> Callable[[FunctionContext], Type] | None:
        """Return what finds the type of a call of a function."""
        if fullname.startswith("numpy.") and fullname.rpartition(".")[2] in recorded():
            return result
        return None

    def get_method_hook(self, fullname: str) -> Callable[[MethodContext], Type] | None:
        """Return what finds the type of a call of a ufunc, or of an operator that begins with an array."""
        owner, _, name = fullname.rpartition(".")
        if owner == "numpy.ndarray" and name in OPERATORS:
            return result
        return result_of_ufunc if owner.startswith("numpy._typing._ufunc.") and name == "__call__" else None


@cache
def recorded() -> frozenset[str]:
    """Return the names of NumPy's functions that are recorded."""
    load_tables()
    return frozenset(getattr(function, "__name__", "") for function in (*OPS, *COMPOSED, *EXTENDED))


def result_of_ufunc(context: MethodContext) -> Type:
    """Return the type of a call of a ufunc, whose name is an argument of its type."""
    kind = get_proper_type(context.type)
    names = [get_proper_type(part) for part in kind.args] if isinstance(kind, Instance) else []
    name = next((part.value for part in names if isinstance(part, LiteralType)), None)
    return result(context) if name in recorded() else context.default_return_type


def result(context: Context) -> Type:
    """Return Tensor where an argument is one, and NumPy's annotations say that the result is an array or a number."""
    tensor = next(tensors(context, (argument for group in context.args for argument in group)), None)
    return tensor if tensor is not None and is_array(context.default_return_type) else context.default_return_type


def tensors(context: Context, arguments: Iterable[Expression]) -> Iterator[Instance]:
    """Yield Tensor for each argument that is one, or is a list or a tuple with one."""
    for argument in arguments:
        kind = get_proper_type(context.api.get_expression_type(argument))
        parts = kind.args if isinstance(kind, Instance) and kind.type.fullname in CONTAINERS else [kind]
        for part in map(get_proper_type, kind.items if isinstance(kind, TupleType | UnionType) else parts):
            if isinstance(part, Instance) and part.type.fullname == TENSOR:
                yield part
        if isinstance(argument, ListExpr | TupleExpr):
            yield from tensors(context, argument.items)


def is_array(kind: Type) -> bool:
    """Whether a type is an array, a number of NumPy's, or open; results of several parts are not."""
    kind = get_proper_type(kind)
    if isinstance(kind, UnionType):
        return all(map(is_array, kind.items))
    arrays = ("numpy.ndarray", "numpy.generic")
    return isinstance(kind, AnyType) or (isinstance(kind, Instance) and any(map(kind.type.has_base, arrays)))


def plugin(version: str) -> type[Plugin]:
    """Return the plugin, as mypy asks for it."""
    return RecordedByNumPy
