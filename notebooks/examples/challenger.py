# %% [markdown]
# # Newton and Laplace: the flight of the Challenger
#
# **Problem.** On 27 January 1986 engineers debated by telephone whether the space shuttle could start in the morning, at 31 °F. Rubber rings had been damaged on 7 of 23 flights,
# all of them warmer. The next day a ring failed, and seven people died. What did the data say (S. Dalal, E. Fowlkes and B. Hoadley, *Risk
# analysis of the space shuttle*, 1989)? Logistic regression lets the log odds of damage depend on the temperature,
#
# $$P(y_i = 1) = \sigma(z_i), \quad z = X\beta, \qquad J(\beta) = \sum_i \log(1 + e^{z_i}) - y_i z_i,$$
#
# where $J$ is minus the log likelihood. Newton's method finds its minimum; the Hessian there tells how well it is known: near $\hat\beta$ the posterior, with a flat prior, is
# $\mathcal N(\hat\beta, H^{-1})$ (P.-S. Laplace, 1774).

# %%
import time
import timeit

import matplotlib.pyplot as plt
import numpy as np

import autotiny as at

plt.style.use("figures.mplstyle")

fahrenheit = np.array([66, 70, 69, 68, 67, 72, 73, 70, 57, 63, 70, 78, 67, 53, 67, 75, 70, 81, 76, 79, 75, 76, 58])
y = np.array([0, 1, 0, 0, 0, 0, 0, 0, 1, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0, 1])
X = np.stack([np.ones(len(y)), (fahrenheit - 70) / 10], axis=1)


def J(beta):
    z = X @ beta
    return np.sum(np.log(1 + np.exp(z)) - y * z)


# %% [markdown]
# ## The gradient, the Hessian, and the textbook's
#
# Engine and textbook (P. McCullagh and J. Nelder, *Generalized Linear Models*, 1989) agree on the gradient, $X^T(\sigma(z) - y)$,

# %%
beta = at.Tensor(np.array([-1.0, -0.5]))
at.derive(J(beta), beta)

# %% [markdown]
# and on the Hessian, $X^T \operatorname{diag}(\sigma (1 - \sigma))\, X$:

# %%
sigma = at.sigmoid(X @ beta.data)
H = at.hessian(J)(beta.data)
np.testing.assert_allclose(H, X.T @ np.diag(sigma * (1 - sigma)) @ X, rtol=1e-14)
report = at.compare(J, lambda beta: X.T @ (at.sigmoid(X @ beta) - y), beta.data)
assert report.ok
report.ok

# %% [markdown]
# ## Newton's method
#
# Near the minimum the number of right digits doubles with each step.

# %%
path, steps = [np.zeros(2)], 7
for _ in range(steps):
    b = path[-1]
    path.append(b - np.linalg.solve(at.hessian(J)(b), at.grad(J)(b)))
path = np.array(path)
best = path[-1]
for i, b in enumerate(path[:-1]):
    off = np.abs(b - best).max()
    print(f"step {i}: J = {J(b):.4f}, off by {off:.0e}" if off > 1e-14 else f"step {i}: J = {J(b):.4f}")

# %% [markdown]
# In the usual units, against what R's `glm` reports: 15.043 ± 7.379 and −0.2322 ± 0.1082 per °F.

# %%
covariance = np.linalg.inv(at.hessian(J)(best))
to_usual = np.array([[1, -7], [0, 0.1]])
coefficients, errors = to_usual @ best, np.sqrt(np.diag(to_usual @ covariance @ to_usual.T))
np.testing.assert_allclose([coefficients, errors], [[15.0429, -0.2322], [7.3786, 0.1082]], atol=1e-4)
print(", ".join(f"{c:.3f} ± {e:.3f}" for c, e in zip(coefficients, errors, strict=True)))

# %% [markdown]
# ## How good is Laplace's approximation?
#
# Two parameters can be summed over a grid. Laplace's normal distribution is a fair guess of the posterior, which leans to steeper curves; both say what matters: at 31 °F the chance of damage is above nine in ten.

# %%
b0, b1 = np.meshgrid(np.linspace(-6, 2, 301), np.linspace(-10, 1, 301), indexing="ij")
on_grid = np.stack([b0, b1], axis=-1).reshape(-1, 2)
posterior = np.exp(-np.array([J(b) for b in on_grid]) + J(best))
posterior /= posterior.sum()
centred = on_grid - best
laplace = np.exp(-np.sum(centred @ np.linalg.inv(covariance) * centred, axis=1) / 2)

cold = np.array([1, (31 - 70) / 10])
rng = np.random.default_rng(0)
draws = {
    "posterior": on_grid[rng.choice(len(on_grid), 20_000, p=posterior)],
    "Laplace": rng.multivariate_normal(best, covariance, 20_000),
}
for name, betas in draws.items():
    chance = at.sigmoid(betas @ cold)
    print(
        f"{name:>9}: chance of damage at 31 °F {chance.mean():.2f}, with a probability of {np.mean(chance > 0.5):.2f} above one half"
    )
    assert chance.mean() > 0.9


# %% tags=["varies"]
def newton_direction(beta):
    return np.linalg.solve(at.hessian(J)(beta), at.grad(J)(beta))


def by_hand(beta):
    sigma = 1 / (1 + np.exp(-(X @ beta)))
    return np.linalg.solve(X.T * (sigma * (1 - sigma)) @ X, X.T @ (sigma - y))


def microseconds(f):
    return 1e5 * min(timeit.repeat(lambda: f(best), number=10, repeat=50, timer=time.process_time))


compiled = at.compile(newton_direction)
for name, f in {"recorded": newton_direction, "compiled": compiled, "by hand": by_hand}.items():
    print(f"a step of Newton's method, {name}: {microseconds(f):4.0f} µs")

# %%
figure, (left, right) = plt.subplots(1, 2, width_ratios=(1.4, 1))
temperature = np.linspace(28, 85, 200)
curves = at.sigmoid(draws["posterior"][:150] @ np.stack([np.ones(200), (temperature - 70) / 10]))
left.plot(temperature, 100 * curves.T, color="C0", alpha=0.06, linewidth=1)
left.plot(temperature, 100 * at.sigmoid(best[0] + best[1] * (temperature - 70) / 10), color="C0")
jitter = 1.5 * (rng.uniform(size=len(y)) - 0.5)
left.plot(fahrenheit, 100 * y + jitter, "o", color="k", markersize=5, alpha=0.6, label="23 flights")
left.axvline(31, color="C1", linewidth=1.2)
left.text(31.7, 42, "28 January 1986", color="C1", rotation=90, va="center")
left.set(title="Chance that rings are damaged, per cent", xlabel="temperature at the start, °F", ylim=(-4, 104))
left.legend(loc=(0.75, 0.8))
shape = b0.shape
right.contourf(
    b0, b1, posterior.reshape(shape), posterior.max() * np.array([0.03, 0.1, 0.3, 0.6, 0.9, 1]), cmap="Blues"
)
right.contour(b0, b1, laplace.reshape(shape), [0.03, 0.1, 0.3, 0.6, 0.9], colors="C1", linewidths=1)
right.plot(*path.T, "o-", color="k", markersize=4, linewidth=1)
right.set(
    title="Posterior, Laplace (red), Newton (black)",
    xlabel="log odds at 70 °F",
    ylabel="change per 10 °F",
    xlim=(-4, 1.2),
    ylim=(-7, 0.8),
)
plt.show()

# %% [markdown]
# ## To try
#
# 1. Add a square of the temperature. Does Newton's method still converge from zero? What does the Hessian say?
# 2. The evidence, $\log p(y) \approx -J(\hat\beta) + \frac12 \log\det(2\pi H^{-1})$ with a normal prior: does the temperature matter at all?
# 3. Use `at.hvp` and conjugate gradients in place of `at.hessian` and `solve`. From how many parameters on is it faster?
