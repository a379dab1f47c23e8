"""What an error says to write, in the words of the line, is what the line meant."""

import re

import numpy as np
import pytest

import autotiny as at
from autotiny.errors import UnsupportedError

s, u, t = at.Tensor(3.0, name="s"), at.Tensor(0.5, name="u"), at.Tensor([1.0, 2.0], name="t")
i, rows = 1, [[s, u], [1.0, 2.0]]


def entry(a, b, y):
    a[0] = s


def part_of_a_row(a, b, y):
    b[0, :] = t * 2


def sum_in_place(a, b, y):
    a[i] += s


def loop(a, b, y):
    for k in range(2):
        a[k] = s * k


def flat_place(a, b, y):
    a.flat[0] = s


def augmented(a, b, y):
    a[:2] += t


def whole(a, b, y):
    a += t


def out(a, b, y):
    np.multiply(t, 2.0, out=a[:2])


def result(a, b, y):
    y[0] = 5.0


def sum_in_result(a, b, y):
    y[0] += s


def power_in_result(a, b, y):
    y[1:] **= 2


def ufunc(a, b, y):
    np.add.at(y, [0, 0], s)


def ufunc_of_one(a, b, y):
    np.negative.at(y, 0)


def ufunc_on_plain(a, b, y):
    np.multiply.at(a, 0, s)


def diagonal(a, b, y):
    np.fill_diagonal(b, s)


def put(a, b, y):
    np.put(y, [0], 1.0)


def method_put(a, b, y):
    a.put([0], s)


def fill(a, b, y):
    a.fill(s)


def copyto(a, b, y):
    np.copyto(a, t)


def copyto_where(a, b, y):
    np.copyto(a, t, where=[True, False])


def putmask(a, b, y):
    np.putmask(y, [True, False], 1.0)


def place(a, b, y):
    np.place(y, [True, False], [1.0])


IN_PLACE = {
    entry: "a = at.index_update(a, 0, s)",
    part_of_a_row: "b = at.index_update(b, np.s_[0, :], t * 2)",
    sum_in_place: "a = at.index_update(a, i, a[i] + s)",
    loop: "a = at.index_update(a, k, s * k)",
    flat_place: "a = at.index_update(a, np.unravel_index(0, a.shape), s)",
    augmented: "a = at.index_update(a, np.s_[:2], a[:2] + t)",
    whole: "a = a + t",
    out: "a = at.index_update(a, np.s_[:2], np.multiply(t, 2.0))",
    result: "y = at.index_update(y, 0, 5.0)",
    sum_in_result: "y = at.index_update(y, 0, y[0] + s)",
    power_in_result: "y = at.index_update(y, np.s_[1:], y[1:] ** 2)",
    ufunc: "y = at.index_update(y, [0, 0], s, np.add)",
    ufunc_of_one: "y = at.index_update(y, 0, ufunc=np.negative)",
    ufunc_on_plain: "a = at.index_update(a, 0, s, np.multiply)",
    diagonal: "b = at.index_update(b, np.diag_indices(min(b.shape)), s)",
    put: "y = at.index_update(y, np.unravel_index([0], y.shape), 1.0)",
    method_put: "a = at.index_update(a, np.unravel_index([0], a.shape), s)",
    fill: "a = np.broadcast_to(s, a.shape)",
    copyto: "a = np.broadcast_to(t, np.shape(a))",
    copyto_where: "a = np.where([True, False], t, a)",
    putmask: "y = np.where([True, False], 1.0, y)",
    place: "y = at.index_update(y, [True, False], [1.0])",
}


@pytest.mark.parametrize("line", IN_PLACE, ids=lambda line: line.__name__)
def test_mend_of_a_line_that_writes_into_an_array_computes_what_the_line_would(line):
    a, b, y = np.zeros(2), np.ones((2, 3 if line is not part_of_a_row else 2)), t * 2
    with pytest.raises(UnsupportedError, match=re.escape(f"write {IN_PLACE[line]}")):
        line(a, b, y)
    plain = {"a": a.copy(), "b": b.copy(), "y": y.data.copy()}
    with_values(line, {"s": s.data, "t": t.data}, plain)
    mended = {"a": a, "b": b, "y": y, "k": 1, "np": np, "at": at, "s": s, "t": t, "i": i}
    exec(IN_PLACE[line], mended)
    name = IN_PLACE[line].partition(" ")[0]
    np.testing.assert_array_equal(getattr(mended[name], "data", mended[name]), plain[name])


def with_values(line, values, arrays):
    """Run the line on plain arrays."""
    before = {name: line.__globals__[name] for name in values}
    line.__globals__.update(values)
    try:
        line(**arrays)
    finally:
        line.__globals__.update(before)


CALLS = {
    "np.array([s, u])": "at.array([s, u])",
    "np.asarray(rows)": "at.array(rows)",
    "np.array([s, u], dtype=float)": "at.array([s, u], dtype=float)",
    "at.Tensor([s, u])": "at.array([s, u])",
    "np.mean([s, u])": "np.mean(at.array([s, u]))",
    "np.max(rows, axis=0)": "np.max(at.array(rows), axis=0)",
    "np.sum([x * x for x in (s, u)])": "np.sum(at.array([x * x for x in (s, u)]))",
    "np.dot([s, u], [1, 2])": "np.dot(at.array([s, u]), [1, 2])",
    "np.maximum.reduce([s, u])": "np.maximum.reduce(at.array([s, u]))",
    "np.concatenate([[s, u], [1]])": "np.concatenate([at.array([s, u]), [1]])",
    "np.stack([[s, u], [1, 2]])": "np.stack([at.array([s, u]), [1, 2]])",
    "np.fromiter([s, u], float)": "at.array([s, u])",
    "np.full((2, 2), s)": "np.broadcast_to(s, (2, 2))",
    "np.full_like(np.ones(3), s)": "np.broadcast_to(s, np.shape(np.ones(3)))",
    "np.r_[s, u, 1]": "np.hstack([s, u, 1])",
    "np.r_[t, (u + 1)]": "np.hstack([t, u + 1])",
    "np.c_[t, t]": "np.column_stack([t, t])",
}


@pytest.mark.parametrize("call", CALLS)
def test_mend_of_a_call_computes_what_the_call_would(call, tmp_path):
    path = tmp_path / "calls.py"
    path.write_text(f"def call(): return {call}\n", encoding="utf-8")
    scope = {"np": np, "at": at, "s": s, "u": u, "t": t, "rows": rows}
    exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), scope)
    mend = CALLS[call]
    with pytest.raises(UnsupportedError, match=re.escape(mend)):
        scope["call"]()
    values = {"s": s.data, "u": u.data, "t": t.data, "rows": [[s.data, u.data], [1.0, 2.0]]}
    plain = {**scope, **values, "at": type("at", (), {"Tensor": np.array})}
    np.testing.assert_array_equal(eval(mend, scope).data, eval(call, plain))


def test_a_tensor_itself_needs_no_array():
    with pytest.raises(
        UnsupportedError, match=r"NumPy's functions take t as it is; use at\.array\(t\) for a copy, t\.data"
    ):
        np.asarray(t)
    with pytest.raises(UnsupportedError, match=r"use s as it is, or s\.item\(\) for the value alone"):
        np.float64(s)


def test_a_function_of_numbers_is_told_to_take_arrays():
    double = np.vectorize(lambda x: 2 * x)
    with pytest.raises(
        UnsupportedError, match=r"np\.vectorize calls a function on plain numbers: write it with NumPy's"
    ):
        double(t)


def test_a_line_that_cannot_be_read_names_the_ways():
    with pytest.raises(UnsupportedError, match=r"use at\.array for a list of Tensors, at\.index_update in place of an"):
        exec("a = np.zeros(2); a[:] = t", {"np": np, "t": t})
