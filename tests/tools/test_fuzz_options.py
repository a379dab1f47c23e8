"""Random options: Tensors give NumPy's values and right gradients; planted faults are found."""

import numpy as np
import pytest

import fuzz_options
from autotiny.ops import COMPOSED
from fuzz_options import Call, fault, faults, main
from width import named


def test_random_options_give_the_values_of_numpy_and_the_gradients_of_differences():
    assert list(faults(4, seed=5)) == []


def test_every_function_and_option_of_the_table_is_one_of_numpy():
    names = {name for names, _, _ in fuzz_options.CALLS for name in names.split()}
    assert [name for name in names if not callable(named(name))] in ([], ["cumulative_sum", "cumulative_prod"])


@pytest.mark.parametrize(
    ("composition", "reason"),
    [
        (lambda y, dx=1.0, axis=-1: np.sum(y, axis=axis), "another value than NumPy's"),
        (lambda y, dx=1.0, axis=-1: np.trapezoid(y.data, dx=dx, axis=axis), "gradient of argument a"),
    ],
)
def test_a_planted_fault_is_found(composition, reason, monkeypatch):
    monkeypatch.setitem(COMPOSED, np.trapezoid, composition)
    assert fault(Call("trapezoid", [np.array([1.0, 2.0, 4.0])], {"dx": 0.5})) == reason


def test_a_refusal_is_a_fault_unless_numpy_refuses_too():
    x, some = np.array([1.0, 2.0, 4.0]), np.array([True, False, True])
    assert fault(Call("add", [x, x], {"where": some, "dtype": float})).startswith("refused: add: where=")
    assert fault(Call("sum", [x], {"axis": 7})) is None


def test_the_command_counts():
    shown = []
    main(["1", "3"], shown.append)
    assert shown == ["0 faults: {}"]
