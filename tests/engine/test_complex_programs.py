"""Random programs on real and complex numbers: every way to a gradient agrees with differences of the parts."""

import numpy as np
import pytest

import autotiny as at
import fuzz_complex
import oracles
from autotiny.engine.modes import Switch

SEEDS = range(40)


def numbered(seed):
    """A program as a function, and the values of its leaves."""
    return fuzz_complex.function(fuzz_complex.program(seed)), fuzz_complex.leaves(seed)


def all_gradients(f):
    return at.value_and_grad(f, tuple(range(len(fuzz_complex.LEAVES))))


def assert_close(actual, expected, rtol=1e-11):
    scale = max(1.0, *(np.max(np.abs(x), initial=0) for x in expected))
    for a, b in zip(actual, expected, strict=True):
        assert (a.shape, a.dtype) == (b.shape, b.dtype)
        np.testing.assert_allclose(a, b, rtol=0, atol=rtol * scale)


def product(a, b):
    return sum(np.sum(np.real(np.conj(x) * y)) for x, y in zip(a, b, strict=True))


@pytest.mark.parametrize("seed", SEEDS)
def test_the_gradient_is_that_of_real_and_imaginary_parts(seed):
    f, values = numbered(seed)
    value, gradients = all_gradients(f)(*values)
    np.testing.assert_allclose(value, f(*values), rtol=1e-12)
    on_parts, entries = oracles.on_parts(f, values, [False])
    jacobians = oracles.differences(on_parts, entries, np.float64, 2.0**-8)
    scale = max(1.0, *(np.max(np.abs(g)) for g in gradients))
    for g, jacobian in zip(oracles.split(gradients), jacobians, strict=True):
        away = np.abs(np.ravel(g) - jacobian.values[0])
        assert np.all(away <= 1e-8 * scale + 4 * jacobian.errors[0])


@pytest.mark.parametrize("seed", SEEDS)
def test_recorded_backward_debugged_and_unstable_gradients_are_the_same(seed):
    f, values = numbered(seed)
    _, expected = all_gradients(f)(*values)
    tensors = list(map(at.Tensor, values))
    loss = f(*tensors)
    recorded = [g.data for g in at.gradients(loss, tensors)]
    loss.backward()
    published = [np.zeros_like(x.data) if x.grad is None else x.grad for x in tensors]
    with at.debug():
        debugged = all_gradients(f)(*values)[1]
    with Switch("stable", False):
        as_written = all_gradients(f)(*values)[1]
    for gradients in (recorded, published, debugged, as_written):
        assert_close(gradients, expected)


@pytest.mark.parametrize("seed", SEEDS)
def test_forward_mode_and_second_derivatives_agree_with_reverse_mode(seed):
    f, values = numbered(seed)
    directions = fuzz_complex.leaves(seed + 1)
    gradients = all_gradients(f)(*values)[1]
    assert at.jvp(f, tuple(values), tuple(directions))[1] == pytest.approx(product(gradients, directions), rel=1e-9)

    def gradient_at(t):
        moved = [x + t * d for x, d in zip(values, directions, strict=True)]
        return oracles.split(all_gradients(f)(*moved)[1])

    second = at.grad(lambda *args: product(directions, all_gradients(f)(*args)[1]), (0, 1, 2, 3, 4))(*values)
    (moved,) = oracles.differences(lambda t: gradient_at(float(t)), [np.zeros(())], np.float64, 2.0**-10)
    expected, scale = moved.values[:, 0], max(1.0, *(np.max(np.abs(g)) for g in second))
    assert np.all(np.abs(oracles.flat(oracles.split(second)) - expected) <= 1e-6 * scale + 4 * moved.errors[:, 0])


@pytest.mark.parametrize("dtype", [np.complex128, np.complex64], ids=["double", "single"])
@pytest.mark.parametrize("seed", SEEDS)
def test_compiled_programs_give_the_same(seed, dtype):
    f, values = numbered(seed)
    compiled = at.compile(all_gradients(f))
    for shift in (0, 1, 0):
        kinds = [dtype if np.iscomplexobj(x) else np.finfo(dtype).dtype for x in values]
        given = [x.astype(kind) for x, kind in zip(fuzz_complex.leaves(seed + shift), kinds, strict=True)]
        value, gradients = all_gradients(f)(*given)
        again, others = compiled(*given)
        assert_close([again, *others], [value, *gradients], 2000 * np.finfo(dtype).eps)


def test_a_program_whose_rule_lacks_a_conjugate_is_found():
    @at.operation(lambda g, y, z: g * np.sign(z))
    def size(z):
        return np.abs(z)

    gradient = at.grad(lambda z: np.sum(size(z) ** 2))(fuzz_complex.leaves(0)[0])
    with pytest.raises(AssertionError):
        assert_close([gradient], [2 * fuzz_complex.leaves(0)[0]])
