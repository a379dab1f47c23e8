"""Data sets in shards, and trainings that stream them: the numbers of the same examples in memory."""

import pickle
import weakref
from functools import partial

import numpy as np
import pytest

from autotiny.errors import ShardError
from autotiny.nn import Adam, DataError, Dataset, Network, Shards, Standardisation, Training, TrainingError, load, save

rng = np.random.default_rng(0)
LABELS = np.sort(rng.permutation(np.arange(120) % 3))  # shards lack classes
ROWS = (3 + 1.5 * np.eye(4)[LABELS] + rng.standard_normal((120, 4))).astype(np.float32)


def shards(size=25):
    return Shards.from_rows(ROWS, LABELS, size)


def loaded(data):
    sets = [reader() for reader in data.readers()]
    return np.hstack([each.X for each in sets]), np.hstack([each.labels for each in sets])


# ----- the data set -----


def test_shards_hold_the_examples_of_the_data_set_in_memory():
    data, whole = shards(), Dataset.from_rows(ROWS, LABELS)
    X, labels = loaded(data)
    np.testing.assert_array_equal(X, whole.X)
    np.testing.assert_array_equal(labels, whole.labels)
    assert (len(data), data.features, data.classes, data.shape, data.dtype) == (120, 4, (0, 1, 2), (4,), np.float32)
    assert data.lengths == (25, 25, 25, 25, 20)


def test_a_shard_is_a_pair_a_data_set_or_a_function_that_loads_one():
    whole = Dataset.from_rows(ROWS, LABELS.astype(str))
    text = LABELS.astype(str)
    sources = [(ROWS[:40], text[:40]), whole.take(np.arange(40, 80)), lambda: (ROWS[80:], text[80:])]
    X, labels = loaded(Shards.of(sources))
    np.testing.assert_array_equal(X, whole.X)
    np.testing.assert_array_equal(labels, whole.labels)


def test_rows_of_a_mapped_file_are_read_where_they_are_used(tmp_path):
    np.save(tmp_path / "X.npy", ROWS)
    data = Shards.from_rows(np.load(tmp_path / "X.npy", mmap_mode="r"), LABELS, 30)
    assert len(pickle.dumps(data.readers()[0])) < 2000
    np.testing.assert_array_equal(loaded(pickle.loads(pickle.dumps(data)))[0], ROWS.T)
    every_other = Shards.from_rows(np.load(tmp_path / "X.npy", mmap_mode="r")[::2, 1:], LABELS[::2], 30)
    np.testing.assert_array_equal(loaded(every_other)[0], ROWS[::2, 1:].T)


def test_files_are_shards(tmp_path):
    np.savez(tmp_path / "a.npz", X=ROWS[:50], y=LABELS[:50])
    lines = [",".join(map(str, [*row, label])) for row, label in zip(ROWS[50:], LABELS[50:], strict=True)]
    (tmp_path / "b.csv").write_text("\n".join(lines))
    X, labels = loaded(Shards.from_files([tmp_path / "a.npz", tmp_path / "b.csv"]))
    np.testing.assert_allclose(X, ROWS.T)
    np.testing.assert_array_equal(labels, LABELS)


def test_a_split_parts_every_shard_and_loses_nothing():
    rest, held_out = shards().split(0.2, seed=3)
    assert (rest.lengths, held_out.lengths) == ((20, 20, 20, 20, 16), (5, 5, 5, 5, 4))
    both = np.hstack([loaded(rest)[0], loaded(held_out)[0]])
    np.testing.assert_array_equal(np.unique(both, axis=1), np.unique(ROWS.T, axis=1))
    train, validation = rest.split(0.5, seed=3)
    parts = [loaded(part)[0].shape[1] for part in (train, validation)]
    assert parts == [len(train), len(validation)]
    assert not set(loaded(train)[0][0]) & set(loaded(validation)[0][0])


def test_a_seed_always_gives_one_split():
    first, again, other = (shards().split(0.2, seed)[1] for seed in (1, 1, 2))
    np.testing.assert_array_equal(loaded(first)[0], loaded(again)[0])
    assert first.fingerprint == again.fingerprint != other.fingerprint


@pytest.mark.parametrize("shape", [(4,), (2, 2)])
def test_standardisation_is_that_of_the_examples_in_memory(shape):
    rows = np.where(np.arange(4) == 2, 7, ROWS).reshape(-1, *shape)
    found = Shards.from_rows(rows, LABELS, 50).standardisation()
    expected = Standardisation.fit(Dataset.from_rows(rows, LABELS))
    assert found.scale.shape == expected.scale.shape
    np.testing.assert_allclose(found.mean, expected.mean, rtol=1e-5)
    np.testing.assert_allclose(found.scale, expected.scale, rtol=1e-5)


@pytest.mark.parametrize(
    ("made", "error", "words"),
    [
        (lambda: Shards.of([]), DataError, "there are no shards"),
        (lambda: Shards.of([(ROWS, LABELS), ROWS]), ShardError, r"shard 1, .*expected the rows and their labels"),
        (lambda: Shards.of([(ROWS, LABELS[1:])]), ShardError, "X has 120 rows and the labels have shape"),
        (lambda: Shards.of([(ROWS, LABELS), (ROWS * np.nan, LABELS)]), ShardError, r"shard 1, .*X\[0, 0\] is nan"),
        (
            lambda: Shards.of([(ROWS, LABELS), (ROWS[:, 1:], LABELS)]),
            DataError,
            r"shard 1 has shape \(3,\); in shard 0",
        ),
        (
            lambda: Shards.of([(ROWS, LABELS), (ROWS, ["x"] * 120)]),
            DataError,
            "the labels of shard 1 are <U1; in shard 0",
        ),
        (lambda: Shards.of([(ROWS, LABELS * 0)]), DataError, "all 120 examples have the label 0"),
        (lambda: Shards.from_rows(ROWS, LABELS[1:]), DataError, "X has 120 rows"),
        (lambda: Shards.from_rows(ROWS, LABELS, 0), DataError, "size is 0; a whole number of at least 1"),
        (
            lambda: Shards.from_files(["missing.csv"]),
            ShardError,
            r"shard 0, .*load_rows\('missing.csv', None\).*No such",
        ),
        (lambda: shards().split(0.5, seed=-1), DataError, "split: the seed"),
        (lambda: shards(2).split(0.1), DataError, "of each shard leaves one side empty"),
    ],
)
def test_what_does_not_make_a_data_set_is_named(made, error, words):
    with pytest.raises(error, match=words):
        made()


def test_a_shard_that_has_changed_since_is_an_error():
    labels = LABELS.copy()
    data = Shards.of([(ROWS, labels)])
    labels[0] = 9
    with pytest.raises(DataError, match="other examples than when the data set was made"):
        data.readers()[0]()


# ----- training -----


def trained(data, epochs=3, **options):
    training = Training(Network((4, 6, 3), seed=1), Adam(0.03), **options)
    training.run(*data.split(0.2, seed=0), epochs=epochs)
    return training


def reverse(f, items):
    return reversed([f(item) for item in items])


@pytest.mark.parametrize("batch", [8, 16, 50, 1000])
def test_any_map_gives_the_same_bits(batch, assert_same_bits):
    here, there = trained(shards(), batch=batch), trained(shards(), batch=batch, map=reverse)
    assert here.history == there.history
    assert_same_bits(here.state.parameters, there.state.parameters)


@pytest.mark.parametrize("batch", [7, 40])
def test_a_training_on_shards_learns_as_one_in_memory(batch):
    training = trained(shards(), epochs=30, batch=batch)
    in_memory = trained(Dataset.from_rows(ROWS, LABELS), epochs=30, batch=batch)
    assert training.history[-1].loss < 0.7 * training.history[0].loss
    assert abs(training.history[-1].loss - in_memory.history[-1].loss) < 0.1


def test_a_batch_of_all_shards_takes_the_step_of_the_whole(assert_same_bits):
    options = {"batch": 1000, "standardisation": Standardisation.identity(4, np.float32)}
    train, validation = Dataset.from_rows(ROWS, LABELS).split(0.2, seed=0)
    whole, parts = (Training(Network((4, 6, 3), seed=1), **options) for _ in range(2))
    whole.run(train, validation, epochs=1)
    parts.run(Shards.from_rows(train.X.T, train.labels, 30), Shards.from_rows(validation.X.T, validation.labels), 1)
    np.testing.assert_allclose(parts.history, whole.history, rtol=1e-5)
    for name, W in whole.state.parameters.items():
        np.testing.assert_allclose(parts.state.parameters[name], W, rtol=1e-5, atol=1e-7)


def test_every_epoch_sees_every_example_once_in_an_order_of_its_own(monkeypatch):
    batches = []

    def recorded(self, X, Y):
        batches.append(X)
        return gradients(self, X, Y)

    gradients = Training._gradients
    monkeypatch.setattr(Training, "_gradients", recorded)
    trained(shards(), epochs=2, batch=8, standardisation=Standardisation.identity(4, np.float32))
    assert [X.shape[1] for X in batches].count(8) == 20
    assert sum(X.shape[1] for X in batches) == 192
    first, second = np.hstack(batches[: len(batches) // 2]), np.hstack(batches[len(batches) // 2 :])
    assert (first != second).any()
    np.testing.assert_array_equal(np.unique(first, axis=1), np.unique(second, axis=1))


def test_measures_are_those_of_the_examples_in_memory():
    training = trained(shards(), epochs=2)
    data, whole = shards(), Dataset.from_rows(ROWS, LABELS)
    np.testing.assert_array_equal(training.predict(data), training.predict(whole))
    np.testing.assert_array_equal(training.confusion(data), training.confusion(whole))
    assert training.accuracy(data) == pytest.approx(training.accuracy(whole))


def test_few_shards_are_loaded_at_a_time():
    alive, most = set(), 0

    def read(i):
        nonlocal most
        rows = ROWS[12 * i : 12 * i + 12].copy()
        alive.add(i)
        weakref.finalize(rows, alive.discard, i)
        most = max(most, len(alive))
        return rows, LABELS[12 * i : 12 * i + 12]

    trained(Shards.of([partial(read, i) for i in range(10)]), epochs=1, batch=5)
    assert 1 <= most <= 2


def test_a_training_on_shards_is_resumed_from_a_checkpoint_bit_for_bit(tmp_path, assert_same_bits):
    at_once, first = trained(shards(), epochs=4, batch=50), trained(shards(), epochs=2, batch=50)
    save(first, tmp_path / "run.npz")
    again = load(tmp_path / "run.npz")
    again.map = reverse
    again.run(*shards().split(0.2, seed=0), epochs=4)
    assert again.history == at_once.history
    assert_same_bits(again.state.parameters, at_once.state.parameters)


def test_other_shards_are_refused_on_resuming():
    training = trained(shards(), epochs=1)
    with pytest.raises(TrainingError, match="began with other examples"):
        training.run(*shards(30).split(0.2, seed=0), epochs=2)


def test_a_list_of_shards_is_trained_on():
    parts = [(ROWS[i::4], LABELS[i::4]) for i in range(4)]
    training = Training(Network((4, 6, 3), seed=1))
    training.run(parts[1:], [(ROWS[:60], LABELS[:60])], epochs=2)  # the third class is missing here
    assert len(training.history) == 2


def test_validation_has_no_other_classes():
    with pytest.raises(TrainingError, match="validation has the class 7; train has 0, 1, 2"):
        Training(Network((4, 3))).run(shards(), [(ROWS, np.array([0, 7] * 60))], epochs=1)


def test_validation_in_memory_needs_the_same_classes():
    """Its labels are positions among its own classes."""
    with pytest.raises(TrainingError, match="validation has 2 classes; train has 0, 1, 2"):
        Training(Network((4, 3))).run(shards(), Dataset.from_rows(ROWS[:60], LABELS[:60]), epochs=1)


def test_a_shard_that_fails_in_training_names_itself():
    missing = False

    def read(i):
        if missing and i == 1:
            raise OSError("the disk is gone")
        return ROWS[i::3], LABELS[i::3]

    data = Shards.of([partial(read, i) for i in range(3)])
    missing = True
    with pytest.raises(ShardError, match=r"shard 1, .*OSError: the disk is gone"):
        trained(data, epochs=1)


def test_map_is_checked():
    with pytest.raises(TypeError, match="map must be a function like the built-in map"):
        Training(Network((4, 3)), map="dask")
