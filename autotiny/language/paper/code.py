"""The NumPy code that a formula means, after an evaluation has resolved what depends on shapes."""

import ast
from typing import Any

from autotiny.language.paper.nodes import Bars, Big, Indexed, Partial, Product, Raised, Sized, Unknown, call

MEANING = "meaning"


def resolve(node: ast.AST, meaning: str) -> None:
    """Note what a node was resolved to."""
    setattr(node, MEANING, meaning)


def as_numpy(node: ast.expr) -> str:
    """Return the NumPy code of a tree."""
    return ast.unparse(ast.fix_missing_locations(plain(node)))


def plain(node: Any) -> Any:
    """Return a tree of Python's nodes alone."""
    if isinstance(node, list):
        return [plain(part) for part in node]
    if not isinstance(node, ast.AST):
        return node
    fields = {name: plain(getattr(node, name, None)) for name in node._fields}
    meaning = getattr(node, MEANING, "")
    if isinstance(node, Product):
        return _product(meaning or node.sign, fields["left"], fields["right"])
    if isinstance(node, Raised):
        function = meaning in ("inv", "matrix_power")
        args = [fields["base"], fields["exponent"]][: 1 + (meaning == "matrix_power")]
        return call(meaning, *args) if function else ast.BinOp(fields["base"], ast.Pow(), fields["exponent"])
    if isinstance(node, Bars):
        return call(meaning or "abs", fields["operand"])
    if isinstance(node, Big):
        options = {"axis": ast.Constant(int(meaning))} if meaning else {}
        return call(node.name, fields["operand"], **options)
    if isinstance(node, Sized):
        return call(node.name, ast.Constant(int(meaning))) if meaning else ast.Name("I", ast.Load())
    if isinstance(node, Indexed):
        return ast.Name(f"{node.id or 'δ'}_{node.indices}", ast.Load())
    if isinstance(node, Unknown | Partial):
        return ast.Name(node.name, ast.Load())
    if meaning == "counted from one" and isinstance(node, ast.Call):
        axis = ast.Constant(ast.literal_eval(node.args[1]) - 1)
        return call(ast.unparse(node.func), fields["args"][0], axis=axis, keepdims=ast.Constant(True))
    if meaning == "mT":
        fields["attr"] = "mT"
    if meaning == "keepdims":
        fields["keywords"].append(ast.keyword("keepdims", ast.Constant(True)))
    return type(node)(**fields)


def _product(sign: str, left: ast.expr, right: ast.expr) -> ast.expr:
    if sign in ("outer", "kron"):
        return call(sign, left, right)
    return ast.BinOp(left, ast.MatMult() if sign == "@" else ast.Mult(), right)
