import numpy as np
import pytest

from autotiny.nn import Dataset, Standardisation, digits

RNG = np.random.default_rng(0)


def dataset(rows):
    return Dataset.from_rows(rows, np.arange(len(rows)) % 2)


def test_features_of_a_table_get_mean_0_and_deviation_1():
    data = dataset(RNG.normal([5, -3, 1e6], [1, 1e-3, 1e4], (50, 3)))
    X = Standardisation.fit(data)(data.X)
    np.testing.assert_allclose(X.mean(axis=1), 0, atol=1e-9)
    np.testing.assert_allclose(X.std(axis=1), 1)


def test_pixels_of_an_image_share_one_scale():
    data = digits()
    X = Standardisation.fit(data)(data.X)
    np.testing.assert_allclose(X.mean(axis=1), 0, atol=1e-12)
    np.testing.assert_allclose(X.std(axis=1), data.X.std(axis=1) / data.X.std())


@pytest.mark.parametrize("constant", [0.0, 0.1, 1e9, 1e-30])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_feature_that_never_changes_is_only_shifted(constant, dtype):
    rows = np.column_stack([np.full(7, constant), np.arange(7)]).astype(dtype)
    standardisation = Standardisation.fit(dataset(rows))
    X = standardisation(rows.T)
    assert standardisation.scale[0] == 1
    np.testing.assert_allclose(X[0], 0, atol=4 * np.finfo(dtype).eps * constant)
    assert X.dtype == dtype


def test_none_leaves_every_bit():
    data = dataset(RNG.standard_normal((6, 3)))
    np.testing.assert_array_equal(Standardisation.none(data)(data.X), data.X)
