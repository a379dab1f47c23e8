"""The mirror of scipy.signal: convolutions in all modes, and linear filters."""

import itertools

import numpy as np
import pytest

scipy = pytest.importorskip("scipy.signal")

import autotiny as at
import mirrored as claims
from autotiny.errors import UnsupportedError
from autotiny.scipy import signal

rng = np.random.default_rng(1)
SHAPES = [((5,), (3,)), ((3,), (5,)), ((3, 4), (2, 2)), ((2, 2), (3, 4)), ((4,), (2,))]
MODES = ("full", "same", "valid")


def pair(shapes):
    return [rng.normal(size=shape) for shape in shapes]


def of(name, *options, **named):
    return lambda m, *arrays: getattr(m, name)(*arrays, *options, **named)


WHOLE = [
    (of(name, mode), *pair(shapes))
    for name, mode, shapes in itertools.product(("convolve", "correlate"), MODES, SHAPES)
]
BY_TRANSFORMS = [(of("fftconvolve", mode), *pair(SHAPES[2])) for mode in MODES]
BY_TRANSFORMS += [(of("fftconvolve", mode, axes=1), *pair([(2, 4), (1, 3)])) for mode in MODES]
BY_TRANSFORMS += [(of("oaconvolve", mode), *pair(SHAPES[0])) for mode in MODES]
BY_TRANSFORMS += [
    (of("convolve", method="fft"), *pair(SHAPES[0])),
    (of("correlate", method="direct"), *pair(SHAPES[0])),
]
IMAGES = [
    (of(name, mode, boundary, fillvalue), *pair([(3, 4), kernel]))
    for name, mode, boundary, fillvalue, kernel in [
        ("convolve2d", "full", "fill", 0, (2, 3)),
        ("convolve2d", "same", "fill", 0.5, (2, 2)),
        ("convolve2d", "full", "wrap", 0, (2, 3)),
        ("convolve2d", "same", "symm", 0, (3, 2)),
        ("convolve2d", "valid", "symm", 0, (3, 2)),
        ("correlate2d", "same", "fill", 0, (2, 3)),
        ("correlate2d", "same", "wrap", 0, (2, 2)),
        ("correlate2d", "full", "symm", 0, (3, 2)),
        ("correlate2d", "valid", "fill", 0, (3, 2)),
    ]
]
DENOMINATOR = np.array([1.5, 0.3, -0.2])
FILTERS = [
    (of("lfilter"), rng.normal(size=2), DENOMINATOR, rng.normal(size=5)),
    (of("lfilter", axis=0), rng.normal(size=3), DENOMINATOR, rng.normal(size=(4, 2))),
    (lambda m, x: m.lfilter([1.0, 0.5], 1.0, x), rng.normal(size=4)),
]
CALLS = [*WHOLE, *BY_TRANSFORMS, *IMAGES, *FILTERS, (of("convolve"), np.array(2.0), np.array(3.0))]
each_call = pytest.mark.parametrize("call", CALLS)


@each_call
def test_values_are_scipys_and_gradients_those_of_differences(call):
    f, *args = call
    claims.assert_values_are_scipys(f, signal, scipy, args)
    claims.assert_gradients_are_those_of_differences(f, signal, scipy, args)


@pytest.mark.parametrize("call", [*WHOLE[::4], *BY_TRANSFORMS[::3], *IMAGES[::3], *FILTERS])
def test_second_derivatives_programs_and_single_precision(call):
    f, *args = call
    claims.assert_second_derivatives_are_those_of_differences(f, signal, args)
    claims.assert_a_program_computes_the_same(f, signal, args)
    claims.assert_values_are_scipys(f, signal, scipy, args, np.float32)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda x: signal.convolve(x, np.ones((2, 2))), r"convolve: both arrays must have as many axes; .*\(4,\) and"),
        (lambda x: signal.convolve(x, x, mode="most"), "convolve: mode must be 'full', 'same' or 'valid'; got 'most'"),
        (lambda x: signal.lfilter([1.0], [1.0], x, zi=[0.0]), "lfilter: zi= is not supported on a Tensor"),
        (lambda x: signal.convolve2d(x, x), "convolve2d: expected two matrices"),
        (
            lambda x: signal.correlate2d(np.ones((2, 2)), x[:, None], boundary="odd"),
            "correlate2d: boundary must be 'fill', 'wrap' or 'symm'; got 'odd'",
        ),
        (
            lambda x: signal.fftconvolve(x[:, None], np.ones((2, 5)), mode="valid"),
            "fftconvolve: for mode='valid' one array must be as long as the other",
        ),
        (lambda x: scipy.convolve(x, x), r"scipy\.signal\.convolve turns x into a plain array"),
    ],
)
def test_what_is_refused_says_why(call, words):
    x = at.Tensor(np.arange(4.0))
    with pytest.raises((UnsupportedError, ValueError), match=words):
        call(x)
