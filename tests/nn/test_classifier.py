"""nn.Classifier is an estimator of scikit-learn's, by scikit-learn's own checks."""

import subprocess
import sys
import warnings

import numpy as np
import pytest

from autotiny import nn


def test_without_scikit_learn_the_error_names_the_extra():
    program = """
import sys
sys.modules["sklearn"] = None
from autotiny import nn
try:
    nn.Classifier
except Exception as error:
    print(type(error).__name__, error)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert (
        "UnsupportedError nn.Classifier needs scikit-learn 1.6 or newer: pip install 'autotiny[sklearn]'" in done.stdout
    )


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match=r"module 'autotiny\.nn' has no attribute 'Clasifier'"):
        nn.Clasifier  # noqa: B018 - asking for it is the test


@pytest.fixture
def sklearn():
    return pytest.importorskip("sklearn")


def test_labels_of_text_in_a_search_over_a_pipeline(sklearn):
    from sklearn.datasets import load_iris
    from sklearn.model_selection import GridSearchCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import PolynomialFeatures

    data = load_iris()
    names = data.target_names[data.target]
    network = nn.Classifier(optimiser=nn.Adam(0.01), epochs=30, random_state=0)
    search = GridSearchCV(make_pipeline(PolynomialFeatures(2), network), {"classifier__hidden": [(), (16,)]}, cv=3)
    search.fit(data.data, names)

    assert search.best_score_ > 0.93
    assert set(search.predict(data.data)) == set(data.target_names)
    np.testing.assert_allclose(search.predict_proba(data.data).sum(axis=1), 1, rtol=1e-12)


def test_each_fit_takes_a_copy_of_the_optimiser(sklearn):
    optimiser = nn.Momentum(0.05)
    X, y = np.random.default_rng(0).normal(size=(20, 3)), np.arange(20) % 2
    losses = [nn.Classifier((4,), optimiser=optimiser, epochs=3, random_state=0).fit(X, y).loss_curve_ for _ in "ab"]
    assert losses[0] == losses[1]
    assert optimiser.state == {}


def test_float32_stays(sklearn):
    X, y = np.random.default_rng(0).normal(size=(20, 3)).astype(np.float32), np.arange(20) % 3
    assert nn.Classifier(epochs=2).fit(X, y).predict_proba(X).dtype == np.float32


@pytest.mark.thorough
def test_scikit_learns_own_checks_pass(sklearn):
    from sklearn.utils.estimator_checks import check_estimator

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some checks are skipped with a warning
        check_estimator(nn.Classifier(epochs=30, random_state=0))
