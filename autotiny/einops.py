"""einops on Tensors: `import autotiny.einops`, and einops.rearrange, reduce, repeat, einsum and pack take them.

einops asks the backends that it has met whether an array is theirs; importing this module enters one for Tensors, which
runs NumPy's functions and so records them.

>>> import autotiny as at
>>> import autotiny.einops
>>> from einops import rearrange, reduce
>>> image = at.Tensor([[1., 2., 3., 4.], [5., 6., 7., 8.]], name="image")
>>> pooled = reduce(image, "(h 2) (w 2) -> h w", "max")
>>> pooled.sum().backward()
>>> pooled.data, image.grad
(array([[6., 8.]]), array([[0., 0., 0., 0.],
       [0., 1., 0., 1.]]))
>>> rearrange(image, "h (w two) -> (two h) w", two=2).shape
(4, 2)

Source: A. Rogozhnikov, Einops: Clear and Reliable Tensor Manipulations with Einstein-like Notation, ICLR 2022.
"""

from typing import Any

import numpy as np

from autotiny.engine.tensor import Tensor

try:
    from einops import _backends  # the only place where einops looks for backends
except ImportError as error:
    raise ImportError("autotiny.einops needs einops: pip install einops") from error


class Backend(_backends.NumpyBackend):
    """NumPy's functions, for Tensors."""

    framework_name = __name__  # einops asks a backend once this module is imported

    def is_appropriate_type(self, tensor: Any) -> bool:
        """Whether this backend is the one for a value."""
        return isinstance(tensor, Tensor)

    def from_numpy(self, x: Any) -> Tensor:
        """Return a Tensor of an array."""
        return Tensor(x)

    def to_numpy(self, x: Tensor) -> Any:
        """Return the value alone, as einops.asnumpy promises."""
        return x.data

    def is_float_type(self, x: Tensor) -> bool:
        """Whether means of a value's entries exist."""
        return bool(np.issubdtype(x.dtype, np.inexact))
