import numpy as np
import pytest

from autotiny.nn import Dataset, Network, Training


@pytest.fixture
def blobs():
    """Three overlapping clouds in four dimensions, to train on and to validate with."""
    rng = np.random.default_rng(0)
    labels = np.arange(120) % 3
    rows = 3 + 1.5 * np.eye(4)[labels] + rng.standard_normal((120, 4))
    return Dataset.from_rows(rows, labels).split(0.25, seed=0)


@pytest.fixture
def make_training():
    def make(optimiser=None, **options):
        options |= {} if optimiser is None else {"optimiser": optimiser}
        return Training(Network((4, 6, 3), seed=1), **options)

    return make


@pytest.fixture
def assert_same_bits():
    def assert_same_bits(first, second):
        assert first.keys() == second.keys()
        for name, array in first.items():
            np.testing.assert_array_equal(array, second[name], strict=True)

    return assert_same_bits
