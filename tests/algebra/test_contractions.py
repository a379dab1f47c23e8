"""Einstein's summations that are products of matrices, sums or products are written as those, with the same value."""

import numpy as np
import pytest

from autotiny.algebra import Simplifier, symbol, topological_order
from autotiny.algebra.term import constant

LENGTHS = dict(zip("abijk", (2, 3, 3, 4, 2), strict=True))
PRODUCTS = [
    "ij,jk->ik", "ij,jk->ki", "ji,jk->ik", "ij,kj->ik", "ij,j->i", "ij,i->j", "i,ij->j", "i,j->ij", "j,i->ij",
    "ij,ij->", "ij,ij->i", "ij,ij->j", "ij,ij->ij", "ij->ji", "ij->i", "ij->", "i,i->", "i,ij,j->", "ij,jk,k->i",
    "bij,bjk->bik", "bij,bkj->bik", "bji,bjk->bik", "bij,bj->bi", "bij->bji", "bij->", "bi,bi->b", "aij,ij->a",
    ",ij->ij", "ij,j,i->", "bi,ij,bj->", "i,i,i->",
]  # fmt: skip


def drawn(subscripts, seed=0):
    rng = np.random.default_rng(seed)
    terms = subscripts.split("->")[0].split(",")
    return [symbol(f"x{i}", rng.normal(size=[LENGTHS[c] for c in term])) for i, term in enumerate(terms)]


def names(term):
    return {part.op.name for part in topological_order(term) if part.op is not None}


@pytest.mark.parametrize("subscripts", PRODUCTS)
def test_a_summation_that_is_a_product_is_written_as_one(subscripts):
    operands = drawn(subscripts)
    normal = Simplifier().normal(constant(np.einsum(subscripts, *operands)))
    assert "summation" not in names(normal)
    np.testing.assert_allclose(normal.value, np.einsum(subscripts, *(x.value for x in operands)), rtol=1e-12)


@pytest.mark.parametrize("seed", range(60))
def test_random_summations_keep_their_value(seed):
    rng = np.random.default_rng(seed)
    terms = ["".join(rng.permutation(list("abijk"))[: rng.integers(0, 4)]) for _ in range(rng.integers(1, 4))]
    known = sorted(set("".join(terms)))
    output = "".join(rng.permutation(known)[: rng.integers(0, len(known) + 1)]) if known else ""
    subscripts = ",".join(terms) + "->" + output
    operands = drawn(subscripts, seed)
    normal = Simplifier().normal(constant(np.einsum(subscripts, *operands)))
    np.testing.assert_allclose(normal.value, np.einsum(subscripts, *(x.value for x in operands)), rtol=1e-9, atol=1e-12)


def test_a_summation_that_broadcasts_is_left():
    x, y = symbol("x", np.ones((3, 1))), symbol("y", np.arange(12.0).reshape(3, 4))
    normal = Simplifier().normal(constant(np.einsum("ij,ij->i", x, y)))
    np.testing.assert_allclose(normal.value, [6, 22, 38])
