# %% [markdown]
# # 9. How fast is it, and why?
#
# **Question.** A training step by hand is a dozen lines of NumPy. What does it cost to have the gradients found instead of
# derived, and can that cost be got rid of?

# %%
import json
import os
import time
from importlib.util import find_spec
from pathlib import Path

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # a step this small does not gain from a second one
import numpy as np

import autotiny as at


def parameters(sizes, dtype):
    rng = np.random.default_rng(0)
    n_x, n_h, n_y = sizes
    return [
        (rng.normal(size=(n_h, n_x)) * 0.1).astype(dtype), np.zeros((n_h, 1), dtype),
        (rng.normal(size=(n_y, n_h)) * 0.1).astype(dtype), np.zeros((n_y, 1), dtype),
    ]  # fmt: skip


def batch(sizes, m, dtype):
    rng = np.random.default_rng(1)
    return rng.normal(size=(sizes[0], m)).astype(dtype), at.one_hot(rng.integers(0, sizes[2], m), sizes[2]).astype(
        dtype
    )


# %% [markdown]
# The gradients by hand, and the loss alone for the engine.


# %%
def by_hand(W1, b1, W2, b2, X, Y):
    m = X.shape[1]
    Z1 = W1 @ X + b1
    A1 = np.maximum(Z1, 0)
    Z2 = W2 @ A1 + b2
    E = np.exp(Z2 - Z2.max(axis=0))
    A2 = E / E.sum(axis=0)
    dZ2 = (A2 - Y) / m
    dZ1 = W2.T @ dZ2 * (Z1 > 0)
    return [dZ1 @ X.T, dZ1.sum(axis=1, keepdims=True), dZ2 @ A1.T, dZ2.sum(axis=1, keepdims=True)]


def loss(W1, b1, W2, b2, X, Y):
    return at.cross_entropy(W2 @ at.relu(W1 @ X + b1) + b2, Y)


by_engine = at.grad(loss, argnums=(0, 1, 2, 3))
compiled = at.compile(by_engine)
in_machine_code = at.compile(
    by_engine, backend="numba" if find_spec("numba") else "numpy"
)  # pip install 'autotiny[fast]'

# %% [markdown]
# They agree, which is the first thing to make sure of.

# %%
small = (*parameters((4, 16, 3), np.float64), *batch((4, 16, 3), 32, np.float64))
all(
    np.allclose(gradient, right, rtol=0, atol=1e-15)
    for f in (by_engine, compiled, in_machine_code)
    for gradient, right in zip(f(*small), by_hand(*small), strict=True)
)

# %% [markdown]
# **Predict first.** Every recorded operation costs about a microsecond on top of NumPy's own microsecond, its gradient another,
# and `at.grad` takes some time to look at its arguments. A small network is nothing but such overhead, so the engine should
# need several times as long. In a large one the matrix products take nearly all of the time, and there is little left to lose.
#
# How little, the products alone say: the same five, into memory that is there. No program can be faster, unless it multiplies faster.


# %%
def products(W1, b1, W2, b2, X, Y):
    Z1, Z2, dW1, dW2 = W1 @ X, np.empty_like(Y), np.empty_like(W1), np.empty_like(W2)
    dA1 = np.empty_like(Z1)

    def alone(*_):
        np.matmul(W1, X, out=Z1)
        np.matmul(W2, Z1, out=Z2)
        np.matmul(Z2, Z1.T, out=dW2)
        np.matmul(W2.T, Z2, out=dA1)
        np.matmul(dA1, X.T, out=dW1)

    return alone


# %% tags=["varies"]
def ratios(sizes, m, dtype, repeats=200):
    """Median of the times relative to the one by hand in the same round."""
    arguments = (*parameters(sizes, dtype), *batch(sizes, m, dtype))
    functions = (by_hand, products(*arguments), by_engine, compiled, in_machine_code)
    times = []
    for _ in range(repeats):
        row = []
        for function in functions:
            start = time.perf_counter()
            function(*arguments)
            row.append(time.perf_counter() - start)
        times.append(row)
    times = np.array(times)
    return np.median(times / times[:, :1], axis=0)[1:]


print("by hand = 1                  products   engine    numpy    numba")
for sizes, m, dtype in [((4, 16, 3), 32, np.float64), ((64, 32, 10), 64, np.float32), ((784, 128, 10), 64, np.float32)]:
    row = "".join(f"{ratio:9.2f}" for ratio in ratios(sizes, m, dtype))
    print(f"{'-'.join(map(str, sizes)):>10}, m = {m}, {np.dtype(dtype)}{row}")

# %% [markdown]
# ## Where the time goes
#
# The compiler runs the function once, writes down what it did, rewrites it with the rules that derived $A_2 - Y$ in notebook
# 4, and emits straight lines of NumPy that reuse their buffers. It is a program that a person could have written.

# %%
print(compiled.source)

# %% [markdown]
# Each of these lines is a call of NumPy, of half a microsecond at least, and hands its result to the next through memory. With
# numba the same formulas become loops, several of them in one, whose values stay in registers.

# %% tags=["varies"]
print(in_machine_code.source)

# %% [markdown]
# ## Beside other engines
#
# `tools/bench.py` measures what a notebook cannot: each engine in a process of its own, in turns, on one core. Here are the runs
# that the repository keeps, by processor; a number below 1 is faster than NumPy by hand, for the network on scalars than micrograd.

# %%
for file in sorted(Path("../tools/bench_results").glob("*.json")):
    run = json.loads(file.read_text())
    print(f"{run['machine']['processor']}, threads: {run['machine']['threads']}\n")
    engines = [
        name for name in dict.fromkeys(name for cells in run["works"].values() for name in cells) if "," not in name
    ]
    for work, cells in run["works"].items():
        print(work)
        for name in engines:
            if name in cells:
                cell = cells[name]
                print(f"    {name:<26}", cell.get("status") or f"{cell['ratio']:8.3f}")
        print()

# %% [markdown]
# **Predict first.** Where does a curve of time against the number of entries bend? Below some thousand entries a call costs what
# its operations cost, however small; then the entries take over, and it rises by ten where they do; and once more where the
# arrays leave the caches. An engine that compiles pays at the first call; one that records, at every call.
#
# ![Time and memory against operations and entries](../tools/pictures/growth.svg)

# %% [markdown]
# ## To try
#
# 1. Measure a single layer of 1000 units. Is the overhead still visible?
# 2. Why does the large network hardly gain from compiling? Count the multiplications in its five matrix products.
# 3. From how many steps on has the first call of the numba program paid for itself? Its time is a panel of the picture.
#
# <details><summary>Answers</summary>
#
# 1. Hardly: a product of 1000 by 1000 with a batch takes milliseconds, recording it microseconds.
# 2. Two products take 784 · 128 · 64 multiplications each (`W1 @ X` and `dZ1 @ X.T`), the three of the second layer
#    128 · 10 · 64: together 13 million. They are the same calls of BLAS in every column of the table; the compiler saves what is
#    around them.
# 3. From about as many as the time of the first call over the time that a step saves: both are in the picture.
#
# </details>
