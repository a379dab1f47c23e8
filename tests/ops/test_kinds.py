"""Integers and truth values count as the numbers that they are, as operands and in options, in every row."""

import numpy as np
import pytest

import autotiny as at
from autotiny.engine.pytree import flatten
from ops.cases import CASES
from ops.declare import some_of_each

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")

SEVERAL = [case for case in CASES if len(case.shapes) - len(case.constants) > 1]
KINDS = {
    "bool": lambda x: x > 0.4,
    "int64": lambda x: np.rint(2 * x).astype(int),
    "int8": lambda x: np.rint(2 * x).astype(np.int8),
    "uint8": lambda x: np.rint(abs(2 * x)).astype(np.uint8),
}


def value_and_gradients(f, args, tracked):
    """The results of a call, and the gradients of the tracked arguments; an error is a result as well."""
    args = [at.Tensor(arg) if i in tracked else arg for i, arg in enumerate(args)]
    try:
        outputs = [out for out in flatten(f(*args))[0] if isinstance(out, at.Tensor)]
        total = sum(np.sum(out * np.cos(np.arange(out.size)).reshape(out.shape)) for out in outputs)
        if outputs and total.requires_grad:
            total.backward()
    except Exception as error:
        return [type(error).__name__]
    return [*(out.data for out in outputs), *(arg.grad for arg in args if isinstance(arg, at.Tensor))]


def assert_equal(got, expected):
    assert len(got) == len(expected)
    for a, b in zip(got, expected, strict=True):
        if isinstance(b, str):
            assert a == b
        elif b is not None:
            np.testing.assert_allclose(a, b, rtol=1e-12, equal_nan=True)
            assert a.dtype == b.dtype


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("case", some_of_each(SEVERAL, 5), ids=str)
def test_operand_of_another_kind_counts_as_its_float(case, kind):
    if kind == "bool" and case.function is np.ix_:
        pytest.skip("truth values among the indices of ix_ choose places")
    f, args = case.draw()
    for constant in range(len(args)):
        other = KINDS[kind](args[constant])
        tracked = set(range(len(args))) - {constant}
        floats = value_and_gradients(f, [*args[:constant], other.astype(float), *args[constant + 1 :]], tracked)
        assert_equal(
            value_and_gradients(f, [*args[:constant], other, *args[constant + 1 :]], tracked),
            floats,
        )


def converted(option, kind):
    """The option with its integers in another type of NumPy's, None if it has none that fits."""
    if isinstance(option, int) and not isinstance(option, bool):
        return kind(option) if option >= 0 or kind is not np.uint8 else None
    if isinstance(option, tuple) and option and all(type(each) is int for each in option):
        return None if min(option) < 0 and kind is np.uint8 else tuple(map(kind, option))
    if isinstance(option, np.ndarray) and option.dtype.kind == "i":
        return None if option.size and option.min() < 0 and kind is np.uint8 else option.astype(kind)
    return None


OPTIONS = [
    case
    for case in CASES
    if not case.constants and any(converted(option, np.int64) is not None for option in case.options.values())
]


@pytest.mark.parametrize("kind", [np.int64, np.int8, np.uint8])
@pytest.mark.parametrize("case", OPTIONS, ids=str)
def test_integer_of_any_type_is_the_same_option(case, kind):
    f, args = case.draw()
    options = {name: converted(option, kind) for name, option in case.options.items()}

    def call(*tensors):
        return case.call(*tensors, **{**case.options, **{k: v for k, v in options.items() if v is not None}})

    try:
        call(*args)
    except (TypeError, ValueError, OverflowError):
        pytest.skip("NumPy refuses it")
    expected = value_and_gradients(f, args, set(range(len(args))))
    assert_equal(value_and_gradients(call, args, set(range(len(args)))), expected)
