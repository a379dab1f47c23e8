"""Nodes of a formula's tree beside Python's: what depends on the shapes of the operands, and what has no value."""

import ast


class Product(ast.expr):
    """Two factors: side by side, or with a sign that may mean several products."""

    _fields = ("left", "sign", "right")

    def __init__(self, left: ast.expr, sign: str, right: ast.expr) -> None:
        super().__init__()
        self.left, self.sign, self.right = left, sign, right


class Raised(ast.expr):
    """A power with ^: of the entries, of a matrix, or its inverse."""

    _fields = ("base", "exponent")

    def __init__(self, base: ast.expr, exponent: ast.expr) -> None:
        super().__init__()
        self.base, self.exponent = base, exponent


class Bars(ast.expr):
    """|x|: an absolute value, or a determinant."""

    _fields = ("operand",)

    def __init__(self, operand: ast.expr) -> None:
        super().__init__()
        self.operand = operand


class Big(ast.expr):
    """∑ and the like before a term: over one axis, if it has an index, or over all."""

    _fields = ("name", "operand", "index")

    def __init__(self, name: str, operand: ast.expr, index: str) -> None:
        super().__init__()
        self.name, self.operand, self.index = name, operand, index


class Sized(ast.expr):
    """An identity matrix (eye), or ones, without its size."""

    _fields = ("name",)

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name


class Indexed(ast.expr):
    """An entry of a variable at indices, x_i; without a name, Kronecker's δ_ij."""

    _fields = ("id", "indices")

    def __init__(self, id: str, indices: str) -> None:  # noqa: A002 - as in ast.Name
        super().__init__()
        self.id, self.indices = id, indices


class Partial(ast.expr):
    """∂Z, as it is above or below the bar of a derivative."""

    _fields = ("name",)

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name


class Unknown(ast.expr):
    """A name without a meaning."""

    _fields = ("name",)

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name


# ----- Python's nodes -----
class Column(ast.List):
    """A matrix of LaTeX with one column: a vector of the numbers and vectors in it."""


def call(name: str, *args: ast.expr, **options: ast.expr) -> ast.Call:
    """name(*args, **options)."""
    keywords = [ast.keyword(option, value) for option, value in options.items()]
    return ast.Call(ast.Name(name, ast.Load()), list(args), keywords)


def attribute(value: ast.expr, name: str) -> ast.Attribute:
    """value.name."""
    return ast.Attribute(value, name, ast.Load())


def is_condition(node: ast.expr) -> bool:
    """Whether a node is a comparison, or several."""
    name = node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""
    return isinstance(node, ast.Compare) or name.startswith("logical_")
