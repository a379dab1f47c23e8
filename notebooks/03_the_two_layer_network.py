# %% [markdown]
# # 3. The two-layer network and its six gradients
#
# **Question.** The textbook has six formulas for the gradients of a two-layer network, and `dZ2 = A2 - Y` looks far too
# simple for a softmax inside a logarithm. An engine that knows only `+`, `@`, `max`, `exp`, `sum`, `/` and `log`: will it
# find the same?

# %%
import numpy as np

import autotiny as at
from autotiny import nn

# %% [markdown]
# Real data: images of handwritten digits, 64 pixels each, **one example per column**. Forty of them will do here.

# %%
digits = nn.digits()
X = digits.X[:, :40] / 16
Y = at.one_hot(digits.labels[:40], 10)
X.shape, Y.shape

# %%
rng = np.random.default_rng(0)
W1 = at.Tensor(rng.normal(size=(16, 64)) * np.sqrt(2 / 64))
b1 = at.Tensor(np.zeros((16, 1)))
W2 = at.Tensor(rng.normal(size=(10, 16)) * 0.01)
b2 = at.Tensor(np.zeros((10, 1)))

m = X.shape[1]
Z1 = W1 @ X + b1
A1 = np.maximum(Z1, 0)
Z2 = W2 @ A1 + b2
A2 = np.exp(Z2) / np.sum(np.exp(Z2), axis=0)
J = -np.sum(Y * np.log(A2)) / m

# %% [markdown]
# **Predict first.** `W2` is nearly zero, so all ten classes are about equally likely, and the loss is close to
# $\log 10 \approx 2.303$. Each entry of `A2` is about 0.1, so each column of `A2 - Y` has nine entries of about 0.1 and one
# of about $-0.9$, and they add up to 0.

# %%
round(J.item(), 3)

# %%
J.backward()
np.round(m * Z2.grad[:, 0], 2), digits.labels[0]

# %% [markdown]
# That column is `A2 - Y`. Nobody told the engine; it multiplied a few hundred local derivatives and added them up.
#
# The factor $m$: the textbook leaves $1/m$ out of `dZ` and puts it into `dW` and `db`. The loss `J` has it, so the gradient
# of `J` has it too: $\partial J/\partial Z_2 = (A_2 - Y)/m$.
#
# ## All six

# %% tags=["varies"]
dZ2 = (A2.data - Y) / m
dW2 = dZ2 @ A1.data.T
db2 = np.sum(dZ2, axis=1, keepdims=True)
dZ1 = W2.data.T @ dZ2 * (Z1.data > 0)
dW1 = dZ1 @ X.T
db1 = np.sum(dZ1, axis=1, keepdims=True)

at.compare(J, {Z2: dZ2, W2: dW2, b2: db2, Z1: dZ1, W1: dW1, b1: db1})

# %% [markdown]
# The errors are those of rounding, a few units of $10^{-16}$.
#
# ## The graph
#
# Values flow down, gradients flow up. `exp(Z2)` was written twice, so `Z2` has two ways to the loss, and its gradient is the
# sum of both: `A2` comes from the one through the sum, `-Y` from the other.

# %%
at.draw(J)

# %% [markdown]
# **Predict first.** About half of the entries of `Z1` are negative, so about half of `dZ1` is exactly zero.

# %%
float(np.mean(Z1.data <= 0).round(2)), float(np.mean(Z1.grad == 0).round(2))

# %% [markdown]
# ## To try
#
# 1. Leave the mask out of `dZ1` above. Which gradients are wrong then, and what does the comparison say?
# 2. Write the loss with `at.softmax`, and with `at.cross_entropy(Z2, Y)`. The gradients are the same to the last digits.
# 3. Set `b1` to $-100$. What happens to `dW1`, and why can such a network not learn?
