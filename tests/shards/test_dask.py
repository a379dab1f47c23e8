"""at.over_shards on Dask's own client, where it is installed."""

import warnings
from functools import partial

import numpy as np
import pytest

import autotiny as at

pytest.importorskip("distributed", reason="Dask is not installed")
X = np.arange(40.0).reshape(20, 2)


def load(start):
    return (X[start : start + 7],)


def loss(w, X):
    return np.mean(np.tanh(X @ w))


@pytest.fixture(scope="module")
def client():
    from distributed import Client

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with Client(processes=False, n_workers=1, threads_per_worker=2, dashboard_address=None) as client:
            yield client


def shards(kind, client):
    import dask
    import dask.array as da

    chunks = da.from_array(X, chunks=(7, 2))
    return {
        "arrays": [load(start) for start in (0, 7, 14)],
        "functions": [partial(load, start) for start in (0, 7, 14)],
        "futures": client.map(load, (0, 7, 14)),
        "futures of arrays": [
            (future,) for future in client.scatter([load(start)[0] for start in (0, 7, 14)], hash=False)
        ],
        "delayed": [dask.delayed(load)(start) for start in (0, 7, 14)],
        "chunks": [(chunk,) for chunk in chunks.to_delayed().ravel()],
        "arrays of Dask's": [(block,) for block in (chunks[:7], chunks[7:14], chunks[14:])],
    }[kind]


KINDS = ["arrays", "functions", "futures", "futures of arrays", "delayed", "chunks", "arrays of Dask's"]


@pytest.mark.parametrize("kind", KINDS)
def test_shards_of_each_kind_give_the_bits_of_the_built_in_map(kind, client):
    step, w = at.compile(at.grad(loss)), (np.array([0.1, -0.2]),)
    found = at.over_shards(step, shards(kind, client), w, map=client, weight=lambda shard: len(shard[0]))
    expected = at.over_shards(step, shards("arrays", client), w, weight=lambda shard: len(shard[0]))
    np.testing.assert_array_equal(found, expected, strict=True)


def test_client_map_takes_generators_and_options(client):
    for mapped in (client.map, partial(client.map, retries=1)):
        found = at.over_shards(np.sum, (load(start) for start in (0, 7, 14)), (), map=mapped)
        assert found == X.sum()


def test_a_shard_that_fails_is_tried_again_by_the_client(client):
    failures = [OSError("not yet"), OSError("not yet")]

    def flaky():
        if failures:
            raise failures.pop()
        return (X,)

    assert at.over_shards(np.sum, [flaky], (), map=partial(client.map, retries=2)) == X.sum()


@pytest.mark.filterwarnings("error:Sending large graph")
def test_large_parameters_are_sent_without_a_warning(client):
    w = (np.ones((2, 700_000)),)
    assert at.over_shards(lambda w, X: np.sum(w[:, 0]), [partial(load, 0)], w, map=client) == 2
