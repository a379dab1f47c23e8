# %% [markdown]
# # A Gaussian mixture: Old Faithful
#
# **Problem.** The geyser Old Faithful erupts for some minutes, then waits for an hour or so; long eruptions are followed by long waits
# (A. Azzalini and A. W. Bowman, 1990). The pairs $x_n$ fall into two clouds. A mixture of normal distributions has the log likelihood
#
# $$L = \sum_n \log \sum_k e^{T_{nk}}, \qquad T_{nk} = \log \pi_k + \log \mathcal N(x_n \mid \mu_k, \Sigma_k),$$
#
# and is usually fitted by the EM algorithm (C. M. Bishop, *Pattern Recognition and Machine Learning*, 2006, chapter 9), whose heart is the *responsibilities*: the
# probability that $x_n$ came from cloud $k$, by Bayes' theorem. Nobody has to derive them: they are the gradient of $L$.

# %%
import time
import timeit

import matplotlib.pyplot as plt
import numpy as np
from scipy.optimize import minimize

import autotiny as at

plt.style.use("figures.mplstyle")

minutes = np.loadtxt("data/faithful.csv", delimiter=",", skiprows=3)
x = (minutes - minutes.mean(axis=0)) / minutes.std(axis=0)
n, K = len(x), 2


def unpack(params):
    """The logits of the weights, the means, and roots A of the precisions, Σ⁻¹ = Aᵀ A: no constraint is left."""
    return params[:K], params[K : 3 * K].reshape(K, 2), params[3 * K :].reshape(K, 2, 2)


def terms(params, x):
    logits, means, roots = unpack(params)
    scaled = np.einsum("kij,nkj->nki", roots, x[:, None] - means)
    log_densities = np.linalg.slogdet(roots)[1] - np.sum(scaled**2, axis=2) / 2 - np.log(2 * np.pi)
    return at.log_softmax(logits, axis=0) + log_densities


def log_likelihood(params):
    return np.sum(at.logsumexp(terms(params, x), axis=1))


start = np.concatenate([np.zeros(2), [-1, 0.5, 1, -0.5], np.eye(2).ravel(), np.eye(2).ravel()])

# %% [markdown]
# ## The gradient is Bayes' theorem

# %%
params = at.Tensor(start)
T = terms(params, x)
L = np.sum(np.log(np.sum(np.exp(T), axis=1)))
at.derive(np.sum(at.logsumexp(T, axis=1)), T)

# %% [markdown]
# Held against the textbook: the responsibilities (equation 9.13), and what they make of the gradient by the means (9.16),
# $\partial L/\partial\mu_k = \sum_n r_{nk}\, \Sigma_k^{-1} (x_n - \mu_k)$.

# %%
logits, means, roots = unpack(start)
weights = at.softmax(logits, axis=0)
covariances = np.linalg.inv(roots.transpose(0, 2, 1) @ roots)
joint = np.stack([
    weights[k] * np.exp(-np.sum((x - means[k]) @ np.linalg.inv(covariances[k]) * (x - means[k]), axis=1) / 2)
    / (2 * np.pi * np.sqrt(np.linalg.det(covariances[k])))
    for k in range(K)
], axis=1)  # fmt: skip
responsibilities = joint / joint.sum(axis=1, keepdims=True)
by_means = [np.linalg.inv(covariances[k]) @ (responsibilities[:, k] @ (x - means[k])) for k in range(K)]

mu = at.Tensor(means)
of_means = np.sum(at.logsumexp(terms(np.concatenate([logits, mu.ravel(), roots.ravel()]), x), axis=1))
report = at.compare(L, {T: responsibilities}), at.compare(of_means, {mu: np.array(by_means)})
assert all(each.ok for each in report)
[each.ok for each in report]

# %% [markdown]
# ## EM is an ascent along that gradient
#
# Setting the gradients to zero, with the responsibilities held fixed, gives EM: weighted means and covariances (L. Xu and M. Jordan, 1996, show that each of its steps
# is a gradient, times a positive definite matrix). Three ways up the same hill: EM with the gradient for its E-step, plain gradient ascent, and L-BFGS.

# %%
E_step = at.grad(lambda T: np.sum(at.logsumexp(T, axis=1)))


def em(params, steps):
    path = []
    for _ in range(steps):
        r = E_step(terms(params, x))
        counts = r.sum(axis=0)
        means = r.T @ x / counts[:, None]
        centred = x[:, None] - means
        covariances = np.einsum("nk,nki,nkj->kij", r, centred, centred) / counts[:, None, None]
        roots = np.linalg.inv(np.linalg.cholesky(covariances))
        params = np.concatenate([np.log(counts / n), means.ravel(), roots.ravel()])
        path.append(log_likelihood(params))
    return params, path


recorded = at.value_and_grad(lambda params: -log_likelihood(params) / n)
compiled = at.compile(recorded)


def gradient_ascent(params, steps, rate=0.2):
    path = []
    for _ in range(steps):
        loss, gradient = compiled(params)
        params = params - rate * gradient
        path.append(-n * loss)
    return params, path


def quasi_newton(params):
    path = []
    fit = minimize(
        compiled, params, jac=True, method="L-BFGS-B", callback=lambda p: path.append(log_likelihood(p)), tol=1e-12
    )
    return fit.x, path


ways = {"EM": em(start, 100), "gradient ascent": gradient_ascent(start, 1000), "L-BFGS": quasi_newton(start)}
in_minutes = n * np.log(minutes.std(axis=0)).sum()
best, path = ways["L-BFGS"]
for name, (_, path) in ways.items():
    first = 1 + np.argmax(np.array(path) > log_likelihood(best) - 0.01)
    print(f"{name:>15}: log likelihood {path[-1] - in_minutes:.2f}, within 0.01 of the best after {first} steps")
assert np.isclose(log_likelihood(best) - in_minutes, -1130.264, atol=1e-3)  # as R's mclust finds


# %% tags=["varies"]
def microseconds(f):
    return 1e6 * min(timeit.repeat(lambda: f(best), number=5, repeat=20, timer=time.process_time)) / 5


plain = microseconds(log_likelihood)
for name, f in {"recorded": recorded, "compiled": compiled}.items():
    print(
        f"likelihood and gradient, {name}: {microseconds(f):4.0f} µs, {microseconds(f) / plain:.1f} times the likelihood alone"
    )

# %%
figure, (left, right) = plt.subplots(1, 2, width_ratios=(1.25, 1))
r = E_step(terms(best, x))
long = np.argmax(unpack(best)[1][:, 0])
grid = np.stack(np.meshgrid(np.linspace(1.2, 5.6, 200), np.linspace(38, 100, 200)), axis=-1)
density = at.logsumexp(
    terms(best, ((grid - minutes.mean(axis=0)) / minutes.std(axis=0)).reshape(-1, 2)), axis=1
).reshape(200, 200)
left.contour(
    grid[..., 0], grid[..., 1], density, density.max() - np.array([6, 4.5, 3, 2, 1, 0.3]), colors="0.7", linewidths=0.9
)
points = left.scatter(*minutes.T, c=r[:, long], cmap="coolwarm", s=14, edgecolor="white", linewidth=0.3)
figure.colorbar(points, ax=left, label="responsibility of the cloud of long eruptions")
left.set(title="Old Faithful", xlabel="eruption, minutes", ylabel="wait for the next, minutes")
for name, (_, path) in ways.items():
    right.semilogy(np.arange(1, len(path) + 1), np.maximum(log_likelihood(best) - path, 1e-9), label=name)
right.set(title="Below the best log likelihood", xlabel="steps", xscale="log", ylim=(1e-8, 1e3))
right.legend(loc="lower right")
plt.show()

# %%
logits, means, roots = unpack(best)
for k in np.argsort(means[:, 0]):
    weight, (eruption, wait) = at.softmax(logits, axis=0)[k], means[k] * minutes.std(axis=0) + minutes.mean(axis=0)
    print(f"{weight:.1%} of the eruptions last {eruption:.2f} minutes, and a wait of {wait:.0f} minutes follows")

# %% [markdown]
# ## To try
#
# 1. Three clouds. How much likelihood is gained, and is it worth six more parameters?
# 2. `at.hessian` of the log likelihood at its maximum gives standard errors that EM does not have.
# 3. Put a t distribution in place of the normal one: EM needs a new derivation, `terms` a new line.
