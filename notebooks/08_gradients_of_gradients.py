# %% [markdown]
# # 8. Gradients of gradients
#
# **Question.** A gradient is itself computed by code. If running code on Tensors records it, can one differentiate the
# gradient, and what is that good for?

# %%
import numpy as np

import autotiny as at

# %% [markdown]
# The rules of backprop are plain NumPy, so on Tensors they record. `at.gradients` gives gradients as Tensors, with a graph
# of their own.
#
# **Predict first.** $y = x^3$ at 2 has the derivatives 12, 12 and 6; the fourth is 0.

# %%
x = at.Tensor(2.0)
y = x * x * x
(dy,) = at.gradients(y, [x])
(ddy,) = at.gradients(dy, [x])
(dddy,) = at.gradients(ddy, [x])
dy.item(), ddy.item(), dddy.item()

# %%
at.draw(dy)

# %% [markdown]
# ## The Hessian of log-sum-exp
#
# **Predict first.** The gradient of $\log \sum_i e^{z_i}$ is the softmax $s$. Differentiated once more: $\mathrm{diag}(s) -
# s s^T$. Its rows add up to 0, since adding a constant to all $z$ changes nothing about $s$.

# %%
z = np.array([1.0, 2.0, 0.5])
s = at.softmax(z)
H = at.hessian(at.logsumexp)(z)
np.abs(H - (np.diag(s) - np.outer(s, s))).max() < 1e-15, np.abs(H.sum(axis=1)).max() < 1e-15

# %% [markdown]
# ## Curvature without the matrix
#
# With a million parameters the Hessian has $10^{12}$ entries. Its product with a vector costs about two gradients.
#
# **Predict first.** Take $f(v) = \sum_i v_i^3$, whose Hessian is $\mathrm{diag}(6 v)$. At $v = 1$ its product with a vector of
# twos is 12 everywhere.

# %%
n = 1_000_000
at.hvp(lambda v: np.sum(v**3))(np.ones(n), np.full(n, 2.0))[:4]

# %% [markdown]
# ## Newton's method
#
# Gradient descent crawls along a narrow valley. Newton's method jumps to the bottom of the parabola that fits.
#
# **Predict first.** For a quadratic function one step is enough.

# %%
A = np.array([[100.0, 0.0], [0.0, 1.0]])
target = np.array([1.0, -2.0])


def valley(x):
    return 0.5 * (x - target) @ A @ (x - target)


start = np.zeros(2)
start - np.linalg.solve(at.hessian(valley)(start), at.grad(valley)(start))

# %% [markdown]
# ## A trap that other engines fell into
#
# Derivatives inside derivatives must not mix up their variables ("perturbation confusion").
#
# **Predict first.** In $\frac{d}{dx}\left[ x \cdot \frac{d}{dy}(x + y) \right]$ the inner derivative is 1 whatever $x$ is, so
# the outer one is 1. An engine that mixes up $x$ and $y$ says 2.

# %%
at.grad(lambda x: x * at.grad(lambda y: x + y)(x))(5.0)

# %% [markdown]
# ## To try
#
# 1. The fifth derivative of `np.sin`, by nesting `at.grad` five times.
# 2. `at.jacobian(at.softmax)`: compare it with `np.diag(s) - np.outer(s, s)`. Why are they equal?
# 3. Penalise the size of a gradient: `np.sum(at.grad(f)(x) ** 2)`, and differentiate that.
