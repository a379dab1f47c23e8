# %% [markdown]
# # Variational inference: eight schools
#
# **Problem.** Eight schools tried a course of coaching; each reported by how many points it raised its pupils' test scores, with a
# standard error. How much do such courses help ($\mu$), and how much do schools differ ($\tau$)? (D. B. Rubin, 1981; A. Gelman et al.,
# *Bayesian Data Analysis*, section 5.5.) The model is
#
# $$y_j \sim \mathcal N(\mu,\ \sigma_j^2 + \tau^2), \qquad \mu \sim \mathcal N(0, 5^2), \qquad \tau \sim \text{half-Cauchy}(5),$$
#
# and its posterior is known for its bad shape. Variational inference fits a distribution $q_\lambda$ that can be sampled, by
# maximising the evidence lower bound
#
# $$\mathrm{ELBO}(\lambda) = \mathbb E_{z \sim q_\lambda}\left[\log p(y, z) - \log q_\lambda(z)\right] = \log p(y) - \mathrm{KL}(q_\lambda \,\|\, p(\cdot \mid y)),
# \qquad z = (\mu, \log\tau).$$
#
# Nothing about the model is used but its log density: the "black box" of R. Ranganath, S. Gerrish and D. Blei, 2014. Its gradient
# passes through the samples: $z = g_\lambda(\varepsilon)$ with $\varepsilon \sim \mathcal N(0, I)$ (D. Kingma and M. Welling, 2014).

# %%
import time
import timeit

import matplotlib.pyplot as plt
import numpy as np
from scipy.optimize import minimize

import autotiny as at

plt.style.use("figures.mplstyle")

effect = np.array([28.0, 8, -3, 7, -1, 1, 18, 12])
error = np.array([15.0, 10, 16, 11, 9, 11, 10, 18])


def log_normal(x, mean, variance):
    return -((x - mean) ** 2) / (2 * variance) - np.log(2 * np.pi * variance) / 2


def log_joint(z):
    """log p(y, z), for any number of points z = (mu, log tau) in the last axis."""
    mu, log_tau = z[..., 0], z[..., 1]
    tau = np.exp(log_tau)
    likelihood = log_normal(effect, mu[..., None], error**2 + tau[..., None] ** 2)
    prior = log_normal(mu, 0, 25) + np.log(2 / np.pi / 5 / (1 + (tau / 5) ** 2)) + log_tau
    return np.sum(likelihood, axis=-1) + prior


# %% [markdown]
# ## The gradient
#
# Whoever does this by hand needs the score of every model that they try. Here it is a dozen terms, and easily got wrong. `at.compare`
# holds it against autograd and against numbers:


# %%
def score(z):
    mu, tau = z[0], np.exp(z[1])
    variance = error**2 + tau**2
    r = effect - mu
    by_mu = np.sum(r / variance) - mu / 25
    by_log_tau = np.sum(r**2 / variance**2 - 1 / variance) * tau**2 + 1 - 2 * tau**2 / (25 + tau**2)
    return np.array([by_mu, by_log_tau])


report = at.compare(log_joint, score, np.array([4.0, 1.0]))
assert report.ok
report.ok

# %% [markdown]
# ## A normal distribution
#
# $z = m + L \varepsilon$ with a lower triangular $L$. The samples $\varepsilon$ are drawn once and kept, so that the bound is a plain
# function of $\lambda$, which any optimiser takes (R. Giordano, M. Ingram and T. Broderick, 2024). A $q$ is a function
# that returns the samples, and the logarithm of its Jacobian's determinant there: $\log q(z) = \log \mathcal N(\varepsilon) - \log|\partial z/\partial\varepsilon|$.

# %%
eps = np.random.default_rng(1).normal(size=(400, 2))
eps = np.concatenate([eps, -eps])  # in pairs, so that the mean is exactly 0


def normal(params, eps):
    m_mu, m_tau, log_sd_tau, slope, log_sd_mu = params
    log_tau = m_tau + np.exp(log_sd_tau) * eps[:, 1]
    mu = m_mu + slope * eps[:, 1] + np.exp(log_sd_mu) * eps[:, 0]
    return np.stack([mu, log_tau], axis=1), log_sd_tau + log_sd_mu


def elbo(params, q, eps):
    z, log_det = q(params, eps)
    return np.mean(log_joint(z) + log_det - np.sum(log_normal(eps, 0, 1), axis=1))


# %% [markdown]
# ## A distribution that bends
#
# Where the schools are alike ($\log\tau$ small), $\mu$ is known better: the posterior is a funnel with a long neck. Let the mean and the spread of $\mu$ depend on
# $\varepsilon_2$, and let the sinh-arcsinh transformation (M. C. Jones and A. Pewsey, 2009) make $\log\tau$ skewed and heavy-tailed.


# %%
def funnel(params, eps):
    m_mu, m_tau, log_sd_tau, slope, log_sd_mu, skew, log_tail, widening, bend = params
    e = eps[:, 1]
    u = (np.arcsinh(e) + skew) * np.exp(log_tail)
    log_tau = m_tau + np.exp(log_sd_tau) * np.sinh(u)
    log_slope = log_sd_tau + np.log(np.cosh(u)) + log_tail - np.log(1 + e**2) / 2  # of log tau by e
    log_sd = log_sd_mu + widening * np.tanh(e)
    mu = m_mu + slope * e + bend * e**2 + np.exp(log_sd) * eps[:, 0]
    return np.stack([mu, log_tau], axis=1), log_slope + log_sd


# %% [markdown]
# A bound on the wrong Jacobian is a bound on nothing, and optimises well all the same. So the determinant is checked, too:

# %%
trial = np.linspace(-0.3, 0.5, 9)
J = at.jacobian(lambda e: funnel(trial, e[None])[0][0])(eps[0])
assert np.isclose(np.linalg.slogdet(J)[1], funnel(trial, eps[:1])[1][0], rtol=1e-14)
at.check_gradients(lambda params: elbo(params, funnel, eps[:5]), trial)

# %% [markdown]
# ## The fit
#
# With two dimensions the evidence $\log p(y)$ can be summed over a grid, so that we see how far the bound is from it: that is the divergence $\mathrm{KL}(q\,\|\,p)$.
# The bound is judged by samples that the fit has not seen.

# %%
mu, log_tau = np.meshgrid(np.linspace(-25, 35, 601), np.linspace(-8, 6, 561), indexing="ij")
grid = log_joint(np.stack([mu, log_tau], axis=-1))
cell = (mu[1, 0] - mu[0, 0]) * (log_tau[0, 1] - log_tau[0, 0])
log_evidence = np.log(np.sum(np.exp(grid)) * cell)

fresh = np.random.default_rng(2).normal(size=(100_000, 2))
fitted, programs, divergence = {}, {}, {}
for q, start in [(normal, [4, 1, 0, 0, 1]), (funnel, [4, 1, 0, 0, 1, 0, 0, 0, 0])]:
    programs[q] = at.compile(at.value_and_grad(lambda params, q=q: -elbo(params, q, eps)))
    fitted[q] = minimize(programs[q], np.array(start, float), jac=True, method="BFGS").x
    divergence[q] = log_evidence - elbo(fitted[q], q, fresh)
    mean = q(fitted[q], fresh)[0].mean(axis=0)
    print(f"{q.__name__:>7}: divergence {divergence[q]:.3f}, mean of mu {mean[0]:.1f}, of log tau {mean[1]:.1f}")

density = np.exp(grid - log_evidence)
true_mean = np.sum(density * mu) * cell, np.sum(density * log_tau) * cell
print(f"by the grid: {'':>12} mean of mu {true_mean[0]:.1f}, of log tau {true_mean[1]:.1f}")
assert 0.07 < divergence[normal] < 0.1
assert 0 < divergence[funnel] < 0.01


# %% tags=["varies"]
def microseconds(f):
    return 1e6 * min(timeit.repeat(lambda: f(fitted[funnel]), number=5, repeat=20, timer=time.process_time)) / 5


plain = microseconds(lambda params: elbo(params, funnel, eps))
for name, f in {
    "recorded": at.value_and_grad(lambda params: -elbo(params, funnel, eps)),
    "compiled": programs[funnel],
}.items():
    print(f"bound and gradient, {name}: {microseconds(f):4.0f} µs, {microseconds(f) / plain:.1f} times the bound alone")


# %%
def density_of(q, size=121):
    """The density of q at images of a grid of epsilon."""
    e = np.stack(np.meshgrid(*2 * [np.linspace(-3.5, 3.5, size)]), axis=-1).reshape(-1, 2)
    z, log_det = q(fitted[q], e)
    return z[:, 0], z[:, 1], np.exp(np.sum(log_normal(e, 0, 1), axis=1) - log_det)


figure, (*panels, schools) = plt.subplots(1, 3)
for axes, q in zip(panels, fitted, strict=True):
    levels = density.max() * np.array([0.01, 0.05, 0.2, 0.5, 0.8])
    axes.contourf(mu, log_tau, density, np.append(levels, 1), colors=plt.cm.Blues([0.15, 0.3, 0.45, 0.6, 0.75]))
    axes.tricontour(*density_of(q), levels, colors="C1", linewidths=1.2)
    axes.set(title=f"posterior, and {q.__name__} in red", xlabel="mean effect µ", xlim=(-12, 20), ylim=(-5, 4.5))
panels[0].set_ylabel("log τ")

z = funnel(fitted[funnel], fresh)[0]
weight = 1 / (1 + error**2 * np.exp(-2 * z[:, 1:]))  # of the school's own number
theta = (
    weight * effect
    + (1 - weight) * z[:, :1]
    + error * np.sqrt(weight) * np.random.default_rng(3).normal(size=(len(z), 8))
)
place = np.arange(8)
schools.errorbar(effect, place + 0.15, xerr=error, fmt="o", color="0.6", markersize=4, label="as reported")
schools.errorbar(
    theta.mean(axis=0), place - 0.15, xerr=theta.std(axis=0), fmt="o", color="C1", markersize=4, label="after pooling"
)
schools.set(title="Effects on the schools", xlabel="points", yticks=place, yticklabels="ABCDEFGH", ylim=(9, -0.6))
schools.legend(loc="lower right")
plt.show()

# %% [markdown]
# A normal distribution cuts off the neck of the funnel. It is also too narrow: the divergence punishes what lies outside the posterior and forgives what is missing.
#
# ## To try
#
# 1. Fit with 20 samples instead of 800. How good does the bound look, and how good is it?
# 2. Replace the half-Cauchy prior by another one. Which line of the fit has to change? (None.)
# 3. Maximise the normalised density at one point (`at.hessian` gives Laplace's approximation there). Does it do better than `normal`?
