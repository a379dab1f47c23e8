"""Attention, embeddings and dropout."""

import math
from typing import Any

import numpy as np

from autotiny.engine.recording import value_of
from autotiny.errors import ShapeError, UnsupportedError
from autotiny.nn.arguments import as_array
from autotiny.nn.shapes import Value, axis_of, described, real
from autotiny.ops.activations import softmax


def scaled_dot_product_attention(Q: Any, K: Any, V: Any, mask: Any = None, *, causal: bool = False) -> Value:
    """softmax(Q Kᵀ / √d) V, the softmax over the keys (Vaswani et al., 2017, eq. 1).

    Q (..., n, d), K (..., k, d), V (..., k, v): a position per row, as in the paper; axes in front are examples and
    heads. Returns (..., n, v).

    mask : truth values of a shape that broadcasts to (..., n, k), False where a query must not see a key; or numbers
        that are added to Q Kᵀ / √d.
    causal : query i sees the keys 0 to i only.

    With A = softmax(S): dV = Aᵀ dY, dS = A (dA - sum(dA A)) for dA = dY Vᵀ, dQ = dS K / √d, dK = dSᵀ Q / √d.

    Raises ShapeError where the shapes do not fit, or where a query may see no key at all.

    >>> scaled_dot_product_attention([[0.0]], [[1.0], [2.0]], [[3.0], [5.0]])  # all keys alike: the mean of V
    array([[4.]])
    """
    layer = "scaled_dot_product_attention"
    Q, K, V = real(layer, Q=Q, K=K, V=V)
    if min(Q.ndim, K.ndim, V.ndim) < 2 or Q.shape[-1] != K.shape[-1] or K.shape[-2] != V.shape[-2]:
        raise ShapeError(
            f"{layer}: expected Q (..., n, d), K (..., k, d) and V (..., k, v); got {described('Q', Q)}, "
            f"{described('K', K)} and {described('V', V)}"
        )
    if Q.shape[-2] and not K.shape[-2]:
        raise ShapeError(f"{layer}: {described('K', K)} holds no keys, so no query may see one")
    S = Q @ K.mT / math.sqrt(Q.shape[-1])
    if causal:
        S = np.where(np.tri(*S.shape[-2:]) > 0, S, -np.inf)
    if mask is not None:
        S = _masked(layer, S, mask)
    return softmax(S, axis=-1) @ V


def _masked(layer: str, S: Value, mask: Any) -> Value:
    """Return the scores, -inf where a mask is False; or with numbers added."""
    mask = mask if hasattr(mask, "__array_function__") else np.asarray(mask)
    try:
        fits = np.broadcast_shapes(mask.shape, S.shape) == S.shape
    except ValueError:
        fits = False
    if not fits:
        raise ShapeError(f"{layer}: {described('mask', mask)} does not broadcast to Q Kᵀ {S.shape}")
    if mask.dtype.kind != "b":
        return S + mask
    if isinstance(mask, np.ndarray) and not np.all(np.any(np.broadcast_to(mask, S.shape), axis=-1)):
        raise ShapeError(f"{layer}: mask has a row without True: its query may see no key")
    return np.where(mask, S, -np.inf)


def embedding(ids: Any, E: Any, *, axis: int = 1) -> Value:
    """E[:, ids], a column of E (d, words) for each id: the product of E with the one-hot columns of the ids.

    The result has shape (d, *ids.shape). With axis=0 the embeddings are the rows of E (words, d), as in PyTorch, and
    the result has shape (*ids.shape, d). dE adds up dY over the places of each id.

    Raises ShapeError for ids that are not whole numbers from 0 to words - 1.

    >>> embedding([2, 0, 2], np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]))
    array([[3., 1., 3.],
           [6., 4., 6.]])
    """
    (E,) = real("embedding", E=E)
    axis = axis_of("embedding", "axis", axis, E)
    ids = value_of(ids) if hasattr(ids, "__array_function__") else as_array("embedding: ids", ids, ShapeError)
    ids = ids if np.size(ids) else ids.astype(int)  # an empty list has no type
    if ids.dtype.kind not in "iu":
        raise ShapeError(f"embedding: ids must be whole numbers; got {ids.dtype}")
    words = E.shape[axis]
    if isinstance(ids, np.ndarray) and ids.size and not 0 <= ids.min() <= ids.max() < words:
        raise ShapeError(f"embedding: ids lie in {ids.min()}..{ids.max()}; {described('E', E)} has 0..{words - 1}")
    return np.take(E, ids, axis=axis)


def dropout(X: Any, rate: float, rng: np.random.Generator, *, training: bool = True) -> Value:
    """X D / (1 - rate), where each entry of the mask D is 0 with probability `rate`, else 1; X where not training.

    The division keeps the expected value ("inverted" dropout; Srivastava et al., 2014, section 10). rng draws the
    mask: np.random.default_rng(seed). dX = dY D / (1 - rate). A program compiled with a mask would keep it, and is
    refused.

    Raises UnsupportedError for a rate outside [0, 1), or what is not a generator.

    >>> dropout(np.ones(8), 0.5, np.random.default_rng(0))
    array([2., 0., 0., 0., 2., 2., 2., 2.])
    """
    (X,) = real("dropout", X=X)
    if isinstance(rate, bool) or not isinstance(rate, int | float | np.number) or not 0 <= rate < 1:
        raise UnsupportedError(f"dropout: rate must be a number of at least 0 and below 1; got {rate!r}")
    if not isinstance(rng, np.random.Generator):
        raise UnsupportedError(
            f"dropout: rng must be a generator such as np.random.default_rng(0); got {type(rng).__name__}"
        )
    if not training or rate == 0:
        return X
    D = rng.random(X.shape) >= rate
    return X * (D / (1 - rate)).astype(X.dtype)
