# %% [markdown]
# # 4. Deriving dZ1 by the chain rule
#
# **Question.** The textbook says `dZ1 = W2ᵀ dZ2 * 1[Z1 > 0]`. Where do the transpose and the mask come from? And can an
# engine that has never heard of either, or of softmax, arrive at the same line?

# %%
import numpy as np

import autotiny as at

rng = np.random.default_rng(0)
X, Y = rng.normal(size=(4, 6)), at.one_hot(rng.integers(0, 3, 6), 3)
W1, b1 = at.Tensor(rng.normal(size=(5, 4))), at.Tensor(np.zeros((5, 1)))
W2, b2 = at.Tensor(rng.normal(size=(3, 5))), at.Tensor(np.zeros((3, 1)))

m = X.shape[1]
Z1 = W1 @ X + b1
A1 = np.maximum(Z1, 0)
Z2 = W2 @ A1 + b2
A2 = np.exp(Z2) / np.sum(np.exp(Z2), axis=0)
J = -np.sum(Y * np.log(A2)) / m
J.backward()

# %% [markdown]
# ## By hand, one entry at a time
#
# Take one example and one hidden unit $j$. Its $Z_1[j]$ moves the loss in three steps: it moves $A_1[j]$, which moves every
# score $Z_2[k]$, and each of these moves $J$. The chain rule multiplies along each way and adds up over the ways:
#
# $$\frac{\partial J}{\partial Z_1[j]} = \sum_k \frac{\partial J}{\partial Z_2[k]} \cdot
#   \frac{\partial Z_2[k]}{\partial A_1[j]} \cdot \frac{\partial A_1[j]}{\partial Z_1[j]}
#   = \sum_k \mathrm{d}Z_2[k] \cdot W_2[k, j] \cdot \mathbb{1}[Z_1[j] > 0].$$
#
# The sum runs over the *first* index of $W_2$, the rows, while a matrix product runs over the second: so it is the transpose
# that multiplies. That is all there is to $W_2^\top$. The mask does not depend on $k$, so it stands before the sum.
#
# **Predict first.** For a unit that is on, that is a sum of three products; for one that is off, zero.

# %%
i = 0
on, off = int(np.argmax(Z1.data[:, i])), int(np.argmin(Z1.data[:, i]))
for j in (on, off):
    by_hand = sum(Z2.grad[k, i] * W2.data[k, j] for k in range(3)) if Z1.data[j, i] > 0 else 0.0
    print(f"unit {j}: by hand {by_hand:.6f}, by backprop {Z1.grad[j, i] + 0:.6f}")

# %% [markdown]
# ## By the engine
#
# `at.derive` takes the recorded graph and the generic rules of its operations, those of `@`, `+`, `max`, `exp`, `sum`, `/`
# and `log`, writes down what the chain rule says, and then rewrites that as you would on paper. It calls things by your
# names.

# %%
at.derive(J, "Z1")

# %% [markdown]
# The same for one entry, in the notation of the sum above. The engine chose the indices, and found which of them is shared
# (the example) and which is summed over (the score).

# %%
at.derive(J, "Z1").elements()

# %% [markdown]
# `dZ2` is not pulled out of a hat: it has a derivation of its own, and that one is not short.
#
# **Predict first.** The chain rule finds two ways from `Z2` to the loss, through the numerator and through the denominator of
# the softmax. One of them must end up as `A2`, the other as `-Y`, both divided by `m`.

# %%
at.derive(J, "Z2")

# %% [markdown]
# Each line was evaluated on the recorded numbers, and the error beside it is how far it came from the line before. A rule
# that changed the value would be an error, not a line.
#
# One line is special: that every column of `Y` sums to 1 is no law of algebra. It was *found on your data*. Where it does not
# hold, nothing pretends that it does.
#
# **Predict first.** Give the examples weights: column $i$ of `Y` now sums to a weight that is not 1. What is left of
# `A2 - Y`? The term that came from the denominator keeps its factor.

# %%
weighted = Y * np.array([1.0, 2.0, 0.5, 1.0, 3.0, 1.0])
J_weighted = -np.sum(weighted * np.log(A2)) / m
at.derive(J_weighted, "Z2").formula

# %% [markdown]
# ## Is mine right?
#
# Type the formula that you derived: as NumPy code, or as textbooks write it. It is held against the derived one, on the
# recorded numbers and on others. Here are right ones and the classics among wrong ones.

# %%
dJ_dZ1 = at.derive(J, "Z1")
for formula in [
    "W2^T dZ2 * 1[Z1 > 0]",
    "W2.T @ (A2 - Y) / m * (A1 > 0)",
    "W2^T (A2 - Y) * 1[Z1 > 0]",
    "W2.T @ dZ2",
]:
    print(dJ_dZ1.matches(formula))

# %%
dJ_dW2 = at.derive(J, W2)
for formula in ["dZ2 @ A1.T", "A1 @ dZ2.T", "(Y - A2) A1^T / m"]:
    print(dJ_dW2.matches(formula))

# %% [markdown]
# ## Take it away
#
# As NumPy code, with nothing of autotiny in it: a function from what the run was given to the gradient.

# %%
dW1 = at.derive(J, W1).numpy()
dW1

# %% [markdown]
# **Predict first.** It is a function, not a recording: on other inputs it gives their gradient.

# %%
X_new, W2_new = rng.normal(size=(4, 6)), rng.normal(size=(3, 5))


def loss(W1):
    Z2 = W2_new @ np.maximum(W1 @ X_new + b1.data, 0) + b2.data
    return at.cross_entropy(Z2, Y)


error = dW1(W1=W1.data, b1=b1.data, W2=W2_new, b2=b2.data, X=X_new, Y=Y) - at.grad(loss)(W1.data)
bool(np.max(np.abs(error)) < 1e-15)

# %% [markdown]
# And as LaTeX, for your notes.

# %%
print(at.derive(J, "Z2").latex(steps=False))

# %% [markdown]
# ## Appendix: a gallery
#
# Gradients that textbooks derive, each from its plain NumPy code.
#
# ### Linear regression, and ridge

# %%
A, y = rng.normal(size=(8, 3)), rng.normal(size=8)
w = at.Tensor(rng.normal(size=3))
squared = np.sum((A @ w - y) ** 2) / 2
at.derive(squared, w)

# %%
lam = 0.1
ridge = squared + lam / 2 * np.sum(w**2)
at.derive(ridge, w).formula

# %% [markdown]
# ### Logistic regression
#
# The same line as linear regression, with the probability in place of the prediction.

# %%
t = (rng.normal(size=8) > 0) * 1.0
p = at.sigmoid(A @ w)
logistic = -np.sum(t * np.log(p) + (1 - t) * np.log(1 - p))
at.derive(logistic, w)

# %% [markdown]
# ### Activations
#
# The derivative of tanh and of the sigmoid, in terms of what they gave.

# %%
Z, v = at.Tensor(rng.normal(size=(3, 2))), rng.normal(size=(3, 2))
A_tanh, A_sigmoid = np.tanh(Z), at.sigmoid(Z)
at.derive(np.sum(v * A_tanh), Z).formula, at.derive(np.sum(v * A_sigmoid), Z).formula

# %% [markdown]
# ### Softmax, and what stands around it
#
# With a temperature, from logits, and under a squared error, where nothing cancels: the Jacobian of the softmax stays in
# sight, and the formula is honestly longer.

# %%
T = 2.5
L = at.Tensor(rng.normal(size=(3, 6)))
P = at.softmax(L / T)
at.derive(-np.sum(Y * np.log(P)), L).formula, at.derive(np.sum(Y * (at.logsumexp(L, axis=0) - L)), L).formula

# %%
at.derive(np.sum((P - Y) ** 2) / 2, L)

# %%
z = at.Tensor(rng.normal(size=4))
at.derive(np.log(np.sum(np.exp(z))), z)

# %% [markdown]
# ### Matrices
#
# A quadratic form, the two norms, a trace, and the logarithm of a determinant.

# %%
M, x = rng.normal(size=(3, 3)), at.Tensor(rng.normal(size=3))
at.derive(x @ M @ x, x)

# %%
at.derive(np.sum(x**2), x).formula, at.derive(np.linalg.norm(x), x).formula

# %%
B, C, D = rng.normal(size=(2, 3)), at.Tensor(rng.normal(size=(3, 3)) + 3 * np.eye(3)), rng.normal(size=(3, 2))
at.derive(np.trace(B @ C @ D), C).formula, at.derive(np.linalg.slogdet(C).logabsdet, C).formula

# %% [markdown]
# ### Attention
#
# One head, without its scale: the gradient of the weights before the softmax, and from there of queries, keys and values.

# %%
Q, K, V = (at.Tensor(rng.normal(size=(4, 3))) for _ in range(3))
G = rng.normal(size=(4, 3))
S = Q @ K.T
H = at.softmax(S, axis=1)
attention = np.sum(G * (H @ V))
{name: at.derive(attention, name).formula for name in ("S", "Q", "K", "V")}

# %% [markdown]
# ### The general layer
#
# Many layers by a loop: every hidden layer has the same two lines, with its own index.

# %%
sizes, layer = (4, 5, 5, 5, 3), X
for l in range(1, 5):
    Wl = at.Tensor(rng.normal(size=(sizes[l], sizes[l - 1])), name=f"W[{l}]")
    Zl = Wl @ layer
    Zl.name = f"Z[{l}]"
    layer = np.maximum(Zl, 0) if l < 4 else at.softmax(Zl)
    layer.name = f"A[{l}]"
deep = -np.sum(Y * np.log(layer)) / m
for name in ("Z[4]", "Z[3]", "Z[2]", "W[2]"):
    print(f"d{name} = {at.derive(deep, name).formula}")

# %% [markdown]
# ## To try
#
# 1. Write `A2 = at.softmax(Z2)` in the network. Which steps are left, and which line is the same?
# 2. Replace `np.maximum(Z1, 0)` by `np.tanh(Z1)`, and predict `dJ/dZ1` before you ask.
# 3. Derive the gradient of your own loss on paper, and hold it against `at.derive(...).matches(...)`. What does it say when
#    you forget a sum?
