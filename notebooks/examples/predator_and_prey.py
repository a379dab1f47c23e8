# %% [markdown]
# # Fitting a differential equation: the hare and the lynx
#
# **Problem.** For two hundred years the Hudson's Bay Company counted the pelts that trappers brought in. The numbers of snowshoe hares, $u$, and of
# lynxes, $v$, go up and down together, the lynx behind the hare. A. Lotka (1925) and V. Volterra (1926) explain it: hares multiply and are eaten, lynxes multiply by
# eating and starve without,
#
# $$\dot u = (\alpha - \beta v)\, u, \qquad \dot v = (\delta u - \gamma)\, v.$$
#
# Which rates $\alpha, \beta, \gamma, \delta$ and which populations in 1900 fit the counts of 1900 to 1920 best (C. Elton and M. Nicholson, 1942; B. Carpenter, *Predator-prey population dynamics*,
# 2018)? The solver is part of the function that is differentiated: every Runge-Kutta step is recorded.

# %%
import os
import time
import timeit

os.environ["OPENBLAS_NUM_THREADS"] = "1"
import matplotlib.pyplot as plt
import numpy as np
from scipy.optimize import minimize

import autotiny as at

plt.style.use("figures.mplstyle")

hares = [
    30.0, 47.2, 70.2, 77.4, 36.3, 20.6, 18.1, 21.4, 22.0, 25.4, 27.1,
    40.3, 57.0, 76.6, 52.3, 19.5, 11.2, 7.6, 14.6, 16.2, 24.7,
]  # fmt: skip
lynxes = [
    4.0, 6.1, 9.8, 35.2, 59.4, 41.7, 19.0, 13.0, 8.3, 9.1, 7.4,
    8.0, 12.3, 19.5, 45.7, 51.1, 29.7, 15.8, 9.7, 10.1, 8.6,
]  # fmt: skip
pelts = np.stack([hares, lynxes], axis=1)  # thousands, by year
years = np.arange(1900, 1921)

# %% [markdown]
# ## The equation and its solver
#
# In matrix form $\dot z = z * (r + A z)$ with $r = (\alpha, -\gamma)$. The parameters are positive, so we work with their logarithms. The classical Runge-Kutta method, four steps a year.


# %%
STEPS = 4  # a year


def rates(z, r, A):
    return z * (r + A @ z)


def runge_kutta(f, z, h, *args):
    k1 = f(z, *args)
    k2 = f(z + h / 2 * k1, *args)
    k3 = f(z + h / 2 * k2, *args)
    k4 = f(z + h * k3, *args)
    return z + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)


def simulate(log_params, years=20):
    """The populations, from the beginning of 1900, after each step."""
    alpha, beta, gamma, delta, hare, lynx = np.exp(log_params)
    r = np.stack([alpha, -gamma])
    A = np.stack([0, -beta, delta, 0]).reshape(2, 2)
    z = np.stack([hare, lynx])
    path = [z]
    for _ in range(years * STEPS):
        z = runge_kutta(rates, z, 1 / STEPS, r, A)
        path.append(z)
    return np.stack(path)


def loss(log_params):
    """Counts err by a factor, so logarithms are compared."""
    return np.mean((np.log(simulate(log_params)[::STEPS]) - np.log(pelts)) ** 2)


guess = np.log([0.5, 0.02, 1.0, 0.02, 30.0, 4.0])
simulate(guess)[:: 5 * STEPS].round(1)

# %% [markdown]
# ## The gradient, and the textbook's
#
# The textbook derives the *sensitivity equations*: $S = \partial z/\partial\theta$ obeys $\dot S = \frac{\partial f}{\partial z} S + \frac{\partial f}{\partial\theta}$, six times two
# more equations to solve beside the two. Solved by the same method, they give the gradient of the same discrete solution, so that both agree up to rounding.


# %%
def with_sensitivities(zS, params):
    alpha, beta, gamma, delta = params
    (u, v), S = zS[:2], zS[2:].reshape(2, 6)
    by_z = np.array([[alpha - beta * v, -beta * u], [delta * v, delta * u - gamma]])
    by_params = np.array([[u, -u * v, 0, 0, 0, 0], [0, 0, -v, u * v, 0, 0]])
    return np.concatenate([[(alpha - beta * v) * u, (delta * u - gamma) * v], (by_z @ S + by_params).ravel()])


def gradient_by_hand(log_params):
    params = np.exp(log_params)
    start = np.zeros((2, 6))
    start[:, 4:] = np.eye(2)
    zS = np.concatenate([params[4:], start.ravel()])
    gradient = np.zeros(6)
    for year, counted in enumerate(pelts):
        z, S = zS[:2], zS[2:].reshape(2, 6)
        gradient += 2 * (np.log(z) - np.log(counted)) / z @ S / pelts.size
        for _ in range(STEPS if year < 20 else 0):
            zS = runge_kutta(with_sensitivities, zS, 1 / STEPS, params[:4])
    return gradient * params


report = at.compare(loss, gradient_by_hand, guess)
assert report.ok
report.ok

# %% [markdown]
# Two thousand operations were recorded for that. Compiled, they and their gradient are eleven thousand short lines of NumPy:

# %% tags=["varies"]
recorded = at.value_and_grad(loss)
start = time.process_time()
compiled = at.compile(recorded)
compiled(guess)
print(f"compiling: {time.process_time() - start:.1f} s, {len(compiled.source.splitlines())} lines")


def milliseconds(f):
    return 1e3 * min(timeit.repeat(lambda: f(guess), number=1, repeat=10, timer=time.process_time))


plain = milliseconds(loss)
for name, f in {"by hand, sensitivities": gradient_by_hand, "recorded": recorded, "compiled": compiled}.items():
    print(f"{name:>22}: {milliseconds(f):5.1f} ms, {milliseconds(f) / plain:4.1f} times the simulation alone")

# %% [markdown]
# ## The fit
#
# The inverse of the Gauss-Newton matrix $J^T J / s^2$, with the Jacobian of all residuals, tells how well each parameter is known. Carpenter's estimates by Markov chains, with
# priors, are beside ours.

# %%
fit = minimize(compiled, guess, jac=True, method="BFGS")
best = fit.x
J = at.jacobian(lambda p: np.log(simulate(p)[::STEPS]).ravel())(best)
variance = pelts.size * fit.fun / (pelts.size - 6)
covariance = variance * np.linalg.inv(J.T @ J)
carpenter = [(0.545, 0.064), (0.028, 0.004), (0.803, 0.092), (0.024, 0.004), (33.956, 2.909), (5.949, 0.534)]
print("                  least squares       Carpenter")
for name, value, deviation, (mean, sd) in zip(
    "αβγδuv", np.exp(best), np.sqrt(np.diag(covariance)), carpenter, strict=True
):
    print(f"{name:>16}{value:8.3f} ± {value * deviation:.3f}{mean:9.3f} ± {sd:.3f}")
    assert abs(value - mean) < sd
print(f"counts err by {100 * np.sqrt(variance):.0f} %")

# %%
figure, (left, right) = plt.subplots(1, 2, width_ratios=(1.8, 1))
when = 1900 + np.arange(30 * STEPS + 1) / STEPS
rng = np.random.default_rng(0)
samples = np.array([simulate(p, years=30) for p in rng.multivariate_normal(best, covariance, size=60)])
for i, (name, colour) in enumerate([("hares", "C0"), ("lynxes", "C1")]):
    left.plot(when, samples[..., i].T, color=colour, alpha=0.07, linewidth=1)
    left.plot(when, simulate(best, years=30)[:, i], color=colour)
    left.plot(years, pelts[:, i], "o", color=colour, markeredgecolor="white", markersize=6, label=name)
left.axvspan(1920.5, 1930, color="0.95", zorder=0)
left.set(
    title="Pelts, the fitted equation, and others that fit nearly as well",
    xlabel="year",
    ylabel="thousands",
    xlim=(1899.5, 1930),
    ylim=(0, 95),
)
left.legend(loc="upper left", ncols=2)
alpha, beta, gamma, delta = np.exp(best[:4])
u, v = np.meshgrid(np.linspace(4, 95, 200), np.linspace(3, 75, 200))
invariant = delta * u - gamma * np.log(u) + beta * v - alpha * np.log(v)
right.contour(u, v, invariant, 12, colors="0.85", linewidths=0.8, zorder=0)
right.plot(*simulate(best).T, color="C0")
points = right.scatter(*pelts.T, c=years, cmap="viridis", s=22)
right.plot(*pelts.T, color="0.6", linewidth=0.7)
figure.colorbar(points, ax=right, ticks=[1900, 1910, 1920])
right.set(title="Around in circles", xlabel="hares", ylabel="lynxes")
plt.show()

# %% [markdown]
# The grey lines are the levels of $\delta u - \gamma \log u + \beta v - \alpha \log v$, which the equation conserves: populations go around in circles. How well does the solver keep it?


# %%
def conserved(z):
    return delta * z[..., 0] - gamma * np.log(z[..., 0]) + beta * z[..., 1] - alpha * np.log(z[..., 1])


drift = np.ptp(conserved(simulate(best))) / np.ptp(conserved(pelts))
assert drift < 1e-3
f"{drift:.0e} of the spread among the counts"

# %% [markdown]
# ## To try
#
# 1. Start from $\alpha = 1$. Where does the fit end, and why? Fit the first six years first, then all.
# 2. Euler's method instead of Runge-Kutta, with the same number of steps. The gradient is still exact. Of what?
# 3. Let hares compete for food, $-\kappa u^2$. Does it fit better?
