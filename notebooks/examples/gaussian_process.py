# %% [markdown]
# # Gaussian process regression: carbon dioxide, and what the data cannot tell
#
# **Problem.** Carbon dioxide has been measured at Mauna Loa, Hawaii, since 1958. A Gaussian process takes the whole curve as one
# draw $y \sim \mathcal N(0, K_\theta)$, whose covariance says what the curve is made of: a slow trend, a season that changes over decades,
# slower irregularities, and noise. The parameters $\theta$ are those that make the data most probable: they maximise the log evidence
#
# $$E(\theta) = \log p(y \mid \theta) = -\tfrac12\left( y^T K_\theta^{-1} y + \log\det K_\theta + n \log 2\pi \right).$$
#
# The model is that of C. E. Rasmussen and C. K. I. Williams, *Gaussian Processes for Machine Learning*, 2006, section 5.4.3. The
# data (C. D. Keeling and T. P. Whorf, 2004) end in 2001. The years since then have been measured, too, so forecasts can be judged.

# %%
import os
import time
import timeit

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # so that times can be compared
import matplotlib.pyplot as plt
import numpy as np
from scipy.optimize import minimize

import autotiny as at
from autotiny.scipy.linalg import solve_triangular

plt.style.use("figures.mplstyle")

year, month, co2 = np.loadtxt("data/mauna_loa.csv", delimiter=",", skiprows=3, unpack=True)
t = year + (month - 0.5) / 12
y = co2 - co2.mean()
f"{len(y)} months from {t[0]:.1f} to {t[-1]:.1f}, between {co2.min():.0f} and {co2.max():.0f} ppm"

# %% [markdown]
# ## The model
#
# A sum of four covariances; $\theta$ holds the logarithms of the parameters, so that all of them stay positive. The book has no
# parabola; we shall want one.


# %%
def parts(theta, t, s):
    """The covariances of trend, season, irregularities and residual, between the times t and s."""
    a1, l1, a2, l2, p2, a3, l3, k3, a4, l4, _, *parabola = np.exp(theta)
    dt = t[:, None] - s
    trend = a1**2 * np.exp(-(dt**2) / (2 * l1**2))
    season = a2**2 * np.exp(-(dt**2) / (2 * l2**2) - 2 * np.sin(np.pi * dt) ** 2 / p2**2)
    irregular = a3**2 * (1 + dt**2 / (2 * k3 * l3**2)) ** -k3
    residual = a4**2 * np.exp(-(dt**2) / (2 * l4**2))
    for c in parabola:
        trend = trend + c**2 * (1 + (t[:, None] - 1980) * (s - 1980) / 400) ** 2
    return trend, season, irregular, residual


def covariance(theta, t):
    """The covariance of the data, which bear white noise besides."""
    return sum(parts(theta, t, t)) + np.exp(2 * theta[10]) * np.eye(len(t))


def evidence(theta):
    """The log evidence by Cholesky's factor, K = L Lᵀ: no inverse, and a determinant that cannot overflow."""
    L = np.linalg.cholesky(covariance(theta, t))
    a = solve_triangular(L, y, lower=True)
    return -(a @ a + len(y) * np.log(2 * np.pi)) / 2 - np.sum(np.log(np.diagonal(L)))


# %% [markdown]
# ## The gradient, and the textbook's
#
# The book derives it by hand (equation 5.9): $\partial E/\partial K = \tfrac12(\alpha\alpha^T - K^{-1})$ with $\alpha = K^{-1} y$, to be
# multiplied by $\partial K/\partial\theta_j$ for each of the eleven parameters. Let the engine derive it from the formula of the evidence, for a few months:

# %%
book = np.log([66, 67, 2.4, 90, 1.3, 0.66, 1.2, 0.78, 0.18, 0.133, 0.19])
z = y[:12]
K = at.Tensor(covariance(book, t[:12]))
E = -(z @ np.linalg.inv(K) @ z + np.linalg.slogdet(K)[1] + len(z) * np.log(2 * np.pi)) / 2
at.derive(E, K)

# %% [markdown]
# That is it. Held against the book's formula, and against differences:

# %%
alpha = np.linalg.solve(K.data, z)
report = at.compare(E, {K: (np.outer(alpha, alpha) - np.linalg.inv(K.data)) / 2})
assert report.ok
report.ok

# %% [markdown]
# ## The fit
#
# `at.compile` turns the evidence and its gradient into one program of NumPy, and SciPy's L-BFGS does the rest.


# %%
def fit(start):
    program = at.compile(at.value_and_grad(lambda theta: -evidence(theta)))
    found = minimize(program, start, jac=True, method="L-BFGS-B", options={"ftol": 1e-7})
    return found.x, -found.fun, program


theta, best, program = fit(book)
assert abs(best - -114.5) < 0.1
print(f"log evidence {evidence(book):.1f} with the book's parameters, {best:.1f} with the best ones")

# %% [markdown]
# The book had two more years of data, and found $-108.5$ with nearly the same parameters:

# %%
NAMES = [
    "trend, ppm", "over years", "season, ppm", "over years", "smoothness", "irregular, ppm", "over years", "shape",
    "residual, ppm", "over years", "noise, ppm",
]  # fmt: skip
print(f"{'':>14} {'here':>7} {'book':>7}")
for name, here, there in zip(NAMES, np.exp(theta), np.exp(book), strict=True):
    print(f"{name:>14} {here:7.2g} {there:7.2g}")

# %% [markdown]
# What does a gradient cost? By hand one would fill eleven matrices of derivatives.


# %% tags=["varies"]
def milliseconds(f):
    return 1e3 * min(timeit.repeat(lambda: f(theta), number=1, repeat=3, timer=time.process_time))


plain = milliseconds(evidence)
for name, f in {"recorded": at.value_and_grad(evidence), "compiled": program}.items():
    print(
        f"evidence and gradient, {name}: {milliseconds(f):3.0f} ms, {milliseconds(f) / plain:.1f} times the evidence alone"
    )

# %% [markdown]
# ## Two forecasts
#
# Let us add a parabola to the trend, and fit again, from a weaker and quicker trend of the old kind.

# %%
with_parabola, better, _ = fit(np.append(theta, np.log(10)) - np.log([4] + [4] + [1] * 10))
assert abs(better - best) < 0.5
print(f"log evidence {best:.1f} without the parabola, {better:.1f} with it")

# %% [markdown]
# The data until 2001 cannot tell the two models apart. Given the data, the curve at times $t_*$ is normal with the mean
# $K_* K^{-1} y$ and the covariance $K_{**} - K_* K^{-1} K_*^T$; and what came since can tell them apart:


# %%
def forecast(theta, ahead):
    cross = parts(theta, ahead, t)
    solved = np.linalg.solve(covariance(theta, t), np.column_stack([y, sum(cross).T]))
    variance = np.diagonal(sum(parts(theta, ahead, ahead))) - np.sum(sum(cross) * solved[:, 1:].T, axis=1)
    return co2.mean() + sum(cross) @ solved[:, 0], 2 * np.sqrt(variance), cross[1] @ solved[:, 0]


measured = np.array([  # annual means of 2002 to 2023, NOAA Global Monitoring Laboratory
    373.45, 375.98, 377.70, 379.98, 382.09, 384.02, 385.83, 387.64, 390.10, 391.85, 394.06,
    396.74, 398.81, 401.01, 404.41, 406.76, 408.72, 411.65, 414.21, 416.41, 418.53, 421.08,
])  # fmt: skip
ahead = np.arange(1958, 2031, 1 / 12) + 1 / 24
forecasts = {"without a parabola": forecast(theta, ahead), "with a parabola": forecast(with_parabola, ahead)}
outside = []
for name, (mean, band, _) in forecasts.items():
    annual, doubt = (x.reshape(-1, 12)[2002 - 1958 :].mean(axis=1)[: len(measured)] for x in (mean, band))
    outside.append(np.sum(np.abs(measured - annual) > doubt))
    print(
        f"{name}: for 2023 {annual[-1]:.0f} ± {doubt[-1]:.0f} ppm, measured {measured[-1]:.0f}; {outside[-1]} of {len(measured)} years outside"
    )
assert outside[0] > 18
assert outside[1] <= 2

# %%
figure, (left, right) = plt.subplots(1, 2, width_ratios=(2.2, 1))
for (name, (mean, band, _)), colour in zip(forecasts.items(), ("C1", "C0"), strict=True):
    left.fill_between(ahead, mean - band, mean + band, alpha=0.25, linewidth=0, color=colour)
    left.plot(ahead, mean, linewidth=0.8, color=colour, label=f"foreseen {name}, ± 2 standard deviations")
left.plot(t, co2, ".", markersize=2, color="0.2", label="data, until 2001")
left.plot(np.arange(2002, 2024) + 0.5, measured, "o", markersize=3.5, color="k", label="annual means measured since")
left.axvline(t[-1], color="0.7", linewidth=0.8, zorder=0)
left.set(title="Carbon dioxide at Mauna Loa", xlabel="year", ylabel="ppm", xlim=(1958, 2030))
left.legend(loc="upper left")
months = np.arange(12) + 0.5
picture = right.contourf(
    months,
    np.arange(1958, 2031),
    forecasts["with a parabola"][2].reshape(-1, 12),
    np.arange(-4, 4.1, 0.5),
    cmap="RdBu_r",
    extend="both",
)
right.set(title="Its season, ppm", xlabel="month", ylabel="year", xticks=months, xticklabels="JFMAMJJASOND")
figure.colorbar(picture, ax=right)
plt.show()

# %% [markdown]
# A stationary trend believes that what has risen returns to its mean within decades. Evidence judges how a model explains the data; beyond
# them, the model is on its own.
#
# ## To try
#
# 1. Leave out the irregular part. How much evidence does it carry?
# 2. `at.hessian(evidence)` at the maximum gives the parameters' error bars. Which one do the data hardly determine?
# 3. Fit the data until 1980 only. Do both models hold what came?
