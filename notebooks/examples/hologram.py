# %% [markdown]
# # Wave optics: a hologram that writes a year
#
# **Problem.** A laser beam passes a plate that delays the light a little, differently at each point, and then a lens. In the lens' focal plane appears the Fourier transform of the light's complex amplitude,
#
# $$E = \mathcal F\left( b\, e^{i\varphi} \right),$$
#
# with $b$ the shape of the beam and $\varphi$ the delay. No light is taken away: the plate changes the phase only. Which $\varphi$ makes a given picture, $|E|^2 \approx A^2$? D. Gabor invented holography in
# 1948; R. Gerchberg and W. Saxton found the classic algorithm for this in 1972. J. Fienup (1982) showed that it walks downhill on
#
# $$J(\varphi) = \sum (|E| - A)^2.$$

# %%
import os
import time
import timeit

os.environ["OPENBLAS_NUM_THREADS"] = "1"
import matplotlib.pyplot as plt
import numpy as np
from scipy.optimize import minimize

import autotiny as at
from autotiny import nn

plt.style.use("figures.mplstyle")

N = 128
x, y = np.meshgrid(np.arange(N) - N / 2, np.arange(N) - N / 2)
beam = np.exp(-(x**2 + y**2) / (N / 3) ** 2)
beam /= np.linalg.norm(beam)

digits = nn.digits()
year = np.concatenate([digits.X[:, np.flatnonzero(digits.labels == d)[0]].reshape(8, 8) for d in (1, 9, 4, 8)], axis=1)
picture = np.zeros((N, N))
picture[52:76, 16:112] = np.kron(year, np.ones((3, 3)))
for axis in (0, 1):  # without the edges of the pixels
    picture = (np.roll(picture, 1, axis) + 2 * picture + np.roll(picture, -1, axis)) / 4
picture /= picture.sum()  # the energy of the beam
A = np.fft.ifftshift(np.sqrt(picture))  # frequency 0 comes first


def focal_plane(phase):
    return np.fft.fft2(beam * np.exp(1j * phase), norm="ortho")


def J(phase):
    return np.sum((np.abs(focal_plane(phase)) - A) ** 2)


# %% [markdown]
# ## The gradient, and Fienup's
#
# By hand, with $u = b\,e^{i\varphi}$ and the field corrected to the right amplitude, $\hat u = \mathcal F^{-1}(A\, E/|E|)$: the gradient by the complex amplitude is $2(u - \hat u)$,
# and that by the phase $-2 \operatorname{Im}(\bar u\, \hat u)$. For complex numbers, the engine's gradient is $\partial J/\partial \operatorname{Re} u + i\, \partial J/\partial \operatorname{Im} u$: the direction in which $J$ grows
# fastest.

# %%
rng = np.random.default_rng(0)
phase = at.Tensor(rng.uniform(-np.pi, np.pi, size=(N, N)))
u = beam * np.exp(1j * phase)
E = np.fft.fft2(u, norm="ortho")
loss = np.sum((np.abs(E) - A) ** 2)

corrected = np.fft.ifft2(A * E.data / np.abs(E.data), norm="ortho")
report = at.compare(loss, {u: 2 * (u.data - corrected), phase: -2 * np.imag(np.conj(u.data) * corrected)})
assert report.ok
report.ok

# %% [markdown]
# ## Gerchberg and Saxton
#
# Their step takes the phase of $\hat u$. Then $\bar u\, \hat u$ is real where the algorithm stands still: a point where the gradient vanishes. The start is a lens, which spreads the light over the picture.

# %%
lens = np.pi / N * (0.7 * x**2 + 0.18 * y**2)
classic, history = lens, []
for _ in range(100):
    E = focal_plane(classic)
    classic = np.angle(np.fft.ifft2(A * E / np.abs(E), norm="ortho"))
    history.append(J(classic))
assert np.all(np.diff(history) < 0)
print(f"J = {J(lens):.2f} at the start, {history[0]:.2f} after one step, {history[-1]:.3f} after 100")

# %% [markdown]
# ## Another loss is another line
#
# What remains is *speckle*: light of random phase interferes with itself. A projection cannot do better, a gradient can, since the loss is ours to choose. Let only the window around the year count,
# let a part of the light go elsewhere, and compare intensities.

# %%
window = np.fft.ifftshift((np.abs(y) < 24) & (np.abs(x) < 56))
wanted = 0.6 * A**2


def in_window(phase):
    difference = np.abs(focal_plane(phase)) ** 2 - wanted
    return np.sum(difference[window] ** 2) / np.sum(wanted**2)


recorded = at.value_and_grad(lambda flat: in_window(flat.reshape(N, N)))
compiled = at.compile(recorded)
fit = minimize(compiled, classic.ravel(), jac=True, method="L-BFGS-B")
best = fit.x.reshape(N, N)


def quality(phase):
    """The part of the light in the window, and how far its picture is off, relative to the picture."""
    light = np.abs(focal_plane(phase)) ** 2
    scaled = light[window] / light[window].sum()
    return light[window].sum(), np.linalg.norm(scaled - A[window] ** 2) / np.linalg.norm(A**2)


for name, plate in {"Gerchberg and Saxton": classic, "gradient": best}.items():
    used, off = quality(plate)
    print(f"{name:>20}: {used:.0%} of the light is in the window, its picture is off by {off:.1%}")
assert quality(best)[1] < 0.06 < 0.15 < quality(classic)[1]


# %% tags=["varies"]
def milliseconds(f):
    return 1e3 * min(timeit.repeat(lambda: f(fit.x), number=1, repeat=10, timer=time.process_time))


plain = milliseconds(lambda flat: in_window(flat.reshape(N, N)))
print(f"{fit.nfev} gradients; the loss alone {plain:.1f} ms")
for name, f in {"recorded": recorded, "compiled": compiled}.items():
    print(f"with the gradient, {name}: {milliseconds(f):.1f} ms, {milliseconds(f) / plain:.1f} times that")

# %%
figure, axes = plt.subplots(1, 3, figsize=(9, 3.4))
axes[0].imshow(best % (2 * np.pi), cmap="twilight")
axes[0].set_title("the plate: its phase")
for panel, (title, plate) in zip(
    axes[1:], {"Gerchberg and Saxton": classic, "gradient, in a window": best}.items(), strict=True
):
    light = np.fft.fftshift(np.abs(focal_plane(plate)) ** 2)
    panel.imshow(light, cmap="inferno", vmin=0, vmax=(1 if plate is classic else 0.65) * picture.max())
    panel.set_title(title)
for panel in axes:
    panel.set_xticks([])
    panel.set_yticks([])
    panel.spines[:].set_visible(False)
plt.show()

# %% [markdown]
# ## To try
#
# 1. More light: replace 0.6 by 0.9. When does speckle come back?
# 2. A plate with eight levels of phase only. Round `best`, and look; then add $\sum \sin^2(4\varphi)$ to the loss, slowly.
# 3. Two pictures in two planes: Fresnel's propagation multiplies the Fourier transform by $e^{i \kappa (x^2 + y^2)}$. The loss is a sum.
