# %% [markdown]
# # 1. A first expression
#
# **Question.** A computer has evaluated $y = x \cdot x + x$ at $x = 3$ and tells you 12. It saw two operations and three
# numbers. Can it also tell you how fast $y$ changes with $x$, without being told the rule for polynomials?

# %%
import numpy as np

import autotiny as at

# %% [markdown]
# A `Tensor` is a value that remembers how it was made. The code that computes with it is ordinary Python.

# %%
x = at.Tensor(3.0)
y = x * x + x
y

# %% [markdown]
# **Predict first.** From school, $dy/dx = 2x + 1$. At $x = 3$ that is 7. And the gradient of $y$ with respect to itself is
# 1, whatever $y$ is.

# %%
y.backward()
x.grad, y.grad

# %% [markdown]
# The picture says where the 7 comes from. `x` enters the product twice and the sum once, so there are three paths from `x`
# to `y`: two of them contribute 3 (the *other* factor), one contributes 1. A gradient is the sum over all paths.

# %%
at.draw(y)

# %% [markdown]
# A gradient is a slope. Here is $y$ for other values of $x$: at $x = 3$ the tangent touches the curve, and rises by 7 for each
# step of 1 to the right. Where would the tangent be flat, and what is the gradient there?

# %%
at.plot(y, x)

# %% [markdown]
# ## The same with arrays
#
# NumPy functions, operators, methods and indexing all record. The gradient of a number with respect to an array has the
# shape of the array: entry by entry, how fast the number changes with that entry.

# %%
W = at.Tensor([[1.0, 2.0], [3.0, 4.0]])
v = np.array([1.0, -1.0])  # a plain array is a constant
loss = np.sum((W @ v) ** 2)
loss.item()

# %% [markdown]
# **Predict first.** $W v = (-1, -1)$, so the loss is 2, and since $\partial\, (Wv)_i^2 / \partial W_{ij} = 2 (Wv)_i v_j$,
# the gradient is $2 \, (Wv)\, v^T$: a first column of $-2$ and a second one of $2$.

# %%
loss.backward()
W.grad

# %% [markdown]
# You need not take the engine's word for it. `at.compare` holds your formula against the recorded gradient, and both against
# numbers: what the loss really does when an entry is moved a little.

# %%
at.compare(loss, {W: 2 * np.outer(W.data @ v, v)})

# %% [markdown]
# ## To try
#
# 1. What is `x.grad` after a second `y.backward()`? (Leaves add up; set `x.grad = None` between.)
# 2. Predict the gradient of `np.sum(np.abs(x))` at `x = [-2, 0, 3]`. At 0 there is a kink; autotiny says 0 there.
# 3. Change the closed form above by a factor of two and read what the comparison says.
