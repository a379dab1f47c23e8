"""The factorisation A = Q R into orthonormal columns and a triangle.

The rules are those of M. Seeger, A. Hetzel, Z. Dai, E. Meissner and N. D. Lawrence, "Auto-differentiating linear
algebra", 2017, section 4, and, for matrices with more columns than rows, J. Roberts and L. Roberts, "QR and LQ
decomposition matrix backpropagation algorithms for square, wide, and deep matrices", 2020.
"""

from typing import Any

import numpy as np

from autotiny.errors import UnsupportedError
from autotiny.ops.outputs import define_outputs
from autotiny.ops.singular_values import of_first
from autotiny.ops.spectra import inverse, matrices
from autotiny.ops.table import Array, conj, is_complex, mT


def from_lower(m: Array) -> Array:
    """Return the Hermitian matrix that has this lower triangle."""
    whole = np.tril(m) + mT(conj(np.tril(m, -1)))
    return (whole + mT(conj(whole))) / 2 if is_complex(m) else whole  # whose diagonal is real


def qr(a: Array, mode: Any = "reduced") -> Any:
    """Q and R of A = Q R; R alone in mode 'r'."""
    if mode == "raw":
        raise UnsupportedError("qr: mode 'raw', LAPACK's own factors, has no gradient rule; use 'reduced'")
    return np.linalg.qr(a, mode) if mode != "reduced" else np.linalg.qr(a)


def qr_back(g: Any, y: Any, x: Array, mode: str = "reduced") -> Array:
    """Ā = (Q̄ + Q copyltu(R R̄ᵀ - Q̄ᵀ Q)) R⁻ᵀ for a real A = Q R; copyltu makes the lower triangle a symmetric matrix.

    With more columns than rows, A = [B, C] = Q [U, V], B̄ is this for Q̄ + C V̄ᵀ, and C̄ = Q V̄. R has a real diagonal.
    """
    k = min(x.shape[-2:])
    if mode == "r":
        g, y = (np.zeros((*x.shape[:-1], k), x.dtype), g), np.linalg.qr(x)
    (q_bar, r_bar), (q, r) = g, y
    q_bar, q = of_first(q_bar, q, k)
    square_bar, square = (m if m.shape[-2:] == (k, k) else m[..., :k, :k] for m in (r_bar, r))
    wide = x.shape[-1] > k
    if wide:
        q_bar = q_bar + conj(x[..., k:]) @ mT(conj(r_bar[..., k:]))
    q = conj(q)
    turning = from_lower(conj(square) @ mT(conj(square_bar)) - mT(conj(q_bar)) @ q)
    first = (q_bar + q @ turning) @ mT(inverse(square))
    return np.concatenate([first, q @ r_bar[..., k:]], axis=-1) if wide else first


define_outputs(
    np.linalg.qr,
    qr_back,
    forward=qr,
    traits="mixes smooth unbounded fills",
    used=matrices,
    words="orthonormal columns and a triangle: triangular solves",
)
