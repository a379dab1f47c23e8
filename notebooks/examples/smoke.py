# %% [markdown]
# # Fluid: how to stir so that smoke forms a picture
#
# **Problem.** A disc of smoke floats in a square of fluid. Which swirls, at the beginning only, carry it so that after a while it forms a given
# picture? A fluid without friction moves by L. Euler's equations (1757), here for the vorticity $\omega = \partial_x v - \partial_y u$: it is carried along by the
# velocity $(u, v)$ that it makes itself, and so is the smoke $s$,
#
# $$\frac{\partial \omega}{\partial t} + (u, v) \cdot \nabla \omega = 0, \qquad \frac{\partial s}{\partial t} + (u, v) \cdot \nabla s = 0, \qquad \nabla^2 \psi = -\omega,
# \quad u = \frac{\partial\psi}{\partial y}, \quad v = -\frac{\partial\psi}{\partial x}.$$
#
# The solver is semi-Lagrangian (J. Stam, *Stable fluids*, 1999). To control a fluid by the gradient of a solver is due to A. McNamara, A. Treuille, Z. Popović and J. Stam, 2004;
# they wrote the adjoint by hand. HIPS autograd has such an example, too.

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

N, STEPS = 64, 16
x, y = np.meshgrid(np.arange(N), np.arange(N), indexing="ij")

# %% [markdown]
# ## The solver
#
# The square is a torus: what leaves on one side comes in on the other. Poisson's equation is solved in the eigenvectors of
# the second difference (R. Lynch, J. Rice and D. Thomas, 1964), derivatives are differences of neighbours, and a step of advection
# asks where each point came from, and interpolates there between four neighbours.

# %%
eigenvalues, Q = np.linalg.eigh(np.roll(np.eye(N), 1, axis=0) + np.roll(np.eye(N), -1, axis=0) - 2 * np.eye(N))
laplacian = eigenvalues[:, None] + eigenvalues
inverse = np.divide(-1, laplacian, where=laplacian < -1e-9, out=np.zeros((N, N)))


def in_eigenvectors(factors, field):
    return Q @ (factors * (Q.T @ field @ Q)) @ Q.T


def velocity(vorticity):
    psi = in_eigenvectors(inverse, vorticity)
    u = (np.roll(psi, -1, axis=1) - np.roll(psi, 1, axis=1)) / 2
    v = (np.roll(psi, 1, axis=0) - np.roll(psi, -1, axis=0)) / 2
    return u, v


def advect(field, u, v):
    from_x, from_y = x - u, y - v
    i, j = np.floor(from_x).astype(int), np.floor(from_y).astype(int)
    a, b = from_x - i, from_y - j
    left, right, below, above = i % N, (i + 1) % N, j % N, (j + 1) % N
    at_left = (1 - b) * field[left, below] + b * field[left, above]
    at_right = (1 - b) * field[right, below] + b * field[right, above]
    return (1 - a) * at_left + a * at_right


def simulate(vorticity, smoke):
    frames = [smoke]
    for _ in range(STEPS):
        u, v = velocity(vorticity)
        vorticity, smoke = advect(vorticity, u, v), advect(smoke, u, v)
        frames.append(smoke)
    return frames


# %% [markdown]
# ## The picture, and the loss
#
# The picture is the sign of what finds it; the disc has its area. Stirring is smooth: swirls of a pixel's size are damped. A little is charged for effort.

# %%
across, up = (y - (N - 1) / 2) / N, ((N - 1) / 2 - x) / N


def triangle(top, bottom):
    return (up < top) & (up > bottom + 1.75 * np.abs(across))


picture = 1.0 * (triangle(0.3, -0.38) & ~triangle(0.18, -0.17))
disc = at.sigmoid(1.5 * (np.sqrt(picture.sum() / np.pi) - N * np.hypot(across, up)))
smooth = 1 / (1 + laplacian / laplacian.mean())


def stirred(control):
    vorticity = in_eigenvectors(smooth, control.reshape(N, N))
    return vorticity - np.mean(vorticity)


def loss(control, smoke):
    vorticity = stirred(control)
    return np.mean((simulate(vorticity, smoke)[-1] - picture) ** 2) + 1e-7 / N * np.sum(vorticity**2)


# %% [markdown]
# ## The gradient, and the adjoint by hand
#
# The adjoint of a step of advection: what arrives at a point goes back to the four neighbours from which it came, with the same
# weights (`np.add.at`), and the velocity gets $-\nabla s$ there. `at.compare` holds that against the engine:


# %%
def adjoint(field, u, v, g):
    from_x, from_y = x - u, y - v
    i, j = np.floor(from_x).astype(int), np.floor(from_y).astype(int)
    a, b = from_x - i, from_y - j
    corners = {(p, q): ((i + p) % N, (j + q) % N) for p in (0, 1) for q in (0, 1)}
    by_field, by_u, by_v = np.zeros((3, N, N))
    for (p, q), place in corners.items():
        weight_x, weight_y = (a if p else 1 - a), (b if q else 1 - b)
        np.add.at(by_field, place, g * weight_x * weight_y)
        by_u -= g * field[place] * (1 if p else -1) * weight_y
        by_v -= g * field[place] * (1 if q else -1) * weight_x
    return by_field, by_u, by_v


rng = np.random.default_rng(0)
field, u, v = at.Tensor(disc), at.Tensor(3 * rng.normal(size=(N, N))), at.Tensor(3 * rng.normal(size=(N, N)))
g = rng.normal(size=(N, N))
J = np.sum(g * advect(field, u, v))
report = at.compare(J, dict(zip((field, u, v), adjoint(field.data, u.data, v.data, g), strict=True)))
assert report.ok
report.ok

# %% [markdown]
# ## Stirring
#
# 4096 unknowns, one number to make small. The indices of the gathers depend on the velocities; the compiled program computes them anew at each call.

# %%
recorded = at.value_and_grad(loss)
compiled = at.compile(recorded)
still = 0.01 * rng.normal(size=N * N)
fit = minimize(compiled, still, args=(disc,), jac=True, method="L-BFGS-B", options={"maxiter": 150})
before, after = compiled(still, disc)[0], fit.fun
assert after < before / 8
print(f"loss {before:.2f} before, {after:.2f} after")


# %% tags=["varies"]
def milliseconds(f):
    return 1e3 * min(timeit.repeat(lambda: f(fit.x, disc), number=1, repeat=5, timer=time.process_time))


plain = milliseconds(loss)
print(f"{fit.nit} iterations, {fit.nfev} gradients; the simulation alone {plain:.0f} ms")
for name, f in {"recorded": recorded, "compiled": compiled}.items():
    print(f"with the gradient, {name}: {milliseconds(f):3.0f} ms, {milliseconds(f) / plain:.1f} times that")

# %%
frames = simulate(stirred(fit.x), disc)
figure, axes = plt.subplots(2, 4, figsize=(9, 4.9))
vorticity = stirred(fit.x)
u, v = velocity(vorticity)
largest = np.abs(vorticity).max()
axes[0, 0].imshow(vorticity, cmap="RdBu_r", vmin=-largest, vmax=largest)
places = np.arange(3, N, 6)
axes[0, 0].quiver(*np.meshgrid(places, places), v[3::6, 3::6], -u[3::6, 3::6], color="0.25", width=0.006)
axes[0, 0].set_title("the swirls at the beginning")
for panel, step in zip(axes.flat[1:], [0, 3, 6, 9, 11, 14, 16], strict=True):
    panel.imshow(frames[step], cmap="magma", vmin=0, vmax=1)
    panel.set_title(f"step {step}")
for panel in axes.flat:
    panel.set_xticks([])
    panel.set_yticks([])
    panel.spines[:].set_visible(False)
plt.show()

# %% [markdown]
# Nobody planned it: the fluid bites into the disc, and closes the gap behind itself.
#
# ## To try
#
# 1. Another picture: any array of 64 by 64 numbers between 0 and 1.
# 2. A strip of smoke instead of the disc. Which shapes are easy to reach from it?
# 3. `np.mean(frames)` of the picture during the last four steps: let the smoke keep its shape.
