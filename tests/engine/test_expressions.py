import ast
import random
from pathlib import Path
from types import CodeType

import pytest

import autotiny
from autotiny.engine.expressions import expressions, written


def read(source, mode="exec"):
    return expressions(compile(source, "", mode))


def last(source):
    return written(read(source).operations[-1])


@pytest.mark.parametrize(
    "source",
    [
        "a + b", "-x", "~m", "x @ A", "x ** 2", "(x // 2) % 3", "x[0]", "x[1:-1]", "x[:, None]", "x[..., ::2]",
        "x[i][j]",
        "x[a:b]", "W[k]", "f(x)", "f(x, y, axis=0, keepdims=True)", "np.linalg.inv(S)", "x.T.sum(axis=1)", "f([1, a])",
        "f([1, 2, 3, 4])", "f((1, 2))", "f((a, b))", "obj.lam / 2", "params['W']", "f(x > 0)", "f(x != y)",
        "(y == k) * x", "1 / (2 * m)", "f(g(x, n=1))", "f(-1.5)", "f(None)", "(x > 0) & (x < 1)",
    ],
)  # fmt: skip
def test_an_expression_is_read_as_it_was_written(source):
    assert last(source) == source


@pytest.mark.parametrize(
    "source", ["J = a * b", "J += a * b", "with f(): a * b", "assert a * b", "return_ = yield_ = a * b"]
)
def test_an_expression_is_read_in_any_statement(source):
    assert "a * b" in map(written, read(source).operations)


@pytest.mark.parametrize(
    ("source", "operation"),
    [
        ("y = a * (b if c else d) + e", "(a * ?) + e"),
        ("y = a * (b and c)", "a * ?"),
        ("y = a * sum(v * v for v in w)", "a * sum(?())"),
        ("y = a * (lambda: b)()", "a * ?()"),
        ("y = a * f(*b)", "a * ?"),
        ("y = a * len(f'{b}')", "a * len(?)"),
        ("y = a * len({b: c})", "a * len(?)"),
    ],
)
def test_what_is_no_plain_expression_is_unknown_and_what_is_around_it_is_read(source, operation):
    assert last(source) == operation


def test_code_after_a_branch_a_loop_or_an_exception_is_read():
    source = """
if c:
    y = a
else:
    y = b
for i in x:
    y = y * i
try:
    y = f(y)
except ValueError as error:
    y = g(error)
while y:
    y = y - 1
[v + 1 for v in x]
z = y / m
"""
    assert "y / m" in map(written, read(source).operations)


def test_assignments_are_listed_by_variable():
    assigned = read("a = x + 1\nb, c = 2, x\nn, d = X.shape\nfor i in x: a = i").assigned
    texts = {name: [written(each) for each in values] for name, values in assigned.items()}
    assert texts == {"a": ["x + 1", "i"], "b": ["2"], "c": ["x"], "n": ["X.shape[0]"], "d": ["X.shape[1]"], "i": ["?"]}


def test_a_hidden_variable_is_what_was_assigned_to_it():
    assert last("_t = a * b\ny = _t + c") == "(a * b) + c"


def test_code_with_loops_says_so():
    assert read("for i in x: y").loops
    assert not read("if x: y").loops


def test_functions_inside_are_listed():
    assert [code.co_name for code in read("def f(): pass\nclass A: pass").inner] == ["f", "A"]


def random_expression(rng, depth):
    if depth == 0:
        return rng.choice(["a", "b", "c.d", "e[0]"])
    inner = lambda: random_expression(rng, depth - 1)
    return rng.choice(
        [
            lambda: f"({inner()} {rng.choice(['+', '-', '*', '/', '@', '**', '%', '//'])} {inner()})",
            lambda: f"(-{inner()})",
            lambda: f"f({inner()}, {inner()})",
            lambda: f"np.sum({inner()}, axis={inner()})",
            lambda: f"{inner()}.sum({inner()})" if depth > 5 else f"(a * {inner()}).T",
            lambda: f"e[{inner()}]",
            lambda: f"e[{inner()}:{inner()}, None]",
            lambda: f"({inner()} {rng.choice(['<', '<=', '==', '!=', '>', '>='])} {inner()})",
            lambda: f"[{inner()}, {inner()}]",
        ]
    )()


@pytest.mark.parametrize("seed", range(60))
def test_random_expressions_are_read_as_they_were_written(seed):
    source = f"f({random_expression(random.Random(seed), 3)})"
    assert ast.dump(ast.parse(last(source))) == ast.dump(ast.parse(source))


def inside(code):
    yield code
    for part in code.co_consts:
        if isinstance(part, CodeType):
            yield from inside(part)


def test_all_code_of_the_package_is_read_without_an_error():
    files = sorted(Path(autotiny.__file__).parent.glob("[en]*/*.py"))
    codes = [code for path in files for code in inside(compile(path.read_text(encoding="utf-8"), "", "exec"))]
    assert sum(len(expressions(code).operations) for code in codes) > 5000
