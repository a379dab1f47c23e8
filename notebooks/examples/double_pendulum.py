# %% [markdown]
# # Mechanics: the double pendulum from its Lagrangian
#
# **Problem.** Two rods of length 1 hang from each other, with a mass of 1 at each end. How do they move? J.-L. Lagrange (1788) needs one function only, kinetic less potential
# energy (L. Landau and E. Lifshitz, *Mechanics*, § 5, problem 1):
#
# $$L(q, v) = \dot\theta_1^2 + \tfrac12 \dot\theta_2^2 + \dot\theta_1 \dot\theta_2 \cos(\theta_1 - \theta_2) + g\,(2\cos\theta_1 + \cos\theta_2),
# \qquad q = (\theta_1, \theta_2),\quad v = \dot q.$$
#
# The rest is differentiation: the equation $\frac{d}{dt} \frac{\partial L}{\partial v} = \frac{\partial L}{\partial q}$, written out by the chain rule, is
#
# $$\underbrace{\frac{\partial^2 L}{\partial v^2}}_{M}\, \dot v = \frac{\partial L}{\partial q} - \frac{\partial p}{\partial q}\, v, \qquad p = \frac{\partial L}{\partial v}.$$
#
# Textbooks fill a page with it. Here the page stays empty.

# %%
import os
import time
import timeit

os.environ["OPENBLAS_NUM_THREADS"] = "1"

import matplotlib.pyplot as plt
import numpy as np

import autotiny as at

plt.style.use("figures.mplstyle")

g = 9.81


def lagrangian(q, v):
    """Of any number of double pendulums; the last axes count them."""
    (a, b), (da, db) = q, v
    kinetic = da**2 + db**2 / 2 + da * db * np.cos(a - b)
    potential = -g * (2 * np.cos(a) + np.cos(b))
    return np.sum(kinetic - potential)


# %% [markdown]
# ## From the Lagrangian to the acceleration
#
# Pendulums do not touch each other, so derivatives of the sum are those of each. `at.jvp` differentiates along a direction: the momentum along the motion, and along each velocity for the two columns of $M$.

# %%
momentum = at.grad(lagrangian, argnums=1)
force = at.grad(lagrangian, argnums=0)


def acceleration(q, v):
    carried = at.jvp(lambda q: momentum(q, v), (q,), (v,))[1]
    one, zero = np.ones_like(v[0]), np.zeros_like(v[0])
    (m11, m21), (m12, m22) = (
        at.jvp(lambda v: momentum(q, v), (v,), (direction,))[1]
        for direction in (np.stack([one, zero]), np.stack([zero, one]))
    )
    r1, r2 = force(q, v) - carried
    return np.stack([m22 * r1 - m12 * r2, m11 * r2 - m21 * r1]) / (m11 * m22 - m12 * m21)


# %% [markdown]
# ## And the textbook's
#
# The engine writes down the momentum of the first angle, and the force on it:

# %%
a, b, da, db = at.Tensor(0.4), at.Tensor(-0.9), at.Tensor(1.2), at.Tensor(0.7)
L = lagrangian((a, b), (da, db))
print(at.derive(L, da).formula)
print(at.derive(L, a).formula)
assert at.derive(L, da).matches("2 * da + db * cos(a - b)")

# %% [markdown]
# Here is the page that stayed empty: the solved equations, for equal masses and lengths, held against `acceleration` on a thousand pendulums.


# %%
def by_hand(q, v):
    (a, b), (da, db) = q, v
    across = 3 - np.cos(2 * (a - b))
    first = -3 * g * np.sin(a) - g * np.sin(a - 2 * b) - 2 * np.sin(a - b) * (db**2 + da**2 * np.cos(a - b))
    second = 2 * np.sin(a - b) * (2 * da**2 + 2 * g * np.cos(a) + db**2 * np.cos(a - b))
    return np.stack([first, second]) / across


rng = np.random.default_rng(0)
q, v = rng.uniform(-3, 3, size=(2, 2, 1000))
np.testing.assert_allclose(acceleration(q, v), by_hand(q, v), rtol=1e-12, atol=1e-10)

forces = at.compare(
    lambda q: lagrangian(q, v[:, :8]),
    lambda q: np.stack([
        -v[0, :8] * v[1, :8] * np.sin(q[0] - q[1]) - 2 * g * np.sin(q[0]),
        v[0, :8] * v[1, :8] * np.sin(q[0] - q[1]) - g * np.sin(q[1]),
    ]),
    q[:, :8],
)  # fmt: skip
assert forces.ok
forces.ok

# %% [markdown]
# ## As fast as by hand
#
# Compiled, the second derivatives are folded into one program. On many pendulums at once it takes no longer than the textbook's solution.

# %%
compiled = at.compile(acceleration)
np.testing.assert_allclose(compiled(q, v), by_hand(q, v), rtol=1e-12, atol=1e-10)
print(compiled.source[compiled.source.index("def step") :].split("power")[0], "    ...")

# %% tags=["varies"]
many = rng.uniform(-3, 3, size=(2, 2, 10_000))


def milliseconds(f):
    return 1e3 * min(timeit.repeat(lambda: f(*many), number=1, repeat=10, timer=time.process_time))


for name, f in {"recorded": acceleration, "compiled": compiled, "by hand": by_hand}.items():
    print(f"{name}: {milliseconds(f):5.1f} ms for 10,000 pendulums")

# %% [markdown]
# ## Chaos
#
# Runge and Kutta's method moves the pendulums on. The energy, $p \cdot v - L$, is another derivative of $L$; it should stay.


# %%
def step(q, v, h):
    v1, a1 = v, compiled(q, v)
    v2, a2 = v + h / 2 * a1, compiled(q + h / 2 * v1, v + h / 2 * a1)
    v3, a3 = v + h / 2 * a2, compiled(q + h / 2 * v2, v + h / 2 * a2)
    v4, a4 = v + h * a3, compiled(q + h * v3, v + h * a3)
    return q + h / 6 * (v1 + 2 * v2 + 2 * v3 + v4), v + h / 6 * (a1 + 2 * a2 + 2 * a3 + a4)


def energy(q, v):
    return np.sum(momentum(q, v) * v) - lagrangian(q, v)


starts = np.array([[2.0, 2.0, 2.0], [2.5, 2.501, 2.502]])  # three pendulums, a thousandth apart
q, v = starts, np.zeros((2, 3))
path = [q]
for _ in range(5000):
    q, v = step(q, v, 0.002)
    path.append(q)
path = np.array(path)
drift = abs(energy(q, v) - energy(starts, 0 * v))
apart = np.ptp(path[:, 1], axis=1)
assert drift < 1e-5
assert apart[1000] < 0.01 < 10 < apart[-1]
print(f"energy {energy(q, v):.3f} J after 10 s, {energy(starts, 0 * v):.3f} J at the start")
print(f"apart by {apart[1000]:.3f} after 2 s, by {apart[4000]:.0f} after 8 s")

# %% [markdown]
# From which starts does a rod turn over, and when? Each pixel of the map is a pendulum, let go at rest: 20,000 of them at once. Where
# $2\cos\theta_1 + \cos\theta_2 > 1$, inside the black line, the energy does not suffice, whatever happens.

# %%
n = 200
across, up = np.meshgrid(np.linspace(-np.pi, np.pi, n), np.linspace(0, np.pi, n // 2))  # the other half mirrors it
q, v = np.stack([across, up]).reshape(2, -1), np.zeros((2, across.size))
turned = np.full(across.size, np.nan)
for i in range(400):
    q, v = step(q, v, 0.02)
    over = np.isnan(turned) & (np.abs(q) > np.pi).any(axis=0)
    turned[over] = 0.02 * (i + 1)
half = turned.reshape(across.shape)
turned = np.concatenate([half[:0:-1, ::-1], half])
assert not np.any(np.isfinite(half) & (2 * np.cos(across) + np.cos(up) > 1))

# %%
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 4.6))
for i, colour in enumerate(("C0", "C1", "C4")):
    tip = np.stack([np.sin(path[:, :, i]).sum(axis=1), -np.cos(path[:, :, i]).sum(axis=1)])
    left.plot(*tip, color=colour, linewidth=0.8)
    left.plot(*tip[:, -1], "o", color=colour)
left.set(title="Three pendulums, a thousandth of a radian apart", aspect="equal", xlim=(-2.1, 2.1), ylim=(-2.1, 2.1))
left.axis("off")
picture = right.imshow(turned, origin="lower", extent=(-np.pi, np.pi) * 2, cmap="twilight_shifted")
figure.colorbar(picture, ax=right, label="seconds until a rod turns over", shrink=0.8)
angles = np.linspace(-np.pi, np.pi, 200)
right.contour(angles, angles, 2 * np.cos(angles) + np.cos(angles[:, None]), [1], colors="k", linewidths=0.8)
right.set(title="Which starts turn over, and when", xlabel="θ₁ at the start", ylabel="θ₂ at the start")
plt.show()

# %% [markdown]
# ## To try
#
# 1. Another system: change `lagrangian` only. A pendulum on a spring, $L = \frac12(\dot r^2 + r^2 \dot\theta^2) + g r \cos\theta - \frac k2 (r - 1)^2$.
# 2. Without gravity $L$ depends on $\theta_1 - \theta_2$ alone. Which quantity stays constant (E. Noether, 1918)?
# 3. `at.grad` through 100 steps: how does the end depend on the start, in numbers?
