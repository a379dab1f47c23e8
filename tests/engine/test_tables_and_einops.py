"""Tables of pandas and polars are constants beside a Tensor, einops and opt_einsum take it, matplotlib names a mend."""

import subprocess
import sys

import numpy as np
import pytest

import autotiny as at
from autotiny.errors import UnsupportedError

VALUES = np.array([[1.0, 4.0], [2.0, 5.0], [3.0, 6.0]])


@pytest.fixture(params=["pandas", "polars"])
def library(request):
    return pytest.importorskip(request.param)


@pytest.fixture
def df(library):
    return library.DataFrame({"a": VALUES[:, 0], "b": VALUES[:, 1]})


M = np.arange(6.0).reshape(3, 2) + 1


@pytest.mark.parametrize(
    ("of_table", "of_values"),
    [
        (lambda W, df: W.T @ df, lambda W, X: W.T @ X),
        (lambda W, df: W * df, lambda W, X: W * X),
        (lambda W, df: W - df["b"].to_numpy()[:, None], lambda W, X: W - X[:, 1:]),
        (lambda W, df: W[:, 0] / df["a"], lambda W, X: W[:, 0] / X[:, 0]),
        (lambda W, df: W[:, 0] ** df["b"], lambda W, X: W[:, 0] ** X[:, 1]),
        (lambda W, df: df["a"].to_numpy() @ W, lambda W, X: X[:, 0] @ W),
        (lambda W, df: np.where(df["a"] > 1, W[:, 0], 0.0), lambda W, X: np.where(X[:, 0] > 1, W[:, 0], 0.0)),
    ],
)
def test_a_table_is_a_constant(df, of_table, of_values):
    y, by_values = of_table(at.Tensor(M), df), of_values(at.Tensor(M), VALUES)
    np.testing.assert_array_equal(y.data, by_values.data)
    gradients = [at.grad(lambda W, f=f, t=t: np.sum(f(W, t) ** 2))(M) for f, t in ((of_table, df), (of_values, VALUES))]
    np.testing.assert_array_equal(*gradients)


def test_a_column_of_pandas_may_come_first():
    column = pytest.importorskip("pandas").Series([1.0, 2.0, 3.0], index=[7, 8, 9])
    w = at.Tensor([1.0, 1.0, 1.0])
    np.testing.assert_array_equal((column - w).data, [0.0, 1.0, 2.0])  # by position
    assert (column * w).requires_grad


def test_a_leaf_is_updated_by_a_column(df):
    w = leaf = at.Tensor(np.ones(3), name="w")
    with at.no_grad():
        w -= df["a"]
    assert w is leaf
    np.testing.assert_array_equal(w.data, 1 - VALUES[:, 0])
    with pytest.raises(UnsupportedError, match=r"with at\.no_grad"):
        w -= df["a"]


def test_comparisons_with_a_column(df):
    np.testing.assert_array_equal(np.asarray(at.Tensor([2.0, 2.0, 2.0]) > df["a"]), [True, False, False])


def test_missing_values_are_nan(library):
    column = library.Series([1, None, 2])
    np.testing.assert_array_equal((at.Tensor(np.ones(3)) * column).data, [1.0, np.nan, 2.0])


def test_columns_of_text_are_named_with_a_mend(library):
    species = library.DataFrame({"a": [1.0, 2.0, 3.0], "species": ["x", "y", "z"]})
    W = at.Tensor(np.ones((2, 3)), name="W")
    with pytest.raises(UnsupportedError, match=r"W \(2, 3\) @ species \(3, 2\).* 'species'; leave them out, species\."):
        W @ species
    mended = species.drop(["species"], axis=1) if library.__name__ == "pandas" else species.drop(["species"])
    np.testing.assert_array_equal((W @ mended).data, [[6.0], [6.0]])


# ----- einops and opt_einsum -----
def test_einops_on_tensors_is_einops_on_arrays():
    einops = pytest.importorskip("einops")
    x = np.random.default_rng(0).normal(size=(2, 3, 4))
    calls = [
        lambda v: einops.rearrange(v, "a b (c d) -> (a d) b c", d=2),
        lambda v: einops.rearrange([v, v], "n a b c -> (n a) b c"),
        *[lambda v, how=how: einops.reduce(v, "a b c -> a c", how) for how in ("sum", "mean", "max", "min", "prod")],
        lambda v: einops.repeat(v, "a b c -> a b c d", d=2),
        lambda v: einops.einsum(v, np.ones((4, 5)), "a b c, c d -> a b d"),
        lambda v: einops.pack([v, np.ones((2, 5, 4))], "a * c")[0],
        lambda v: einops.unpack(v, [[1], [2]], "a * c")[1],
    ]
    for call in calls:
        recorded = call(at.Tensor(x))
        assert recorded.requires_grad
        np.testing.assert_allclose(recorded.data, call(x), rtol=1e-15)
        at.check_gradients(call, x)
    np.testing.assert_array_equal(at.compile(calls[0])(x), calls[0](x))
    assert type(einops.asnumpy(at.Tensor(x))) is np.ndarray
    with pytest.raises(einops.EinopsError, match="a b"):
        einops.rearrange(at.Tensor([1.0, 2.0]), "a b -> b a")


def test_einops_may_be_imported_before_or_after():
    pytest.importorskip("einops")
    for first, second in (("einops", "autotiny as at"), ("autotiny as at", "einops")):
        program = (
            f"import {first}\nimport {second}\nprint(einops.rearrange(at.Tensor([[1.0, 2.0]]), 'a b -> b a').shape)"
        )
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
        assert done.stdout == "(2, 1)\n"


def test_opt_einsum_on_tensors():
    opt_einsum = pytest.importorskip("opt_einsum")
    A, B = np.ones((2, 3)), np.ones((4, 2))
    at.check_gradients(lambda w: opt_einsum.contract("ab,bc,cd->ad", A, w, B), np.ones((3, 4)))
    product = opt_einsum.contract_expression("ab,bc->ac", A, (3, 4), constants=[0])
    assert at.grad(lambda w: np.sum(product(w)))(np.ones((3, 4))).tolist() == np.full((3, 4), 2.0).tolist()


# ----- matplotlib -----
@pytest.mark.parametrize(
    "draw",
    [
        lambda axes, w: axes.plot(w),
        lambda axes, w: axes.plot([1, 2, 3], w),
        lambda axes, w: axes.scatter(w, w),
        lambda axes, w: axes.bar([0, 1, 2], w),
        lambda axes, w: axes.hist(w),
        lambda axes, w: axes.imshow(w[:, None]),
    ],
)
def test_matplotlib_of_a_tracked_tensor_says_what_to_draw(draw):
    figure = pytest.importorskip("matplotlib.figure")
    axes = figure.Figure().subplots()
    with pytest.raises(UnsupportedError, match=r"matplotlib turns .* into a plain array, and .* is tracked.*\.data"):
        draw(axes, at.Tensor([1.0, 2.0, 3.0], name="w"))
    draw(axes, at.Tensor([1.0, 2.0, 3.0], name="w").data)
    draw(axes, at.Tensor([1.0, 2.0, 3.0], requires_grad=False))
