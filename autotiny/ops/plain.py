"""Functions whose result has no gradient: they see a Tensor's value, and give plain arrays and facts."""

import numpy as np

from autotiny.ops.table import PLAIN

PLAIN.update(
    (
        # comparisons and tests
        np.equal, np.not_equal, np.less, np.less_equal, np.greater, np.greater_equal,
        np.logical_and, np.logical_or, np.logical_xor, np.logical_not,
        np.isnan, np.isinf, np.isfinite, np.isneginf, np.isposinf, np.signbit,
        np.isclose, np.allclose, np.array_equal, np.array_equiv,
        np.all, np.any, np.isreal, np.iscomplex, np.isscalar,
        # places
        np.argmax, np.argmin, np.argsort, np.argwhere, np.nonzero, np.flatnonzero, np.count_nonzero,
        np.searchsorted, np.nanargmax, np.nanargmin, np.digitize,
        # shapes and types
        np.shape, np.ndim, np.size, np.result_type, np.can_cast, np.broadcast_shapes, np.iscomplexobj, np.isrealobj,
        # new arrays like this one
        np.zeros_like, np.ones_like, np.empty_like, np.full_like,
        # whole parts
        np.floor_divide,
        # words
        np.array_repr, np.array_str, np.array2string, np.save, np.savez, np.savetxt,
    )
)  # fmt: skip
