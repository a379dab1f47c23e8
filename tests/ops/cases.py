"""The table of cases: for every function of the table of operations its domain, shapes and options.

A row names the function, a domain for each argument, and its uses; without uses it is tried elementwise, on every
shape and broadcast pair.
"""

import functools
from typing import NamedTuple

import numpy as np

import autotiny as at
import width
from autotiny.ops import (
    COMPOSED,
    einsum,
    elementwise,
    indexing,
    linalg,
    logarithms,
    matmul,
    normalising,
    outputs,
    padding,
    patches,
    penalties,
    products,
    quantiles,
    reductions,
    shaping,
    singular_values,
    updating,
)
from autotiny.ops.table import newer
from ops.declare import (
    CASES,
    ELEMENTWISE,
    MASK,
    NONZERO,
    POSITIVE,
    REAL,
    UNIT,
    Apart,
    Between,
    Matrices,
    declare,
    declare_pair,
    of_list,
    use,
)

__all__ = ["CASES"]

differences = functools.partial(declare, oracle="extended")
pair_differences = functools.partial(declare_pair, oracle="extended")
EMPTY = use((0,))
UNIT_INTERVAL = Between(0.05, 0.95)

# ----- elementwise -----
for function in (
    np.negative,
    np.positive,
    np.square,
    np.exp,
    np.exp2,
    np.expm1,
    np.sin,
    np.cos,
    np.sinh,
    np.cosh,
    np.sinc,
    at.gelu,
):
    declare(function, REAL)
for function in (np.tan, np.tanh, np.arcsin, np.arccos, np.arctan, np.arctanh, np.log1p):
    declare(function, UNIT)
for function in (np.sqrt, np.log, np.log2, np.log10):
    declare(function, POSITIVE)
declare(np.arctan, Between(1.2, 5), label="above 1")
declare(np.arccosh, Between(1.1, 4))
declare(np.reciprocal, NONZERO)
differences(np.arcsinh, REAL)
differences(np.cbrt, NONZERO)
for function in (np.deg2rad, np.rad2deg, np.degrees, np.radians):
    differences(function, Between(-200, 200))
for function in (np.conjugate, np.real, np.imag, np.nan_to_num, np.copy, at.sigmoid, at.softplus, at.silu, at.mish):
    differences(function, REAL)
for function in (
    logarithms.log_sigmoid,
    logarithms.log_one_minus_sigmoid,
    logarithms.log_cosh,
    logarithms.log_one_minus_tanh_squared,
):
    differences(function, REAL)
declare(elementwise.without_slope_at_0, NONZERO)
for function in (np.absolute, np.fabs, at.relu, at.leaky_relu, at.elu, at.selu, at.celu, at.softsign):
    differences(function, NONZERO, smooth=False)
differences(at.celu, NONZERO, uses=[use((3,), alpha=0.5)], smooth=False, label="half")
differences(at.hard_tanh, Between(-2, 2, kinks=(-1, 1)))
differences(at.hard_sigmoid, Between(-5, 5, kinks=(-3, 3)))
differences(at.leaky_relu, NONZERO, uses=[use((3,), slope=0.2)], label="steep")
differences(at.elu, NONZERO, uses=[use((3,), alpha=0.5)], smooth=False, label="half")
for function in (np.sign, np.floor, np.ceil, np.rint, np.trunc, np.round, np.around):
    differences(function, Between(-3, 3, kinks=tuple(np.arange(-3, 3.5, 0.5)), gap=0.05))
differences(np.round, Between(0.32, 0.34), uses=[use((2, 3), decimals=1)])

for function in (np.add, np.subtract, np.multiply):
    declare_pair(function, REAL, REAL)
declare_pair(np.divide, REAL, NONZERO)
for function in (np.power, np.float_power):
    declare_pair(function, POSITIVE, REAL)
for exponent in (-1, 0, 1, 2, 3, 2.0, -2.0):
    declare(np.power, NONZERO, call=lambda x, exponent=exponent: x**exponent, label=f"x**{exponent}")
declare(np.power, REAL, call=lambda x: 2**x, label="2**x")
for function in (np.hypot, np.arctan2, np.logaddexp, np.logaddexp2):
    pair_differences(function, NONZERO, NONZERO)
declare_pair(elementwise.squared_hypot, REAL, REAL)
pair_differences(logarithms.logistic_loss, REAL, UNIT)
declare(logarithms.probabilities, Between(0.1, 0.4))
declare(quantiles.levels, Between(0.1, 0.4))
differences(
    at.binary_cross_entropy,
    REAL,
    uses=[use((3,), targets=[0, 1, 0.5]), use((), targets=1), use((2, 3), targets=np.eye(2, 3))],
)
differences(penalties.huber_penalty, Between(-3, 3, kinks=(-1, 1)), smooth=False)
differences(penalties.huber_penalty, Between(-3, 3, kinks=(-0.5, 0.5)), uses=[use((3,), delta=0.5)], smooth=False)
PAIRED = [use((), ()), use((3,), (3,)), use((2, 3), (2, 3)), use((2, 1, 3, 2), (2, 1, 3, 2))]
SIGNED = [use((), targets=1), use((3,), targets=[1, -1, 1]), use((2, 3), targets=2 * np.eye(2, 3) - 1)]
differences(at.mean_squared_error, REAL, REAL, uses=PAIRED)
differences(at.mean_absolute_error, REAL, REAL, uses=PAIRED, smooth=False)
differences(at.huber, REAL, REAL, uses=[*PAIRED, use((2, 3), (2, 3), delta=0.5)], smooth=False)
differences(at.hinge, Between(-2, 2, kinks=(-1, 1)), uses=SIGNED, smooth=False)
DISTRIBUTIONS = [use((3,), (3,)), use((2, 3), (2, 3)), use((2, 3), (2, 3), axis=1), use((2, 1, 3, 2), (2, 1, 3, 2))]
for constants in ((), (0,), (1,)):
    declare(at.kl_divergence, UNIT_INTERVAL, UNIT_INTERVAL, uses=DISTRIBUTIONS, constants=constants, oracle="double")
differences(at.cosine_similarity, NONZERO, NONZERO, uses=DISTRIBUTIONS)
for function in (np.remainder, np.fmod):
    pair_differences(function, Between(5.1, 5.9), Between(2.1, 2.4))
    pair_differences(function, Between(-5.9, -5.1), Between(2.1, 2.4), label="of negative")
for function in (np.maximum, np.minimum, np.fmax, np.fmin):
    pair_differences(function, REAL, REAL, smooth=False)

BOUNDED = Between(-2, 2, kinks=(-0.7, 0.9))
BOUNDS = [(-0.7, 0.9), (-0.7, None), (None, 0.9), (-0.7, 0.9)]
BOUNDED_USES = [use(s, a_min=a, a_max=b) for s, (a, b) in zip([(), (2, 3), (2, 1, 3, 2), (0,)], BOUNDS, strict=True)]
differences(np.clip, BOUNDED, uses=BOUNDED_USES, smooth=False)
TRACKED_BOUNDS = [use((2, 3), (2, 3), (2, 3)), use((4, 3), (3,), ())]
differences(np.clip, REAL, Between(-2, -0.5), Between(0.5, 2), uses=TRACKED_BOUNDS, smooth=False)
CHOICES = [
    *[use((), (), ()), use((3,), (3,), (3,)), use((3,), (), (3,)), use((2, 3), (2, 1), ()), use((2, 1), (1, 3), (3,))],
    *[use((0,), (0,), ()), use((3,), (2, 1, 1, 3), (2, 1))],
]
declare(np.where, MASK, REAL, REAL, uses=CHOICES, constants=(0,))
declare(np.where, MASK, REAL, REAL, uses=CHOICES[3:5], constants=(0, 1))

# ----- reductions -----
REDUCED = [
    *[use(()), use((3,)), use((3,), axis=0), use((3,), axis=-1, keepdims=True), use((2, 3), axis=1), use((1,))],
    *[use((2, 3), keepdims=True), use((2, 1, 3, 2), axis=(0, 2)), use((2, 1, 3, 2), axis=(-1, 1), keepdims=True)],
    *[use((2, 0, 3), axis=0), use((2, 0, 3), axis=2, keepdims=True)],
]
EMPTIED = [EMPTY, use((2, 0, 3), axis=1), use((2, 0, 3), axis=(0, 1), keepdims=True)]
RUNNING = [
    *[use(()), use((3,)), use((2, 3)), use((2, 3), axis=0), use((2, 1, 3, 2), axis=-2), use((1,), axis=0)],
    *[EMPTY, use((2, 0, 3), axis=1), use((2, 0, 3), axis=0)],
]
for function in (np.sum, np.prod):
    declare(function, REAL, uses=REDUCED + EMPTIED)
for function in (np.mean, at.logsumexp):
    declare(function, REAL, uses=REDUCED)
for function in (np.max, np.min, np.amax, np.amin, np.ptp):
    differences(function, REAL, uses=REDUCED, smooth=False)
for function in (np.cumsum, np.cumprod):
    declare(function, REAL, uses=RUNNING)
differences(reductions.euclidean, NONZERO, uses=REDUCED)
differences(
    reductions.norm_in_range,
    POSITIVE,
    REAL,
    uses=[use((), (3,)), use((2,), (2, 3), axis=1), use((1, 3), (2, 3), ord=3, axis=0, keepdims=True)],
    constants=(1,),
)
differences(reductions.direction, NONZERO, uses=[use((3,)), use((2, 3), axis=0), use((2, 1, 3, 2), axis=2)])
declare(reductions.squared_norm, REAL, uses=[*REDUCED, use((2, 3), axis=0, divisor=2.0)])
SEVERAL = [(shapes, options) for shapes, options in REDUCED if shapes[0] not in ((), (1,))]
DEGREES_OF_FREEDOM = [use((4,), ddof=0.5), *((shapes, options | {"ddof": 1}) for shapes, options in SEVERAL)]
differences(np.var, REAL, uses=REDUCED + DEGREES_OF_FREEDOM)
differences(np.std, REAL, uses=SEVERAL + DEGREES_OF_FREEDOM)

# ----- products -----
MATRICES = [
    *[
        ((3,), (3,)),
        ((2, 3), (3,)),
        ((3,), (3, 2)),
        ((2, 3), (3, 4)),
        ((1, 1), (1, 1)),
        ((2, 0), (0, 3)),
        ((0, 2), (2, 3)),
    ],
    ((4, 2, 3), (3, 2)),
]
STACKS = [
    ((2, 3), (4, 3, 2)),
    ((3,), (4, 3, 2)),
    ((4, 2, 3), (3,)),
    ((2, 1, 2, 3), (3, 3, 2)),
    ((1, 2, 2, 3), (2, 1, 3, 1)),
]
declare(np.matmul, REAL, REAL, uses=[use(*pair) for pair in MATRICES + STACKS])
for constant in (0, 1):
    declare(np.matmul, REAL, REAL, uses=[use((2, 3), (3, 4))], constants=(constant,))
DOTTED = [((), ()), ((), (3,)), ((2, 3), ()), ((2, 3), (4, 3, 2)), ((3,), (2, 3, 2)), *MATRICES]
declare(np.dot, REAL, REAL, uses=[use(*pair) for pair in DOTTED])
differences(np.vdot, REAL, REAL, uses=[use(*pair) for pair in (((), ()), ((3,), (3,)), ((2, 3), (6,)), ((0,), (0,)))])
for function in (matmul.vdot, matmul.expectation):
    differences(function, REAL, REAL, uses=[use((2, 3), (2, 3))], label="recorded")
INNER = [((), ()), ((2,), ()), ((3,), (3,)), ((2, 3), (4, 3)), ((2, 1, 3), (3,)), ((2, 0), (3, 0))]
declare(np.inner, REAL, REAL, uses=[use(*pair) for pair in INNER])
declare(np.outer, REAL, REAL, uses=[use((), ()), use((2,), (3,)), use((2, 2), (3,)), use((0,), (3,))])
CONTRACTIONS = [
    *[use((2, 3), (2, 3)), use((2, 3), (3, 4), axes=1), use((2,), (3, 2), axes=0), use((2, 0), (0, 3), axes=1)],
    *[use((2, 3, 4), (3, 2), axes=([0, 1], [1, 0])), use((2, 3), (4, 3), axes=(-1, -1)), use((), (3,), axes=0)],
]
declare(np.tensordot, REAL, REAL, uses=CONTRACTIONS)
SUBSCRIPTS = {
    **{"ij->ji": ((2, 3),), "ij->": ((2, 3),), "ii": ((3, 3),), "ii->i": ((3, 3),), "...i->...": ((2, 3),)},
    **{
        "i,i": ((3,), (3,)),
        "i,j": ((2,), (3,)),
        ",i->i": ((), (3,)),
        "ij,jk->ik": ((2, 3), (3, 2)),
        "ij,jk": ((0, 2), (2, 3)),
    },
    **{"b a , a -> b": ((2, 3), (3,)), "ij,ij->i": ((2, 1), (2, 3)), "iij,ijj": ((2, 2, 3), (2, 3, 3))},
    **{"...ij,...jk": ((2, 1, 2, 3), (3, 3, 2)), "bij,bjk,k->b": ((2, 2, 3), (2, 3, 2), (2,))},
}
for subscripts, shapes in SUBSCRIPTS.items():
    call = functools.partial(np.einsum, subscripts)
    declare(np.einsum, *[REAL] * len(shapes), uses=[use(*shapes)], call=call, label=subscripts)
SUMMED = [use((2, 3), (3, 2), terms=("ij", "jk"), output="ki"), use((3,), (2,), terms=("i", "j"), output="j")]
declare(einsum.summation, REAL, REAL, uses=SUMMED)

# ----- linear algebra -----
SQUARE = [use((3, 3)), use((1, 1)), use((2, 1, 2, 2)), use((0, 3, 3))]
for function in (np.linalg.inv, np.linalg.det):
    declare(function, Matrices(), uses=SQUARE)
for function in (np.linalg.slogdet, linalg.cofactors, linalg.log_abs_det, linalg.sign_of_det):
    declare(function, Matrices(), uses=SQUARE, oracle="double")
declare(np.linalg.cholesky, Matrices(definite=True), uses=SQUARE, oracle="double")
SYSTEMS = [
    *[use((3, 3), (3,)), use((3, 3), (3, 2)), use((2, 3, 3), (3,)), use((2, 2, 2), (2, 2, 3)), use((1, 1), (1,))],
    *[use((2, 1, 2, 2), (3, 2, 1)), use((2, 2), (3, 2, 2))],
]
declare(np.linalg.solve, Matrices(), REAL, uses=SYSTEMS)
ORDERS = [use((3,), ord=order) for order in (1, 2, 3, 0.5, 0, np.inf, -np.inf, -1)]
MATRIX_ORDERS = [use((2, 3), ord=order) for order in ("fro", 1, -1, np.inf, -np.inf)]
NORMS = [
    *[use(()), use((3,)), use((2, 1, 3, 2)), use((2, 3), axis=1, keepdims=True), use((2, 3, 2), axis=(0, 1))],
    *[use((2, 3), ord=3, axis=0), use((2, 3), ord=np.inf, axis=-1, keepdims=True), use((2, 3, 2), ord=1, axis=1)],
    *[use((2, 3, 2), ord=1, axis=(2, 0)), use((2, 3, 2), ord=-1, axis=(0, 1), keepdims=True)],
    *[use((2, 3, 2), ord="fro", axis=(0, -1)), *ORDERS, *MATRIX_ORDERS],
]
differences(np.linalg.norm, NONZERO, uses=NORMS, smooth=False)
differences(np.linalg.norm, NONZERO, uses=[use((3,)), use((3,), ord=3), use((2, 3), ord=2, axis=0)], label="smooth")
POWERS = [use((2, 3), ord=3, axis=0), use((2, 3), ord=1.5, axis=(0, 1), keepdims=True)]
differences(linalg.p_norm, NONZERO, uses=POWERS)
for function in (np.tril, np.triu):
    declare(function, REAL, uses=[use((3, 3)), use((2, 3), k=1), use((2, 1, 3, 2), k=-1), use((0, 3))])

# ----- shaping -----
RESHAPED = [use((), shape=(1, 1)), use((2, 3), shape=(3, 2)), use((2, 3), shape=-1, order="F"), use((0,), shape=(2, 0))]
reshape = lambda x, shape, order="C": np.reshape(x, shape, order=order)  # NumPy 2.0 calls shape newshape
declare(np.reshape, REAL, uses=[*RESHAPED, use((2, 1, 3, 2), shape=(4, -1))], call=reshape)
declare(np.ravel, REAL, uses=[*ELEMENTWISE[1], use((2, 3), order="F")])
declare(np.expand_dims, REAL, uses=[use((), axis=0), use((3,), axis=-1), use((2, 3), axis=(0, 2)), use((0,), axis=1)])
SQUEEZED = [use((1, 3, 1)), use((2, 1, 3, 2), axis=1), use((1, 1), axis=(0, 1)), use((1, 0), axis=-2), use(())]
declare(np.squeeze, REAL, uses=SQUEEZED)
declare(np.transpose, REAL, uses=[*ELEMENTWISE[1], use((2, 1, 3, 2), axes=(2, 0, -1, 1)), use((2, 3), axes=(1, 0))])
SWAPPED = [use((2, 3), axis1=0, axis2=1), use((2, 1, 3, 2), axis1=-1, axis2=0), use((0, 2), axis1=0, axis2=1)]
declare(np.swapaxes, REAL, uses=SWAPPED)
MOVED = [((2, 1, 3, 2), 0, -1), ((2, 3, 2), (0, 2), (1, 0)), ((0, 2), 0, 1)]
declare(
    np.moveaxis, REAL, uses=[use(shape, source=source, destination=destination) for shape, source, destination in MOVED]
)
WIDENED = [((), (2, 3)), ((3,), (2, 3)), ((2, 1), (4, 2, 3)), ((1,), (0,)), ((3,), (3,))]
declare(np.broadcast_to, REAL, uses=[use(shape, shape=wide) for shape, wide in WIDENED])
FILLED = [use((2, 3), ()), use((2, 3), (3,)), use((), ()), use((0,), (1,)), use((2, 2), (), shape=(3, 1))]
declare(np.full_like, REAL, REAL, uses=FILLED, oracle="double")
declare(np.flip, REAL, uses=[use(()), use((3,)), use((2, 3), axis=0), use((2, 1, 3, 2), axis=(0, -2)), EMPTY])
declare(np.fliplr, REAL, uses=[use((2, 3)), use((0, 2, 2))])
declare(np.flipud, REAL, uses=[use((3,)), use((2, 3))])
ROLLED = [use((3,), shift=1), use((2, 3), shift=-2), use((2, 3), shift=2, axis=1), use((0,), shift=1)]
declare(np.roll, REAL, uses=[*ROLLED, use((2, 3, 2), shift=(1, -1), axis=(0, 2))])
TYPES = [use((2, 3), dtype=np.dtype(np.float64)), use((), dtype=np.dtype(np.longdouble))]
declare(shaping.astype, REAL, uses=TYPES, oracle="double")
for function in (np.matrix_transpose, np.linalg.matrix_transpose):
    declare(function, REAL, uses=[use((2, 3)), use((2, 1, 3, 2))], label=getattr(function, "__module__", ""))
for function in (np.atleast_1d, np.atleast_2d):
    declare(function, REAL)
REPEATED = [use((), repeats=2), use((2, 3), repeats=2), use((2, 3), repeats=[0, 2, 1], axis=1), use((0,), repeats=2)]
declare(np.repeat, REAL, uses=[*REPEATED, use((2, 1, 3, 2), repeats=2, axis=-2)])
TILED = [((), 3), ((3,), 2), ((2, 3), (2, 1)), ((3,), (2, 2)), ((2, 1, 3, 2), 2), ((2,), 0), ((0,), 2)]
declare(np.tile, REAL, uses=[use(shape, reps=reps) for shape, reps in TILED])
PADDED = [
    *[use((3,), pad_width=2), use((2, 3), pad_width=(1, 2)), use((0,), pad_width=1), use((2, 1, 3, 2), pad_width=1)],
    use((2, 3), pad_width=((0, 1), (2, 0)), constant_values=5.0),
]
MODES = [use((3, 4), pad_width=((1, 0), (2, 3)), mode=mode) for mode in ("edge", "reflect", "symmetric", "wrap")]
declare(np.pad, REAL, uses=[*PADDED, *MODES])
declare(padding.pad_constant, REAL, uses=PADDED)

# ----- joining and splitting -----
JOINED = [
    use((3,), (2,)),
    use((2, 3), (2, 3), (1, 3), axis=0),
    use((2, 1, 3, 2), (2, 1, 1, 2), axis=-2),
    use((0,), (2,)),
]
declare(np.concatenate, REAL, REAL, REAL, uses=JOINED, call=of_list(np.concatenate))
declare(np.concatenate, REAL, REAL, uses=JOINED[:1], call=of_list(np.concatenate), constants=(0,))
declare(shaping.join, REAL, REAL, REAL, uses=JOINED, call=lambda *xs, axis=0: np.concatenate(xs, axis=axis))
STACKED = [use((), ()), use((3,), (3,), axis=-1), use((2, 3), (2, 3), axis=1), use((0,), (0,))]
declare(np.stack, REAL, REAL, uses=STACKED, call=of_list(np.stack))
declare(shaping.stack, REAL, REAL, uses=STACKED, call=lambda *xs, axis=0: np.stack(xs, axis=axis), label="row")
declare(np.array, REAL, REAL, uses=[use((), ()), use((2,), (2,))], call=lambda a, b: at.array([[a, b], (b, a)]))


def like(x):
    """What a call passes on to NumPy's function as like=."""
    return x if isinstance(x, at.Tensor) else None


for converts in (np.asarray, np.asanyarray, np.ascontiguousarray, np.asfortranarray):
    declare(converts, REAL, uses=[use(()), use((2, 3))], call=lambda x, f=converts: f(x, like=like(x)))
declare(np.full, REAL, uses=[use(()), use((3,))], call=lambda x: np.full((2, 3), x, like=like(x)))
declare(np.ix_, REAL, REAL, uses=[use((2,), (3,))], call=lambda a, b: np.multiply(*np.ix_(a, b)))
declare(
    np.vstack, REAL, REAL, uses=[use((), ()), use((3,), (2, 3)), use((1, 2, 2), (2, 2, 2))], call=of_list(np.vstack)
)
declare(np.hstack, REAL, REAL, uses=[use((), ()), use((3,), (2,)), use((2, 3), (2, 1))], call=of_list(np.hstack))
COLUMNS = [use((3,), (3,)), use((3, 2), (3,)), use((2, 2, 2), (2, 1, 2))]
declare(np.column_stack, REAL, REAL, uses=COLUMNS, call=of_list(np.column_stack))
declare(np.append, REAL, REAL, uses=[use((3,), ()), use((2, 3), (2,)), use((2, 3), (1, 3), axis=0), use((), (3,))])
SECTIONS = [((6,), 3, 0), ((4, 3), [1, 3], 0), ((2, 4, 3), 2, -2), ((3,), [2, 1, 5], 0)]
CUTS = [use(shape, indices_or_sections=sections, axis=axis) for shape, sections, axis in SECTIONS]
declare(np.split, REAL, uses=CUTS)
declare(np.array_split, REAL, uses=[*CUTS, use((5,), indices_or_sections=3)])
declare(np.hsplit, REAL, uses=[use((4,), indices_or_sections=2), use((2, 4), indices_or_sections=[1])])
declare(np.vsplit, REAL, uses=[use((4, 3), indices_or_sections=2)])

# ----- picking -----
MASK_2D = np.array([[True, False, True], [False, True, True]])
KEYS = [
    *[
        ((3,), 1),
        ((3,), -1),
        ((4,), np.s_[::-2]),
        ((2, 3), np.s_[..., None, 1:]),
        ((), ()),
        ((), ...),
        ((0,), np.s_[:]),
    ],
    *[((4, 3), np.array([0, 2, 0])), ((2, 3), MASK_2D), ((2, 1, 3, 2), (0, np.s_[:], np.array([2, 2])))],
    *[((3,), np.array([], dtype=int)), ((3,), (np.array(1),))],
]
SCATTERED = [
    *[((2,), 1, (3, 2)), ((3,), np.array([0, 0, 1]), (2,)), ((), 1, (3,)), ((2,), np.s_[::2], (4,))],
    ((2,), np.array([True, False, True]), (3,)),
]


def add_at(x, key, shape):
    """What scatter does, for numbers of any kind."""
    if isinstance(x, at.Tensor):
        return indexing.scatter(x, key=key, shape=shape)
    out = np.zeros(shape, x.dtype)
    np.add.at(out, key, x)
    return out


declare(indexing.index, REAL, uses=[use(shape, key=key) for shape, key in KEYS])
declare(indexing.scatter, REAL, uses=[use(shape, key=key, shape=whole) for shape, key, whole in SCATTERED], call=add_at)
PUT = [
    *[use((3,), (), key=1), use((4, 3), (3,), key=np.s_[::2]), use((4, 3), (3, 3), key=np.array([0, 2, 0]))],
    *[use((2, 3), (1, 3), key=np.s_[1:]), use((3,), (2,), key=np.array([True, False, True])), use((), (), key=...)],
    use((3, 3), (3,), key=(np.array([0, 1, 0]), np.array([1, 1, 1]))),
]


def put_at(x, values, key):
    """What `updated` does, for numbers of any kind."""
    if isinstance(x, at.Tensor) or isinstance(values, at.Tensor):
        return updating.updated(x, values, key=key)
    y = np.array(x, np.result_type(x, values))
    y[key] = values
    return y


declare(updating.updated, REAL, REAL, uses=PUT, call=put_at)
TAKEN = [
    *[use((4,), indices=2), use((2, 3), indices=[5, 0, 5]), use((2, 3), indices=[[0, 0], [2, 1]], axis=-1)],
    *[use((3,), indices=[-4, 7], mode="wrap"), use((3,), indices=[-4, 7], mode="clip")],
]
declare(np.take, REAL, uses=TAKEN)
PICKED = [((3,), [2, 0], 0), ((2, 3), [[0], [2]], 1), ((2, 3), [[0, 1, 0]], -2), ((2, 1, 3, 2), [[[[1, 1]]]], 2)]
declare(np.take_along_axis, REAL, uses=[use(shape, indices=np.array(i), axis=axis) for shape, i, axis in PICKED])
SORTED = [use((3,)), use((2, 3), axis=0), use((2, 1, 3, 2)), EMPTY, use((1,))]
declare(np.sort, REAL, uses=SORTED, smooth=False)
DIAGONALS = [
    use((3, 3)),
    use((2, 3), offset=1),
    use((3, 2), offset=-1),
    use((2, 3), offset=5),
    use((2, 1, 3, 2), axis1=2, axis2=-1),
]
for function in (np.diagonal, np.trace):
    declare(function, REAL, uses=DIAGONALS)
declare(np.diag, REAL, uses=[use((3,)), use((3,), k=1), use((2,), k=-2), use((3, 3)), use((2, 3), k=1), EMPTY])
declare(
    np.diff,
    REAL,
    uses=[use((3,)), use((4,), n=2), use((2, 3), axis=0), use((3,), n=0), use((1,)), use((2, 1, 3, 2), axis=-2)],
)

# ----- over classes -----
ALONG = [use((3,)), use((2, 3)), use((2, 3), axis=1), use((2, 1, 3, 2), axis=-2), use((1,)), use((2, 0))]
for function in (at.softmax, at.log_softmax):
    declare(function, REAL, uses=ALONG)
LABELLED = [
    *[use((3, 4), targets=[0, 2, 1, 1]), use((3,), targets=1), use((2, 3), targets=np.array([2, 0]), axis=1)],
    use((2, 3, 2), targets=[[0, 1], [1, 0], [1, 1]]),
]
declare(at.cross_entropy, REAL, uses=LABELLED)
differences(
    logarithms.log_one_minus_softmax,
    REAL,
    uses=[use((3,)), use((2, 3)), use((2, 3), axis=1), use((2, 1, 3, 2), axis=-2)],
)
differences(at.cross_entropy, REAL, Between(0, 1), uses=[use((3, 4), (3, 4)), use((2, 3), (2, 3), axis=1)])


# ----- rows behind compositions -----
@at.operation(lambda g, y, x: g[0] + g[1])
def twice(x):
    return x, x


SLIDING = [
    use((5,), lengths=(2,), axes=(0,), strides=(1,), dilations=(1,)),
    use((7,), lengths=(3,), axes=(0,), strides=(2,), dilations=(2,)),
    use((1, 4, 5, 2), lengths=(2, 3), axes=(1, 2), strides=(1, 2), dilations=(2, 1)),
    use((6,), lengths=(1,), axes=(0,), strides=(3,), dilations=(1,)),
    use((0, 3), lengths=(2,), axes=(1,), strides=(1,), dilations=(1,)),
]
declare(patches.patches, REAL, uses=SLIDING)
OVERLAPPING = [
    use((2, 4), shape=(5,), axes=(0,), strides=(1,), dilations=(1,)),
    use((3, 2), shape=(8,), axes=(0,), strides=(2,), dilations=(2,)),
    use((2, 3, 1, 2, 2, 2), shape=(1, 4, 5, 2), axes=(1, 2), strides=(1, 2), dilations=(2, 1)),
    use((2, 0, 2), shape=(0, 3), axes=(1,), strides=(1,), dilations=(1,)),
]
declare(patches.overlap_add, REAL, uses=OVERLAPPING)
STANDARDISED = [use((3,)), use((4,), epsilon=0.1), use((2, 3), axis=0, epsilon=0.1)]
declare(normalising.standardised, REAL, uses=[*STANDARDISED, use((2, 1, 3, 2), axis=(0, 2), epsilon=1e-3)])
declare(products.convolution, REAL, REAL, uses=[use((3,), (2,)), use((2,), (4,)), use((1,), (1,))])
SYMMETRIC = [use((3, 3)), use((3, 3), UPLO="U"), use((2, 2, 2))]
declare(np.linalg.eigvalsh, Matrices(), uses=SYMMETRIC, oracle="double")
declare(np.linalg.eigh, Matrices(), uses=SYMMETRIC, oracle="double")
declare(np.linalg.eigvals, Apart(), uses=SQUARE, oracle="double")
declare(np.linalg.eig, Apart(), uses=SQUARE, oracle="double")
FULL_RANK = [(3, 3), (4, 2), (2, 4), (2, 3, 2)]
REDUCED = [use(shape, full_matrices=False) for shape in FULL_RANK]
declare(np.linalg.svdvals, REAL, uses=[use(shape) for shape in FULL_RANK], oracle="double")
declare(np.linalg.svd, REAL, uses=[*REDUCED, use((3, 3)), use((3, 4), compute_uv=False)], oracle="double")
declare(
    np.linalg.qr,
    REAL,
    uses=[*[use(shape) for shape in FULL_RANK], use((2, 4), mode="complete"), use((4, 2), mode="r")],
    oracle="double",
)
for function in newer("unstack"):
    declare(function, REAL, uses=[use((3,)), use((2, 3), axis=1), use((2, 0)), use((2, 3, 2), axis=-1)])
declare(outputs.output, REAL, uses=[use((3, 2))], call=lambda x: twice(x)[1])
declare(singular_values.pseudoinverse, REAL, uses=[use(shape, rcond=1e-9) for shape in FULL_RANK], oracle="double")
pair_differences(np.nextafter, REAL, Between(3, 5))


# ----- polynomials -----
class WithRoots(NamedTuple):
    """Coefficients of polynomials with real roots, far from each other."""

    def draw(self, rng, shape, position):
        return np.poly(np.arange(shape[0] - 1) + rng.uniform(-0.3, 0.3, shape[0] - 1)) * rng.uniform(1, 2)


declare(np.roots, WithRoots(), uses=[use((4,)), use((2,))], oracle="double")


# ----- Fourier transforms -----
def in_parts(function):
    """A function with complex results, as one of their real and imaginary parts."""

    def call(x, **options):
        y = function(x, **options)
        return np.real(y), np.imag(y)

    return call


SIGNALS = [
    *[use((5,)), use((4,), n=6), use((5,), n=3), use((2, 4), axis=0, norm="ortho"), use((1,)), use((0, 3))],
    *[use((2, 3, 4), n=3, axis=1, norm="forward"), use((3, 2), n=5, axis=0), use((2, 3, 2), n=1, axis=-2)],
]
for function in (np.fft.fft, np.fft.ifft, np.fft.rfft):
    differences(function, REAL, uses=SIGNALS, call=in_parts(function))
differences(np.fft.irfft, REAL, uses=[use((3, 2), axis=0), *SIGNALS[:4], *SIGNALS[5:]])


# ----- compositions: the calls of tools/width.txt -----
class Given(NamedTuple):
    """The numbers that a call of tools/width.txt names."""

    name: str

    def draw(self, rng, shape, position):
        return width.TRACKED[self.name].copy()


def declare_calls() -> None:
    """Enter every call of a composition that has no case above."""
    declared = {case.function for case in CASES}
    for name, texts in width.calls().items():
        function = width.named(name)
        if function in COMPOSED and function not in declared:
            for text in (text for text in texts if not text.startswith("!")):
                names, call = width.function(text)
                declare(
                    function,
                    *map(Given, names),
                    uses=[use(*(width.TRACKED[n].shape for n in names))],
                    call=call,
                    label=text.replace(" ", ""),
                    oracle="double",
                )


declare_calls()
