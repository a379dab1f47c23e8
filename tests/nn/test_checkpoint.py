import errno
import os
import random
import subprocess
import sys
import time

import numpy as np
import pytest

from autotiny.nn import (
    Adam,
    CheckpointError,
    Dataset,
    GradientDescent,
    Momentum,
    Network,
    NpzError,
    Optimiser,
    Training,
    load,
    save,
)

# What the killed process runs: it continues from a checkpoint if there is one, and prints each epoch that it saved.
PROGRAM = """
import os, sys
from autotiny import nn

path, data, epochs = sys.argv[1:]
train, validation = nn.load_table(data).split(0.25, seed=0)
fresh = not os.path.exists(path)
training = nn.Training(nn.Network((4, 6, 3), seed=1), nn.Adam(), patience=None) if fresh else nn.load(path)

def after_epoch(training):
    nn.save(training, path)
    print(len(training.history), flush=True)

training.run(train, validation, int(epochs), after_epoch)
"""


@pytest.fixture
def path(tmp_path):
    return tmp_path / "run.npz"


def start(path, data, epochs):
    command = [sys.executable, "-c", PROGRAM, str(path), str(data), str(epochs)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_run_that_is_killed_again_and_again_ends_with_the_bits_of_one_never_stopped(tmp_path, path, assert_same_bits):
    data, rng, moments = tmp_path / "data.npz", np.random.default_rng(0), random.Random(0)
    labels = np.arange(120) % 3
    rows = np.eye(4)[labels] + rng.standard_normal((120, 4))
    np.savez(data, X=rows, y=labels)
    for _ in range(6):
        with start(path, data, epochs=1_000_000) as process:
            process.stdout.readline()
            time.sleep(moments.uniform(0, 0.05))
            process.kill()
            printed = [int(line) for line in process.stdout]
        # The last epoch may have been saved and not yet printed.
        n_epochs = len(load(path).history)
        assert not printed or n_epochs - printed[-1] in (0, 1)
    with start(path, data, n_epochs + 20) as process:
        process.communicate()
        assert process.returncode == 0

    whole, resumed = Training(Network((4, 6, 3), seed=1), Adam(), patience=None), load(path)
    whole.run(*Dataset.from_rows(rows, labels).split(0.25, seed=0), epochs=n_epochs + 20)
    for group in ("parameters", "best", "optimiser"):
        assert_same_bits(getattr(whole.state, group), getattr(resumed.state, group))
    assert whole.history == resumed.history


@pytest.mark.parametrize("optimiser", [GradientDescent, Momentum, Adam])
def test_loaded_training_goes_on_bit_for_bit(optimiser, blobs, make_training, path, assert_same_bits):
    whole, first = make_training(optimiser(0.01)), make_training(optimiser(0.01))
    whole.run(*blobs, epochs=9)
    first.run(*blobs, epochs=4)
    save(first, path)
    second = load(path)
    second.run(*blobs, epochs=9)
    assert_same_bits(whole.state.parameters, second.state.parameters)
    assert_same_bits(whole.state.optimiser, second.state.optimiser)
    assert whole.history == second.history


def test_every_setting_comes_back(blobs, path):
    network = Network((4, 5, 4, 3), ("tanh", "gelu"), dtype=np.float32)
    training = Training(
        network, Momentum(0.125, beta=0.75), np.int64(16), 7, np.int64(3), notes={"file": "a", "n": [1]}
    )
    training.run(*blobs, epochs=2)
    save(training, path)
    again = load(path)
    assert (again.network.sizes, again.network.activations) == ((4, 5, 4, 3), ("tanh", "gelu"))
    assert again.network.dtype == np.float32
    assert (again.optimiser.learning_rate, again.optimiser.beta) == (0.125, 0.75)
    assert (again.batch, again.patience, again.seed, again.notes) == (16, 7, 3, {"file": "a", "n": [1]})
    np.testing.assert_array_equal(again.predict(blobs[1]), training.predict(blobs[1]))


def test_untrained_training_can_be_saved(make_training, path, assert_same_bits):
    training = make_training(patience=None)
    save(training, path)
    assert load(path).history == ()
    assert_same_bits(load(path).network.values(), training.network.values())


def test_loaded_network_has_the_best_parameters(blobs, make_training, path, assert_same_bits):
    training = make_training(Adam(0.1))
    training.run(*blobs, epochs=100)
    save(training, path)
    assert training.best_epoch < len(training.history)
    assert_same_bits(load(path).network.values(), training.network.values())


def test_nothing_in_the_file_needs_pickle(blobs, make_training, path):
    training = make_training(Adam())
    training.run(*blobs, epochs=2)
    save(training, path)
    with np.load(path, allow_pickle=False) as arrays:
        assert all(array.dtype.kind in "fU" for array in arrays.values())


@pytest.mark.parametrize("step", ["numpy.savez", "os.fsync", "os.replace"])
@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()])
def test_failed_save_leaves_the_old_file_and_no_litter(step, error, blobs, make_training, path, monkeypatch):
    training = make_training()
    save(training, path)
    before = path.read_bytes()
    training.run(*blobs, epochs=1)

    def fail(*args, **kwargs):
        raise error

    monkeypatch.setattr(step, fail)
    with pytest.raises((CheckpointError, KeyboardInterrupt)):
        save(training, path)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_file_is_durable_before_it_takes_the_old_ones_place(make_training, path, monkeypatch):
    calls = []
    fsync, replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda descriptor: (calls.append("fsync"), fsync(descriptor)))
    monkeypatch.setattr(os, "replace", lambda *paths: (calls.append("replace"), replace(*paths)))
    save(make_training(), path)
    assert calls == ["fsync", "replace", "fsync"]


def test_save_through_a_link_keeps_the_link(make_training, tmp_path, path):
    (tmp_path / "link.npz").symlink_to(path)
    save(make_training(), tmp_path / "link.npz")
    assert (tmp_path / "link.npz").is_symlink()
    assert load(path).history == ()


def test_save_into_a_missing_folder_is_refused(make_training, tmp_path):
    with pytest.raises(
        CheckpointError, match=r"nowhere/run\.npz: cannot write the checkpoint: No such file or directory"
    ):
        save(make_training(), tmp_path / "nowhere" / "run.npz")


def test_optimiser_of_ones_own_is_not_saved_in_silence(make_training, path):
    class Signs(Optimiser):
        def step(self, name, dW):
            return self.learning_rate * np.sign(dW)

    with pytest.raises(CheckpointError, match="can hold gradient-descent, momentum, adam, not Signs"):
        save(make_training(Signs(0.1)), path)


def test_every_truncated_checkpoint_is_an_error(make_training, path):
    save(make_training(Adam()), path)
    raw = path.read_bytes()
    for length in range(0, len(raw), 7):
        path.write_bytes(raw[:length])
        with pytest.raises(NpzError, match=r"not an \.npz file, or a damaged one"):
            load(path)


def test_changed_byte_in_the_parameters_is_an_error(make_training, path):
    save(make_training(), path)
    raw = bytearray(path.read_bytes())
    raw[raw.index(b"parameters/W1") + 200] ^= 1
    path.write_bytes(raw)
    with pytest.raises(NpzError, match=r"'parameters/W1' is damaged.*CRC"):
        load(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda arrays: arrays.pop("format"), "not a checkpoint of autotiny"),
        (lambda arrays: arrays.update(format=np.zeros(3)), "not a checkpoint of autotiny"),
        (
            lambda arrays: arrays.update(format="autotiny training 2"),
            "the format is 'autotiny training 2'; this version reads",
        ),
        (lambda arrays: arrays.update(settings="{"), "the checkpoint contradicts itself"),
        (lambda arrays: arrays.update(settings="[]"), "the checkpoint contradicts itself"),
        (lambda arrays: arrays.pop("parameters/W1"), "the checkpoint contradicts itself.*W1"),
        (lambda arrays: arrays.update({"best/b2": np.zeros((4, 1))}), "the checkpoint contradicts itself.*b2"),
        (lambda arrays: arrays.update(history=np.zeros((2, 3))), "the checkpoint contradicts itself"),
    ],
)
def test_foreign_or_altered_file_is_refused(change, message, make_training, path):
    save(make_training(), path)
    with np.load(path) as file:
        arrays = dict(file)
    change(arrays)
    np.savez(path, **arrays)
    with pytest.raises(CheckpointError, match=message):
        load(path)


def test_missing_checkpoint_is_named(path):
    with pytest.raises(NpzError, match=r"run\.npz: No such file or directory"):
        load(path)


def test_a_checkpoint_does_not_replace_a_folder(make_training, path):
    path.mkdir()
    with pytest.raises(CheckpointError, match="cannot write the checkpoint: it is a folder, a pipe or a device"):
        save(make_training(), path)
    assert path.is_dir()
