# %% [markdown]
# # 5. Checking your own gradient
#
# **Question.** You derived a gradient by hand, your network learns, but not well. Is the gradient wrong, and if so: where,
# by how much, and which mistake was it?

# %%
import numpy as np

import autotiny as at

rng = np.random.default_rng(1)
m = 8
X, Y = rng.normal(size=(4, m)), at.one_hot(rng.integers(0, 3, m), 3)
W1, W2 = at.Tensor(rng.normal(size=(5, 4))), at.Tensor(rng.normal(size=(3, 5)))
Z1 = W1 @ X
A1 = np.tanh(Z1)
Z2 = W2 @ A1
J = at.cross_entropy(Z2, Y)
A2 = at.softmax(Z2.data)
at.draw(J)

# %% [markdown]
# `at.compare` has three witnesses: your formula, backprop, and differences, which know nothing of either. Where two agree
# and one does not, that one is the outlier.
#
# **Predict first.** The classic: 1/m forgotten. Everything is exactly 8 times too large.

# %%
at.compare(J, {"Z2": A2 - Y})

# %% [markdown]
# A sign; a derivative forgotten; an activation's derivative taken at the wrong place. Each leaves its own trace.
#
# **Predict first.** The derivative of tanh is $1 - A_1^2$. Whoever forgets it is right where $A_1$ is near 0, and worst where
# a unit is saturated.

# %%
dZ2 = (A2 - Y) / m
dA1 = W2.data.T @ dZ2
forgotten = at.compare(J, {Z1: dA1, W2: -dZ2 @ A1.data.T})
forgotten

# %%
place = forgotten["Z1"].index
print(f"worst at {place}, where A1 is {A1.data[place]:.3f}")

# %% [markdown]
# ## Two functions
#
# Your code has the loss and its gradient as functions of their arguments? Compare them as they are.
#
# **Predict first.** This gradient forgets the slope of tanh, and its last line sums where the loss takes a mean. Both leave
# a trace, and they meet in `W1`.


# %%
def loss(W1, W2):
    return at.cross_entropy(W2 @ np.tanh(W1 @ X), Y)


def grad_loss(W1, W2):
    A1 = np.tanh(W1 @ X)
    dZ2 = at.softmax(W2 @ A1) - Y
    return W2.T @ dZ2 @ X.T / m, dZ2 @ A1.T


at.compare(loss, grad_loss, W1.data, W2.data)

# %% [markdown]
# From the shell, with the arrays in a file: `autotiny check net.py:loss --gradient net.py:grad_loss --args data.npz`.
#
# A formula on paper needs no code at all: `matches` reads what you would write, LaTeX too, and answers with the same words.

# %%
dJ_dW1 = at.derive(J, W1)
for formula in [r"W_2^\top \mathrm{d}Z_2 \odot (1 - A_1^2) X^\top", r"\left(W_2^\top \mathrm{d}Z_2\right) X^\top"]:
    print(dJ_dW1.matches(formula))

# %% [markdown]
# ## Why not simply take differences?
#
# A difference quotient has two errors that pull in opposite directions. With a large step the curve is not a line: the error
# grows with $h^2$ for a central difference. With a small step the two values agree in nearly all digits, and what is left
# after subtracting is rounding: it grows as $\varepsilon / h$.
#
# **Predict first.** The best step balances them, $h \approx \varepsilon^{1/3} \approx 6 \cdot 10^{-6}$, with an error of about
# $\varepsilon^{2/3} \approx 4 \cdot 10^{-11}$: ten digits, never sixteen.


# %% tags=["varies"]
def f(x):
    return np.exp(np.sin(3 * x))


x0 = 1.0
exact = float(at.grad(f)(x0))
steps = 10.0 ** -np.arange(1, 13)
errors = [abs((f(x0 + h) - f(x0 - h)) / (2 * h) - exact) / abs(exact) for h in steps]
for h, error in zip(steps, errors, strict=True):
    print(f"h = {h:.0e}   relative error {error:.0e}   {'#' * int(13 + np.log10(max(error, 1e-13)))}")

# %% [markdown]
# So a numeric gradient is only a check, and a check must know its own error. The numeric column of `at.compare` does: it
# extrapolates, or goes through the complex numbers where the operations allow it, and states how sure it is.
#
# ## In a test suite
#
# `at.check_gradients` raises when autograd and numbers disagree. Use it for operations with a rule of your own.


# %%
@at.operation(lambda g, y, x: g * 3 * x**2)
def cube(x):
    """x³."""
    return x * x * x


at.check_gradients(lambda x: np.sum(cube(x)), rng.normal(size=(3, 2)))


# %%
@at.operation(lambda g, y, x: g * 2 * x**2)  # wrong
def wrong_cube(x):
    """x³."""
    return x * x * x


try:
    at.check_gradients(lambda x: np.sum(wrong_cube(x)), rng.normal(size=(3, 2)))
except AssertionError as error:
    print(error)

# %% [markdown]
# ## To try
#
# 1. Give `W1` the gradient `dZ1 @ X` without the transpose. What does the error say?
# 2. Compare at a kink: `np.sum(np.abs(x))` at 0, with closed forms $-1$, 0 and 1. Which are accepted, and why?
#
# <details><summary>Answers</summary>
#
# 1. NumPy refuses the product, and names the sizes that differ, 4 and 8. Had you a gradient of another shape than `W1`'s, such
#    as `dZ1` itself, `at.compare` would say `W1 is (5, 4), and its closed form is (5, 8)`.
# 2. All three. At 0 the slope is $-1$ to the left and 1 to the right, and every number between is a subgradient; the
#    comparison says so. 1.5 is refused.
#
# </details>
