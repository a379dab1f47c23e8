"""Long sums of kernels are as accurate as NumPy's."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autotiny as at

pytest.importorskip("numba")

SUMS: list[tuple[Callable[[Any], Any], tuple[int, ...], int]] = [
    (lambda x: np.sum(x * x), (1_000_003,), 4),
    (lambda x: np.sum(x * x), (1003, 997), 4),
    (lambda x: np.sum(x * x, axis=1), (3, 300_001), 4),
    (lambda x: np.vdot(x, x + 1), (1_000_000,), 4),
    (lambda x: np.mean(x, axis=(0, 2)), (300, 2, 1000), 30),  # 300 sums are added one after another, as NumPy does it
]


@pytest.mark.parametrize(("f", "shape", "units"), SUMS)
@pytest.mark.parametrize("threads", [1, 2])
def test_a_long_sum_in_single_precision_is_off_by_a_few_units(
    f: Callable[[Any], Any], shape: tuple[int, ...], units: int, threads: int
) -> None:
    x = np.random.default_rng(0).random(shape).astype(np.float32)
    step = at.compile(f, backend="numba", threads=threads)
    got, exact = step(x), f(x.astype(np.float64))
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, exact, rtol=units * np.finfo(np.float32).eps)
    assert "njit" in step.source
    assert not re.search(r"for [a-j] in range\([^)]*[a-z]", step.source)  # LLVM would not see that i >= 0
