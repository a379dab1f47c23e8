# %% [markdown]
# # 6. Many hidden layers
#
# **Question.** The rule $dZ^{[l]} = W^{[l+1]T} dZ^{[l+1]} * g'(Z^{[l]})$ repeats layer by layer. What happens to the gradient
# on its way through twenty of them?

# %%
import matplotlib.pyplot as plt
import numpy as np

import autotiny as at

plt.style.use("examples/figures.mplstyle")
DEPTH, WIDTH, EXAMPLES = 20, 64, 32


def record(activation, scale, seed=0):
    """A deep network on random inputs; returns its loss and the list Z[1], Z[2], ..."""
    rng = np.random.default_rng(seed)
    A, Z = rng.normal(size=(WIDTH, EXAMPLES)), []
    for l in range(1, DEPTH + 1):
        W = at.Tensor(rng.normal(size=(WIDTH, WIDTH)) * scale, name=f"W{l}")
        Z.append(W @ A)
        A = activation(Z[-1])
    return at.cross_entropy(Z[-1], rng.integers(0, WIDTH, EXAMPLES)), Z


def sizes(Z):
    """The root mean square of each layer's gradient."""
    return [float(np.sqrt(np.mean(z.grad**2))) for z in Z]


# %% [markdown]
# The sigmoid's derivative is $\sigma(1 - \sigma)$, at most 1/4.
#
# **Predict first.** With weights of variance $1/n$ a layer multiplies the gradient by at most 1/4 in the mean square sense,
# so nineteen of them by less than $4^{-19} \approx 4 \cdot 10^{-12}$.

# %%
loss, Z = record(at.sigmoid, np.sqrt(1 / WIDTH))
loss.backward()
vanishing = sizes(Z)
f"{vanishing[0] / vanishing[-1]:.0e}"

# %% [markdown]
# The first layer's gradient is twelve orders of magnitude smaller than the last one's: it will not learn in a lifetime.
#
# **Predict first.** ReLU's derivative is 0 or 1, half of each. Weights of variance $2/n$ (He and others, 2015) make up for
# that half, so the size should stay about the same through all layers.

# %%
loss, Z = record(at.relu, np.sqrt(2 / WIDTH))
loss.backward()
steady = sizes(Z)
f"{steady[0] / steady[-1]:.1f}"

# %%
for l in range(0, DEPTH, 3):
    print(f"layer {l + 1:2}   sigmoid {vanishing[l]:.0e}   relu {steady[l]:.0e}")

# %%
layers = np.arange(1, DEPTH + 1)
figure, axes = plt.subplots()
axes.semilogy(layers, vanishing, marker="o", label="sigmoid, variance 1/n")
axes.semilogy(layers, steady, marker="o", label="relu, variance 2/n")
axes.set(xlabel="layer", ylabel="size of dJ/dZ", xticks=layers[::3])
axes.legend()
plt.show()

# %% [markdown]
# ## The rule, held against the engine in every layer
#
# The recursion starts from the last layer's $dZ = (A - Y)/m$ and goes down. In each layer the textbook's `dZ[l]` is computed
# from the *closed form* of the layer above, never from autograd's gradient.

# %%
weights = [z.args[0] for z in Z]
dZ = Z[-1].grad  # (A - Y) / m, as in notebook 3
closed_form = {}
for l in range(DEPTH - 2, -1, -1):
    dZ = weights[l + 1].data.T @ dZ * (Z[l].data > 0)
    closed_form[l] = dZ

worst = max(np.max(np.abs(closed_form[l] - Z[l].grad)) / np.max(np.abs(Z[l].grad)) for l in closed_form)
f"largest relative difference in {len(closed_form)} layers: {worst:.0e}"

# %% [markdown]
# ## To try
#
# 1. Draw the loss of a five-layer network. Which lines does a card stand for? Click on one.
# 2. Use weights of variance $4/n$ with ReLU. By what factor does the gradient grow over twenty layers? Predict, then look.
# 3. tanh with variance $1/n$: does the gradient vanish?
#
# <details><summary>Answers</summary>
#
# 1. `at.draw(loss)` shows a card for each line; a click on a card opens its numbers.
# 2. Each layer multiplies the mean square by 2, so the size by $\sqrt 2$: over nineteen layers by $2^{9.5} \approx 724$. With this
#    seed it is 688.
# 3. Hardly: the first layer's gradient is 0.21 of the last one's. The derivative $1 - A^2$ is near 1 where values are small.
#
# </details>
