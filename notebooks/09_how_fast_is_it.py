# %% [markdown]
# # 9. How fast is it, and why?
#
# **Question.** A training step by hand is a dozen lines of NumPy. What does it cost to have the gradients found instead of
# derived, and can that cost be got rid of?

# %%
import os
import time

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

# %% [markdown]
# They agree, which is the first thing to make sure of.

# %%
small = (*parameters((4, 16, 3), np.float64), *batch((4, 16, 3), 32, np.float64))
all(
    np.allclose(a, b, rtol=0, atol=1e-15) and np.allclose(a, c, rtol=0, atol=1e-15)
    for a, b, c in zip(by_hand(*small), by_engine(*small), compiled(*small), strict=True)
)

# %% [markdown]
# **Predict first.** Every recorded operation costs about a microsecond on top of NumPy's own microsecond, its gradient another,
# and `at.grad` takes some time to look at its arguments. A small network is nothing but such overhead, so the engine should
# need several times as long. In a large one the matrix products take nearly all of the time, and there is little left to lose.


# %% tags=["varies"]
def ratios(sizes, m, dtype, repeats=200):
    """Median times relative to the one by hand, measured side by side."""
    arguments = (*parameters(sizes, dtype), *batch(sizes, m, dtype))
    functions = (by_hand, by_engine, compiled)
    times = []
    for _ in range(repeats):
        row = []
        for function in functions:
            start = time.perf_counter()
            function(*arguments)
            row.append(time.perf_counter() - start)
        times.append(row)
    by_hand_time, *others = np.median(times, axis=0)
    return [t / by_hand_time for t in others]


print("                             engine   compiled   (by hand = 1)")
for sizes, m, dtype in [((4, 16, 3), 32, np.float64), ((64, 32, 10), 64, np.float32), ((784, 128, 10), 64, np.float32)]:
    engine, program = ratios(sizes, m, dtype)
    print(f"{'-'.join(map(str, sizes)):>10}, m = {m}, {np.dtype(dtype)}   {engine:6.1f}   {program:8.1f}")

# %% [markdown]
# ## Where the time goes
#
# The compiler runs the function once, writes down what it did, rewrites it with the rules that derived $A_2 - Y$ in notebook
# 4, and emits straight lines of NumPy that reuse their buffers. It is a program that a person could have written.

# %%
print(compiled.source)

# %% [markdown]
# ## To try
#
# 1. Measure a single layer of 1000 units. Is the overhead still visible?
# 2. Why does the large network hardly gain from compiling? Count the multiplications in its five matrix products.
